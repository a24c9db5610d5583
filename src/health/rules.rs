//! The declarative rules for custom kinds: files in `health/`, one per API group, and the user's own beside the configuration.
//!
//! A rule is written from the meaning of its kind's status; its format is told in `health/README.md`. Which rule speaks follows Argo CD's order:
//! the exact group and kind, then patterns in the order of their text; a user's file before ours.

mod eval;
mod expr;
mod lex;
mod rule;
mod template;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use include_dir::{Dir, include_dir};
use serde_json::{Map, Value};

use super::Report;
use rule::Step;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/health");

static BUILT_IN: LazyLock<Rules> = LazyLock::new(built_in);

/// The file that holds steps which other files use by name.
const SHAPES: &str = "shapes.yaml";

/// A file of rules that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("The health rules in {file} cannot be used: {problem}. Correct the file or remove it.")]
pub struct RuleError {
    /// The file's name.
    pub file: String,
    /// What is wrong, with the rule and step.
    pub problem: String,
}

/// Which rule spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleName {
    /// The file that holds it.
    pub file: String,
    /// Group and kind as the file writes them: `*.cnrm.cloud.google.com/*`.
    pub rule: String,
    /// Whether the user wrote it.
    pub user: bool,
}

/// Rules to ask.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    exact: HashMap<(String, String), Rule>,
    /// By the text of group and kind.
    patterns: BTreeMap<(String, String), Rule>,
}

#[derive(Clone, Debug)]
struct Rule {
    name: RuleName,
    steps: Vec<Step>,
}

/// Named steps.
type Shapes = BTreeMap<String, Vec<Value>>;

impl Rules {
    /// The rules that come with the program.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// A user's rules from files, name and text.
    ///
    /// # Errors
    /// One for each file that cannot be used; the other files' rules are there all the same.
    pub fn user<'f>(files: impl IntoIterator<Item = (&'f str, &'f str)>) -> (Self, Vec<RuleError>) {
        let mut rules = Self::default();
        let mut errors = Vec::new();
        for (file, text) in files {
            if let Err(problem) = rules.add(file, text, &shapes(), true) {
                errors.push(RuleError {
                    file: file.to_owned(),
                    problem,
                });
            }
        }
        (rules, errors)
    }

    /// The health of an object and the rule that said so; `None` when no rule knows the kind.
    pub fn judge(&self, object: &Value) -> Option<(Report, &RuleName)> {
        let rule = self.rule(object)?;
        rule::judge(&rule.steps, object).map(|report| (report, &rule.name))
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.exact.len() + self.patterns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn rule(&self, object: &Value) -> Option<&Rule> {
        let gvk = super::gvk(object);
        let key = (gvk.group.to_string(), gvk.kind.to_string());
        self.exact.get(&key).or_else(|| {
            let matching = |(group, kind): &&(String, String)| {
                super::glob(group, &key.0) && super::glob(kind, &key.1)
            };
            let (found, rule) = self.patterns.iter().find(|(name, _)| matching(name))?;
            let _ = found;
            Some(rule)
        })
    }

    fn add(&mut self, file: &str, text: &str, shapes: &Shapes, user: bool) -> Result<(), String> {
        let document: Value = serde_yaml::from_str(text).map_err(|e| e.to_string())?;
        let map = document.as_object().ok_or("the file is not a map")?;
        if let Some(key) = map
            .keys()
            .find(|k| !matches!(k.as_str(), "group" | "groups" | "about" | "kinds"))
        {
            return Err(format!(
                "`{key}` is not known; a file has group (or groups), about and kinds"
            ));
        }
        let kinds = map
            .get("kinds")
            .and_then(Value::as_object)
            .ok_or("`kinds` is missing")?;
        for group in groups(map)? {
            for (names, steps) in kinds {
                let parsed = parse_steps(steps, shapes).map_err(|e| format!("{names}: {e}"))?;
                for kind in names.split(',').map(str::trim) {
                    self.put(file, &group, kind, parsed.clone(), user);
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, file: &str, group: &str, kind: &str, steps: Vec<Step>, user: bool) {
        let rule = Rule {
            name: RuleName {
                file: file.to_owned(),
                rule: format!("{group}/{kind}"),
                user,
            },
            steps,
        };
        let key = (group.to_owned(), kind.to_owned());
        if group.contains('*') || kind.contains('*') {
            self.patterns.insert(key, rule);
        } else {
            self.exact.insert(key, rule);
        }
    }
}

fn groups(map: &Map<String, Value>) -> Result<Vec<String>, String> {
    let found = match (map.get("group"), map.get("groups")) {
        (Some(Value::String(one)), None) => vec![one.clone()],
        (None, Some(Value::Array(many))) => many
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    };
    if found.is_empty() {
        return Err("`group` is missing: the API group that the rules are for".to_owned());
    }
    Ok(found)
}

fn parse_steps(steps: &Value, shapes: &Shapes) -> Result<Vec<Step>, String> {
    let mut parsed = Vec::new();
    for (number, step) in (1..).zip(opened(steps, shapes)?) {
        let map = step
            .as_object()
            .ok_or_else(|| format!("step {number} is not a map"))?;
        parsed.push(Step::parse(map).map_err(|e| format!("step {number}: {e}"))?);
    }
    match parsed.last() {
        Some(last) if last.is_last() => Ok(parsed),
        _ => Err("the last step must speak about every object: a health without `when`".to_owned()),
    }
}

/// The steps with `use` replaced by the steps of that name.
fn opened<'s>(steps: &'s Value, shapes: &'s Shapes) -> Result<Vec<&'s Value>, String> {
    let mut open = Vec::new();
    for step in steps.as_array().ok_or("the steps are not a list")? {
        match step.get("use").and_then(Value::as_str) {
            None => open.push(step),
            Some(name) => open.extend(
                shapes
                    .get(name)
                    .ok_or_else(|| format!("`use: {name}` names no shape"))?,
            ),
        }
    }
    Ok(open)
}

fn shapes() -> Shapes {
    FILES
        .get_file(SHAPES)
        .and_then(|file| file.contents_utf8())
        .and_then(|text| serde_yaml::from_str(text).ok())
        .unwrap_or_default()
}

/// The embedded rules; tests see to it that every file can be used.
fn built_in() -> Rules {
    let mut rules = Rules::default();
    let shapes = shapes();
    for (name, text) in embedded() {
        if let Err(problem) = rules.add(name, text, &shapes, false) {
            tracing::error!(
                file = name,
                problem,
                "an embedded health rule file is broken"
            );
        }
    }
    rules
}

fn embedded() -> impl Iterator<Item = (&'static str, &'static str)> {
    FILES.files().filter_map(|file| {
        let name = file.path().file_name()?.to_str()?;
        (name.ends_with(".yaml") && name != SHAPES)
            .then(|| file.contents_utf8().map(|text| (name, text)))?
    })
}

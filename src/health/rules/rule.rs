//! One rule: steps in order, the first that holds speaks.

use serde_json::{Map, Value};

use super::eval::{Scope, holds, values, walked};
use super::expr::{self, Operand, Test};
use super::template::Template;
use crate::domain::Health;
use crate::health::Report;

/// The health words that a rule can give, as they are written.
const WORDS: [(&str, Health); 6] = [
    ("Healthy", Health::Healthy),
    ("Suspended", Health::Suspended),
    ("Progressing", Health::Progressing),
    ("Missing", Health::Missing),
    ("Degraded", Health::Degraded),
    ("Unknown", Health::Unknown),
];

/// One step of a rule.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Step {
    /// Lists to walk, outermost first; the first item for which the step holds speaks.
    walk: Vec<Operand>,
    when: Option<Test>,
    verdict: Verdict,
}

#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    /// One health and its message.
    One(Health, Template),
    /// By the word that a field holds.
    ByWord {
        field: Operand,
        words: Vec<(Health, Vec<String>)>,
        message: Template,
    },
}

/// The report of the first step that holds.
pub(super) fn judge(steps: &[Step], object: &Value) -> Option<Report> {
    steps.iter().find_map(|step| step.judge(object))
}

impl Step {
    /// Reads a step.
    pub(super) fn parse(map: &Map<String, Value>) -> Result<Self, String> {
        for key in map.keys() {
            let known = matches!(key.as_str(), "for" | "when" | "by" | "say");
            if !known && WORDS.iter().all(|(word, _)| word != key) {
                return Err(format!(
                    "`{key}` is no part of a step; a step has for, when, a health word with its message, or by with lists of words and say"
                ));
            }
        }
        Ok(Self {
            walk: walk(map.get("for"))?,
            when: match map.get("when") {
                Some(Value::String(text)) => Some(expr::test(text)?),
                Some(_) => return Err("`when` is not text".to_owned()),
                None => None,
            },
            verdict: verdict(map)?,
        })
    }

    /// Whether the step speaks about every object.
    pub(super) fn is_last(&self) -> bool {
        self.walk.is_empty() && self.when.is_none() && matches!(self.verdict, Verdict::One(..))
    }

    fn judge(&self, object: &Value) -> Option<Report> {
        self.walked(&self.walk, Scope::of(object))
    }

    fn walked(&self, walk: &[Operand], scope: Scope<'_>) -> Option<Report> {
        match walk.split_first() {
            None => self.at(scope),
            Some((first, rest)) => {
                walked(first, scope).find_map(|item| self.walked(rest, scope.into(item)))
            }
        }
    }

    fn at(&self, scope: Scope<'_>) -> Option<Report> {
        if self.when.as_ref().is_some_and(|when| !holds(when, scope)) {
            return None;
        }
        match &self.verdict {
            Verdict::One(health, message) => Some((*health, message.fill(scope))),
            Verdict::ByWord {
                field,
                words,
                message,
            } => {
                let found = values(field, scope);
                let word = found.first()?;
                let word = super::eval::text(word);
                let (health, _) = words.iter().find(|(_, list)| list.contains(&word))?;
                Some((*health, message.fill(scope)))
            }
        }
    }
}

fn walk(value: Option<&Value>) -> Result<Vec<Operand>, String> {
    let texts: Vec<&Value> = match value {
        None => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    };
    texts
        .into_iter()
        .map(|text| expr::operand(text.as_str().ok_or("`for` is not a path")?))
        .collect()
}

fn verdict(map: &Map<String, Value>) -> Result<Verdict, String> {
    let given: Vec<(Health, &Value)> = WORDS
        .iter()
        .filter_map(|(word, health)| Some((*health, map.get(*word)?)))
        .collect();
    if let Some(by) = map.get("by") {
        return by_word(by, given, map.get("say"));
    }
    match given.as_slice() {
        [(health, message)] => Ok(Verdict::One(*health, template(message)?)),
        [] => Err("a step gives no health".to_owned()),
        _ => Err("a step without `by` gives one health only".to_owned()),
    }
}

fn by_word(
    by: &Value,
    given: Vec<(Health, &Value)>,
    say: Option<&Value>,
) -> Result<Verdict, String> {
    let field = expr::operand(by.as_str().ok_or("`by` is not a path")?)?;
    let mut words = Vec::new();
    for (health, list) in given {
        let list = list
            .as_array()
            .ok_or("with `by`, a health has a list of words")?;
        words.push((health, list.iter().map(super::eval::text).collect()));
    }
    let message = say.map(template).transpose()?.unwrap_or_default();
    Ok(Verdict::ByWord {
        field,
        words,
        message,
    })
}

fn template(message: &Value) -> Result<Template, String> {
    match message {
        Value::Null => Ok(Template::default()),
        Value::String(text) => Template::parse(text),
        _ => Err("a message is not text".to_owned()),
    }
}

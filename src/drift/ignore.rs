//! `spec.ignoreDifferences`: what an application's owner declared not to be drift.

use globset::{Glob, GlobMatcher};
use serde_json::Value;

use super::argo::normalize::IgnoreStatus;
use super::flux::Selector;
use super::jq::{Expression, JqError};
use super::known::{KnownField, retype};
use crate::domain::ObjectRef;
use crate::domain::safe::escape;

/// One rule.
#[derive(Clone, Debug)]
struct Rule {
    group: GlobMatcher,
    kind: GlobMatcher,
    name: String,
    namespace: String,
    removals: Vec<Removal>,
    managers: Vec<String>,
    /// Expressions that cannot be read, one sentence each.
    refused: Vec<String>,
}

/// One thing that a rule takes out of both sides before they are compared.
#[derive(Clone, Debug)]
pub enum Removal {
    /// What a JSON pointer names.
    Pointer(Vec<String>),
    /// What a jq expression names, with its text.
    Expression(Expression, String),
    /// What a JSON pointer of Flux's own rules names.
    OfFlux(Vec<String>),
}

impl Removal {
    /// Takes it out of an object; what is not there is passed over in silence, as is an expression that fails on this object.
    ///
    /// # Errors
    /// The expression takes too long; the object stays as it is.
    pub fn apply(&self, object: &mut Value) -> Result<(), JqError> {
        match self {
            Self::Pointer(pointer) | Self::OfFlux(pointer) => remove(object, pointer),
            // Argo CD passes over a failing expression too: it names nothing here.
            Self::Expression(expression, _) => {
                if let Err(JqError::TooLong) = expression.delete_from(object) {
                    return Err(JqError::TooLong);
                }
            }
        }
        Ok(())
    }

    /// The pointer or the expression as it was written.
    pub fn text(&self) -> String {
        match self {
            Self::Pointer(pointer) | Self::OfFlux(pointer) => pointer_text(pointer),
            Self::Expression(_, text) => escape(text).into_owned(),
        }
    }
}

/// One rule of a Kustomization's `spec.ignore` or a HelmRelease's `spec.driftDetection.ignore`.
#[derive(Clone, Debug)]
struct FluxRule {
    target: Selector,
    removals: Vec<Removal>,
}

impl FluxRule {
    /// Reads one; a rule without a target is about everything.
    fn read(item: &Value) -> Result<Self, String> {
        let target = item.get("target").unwrap_or(&Value::Null);
        let paths = texts(item, "paths");
        let pointers = paths.iter().map(|path| pointer(path).map(Removal::OfFlux));
        Ok(Self {
            target: Selector::parse(target)?,
            removals: pointers.collect::<Result<_, _>>()?,
        })
    }
}

/// The rules of one application.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    rules: Vec<Rule>,
    flux: Vec<FluxRule>,
    /// Fields that hold built-in types.
    known: Vec<KnownField>,
    ignore_aggregated_roles: bool,
    status: IgnoreStatus,
    /// What could not be read, one sentence each.
    problems: Vec<String>,
}

/// The rules that are about one object.
#[derive(Clone, Debug, Default)]
pub struct ObjectRules<'r> {
    rules: Vec<&'r Rule>,
    flux: Vec<&'r FluxRule>,
    known: Vec<&'r KnownField>,
    /// Whether the rules of a role that aggregates others are not compared.
    pub ignore_aggregated_roles: bool,
    /// Whether the object's `status` is compared where Git sets it.
    pub counts_status: bool,
}

impl IgnoreRules {
    /// No rules.
    pub fn none() -> Self {
        Self::default()
    }

    /// Reads a list in the form of `spec.ignoreDifferences`, or of Flux's rules, which have `paths`. A rule that cannot be read is left out and named in [`Self::problems`].
    pub fn from_spec(spec: &Value) -> Self {
        let mut rules = Self::default();
        match spec {
            Value::Array(items) => items
                .iter()
                .enumerate()
                .for_each(|(i, item)| rules.add(i + 1, item)),
            Value::Null => {}
            _ => rules
                .problems
                .push("ignoreDifferences is not a list; no rule of it is applied".to_owned()),
        }
        rules
    }

    /// Also compares these fields as their types spell them.
    #[must_use]
    pub fn with_known(mut self, known: impl IntoIterator<Item = KnownField>) -> Self {
        self.known.extend(known);
        self
    }

    /// Also heeds what argocd-cm says in `resource.compareoptions`.
    #[must_use]
    pub fn with_options(self, ignore_aggregated_roles: bool, status: IgnoreStatus) -> Self {
        Self {
            ignore_aggregated_roles,
            status,
            ..self
        }
    }

    fn add(&mut self, number: usize, item: &Value) {
        if item.get("paths").is_some() {
            match FluxRule::read(item) {
                Ok(rule) => self.flux.push(rule),
                Err(why) => self
                    .problems
                    .push(format!("rule {number} is left out: {why}")),
            }
            return;
        }
        match rule(item) {
            Ok(mut rule) => {
                for text in texts(item, "jqPathExpressions") {
                    match Expression::parse(&text) {
                        Ok(expression) => rule.removals.push(Removal::Expression(expression, text)),
                        Err(error) => {
                            let why = refusal(&text, &error);
                            self.problems.push(format!("rule {number}: {why}"));
                            rule.refused.push(why);
                        }
                    }
                }
                self.rules.push(rule);
            }
            Err(why) => self
                .problems
                .push(format!("rule {number} is left out: {why}")),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.flux.is_empty() && self.known.is_empty()
    }

    /// What could not be read or is not supported, one sentence each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The rules about one object.
    pub fn for_object(&self, object: &ObjectRef) -> ObjectRules<'_> {
        let wanted = |text: &str, value: &str| text.is_empty() || text == value;
        ObjectRules {
            rules: self
                .rules
                .iter()
                .filter(|rule| {
                    rule.group.is_match(&*object.gvk.group)
                        && rule.kind.is_match(&*object.gvk.kind)
                        && wanted(&rule.name, &object.name)
                        && wanted(&rule.namespace, &object.namespace)
                })
                .collect(),
            flux: Vec::new(),
            known: self.known.iter().filter(|k| k.is_of(object)).collect(),
            ignore_aggregated_roles: self.ignore_aggregated_roles,
            counts_status: !self.status.leaves_out(&object.gvk.kind),
        }
    }

    /// The same with those of Flux's rules that mean the object by what it carries.
    pub fn for_document(&self, object: &ObjectRef, document: &Value) -> ObjectRules<'_> {
        let flux = self.flux.iter().filter(|r| r.target.matches(document));
        ObjectRules {
            flux: flux.collect(),
            ..self.for_object(object)
        }
    }
}

impl<'r> ObjectRules<'r> {
    /// Whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.flux.is_empty()
    }

    /// Managers whose differences do not count.
    pub fn managers(&self) -> impl Iterator<Item = &'r str> + '_ {
        self.rules
            .iter()
            .flat_map(|rule| rule.managers.iter().map(String::as_str))
    }

    /// Whether any field is compared as its type spells it.
    pub fn has_known(&self) -> bool {
        !self.known.is_empty()
    }

    /// Rewrites fields that hold built-in types as the types spell them.
    pub fn retype(&self, object: &mut Value) {
        for field in &self.known {
            retype(object, &field.path, &field.type_name);
        }
    }

    /// Expressions about the object that cannot be read, one sentence each.
    pub fn refused(&self) -> impl Iterator<Item = &'r str> + '_ {
        let all = self.rules.iter().flat_map(|rule| &rule.refused);
        all.map(String::as_str)
    }

    /// Takes everything that the rules name out of an object.
    pub fn strip(&self, object: &mut Value) {
        for removal in self.removals() {
            // What takes too long hides nothing; whoever judges says so.
            let _ = removal.apply(object);
        }
    }

    /// Every removal, for single use.
    pub fn removals(&self) -> impl Iterator<Item = &'r Removal> + '_ {
        let flux = self.flux.iter().flat_map(|rule| rule.removals.iter());
        self.rules
            .iter()
            .flat_map(|rule| rule.removals.iter())
            .chain(flux)
    }
}

/// The text of a pointer.
fn pointer_text(pointer: &[String]) -> String {
    let escaped = |part: &String| format!("/{}", part.replace('~', "~0").replace('/', "~1"));
    pointer.iter().map(escaped).collect()
}

/// Removes what a JSON pointer names.
pub(super) fn remove(object: &mut Value, pointer: &[String]) {
    let Some((last, parents)) = pointer.split_last() else {
        return;
    };
    let mut at = object;
    for part in parents {
        let next = match at {
            Value::Object(map) => map.get_mut(part),
            Value::Array(items) => part.parse::<usize>().ok().and_then(|i| items.get_mut(i)),
            _ => None,
        };
        let Some(next) = next else { return };
        at = next;
    }
    match at {
        Value::Object(map) => {
            map.remove(last);
        }
        Value::Array(items) => {
            if let Some(position) = last.parse::<usize>().ok().filter(|i| *i < items.len()) {
                items.remove(position);
            }
        }
        _ => {}
    }
}

fn rule(item: &Value) -> Result<Rule, String> {
    let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default();
    if !item.is_object() {
        return Err("it is not an object".to_owned());
    }
    if text("kind").is_empty() {
        return Err("it names no kind; use \"*\" for all kinds".to_owned());
    }
    Ok(Rule {
        group: glob(text("group"))?,
        kind: glob(text("kind"))?,
        name: text("name").to_owned(),
        namespace: text("namespace").to_owned(),
        removals: texts(item, "jsonPointers")
            .iter()
            .map(|text| pointer(text).map(Removal::Pointer))
            .collect::<Result<_, _>>()?,
        managers: texts(item, "managedFieldsManagers"),
        refused: Vec::new(),
    })
}

fn refusal(expression: &str, error: &JqError) -> String {
    format!(
        "the jq expression `{}` is not applied: {error}; what it names still counts as drift",
        escape(expression)
    )
}

fn glob(pattern: &str) -> Result<GlobMatcher, String> {
    Glob::new(pattern)
        .map(|glob| glob.compile_matcher())
        .map_err(|error| format!("`{}` is no glob: {}", escape(pattern), error.kind()))
}

fn texts(item: &Value, key: &str) -> Vec<String> {
    let list = item.get(key).and_then(Value::as_array);
    list.map(|all| {
        all.iter()
            .filter_map(|v| v.as_str().map(str::to_owned))
            .collect()
    })
    .unwrap_or_default()
}

/// `/metadata/annotations/a~1b` into its parts.
fn pointer(text: &str) -> Result<Vec<String>, String> {
    let path = text
        .strip_prefix('/')
        .ok_or_else(|| format!("the JSON pointer `{}` does not begin with /", escape(text)))?;
    Ok(path
        .split('/')
        .map(|part| part.replace("~1", "/").replace("~0", "~"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;
    use serde_json::json;

    fn deployment() -> ObjectRef {
        ObjectRef::new(
            Gvk::new("apps", "v1", "Deployment"),
            "edge",
            "edge-microservice",
        )
    }

    #[test]
    fn rules_match_by_glob_on_group_and_kind_and_exactly_on_names() {
        let rules = IgnoreRules::from_spec(&json!([
            {"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]},
            {"group": "*", "kind": "*", "name": "other", "jsonPointers": ["/spec"]},
            {"group": "app?", "kind": "Dep*", "namespace": "edge", "jsonPointers": ["/metadata/annotations/a~1b"]},
            {"kind": "Service", "jsonPointers": ["/spec"]},
        ]));
        let mut object =
            json!({"spec": {"replicas": 3}, "metadata": {"annotations": {"a/b": "c", "d": "e"}}});
        rules.for_object(&deployment()).strip(&mut object);
        assert_eq!(
            object,
            json!({"spec": {}, "metadata": {"annotations": {"d": "e"}}})
        );
    }

    #[test]
    fn pointers_reach_into_lists_and_pass_over_what_is_not_there() {
        let rules = IgnoreRules::from_spec(
            &json!([{"group": "*", "kind": "*", "jsonPointers": ["/a/1/b", "/a/7", "/x/y", "/a/0"]}]),
        );
        let mut object = json!({"a": [{"b": 1}, {"b": 2, "c": 3}]});
        rules.for_object(&deployment()).strip(&mut object);
        assert_eq!(object, json!({"a": [{"c": 3}]}));
    }

    #[test]
    fn what_cannot_be_used_is_named_and_the_rest_stays() {
        let rules = IgnoreRules::from_spec(&json!([
            "x", {"group": "apps"}, {"kind": "A", "jsonPointers": ["spec"]}, {"kind": "B", "group": "["},
            {"group": "apps", "kind": "Deployment", "jqPathExpressions": ["input"], "managedFieldsManagers": ["kube-controller-manager"]},
        ]));
        assert_eq!(rules.problems().len(), 5, "{:?}", rules.problems());
        assert_eq!(
            rules
                .for_object(&deployment())
                .managers()
                .collect::<Vec<_>>(),
            ["kube-controller-manager"]
        );
        assert!(IgnoreRules::from_spec(&Value::Null).is_empty());
        assert_eq!(IgnoreRules::from_spec(&json!({})).problems().len(), 1);
    }
}

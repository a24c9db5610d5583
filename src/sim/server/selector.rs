//! Label and field selectors of lists and watches.

use serde_json::Value;

use crate::sim::store::value::at;
use crate::sim::store::{ApiStatus, Kind, Object};

/// What a list or watch keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    pub(crate) namespace: Option<String>,
    labels: Vec<LabelTerm>,
    fields: Vec<FieldTerm>,
}

/// One requirement on a label.
#[derive(Clone, Debug, PartialEq, Eq)]
enum LabelTerm {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

/// One requirement on a field: path, value, and whether it must equal.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldTerm {
    path: String,
    value: String,
    equal: bool,
}

impl Selection {
    pub(crate) fn parse(
        kind: &Kind,
        namespace: &str,
        labels: Option<&str>,
        fields: Option<&str>,
    ) -> Result<Self, ApiStatus> {
        let label_terms = split_terms(labels.unwrap_or(""));
        let field_terms = fields.unwrap_or("").split(',').filter(|t| !t.is_empty());
        Ok(Self {
            namespace: (!namespace.is_empty()).then(|| namespace.to_owned()),
            labels: label_terms
                .iter()
                .map(|t| label_term(t))
                .collect::<Result<_, _>>()?,
            fields: field_terms
                .map(|t| field_term(kind, t))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Narrows to one name, as a watch on a single object does.
    pub(crate) fn named(&mut self, name: &str) {
        self.fields.push(FieldTerm {
            path: "metadata.name".to_owned(),
            value: name.to_owned(),
            equal: true,
        });
    }

    /// Whether anything beyond the namespace is asked for.
    pub(crate) fn is_narrow(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    pub(crate) fn keeps(&self, object: &Object) -> bool {
        let namespace = self.namespace.as_deref();
        namespace.is_none_or(|ns| *ns == *object.key.namespace)
            && self.labels.iter().all(|term| term.holds(object))
            && self.fields.iter().all(|term| term.holds(object))
    }
}

impl LabelTerm {
    fn holds(&self, object: &Object) -> bool {
        let label = |name: &str| {
            let found = object.labels.iter().find(|(n, _)| **n == *name);
            found.map(|(_, v)| v.to_string())
        };
        match self {
            Self::Exists(name) => label(name).is_some(),
            Self::Absent(name) => label(name).is_none(),
            Self::In(name, values) => label(name).is_some_and(|v| values.contains(&v)),
            Self::NotIn(name, values) => label(name).is_none_or(|v| !values.contains(&v)),
        }
    }
}

impl FieldTerm {
    fn holds(&self, object: &Object) -> bool {
        let same = match self.path.as_str() {
            "metadata.name" => *object.key.name == *self.value,
            "metadata.namespace" => *object.key.namespace == *self.value,
            path => {
                let path = if path == "source" {
                    "source.component"
                } else {
                    path
                };
                let parts: Vec<&str> = path.split('.').collect();
                let document = object.value();
                let found = at(&document, &parts).unwrap_or(&Value::Null);
                match found {
                    Value::Null => self.value.is_empty(),
                    Value::String(text) => *text == self.value,
                    other => self.value == *other.to_string(),
                }
            }
        };
        same == self.equal
    }
}

/// Splits at commas outside parentheses.
fn split_terms(text: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let mut terms = vec![String::new()];
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if c == ',' && depth == 0 {
            terms.push(String::new());
        } else if let Some(term) = terms.last_mut() {
            term.push(c);
        }
    }
    terms.retain(|t| !t.trim().is_empty());
    terms
}

fn label_term(term: &str) -> Result<LabelTerm, ApiStatus> {
    let term = term.trim();
    let one = |name: &str, value: &str| (name.trim().to_owned(), vec![value.trim().to_owned()]);
    if let Some((name, value)) = term.split_once("!=") {
        let (name, values) = one(name, value);
        return Ok(LabelTerm::NotIn(name, values));
    }
    if let Some((name, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        let (name, values) = one(name, value);
        return Ok(LabelTerm::In(name, values));
    }
    if let Some(name) = term.strip_prefix('!') {
        return Ok(LabelTerm::Absent(name.trim().to_owned()));
    }
    match set_term(term) {
        Some(found) => Ok(found),
        None if term.contains(char::is_whitespace) || term.contains('(') => Err(unparsed(term)),
        None => Ok(LabelTerm::Exists(term.to_owned())),
    }
}

/// `name in (a, b)` and `name notin (a, b)`.
fn set_term(term: &str) -> Option<LabelTerm> {
    let (head, values) = term.split_once('(')?;
    let values = values.trim().strip_suffix(')')?;
    let values = values.split(',').map(|v| v.trim().to_owned()).collect();
    let mut words = head.split_whitespace();
    match (words.next()?, words.next()?) {
        (name, "in") => Some(LabelTerm::In(name.to_owned(), values)),
        (name, "notin") => Some(LabelTerm::NotIn(name.to_owned(), values)),
        _ => None,
    }
}

fn unparsed(term: &str) -> ApiStatus {
    ApiStatus::bad_request(format!(
        "unable to parse requirement: found '{term}', expected: ',', or 'end of string'"
    ))
}

fn field_term(kind: &Kind, term: &str) -> Result<FieldTerm, ApiStatus> {
    let (path, value, equal) = if let Some((path, value)) = term.split_once("!=") {
        (path, value, false)
    } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (path, value, true)
    } else {
        return Err(ApiStatus::bad_request(format!(
            "invalid selector: '{term}'; can't understand '{term}'"
        )));
    };
    if !supported(kind, path) {
        return Err(unsupported(kind, path));
    }
    Ok(FieldTerm {
        path: path.to_owned(),
        value: value.to_owned(),
        equal,
    })
}

fn unsupported(kind: &Kind, path: &str) -> ApiStatus {
    if kind.custom || !own_fields(kind).is_empty() {
        return ApiStatus::bad_request(format!("field label not supported: {path}"));
    }
    ApiStatus::bad_request(format!(
        "\"{path}\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\""
    ))
}

/// Whether a kind can be selected by a field.
fn supported(kind: &Kind, path: &str) -> bool {
    matches!(path, "metadata.name" | "metadata.namespace") || own_fields(kind).contains(&path)
}

/// The fields a kind can be selected by beyond its name.
fn own_fields(kind: &Kind) -> &'static [&'static str] {
    match (kind.group, kind.kind) {
        ("", "Pod") => &[
            "spec.nodeName",
            "spec.restartPolicy",
            "spec.schedulerName",
            "spec.serviceAccountName",
            "spec.hostNetwork",
            "status.phase",
            "status.podIP",
            "status.nominatedNodeName",
        ],
        ("", "Event") => &[
            "involvedObject.kind",
            "involvedObject.namespace",
            "involvedObject.name",
            "involvedObject.uid",
            "involvedObject.apiVersion",
            "involvedObject.resourceVersion",
            "involvedObject.fieldPath",
            "reason",
            "reportingComponent",
            "source",
            "type",
        ],
        ("", "Secret") => &["type"],
        ("", "Namespace") => &["status.phase"],
        ("", "Node") => &["spec.unschedulable"],
        ("", "Service") => &["spec.clusterIP", "spec.type"],
        ("apps", "ReplicaSet") => &["status.replicas"],
        ("batch", "Job") => &["status.successful"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::store::{Key, KindSet};

    fn pod(labels: &Value) -> Object {
        let kind = KindSet::bare().by_kind("v1", "Pod").unwrap();
        let document = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": "web-1", "namespace": "edge", "labels": labels},
            "spec": {"nodeName": "node-1"}, "status": {"phase": "Running"},
        });
        Object::pack(Key::new(kind, "edge", "web-1"), &document)
    }

    fn keeps(labels: &str, fields: &str) -> bool {
        let object = pod(&json!({"app": "web", "tier": "edge"}));
        Selection::parse(object.key.kind, "", Some(labels), Some(fields))
            .unwrap()
            .keeps(&object)
    }

    #[test]
    fn label_selectors_of_every_form() {
        assert!(keeps("app=web,tier", ""));
        assert!(keeps("app==web", ""));
        assert!(keeps("app in (web, api),tier notin (core)", ""));
        assert!(keeps("!zone,zone!=a", ""));
        assert!(!keeps("app=api", ""));
        assert!(!keeps("zone", ""));
        assert!(!keeps("app notin (web)", ""));
    }

    #[test]
    fn field_selectors_of_pods() {
        assert!(keeps("", "metadata.name=web-1,status.phase==Running"));
        assert!(keeps("", "spec.nodeName!=node-2"));
        assert!(!keeps("", "metadata.namespace=core"));
    }

    #[test]
    fn an_unknown_field_is_refused_by_name() {
        let kind = KindSet::bare().by_kind("v1", "ConfigMap").unwrap();
        let error = Selection::parse(kind, "", None, Some("data.level=info")).unwrap_err();
        assert_eq!(error.code, 400);
        assert!(
            error
                .message
                .starts_with("\"data.level\" is not a known field selector")
        );
    }
}

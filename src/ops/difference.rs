//! Which fields differ between two looks at one object, as readable paths: the server's own account of what a change would do.

use serde_json::{Map, Value};

use super::content::{content, is_secret};
use crate::domain::{Change, Safe};

/// Keys by which list entries are told apart, in this order.
const ENTRY_KEYS: [&str; 6] = ["name", "containerPort", "port", "mountPath", "ip", "type"];

/// Longest value shown in a summary, in characters.
const LONGEST_VALUE: usize = 40;

/// One differing field.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Difference {
    /// Readable path: `spec.template.spec.containers[name=app].image`.
    pub(super) path: String,
    /// The value before, absent when there is none.
    pub(super) before: Option<Value>,
    /// The value after, absent when there is none.
    pub(super) after: Option<Value>,
}

impl From<Change> for Difference {
    /// A change puts back what Git sets: from the live value to the desired one.
    fn from(change: Change) -> Self {
        Self {
            path: change.path,
            before: change.live,
            after: change.desired,
        }
    }
}

/// The differing fields of an object's content, in path order. Of a Secret the values below `data` are left out.
pub(super) fn between(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    walk(
        "",
        Some(&content(before)),
        Some(&content(after)),
        &mut found,
    );
    if is_secret(before) || is_secret(after) {
        for difference in &mut found {
            difference.before = difference.before.is_some().then_some(Value::Null);
            difference.after = difference.after.is_some().then_some(Value::Null);
        }
    }
    found
}

/// Changes named in a summary.
const NAMED: usize = 2;

/// Differences in one line, those of the metadata last: `spec.replicas 1→3, data.LOG_LEVEL debug→info, and 2 more`.
pub(super) fn summary(differences: &[Difference]) -> Safe {
    let mut ordered: Vec<&Difference> = differences.iter().collect();
    ordered.sort_by_key(|d| d.path.starts_with("metadata"));
    let mut parts: Vec<String> = ordered.iter().take(NAMED).map(|d| change(d)).collect();
    match differences.len().saturating_sub(NAMED) {
        0 if parts.is_empty() => return Safe::fixed("nothing"),
        0 => {}
        more => parts.push(format!("and {more} more")),
    }
    parts.join(", ").into()
}

fn change(difference: &Difference) -> String {
    let (before, after) = (
        show(difference.before.as_ref()),
        show(difference.after.as_ref()),
    );
    format!("{} {before}→{after}", difference.path)
}

fn show(value: Option<&Value>) -> String {
    let text = match value {
        None => return "∅".to_owned(),
        Some(Value::Null) => return "•••".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    if text.chars().count() > LONGEST_VALUE {
        text.chars().take(LONGEST_VALUE).chain(['…']).collect()
    } else {
        text
    }
}

fn walk(path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    match (before, after) {
        (a, b) if a == b => {}
        (Some(Value::Object(a)), Some(Value::Object(b))) => maps(path, a, b, found),
        (Some(Value::Array(a)), Some(Value::Array(b))) => lists(path, a, b, found),
        (a, b) => found.push(Difference {
            path: path.to_owned(),
            before: a.cloned(),
            after: b.cloned(),
        }),
    }
}

fn maps(path: &str, a: &Map<String, Value>, b: &Map<String, Value>, found: &mut Vec<Difference>) {
    let mut keys: Vec<&String> = a
        .keys()
        .chain(b.keys().filter(|k| !a.contains_key(*k)))
        .collect();
    keys.sort();
    for key in keys {
        let path = if path.is_empty() {
            key.clone()
        } else {
            format!("{path}.{key}")
        };
        walk(&path, a.get(key), b.get(key), found);
    }
}

fn lists(path: &str, a: &[Value], b: &[Value], found: &mut Vec<Difference>) {
    let Some(key) = ENTRY_KEYS
        .into_iter()
        .find(|key| tells_apart(a, key) && tells_apart(b, key))
    else {
        return found.push(Difference {
            path: path.to_owned(),
            before: Some(a.into()),
            after: Some(b.into()),
        });
    };
    let entry = |list: &[Value], id: &Value| list.iter().find(|e| e.get(key) == Some(id)).cloned();
    let ids = |list: &[Value]| {
        list.iter()
            .filter_map(|e| e.get(key))
            .cloned()
            .collect::<Vec<_>>()
    };
    let mut all = ids(a);
    all.extend(ids(b).into_iter().filter(|id| entry(a, id).is_none()));
    for id in all {
        let path = format!("{path}[{key}={}]", show(Some(&id)));
        walk(&path, entry(a, &id).as_ref(), entry(b, &id).as_ref(), found);
    }
}

/// Whether every entry is a map with that key and no two share its value.
fn tells_apart(list: &[Value], key: &str) -> bool {
    let mut seen = Vec::new();
    list.iter().all(|entry| match entry.get(key) {
        Some(id) if !id.is_null() && !seen.contains(&id) => {
            seen.push(id);
            true
        }
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::{live_deployment, predicted_deployment};
    use serde_json::json;

    fn paths(found: &[Difference]) -> Vec<&str> {
        found.iter().map(|d| d.path.as_str()).collect()
    }

    #[test]
    fn a_scale_is_one_field_and_bookkeeping_is_none() {
        let found = between(&live_deployment(), &predicted_deployment());
        assert_eq!(paths(&found), ["spec.replicas"]);
        assert_eq!(summary(&found).as_str(), "spec.replicas 1→3");
    }

    #[test]
    fn list_entries_are_told_apart_by_name() {
        let live = live_deployment();
        let mut other = live.clone();
        other["spec"]["template"]["spec"]["containers"][0]["image"] =
            json!("registry.example/edge-microservice:1.5.0");
        assert_eq!(
            paths(&between(&live, &other)),
            ["spec.template.spec.containers[name=app].image"]
        );
    }

    #[test]
    fn added_and_removed_fields_say_so() {
        let live = live_deployment();
        let mut other = live.clone();
        other["metadata"]["labels"] = json!({"team": "edge"});
        let found = between(&live, &other);
        assert_eq!(
            summary(&found).as_str(),
            r#"metadata.labels ∅→{"team":"edge"}"#
        );
        assert_eq!(
            summary(&between(&other, &live)).as_str(),
            r#"metadata.labels {"team":"edge"}→∅"#
        );
    }

    #[test]
    fn values_of_a_secret_are_left_out() {
        let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": value}});
        let found = between(&secret("aHVudGVyMg=="), &secret("b3RoZXI="));
        assert_eq!(summary(&found).as_str(), "data.password •••→•••");
        assert!(!format!("{found:?}").contains("aHVu"));
    }

    #[test]
    fn many_differences_are_counted() {
        let found = between(
            &json!({"data": {"a": 1, "b": 2, "c": 3}}),
            &json!({"data": {"a": 2, "b": 3, "c": 4}}),
        );
        assert_eq!(
            summary(&found).as_str(),
            "data.a 1→2, data.b 2→3, and 1 more"
        );
        assert_eq!(summary(&[]).as_str(), "nothing");
    }

    #[test]
    fn lists_without_a_key_differ_as_a_whole() {
        let found = between(&json!({"args": ["a", "b"]}), &json!({"args": ["b", "a"]}));
        assert_eq!(paths(&found), ["args"]);
    }
}

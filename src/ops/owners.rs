//! Field owners out of `metadata.managedFields`: who loses fields when a change is forced, and who wrote last.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::Loser;
use super::content::text;
use crate::domain::Safe;

/// Manager, operation, subresource: what the server keeps apart.
type Key<'a> = (&'a str, &'a str, &'a str);

struct Entry {
    time: Option<Timestamp>,
    fields: BTreeSet<String>,
}

/// The managers that own fields before and no longer do after, as the server's dry run shows them. The engine's own
/// manager is none of them.
pub(super) fn losers(before: &Value, after: &Value, own: &str) -> Vec<Loser> {
    let after = entries(after);
    let lost = entries(before)
        .into_iter()
        .filter(|((manager, ..), _)| *manager != own)
        .filter_map(|(key, was)| {
            let still = after.get(&key).map(|e| &e.fields);
            let fields: Vec<Safe> = was
                .fields
                .iter()
                .filter(|f| still.is_none_or(|s| !s.contains(*f)))
                .map(|f| Safe::new(f))
                .collect();
            (!fields.is_empty()).then(|| Loser {
                manager: key.0.into(),
                operation: key.1.into(),
                time: was.time,
                fields,
            })
        });
    lost.collect()
}

/// Who wrote the object last, in words: `kubectl-edit (Update) at 2026-11-21T01:33:10Z`. Writers of the status only are passed over.
pub(super) fn last_writer(object: &Value) -> Option<Safe> {
    let entries = managed(object).filter(|e| text(e, "/subresource") != "status");
    let newest = entries.max_by_key(|e| text(e, "/time"))?;
    let (manager, operation, time) = (
        text(newest, "/manager"),
        text(newest, "/operation"),
        text(newest, "/time"),
    );
    Some(format!("{manager} ({operation}) at {time}").into())
}

fn managed(object: &Value) -> impl Iterator<Item = &Value> {
    object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn entries(object: &Value) -> BTreeMap<Key<'_>, Entry> {
    let mut entries = BTreeMap::new();
    for entry in managed(object) {
        let mut fields = BTreeSet::new();
        if let Some(owned) = entry.get("fieldsV1") {
            leaves("", owned, &mut fields);
        }
        let key = (
            text(entry, "/manager"),
            text(entry, "/operation"),
            text(entry, "/subresource"),
        );
        entries.insert(
            key,
            Entry {
                time: text(entry, "/time").parse().ok(),
                fields,
            },
        );
    }
    entries
}

/// The owned fields of a `fieldsV1` set: those without children. `.` stands for the entry that holds it.
fn leaves(path: &str, set: &Value, found: &mut BTreeSet<String>) {
    let Some(children) = set.as_object() else {
        return;
    };
    for (key, below) in children.iter().filter(|(key, _)| *key != ".") {
        let path = step(path, key);
        if below.as_object().is_none_or(serde_json::Map::is_empty) {
            found.insert(path);
        } else {
            leaves(&path, below, found);
        }
    }
}

/// One step of a path: `f:spec`, `k:{"name":"app"}`, `v:"finalizer"`, `i:0`.
fn step(path: &str, key: &str) -> String {
    match key.split_once(':') {
        Some(("f", field)) if path.is_empty() => field.to_owned(),
        Some(("f", field)) => format!("{path}.{field}"),
        Some(("k", keys)) => format!("{path}[{}]", entry_key(keys)),
        Some((_, value)) => format!("{path}[{value}]"),
        None => format!("{path}.{key}"),
    }
}

/// `{"containerPort":80,"protocol":"TCP"}` as `containerPort=80,protocol=TCP`.
fn entry_key(keys: &str) -> String {
    let Ok(Value::Object(keys)) = serde_json::from_str(keys) else {
        return keys.to_owned();
    };
    let pairs = keys.iter().map(|(key, value)| match value {
        Value::String(text) => format!("{key}={text}"),
        other => format!("{key}={other}"),
    });
    pairs.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::{live_deployment, predicted_deployment};
    use serde_json::json;

    fn managed_by(entries: &Value) -> Value {
        json!({"metadata": {"managedFields": entries}})
    }

    #[test]
    fn a_manager_whose_only_field_is_taken_loses_it() {
        let losers = losers(
            &live_deployment(),
            &predicted_deployment(),
            "argocd-controller",
        );
        assert_eq!(
            losers.len(),
            1,
            "the engine and the status writer lose nothing that counts: {losers:?}"
        );
        assert_eq!(losers[0].manager.as_str(), "kubectl-scale");
        assert_eq!(losers[0].operation.as_str(), "Update");
        assert_eq!(losers[0].fields, [Safe::fixed("spec.replicas")]);
        assert_eq!(
            losers[0].time,
            Some("2026-11-21T01:33:10Z".parse().unwrap())
        );
    }

    #[test]
    fn a_manager_that_keeps_some_fields_loses_only_the_others() {
        let edit = |fields: Value| {
            managed_by(
                &json!([{"manager": "kubectl-edit", "operation": "Update", "fieldsV1": fields}]),
            )
        };
        let before = edit(
            json!({"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}}}}}}, "f:metadata": {"f:finalizers": {"v:\"edge/hold\"": {}}}}),
        );
        let after = edit(json!({"f:spec": {"f:replicas": {}}}));
        let lost: Vec<String> = losers(&before, &after, "argocd-controller")[0]
            .fields
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            lost,
            [
                r#"metadata.finalizers["edge/hold"]"#,
                "spec.template.spec.containers[name=app].image"
            ]
        );
    }

    #[test]
    fn nobody_loses_when_nothing_is_taken() {
        assert!(losers(&live_deployment(), &live_deployment(), "").is_empty());
        assert!(losers(&json!({}), &json!({}), "").is_empty());
    }

    #[test]
    fn the_last_writer_is_not_the_one_of_the_status() {
        assert_eq!(
            last_writer(&live_deployment()).unwrap().as_str(),
            "kubectl-scale (Update) at 2026-11-21T01:33:10Z"
        );
        assert_eq!(last_writer(&json!({})), None);
    }

    #[test]
    fn a_hostile_manager_name_is_made_visible() {
        let object = managed_by(
            &json!([{"manager": "a\u{1b}[31m", "operation": "Update", "time": "2026-11-21T01:33:10Z"}]),
        );
        assert!(last_writer(&object).unwrap().as_str().starts_with("a␛[31m"));
    }

    #[test]
    fn several_keys_of_an_entry_are_shown() {
        assert_eq!(
            step("ports", r#"k:{"containerPort":80,"protocol":"TCP"}"#),
            "ports[containerPort=80,protocol=TCP]"
        );
        assert_eq!(step("args", "i:0"), "args[0]");
    }
}

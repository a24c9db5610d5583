//! Comparing an Application's manifests with what its cluster holds: the sync status of every resource, and their health together.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::compare::differs;
use super::desired::{TRACKING, Tracker};
use super::health;
use crate::domain::Health;
use crate::sim::store::{Key, Object, Store};
use crate::sim::world::json::{list, text};

/// What a comparison found.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Comparison {
    /// Entries of `status.resources`.
    pub(crate) resources: Vec<Value>,
    /// Health of the whole.
    pub(crate) health: Health,
    /// Images in use, sorted.
    pub(crate) images: Vec<String>,
}

impl Comparison {
    pub(crate) fn is_synced(&self) -> bool {
        self.resources
            .iter()
            .all(|r| text(r, "/status") == "Synced")
    }

    /// The resources that differ or are missing, as an operation names them.
    pub(crate) fn out_of_sync(&self) -> Vec<Value> {
        let wanted = |r: &&Value| text(r, "/status") == "OutOfSync";
        let named = |r: &Value| {
            let mut named = json!({"kind": r["kind"], "name": r["name"]});
            for member in ["group", "namespace"] {
                if let Some(value) = r.get(member) {
                    named[member] = value.clone();
                }
            }
            named
        };
        self.resources.iter().filter(wanted).map(named).collect()
    }

    /// Whether nothing is out of sync but what a prune would take away.
    pub(crate) fn only_prunes(&self) -> bool {
        self.resources
            .iter()
            .filter(|r| text(r, "/status") == "OutOfSync")
            .all(|r| r.get("requiresPruning").is_some())
    }
}

/// Compares. `known` are the resources the status named before: what left Git is looked for among their kinds.
pub(crate) fn compare(
    store: &Store,
    tracker: Tracker<'_>,
    manifests: &[Value],
    known: &[Value],
) -> Comparison {
    let targets: Vec<(Key, Value)> = manifests
        .iter()
        .filter_map(|m| tracker.place(store, m))
        .collect();
    let lives: Vec<Option<Value>> = targets.iter().map(|(key, _)| store.read(key)).collect();
    let mut resources: Vec<Value> = targets
        .iter()
        .zip(&lives)
        .map(|((key, wanted), live)| {
            let differs = live.as_ref().is_none_or(|live| differs(wanted, live));
            resource(key, if differs { "OutOfSync" } else { "Synced" })
        })
        .collect();
    for object in extras(store, tracker, &targets, known) {
        let mut entry = resource(&object.key, "OutOfSync");
        entry["requiresPruning"] = json!(true);
        resources.push(entry);
    }
    resources.sort_by_cached_key(sort_key);
    Comparison {
        resources,
        health: health::roll_up(lives.iter().map(Option::as_ref)),
        images: images(lives.iter().flatten()),
    }
}

/// Live objects that carry this application's tracking id for themselves and are not wanted (any more).
pub(crate) fn extras(
    store: &Store,
    tracker: Tracker<'_>,
    targets: &[(Key, Value)],
    known: &[Value],
) -> Vec<Arc<Object>> {
    let kinds: BTreeSet<(String, String)> = targets
        .iter()
        .map(|(key, _)| (key.kind.api_version(), key.kind.kind.to_owned()))
        .chain(known.iter().map(kind_of))
        .collect();
    kinds
        .iter()
        .filter_map(|(api_version, kind)| store.kind(api_version, kind))
        .flat_map(|kind| store.all(kind, None))
        .filter(|object| targets.iter().all(|(key, _)| *key != object.key))
        .filter(|object| {
            let document = object.value();
            let id = document["metadata"]["annotations"].get(TRACKING);
            id.and_then(Value::as_str) == Some(tracker.id(&object.key).as_str())
        })
        .collect()
}

fn kind_of(resource: &Value) -> (String, String) {
    let (group, version) = (text(resource, "/group"), text(resource, "/version"));
    let api_version = if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    };
    (api_version, text(resource, "/kind").to_owned())
}

fn resource(key: &Key, status: &str) -> Value {
    let mut entry = json!({"version": key.kind.version, "kind": key.kind.kind, "name": &*key.name, "status": status});
    if !key.kind.group.is_empty() {
        entry["group"] = key.kind.group.into();
    }
    if !key.namespace.is_empty() {
        entry["namespace"] = (*key.namespace).into();
    }
    entry
}

fn sort_key(resource: &Value) -> (String, String, String, String) {
    let word = |pointer| text(resource, pointer).to_owned();
    (
        word("/group"),
        word("/kind"),
        word("/namespace"),
        word("/name"),
    )
}

fn images<'a>(lives: impl Iterator<Item = &'a Value>) -> Vec<String> {
    let images: BTreeSet<String> = lives
        .flat_map(|live| list(live, "/spec/template/spec/containers"))
        .map(|container| text(container, "/image").to_owned())
        .collect();
    images.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::store::{KindSet, StoreOptions, WriteOptions};

    const TRACKER: Tracker<'_> = Tracker {
        app: "ingress-oslo-001",
        namespace: "default",
    };

    fn store() -> Store {
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        Store::new(StoreOptions::new(KindSet::bare(), 1, now))
    }

    fn config(name: &str, value: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})
    }

    fn put(store: &Store, document: &Value) {
        let (_, document) = TRACKER.place(store, document).unwrap();
        let options = WriteOptions::new("test", "2026-11-21T02:00:00Z".parse().unwrap());
        store.create(document, &options).unwrap();
    }

    #[test]
    fn equal_different_missing_and_extra_are_told_apart() {
        let store = store();
        put(&store, &config("same", "1"));
        put(&store, &config("other", "live"));
        put(&store, &config("extra", "1"));
        let wanted = [
            config("same", "1"),
            config("other", "git"),
            config("gone", "1"),
        ];
        let comparison = compare(&store, TRACKER, &wanted, &[]);
        let found: Vec<(&str, &str, bool)> = comparison
            .resources
            .iter()
            .map(|r| {
                let prune = r.get("requiresPruning").is_some();
                (text(r, "/name"), text(r, "/status"), prune)
            })
            .collect();
        assert_eq!(
            found,
            [
                ("extra", "OutOfSync", true),
                ("gone", "OutOfSync", false),
                ("other", "OutOfSync", false),
                ("same", "Synced", false),
            ]
        );
        assert!(!comparison.is_synced() && !comparison.only_prunes());
    }

    #[test]
    fn a_copied_object_that_names_another_is_not_extra() {
        let store = store();
        let mut copy = TRACKER.place(&store, &config("original", "1")).unwrap().1;
        copy["metadata"]["name"] = json!("copy");
        let options = WriteOptions::new("test", "2026-11-21T02:00:00Z".parse().unwrap());
        store.create(copy, &options).unwrap();
        let known = [json!({"version": "v1", "kind": "ConfigMap", "name": "original"})];
        assert!(compare(&store, TRACKER, &[], &known).resources.is_empty());
    }

    #[test]
    fn what_left_git_is_found_by_the_kinds_the_status_knew() {
        let store = store();
        put(&store, &config("left", "1"));
        let known =
            [json!({"version": "v1", "kind": "ConfigMap", "namespace": "default", "name": "left"})];
        let comparison = compare(&store, TRACKER, &[], &known);
        assert!(comparison.only_prunes() && !comparison.is_synced());
        assert_eq!(
            comparison.out_of_sync(),
            [json!({"kind": "ConfigMap", "namespace": "default", "name": "left"})]
        );
    }
}

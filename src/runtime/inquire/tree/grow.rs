//! From objects and their owners to a tree, in the order in which it is read.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::ObjectRef;

/// Deepest branch that is followed.
const DEEPEST: usize = 16;

/// What of an object's metadata makes a tree.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) namespace: String,
    uid: String,
    owner_references: Vec<Owner>,
    creation_timestamp: Option<Timestamp>,
}

#[derive(Clone, Debug, Deserialize)]
struct Owner {
    uid: String,
}

impl Metadata {
    /// Whether it hangs under anything.
    pub(super) fn is_owned(&self) -> bool {
        !self.owner_references.is_empty()
    }
}

/// One object.
#[derive(Clone, Debug)]
pub(super) struct Leaf {
    /// Which.
    pub(super) object: ObjectRef,
    /// When it was made.
    pub(super) created: Option<Timestamp>,
    uid: String,
    owners: Vec<String>,
}

impl Leaf {
    pub(super) fn new(object: ObjectRef, metadata: Metadata) -> Self {
        Self {
            object,
            created: metadata.creation_timestamp,
            uid: metadata.uid,
            owners: metadata
                .owner_references
                .into_iter()
                .map(|o| o.uid)
                .collect(),
        }
    }

    /// Of a whole object.
    pub(super) fn of(object: ObjectRef, body: &Value) -> Self {
        let metadata = body.get("metadata").cloned().unwrap_or_default();
        Self::new(object, serde_json::from_value(metadata).unwrap_or_default())
    }
}

/// An object at its place in the tree.
#[derive(Clone, Debug)]
pub(super) struct Grown {
    /// How many owners are above it.
    pub(super) depth: usize,
    /// The object.
    pub(super) leaf: Leaf,
    /// Whether anything hangs under it.
    pub(super) bears: bool,
}

/// The trees under these roots, each owner before what it owns. An object is shown once, however many own it.
pub(super) fn grow(roots: Vec<Leaf>, leaves: Vec<Leaf>) -> Vec<Grown> {
    let mut below: HashMap<String, Vec<Leaf>> = HashMap::new();
    for leaf in leaves {
        for owner in &leaf.owners {
            below.entry(owner.clone()).or_default().push(leaf.clone());
        }
    }
    // From the end, because the last of a list is taken first.
    for children in below.values_mut() {
        children.sort_by_cached_key(|leaf| std::cmp::Reverse(order(leaf)));
    }
    let mut open: Vec<(usize, Leaf)> = roots.into_iter().rev().map(|leaf| (0, leaf)).collect();
    let (mut seen, mut grown) = (HashSet::new(), Vec::new());
    while let Some((depth, leaf)) = open.pop() {
        if !seen.insert(leaf.uid.clone()) {
            continue;
        }
        let children = below.remove(&leaf.uid).unwrap_or_default();
        let bears = !children.is_empty();
        if depth < DEEPEST {
            open.extend(children.into_iter().map(|child| (depth + 1, child)));
        }
        grown.push(Grown { depth, leaf, bears });
    }
    grown
}

/// By kind, the newest first, then by name.
fn order(leaf: &Leaf) -> (String, std::cmp::Reverse<Option<Timestamp>>, String) {
    (
        leaf.object.gvk.kind.to_string(),
        std::cmp::Reverse(leaf.created),
        leaf.object.name.to_string(),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::Gvk;

    fn leaf(kind: &str, name: &str, owners: &[&str], minute: u32) -> Leaf {
        let owners: Vec<Value> = owners.iter().map(|o| json!({"uid": o})).collect();
        let body = json!({"metadata": {
            "uid": name, "ownerReferences": owners, "creationTimestamp": format!("2026-11-21T02:{minute:02}:00Z"),
        }});
        Leaf::of(
            ObjectRef::new(Gvk::new("", "v1", kind), "edge", name),
            &body,
        )
    }

    fn lines(grown: &[Grown]) -> Vec<String> {
        let line = |g: &Grown| format!("{} {}", g.depth, g.leaf.object.name);
        grown.iter().map(line).collect()
    }

    #[test]
    fn owners_stand_before_what_they_own_and_the_newest_first() {
        let leaves = vec![
            leaf("Pod", "web-b", &["new"], 6),
            leaf("ReplicaSet", "old", &["web"], 1),
            leaf("Pod", "web-a", &["new"], 6),
            leaf("ReplicaSet", "new", &["web"], 5),
            leaf("Pod", "stranger", &["other"], 7),
        ];
        let grown = grow(vec![leaf("Deployment", "web", &[], 0)], leaves);
        assert_eq!(
            lines(&grown),
            ["0 web", "1 new", "2 web-a", "2 web-b", "1 old"]
        );
        assert!(grown[1].bears && !grown[4].bears);
    }

    #[test]
    fn objects_that_own_each_other_end() {
        let leaves = vec![leaf("A", "a", &["b"], 0), leaf("B", "b", &["a"], 0)];
        let root = leaf("A", "a", &["b"], 0);
        assert_eq!(lines(&grow(vec![root], leaves)), ["0 a", "1 b"]);
    }

    #[test]
    fn an_object_of_two_owners_is_shown_once() {
        let leaves = vec![leaf("Pod", "shared", &["a", "b"], 0)];
        let roots = vec![leaf("Job", "a", &[], 0), leaf("Job", "b", &[], 0)];
        assert_eq!(lines(&grow(roots, leaves)), ["0 a", "1 shared", "0 b"]);
    }
}

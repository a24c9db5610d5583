//! How Argo CD puts one object into a cluster: server-side apply when asked to, else the way of `kubectl apply`.

use serde_json::{Map, Value, json};

use crate::sim::store::{ApiStatus, Key, Patch};
use crate::sim::world::cluster::Pen;
use crate::sim::world::json::text;

const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Applies a document; answers what the sync result says of it.
pub(crate) fn apply(
    pen: Pen<'_>,
    key: &Key,
    document: &Value,
    server_side: bool,
) -> Result<String, ApiStatus> {
    let what = resource_name(key);
    if server_side {
        pen.apply(document.clone())?;
        return Ok(format!("{what} serverside-applied"));
    }
    let document = with_last_applied(document);
    let Some(live) = pen.store.get(key) else {
        pen.create(document)?;
        return Ok(format!("{what} created"));
    };
    let patch = three_way(&live.value(), document);
    let patch = if key.kind.custom {
        Patch::Merge(patch)
    } else {
        Patch::Strategic(patch)
    };
    let written = pen.patch(key, &patch)?;
    let word = if written.object.resource_version == live.resource_version {
        "unchanged"
    } else {
        "configured"
    };
    Ok(format!("{what} {word}"))
}

/// `deployment.apps/ingress`, as kubectl names an object.
pub(crate) fn resource_name(key: &Key) -> String {
    let (singular, group) = (key.kind.singular, key.kind.group);
    if group.is_empty() {
        format!("{singular}/{}", key.name)
    } else {
        format!("{singular}.{group}/{}", key.name)
    }
}

fn with_last_applied(document: &Value) -> Value {
    let mut document = document.clone();
    // Serialising a Value cannot fail: its keys are strings.
    let applied = serde_json::to_string(&document).unwrap_or_default() + "\n";
    let patch = json!({"metadata": {"annotations": {(LAST_APPLIED): applied}}});
    json_patch::merge(&mut document, &patch);
    document
}

/// The document as a patch, with nulls for what was applied last time and no longer is.
fn three_way(live: &Value, document: Value) -> Value {
    let annotations = &live["metadata"]["annotations"];
    let last: Value = serde_json::from_str(text(annotations, &pointer(LAST_APPLIED)))
        .unwrap_or_else(|_| json!({}));
    let mut patch = document;
    retire(&last, &mut patch);
    patch
}

/// A JSON pointer to a member of this name.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn retire(last: &Value, patch: &mut Value) {
    let (Some(last), Some(patch)) = (last.as_object(), patch.as_object_mut()) else {
        return;
    };
    let gone: Map<String, Value> = last
        .keys()
        .filter(|name| !patch.contains_key(*name))
        .map(|name| (name.clone(), Value::Null))
        .collect();
    for (name, value) in patch.iter_mut() {
        if let Some(last) = last.get(name) {
            retire(last, value);
        }
    }
    patch.extend(gone);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_applied_is_taken_away() {
        let old = json!({"data": {"a": "1", "b": "2"}});
        let applied = serde_json::to_string(&old).unwrap();
        let live = json!({"metadata": {"annotations": {(LAST_APPLIED): applied}}, "data": {"a": "1", "b": "2", "c": "by hand"}});
        let patch = three_way(&live, json!({"data": {"a": "9"}}));
        assert_eq!(patch, json!({"data": {"a": "9", "b": null}}));
    }

    #[test]
    fn without_the_annotation_nothing_is_taken_away() {
        let patch = three_way(&json!({"data": {"x": "1"}}), json!({"data": {"a": "1"}}));
        assert_eq!(patch, json!({"data": {"a": "1"}}));
    }
}

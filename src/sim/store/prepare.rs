//! What the server does to a document before it stores it: name, identity, generation, and the parts a request may not touch.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::reading::empty;
use super::state::State;
use super::value::{at, child, members, put, text};
use super::{ApiStatus, Cause, Key, Kind, KindRef, Subresource};

/// Built-in kinds whose strategy counts generations; custom kinds always do.
const COUNTED: &[&str] = &[
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "CronJob",
    "Job",
    "Ingress",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Pod",
    "CustomResourceDefinition",
];

/// Finds where a new object goes: its namespace must be there, its name given or made.
pub(crate) fn name(
    state: &mut State,
    kind: KindRef,
    document: &mut Value,
) -> Result<Key, ApiStatus> {
    let suffix = state.next_uid();
    let metadata = child(document, "metadata");
    let prefix = metadata.get("generateName").and_then(Value::as_str);
    if let (None, Some(prefix)) = (metadata.get("name"), prefix) {
        let suffix: String = suffix.chars().take(5).collect();
        metadata.insert("name".to_owned(), format!("{prefix}{suffix}").into());
    }
    if kind.namespaced {
        metadata
            .entry("namespace")
            .or_insert_with(|| "default".into());
    } else {
        metadata.remove("namespace");
    }
    let metadata = &document["metadata"];
    let key = Key::new(kind, text(metadata, "namespace"), text(metadata, "name"));
    if key.name.is_empty() {
        let cause = Cause::required("metadata.name", "name or generateName is required");
        return Err(ApiStatus::invalid(kind, "", &[cause]));
    }
    if kind.namespaced {
        require_namespace(state, &key)?;
    }
    Ok(key)
}

fn require_namespace(state: &State, key: &Key) -> Result<(), ApiStatus> {
    let Some(kind) = state.kinds.by_kind("v1", "Namespace") else {
        return Ok(());
    };
    let namespace = state
        .get(&Key::new(kind, "", &key.namespace))
        .ok_or_else(|| ApiStatus::not_found(kind, &key.namespace))?;
    if at(&namespace.value(), &["metadata", "deletionTimestamp"]).is_some() {
        let why = format!(
            "unable to create new content in namespace {} because it is being terminated",
            key.namespace
        );
        return Err(ApiStatus::forbidden(key.kind, &key.name, &why));
    }
    Ok(())
}

/// Sets uid and creation time where there are none.
pub(crate) fn fill_identity(state: &mut State, document: &mut Value, now: Timestamp) {
    let uid = state.next_uid();
    let metadata = child(document, "metadata");
    metadata.entry("uid").or_insert_with(|| uid.into());
    metadata
        .entry("creationTimestamp")
        .or_insert_with(|| stamp(now));
}

/// A time as the API writes it: whole seconds, UTC.
pub(crate) fn stamp(now: Timestamp) -> Value {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into()
}

/// Fills in what a new object gets and takes away what a request may not set.
pub(crate) fn for_create(state: &mut State, key: &Key, document: &mut Value, now: Timestamp) {
    let metadata = child(document, "metadata");
    for name in [
        "uid",
        "creationTimestamp",
        "resourceVersion",
        "deletionTimestamp",
        "generation",
        "selfLink",
    ] {
        metadata.remove(name);
    }
    fill_identity(state, document, now);
    if counts_generation(key.kind) {
        child(document, "metadata").insert("generation".to_owned(), json!(1));
    }
    if key.kind.status && key.kind.custom {
        members(document).remove("status");
    } else if key.kind.status {
        // What the server itself says of a new object comes after this.
        let nothing = empty(key.kind).get("status").cloned();
        put(members(document), "status", nothing);
    }
}

/// 409 (or, for a patch, 422) unless the uid and resource version in the new document, when given, are those of the stored one.
pub(crate) fn check_preconditions(
    key: &Key,
    old: &Value,
    new: &Value,
    whole: bool,
) -> Result<(), ApiStatus> {
    let of = |document: &Value, field| {
        let found = at(document, &["metadata", field]).and_then(Value::as_str);
        found.unwrap_or("").to_owned()
    };
    let (uid, stored) = (of(new, "uid"), of(old, "uid"));
    if !uid.is_empty() && uid != stored {
        if !whole {
            return Err(ApiStatus::foreign_uid(key.kind, &key.name, &uid));
        }
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}/{}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {stored}",
            key.kind.plural, key.namespace, key.name
        );
        return Err(ApiStatus::conflict(key.kind, &key.name, &why));
    }
    let version = of(new, "resourceVersion");
    if !version.is_empty() && version != of(old, "resourceVersion") {
        return Err(ApiStatus::stale(key.kind, &key.name));
    }
    Ok(())
}

/// Puts back what this door of the object does not change, and counts the generation.
pub(crate) fn for_update(key: &Key, old: &Value, new: &mut Value, door: Subresource) {
    if door == Subresource::Status {
        let status = new.get("status").cloned();
        let fields = at(new, &["metadata", "managedFields"]).cloned();
        *new = old.clone();
        put(members(new), "status", status);
        put(child(new, "metadata"), "managedFields", fields);
    } else if key.kind.status {
        put(members(new), "status", old.get("status").cloned());
    }
    let metadata = child(new, "metadata");
    for name in [
        "name",
        "namespace",
        "uid",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "resourceVersion",
        "generation",
        "selfLink",
    ] {
        put(metadata, name, at(old, &["metadata", name]).cloned());
    }
}

/// Counts a change of what the generation counts.
pub(crate) fn count_generation(kind: &Kind, old: &Value, new: &mut Value) {
    if counts_generation(kind) && content(kind, old) != content(kind, new) {
        let generation = at(old, &["metadata", "generation"]).and_then(Value::as_i64);
        let next = generation.unwrap_or(0) + 1;
        child(new, "metadata").insert("generation".to_owned(), next.into());
    }
}

fn counts_generation(kind: &Kind) -> bool {
    kind.custom || COUNTED.contains(&kind.kind)
}

/// What the generation counts changes of: the spec; for a custom kind everything but metadata and, if it has the subresource, status.
fn content(kind: &Kind, document: &Value) -> Vec<(String, Value)> {
    let counted = |name: &str| {
        if kind.custom {
            name != "metadata" && !(kind.status && name == "status")
        } else {
            name == "spec"
        }
    };
    let members = document.as_object().into_iter().flatten();
    members
        .filter(|(name, _)| counted(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Finalizers whose controllers are part of the simulation and done at once.
const BUILT_IN: [&str; 3] = [
    "foregroundDeletion",
    "orphan",
    "kubernetes.io/pvc-protection",
];

/// Whether an object that waits for its finalizers has none left.
pub(crate) fn is_released(document: &Value) -> bool {
    at(document, &["metadata", "deletionTimestamp"]).is_some() && !has_finalizers(document)
}

/// Whether anybody else must do something before the object may go.
pub(crate) fn has_finalizers(document: &Value) -> bool {
    let list = at(document, &["metadata", "finalizers"]).and_then(Value::as_array);
    let mut names = list.into_iter().flatten().filter_map(Value::as_str);
    names.any(|name| !BUILT_IN.contains(&name))
}

//! Deleting: preconditions, finalizers, what a namespace holds and what an object owns.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::prepare::{has_finalizers, stamp};
use super::state::State;
use super::value::{child, text};
use super::{ApiStatus, DeleteOptions, Key, Object, Propagation, Store, WriteOptions, admit};

/// What a delete led to.
#[derive(Clone, Debug)]
pub enum Deleted {
    /// The object is gone; this was its last state.
    Gone(Arc<Object>),
    /// The object waits for its finalizers.
    Waiting(Arc<Object>),
}

impl Store {
    /// Deletes an object, then what it held or owned.
    ///
    /// # Errors
    /// 404, and 409 when a precondition does not hold.
    pub fn delete(&self, key: &Key, options: &DeleteOptions) -> Result<Deleted, ApiStatus> {
        let deleted = delete(&mut self.writing(), key, options);
        self.announce();
        deleted
    }
}

fn delete(state: &mut State, key: &Key, options: &DeleteOptions) -> Result<Deleted, ApiStatus> {
    let existing = state
        .get(key)
        .ok_or_else(|| ApiStatus::not_found(key.kind, &key.name))?;
    check(&existing, options)?;
    let mut document = existing.value();
    if options.dry_run {
        return Ok(Deleted::Gone(existing));
    }
    if has_finalizers(&document) {
        let metadata = child(&mut document, "metadata");
        if metadata.contains_key("deletionTimestamp") {
            return Ok(Deleted::Waiting(existing));
        }
        metadata.insert("deletionTimestamp".to_owned(), stamp(options.now));
        metadata.insert("deletionGracePeriodSeconds".to_owned(), json!(0));
        if let Some(generation) = metadata.get("generation").and_then(Value::as_i64) {
            metadata.insert("generation".to_owned(), json!(generation + 1));
        }
        if options.propagation == Propagation::Foreground
            && let Some(Value::Array(finalizers)) = metadata.get_mut("finalizers")
        {
            finalizers.push("foregroundDeletion".into());
        }
        return Ok(Deleted::Waiting(state.commit(key.clone(), document)));
    }
    if key.kind.kind == "Namespace" {
        empty_namespace(state, &key.name, options);
    }
    let gone = state.remove(key).unwrap_or(existing);
    admit::uninstalled(state, &document);
    if options.propagation != Propagation::Orphan {
        delete_dependants(state, &gone, options.now);
    }
    Ok(Deleted::Gone(gone))
}

/// Lets an object go that waited for its finalizers; `last` is its last state.
pub(crate) fn release(
    state: &mut State,
    key: &Key,
    last: Value,
    options: &WriteOptions,
) -> Option<Arc<Object>> {
    let gone = state.remove_as(key, last)?;
    admit::uninstalled(state, &gone.value());
    delete_dependants(state, &gone, options.now);
    Some(gone)
}

fn check(existing: &Object, options: &DeleteOptions) -> Result<(), ApiStatus> {
    let key = &existing.key;
    if let Some(uid) = options.uid.as_ref().filter(|uid| **uid != *existing.uid) {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({}). The object might have been deleted and then recreated",
            existing.uid
        );
        return Err(ApiStatus::precondition(key.kind, &key.name, &why));
    }
    let current = existing.resource_version.to_string();
    if let Some(asked) = options.resource_version.as_ref().filter(|v| **v != current) {
        let why = format!(
            "the ResourceVersion in the precondition ({asked}) does not match the ResourceVersion in record ({current}). The object might have been modified"
        );
        return Err(ApiStatus::precondition(key.kind, &key.name, &why));
    }
    Ok(())
}

fn empty_namespace(state: &mut State, namespace: &str, options: &DeleteOptions) {
    let held: Vec<Key> = state
        .everything()
        .filter(|o| *o.key.namespace == *namespace)
        .map(|o| o.key.clone())
        .collect();
    delete_each(state, &held, options.now);
}

/// Deletes what names the object as its owner, as the garbage collector would a moment later.
fn delete_dependants(state: &mut State, owner: &Object, now: Timestamp) {
    let dependants: Vec<Key> = state
        .everything()
        .filter(|o| o.key.namespace == owner.key.namespace)
        .filter(|o| is_owned(o, &owner.uid))
        .map(|o| o.key.clone())
        .collect();
    delete_each(state, &dependants, now);
}

fn delete_each(state: &mut State, keys: &[Key], now: Timestamp) {
    let each = DeleteOptions::new(now);
    for key in keys {
        // One may have gone as a dependant of another.
        let _ = delete(state, key, &each);
    }
}

fn is_owned(object: &Object, uid: &str) -> bool {
    // Most objects have no owner; looking for the uid in the bytes spares reading them.
    let mentioned = object
        .bare()
        .windows(uid.len().max(1))
        .any(|w| w == uid.as_bytes());
    mentioned
        && object.value()["metadata"]["ownerReferences"]
            .as_array()
            .is_some_and(|owners: &Vec<Value>| owners.iter().any(|o| text(o, "uid") == uid))
}

//! Server-side apply: the configuration is laid over the live document, what the manager no longer wants goes, conflicts stop it.

use serde_json::Value;

use super::compare::{compare, field_set};
use super::conflict::{beyond, conflicts, status};
use super::managers::Managers;
use super::merge::{merge, remove};
use super::ownership::{Author, track, unmanaged, unowned_fields};
use super::set::FieldSet;
use crate::sim::schema::Type;
use crate::sim::store::ApiStatus;
use crate::sim::store::value::at;

/// Where client-side apply keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// One apply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ApplyRequest<'a> {
    /// The live document; the kind's empty one when there is none.
    pub(crate) live: &'a Value,
    /// Whether the object exists.
    pub(crate) exists: bool,
    /// What is applied.
    pub(crate) config: &'a Value,
    /// The same as it was sent, before it got its name and namespace from the URL.
    pub(crate) sent: &'a Value,
    /// The kind's type.
    pub(crate) ty: &'a Type,
    /// The kind's empty document.
    pub(crate) empty: &'a Value,
    /// Whether conflicts are overridden.
    pub(crate) force: bool,
    /// Who applies.
    pub(crate) author: Author<'a>,
}

/// The document and its owners after an apply.
///
/// # Errors
/// 409 that names the fields others own.
pub(crate) fn apply(request: &ApplyRequest<'_>) -> Result<(Value, Managers), ApiStatus> {
    let live = unmanaged(request.live);
    let mut managers = Managers::of(request.live);
    if request.exists && managers.is_empty() {
        let before = Author {
            manager: "before-first-apply",
            ..request.author
        };
        managers = track(managers, request.empty, request.live, request.ty, &before);
    }
    let (mut document, managers) = match settle(request, &live, managers.clone(), request.force) {
        Err(found) if !request.force && request.author.manager == "kubectl" => {
            let excused = fields_of_last_applied(&live, request.ty);
            let left = beyond(found, &excused.unwrap_or_default());
            if !left.is_empty() {
                return Err(status(&left));
            }
            settle(request, &live, managers, true)
        }
        other => other,
    }
    .map_err(|found| status(&found))?;
    if request.author.manager == "kubectl" {
        renew_last_applied(&mut document, request.sent);
    }
    Ok((document, managers))
}

/// Merges, prunes and shares out the fields; `Err` lists the conflicts.
fn settle(
    request: &ApplyRequest<'_>,
    live: &Value,
    mut managers: Managers,
    force: bool,
) -> Result<(Value, Managers), Vec<super::conflict::Conflict>> {
    let ty = request.ty;
    let applier = request.author.entry(true);
    let last = managers.find(&applier).map(|e| e.fields.clone());
    let set = request.author.writable(field_set(request.config, ty));
    let merged = merge(Some(live), Some(request.config), ty);
    let mut with_mine = managers.clone();
    with_mine.set(applier.clone(), set.clone(), request.author.now);
    let merged = match &last {
        Some(last) => prune(&merged, last, &with_mine.everything(), ty),
        None => merged,
    };
    let comparison = request.author.comparison(live, &merged, ty);
    let changed = comparison.changed();
    let found = conflicts(&managers, &applier, &changed);
    if !force && !found.is_empty() {
        return Err(found);
    }
    for entry in managers.0.iter_mut().filter(|e| !e.manager.is(&applier)) {
        let left = entry.fields.difference(&changed);
        entry.fields = left.difference(&comparison.removed);
    }
    managers.drop_empty();
    let mine = unowned_fields(&set);
    if *live != merged || last.as_ref() != Some(&mine) {
        managers.set(applier, mine, request.author.now);
    }
    Ok((merged, managers))
}

/// Takes out what the manager applied last time, no longer applies, and nobody else owns.
fn prune(merged: &Value, last: &FieldSet, owned: &FieldSet, ty: &Type) -> Value {
    let last = last.with_named_fields(ty);
    let all = field_set(merged, ty).with_named_fields(ty);
    let pruned = remove(merged, &last, ty);
    // Removing an element takes along what lies in it: what anybody owns comes back.
    let left = field_set(&pruned, ty).with_named_fields(ty);
    let owned = owned.with_named_fields(ty);
    let pruned = remove(merged, &all.difference(&left.union(&owned)), ty);
    // What this manager never owned was not its to remove.
    let left = field_set(&pruned, ty).with_named_fields(ty);
    remove(merged, &all.difference(&left).intersection(&last), ty)
}

fn last_applied(document: &Value) -> Option<&str> {
    at(document, &["metadata", "annotations", LAST_APPLIED])?.as_str()
}

/// The fields that client-side apply set and that still have its values: kubectl may take them over without force.
fn fields_of_last_applied(live: &Value, ty: &Type) -> Option<FieldSet> {
    let applied: Value = serde_json::from_str(last_applied(live)?).ok()?;
    let differing = compare(&applied, live, ty);
    let set = field_set(&applied, ty);
    Some(
        set.difference(&differing.changed())
            .difference(&differing.removed),
    )
}

/// Keeps the annotation of client-side apply in step, where there is one.
fn renew_last_applied(document: &mut Value, config: &Value) {
    if last_applied(document).is_none_or(str::is_empty) {
        return;
    }
    let mut applied = config.clone();
    let notes = applied.pointer_mut("/metadata/annotations");
    if let Some(notes) = notes.and_then(Value::as_object_mut) {
        notes.remove(LAST_APPLIED);
    }
    let notes = document.pointer_mut("/metadata/annotations");
    if let Some(notes) = notes.and_then(Value::as_object_mut) {
        notes.insert(LAST_APPLIED.to_owned(), format!("{applied}\n").into());
    }
}

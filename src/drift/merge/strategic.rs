//! Strategic merge patches: lists merged by key, directives for order, removal and replacement.
//!
//! Semantics: apimachinery's `strategicpatch`. A patch from two or three versions is made by [`two_way`] and [`three_way`], and put onto
//! an object by [`apply`].

mod apply;
mod conflict;
mod diff;
mod order;

use serde_json::{Map, Value};

use super::{MergeError, PatchSchema};
use crate::drift::schema::PatchRule;
use apply::Application;
use diff::Wanted;

/// `$patch: delete | replace | merge`.
const DIRECTIVE: &str = "$patch";
/// `$retainKeys: [..]`: all other keys go.
const RETAIN_KEYS: &str = "$retainKeys";
/// `$deleteFromPrimitiveList/NAME: [..]`.
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
/// `$setElementOrder/NAME: [..]`.
const ORDER: &str = "$setElementOrder";

type Object = Map<String, Value>;

/// The patch that brings `original` to `modified`.
pub fn two_way<S: PatchSchema>(
    original: &Value,
    modified: &Value,
    schema: S,
) -> Result<Value, MergeError> {
    let patch = diff::maps(object(original), object(modified), schema, Wanted::ALL)?;
    Ok(Value::Object(patch))
}

/// The patch that brings `current` to `modified`, and removes what `original` had and `modified` dropped.
///
/// # Errors
/// [`MergeError::Conflict`] when `current` changed the same fields differently and `overwrite` is false.
pub fn three_way<S: PatchSchema>(
    original: &Value,
    modified: &Value,
    current: &Value,
    schema: S,
    overwrite: bool,
) -> Result<Value, MergeError> {
    let delta = diff::maps(object(current), object(modified), schema, Wanted::ADDITIONS)?;
    let deletions = diff::maps(
        object(original),
        object(modified),
        schema,
        Wanted::DELETIONS,
    )?;
    let patch = apply::maps(deletions, delta, schema, Application::PatchOnPatch)?;
    if !overwrite {
        let changed = diff::maps(object(original), object(current), schema, Wanted::UNORDERED)?;
        if conflict::between(&patch, &changed, schema)? {
            return Err(MergeError::Conflict);
        }
    }
    Ok(Value::Object(patch))
}

/// Applies a patch to an object.
pub fn apply<S: PatchSchema>(
    document: &Value,
    patch: &Value,
    schema: S,
) -> Result<Value, MergeError> {
    let result = apply::maps(
        object(document).clone(),
        object(patch).clone(),
        schema,
        Application::ToObject,
    )?;
    Ok(Value::Object(result))
}

/// Sorts every list that merges, so that objects compare whatever the order of such lists.
pub fn sort_lists<S: PatchSchema>(document: &Value, schema: S) -> Result<Value, MergeError> {
    order::sort_document(object(document), schema).map(Value::Object)
}

/// A missing document is an empty one.
fn object(value: &Value) -> &Object {
    static EMPTY: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Map::new);
    value.as_object().unwrap_or(&EMPTY)
}

/// What the elements of merged lists are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ElementKind {
    Maps,
    Scalars,
}

/// The common type of the elements of several lists; `None` when all are empty.
fn element_kind(lists: &[&[Value]]) -> Result<Option<ElementKind>, MergeError> {
    let mut first: Option<std::mem::Discriminant<Value>> = None;
    let mut kind = None;
    for item in lists.iter().copied().flatten() {
        if item.is_array() || first.is_some_and(|f| f != std::mem::discriminant(item)) {
            return Err(MergeError::MixedList);
        }
        first = Some(std::mem::discriminant(item));
        kind = Some(if item.is_object() {
            ElementKind::Maps
        } else {
            ElementKind::Scalars
        });
    }
    Ok(kind)
}

/// The field's rule and the schema below it.
fn lookup<S: PatchSchema>(schema: S, field: &str) -> Result<(PatchRule, S), MergeError> {
    schema
        .lookup(field)
        .ok_or_else(|| MergeError::UnknownField(field.to_owned()))
}

/// The value of the merge key of an element.
fn key_of<'v>(item: &'v Value, key: &str) -> Result<&'v Value, MergeError> {
    item.get(key)
        .ok_or_else(|| MergeError::NoMergeKey(key.to_owned()))
}

/// How Go prints a scalar; the order of merged lists is the order of these texts.
fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "<nil>".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;

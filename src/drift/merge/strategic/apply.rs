//! Putting a patch onto an object, or onto another patch.

use serde_json::Value;

use super::order::{deduplicated, interleave, partition, position, sort_by_order};
use super::{
    DELETE_FROM, DIRECTIVE, ElementKind, MergeError, ORDER, Object, PatchSchema, RETAIN_KEYS,
    element_kind, key_of, lookup,
};
use crate::drift::schema::PatchRule;

/// What a patch is put onto.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Application {
    /// An object: directives are carried out.
    ToObject,
    /// Another patch: directives and nulls are kept for later.
    PatchOnPatch,
}

/// Merges a patch into a map.
pub(super) fn maps<S: PatchSchema>(
    mut original: Object,
    mut patch: Object,
    schema: S,
    mode: Application,
) -> Result<Object, MergeError> {
    match patch.get(DIRECTIVE).and_then(Value::as_str) {
        None if patch.contains_key(DIRECTIVE) => return Err(bad(DIRECTIVE)),
        None => {}
        Some("replace") => {
            patch.remove(DIRECTIVE);
            return Ok(patch);
        }
        Some("delete") => return Ok(Object::new()),
        Some(other) => return Err(bad(other)),
    }
    apply_retain_keys(&mut original, &mut patch, mode)?;
    apply_orders(&mut original, &mut patch, schema, mode)?;
    for (key, value) in patch {
        apply_field(&mut original, key, value, schema, mode)?;
    }
    Ok(original)
}

fn bad(directive: &str) -> MergeError {
    MergeError::BadDirective(directive.to_owned())
}

fn apply_field<S: PatchSchema>(
    original: &mut Object,
    key: String,
    value: Value,
    schema: S,
    mode: Application,
) -> Result<(), MergeError> {
    if key.starts_with(DELETE_FROM) {
        return apply_deletions(original, key, value, schema, mode);
    }
    if value.is_null() {
        original.remove(&key);
        if mode == Application::PatchOnPatch {
            original.insert(key, Value::Null);
        }
        return Ok(());
    }
    match (original.remove(&key), value) {
        (Some(Value::Object(old)), Value::Object(new)) => {
            let (rule, below) = lookup(schema, &key)?;
            let merged = if rule.replace {
                new
            } else {
                maps(old, new, below, mode)?
            };
            original.insert(key, Value::Object(merged));
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            let (rule, below) = lookup(schema, &key)?;
            original.insert(key, Value::Array(field_list(old, new, below, rule, mode)?));
        }
        (_, value) => {
            if let Some(value) = cleaned(value, mode) {
                original.insert(key, value);
            }
        }
    }
    Ok(())
}

/// A value that replaces what was there: without directives and, on an object, without nulls.
fn cleaned(mut value: Value, mode: Application) -> Option<Value> {
    if mode == Application::ToObject {
        drop_nulls(&mut value);
    }
    without_directives(value)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.retain(|_, inner| !inner.is_null());
            map.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// The value without elements that carry a directive; `None` when it carries one itself.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Object(map) if map.contains_key(DIRECTIVE) => None,
        Value::Object(map) => Some(
            map.into_iter()
                .filter_map(|(key, inner)| Some((key, without_directives(inner)?)))
                .collect(),
        ),
        Value::Array(items) => Some(items.into_iter().filter_map(without_directives).collect()),
        other => Some(other),
    }
}

fn apply_deletions<S: PatchSchema>(
    original: &mut Object,
    directive: String,
    value: Value,
    schema: S,
    mode: Application,
) -> Result<(), MergeError> {
    if mode == Application::PatchOnPatch {
        original.insert(directive, value);
        return Ok(());
    }
    let field = name_behind(&directive)?;
    lookup(schema, field)?;
    if let (Some(Value::Array(items)), Value::Array(deleted)) = (original.get_mut(field), value) {
        items.retain(|item| !deleted.contains(item));
    }
    Ok(())
}

/// `args` of `$deleteFromPrimitiveList/args`.
fn name_behind(directive: &str) -> Result<&str, MergeError> {
    directive
        .split_once('/')
        .map(|(_, name)| name)
        .ok_or_else(|| bad(directive))
}

/// Clears what the patch does not retain; between patches the directive itself is handed on.
fn apply_retain_keys(
    original: &mut Object,
    patch: &mut Object,
    mode: Application,
) -> Result<(), MergeError> {
    let Some(directive) = patch.remove(RETAIN_KEYS) else {
        return Ok(());
    };
    if mode == Application::PatchOnPatch {
        return match original.get(RETAIN_KEYS) {
            Some(own) if *own != directive => Err(bad(RETAIN_KEYS)),
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS.to_owned(), directive);
                Ok(())
            }
        };
    }
    let kept = directive.as_array().ok_or_else(|| bad(RETAIN_KEYS))?;
    let keeps = |key: &str| kept.iter().any(|k| k.as_str() == Some(key));
    let foreign = patch.iter().any(|(key, value)| {
        !value.is_null() && !key.starts_with(DELETE_FROM) && !key.starts_with(ORDER) && !keeps(key)
    });
    if foreign {
        return Err(bad(RETAIN_KEYS));
    }
    original.retain(|key, _| keeps(key));
    Ok(())
}

/// Carries out `$setElementOrder`, or hands it on between patches, together with the lists it is about.
fn apply_orders<S: PatchSchema>(
    original: &mut Object,
    patch: &mut Object,
    schema: S,
    mode: Application,
) -> Result<(), MergeError> {
    let directives: Vec<String> = patch
        .keys()
        .filter(|key| key.starts_with(ORDER))
        .cloned()
        .collect();
    for directive in directives {
        let order = patch.remove(&directive).unwrap_or_default();
        if mode == Application::PatchOnPatch {
            match original.get(&directive) {
                Some(own) if *own != order => return Err(bad(&directive)),
                _ => {
                    original.insert(directive.clone(), order.clone());
                }
            }
        }
        let Value::Array(order) = order else {
            return Err(bad(&directive));
        };
        apply_order(
            original,
            patch,
            name_behind(&directive)?,
            &order,
            schema,
            mode,
        )?;
    }
    Ok(())
}

fn apply_order<S: PatchSchema>(
    original: &mut Object,
    patch: &mut Object,
    field: &str,
    order: &[Value],
    schema: S,
    mode: Application,
) -> Result<(), MergeError> {
    let (rule, below) = lookup(schema, field)?;
    let (own, patched) = (list_of(original, field)?, list_of(patch, field)?);
    check_order(
        patched.as_deref().unwrap_or_default(),
        order,
        rule.merge_key,
    )?;
    let live = live_order(
        own.as_deref().unwrap_or_default(),
        patched.as_deref().unwrap_or_default(),
        rule.merge_key,
    );
    let merged = match (own, patched) {
        (None, None) => return Ok(()),
        (Some(own), None) => own,
        (None, Some(patched)) => patched.into_iter().filter_map(without_directives).collect(),
        (Some(own), Some(patched)) => field_list(own, patched, below, rule, mode)?,
    };
    for item in merged.iter().filter(|_| rule.merge_key.is_some()) {
        key_of(item, rule.merge_key.unwrap_or_default())?;
    }
    let (mut named, mut servers) = partition(merged, order, rule.merge_key);
    sort_by_order(&mut named, order, rule.merge_key);
    sort_by_order(&mut servers, &live, rule.merge_key);
    let both = interleave(servers, named, &live, rule.merge_key);
    original.insert(field.to_owned(), Value::Array(both));
    patch.remove(field);
    Ok(())
}

/// The live order that server-only elements are placed by. The API server's code edits the live list in its storage, so a deleted element
/// gives its room to the first appended one, which then counts as live: clients see that order, and so it is part of the rule.
fn live_order(own: &[Value], patched: &[Value], key: Option<&str>) -> Vec<Value> {
    let deleted = |item: &Value| {
        let named = |p: &&Value| key.is_some_and(|key| p.get(key) == item.get(key));
        patched
            .iter()
            .filter(named)
            .any(|p| p.get(DIRECTIVE).and_then(Value::as_str) == Some("delete"))
    };
    let kept = own.iter().filter(|item| !deleted(item));
    let appended = patched
        .iter()
        .filter(|p| p.get(DIRECTIVE).is_none() && position(own, p, key).is_none());
    kept.chain(appended).take(own.len()).cloned().collect()
}

fn list_of(object: &Object, field: &str) -> Result<Option<Vec<Value>>, MergeError> {
    match object.get(field) {
        None => Ok(None),
        Some(Value::Array(items)) => Ok(Some(items.clone())),
        Some(_) => Err(MergeError::MixedList),
    }
}

/// The patch's elements must stand in the order's order, and all of them in it.
fn check_order(patched: &[Value], order: &[Value], key: Option<&str>) -> Result<(), MergeError> {
    if order.is_empty() {
        return Ok(());
    }
    let mut from = 0;
    for item in patched.iter().filter(|item| item.get(DIRECTIVE).is_none()) {
        let rest = order.get(from..).unwrap_or_default();
        match position(rest, item, key) {
            Some(at) => from += at + 1,
            None => return Err(bad(ORDER)),
        }
    }
    Ok(())
}

/// A list field's new value: merged or replaced, as its rule says.
fn field_list<S: PatchSchema>(
    original: Vec<Value>,
    patch: Vec<Value>,
    schema: S,
    rule: PatchRule,
    mode: Application,
) -> Result<Vec<Value>, MergeError> {
    if !rule.merge {
        return Ok(patch);
    }
    let live = original.clone();
    let named = patch.clone();
    let merged = match element_kind(&[&original, &patch])? {
        None => return Ok(original),
        Some(ElementKind::Scalars) => deduplicated(original.into_iter().chain(patch).collect()),
        Some(ElementKind::Maps) => {
            let key = rule
                .merge_key
                .ok_or_else(|| MergeError::NoMergeKey(String::new()))?;
            let (original, patch) = special_elements(original, patch, key)?;
            elements(original, patch, key, schema, mode)?
        }
    };
    let key = rule.merge_key;
    let (mut patched, mut servers) = partition(merged, &named, key);
    sort_by_order(&mut patched, &named, key);
    sort_by_order(&mut servers, &live, key);
    Ok(interleave(servers, patched, &live, key))
}

/// Carries out elements that are directives, and takes them out of the patch.
fn special_elements(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), MergeError> {
    let mut plain = Vec::with_capacity(patch.len());
    let mut replaces = false;
    for item in patch {
        match item.get(DIRECTIVE) {
            None => plain.push(item),
            Some(Value::String(directive)) if directive == "delete" => {
                let deleted = key_of(&item, key)?;
                original.retain(|other| other.get(key) != Some(deleted));
            }
            Some(Value::String(directive)) if directive == "replace" => replaces = true,
            Some(other) => return Err(bad(&super::printed(other))),
        }
    }
    if replaces {
        return Ok((plain, Vec::new()));
    }
    Ok((original, plain))
}

fn elements<S: PatchSchema>(
    mut original: Vec<Value>,
    patch: Vec<Value>,
    key: &str,
    schema: S,
    mode: Application,
) -> Result<Vec<Value>, MergeError> {
    for item in patch {
        let wanted = key_of(&item, key)?.clone();
        let found = original
            .iter_mut()
            .find(|other| other.get(key) == Some(&wanted));
        match (found, item) {
            (Some(slot), Value::Object(item)) => {
                let before = super::object(slot).clone();
                *slot = Value::Object(maps(before, item, schema, mode)?);
            }
            (_, item) => original.push(item),
        }
    }
    Ok(original)
}

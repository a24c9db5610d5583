//! Documents and sets of fields: which fields a document has, two documents merged, a document without some of its fields.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::schema::By;
use super::set::{field_step, key_step, value_step};
use super::{FieldSet, Schema};
use crate::drift::merge::MergeError;

/// An element and the step that leads to it.
type Element<'v> = (String, &'v Value);

/// Every field of a document, as the API server would count them as owned.
///
/// # Errors
/// A field that the schema lacks, a list element without its keys, or two elements with the same keys.
pub fn fields_of(document: &Value, schema: Schema<'_>) -> Result<FieldSet, MergeError> {
    let mut set = FieldSet::default();
    collect(document, schema, &mut Vec::new(), &mut set)?;
    Ok(set)
}

fn collect(
    value: &Value,
    schema: Schema<'_>,
    path: &mut Vec<String>,
    set: &mut FieldSet,
) -> Result<(), MergeError> {
    match value {
        Value::Object(map) if !schema.is_atomic() && !map.is_empty() => {
            for (name, inner) in map {
                if schema.lacks(name) {
                    return Err(MergeError::UnknownField(name.clone()));
                }
                path.push(field_step(name));
                if !schema.names(name) {
                    set.insert(path);
                }
                collect(inner, schema.field(name), path, set)?;
                path.pop();
            }
        }
        Value::Array(items) if !items.is_empty() && schema.list() != By::Atomic => {
            for (step, item) in elements(items, schema)? {
                path.push(step);
                set.insert(path);
                collect(item, schema.item(), path, set)?;
                path.pop();
            }
        }
        _ => set.insert(path),
    }
    Ok(())
}

/// The elements of a list with the steps that lead to them.
fn elements<'v>(items: &'v [Value], schema: Schema<'_>) -> Result<Vec<Element<'v>>, MergeError> {
    let mut seen = HashSet::new();
    let mut found = Vec::with_capacity(items.len());
    for item in items {
        let step = match schema.list() {
            By::Set => value_step(item),
            By::Keyed(keys) => keyed_step(item, &keys, schema.item())?,
            By::Atomic => format!("i:{}", found.len()),
        };
        if !seen.insert(step.clone()) {
            return Err(MergeError::SameKeys(step));
        }
        found.push((step, item));
    }
    Ok(found)
}

fn keyed_step(item: &Value, keys: &[&str], schema: Schema<'_>) -> Result<String, MergeError> {
    let stated = keys.iter().filter_map(|key| {
        let value = item.get(*key).filter(|v| !v.is_null()).cloned();
        Some((*key, value.or_else(|| schema.default_of(key))?))
    });
    let stated: Vec<(&str, Value)> = stated.collect();
    if stated.is_empty() {
        return Err(MergeError::NoMergeKey(keys.join(",")));
    }
    Ok(key_step(stated))
}

/// A document with another laid over it.
///
/// # Errors
/// As [`fields_of`].
pub fn merge(under: &Value, over: &Value, schema: Schema<'_>) -> Result<Value, MergeError> {
    match (under, over) {
        (Value::Object(own), Value::Object(new)) if !schema.is_atomic() => {
            let mut merged = own.clone();
            for (name, value) in new {
                let value = match own.get(name) {
                    Some(under) => merge(under, value, schema.field(name))?,
                    None => value.clone(),
                };
                merged.insert(name.clone(), value);
            }
            Ok(Value::Object(merged))
        }
        (Value::Array(own), Value::Array(new)) if schema.list() != By::Atomic => {
            merge_lists(own, new, schema)
        }
        _ => Ok(over.clone()),
    }
}

/// Both lists in one: shared elements stand in the upper list's order, elements of the lower one alone keep their neighbours.
fn merge_lists(own: &[Value], new: &[Value], schema: Schema<'_>) -> Result<Value, MergeError> {
    let (own, new) = (elements(own, schema)?, elements(new, schema)?);
    let under: HashMap<&str, &Value> = own.iter().map(|(s, v)| (s.as_str(), *v)).collect();
    let over: HashSet<&str> = new.iter().map(|(s, _)| s.as_str()).collect();
    let mut placed: HashSet<&str> = HashSet::new();
    let mut merged = Vec::with_capacity(own.len() + new.len());
    let mut coming = new.iter();
    let place = |(step, value): &Element<'_>| match under.get(step.as_str()) {
        Some(under) => merge(under, value, schema.item()),
        None => Ok((*value).clone()),
    };
    for (step, value) in &own {
        if !over.contains(step.as_str()) {
            merged.push((*value).clone());
            continue;
        }
        while !placed.contains(step.as_str()) {
            let Some(next) = coming.next() else { break };
            placed.insert(&next.0);
            merged.push(place(next)?);
        }
    }
    for next in coming {
        merged.push(place(next)?);
    }
    Ok(Value::Array(merged))
}

/// A document without the fields of a set and all below them. What is left empty becomes null, as on the API server.
pub fn without(document: &Value, gone: &FieldSet, schema: Schema<'_>) -> Value {
    match document {
        _ if gone.is_empty() => document.clone(),
        Value::Object(map) => {
            let mut kept = Map::new();
            for (name, value) in map {
                let step = field_step(name);
                if gone.has(&step) {
                    continue;
                }
                let value = match gone.below(&step) {
                    Some(gone) => without(value, gone, schema.field(name)),
                    None => value.clone(),
                };
                kept.insert(name.clone(), value);
            }
            null_when_empty(Value::Object(kept), map.is_empty())
        }
        Value::Array(items) => {
            let Ok(elements) = elements(items, schema) else {
                return document.clone();
            };
            let kept = elements.into_iter().filter(|(step, _)| !gone.has(step));
            let kept: Vec<Value> = kept
                .map(|(step, item)| match gone.below(&step) {
                    Some(gone) => without(item, gone, schema.item()),
                    None => item.clone(),
                })
                .collect();
            null_when_empty(Value::Array(kept), items.is_empty())
        }
        scalar => scalar.clone(),
    }
}

fn null_when_empty(value: Value, was_empty: bool) -> Value {
    let empty = match &value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => false,
    };
    if empty && !was_empty {
        Value::Null
    } else {
        value
    }
}

/// The fields among `of` whose values differ between two documents.
pub(super) fn changed(a: &Value, b: &Value, schema: Schema<'_>, of: &FieldSet) -> FieldSet {
    let mut found = FieldSet::default();
    differ(Some(a), Some(b), schema, &mut Vec::new(), &mut found);
    found.intersection(of)
}

fn differ(
    a: Option<&Value>,
    b: Option<&Value>,
    schema: Schema<'_>,
    path: &mut Vec<String>,
    found: &mut FieldSet,
) {
    match (a, b) {
        (Some(Value::Object(own)), Some(Value::Object(other))) if !schema.is_atomic() => {
            for (name, value) in own {
                path.push(field_step(name));
                differ(
                    Some(value),
                    other.get(name),
                    schema.field(name),
                    path,
                    found,
                );
                path.pop();
            }
        }
        (Some(Value::Array(own)), Some(Value::Array(other))) if schema.list() != By::Atomic => {
            let (Ok(own), Ok(other)) = (elements(own, schema), elements(other, schema)) else {
                return;
            };
            let other: HashMap<String, &Value> = other.into_iter().collect();
            for (step, value) in own {
                let twin = other.get(&step).copied();
                path.push(step);
                differ(Some(value), twin, schema.item(), path, found);
                path.pop();
            }
        }
        (Some(a), Some(b)) if a != b => found.insert(path),
        _ => {}
    }
}

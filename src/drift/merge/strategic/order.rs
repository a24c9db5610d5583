//! The order of merged lists.

use serde_json::Value;

use super::{
    DELETE_FROM, DIRECTIVE, ElementKind, MergeError, ORDER, Object, PatchSchema, RETAIN_KEYS,
    element_kind, lookup, object, printed,
};

/// Scalars in the order of their printed texts.
pub(super) fn sorted_scalars(items: &[Value]) -> Vec<Value> {
    let mut sorted = items.to_vec();
    sorted.sort_by_key(printed);
    sorted
}

/// Elements in the order of their keys' printed texts.
pub(super) fn sorted_by_key<'v>(items: &'v [Value], key: &str) -> Vec<&'v Value> {
    let mut sorted: Vec<&Value> = items.iter().collect();
    sorted.sort_by_key(|item| item.get(key).map(printed).unwrap_or_default());
    sorted
}

/// Each value once; a repeated one gives its place to the last value, as the API server does it.
pub(super) fn deduplicated(mut items: Vec<Value>) -> Vec<Value> {
    let mut i = 0;
    while i < items.len() {
        let mut j = i + 1;
        while j < items.len() {
            if items.get(i) == items.get(j) {
                items.swap_remove(j);
            } else {
                j += 1;
            }
        }
        i += 1;
    }
    items
}

/// Where an element stands in a list: by its key, or by its value.
pub(super) fn position(list: &[Value], item: &Value, key: Option<&str>) -> Option<usize> {
    let identity = |v: &Value| match key {
        Some(key) => v.get(key).cloned(),
        None => Some(v.clone()),
    };
    let wanted = identity(item);
    list.iter().position(|other| identity(other) == wanted)
}

/// Sorts a list by the order in which another names its elements; elements to delete go last.
pub(super) fn sort_by_order(items: &mut Vec<Value>, order: &[Value], key: Option<&str>) {
    let (deleted, mut kept): (Vec<Value>, Vec<Value>) = items
        .drain(..)
        .partition(|v| key.is_some() && v.get(DIRECTIVE).and_then(Value::as_str) == Some("delete"));
    kept.sort_by_key(|item| position(order, item, key).unwrap_or(usize::MAX));
    kept.extend(deleted);
    *items = kept;
}

/// Puts the server's own elements among the patch's, keeping both orders and the live order between them.
pub(super) fn interleave(
    own: Vec<Value>,
    patched: Vec<Value>,
    live: &[Value],
    key: Option<&str>,
) -> Vec<Value> {
    let mut merged = Vec::with_capacity(own.len() + patched.len());
    let mut own = own.into_iter().peekable();
    for item in patched {
        while let Some(next) = own.peek() {
            let before = match (position(live, next, key), position(live, &item, key)) {
                (Some(a), Some(b)) => a < b,
                _ => false,
            };
            if !before {
                break;
            }
            merged.extend(own.next());
        }
        merged.push(item);
    }
    merged.extend(own);
    merged
}

/// Splits a merged list into the elements that another names and those that only the server has.
pub(super) fn partition(
    merged: Vec<Value>,
    named: &[Value],
    key: Option<&str>,
) -> (Vec<Value>, Vec<Value>) {
    merged
        .into_iter()
        .partition(|item| position(named, item, key).is_some())
}

/// The document with all merged lists sorted.
pub(super) fn sort_document<S: PatchSchema>(
    document: &Object,
    schema: S,
) -> Result<Object, MergeError> {
    let mut sorted = Object::new();
    for (key, value) in document {
        sorted.insert(key.clone(), sort_field(key, value, schema)?);
    }
    Ok(sorted)
}

fn sort_field<S: PatchSchema>(key: &str, value: &Value, schema: S) -> Result<Value, MergeError> {
    if key == RETAIN_KEYS || key.starts_with(DELETE_FROM) {
        return Ok(value
            .as_array()
            .map_or_else(|| value.clone(), |l| Value::Array(sorted_scalars(l))));
    }
    if key == DIRECTIVE || key.starts_with(ORDER) {
        return Ok(value.clone());
    }
    match value {
        Value::Object(inner) => sort_document(inner, lookup(schema, key)?.1).map(Value::Object),
        Value::Array(items) => {
            let (rule, below) = lookup(schema, key)?;
            if rule.merge {
                sort_list(items, below, rule.merge_key.unwrap_or_default()).map(Value::Array)
            } else {
                Ok(value.clone())
            }
        }
        other => Ok(other.clone()),
    }
}

fn sort_list<S: PatchSchema>(
    items: &[Value],
    schema: S,
    key: &str,
) -> Result<Vec<Value>, MergeError> {
    if element_kind(&[items])? != Some(ElementKind::Maps) {
        return Ok(sorted_scalars(&deduplicated(items.to_vec())));
    }
    let mut inner = Vec::with_capacity(items.len());
    for item in items {
        inner.push(Value::Object(sort_document(object(item), schema)?));
    }
    Ok(sorted_by_key(&inner, key).into_iter().cloned().collect())
}

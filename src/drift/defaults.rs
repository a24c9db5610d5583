//! What the API server fills in by itself for the built-in kinds.
//!
//! Fixed values stand in `defaults/fixed.txt`, one a line; values that depend on other fields are rules of their own.
//! Facts: the defaulting functions of k8s.io/kubernetes 1.36.

mod rules;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use super::quantity::Quantity;
use super::schema::{Kind, Shape, StructKind};

/// Struct name to its fixed fields and values. The name has its version, or only its group where all versions agree.
type Fixed = HashMap<&'static str, Vec<(&'static str, Value)>>;

static FIXED: LazyLock<Fixed> = LazyLock::new(|| {
    let mut table = Fixed::new();
    for line in include_str!("defaults/fixed.txt").lines() {
        let mut words = line.splitn(3, ' ');
        if let (Some(name), Some(field), Some(text)) = (words.next(), words.next(), words.next())
            && let Ok(value) = serde_json::from_str(text)
        {
            table.entry(name).or_default().push((field, value));
        }
    }
    table
});

/// Fills in the defaults of an object, all the way down; values that are there stay.
pub fn apply(object: &mut Value, shape: Shape) {
    if let (Some(map), Some(structure)) = (object.as_object_mut(), shape.structure()) {
        fill(map, structure);
    }
    match object {
        Value::Object(map) => {
            for (key, value) in map.iter_mut().filter(|(key, _)| *key != "status") {
                apply_field(value, shape.field(key));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| apply(item, shape.item())),
        _ => {}
    }
}

fn apply_field(value: &mut Value, shape: Shape) {
    if shape.map().is_some_and(|map| map.item == Kind::Quantity) {
        round_to_milli(value);
    } else {
        apply(value, shape);
    }
}

/// Resource lists are rounded up to a thousandth.
fn round_to_milli(list: &mut Value) {
    for value in list.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some((rounded, false)) = value
            .as_str()
            .and_then(Quantity::parse)
            .map(|quantity| quantity.round_up(-3))
        {
            *value = Value::String(rounded.to_string());
        }
    }
}

/// The defaults of one struct.
fn fill(map: &mut Map<String, Value>, structure: &StructKind) {
    for field in structure.fields.iter().filter(|f| f.default.is_some()) {
        if let Some(value) = field.default.and_then(|text| typed(&field.kind, text)) {
            set(map, field.name, value);
        }
    }
    for name in [structure.name.to_owned(), unversioned(structure.name)] {
        for (field, value) in FIXED.get(name.as_str()).into_iter().flatten() {
            set(map, field, value.clone());
        }
    }
    rules::fill(map, structure.name);
}

/// The schema's own default in the field's type.
fn typed(kind: &Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Text => Some(Value::String(text.to_owned())),
        Kind::Integer | Kind::Flag => serde_json::from_str(text).ok(),
        _ => None,
    }
}

/// `apps/v1.DeploymentSpec` to `apps.DeploymentSpec`.
fn unversioned(name: &str) -> String {
    let (package, kind) = name.rsplit_once('.').unwrap_or(("", name));
    let group = package.rsplit('/').nth(1).unwrap_or(package);
    format!("{group}.{kind}")
}

/// Sets a field that is absent or empty; an empty text or zero of a field without a pointer is absent to the server.
fn set(map: &mut Map<String, Value>, field: &str, value: Value) {
    let absent = match map.get(field) {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty() && value != Value::String(String::new()),
        _ => false,
    };
    if absent {
        map.insert(field.to_owned(), value);
    }
}

#[cfg(test)]
mod tests;

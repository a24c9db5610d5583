//! An object as Go writes it from its type: every field that is always written is there, empty or not.

use serde_json::{Map, Value, json};

use crate::drift::schema::{Field, Kind, Shape};

/// Adds what Go would write; values of unknown types stay as they are.
pub(super) fn as_written(value: &mut Value, shape: Shape) {
    match value {
        Value::Object(map) => {
            if let Some(structure) = shape.structure() {
                for field in &structure.fields {
                    add(map, field);
                }
            }
            for (name, inner) in map.iter_mut() {
                as_written(inner, shape.field(name));
            }
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| as_written(item, shape.item())),
        _ => {}
    }
}

/// What is a struct in Go is always written when it has no pointer, whatever its tag says; times leave themselves out.
fn add(map: &mut Map<String, Value>, field: &Field) {
    if map.contains_key(field.name) {
        return;
    }
    let inline = matches!(field.kind, Kind::Struct(_)) && !field.pointer;
    if inline {
        map.insert(field.name.to_owned(), json!({}));
    } else if field.always || is_struct_in_go(field) {
        map.insert(field.name.to_owned(), zero(field));
    }
}

fn is_struct_in_go(field: &Field) -> bool {
    !field.pointer && matches!(field.kind, Kind::IntOrString | Kind::Quantity)
}

fn zero(field: &Field) -> Value {
    match field.kind {
        _ if field.pointer => Value::Null,
        Kind::Text => json!(""),
        Kind::Flag => json!(false),
        Kind::Integer | Kind::Float | Kind::IntOrString => json!(0),
        Kind::Quantity => json!("0"),
        Kind::Duration => json!("0s"),
        _ => Value::Null,
    }
}

//! Small readings of JSON documents that every part of the store needs.

use serde_json::{Map, Value};

/// The text of a member, empty when it is absent or no text.
pub(crate) fn text<'a>(object: &'a Value, member: &str) -> &'a str {
    object.get(member).and_then(Value::as_str).unwrap_or("")
}

/// The value at a path of member names.
pub(crate) fn at<'a>(document: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(document, |v, name| v.get(name))
}

/// The members of an object, made one when the value is something else.
pub(crate) fn members(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object just above"),
    }
}

/// The members of a nested object, made when absent.
pub(crate) fn child<'a>(document: &'a mut Value, name: &str) -> &'a mut Map<String, Value> {
    members(
        members(document)
            .entry(name)
            .or_insert_with(|| Value::Object(Map::new())),
    )
}

/// Sets a member or, for `None`, removes it.
pub(crate) fn put(map: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            map.insert(name.to_owned(), value);
        }
        None => {
            map.remove(name);
        }
    }
}

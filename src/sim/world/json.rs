//! Small readings of documents that the world's controllers share.

use serde_json::Value;

/// The text at a pointer, empty when there is none.
pub(crate) fn text<'a>(document: &'a Value, pointer: &str) -> &'a str {
    document
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The whole number at a pointer, 0 when there is none.
pub(crate) fn number(document: &Value, pointer: &str) -> i64 {
    document
        .pointer(pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// Whether the flag at a pointer is set.
pub(crate) fn flag(document: &Value, pointer: &str) -> bool {
    document.pointer(pointer).and_then(Value::as_bool) == Some(true)
}

/// The list at a pointer, empty when there is none.
pub(crate) fn list<'a>(document: &'a Value, pointer: &str) -> &'a [Value] {
    document
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// A time as the API writes it: whole seconds, UTC.
pub(crate) fn stamp(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

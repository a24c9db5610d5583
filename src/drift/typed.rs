//! A value sent through the Go type of its field and back: the spelling that the API server would answer with.
//!
//! Argo CD compares objects after this round trip. Fields that are left out stay out; nothing is defaulted.

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::go_duration;
use super::quantity;
use super::scalar::{decode_base64, is_zero};
use super::schema::{Field, Kind, Shape, StructKind};

/// What to do with what the type does not know, and with zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// An unknown field fails the whole object; a zero that Go always writes stays.
    Strict,
    /// Unknown fields and zeros are dropped.
    Lenient,
}

/// Sends a value through its type; `None` when it does not fit. Values of unknown shape come back as they are.
pub fn round_trip(value: &Value, shape: Shape, strictness: Strictness) -> Option<Value> {
    let Some(kind) = shape.kind() else {
        return Some(value.clone());
    };
    if value.is_null() {
        return Some(Value::Null);
    }
    match kind {
        Kind::Struct(_) => match shape.structure() {
            Some(structure) => object(value.as_object()?, structure, shape, strictness),
            None => Some(value.clone()),
        },
        Kind::List(_) => list(value.as_array()?, shape.item(), strictness),
        Kind::Map(_) => map(value.as_object()?, shape, strictness),
        scalar => scalar_value(value, scalar),
    }
}

fn object(
    given: &Map<String, Value>,
    structure: &'static StructKind,
    shape: Shape,
    strictness: Strictness,
) -> Option<Value> {
    let mut out = Map::new();
    for (name, value) in given {
        let Some(field) = field_named(structure, name) else {
            if strictness == Strictness::Strict {
                return None;
            }
            continue;
        };
        let value = round_trip(value, shape.field(field.name), strictness)?;
        if is_written(&value, field, strictness) {
            out.insert(field.name.to_owned(), value);
        }
    }
    Some(Value::Object(out))
}

/// Go's JSON decoder takes a field's name in any case.
fn field_named(structure: &'static StructKind, name: &str) -> Option<&'static Field> {
    structure.field(name).or_else(|| {
        let mut fields = structure.fields.iter();
        fields.find(|f| f.name.eq_ignore_ascii_case(name))
    })
}

/// Whether Go writes the field: empty ones with `omitempty` are left out, structs never are.
fn is_written(value: &Value, field: &Field, strictness: Strictness) -> bool {
    if field.pointer {
        return !value.is_null();
    }
    let empty = match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(inner) => inner.is_empty() && !matches!(field.kind, Kind::Struct(_)),
        scalar => is_zero(scalar),
    };
    !empty || (field.always && strictness == Strictness::Strict)
}

fn list(items: &[Value], item: Shape, strictness: Strictness) -> Option<Value> {
    items
        .iter()
        .map(|value| match round_trip(value, item, strictness)? {
            Value::Null => Some(zero(item)),
            other => Some(other),
        })
        .collect::<Option<Vec<_>>>()
        .map(Value::Array)
}

fn map(entries: &Map<String, Value>, shape: Shape, strictness: Strictness) -> Option<Value> {
    let mut out = Map::new();
    for (key, value) in entries {
        let item = shape.field(key);
        let value = match round_trip(value, item, strictness)? {
            Value::Null => zero(item),
            other => other,
        };
        out.insert(key.clone(), value);
    }
    Some(Value::Object(out))
}

/// What Go makes of a null where there is no pointer.
fn zero(shape: Shape) -> Value {
    match shape.kind() {
        Some(Kind::Text | Kind::Bytes) => Value::String(String::new()),
        Some(Kind::Flag) => Value::Bool(false),
        Some(Kind::Integer | Kind::Float) => Value::from(0),
        Some(Kind::Struct(_)) => Value::Object(Map::new()),
        _ => Value::Null,
    }
}

fn scalar_value(value: &Value, kind: &Kind) -> Option<Value> {
    match kind {
        Kind::Text => value.is_string().then(|| value.clone()),
        Kind::Flag => value.is_boolean().then(|| value.clone()),
        Kind::Integer => (value.is_i64() || value.is_u64()).then(|| value.clone()),
        Kind::Float => value.is_number().then(|| value.clone()),
        Kind::IntOrString => (value.is_string() || value.is_i64()).then(|| value.clone()),
        Kind::Quantity => canonical_quantity(value),
        Kind::Time => {
            let time: Timestamp = value.as_str()?.parse().ok()?;
            Some(Value::String(
                time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            ))
        }
        Kind::MicroTime => {
            let time: Timestamp = value.as_str()?.parse().ok()?;
            Some(Value::String(
                time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
            ))
        }
        Kind::Duration => go_duration::canonical(value.as_str()?).map(Value::String),
        Kind::Bytes => {
            let bytes = decode_base64(value.as_str()?)?;
            Some(Value::String(
                base64::engine::general_purpose::STANDARD.encode(bytes),
            ))
        }
        Kind::Any | Kind::Struct(_) | Kind::List(_) | Kind::Map(_) => Some(value.clone()),
    }
}

/// A quantity in its canonical text; a plain number is one too.
pub(super) fn canonical_quantity(value: &Value) -> Option<Value> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    quantity::canonical(&text).map(Value::String)
}

/// The second value without what the first does not have; elements of a list that stand behind the first's end stay.
pub fn only_fields_of(pattern: &Value, value: &Value) -> Value {
    match (pattern, value) {
        (Value::Object(pattern), Value::Object(map)) => map
            .iter()
            .filter_map(|(key, inner)| {
                Some((key.clone(), only_fields_of(pattern.get(key)?, inner)))
            })
            .collect(),
        (Value::Array(pattern), Value::Array(items)) => items
            .iter()
            .enumerate()
            .map(|(i, item)| match pattern.get(i) {
                Some(known) => only_fields_of(known, item),
                None => item.clone(),
            })
            .collect(),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn strict(object: Value) -> Option<Value> {
        round_trip(&object, Shape::of_object(&object), Strictness::Strict)
    }

    #[test]
    fn spellings_become_the_servers() {
        let object = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "2026-11-20T10:00:00+02:00"}, "spec": {
            "hostNetwork": false, "nodeSelector": {}, "automountServiceAccountToken": false,
            "containers": [{"name": "a", "resources": {"limits": {"cpu": "2000m", "memory": 1024}}, "volumeMounts": [{"mountPath": "/x", "name": "v", "readOnly": false}]}]}});
        assert_eq!(
            strict(object).unwrap(),
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"creationTimestamp": "2026-11-20T08:00:00Z"}, "spec": {
                "automountServiceAccountToken": false,
                "containers": [{"name": "a", "resources": {"limits": {"cpu": "2", "memory": "1024"}}, "volumeMounts": [{"mountPath": "/x", "name": "v"}]}]}})
        );
    }

    #[test]
    fn unknown_fields_and_wrong_types_do_not_fit() {
        assert_eq!(
            strict(json!({"apiVersion": "v1", "kind": "Service", "spec": {"port": []}})),
            None
        );
        assert_eq!(
            strict(
                json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"replicas": "two"}})
            ),
            None
        );
        assert_eq!(
            strict(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": 1}})),
            None
        );
        let custom = json!({"apiVersion": "example.com/v1", "kind": "X", "spec": {"cpu": "1000m"}});
        assert_eq!(strict(custom.clone()), Some(custom));
    }

    #[test]
    fn only_the_patterns_fields_are_kept_but_a_longer_list_stays_long() {
        let kept = only_fields_of(
            &json!({"a": {"b": 0}, "l": [{"x": 0}]}),
            &json!({"a": {"b": 1, "c": 2}, "d": 3, "l": [{"x": 1, "y": 2}, {"z": 3}]}),
        );
        assert_eq!(kept, json!({"a": {"b": 1}, "l": [{"x": 1}, {"z": 3}]}));
    }
}

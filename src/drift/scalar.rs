//! When two spellings of one value are the same value, by the type that the API gives the field.

use std::str::FromStr;

use base64::Engine as _;
use jiff::Timestamp;
use serde_json::Value;

use super::schema::{Kind, Shape};
use super::{go_duration, quantity};

/// Whether both mean the same to the API server. Only fields of built-in kinds have spellings; elsewhere values must be equal.
pub(super) fn same(desired: &Value, live: &Value, shape: Shape) -> bool {
    if desired == live || same_number(desired, live) {
        return true;
    }
    match shape.kind() {
        Some(Kind::Quantity) => match (text_or_number(desired), text_or_number(live)) {
            (Some(a), Some(b)) => quantity::equal(&a, &b).unwrap_or(false),
            _ => false,
        },
        Some(Kind::Time | Kind::MicroTime) => same_parsed::<Timestamp>(desired, live),
        Some(Kind::Duration) => same_duration(desired, live),
        Some(Kind::Bytes) => same_bytes(desired, live),
        _ => false,
    }
}

/// `1` and `1.0`, however they were read.
fn same_number(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => {
            x.as_f64() == y.as_f64() && x.is_f64() != y.is_f64()
        }
        _ => false,
    }
}

fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn same_parsed<T: FromStr + PartialEq>(a: &Value, b: &Value) -> bool {
    let parse = |v: &Value| v.as_str().and_then(|t| t.parse::<T>().ok());
    matches!((parse(a), parse(b)), (Some(x), Some(y)) if x == y)
}

fn same_duration(a: &Value, b: &Value) -> bool {
    let parse = |v: &Value| v.as_str().and_then(go_duration::parse);
    matches!((parse(a), parse(b)), (Some(x), Some(y)) if x == y)
}

/// Base64 with and without line breaks.
fn same_bytes(a: &Value, b: &Value) -> bool {
    let decode = |v: &Value| v.as_str().and_then(decode_base64);
    matches!((decode(a), decode(b)), (Some(x), Some(y)) if x == y)
}

/// Base64 as Go's decoder takes it: the standard alphabet with padding, line breaks left out.
pub(crate) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    base64::engine::general_purpose::STANDARD
        .decode(joined)
        .ok()
}

/// What Go calls the zero value of a scalar.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whether the API server would drop the value: nothing is left of it when the object is written.
///
/// Empty maps and lists vanish, zeros of fields that have no pointer vanish; an empty struct behind a pointer (`emptyDir: {}`) stays,
/// and so does every scalar in a map or in a custom resource.
pub(super) fn is_void(value: &Value, shape: Shape) -> bool {
    let pointer = shape.as_field().is_some_and(|f| f.pointer);
    match value {
        Value::Null => true,
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => {
            !(pointer && shape.structure().is_some())
                && map
                    .iter()
                    .all(|(key, inner)| is_void(inner, shape.field(key)))
        }
        scalar => {
            is_unset(scalar, shape) && shape.as_field().is_some_and(|f| !f.pointer && !f.always)
        }
    }
}

/// A zero; the API server writes a zero quantity as `"0"`.
fn is_unset(scalar: &Value, shape: Shape) -> bool {
    is_zero(scalar)
        || (shape.kind() == Some(&Kind::Quantity)
            && scalar
                .as_str()
                .is_some_and(|text| quantity::equal(text, "0") == Some(true)))
}

/// Whether two values mean the same all the way down; what the server would drop equals what is absent.
pub(super) fn same_all(desired: &Value, live: &Value, shape: Shape) -> bool {
    match (desired, live) {
        (Value::Object(a), Value::Object(b)) => {
            let equal = |key: &String| match (a.get(key), b.get(key)) {
                (Some(x), Some(y)) => same_all(x, y, shape.field(key)),
                (Some(one), None) | (None, Some(one)) => is_void(one, shape.field(key)),
                (None, None) => true,
            };
            a.keys().chain(b.keys()).all(equal)
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(x, y)| same_all(x, y, shape.item()))
        }
        _ => same(desired, live, shape),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(path: &[&str]) -> Shape {
        let mut shape = Shape::of_type("core/v1.PodSpec");
        for step in path {
            shape = if *step == "[]" {
                shape.item()
            } else {
                shape.field(step)
            };
        }
        assert!(shape.is_known(), "{path:?}");
        shape
    }

    #[test]
    fn quantities_are_equal_by_value_and_only_where_the_api_has_quantities() {
        let cpu = shape(&["containers", "[]", "resources", "limits", "cpu"]);
        assert!(same(&json!("1000m"), &json!("1"), cpu));
        assert!(same(&json!(1), &json!("1"), cpu));
        assert!(!same(&json!("1G"), &json!("1Gi"), cpu));
        assert!(!same(&json!("1000m"), &json!("1"), Shape::UNKNOWN));
        let env = shape(&["containers", "[]", "env", "[]", "value"]);
        assert!(!same(&json!("1000m"), &json!("1"), env));
    }

    #[test]
    fn a_port_number_is_not_a_port_name() {
        let port = shape(&["containers", "[]", "livenessProbe", "httpGet", "port"]);
        assert!(!same(&json!("80"), &json!(80), port));
        assert!(same(&json!(80), &json!(80.0), port));
    }

    #[test]
    fn base64_is_compared_by_its_bytes() {
        let data = Shape::of_type("core/v1.Secret").field("data").field("any");
        assert!(same(&json!("aGVs\nbG8="), &json!("aGVsbG8="), data));
        assert!(!same(&json!("aGVsbG8="), &json!("aGVsbG8h"), data));
    }

    #[test]
    fn what_the_server_drops_is_void_and_what_it_keeps_is_not() {
        assert!(is_void(&json!(false), shape(&["hostNetwork"])));
        assert!(!is_void(
            &json!(false),
            shape(&["automountServiceAccountToken"])
        ));
        assert!(is_void(&json!({}), shape(&["nodeSelector"])));
        assert!(!is_void(&json!({}), shape(&["volumes", "[]", "emptyDir"])));
        assert!(is_void(
            &json!({"limits": {}, "requests": null}),
            shape(&["containers", "[]", "resources"])
        ));
        assert!(!is_void(
            &json!(""),
            Shape::of_type("core/v1.ConfigMap")
                .field("data")
                .field("EMPTY")
        ));
        assert!(!is_void(&json!(0), Shape::UNKNOWN));
        assert!(is_void(&json!([]), Shape::UNKNOWN));
        assert!(is_void(
            &json!("0"),
            Shape::of_type("core/v1.ResourceFieldSelector").field("divisor")
        ));
        assert!(!is_void(
            &json!("0"),
            shape(&["containers", "[]", "resources", "limits", "cpu"])
        ));
    }
}

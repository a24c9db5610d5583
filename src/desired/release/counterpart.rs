//! The counterpart of a secret value: of the same kind and shape, and different wherever it is looked at.
//!
//! A chart is rendered once with what a Secret gave and once with its counterpart: what differs came from the Secret, whatever the templates made
//! of it. Letters stay letters and digits digits, so that versions, quantities, addresses and encodings are still what a template takes them for.

use serde_json::{Number, Value};

/// A text or a number, changed; all else as it is.
pub(super) fn changed(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(turned(text)),
        Value::Number(number) => Value::Number(next(number)),
        other => other.clone(),
    }
}

/// A yes for a no; all else as it is.
pub(super) fn flipped(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => Value::Bool(!flag),
        other => other.clone(),
    }
}

/// Every letter and digit is another one; a text that has none becomes one that has nothing in common with it.
fn turned(text: &str) -> String {
    if text.chars().any(char::is_alphanumeric) {
        text.chars().map(other).collect()
    } else {
        text.chars().map(|_| 'x').collect()
    }
}

fn other(c: char) -> char {
    match c {
        'z' => 'a',
        'Z' => 'A',
        // No number may begin with a nought that it did not have.
        '9' => '1',
        'a'..='y' | 'A'..='Y' | '0'..='8' => char::from_u32(c as u32 + 1).unwrap_or('x'),
        c if c.is_alphanumeric() => 'x',
        c => c,
    }
}

fn next(number: &Number) -> Number {
    let whole = number.as_i64().and_then(|n| n.checked_add(1));
    let broken = || Number::from_f64(number.as_f64()? + 1.0);
    whole
        .map(Number::from)
        .or_else(broken)
        .unwrap_or_else(|| Number::from(1))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_counterpart_has_the_shape_and_nothing_else_of_the_value() {
        for (value, counterpart) in [
            (json!("hunter2"), json!("ivoufs3")),
            (json!("1.2.9"), json!("2.3.1")),
            (json!("user:Zoë@db:5432"), json!("vtfs:Apx@ec:6543")),
            (json!("***"), json!("xxx")),
            (json!(""), json!("")),
            (json!(3), json!(4)),
            (json!(1.5), json!(2.5)),
            (json!(i64::MAX), json!(9.223_372_036_854_776e18)),
            (json!(true), json!(true)),
            (Value::Null, Value::Null),
        ] {
            assert_eq!(changed(&value), counterpart, "{value}");
        }
        assert_eq!(flipped(&json!(true)), json!(false));
        assert_eq!(flipped(&json!("true")), json!("true"));
    }
}

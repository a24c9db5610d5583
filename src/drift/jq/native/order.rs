//! Kinds, order and operators of values.

use std::cmp::Ordering;

use serde_json::{Map, Value, json};

use crate::drift::jq::parse::number_value;

/// What jq calls the value.
pub(in crate::drift::jq) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The keys of a map in their order.
pub(in crate::drift::jq) fn keys(map: &Map<String, Value>) -> Vec<&String> {
    let mut keys: Vec<&String> = map.keys().collect();
    keys.sort();
    keys
}

/// jq's order: null, false, true, numbers, texts, lists, objects.
pub(in crate::drift::jq) fn compare(a: &Value, b: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(false) => 1,
        Value::Bool(true) => 2,
        Value::Number(_) => 3,
        Value::String(_) => 4,
        Value::Array(_) => 5,
        Value::Object(_) => 6,
    };
    let first = |mut all: Box<dyn Iterator<Item = Ordering> + '_>| all.find(|o| o.is_ne());
    match (a, b) {
        (Value::Number(x), Value::Number(y)) => match (x.as_i64(), y.as_i64()) {
            (Some(x), Some(y)) => x.cmp(&y),
            _ => x
                .as_f64()
                .partial_cmp(&y.as_f64())
                .unwrap_or(Ordering::Equal),
        },
        (Value::String(x), Value::String(y)) => x.cmp(y),
        (Value::Array(x), Value::Array(y)) => {
            first(Box::new(x.iter().zip(y).map(|(a, b)| compare(a, b))))
                .unwrap_or_else(|| x.len().cmp(&y.len()))
        }
        (Value::Object(x), Value::Object(y)) => {
            let (mine, theirs) = (keys(x), keys(y));
            mine.cmp(&theirs).then_with(|| {
                let values = mine.iter().map(|key| compare(&x[*key], &y[*key]));
                first(Box::new(values)).unwrap_or(Ordering::Equal)
            })
        }
        _ => rank(a).cmp(&rank(b)),
    }
}

/// The letter at a position of a text; null beyond its ends.
pub(in crate::drift::jq) fn letter(text: &str, at: f64) -> Value {
    let length = i32::try_from(text.chars().count()).unwrap_or(i32::MAX);
    let at = at.floor();
    let at = if at < 0.0 { at + f64::from(length) } else { at };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and saturates"
    )]
    let found = (at >= 0.0).then(|| text.chars().nth(at as usize)).flatten();
    found.map_or(Value::Null, |letter| json!(letter.to_string()))
}

pub(super) fn sorted(items: &[Value]) -> Vec<Value> {
    sorted_by(items, items)
}

/// The positions of a list in the order of its keys; equal ones as they stand.
fn positions(items: &[Value], keys: &[Value]) -> Vec<usize> {
    let mut positions: Vec<usize> = (0..items.len().min(keys.len())).collect();
    positions.sort_by(|a, b| match (keys.get(*a), keys.get(*b)) {
        (Some(a), Some(b)) => compare(a, b),
        _ => Ordering::Equal,
    });
    positions
}

pub(super) fn sorted_by(items: &[Value], keys: &[Value]) -> Vec<Value> {
    let positions = positions(items, keys).into_iter();
    positions.filter_map(|at| items.get(at).cloned()).collect()
}

/// Lists of the items with equal keys, in the order of the keys.
pub(super) fn grouped(items: &[Value], keys: &[Value]) -> Value {
    let mut groups: Vec<(&Value, Vec<Value>)> = Vec::new();
    for at in positions(items, keys) {
        let (Some(key), Some(item)) = (keys.get(at), items.get(at)) else {
            continue;
        };
        match groups.last_mut() {
            Some((last, group)) if compare(last, key).is_eq() => group.push(item.clone()),
            _ => groups.push((key, vec![item.clone()])),
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The item with the smallest key, or the last one with the greatest; null of nothing.
pub(super) fn extreme(items: &[Value], keys: &[Value], greatest: bool) -> Value {
    let positions = positions(items, keys);
    let at = if greatest {
        positions.last()
    } else {
        positions.first()
    };
    at.and_then(|at| items.get(*at))
        .cloned()
        .unwrap_or_default()
}

/// `-value`
pub(in crate::drift::jq) fn negated(value: &Value) -> Result<Value, Value> {
    match value.as_f64() {
        Some(number) => Ok(number_value(-number)),
        None => Err(json!(format!("{} cannot be negated", kind(value)))),
    }
}

/// What an operator costs beyond the weight of its values.
pub(in crate::drift::jq) fn cost(operator: &str, a: &Value, b: &Value) -> Option<usize> {
    match (operator, a, b) {
        ("*", Value::String(text), Value::Number(times))
        | ("*", Value::Number(times), Value::String(text)) => {
            let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
            let bytes = f64::from(length) * times.as_f64()?.max(0.0);
            // A cast of a float saturates: what costs more than can be counted is too much.
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it saturates"
            )]
            let cost = (bytes / 16.0) as usize;
            Some(cost)
        }
        ("-", Value::Array(x), Value::Array(y)) => Some(x.len().saturating_mul(y.len())),
        _ => None,
    }
}

/// An operator's result.
pub(in crate::drift::jq) fn combined(operator: &str, a: &Value, b: &Value) -> Result<Value, Value> {
    let ordering = || compare(a, b);
    Ok(Value::Bool(match operator {
        "==" => ordering().is_eq(),
        "!=" => ordering().is_ne(),
        "<" => ordering().is_lt(),
        "<=" => ordering().is_le(),
        ">" => ordering().is_gt(),
        ">=" => ordering().is_ge(),
        _ => return arithmetic(operator, a, b),
    }))
}

fn arithmetic(operator: &str, a: &Value, b: &Value) -> Result<Value, Value> {
    match (operator, a, b) {
        ("+", Value::Null, other) | ("+", other, Value::Null) => Ok(other.clone()),
        ("+", Value::String(x), Value::String(y)) => Ok(json!(format!("{x}{y}"))),
        ("+", Value::Array(x), Value::Array(y)) => Ok(x.iter().chain(y).cloned().collect()),
        ("+", Value::Object(x), Value::Object(y)) => {
            let mut all = x.clone();
            all.extend(y.clone());
            Ok(Value::Object(all))
        }
        ("-", Value::Array(x), Value::Array(y)) => {
            let kept = x
                .iter()
                .filter(|v| !y.iter().any(|w| compare(v, w).is_eq()));
            Ok(kept.cloned().collect())
        }
        ("*", Value::String(text), Value::Number(n))
        | ("*", Value::Number(n), Value::String(text)) => {
            Ok(repeated(text, n.as_f64().unwrap_or_default()))
        }
        ("*", Value::Object(x), Value::Object(y)) => Ok(Value::Object(merged(x, y))),
        ("/", Value::String(text), Value::String(by)) => Ok(super::text::split(text, by)),
        (_, Value::Number(x), Value::Number(y)) => {
            numbers(operator, (x.as_i64(), x.as_f64()), (y.as_i64(), y.as_f64()))
        }
        _ => Err(json!(format!(
            "{} and {} cannot be combined with {operator}",
            kind(a),
            kind(b)
        ))),
    }
}

/// Less than nothing of a text is null.
fn repeated(text: &str, times: f64) -> Value {
    if times < 0.0 || times.is_nan() {
        return Value::Null;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is positive, and paid for"
    )]
    let times = times as usize;
    json!(text.repeat(times))
}

fn merged(x: &Map<String, Value>, y: &Map<String, Value>) -> Map<String, Value> {
    let mut all = x.clone();
    for (key, theirs) in y {
        let value = match (x.get(key), theirs) {
            (Some(Value::Object(mine)), Value::Object(theirs)) => {
                Value::Object(merged(mine, theirs))
            }
            _ => theirs.clone(),
        };
        all.insert(key.clone(), value);
    }
    all
}

/// Whole numbers stay whole as long as they fit.
fn numbers(
    operator: &str,
    x: (Option<i64>, Option<f64>),
    y: (Option<i64>, Option<f64>),
) -> Result<Value, Value> {
    let zero = || json!("a number cannot be divided by zero");
    if let (Some(x), Some(y)) = (x.0, y.0) {
        let exact = match operator {
            "+" => x.checked_add(y),
            "-" => x.checked_sub(y),
            "*" => x.checked_mul(y),
            "/" | "%" if y == 0 => return Err(zero()),
            "/" => x
                .checked_rem(y)
                .filter(|rest| *rest == 0)
                .and_then(|_| x.checked_div(y)),
            // Go's `%` has the sign of the dividend, as Rust's.
            _ => x.checked_rem(y),
        };
        if let Some(exact) = exact {
            return Ok(json!(exact));
        }
    }
    let (x, y) = (x.1.unwrap_or_default(), y.1.unwrap_or_default());
    Ok(number_value(match operator {
        "+" => x + y,
        "-" => x - y,
        "*" => x * y,
        "/" if y == 0.0 => return Err(zero()),
        "/" => x / y,
        _ if y.trunc() == 0.0 => return Err(zero()),
        _ => x.trunc() % y.trunc(),
    }))
}

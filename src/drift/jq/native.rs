//! Functions of values: what the language cannot say in its own words.

pub(super) mod format;
pub(super) mod order;

mod nest;
mod number;
mod text;
mod time;

use serde_json::{Value, json};

use order::{compare, kind};

/// An error's value.
type Made = Result<Value, Value>;

/// Names and numbers of arguments.
const KNOWN: [(&str, usize); 73] = [
    ("type", 0),
    ("length", 0),
    ("utf8bytelength", 0),
    ("keys", 0),
    ("has", 1),
    ("contains", 1),
    ("sort", 0),
    ("_sort_by", 1),
    ("_group_by", 1),
    ("min", 0),
    ("max", 0),
    ("_min_by", 1),
    ("_max_by", 1),
    ("reverse", 0),
    ("flatten", 1),
    ("indices", 1),
    ("bsearch", 1),
    ("setpath", 2),
    ("delpaths", 1),
    ("tostring", 0),
    ("tonumber", 0),
    ("tojson", 0),
    ("fromjson", 0),
    ("toboolean", 0),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("explode", 0),
    ("implode", 0),
    ("split", 1),
    ("join", 1),
    ("startswith", 1),
    ("endswith", 1),
    ("ltrim", 0),
    ("rtrim", 0),
    ("trim", 0),
    ("_match", 3),
    ("floor", 0),
    ("ceil", 0),
    ("round", 0),
    ("trunc", 0),
    ("sqrt", 0),
    ("cbrt", 0),
    ("fabs", 0),
    ("abs", 0),
    ("exp", 0),
    ("exp2", 0),
    ("exp10", 0),
    ("log", 0),
    ("log2", 0),
    ("log10", 0),
    ("sin", 0),
    ("cos", 0),
    ("tan", 0),
    ("asin", 0),
    ("acos", 0),
    ("atan", 0),
    ("pow", 2),
    ("atan2", 2),
    ("fmin", 2),
    ("fmax", 2),
    ("fmod", 2),
    ("nan", 0),
    ("infinite", 0),
    ("isnan", 0),
    ("isinfinite", 0),
    ("isnormal", 0),
    ("fromdate", 0),
    ("fromdateiso8601", 0),
    ("todateiso8601", 0),
    ("strftime", 1),
    ("mktime", 0),
    ("gmtime", 0),
    ("strptime", 1),
];

/// Whether a function is one of these.
pub(super) fn is_known(name: &str, arguments: usize) -> bool {
    KNOWN.contains(&(name, arguments))
}

/// What a call costs beyond the weight of its values.
pub(super) fn cost(name: &str, input: &Value, arguments: &[&Value]) -> Option<usize> {
    let length = |value: &Value| match value {
        Value::Array(items) => items.len(),
        Value::String(text) => text.len() / 16,
        _ => 1,
    };
    match name {
        "contains" | "indices" | "delpaths" => {
            let other = arguments.first().map_or(1, |a| length(a));
            Some(length(input).saturating_mul(other.max(1)))
        }
        // A list grows up to the position that is set.
        "setpath" => nest::farthest(arguments.first()?),
        "sort" | "_sort_by" | "_group_by" => Some(length(input).saturating_mul(4)),
        "_match" | "split" | "explode" => Some(length(input).saturating_mul(4)),
        _ => None,
    }
}

/// Calls a function.
pub(super) fn call(name: &str, input: &Value, arguments: &[&Value]) -> Made {
    match (name, arguments) {
        ("type", []) => Ok(json!(kind(input))),
        ("length", []) => length(input).ok_or_else(|| wrong(name, input)),
        ("keys", []) => keys(input).ok_or_else(|| wrong(name, input)),
        ("has", [key]) => has(input, key),
        ("contains", [other]) => contains(input, other).map(|c| json!(c)),
        ("min" | "max", []) => {
            let items = list(name, input)?;
            Ok(order::extreme(items, items, name == "max"))
        }
        ("_min_by" | "_max_by", [keys]) => {
            let (items, keys) = (list(name, input)?, list(name, keys)?);
            Ok(order::extreme(items, keys, name == "_max_by"))
        }
        ("sort", []) => Ok(order::sorted(list(name, input)?).into()),
        ("_sort_by", [keys]) => Ok(order::sorted_by(list(name, input)?, list(name, keys)?).into()),
        ("_group_by", [keys]) => Ok(order::grouped(list(name, input)?, list(name, keys)?)),
        ("tostring", []) => Ok(json!(format::plain(input))),
        ("tojson", []) => Ok(json!(input.to_string())),
        ("bsearch", [wanted]) => {
            let found = list(name, input)?.binary_search_by(|item| compare(item, wanted));
            Ok(match found {
                Ok(at) => json!(at),
                Err(at) => json!(-1 - i64::try_from(at).unwrap_or(0)),
            })
        }
        ("reverse" | "flatten" | "indices" | "setpath" | "delpaths", _) => {
            nest::call(name, input, arguments)
        }
        (
            "fromdate" | "fromdateiso8601" | "todateiso8601" | "strftime" | "mktime" | "gmtime"
            | "strptime",
            _,
        ) => time::call(name, input, arguments),
        _ => match text::call(name, input, arguments) {
            Some(made) => made,
            None => number::call(name, input, arguments),
        },
    }
}

/// The error of a function that has no meaning for a value.
fn wrong(name: &str, value: &Value) -> Value {
    json!(format!("{name} cannot be applied to: {}", kind(value)))
}

fn list<'v>(name: &str, value: &'v Value) -> Result<&'v [Value], Value> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(wrong(name, other)),
    }
}

fn length(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => json!(0),
        Value::Number(number) => super::parse::number_value(number.as_f64()?.abs()),
        Value::String(text) => json!(text.chars().count()),
        Value::Array(items) => json!(items.len()),
        Value::Object(map) => json!(map.len()),
        Value::Bool(_) => return None,
    })
}

fn keys(value: &Value) -> Option<Value> {
    match value {
        Value::Object(map) => Some(order::keys(map).into_iter().cloned().collect()),
        Value::Array(items) => Some((0..items.len()).collect()),
        _ => None,
    }
}

fn has(value: &Value, key: &Value) -> Made {
    match (value, key) {
        (Value::Object(map), Value::String(name)) => Ok(json!(map.contains_key(name))),
        (Value::Array(items), Value::Number(number)) => {
            let inside = |at: f64| at >= 0.0 && number::length(items) > at;
            Ok(json!(number.as_f64().is_some_and(inside)))
        }
        _ => Err(json!(format!(
            "has cannot be applied to: {} with {}",
            kind(value),
            kind(key)
        ))),
    }
}

fn contains(a: &Value, b: &Value) -> Result<bool, Value> {
    match (a, b) {
        (Value::String(x), Value::String(y)) => Ok(x.contains(y.as_str())),
        (Value::Array(x), Value::Array(y)) => {
            let among = |b: &Value| {
                x.iter()
                    .any(|a| kind(a) == kind(b) && contains(a, b) == Ok(true))
            };
            Ok(y.iter().all(among))
        }
        (Value::Object(x), Value::Object(y)) => {
            let holds = |(key, b): (&String, &Value)| {
                x.get(key)
                    .is_some_and(|a| kind(a) == kind(b) && contains(a, b) == Ok(true))
            };
            Ok(y.iter().all(holds))
        }
        _ if kind(a) == kind(b) => Ok(compare(a, b).is_eq()),
        _ => Err(json!(format!(
            "{} and {} cannot have their containment checked",
            kind(a),
            kind(b)
        ))),
    }
}

//! Functions that put lists and maps together or take them apart.

use serde_json::{Map, Value, json};

use super::order::{compare, kind};
use super::{Made, list, wrong};
use crate::drift::jq::{At, bounds, delete, position};

pub(super) fn call(name: &str, input: &Value, arguments: &[&Value]) -> Made {
    match (name, arguments) {
        ("reverse", []) => reversed(input).ok_or_else(|| wrong(name, input)),
        ("flatten", [depth]) => {
            let Some(depth) = depth.as_f64().filter(|d| *d >= 0.0) else {
                return Err(json!("flatten depth must not be negative"));
            };
            let mut flat = Vec::new();
            flatten(list(name, input)?, depth, &mut flat);
            Ok(flat.into())
        }
        ("indices", [wanted]) => indices(input, wanted),
        ("setpath", [path, value]) => {
            let mut input = input.clone();
            set(&mut input, list(name, path)?, value)?;
            Ok(input)
        }
        ("delpaths", [paths]) => {
            let mut input = input.clone();
            let paths = list(name, paths)?
                .iter()
                .map(|path| steps(&input, list(name, path)?));
            let paths: Vec<Vec<At>> = paths.collect::<Result<_, _>>()?;
            delete::all(&mut input, &paths).map_err(|why| json!(why))?;
            Ok(input)
        }
        _ => Err(wrong(name, input)),
    }
}

/// The path as steps, read against the value that it leads through.
fn steps(value: &Value, path: &[Value]) -> Result<Vec<At>, Value> {
    let mut here = Some(value);
    let mut steps = Vec::with_capacity(path.len());
    for key in path {
        // What is behind a slice or behind nothing fits whatever the key fits.
        let alike = match key {
            Value::String(_) => json!({}),
            _ => json!([]),
        };
        let step = At::of(here.unwrap_or(&alike), key).map_err(|why| json!(why))?;
        let Some(step) = step else {
            return Err(json!(format!("a path cannot hold: {}", kind(key))));
        };
        here = here.and_then(|value| step.below(value));
        steps.push(step);
    }
    Ok(steps)
}

fn reversed(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Null => json!([]),
        Value::String(text) => json!(text.chars().rev().collect::<String>()),
        Value::Array(items) => items.iter().rev().cloned().collect(),
        _ => return None,
    })
}

fn flatten(items: &[Value], depth: f64, flat: &mut Vec<Value>) {
    for item in items {
        match item {
            Value::Array(inner) if depth > 0.0 => flatten(inner, depth - 1.0, flat),
            other => flat.push(other.clone()),
        }
    }
}

/// Where a value stands in a list, a list in a list, a text in a text (by characters).
fn indices(value: &Value, wanted: &Value) -> Made {
    match (value, wanted) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::String(text), Value::String(part)) => {
            if part.is_empty() {
                return Ok(json!([]));
            }
            let starts = text.char_indices().enumerate();
            let found = starts
                .filter(|(_, (byte, _))| text.get(*byte..).is_some_and(|t| t.starts_with(part)));
            Ok(found.map(|(position, _)| position).collect())
        }
        (Value::Array(_), Value::Array(part)) if part.is_empty() => Ok(json!([])),
        (Value::Array(items), Value::Array(part)) => {
            let same =
                |window: &[Value]| window.iter().zip(part).all(|(a, b)| compare(a, b).is_eq());
            let windows = items.windows(part.len()).enumerate();
            Ok(windows.filter(|(_, w)| same(w)).map(|(at, _)| at).collect())
        }
        (Value::Array(items), wanted) => {
            let all = items.iter().enumerate();
            Ok(all
                .filter(|(_, item)| compare(item, wanted).is_eq())
                .map(|(at, _)| at)
                .collect())
        }
        _ => Err(json!(format!(
            "cannot determine indices of {} in {}",
            kind(wanted),
            kind(value)
        ))),
    }
}

/// The farthest position that a path sets.
pub(super) fn farthest(path: &Value) -> Option<usize> {
    let steps = path.as_array()?.iter();
    let positions = steps.filter_map(|step| usize::try_from(step.as_u64()?).ok());
    positions.max()
}

fn set(value: &mut Value, path: &[Value], new: &Value) -> Result<(), Value> {
    let Some((key, rest)) = path.split_first() else {
        *value = new.clone();
        return Ok(());
    };
    let step = At::of(value, key).map_err(|why| json!(why))?;
    match (step, value) {
        (Some(At::Field(name)), value) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            match value.as_object_mut() {
                Some(map) => set(map.entry(name).or_insert(Value::Null), rest, new),
                None => Ok(()),
            }
        }
        (Some(At::Index(index)), value) => {
            if value.is_null() {
                *value = json!([]);
            }
            value
                .as_array_mut()
                .map_or(Ok(()), |items| set_at(items, index, rest, new))
        }
        (Some(At::Slice(start, end)), Value::Array(items)) => {
            let (from, to) = bounds(start, end, items.len());
            let mut part: Value = items.get(from..to).unwrap_or_default().into();
            set(&mut part, rest, new)?;
            let Value::Array(part) = part else {
                return Err(json!("a slice of a list can only be replaced by a list"));
            };
            items.splice(from..to, part);
            Ok(())
        }
        (_, value) => Err(json!(format!("a part of {} cannot be set", kind(value)))),
    }
}

fn set_at(items: &mut Vec<Value>, index: i64, rest: &[Value], new: &Value) -> Result<(), Value> {
    let at = if index < 0 {
        position(index, items.len())
    } else {
        usize::try_from(index).ok()
    };
    let Some(at) = at else {
        return Err(json!("out of bounds negative array index"));
    };
    if at >= items.len() {
        items.resize(at + 1, Value::Null);
    }
    items
        .get_mut(at)
        .map_or(Ok(()), |item| set(item, rest, new))
}

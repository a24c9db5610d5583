//! Takes places out of a value, all at once: positions are those of the value as it was.

use std::collections::BTreeSet;

use serde_json::Value;

use super::native::order::kind;
use super::{At, bounds, position};

/// One step that means one field or one element.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Exact {
    Index(usize),
    Field(String),
}

/// Takes out what the paths name; what is not there is passed over.
///
/// # Errors
/// A path that does not fit the value.
pub(super) fn all(value: &mut Value, paths: &[Vec<At>]) -> Result<(), String> {
    let mut places = BTreeSet::new();
    for path in paths {
        collect(value, path, &mut Vec::new(), &mut places)?;
    }
    // The last first: an element's position holds until those behind it are gone.
    for place in places.iter().rev() {
        delete(value, place);
    }
    Ok(())
}

/// The exact places that a path means.
fn collect(
    value: &Value,
    path: &[At],
    before: &mut Vec<Exact>,
    places: &mut BTreeSet<Vec<Exact>>,
) -> Result<(), String> {
    let Some((step, rest)) = path.split_first() else {
        places.insert(before.clone());
        return Ok(());
    };
    let (exact, below) = match (value, step) {
        (Value::Null, _) => return Ok(()),
        (Value::Object(map), At::Field(name)) => (Exact::Field(name.clone()), map.get(name)),
        (Value::Array(items), At::Index(index)) => match position(*index, items.len()) {
            Some(at) => (Exact::Index(at), items.get(at)),
            None => return Ok(()),
        },
        (Value::Array(items), At::Slice(start, end)) => {
            let (from, to) = bounds(*start, *end, items.len());
            return collect_slice(items, (from, to), rest, before, places);
        }
        (other, _) => return Err(format!("cannot delete a part of {}", kind(other))),
    };
    if let Some(below) = below {
        before.push(exact);
        collect(below, rest, before, places)?;
        before.pop();
    }
    Ok(())
}

/// Places below a slice of a list: its elements, or what is further down in it.
fn collect_slice(
    items: &[Value],
    (from, to): (usize, usize),
    rest: &[At],
    before: &mut Vec<Exact>,
    places: &mut BTreeSet<Vec<Exact>>,
) -> Result<(), String> {
    let Some((step, rest)) = rest.split_first() else {
        for at in from..to {
            before.push(Exact::Index(at));
            places.insert(before.clone());
            before.pop();
        }
        return Ok(());
    };
    match step {
        At::Index(index) => {
            let Some(at) = position(*index, to - from).map(|at| from + at) else {
                return Ok(());
            };
            before.push(Exact::Index(at));
            collect(items.get(at).unwrap_or(&Value::Null), rest, before, places)?;
            before.pop();
            Ok(())
        }
        At::Slice(start, end) => {
            let (a, b) = bounds(*start, *end, to - from);
            collect_slice(items, (from + a, from + b), rest, before, places)
        }
        At::Field(_) => Err("cannot delete a field of array".to_owned()),
    }
}

fn delete(value: &mut Value, place: &[Exact]) {
    match (place, value) {
        ([], value) => *value = Value::Null,
        ([Exact::Field(name)], Value::Object(map)) => {
            map.remove(name);
        }
        ([Exact::Index(at)], Value::Array(items)) if *at < items.len() => {
            items.remove(*at);
        }
        ([Exact::Field(name), rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(name) {
                delete(inner, rest);
            }
        }
        ([Exact::Index(at), rest @ ..], Value::Array(items)) => {
            if let Some(inner) = items.get_mut(*at) {
                delete(inner, rest);
            }
        }
        _ => {}
    }
}

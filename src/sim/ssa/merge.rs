//! Merging an applied configuration into a live document, and taking a set of fields out of one.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::atom::{Atom, atom, element_step, elements, is_atomic, members};
use super::compare::by_step;
use super::set::{FieldSet, field_step};
use crate::sim::schema::{Topology, Type};

/// The live value with the configuration laid over it.
pub(crate) fn merge(live: Option<&Value>, config: Option<&Value>, ty: &Type) -> Value {
    let (live, config) = match (live, config) {
        (live, None) => return live.cloned().unwrap_or_default(),
        (None, Some(config)) => return config.clone(),
        (Some(live), Some(config)) => (live, config),
    };
    if is_atomic(ty) {
        return config.clone();
    }
    match atom(ty, Some(config)) {
        Atom::Map(kinds) if members(Some(live)).is_some() && !is_other(config, 1) => {
            let mut merged = live.as_object().cloned().unwrap_or_default();
            for (name, value) in config.as_object().into_iter().flatten() {
                let value = merge(merged.get(name), Some(value), kinds.ty(name));
                merged.insert(name.clone(), value);
            }
            Value::Object(merged)
        }
        Atom::List(item, topology)
            if *topology != Topology::Atomic
                && elements(Some(live)).is_some()
                && !is_other(config, 2) =>
        {
            merge_elements(live, config, item, topology)
        }
        _ => config.clone(),
    }
}

/// Whether a value is neither null nor of the wanted form (1 map, 2 list).
fn is_other(value: &Value, form: u8) -> bool {
    match value {
        Value::Null => false,
        Value::Object(_) => form != 1,
        Value::Array(_) => form != 2,
        _ => true,
    }
}

/// Both lists in one: shared elements stand in the configuration's order, elements of only one side keep their neighbours.
fn merge_elements(live: &Value, config: &Value, item: &Type, topology: &Topology) -> Value {
    let live = by_step(live.as_array(), topology);
    let config = by_step(config.as_array(), topology);
    let in_live: HashMap<&str, &Value> = live.iter().map(|(s, v)| (s.as_str(), *v)).collect();
    let in_config: HashSet<&str> = config.iter().map(|(s, _)| s.as_str()).collect();
    let shared = config.iter().map(|(s, _)| s.as_str());
    let mut shared = shared.filter(|s| in_live.contains_key(s)).peekable();
    let mut done: HashSet<&str> = HashSet::new();
    let mut merged = Vec::new();
    let (mut live, mut config) = (live.iter().peekable(), config.iter().peekable());
    loop {
        if let Some((step, element)) = live.peek() {
            let next = config.peek().map(|(s, _)| s.as_str());
            let same = next == Some(step.as_str());
            if !same && !in_config.contains(step.as_str()) {
                merged.push((*element).clone());
                live.next();
                continue;
            }
            // Shared, and either placed already or not the one whose turn it is.
            let turn = shared.peek().is_none_or(|s| s == step);
            if !same && (done.contains(step.as_str()) || (next.is_some() && !turn)) {
                live.next();
                continue;
            }
            if same {
                live.next();
            }
        }
        let Some((step, value)) = config.next() else {
            break;
        };
        merged.push(merge(
            in_live.get(step.as_str()).copied(),
            Some(value),
            item,
        ));
        done.insert(step);
        shared.next_if_eq(&step.as_str());
    }
    Value::Array(merged)
}

/// A document without the fields of a set. What is owned as a whole is not taken apart; what becomes empty becomes null.
pub(crate) fn remove(value: &Value, gone: &FieldSet, ty: &Type) -> Value {
    if is_atomic(ty) && (value.is_object() || value.is_array()) {
        return Value::Null;
    }
    match atom(ty, Some(value)) {
        Atom::Scalar => value.clone(),
        Atom::Map(kinds) => {
            let mut left = Map::new();
            for (name, member) in value.as_object().into_iter().flatten() {
                let step = field_step(name);
                if gone.has(&step) {
                    continue;
                }
                let member = match gone.below(&step) {
                    Some(below) => remove(member, below, kinds.ty(name)),
                    None => member.clone(),
                };
                left.insert(name.clone(), member);
            }
            if left.is_empty() {
                Value::Null
            } else {
                Value::Object(left)
            }
        }
        Atom::List(item, topology) => {
            let mut left = Vec::new();
            for element in value.as_array().into_iter().flatten() {
                let step = element_step(topology, element).unwrap_or_default();
                if gone.has(&step) {
                    continue;
                }
                left.push(match gone.below(&step) {
                    Some(below) => remove(element, below, item),
                    None => element.clone(),
                });
            }
            if left.is_empty() {
                Value::Null
            } else {
                Value::Array(left)
            }
        }
    }
}

//! Whether two patches set the same field to different values.

use serde_json::Value;

use super::order::{deduplicated, sorted_scalars};
use super::{
    DIRECTIVE, ElementKind, MergeError, Object, PatchSchema, RETAIN_KEYS, element_kind, lookup,
};
use crate::drift::schema::PatchRule;

/// Whether the two patches overlap with different values anywhere.
pub(super) fn between<S: PatchSchema>(
    left: &Object,
    right: &Object,
    schema: S,
) -> Result<bool, MergeError> {
    for (key, own) in left {
        let Some(other) = right.get(key) else {
            continue;
        };
        if key == DIRECTIVE || key == RETAIN_KEYS {
            continue;
        }
        let (rule, below) = match own {
            Value::Array(_) | Value::Object(_) => {
                let (rule, below) = lookup(schema, key)?;
                (rule, Some(below))
            }
            _ => (PatchRule::default(), None),
        };
        if values(own, other, below, rule)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn values<S: PatchSchema>(
    left: &Value,
    right: &Value,
    schema: Option<S>,
    rule: PatchRule,
) -> Result<bool, MergeError> {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            if a.get(DIRECTIVE) != b.get(DIRECTIVE) {
                return Ok(true);
            }
            match schema {
                _ if rule.replace => Ok(false),
                Some(schema) => between(a, b, schema),
                None => Ok(a != b),
            }
        }
        (Value::Array(a), Value::Array(b)) => lists(a, b, schema, rule),
        _ => Ok(left != right),
    }
}

fn lists<S: PatchSchema>(
    left: &[Value],
    right: &[Value],
    schema: Option<S>,
    rule: PatchRule,
) -> Result<bool, MergeError> {
    let maps = element_kind(&[left, right])? == Some(ElementKind::Maps);
    if rule.merge {
        return if maps {
            merged_maps(left, right, schema, rule)
        } else {
            Ok(false)
        };
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    let pairs = |a: &[Value], b: &[Value]| -> Result<bool, MergeError> {
        for (x, y) in a.iter().zip(b) {
            if values(x, y, schema, PatchRule::default())? {
                return Ok(true);
            }
        }
        Ok(false)
    };
    if maps {
        return pairs(left, right);
    }
    let sorted = |list: &[Value]| sorted_scalars(&deduplicated(list.to_vec()));
    pairs(&sorted(left), &sorted(right))
}

fn merged_maps<S: PatchSchema>(
    left: &[Value],
    right: &[Value],
    schema: Option<S>,
    rule: PatchRule,
) -> Result<bool, MergeError> {
    let key = rule.merge_key.unwrap_or_default();
    for item in left {
        let own = super::key_of(item, key)?;
        for other in right {
            if super::key_of(other, key)? == own
                && values(item, other, schema, PatchRule::default())?
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

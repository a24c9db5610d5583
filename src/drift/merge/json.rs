//! JSON merge patches (RFC 7386), made by comparing three versions.

use serde_json::{Map, Value};

/// Which entries of a patch to keep: those that set, or those that remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Additions and changes.
    Values,
    /// Removals (nulls).
    Nulls,
}

/// The patch that brings `current` to `modified` and removes what `original` had and `modified` no longer has.
pub fn three_way(original: &Value, modified: &Value, current: &Value) -> Value {
    let changes = keep(&difference(current, modified), Keep::Values);
    let removals = keep(&difference(original, modified), Keep::Nulls);
    merge_patches(removals, changes)
}

/// Applies a patch to a document.
pub fn apply(document: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else {
        return patch.clone();
    };
    let mut result = document.as_object().cloned().unwrap_or_default();
    for (key, value) in patch {
        if value.is_null() {
            result.remove(key);
        } else {
            let before = result.remove(key).unwrap_or(Value::Null);
            result.insert(key.clone(), apply(&before, value));
        }
    }
    Value::Object(result)
}

/// The patch from one document to another; lists are values.
pub fn difference(from: &Value, to: &Value) -> Value {
    let (Value::Object(from), Value::Object(to)) = (from, to) else {
        return to.clone();
    };
    let mut patch = Map::new();
    for (key, wanted) in to {
        match from.get(key) {
            None => {
                patch.insert(key.clone(), wanted.clone());
            }
            Some(old) if old == wanted => {}
            Some(old) => {
                patch.insert(key.clone(), difference(old, wanted));
            }
        }
    }
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        patch.insert(key.clone(), Value::Null);
    }
    Value::Object(patch)
}

/// The part of a patch that sets values, or the part that removes them. Lists are kept whole: a null in a list is a value.
pub fn keep(patch: &Value, what: Keep) -> Value {
    let Value::Object(map) = patch else {
        return patch.clone();
    };
    let mut kept = Map::new();
    for (key, value) in map {
        let part = match value {
            Value::Null => (what == Keep::Nulls).then_some(Value::Null),
            Value::Object(inner) if inner.is_empty() => {
                (what == Keep::Values).then(|| value.clone())
            }
            Value::Object(_) => {
                Some(keep(value, what)).filter(|v| v.as_object().is_none_or(|m| !m.is_empty()))
            }
            other => (what == Keep::Values).then(|| other.clone()),
        };
        if let Some(part) = part {
            kept.insert(key.clone(), part);
        }
    }
    Value::Object(kept)
}

/// Two patches as one; nulls stay, the second wins.
fn merge_patches(first: Value, second: Value) -> Value {
    match (first, second) {
        (Value::Object(mut first), Value::Object(second)) => {
            for (key, value) in second {
                let merged = match first.remove(&key) {
                    Some(before) => merge_patches(before, value),
                    None => value,
                };
                first.insert(key, merged);
            }
            Value::Object(first)
        }
        (_, second) => second,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_git_dropped_is_removed_and_what_others_added_stays() {
        let original = json!({"spec": {"a": 1, "b": 2}});
        let modified = json!({"spec": {"a": 5}});
        let current = json!({"spec": {"a": 1, "b": 2, "added": true}});
        let patch = three_way(&original, &modified, &current);
        assert_eq!(patch, json!({"spec": {"a": 5, "b": null}}));
        assert_eq!(
            apply(&current, &patch),
            json!({"spec": {"a": 5, "added": true}})
        );
    }

    #[test]
    fn a_null_in_a_list_is_a_value_and_a_list_is_one_value() {
        let patch = three_way(
            &json!({"l": [1]}),
            &json!({"l": [null, 2]}),
            &json!({"l": [1]}),
        );
        assert_eq!(patch, json!({"l": [null, 2]}));
        assert_eq!(apply(&json!({"l": [1]}), &patch), json!({"l": [null, 2]}));
    }

    #[test]
    fn applying_follows_the_rfc() {
        assert_eq!(
            apply(
                &json!({"a": {"b": "c"}}),
                &json!({"a": {"b": "d", "c": null}})
            ),
            json!({"a": {"b": "d"}})
        );
        assert_eq!(
            apply(&json!({"a": [1]}), &json!({"a": {"b": {"c": null}}})),
            json!({"a": {"b": {}}})
        );
        assert_eq!(apply(&json!([1]), &json!({"a": 1})), json!({"a": 1}));
        assert_eq!(apply(&json!({"a": 1}), &json!(["c"])), json!(["c"]));
    }
}

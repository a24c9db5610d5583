//! Making a patch: what to set, what to delete, in what order.

use serde_json::{Value, json};

use super::order::{deduplicated, sort_by_order, sorted_by_key, sorted_scalars};
use super::{
    DELETE_FROM, DIRECTIVE, ElementKind, MergeError, ORDER, Object, PatchSchema, RETAIN_KEYS,
    element_kind, key_of, lookup, printed,
};

/// Which differences go into the patch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    additions: bool,
    deletions: bool,
    order: bool,
    retain_keys: bool,
}

impl Wanted {
    pub(super) const ALL: Self = Self {
        additions: true,
        deletions: true,
        order: true,
        retain_keys: false,
    };
    pub(super) const ADDITIONS: Self = Self {
        deletions: false,
        ..Self::ALL
    };
    pub(super) const DELETIONS: Self = Self {
        additions: false,
        ..Self::ALL
    };
    pub(super) const UNORDERED: Self = Self {
        order: false,
        ..Self::ALL
    };
}

/// The patch from one map to another.
pub(super) fn maps<S: PatchSchema>(
    original: &Object,
    modified: &Object,
    schema: S,
    wanted: Wanted,
) -> Result<Object, MergeError> {
    let mut patch = Object::new();
    for (key, value) in modified {
        field(key, original.get(key), value, &mut patch, schema, wanted)?;
    }
    if wanted.deletions {
        for key in original.keys().filter(|key| !modified.contains_key(*key)) {
            patch.insert(key.clone(), Value::Null);
        }
    }
    if wanted.retain_keys {
        retain_keys(original, modified, &mut patch);
    }
    Ok(patch)
}

fn field<S: PatchSchema>(
    key: &str,
    original: Option<&Value>,
    modified: &Value,
    patch: &mut Object,
    schema: S,
    wanted: Wanted,
) -> Result<(), MergeError> {
    let mut set = |value: &Value| {
        if wanted.additions {
            patch.insert(key.to_owned(), value.clone());
        }
    };
    match (original, modified) {
        (None, _) => set(modified),
        (Some(old), new) if key == DIRECTIVE => {
            if old != new {
                patch.insert(key.to_owned(), new.clone());
            }
        }
        (Some(Value::Object(old)), Value::Object(new)) => {
            map_field(key, old, new, patch, schema, wanted)?
        }
        (Some(Value::Array(old)), Value::Array(new)) => {
            list_field(key, old, new, patch, schema, wanted)?
        }
        (Some(old), new) if old == new => {}
        (Some(_), new) => set(new),
    }
    Ok(())
}

fn map_field<S: PatchSchema>(
    key: &str,
    original: &Object,
    modified: &Object,
    patch: &mut Object,
    schema: S,
    wanted: Wanted,
) -> Result<(), MergeError> {
    let (rule, below) = match lookup(schema, key) {
        Ok(found) => found,
        Err(_) if original == modified => return Ok(()),
        Err(error) => return Err(error),
    };
    if rule.replace {
        if wanted.additions {
            patch.insert(key.to_owned(), Value::Object(modified.clone()));
        }
        return Ok(());
    }
    let wanted = Wanted {
        retain_keys: rule.retain_keys,
        ..wanted
    };
    let inner = maps(original, modified, below, wanted)?;
    if !inner.is_empty() {
        patch.insert(key.to_owned(), Value::Object(inner));
    }
    Ok(())
}

fn list_field<S: PatchSchema>(
    key: &str,
    original: &[Value],
    modified: &[Value],
    patch: &mut Object,
    schema: S,
    wanted: Wanted,
) -> Result<(), MergeError> {
    let (rule, below) = match lookup(schema, key) {
        Ok(found) => found,
        Err(_) if original == modified => return Ok(()),
        Err(error) => return Err(error),
    };
    if !rule.merge {
        if wanted.additions && original != modified {
            patch.insert(key.to_owned(), Value::Array(modified.to_vec()));
        }
        return Ok(());
    }
    let wanted = Wanted {
        retain_keys: rule.retain_keys,
        ..wanted
    };
    let lists = lists(original, modified, below, rule.merge_key, wanted)?;
    let mut insert = |name: String, items: Vec<Value>| {
        if !items.is_empty() {
            patch.insert(name, Value::Array(items));
        }
    };
    insert(key.to_owned(), lists.set);
    insert(format!("{DELETE_FROM}/{key}"), lists.delete);
    insert(format!("{ORDER}/{key}"), lists.order);
    Ok(())
}

/// The three lists that a merged list's patch consists of.
#[derive(Default)]
struct ListPatch {
    set: Vec<Value>,
    delete: Vec<Value>,
    order: Vec<Value>,
}

fn lists<S: PatchSchema>(
    original: &[Value],
    modified: &[Value],
    schema: S,
    merge_key: Option<&str>,
    wanted: Wanted,
) -> Result<ListPatch, MergeError> {
    if original.is_empty() {
        let set = if wanted.additions {
            modified.to_vec()
        } else {
            Vec::new()
        };
        return Ok(ListPatch {
            set,
            ..ListPatch::default()
        });
    }
    match element_kind(&[original, modified])? {
        Some(ElementKind::Maps) => {
            let key = merge_key.unwrap_or_default();
            lists_of_maps(original, modified, schema, key, wanted)
        }
        _ => Ok(lists_of_scalars(original, modified, wanted)),
    }
}

fn lists_of_scalars(original: &[Value], modified: &[Value], wanted: Wanted) -> ListPatch {
    let (old, new) = (sorted_scalars(original), sorted_scalars(modified));
    let mut set = Vec::new();
    let mut delete = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if printed(a) == printed(b) => {
                i += 1;
                j += 1;
            }
            (Some(a), b) if b.is_none_or(|b| printed(a) < printed(b)) => {
                delete.push(a.clone());
                i += 1;
            }
            (_, Some(b)) => {
                set.push(b.clone());
                j += 1;
            }
            (_, None) => break,
        }
    }
    if !wanted.deletions {
        delete.clear();
    }
    if !wanted.additions {
        set.clear();
    }
    sort_by_order(&mut set, modified, None);
    let delete = deduplicated(delete);
    let ordered = wanted.order
        && ((wanted.deletions && !delete.is_empty()) || (wanted.additions && original != modified));
    let order = if ordered {
        modified.to_vec()
    } else {
        Vec::new()
    };
    ListPatch { set, delete, order }
}

fn lists_of_maps<S: PatchSchema>(
    original: &[Value],
    modified: &[Value],
    schema: S,
    key: &str,
    wanted: Wanted,
) -> Result<ListPatch, MergeError> {
    for item in original.iter().chain(modified) {
        key_of(item, key)?;
    }
    let (mut set, deleted) = elements(original, modified, schema, key, wanted)?;
    sort_by_order(&mut set, modified, Some(key));
    set.extend(deleted);
    let same_order = original.len() == modified.len()
        && original
            .iter()
            .zip(modified)
            .all(|(a, b)| a.get(key) == b.get(key));
    let ordered = wanted.order
        && ((wanted.additions && (!set.is_empty() || !same_order))
            || (wanted.deletions && !set.is_empty()));
    let mut order = Vec::new();
    if ordered {
        for item in modified {
            order.push(json!({ key: key_of(item, key)? }));
        }
    }
    Ok(ListPatch {
        set,
        delete: Vec::new(),
        order,
    })
}

/// Additions and changes, and deletions, of two lists of maps walked in the order of their keys.
fn elements<S: PatchSchema>(
    original: &[Value],
    modified: &[Value],
    schema: S,
    key: &str,
    wanted: Wanted,
) -> Result<(Vec<Value>, Vec<Value>), MergeError> {
    let (old, new) = (sorted_by_key(original, key), sorted_by_key(modified, key));
    let text = |item: &Value| item.get(key).map(printed).unwrap_or_default();
    let mut set = Vec::new();
    let mut deleted = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < old.len() || j < new.len() {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if text(a) == text(b) => {
                let mut inner = maps(super::object(a), super::object(b), schema, wanted)?;
                if !inner.is_empty() {
                    inner.insert(key.to_owned(), key_of(b, key)?.clone());
                    set.push(Value::Object(inner));
                }
                i += 1;
                j += 1;
            }
            (Some(a), b) if b.is_none_or(|b| text(a) < text(b)) => {
                if wanted.deletions {
                    deleted.push(json!({ key: key_of(a, key)?, DIRECTIVE: "delete" }));
                }
                i += 1;
            }
            (_, Some(b)) => {
                if wanted.additions {
                    set.push((*b).clone());
                }
                j += 1;
            }
            (_, None) => break,
        }
    }
    Ok((set, deleted))
}

/// Names the keys that stay, when the patch changes anything or the original has keys to clear.
fn retain_keys(original: &Object, modified: &Object, patch: &mut Object) {
    let kept: Vec<Value> = modified
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(key, _)| Value::String(key.clone()))
        .collect();
    let clears = original
        .iter()
        .any(|(key, value)| !value.is_null() && !modified.contains_key(key));
    if !kept.is_empty() && (!patch.is_empty() || clears) {
        patch.insert(RETAIN_KEYS.to_owned(), Value::Array(sorted_scalars(&kept)));
    }
}

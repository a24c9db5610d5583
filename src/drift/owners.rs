//! Who set a field: `metadata.managedFields` read as a tree, asked by path.
//!
//! A live value's owner is the newest entry whose field set holds the path; for a value that differs from Git, an engine's entry gives
//! way to any other. A removed field has no owner of record (the API server drops it from every set), so the newest human tool that wrote
//! after the engine is named as likely, and marked as inferred.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::managers::{ManagerClass, class_of};
use super::path::{Path, Step};
use crate::domain::{FieldOwner, Safe};

/// How the elements of a list are told apart, as a field set shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListOwnership {
    /// Elements are owned by these keys.
    Keyed(Vec<String>),
    /// Elements are owned by value.
    Set,
    /// The list is owned as a whole.
    Whole,
}

/// One entry of managedFields.
#[derive(Clone, Debug)]
struct Entry<'a> {
    manager: &'a str,
    operation: &'a str,
    subresource: &'a str,
    time: Option<Timestamp>,
    fields: &'a Map<String, Value>,
    class: ManagerClass,
}

impl Entry<'_> {
    fn owner(&self) -> FieldOwner {
        FieldOwner {
            manager: Safe::new(self.manager),
            operation: Safe::new(self.operation),
            subresource: Safe::new(self.subresource),
            time: self.time,
        }
    }

    fn holds(&self, path: &Path) -> bool {
        find(self.fields, path.steps()).is_some()
    }
}

/// The owner found for a path.
#[derive(Clone, Debug, PartialEq)]
pub struct Owned {
    /// The tool.
    pub owner: FieldOwner,
    /// What kind of tool.
    pub class: ManagerClass,
}

/// The owners of one live object's fields.
#[derive(Clone, Debug, Default)]
pub struct Owners<'a> {
    /// Newest first.
    entries: Vec<Entry<'a>>,
}

impl<'a> Owners<'a> {
    /// Reads the managedFields of a live object; entries that are not field sets are left out.
    pub fn of(live: &'a Value) -> Self {
        let listed = live
            .pointer("/metadata/managedFields")
            .and_then(Value::as_array);
        let mut entries: Vec<Entry<'a>> = listed
            .map(|all| all.iter().filter_map(entry).collect())
            .unwrap_or_default();
        entries.sort_by_key(|e| std::cmp::Reverse(e.time));
        Self { entries }
    }

    /// Whether the object records no owners at all, as `kubectl get` prints it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Who set the value at the path: the newest writer, an engine only when nobody else did.
    pub fn of_path(&self, path: &Path) -> Option<Owned> {
        let holders = || self.entries.iter().filter(|e| e.holds(path));
        holders()
            .find(|e| e.class != ManagerClass::Engine)
            .or_else(|| holders().next())
            .map(owned)
    }

    /// As [`Self::of_path`]; else the owner of the nearest enclosing value that is owned as a whole.
    pub fn of_path_or_whole(&self, path: &Path) -> Option<Owned> {
        self.of_path(path).or_else(|| {
            (1..path.steps().len()).rev().find_map(|length| {
                let steps = path.steps().get(..length)?;
                let whole = |e: &&Entry<'_>| find(e.fields, steps).is_some_and(Map::is_empty);
                let holders = || self.entries.iter().filter(whole);
                holders()
                    .find(|e| e.class != ManagerClass::Engine)
                    .or_else(|| holders().next())
                    .map(owned)
            })
        })
    }

    /// Whether the named manager's field set holds the path, or a whole value around it.
    pub fn holds(&self, manager: &str, path: &Path) -> bool {
        let own = || self.entries.iter().filter(|e| e.manager == manager);
        own().any(|e| e.holds(path))
            || (1..path.steps().len()).any(|length| {
                path.steps().get(..length).is_some_and(|steps| {
                    own().any(|e| find(e.fields, steps).is_some_and(Map::is_empty))
                })
            })
    }

    /// Who likely removed a field: the newest human tool (else unknown tool) that wrote the object after the engine's last write.
    pub fn likely_remover(&self) -> Option<Owned> {
        let engine = self
            .entries
            .iter()
            .filter(|e| e.class == ManagerClass::Engine)
            .filter_map(|e| e.time)
            .max();
        let of_class = |class| {
            self.entries.iter().find(|e| {
                e.class == class
                    && e.operation == "Update"
                    && e.subresource != "status"
                    && (engine.is_none() || e.time >= engine)
            })
        };
        of_class(ManagerClass::Human)
            .or_else(|| of_class(ManagerClass::Unknown))
            .map(owned)
    }

    /// How the elements of the list at the path are owned, as far as any entry shows it.
    pub fn list_at(&self, path: &Path) -> Option<ListOwnership> {
        let mut whole = false;
        for entry in &self.entries {
            let Some(node) = find(entry.fields, path.steps()) else {
                continue;
            };
            for name in node.keys() {
                if let Some(keys) = name.strip_prefix("k:") {
                    return key_names(keys).map(ListOwnership::Keyed);
                }
                if name.starts_with("v:") {
                    return Some(ListOwnership::Set);
                }
            }
            whole |= node.is_empty();
        }
        whole.then_some(ListOwnership::Whole)
    }
}

fn owned(entry: &Entry<'_>) -> Owned {
    Owned {
        owner: entry.owner(),
        class: entry.class,
    }
}

fn entry(value: &Value) -> Option<Entry<'_>> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
    let manager = text("manager");
    let subresource = text("subresource");
    Some(Entry {
        manager,
        operation: text("operation"),
        subresource,
        time: text("time").parse().ok(),
        fields: value.get("fieldsV1")?.as_object()?,
        class: class_of(manager, subresource),
    })
}

/// The node of a field set at the steps, when the set holds it.
fn find<'m>(fields: &'m Map<String, Value>, steps: &[Step]) -> Option<&'m Map<String, Value>> {
    let mut node = fields;
    for step in steps {
        node = child(node, step)?;
    }
    Some(node)
}

fn child<'m>(node: &'m Map<String, Value>, step: &Step) -> Option<&'m Map<String, Value>> {
    let found = match step {
        Step::Field(name) => node.get(&format!("f:{name}")),
        Step::Key(keys) => node
            .iter()
            .find(|(name, _)| {
                name.strip_prefix("k:")
                    .is_some_and(|text| is_key(text, keys))
            })
            .map(|(_, value)| value),
        Step::Element(value) => node
            .iter()
            .find(|(name, _)| {
                name.strip_prefix("v:")
                    .and_then(|text| serde_json::from_str::<Value>(text).ok())
                    .is_some_and(|element| element == *value)
            })
            .map(|(_, value)| value),
        Step::Index(position) => node.get(&format!("i:{position}")),
    };
    found.and_then(Value::as_object)
}

/// Whether a `k:` segment names the same element: every key that both state is equal, and one at least is stated by both.
fn is_key(text: &str, keys: &[(String, Value)]) -> bool {
    let Ok(Value::Object(stated)) = serde_json::from_str::<Value>(text) else {
        return false;
    };
    let mut shared = 0_usize;
    for (key, value) in keys {
        match stated.get(key) {
            Some(own) if own == value => shared += 1,
            Some(_) => return false,
            None => {}
        }
    }
    shared > 0
}

fn key_names(text: &str) -> Option<Vec<String>> {
    let stated: Map<String, Value> = serde_json::from_str(text).ok()?;
    Some(stated.keys().cloned().collect())
}

#[cfg(test)]
mod tests;

//! Sets of field paths, in the form in which managedFields writes them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Schema;

/// A set of paths. A step is `f:name`, `k:{"key":value}`, `v:value` or `i:position`, keys in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSet {
    nodes: BTreeMap<String, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    /// Whether the path that ends here is in the set.
    member: bool,
    below: FieldSet,
}

/// The step to a field.
pub(super) fn field_step(name: &str) -> String {
    format!("f:{name}")
}

/// The step to an element by its keys.
pub(super) fn key_step<'k>(keys: impl IntoIterator<Item = (&'k str, Value)>) -> String {
    let sorted: BTreeMap<&str, Value> = keys.into_iter().collect();
    let inner: Vec<String> = sorted
        .iter()
        .map(|(key, value)| format!("{}:{value}", Value::from(*key)))
        .collect();
    format!("k:{{{}}}", inner.join(","))
}

/// The step to an element of a set.
pub(super) fn value_step(value: &Value) -> String {
    format!("v:{value}")
}

/// A step as another writer spelled it, in our spelling.
fn canonical(step: &str) -> String {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    let again = match (step.strip_prefix("k:"), step.strip_prefix("v:")) {
        (Some(keys), _) => match read(keys) {
            Some(Value::Object(keys)) => {
                let keys = keys.iter().map(|(k, v)| (k.as_str(), v.clone()));
                Some(key_step(keys))
            }
            _ => None,
        },
        (_, Some(value)) => read(value).map(|value| value_step(&value)),
        _ => None,
    };
    again.unwrap_or_else(|| step.to_owned())
}

impl FieldSet {
    /// Reads a `fieldsV1`.
    pub fn of_fields_v1(fields: &Map<String, Value>) -> Self {
        let mut set = Self::default();
        for (step, below) in fields.iter().filter(|(step, _)| *step != ".") {
            let empty = Map::new();
            let inner = below.as_object().unwrap_or(&empty);
            let node = Node {
                member: inner.is_empty() || inner.contains_key("."),
                below: Self::of_fields_v1(inner),
            };
            set.nodes.insert(canonical(step), node);
        }
        set
    }

    /// Whether there is no path in it.
    pub fn is_empty(&self) -> bool {
        self.nodes.values().all(|n| !n.member && n.below.is_empty())
    }

    /// Adds a path; the empty path is no field.
    pub(super) fn insert(&mut self, path: &[String]) {
        if let Some((first, rest)) = path.split_first() {
            let node = self.nodes.entry(first.clone()).or_default();
            if rest.is_empty() {
                node.member = true;
            } else {
                node.below.insert(rest);
            }
        }
    }

    /// Whether the path is in it.
    pub(super) fn contains(&self, path: &[String]) -> bool {
        match path {
            [] => false,
            [last] => self.has(last),
            [first, rest @ ..] => self.below(first).is_some_and(|set| set.contains(rest)),
        }
    }

    /// Whether the path of one step is in it.
    pub(super) fn has(&self, step: &str) -> bool {
        self.nodes.get(step).is_some_and(|node| node.member)
    }

    /// The paths below a step.
    pub(super) fn below(&self, step: &str) -> Option<&Self> {
        self.nodes.get(step).map(|node| &node.below)
    }

    /// Paths in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut all = self.clone();
        for (step, theirs) in &other.nodes {
            let node = all.nodes.entry(step.clone()).or_default();
            node.member |= theirs.member;
            node.below = node.below.union(&theirs.below);
        }
        all
    }

    /// Paths in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.with(other, |own, theirs| own && theirs)
    }

    /// Paths in this one only.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.with(other, |own, theirs| own && !theirs)
    }

    fn with(&self, other: &Self, keep: fn(bool, bool) -> bool) -> Self {
        let none = Node::default();
        let kept = self.nodes.iter().filter_map(|(step, own)| {
            let theirs = other.nodes.get(step).unwrap_or(&none);
            let joint = Node {
                member: keep(own.member, theirs.member),
                below: own.below.with(&theirs.below, keep),
            };
            (joint.member || !joint.below.is_empty()).then(|| (step.clone(), joint))
        });
        Self {
            nodes: kept.collect(),
        }
    }

    /// The set with every struct field on the way to a path in it, as the API server counts ownership of structs.
    #[must_use]
    pub(super) fn with_named_parents(&self, schema: Schema<'_>) -> Self {
        let nodes = self.nodes.iter().map(|(step, own)| {
            let name = step.strip_prefix("f:");
            let inside = name.map_or_else(|| schema.item(), |name| schema.field(name));
            let is_field = name.is_some_and(|name| schema.names(name));
            let node = Node {
                member: own.member || (is_field && !own.below.nodes.is_empty()),
                below: own.below.with_named_parents(inside),
            };
            (step.clone(), node)
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Paths for which the answer is yes.
    #[must_use]
    pub(super) fn filtered(&self, keep: &dyn Fn(&[String]) -> bool) -> Self {
        let mut path = Vec::new();
        let mut kept = Self::default();
        self.visit(&mut path, &mut |path| {
            if keep(path) {
                kept.insert(path);
            }
        });
        kept
    }

    fn visit(&self, path: &mut Vec<String>, see: &mut dyn FnMut(&[String])) {
        for (step, node) in &self.nodes {
            path.push(step.clone());
            if node.member {
                see(path);
            }
            node.below.visit(path, see);
            path.pop();
        }
    }

    /// Without the fields that are part of a key of several fields: an element needs them to stay itself.
    #[must_use]
    pub fn without_key_fields(&self) -> Self {
        self.filtered(&|path| {
            let Some(field) = path.last().and_then(|step| step.strip_prefix("f:")) else {
                return true;
            };
            !path.iter().any(|step| {
                let keys = step
                    .strip_prefix("k:")
                    .and_then(|text| serde_json::from_str::<Map<String, Value>>(text).ok());
                keys.is_some_and(|keys| keys.len() > 1 && keys.contains_key(field))
            })
        })
    }
}

//! Sets of field paths, in the form `metadata.managedFields` writes them (FieldsV1).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::atom::{Atom, atom};
use crate::sim::schema::{Base, Type};

/// One path element as FieldsV1 writes it: `f:replicas`, `k:{"name":"web"}`, `v:"a"`.
pub(crate) type Step = String;

/// A set of paths. Each node says whether the path that ends there is in the set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldSet {
    nodes: BTreeMap<Step, Node>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Node {
    member: bool,
    below: FieldSet,
}

impl Node {
    fn is_empty(&self) -> bool {
        !self.member && self.below.is_empty()
    }
}

/// The step to a member.
pub(crate) fn field_step(name: &str) -> Step {
    format!("f:{name}")
}

impl FieldSet {
    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Adds a path; the empty path is no field.
    pub(crate) fn insert(&mut self, path: &[Step]) {
        let Some((first, rest)) = path.split_first() else {
            return;
        };
        let node = self.nodes.entry(first.clone()).or_default();
        if rest.is_empty() {
            node.member = true;
        } else {
            node.below.insert(rest);
        }
    }

    /// Whether the one-step path is in the set.
    pub(crate) fn has(&self, step: &str) -> bool {
        self.nodes.get(step).is_some_and(|n| n.member)
    }

    /// What lies below a step, when anything does.
    pub(crate) fn below(&self, step: &str) -> Option<&Self> {
        let node = self.nodes.get(step)?;
        (!node.below.is_empty()).then_some(&node.below)
    }

    /// Every path of the set, in order.
    pub(crate) fn paths(&self) -> Vec<Vec<Step>> {
        let mut paths = Vec::new();
        for (step, node) in &self.nodes {
            if node.member {
                paths.push(vec![step.clone()]);
            }
            for mut path in node.below.paths() {
                path.insert(0, step.clone());
                paths.push(path);
            }
        }
        paths
    }

    /// Paths of either.
    pub(crate) fn union(&self, other: &Self) -> Self {
        let mut union = self.clone();
        for (step, node) in &other.nodes {
            let mine = union.nodes.entry(step.clone()).or_default();
            mine.member |= node.member;
            mine.below = mine.below.union(&node.below);
        }
        union
    }

    /// Paths of both.
    pub(crate) fn intersection(&self, other: &Self) -> Self {
        self.combine(|step, node| {
            let theirs = other.nodes.get(step)?;
            Some(Node {
                member: node.member && theirs.member,
                below: node.below.intersection(&theirs.below),
            })
        })
    }

    /// Paths of this one that are not in the other; what lies below a removed path stays.
    pub(crate) fn difference(&self, other: &Self) -> Self {
        self.combine(|step, node| match other.nodes.get(step) {
            None => Some(node.clone()),
            Some(theirs) => Some(Node {
                member: node.member && !theirs.member,
                below: node.below.difference(&theirs.below),
            }),
        })
    }

    /// Without a top-level field and all below it.
    pub(crate) fn without_field(&self, name: &str) -> Self {
        let gone = field_step(name);
        self.combine(|step, node| (step != gone).then(|| node.clone()))
    }

    fn combine(&self, keep: impl Fn(&str, &Node) -> Option<Node>) -> Self {
        let nodes = self.nodes.iter();
        Self {
            nodes: nodes
                .filter_map(|(step, node)| Some((step.clone(), keep(step, node)?)))
                .filter(|(_, node)| !node.is_empty())
                .collect(),
        }
    }

    /// With every struct field that leads to a path as a path of its own.
    pub(crate) fn with_named_fields(&self, ty: &Type) -> Self {
        let nodes = self.nodes.iter().map(|(step, node)| {
            let named = step.strip_prefix("f:").and_then(|name| ty.field(name));
            let node = Node {
                member: node.member || (named.is_some() && !node.below.is_empty()),
                below: node.below.with_named_fields(&below_type(ty, step)),
            };
            (step.clone(), node)
        });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Reads FieldsV1.
    pub(crate) fn from_fields_v1(fields: &Value) -> Self {
        let members = fields.as_object().into_iter().flatten();
        let nodes = members
            .filter(|(step, _)| *step != ".")
            .map(|(step, value)| {
                let below = Self::from_fields_v1(value);
                let node = Node {
                    member: below.is_empty() || value.get(".").is_some(),
                    below,
                };
                (step.clone(), node)
            });
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Writes FieldsV1.
    pub(crate) fn to_fields_v1(&self) -> Value {
        let nodes = self.nodes.iter().map(|(step, node)| {
            let mut below = match node.below.to_fields_v1() {
                Value::Object(map) => map,
                _ => Map::new(),
            };
            if node.member && !below.is_empty() {
                below.insert(".".to_owned(), Value::Object(Map::new()));
            }
            (step.clone(), Value::Object(below))
        });
        Value::Object(nodes.collect())
    }
}

/// The type a step leads to.
fn below_type(ty: &Type, step: &str) -> Type {
    let any = || Type {
        base: Base::Any,
        atomic: false,
    };
    match atom(ty, None) {
        Atom::Map(map) => {
            let name = step.strip_prefix("f:").unwrap_or(step);
            map.member(name).map_or_else(any, |(ty, _)| ty.clone())
        }
        Atom::List(item, _) => item.clone(),
        Atom::Scalar => any(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_v1_survives_reading_and_writing() {
        let fields = json!({
            "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
            "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                "k:{\"name\":\"web\"}": {".": {}, "f:image": {}},
            }}}},
        });
        assert_eq!(FieldSet::from_fields_v1(&fields).to_fields_v1(), fields);
    }

    #[test]
    fn difference_takes_single_paths_and_leaves_what_is_below() {
        let set = FieldSet::from_fields_v1(&json!({"f:spec": {".": {}, "f:a": {}, "f:b": {}}}));
        let gone = FieldSet::from_fields_v1(&json!({"f:spec": {".": {}, "f:a": {}}}));
        assert_eq!(
            set.difference(&gone).to_fields_v1(),
            json!({"f:spec": {"f:b": {}}})
        );
        assert!(set.difference(&set).is_empty());
        assert_eq!(set.intersection(&gone), gone);
    }
}

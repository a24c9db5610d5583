//! Structural pruning: which fields of a custom object the API server drops because its type does not have them.
//!
//! Rules: apiextensions-apiserver `pkg/apiserver/schema/pruning`. A field is kept where the type names it, where the type is a map, and where
//! it is marked with `x-kubernetes-preserve-unknown-fields`; metadata has a type of its own. Where the type here is not known to be complete,
//! everything is kept.

use serde_json::Value;

use super::CustomSchema;
use crate::drift::path::{Path, Step};

/// What every object has beside what its type names.
const OF_EVERY_OBJECT: [&str; 3] = ["apiVersion", "kind", "metadata"];

impl CustomSchema {
    /// The places of an object that the server drops, the outermost of each, in the object's order.
    pub fn unknown_fields(&self, object: &Value) -> Vec<Path> {
        let mut found = Vec::new();
        let mut here = Path::root();
        self.look(object, true, &mut here, &mut found);
        found
    }

    /// Git's version as the server would store it beside this live one; `None` when it would keep every field, or nobody knows: a definition
    /// with `preserveUnknownFields` publishes the same type as one without, and a live object with a field that its type lacks gives it away.
    pub fn as_stored(&self, wanted: &Value, live: Option<&Value>) -> Option<Value> {
        let drops = !self.unknown_fields(wanted).is_empty();
        let keeps = live.is_some_and(|live| !self.unknown_fields(live).is_empty());
        (drops && !keeps).then(|| {
            let mut stored = wanted.clone();
            self.prune(&mut stored);
            stored
        })
    }

    /// Takes out what the server drops.
    pub fn prune(&self, object: &mut Value) {
        self.cut(object, true);
    }

    /// Whether a field of an object here is dropped.
    fn drops(&self, name: &str, is_object: bool) -> bool {
        let of_every_object = (is_object || self.embedded) && OF_EVERY_OBJECT.contains(&name);
        self.closed && !of_every_object && self.field(name).is_none()
    }

    /// The type that a kept field is followed with; metadata's is not this one's to know.
    fn below(&self, name: &str, is_object: bool) -> Option<&Self> {
        let metadata = (is_object || self.embedded) && name == "metadata";
        self.field(name).filter(|_| !metadata)
    }

    fn look(&self, value: &Value, is_object: bool, here: &mut Path, found: &mut Vec<Path>) {
        match value {
            Value::Object(map) => {
                for (name, inner) in map {
                    here.push(Step::Field(name.clone()));
                    if self.drops(name, is_object) {
                        found.push(here.clone());
                    } else if let Some(below) = self.below(name, is_object) {
                        below.look(inner, false, here, found);
                    }
                    here.pop();
                }
            }
            Value::Array(items) => {
                let Some(item) = self.item() else { return };
                for (index, inner) in items.iter().enumerate() {
                    here.push(Step::Index(index));
                    item.look(inner, false, here, found);
                    here.pop();
                }
            }
            _ => {}
        }
    }

    fn cut(&self, value: &mut Value, is_object: bool) {
        match value {
            Value::Object(map) => {
                map.retain(|name, _| !self.drops(name, is_object));
                for (name, inner) in map.iter_mut() {
                    if let Some(below) = self.below(name, is_object) {
                        below.cut(inner, false);
                    }
                }
            }
            Value::Array(items) => {
                if let Some(item) = self.item() {
                    items.iter_mut().for_each(|inner| item.cut(inner, false));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema() -> CustomSchema {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {
            "apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object", "properties": {"name": {"type": "string"}}},
            "spec": {"type": "object", "properties": {
                "mode": {"type": "string"},
                "labels": {"type": "object", "additionalProperties": {"type": "string"}},
                "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": true, "properties": {"known": {"type": "object", "properties": {"a": {"type": "integer"}}}}},
                "free": {"type": "object"},
                "template": {"type": "object", "x-kubernetes-embedded-resource": true, "properties": {"spec": {"type": "object", "properties": {"x": {"type": "integer"}}}}},
                "routes": {"type": "array", "items": {"type": "object", "properties": {"host": {"type": "string"}}}},
            }},
        }}}}]}});
        CustomSchema::of_crd(&crd, "v1").unwrap()
    }

    #[test]
    fn what_the_type_does_not_have_is_dropped_at_every_depth_and_nothing_else() {
        let mut object = json!({
            "apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "oslo", "labels": {"a": "b"}},
            "spec": {
                "mode": "auto", "mdoe": "auto", "labels": {"any": "key"},
                "anything": {"goes": 1, "known": {"a": 1, "b": 2}},
                "free": {"kept": true},
                "template": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"x": 1, "y": 2}},
                "routes": [{"host": "a", "prot": 1}, {"host": "b"}],
            },
            "extra": {"deep": {"er": 1}},
        });
        let schema = schema();
        let unknown: Vec<String> = schema
            .unknown_fields(&object)
            .iter()
            .map(Path::to_string)
            .collect();
        let expected = [
            "extra",
            "spec.anything.known.b",
            "spec.mdoe",
            "spec.routes[0].prot",
            "spec.template.spec.y",
        ];
        let mut sorted = unknown.clone();
        sorted.sort();
        assert_eq!(sorted, expected);
        schema.prune(&mut object);
        assert_eq!(schema.unknown_fields(&object), Vec::new());
        assert_eq!(
            object["spec"]["anything"],
            json!({"goes": 1, "known": {"a": 1}})
        );
        assert_eq!(object["spec"]["free"], json!({"kept": true}));
        assert_eq!(object["metadata"]["labels"], json!({"a": "b"}));
    }

    #[test]
    fn a_type_that_nobody_described_drops_nothing() {
        let object = json!({"spec": {"a": 1}});
        assert_eq!(CustomSchema::default().unknown_fields(&object), Vec::new());
    }
}

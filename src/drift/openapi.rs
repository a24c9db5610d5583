//! How the API server treats the lists and maps of a custom kind, read from its OpenAPI schema (or from its CustomResourceDefinition).
//!
//! Only what a comparison needs is kept: which fields are named, how lists are told apart (`x-kubernetes-list-type`,
//! `x-kubernetes-list-map-keys`), what is one indivisible value (`x-kubernetes-map-type: atomic`), what the server fills in, and which texts
//! have several spellings. Everything else is dropped, so that a fleet's schemas stay small. Recursive schemas end where a reference would
//! enter itself; what is below is deduced from the values.

mod fill;
mod prune;

use std::collections::BTreeMap;

use serde_json::Value;

use super::schema::{Kind, Shape};
use crate::domain::Gvk;

/// How deep a schema is followed; real ones end far above.
const DEPTH: usize = 40;

/// How the elements of a list are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListBy {
    /// Not at all: the list is one value. What the API server assumes unless it is told otherwise.
    #[default]
    Atomic,
    /// By their own value.
    Set,
    /// By the values of these fields.
    Keyed(Vec<String>),
}

/// What is known of one place of a custom kind and of all below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomSchema {
    fields: BTreeMap<String, Self>,
    values: Option<Box<Self>>,
    item: Option<Box<Self>>,
    by: ListBy,
    atomic: bool,
    /// Whether the server drops what is not named here.
    closed: bool,
    /// Whether it is a whole object, with metadata of its own.
    embedded: bool,
    default: Option<Value>,
    /// Whether null is a value of its own here; otherwise the server drops it.
    nullable: bool,
    spelling: Spelling,
}

/// A type whose values can be written in several ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Spelling {
    /// Equal values are written alike.
    #[default]
    Exact,
    /// A `resource.Quantity`, told by the pattern that its Go type is published with.
    Quantity,
    /// `format: date-time`.
    Time,
    /// `format: duration`.
    Duration,
    /// `format: byte`.
    Bytes,
}

impl CustomSchema {
    /// Reads the schema of a kind out of an OpenAPI v3 document (`/openapi/v3/apis/GROUP/VERSION`); `None` when it holds none.
    pub fn of_openapi(document: &Value, gvk: &Gvk) -> Option<Self> {
        let schemas = document.pointer("/components/schemas")?.as_object()?;
        let schema = schemas.values().find(|schema| is_of_kind(schema, gvk))?;
        Some(Reader { document }.read(schema, &mut Vec::new()))
    }

    /// Reads the schema of one version out of a CustomResourceDefinition.
    pub fn of_crd(definition: &Value, version: &str) -> Option<Self> {
        let versions = definition.pointer("/spec/versions")?.as_array()?;
        let named = |v: &&Value| v.get("name").and_then(Value::as_str) == Some(version);
        let schema = versions
            .iter()
            .find(named)?
            .pointer("/schema/openAPIV3Schema")?;
        let reader = Reader {
            document: &Value::Null,
        };
        Some(reader.read(schema, &mut Vec::new()))
    }

    /// What is known of a field, or of a value of a map.
    pub fn field(&self, name: &str) -> Option<&Self> {
        self.fields.get(name).or(self.values.as_deref())
    }

    /// Whether the schema names the field, as against a key of a map.
    pub fn names(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// What is known of a list's elements.
    pub fn item(&self) -> Option<&Self> {
        self.item.as_deref()
    }

    /// How the list here is keyed; `None` when there is none.
    pub fn list(&self) -> Option<&ListBy> {
        self.item.is_some().then_some(&self.by)
    }

    /// Whether changes inside are changes of the whole.
    pub fn is_atomic(&self) -> bool {
        self.atomic || (self.item.is_some() && self.by == ListBy::Atomic)
    }

    /// The type of the value here, as far as its spelling goes.
    pub fn shape(&self) -> Shape {
        match self.spelling {
            Spelling::Exact => Shape::UNKNOWN,
            Spelling::Quantity => Shape::scalar(&Kind::Quantity),
            Spelling::Time => Shape::scalar(&Kind::Time),
            Spelling::Duration => Shape::scalar(&Kind::Duration),
            Spelling::Bytes => Shape::scalar(&Kind::Bytes),
        }
    }

    /// What the server fills in where the field is left out.
    pub fn default_value(&self) -> Option<&Value> {
        self.default.as_ref()
    }
}

fn is_of_kind(schema: &Value, gvk: &Gvk) -> bool {
    let kinds = schema
        .get("x-kubernetes-group-version-kind")
        .and_then(Value::as_array);
    kinds.into_iter().flatten().any(|kind| {
        let text = |key: &str| kind.get(key).and_then(Value::as_str).unwrap_or_default();
        text("group") == &*gvk.group
            && text("version") == &*gvk.version
            && text("kind") == &*gvk.kind
    })
}

/// Follows the references of one document.
struct Reader<'d> {
    document: &'d Value,
}

impl<'d> Reader<'d> {
    /// Reads a schema; `entered` are the references on the way to it.
    fn read(&self, schema: &'d Value, entered: &mut Vec<&'d str>) -> CustomSchema {
        if entered.len() > DEPTH {
            return CustomSchema::default();
        }
        // Published schemas wrap a reference in `allOf` to give it a default or a description of its own.
        let inner = schema.pointer("/allOf/0").unwrap_or(schema);
        if let Some(reference) = inner.get("$ref").and_then(Value::as_str) {
            return self.refer(schema, reference, entered);
        }
        entered.push("");
        let read = self.members(schema, entered);
        entered.pop();
        read
    }

    fn refer(
        &self,
        schema: &'d Value,
        reference: &'d str,
        entered: &mut Vec<&'d str>,
    ) -> CustomSchema {
        let target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.document.pointer(pointer));
        let Some(target) = target.filter(|_| !entered.contains(&reference)) else {
            return CustomSchema::default();
        };
        entered.push(reference);
        let mut read = self.read(target, entered);
        entered.pop();
        if let Some(default) = schema.get("default") {
            read.default = Some(default.clone());
        }
        read
    }

    fn members(&self, schema: &'d Value, entered: &mut Vec<&'d str>) -> CustomSchema {
        let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
        let properties = schema.get("properties").and_then(Value::as_object);
        let mut below = |key: &str| {
            let inner = schema.get(key).filter(|s| s.is_object())?;
            Some(Box::new(self.read(inner, entered)))
        };
        let (values, item) = (below("additionalProperties"), below("items"));
        let fields: BTreeMap<_, _> = properties
            .into_iter()
            .flatten()
            .map(|(name, inner)| (name.clone(), self.read(inner, entered)))
            .collect();
        CustomSchema {
            closed: !fields.is_empty() && !is_open(schema),
            embedded: is_marked(schema, "x-kubernetes-embedded-resource"),
            fields,
            values,
            item,
            by: list_by(schema),
            atomic: text("x-kubernetes-map-type") == "atomic",
            default: schema.get("default").cloned(),
            nullable: is_marked(schema, "nullable"),
            spelling: spelling(schema),
        }
    }
}

fn is_marked(schema: &Value, mark: &str) -> bool {
    schema.get(mark) == Some(&Value::Bool(true))
}

/// Whether fields that the schema does not name are kept. Types of aggregated APIs leave a free object without properties.
fn is_open(schema: &Value) -> bool {
    is_marked(schema, "x-kubernetes-preserve-unknown-fields")
        || schema.get("additionalProperties").is_some()
}

/// The part of a quantity's published pattern that no other type has (controller-tools and apimachinery write the same).
const QUANTITY: &str = "[KMGTPE]i";

fn spelling(schema: &Value) -> Spelling {
    let text = |key: &str| schema.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("format") {
        "date-time" => Spelling::Time,
        "duration" => Spelling::Duration,
        "byte" => Spelling::Bytes,
        "quantity" => Spelling::Quantity,
        _ if text("pattern").contains(QUANTITY) => Spelling::Quantity,
        _ => Spelling::Exact,
    }
}

fn list_by(schema: &Value) -> ListBy {
    let keys = schema
        .get("x-kubernetes-list-map-keys")
        .and_then(Value::as_array);
    match schema.get("x-kubernetes-list-type").and_then(Value::as_str) {
        Some("set") => ListBy::Set,
        Some("map") => {
            let names = keys.into_iter().flatten().filter_map(Value::as_str);
            ListBy::Keyed(names.map(str::to_owned).collect())
        }
        _ => ListBy::Atomic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn crd() -> Value {
        json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
            "routes": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host", "port"],
                "items": {"type": "object", "properties": {"host": {"type": "string"}, "port": {"type": "integer", "default": 443}}}},
            "zones": {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}},
            "args": {"type": "array", "items": {"type": "string"}},
            "selector": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
            "memory": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true,
                "pattern": r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"},
            "port": {"anyOf": [{"type": "integer"}, {"type": "string"}], "x-kubernetes-int-or-string": true},
            "renewed": {"type": "string", "format": "date-time"},
        }}}}}}]}})
    }

    #[test]
    fn lists_and_maps_are_what_the_definition_says() {
        let schema = CustomSchema::of_crd(&crd(), "v1").unwrap();
        let spec = schema.field("spec").unwrap();
        let list = |name: &str| spec.field(name).unwrap().list().cloned();
        assert_eq!(
            list("routes"),
            Some(ListBy::Keyed(vec!["host".to_owned(), "port".to_owned()]))
        );
        assert_eq!(list("zones"), Some(ListBy::Set));
        assert_eq!(list("args"), Some(ListBy::Atomic));
        assert!(spec.field("selector").unwrap().is_atomic());
        let port = spec.field("routes").unwrap().item().unwrap().field("port");
        assert_eq!(port.unwrap().default_value(), Some(&json!(443)));
        assert_eq!(CustomSchema::of_crd(&crd(), "v2"), None);
    }

    #[test]
    fn spellings_are_told_by_format_and_by_the_pattern_of_quantities() {
        let schema = CustomSchema::of_crd(&crd(), "v1").unwrap();
        let spec = schema.field("spec").unwrap();
        let kind = |name: &str| spec.field(name).unwrap().shape().kind();
        assert_eq!(kind("memory"), Some(&Kind::Quantity));
        assert_eq!(kind("renewed"), Some(&Kind::Time));
        // A port's number is not its name.
        assert_eq!(kind("port"), None);
        assert_eq!(kind("args"), None);
    }

    #[test]
    fn an_openapi_document_is_followed_through_its_references_and_recursion_ends() {
        let gvk = Gvk::new("edge.example", "v1", "Tunnel");
        let document = json!({"components": {"schemas": {
            "example.edge.v1.Tunnel": {"type": "object", "x-kubernetes-group-version-kind": [{"group": "edge.example", "version": "v1", "kind": "Tunnel"}],
                "properties": {"spec": {"default": {}, "allOf": [{"$ref": "#/components/schemas/Node"}]}}},
            "Node": {"type": "object", "properties": {
                "children": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"], "items": {"$ref": "#/components/schemas/Node"}}}},
        }}});
        let schema = CustomSchema::of_openapi(&document, &gvk).unwrap();
        let children = schema.field("spec").unwrap().field("children").unwrap();
        assert_eq!(children.list(), Some(&ListBy::Keyed(vec!["id".to_owned()])));
        assert_eq!(children.item().unwrap().field("children"), None);
        assert_eq!(
            CustomSchema::of_openapi(&document, &Gvk::new("edge.example", "v2", "Tunnel")),
            None
        );
    }
}

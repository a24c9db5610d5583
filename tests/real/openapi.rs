//! The server's own OpenAPI documents: how each list is keyed, what is one value, what a field may hold. Knows nothing of driftdeck.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::workshop::Desk;

/// The documents of the versions that some objects are of.
pub(crate) struct Schemas(HashMap<String, Value>);

/// How the elements of a list are told apart.
#[derive(Debug, PartialEq)]
pub(crate) enum Elements<'s> {
    /// The list is one value.
    Ordered,
    /// By their own value.
    Set,
    /// By these fields.
    Map(Vec<&'s str>),
}

/// The type of one value; may be unknown.
#[derive(Clone, Copy)]
pub(crate) struct Type<'s> {
    document: &'s Value,
    node: &'s Value,
}

impl Schemas {
    /// Fetches what is needed for these objects.
    pub(crate) async fn of(desk: &Desk, objects: impl Iterator<Item = &Value>) -> Self {
        let versions: BTreeSet<&str> = objects.filter_map(|o| o["apiVersion"].as_str()).collect();
        let mut documents = HashMap::new();
        for version in versions {
            let root = if version.contains('/') { "apis" } else { "api" };
            let path = format!("/openapi/v3/{root}/{version}");
            let document = published(desk, &path).await;
            documents.insert(version.to_owned(), document);
        }
        Self(documents)
    }

    /// The type of an object.
    pub(crate) fn of_object(&self, object: &Value) -> Type<'_> {
        let version = object["apiVersion"].as_str().unwrap();
        let document = &self.0[version];
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let is_it = |schema: &&Value| {
            let kinds = schema["x-kubernetes-group-version-kind"].as_array();
            kinds.is_some_and(|all| {
                let only = all.len() == 1;
                all.iter().any(|k| {
                    only && k["group"] == group
                        && k["version"] == version
                        && k["kind"] == object["kind"]
                })
            })
        };
        let schemas = document["components"]["schemas"].as_object().unwrap();
        let node = schemas.values().find(is_it);
        let node = node.unwrap_or_else(|| panic!("no schema of {} {version}", object["kind"]));
        Type { document, node }
    }
}

/// The document of a new kind is published a moment after the kind is served.
async fn published(desk: &Desk, path: &str) -> Value {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match desk.get(path).await {
            Ok(document) => return document,
            Err(e) => assert!(Instant::now() < deadline, "{path} was not published: {e}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

impl<'s> Type<'s> {
    /// A property of the node itself, else of what it refers to.
    fn get(self, key: &str) -> &'s Value {
        let own = &self.node[key];
        if !own.is_null() {
            return own;
        }
        let referred = self.node["allOf"]
            .as_array()
            .into_iter()
            .flatten()
            .chain(std::iter::once(self.node));
        for node in referred {
            if let Some(target) = node["$ref"].as_str() {
                let target = self
                    .document
                    .pointer(target.trim_start_matches('#'))
                    .unwrap_or(&Value::Null);
                let found = self.at(target).get(key);
                if !found.is_null() {
                    return found;
                }
            }
        }
        &Value::Null
    }

    fn at(self, node: &'s Value) -> Self {
        Self { node, ..self }
    }

    /// The type of a field, or of a value of a map.
    pub(crate) fn field(self, name: &str) -> Self {
        let field = &self.get("properties")[name];
        self.at(if field.is_null() {
            self.get("additionalProperties")
        } else {
            field
        })
    }

    /// The fields that the type names.
    pub(crate) fn fields(self) -> Vec<(&'s str, Self)> {
        let fields = self.get("properties").as_object().into_iter().flatten();
        fields
            .map(|(name, node)| (name.as_str(), self.at(node)))
            .collect()
    }

    /// The type of a map's values, `None` when it is no map.
    pub(crate) fn values(self) -> Option<Self> {
        let node = self.get("additionalProperties");
        node.is_object().then_some(self.at(node))
    }

    /// The type of an element.
    pub(crate) fn item(self) -> Self {
        self.at(self.get("items"))
    }

    /// `string`, `integer`, `object`, and so on; empty when unknown.
    pub(crate) fn kind(self) -> &'s str {
        self.get("type").as_str().unwrap_or_default()
    }

    /// The values that are allowed, empty when any is.
    pub(crate) fn choices(self) -> Vec<Value> {
        self.get("enum").as_array().cloned().unwrap_or_default()
    }

    /// What the server fills in.
    pub(crate) fn default(self) -> Option<Value> {
        Some(self.get("default").clone()).filter(|v| !v.is_null())
    }

    /// Whether a map or struct is one value.
    pub(crate) fn is_atomic(self) -> bool {
        self.get("x-kubernetes-map-type") == "atomic"
    }

    /// How elements are told apart.
    pub(crate) fn elements(self) -> Elements<'s> {
        let keys = self.get("x-kubernetes-list-map-keys").as_array();
        match self.get("x-kubernetes-list-type").as_str() {
            Some("map") => Elements::Map(
                keys.into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect(),
            ),
            Some("set") => Elements::Set,
            _ => Elements::Ordered,
        }
    }
}

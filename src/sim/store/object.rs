//! One stored object: its name, the few things lists select by, and its document as compact bytes.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::mold::{Pattern, Stamp};
use super::{KindRef, value};
use crate::domain::Name;

/// Which object is meant. `namespace` is empty for cluster-scoped kinds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its kind.
    pub kind: KindRef,
    /// Its namespace, empty when it has none.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

impl Key {
    /// Makes one; the namespace is dropped for cluster-scoped kinds.
    pub fn new(kind: KindRef, namespace: &str, name: &str) -> Self {
        let namespace = if kind.namespaced { namespace } else { "" };
        Self {
            kind,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Its URL path.
    pub fn path(&self) -> String {
        let namespace = (!self.namespace.is_empty()).then_some(&*self.namespace);
        format!("{}/{}", self.kind.path(namespace), self.name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}

/// A document without its `apiVersion` and `kind`.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    /// Compact JSON.
    Packed(Bytes),
    /// The same for many clusters but for some words.
    Cast(Arc<Pattern>, Arc<Stamp>),
}

/// One object at one resource version. Cheap to hold: the document is bytes until somebody reads it.
#[derive(Clone, Debug)]
pub struct Object {
    /// Which object it is.
    pub key: Key,
    /// `metadata.uid`.
    pub uid: Name,
    /// `metadata.resourceVersion`.
    pub resource_version: u64,
    /// `metadata.labels`.
    pub labels: Vec<(Name, Name)>,
    /// Its document.
    pub(crate) body: Body,
}

impl PartialEq for Object {
    /// Objects are equal when they read alike, however they are kept.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.bare() == other.bare()
    }
}

impl Object {
    /// Packs a complete document.
    pub(crate) fn pack(key: Key, document: &Value) -> Self {
        let metadata = &document["metadata"];
        let labels = metadata["labels"].as_object().map_or_else(Vec::new, |map| {
            map.iter()
                .filter_map(|(k, v)| Some((k.as_str().into(), v.as_str()?.into())))
                .collect()
        });
        Self {
            key,
            uid: value::text(metadata, "uid").into(),
            resource_version: value::text(metadata, "resourceVersion")
                .parse()
                .unwrap_or_default(),
            labels,
            body: Body::Packed(bare(document).into()),
        }
    }

    /// The document as compact JSON, without `apiVersion` and `kind`: lists of built-in kinds leave them out.
    pub(crate) fn bare(&self) -> Bytes {
        match &self.body {
            Body::Packed(bytes) => bytes.clone(),
            Body::Cast(pattern, stamp) => pattern.fill(stamp).into(),
        }
    }

    /// The document.
    pub fn value(&self) -> Value {
        // The bytes were written by `pack`.
        serde_json::from_slice(&self.json()).unwrap_or_default()
    }

    /// The document as JSON.
    pub fn json(&self) -> Vec<u8> {
        let kind = self.key.kind;
        let mut json = format!(
            r#"{{"kind":"{}","apiVersion":"{}""#,
            kind.kind,
            kind.api_version()
        )
        .into_bytes();
        let bare = self.bare();
        let rest = bare.get(1..).unwrap_or_default();
        if rest.len() > 1 {
            json.push(b',');
        }
        json.extend_from_slice(rest);
        json
    }
}

/// The document without its `apiVersion` and `kind`, as JSON.
fn bare(document: &Value) -> Vec<u8> {
    struct Bare<'a>(&'a Map<String, Value>);
    impl Serialize for Bare<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let rest = self.0.iter();
            serializer.collect_map(rest.filter(|(k, _)| *k != "apiVersion" && *k != "kind"))
        }
    }
    let members = document.as_object().map(Bare);
    // Serialising JSON values cannot fail: their keys are strings.
    members
        .and_then(|m| serde_json::to_vec(&m).ok())
        .unwrap_or_else(|| b"{}".to_vec())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::store::KindSet;

    #[test]
    fn a_packed_object_gives_its_document_back() {
        let kind = KindSet::bare().by_kind("v1", "ConfigMap").unwrap();
        let document = json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "settings", "namespace": "edge", "uid": "u", "resourceVersion": "7", "labels": {"app": "web"}},
            "data": {"level": "info"},
        });
        let object = Object::pack(Key::new(kind, "edge", "settings"), &document);
        assert_eq!(object.value(), document);
        assert_eq!(object.resource_version, 7);
        assert_eq!(object.labels, [("app".into(), "web".into())]);
        assert!(!object.bare().starts_with(b"{\"apiVersion"));
    }
}

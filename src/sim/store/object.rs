//! One stored object: its name, the few things lists select by, and its document as compact bytes.

use std::fmt;

use bytes::Bytes;
use serde_json::Value;

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

/// One object at one resource version. Cheap to hold: the document is bytes until somebody reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Which object it is.
    pub key: Key,
    /// `metadata.uid`.
    pub uid: Name,
    /// `metadata.resourceVersion`.
    pub resource_version: u64,
    /// `metadata.labels`.
    pub labels: Vec<(Name, Name)>,
    /// The whole document as compact JSON.
    pub body: Bytes,
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
            // Serialising a Value cannot fail: its keys are strings.
            body: serde_json::to_vec(document).unwrap_or_default().into(),
        }
    }

    /// The document.
    pub fn value(&self) -> Value {
        // The bytes were written by `pack`.
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

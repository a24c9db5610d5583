//! What of a live object is content: everything that is neither status nor the server's own bookkeeping. Its hash says whether two looks saw the same.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// Metadata that the server writes for itself and that changes without anybody changing the object.
const SERVER_METADATA: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "uid",
    "selfLink",
];

/// The object without status and the server's own metadata.
pub(super) fn content(object: &Value) -> Value {
    let mut content = object.clone();
    if let Some(map) = content.as_object_mut() {
        map.remove("status");
    }
    if let Some(metadata) = content.get_mut("metadata").and_then(Value::as_object_mut) {
        for key in SERVER_METADATA {
            metadata.remove(key);
        }
    }
    content
}

/// A hash of an object's content that stays in memory: of a Secret it would tell something, so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq)]
pub struct ContentHash(String);

impl ContentHash {
    /// Hashes the content of an object.
    pub fn of(object: &Value) -> Self {
        Self(hash(&content(object)))
    }

    /// The hash, for what binds a confirmation to it.
    pub(super) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentHash(…)")
    }
}

/// SHA-256 over the compact JSON of a value, in hex. Keys are sorted, so equal values hash equally.
pub(super) fn hash(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string().as_bytes()))
}

/// HMAC-SHA-256 over the compact JSON of a value, in hex: equal for equal values, and worth nothing without the key.
pub(super) fn keyed_hash(key: &[u8], value: &Value) -> String {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(value.to_string().as_bytes());
            hex(&mac.finalize().into_bytes())
        }
        // HMAC takes keys of every length; without one there is nothing safe to print.
        Err(_) => String::new(),
    }
}

/// Lower-case hex.
pub(super) fn hex(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Text at a JSON pointer, empty when there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether an object is a core Secret, whose values no person or file may see.
pub(super) fn is_secret(object: &Value) -> bool {
    text(object, "/apiVersion") == "v1" && text(object, "/kind") == "Secret"
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn deployment(replicas: u32, rv: &str, ready: u32) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "edge-microservice", "namespace": "edge", "uid": "u-1", "resourceVersion": rv, "generation": 3, "managedFields": [{"manager": rv}]},
            "spec": {"replicas": replicas}, "status": {"readyReplicas": ready}
        })
    }

    #[test]
    fn status_and_bookkeeping_do_not_change_the_hash() {
        assert_eq!(
            ContentHash::of(&deployment(3, "10", 1)),
            ContentHash::of(&deployment(3, "11", 3))
        );
    }

    #[test]
    fn a_changed_field_changes_the_hash() {
        assert_ne!(
            ContentHash::of(&deployment(3, "10", 1)),
            ContentHash::of(&deployment(1, "10", 1))
        );
    }

    #[test]
    fn a_content_hash_prints_nothing_of_itself() {
        assert_eq!(
            format!("{:?}", ContentHash::of(&json!({}))),
            "ContentHash(…)"
        );
    }

    #[test]
    fn a_keyed_hash_needs_the_key() {
        let value = json!({"data": {"password": "aHVudGVyMg=="}});
        assert_eq!(keyed_hash(b"k1", &value), keyed_hash(b"k1", &value));
        assert_ne!(keyed_hash(b"k1", &value), keyed_hash(b"k2", &value));
        assert_ne!(keyed_hash(b"k1", &value), hash(&value));
    }

    #[test]
    fn hashes_are_those_of_the_standard() {
        assert_eq!(
            hash(&json!("")),
            // SHA-256 of the two bytes `""`.
            "12ae32cb1ec02d01eda3581b127c1fee3b0dc53572ed6baf239721a03d82e126"
        );
    }
}

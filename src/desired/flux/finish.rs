//! What Flux does to built objects before it applies them: variables replaced, common labels and annotations set. What SOPS encrypted stays shut.

use serde_json::{Map, Value, json};

use super::settings::CommonMetadata;
use super::substitute::Variables;
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::decode_base64;
use crate::drift::seal::{SealKey, is_secret};
use crate::drift::sops;

/// The last steps.
#[derive(Clone, Copy, Debug)]
pub(in crate::desired) struct Finish<'f> {
    pub(super) variables: &'f Variables,
    pub(super) metadata: &'f CommonMetadata,
}

impl Finish<'_> {
    /// Whether a file needs kustomize for its variables: they are replaced in what kustomize prints, not in what stands in Git.
    pub(in crate::desired) fn needs_printing(&self, text: &[u8]) -> bool {
        !self.variables.is_empty() && text.contains(&b'$')
    }

    /// The objects of a text, finished; with a key, what Secrets gave is sealed.
    ///
    /// # Errors
    /// What cannot be replaced or read; `Encrypted` when the encrypted part says what an object is called.
    pub(in crate::desired) fn objects(
        &self,
        file: &str,
        objects: Vec<Value>,
        text: &str,
        key: Option<&SealKey>,
    ) -> Result<Vec<Value>, Unjudged> {
        let mut finished = Vec::with_capacity(objects.len());
        for object in objects.into_iter().filter(|o| !is_local(o)) {
            check_readable(&object, file)?;
            if sops::is_encrypted(&object) {
                finished.push(object);
                continue;
            }
            let mut object = self.variables.object(file, object, text, key)?;
            self.metadata.set_on(&mut object);
            finished.push(object);
        }
        Ok(finished)
    }
}

impl CommonMetadata {
    /// Sets them on an object, over what stands there.
    pub(in crate::desired) fn set_on(&self, object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        for (place, pairs) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if pairs.is_empty() {
                continue;
            }
            let entry = metadata.entry(place).or_insert(Value::Null);
            if !entry.is_object() {
                *entry = Value::Object(Map::new());
            }
            if let Some(entries) = entry.as_object_mut() {
                entries.extend(pairs.iter().map(|(k, v)| (k.clone(), json!(v))));
            }
        }
    }
}

/// Whether an object is meant for programs on the way only: kustomize leaves it out.
fn is_local(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    let word = annotations.and_then(|a| a.get("config.kubernetes.io/local-config"));
    word.is_some_and(|w| w != "false")
}

/// Refuses what encryption hides the identity of: a name that is encrypted, a Secret generated from an encrypted file, whose name is a hash of it.
fn check_readable(object: &Value, file: &str) -> Result<(), Unjudged> {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    let what = if name.is_some_and(sops::is_encrypted_text) {
        "the name of an object is encrypted"
    } else if holds_encrypted_file(object) {
        "a generated Secret or ConfigMap is made from an encrypted file"
    } else {
        return Ok(());
    };
    Err(unjudged(
        UnjudgedReason::Encrypted,
        format!(
            "In `{file}` {what} with SOPS, and only Flux holds the key: what it deploys cannot be told here; its verdict is Flux's."
        ),
    ))
}

fn holds_encrypted_file(object: &Value) -> bool {
    if sops::is_encrypted(object) {
        return false;
    }
    let data = object.get("data").and_then(Value::as_object);
    let values = data.into_iter().flat_map(Map::values);
    let mut texts = values.filter_map(Value::as_str);
    if is_secret(object) {
        texts.any(|text| {
            let bytes = decode_base64(text).unwrap_or_default();
            sops::is_encrypted_text(&String::from_utf8_lossy(&bytes))
        })
    } else {
        object.get("kind").is_some_and(|k| k == "ConfigMap") && texts.any(sops::is_encrypted_text)
    }
}

//! Secret values, made unreadable before anything is stored: each becomes a keyed token that tells equal from different and nothing else.
//!
//! [`seal`] runs on every object at the border. For core Secrets it folds `stringData` into `data` and replaces every value by
//! `HMAC-SHA-256(key, bytes)`; the key is random for each run of the program, so tokens mean nothing outside it. The last-applied
//! annotation, which repeats a Secret in full, is sealed the same way in whatever object it stands, and so are the annotations that
//! argocd-cm names as sensitive. What cannot be understood is sealed whole: it fails closed.
//!
//! [`Marks`] turns tokens into the `••• 1`, `••• 2` that people see. Numbers count the different values of one key of one object, Git's
//! first, so that equal numbers mean equal values under that key and nothing is told about other keys.

mod marks;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value};
use sha2::Sha256;

use super::scalar::decode_base64;

pub use marks::Marks;

/// The annotation in which `kubectl apply` keeps the manifest it applied.
pub const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// What every token begins with. The brackets are no base64 and no character of an annotation that a program writes.
const PREFIX: &str = "⟦sealed:";

/// The key of this run. Not printable, not comparable, and gone with the process.
#[derive(Clone)]
pub struct SealKey {
    key: [u8; 32],
    /// Annotations whose values are secret, beyond last-applied (`resource.sensitive.mask.annotations` in argocd-cm).
    annotations: Vec<String>,
}

impl std::fmt::Debug for SealKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealKey(…)")
    }
}

impl SealKey {
    /// Takes 32 random bytes, made by the caller once a run.
    pub fn new(key: [u8; 32]) -> Self {
        Self {
            key,
            annotations: Vec::new(),
        }
    }

    /// Also seals the values of these annotations of Secrets.
    #[must_use]
    pub fn with_annotations(mut self, keys: impl IntoIterator<Item = String>) -> Self {
        self.annotations.extend(keys);
        self
    }

    /// The token of a secret's bytes.
    fn token(&self, bytes: &[u8]) -> Value {
        // A key of any length is taken; the fallback keeps the value hidden should that ever change.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else {
            return Value::String(format!("{PREFIX}?⟧"));
        };
        mac.update(bytes);
        let mut token = String::from(PREFIX);
        for byte in mac.finalize().into_bytes() {
            use std::fmt::Write as _;
            // Writing to a String cannot fail.
            let _ = write!(token, "{byte:02x}");
        }
        token.push('⟧');
        Value::String(token)
    }

    /// The token of a value that is no text: its JSON is what counts.
    fn token_of_any(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => self.token(text.as_bytes()),
            other => self.token(other.to_string().as_bytes()),
        }
    }
}

/// Whether a text is a token made by [`seal`].
pub fn is_token(text: &str) -> bool {
    text.strip_prefix(PREFIX)
        .and_then(|rest| rest.strip_suffix('⟧'))
        .is_some_and(|hex| {
            hex == "?" || (hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        })
}

/// Replaces every secret value in the object. Sealing twice changes nothing.
pub fn seal(object: &mut Value, key: &SealKey) {
    let secret = is_secret(object);
    if secret {
        seal_data(object, key);
    }
    seal_annotations(object, key, secret);
}

/// Replaces every scalar of a value by its token, whatever it is; what is empty stays empty.
pub fn seal_whole(value: &mut Value, key: &SealKey) {
    match value {
        Value::Object(map) => map.values_mut().for_each(|inner| seal_whole(inner, key)),
        Value::Array(items) => items.iter_mut().for_each(|inner| seal_whole(inner, key)),
        other if is_sealed(other) => {}
        other => *other = key.token_of_any(other),
    }
}

/// Seals in an object whatever stands where another version of it holds tokens: what a Secret's value was put into is told apart, not shown.
///
/// Elements of lists are found by their name, else by their place; where neither finds one, all of it is sealed.
pub fn seal_alike(object: &mut Value, wanted: &Value, key: &SealKey) {
    match (&mut *object, wanted) {
        (_, Value::String(text)) if is_token(text) => seal_whole(object, key),
        (Value::Object(fields), Value::Object(wanted)) => {
            for (name, value) in fields {
                if let Some(wanted) = wanted.get(name) {
                    seal_alike(value, wanted, key);
                }
            }
        }
        (Value::Array(items), Value::Array(wanted)) if wanted.iter().any(holds_token) => {
            for (place, item) in items.iter_mut().enumerate() {
                match counterpart(item, place, wanted) {
                    Some(wanted) => seal_alike(item, wanted, key),
                    None => seal_whole(item, key),
                }
            }
        }
        _ => {}
    }
}

/// Whether a value holds a token somewhere.
pub fn holds_token(value: &Value) -> bool {
    match value {
        Value::String(text) => is_token(text),
        Value::Object(map) => map.values().any(holds_token),
        Value::Array(items) => items.iter().any(holds_token),
        _ => false,
    }
}

fn counterpart<'w>(item: &Value, place: usize, wanted: &'w [Value]) -> Option<&'w Value> {
    match item.get("name") {
        Some(name) => wanted.iter().find(|w| w.get("name") == Some(name)),
        None => wanted.get(place),
    }
}

/// A core Secret, or something that calls itself one without an API version.
pub fn is_secret(object: &Value) -> bool {
    let text = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    text("kind") == "Secret" && !text("apiVersion").contains('/')
}

fn seal_data(object: &mut Value, key: &SealKey) {
    let Some(secret) = object.as_object_mut() else {
        return;
    };
    let plain = secret.remove("stringData");
    if let Some(data) = secret.get_mut("data") {
        seal_values(data, key);
    }
    match plain {
        Some(Value::Object(mut plain)) => {
            plain.values_mut().for_each(|value| seal_plain(value, key));
            fold(secret, plain);
        }
        // No map: nothing of it can be told apart, and it would be refused by the API server.
        Some(Value::Null) | None => {}
        Some(other) => {
            secret.insert("stringData".to_owned(), key.token_of_any(&other));
        }
    }
}

/// `stringData` wins over `data`, key by key.
fn fold(secret: &mut Map<String, Value>, plain: Map<String, Value>) {
    if plain.is_empty() {
        return;
    }
    let data = secret
        .entry("data")
        .or_insert_with(|| Value::Object(Map::new()));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    match data {
        Value::Object(data) => data.extend(plain),
        _ => {
            secret.insert("stringData".to_owned(), Value::Object(plain));
        }
    }
}

fn seal_values(data: &mut Value, key: &SealKey) {
    match data {
        Value::Object(map) => map.values_mut().for_each(|value| seal_base64(value, key)),
        Value::Null => {}
        other if is_sealed(other) => {}
        other => *other = key.token_of_any(other),
    }
}

fn is_sealed(value: &Value) -> bool {
    value.as_str().is_some_and(is_token)
}

/// By the bytes behind the base64; text that is none by itself, marked so that it never equals bytes.
fn seal_base64(value: &mut Value, key: &SealKey) {
    if is_sealed(value) {
        return;
    }
    *value = match value.as_str().map(|text| (text, decode_base64(text))) {
        Some((_, Some(bytes))) => key.token(&bytes),
        Some((text, None)) => key.token(format!("not base64:{text}").as_bytes()),
        // A null value is what the API server makes of it: nothing.
        None if value.is_null() => key.token(b""),
        None => key.token(format!("not text:{value}").as_bytes()),
    };
}

fn seal_plain(value: &mut Value, key: &SealKey) {
    if is_sealed(value) {
        return;
    }
    *value = match &*value {
        Value::String(text) => key.token(text.as_bytes()),
        Value::Null => key.token(b""),
        other => key.token(format!("not text:{other}").as_bytes()),
    };
}

fn seal_annotations(object: &mut Value, key: &SealKey, secret: bool) {
    let Some(annotations) = object.pointer_mut("/metadata/annotations") else {
        return;
    };
    let Value::Object(annotations) = annotations else {
        if secret && !annotations.is_null() {
            *annotations = key.token_of_any(annotations);
        }
        return;
    };
    if secret {
        for name in &key.annotations {
            if let Some(value) = annotations.get_mut(name) {
                seal_plain(value, key);
            }
        }
    }
    if let Some(applied) = annotations.get_mut(LAST_APPLIED) {
        seal_last_applied(applied, key, secret);
    }
}

/// Seals the manifest inside the annotation; one that cannot be read is sealed whole when it stands in a Secret.
fn seal_last_applied(annotation: &mut Value, key: &SealKey, secret: bool) {
    if is_sealed(annotation) {
        return;
    }
    let manifest = annotation
        .as_str()
        .and_then(|text| serde_json::from_str::<Value>(text.trim()).ok())
        .filter(Value::is_object);
    match manifest {
        Some(mut manifest) if secret || is_secret(&manifest) => {
            // Whatever it calls itself: inside a Secret it is a Secret's manifest.
            seal_data(&mut manifest, key);
            seal_annotations(&mut manifest, key, true);
            *annotation = Value::String(manifest.to_string());
        }
        Some(_) => {}
        None if secret => *annotation = key.token_of_any(annotation),
        None => {}
    }
}

#[cfg(test)]
mod tests;

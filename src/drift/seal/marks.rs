//! Tokens into marks: `••• 1` and `••• 2` are different values of one key.

use std::collections::HashMap;

use serde_json::Value;

use super::{LAST_APPLIED, is_token};

/// The marks of one object's secret values. Feed the versions of the object in the order in which people read them: Git's first.
#[derive(Clone, Debug, Default)]
pub struct Marks {
    /// For each key the different tokens seen under it, in the order of their first appearance.
    seen: HashMap<String, Vec<String>>,
}

impl Marks {
    /// The marks of several versions of one object: the data of all first, then what their last-applied annotations repeat.
    pub fn of<'v>(versions: impl IntoIterator<Item = &'v Value> + Clone) -> Self {
        let mut marks = Self::default();
        for version in versions.clone() {
            marks.learn(version, "");
        }
        for version in versions {
            if let Some(applied) = last_applied(version) {
                marks.learn(&applied, "");
            }
        }
        marks
    }

    /// Numbers every token of a value, in the order of its keys.
    fn learn(&mut self, value: &Value, key: &str) {
        match value {
            Value::String(text) if is_token(text) => self.note(key, text),
            Value::Object(map) => map.iter().for_each(|(name, inner)| self.learn(inner, name)),
            Value::Array(items) => items.iter().for_each(|inner| self.learn(inner, key)),
            _ => {}
        }
    }

    fn note(&mut self, key: &str, token: &str) {
        let tokens = self.seen.entry(key.to_owned()).or_default();
        if !tokens.iter().any(|t| t == token) {
            tokens.push(token.to_owned());
        }
    }

    /// The mark of a token under a key; a token never seen gets a mark without a number.
    fn mark(&self, key: &str, token: &str) -> String {
        self.seen
            .get(key)
            .and_then(|tokens| tokens.iter().position(|t| t == token))
            .map_or_else(|| "•••".to_owned(), |n| format!("••• {}", n + 1))
    }

    /// A copy of the value that can be shown; `key` is the name it stands under.
    pub fn shown(&self, value: &Value, key: &str) -> Value {
        match value {
            Value::String(text) if is_token(text) => Value::String(self.mark(key, text)),
            Value::String(text) if key == LAST_APPLIED => self.shown_manifest(text),
            Value::Object(map) => map
                .iter()
                .map(|(name, inner)| (name.clone(), self.shown(inner, name)))
                .collect(),
            Value::Array(items) => items.iter().map(|inner| self.shown(inner, key)).collect(),
            other => other.clone(),
        }
    }

    /// The manifest in an annotation, its tokens replaced, written as JSON again.
    fn shown_manifest(&self, text: &str) -> Value {
        if !text.contains(super::PREFIX) {
            return Value::String(text.to_owned());
        }
        match serde_json::from_str::<Value>(text) {
            Ok(manifest) => Value::String(self.shown(&manifest, "").to_string()),
            Err(_) => Value::String("•••".to_owned()),
        }
    }
}

fn last_applied(object: &Value) -> Option<Value> {
    let text = object
        .get("metadata")?
        .get("annotations")?
        .get(LAST_APPLIED)?
        .as_str()?;
    serde_json::from_str(text).ok()
}

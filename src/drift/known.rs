//! Fields of custom resources that hold built-in types (`knownTypeFields` in argocd-cm): their values are compared as the type spells them.

use serde_json::Value;

use super::go_duration;
use super::schema::Shape;
use super::typed::{Strictness, canonical_quantity, round_trip};
use crate::domain::ObjectRef;

/// One field with a known type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownField {
    /// API group of the kind.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// The fields to it, lists passed through.
    pub path: Vec<String>,
    /// The type as argocd-cm names it: `core/v1/PodSpec`, `core/Quantity`, `meta/v1/Duration`.
    pub type_name: String,
}

impl KnownField {
    /// Whether the field is one of this object's kind.
    pub(super) fn is_of(&self, object: &ObjectRef) -> bool {
        *self.group == *object.gvk.group && *self.kind == *object.gvk.kind
    }
}

/// Rewrites what stands at a path as its type would be written; what does not fit stays.
pub(super) fn retype<S: AsRef<str>>(value: &mut Value, path: &[S], type_name: &str) {
    if let Value::Array(items) = value {
        items
            .iter_mut()
            .for_each(|item| retype(item, path, type_name));
        return;
    }
    match path.split_first() {
        Some((first, rest)) => {
            if let Some(inner) = value.get_mut(first.as_ref()) {
                retype(inner, rest, type_name);
            }
        }
        None => {
            if let Some(typed) = typed(value, type_name) {
                *value = typed;
            }
        }
    }
}

fn typed(value: &Value, type_name: &str) -> Option<Value> {
    match type_name {
        "core/Quantity" => canonical_quantity(value),
        "meta/v1/Duration" => go_duration::canonical(value.as_str()?).map(Value::String),
        name => {
            let (package, kind) = name.rsplit_once('/')?;
            let shape = Shape::of_type(&format!("{package}.{kind}"));
            shape
                .is_known()
                .then(|| round_trip(value, shape, Strictness::Lenient))?
        }
    }
}

//! The difference as Argo CD computes it: what it would call modified, and the live object it predicts after a sync.
//!
//! This is Argo CD's client-side default (gitops-engine `pkg/diff`): both sides are sent through their Go types and normalised, a three-way
//! merge patch is made from the last-applied manifest (or the manifest itself), put onto the live object, defaulted, and compared.
//! Our own verdict ([`super::judge`]) asks another question; the two are shown side by side.

pub mod normalize;

use serde_json::Value;

use super::defaults;
use super::merge::{MergeError, json, strategic};
use super::schema::{Shape, is_scheme_kind};
use super::seal::LAST_APPLIED;
use super::typed::{Strictness, only_fields_of, round_trip};
use crate::domain::Gvk;
pub use normalize::Normalizer;

/// What Argo CD would say.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Whether a sync would change the live object.
    pub modified: bool,
    /// The live object after normalisation; null when there is none.
    pub normalized_live: Value,
    /// The live object after a sync; null when it would be deleted.
    pub predicted_live: Value,
}

/// Compares what Git wants with what is live.
///
/// # Errors
/// When no patch can be made: a field that the schema lacks differs, or a merged list lacks its keys. Argo CD reports a comparison error then.
pub fn diff(
    config: Option<&Value>,
    live: Option<&Value>,
    normalizer: &Normalizer,
) -> Result<Outcome, MergeError> {
    let prepared = |object: Option<&Value>| {
        object.map(|object| {
            let mut object = remarshal(object);
            normalizer.apply(&mut object);
            object
        })
    };
    let (config, live) = (prepared(config), prepared(live));
    match (config, live) {
        (Some(config), Some(live)) => pair(&config, live, normalizer),
        (config, live) => Ok(Outcome {
            modified: config.is_some(),
            predicted_live: config.unwrap_or_default(),
            normalized_live: live.unwrap_or_default(),
        }),
    }
}

fn pair(config: &Value, live: Value, normalizer: &Normalizer) -> Result<Outcome, MergeError> {
    if let Some(mut original) = last_applied(&live) {
        normalizer.apply(&mut original);
        if let Ok(outcome) = three_way(&original, config, &live) {
            return Ok(outcome);
        }
    }
    three_way(config, config, &live)
}

/// The manifest that the live object says was applied last.
fn last_applied(live: &Value) -> Option<Value> {
    let text = live
        .get("metadata")?
        .get("annotations")?
        .get(LAST_APPLIED)?
        .as_str()?;
    serde_json::from_str::<Value>(text)
        .ok()
        .filter(Value::is_object)
}

/// The object through its Go type and back; as it is when it does not fit or has none.
fn remarshal(object: &Value) -> Value {
    if !is_scheme_kind(&gvk(object)) {
        return object.clone();
    }
    round_trip(object, Shape::of_object(object), Strictness::Strict)
        .map_or_else(|| object.clone(), |typed| only_fields_of(object, &typed))
}

fn gvk(object: &Value) -> Gvk {
    let text = |key: &str| object.get(key).and_then(Value::as_str).unwrap_or_default();
    Gvk::from_api_version(text("apiVersion"), text("kind"))
}

fn three_way(original: &Value, config: &Value, live: &Value) -> Result<Outcome, MergeError> {
    let (original, config) = (without_place(original), without_place(config));
    let (live, predicted) = if is_scheme_kind(&gvk(&original)) {
        typed_three_way(&original, &config, live)?
    } else {
        let trimmed = only_fields_of(&original, live);
        let patch = json::three_way(&original, &config, &trimmed);
        (live.clone(), json::apply(live, &patch))
    };
    Ok(Outcome {
        modified: live != predicted,
        normalized_live: live,
        predicted_live: predicted,
    })
}

/// Strategic merge; then both sides typed and defaulted.
fn typed_three_way(
    original: &Value,
    config: &Value,
    live: &Value,
) -> Result<(Value, Value), MergeError> {
    let shape = Shape::of(&gvk(original));
    let trimmed = without_defaulted_claims(original, live);
    let patch = strategic::three_way(original, config, &trimmed, shape, true)?;
    let predicted = strategic::apply(live, &patch, shape)?;
    match (defaulted(live, shape), defaulted(&predicted, shape)) {
        (Some(live), Some(predicted)) => Ok((live, predicted)),
        // One side does not fit its type: they are compared as they are.
        _ => Ok((live.clone(), predicted)),
    }
}

/// The object with the server's defaults, when it fits its type; what the type does not know stays.
fn defaulted(object: &Value, shape: Shape) -> Option<Value> {
    round_trip(object, shape, Strictness::Lenient)?;
    let mut object = object.clone();
    defaults::apply(&mut object, shape);
    Some(object)
}

/// The server fills in a StatefulSet's claim templates, which are one value to the merge: only what was applied is compared.
fn without_defaulted_claims(original: &Value, live: &Value) -> Value {
    const CLAIMS: &str = "/spec/volumeClaimTemplates";
    let kind = gvk(original);
    if !matches!(&*kind.group, "apps" | "extensions") || &*kind.kind != "StatefulSet" {
        return live.clone();
    }
    let mut live = live.clone();
    if let (Some(applied), Some(own)) = (original.pointer(CLAIMS), live.pointer_mut(CLAIMS)) {
        *own = only_fields_of(applied, own);
    }
    live
}

/// Without the namespace and empty annotations, which the engine adds by itself.
fn without_place(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("namespace");
        let empty = metadata
            .get("annotations")
            .is_some_and(|a| a.is_null() || a.as_object().is_some_and(serde_json::Map::is_empty));
        if empty {
            metadata.remove("annotations");
        }
    }
    object
}

#[cfg(test)]
mod tests;

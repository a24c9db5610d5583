//! The difference as Argo CD computes it: what it would call modified, and the live object it predicts after a sync.
//!
//! By default (gitops-engine `pkg/diff`) both sides are sent through their Go types and normalised, a three-way merge patch is made from
//! the last-applied manifest (or the manifest itself), put onto the live object, defaulted, and compared. With server-side apply the patch
//! is a structured merge ([`structured`]), and with server-side difference it is the API server's own dry run ([`server_side`]).
//! Our own verdict ([`super::judge`]) asks another question; the two are shown side by side.

pub mod mode;
pub mod normalize;
pub mod server_side;
pub mod settings;
pub mod structured;
pub mod trusted;

use serde_json::Value;

use super::defaults;
use super::hooks;
use super::merge::{MergeError, json, strategic};
use super::openapi::CustomSchema;
use super::schema::{Shape, is_scheme_kind};
use super::seal::LAST_APPLIED;
use super::ssa;
use super::typed::{Strictness, only_fields_of, round_trip};
use crate::domain::Gvk;
pub use normalize::Normalizer;
pub use server_side::DryRun;
pub use settings::Settings;

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

/// How Argo CD compares a pair.
#[derive(Clone, Copy, Debug, Default)]
pub enum Method<'a> {
    /// Three-way merge, unless the manifest's own annotation asks for server-side apply.
    #[default]
    Ordinary,
    /// Structured merge: the application syncs with server-side apply.
    Structured,
    /// The API server's dry run.
    ServerSide(DryRun<'a>),
}

/// Everything that the comparison of a pair depends on beside the two objects.
#[derive(Clone, Copy, Debug)]
pub struct Ask<'a> {
    /// Rules and normalisation.
    pub normalizer: &'a Normalizer,
    /// How to compare.
    pub method: Method<'a>,
    /// The type of a custom kind, when the cluster told it.
    pub custom: Option<&'a CustomSchema>,
}

impl<'a> Ask<'a> {
    /// As an application without any sync option is compared.
    pub fn ordinary(normalizer: &'a Normalizer) -> Self {
        Self {
            normalizer,
            method: Method::Ordinary,
            custom: None,
        }
    }
}

/// Compares what Git wants with what is live.
///
/// # Errors
/// When no patch can be made: a field that the schema lacks differs, or a merged list lacks its keys. Argo CD reports a comparison error then.
pub fn diff(
    config: Option<&Value>,
    live: Option<&Value>,
    ask: &Ask<'_>,
) -> Result<Outcome, MergeError> {
    match (config, live) {
        (Some(config), Some(live)) => {
            let kept = untrusted(config, live, ask)?;
            let (live, config) = kept.as_ref().map_or((live, config), |(l, c)| (l, c));
            pair(config, live, ask)
        }
        (config, live) => Ok(Outcome {
            modified: config.is_some(),
            predicted_live: config.map(|c| prepared(c, ask)).unwrap_or_default(),
            normalized_live: live.map(|l| prepared(l, ask)).unwrap_or_default(),
        }),
    }
}

/// Live and config without what trusted managers own, when any is trusted.
fn untrusted(
    config: &Value,
    live: &Value,
    ask: &Ask<'_>,
) -> Result<Option<(Value, Value)>, MergeError> {
    let trusted = ask.normalizer.trusted(config);
    let trusted: Vec<&str> = trusted.iter().map(String::as_str).collect();
    trusted::without_trusted(live, config, &trusted, ssa::schema_of(config, ask.custom))
}

/// An object sent through its type and normalised.
fn prepared(object: &Value, ask: &Ask<'_>) -> Value {
    let mut object = remarshal(object);
    match ask.method {
        // The server must see the fields that are ignored; they are taken out of its answer.
        Method::ServerSide(_) => ask.normalizer.apply_built_in(&mut object),
        _ => ask.normalizer.apply(&mut object),
    }
    object
}

fn pair(config: &Value, live: &Value, ask: &Ask<'_>) -> Result<Outcome, MergeError> {
    let (config, live) = (prepared(config, ask), prepared(live, ask));
    let schema = ssa::schema_of(&config, ask.custom);
    match ask.method {
        Method::ServerSide(dry_run) => server_side::pair(live, dry_run, schema, ask.normalizer),
        Method::Structured => structured::pair(&config, live, schema),
        Method::Ordinary if hooks::has_sync_option(&config, "ServerSideApply=true") => {
            structured::pair(&config, live, schema)
        }
        Method::Ordinary => patched(&config, &live, ask.normalizer),
    }
}

/// The three-way difference when something was applied before, else the two-way one.
fn patched(config: &Value, live: &Value, normalizer: &Normalizer) -> Result<Outcome, MergeError> {
    if let Some(mut original) = last_applied(live) {
        normalizer.apply(&mut original);
        if let Ok(outcome) = three_way(&original, config, live) {
            return Ok(outcome);
        }
    }
    three_way(config, config, live)
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
        .filter(|applied| applied.get("kind").is_some_and(Value::is_string))
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
    // A side that does not fit its type is compared as it is.
    Ok((
        defaulted(live, shape).unwrap_or_else(|| live.clone()),
        defaulted(&predicted, shape).unwrap_or(predicted),
    ))
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

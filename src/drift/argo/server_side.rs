//! Argo CD's server-side difference: the API server's own dry run against the live object, without what admission webhooks added.

use serde_json::{Map, Value};

use super::structured::MANAGER;
use super::{Normalizer, Outcome, remarshal};
use crate::drift::merge::MergeError;
use crate::drift::ssa::{FieldSet, Schema, entries, fields_of, merge, set_of, without};

/// What a server-side comparison needs beside the live object.
#[derive(Clone, Copy, Debug)]
pub struct DryRun<'a> {
    /// The object that the dry run answered with.
    pub result: &'a Value,
    /// Whether what webhooks changed counts too (`IncludeMutationWebhook=true`).
    pub keep_webhooks: bool,
}

/// Compares a live object, sent through its type already, with the dry run's answer. Ignored fields are taken out of both at the end.
pub(super) fn pair(
    live: Value,
    dry_run: DryRun<'_>,
    schema: Schema<'_>,
    normalizer: &Normalizer,
) -> Result<Outcome, MergeError> {
    let predicted = if dry_run.keep_webhooks {
        dry_run.result.clone()
    } else {
        without_webhooks(dry_run.result, &live, schema)?
    };
    let finish = |mut object: Value| {
        normalizer.apply(&mut object);
        if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
            metadata.remove("managedFields");
            metadata.remove("resourceVersion");
        }
        object
    };
    let (live, predicted) = (finish(live), finish(remarshal(&predicted)));
    Ok(Outcome {
        modified: live != predicted,
        normalized_live: live,
        predicted_live: predicted,
    })
}

/// The dry run's answer with every field that is not Argo CD's own put back to what is live.
fn without_webhooks(result: &Value, live: &Value, schema: Schema<'_>) -> Result<Value, MergeError> {
    let own = entries(result)
        .filter(|entry| entry.get("manager").and_then(Value::as_str) == Some(MANAGER))
        .fold(FieldSet::default(), |all, entry| all.union(&set_of(entry)));
    if own.is_empty() {
        return Err(MergeError::NotApplied(MANAGER));
    }
    let present = fields_of(result, schema)?;
    let foreign = present.difference(&own);
    let removed = fields_of(live, schema)?
        .difference(&present)
        .difference(&foreign);
    let kept = without(result, &foreign.without_key_fields(), schema);
    let merged = merge(live, &without_nulls(&kept), schema)?;
    Ok(without(&merged, &removed, schema))
}

/// A map or list that lost everything says nothing of the live one.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let said = map.iter().filter(|(_, inner)| !inner.is_null());
            let said: Map<String, Value> = said
                .map(|(key, inner)| (key.clone(), without_nulls(inner)))
                .collect();
            Value::Object(said)
        }
        Value::Array(items) => items.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

//! Argo CD's structured merge difference: what a server-side apply would make of the live object, worked out without the server.
//!
//! Argo CD takes it when an application or a manifest asks for `ServerSideApply=true` and the server's own dry run is not configured.

use serde_json::Value;

use super::{Outcome, defaulted, gvk};
use crate::drift::merge::MergeError;
use crate::drift::schema::{Shape, is_scheme_kind};
use crate::drift::seal::LAST_APPLIED;
use crate::drift::ssa::{Applied, Schema, apply};

/// The manager under which Argo CD applies on the server's side.
pub const MANAGER: &str = "argocd-controller";

/// Compares two normalised objects.
pub(super) fn pair(config: &Value, live: Value, schema: Schema<'_>) -> Result<Outcome, MergeError> {
    let predicted = match apply(config, &live, schema, MANAGER)? {
        Applied::Unchanged => {
            return Ok(Outcome {
                modified: false,
                predicted_live: live.clone(),
                normalized_live: live,
            });
        }
        Applied::Changed(predicted) => finished(predicted),
    };
    let live = finished(live);
    Ok(Outcome {
        modified: live != predicted,
        normalized_live: live,
        predicted_live: predicted,
    })
}

/// Without what the last apply left in an annotation, and with the server's defaults.
fn finished(mut object: Value) -> Value {
    if let Some(Value::Object(annotations)) = object.pointer_mut("/metadata/annotations") {
        annotations.remove(LAST_APPLIED);
    }
    if !is_scheme_kind(&gvk(&object)) {
        return object;
    }
    let shape = Shape::of_object(&object);
    defaulted(&object, shape).unwrap_or(object)
}

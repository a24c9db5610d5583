//! The patch media types: what a patch makes of a document.

mod strategic;

use serde_json::Value;

use super::store::{ApiStatus, Kind, Patch};

/// What a patch makes of a document. Apply patches are not for here: they need the owners of the fields.
///
/// # Errors
/// 422 for a patch that does not fit, 400 for one that is none, 415 for a strategic patch of a custom kind.
pub(crate) fn patched(kind: &Kind, live: &Value, patch: &Patch) -> Result<Value, ApiStatus> {
    let mut document = live.clone();
    match patch {
        Patch::Json(patch) => json(&mut document, patch)?,
        Patch::Merge(patch) => json_patch::merge(&mut document, patch),
        Patch::Strategic(patch) if !kind.custom => {
            return strategic::patched(kind.kind, document, patch);
        }
        Patch::Strategic(_) | Patch::Apply(_) => {
            return Err(ApiStatus::unsupported_media_type(&[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/apply-patch+yaml",
            ]));
        }
    }
    Ok(document)
}

/// RFC 6902.
fn json(document: &mut Value, patch: &Value) -> Result<(), ApiStatus> {
    let operations: json_patch::Patch = serde_json::from_value(patch.clone())
        .map_err(|e| ApiStatus::bad_request(format!("error decoding patch: {e}")))?;
    json_patch::patch(document, &operations).map_err(|_| {
        let mut status = ApiStatus::new(
            422,
            "Invalid",
            "the server rejected our request due to an error in our request",
        );
        status.details = Some(serde_json::json!({}));
        status
    })
}

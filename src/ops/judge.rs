//! How far a live object is from what is wanted.

use serde_json::Value;

use super::Unsealed;

/// Differing fields of a live object, `0` when it is as wanted. `desired` of `None` wants it gone.
pub(super) fn differing(desired: Option<&Unsealed>, live: Option<&Value>) -> usize {
    match (desired, live) {
        (None, None) => 0,
        (None, Some(_)) | (Some(_), None) => 1,
        (Some(desired), Some(live)) => fields(desired.expose(), live),
    }
}

/// Fields that the manifest sets and whose live value is another.
fn fields(desired: &Value, live: &Value) -> usize {
    match (desired, live) {
        (Value::Object(want), Value::Object(have)) => want
            .iter()
            .map(|(k, v)| {
                have.get(k)
                    .map_or(usize::from(!v.is_null()), |l| fields(v, l))
            })
            .sum(),
        (Value::Array(want), Value::Array(have)) if want.len() == have.len() => {
            want.iter().zip(have).map(|(w, h)| fields(w, h)).sum()
        }
        (want, have) => usize::from(want != have),
    }
}

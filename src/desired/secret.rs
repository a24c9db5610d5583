//! Where Secret values end: everything that is kept passes here.

use serde_json::Value;

/// The object with its Secret values replaced; other kinds unchanged.
pub(super) fn sealed(mut body: Value) -> Value {
    let is_secret = body.get("kind").is_some_and(|k| k == "Secret")
        && body.get("apiVersion").is_some_and(|v| v == "v1");
    if is_secret {
        for part in ["data", "stringData"] {
            if let Some(values) = body.get_mut(part).and_then(Value::as_object_mut) {
                values
                    .values_mut()
                    .for_each(|value| *value = Value::String("sealed".into()));
            }
        }
    }
    body
}

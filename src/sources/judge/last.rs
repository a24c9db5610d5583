//! The last resort where the desired state is not known: what was last applied, as the live object itself repeats it.
//!
//! `kubectl apply`, and Argo CD's client-side apply, keep the applied manifest in an annotation. It tells what was edited since, and nothing of what is
//! missing, extra or new in Git: so the application stays unjudged, and only what is found is told, labelled. With server-side apply there is no such
//! copy, and the fields that the engine owns cannot stand in: a field that somebody else set is no longer among them.

use serde_json::Value;

use crate::drift::seal::LAST_APPLIED;

/// The manifest that was last applied; `None` when the object does not repeat it.
pub(super) fn applied(live: &Value) -> Option<Value> {
    let text = live
        .pointer("/metadata/annotations")?
        .get(LAST_APPLIED)?
        .as_str()?;
    let applied: Value = serde_json::from_str(text).ok()?;
    applied.get("kind")?;
    Some(applied)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_manifest_counts() {
        let with =
            |text: &str| applied(&json!({"metadata": {"annotations": {LAST_APPLIED: text}}}));
        assert_eq!(
            with("{\"kind\":\"ConfigMap\"}").unwrap()["kind"],
            "ConfigMap"
        );
        for text in ["", "null", "{}", "\u{27e6}sealed:0123"] {
            assert_eq!(with(text), None, "{text}");
        }
        assert_eq!(applied(&json!({"metadata": {}})), None);
    }
}

//! The live object and the copy that `kubectl apply` left in it, as YAML, masked.

use serde_json::Value;

use super::{connection, objects};
use crate::app::inquiry::YamlText;
use crate::app::msg::WishTarget;
use crate::domain::Safe;
use crate::drift::diff_text::readable;
use crate::drift::seal::{LAST_APPLIED, SealKey, seal};
use crate::drift::yaml::to_canonical;
use crate::sources::Sources;

pub(super) async fn read(
    sources: &Sources,
    target: &WishTarget,
    key: &SealKey,
) -> Result<YamlText, Safe> {
    let connection = connection(sources, &target.cluster)?;
    let live = objects::read(&connection, &target.object, key).await?;
    let applied = last_applied(&live, key);
    Ok(YamlText {
        live: lines(&readable(&live)),
        last_applied: applied.map(|value| lines(&value)),
    })
}

/// The last-applied copy. That of a Secret was masked with its object and reads as no document.
fn last_applied(live: &Value, key: &SealKey) -> Option<Value> {
    let text = live
        .get("metadata")?
        .get("annotations")?
        .get(LAST_APPLIED)?
        .as_str()?;
    let mut value: Value = serde_json::from_str(text).ok()?;
    seal(&mut value, key);
    Some(value)
}

fn lines(value: &Value) -> Vec<Safe> {
    to_canonical(value).lines().map(Safe::new).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn no_value_of_a_secret_survives_in_any_copy() {
        let key = SealKey::new([7; 32]);
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "aHVudGVyMg=="}});
        let mut live = secret.clone();
        live["metadata"]["annotations"] = json!({LAST_APPLIED: secret.to_string()});
        seal(&mut live, &key);
        let shown = format!(
            "{:?} {:?}",
            lines(&readable(&live)),
            last_applied(&live, &key)
        );
        assert!(!shown.contains("aHVudGVyMg"), "{shown}");
    }

    #[test]
    fn the_copy_of_a_deployment_is_read() {
        let key = SealKey::new([7; 32]);
        let live =
            json!({"metadata": {"annotations": {LAST_APPLIED: "{\"spec\":{\"replicas\":3}}"}}});
        let applied = last_applied(&live, &key).unwrap();
        assert_eq!(
            lines(&applied),
            [Safe::fixed("spec:"), Safe::fixed("  replicas: 3")]
        );
    }
}

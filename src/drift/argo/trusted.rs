//! `managedFieldsManagers`: fields that a trusted manager owns and that differ are taken out of both sides.

use serde_json::Value;

use crate::drift::merge::MergeError;
use crate::drift::ssa::{Schema, entries, modified, set_of, without};

/// Both objects without what the trusted managers own and Git would change; `None` when nobody is trusted.
///
/// # Errors
/// One of the objects does not fit its type.
pub fn without_trusted(
    live: &Value,
    config: &Value,
    trusted: &[&str],
    schema: Schema<'_>,
) -> Result<Option<(Value, Value)>, MergeError> {
    if trusted.is_empty() {
        return Ok(None);
    }
    let differing = modified(live, config, schema)?;
    let is_trusted = |entry: &&Value| {
        let manager = entry.get("manager").and_then(Value::as_str);
        manager.is_some_and(|manager| trusted.contains(&manager))
    };
    let (mut live_kept, mut config_kept) = (live.clone(), config.clone());
    for entry in entries(live).filter(is_trusted) {
        let theirs = set_of(entry).intersection(&differing);
        live_kept = without(&live_kept, &theirs, schema);
        config_kept = without(&config_kept, &theirs, schema);
    }
    Ok(Some((live_kept, config_kept)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::ssa::schema_of;
    use serde_json::json;

    #[test]
    fn only_what_a_trusted_manager_owns_and_git_would_change_goes() {
        let deployment = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
        let mut live = deployment(json!({"replicas": 5, "paused": true, "minReadySeconds": 3}));
        live["metadata"]["managedFields"] = json!([
            {"manager": "keda", "operation": "Update", "fieldsV1": {"f:spec": {"f:replicas": {}, "f:minReadySeconds": {}}}},
            {"manager": "kubectl-edit", "operation": "Update", "fieldsV1": {"f:spec": {"f:paused": {}}}},
        ]);
        let config = deployment(json!({"replicas": 3, "paused": false, "minReadySeconds": 3}));
        let schema = schema_of(&live, None);
        let (kept, wanted) = without_trusted(&live, &config, &["keda"], schema)
            .unwrap()
            .unwrap();
        assert_eq!(kept["spec"], json!({"paused": true, "minReadySeconds": 3}));
        assert_eq!(
            wanted["spec"],
            json!({"paused": false, "minReadySeconds": 3})
        );
        assert_eq!(without_trusted(&live, &config, &[], schema), Ok(None));
    }
}

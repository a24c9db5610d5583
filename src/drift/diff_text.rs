//! A unified diff of two objects as people read it: canonical YAML, without what the server keeps for itself.

use serde_json::Value;
use similar::TextDiff;

use super::yaml::to_canonical;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The unified diff from what Git wants to what is live; empty when their texts are equal. Values are shown as they stand:
/// pass masked objects.
pub fn unified(desired: Option<&Value>, live: Option<&Value>) -> String {
    let text = |value: Option<&Value>| value.map(|v| to_canonical(&stated(v))).unwrap_or_default();
    let (old, new) = (text(desired), text(live));
    TextDiff::from_lines(&old, &new)
        .unified_diff()
        .context_radius(CONTEXT)
        .header("desired", "live")
        .to_string()
}

/// What only the API server writes: it differs always and says nothing.
const SERVER_SET: [&str; 6] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
    "resourceVersion",
    "selfLink",
    "uid",
];

/// What somebody can state of an object: it without status and the server's own metadata.
fn stated(object: &Value) -> Value {
    let mut object = readable(object);
    if let Some(map) = object.as_object_mut() {
        map.remove("status");
    }
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.retain(|name, _| !SERVER_SET.contains(&name.as_str()));
    }
    object
}

/// The object without managedFields and without the last-applied copy of itself.
pub fn readable(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(Value::Object(metadata)) = object.get_mut("metadata") {
        metadata.remove("managedFields");
        if let Some(Value::Object(annotations)) = metadata.get_mut("annotations") {
            annotations.remove(super::seal::LAST_APPLIED);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_changed_line_stands_with_its_context() {
        let git = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge"}, "spec": {"replicas": 3}});
        let mut live = git.clone();
        live["spec"]["replicas"] = json!(1);
        live["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit"}]);
        live["metadata"]["uid"] = json!("6e7dcfdb");
        live["status"] = json!({"replicas": 1});
        let text = unified(Some(&git), Some(&live));
        assert!(text.starts_with("--- desired\n+++ live\n@@ "), "{text}");
        assert!(text.contains("-  replicas: 3\n+  replicas: 1\n"), "{text}");
        assert!(
            !text.contains("managedFields") && !text.contains("uid") && !text.contains("status")
        );
    }

    #[test]
    fn equal_objects_have_no_diff_and_a_missing_one_is_all_minus() {
        let git = json!({"kind": "ConfigMap", "data": {"a": "b"}});
        assert_eq!(unified(Some(&git), Some(&git)), "");
        let gone = unified(Some(&git), None);
        assert!(gone.lines().skip(3).all(|l| l.starts_with('-')), "{gone}");
    }
}

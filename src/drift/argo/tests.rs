use serde_json::json;

use super::*;

fn compared(config: Option<&Value>, live: Option<&Value>) -> Outcome {
    diff(config, live, &Ask::ordinary(&Normalizer::default())).unwrap()
}

fn deployment(spec: Value) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge-microservice", "namespace": "edge"}, "spec": spec})
}

fn applied(mut live: Value, manifest: &Value) -> Value {
    live["metadata"]["annotations"] = json!({LAST_APPLIED: manifest.to_string()});
    live
}

#[test]
fn a_field_added_by_the_cluster_is_no_difference() {
    let git = deployment(json!({"replicas": 3}));
    let live = deployment(json!({"replicas": 3, "paused": true, "progressDeadlineSeconds": 600}));
    assert!(!compared(Some(&git), Some(&live)).modified);
}

#[test]
fn a_changed_field_is_predicted_back() {
    let git = deployment(json!({"replicas": 3}));
    let outcome = compared(Some(&git), Some(&deployment(json!({"replicas": 1}))));
    assert!(outcome.modified);
    assert_eq!(outcome.predicted_live["spec"]["replicas"], 3);
    assert_eq!(outcome.normalized_live["spec"]["replicas"], 1);
}

#[test]
fn a_field_dropped_from_git_is_seen_through_last_applied_only() {
    let before = deployment(json!({"replicas": 3, "paused": true}));
    let git = deployment(json!({"replicas": 3}));
    assert!(!compared(Some(&git), Some(&before)).modified);
    let outcome = compared(Some(&git), Some(&applied(before.clone(), &before)));
    assert!(outcome.modified);
    assert_eq!(outcome.predicted_live["spec"].get("paused"), None);
}

#[test]
fn dropping_a_field_that_has_its_default_changes_nothing() {
    let before = deployment(json!({"replicas": 1}));
    let git = deployment(json!({}));
    assert!(!compared(Some(&git), Some(&applied(before.clone(), &before))).modified);
}

#[test]
fn creation_is_modified_and_deletion_is_not() {
    let git = deployment(json!({"replicas": 1}));
    assert!(compared(Some(&git), None).modified);
    let gone = compared(None, Some(&git));
    assert!(!gone.modified);
    assert_eq!(gone.predicted_live, Value::Null);
}

#[test]
fn quantities_are_spelling_in_built_in_kinds_and_differences_in_custom_ones() {
    let pod = |cpu: &str| json!({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "a", "resources": {"limits": {"cpu": cpu}}}]}});
    assert!(!compared(Some(&pod("1000m")), Some(&pod("1"))).modified);
    let custom =
        |cpu: &str| json!({"apiVersion": "example.com/v1", "kind": "X", "spec": {"cpu": cpu}});
    assert!(compared(Some(&custom("1000m")), Some(&custom("1"))).modified);
}

#[test]
fn custom_resources_are_merged_field_by_field() {
    let git =
        json!({"apiVersion": "example.com/v1", "kind": "X", "spec": {"a": 1, "list": [{"x": 1}]}});
    let live = json!({"apiVersion": "example.com/v1", "kind": "X", "spec": {"a": 1, "list": [{"x": 1, "defaulted": true}], "more": 2}});
    assert!(!compared(Some(&git), Some(&live)).modified);
    let longer = json!({"apiVersion": "example.com/v1", "kind": "X", "spec": {"a": 1, "list": [{"x": 1}, {"x": 2}]}});
    assert!(compared(Some(&git), Some(&longer)).modified);
}

#[test]
fn secrets_compare_by_data_whatever_they_were_written_as() {
    let git = json!({"apiVersion": "v1", "kind": "Secret", "stringData": {"a": "b"}});
    let live =
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"a": "Yg=="}, "type": "Opaque"});
    assert!(!compared(Some(&git), Some(&live)).modified);
}

#[test]
fn a_stateful_sets_defaulted_claims_are_no_difference() {
    let set = |claims: Value| json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"}, "spec": {"volumeClaimTemplates": claims}});
    let git = set(
        json!([{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "1Gi"}}}}]),
    );
    let live = set(
        json!([{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data", "creationTimestamp": null},
        "spec": {"resources": {"requests": {"storage": "1Gi"}}, "volumeMode": "Filesystem"}, "status": {"phase": "Pending"}}]),
    );
    assert!(!compared(Some(&git), Some(&live)).modified);
    let wrong = set(
        json!([{"metadata": {"name": "data"}, "spec": {"resources": {"requests": {"storage": "2Gi"}}}}]),
    );
    assert!(compared(Some(&git), Some(&wrong)).modified);
}

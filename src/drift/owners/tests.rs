use serde_json::json;

use super::*;

/// A Deployment that Argo CD applied at 08:00 and somebody edited at 09:30.
fn live() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "edge-microservice", "managedFields": [
            {"manager": "argocd-controller", "operation": "Apply", "time": "2026-11-20T08:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {
                "f:spec": {"f:replicas": {}, "f:selector": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {}, "f:args": {}, "f:ports": {
                        "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}}},
            {"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-20T09:30:00Z", "fieldsType": "FieldsV1", "fieldsV1": {
                "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"app\"}": {"f:env": {".": {}, "k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}},
            {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": "2026-11-20T09:31:00Z", "fieldsV1": {
                "f:status": {"f:replicas": {}}}},
            {"manager": "broken", "operation": "Update", "time": "never", "fieldsV1": "nonsense"},
        ]},
    })
}

fn container(field: &str) -> Path {
    let mut path = Path::of_fields(&["spec", "template", "spec", "containers"]);
    path.push(Step::Key(vec![("name".into(), json!("app"))]));
    path.push(Step::Field(field.into()));
    path
}

fn manager(found: Option<Owned>) -> Option<String> {
    found.map(|o| o.owner.manager.to_string())
}

#[test]
fn of_two_owners_the_one_that_is_not_the_engine_is_named() {
    let live = live();
    let owner = Owners::of(&live)
        .of_path(&Path::of_fields(&["spec", "replicas"]))
        .unwrap();
    assert_eq!(owner.owner.manager.as_str(), "kubectl-edit");
    assert_eq!(owner.owner.operation.as_str(), "Update");
    assert_eq!(owner.owner.time, "2026-11-20T09:30:00Z".parse().ok());
    assert_eq!(owner.class, ManagerClass::Human);
}

#[test]
fn list_elements_are_found_by_their_keys() {
    let live = live();
    let owners = Owners::of(&live);
    assert_eq!(
        manager(owners.of_path(&container("image"))).as_deref(),
        Some("argocd-controller")
    );
    let debug = container("env").with(Step::Key(vec![("name".into(), json!("DEBUG"))]));
    assert_eq!(
        manager(owners.of_path(&debug)).as_deref(),
        Some("kubectl-edit")
    );
    let other = container("env").with(Step::Key(vec![("name".into(), json!("OTHER"))]));
    assert_eq!(owners.of_path(&other), None);
}

#[test]
fn a_value_inside_an_atomic_one_belongs_to_the_owner_of_the_whole() {
    let live = live();
    let owners = Owners::of(&live);
    let label = Path::of_fields(&["spec", "selector", "matchLabels", "app"]);
    assert_eq!(owners.of_path(&label), None);
    assert_eq!(
        manager(owners.of_path_or_whole(&label)).as_deref(),
        Some("argocd-controller")
    );
    assert!(owners.holds("argocd-controller", &label));
    assert!(!owners.holds("kubectl-edit", &label));
}

#[test]
fn field_sets_show_how_lists_are_keyed() {
    let live = live();
    let owners = Owners::of(&live);
    assert_eq!(
        owners.list_at(&container("ports")),
        Some(ListOwnership::Keyed(vec![
            "containerPort".into(),
            "protocol".into()
        ]))
    );
    assert_eq!(
        owners.list_at(&container("args")),
        Some(ListOwnership::Whole)
    );
    assert_eq!(owners.list_at(&container("command")), None);
}

#[test]
fn a_removed_field_is_laid_at_the_newest_human_tool_after_the_engine() {
    let mut live = live();
    assert_eq!(
        manager(Owners::of(&live).likely_remover()).as_deref(),
        Some("kubectl-edit")
    );
    live["metadata"]["managedFields"][0]["time"] = json!("2026-11-20T10:00:00Z");
    assert_eq!(Owners::of(&live).likely_remover(), None);
}

#[test]
fn an_object_without_managed_fields_has_no_owners() {
    let bare = json!({"metadata": {"name": "x"}});
    let owners = Owners::of(&bare);
    assert!(owners.is_empty());
    assert_eq!(owners.of_path(&Path::of_fields(&["spec"])), None);
    assert_eq!(owners.likely_remover(), None);
}

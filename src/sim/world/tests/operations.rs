//! Operations, as a client of the Kubernetes API asks for them.

use super::*;

/// The write of section 2: a selective sync with the old state cleared.
pub(super) fn operation(revision: &str) -> Value {
    json!({
        "operation": {
            "initiatedBy": {"username": "alice@jumphost"},
            "retry": {"limit": 5},
            "sync": {
                "revision": revision,
                "prune": false,
                "resources": [{"group": "apps", "kind": "Deployment", "namespace": "ingress", "name": "ingress"}],
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        },
        "status": {"operationState": null},
    })
}

#[tokio::test]
async fn a_selective_sync_reverts_one_object_and_leaves_no_history() {
    let world = world("calm", 1).await;
    scale(&world, "edge-oslo-001", 1);
    world.advance(seconds(1));
    let before = app(&world, "ingress-oslo-001");
    let revision = before["status"]["sync"]["revision"].as_str().unwrap();
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    merge(&world, hub, &key, "driftdeck", operation(revision));
    world.advance(Duration::from_millis(100));
    let running = app(&world, "ingress-oslo-001");
    assert_eq!(running["status"]["operationState"]["phase"], "Running");
    world.advance(seconds(3));
    let after = app(&world, "ingress-oslo-001");
    let state = &after["status"]["operationState"];
    assert_eq!(state["phase"], "Succeeded", "{state}");
    assert_eq!(
        state["syncResult"]["resources"].as_array().unwrap().len(),
        1
    );
    assert_eq!(after.get("operation"), None);
    assert_eq!(after["status"]["sync"]["status"], "Synced");
    assert_eq!(after["status"]["history"], before["status"]["history"]);
    let live = read(&world.edges()[0].store, DEPLOYMENT, "ingress", "ingress");
    assert_eq!(live.unwrap()["spec"]["replicas"], 3);
}

#[tokio::test]
async fn an_operation_state_that_was_not_cleared_leaks_into_the_next_operation() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    merge(&world, hub, &key, "driftdeck", operation("HEAD"));
    world.advance(seconds(3));
    let config = world.edges()[0]
        .store
        .key("v1", "ConfigMap", "ingress", "ingress-config")
        .unwrap();
    let edit = json!({"data": {"proxy.yaml": "broken"}});
    merge(&world, &world.edges()[0], &config, "kubectl-edit", edit);
    // A full sync by a client that forgets to clear the state.
    let careless = json!({"operation": {"sync": {"revision": "HEAD", "syncOptions": ["ServerSideApply=true"]}}});
    merge(&world, hub, &key, "careless", careless);
    world.advance(seconds(3));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["operationState"]["phase"], "Succeeded");
    assert_eq!(
        after["status"]["sync"]["status"], "OutOfSync",
        "it was a selective sync after all"
    );
    assert_eq!(after["status"]["history"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_full_sync_is_remembered_and_a_missing_object_comes_back() {
    let world = world("calm", 1).await;
    let edge = &world.edges()[0];
    let key = edge
        .store
        .key("v1", "Service", "ingress", "ingress")
        .unwrap();
    let now = world.clock().now();
    let gone = crate::sim::store::DeleteOptions::new(now);
    edge.store.delete(&key, &gone).unwrap();
    world.advance(seconds(1));
    assert_eq!(world.unsynced(), ["ingress-oslo-001"]);
    let hub = &world.hubs()[0];
    let full = json!({"operation": {"sync": {"syncOptions": ["ServerSideApply=true"]}}, "status": {"operationState": null}});
    let app_key = app_key(hub, "ingress-oslo-001");
    merge(&world, hub, &app_key, "argocd-server", full);
    world.advance(seconds(3));
    assert!(edge.store.get(&key).is_some());
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["history"].as_array().unwrap().len(), 4);
    assert_eq!(world.unsynced(), Vec::<String>::new());
}

#[tokio::test]
async fn without_server_side_apply_the_object_carries_last_applied() {
    let world = world("calm", 1).await;
    scale(&world, "edge-oslo-001", 1);
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    let mut forgetful = operation("HEAD");
    forgetful["operation"]["sync"]["syncOptions"] = json!([]);
    merge(&world, hub, &key, "driftdeck", forgetful);
    world.advance(seconds(3));
    let live = read(&world.edges()[0].store, DEPLOYMENT, "ingress", "ingress").unwrap();
    assert_eq!(live["spec"]["replicas"], 3);
    assert!(
        live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
            .is_string()
    );
}

#[tokio::test]
async fn an_unknown_revision_ends_in_error_and_clears_the_operation() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    merge(&world, hub, &key, "driftdeck", operation("no-such-branch"));
    world.advance(seconds(3));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["operationState"]["phase"], "Error");
    assert!(
        after["status"]["operationState"]["message"]
            .as_str()
            .unwrap()
            .contains("unable to resolve 'no-such-branch'")
    );
    assert_eq!(after.get("operation"), None);
}

#[tokio::test]
async fn a_frozen_application_keeps_its_status_and_ignores_operations() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    let freeze =
        json!({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}});
    merge(&world, hub, &key, "kubectl", freeze);
    scale(&world, "edge-oslo-001", 1);
    merge(&world, hub, &key, "driftdeck", operation("HEAD"));
    world.advance(seconds(30));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["sync"]["status"], "Synced");
    assert_eq!(after["status"].get("operationState"), None, "just cleared");
    assert!(after.get("operation").is_some());
}

#[tokio::test]
async fn a_frozen_cluster_freezes_its_applications() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let secret = hub
        .store
        .key("v1", "Secret", "argocd", "cluster-edge-oslo-001")
        .unwrap();
    let freeze =
        json!({"metadata": {"annotations": {"argocd.argoproj.io/skip-reconcile": "true"}}});
    merge(&world, hub, &secret, "kubectl", freeze);
    scale(&world, "edge-oslo-001", 1);
    world.advance(seconds(5));
    assert_eq!(world.unsynced(), Vec::<String>::new());
}

#[tokio::test]
async fn an_operation_can_be_terminated() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    merge(&world, hub, &key, "driftdeck", operation("HEAD"));
    world.advance(Duration::from_millis(100));
    let stop = json!({"status": {"operationState": {"phase": "Terminating"}}});
    merge(&world, hub, &key, "driftdeck", stop);
    world.advance(Duration::from_millis(100));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["operationState"]["phase"], "Failed");
    assert_eq!(
        after["status"]["operationState"]["message"],
        "Operation terminated"
    );
}

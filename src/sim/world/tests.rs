use super::*;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::sim::store::{Key, Patch, Store, WriteOptions};

/// A quiet night.
fn test_start() -> Timestamp {
    "2026-11-21T02:00:00Z".parse().unwrap()
}

async fn world(scenario: &str, clusters: usize) -> World {
    let scenario = Scenario::named(scenario).unwrap();
    World::start(Options {
        clusters: Some(clusters),
        time: Time::Manual(test_start()),
        ..Options::new(scenario)
    })
    .await
    .unwrap()
}

fn app_key(hub: &Cluster, name: &str) -> Key {
    hub.store
        .key("argoproj.io/v1alpha1", "Application", "argocd", name)
        .unwrap()
}

fn app(world: &World, name: &str) -> Value {
    let hub = &world.hubs()[0];
    hub.store.read(&app_key(hub, name)).unwrap()
}

fn read(store: &Store, kind: (&str, &str), namespace: &str, name: &str) -> Option<Value> {
    store.read(&store.key(kind.0, kind.1, namespace, name)?)
}

const DEPLOYMENT: (&str, &str) = ("apps/v1", "Deployment");

/// Merges into an object as some manager, at the world's time.
fn merge(world: &World, cluster: &Cluster, key: &Key, manager: &str, patch: Value) {
    let options = WriteOptions::new(manager, world.clock().now());
    cluster
        .store
        .patch(key, &Patch::Merge(patch), &options)
        .unwrap();
}

fn scale(world: &World, edge: &str, replicas: u32) {
    let edge = world.cluster(edge).unwrap();
    let key = edge
        .store
        .key("apps/v1", "Deployment", "ingress", "ingress");
    let patch = json!({"spec": {"replicas": replicas}});
    merge(world, edge, &key.unwrap(), "kubectl-edit", patch);
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test]
async fn calm_starts_synced_and_healthy_and_stays_as_it_is() {
    let world = world("calm", 3).await;
    assert_eq!(world.unsynced(), Vec::<String>::new());
    world.advance(seconds(60));
    let versions = || -> Vec<u64> {
        let all = world.hubs().iter().chain(world.edges());
        all.map(|c| c.store.resource_version()).collect()
    };
    let before = versions();
    world.advance(seconds(3_600));
    assert_eq!(versions(), before);
    assert_eq!(
        app(&world, "ingress-oslo-001")["status"]["health"]["status"],
        "Healthy"
    );
}

#[tokio::test]
async fn an_application_looks_as_argo_cd_3_writes_it() {
    let world = world("calm", 2).await;
    let app = app(&world, "edge-microservice-oslo-001");
    assert_eq!(app["spec"]["source"]["path"], "microserviceA");
    let status = &app["status"];
    assert_eq!(status["sync"]["status"], "Synced");
    assert_eq!(status["resourceHealthSource"], "appTree");
    assert!(
        status["resources"]
            .as_array()
            .unwrap()
            .iter()
            .all(|r| r.get("health").is_none() && r["status"] == "Synced")
    );
    let history = status["history"].as_array().unwrap();
    assert_eq!(history.len(), 3);
    assert_eq!(
        history[2]["revision"], status["sync"]["revision"],
        "deployed is the newest"
    );
    assert_eq!(status["operationState"]["phase"], "Succeeded");
    assert_eq!(app.get("operation"), None);
    let managers: Vec<&str> = app["metadata"]["managedFields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|m| m["manager"].as_str().unwrap())
        .collect();
    assert!(managers.contains(&"argocd-server"));
    assert!(managers.contains(&"argocd-application-controller"));
}

#[tokio::test]
async fn live_objects_are_applied_by_the_engine_and_tracked() {
    let world = world("calm", 1).await;
    let edge = &world.edges()[0];
    let live = read(
        &edge.store,
        DEPLOYMENT,
        "edge-microservice-namespace",
        "edge-microservice",
    )
    .unwrap();
    assert_eq!(
        live["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
        "edge-microservice-oslo-001:apps/Deployment:edge-microservice-namespace/edge-microservice"
    );
    let fields = live["metadata"]["managedFields"].as_array().unwrap();
    let writer = |manager: &str| fields.iter().find(|f| f["manager"] == manager).unwrap();
    assert_eq!(writer("argocd-controller")["operation"], "Apply");
    assert_eq!(writer("kube-controller-manager")["subresource"], "status");
    assert_eq!(live["status"]["availableReplicas"], 2);
    let secret = read(
        &edge.store,
        ("v1", "Secret"),
        "edge-microservice-namespace",
        "vault-secret",
    );
    assert_eq!(
        secret.unwrap()["metadata"].get("annotations"),
        None,
        "not from Git"
    );
}

#[tokio::test]
async fn every_deployment_in_git_sets_replicas_and_no_edge_scales_by_itself() {
    let world = world("calm", 2).await;
    for edge in world.edges() {
        let kind = edge.store.kind("apps/v1", "Deployment").unwrap();
        let all = edge.store.all(kind, None);
        assert!(all.len() >= 4);
        let scalers = edge.store.kind("autoscaling/v2", "HorizontalPodAutoscaler");
        assert!(edge.store.all(scalers.unwrap(), None).is_empty());
        for deployment in all {
            let document = deployment.value();
            let owned = document["metadata"]["managedFields"][0]["fieldsV1"].to_string();
            assert!(owned.contains("f:replicas"), "{}", deployment.key);
        }
    }
}

#[tokio::test]
async fn an_edit_turns_the_application_out_of_sync_without_a_look_at_git() {
    let world = world("calm", 2).await;
    let before = app(&world, "ingress-oslo-001");
    world.advance(seconds(30));
    scale(&world, "edge-oslo-001", 1);
    world.advance(seconds(1));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["sync"]["status"], "OutOfSync");
    assert_eq!(
        after["status"]["reconciledAt"],
        before["status"]["reconciledAt"]
    );
    let differing: Vec<&Value> = after["status"]["resources"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|r| r["status"] == "OutOfSync")
        .collect();
    assert_eq!(differing.len(), 1);
    assert_eq!(differing[0]["kind"], "Deployment");
    assert_eq!(world.unsynced(), ["ingress-oslo-001"]);
}

/// The write of section 2: a selective sync with the old state cleared.
fn operation(revision: &str) -> Value {
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
async fn a_refresh_looks_at_git_and_takes_the_annotation_away() {
    let world = world("calm", 1).await;
    world.advance(seconds(60));
    let change = TextChange {
        file: "apps/ingress/ingress.yaml",
        before: "replicas: 3",
        after: "replicas: 4",
    };
    let facts = CommitFacts {
        author: "a.lee".into(),
        message: "ingress: 4 replicas".into(),
        at: world.clock().now(),
    };
    let commit = world.commit(&change, &facts).unwrap();
    world.advance(seconds(60));
    assert_eq!(
        world.unsynced(),
        Vec::<String>::new(),
        "nobody polls in calm"
    );
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    let refresh = json!({"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}});
    merge(&world, hub, &key, "driftdeck", refresh);
    world.advance(seconds(1));
    let after = app(&world, "ingress-oslo-001");
    assert_eq!(after["status"]["sync"]["status"], "OutOfSync");
    assert_eq!(after["status"]["sync"]["revision"], commit.as_str());
    let history = after["status"]["history"].as_array().unwrap();
    assert_ne!(history.last().unwrap()["revision"], commit.as_str());
    assert_eq!(
        after["metadata"]["annotations"].get("argocd.argoproj.io/refresh"),
        None
    );
    assert_eq!(after["status"]["reconciledAt"], "2026-11-21T02:02:00Z");
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

#[tokio::test]
async fn shift_drifts_heals_goes_dark_and_crashes_within_a_minute() {
    let world = world("shift", 12).await;
    world.advance(seconds(20));
    assert!(!world.unsynced().is_empty(), "drift");
    world.advance(seconds(42));
    let dark = world.edges().iter().filter(|e| !e.reachable()).count();
    assert_eq!(dark, 1);
    let hub = &world.hubs()[0];
    let kind = hub.store.kind("argoproj.io/v1alpha1", "Application");
    let apps: Vec<Value> = hub
        .store
        .all(kind.unwrap(), None)
        .iter()
        .map(|o| o.value())
        .collect();
    let degraded = apps
        .iter()
        .filter(|a| a["status"]["health"]["status"] == "Degraded");
    assert_eq!(degraded.count(), 1, "the crash loop");
    let healed = apps.iter().filter(|a| {
        a["status"]["operationState"]["operation"]["initiatedBy"]["automated"] == true
            && a["status"]["operationState"]["operation"]["sync"]["resources"].is_array()
    });
    assert!(healed.count() > 0, "self-heal took something back");
    world.advance(seconds(180));
    assert!(world.edges().iter().all(Cluster::reachable));
}

#[tokio::test]
async fn the_same_seed_tells_the_same_story_twice() {
    let (one, two) = (world("shift", 5).await, world("shift", 5).await);
    let versions = |world: &World| {
        world.advance(seconds(50));
        let all = world.hubs().iter().chain(world.edges());
        let versions: Vec<u64> = all.map(|c| c.store.resource_version()).collect();
        (versions, world.unsynced())
    };
    assert_eq!(versions(&one), versions(&two));
}

#[tokio::test]
async fn hands_edits_as_the_tools_people_use() {
    let world = world("hands", 12).await;
    world.advance(seconds(15));
    let mut managers = std::collections::BTreeSet::new();
    for edge in world.edges() {
        let kind = edge.store.kind("apps/v1", "Deployment").unwrap();
        for object in edge.store.all(kind, None) {
            let document = object.value();
            for entry in document["metadata"]["managedFields"].as_array().unwrap() {
                managers.insert(entry["manager"].as_str().unwrap().to_owned());
            }
        }
    }
    for manager in ["kubectl-edit", "kubectl-patch", "kubectl-scale"] {
        assert!(managers.contains(manager), "{managers:?}");
    }
    assert!(world.unsynced().len() >= 12, "{:?}", world.unsynced());
}

#[tokio::test]
async fn what_happens_in_the_dark_is_seen_when_the_link_returns() {
    let world = world("dark", 12).await;
    world.advance(seconds(50));
    assert_eq!(world.edges().iter().filter(|e| !e.reachable()).count(), 5);
    assert_eq!(
        world.unsynced(),
        Vec::<String>::new(),
        "nobody saw the edit"
    );
    world.advance(seconds(65));
    assert_eq!(world.unsynced().len(), 2, "{:?}", world.unsynced());
}

#[tokio::test]
async fn a_deleted_application_takes_its_resources_with_it() {
    let world = world("calm", 1).await;
    let hub = &world.hubs()[0];
    let key = app_key(hub, "ingress-oslo-001");
    let delete = crate::sim::store::DeleteOptions::new(world.clock().now());
    hub.store.delete(&key, &delete).unwrap();
    world.advance(seconds(1));
    assert!(hub.store.get(&key).is_none());
    let edge = &world.edges()[0].store;
    assert!(read(edge, DEPLOYMENT, "ingress", "ingress").is_none());
    assert!(read(edge, DEPLOYMENT, "monitoring", "telemetry").is_some());
}

#[tokio::test]
async fn silent_edges_do_not_answer_and_all_others_do() {
    let scenario = Scenario::named("fifty").unwrap();
    let options = Options {
        clusters: Some(8),
        apps: Some(1),
        ..Options::new(scenario)
    };
    let world = World::start(options).await.unwrap();
    assert_eq!(world.first_silent().await, None);
    assert_eq!(world.unsynced(), Vec::<String>::new());
    let silent = world.plan().edges.iter().filter(|e| e.silence.is_some());
    assert_eq!(silent.count(), 5);
}

#[tokio::test]
async fn flux_runs_on_some_edges_of_shift_only() {
    let world = world("shift", 4).await;
    let with_flux = world.edges().iter().filter(|edge| {
        let kind = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        read(&edge.store, kind, "flux-system", "infra").is_some()
    });
    assert_eq!(with_flux.count(), 1);
}

#[tokio::test]
async fn the_world_cleans_up_behind_itself() {
    let world = world("calm", 1).await;
    let (config, repository) = (
        world.kubeconfig_path().to_owned(),
        world.repository().to_owned(),
    );
    assert!(config.exists() && repository.exists());
    drop(world);
    assert!(!config.exists() && !repository.exists());
}

mod wire;

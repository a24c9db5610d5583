//! The whole world, seen from inside.

mod large;
mod operations;
mod stories;
mod wire;

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

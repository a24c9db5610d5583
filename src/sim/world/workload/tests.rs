use super::*;
use jiff::SignedDuration;
use serde_json::json;

use crate::sim::store::{KindSet, StoreOptions};

struct Bench {
    store: Store,
    workloads: Workloads,
    now: Timestamp,
}

impl Bench {
    fn new() -> Self {
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        let store = Store::new(StoreOptions::new(KindSet::bare(), 1, now));
        let deployment = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "replicas": 2, "progressDeadlineSeconds": 30,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}},
            },
        });
        Pen::new(&store, "test", now).create(deployment).unwrap();
        let workloads = Workloads::new("edge-oslo-001", store.clone(), 1);
        Self {
            store,
            workloads,
            now,
        }
    }

    /// Lets time pass, stopping wherever something is due.
    fn pass(&mut self, seconds: i64) {
        let until = self.now + SignedDuration::from_secs(seconds);
        while let Some(next) = self.workloads.settle(self.now) {
            if next > until {
                break;
            }
            self.now = next;
        }
        self.now = until;
        self.workloads.settle(self.now);
    }

    fn patch(&self, patch: Value) {
        let key = self.store.key("apps/v1", "Deployment", "default", "web");
        let pen = Pen::new(&self.store, "kubectl-edit", self.now);
        pen.merge(&key.unwrap(), patch).unwrap();
    }

    fn deployment(&self) -> Value {
        let key = self.store.key("apps/v1", "Deployment", "default", "web");
        self.store.read(&key.unwrap()).unwrap()
    }

    fn pods(&self) -> Vec<Value> {
        let kind = self.store.kind("v1", "Pod").unwrap();
        self.store
            .all(kind, None)
            .iter()
            .map(|o| o.value())
            .collect()
    }

    fn progressing(&self) -> String {
        let deployment = self.deployment();
        let conditions = list(&deployment, "/status/conditions");
        let found = conditions.iter().find(|c| c["type"] == "Progressing");
        text(found.unwrap(), "/reason").to_owned()
    }
}

#[test]
fn a_deployment_comes_up_within_seconds() {
    let mut bench = Bench::new();
    bench.pass(0);
    assert_eq!(bench.deployment()["status"].get("readyReplicas"), None);
    assert_eq!(bench.pods()[0]["status"]["phase"], "Pending");
    bench.pass(5);
    let status = &bench.deployment()["status"];
    assert_eq!(status["availableReplicas"], 2);
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(bench.progressing(), "NewReplicaSetAvailable");
    assert_eq!(bench.pods().len(), 2);
}

#[test]
fn at_rest_nothing_is_written() {
    let mut bench = Bench::new();
    bench.pass(10);
    let version = bench.store.resource_version();
    bench.pass(3_600);
    assert_eq!(bench.store.resource_version(), version);
}

#[test]
fn scaling_makes_and_removes_pods() {
    let mut bench = Bench::new();
    bench.pass(10);
    bench.patch(json!({"spec": {"replicas": 4}}));
    bench.pass(10);
    assert_eq!(bench.pods().len(), 4);
    bench.patch(json!({"spec": {"replicas": 1}}));
    bench.pass(10);
    assert_eq!(bench.pods().len(), 1);
    assert_eq!(bench.deployment()["status"]["replicas"], 1);
    bench.patch(json!({"spec": {"replicas": 0}}));
    bench.pass(10);
    assert!(bench.pods().is_empty());
}

fn new_image() -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "web:2"}]}}}})
}

#[test]
fn a_new_image_replaces_every_pod() {
    let mut bench = Bench::new();
    bench.pass(10);
    bench.patch(new_image());
    bench.pass(20);
    let images: Vec<Value> = bench
        .pods()
        .iter()
        .map(|p| p["spec"]["containers"][0]["image"].clone())
        .collect();
    assert_eq!(images, ["web:2", "web:2"]);
    assert_eq!(bench.deployment()["status"]["updatedReplicas"], 2);
    assert_eq!(bench.progressing(), "NewReplicaSetAvailable");
}

#[test]
fn a_new_image_that_crashes_leaves_the_old_pods_and_misses_its_deadline() {
    let mut bench = Bench::new();
    bench.pass(10);
    bench.patch(new_image());
    bench.workloads.crash("default", "web", bench.now);
    bench.pass(20);
    assert_eq!(bench.progressing(), "ReplicaSetUpdated");
    bench.pass(30);
    assert_eq!(bench.progressing(), "ProgressDeadlineExceeded");
    let pods = bench.pods();
    let crashing = pods.iter().find(|p| {
        text(p, "/status/containerStatuses/0/state/waiting/reason") == "CrashLoopBackOff"
    });
    assert!(crashing.is_some());
    assert_eq!(bench.deployment()["status"]["readyReplicas"], 2);
    let events = bench.store.kind("v1", "Event").unwrap();
    let events = bench.store.all(events, None);
    assert!(events.iter().any(|e| e.value()["reason"] == "BackOff"));
    bench.workloads.recover("default", "web");
    bench.pass(20);
    assert_eq!(bench.progressing(), "NewReplicaSetAvailable");
}

#[test]
fn pods_of_a_stateful_set_are_numbered() {
    let mut bench = Bench::new();
    let set = json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "cache", "namespace": "default"},
        "spec": {
            "replicas": 2, "serviceName": "cache", "selector": {"matchLabels": {"app": "cache"}},
            "template": {"metadata": {"labels": {"app": "cache"}}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}},
        },
    });
    Pen::new(&bench.store, "test", bench.now)
        .create(set)
        .unwrap();
    bench.pass(10);
    let pods = bench.pods();
    let names: Vec<&str> = pods.iter().map(|p| text(p, "/metadata/name")).collect();
    assert!(
        names.contains(&"cache-0") && names.contains(&"cache-1"),
        "{names:?}"
    );
}

//! How controllers are by their own metrics, read from their Pods through a real API server.

use serde_json::{Value, json};

use crate::bed::bed;
use crate::crds;
use crate::gitops_states::{condition, kustomization, put};
use crate::kubeconfig::{self, Entry};
use crate::netns::MetricsHost;
use crate::objects::{apply, namespace};
use crate::program::Driftdeck;
use crate::servers::User;

const EXPOSITION: &str = "\
# TYPE gotk_reconcile_duration_seconds histogram
gotk_reconcile_duration_seconds_bucket{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\",le=\"+Inf\"} 4
gotk_reconcile_duration_seconds_sum{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\"} 2.5
gotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\"} 4
# TYPE workqueue_depth gauge
workqueue_depth{controller=\"kustomization\",name=\"kustomization\"} 3
# TYPE controller_runtime_active_workers gauge
controller_runtime_active_workers{controller=\"kustomization\"} 4
# TYPE controller_runtime_max_concurrent_reconciles gauge
controller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 4
";

fn pod_monitor() -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "PodMonitor",
        "metadata": { "name": "flux-system", "namespace": "flux-system" },
        "spec": {
            "selector": { "matchExpressions": [{ "key": "app", "operator": "In", "values": ["kustomize-controller", "helm-controller"] }] },
            "podMetricsEndpoints": [{ "port": "http-prom", "interval": "15s" }],
        },
    })
}

/// A pod that was never scheduled, so that nothing of it answers.
fn pending_pod(app: &str) -> Value {
    let ports = json!([{ "name": "http-prom", "containerPort": 8080 }]);
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": { "name": format!("{app}-0"), "namespace": "flux-system", "labels": { "app": app } },
        "spec": { "containers": [{ "name": "manager", "image": "registry.example/flux:1.0.0", "ports": ports }] },
    })
}

#[tokio::test]
#[ignore = "needs real servers and root: run .ci/run as root"]
async fn controllers_are_told_by_their_metrics_behind_a_pod_monitor() {
    let bed = bed().await;
    let edge = bed.start_edge("edge-controllers").await;
    let client = edge.client(User::Admin).await;
    crds::install(&client, &crds::flux()).await;
    crds::install(&client, &[crds::pod_monitor()]).await;
    namespace(&client, "flux-system").await;
    let status =
        json!({ "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "ok")] });
    put(&client, &kustomization("infra", &json!({}), &status)).await;
    let host = MetricsHost::start(EXPOSITION);
    let labels = json!({ "app": "kustomize-controller" });
    host.stand_as(&client, "flux-system", "kustomize-controller-0", labels)
        .await;
    apply(&client, "kubelet", &pending_pod("helm-controller")).await;
    apply(&client, "flux", &pod_monitor()).await;
    let path = bed.dir.join("controllers.kubeconfig");
    kubeconfig::write(&path, &[Entry::of(&edge, User::Admin)]);
    let answer = Driftdeck::with(bed, &path)
        .run("status --wait 40s -o json")
        .await;
    let metrics = &answer.items()[0]["metrics"];
    let controllers = metrics["controllers"].as_array().unwrap();
    let of = |kind: &str| {
        let found = controllers.iter().find(|c| c["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind} in {metrics:#}"))
    };
    let kustomize = of("Kustomization");
    assert_eq!(
        (&kustomize["waiting"], &kustomize["workers"]),
        (&json!(3), &json!([4, 4])),
        "{metrics:#}"
    );
    assert!(
        kustomize["silentSince"].is_null() && kustomize["waitingSince"].is_string(),
        "{metrics:#}"
    );
    assert!(of("HelmRelease")["silentSince"].is_string(), "{metrics:#}");
    assert!(host.scrapes() > 0);
}

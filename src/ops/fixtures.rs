//! What the tests of this room share: one application, its objects, and a target of a revert.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::fake::{FakeFleet, FakeServer};
use super::{PlanContext, RevertRequest, RevertTarget, Unsealed, WaveSpec};
use crate::domain::{
    AppRef, Application, AutoSync, Change, ChangeOp, Destination, DriftState, Engine, Gvk, Health,
    HistoryEntry, LinkState, ObjectRef, Safe, Source, SyncState, Tracking, Verdict,
};

pub(super) const COMMIT: &str = "9f31c02d5a6e4b7f8c9d0e1f2a3b4c5d6e7f8091";

pub(super) fn application() -> Application {
    Application {
        id: AppRef {
            kind: crate::domain::AppKind::Application,
            hub: "hub-1".into(),
            namespace: "argocd".into(),
            name: "edge-microservice-oslo-003".into(),
        },
        engine: Engine::Argo,
        uid: "app-uid-1".into(),
        resource_version: "4711".into(),
        created: None,
        project: "default".into(),
        destination: Destination {
            server: "https://10.3.0.1:6443".into(),
            name: "edge-oslo-003".into(),
            namespace: "edge".into(),
        },
        sources: vec![source()],
        sync: SyncState::OutOfSync,
        compared_revision: COMMIT.into(),
        health: Health::Healthy,
        message: None,
        history: vec![HistoryEntry {
            id: 41,
            revision: COMMIT.into(),
            deployed_at: None,
            source: Some(source()),
            sources: Vec::new(),
            revisions: Vec::new(),
            by: Safe::default(),
        }],
        auto_sync: AutoSync::default(),
        sync_options: vec!["CreateNamespace=true".into()],
        retry: None,
        ignore_differences: None,
        compare_options: "".into(),
        resources: Vec::new(),
        operation: None,
        operation_requested: false,
        skip_reconcile: false,
        owned_by_set: false,
        deleting: false,
        reconciled_at: None,
        controller_namespace: "argocd".into(),
        images: Vec::new(),
        labels: Vec::new(),
        report: crate::domain::EngineReport::default(),
    }
}

fn source() -> Source {
    Source {
        repo_url: "https://git.example/fleet.git".into(),
        path: "apps/edge-microservice".into(),
        target_revision: "main".into(),
        ..Source::default()
    }
}

/// The same application as the hub's API server gives it.
pub(super) fn application_json() -> Value {
    let source = json!({"repoURL": "https://git.example/fleet.git", "path": "apps/edge-microservice", "targetRevision": "main"});
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"name": "edge-microservice-oslo-003", "namespace": "argocd", "uid": "app-uid-1", "resourceVersion": "4711"},
        "spec": {
            "project": "default", "source": source,
            "destination": {"server": "https://10.3.0.1:6443", "namespace": "edge"},
            "syncPolicy": {
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
                "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m0s"}}
            }
        },
        "status": {
            "history": [{"id": 41, "revision": COMMIT, "source": source}],
            "operationState": {"phase": "Succeeded", "operation": {"sync": {"revision": "0ld", "resources": [{"kind": "Service", "name": "old"}]}}}
        }
    })
}

pub(super) fn deployment() -> ObjectRef {
    ObjectRef::new(
        Gvk::new("apps", "v1", "Deployment"),
        "edge",
        "edge-microservice",
    )
}

/// The Deployment as Git wants it.
pub(super) fn desired_deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "edge-microservice", "namespace": "edge",
            "annotations": {"argocd.argoproj.io/tracking-id": "edge-microservice-oslo-003:apps/Deployment:edge/edge-microservice"}
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "edge-microservice"}},
            "template": {
                "metadata": {"labels": {"app": "edge-microservice"}},
                "spec": {"containers": [{"name": "app", "image": "registry.example/edge-microservice:1.4.2"}]}
            }
        }
    })
}

/// The Deployment as it is: scaled down by hand.
pub(super) fn live_deployment() -> Value {
    let mut live = desired_deployment();
    live["metadata"]["uid"] = json!("deploy-uid-1");
    live["metadata"]["resourceVersion"] = json!("881204");
    live["metadata"]["generation"] = json!(17);
    live["metadata"]["managedFields"] = json!([
        {"manager": "argocd-controller", "operation": "Update", "time": "2026-11-20T02:00:00Z", "fieldsV1": {
            "f:metadata": {"f:annotations": {"f:argocd.argoproj.io/tracking-id": {}}},
            "f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}
        }},
        {"manager": "kubectl-scale", "operation": "Update", "subresource": "scale", "time": "2026-11-21T01:33:10Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": "2026-11-21T02:13:00Z", "fieldsV1": {"f:status": {"f:replicas": {}}}}
    ]);
    live["spec"]["replicas"] = json!(1);
    live["spec"]["strategy"] = json!({"type": "RollingUpdate"});
    live["status"] = json!({"replicas": 1, "readyReplicas": 1});
    live
}

/// What the server's dry run of the revert answers.
pub(super) fn predicted_deployment() -> Value {
    let mut predicted = live_deployment();
    predicted["spec"]["replicas"] = json!(3);
    predicted["metadata"]["generation"] = json!(18);
    predicted["metadata"]["managedFields"] = json!([
        {"manager": "argocd-controller", "operation": "Apply", "time": "2026-11-21T02:14:00Z", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        {"manager": "kube-controller-manager", "operation": "Update", "subresource": "status", "time": "2026-11-21T02:13:00Z", "fieldsV1": {"f:status": {"f:replicas": {}}}}
    ]);
    predicted
}

/// The verdict on the scaled Deployment.
pub(super) fn verdict() -> Verdict {
    Verdict {
        states: vec![DriftState::Edited],
        changes: vec![Change {
            path: "spec.replicas".to_owned(),
            op: ChangeOp::Changed,
            desired: Some(json!(3)),
            live: Some(json!(1)),
            owner: None,
            owner_inferred: false,
        }],
        summary: Safe::fixed("spec.replicas 3→1"),
        ..Verdict::default()
    }
}

pub(super) fn target() -> RevertTarget {
    RevertTarget {
        cluster: "edge-oslo-003".into(),
        app: Arc::new(application()),
        object: deployment(),
        uid: "deploy-uid-1".into(),
        resource_version: "881204".into(),
        verdict: Arc::new(verdict()),
        desired: Some(Unsealed::new(desired_deployment())),
        desired_revision: COMMIT.into(),
        target_commit: Some(COMMIT.into()),
        tracking: Tracking::default(),
        custom: None,
        secretive: false,
        link: LinkState::Live,
        hub_link: LinkState::Live,
    }
}

pub(super) fn request(targets: Vec<RevertTarget>) -> RevertRequest {
    RevertRequest {
        targets,
        via: None,
        prune: false,
        note: Some(Safe::fixed("INC-4711")),
        reason: Safe::fixed("edge-microservice spec.replicas"),
        waves: WaveSpec::default(),
        guardrail: None,
    }
}

pub(super) const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/edge/deployments/edge-microservice";
pub(super) const APPLICATION: &str =
    "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/edge-microservice-oslo-003";
pub(super) const PROJECT: &str = "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/default";

/// The edge with the scaled Deployment, and its hub.
pub(super) fn fleet() -> (FakeServer, FakeServer, FakeFleet) {
    let edge = FakeServer::with(&[(DEPLOYMENT, live_deployment())]);
    edge.world(|w| {
        let owners = json!({"metadata": {"managedFields": predicted_deployment()["metadata"]["managedFields"]}});
        w.predictions.insert(DEPLOYMENT.to_owned(), owners);
    });
    let hub = FakeServer::with(&[
        (APPLICATION, application_json()),
        (PROJECT, json!({"spec": {}})),
    ]);
    let fleet = FakeFleet::of(&[("edge-oslo-003", &edge), ("hub-1", &hub)]);
    (edge, hub, fleet)
}

pub(super) fn context() -> PlanContext {
    PlanContext {
        id: "20261121T021407Z-0000002a".to_owned(),
        now: "2026-11-21T02:14:07Z".parse().unwrap(),
        operator: "alice@jumphost".into(),
        timeout: Duration::from_secs(10),
        parallel: 4,
    }
}

/// The same object applied by a Kustomization of the edge's own Flux.
pub(super) fn flux_target() -> RevertTarget {
    let mut app = application();
    app.id = AppRef {
        kind: crate::domain::AppKind::Kustomization,
        hub: "edge-oslo-003".into(),
        namespace: "flux-system".into(),
        name: "apps".into(),
    };
    app.engine = Engine::Flux;
    app.uid = "ks-uid-1".into();
    RevertTarget {
        app: Arc::new(app),
        ..target()
    }
}

/// The Kustomization as the edge's API server gives it.
pub(super) fn kustomization_json() -> Value {
    json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
        "metadata": {"name": "apps", "namespace": "flux-system", "uid": "ks-uid-1", "resourceVersion": "17"},
        "spec": {"interval": "10m", "path": "./apps", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}},
        "status": {"conditions": [{"type": "Ready", "status": "True", "reason": "ReconciliationSucceeded"}]}
    })
}

pub(super) const KUSTOMIZATION: &str =
    "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/apps";

//! Documents of Argo CD and Flux in the states that their controllers leave them in.

use jiff::{SignedDuration, Timestamp};
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::objects::{api_of, apply, name_of};

/// The namespace of all of them.
pub(crate) const NAMESPACE: &str = "argocd";
/// The commit that everything is at.
pub(crate) const COMMIT: &str = "9f31c02aa0b1c2d3e4f5061728394a5b6c7d8e9f";

/// A moment this long ago, as Kubernetes writes it.
pub(crate) fn ago(seconds: i64) -> String {
    let at = Timestamp::now() - SignedDuration::from_secs(seconds);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An Application in order that deploys to `server`; `change` is merged over it.
pub(crate) fn application(name: &str, server: &str, change: &Value) -> Value {
    let mut document = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": {
            "project": "default",
            "source": { "repoURL": "https://127.0.0.1:9/fleet.git", "path": "microserviceA", "targetRevision": "main" },
            "destination": { "server": server, "namespace": "edge-microservice-namespace" },
        },
        "status": {
            "sync": { "status": "Synced", "revision": COMMIT }, "health": { "status": "Healthy" },
            "reconciledAt": ago(5), "controllerNamespace": NAMESPACE,
        },
    });
    merge(&mut document, change);
    document
}

/// An operation's state that began a while ago.
pub(crate) fn operation_state(phase: &str, message: &str, finished: Option<i64>) -> Value {
    let mut state = json!({
        "phase": phase, "message": message, "startedAt": ago(300),
        "operation": { "sync": { "revision": COMMIT }, "initiatedBy": { "username": "on-call" } },
        "syncResult": { "revision": COMMIT, "source": { "repoURL": "https://127.0.0.1:9/fleet.git" } },
    });
    if let Some(seconds) = finished {
        state["finishedAt"] = json!(ago(seconds));
    }
    state
}

/// The request that the state of [`operation_state`] answers.
pub(crate) fn operation() -> Value {
    json!({ "sync": { "revision": COMMIT }, "initiatedBy": { "username": "on-call" } })
}

/// RFC 7386.
pub(crate) fn merge(into: &mut Value, change: &Value) {
    match (into, change) {
        (Value::Object(into), Value::Object(change)) => {
            for (key, value) in change {
                if value.is_null() {
                    into.remove(key);
                    continue;
                }
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, change) => *into = change.clone(),
    }
}

/// A condition of Flux about the newest generation.
pub(crate) fn condition(kind: &str, status: &str, reason: &str, message: &str) -> Value {
    json!({ "type": kind, "status": status, "reason": reason, "message": message,
        "observedGeneration": 1, "lastTransitionTime": ago(60) })
}

/// An object of Flux.
pub(crate) fn flux(
    api_version: &str,
    kind: &str,
    name: &str,
    spec: &Value,
    status: &Value,
) -> Value {
    let mut document = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": { "name": name, "namespace": "flux-system" },
        "spec": spec, "status": status,
    });
    if !status.is_null() {
        document["status"]["observedGeneration"] = json!(1);
    }
    document
}

/// A Kustomization with this status.
pub(crate) fn kustomization(name: &str, spec: &Value, status: &Value) -> Value {
    let mut full = json!({ "interval": "10m", "path": "./infra", "prune": true, "sourceRef": { "kind": "GitRepository", "name": "fleet" } });
    merge(&mut full, spec);
    flux(
        "kustomize.toolkit.fluxcd.io/v1",
        "Kustomization",
        name,
        &full,
        status,
    )
}

/// Creates the object, and its status through the subresource where the kind has one.
pub(crate) async fn put(client: &kube::Client, document: &Value) {
    let mut bare = document.clone();
    let argo = document["kind"] == "Application";
    let status = if argo {
        Value::Null
    } else {
        bare["status"].take()
    };
    if !argo {
        bare.as_object_mut().unwrap().remove("status");
    }
    apply(client, "states", &bare).await;
    if !status.is_null() {
        let api = api_of(client, document).await;
        let patch = json!({ "status": status });
        api.patch_status(
            &name_of(document),
            &PatchParams::default(),
            &Patch::Merge(&patch),
        )
        .await
        .unwrap_or_else(|e| {
            panic!(
                "the status of {} was not written: {e}",
                document["metadata"]
            )
        });
    }
}

//! The kinds a cluster must serve: Argo CD's on the hub, the Prometheus operator's ServiceMonitor on the edges.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use kube::Api;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

const ARGO: [&str; 3] = [
    "argocd-application-crd.yaml",
    "argocd-applicationset-crd.yaml",
    "argocd-appproject-crd.yaml",
];

/// Argo CD's own definitions, as it publishes them, from the folder in `DRIFTDECK_CRDS`.
pub(crate) fn argo() -> Vec<Value> {
    let dir = std::env::var_os("DRIFTDECK_CRDS").map(PathBuf::from).expect(
        "DRIFTDECK_CRDS is not set: name the folder with argocd-application-crd.yaml and its two sisters \
         (Argo CD publishes them under manifests/crds)",
    );
    ARGO.map(|file| {
        let path = dir.join(file);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| {
            panic!(
                "{} cannot be read ({e}); DRIFTDECK_CRDS must hold {ARGO:?}",
                path.display()
            )
        });
        serde_yaml::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    })
    .into()
}

/// Flux's own definitions from the same folder, and its operator's two without their schemas.
pub(crate) fn flux() -> Vec<Value> {
    let dir = std::env::var_os("DRIFTDECK_CRDS")
        .map(PathBuf::from)
        .expect("DRIFTDECK_CRDS is not set");
    let mut found = vec![
        operator("FluxInstance", "fluxinstances"),
        operator("ResourceSet", "resourcesets"),
    ];
    for entry in std::fs::read_dir(&dir).unwrap().flatten() {
        if entry.file_name().to_string_lossy().starts_with("flux-") {
            let text = std::fs::read_to_string(entry.path()).unwrap();
            found.push(serde_yaml::from_str(&text).unwrap());
        }
    }
    assert!(found.len() > 8, "{} lacks Flux's CRDs", dir.display());
    found
}

fn operator(kind: &str, plural: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.fluxcd.controlplane.io") },
        "spec": {
            "group": "fluxcd.controlplane.io",
            "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase() },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": { "status": {} },
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    })
}

/// A ServiceMonitor without its schema: enough for objects to be stored as they are.
pub(crate) fn service_monitor() -> Value {
    monitoring("ServiceMonitor", "servicemonitors")
}

/// A PodMonitor without its schema.
pub(crate) fn pod_monitor() -> Value {
    monitoring("PodMonitor", "podmonitors")
}

fn monitoring(kind: &str, plural: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("{plural}.monitoring.coreos.com") },
        "spec": {
            "group": "monitoring.coreos.com",
            "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase() },
            "scope": "Namespaced",
            "versions": [{
                "name": "v1", "served": true, "storage": true,
                "schema": { "openAPIV3Schema": { "type": "object", "x-kubernetes-preserve-unknown-fields": true } },
            }],
        },
    })
}

/// Applies the definitions and waits until the server serves each of them.
pub(crate) async fn install(client: &kube::Client, definitions: &[Value]) {
    let api: Api<CustomResourceDefinition> = Api::all(client.clone());
    for definition in definitions {
        let name = definition["metadata"]["name"].as_str().unwrap();
        api.patch(
            name,
            &PatchParams::apply("kubectl").force(),
            &Patch::Apply(definition),
        )
        .await
        .unwrap();
    }
    for definition in definitions {
        await_established(&api, definition["metadata"]["name"].as_str().unwrap()).await;
        await_served(client, &definition["spec"]).await;
    }
}

async fn await_established(api: &Api<CustomResourceDefinition>, name: &str) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let crd = api.get(name).await.unwrap();
        let conditions = crd.status.and_then(|s| s.conditions).unwrap_or_default();
        if conditions
            .iter()
            .any(|c| c.type_ == "Established" && c.status == "True")
        {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{name} was not established within a minute: {conditions:?}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Established is not yet served: for a moment the path still answers 404.
async fn await_served(client: &kube::Client, spec: &Value) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (group, plural) = (text(&spec["group"]), text(&spec["names"]["plural"]));
    let path = format!(
        "/apis/{group}/{}/{plural}?limit=1",
        text(&spec["versions"][0]["name"])
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let request = http::Request::get(&path).body(Vec::new()).unwrap();
        match client.request_text(request).await {
            Ok(_) => return,
            Err(e) => assert!(
                Instant::now() < deadline,
                "{path} was not served within a minute: {e}"
            ),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! What a hub holds from the start: Argo CD's settings, its project, and a Secret for every cluster it knows.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::argo::{CLUSTER_LABEL, NAMESPACE};
use super::cluster::{Cluster, Pen, refused};
use super::error::WorldError;

/// Puts Argo CD's own objects into a hub.
pub(crate) fn furnish(hub: &Cluster, polls: bool, at: Timestamp) -> Result<(), WorldError> {
    let pen = hub.pen("kubectl", at);
    put(
        pen,
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}}),
    )?;
    let polling = if polls { "180s" } else { "0s" };
    put(
        pen,
        config_map(
            "argocd-cm",
            &json!({
                "application.resourceTrackingMethod": "annotation",
                "timeout.reconciliation": polling,
                "url": format!("https://argocd.{}.example", hub.name),
            }),
        ),
    )?;
    put(
        pen,
        config_map(
            "argocd-cmd-params-cm",
            &json!({"controller.resource.health.persist": "false"}),
        ),
    )?;
    put(pen, project())
}

fn put(pen: Pen<'_>, document: Value) -> Result<(), WorldError> {
    let what = format!("{} {}", document["kind"], document["metadata"]["name"]);
    pen.apply(document).map_err(refused(what))?;
    Ok(())
}

fn config_map(name: &str, data: &Value) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {"app.kubernetes.io/part-of": "argocd"},
        },
        "data": data,
    })
}

fn project() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": {"name": "default", "namespace": NAMESPACE},
        "spec": {
            "sourceRepos": ["*"],
            "destinations": [{"namespace": "*", "server": "*"}],
            "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        },
    })
}

/// Tells a hub of an edge. The credentials open nothing.
pub(crate) fn register(
    hub: &Cluster,
    edge: &Cluster,
    region: &str,
    at: Timestamp,
) -> Result<(), WorldError> {
    let config = json!({"bearerToken": "not-a-real-token", "tlsClientConfig": {"insecure": false}});
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": format!("cluster-{}", edge.name),
            "namespace": NAMESPACE,
            "labels": {(CLUSTER_LABEL): "cluster", "region": region},
        },
        "type": "Opaque",
        "data": {
            "name": encoded(&edge.name),
            "server": encoded(&edge.url),
            "config": encoded(&config.to_string()),
        },
    });
    let what = format!("the Secret of {}", edge.name);
    hub.pen("argocd", at)
        .create(secret)
        .map_err(refused(what))?;
    Ok(())
}

fn encoded(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

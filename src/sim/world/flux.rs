//! Flux on an edge, as objects only: its source, its Kustomizations and what they brought. Nothing reconciles them.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::{Cluster, Pen, refused};
use super::error::WorldError;
use super::json::{stamp, text};

/// The folder of the repository that Flux brings.
pub(crate) const FOLDER: &str = "infra";
const NAMESPACE: &str = "flux-system";

/// Puts Flux's objects into an edge: the manifests of [`FOLDER`] as its controller applies them, and the statuses.
pub(crate) fn install(
    edge: &Cluster,
    url: &str,
    manifests: &[Value],
    commit: &str,
    at: Timestamp,
) -> Result<(), WorldError> {
    let revision = format!("main@sha1:{commit}");
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}});
    let bootstrap = edge.pen("flux", at);
    bootstrap
        .apply(namespace)
        .map_err(refused("the namespace flux-system"))?;
    source(edge, url, &revision, at)?;
    let controller = edge.pen("kustomize-controller", at);
    let mut inventory = Vec::new();
    for manifest in manifests {
        let what = text(manifest, "/metadata/name").to_owned();
        controller
            .apply(labelled(manifest))
            .map_err(refused(what))?;
        inventory.push(entry(manifest));
    }
    kustomization(edge, "infra", false, &revision, &inventory, at)?;
    kustomization(edge, "maintenance", true, &revision, &[], at)
}

fn source(edge: &Cluster, url: &str, revision: &str, at: Timestamp) -> Result<(), WorldError> {
    let document = json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": {"name": "fleet", "namespace": NAMESPACE},
        "spec": {
            "interval": "1m0s",
            "url": url,
            "ref": {"branch": "main"},
        },
    });
    let status = json!({
        "observedGeneration": 1,
        "conditions": [ready("Succeeded", &format!("stored artifact for revision '{revision}'"), at)],
        "artifact": {
            "path": format!("gitrepository/{NAMESPACE}/fleet/{revision}.tar.gz"),
            "url": "http://source-controller.flux-system.svc.cluster.local./fleet.tar.gz",
            "revision": revision,
            "digest": "sha256:0000000000000000000000000000000000000000000000000000000000000000",
            "lastUpdateTime": stamp(at),
        },
    });
    put(edge.pen("flux", at), "source-controller", document, &status)
}

fn kustomization(
    edge: &Cluster,
    name: &str,
    suspended: bool,
    revision: &str,
    inventory: &[Value],
    at: Timestamp,
) -> Result<(), WorldError> {
    let document = json!({
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {
            "interval": "10m0s",
            "path": format!("./{name}"),
            "prune": true,
            "suspend": suspended,
            "sourceRef": {"kind": "GitRepository", "name": "fleet"},
        },
    });
    let status = json!({
        "observedGeneration": 1,
        "conditions": [ready("ReconciliationSucceeded", &format!("Applied revision: {revision}"), at)],
        "lastAppliedRevision": revision,
        "lastAttemptedRevision": revision,
        "inventory": {"entries": inventory},
    });
    put(
        edge.pen("flux", at),
        "kustomize-controller",
        document,
        &status,
    )
}

fn put(pen: Pen<'_>, controller: &str, document: Value, status: &Value) -> Result<(), WorldError> {
    let what = text(&document, "/metadata/name").to_owned();
    let written = pen.apply(document).map_err(refused(what.clone()))?;
    let pen = Pen {
        manager: controller,
        ..pen
    };
    pen.status(&written.object.key, status)
        .map_err(refused(format!("the status of {what}")))?;
    Ok(())
}

fn ready(reason: &str, message: &str, at: Timestamp) -> Value {
    json!({
        "type": "Ready",
        "status": "True",
        "reason": reason,
        "message": message,
        "observedGeneration": 1,
        "lastTransitionTime": stamp(at),
    })
}

/// A manifest with the labels by which Flux knows what it owns.
fn labelled(manifest: &Value) -> Value {
    let mut document = manifest.clone();
    let labels = json!({"metadata": {"labels": {
        "kustomize.toolkit.fluxcd.io/name": "infra",
        "kustomize.toolkit.fluxcd.io/namespace": NAMESPACE,
    }}});
    json_patch::merge(&mut document, &labels);
    document
}

/// An inventory entry: `namespace_name_group_kind`, with the version beside it.
fn entry(manifest: &Value) -> Value {
    let api_version = text(manifest, "/apiVersion");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let id = format!(
        "{}_{}_{group}_{}",
        text(manifest, "/metadata/namespace"),
        text(manifest, "/metadata/name"),
        text(manifest, "/kind")
    );
    json!({"id": id, "v": version})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inventory_names_group_and_namespace_or_leaves_them_empty() {
        let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "time-sync", "namespace": "infra"}});
        assert_eq!(
            entry(&deployment),
            json!({"id": "infra_time-sync_apps_Deployment", "v": "v1"})
        );
        let namespace =
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "infra"}});
        assert_eq!(
            entry(&namespace),
            json!({"id": "_infra__Namespace", "v": "v1"})
        );
    }
}

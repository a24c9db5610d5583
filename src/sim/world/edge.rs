//! What an edge holds besides what Git brings: its node, its namespaces, and the Secret that Vault provides.

use jiff::Timestamp;
use serde_json::json;

use super::cluster::{Cluster, refused};
use super::error::WorldError;
use super::json::stamp;
use super::plan::EdgePlan;
use super::workload::KUBELET;

/// The namespace of the seed application.
const SEED_NAMESPACE: &str = "edge-microservice-namespace";

/// Puts the node and the common namespace into an edge, before anything is deployed.
pub(crate) fn commission(edge: &Cluster, plan: &EdgePlan, at: Timestamp) -> Result<(), WorldError> {
    let namespace =
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "monitoring"}});
    edge.pen("kubectl-create", at)
        .create(namespace)
        .map_err(refused("the namespace monitoring"))?;
    let name = format!("{}-node-1", plan.name);
    let node = json!({
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {
            "kubernetes.io/hostname": name,
            "topology.kubernetes.io/region": plan.site.region,
            "topology.kubernetes.io/zone": plan.site.name,
        }},
    });
    let pen = edge.pen(KUBELET, at);
    let written = pen.create(node).map_err(refused("the node"))?;
    let status = json!({
        "capacity": {"cpu": "2", "memory": "4Gi", "pods": "110"},
        "allocatable": {"cpu": "2", "memory": "3900Mi", "pods": "110"},
        "conditions": [{
            "type": "Ready",
            "status": "True",
            "reason": "KubeletReady",
            "message": "kubelet is posting ready status",
            "lastHeartbeatTime": stamp(at),
            "lastTransitionTime": stamp(at),
        }],
        "nodeInfo": {
            "architecture": "arm64",
            "operatingSystem": "linux",
            "osImage": "Edge Linux 12",
            "kernelVersion": "6.1.0",
            "containerRuntimeVersion": "containerd://1.7.27",
            "kubeletVersion": plan.version,
            "kubeProxyVersion": "",
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
        },
    });
    pen.status(&written.object.key, &status)
        .map_err(refused("the node's status"))?;
    Ok(())
}

/// Puts what Vault provides beside the seed application, where that runs.
pub(crate) fn provide_secret(
    edge: &Cluster,
    plan: &EdgePlan,
    at: Timestamp,
) -> Result<(), WorldError> {
    if plan.app("edge-microservice").is_none() {
        return Ok(());
    }
    // Stands for secret/edge-microservice, key db_password; opens nothing.
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "vault-secret",
            "namespace": SEED_NAMESPACE,
            "labels": {"app.kubernetes.io/managed-by": "hashicorp-vso"},
        },
        "type": "Opaque",
        "data": {"db_password": "bm90LWEtcmVhbC1wYXNzd29yZA=="},
    });
    edge.pen("hashicorp-vso", at)
        .create(secret)
        .map_err(refused("the Secret vault-secret"))?;
    Ok(())
}

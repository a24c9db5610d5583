//! Nodes, controllers, clock and credentials of one cluster.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{connection, items, json, text};
use crate::app::inquiry::{ClusterDetail, ControllerLine, NodeLine};
use crate::connect::{Connection, Lane, WallClock, get};
use crate::domain::{ClusterId, Safe};
use crate::sources::Sources;

/// The engines' workloads carry these labels.
const ENGINES: &str = "app.kubernetes.io%2Fpart-of%20in%20(argocd,flux)";

pub(super) async fn detail(sources: &Sources, id: &ClusterId) -> Result<ClusterDetail, Safe> {
    let connection = connection(sources, id)?;
    let time = sources.time();
    let asked_at = time.now();
    let (nodes, controllers, clock) = tokio::join!(
        nodes(&connection),
        controllers(&connection),
        clock(&connection, time)
    );
    let row = sources.rows().find(|row| row.cluster == *id);
    let target = row.and_then(|row| row.target.as_ref().ok());
    let (skew, round_trip) = clock?;
    Ok(ClusterDetail {
        asked_at,
        credential: target.map_or(Safe::default(), |t| t.credential()),
        certificate_ends: target.and_then(|t| t.certificate_ends()),
        token_ends: target.and_then(|t| t.token_ends()),
        insecure: connection.is_insecure(),
        skew,
        round_trip,
        connections: connection.connections().await,
        nodes,
        controllers,
    })
}

/// The server's clock against ours in the middle of a short call, and how long the call took.
async fn clock(
    connection: &Connection,
    time: &WallClock,
) -> Result<(Option<SignedDuration>, SignedDuration), Safe> {
    let request = get("/version").map_err(|fault| fault.sentence)?;
    let before = time.now();
    let answer = connection
        .send(Lane::Interactive, request)
        .await
        .map_err(|fault| fault.sentence)?;
    let trip = time.now().duration_since(before);
    let date = answer.headers().get(http::header::DATE);
    let theirs = date.and_then(|date| date_of(date.to_str().ok()?));
    let middle = before.checked_add(trip / 2).unwrap_or(before);
    Ok((theirs.map(|theirs| skew(theirs, middle)), trip))
}

/// The date of an HTTP answer: `Sat, 21 Nov 2026 08:00:00 GMT`.
fn date_of(date: &str) -> Option<Timestamp> {
    let parsed = jiff::fmt::rfc2822::parse(date).ok()?;
    Some(parsed.timestamp())
}

/// Their clock minus ours; their date names the second that is running, so half a second is added on average.
fn skew(theirs: Timestamp, ours: Timestamp) -> SignedDuration {
    theirs.duration_since(ours) + SignedDuration::from_millis(500)
}

async fn nodes(connection: &Connection) -> Result<Vec<NodeLine>, Safe> {
    let list = json(connection, "/api/v1/nodes?limit=500").await;
    let list = list.map_err(|fault| fault.sentence)?;
    Ok(items(&list).map(node).collect())
}

fn node(node: &Value) -> NodeLine {
    let conditions = node.pointer("/status/conditions").and_then(Value::as_array);
    let mut ready = false;
    let mut remarks = Vec::new();
    for condition in conditions.into_iter().flatten() {
        let holds = text(condition, "/status");
        match text(condition, "/type") {
            "Ready" => {
                ready = holds == "True";
                if !ready {
                    remarks.push(Safe::new(text(condition, "/message")));
                }
            }
            other if holds == "True" => remarks.push(Safe::new(other)),
            _ => {}
        }
    }
    if node.pointer("/spec/unschedulable") == Some(&Value::Bool(true)) {
        remarks.push(Safe::fixed("cordoned"));
    }
    NodeLine {
        name: Safe::new(text(node, "/metadata/name")),
        ready,
        remarks,
        version: Safe::new(text(node, "/status/nodeInfo/kubeletVersion")),
    }
}

async fn controllers(connection: &Connection) -> Result<Vec<ControllerLine>, Safe> {
    let mut found = Vec::new();
    for kind in ["deployments", "statefulsets"] {
        let path = format!("/apis/apps/v1/{kind}?limit=500&labelSelector={ENGINES}");
        let list = json(connection, &path)
            .await
            .map_err(|fault| fault.sentence)?;
        found.extend(items(&list).map(controller));
    }
    Ok(found)
}

fn controller(workload: &Value) -> ControllerLine {
    let count = |pointer| workload.pointer(pointer).and_then(Value::as_u64);
    let image = text(workload, "/spec/template/spec/containers/0/image");
    let name = text(workload, "/metadata/name");
    ControllerLine {
        name: format!("{}/{name}", text(workload, "/metadata/namespace")).into(),
        ready: count("/status/readyReplicas").unwrap_or(0),
        wanted: count("/spec/replicas").unwrap_or(1),
        image: Safe::new(image.rsplit('/').next().unwrap_or(image)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_node_that_is_not_ready_says_why() {
        let told = node(&json!({
            "metadata": {"name": "edge-oslo-003-a"},
            "spec": {"unschedulable": true},
            "status": {
                "nodeInfo": {"kubeletVersion": "v1.34.2"},
                "conditions": [
                    {"type": "DiskPressure", "status": "True"},
                    {"type": "MemoryPressure", "status": "False"},
                    {"type": "Ready", "status": "Unknown", "message": "Kubelet stopped posting node status."},
                ],
            },
        }));
        assert!(!told.ready);
        let remarks: Vec<&str> = told.remarks.iter().map(Safe::as_str).collect();
        assert_eq!(
            remarks,
            [
                "DiskPressure",
                "Kubelet stopped posting node status.",
                "cordoned"
            ]
        );
    }

    #[test]
    fn a_controller_without_ready_replicas_counts_none() {
        let told = controller(&json!({
            "metadata": {"name": "argocd-repo-server", "namespace": "argocd"},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [{"image": "quay.io/argoproj/argocd:v3.4.1"}]}}},
            "status": {},
        }));
        assert_eq!((told.ready, told.wanted), (0, 2));
        assert_eq!(told.image.as_str(), "argocd:v3.4.1");
        assert_eq!(told.name.as_str(), "argocd/argocd-repo-server");
    }

    #[test]
    fn the_servers_clock_is_told_from_its_date() {
        let theirs = date_of("Sat, 21 Nov 2026 08:00:10 GMT").unwrap();
        let ours: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
        assert_eq!(skew(theirs, ours).as_secs(), 10);
        assert!(date_of("yesterday").is_none());
    }
}

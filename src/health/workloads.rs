//! Deployments, StatefulSets, DaemonSets, ReplicaSets: how far a rollout is.

use serde_json::Value;

use super::{Report, condition, number, text};
use crate::domain::Health;

fn progressing(message: String) -> Report {
    (Health::Progressing, message)
}

fn healthy() -> Report {
    (Health::Healthy, String::new())
}

fn count(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

fn generation(object: &Value) -> i64 {
    number(object, "/metadata/generation").unwrap_or(0)
}

pub(super) fn deployment(object: &Value) -> Report {
    if object.pointer("/spec/paused") == Some(&Value::Bool(true)) {
        return (Health::Suspended, "Deployment is paused".to_owned());
    }
    if generation(object) > count(object, "observedGeneration") {
        return progressing(
            "Waiting for rollout to finish: observed deployment generation less than desired generation".to_owned(),
        );
    }
    let (updated, replicas, available) = (
        count(object, "updatedReplicas"),
        count(object, "replicas"),
        count(object, "availableReplicas"),
    );
    let wanted = number(object, "/spec/replicas");
    match condition(object, "Progressing") {
        Some(c) if text(c, "/reason") == "ProgressDeadlineExceeded" => (
            Health::Degraded,
            format!(
                "Deployment {:?} exceeded its progress deadline",
                text(object, "/metadata/name")
            ),
        ),
        _ => match wanted {
            Some(wanted) if updated < wanted => progressing(format!(
                "Waiting for rollout to finish: {updated} out of {wanted} new replicas have been updated..."
            )),
            _ if replicas > updated => progressing(format!(
                "Waiting for rollout to finish: {} old replicas are pending termination...",
                replicas - updated
            )),
            _ if available < updated => progressing(format!(
                "Waiting for rollout to finish: {available} of {updated} updated replicas are available..."
            )),
            _ => healthy(),
        },
    }
}

pub(super) fn stateful_set(object: &Value) -> Report {
    let observed = count(object, "observedGeneration");
    if observed == 0 || generation(object) > observed {
        return progressing("Waiting for statefulset spec update to be observed...".to_owned());
    }
    let (ready, updated) = (
        count(object, "readyReplicas"),
        count(object, "updatedReplicas"),
    );
    let wanted = number(object, "/spec/replicas");
    if let Some(wanted) = wanted.filter(|w| ready < *w) {
        return progressing(format!(
            "Waiting for {} pods to be ready...",
            wanted - ready
        ));
    }
    let strategy = text(object, "/spec/updateStrategy/type");
    let rolling = object
        .pointer("/spec/updateStrategy/rollingUpdate")
        .is_some_and(|r| !r.is_null());
    if strategy == "RollingUpdate" && rolling {
        return partitioned(object, wanted, updated);
    }
    if strategy == "OnDelete" {
        return (
            Health::Healthy,
            format!("statefulset has {ready} ready pods"),
        );
    }
    let (update, current) = (
        text(object, "/status/updateRevision"),
        text(object, "/status/currentRevision"),
    );
    if update != current {
        return progressing(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision {update}..."
        ));
    }
    let done = count(object, "currentReplicas");
    (
        Health::Healthy,
        format!("statefulset rolling update complete {done} pods at revision {current}..."),
    )
}

fn partitioned(object: &Value, wanted: Option<i64>, updated: i64) -> Report {
    let partition = number(object, "/spec/updateStrategy/rollingUpdate/partition");
    if let (Some(wanted), Some(partition)) = (wanted, partition)
        && updated < wanted - partition
    {
        return progressing(format!(
            "Waiting for partitioned roll out to finish: {updated} out of {} new pods have been updated...",
            wanted - partition
        ));
    }
    (
        Health::Healthy,
        format!("partitioned roll out complete: {updated} new pods have been updated..."),
    )
}

pub(super) fn daemon_set(object: &Value) -> Report {
    if generation(object) > count(object, "observedGeneration") {
        return progressing(
            "Waiting for rollout to finish: observed daemon set generation less than desired generation".to_owned(),
        );
    }
    let (updated, wanted, available) = (
        count(object, "updatedNumberScheduled"),
        count(object, "desiredNumberScheduled"),
        count(object, "numberAvailable"),
    );
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return (
            Health::Healthy,
            format!("daemon set {updated} out of {wanted} new pods have been updated"),
        );
    }
    let name = text(object, "/metadata/name");
    if updated < wanted {
        return progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {updated} out of {wanted} new pods have been updated..."
        ));
    }
    if available < wanted {
        return progressing(format!(
            "Waiting for daemon set {name:?} rollout to finish: {available} of {wanted} updated pods are available..."
        ));
    }
    healthy()
}

pub(super) fn replica_set(object: &Value) -> Report {
    if generation(object) > count(object, "observedGeneration") {
        return progressing(
            "Waiting for rollout to finish: observed replica set generation less than desired generation".to_owned(),
        );
    }
    if let Some(failure) =
        condition(object, "ReplicaFailure").filter(|c| text(c, "/status") == "True")
    {
        return (Health::Degraded, text(failure, "/message").to_owned());
    }
    let available = count(object, "availableReplicas");
    match number(object, "/spec/replicas") {
        Some(wanted) if available < wanted => progressing(format!(
            "Waiting for rollout to finish: {available} out of {wanted} new replicas are available..."
        )),
        _ => healthy(),
    }
}

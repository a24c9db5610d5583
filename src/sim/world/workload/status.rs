//! The statuses of workloads as their controllers write them, computed from their pods. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::pods::Counted;
use crate::sim::world::json::{list, number, stamp, text};

/// Where a Deployment stands.
pub(super) struct Rollout<'a> {
    pub(super) deployment: &'a Value,
    /// Name of the ReplicaSet of the current template.
    pub(super) replica_set: &'a str,
    pub(super) wanted: usize,
    pub(super) new: Counted,
    pub(super) old: Counted,
    pub(super) now: Timestamp,
}

impl Rollout<'_> {
    fn complete(&self) -> bool {
        self.old.total == 0 && self.new.total == self.wanted && self.new.ready >= self.wanted
    }
}

/// Status of a Deployment, and when its progress deadline passes, if it runs.
pub(super) fn deployment(rollout: &Rollout<'_>) -> (Value, Option<Timestamp>) {
    let available = rollout.new.ready + rollout.old.ready;
    let total = rollout.new.total + rollout.old.total;
    let mut status = Map::new();
    status.insert(
        "observedGeneration".to_owned(),
        number(rollout.deployment, "/metadata/generation").into(),
    );
    // Zero counts are left out, as the real types do.
    for (name, count) in [
        ("replicas", total),
        ("updatedReplicas", rollout.new.total),
        ("readyReplicas", available),
        ("availableReplicas", available),
        (
            "unavailableReplicas",
            total.max(rollout.wanted).saturating_sub(available),
        ),
    ] {
        if count > 0 {
            status.insert(name.to_owned(), count.into());
        }
    }
    let (progressing, deadline) = progressing(rollout, &status);
    let enough = available >= rollout.wanted - rollout.wanted / 4;
    status.insert(
        "conditions".to_owned(),
        json!([availability(rollout, enough), progressing]),
    );
    (Value::Object(status), deadline)
}

fn condition<'a>(deployment: &'a Value, kind: &str) -> Option<&'a Value> {
    list(deployment, "/status/conditions")
        .iter()
        .find(|c| text(c, "/type") == kind)
}

fn availability(rollout: &Rollout<'_>, enough: bool) -> Value {
    let (status, reason, message) = if enough {
        (
            "True",
            "MinimumReplicasAvailable",
            "Deployment has minimum availability.",
        )
    } else {
        (
            "False",
            "MinimumReplicasUnavailable",
            "Deployment does not have minimum availability.",
        )
    };
    if let Some(old) = condition(rollout.deployment, "Available")
        && text(old, "/status") == status
    {
        return old.clone();
    }
    let now = stamp(rollout.now);
    json!({"type": "Available", "status": status, "reason": reason, "message": message, "lastUpdateTime": now, "lastTransitionTime": now})
}

/// The Progressing condition: done stays done for the same ReplicaSet; else it moves with the counts, or runs out of time.
fn progressing(rollout: &Rollout<'_>, counts: &Map<String, Value>) -> (Value, Option<Timestamp>) {
    let old = condition(rollout.deployment, "Progressing");
    let set = rollout.replica_set;
    let about_this = |c: &&Value| text(c, "/message").contains(&format!("\"{set}\""));
    let old = old.filter(about_this);
    let done = old.is_some_and(|c| text(c, "/reason") == "NewReplicaSetAvailable");
    if let (Some(old), true) = (old, done) {
        return (old.clone(), None);
    }
    let make = |status: &str, reason: &str, message: String, updated: Timestamp| {
        let changed = old.filter(|c| text(c, "/status") == status).map_or_else(
            || stamp(rollout.now),
            |c| text(c, "/lastTransitionTime").to_owned(),
        );
        json!({"type": "Progressing", "status": status, "reason": reason, "message": message, "lastUpdateTime": stamp(updated), "lastTransitionTime": changed})
    };
    if rollout.complete() {
        let message = format!("ReplicaSet \"{set}\" has successfully progressed.");
        let done = make("True", "NewReplicaSetAvailable", message, rollout.now);
        return (done, None);
    }
    let moved = ["replicas", "updatedReplicas", "readyReplicas"]
        .iter()
        .any(|name| rollout.deployment["status"].get(name) != counts.get(*name));
    let last = old
        .filter(|_| !moved)
        .and_then(|c| text(c, "/lastUpdateTime").parse().ok())
        .unwrap_or(rollout.now);
    let seconds = match number(rollout.deployment, "/spec/progressDeadlineSeconds") {
        0 => 600,
        seconds => seconds,
    };
    let deadline = last + SignedDuration::from_secs(seconds);
    if deadline <= rollout.now {
        let message = format!("ReplicaSet \"{set}\" has timed out progressing.");
        return (
            make("False", "ProgressDeadlineExceeded", message, last),
            None,
        );
    }
    let message = format!("ReplicaSet \"{set}\" is progressing.");
    (
        make("True", "ReplicaSetUpdated", message, last),
        Some(deadline),
    )
}

/// Status of a ReplicaSet.
pub(super) fn replica_set(set: &Value, pods: Counted) -> Value {
    let mut status = json!({
        "observedGeneration": number(set, "/metadata/generation"),
        "replicas": pods.total,
    });
    if pods.total > 0 {
        status["fullyLabeledReplicas"] = pods.total.into();
    }
    if pods.ready > 0 {
        status["readyReplicas"] = pods.ready.into();
        status["availableReplicas"] = pods.ready.into();
    }
    status
}

/// Status of a DaemonSet on a cluster of one node.
pub(super) fn daemon_set(set: &Value, pods: Counted) -> Value {
    let mut status = json!({
        "observedGeneration": number(set, "/metadata/generation"),
        "currentNumberScheduled": pods.total,
        "desiredNumberScheduled": 1,
        "numberMisscheduled": 0,
        "numberReady": pods.ready,
        "updatedNumberScheduled": pods.total,
    });
    if pods.ready > 0 {
        status["numberAvailable"] = pods.ready.into();
    }
    status
}

/// Status of a StatefulSet.
pub(super) fn stateful_set(set: &Value, pods: Counted, hash: &str) -> Value {
    let revision = format!("{}-{hash}", text(set, "/metadata/name"));
    let mut status = json!({
        "observedGeneration": number(set, "/metadata/generation"),
        "replicas": pods.total,
        "availableReplicas": pods.ready,
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    });
    if pods.ready > 0 {
        status["readyReplicas"] = pods.ready.into();
        status["currentReplicas"] = pods.ready.into();
        status["updatedReplicas"] = pods.ready.into();
    }
    status
}

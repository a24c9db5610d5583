//! The kinds whose own fields tell more than generic conditions.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::super::{condition, items, number, text};
use super::Outcome;

/// How long a Pod may be unscheduled before it counts as unschedulable.
const SCHEDULE_WINDOW: SignedDuration = SignedDuration::from_secs(15);

/// The outcome for a known kind, `None` for all others.
pub(super) fn check(object: &Value, now: Timestamp) -> Option<Outcome> {
    let group = text(object, "/apiVersion")
        .split_once('/')
        .map_or("", |(group, _)| group);
    Some(match (group, text(object, "/kind")) {
        ("", "Service") => service(object),
        ("", "Pod") => pod(object, now),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Secret" | "ConfigMap") | ("batch", "CronJob") => {
            Outcome::current("Resource is always ready")
        }
        ("apps", "StatefulSet") => stateful_set(object),
        ("apps" | "extensions", "DaemonSet") => daemon_set(object),
        ("apps" | "extensions", "Deployment") => deployment(object),
        ("apps" | "extensions", "ReplicaSet") => replica_set(object),
        ("policy", "PodDisruptionBudget") => {
            Outcome::current("AllowedDisruptions has been computed.")
        }
        ("batch", "Job") => job(object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        _ => return None,
    })
}

fn spec(object: &Value, field: &str) -> Option<i64> {
    number(object, &format!("/spec/{field}"))
}

fn status(object: &Value, field: &str) -> i64 {
    number(object, &format!("/status/{field}")).unwrap_or(0)
}

/// The first of several shortfalls: wanted more than there is, with the reason and the label of the figure.
fn short_of(wanted: i64, figures: &[(i64, &str, &str)]) -> Option<Outcome> {
    figures
        .iter()
        .find(|(have, _, _)| wanted > *have)
        .map(|(have, reason, label)| {
            Outcome::in_progress(reason, format!("{label}: {have}/{wanted}"))
        })
}

fn too_many(have: i64, wanted: i64) -> Option<Outcome> {
    (have > wanted).then(|| {
        Outcome::in_progress(
            "ExtraPods",
            format!("Pending termination: {}", have - wanted),
        )
    })
}

fn stateful_set(object: &Value) -> Outcome {
    if text(object, "/spec/updateStrategy/type") == "OnDelete" {
        return Outcome::current("StatefulSet is using the ondelete update strategy");
    }
    let wanted = spec(object, "replicas").unwrap_or(1);
    let replicas = status(object, "replicas");
    let figures = [
        (replicas, "LessReplicas", "Replicas"),
        (status(object, "readyReplicas"), "LessReady", "Ready"),
    ];
    if let Some(short) = short_of(wanted, &figures).or_else(|| too_many(replicas, wanted)) {
        return short;
    }
    if let Some(partition) =
        spec(object, "updateStrategy/rollingUpdate/partition").filter(|p| *p != -1)
    {
        return partitioned(status(object, "updatedReplicas"), wanted - partition);
    }
    let current = [(status(object, "currentReplicas"), "LessCurrent", "current")];
    if let Some(short) = short_of(wanted, &current) {
        return short;
    }
    if text(object, "/status/currentRevision") != text(object, "/status/updateRevision") {
        return Outcome::in_progress(
            "RevisionMismatch",
            "Waiting for updated revision to match current",
        );
    }
    Outcome::current(format!(
        "All replicas scheduled as expected. Replicas: {replicas}"
    ))
}

fn partitioned(updated: i64, wanted: i64) -> Outcome {
    short_of(wanted, &[(updated, "PartitionRollout", "updated")]).unwrap_or_else(|| {
        Outcome::current(format!("Partition rollout complete. updated: {updated}"))
    })
}

fn deployment(object: &Value) -> Outcome {
    let progressing = condition(object, "Progressing");
    if let Some(stuck) = progressing.filter(|c| text(c, "/reason") == "ProgressDeadlineExceeded") {
        let mut outcome = Outcome::failed("ProgressDeadlineExceeded", text(stuck, "/message"));
        "Progress deadline exceeded".clone_into(&mut outcome.message);
        return outcome;
    }
    let wanted = spec(object, "replicas").unwrap_or(1);
    let (replicas, updated, available) = (
        status(object, "replicas"),
        status(object, "updatedReplicas"),
        status(object, "availableReplicas"),
    );
    let figures = [
        (replicas, "LessReplicas", "Replicas"),
        (updated, "LessUpdated", "Updated"),
    ];
    let ready = [(status(object, "readyReplicas"), "LessReady", "Ready")];
    short_of(wanted, &figures)
        .or_else(|| too_many(replicas, wanted))
        .or_else(|| short_of(updated, &[(available, "LessAvailable", "Available")]))
        .or_else(|| short_of(wanted, &ready))
        .or_else(|| deployment_conditions(object, progressing))
        .unwrap_or_else(|| {
            Outcome::current(format!("Deployment is available. Replicas: {replicas}"))
        })
}

fn deployment_conditions(object: &Value, progressing: Option<&Value>) -> Option<Outcome> {
    let is_true = |c: &Value| text(c, "/status") == "True";
    // Without a deadline (or with the largest one) the controller sets no Progressing condition.
    let deadline = spec(object, "progressDeadlineSeconds").unwrap_or(i64::from(i32::MAX));
    let progressed = deadline == i64::from(i32::MAX)
        || progressing
            .is_some_and(|c| is_true(c) && text(c, "/reason") == "NewReplicaSetAvailable");
    if !progressed {
        return Some(Outcome::in_progress(
            "ReplicaSetNotAvailable",
            "ReplicaSet not Available",
        ));
    }
    let available = condition(object, "Available").is_some_and(is_true);
    (!available).then(|| Outcome::in_progress("DeploymentNotAvailable", "Deployment not Available"))
}

fn replica_set(object: &Value) -> Outcome {
    if condition(object, "ReplicaFailure").is_some_and(|c| text(c, "/status") == "True") {
        return Outcome::in_progress("ReplicaFailure", "Replica Failure condition. Check Pods");
    }
    let wanted = spec(object, "replicas").unwrap_or(1);
    let replicas = status(object, "replicas");
    let figures = [
        (
            status(object, "fullyLabeledReplicas"),
            "LessLabelled",
            "Labelled",
        ),
        (
            status(object, "availableReplicas"),
            "LessAvailable",
            "Available",
        ),
        (status(object, "readyReplicas"), "LessReady", "Ready"),
    ];
    short_of(wanted, &figures)
        .or_else(|| too_many(replicas, wanted))
        .unwrap_or_else(|| {
            Outcome::current(format!("ReplicaSet is available. Replicas: {replicas}"))
        })
}

fn daemon_set(object: &Value) -> Outcome {
    if number(object, "/metadata/generation").is_none() {
        return Outcome::in_progress("NoGeneration", "DaemonSet metadata.generation not found");
    }
    if number(object, "/status/observedGeneration").is_none() {
        return Outcome::in_progress(
            "NoObservedGeneration",
            "DaemonSet status.observedGeneration not found",
        );
    }
    let Some(wanted) = number(object, "/status/desiredNumberScheduled") else {
        return Outcome::in_progress("NoDesiredNumber", "Missing .status.desiredNumberScheduled");
    };
    let figures = [
        (
            status(object, "currentNumberScheduled"),
            "LessCurrent",
            "Current",
        ),
        (
            status(object, "updatedNumberScheduled"),
            "LessUpdated",
            "Updated",
        ),
        (
            status(object, "numberAvailable"),
            "LessAvailable",
            "Available",
        ),
        (status(object, "numberReady"), "LessReady", "Ready"),
    ];
    short_of(wanted, &figures).unwrap_or_else(|| {
        Outcome::current(format!(
            "All replicas scheduled as expected. Replicas: {wanted}"
        ))
    })
}

fn claim(object: &Value) -> Outcome {
    match object.pointer("/status/phase").and_then(Value::as_str) {
        Some("Bound") => Outcome::current("PVC is Bound"),
        phase => Outcome::in_progress(
            "NotBound",
            format!("PVC is not Bound. phase: {}", phase.unwrap_or("unknown")),
        ),
    }
}

fn pod(object: &Value, now: Timestamp) -> Outcome {
    match text(object, "/status/phase") {
        "Succeeded" => Outcome::current("Pod has completed successfully"),
        "Failed" => Outcome::current("Pod has completed, but not successfully"),
        "Running" => running_pod(object),
        "Pending" => pending_pod(object, now),
        "" => Outcome::in_progress("PodNotObserved", "Pod phase not available"),
        other => Outcome {
            status: super::Status::Unknown,
            message: format!("unknown phase {other}"),
            condition: None,
        },
    }
}

fn running_pod(object: &Value) -> Outcome {
    if condition(object, "Ready").is_some_and(|c| text(c, "/status") == "True") {
        return Outcome::current("Pod is Ready");
    }
    let looping: Vec<&str> = items(object, "/status/containerStatuses")
        .filter(|c| text(c, "/state/waiting/reason") == "CrashLoopBackOff")
        .map(|c| text(c, "/name"))
        .collect();
    if looping.is_empty() {
        return Outcome::in_progress("PodRunningNotReady", "Pod is running but is not Ready");
    }
    Outcome::failed(
        "ContainerCrashLooping",
        format!("Containers in CrashLoop state: {}", looping.join(",")),
    )
}

fn pending_pod(object: &Value, now: Timestamp) -> Outcome {
    let unschedulable = condition(object, "PodScheduled")
        .is_some_and(|c| text(c, "/status") == "False" && text(c, "/reason") == "Unschedulable");
    if !unschedulable {
        return Outcome::in_progress("PodPending", "Pod is in the Pending phase");
    }
    let created = text(object, "/metadata/creationTimestamp").parse::<Timestamp>();
    let young = created.is_ok_and(|created| now.duration_since(created) < SCHEDULE_WINDOW);
    if young {
        return Outcome::in_progress("PodNotScheduled", "Pod has not been scheduled");
    }
    Outcome::failed("PodUnschedulable", "Pod could not be scheduled")
}

fn job(object: &Value) -> Outcome {
    let parallelism = spec(object, "parallelism").unwrap_or(1);
    let completions = spec(object, "completions").unwrap_or(parallelism);
    let (succeeded, active, failed) = (
        status(object, "succeeded"),
        status(object, "active"),
        status(object, "failed"),
    );
    for condition in items(object, "/status/conditions").filter(|c| text(c, "/status") == "True") {
        match text(condition, "/type") {
            "Complete" => {
                return Outcome::current(format!(
                    "Job Completed. succeeded: {succeeded}/{completions}"
                ));
            }
            "Failed" => {
                return Outcome::failed(
                    "JobFailed",
                    format!("Job Failed. failed: {failed}/{completions}"),
                );
            }
            "Suspended" => return Outcome::current("Job is suspended"),
            _ => {}
        }
    }
    if text(object, "/status/startTime").is_empty() {
        return Outcome::in_progress("JobNotStarted", "Job not started");
    }
    Outcome::current(format!(
        "Job in progress. success:{succeeded}, active: {active}, failed: {failed}"
    ))
}

fn service(object: &Value) -> Outcome {
    let waits =
        text(object, "/spec/type") == "LoadBalancer" && text(object, "/spec/clusterIP").is_empty();
    if waits {
        return Outcome::in_progress(
            "NoIPAssigned",
            "ClusterIP not set. Service type: LoadBalancer",
        );
    }
    Outcome::current("Service is ready")
}

fn definition(object: &Value) -> Outcome {
    for condition in items(object, "/status/conditions") {
        let (reason, message) = (text(condition, "/reason"), text(condition, "/message"));
        match (text(condition, "/type"), text(condition, "/status")) {
            ("NamesAccepted", "False") => return Outcome::failed(reason, message),
            ("Established", "False") if reason != "Installing" => {
                return Outcome::failed(reason, message);
            }
            ("Established", "True") => return Outcome::current("CRD is established"),
            _ => {}
        }
    }
    Outcome::in_progress("Installing", "Install in progress")
}

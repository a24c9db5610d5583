//! Defaults of workloads: Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs, CronJobs and autoscalers.

use serde_json::{Map, Value, json};

use super::super::value::{child, text};
use super::pod::template;
use super::{default, each, object, word};

pub(super) fn deployment(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "progressDeadlineSeconds", 600);
    rolling(
        spec,
        "strategy",
        &[("maxSurge", json!("25%")), ("maxUnavailable", json!("25%"))],
    );
    template(spec);
}

/// A strategy that rolls unless it says otherwise.
fn rolling(spec: &mut Map<String, Value>, name: &str, details: &[(&str, Value)]) {
    default(spec, name, json!({}));
    let Some(strategy) = object(spec, name) else {
        return;
    };
    default(strategy, "type", "RollingUpdate");
    if word(strategy, "type") == "RollingUpdate" {
        default(strategy, "rollingUpdate", json!({}));
        if let Some(rolling) = object(strategy, "rollingUpdate") {
            for (name, value) in details {
                default(rolling, name, value.clone());
            }
        }
    }
}

pub(super) fn replica_set(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "replicas", 1);
    template(spec);
}

pub(super) fn stateful_set(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "replicas", 1);
    default(spec, "revisionHistoryLimit", 10);
    default(spec, "podManagementPolicy", "OrderedReady");
    default(spec, "persistentVolumeClaimRetentionPolicy", json!({}));
    if let Some(policy) = object(spec, "persistentVolumeClaimRetentionPolicy") {
        default(policy, "whenDeleted", "Retain");
        default(policy, "whenScaled", "Retain");
    }
    rolling(spec, "updateStrategy", &[("partition", json!(0))]);
    for claim in each(spec, "volumeClaimTemplates") {
        default(claim, "apiVersion", "v1");
        default(claim, "kind", "PersistentVolumeClaim");
        if let Some(spec) = object(claim, "spec") {
            default(spec, "volumeMode", "Filesystem");
        }
        default(claim, "status", json!({}));
        if let Some(status) = object(claim, "status") {
            default(status, "phase", "Pending");
        }
    }
    template(spec);
}

pub(super) fn daemon_set(document: &mut Value) {
    let metadata = child(document, "metadata");
    default(metadata, "annotations", json!({}));
    if let Some(notes) = object(metadata, "annotations") {
        default(notes, "deprecated.daemonset.template.generation", "1");
    }
    let spec = child(document, "spec");
    default(spec, "revisionHistoryLimit", 10);
    rolling(
        spec,
        "updateStrategy",
        &[("maxSurge", json!(0)), ("maxUnavailable", json!(1))],
    );
    template(spec);
}

pub(super) fn job(document: &mut Value) {
    let labels = document["spec"]["template"]["metadata"]["labels"].clone();
    let metadata = child(document, "metadata");
    if metadata.get("labels").is_none_or(Value::is_null) && labels.is_object() {
        metadata.insert("labels".to_owned(), labels);
    }
    job_spec(child(document, "spec"));
}

fn job_spec(spec: &mut Map<String, Value>) {
    let alone = spec.get("completions").is_none() && spec.get("parallelism").is_none();
    if alone {
        default(spec, "completions", 1);
    }
    default(spec, "parallelism", 1);
    default(spec, "backoffLimit", 6);
    default(spec, "completionMode", "NonIndexed");
    default(spec, "suspend", false);
    default(spec, "manualSelector", false);
    default(spec, "podReplacementPolicy", "TerminatingOrFailed");
    template(spec);
}

/// Gives a new Job the selector that tells its pods from all others.
pub(crate) fn select_own_pods(document: &mut Value) {
    let uid = text(&document["metadata"], "uid").to_owned();
    let name = text(&document["metadata"], "name").to_owned();
    let spec = child(document, "spec");
    if spec.get("manualSelector") == Some(&Value::Bool(true)) {
        return;
    }
    default(spec, "selector", json!({}));
    if let Some(selector) = object(spec, "selector") {
        selector.insert(
            "matchLabels".to_owned(),
            json!({"batch.kubernetes.io/controller-uid": uid}),
        );
    }
    let template = object(spec, "template").and_then(|t| object(t, "metadata"));
    let Some(template) = template else {
        return;
    };
    let own = template.get("labels").cloned();
    mark(template, &uid, &name);
    // Labels that were taken over from the template are the same map to the server.
    let metadata = child(document, "metadata");
    if metadata.get("labels") == own.as_ref() {
        mark(metadata, &uid, &name);
    }
}

fn mark(metadata: &mut Map<String, Value>, uid: &str, name: &str) {
    default(metadata, "labels", json!({}));
    if let Some(labels) = object(metadata, "labels") {
        for (label, value) in [("controller-uid", uid), ("job-name", name)] {
            labels.insert(label.to_owned(), value.into());
            labels.insert(format!("batch.kubernetes.io/{label}"), value.into());
        }
    }
}

pub(super) fn cron_job(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "concurrencyPolicy", "Allow");
    default(spec, "suspend", false);
    default(spec, "successfulJobsHistoryLimit", 3);
    default(spec, "failedJobsHistoryLimit", 1);
    if let Some(job) = object(spec, "jobTemplate").and_then(|t| object(t, "spec")) {
        // The server leaves most of a job's defaults to the job itself.
        template(job);
    }
}

pub(super) fn autoscaler(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "minReplicas", 1);
    let cpu = json!([{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}]);
    default(spec, "metrics", cpu);
}

//! Horizontal pod autoscalers: any failing condition first, then any that works.

use serde_json::Value;

use super::{Report, items, text, unsupported};
use crate::domain::{Gvk, Health};

/// Where version 1 keeps its conditions.
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";

/// Types and reasons that mean it cannot scale.
const FAILING: [(&str, &str); 8] = [
    ("AbleToScale", "FailedGetScale"),
    ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"),
    ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"),
    ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"),
    ("ScalingActive", "InvalidSelector"),
];

pub(super) fn check(gvk: &Gvk, object: &Value) -> Report {
    match &*gvk.version {
        "v1" => version_1(object),
        "v2" => by_conditions(&items(object, "/status/conditions").collect::<Vec<_>>()),
        _ => unsupported(gvk, "HPA"),
    }
}

fn version_1(object: &Value) -> Report {
    let annotation = object
        .pointer("/metadata/annotations")
        .and_then(|a| a.get(CONDITIONS))
        .and_then(Value::as_str);
    let Some(annotation) = annotation else {
        return waiting();
    };
    match serde_json::from_str::<Vec<Value>>(annotation) {
        Ok(conditions) => by_conditions(&conditions.iter().collect::<Vec<_>>()),
        Err(_) => (
            Health::Unknown,
            "failed to convert conditions annotation to typed: it is not a list in JSON".to_owned(),
        ),
    }
}

fn by_conditions(conditions: &[&Value]) -> Report {
    let failing = |c: &&&Value| FAILING.contains(&(text(c, "/type"), text(c, "/reason")));
    let working = |c: &&&Value| {
        matches!(text(c, "/type"), "AbleToScale" | "ScalingLimited") && text(c, "/status") == "True"
    };
    let message = |c: &&Value| text(c, "/message").to_owned();
    if let Some(condition) = conditions.iter().find(failing) {
        return (Health::Degraded, message(condition));
    }
    match conditions.iter().find(working) {
        Some(condition) => (Health::Healthy, message(condition)),
        None => waiting(),
    }
}

fn waiting() -> Report {
    (Health::Progressing, "Waiting to Autoscale".to_owned())
}

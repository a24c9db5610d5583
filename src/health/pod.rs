//! Pods: running for ever, or to an end.

use serde_json::Value;

use super::{Report, condition, items, text};
use crate::domain::Health;

/// Reads a Pod that may end as one that should run for ever (not for hooks).
const IGNORE_RESTART_POLICY: &str = "argocd.argoproj.io/ignore-restart-policy";

pub(super) fn pod(object: &Value) -> Report {
    let forever = text(object, "/spec/restartPolicy") == "Always" || ignores_restart_policy(object);
    if forever && let Some(message) = failing_to_start(object) {
        return (Health::Degraded, message);
    }
    let message = text(object, "/status/message").to_owned();
    match text(object, "/status/phase") {
        "Pending" => (Health::Progressing, message),
        "Succeeded" => (Health::Healthy, message),
        "Failed" => (Health::Degraded, why_failed(object, message)),
        "Running" if forever => (running(object), message),
        "Running" if matches!(text(object, "/spec/restartPolicy"), "OnFailure" | "Never") => {
            (Health::Progressing, message)
        }
        _ => (Health::Unknown, message),
    }
}

fn ignores_restart_policy(object: &Value) -> bool {
    let annotations = object.pointer("/metadata/annotations");
    let value = |key: &str| annotations.and_then(|a| a.get(key)).and_then(Value::as_str);
    value(IGNORE_RESTART_POLICY) == Some("true")
        && value("argocd.argoproj.io/hook").is_none()
        && value("helm.sh/hook").is_none()
}

/// The messages of all containers that wait because of an error.
fn failing_to_start(object: &Value) -> Option<String> {
    let messages: Vec<&str> = items(object, "/status/containerStatuses")
        .filter(|c| is_error(text(c, "/state/waiting/reason")))
        .map(|c| text(c, "/state/waiting/message"))
        .collect();
    (!messages.is_empty()).then(|| messages.join(", "))
}

fn is_error(reason: &str) -> bool {
    reason.starts_with("Err") || reason.ends_with("Error") || reason.ends_with("BackOff")
}

fn running(object: &Value) -> Health {
    if condition(object, "Ready").is_some_and(|c| text(c, "/status") == "True") {
        return Health::Healthy;
    }
    let ended_before = items(object, "/status/containerStatuses").any(|c| {
        c.pointer("/lastState/terminated")
            .is_some_and(|t| !t.is_null())
    });
    if ended_before {
        Health::Degraded
    } else {
        Health::Progressing
    }
}

/// The Pod's own words, else those of the first container that has any.
fn why_failed(object: &Value, message: String) -> String {
    if !message.is_empty() {
        return message;
    }
    items(object, "/status/initContainerStatuses")
        .chain(items(object, "/status/containerStatuses"))
        .find_map(container_failure)
        .unwrap_or_default()
}

fn container_failure(container: &Value) -> Option<String> {
    let ended = container.pointer("/state/terminated")?;
    let message = text(ended, "/message");
    if !message.is_empty() {
        return Some(message.to_owned());
    }
    let reason = text(ended, "/reason");
    if reason == "OOMKilled" {
        return Some(reason.to_owned());
    }
    let code = super::number(ended, "/exitCode").filter(|code| *code != 0)?;
    Some(format!(
        "container {:?} failed with exit code {code}",
        text(container, "/name")
    ))
}

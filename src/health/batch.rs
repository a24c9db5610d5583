//! Jobs and Argo Workflows: things that end.

use serde_json::Value;

use super::{Report, items, text};
use crate::domain::Health;

pub(super) fn job(object: &Value) -> Report {
    let mut failed: Option<String> = None;
    let mut ended: Option<String> = None;
    let mut suspended = false;
    for condition in items(object, "/status/conditions") {
        let message = text(condition, "/message").to_owned();
        match text(condition, "/type") {
            "Failed" => failed = Some(message),
            "Complete" => ended = Some(message),
            "Suspended" => {
                ended = Some(message);
                suspended |= text(condition, "/status") == "True";
            }
            _ => {}
        }
    }
    match (failed, ended) {
        (Some(message), _) => (Health::Degraded, message),
        (None, None) => (Health::Progressing, String::new()),
        (None, Some(message)) if suspended => (Health::Suspended, message),
        (None, Some(message)) => (Health::Healthy, message),
    }
}

pub(super) fn workflow(object: &Value) -> Report {
    let health = match text(object, "/status/phase") {
        "" | "Pending" | "Running" => Health::Progressing,
        "Succeeded" => Health::Healthy,
        "Failed" | "Error" => Health::Degraded,
        _ => Health::Unknown,
    };
    (health, text(object, "/status/message").to_owned())
}

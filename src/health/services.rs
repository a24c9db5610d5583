//! What waits for somebody else: Services, Ingresses, volume claims, API services.

use serde_json::Value;

use super::{Report, condition, items, text};
use crate::domain::Health;

pub(super) fn service(object: &Value) -> Report {
    let waits = text(object, "/spec/type") == "LoadBalancer" && !has_address(object);
    let health = if waits {
        Health::Progressing
    } else {
        Health::Healthy
    };
    (health, String::new())
}

pub(super) fn ingress(object: &Value) -> Report {
    let health = if has_address(object) {
        Health::Healthy
    } else {
        Health::Progressing
    };
    (health, String::new())
}

fn has_address(object: &Value) -> bool {
    items(object, "/status/loadBalancer/ingress")
        .next()
        .is_some()
}

pub(super) fn claim(object: &Value) -> Report {
    let health = match text(object, "/status/phase") {
        "Bound" => Health::Healthy,
        "Pending" => Health::Progressing,
        "Lost" => Health::Degraded,
        _ => Health::Unknown,
    };
    (health, String::new())
}

pub(super) fn api_service(object: &Value) -> Report {
    match condition(object, "Available") {
        None => (Health::Progressing, "Waiting to be processed".to_owned()),
        Some(available) => {
            let health = if text(available, "/status") == "True" {
                Health::Healthy
            } else {
                Health::Progressing
            };
            (
                health,
                format!(
                    "{}: {}",
                    text(available, "/reason"),
                    text(available, "/message")
                ),
            )
        }
    }
}

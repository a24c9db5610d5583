//! The stand-in's health rules: those of Argo CD for the kinds the demo deploys, and their roll-up to the application.

use serde_json::{Value, json};

use crate::domain::Health;
use crate::sim::world::json::{list, number, text};

/// Health of one live object; `None` for kinds that have none.
pub(crate) fn of(live: &Value) -> Option<Health> {
    let rule: fn(&Value) -> Health = match text(live, "/kind") {
        "Deployment" => deployment,
        "StatefulSet" => stateful_set,
        "DaemonSet" => daemon_set,
        "Service" | "PersistentVolumeClaim" => |_| Health::Healthy,
        _ => return None,
    };
    if live.pointer("/metadata/deletionTimestamp").is_some() {
        return Some(Health::Progressing);
    }
    Some(rule(live))
}

fn observed(live: &Value) -> bool {
    number(live, "/status/observedGeneration") >= number(live, "/metadata/generation")
}

fn wanted(live: &Value) -> i64 {
    live.pointer("/spec/replicas")
        .and_then(Value::as_i64)
        .unwrap_or(1)
}

fn deployment(live: &Value) -> Health {
    if live.pointer("/spec/paused") == Some(&json!(true)) {
        return Health::Suspended;
    }
    if !observed(live) {
        return Health::Progressing;
    }
    let late = list(live, "/status/conditions").iter().any(|c| {
        text(c, "/type") == "Progressing" && text(c, "/reason") == "ProgressDeadlineExceeded"
    });
    let updated = number(live, "/status/updatedReplicas");
    if late {
        Health::Degraded
    } else if updated < wanted(live)
        || number(live, "/status/replicas") > updated
        || number(live, "/status/availableReplicas") < updated
    {
        Health::Progressing
    } else {
        Health::Healthy
    }
}

fn stateful_set(live: &Value) -> Health {
    if observed(live) && number(live, "/status/readyReplicas") >= wanted(live) {
        Health::Healthy
    } else {
        Health::Progressing
    }
}

fn daemon_set(live: &Value) -> Health {
    let desired = number(live, "/status/desiredNumberScheduled");
    let updated = number(live, "/status/updatedNumberScheduled");
    let available = number(live, "/status/numberAvailable");
    if observed(live) && updated >= desired && available >= desired {
        Health::Healthy
    } else {
        Health::Progressing
    }
}

/// The application's health from its live objects (`None` for a missing one).
///
/// A missing object does not worsen it, unless all are missing.
pub(crate) fn roll_up<'a>(objects: impl Iterator<Item = Option<&'a Value>>) -> Health {
    let mut worst = Health::Healthy;
    let (mut any, mut live) = (false, false);
    for object in objects {
        any = true;
        if let Some(object) = object {
            live = true;
            worst = worst.max(of(object).unwrap_or(Health::Healthy));
        }
    }
    if any && !live { Health::Missing } else { worst }
}

/// The word of the status.
pub(crate) fn word(health: Health) -> &'static str {
    match health {
        Health::Healthy => "Healthy",
        Health::Suspended => "Suspended",
        Health::Progressing => "Progressing",
        Health::Missing => "Missing",
        Health::Degraded => "Degraded",
        Health::Unknown => "Unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment_with(status: &Value) -> Value {
        json!({"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status})
    }

    #[test]
    fn a_rolled_out_deployment_is_healthy() {
        let status = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        assert_eq!(of(&deployment_with(&status)), Some(Health::Healthy));
    }

    #[test]
    fn an_unseen_generation_and_missing_replicas_are_progress() {
        let old = json!({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2});
        let few = json!({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1});
        assert_eq!(of(&deployment_with(&old)), Some(Health::Progressing));
        assert_eq!(of(&deployment_with(&few)), Some(Health::Progressing));
    }

    #[test]
    fn a_passed_deadline_is_degraded() {
        let status = json!({"observedGeneration": 2, "conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
        assert_eq!(of(&deployment_with(&status)), Some(Health::Degraded));
    }

    #[test]
    fn the_worst_object_decides_and_a_missing_one_does_not() {
        let healthy = json!({"kind": "Service"});
        let bad = deployment_with(&json!({}));
        let all = [Some(&healthy), Some(&bad), None];
        assert_eq!(roll_up(all.into_iter()), Health::Progressing);
        assert_eq!(roll_up([Some(&healthy), None].into_iter()), Health::Healthy);
        assert_eq!(roll_up([None, None].into_iter()), Health::Missing);
        assert_eq!(roll_up(std::iter::empty()), Health::Healthy);
    }

    #[test]
    fn kinds_without_health_do_not_count() {
        assert_eq!(of(&json!({"kind": "ConfigMap"})), None);
    }
}

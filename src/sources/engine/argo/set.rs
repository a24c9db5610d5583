//! ApplicationSets as rows, AppProjects as windows, and how often a hub compares with Git.

use jiff::SignedDuration;
use serde_json::Value;

use super::health;
use super::report::sync_by_conditions;
use crate::domain::windows::{go_duration, windows_of};
use crate::domain::{
    AppKind, Application, ClusterId, Engine, EngineReport, Health, Project, ReconcilePace, Safe,
    SetStep,
};
use crate::sources::engine::document::{Document, text};

/// The row of an ApplicationSet.
pub fn set(object: &Value, hub: &ClusterId) -> Application {
    let document = Document(object);
    let report = EngineReport {
        conditions: document.conditions(),
        steps: steps(object),
        finalizers: document.finalizers(),
        ..EngineReport::default()
    };
    let sync = sync_by_conditions(&report);
    let health = set_health(object, &report);
    // A set that stopped for good says so in ErrorOccurred; the others repeat it.
    let error = report
        .conditions
        .iter()
        .find(|c| &*c.kind == "ErrorOccurred" && &*c.status == "True")
        .map(|c| c.message.clone());
    let mut row = document.row(hub, AppKind::ApplicationSet, Engine::Argo);
    row.sync = sync;
    row.health = health;
    row.message = error;
    row.report = report;
    row
}

fn set_health(object: &Value, report: &EngineReport) -> Health {
    let own = text(object, "/status/health/status");
    if !own.is_empty() {
        return health(own);
    }
    if report.is_true("ErrorOccurred") {
        return Health::Degraded;
    }
    if report.is_true("RolloutProgressing") {
        return Health::Progressing;
    }
    match report.condition("ResourcesUpToDate") {
        Some(c) if &*c.status == "True" => Health::Healthy,
        Some(_) => Health::Progressing,
        None => Health::Unknown,
    }
}

fn steps(object: &Value) -> Vec<SetStep> {
    let list = object
        .pointer("/status/applicationStatus")
        .and_then(Value::as_array);
    let step = |s: &Value| SetStep {
        application: text(s, "/application").into(),
        status: text(s, "/status").into(),
        step: text(s, "/step").into(),
        message: Safe::new(text(s, "/message")),
    };
    list.into_iter().flatten().map(step).collect()
}

/// An AppProject's windows.
pub fn project(object: &Value) -> Project {
    Project {
        namespace: text(object, "/metadata/namespace").into(),
        name: text(object, "/metadata/name").into(),
        windows: windows_of(object),
    }
}

/// How often the hub compares with Git, from argocd-cm's `data`; Argo CD's defaults where it is silent.
pub fn settings_pace(config_map: &Value) -> ReconcilePace {
    let default = ReconcilePace::default();
    let read = |key: &str, default: SignedDuration| {
        let text = config_map
            .get("data")
            .and_then(|d| d.get(key))
            .and_then(Value::as_str);
        match text {
            Some("0") => SignedDuration::ZERO,
            Some(text) => go_duration(text).unwrap_or(default),
            None => default,
        }
    };
    ReconcilePace {
        timeout: read("timeout.reconciliation", default.timeout),
        jitter: read("timeout.reconciliation.jitter", default.jitter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_pace_is_read_as_go_writes_durations_and_zero_is_off() {
        let of = |data: Value| settings_pace(&json!({ "data": data }));
        let default = of(json!({}));
        assert_eq!(default.limit(), Some(SignedDuration::from_secs(180)));
        let slow =
            of(json!({"timeout.reconciliation": "10m", "timeout.reconciliation.jitter": "1m30s"}));
        assert_eq!(slow.limit(), Some(SignedDuration::from_secs(690)));
        assert_eq!(of(json!({"timeout.reconciliation": "0s"})).limit(), None);
    }

    #[test]
    fn a_set_is_degraded_by_its_error_and_keeps_its_steps() {
        let row = set(
            &json!({
                "metadata": {"name": "fleet", "namespace": "argocd"},
                "status": {
                    "conditions": [
                        {"type": "ErrorOccurred", "status": "True", "reason": "ApplicationGenerationFromParamsError", "message": "bad template"},
                        {"type": "ResourcesUpToDate", "status": "False"}],
                    "applicationStatus": [{"application": "edge-oslo-001", "status": "Waiting", "step": "2", "message": "behind step 1"}],
                },
            }),
            &"hub-1".into(),
        );
        assert_eq!(row.id.to_string(), "hub-1/argocd/ApplicationSet/fleet");
        assert_eq!(row.health, Health::Degraded);
        assert_eq!(row.message, Some("bad template".into()));
        assert_eq!(&*row.report.steps[0].step, "2");
    }
}

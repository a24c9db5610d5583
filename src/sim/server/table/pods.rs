//! The row of a pod: what is ready, the word for its state, and its restarts.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::age;
use super::cells::{list, or};
use crate::sim::store::value::text;

pub(super) fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&pod["spec"], &pod["status"]);
    let statuses = list(status, "containerStatuses");
    let ready = statuses.iter().filter(|c| c["ready"] == true).count();
    let total = list(spec, "containers").len();
    let gates = list(spec, "readinessGates");
    vec![
        pod["metadata"]["name"].clone(),
        format!("{ready}/{total}").into(),
        state(pod).into(),
        restarts(statuses, now).into(),
        age(&pod["metadata"]["creationTimestamp"], now).into(),
        or(text(status, "podIP"), "<none>"),
        or(text(spec, "nodeName"), "<none>"),
        or(text(status, "nominatedNodeName"), "<none>"),
        if gates.is_empty() {
            json!("<none>")
        } else {
            format!("0/{}", gates.len()).into()
        },
    ]
}

/// The word that stands under STATUS.
fn state(pod: &Value) -> String {
    let status = &pod["status"];
    if !pod["metadata"]["deletionTimestamp"].is_null() {
        return "Terminating".to_owned();
    }
    if let Some(state) = initialising(pod) {
        return state;
    }
    let phase = match text(status, "reason") {
        "" => text(status, "phase"),
        reason => reason,
    };
    let statuses = list(status, "containerStatuses");
    let running = statuses
        .iter()
        .any(|c| c["ready"] == true && !c["state"]["running"].is_null());
    let mut word = phase.to_owned();
    for container in statuses.iter().rev() {
        word = container_word(container).unwrap_or(word);
    }
    // A finished container beside a running one does not finish the pod.
    if word == "Completed" && running {
        "Running".to_owned()
    } else {
        word
    }
}

fn container_word(container: &Value) -> Option<String> {
    let state = &container["state"];
    let waiting = text(&state["waiting"], "reason");
    if !waiting.is_empty() {
        return Some(waiting.to_owned());
    }
    let ended = &state["terminated"];
    if ended.is_null() {
        return None;
    }
    Some(match (text(ended, "reason"), ended["signal"].as_i64()) {
        ("", Some(signal)) if signal != 0 => format!("Signal:{signal}"),
        ("", _) => format!("ExitCode:{}", ended["exitCode"].as_i64().unwrap_or(0)),
        (reason, _) => reason.to_owned(),
    })
}

/// `Init:1/2` and the like, while init containers are at work.
fn initialising(pod: &Value) -> Option<String> {
    let statuses = list(&pod["status"], "initContainerStatuses");
    let total = list(&pod["spec"], "initContainers").len();
    let done = |c: &Value| c["state"]["terminated"]["exitCode"].as_i64() == Some(0);
    let place = statuses.iter().position(|c| !done(c))?;
    let current = statuses.get(place)?;
    if current["started"] == true && current["ready"] == true {
        return None;
    }
    let word = match container_word(current) {
        Some(word) if word != "PodInitializing" => word,
        _ => format!("{place}/{total}"),
    };
    Some(format!("Init:{word}"))
}

fn restarts(statuses: &[Value], now: Timestamp) -> String {
    let count: i64 = statuses
        .iter()
        .filter_map(|c| c["restartCount"].as_i64())
        .sum();
    let ended = statuses
        .iter()
        .map(|c| &c["lastState"]["terminated"]["finishedAt"]);
    let last = ended.filter_map(Value::as_str).max();
    match last {
        Some(last) if count > 0 => format!("{count} ({} ago)", age(&json!(last), now)),
        _ => count.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_loop_shows_its_reason_and_restarts() {
        let now: Timestamp = "2026-11-21T05:00:00Z".parse().unwrap();
        let pod = json!({"metadata": {"name": "web-1", "creationTimestamp": "2026-11-21T04:00:00Z"}, "spec": {"containers": [{}], "nodeName": "node-1"},
            "status": {"phase": "Running", "containerStatuses": [{"ready": false, "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"finishedAt": "2026-11-21T04:59:20Z"}}}]}});
        assert_eq!(
            cells(&pod, now)[..6],
            [
                json!("web-1"),
                json!("0/1"),
                json!("CrashLoopBackOff"),
                json!("4 (40s ago)"),
                json!("60m"),
                json!("<none>")
            ]
        );
    }

    #[test]
    fn a_running_pod_is_running_and_a_deleted_one_terminating() {
        let mut pod = json!({"metadata": {}, "spec": {"containers": [{}]}, "status": {"phase": "Running", "containerStatuses": [{"ready": true, "state": {"running": {}}}]}});
        assert_eq!(state(&pod), "Running");
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-21T05:00:00Z");
        assert_eq!(state(&pod), "Terminating");
    }
}

//! What there is to say of an object in a few words: how much of it is ready, what its pods wait for.

use serde_json::Value;

use crate::domain::Safe;
use crate::runtime::inquire::text;

/// A few words; empty for kinds of which there is nothing to say.
pub(super) fn of(object: &Value) -> Safe {
    let words = match text(object, "/kind") {
        "Pod" => pod(object),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "ReplicationController" => {
            let wanted = number(object, "/spec/replicas").unwrap_or(1);
            ready(number(object, "/status/readyReplicas"), wanted)
        }
        "DaemonSet" => {
            let wanted = number(object, "/status/desiredNumberScheduled").unwrap_or(0);
            ready(number(object, "/status/numberReady"), wanted)
        }
        "Job" => {
            let wanted = number(object, "/spec/completions").unwrap_or(1);
            let done = number(object, "/status/succeeded").unwrap_or(0);
            format!("{done}/{wanted} done")
        }
        _ => String::new(),
    };
    words.into()
}

fn ready(ready: Option<u64>, wanted: u64) -> String {
    format!("{}/{wanted} ready", ready.unwrap_or(0))
}

fn number(object: &Value, pointer: &str) -> Option<u64> {
    object.pointer(pointer)?.as_u64()
}

/// `1/2 ready, 14 restarts, CrashLoopBackOff`; the phase where no container says more.
fn pod(pod: &Value) -> String {
    let list = |pointer: &str| pod.pointer(pointer).and_then(Value::as_array);
    let wanted = list("/spec/containers").map_or(0, Vec::len);
    let statuses = list("/status/containerStatuses").map_or(&[][..], Vec::as_slice);
    let ready = statuses
        .iter()
        .filter(|s| s.get("ready") == Some(&Value::Bool(true)));
    let restarts: u64 = statuses
        .iter()
        .filter_map(|s| s.get("restartCount")?.as_u64())
        .sum();
    let mut words = vec![format!("{}/{wanted} ready", ready.count())];
    match restarts {
        0 => {}
        1 => words.push("1 restart".to_owned()),
        n => words.push(format!("{n} restarts")),
    }
    let waits = statuses.iter().find_map(|s| {
        let reason = |state: &str| Some(text(s, state)).filter(|r| !r.is_empty());
        reason("/state/waiting/reason").or_else(|| reason("/state/terminated/reason"))
    });
    let phase = Some(text(pod, "/status/phase")).filter(|p| *p != "Running");
    words.extend(waits.or(phase).map(str::to_owned));
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_tells_readiness_restarts_and_what_it_waits_for() {
        let pod = json!({"kind": "Pod", "spec": {"containers": [{}, {}]}, "status": {"phase": "Running", "containerStatuses": [
            {"ready": true, "restartCount": 0},
            {"ready": false, "restartCount": 14, "state": {"waiting": {"reason": "CrashLoopBackOff"}}},
        ]}});
        assert_eq!(
            of(&pod).as_str(),
            "1/2 ready, 14 restarts, CrashLoopBackOff"
        );
        let young =
            json!({"kind": "Pod", "spec": {"containers": [{}]}, "status": {"phase": "Pending"}});
        assert_eq!(of(&young).as_str(), "0/1 ready, Pending");
    }

    #[test]
    fn workloads_tell_how_much_is_ready_or_done() {
        let of = |object: Value| of(&object).to_string();
        let set =
            json!({"kind": "StatefulSet", "spec": {"replicas": 3}, "status": {"readyReplicas": 2}});
        assert_eq!(of(set), "2/3 ready");
        assert_eq!(of(json!({"kind": "Deployment", "spec": {}})), "0/1 ready");
        assert_eq!(
            of(json!({"kind": "Job", "spec": {}, "status": {"succeeded": 1}})),
            "1/1 done"
        );
        assert_eq!(of(json!({"kind": "Site"})), "");
    }
}

use super::*;

fn operation(retry: &Value) -> Value {
    json!({ "retry": retry, "sync": {} })
}

#[test]
fn beginning_merges_over_what_was_left_in_place() {
    let mut app = json!({"status": {"operationState": {
        "phase": "Succeeded", "finishedAt": "x",
        "operation": {"sync": {"resources": [{"kind": "ConfigMap", "name": "c"}], "prune": true}},
    }}});
    let now = "2026-11-21T02:00:00Z".parse().unwrap();
    json_patch::merge(&mut app, &begin(&json!({"sync": {"revision": "abc"}}), now));
    let state = &app["status"]["operationState"];
    assert_eq!(state["phase"], "Running");
    assert_eq!(state.get("finishedAt"), None);
    assert_eq!(state["operation"]["sync"]["revision"], "abc");
    assert_eq!(state["operation"]["sync"]["prune"], true, "leaked");
    assert!(state["operation"]["sync"]["resources"].is_array(), "leaked");
}

#[test]
fn retries_wait_longer_up_to_the_limit_and_end() {
    let policy =
        json!({"limit": 3, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "15s"}});
    let wait = |failures| backoff(&operation(&policy), failures);
    assert_eq!(wait(1), Some(SignedDuration::from_secs(5)));
    assert_eq!(wait(2), Some(SignedDuration::from_secs(10)));
    assert_eq!(wait(3), Some(SignedDuration::from_secs(15)));
    assert_eq!(wait(4), None);
}

#[test]
fn without_a_retry_policy_there_is_one_attempt() {
    assert_eq!(backoff(&json!({"sync": {}}), 1), None);
    let endless = backoff(&operation(&json!({"limit": -1})), 100);
    assert_eq!(endless, Some(SignedDuration::from_secs(180)));
}

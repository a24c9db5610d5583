//! The rules of sync windows, on the wall clock of one night.

use super::*;
use crate::ops::fixtures::application;
use serde_json::json;

/// 2026-11-21 02:14 UTC, a Saturday.
fn now() -> Timestamp {
    "2026-11-21T02:14:00Z".parse().unwrap()
}

fn evaluate_at(windows: &Value, now: Timestamp) -> Window {
    evaluate(
        &json!({"spec": {"syncWindows": windows}}),
        &application(),
        now,
    )
}

fn closed(windows: &Value) -> Option<String> {
    match evaluate_at(windows, now()) {
        Window::Open => None,
        Window::Closed(why) => Some(why.to_string()),
    }
}

fn window(kind: &str, schedule: &str, duration: &str) -> Value {
    json!({"kind": kind, "schedule": schedule, "duration": duration, "applications": ["*"]})
}

#[test]
fn no_windows_are_open() {
    assert_eq!(
        evaluate(&json!({"spec": {}}), &application(), now()),
        Window::Open
    );
    assert_eq!(closed(&json!([])), None);
}

#[test]
fn an_active_deny_closes_and_says_which() {
    assert_eq!(
        closed(&json!([window("deny", "0 22 * * *", "8h")])).as_deref(),
        Some("the sync window `deny 0 22 * * *` for 8h is active")
    );
    assert_eq!(closed(&json!([window("deny", "0 22 * * *", "4h")])), None);
}

#[test]
fn an_active_deny_that_lets_manual_syncs_pass_is_open_only_if_all_do() {
    let mut lenient = window("deny", "0 22 * * *", "8h");
    lenient["manualSync"] = json!(true);
    assert_eq!(closed(&json!([lenient])), None);
    assert!(closed(&json!([lenient, window("deny", "0 1 * * *", "4h")])).is_some());
}

#[test]
fn outside_the_only_allow_window_is_closed() {
    assert_eq!(
        closed(&json!([window("allow", "0 9 * * 1-5", "8h")])).as_deref(),
        Some("the sync window `allow 0 9 * * 1-5` for 8h is not open now")
    );
    assert_eq!(closed(&json!([window("allow", "0 2 * * *", "1h")])), None);
}

#[test]
fn one_open_allow_window_is_enough_and_manual_sync_opens_closed_ones() {
    assert_eq!(
        closed(&json!([
            window("allow", "0 9 * * 1-5", "8h"),
            window("allow", "0 2 * * *", "1h")
        ])),
        None
    );
    let mut lenient = window("allow", "0 9 * * 1-5", "8h");
    lenient["manualSync"] = json!(true);
    assert_eq!(closed(&json!([lenient])), None);
}

#[test]
fn deny_wins_over_allow() {
    assert!(
        closed(&json!([
            window("allow", "0 2 * * *", "1h"),
            window("deny", "0 2 * * *", "1h")
        ]))
        .is_some()
    );
}

#[test]
fn a_window_for_something_else_does_not_count() {
    let mut other = window("deny", "* * * * *", "1h");
    other["applications"] = json!(["billing-*"]);
    assert_eq!(closed(&json!([other])), None);
    other["clusters"] = json!(["edge-oslo-*"]);
    assert!(
        closed(&json!([other])).is_some(),
        "one list that fits is enough"
    );
    other["andOperator"] = json!(true);
    assert_eq!(
        closed(&json!([other])),
        None,
        "with andOperator all lists must fit"
    );
}

#[test]
fn a_window_without_any_list_is_for_nobody() {
    assert_eq!(
        closed(&json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h"}])),
        None
    );
    assert_eq!(
        closed(
            &json!([{"kind": "deny", "schedule": "* * * * *", "duration": "1h", "andOperator": true}])
        ),
        None
    );
}

#[test]
fn a_window_that_does_not_read_closes_everything() {
    for bad in [
        window("deny", "every night", "1h"),
        window("deny", "0 22 * * *", "long"),
        json!("x"),
    ] {
        assert!(closed(&json!([bad])).unwrap().contains("does not read"));
    }
    let mut zone = window("deny", "0 22 * * *", "1h");
    zone["timeZone"] = json!("Mars/Olympus");
    assert!(closed(&json!([zone])).unwrap().contains("does not read"));
}

//! Health: Argo CD's built-in checks, the rules for custom kinds, Flux's expressions and kstatus.

use driftdeck::health::cel::Expressions;
use driftdeck::health::rules::Rules;
use driftdeck::health::{self, cel, kstatus};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score, score_above};

/// Cases whose message is Argo CD's to the letter, besides its status. Our rules may use words of their own.
const MESSAGES: usize = 618;

#[test]
fn health_go_builtin() {
    score(
        "health go-builtin",
        "health_cases.jsonl",
        |case| case.text("evaluator") == "go-builtin",
        argo,
    );
}

fn argo(case: &Case) -> Result<(), String> {
    let report = health::check(case.get("live"));
    let expected = case.get("expected");
    if expected.is_null() {
        return same("health", &report.map(|r| r.0), &None);
    }
    let (status, message) = report.ok_or("no health")?;
    let got = json!({"status": status, "message": message});
    let fields = case.get("compare").as_array().cloned().unwrap_or_default();
    for field in fields.iter().filter_map(Value::as_str) {
        let want = expected.get(field).cloned().unwrap_or_else(|| json!(""));
        same(field, &got[field], &want)?;
    }
    Ok(())
}

#[test]
fn health_lua_builtin_by_status() {
    score(
        "health lua-builtin by status",
        "health_cases.jsonl",
        |case| case.text("evaluator") == "lua-builtin",
        |case| ruled(case, &["status"]),
    );
}

#[test]
fn health_lua_builtin_with_message() {
    score_above(
        MESSAGES,
        "health lua-builtin with message",
        "health_cases.jsonl",
        |case| case.text("evaluator") == "lua-builtin",
        |case| ruled(case, &["status", "message"]),
    );
}

/// The declarative rules alone, as these cases are about Argo CD's own rules alone.
fn ruled(case: &Case, fields: &[&str]) -> Result<(), String> {
    let ((status, message), _) = Rules::built_in()
        .judge(case.get("live"))
        .ok_or("no rule knows the kind")?;
    let got = json!({"status": status, "message": message});
    for field in fields {
        let want = case
            .get("expected")
            .get(*field)
            .cloned()
            .unwrap_or_else(|| json!(""));
        same(field, &got[*field], &want)?;
    }
    Ok(())
}

#[test]
fn flux_cel_health() {
    score(
        "flux cel health",
        "flux_cel_health_cases.jsonl",
        all,
        cel_case,
    );
}

fn cel_case(case: &Case) -> Result<(), String> {
    let expression = |key: &str| case.get("expressions")[key].as_str().map(str::to_owned);
    let expressions = Expressions {
        in_progress: expression("InProgress"),
        failed: expression("Failed"),
        current: expression("Current").unwrap_or_default(),
    };
    let got = match cel::status(case.get("object"), &expressions) {
        Ok(status) => json!({"Status": status.word()}),
        Err(error) => json!({"error": error}),
    };
    same("outcome", &got, case.get("expected"))
}

#[test]
fn kstatus_cases() {
    score("kstatus", "kstatus_cases.jsonl", all, kstatus_case);
}

fn kstatus_case(case: &Case) -> Result<(), String> {
    let now: Timestamp = case
        .get("now")
        .as_str()
        .and_then(|t| t.parse().ok())
        .unwrap_or(Timestamp::UNIX_EPOCH);
    let mut live = case.get("live").clone();
    if let Some(age) = case.get("age_seconds").as_i64() {
        let created = now - jiff::SignedDuration::from_secs(age);
        live["metadata"]["creationTimestamp"] = json!(created.to_string());
    }
    let expected = case.get("expected");
    if case.text("op") == "augment" {
        let object = kstatus::augment(&live, now);
        let conditions = object["status"]["conditions"]
            .as_array()
            .cloned()
            .unwrap_or_default();
        return conditions_hold(&conditions, expected);
    }
    let outcome = kstatus::compute(&live, now);
    same("status", &json!(outcome.status.word()), &expected["status"])?;
    let conditions: Vec<Value> = outcome
        .condition
        .iter()
        .map(
            |c| json!({"type": c.kind, "status": "True", "reason": c.reason, "message": c.message}),
        )
        .collect();
    conditions_hold(&conditions, expected)
}

fn conditions_hold(got: &[Value], expected: &Value) -> Result<(), String> {
    for want in expected["conditions"].as_array().into_iter().flatten() {
        let found = got
            .iter()
            .any(|c| ["type", "status", "reason"].iter().all(|k| c[k] == want[k]));
        same(&format!("condition {want}"), &found, &true)?;
    }
    for absent in expected["absent_conditions"]
        .as_array()
        .into_iter()
        .flatten()
    {
        let found = got.iter().any(|c| c["type"] == *absent);
        same(&format!("no condition {absent}"), &found, &false)?;
    }
    Ok(())
}

//! Tracking ids, hooks, phases and waves.

use driftdeck::desired::tracking::parse_tracking_id;
use driftdeck::drift::hooks::{self, Hook};
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

#[test]
fn tracking_hook() {
    score(
        "tracking_hook",
        "argocd_tracking_hook_cases.jsonl",
        all,
        check,
    );
}

fn check(case: &Case) -> Result<(), String> {
    let object = json!({"metadata": {"annotations": case.get("annotations")}});
    let words = |all: Vec<Hook>| all.into_iter().map(Hook::word).collect::<Vec<_>>();
    let got = match case.text("op") {
        "parse-tracking-id" => parsed(case.text("input")),
        "hook" => {
            json!({"is_hook": hooks::is_hook(&object), "skip": hooks::is_skipped(&object), "types": words(hooks::types(&object))})
        }
        "sync-phases" => json!({"phases": words(hooks::phases(&object))}),
        "ignore" => json!({"ignored": hooks::is_ignored(&object)}),
        "wave" => json!({"wave": hooks::wave(&object)}),
        other => return Err(format!("unknown op {other}")),
    };
    same("outcome", &got, case.get("expected"))
}

fn parsed(text: &str) -> Value {
    match parse_tracking_id(text) {
        Some(id) => {
            json!({"ApplicationName": id.instance, "Group": id.group, "Kind": id.kind, "Name": id.name, "Namespace": id.namespace})
        }
        None => json!({"error": true}),
    }
}

//! Argo CD's own difference, and its normalisation.

use driftdeck::drift::IgnoreRules;
use driftdeck::drift::argo::normalize::IgnoreStatus;
use driftdeck::drift::argo::trusted::without_trusted;
use driftdeck::drift::argo::{Ask, DryRun, Method, Normalizer, Outcome, Settings, diff};
use driftdeck::drift::ssa::schema_of;
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

const DIFF: &str = "argocd_diff_cases.jsonl";

#[test]
fn argocd_diff_default() {
    score(
        "argocd_diff default",
        DIFF,
        |case| case.text("algorithm") == "default",
        |case| expected(case, Method::Ordinary),
    );
}

#[test]
fn argocd_diff_structured_merge() {
    score(
        "argocd_diff structured-merge",
        DIFF,
        |case| case.text("algorithm") == "structured-merge",
        |case| expected(case, Method::Structured),
    );
}

#[test]
fn argocd_diff_server_side() {
    score(
        "argocd_diff server-side",
        DIFF,
        |case| case.text("algorithm") == "server-side",
        |case| {
            let dry_run = DryRun {
                result: case.get("dry_run_result"),
                keep_webhooks: case.get("options")["ignoreMutationWebhook"] == json!(false),
            };
            expected(case, Method::ServerSide(dry_run))
        },
    );
}

fn expected(case: &Case, method: Method<'_>) -> Result<(), String> {
    let outcome = compared(case, method)?;
    let expected = case.get("expected");
    same("modified", &json!(outcome.modified), &expected["modified"])?;
    if let Some(predicted) = expected.get("predicted_live") {
        same("predicted", &outcome.predicted_live, predicted)?;
    }
    holds(
        expected,
        &[
            ("predicted", &outcome.predicted_live),
            ("live", &outcome.normalized_live),
        ],
    )
}

fn compared(case: &Case, method: Method<'_>) -> Result<Outcome, String> {
    let options = case.get("options");
    let mut normalizer = Normalizer {
        rules: IgnoreRules::from_spec(&options["ignoreDifferences"]),
        ignore_aggregated_roles: options["ignoreAggregatedRoles"] == json!(true),
        ..Normalizer::default()
    };
    if let Some(fields) = options["remove_fields"].as_array() {
        normalizer.rules = removing(fields);
    }
    let side = |key: &str| Some(case.get(key)).filter(|v| !v.is_null());
    let ask = Ask {
        method,
        ..Ask::ordinary(&normalizer)
    };
    diff(side("config"), side("live"), &ask).map_err(|e| e.to_string())
}

/// A normaliser that removes fields, as rules for every kind.
fn removing(fields: &[Value]) -> IgnoreRules {
    IgnoreRules::from_spec(&removing_spec(fields))
}

/// The same as a list of rules.
pub fn removing_spec(fields: &[Value]) -> Value {
    let pointers: Vec<String> = fields
        .iter()
        .map(|path| {
            path.as_array()
                .into_iter()
                .flatten()
                .map(|part| format!("/{}", part.as_str().unwrap_or_default()))
                .collect()
        })
        .collect();
    json!([{"group": "*", "kind": "*", "jsonPointers": pointers}])
}

#[test]
fn argocd_normalize() {
    score(
        "argocd_normalize",
        "argocd_normalize_cases.jsonl",
        all,
        |case| {
            let mut settings = Settings::default();
            if let Some(overrides) = case.get("resourceOverrides").as_object() {
                settings.add_overrides(overrides);
            }
            let rules = settings.rules(case.get("ignoreDifferences"));
            same("problems", &rules.problems().len(), &0)?;
            let normalizer = Normalizer {
                status: IgnoreStatus::None,
                ..settings.normalizer(rules)
            };
            let mut object = case.get("object").clone();
            normalizer.apply(&mut object);
            if case.get("expected")["unchanged"] == json!(true) {
                same("object", &object, case.get("object"))?;
            }
            holds(case.get("expected"), &[("object", &object)])
        },
    );
}

#[test]
fn argocd_managed_fields() {
    score(
        "argocd_managed_fields",
        "argocd_managed_fields_cases.jsonl",
        all,
        |case| {
            let (live, config) = (case.get("live"), case.get("config"));
            let trusted = case.get("trusted_managers").as_array();
            let trusted: Vec<&str> = trusted
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            let kept = match (live, config) {
                (Value::Null, _) | (_, Value::Null) => None,
                _ => without_trusted(live, config, &trusted, schema_of(live, None))
                    .map_err(|e| e.to_string())?,
            };
            let expected = case.get("expected");
            if expected["outcome"] == json!("both results nil") {
                return same("outcome", &kept, &None);
            }
            let (live, config) = kept.ok_or("nothing was done")?;
            holds(expected, &[("live", &live), ("config", &config)])
        },
    );
}

/// Runs the checks of an expectation on the documents they name.
pub fn holds(expected: &Value, documents: &[(&str, &Value)]) -> Result<(), String> {
    for check in expected["checks"].as_array().into_iter().flatten() {
        let on = check["on"].as_str().unwrap_or_default();
        let (_, document) = documents
            .iter()
            .find(|(name, _)| *name == on)
            .ok_or(format!("no document {on}"))?;
        let found = at(document, &check["path"]);
        let what = format!("{on} {}", check["path"]);
        if let Some(want) = check.get("equals") {
            same(&what, &found, &Some(want))?;
        }
        if let Some(length) = check.get("len").and_then(Value::as_u64) {
            let got = found.and_then(Value::as_array).map(|l| l.len() as u64);
            same(&what, &got, &Some(length))?;
        }
        if check.get("absent") == Some(&json!(true)) {
            same(&what, &found, &None)?;
        }
        if check.get("present") == Some(&json!(true)) {
            same(&what, &found.is_some(), &true)?;
        }
    }
    Ok(())
}

fn at<'v>(document: &'v Value, path: &Value) -> Option<&'v Value> {
    let mut here = document;
    for step in path.as_array()? {
        here = match step {
            Value::String(key) => here.get(key)?,
            other => here.get(usize::try_from(other.as_u64()?).ok()?)?,
        };
    }
    Some(here)
}

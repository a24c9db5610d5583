//! Argo CD's own difference, and its normalisation.

use driftdeck::drift::IgnoreRules;
use driftdeck::drift::argo::normalize::KnownField;
use driftdeck::drift::argo::{Normalizer, diff};
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

#[test]
fn argocd_diff_default() {
    score(
        "argocd_diff default",
        "argocd_diff_cases.jsonl",
        19,
        |case| case.text("algorithm") == "default",
        |case| {
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
            let outcome =
                diff(side("config"), side("live"), &normalizer).map_err(|e| e.to_string())?;
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
        },
    );
}

/// A normaliser that removes fields, as rules for every kind.
fn removing(fields: &[Value]) -> IgnoreRules {
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
    IgnoreRules::from_spec(&json!([{"group": "*", "kind": "*", "jsonPointers": pointers}]))
}

#[test]
fn argocd_normalize() {
    score(
        "argocd_normalize",
        "argocd_normalize_cases.jsonl",
        10,
        all,
        |case| {
            let mut object = case.get("object").clone();
            let normalizer = Normalizer {
                rules: IgnoreRules::from_spec(&rules(case)),
                known: known(case.get("resourceOverrides")),
                compare_status: true,
                ..Normalizer::default()
            };
            normalizer.apply(&mut object);
            if case.get("expected")["unchanged"] == json!(true) {
                same("object", &object, case.get("object"))?;
            }
            holds(case.get("expected"), &[("object", &object)])
        },
    );
}

/// The application's rules and the installation's, as one list.
fn rules(case: &Case) -> Value {
    let mut all = case
        .get("ignoreDifferences")
        .as_array()
        .cloned()
        .unwrap_or_default();
    for (kind, about) in case
        .get("resourceOverrides")
        .as_object()
        .into_iter()
        .flatten()
    {
        if let Some(Value::Object(rule)) = about.get("ignoreDifferences") {
            let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
            let mut rule = rule.clone();
            rule.insert("group".into(), json!(group));
            rule.insert("kind".into(), json!(kind));
            all.push(Value::Object(rule));
        }
    }
    Value::Array(all)
}

fn known(overrides: &Value) -> Vec<KnownField> {
    let mut fields = Vec::new();
    for (kind, about) in overrides.as_object().into_iter().flatten() {
        let (group, kind) = kind.split_once('/').unwrap_or(("", kind));
        for field in about["knownTypeFields"].as_array().into_iter().flatten() {
            let text = |key: &str| field[key].as_str().unwrap_or_default();
            fields.push(KnownField {
                group: group.to_owned(),
                kind: kind.to_owned(),
                path: text("field").split('.').map(str::to_owned).collect(),
                type_name: text("type").to_owned(),
            });
        }
    }
    fields
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

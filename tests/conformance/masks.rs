//! Masks: which values read as equal. Only the equality counts, not the characters.

use std::collections::HashMap;

use driftdeck::drift::seal::LAST_APPLIED;
use driftdeck::drift::{Marks, SealKey, seal};
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

#[test]
fn secret_mask_argocd() {
    score(
        "secret_mask argocd",
        "secret_mask_cases_argocd.jsonl",
        all,
        argo,
    );
}

fn argo(case: &Case) -> Result<(), String> {
    let input = case.get("input");
    let hidden = input["hide_annotations"].as_object().into_iter().flatten();
    let key = SealKey::new([5; 32]).with_annotations(hidden.map(|(name, _)| name.clone()));
    let (target, live) = shown(&key, &input["target"], &input["live"]);
    corresponds(case.get("expected"), &target, &live)
}

/// Whether two masked objects are equal where the expectation says so, and only there.
pub fn corresponds(expected: &Value, target: &Value, live: &Value) -> Result<(), String> {
    let mut marks = Correspondence::default();
    for (name, object) in [("target", target), ("live", live)] {
        marks.data(&expected[format!("{name}_data")], &object["data"])?;
        marks.data(
            &expected[format!("{name}_last_applied_data")],
            &last_applied(object)["data"],
        )?;
        marks.annotations(&expected[format!("{name}_annotations")], object)?;
        marks.annotations(&expected["annotations_on_each_non_nil"], object)?;
        let whole = &expected[format!("{name}_last_applied_annotation")];
        if !whole.is_null() {
            marks.value("annotation", whole, &annotations(object)[LAST_APPLIED])?;
        }
    }
    Ok(())
}

fn shown(key: &SealKey, first: &Value, second: &Value) -> (Value, Value) {
    let (mut first, mut second) = (first.clone(), second.clone());
    seal(&mut first, key);
    seal(&mut second, key);
    let marks = Marks::of([&first, &second]);
    (marks.shown(&first, ""), marks.shown(&second, ""))
}

fn annotations(object: &Value) -> &Value {
    &object["metadata"]["annotations"]
}

fn last_applied(object: &Value) -> Value {
    let text = annotations(object)[LAST_APPLIED]
        .as_str()
        .unwrap_or_default();
    serde_json::from_str(text).unwrap_or_default()
}

/// Their masks and ours, key by key: equal theirs must be equal ours, and the other way round.
#[derive(Default)]
struct Correspondence {
    pairs: HashMap<String, Vec<(Value, Value)>>,
}

impl Correspondence {
    fn data(&mut self, want: &Value, got: &Value) -> Result<(), String> {
        let Some(want) = want.as_object() else {
            return Ok(());
        };
        let got_keys = got
            .as_object()
            .map(|m| m.keys().collect::<Vec<_>>())
            .unwrap_or_default();
        same("keys", &got_keys, &want.keys().collect::<Vec<_>>())?;
        want.iter()
            .try_for_each(|(key, mask)| self.value(key, mask, &got[key]))
    }

    fn annotations(&mut self, want: &Value, object: &Value) -> Result<(), String> {
        if object.is_null() {
            return Ok(());
        }
        for (key, mask) in want.as_object().into_iter().flatten() {
            match manifest(mask) {
                Some(manifest) => {
                    self.annotations(&manifest["metadata"]["annotations"], &last_applied(object))?
                }
                None => self.value(key, mask, &annotations(object)[key])?,
            }
        }
        Ok(())
    }

    fn value(&mut self, key: &str, want: &Value, got: &Value) -> Result<(), String> {
        let masked = want.as_str().is_some_and(|text| text.contains("++"));
        if !masked {
            return same(key, got, want);
        }
        same(
            &format!("{key} is masked"),
            &got.as_str().is_some_and(|text| text.starts_with("•••")),
            &true,
        )?;
        let pairs = self.pairs.entry(key.to_owned()).or_default();
        for (theirs, ours) in pairs.iter() {
            same(
                &format!("{key}: {theirs} and {want} equal"),
                &(ours == got),
                &(theirs == want),
            )?;
        }
        pairs.push((want.clone(), got.clone()));
        Ok(())
    }
}

fn manifest(mask: &Value) -> Option<Value> {
    serde_json::from_str(mask.as_str()?)
        .ok()
        .filter(Value::is_object)
}

#[test]
fn secret_mask_flux_and_kubectl() {
    score(
        "secret_mask flux_kubectl",
        "secret_mask_cases_flux_kubectl.jsonl",
        all,
        flux_or_kubectl,
    );
}

fn flux_or_kubectl(case: &Case) -> Result<(), String> {
    let (input, expected) = (case.get("input"), case.get("expected"));
    if let Some(operations) = input["patch"].as_array() {
        let wanted = expected["patch"].as_array().cloned().unwrap_or_default();
        return operations
            .iter()
            .zip(&wanted)
            .try_for_each(|(operation, want)| patch_operation(operation, want));
    }
    let (live, merged) = masked_pair(&input["live"], &input["merged"]);
    pair(&live, &merged, &expected["live"], &expected["merged"])
}

/// Values as they stand in a Secret's data; these tools mask text as it comes.
fn masked_pair(live: &Value, merged: &Value) -> (Value, Value) {
    let secret = |side: &Value| match side["data"].as_object() {
        Some(data) => json!({"kind": "Secret", "stringData": data, "data": {}}),
        None => Value::Null,
    };
    shown(&SealKey::new([5; 32]), &secret(live), &secret(merged))
}

/// `***` on both sides is equal (or stands alone), `(before)` and `(after)` are different.
fn pair(
    live: &Value,
    merged: &Value,
    want_live: &Value,
    want_merged: &Value,
) -> Result<(), String> {
    for (side, want) in [(live, want_live), (merged, want_merged)] {
        let keys = |v: &Value| {
            v["data"]
                .as_object()
                .map(|m| m.keys().cloned().collect::<Vec<_>>())
        };
        if !want.is_null() {
            same(
                "keys",
                &keys(side).unwrap_or_default(),
                &keys(want).unwrap_or_default(),
            )?;
        }
        let readable = side["data"]
            .as_object()
            .into_iter()
            .flatten()
            .find(|(_, v)| !v.as_str().is_some_and(|t| t.starts_with("•••")));
        same("readable", &readable, &None)?;
    }
    for (key, before) in want_live["data"].as_object().into_iter().flatten() {
        if let Some(after) = want_merged["data"].get(key) {
            same(
                key,
                &(live["data"][key] == merged["data"][key]),
                &(before == after),
            )?;
        }
    }
    Ok(())
}

/// One operation of a JSON patch on a Secret: the old and the new value of one key, or of all keys.
fn patch_operation(operation: &Value, want: &Value) -> Result<(), String> {
    let key = operation["path"]
        .as_str()
        .unwrap_or_default()
        .rsplit('/')
        .next()
        .unwrap_or_default();
    let side = |operation: &Value, field: &str| match &operation[field] {
        Value::Null => Value::Null,
        Value::Object(data) => json!({ "data": data }),
        value => json!({ "data": { key: value } }),
    };
    let (old, new) = masked_pair(&side(operation, "old_value"), &side(operation, "value"));
    pair(&old, &new, &side(want, "old_value"), &side(want, "value"))
}

//! Flux: JSON differences, selectors, normalisation, inventory ids, and what `flux diff kustomization` decides.

use driftdeck::drift::flux::{Selector, inventory, normalize, patch};
use driftdeck::drift::{Comparison, IgnoreRules, SealKey, judge, seal};
use serde_json::{Value, json};

use crate::cases::{Case, all, same, score};

#[test]
fn flux_jsondiff() {
    score("flux_jsondiff", "flux_jsondiff_cases.jsonl", all, |case| {
        let operations = patch::between(case.get("x"), case.get("y"));
        let got: Value = operations.iter().map(patch::Operation::to_json).collect();
        same("patch", &got, &case.get("expected")["patch"])
    });
}

#[test]
fn flux_selector() {
    score("flux_selector", "flux_selector_cases.jsonl", all, |case| {
        let selector = Selector::parse(case.get("selector"))?;
        let object = match case.get("u") {
            Value::Null => object_of(case),
            object => object.clone(),
        };
        same("match", &json!(selector.matches(&object)), case.get("want"))
    });
}

/// The object that a case about a part of a selector means.
fn object_of(case: &Case) -> Value {
    let (group, version) = (case.text("group"), case.text("version"));
    let api_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    json!({"apiVersion": api_version, "kind": case.text("kind"), "metadata": {
        "name": case.text("n"), "namespace": case.text("ns"),
        "labels": case.get("labels"), "annotations": case.get("annotations")}})
}

#[test]
fn flux_normalize() {
    score(
        "flux_normalize",
        "flux_normalize_cases.jsonl",
        all,
        |case| {
            let mut object = case.get("input").clone();
            match case.text("op") {
                "normalize" => normalize::desired(&mut object),
                "normalize-dry-run" => normalize::dry_run(&mut object),
                other => return Err(format!("unknown op {other}")),
            }
            same("object", &object, case.get("expected"))
        },
    );
}

#[test]
fn inventory_id() {
    score("inventory_id", "inventory_id_cases.jsonl", all, |case| {
        let got = match inventory::parse(case.text("input")) {
            Some(id) => {
                json!({"namespace": id.namespace, "name": id.name, "group": id.group, "kind": id.kind})
            }
            None => json!({"error": true}),
        };
        same("id", &got, case.get("expected"))
    });
}

/// What Git wants is not among the cases, only what it would change: that is taken back into the cluster's object.
#[test]
fn flux_diff_kustomization() {
    score(
        "flux_diff_kustomization goldens",
        "flux_diff_kustomization_goldens.jsonl",
        all,
        |case| {
            let text = case.text("expected_text");
            let objects = case.get("cluster_objects").as_array();
            for live in objects.into_iter().flatten() {
                golden(live, text)?;
            }
            for line in text.lines().filter(|line| line.ends_with(" created")) {
                let wanted =
                    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": line}});
                same("created", &words(Some(&wanted), None), &vec!["missing"])?;
            }
            Ok(())
        },
    );
}

fn golden(live: &Value, text: &str) -> Result<(), String> {
    let id = format!(
        "{}/default/{}",
        live["kind"].as_str().unwrap_or_default(),
        live["metadata"]["name"].as_str().unwrap_or_default()
    );
    let told = text
        .split("► ")
        .find(|part| part.starts_with(&id))
        .unwrap_or_default();
    let mut wanted = live.clone();
    if let Some((_, change)) = told.split_once("± value change\n- ") {
        let (old, new) = change.split_once("\n+ ").ok_or("no new value")?;
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| "no number");
        let (old, new) = (number(old)?, json!(number(new)?));
        let ports = wanted["spec"]["ports"].as_array_mut().ok_or("no ports")?;
        for port in ports.iter_mut().filter(|p| p["port"] == old) {
            port["port"] = new.clone();
        }
    }
    if told.contains("one map entry removed") {
        let data = wanted["stringData"]
            .as_object_mut()
            .ok_or("no stringData")?;
        let value = data.remove("username1").ok_or("no username1")?;
        data.insert("username".to_owned(), value);
    }
    let want = if told.contains("drifted") {
        vec!["edited"]
    } else {
        vec![]
    };
    same(&id, &words(Some(&wanted), Some(live)), &want)
}

fn words(wanted: Option<&Value>, live: Option<&Value>) -> Vec<&'static str> {
    let sealed = |object: Option<&Value>| {
        let mut object = object?.clone();
        seal(&mut object, &SealKey::new([7; 32]));
        Some(object)
    };
    let (wanted, live) = (sealed(wanted), sealed(live));
    let verdict = judge(&Comparison {
        deployed: wanted.as_ref(),
        target: wanted.as_ref(),
        live: live.as_ref(),
        rules: &IgnoreRules::none(),
        custom: None,
    });
    verdict.states.iter().map(|s| s.word()).collect()
}

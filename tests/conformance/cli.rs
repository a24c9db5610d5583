//! The same cases through the command line: files in, JSON out.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::argo::holds;
use crate::cases::{Case, all, same, score};
use crate::masks;

/// A folder with the files of one case; it stands in for the home folder too.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(TempDir::new().expect("a folder for files"))
    }

    fn write(&self, name: &str, value: &Value) -> PathBuf {
        let path = self.0.path().join(name);
        let text = match value {
            Value::Null => String::new(),
            value => value.to_string(),
        };
        fs::write(&path, text).expect("a file can be written");
        path
    }

    /// Runs the program and reads the first item of its answer.
    fn run(&self, arguments: &[&str]) -> Result<Value, String> {
        let output = Command::cargo_bin("driftdeck")
            .expect("the program is built")
            .env_clear()
            .env("HOME", self.0.path())
            .args(arguments)
            .args(["-o", "json"])
            .output()
            .map_err(|e| e.to_string())?;
        if output.status.code().is_none_or(|code| code == 2) {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned());
        }
        let document: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
        Ok(document["items"][0].clone())
    }

    fn diff(
        &self,
        desired: &Value,
        live: &Value,
        more: &[(&str, &Value)],
    ) -> Result<Value, String> {
        let mut arguments = vec!["diff".to_owned()];
        let sides = [("--desired", desired), ("--live", live)];
        for (option, value) in sides.iter().chain(more) {
            let file = self.write(&format!("{}.json", option.trim_start_matches('-')), value);
            arguments.extend([(*option).to_owned(), file.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.run(&arguments)
    }
}

#[test]
fn diff_answers_the_argocd_diff_cases() {
    score("cli argocd_diff", "argocd_diff_cases.jsonl", all, |case| {
        let options = case.get("options");
        let rules = match options["remove_fields"].as_array() {
            Some(fields) => crate::argo::removing_spec(fields),
            None => options["ignoreDifferences"].clone(),
        };
        let mut more = Vec::new();
        if !rules.is_null() {
            more.push(("--ignore", &rules));
        }
        if !case.get("dry_run_result").is_null() {
            more.push(("--dry-run", case.get("dry_run_result")));
        }
        let item = Files::new().diff(case.get("config"), case.get("live"), &more)?;
        let expected = case.get("expected");
        same("modified", &item["modified"], &expected["modified"])?;
        if let Some(predicted) = expected.get("predicted_live") {
            same("predicted", &item["predictedLive"], predicted)?;
        }
        holds(
            expected,
            &[
                ("predicted", &item["predictedLive"]),
                ("live", &item["normalizedLive"]),
            ],
        )
    });
}

/// The other side differs in everything that the case's rules leave of the object; both sides show what was taken out.
#[test]
fn diff_answers_the_argocd_normalize_cases() {
    score(
        "cli argocd_normalize",
        "argocd_normalize_cases.jsonl",
        all,
        |case| {
            let declared = json!({"ignoreDifferences": case.get("ignoreDifferences"), "resourceOverrides": case.get("resourceOverrides")});
            let object = case.get("object");
            let item = Files::new().diff(object, object, &[("--ignore", &declared)])?;
            same("modified", &item["modified"], &json!(false))?;
            let (expected, normalized) = (case.get("expected"), &item["normalizedLive"]);
            holds(expected, &[("object", normalized)])
        },
    );
}

#[test]
fn diff_answers_the_argocd_managed_fields_cases() {
    score(
        "cli argocd_managed_fields",
        "argocd_managed_fields_cases.jsonl",
        all,
        |case| {
            let rules = json!([{"group": "*", "kind": "*", "managedFieldsManagers": case.get("trusted_managers")}]);
            let files = Files::new();
            let (config, live) = (case.get("config"), case.get("live"));
            let item = files.diff(config, live, &[("--ignore", &rules)])?;
            let plain = files.diff(config, live, &[])?;
            if case.get("expected")["outcome"] == json!("both results nil") {
                return same("modified", &item["modified"], &plain["modified"]);
            }
            // What vanished is predicted to stay as the server fills it in; what did not is predicted as Git wants it.
            for check in case.get("expected")["checks"]
                .as_array()
                .into_iter()
                .flatten()
            {
                let path: Vec<&str> = check["path"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let named = path.join(".");
                let counted = item["changes"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .any(|c| c["path"] == named);
                same(&named, &counted, &(check["absent"] != json!(true)))?;
            }
            Ok(())
        },
    );
}

#[test]
fn diff_answers_the_secret_mask_cases() {
    score(
        "cli secret_mask argocd",
        "secret_mask_cases_argocd.jsonl",
        |case| !case.get("input")["target"].is_null() || !case.get("input")["live"].is_null(),
        |case| {
            let input = case.get("input");
            let named: Vec<&str> = input["hide_annotations"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, _)| name.as_str())
                .collect();
            let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "argocd-cm"},
                "data": {"resource.sensitive.mask.annotations": named.join(",")}});
            let item =
                Files::new().diff(&input["target"], &input["live"], &[("--ignore", &settings)])?;
            masks::corresponds(
                case.get("expected"),
                &item["targetState"],
                &item["liveState"],
            )
        },
    );
}

#[test]
fn explain_answers_the_tracking_and_hook_cases() {
    score(
        "cli tracking_hook",
        "argocd_tracking_hook_cases.jsonl",
        all,
        |case| {
            let annotations = match case.text("op") {
                "parse-tracking-id" => {
                    json!({"argocd.argoproj.io/tracking-id": case.text("input")})
                }
                _ => case.get("annotations").clone(),
            };
            let object = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate", "annotations": annotations}});
            let files = Files::new();
            let file = files.write("object.json", &object).display().to_string();
            let sync = files.run(&["explain", "-f", &file])?["sync"].clone();
            let got = told(case, &sync);
            same("outcome", &got, case.get("expected"))
        },
    );
}

/// What the answer says about what the case asks.
fn told(case: &Case, sync: &Value) -> Value {
    match case.text("op") {
        "parse-tracking-id" => match &sync["tracking"] {
            Value::Null => json!({"error": true}),
            id => {
                json!({"ApplicationName": id["app"], "Group": id["group"], "Kind": id["kind"], "Name": id["name"], "Namespace": id["namespace"]})
            }
        },
        "hook" => {
            json!({"is_hook": sync["hook"], "skip": sync["skip"], "types": sync["hookTypes"]})
        }
        "sync-phases" => json!({"phases": sync["phases"]}),
        "ignore" => json!({"ignored": sync["ignored"]}),
        _ => json!({"wave": sync["wave"]}),
    }
}

#[test]
fn explain_answers_the_kstatus_cases() {
    score(
        "cli kstatus",
        "kstatus_cases.jsonl",
        |case| case.text("op") != "augment" && case.get("age_seconds").is_null(),
        |case| {
            let files = Files::new();
            let file = files
                .write("object.json", case.get("live"))
                .display()
                .to_string();
            let item = files.run(&["explain", "-f", &file])?;
            same(
                "status",
                &item["kstatus"]["status"],
                &case.get("expected")["status"],
            )
        },
    );
}

#[test]
fn diff_tells_quantities_apart_by_value() {
    score(
        "cli quantity",
        "quantity_cases.jsonl",
        |case| case.text("op") == "canonical",
        |case| {
            let pod = |amount: &Value| {
                json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [
                {"name": "a", "resources": {"limits": {"example.com/amount": amount}}}]}})
            };
            let item =
                Files::new().diff(&pod(case.get("input")), &pod(case.get("expected")), &[])?;
            same("modified", &item["modified"], &json!(false))?;
            same("changes", &item["changes"], &json!([]))
        },
    );
}

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::domain::Health;
use crate::health::{Checks, Overrides};

fn at() -> Timestamp {
    "2026-11-21T08:00:00Z".parse().unwrap()
}

fn compared(desired: &str, live: &str, ignore: Option<&str>) -> Result<(Value, u8), String> {
    let files = DiffFiles {
        desired: desired.as_bytes(),
        live: live.as_bytes(),
        ignore: ignore.map(str::as_bytes),
        dry_run: None,
        shadow: false,
        key: SealKey::new([9; 32]),
        at: at(),
    };
    let listed = diff(&files, Form::Json)?;
    Ok((serde_json::from_str(&listed.text).unwrap(), listed.status))
}

const GIT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge-microservice, namespace: edge}\nspec: {replicas: 3}\n";
const LIVE: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge-microservice, namespace: edge}\nspec: {replicas: 1, paused: true}\nstatus: {replicas: 1}\n";

#[test]
fn a_changed_field_is_drift_with_argos_word_beside_ours() {
    let (document, status) = compared(GIT, LIVE, None).unwrap();
    assert_eq!(status, 1);
    assert_eq!(document["apiVersion"], "driftdeck/v1");
    assert_eq!(document["kind"], "Diff");
    let item = &document["items"][0];
    assert_eq!(item["state"], "edited");
    assert_eq!(
        item["verdict"],
        json!({"source": "computed", "state": "OutOfSync"})
    );
    assert_eq!(item["changes"][0]["path"], "spec.replicas");
    assert_eq!(
        (&item["changes"][0]["desired"], &item["changes"][0]["live"]),
        (&json!(3), &json!(1))
    );
    assert_eq!(item["ignored"][0]["path"], "spec.paused");
    assert_eq!(item["modified"], true);
    assert_eq!(item["predictedLive"]["spec"]["replicas"], 3);
    assert!(
        item["unified"]
            .as_str()
            .unwrap()
            .contains("-  replicas: 3\n+  paused: true\n+  replicas: 1\n")
    );
}

#[test]
fn equal_files_exit_zero_and_a_rule_hides_a_difference() {
    let (document, status) = compared(GIT, GIT, None).unwrap();
    assert_eq!((status, &document["items"][0]["state"]), (0, &Value::Null));
    assert_eq!(document["items"][0]["modified"], false);
    let rules = "- {group: apps, kind: Deployment, jqPathExpressions: [.spec.replicas]}\n";
    let (document, status) = compared(GIT, LIVE, Some(rules)).unwrap();
    assert_eq!(status, 0);
    let ignored: Vec<&Value> = document["items"][0]["ignored"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["path"])
        .collect();
    assert!(ignored.contains(&&json!("spec.replicas")), "{ignored:?}");
}

#[test]
fn one_document_on_each_side_is_a_pair_whatever_the_names() {
    let (document, _) = compared(GIT, &LIVE.replace("edge-microservice", "renamed"), None).unwrap();
    assert_eq!(document["items"].as_array().unwrap().len(), 1);
}

#[test]
fn several_documents_are_paired_by_identity_and_the_rest_is_missing_or_extra() {
    let git = format!("{GIT}---\napiVersion: v1\nkind: Service\nmetadata: {{name: web}}\n");
    let live = format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: stray}}\n---\n{LIVE}");
    let (document, _) = compared(&git, &live, None).unwrap();
    let told: Vec<(String, String)> = document["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| {
            (
                i["kind"].as_str().unwrap().into(),
                i["state"].as_str().unwrap().into(),
            )
        })
        .collect();
    let want = [
        ("Deployment", "edited"),
        ("Service", "missing"),
        ("ConfigMap", "extra"),
    ];
    assert_eq!(told, want.map(|(a, b)| (a.to_owned(), b.to_owned())));
}

#[test]
fn secret_values_are_marks_in_every_field_of_the_answer() {
    let git = "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {password: hunter2, user: edge}\n";
    let live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token", "annotations": {"kubectl.kubernetes.io/last-applied-configuration":
        "{\"apiVersion\":\"v1\",\"kind\":\"Secret\",\"stringData\":{\"password\":\"hunter1\"}}"}}, "data": {"password": "aHVudGVyMw==", "user": "ZWRnZQ=="}});
    let (document, status) = compared(git, &live.to_string(), None).unwrap();
    let text = document.to_string();
    assert_eq!(status, 1);
    for readable in ["hunter", "aHVudGVy", "ZWRnZQ", "sealed"] {
        assert!(!text.contains(readable), "{readable}: {text}");
    }
    let item = &document["items"][0];
    assert_eq!(
        item["changes"][0],
        json!({"path": "data.password", "op": "changed", "desired": "••• 1", "live": "••• 2", "manager": null, "operation": null, "time": null})
    );
    assert_eq!(
        item["targetState"]["data"],
        json!({"password": "••• 1", "user": "••• 1"})
    );
    assert_eq!(
        item["liveState"]["data"],
        json!({"password": "••• 2", "user": "••• 1"})
    );
    assert_eq!(item["predictedLive"]["data"]["password"], "••• 1");
}

#[test]
fn bad_input_is_one_sentence_that_names_the_file() {
    let broken = compared("a: [", LIVE, None).unwrap_err();
    assert!(
        broken.starts_with("The desired file cannot be read: line "),
        "{broken}"
    );
    let scalar = compared(GIT, "just text", None).unwrap_err();
    assert!(
        scalar.contains("live file") && scalar.contains("document 1"),
        "{scalar}"
    );
    let rules = compared(GIT, LIVE, Some("- {group: apps}\n")).unwrap_err();
    assert!(rules.contains("names no kind"), "{rules}");
}

#[test]
fn a_removed_or_added_side_alone_is_missing_or_extra() {
    let (document, _) = compared(GIT, "", None).unwrap();
    assert_eq!(
        (
            &document["items"][0]["state"],
            &document["items"][0]["modified"]
        ),
        (&json!("missing"), &json!(true))
    );
    let (document, _) = compared("", LIVE, None).unwrap();
    assert_eq!(
        (
            &document["items"][0]["state"],
            &document["items"][0]["predictedLive"]
        ),
        (&json!("extra"), &Value::Null)
    );
}

#[test]
fn explanations_come_in_order_with_health_sync_and_reasons() {
    let file = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b, annotations: {argocd.argoproj.io/tracking-id: 'edge:/Service:edge/b', argocd.argoproj.io/sync-wave: '2'}, managedFields: [{manager: kubectl-edit, operation: Update, time: '2026-11-20T09:30:00Z'}]}\nspec: {type: LoadBalancer}\n";
    let listed = explained(file.as_bytes()).unwrap();
    let document: Value = serde_json::from_str(&listed.text).unwrap();
    assert_eq!(document["kind"], "ExplanationList");
    assert_eq!(document["items"][0]["health"], Value::Null);
    let service = &document["items"][1];
    assert_eq!(
        service["health"],
        json!({"status": "Progressing", "message": "", "source": "argo built-in"})
    );
    assert_eq!(
        service["sync"],
        json!({"app": "edge", "tracking": {"app": "edge", "group": "", "kind": "Service", "namespace": "edge", "name": "b"},
            "hook": false, "skip": false, "hookTypes": [], "ignored": false, "phases": ["Sync"], "wave": 2})
    );
    let reasons = service["reasons"].to_string();
    assert!(
        reasons.contains("kubectl-edit (a tool in a person's hands) wrote the object by Update"),
        "{reasons}"
    );
    assert!(explained(b"a: [").is_err());
    let nothing = explained(b"---\n# nothing\n").err().unwrap();
    assert!(nothing.contains("holds no object"), "{nothing}");
}

#[test]
fn rules_come_from_an_application_and_from_argocd_cm_alike() {
    let application = "kind: Application\nspec: {ignoreDifferences: [{group: apps, kind: Deployment, jsonPointers: [/spec/replicas]}]}\n";
    let settings = "kind: ConfigMap\ndata:\n  resource.customizations.ignoreDifferences.apps_Deployment: 'jsonPointers: [/spec/replicas]'\n";
    for rules in [application, settings] {
        let (document, status) = compared(GIT, LIVE, Some(rules)).unwrap();
        assert_eq!(status, 0, "{rules}");
        assert_eq!(document["items"][0]["modified"], false, "{rules}");
    }
    let refused = compared(
        GIT,
        LIVE,
        Some(
            "kind: Application\nspec: {ignoreDifferences: [{kind: A, jqPathExpressions: ['.a[']}]}\n",
        ),
    );
    assert!(refused.unwrap_err().contains("rule 1"));
}

#[test]
fn a_known_type_of_a_custom_kind_is_compared_by_meaning() {
    let canary = |cpu: &str| {
        format!(
            "apiVersion: edge.example/v1\nkind: Canary\nmetadata: {{name: a}}\nspec: {{cpu: {cpu}}}\n"
        )
    };
    let settings = "kind: ConfigMap\ndata:\n  resource.customizations.knownTypeFields.edge.example_Canary: '[{field: spec.cpu, type: core/Quantity}]'\n";
    let (document, status) = compared(&canary("2000m"), &canary("2"), Some(settings)).unwrap();
    assert_eq!(
        (status, &document["items"][0]["modified"]),
        (0, &json!(false))
    );
    let (document, status) = compared(&canary("2000m"), &canary("2"), None).unwrap();
    assert_eq!(
        (status, &document["items"][0]["modified"]),
        (1, &json!(true))
    );
}

#[test]
fn a_label_that_argo_cd_gave_up_is_predicted_gone_when_it_applies_on_the_server() {
    let git = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n";
    let live = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n  labels: {old: x}\n  managedFields: [{manager: argocd-controller, operation: Apply, apiVersion: v1, fieldsV1: {'f:metadata': {'f:labels': {'f:old': {}}}}}]\nspec: {ports: [{port: 80, protocol: TCP}]}\n";
    let (document, _) = compared(git, live, None).unwrap();
    assert_eq!(document["items"][0]["modified"], true);
    assert_eq!(
        document["items"][0]["predictedLive"]["metadata"].get("labels"),
        None
    );
}

#[test]
fn shadow_drift_changes_the_exit_status_only_when_asked() {
    let live = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: edge-microservice\n  labels: {hotfix: 'yes'}\n  managedFields: [{manager: kubectl-label, operation: Update, fieldsV1: {'f:metadata': {'f:labels': {'f:hotfix': {}}}}}]\nspec: {replicas: 3}\n";
    let run = |shadow: bool| {
        let files = DiffFiles {
            desired: GIT.as_bytes(),
            live: live.as_bytes(),
            ignore: None,
            dry_run: None,
            shadow,
            key: SealKey::new([9; 32]),
            at: at(),
        };
        let listed = diff(&files, Form::Json).unwrap();
        let document: Value = serde_json::from_str(&listed.text).unwrap();
        (listed.status, document["items"][0]["shadow"][0].clone())
    };
    let (status, shadow) = run(false);
    assert_eq!(
        (status, &shadow["path"]),
        (0, &json!("metadata.labels.hotfix"))
    );
    assert_eq!(shadow["manager"], "kubectl-label");
    assert_eq!(run(true).0, 1);
}

#[test]
fn the_text_for_people_names_state_fields_and_tools() {
    let files = DiffFiles {
        desired: GIT.as_bytes(),
        live: LIVE.as_bytes(),
        ignore: None,
        dry_run: None,
        shadow: false,
        key: SealKey::new([9; 32]),
        at: at(),
    };
    let text = diff(&files, Form::Table).unwrap().text;
    assert!(text.starts_with("Deployment edge/edge-microservice  edited  spec.replicas 3→1\n  Argo CD: OutOfSync\n  spec.replicas  git 3  live 1\n"), "{text}");
    assert!(
        text.contains("  ignored: spec.paused: not set by Git\n"),
        "{text}"
    );
    assert!(diff(&files, Form::Png).is_err());
}

fn explained(file: &[u8]) -> Result<Listed, String> {
    let map = json!({"data": {"resource.customizations.health.edge.example_Node": "by hand"}});
    let mut by = HealthBy {
        checks: Checks::default(),
        overrides: Overrides::of(&map).0,
        lua: &mut |script, _| Ok(Some((Health::Degraded, format!("said {script}")))),
    };
    explain(file, &SealKey::new([1; 32]), &mut by, at(), Form::Json)
}

#[test]
fn every_explanation_names_the_rule_that_told_the_health() {
    let file = "apiVersion: edge.example/v1\nkind: Node\nmetadata: {name: a}\n---\napiVersion: cert-manager.io/v1\nkind: Certificate\nmetadata: {name: b}\n";
    let listed = explained(file.as_bytes()).unwrap();
    let document: Value = serde_json::from_str(&listed.text).unwrap();
    assert_eq!(
        document["items"][0]["health"],
        json!({"status": "Degraded", "message": "said by hand", "source": "argocd-cm lua edge.example/Node"})
    );
    assert_eq!(
        document["items"][1]["health"],
        json!({"status": "Progressing", "message": "Waiting for certificate", "source": "rule cert-manager.io.yaml (cert-manager.io/Certificate)"})
    );
}

//! The product's verdict on objects that a real API server defaulted, normalised and recorded owners for.

use driftdeck::domain::{ChangeOp, DriftState, Verdict};
use driftdeck::drift::{Comparison, IgnoreRules, SealKey, judge, seal};
use serde_json::{Value, json};

use crate::argo::Controller;
use crate::bed::EDGES;
use crate::kubectl::Kubectl;
use crate::objects::live;
use crate::servers::User;
use crate::story::{Policy, Team};

/// The verdict on every object of an application, deployed and target being the same commit.
async fn verdicts(app: &Controller) -> Vec<(String, Verdict)> {
    let client = app.edge.client(User::Admin).await;
    let key = SealKey::new([9; 32]);
    let mut all = Vec::new();
    for mut desired in app.render(&app.repository.resolve("HEAD")) {
        let mut found = live(&client, &desired).await;
        seal(&mut desired, &key);
        if let Some(found) = &mut found {
            seal(found, &key);
        }
        let verdict = judge(&Comparison {
            deployed: Some(&desired),
            target: Some(&desired),
            live: found.as_ref(),
            rules: &IgnoreRules::none(),
            custom: None,
        });
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        all.push((
            format!(
                "{} {}",
                text(&desired["kind"]),
                text(&desired["metadata"]["name"])
            ),
            verdict,
        ));
    }
    all
}

/// Paths, values and managers of the counted changes of one object.
fn changes(verdict: &Verdict) -> Vec<(&str, ChangeOp, Value, Value, String)> {
    let row = |c: &'_ driftdeck::domain::Change| {
        let owner = c
            .owner
            .as_ref()
            .map_or(String::new(), |o| o.manager.to_string());
        (
            c.op,
            c.desired.clone().unwrap_or_default(),
            c.live.clone().unwrap_or_default(),
            owner,
        )
    };
    verdict
        .changes
        .iter()
        .map(|c| {
            let r = row(c);
            (c.path.as_str(), r.0, r.1, r.2, r.3)
        })
        .collect()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn nothing_that_the_server_defaults_or_respells_is_drift() {
    for (name, policy) in [
        ("judged-ssa", Policy::MANUAL),
        ("judged-csa", Policy::CLASSIC),
    ] {
        let team = Team::deploy(name, policy).await;
        for (object, verdict) in verdicts(team.on(EDGES[0])).await {
            assert_eq!(verdict.states, [], "{object}: {verdict:#?}");
        }
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn every_edit_is_found_with_its_path_values_and_manager() {
    let team = Team::deploy("judged-edits", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    team.disturb(app);
    let verdicts = verdicts(app).await;
    let of = |object: &str| &verdicts.iter().find(|(name, _)| name == object).unwrap().1;
    let drifted: Vec<&str> = verdicts
        .iter()
        .filter(|(_, v)| v.is_drift())
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(
        drifted,
        [
            "ConfigMap judged-edits-config",
            "Secret vault-secret-judged-edits",
            "Deployment judged-edits",
            "Service judged-edits",
        ]
    );
    let edit = |path, op, desired, live| (path, op, desired, live, "kubectl-edit".to_owned());
    assert_eq!(
        changes(of("Deployment judged-edits")),
        [
            edit(
                "metadata.labels.tier",
                ChangeOp::Removed,
                json!("sensor"),
                Value::Null
            ),
            edit("spec.replicas", ChangeOp::Changed, json!(2), json!(5)),
            edit(
                "spec.template.spec.containers[name=app].env[name=DEBUG_SENSORS]",
                ChangeOp::Added,
                Value::Null,
                json!({ "name": "DEBUG_SENSORS", "value": "on" }),
            ),
            edit(
                "spec.template.spec.containers[name=app].image",
                ChangeOp::Changed,
                json!("registry.example/edge/microservice:1.4.2"),
                json!("registry.example/edge/microservice:1.5.0-rc1"),
            ),
        ]
    );
    assert_eq!(
        changes(of("ConfigMap judged-edits-config")),
        [edit(
            "data.SAMPLE_RATE",
            ChangeOp::Changed,
            json!("10"),
            json!("250")
        )]
    );
    let secret = of("Secret vault-secret-judged-edits");
    assert_eq!(secret.changes.len(), 1);
    assert_eq!(secret.changes[0].path, "data.db_password");
    assert_ne!(secret.changes[0].desired, secret.changes[0].live);
    assert_eq!(of("Service judged-edits").states, [DriftState::Missing]);
}

/// A controller that owns `replicas` and `status` is at work in every cluster: what it writes beside Git's word is not drift.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn what_others_add_beside_gits_word_is_listed_and_not_counted() {
    let team = Team::deploy("judged-others", Policy::MANUAL).await;
    let app = team.on(EDGES[2]);
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    let namespace = team.namespace.as_str();
    kubectl.run(&[
        "annotate",
        "-n",
        namespace,
        "deployment/judged-others",
        "restarted-by=oncall",
    ]);
    kubectl.run(&[
        "label",
        "-n",
        namespace,
        "configmap/judged-others-config",
        "looked-at=yes",
    ]);
    let patch = r#"{"status":{"replicas":2,"readyReplicas":2}}"#;
    kubectl.run(&[
        "patch",
        "-n",
        namespace,
        "deployment/judged-others",
        "--subresource=status",
        "--type=merge",
        "-p",
        patch,
    ]);
    for (object, verdict) in verdicts(app).await {
        assert_eq!(verdict.states, [], "{object}: {verdict:#?}");
        if object == "Deployment judged-others" {
            let ignored: Vec<&str> = verdict.ignored.iter().map(|i| i.path.as_str()).collect();
            assert!(
                ignored.iter().any(|path| path.contains("restarted-by")),
                "{ignored:?}"
            );
        }
    }
}

//! The server's own word on our verdicts: a dry run on demand, and where it differs it counts.

use std::time::{Duration, Instant};

use driftdeck::domain::Safe;
use serde_json::{Value, json};

use crate::answers::{assert_no_secret, item, on_edge, select};
use crate::bed::{EDGES, bed};
use crate::kubectl::Kubectl;
use crate::objects::{api_of, apply, namespace};
use crate::program::{Answer, Driftdeck};
use crate::servers::{Cluster, User};
use crate::story::{Policy, Team};

fn word(item: &Value) -> &str {
    item["server"]["word"].as_str().unwrap_or("no word")
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_server_confirms_every_edit_and_whoever_may_not_ask_is_told() {
    let team = Team::deploy("asked-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[0]);
    team.disturb(app);
    let operator = Driftdeck::of(team.bed, User::Operator);
    let answer = operator
        .run(&format!("drift --verify {}", select(&team)))
        .await;
    let items = answer.items();
    assert_eq!((items.len(), answer.status), (4, 1), "{answer:#?}");
    for item in &items {
        assert_eq!(
            (word(item), &item["source"]),
            ("agrees", &json!("computed")),
            "{item:#}"
        );
    }
    assert!(answer.err.contains("by dry run: agrees "), "{}", answer.err);
    let diff = operator
        .run(&format!("diff --verify --app {} --wait 40s", app.app))
        .await;
    assert!(
        diff.out
            .contains("server: The server's dry run says the same."),
        "{diff:#?}"
    );
    assert_no_secret("the verified drift", &(answer.out + &diff.out));

    let viewer = Driftdeck::of(team.bed, User::Viewer);
    let answer = viewer
        .run(&format!("drift --verify {}", on_edge(&team, app)))
        .await;
    let items = answer.items();
    let deployment = item(&items, "Deployment", "asked-reader");
    assert_eq!(word(deployment), "not-permitted", "{deployment:#}");
    assert_eq!(deployment["state"], "edited", "our verdict stands");
    let message = deployment["server"]["message"].as_str().unwrap();
    assert!(message.contains("not permitted"), "{message}");
}

/// A policy of the cluster rewrites what Git says at every write: Git cannot have its way, and the server says so.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn where_the_server_would_change_nothing_its_word_counts() {
    let edge = &bed().await.edges[2];
    force_sample_rate(edge, "forced-reader-config").await;
    let team = Team::deploy("forced-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[2]);
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let on_edge = on_edge(&team, app);

    let unasked = driftdeck.run(&format!("drift {on_edge}")).await;
    let items = unasked.items();
    let map = item(&items, "ConfigMap", "forced-reader-config");
    assert_eq!(
        (items.len(), &map["state"]),
        (1, &json!("edited")),
        "{unasked:#?}"
    );

    let asked = driftdeck.run(&format!("drift --verify {on_edge}")).await;
    let items = asked.items();
    let map = item(&items, "ConfigMap", "forced-reader-config");
    assert_eq!(word(map), "changes-nothing", "{map:#}");
    assert_eq!(
        (&map["state"], &map["source"]),
        (&json!("synced"), &json!("server"))
    );
    assert_eq!(map["changes"], json!([]));
    assert_eq!(asked.status, 0, "nothing counts: {asked:#?}");

    let plan = driftdeck
        .run(&format!("revert {on_edge} --via direct"))
        .await;
    let target = &plan.json()["targets"][0];
    let skipped = target["skipped"].as_str().unwrap_or_default();
    assert!(skipped.contains("dry run changes nothing"), "{target:#}");
}

/// Makes `data.SAMPLE_RATE` of one ConfigMap `99` whoever writes it, and waits until it does.
async fn force_sample_rate(edge: &Cluster, name: &str) {
    let client = edge.client(User::Admin).await;
    let group = "admissionregistration.k8s.io/v1";
    let policy = json!({
        "apiVersion": group, "kind": "MutatingAdmissionPolicy", "metadata": { "name": name },
        "spec": {
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "matchConstraints": { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                "resources": ["configmaps"],
            }] },
            "matchConditions": [{ "name": "ours", "expression": format!("object.metadata.name == '{name}'") }],
            "mutations": [{ "patchType": "JSONPatch", "jsonPatch": {
                "expression": "[JSONPatch{op: 'add', path: '/data/SAMPLE_RATE', value: '99'}]",
            } }],
        },
    });
    let binding = json!({
        "apiVersion": group, "kind": "MutatingAdmissionPolicyBinding", "metadata": { "name": name },
        "spec": { "policyName": name },
    });
    apply(&client, "kubectl", &policy).await;
    apply(&client, "kubectl", &binding).await;
    namespace(&client, "forced-probe").await;
    let probe = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name, "namespace": "forced-probe" },
        "data": { "SAMPLE_RATE": "10" },
    });
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let written = apply(&client, "kubectl", &probe).await;
        if written.data["data"]["SAMPLE_RATE"] == "99" {
            break;
        }
        let api = api_of(&client, &probe).await;
        api.delete(name, &kube::api::DeleteParams::default())
            .await
            .unwrap();
        assert!(
            Instant::now() < deadline,
            "the policy {name} did not take effect within a minute"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_hub_that_says_synced_while_the_edge_differs_is_contradicted_with_both_times() {
    let team = Team::deploy("denied-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    kubectl.edit(
        &team.namespace,
        "deployment/denied-reader",
        "s/^  replicas: 2$/  replicas: 1/",
    );
    let answer: Answer = Driftdeck::of(team.bed, User::Viewer)
        .run(&format!("apps {}", on_edge(&team, app)))
        .await;
    let row = &answer.items()[0];
    assert_eq!(
        (&row["sync"], &row["verdict"]["state"]),
        (&json!("Synced"), &json!("OutOfSync")),
        "{row:#}"
    );
    let words = row["disagreement"].as_str().unwrap_or_default();
    let compared = app.application().await["status"]["reconciledAt"].clone();
    let compared = format!("compared {}", compared.as_str().unwrap());
    assert!(words.contains("The hub says Synced"), "{words}");
    assert!(words.contains(&compared), "{words} has not {compared}");
    assert!(words.contains("differ from Git (seen 20"), "{words}");
    assert_eq!(Safe::new(words).as_str(), words);
}

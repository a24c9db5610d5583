//! Connect, list, see what drifted and who did it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::answers::{assert_clean, assert_no_secret, changes, item, on_edge, select};
use crate::bed::{EDGES, bed, blocking};
use crate::kubeconfig::{self, Entry};
use crate::netns::MetricsHost;
use crate::program::Driftdeck;
use crate::servers::User;
use crate::story::{self, Policy, Team};

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn every_cluster_of_the_kubeconfig_is_one_live_row() {
    let team = Team::deploy("roll-call", Policy::MANUAL).await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let answer = driftdeck.run("status --wait 40s -o json").await;
    let rows = answer.items();
    let mut names: Vec<&str> = rows
        .iter()
        .map(|row| row["cluster"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["edge-ber-017", "edge-oslo-001", "edge-par-031", "hub-1"]
    );
    for row in &rows {
        let hub = row["cluster"] == "hub-1";
        assert_eq!(row["state"], "live", "{row:#}");
        assert!(
            row["version"].as_str().unwrap().starts_with("v1.36."),
            "{row:#}"
        );
        assert_eq!(
            row["roles"],
            json!([if hub { "hub" } else { "edge" }]),
            "{row:#}"
        );
        assert_eq!(
            row["apps"]["total"].as_u64().unwrap() > 0,
            !hub,
            "applications count where they deploy to: {row:#}"
        );
    }
    let apps = driftdeck
        .run(&format!("apps {}", select(&team)))
        .await
        .items();
    assert_eq!(apps.len(), 3);
    for app in &apps {
        assert_eq!(app["sync"], "Synced", "{app:#}");
        assert_eq!(app["hub"], "hub-1");
        assert_eq!(app["revision"], json!(team.repository.resolve("HEAD")));
        assert_eq!(app["autoSync"], false);
        assert_eq!(app["verdict"]["state"], "Synced", "{app:#}");
        assert_eq!(app["verdict"]["source"], "computed", "{app:#}");
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn what_was_just_deployed_has_not_drifted() {
    let team = story::fleet().await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_client_side_applied_application_has_not_drifted_either() {
    let team = Team::deploy("classic-reader", Policy::CLASSIC).await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn each_edit_is_told_with_its_path_its_values_and_who_made_it() {
    let team = Team::deploy("sensor-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[0]);
    team.disturb(app);
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let answer = driftdeck.run(&format!("drift {}", select(&team))).await;
    assert_eq!(answer.status, 1, "{answer:#?}");
    let items = answer.items();
    assert_eq!(items.len(), 4, "nothing else is reported: {items:#?}");
    assert!(
        items
            .iter()
            .all(|i| i["cluster"] == EDGES[0] && i["app"]["name"] == app.app.as_str())
    );

    let deployment = item(&items, "Deployment", "sensor-reader");
    assert_eq!(deployment["state"], "edited");
    assert_eq!(
        deployment["desired"]["revision"],
        json!(team.repository.resolve("HEAD"))
    );
    assert_eq!(
        deployment["desired"]["path"],
        "microserviceA/deployment.yaml"
    );
    assert_deployment(deployment);
    let map = changes(item(&items, "ConfigMap", "sensor-reader-config"));
    assert_eq!(
        map,
        [edit(
            "data.SAMPLE_RATE",
            "changed",
            json!("10"),
            json!("250")
        )]
    );
    assert_masked(item(&items, "Secret", "vault-secret-sensor-reader"));
    let service = item(&items, "Service", "sensor-reader");
    assert_eq!(service["state"], "missing");
    assert!(
        service
            .get("resourceVersion")
            .is_none_or(|v| v.is_null() || v == "")
    );

    let diff = driftdeck
        .run(&format!("diff {}", on_edge(&team, app)))
        .await;
    assert_eq!(diff.status, 1, "{diff:#?}");
    assert!(diff.out.contains("microservice:1.5.0-rc1"), "{}", diff.out);
    let table = driftdeck
        .run(&format!("drift --app {}-* --wait 40s", team.name))
        .await;
    assert!(
        table.out.contains("spec.replicas") || table.out.contains("sensor-reader"),
        "{}",
        table.out
    );
    for (what, text) in [
        ("drift", &answer.out),
        ("diff", &diff.out),
        ("the table", &table.out),
        ("stderr", &diff.err),
    ] {
        assert_no_secret(what, text);
    }
    assert_no_secret(
        "the disk, Git mirror aside,",
        &driftdeck.everything_on_disk(),
    );
}

/// One change as `kubectl edit` makes it.
fn edit(
    path: &str,
    op: &str,
    desired: Value,
    live: Value,
) -> (String, String, Value, Value, String) {
    (
        path.to_owned(),
        op.to_owned(),
        desired,
        live,
        "kubectl-edit".to_owned(),
    )
}

fn assert_deployment(item: &Value) {
    let container = "spec.template.spec.containers[name=app]";
    let entry = json!({ "name": "DEBUG_SENSORS", "value": "on" });
    let (old, new) = (
        "registry.example/edge/microservice:1.4.2",
        "registry.example/edge/microservice:1.5.0-rc1",
    );
    assert_eq!(
        changes(item),
        [
            edit(
                "metadata.labels.tier",
                "removed",
                json!("sensor"),
                Value::Null
            ),
            edit("spec.replicas", "changed", json!(2), json!(5)),
            edit(
                &format!("{container}.env[name=DEBUG_SENSORS]"),
                "added",
                Value::Null,
                entry
            ),
            edit(
                &format!("{container}.image"),
                "changed",
                json!(old),
                json!(new)
            ),
        ]
    );
}

/// Two marks that tell only that the values differ.
fn assert_masked(secret: &Value) {
    let found = changes(secret);
    assert_eq!(found.len(), 1);
    let (path, _, desired, live, manager) = &found[0];
    assert_eq!(
        (path.as_str(), manager.as_str()),
        ("data.db_password", "kubectl-edit")
    );
    let mark = |value: &Value| value.as_str().is_some_and(|text| text.starts_with("•••"));
    assert!(mark(desired) && mark(live) && desired != live, "{secret:#}");
}

#[tokio::test]
#[ignore = "needs real servers and root: run .ci/run as root"]
async fn metrics_are_read_through_the_real_service_proxy() {
    let team = Team::deploy("measured-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[2]);
    let host = MetricsHost::start(EXPOSITION);
    let admin = app.edge.client(User::Admin).await;
    host.stand_behind(&admin, &team.namespace, &team.name).await;
    let driftdeck = Driftdeck::of(team.bed, User::Viewer);
    let answer = driftdeck
        .run(&format!(
            "status --cluster {} --wait 40s -o json",
            app.edge.name
        ))
        .await;
    let row = &answer.items()[0];
    assert!(host.scrapes() > 0, "nobody scraped: {row:#}");
    assert!(
        row["metrics"]["targets_up"]
            .as_u64()
            .or(row["metrics"]["targetsUp"].as_u64())
            >= Some(1),
        "{row:#}"
    );
}

const EXPOSITION: &str = "\
# HELP sensor_reads_total Readings taken.
# TYPE sensor_reads_total counter
sensor_reads_total{sensor=\"temp-1\"} 1027
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5.2428800e+07
# TYPE process_cpu_seconds_total counter
process_cpu_seconds_total 12.5
# TYPE http_requests_total counter
http_requests_total{code=\"200\"} 4821
http_requests_total{code=\"500\"} 3
";

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn several_contexts_of_one_cluster_are_one_row_and_different_namespaces_are_edges() {
    let bed = bed().await;
    let edge = &bed.edges[0];
    let config = bed.dir.join("aliases.kubeconfig");
    kubeconfig::write(
        &config,
        &[
            Entry::of(&bed.hub, User::Operator),
            Entry::of(edge, User::Operator),
            Entry::of(edge, User::Operator).alias("oslo-by-another-name"),
            Entry::of(edge, User::Operator)
                .alias("oslo-node-a")
                .in_namespace("node-a"),
            Entry::of(edge, User::Operator)
                .alias("oslo-node-b")
                .in_namespace("node-b"),
        ],
    );
    let rows = Driftdeck::with(bed, &config)
        .run("status --wait 40s -o json")
        .await
        .items();
    assert_eq!(rows.len(), 4, "{rows:#?}");
    let row = rows
        .iter()
        .find(|row| row["cluster"] == edge.name.as_str())
        .unwrap();
    assert_eq!(row["contexts"], json!([edge.name, "oslo-by-another-name"]));
    for node in ["oslo-node-a", "oslo-node-b"] {
        assert!(
            rows.iter().any(|row| row["contexts"] == json!([node])),
            "{node} in {rows:#?}"
        );
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_cluster_that_does_not_answer_is_named_and_never_clean() {
    let bed = bed().await;
    let dark = Arc::new(bed.start_edge("edge-trd-404").await);
    let config = bed.dir.join("dark.kubeconfig");
    kubeconfig::write(
        &config,
        &[
            Entry::of(&bed.edges[1], User::Operator),
            Entry::of(&dark, User::Operator),
        ],
    );
    blocking(move || dark.stop()).await;
    let answer = Driftdeck::with(bed, &config)
        .run("status --wait 5s -o json")
        .await;
    assert_eq!(answer.status, 3, "a partial answer is never 0: {answer:#?}");
    assert_eq!(answer.json()["partial"], true);
    assert_eq!(answer.json()["unreachable"][0]["cluster"], "edge-trd-404");
    let states: Vec<Value> = answer
        .items()
        .iter()
        .map(|row| row["state"].clone())
        .collect();
    assert!(
        states.contains(&json!("live")) && states.contains(&json!("unreachable")),
        "{states:?}"
    );
}

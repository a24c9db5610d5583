//! Connect, list, see who changed what, put it back by both routes, see it gone.

use serde_json::{Value, json};

use crate::hand::Hand;
use crate::program::{Answer, Demo, Operator};

const CALM: &str = "--scenario calm --clusters 3 --seed 4";
const SITE: &str = "edge-oslo-001";
const NAMESPACE: &str = "edge-microservice-namespace";
const CONTAINER: &str = "spec.template.spec.containers[name=edge-microservice]";
/// What the foreign client writes into the Secret, as text and as base64.
const STOLEN: [&str; 2] = ["changed-by-hand", "Y2hhbmdlZC1ieS1oYW5k"];

/// Everything the story changes: a Deployment in four places, a ConfigMap, a Secret, a Service that goes.
async fn disturb(demo: &Demo) {
    let hand = Hand::on(demo, SITE, "kubectl-edit").await;
    let deployment = json!({
        "metadata": { "labels": { "team": null } },
        "spec": { "replicas": 5, "template": { "spec": { "containers": [{
            "name": "edge-microservice",
            "image": "registry.example.com/edge/edge-microservice:1.9.0-rc1",
            "env": [{ "name": "TRACE", "value": "1" }],
        }] } } },
    });
    hand.strategic(
        "apps/v1/Deployment",
        NAMESPACE,
        "edge-microservice",
        deployment,
    )
    .await;
    let level = json!({ "data": { "LOG_LEVEL": "trace" } });
    hand.merge("v1/ConfigMap", NAMESPACE, "edge-microservice-config", level)
        .await;
    let password = json!({ "data": { "password": STOLEN[1] } });
    hand.merge("v1/Secret", "monitoring", "remote-write", password)
        .await;
    hand.delete("v1/Service", NAMESPACE, "edge-microservice")
        .await;
}

/// Path, operation, desired and live of each change, ordered by path; every one made by `kubectl-edit`.
fn changes(items: &[Value], kind: &str, name: &str) -> Vec<(String, String, Value, Value)> {
    let mut found = items
        .iter()
        .filter(|i| i["kind"] == kind && i["name"] == name);
    let item = found
        .next()
        .unwrap_or_else(|| panic!("no {kind} {name} in {items:#?}"));
    assert!(
        found.next().is_none() && item["cluster"] == SITE,
        "{item:#}"
    );
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |c: &Value| {
        assert_eq!(
            (&c["manager"], &c["operation"]),
            (&json!("kubectl-edit"), &json!("Update"))
        );
        (
            text(&c["path"]),
            text(&c["op"]),
            c["desired"].clone(),
            c["live"].clone(),
        )
    };
    let mut rows: Vec<_> = item["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(row)
        .collect();
    rows.sort_by(|a, b| a.0.cmp(&b.0));
    rows
}

fn change(path: &str, op: &str, desired: Value, live: Value) -> (String, String, Value, Value) {
    (path.to_owned(), op.to_owned(), desired, live)
}

fn assert_clean(operator: &Operator) {
    let answer = operator.run("drift -o json");
    assert_eq!(answer.items(), Vec::<Value>::new());
    assert_eq!(
        (answer.json()["unjudged"].clone(), answer.status),
        (json!([]), 0)
    );
}

fn assert_no_secret(what: &str, answer: &Answer) {
    for value in STOLEN {
        let shown = answer.out.contains(value) || answer.err.contains(value);
        assert!(!shown, "{what} shows the value of a Secret: {answer:#?}");
    }
}

#[test]
fn a_calm_fleet_is_live_synced_and_free_of_drift() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    let status = operator.run("status -o json");
    assert_eq!(status.status, 0, "{status:#?}");
    let rows = status.items();
    assert_eq!(rows.len(), 4, "three edges and their hub");
    for row in &rows {
        assert_eq!(row["state"], "live", "{row:#}");
        assert_eq!(row["apps"]["total"], row["apps"]["synced"], "{row:#}");
        assert_eq!(row["drift"]["resources"], 0, "{row:#}");
    }
    let site = rows.iter().find(|row| row["cluster"] == SITE).unwrap();
    let metrics = &site["metrics"];
    assert!(metrics["targetsUp"].as_u64() > Some(0), "{metrics:#}");
    assert!(
        metrics["byApp"]
            .as_object()
            .is_some_and(|apps| !apps.is_empty()),
        "{metrics:#}"
    );
    let apps = operator.run("apps -o json").items();
    assert!(apps.len() >= 12);
    for app in &apps {
        assert_eq!(
            (&app["sync"], &app["autoSync"]),
            (&json!("Synced"), &json!(false))
        );
        assert_eq!(
            (&app["verdict"]["state"], &app["verdict"]["source"]),
            (&json!("Synced"), &json!("computed"))
        );
    }
    assert_clean(&operator);
}

#[tokio::test]
async fn each_edit_is_told_with_its_path_its_values_and_its_manager_and_nothing_else() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    disturb(&demo).await;
    let answer = operator.run("drift -o json");
    assert_eq!(answer.status, 1, "{answer:#?}");
    let items = answer.items();
    assert_eq!(items.len(), 4, "{items:#?}");
    let image = |tag| json!(format!("registry.example.com/edge/edge-microservice:{tag}"));
    assert_eq!(
        changes(&items, "Deployment", "edge-microservice"),
        [
            change(
                "metadata.labels.team",
                "removed",
                json!("sensing"),
                Value::Null
            ),
            change("spec.replicas", "changed", json!(2), json!(5)),
            change(
                &format!("{CONTAINER}.env[name=TRACE]"),
                "added",
                Value::Null,
                json!({ "name": "TRACE", "value": "1" })
            ),
            change(
                &format!("{CONTAINER}.image"),
                "changed",
                image("1.8.2"),
                image("1.9.0-rc1")
            ),
        ]
    );
    assert_eq!(
        changes(&items, "ConfigMap", "edge-microservice-config"),
        [change(
            "data.LOG_LEVEL",
            "changed",
            json!("info"),
            json!("trace")
        )]
    );
    let secret = changes(&items, "Secret", "remote-write");
    let [(path, _, desired, live)] = &secret[..] else {
        panic!("{secret:#?}")
    };
    let masked = |mark: &Value| mark.as_str().is_some_and(|text| text.starts_with("•••"));
    assert!(path == "data.password" && masked(desired) && masked(live) && desired != live);
    let service = items.iter().find(|i| i["kind"] == "Service").unwrap();
    assert_eq!(
        (&service["state"], &service["name"]),
        (&json!("missing"), &json!("edge-microservice"))
    );

    let diff = operator.run("diff --cluster edge-oslo-001");
    assert_eq!(diff.status, 1);
    assert!(
        diff.out.contains("1.9.0-rc1") && diff.out.contains("kubectl-edit"),
        "{}",
        diff.out
    );
    for (what, shown) in [("drift", &answer), ("diff", &diff)] {
        assert_no_secret(what, shown);
    }
    let why =
        operator.run("explain --kind Deployment --name edge-microservice --cluster edge-oslo-001");
    assert_eq!(why.status, 1, "{why:#?}");
    assert!(
        why.out
            .contains("spec.replicas was changed by kubectl-edit"),
        "{}",
        why.out
    );
    let names = operator.run("drift --kind Secret -o name");
    assert_eq!(names.out.lines().count(), 1, "{names:#?}");
    assert_eq!(operator.run("drift --kind StatefulSet").status, 0);
}

#[tokio::test]
async fn both_routes_put_everything_back_after_a_plan_that_sends_nothing() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    for route in ["argo", "direct"] {
        disturb(&demo).await;
        let hand = Hand::on(&demo, SITE, "reader").await;
        let revert = format!("revert --cluster {SITE} --via {route} -o json");
        let plan = operator.run(&revert);
        assert_eq!(plan.status, 2, "a plan alone is not a revert: {plan:#?}");
        assert_eq!(plan.json()["targets"].as_array().unwrap().len(), 4);
        let held = operator.run(&format!("{revert} --yes"));
        assert_eq!(held.status, 2, "{held:#?}");
        assert!(
            hand.get("v1/Service", NAMESPACE, "edge-microservice")
                .await
                .is_none()
        );

        let run = operator.run(&format!("{revert} --write --yes --note INC-417"));
        let outcomes = run.json()["outcomes"].as_array().unwrap().clone();
        assert_eq!(outcomes.len(), 4, "{outcomes:#?}");
        let deployment = hand
            .get("apps/v1/Deployment", NAMESPACE, "edge-microservice")
            .await;
        let deployment = deployment.unwrap();
        assert_eq!(deployment["spec"]["replicas"], 2, "{run:#?}");
        assert!(
            hand.get("v1/Service", NAMESPACE, "edge-microservice")
                .await
                .is_some()
        );
        for (what, shown) in [("the plan", &plan), ("the run", &run)] {
            assert_no_secret(what, shown);
        }
        if route == "argo" {
            // What another manager added to a list stays, as an apply leaves it: the outcome must say so, not "reverted".
            let added = changes(
                &operator.run("drift -o json").items(),
                "Deployment",
                "edge-microservice",
            );
            assert_eq!(added[0].0, format!("{CONTAINER}.env[name=TRACE]"));
            let told = outcomes
                .iter()
                .find(|o| o["target"]["kind"] == "Deployment");
            assert_ne!(
                told.unwrap_or_else(|| panic!("{outcomes:#?}"))["outcome"],
                "reverted",
                "{outcomes:#?}"
            );
        } else {
            assert!(
                outcomes.iter().all(|o| o["outcome"] == "reverted"),
                "{outcomes:#?}"
            );
            assert_clean(&operator);
        }
    }
    let journal = operator.run("journal -o json");
    assert_eq!(journal.status, 0, "{journal:#?}");
    assert!(journal.out.contains("INC-417") && journal.out.contains("remote-write"));
    assert_eq!(operator.run("journal --verify").status, 0);
    assert_no_secret("the journal", &journal);
}

#[tokio::test]
async fn without_a_wish_each_object_takes_the_route_that_puts_everything_back() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    disturb(&demo).await;
    let run = operator.run("revert --write --yes -o json");
    assert_eq!(run.status, 0, "{run:#?}");
    assert_clean(&operator);
    let entries = operator.run("journal -o json").items();
    let route = |kind: &str| entries.iter().find(|e| e["kind"] == kind).unwrap()["route"].clone();
    assert_eq!(
        route("Deployment"),
        "direct",
        "an apply would leave the entry that was added"
    );
    assert_eq!(route("ConfigMap"), "argo");
}

#[tokio::test]
async fn what_the_hubs_argocd_cm_ignores_is_not_drift_and_is_listed() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    disturb(&demo).await;
    let hub = Hand::on(&demo, "hub-1", "platform").await;
    let rules = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": { "name": "argocd-cm" },
        "data": { "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas, /metadata/labels/team]" },
    });
    hub.apply("v1/ConfigMap", "argocd", "argocd-cm", rules)
        .await;
    let items = operator.run("drift --kind Deployment -o json").items();
    let paths: Vec<String> = changes(&items, "Deployment", "edge-microservice")
        .into_iter()
        .map(|change| change.0)
        .collect();
    assert_eq!(
        paths,
        [
            format!("{CONTAINER}.env[name=TRACE]"),
            format!("{CONTAINER}.image")
        ]
    );
    let ignored = items[0]["ignored"].to_string();
    assert!(ignored.contains("spec.replicas"), "{ignored}");
}

#[tokio::test]
async fn no_write_is_sent_when_the_journal_cannot_be_written() {
    let demo = Demo::serve(CALM);
    let operator = demo.operator();
    let hand = Hand::on(&demo, SITE, "kubectl-scale").await;
    let five = json!({ "spec": { "replicas": 5 } });
    hand.merge("apps/v1/Deployment", NAMESPACE, "edge-microservice", five)
        .await;
    // A file where the folder has to be.
    std::fs::write(operator.state(), "in the way").unwrap();
    let run = operator.run("revert --write --yes");
    assert_eq!(run.status, 2, "{run:#?}");
    assert!(run.err.contains("journal"), "{run:#?}");
    let live = hand
        .get("apps/v1/Deployment", NAMESPACE, "edge-microservice")
        .await;
    assert_eq!(live.unwrap()["spec"]["replicas"], 5);
}

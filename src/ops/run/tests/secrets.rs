//! Canaries: values of a Secret go to the cluster and nowhere else.

use super::*;
use crate::domain::{Change, ChangeOp, DriftState, Gvk, ObjectRef, Safe, Verdict};
use crate::ops::{RevertTarget, Unsealed};

const SECRET: &str = "/api/v1/namespaces/edge/secrets/db";

/// Live and wanted values, plain and encoded.
const CANARIES: [&str; 4] = [
    "hunter2-live",
    "hunter2-want",
    "aHVudGVyMi1saXZl",
    "aHVudGVyMi13YW50",
];

fn secret(value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db", "namespace": "edge"}, "data": {"password": value}})
}

fn secret_target() -> RevertTarget {
    let change = Change {
        path: "data.password".to_owned(),
        op: ChangeOp::Changed,
        desired: Some(json!("••• 1")),
        live: Some(json!("••• 2")),
        owner: None,
        owner_inferred: false,
    };
    RevertTarget {
        object: ObjectRef::new(Gvk::new("", "v1", "Secret"), "edge", "db"),
        desired: Some(Unsealed::new(secret("aHVudGVyMi13YW50"))),
        uid: "secret-uid".into(),
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Edited],
            changes: vec![change],
            summary: Safe::fixed("data.password"),
            ..Verdict::default()
        }),
        ..target()
    }
}

fn with_secret() -> Bench {
    let bench = bench();
    let mut live = secret("aHVudGVyMi1saXZl");
    live["metadata"]["uid"] = json!("secret-uid");
    live["metadata"]["resourceVersion"] = json!("5");
    live["metadata"]["annotations"] = json!({"kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"password\":\"aHVudGVyMi1saXZl\"}}"});
    bench
        .edge
        .world(|w| w.objects.insert(SECRET.to_owned(), live));
    bench
}

fn assert_clean(what: &str, text: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{what} holds {canary}: {text}");
    }
}

fn events(bench: &mut Bench) -> String {
    let mut text = String::new();
    while let Ok(event) = bench.events.try_recv() {
        text += format!("{event:?}").as_str();
    }
    text
}

#[tokio::test]
async fn a_secret_is_put_back_and_its_values_are_nowhere_else() {
    let mut bench = with_secret();
    let request = direct(vec![secret_target()]);
    let plan = plan(&request, &bench.fleet, &crate::ops::fixtures::context()).await;
    assert_clean("the plan", &serde_json::to_string(&plan).unwrap());
    assert_clean("the plan's debug text", &format!("{plan:?} {request:?}"));
    assert_eq!(plan.targets[0].effect.as_str(), "data.password ••• 2→••• 1");
    let run = bench.run(&request).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    assert_eq!(
        bench.edge.object(SECRET).unwrap()["data"]["password"],
        "aHVudGVyMi13YW50",
        "the cluster does get it"
    );
    assert_clean("the run", &serde_json::to_string(&run).unwrap());
    assert_clean("the events", &events(&mut bench));
    assert_clean("the state folder", &bench.on_disk());
    assert!(bench.on_disk().contains("Secrets are not saved"));
}

#[tokio::test]
async fn hashes_of_a_secret_are_not_those_that_anybody_can_compute() {
    let bench = with_secret();
    let run = bench.run(&direct(vec![secret_target()])).await;
    let plain = crate::ops::content::hash(&crate::ops::content::content(
        &bench.edge.object(SECRET).unwrap(),
    ));
    assert_ne!(run.outcomes[0].after.as_ref().unwrap().hash, plain);
}

#[tokio::test]
async fn server_errors_that_quote_values_are_withheld() {
    let quoting = "Secret \"db\" is invalid: data.password: Invalid value: \"aHVudGVyMi13YW50\" (was hunter2-live)".to_owned();
    for code in [400, 409, 422, 500, 504] {
        let mut bench = with_secret();
        let approved = bench.approved(&direct(vec![secret_target()])).await;
        bench.edge.fault(
            is_patch(SECRET),
            Fault::Status(code, "Invalid", quoting.clone()),
        );
        let run = run(approved, bench.context.clone()).await;
        assert!(!run.outcomes[0].outcome.is_good());
        assert_clean("the run", &serde_json::to_string(&run).unwrap());
        assert_clean("the events", &events(&mut bench));
        assert_clean("the state folder", &bench.on_disk());
    }
}

#[tokio::test]
async fn a_dry_run_error_that_quotes_values_is_withheld() {
    let bench = with_secret();
    for code in [400, 403, 422, 500] {
        bench.edge.heal();
        bench.edge.fault(
            |r| r.path == SECRET && r.method == http::Method::PATCH,
            Fault::Status(code, "Invalid", "bad value aHVudGVyMi13YW50".to_owned()),
        );
        let plan = plan(
            &direct(vec![secret_target()]),
            &bench.fleet,
            &crate::ops::fixtures::context(),
        )
        .await;
        assert!(plan.targets[0].skipped.is_some());
        assert_clean("the plan", &serde_json::to_string(&plan).unwrap());
        assert_clean("the plan's debug text", &format!("{plan:?}"));
    }
}

#[tokio::test(start_paused = true)]
async fn argo_cds_words_on_a_secret_are_withheld() {
    let mut bench = with_secret();
    let approved = bench.approved(&request(vec![secret_target()])).await;
    bench.hub.before_read(APPLICATION, |_| ());
    bench.hub.before_read(APPLICATION, |w| {
        let app = w.objects.get_mut(APPLICATION).unwrap();
        let operation = app.as_object_mut().unwrap().remove("operation").unwrap();
        app["status"]["operationState"] = json!({
            "phase": "Failed", "message": "failed: aHVudGVyMi13YW50", "operation": operation,
            "syncResult": {"resources": [{"group": "", "kind": "Secret", "namespace": "edge", "name": "db", "status": "SyncFailed", "message": "Invalid value: aHVudGVyMi13YW50"}]}
        });
    });
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(only(&run).0, Outcome::Failed);
    assert!(only(&run).1.contains("withheld"));
    assert_clean("the run", &serde_json::to_string(&run).unwrap());
    assert_clean("the events", &events(&mut bench));
    assert_clean("the state folder", &bench.on_disk());
}

//! Plans against fake servers: what is asked of them, and what stands on the rows.

mod several;

use std::sync::Arc;

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::domain::{DriftState, Gvk, LinkState, Verdict};
use crate::ops::fake::{FakeFleet, FakeServer, Fault};
use crate::ops::fixtures::*;
use crate::ops::{Effect, PlanTarget, Unsealed, WaveSpec};

async fn planned(request: &RevertRequest, fleet: &FakeFleet) -> Plan {
    plan(request, fleet, &context()).await
}

fn only(plan: &Plan) -> &PlanTarget {
    assert_eq!(plan.targets.len(), 1);
    &plan.targets[0]
}

fn why(plan: &Plan) -> &str {
    only(plan)
        .skipped
        .as_ref()
        .map(Safe::as_str)
        .unwrap_or_default()
}

fn via(route: Route) -> RevertRequest {
    RevertRequest {
        via: Some(route),
        ..request(vec![target()])
    }
}

#[test]
fn a_plan_can_be_made_on_another_thread() {
    fn is_send<T: Send>(_: T) {}
    let (.., fleet) = fleet();
    is_send(plan(&request(vec![target()]), &fleet, &context()));
}

#[tokio::test]
async fn a_scaled_deployment_is_planned_by_argo_with_its_dry_run_and_losers() {
    let (edge, hub, fleet) = fleet();
    let plan = planned(&request(vec![target()]), &fleet).await;
    let row = only(&plan);
    assert_eq!((row.route, row.skipped.clone()), (Route::Argo, None));
    assert_eq!(row.effect.as_str(), "spec.replicas 1→3");
    assert!(row.dry_run.ok());
    assert_eq!(
        row.losers
            .iter()
            .map(|l| l.manager.as_str())
            .collect::<Vec<_>>(),
        ["kubectl-scale"]
    );
    assert_eq!((row.restarts, row.warnings.clone()), (0, vec![]));
    assert_eq!(plan.waves.len(), 1);
    let Effect::ArgoSync(sync) = &plan.orders[0].effect else {
        panic!("{:?}", plan.orders)
    };
    assert_eq!(sync.operation["sync"]["revision"], COMMIT);
    assert_eq!(
        sync.operation["info"][0]["value"],
        "INC-4711 revert edge-microservice spec.replicas (driftdeck 20261121T021407Z-0000002a)"
    );
    assert_eq!(
        (edge.writes(), hub.writes()),
        (vec![], vec![]),
        "planning changes nothing"
    );
}

#[tokio::test]
async fn the_plan_serialises_as_the_contract_says() {
    let (.., fleet) = fleet();
    let plan = planned(&request(vec![target()]), &fleet).await;
    assert_eq!(
        serde_json::to_value(&plan).unwrap(),
        json!({
            "id": "20261121T021407Z-0000002a", "verb": "revert", "madeAt": "2026-11-21T02:14:07Z",
            "reason": "edge-microservice spec.replicas", "note": "INC-4711",
            "targets": [{
                "cluster": "edge-oslo-003", "app": {"hub": "hub-1", "namespace": "argocd", "name": "edge-microservice-oslo-003"},
                "group": "apps", "version": "v1", "kind": "Deployment", "namespace": "edge", "name": "edge-microservice",
                "route": "argo", "state": "live", "effect": "spec.replicas 1→3", "revision": COMMIT, "resourceVersion": "881204",
                "dryRun": {"ok": true, "message": "ok"}, "skipped": null, "restarts": 0, "prunes": [],
                "losers": [{"manager": "kubectl-scale", "operation": "Update", "time": "2026-11-21T01:33:10Z", "fields": ["spec.replicas"]}],
                "warnings": [], "danger": null
            }],
            "waves": [{"size": "1", "targets": [0]}], "guardrail": null
        })
    );
}

#[tokio::test]
async fn the_dry_run_is_a_forced_apply_by_the_engines_manager_with_preconditions() {
    let (edge, _, fleet) = fleet();
    planned(&via(Route::Direct), &fleet).await;
    let dry_run = edge
        .requests()
        .into_iter()
        .find(|r| r.method == http::Method::PATCH)
        .unwrap();
    assert_eq!(dry_run.path, DEPLOYMENT);
    assert_eq!(
        dry_run.query,
        "fieldManager=argocd-controller&force=true&dryRun=All"
    );
    assert_eq!(dry_run.content_type, "application/apply-patch+yaml");
    let mut body = desired_deployment();
    body["metadata"]["uid"] = json!("deploy-uid-1");
    body["metadata"]["resourceVersion"] = json!("881204");
    assert_eq!(dry_run.body, body);
}

#[tokio::test]
async fn a_direct_plan_does_not_touch_the_hub() {
    let (_, hub, fleet) = fleet();
    let plan = planned(&via(Route::Direct), &fleet).await;
    assert_eq!(only(&plan).route, Route::Direct);
    assert!(matches!(plan.orders[0].effect, Effect::Apply(_)));
    assert_eq!(hub.requests(), []);
}

#[tokio::test]
async fn a_dead_hub_makes_direct_the_default_and_says_why_but_argo_is_refused_when_asked_for() {
    let (.., fleet) = fleet();
    let stale = RevertTarget {
        hub_link: LinkState::Stale,
        ..target()
    };
    let plan = planned(&request(vec![stale.clone()]), &fleet).await;
    assert_eq!(only(&plan).route, Route::Direct);
    assert_eq!(
        only(&plan).warnings[0].as_str(),
        "direct, because the hub hub-1 is stale"
    );
    let asked = RevertRequest {
        via: Some(Route::Argo),
        ..request(vec![stale])
    };
    let plan = planned(&asked, &fleet).await;
    assert_eq!(why(&plan), "the hub hub-1 is stale");
}

#[tokio::test]
async fn a_stale_or_unreachable_cluster_is_listed_and_skipped_without_a_request() {
    for link in [
        LinkState::Stale,
        LinkState::Unreachable,
        LinkState::Auth,
        LinkState::Denied,
        LinkState::Connecting,
    ] {
        let (edge, hub, fleet) = fleet();
        let plan = planned(&request(vec![RevertTarget { link, ..target() }]), &fleet).await;
        assert_eq!(
            why(&plan),
            format!(
                "the cluster is {}: what it shows is not assumed",
                link.word()
            )
        );
        assert!(plan.orders.is_empty() && plan.waves.is_empty());
        assert!(edge.requests().is_empty() && hub.requests().is_empty());
    }
}

#[tokio::test]
async fn without_the_right_to_dry_run_argo_goes_on_with_our_verdict_and_direct_does_not() {
    let (edge, _, fleet) = fleet();
    edge.fault(
        |r| r.method == http::Method::PATCH,
        Fault::Status(403, "Forbidden", "viewer may not patch".to_owned()),
    );
    let plan = planned(&request(vec![target()]), &fleet).await;
    let row = only(&plan);
    assert_eq!(
        row.dry_run.message().as_str(),
        "not permitted: viewer may not patch"
    );
    assert!(!row.dry_run.ok() && row.skipped.is_none());
    assert_eq!(
        row.effect.as_str(),
        "spec.replicas 1→3",
        "our own verdict stands"
    );
    let plan = planned(&via(Route::Direct), &fleet).await;
    assert_eq!(why(&plan), "not permitted: viewer may not patch");
}

#[tokio::test]
async fn a_dry_run_that_the_server_refuses_or_does_not_answer_skips_the_target() {
    let (edge, _, fleet) = fleet();
    edge.fault(
        |r| r.method == http::Method::PATCH,
        Fault::Status(
            400,
            "BadRequest",
            "admission webhook denied: quota exceeded".to_owned(),
        ),
    );
    assert_eq!(
        why(&planned(&request(vec![target()]), &fleet).await),
        "the server's dry run refused it: admission webhook denied: quota exceeded"
    );
    edge.heal();
    let schema = "failed to create typed patch object: .spec.replicas: expected numeric";
    edge.fault(
        |r| r.method == http::Method::PATCH,
        Fault::Status(500, "", schema.to_owned()),
    );
    assert_eq!(
        why(&planned(&request(vec![target()]), &fleet).await),
        format!("the server's dry run refused it: {schema}")
    );
    edge.heal();
    edge.fault(|r| r.method == http::Method::PATCH, Fault::LostBefore);
    assert!(
        why(&planned(&request(vec![target()]), &fleet).await)
            .starts_with("the server's dry run gave no answer: The answer was lost")
    );
}

#[tokio::test]
async fn the_servers_word_stands_when_its_dry_run_changes_nothing() {
    let (edge, _, fleet) = fleet();
    edge.world(|w| {
        let mut live = live_deployment();
        live["spec"]["replicas"] = json!(3);
        w.objects.insert(DEPLOYMENT.to_owned(), live);
    });
    let plan = planned(&request(vec![target()]), &fleet).await;
    assert!(only(&plan).unchanged);
    assert!(why(&plan).contains("whose word stands"), "{}", why(&plan));
}

#[tokio::test]
async fn what_the_server_changes_beyond_our_verdict_is_said() {
    let (edge, _, fleet) = fleet();
    edge.world(|w| {
        w.predictions.insert(
            DEPLOYMENT.to_owned(),
            json!({"metadata": {"labels": {"injected": "yes"}}}),
        );
    });
    let plan = planned(&request(vec![target()]), &fleet).await;
    assert_eq!(
        only(&plan).warnings[0].as_str(),
        "the server's dry run also changes metadata.labels"
    );
    assert_eq!(
        only(&plan).effect.as_str(),
        r#"spec.replicas 1→3, metadata.labels ∅→{"injected":"yes"}"#
    );
}

#[tokio::test]
async fn an_image_change_counts_the_pods_it_restarts() {
    let (edge, _, fleet) = fleet();
    edge.world(|w| {
        let live = w.objects.get_mut(DEPLOYMENT).unwrap();
        live["spec"]["template"]["spec"]["containers"][0]["image"] =
            json!("registry.example/edge-microservice:1.5.0");
        live["status"]["replicas"] = json!(2);
    });
    let plan = planned(&request(vec![target()]), &fleet).await;
    assert_eq!((only(&plan).restarts, plan.restarts()), (2, 2));
}

#[tokio::test]
async fn a_missing_object_is_created_by_post() {
    let (edge, _, fleet) = fleet();
    edge.world(|w| w.objects.clear());
    let missing = RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Missing],
            ..Verdict::default()
        }),
        uid: "".into(),
        resource_version: "".into(),
        ..target()
    };
    let plan = planned(
        &RevertRequest {
            via: Some(Route::Direct),
            ..request(vec![missing])
        },
        &fleet,
    )
    .await;
    assert_eq!(
        only(&plan).effect.as_str(),
        "create: missing in the cluster"
    );
    assert!(matches!(plan.orders[0].effect, Effect::Create(_)));
    let post = edge
        .requests()
        .into_iter()
        .find(|r| r.method == http::Method::POST)
        .unwrap();
    assert_eq!(post.path, "/apis/apps/v1/namespaces/edge/deployments");
    assert_eq!(post.query, "fieldManager=argocd-controller&dryRun=All");
    assert_eq!(post.body, desired_deployment());
    assert_eq!(edge.writes(), []);
}

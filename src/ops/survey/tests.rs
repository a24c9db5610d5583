//! Plans against fake servers: what is asked of them, and what stands on the rows.

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
        r#"metadata.labels ∅→{"injected":"yes"}, and 1 more"#
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

fn extra() -> RevertTarget {
    RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Extra],
            ..Verdict::default()
        }),
        desired: None,
        ..target()
    }
}

#[tokio::test]
async fn an_extra_object_is_deleted_only_with_prune_and_while_it_is_claimed() {
    let (edge, _, fleet) = fleet();
    let plan = planned(&request(vec![extra()]), &fleet).await;
    assert_eq!(why(&plan), "Git does not have it; --prune deletes it");
    let pruning = RevertRequest {
        via: Some(Route::Direct),
        prune: true,
        ..request(vec![extra()])
    };
    let plan = planned(&pruning, &fleet).await;
    assert_eq!(only(&plan).prunes, [deployment()]);
    assert!(matches!(plan.orders[0].effect, Effect::Delete(_)));
    edge.world(|w| w.objects.get_mut(DEPLOYMENT).unwrap()["metadata"]["annotations"] = json!({"argocd.argoproj.io/tracking-id": "other-app:apps/Deployment:edge/edge-microservice"}));
    assert!(why(&planned(&pruning, &fleet).await).contains("tracking mark"));
}

#[tokio::test]
async fn pruning_by_argo_sets_prune_in_the_operation_and_nothing_else_does() {
    let (.., fleet) = fleet();
    let plan = planned(
        &RevertRequest {
            prune: true,
            ..request(vec![extra()])
        },
        &fleet,
    )
    .await;
    let Effect::ArgoSync(sync) = &plan.orders[0].effect else {
        panic!()
    };
    assert_eq!(sync.operation["sync"]["prune"], true);
    let plan = planned(
        &RevertRequest {
            prune: true,
            ..request(vec![target()])
        },
        &fleet,
    )
    .await;
    let Effect::ArgoSync(sync) = &plan.orders[0].effect else {
        panic!()
    };
    assert_eq!(
        sync.operation["sync"]["prune"], false,
        "nothing of this plan is deleted"
    );
}

#[tokio::test]
async fn two_objects_of_one_application_are_one_operation() {
    let (edge, _, fleet) = fleet();
    let service = ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", "api");
    let body = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "api", "namespace": "edge"}, "spec": {"ports": [{"port": 80}]}});
    let mut live = body.clone();
    live["metadata"]["uid"] = json!("svc-uid");
    live["metadata"]["resourceVersion"] = json!("7");
    live["spec"]["ports"] = json!([{"port": 8080}]);
    edge.world(|w| {
        w.objects
            .insert("/api/v1/namespaces/edge/services/api".to_owned(), live)
    });
    let second = RevertTarget {
        object: service,
        desired: Some(Unsealed::new(body)),
        uid: "svc-uid".into(),
        ..target()
    };
    let request = RevertRequest {
        waves: "1,rest".parse::<WaveSpec>().unwrap(),
        ..request(vec![target(), second])
    };
    let plan = planned(&request, &fleet).await;
    assert_eq!(plan.orders.len(), 1);
    assert_eq!(plan.orders[0].targets, [0, 1]);
    assert_eq!(
        plan.waves
            .iter()
            .map(|w| w.targets.clone())
            .collect::<Vec<_>>(),
        [vec![0, 1]],
        "one write is never split over waves"
    );
    let Effect::ArgoSync(sync) = &plan.orders[0].effect else {
        panic!()
    };
    assert_eq!(
        sync.operation["sync"]["resources"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn a_closed_window_refuses_and_an_unreadable_project_is_said() {
    let (_, hub, fleet) = fleet();
    hub.world(|w| w.objects.insert(PROJECT.to_owned(), json!({"spec": {"syncWindows": [{"kind": "deny", "schedule": "0 22 * * *", "duration": "8h", "applications": ["*"]}]}})));
    assert!(
        why(&planned(&request(vec![target()]), &fleet).await)
            .starts_with("the sync window `deny 0 22 * * *` for 8h is active: Argo CD would hold")
    );
    hub.fault(
        |r| r.path == PROJECT,
        Fault::Status(403, "Forbidden", "may not get appprojects".to_owned()),
    );
    let plan = planned(&request(vec![target()]), &fleet).await;
    assert_eq!(why(&plan), "");
    assert_eq!(
        only(&plan).warnings[0].as_str(),
        "the sync windows are not known (may not get appprojects); outside of them Argo CD holds the sync back"
    );
}

#[tokio::test]
async fn without_the_right_to_patch_applications_the_row_says_so() {
    let (_, hub, fleet) = fleet();
    hub.world(|w| w.denied = vec!["patch"]);
    assert_eq!(
        why(&planned(&request(vec![target()]), &fleet).await),
        "not permitted: patch applications.argoproj.io on hub-1; --via direct puts it back on the edge itself"
    );
}

#[tokio::test]
async fn behind_unknown_and_unavailable_desired_state_are_told_apart() {
    let (edge, _, fleet) = fleet();
    let with = |states: Vec<DriftState>, message: Option<Safe>| RevertTarget {
        verdict: Arc::new(Verdict {
            states,
            message,
            ..Verdict::default()
        }),
        ..target()
    };
    let behind = planned(&request(vec![with(vec![DriftState::Behind], None)]), &fleet).await;
    assert!(only(&behind).unchanged && why(&behind).contains("Git has moved on"));
    let unknown = planned(
        &request(vec![with(
            vec![DriftState::Unknown],
            Some(Safe::fixed("needs helm")),
        )]),
        &fleet,
    )
    .await;
    assert_eq!(why(&unknown), "it could not be judged: needs helm");
    let bodiless = planned(
        &request(vec![RevertTarget {
            desired: None,
            ..target()
        }]),
        &fleet,
    )
    .await;
    assert_eq!(
        why(&bodiless),
        format!("its desired state at {COMMIT} is not at hand")
    );
    assert_eq!(edge.requests(), []);
}

#[tokio::test]
async fn a_dangerous_delete_asks_for_the_name_and_is_never_part_of_a_bulk() {
    let claim = ObjectRef::new(
        Gvk::new("", "v1", "PersistentVolumeClaim"),
        "edge",
        "data-0",
    );
    let path = "/api/v1/namespaces/edge/persistentvolumeclaims/data-0";
    let live = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data-0", "namespace": "edge", "uid": "pvc-uid", "resourceVersion": "5",
        "annotations": {"argocd.argoproj.io/tracking-id": "edge-microservice-oslo-003:/PersistentVolumeClaim:edge/data-0"}}});
    let (edge, _, fleet) = fleet();
    edge.world(|w| w.objects.insert(path.to_owned(), live));
    let claim = RevertTarget {
        object: claim,
        ..extra()
    };
    let pruning = |targets| RevertRequest {
        via: Some(Route::Direct),
        prune: true,
        ..request(targets)
    };
    let alone = planned(&pruning(vec![claim.clone()]), &fleet).await;
    assert_eq!(alone.guardrail.as_ref().unwrap().confirm.as_str(), "data-0");
    let bulk = planned(&pruning(vec![claim, target()]), &fleet).await;
    assert!(
        bulk.targets[0]
            .skipped
            .as_ref()
            .unwrap()
            .as_str()
            .contains("never part of a bulk")
    );
    assert_eq!((bulk.sendable(), bulk.guardrail), (1, None));
}

#[tokio::test]
async fn a_kind_that_is_not_served_and_a_missing_connection_skip_the_row() {
    let (.., fleet) = fleet();
    let odd = RevertTarget {
        object: ObjectRef::new(Gvk::new("apps", "v1", "Gadget"), "edge", "x"),
        ..target()
    };
    assert!(why(&planned(&request(vec![odd]), &fleet).await).contains("is its CRD installed?"));
    let elsewhere = RevertTarget {
        cluster: "edge-paris-001".into(),
        ..target()
    };
    assert_eq!(
        why(&planned(&request(vec![elsewhere]), &fleet).await),
        "there is no connection to edge-paris-001"
    );
}

#[tokio::test]
async fn many_clusters_are_planned_in_the_order_they_were_asked_for() {
    let mut fleet = FakeFleet::default();
    let mut targets = Vec::new();
    for n in 0..40 {
        let name = format!("edge-oslo-{n:03}");
        fleet.servers.insert(
            name.as_str().into(),
            FakeServer::with(&[(DEPLOYMENT, live_deployment())]),
        );
        targets.push(RevertTarget {
            cluster: name.as_str().into(),
            ..target()
        });
    }
    let plan = planned(
        &RevertRequest {
            via: Some(Route::Direct),
            ..request(targets)
        },
        &fleet,
    )
    .await;
    assert!(
        plan.targets
            .iter()
            .enumerate()
            .all(|(n, t)| t.cluster.as_str() == format!("edge-oslo-{n:03}"))
    );
    assert_eq!(
        plan.waves
            .iter()
            .map(|w| w.targets.len())
            .collect::<Vec<_>>(),
        [1, 2, 37]
    );
}

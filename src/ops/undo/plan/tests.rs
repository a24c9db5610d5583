//! An undo against a fake server: the way back from each kind of write, and what stands in it.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::*;
use crate::ops::fake::{FakeFleet, FakeServer};
use crate::ops::fixtures::*;
use crate::ops::outcome::TargetName;

fn saved(live: Option<&Value>) -> Saved {
    let target = target();
    let name = TargetName {
        cluster: target.cluster,
        app: target.app.id.clone(),
        object: target.object,
    };
    Saved {
        run: "20261121T021407Z-0000002a".to_owned(),
        index: 0,
        at: "2026-11-21T02:14:07Z".parse().unwrap(),
        cluster_uid: "uid-of-edge-oslo-003".to_owned(),
        target: (&name).into(),
        state: Was::of(live),
    }
}

fn wish(saved: Saved) -> UndoRequest {
    UndoRequest {
        run: saved.run.clone(),
        saved: vec![saved],
        after: BTreeMap::new(),
        note: None,
        waves: WaveSpec::default(),
        guardrail: None,
    }
}

/// A server whose Deployment was put back to three replicas.
fn reverted() -> (FakeServer, FakeFleet) {
    let mut live = live_deployment();
    live["spec"]["replicas"] = json!(3);
    live["metadata"]["resourceVersion"] = json!("900001");
    let edge = FakeServer::with(&[(DEPLOYMENT, live)]);
    let fleet = FakeFleet::of(&[("edge-oslo-003", &edge)]);
    (edge, fleet)
}

async fn planned(request: &UndoRequest, fleet: &FakeFleet) -> Plan {
    plan_undo(request, fleet, &context()).await
}

fn why(plan: &Plan) -> &str {
    plan.targets[0]
        .skipped
        .as_ref()
        .map(Safe::as_str)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_reverted_object_goes_back_to_what_was_saved() {
    let (edge, fleet) = reverted();
    let plan = planned(&wish(saved(Some(&live_deployment()))), &fleet).await;
    assert_eq!(
        (plan.verb, plan.targets[0].effect.as_str()),
        (Verb::Undo, "spec.replicas 3→1")
    );
    let Effect::Merge(merge) = &plan.orders[0].effect else {
        panic!("{:?}", plan.orders)
    };
    assert_eq!(merge.patch.expose(), &json!({"spec": {"replicas": 1}}));
    let dry_run = edge
        .requests()
        .into_iter()
        .find(|r| r.method == http::Method::PATCH)
        .unwrap();
    assert_eq!(dry_run.query, "fieldManager=driftdeck-undo&dryRun=All");
    assert_eq!(
        dry_run.body,
        json!({"metadata": {"uid": "deploy-uid-1", "resourceVersion": "900001"}, "spec": {"replicas": 1}})
    );
    assert_eq!(edge.writes(), []);
}

#[tokio::test]
async fn an_object_that_is_as_before_is_unchanged() {
    let (_, fleet) = reverted();
    let mut was = live_deployment();
    was["spec"]["replicas"] = json!(3);
    let plan = planned(&wish(saved(Some(&was))), &fleet).await;
    assert!(plan.targets[0].unchanged);
    assert_eq!(why(&plan), "it is as it was before the run");
}

#[tokio::test]
async fn an_object_that_the_run_made_goes_and_one_that_it_deleted_comes_back() {
    let (edge, fleet) = reverted();
    let plan = planned(&wish(saved(None)), &fleet).await;
    assert!(matches!(plan.orders[0].effect, Effect::Delete(_)));
    edge.world(|w| w.objects.clear());
    let plan = planned(&wish(saved(Some(&live_deployment()))), &fleet).await;
    let Effect::Create(create) = &plan.orders[0].effect else {
        panic!()
    };
    assert_eq!(create.body.expose()["spec"]["replicas"], 1);
    let plan = planned(&wish(saved(None)), &fleet).await;
    assert_eq!(why(&plan), "it is gone already");
}

#[tokio::test]
async fn a_change_after_the_run_is_said_and_keeps_an_object_from_being_deleted() {
    let (_, fleet) = reverted();
    let after = BTreeMap::from([(
        0,
        Seen {
            resource_version: "1".to_owned(),
            hash: "other".to_owned(),
            differs: 0,
        },
    )]);
    let restore = UndoRequest {
        after: after.clone(),
        ..wish(saved(Some(&live_deployment())))
    };
    let plan = planned(&restore, &fleet).await;
    assert!(plan.targets[0].warnings.iter().any(|w| {
        w.as_str()
            .contains("changed since the run by kubectl-scale")
    }));
    let delete = UndoRequest {
        after,
        ..wish(saved(None))
    };
    assert!(why(&planned(&delete, &fleet).await).contains("delete it by hand"));
}

#[tokio::test]
async fn a_secret_another_cluster_and_a_stale_link_are_skipped() {
    let (edge, fleet) = reverted();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}});
    assert_eq!(
        why(&planned(&wish(saved(Some(&secret))), &fleet).await),
        "Secrets are not saved; revert it to Git instead"
    );
    let other = Saved {
        cluster_uid: "uid-of-another".to_owned(),
        ..saved(Some(&live_deployment()))
    };
    assert!(
        why(&planned(&wish(other), &fleet).await).contains("not the cluster that the run changed")
    );
    fleet.set_link("edge-oslo-003", LinkState::Stale);
    let before = edge.requests().len();
    assert!(why(&planned(&wish(saved(Some(&live_deployment()))), &fleet).await).contains("stale"));
    assert_eq!(edge.requests().len(), before);
}

//! What the gate lets through, and every way in which it does not.

use serde_json::json;

use super::*;
use crate::domain::LinkState;
use crate::ops::fake::{FakeFleet, FakeServer};
use crate::ops::fixtures::*;
use crate::ops::{RevertRequest, Unsealed};

const TIMEOUT: Duration = Duration::from_secs(5);

async fn made() -> (Plan, FakeServer, FakeServer, FakeFleet) {
    let (edge, hub, fleet) = fleet();
    let request = RevertRequest {
        via: Some(Route::Direct),
        ..request(vec![target()])
    };
    (
        crate::ops::plan(&request, &fleet, &context()).await,
        edge,
        hub,
        fleet,
    )
}

async fn refused(
    plan: Plan,
    confirmation: Option<&Confirmation>,
    mode: WriteMode,
    fleet: &FakeFleet,
) -> Refusal {
    approve(plan, confirmation, mode, fleet, TIMEOUT)
        .await
        .map(|_| ())
        .unwrap_err()
}

#[tokio::test]
async fn a_confirmed_plan_passes_in_write_mode() {
    let (plan, _, _, fleet) = made().await;
    let yes = Confirmation::of(&plan, None);
    let approved = approve(plan, Some(&yes), WriteMode::Write, &fleet, TIMEOUT)
        .await
        .unwrap();
    assert_eq!(approved.orders.len(), 1);
    assert_eq!(approved.plan().sendable(), 1);
}

#[tokio::test]
async fn nothing_passes_read_only() {
    let (plan, edge, _, fleet) = made().await;
    let yes = Confirmation::of(&plan, None);
    assert_eq!(
        refused(plan, Some(&yes), WriteMode::ReadOnly, &fleet).await,
        Refusal::ReadOnly
    );
    assert_eq!(edge.writes(), []);
}

#[tokio::test]
async fn nothing_passes_without_a_yes() {
    let (plan, _, _, fleet) = made().await;
    assert_eq!(
        refused(plan, None, WriteMode::Write, &fleet).await,
        Refusal::NotConfirmed
    );
}

#[tokio::test]
async fn a_yes_to_another_plan_is_no_yes() {
    let (plan, _, _, fleet) = made().await;
    let yes = Confirmation::of(&plan, None);
    let mut other_id = plan.clone();
    other_id.id = "20261121T021408Z-00000000".to_owned();
    let mut other_row = plan.clone();
    other_row.targets[0].cluster = "edge-oslo-004".into();
    let mut other_body = plan.clone();
    let Effect::Apply(apply) = &mut other_body.orders[0].effect else {
        panic!()
    };
    let mut body = apply.body.expose().clone();
    body["spec"]["replicas"] = json!(4);
    apply.body = Unsealed::new(body);
    let mut other_wave = plan.clone();
    other_wave.waves.clear();
    for changed in [other_id, other_row, other_body, other_wave] {
        assert_eq!(
            refused(changed, Some(&yes), WriteMode::Write, &fleet).await,
            Refusal::NotConfirmed
        );
    }
}

#[tokio::test]
async fn a_guardrail_wants_its_name_exactly() {
    let (mut plan, _, _, fleet) = made().await;
    plan.guardrail = Some(crate::ops::Guardrail {
        name: Safe::fixed("prod-eu"),
        confirm: Safe::fixed("prod-eu"),
    });
    for typed in [None, Some("prod"), Some("PROD-EU"), Some("prod-eu ")] {
        let yes = Confirmation::of(&plan, typed);
        let refusal = refused(plan.clone(), Some(&yes), WriteMode::Write, &fleet).await;
        assert!(
            refusal.to_string().contains("--confirm 'prod-eu'"),
            "{refusal}"
        );
    }
    let yes = Confirmation::of(&plan, Some("prod-eu"));
    assert!(
        approve(plan, Some(&yes), WriteMode::Write, &fleet, TIMEOUT)
            .await
            .is_ok()
    );
}

async fn held(plan: Plan, fleet: &FakeFleet) -> String {
    let yes = Confirmation::of(&plan, None);
    let approved = approve(plan, Some(&yes), WriteMode::Write, fleet, TIMEOUT)
        .await
        .unwrap();
    assert!(approved.orders.is_empty());
    approved.plan().targets[0]
        .skipped
        .as_ref()
        .map(Safe::to_string)
        .unwrap_or_default()
}

#[tokio::test]
async fn a_cluster_that_went_dark_since_the_plan_is_held_back() {
    let (plan, _, _, fleet) = made().await;
    fleet.set_link("edge-oslo-003", LinkState::Stale);
    assert_eq!(held(plan, &fleet).await, "edge-oslo-003 is stale now");
}

#[tokio::test]
async fn a_missing_permission_is_held_back_and_named() {
    let (plan, edge, _, fleet) = made().await;
    edge.world(|w| w.denied = vec!["patch"]);
    assert_eq!(
        held(plan, &fleet).await,
        "not permitted: patch deployments on edge-oslo-003"
    );
}

#[tokio::test]
async fn the_permission_is_asked_for_what_will_be_written() {
    let (plan, edge, _, fleet) = made().await;
    let yes = Confirmation::of(&plan, None);
    approve(plan, Some(&yes), WriteMode::Write, &fleet, TIMEOUT)
        .await
        .unwrap();
    let review = edge.requests().pop().unwrap();
    assert_eq!(
        review.path,
        "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    );
    assert_eq!(
        review.body["spec"]["resourceAttributes"],
        json!({"verb": "patch", "group": "apps", "resource": "deployments", "namespace": "edge", "name": "edge-microservice"})
    );
}

#[tokio::test]
async fn a_target_whose_dry_run_did_not_succeed_is_held_back() {
    let (mut plan, _, _, fleet) = made().await;
    plan.targets[0].dry_run = DryRun::NotPermitted(Safe::fixed("not permitted"));
    assert!(
        held(plan, &fleet)
            .await
            .starts_with("its dry run did not succeed")
    );
}

#[tokio::test]
async fn debug_output_of_a_confirmation_and_an_approval_shows_no_body() {
    let (plan, _, _, fleet) = made().await;
    let yes = Confirmation::of(&plan, None);
    let approved = approve(plan, Some(&yes), WriteMode::Write, &fleet, TIMEOUT)
        .await
        .unwrap();
    let shown = format!("{yes:?} {approved:?}");
    assert!(
        !shown.contains("1.4.2"),
        "the image of the manifest: {shown}"
    );
}

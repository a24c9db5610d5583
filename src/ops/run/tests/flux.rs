//! The route through Flux: one annotation, followed until it is handled, and judged by the cluster.

use super::*;
use crate::ops::fake::World;
use pretty_assertions::assert_eq;

/// The time of the plan, which the request carries.
const VALUE: &str = "2026-11-21T02:14:07Z";

type Step = Box<dyn FnOnce(&mut World) + Send>;

fn document(world: &mut World) -> &mut Value {
    world.objects.get_mut(KUSTOMIZATION).unwrap()
}

/// A bench whose edge has Flux.
fn with_flux() -> Bench {
    let bench = bench();
    bench.edge.world(|w| {
        w.objects
            .insert(KUSTOMIZATION.to_owned(), kustomization_json());
    });
    bench
}

/// What kustomize-controller does with a request.
fn handle(world: &mut World) {
    let asked =
        document(world)["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"].clone();
    document(world)["status"]["lastHandledReconcileAt"] = asked;
}

fn put_back(world: &mut World) {
    let object = world.objects.get_mut(DEPLOYMENT).unwrap();
    edit(object, "kustomize-controller", 3, "883000");
}

async fn run_with(bench: &Bench, steps: Vec<Step>) -> Run {
    let approved = bench.approved(&request(vec![flux_target()])).await;
    // The first look is the run's own, before the write.
    bench.edge.before_read(KUSTOMIZATION, |_| ());
    for step in steps {
        bench.edge.before_read(KUSTOMIZATION, step);
    }
    run(approved, bench.context.clone()).await
}

#[tokio::test(start_paused = true)]
async fn flux_is_asked_once_and_the_cluster_has_the_last_word() {
    let bench = with_flux();
    let steps: Vec<Step> = vec![
        Box::new(|_| ()),
        Box::new(|w| {
            put_back(w);
            handle(w);
        }),
    ];
    let run = run_with(&bench, steps).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    let writes = bench.edge.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(
        (
            writes[0].path.as_str(),
            writes[0].query.as_str(),
            writes[0].content_type.as_str()
        ),
        (
            KUSTOMIZATION,
            "fieldManager=driftdeck",
            "application/merge-patch+json"
        )
    );
    let annotations = json!({"reconcile.fluxcd.io/requestedAt": VALUE});
    assert_eq!(
        writes[0].body,
        json!({"metadata": {"uid": "ks-uid-1", "annotations": annotations}})
    );
    let lines = bench.lines();
    let Record::Intent(intent) = &lines[0].record else {
        panic!()
    };
    assert_eq!(
        (intent.route, intent.target.app.as_str()),
        (Route::Flux, "apps")
    );
    assert_eq!(
        intent.target.app_kind,
        crate::domain::AppKind::Kustomization
    );
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_takes_up_is_not_called_done() {
    let bench = with_flux();
    let run = run_with(&bench, Vec::new()).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(message.contains("nobody took the request up"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_reconciliation_that_fails_is_told_in_fluxs_words() {
    let bench = with_flux();
    let run = run_with(
        &bench,
        vec![Box::new(|w| {
            handle(w);
            document(w)["status"]["conditions"] = json!([{"type": "Ready", "status": "False", "reason": "ReconciliationFailed", "message": "Deployment/edge/edge-microservice dry-run failed"}]);
        })],
    )
    .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Failed,
            "Flux reconciled and is not ready (ReconciliationFailed): Deployment/edge/edge-microservice dry-run failed"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_spec_that_was_changed_since_the_plan_makes_it_void() {
    let bench = with_flux();
    let approved = bench.approved(&request(vec![flux_target()])).await;
    bench
        .edge
        .world(|w| document(w)["spec"]["suspend"] = json!(true));
    let run = run(approved, bench.context.clone()).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Refused);
    assert!(
        message.contains("spec was changed since the plan"),
        "{message}"
    );
    assert_eq!(bench.edge.writes(), []);
}

#[tokio::test(start_paused = true)]
async fn another_request_takes_the_place_of_ours() {
    let bench = with_flux();
    let run = run_with(
        &bench,
        vec![Box::new(|w| {
            document(w)["metadata"]["annotations"]["reconcile.fluxcd.io/requestedAt"] =
                json!("later");
        })],
    )
    .await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(message.contains("another reconciliation"), "{message}");
}

#[tokio::test(start_paused = true)]
async fn a_direct_revert_leaves_the_object_to_kustomize_controller() {
    let bench = with_flux();
    let run = bench.run(&direct(vec![flux_target()])).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    let writes = bench.edge.writes();
    assert_eq!(
        writes[0].query,
        "fieldManager=kustomize-controller&force=true"
    );
}

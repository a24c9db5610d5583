//! The route through Argo CD: one patch of the Application, followed to its end, and judged by the edge.

use super::*;
use crate::ops::fake::World;
use pretty_assertions::assert_eq;

/// What the stand-in controller does at one look.
type Step = Box<dyn FnOnce(&mut World) + Send>;

fn app(world: &mut World) -> &mut Value {
    world.objects.get_mut(APPLICATION).unwrap()
}

/// The controller takes the operation up.
fn take_up(world: &mut World) {
    let app = app(world);
    let operation = app["operation"].clone();
    app["status"]["operationState"] =
        json!({"phase": "Running", "message": "", "operation": operation});
}

/// The controller ends the operation and clears it.
fn end(world: &mut World, phase: &str, message: &str, result: Option<Value>) {
    let app = app(world);
    app.as_object_mut().unwrap().remove("operation");
    let state = &mut app["status"]["operationState"];
    state["phase"] = json!(phase);
    state["message"] = json!(message);
    if let Some(result) = result {
        state["syncResult"] = json!({"resources": [result]});
    }
}

fn result(status: &str, message: &str) -> Value {
    json!({"group": "apps", "version": "v1", "kind": "Deployment", "namespace": "edge", "name": "edge-microservice", "status": status, "message": message})
}

/// What Argo CD does on the edge.
fn put_back(edge: &FakeServer) {
    edge.world(|w| {
        edit(
            w.objects.get_mut(DEPLOYMENT).unwrap(),
            "argocd-controller",
            3,
            "883000",
        );
    });
}

/// Steps of the stand-in controller, one a look at the Application after the write. The first look is the run's own, before it.
fn script(bench: &Bench, steps: Vec<Step>) {
    bench.hub.before_read(APPLICATION, |_| ());
    for step in steps {
        bench.hub.before_read(APPLICATION, step);
    }
}

async fn run_with(bench: &Bench, steps: Vec<Step>) -> Run {
    let approved = bench.approved(&request(vec![target()])).await;
    script(bench, steps);
    run(approved, bench.context.clone()).await
}

fn good(edge: &FakeServer) -> Vec<Step> {
    let edge = edge.clone();
    vec![
        Box::new(take_up),
        Box::new(move |w| {
            put_back(&edge);
            end(
                w,
                "Succeeded",
                "successfully synced",
                Some(result(
                    "Synced",
                    "deployment.apps/edge-microservice configured",
                )),
            );
        }),
    ]
}

#[tokio::test(start_paused = true)]
async fn argo_cd_is_asked_once_with_exactly_the_operation_of_the_plan() {
    let bench = bench();
    let steps = good(&bench.edge);
    let run = run_with(&bench, steps).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    let writes = bench.hub.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(
        (writes[0].path.as_str(), writes[0].query.as_str()),
        (APPLICATION, "fieldManager=driftdeck")
    );
    assert_eq!(writes[0].content_type, "application/merge-patch+json");
    assert_eq!(
        writes[0].body,
        json!({
            "metadata": {"resourceVersion": "4711"},
            "operation": {
                "initiatedBy": {"username": "alice@jumphost"},
                "info": [{"name": "Reason", "value": "INC-4711 revert edge-microservice spec.replicas (driftdeck 20261121T021407Z-0000002a)"}],
                "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m0s"}},
                "sync": {
                    "revision": COMMIT, "prune": false, "dryRun": false, "syncStrategy": {"hook": {"force": false}},
                    "resources": [{"group": "apps", "kind": "Deployment", "namespace": "edge", "name": "edge-microservice"}],
                    "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]
                }
            },
            "status": {"operationState": null}
        })
    );
    assert_eq!(bench.edge.writes(), [], "the edge is Argo CD's to change");
    let lines = bench.lines();
    assert_eq!(lines.len(), 2);
    let Record::Intent(intent) = &lines[0].record else {
        panic!()
    };
    assert_eq!(
        intent.who.identity, "admin-of-hub-1",
        "the hub's identity writes"
    );
    assert_eq!(intent.cluster_uid, "uid-of-edge-oslo-003");
}

#[tokio::test(start_paused = true)]
async fn the_resource_version_is_that_of_a_fresh_read() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench
        .hub
        .world(|w| app(w)["metadata"]["resourceVersion"] = json!("4800"));
    script(&bench, good(&bench.edge));
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run).0,
        Outcome::Reverted,
        "a changed status does not make the plan void"
    );
    assert_eq!(
        bench.hub.writes()[0].body["metadata"]["resourceVersion"],
        "4800"
    );
}

#[tokio::test(start_paused = true)]
async fn nobody_taking_it_up_is_unknown_with_the_next_step() {
    let bench = bench();
    let run = run_with(&bench, vec![]).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(message.starts_with("accepted but not carried out so far: nobody took the operation up: is argocd-application-controller running?"), "{message}");
    assert_eq!(exit_status(&run), 3);
}

#[tokio::test(start_paused = true)]
async fn an_operation_held_back_by_a_window_is_unknown_at_once() {
    let bench = bench();
    let started = tokio::time::Instant::now();
    let run = run_with(
        &bench,
        vec![Box::new(|w| {
            take_up(w);
            app(w)["status"]["operationState"]["message"] =
                json!("Sync operation blocked by sync window");
        })],
    )
    .await;
    assert_eq!(only(&run).0, Outcome::Unknown);
    assert!(
        only(&run)
            .1
            .contains("blocks every other operation until the window opens or it is terminated")
    );
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_never_ends_is_unknown_after_the_patience() {
    let bench = bench();
    let run = run_with(
        &bench,
        vec![Box::new(|w| {
            take_up(w);
            app(w)["status"]["operationState"]["message"] =
                json!("waiting for healthy state of apps/Deployment/edge-microservice");
        })],
    )
    .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Unknown,
            "accepted but not carried out so far: Argo CD is still at it: waiting for healthy state of apps/Deployment/edge-microservice"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_resource_that_argo_cd_could_not_sync_failed_with_its_words() {
    let bench = bench();
    let steps: Vec<Step> = vec![
        Box::new(take_up),
        Box::new(|w| {
            end(
                w,
                "Failed",
                "one or more objects failed to apply",
                Some(result(
                    "SyncFailed",
                    "admission webhook denied: quota exceeded",
                )),
            );
        }),
    ];
    let run = run_with(&bench, steps).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Failed,
            "Argo CD could not sync it (SyncFailed): admission webhook denied: quota exceeded"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_ended_in_error_failed() {
    let bench = bench();
    let steps: Vec<Step> = vec![
        Box::new(take_up),
        Box::new(|w| {
            end(
                w,
                "Error",
                "ComparisonError: repository not accessible",
                None,
            );
        }),
    ];
    let run = run_with(&bench, steps).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Failed,
            "Argo CD's operation ended as Error: ComparisonError: repository not accessible"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn success_that_the_edge_does_not_show_is_unknown() {
    let bench = bench();
    let steps: Vec<Step> = vec![
        Box::new(take_up),
        Box::new(|w| end(w, "Succeeded", "", Some(result("Synced", "")))),
    ];
    let run = run_with(&bench, steps).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(
        message.starts_with("Argo CD reports success, and the cluster does not show it:"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_ended_operation_that_never_clears_is_named_as_the_known_bug() {
    let bench = bench();
    let edge = bench.edge.clone();
    let steps: Vec<Step> = vec![
        Box::new(take_up),
        Box::new(move |w| {
            put_back(&edge);
            let stays = app(w)["operation"].clone();
            end(w, "Succeeded", "", Some(result("Synced", "")));
            app(w)["operation"] = stays;
        }),
    ];
    let run = run_with(&bench, steps).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Reverted);
    assert!(
        message.contains("v3.5.3 (argoproj/argo-cd#29741)"),
        "{message}"
    );
}

#[tokio::test(start_paused = true)]
async fn an_older_operation_that_leaked_in_is_noticed() {
    let bench = bench();
    let edge = bench.edge.clone();
    let steps: Vec<Step> = vec![
        Box::new(|w| {
            take_up(w);
            app(w)["status"]["operationState"]["operation"]["sync"]["resources"] =
                json!([{"kind": "Service", "name": "old"}]);
        }),
        Box::new(move |w| {
            put_back(&edge);
            end(w, "Succeeded", "", Some(result("Synced", "")));
        }),
    ];
    let run = run_with(&bench, steps).await;
    assert!(
        only(&run).1.contains("argoproj/argo-cd#28701"),
        "{}",
        only(&run).1
    );
}

#[tokio::test(start_paused = true)]
async fn an_operation_replaced_by_another_is_unknown() {
    let bench = bench();
    let steps: Vec<Step> = vec![Box::new(|w| {
        app(w)["operation"] =
            json!({"info": [{"name": "Reason", "value": "another hand"}], "sync": {}});
    })];
    let run = run_with(&bench, steps).await;
    assert_eq!(only(&run).0, Outcome::Unknown);
    assert!(only(&run).1.contains("another one took its place"));
}

async fn refused_before_sending(change: impl FnOnce(&mut Value)) -> String {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench.hub.world(|w| change(app(w)));
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        (only(&run).0, bench.hub.writes(), exit_status(&run)),
        (Outcome::Refused, vec![], 2)
    );
    only(&run).1.to_owned()
}

#[tokio::test]
async fn an_application_that_changed_since_the_plan_is_not_asked() {
    let busy = refused_before_sending(|a| a["operation"] = json!({"sync": {}})).await;
    assert_eq!(
        busy,
        "not sent: another operation of the application is in progress; plan again"
    );
    let retargeted =
        refused_before_sending(|a| a["spec"]["source"]["path"] = json!("apps/other")).await;
    assert!(
        retargeted.starts_with("not sent: the application's spec was changed since the plan by"),
        "{retargeted}"
    );
    let anew = refused_before_sending(|a| a["metadata"]["uid"] = json!("app-uid-2")).await;
    assert!(anew.contains("deleted since the plan"), "{anew}");
}

#[tokio::test]
async fn losing_the_race_for_the_application_is_refused() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench.hub.fault(
        is_patch(APPLICATION),
        Fault::Status(409, "Conflict", "modified".to_owned()),
    );
    script(
        &bench,
        vec![Box::new(|w| app(w)["operation"] = json!({"sync": {}}))],
    );
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "somebody was faster with the application: another operation of the application began; plan again"
        )
    );
    assert_eq!(bench.hub.writes().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_followed_when_the_application_shows_our_operation() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench.hub.fault(is_patch(APPLICATION), Fault::LostAfter);
    script(&bench, good(&bench.edge));
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        (only(&run).0, bench.hub.writes().len()),
        (Outcome::Reverted, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_lost_request_is_unknown_and_not_repeated() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench.hub.fault(is_patch(APPLICATION), Fault::LostBefore);
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        (only(&run).0, bench.hub.writes().len()),
        (Outcome::Unknown, 1)
    );
    assert!(only(&run).1.contains("does not show the operation so far"));
}

#[tokio::test(start_paused = true)]
async fn an_edge_that_goes_dark_does_not_keep_the_hub_from_being_asked_but_nothing_is_claimed() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench
        .edge
        .fault(|r| r.path == DEPLOYMENT, Fault::LostBefore);
    script(&bench, good(&bench.edge));
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(only(&run).0, Outcome::Unknown);
    assert_eq!(run.outcomes[0].before, None);
    let saved = crate::ops::undo::load(bench.state.path(), &run.id).unwrap();
    assert!(
        matches!(saved[0].state, crate::ops::undo::Was::Withheld { .. }),
        "unread is not missing: an undo must not delete it"
    );
}

#[tokio::test]
async fn an_object_edited_since_the_plan_keeps_the_whole_operation_back() {
    let bench = bench();
    let approved = bench.approved(&request(vec![target()])).await;
    bench.edge.world(|w| {
        edit(
            w.objects.get_mut(DEPLOYMENT).unwrap(),
            "kubectl-edit",
            7,
            "881300",
        );
    });
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "not sent: Deployment edge/edge-microservice was changed since the plan by kubectl-edit (Update) at 2026-11-21T02:14:08Z; plan again"
        )
    );
    assert_eq!(bench.hub.writes(), []);
}

//! The direct route: one forced apply with preconditions, or a create, or a delete.

use super::*;
use crate::domain::{DriftState, Safe, Verdict};
use crate::ops::undo;
use crate::ops::{PlanTarget, RevertTarget};
use pretty_assertions::assert_eq;

#[tokio::test]
async fn a_scaled_deployment_is_put_back_with_one_request() {
    let bench = bench();
    let run = bench.run_direct(|_| ()).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    assert_eq!(exit_status(&run), 0);
    let writes = bench.edge.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(
        (writes[0].path.as_str(), writes[0].query.as_str()),
        (DEPLOYMENT, "fieldManager=argocd-controller&force=true")
    );
    assert_eq!(writes[0].content_type, "application/apply-patch+yaml");
    let mut body = desired_deployment();
    body["metadata"]["uid"] = json!("deploy-uid-1");
    body["metadata"]["resourceVersion"] = json!("881204");
    assert_eq!(writes[0].body, body);
    assert_eq!(
        bench.edge.object(DEPLOYMENT).unwrap()["spec"]["replicas"],
        3
    );
    assert_eq!(bench.hub.requests(), []);
}

#[tokio::test]
async fn before_and_after_are_told() {
    let bench = bench();
    let run = bench.run_direct(|_| ()).await;
    let (before, after) = (
        run.outcomes[0].before.clone().unwrap(),
        run.outcomes[0].after.clone().unwrap(),
    );
    assert_eq!(
        (before.resource_version.as_str(), before.differs),
        ("881204", 1)
    );
    assert_eq!(
        (after.resource_version.as_str(), after.differs),
        ("900002", 0),
        "the dry run used up a version"
    );
    assert_ne!(before.hash, after.hash);
}

#[tokio::test]
async fn the_events_tell_the_story_in_order() {
    let mut bench = bench();
    bench.run_direct(|_| ()).await;
    let mut told = Vec::new();
    while let Ok(event) = bench.events.try_recv() {
        told.push(match event {
            RunEvent::WaveStarted(n) => format!("wave {n}"),
            RunEvent::Started(n) => format!("started {n}"),
            RunEvent::Accepted(n, _) => format!("accepted {n}"),
            RunEvent::Ended(n, end) => format!("ended {n} {}", end.outcome.word()),
            RunEvent::Stopped(why) => format!("stopped {why}"),
            RunEvent::Finished(_) => "finished".to_owned(),
        });
    }
    assert_eq!(
        told,
        [
            "wave 0",
            "started 0",
            "accepted 0",
            "ended 0 reverted",
            "finished"
        ]
    );
}

fn missing() -> RevertTarget {
    RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Missing],
            ..Verdict::default()
        }),
        uid: "".into(),
        ..target()
    }
}

#[tokio::test]
async fn a_missing_object_is_created_and_saved_as_missing() {
    let bench = bench();
    bench.edge.world(|w| w.objects.clear());
    let run = bench.run(&direct(vec![missing()])).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].method.as_str(),
            writes[0].query.as_str()
        ),
        (1, "POST", "fieldManager=argocd-controller")
    );
    assert_eq!(writes[0].body, desired_deployment());
    assert_eq!(
        undo::load(bench.state.path(), &run.id).unwrap()[0].state,
        undo::Was::Missing
    );
}

#[tokio::test]
async fn an_object_made_by_somebody_else_in_the_meantime_is_not_taken_over() {
    let bench = bench();
    bench.edge.world(|w| w.objects.clear());
    let approved = bench.approved(&direct(vec![missing()])).await;
    bench.edge.before_read(DEPLOYMENT, |_| ());
    bench.edge.fault(
        |r| r.is_write() && r.method == http::Method::POST && r.path.ends_with("deployments"),
        Fault::Status(409, "AlreadyExists", "it exists already".to_owned()),
    );
    bench.edge.before_read(DEPLOYMENT, |w| {
        let mut live = live_deployment();
        edit(&mut live, "kubectl-create", 1, "5");
        w.objects.insert(DEPLOYMENT.to_owned(), live);
    });
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "somebody was faster: kubectl-create (Update) at 2026-11-21T02:14:08Z; plan again"
        )
    );
    assert_eq!(
        bench.edge.object(DEPLOYMENT).unwrap()["spec"]["replicas"],
        1
    );
}

fn pruning() -> RevertRequest {
    let extra = RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Extra],
            ..Verdict::default()
        }),
        desired: None,
        ..target()
    };
    RevertRequest {
        prune: true,
        ..direct(vec![extra])
    }
}

#[tokio::test]
async fn an_extra_object_is_deleted_with_preconditions() {
    let bench = bench();
    let run = bench.run(&pruning()).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].method.as_str(),
            writes[0].path.as_str()
        ),
        (1, "DELETE", DEPLOYMENT)
    );
    assert_eq!(
        writes[0].body,
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": "deploy-uid-1", "resourceVersion": "881204"}})
    );
    assert_eq!(bench.edge.object(DEPLOYMENT), None);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_waits_for_finalizers_is_unknown_and_names_them() {
    let bench = bench();
    bench.edge.world(|w| {
        w.objects.get_mut(DEPLOYMENT).unwrap()["metadata"]["finalizers"] = json!(["edge/hold"]);
    });
    let approved = bench.approved(&pruning()).await;
    bench.edge.fault(
        |r| r.is_write() && r.method == http::Method::DELETE,
        Fault::Status(200, "", String::new()),
    );
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Unknown,
            "the delete was accepted, and the object waits for its finalizers: edge/hold"
        )
    );
}

/// The Deployment with one environment variable more than Git has, added by hand.
fn with_added_env(bench: &Bench) -> RevertTarget {
    let env = |names: &[&str]| {
        json!({"containers": [{"name": "app", "image": "registry.example/edge-microservice:1.4.2",
        "env": names.iter().map(|n| json!({"name": n, "value": "1"})).collect::<Vec<_>>()}]})
    };
    let mut desired = desired_deployment();
    desired["spec"]["template"]["spec"] = env(&["LOG_LEVEL"]);
    bench.edge.world(|w| {
        let live = w.objects.get_mut(DEPLOYMENT).unwrap();
        live["spec"]["template"]["spec"] = env(&["LOG_LEVEL", "DEBUG"]);
        live["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-21T01:33:10Z", "fieldsV1":
            {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:env": {"k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}}]);
        // An apply removes nothing that another manager added.
        w.predictions.insert(DEPLOYMENT.to_owned(), json!({"spec": {"template": {"spec": env(&["LOG_LEVEL", "DEBUG"])}}}));
    });
    RevertTarget {
        desired: Some(crate::ops::Unsealed::new(desired)),
        ..target()
    }
}

#[tokio::test]
async fn a_list_entry_that_somebody_added_is_taken_out_in_one_write() {
    let bench = bench();
    let run = bench.run(&direct(vec![with_added_env(&bench)])).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].query.as_str(),
            writes[0].content_type.as_str()
        ),
        (
            1,
            "fieldManager=argocd-controller",
            "application/merge-patch+json"
        )
    );
    assert_eq!(
        writes[0].body,
        json!({
            "metadata": {"uid": "deploy-uid-1", "resourceVersion": "881204"},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "app", "image": "registry.example/edge-microservice:1.4.2", "env": [{"name": "LOG_LEVEL", "value": "1"}]}
            ]}}}
        })
    );
}

#[tokio::test]
async fn what_argo_cd_leaves_in_place_is_said_in_the_plan() {
    let bench = bench();
    let asked = RevertRequest {
        via: Some(Route::Argo),
        ..request(vec![with_added_env(&bench)])
    };
    let plan = plan(&asked, &bench.fleet, &crate::ops::fixtures::context()).await;
    let row = &plan.targets[0];
    assert_eq!(row.route, Route::Argo);
    assert_eq!(
        warnings(row),
        [format!(
            "Argo CD's apply leaves what others added (--via direct takes it out): {ADDED}"
        )]
    );
}

#[tokio::test]
async fn without_a_wish_what_argo_cd_would_leave_goes_direct() {
    let bench = bench();
    let plan = plan(
        &request(vec![with_added_env(&bench)]),
        &bench.fleet,
        &crate::ops::fixtures::context(),
    )
    .await;
    let row = &plan.targets[0];
    assert_eq!(row.route, Route::Direct);
    let why = format!("direct, because Argo CD's apply would leave what others added: {ADDED}");
    assert!(warnings(row).contains(&why.as_str()), "{row:#?}");
}

#[tokio::test]
async fn an_apply_that_the_server_refuses_beside_what_somebody_added_is_a_merge_patch() {
    let bench = bench();
    let target = with_added_env(&bench);
    let words = "Deployment is invalid: duplicate value";
    bench.edge.fault(
        |r| r.content_type.contains("apply-patch"),
        Fault::Status(422, "Invalid", words.to_owned()),
    );
    let plan = plan(
        &request(vec![target.clone()]),
        &bench.fleet,
        &crate::ops::fixtures::context(),
    )
    .await;
    let why = format!(
        "direct, because the server refuses an apply beside what others added, Argo CD's too ({words}): {ADDED}"
    );
    assert!(
        warnings(&plan.targets[0]).contains(&why.as_str()),
        "{plan:#?}"
    );
    let run = bench.run(&direct(vec![target])).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    let env = "/spec/template/spec/containers/0/env";
    let writes = bench.edge.writes();
    assert_eq!(writes.len(), 1, "{writes:#?}");
    assert_eq!(
        writes[0].body.pointer(env),
        Some(&json!([{"name": "LOG_LEVEL", "value": "1"}]))
    );
}

const ADDED: &str = "spec.template.spec.containers[name=app].env[name=DEBUG]";

fn warnings(row: &PlanTarget) -> Vec<&str> {
    row.warnings.iter().map(Safe::as_str).collect()
}

//! Plans of extra objects, of several objects, and of applications that may not be asked.

use super::*;
use pretty_assertions::assert_eq;

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

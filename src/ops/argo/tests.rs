//! The exact operation, and every reason not to ask for it.

use super::*;
use crate::ops::fixtures::{COMMIT, application, application_json, deployment};

fn wish<'a>() -> Wish<'a> {
    Wish {
        revision: COMMIT,
        target_commit: Some(COMMIT),
    }
}

fn refused(app: &Value, wish: &Wish<'_>) -> String {
    refusal(app, &application(), wish)
        .map(|r| r.to_string())
        .unwrap_or_default()
}

fn asked(app: &Value, objects: &[ObjectRef]) -> Value {
    operation(
        app,
        &Operation {
            username: "alice@jumphost",
            reason: "INC-4711",
            run: "20261121T021407Z-3f9a",
            revision: COMMIT,
            prune: false,
            objects,
        },
    )
}

#[test]
fn the_patch_is_exactly_what_argo_cd_reads() {
    let app = application_json();
    assert_eq!(
        patch("4711", &asked(&app, &[deployment()])),
        json!({
            "metadata": {"resourceVersion": "4711"},
            "operation": {
                "initiatedBy": {"username": "alice@jumphost"},
                "info": [{"name": "Reason", "value": "INC-4711 (driftdeck 20261121T021407Z-3f9a)"}],
                "retry": {"limit": 5, "backoff": {"duration": "5s", "factor": 2, "maxDuration": "3m0s"}},
                "sync": {
                    "revision": COMMIT,
                    "prune": false,
                    "dryRun": false,
                    "syncStrategy": {"hook": {"force": false}},
                    "resources": [{"group": "apps", "kind": "Deployment", "namespace": "edge", "name": "edge-microservice"}],
                    "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]
                }
            },
            "status": {"operationState": null}
        })
    );
}

#[test]
fn merged_over_the_application_nothing_of_the_previous_operation_is_left() {
    let mut app = application_json();
    let patch = patch("4711", &asked(&app, &[deployment()]));
    json_patch::merge(&mut app, &patch);
    assert_eq!(
        app.pointer("/status/operationState"),
        None,
        "else older controllers merge the old resources in"
    );
    assert_eq!(
        app["operation"]["sync"]["resources"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    assert!(!app.to_string().contains("0ld"));
}

#[test]
fn without_options_and_retry_in_the_spec_the_operation_has_none() {
    let mut app = application_json();
    app["spec"]["syncPolicy"] = json!({"automated": {}});
    let operation = asked(&app, &[deployment()]);
    assert_eq!(
        (operation.get("retry"), operation["sync"].get("syncOptions")),
        (None, None)
    );
}

#[test]
fn a_cluster_scoped_object_names_no_namespace() {
    let role = ObjectRef::new(
        crate::domain::Gvk::new("rbac.authorization.k8s.io", "v1", "ClusterRole"),
        "",
        "edge-reader",
    );
    assert_eq!(
        asked(&application_json(), &[role])["sync"]["resources"],
        json!([{"group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edge-reader"}])
    );
}

#[test]
fn an_operation_is_found_again_by_its_run_and_no_other() {
    let operation = asked(&application_json(), &[deployment()]);
    assert!(is_of_run(&operation, "20261121T021407Z-3f9a"));
    assert!(!is_of_run(&operation, "20261121T021407Z-3f9"));
    assert!(!is_of_run(&json!({"sync": {}}), "20261121T021407Z-3f9a"));
}

#[test]
fn a_manual_application_at_the_deployed_revision_may_be_asked() {
    assert_eq!(refused(&application_json(), &wish()), "");
    let elsewhere = Wish {
        target_commit: Some("4c1a9e2f"),
        ..wish()
    };
    assert_eq!(
        refused(&application_json(), &elsewhere),
        "",
        "without auto-sync Git may have moved on"
    );
}

#[test]
fn auto_sync_is_refused_once_git_moved_on_or_nobody_knows() {
    let mut app = application_json();
    app["spec"]["syncPolicy"]["automated"] = json!({"selfHeal": true});
    assert_eq!(refused(&app, &wish()), "");
    let moved = refused(
        &app,
        &Wish {
            target_commit: Some("4c1a9e2f00"),
            ..wish()
        },
    );
    assert_eq!(
        moved,
        "auto-sync is on and main is at 4c1a9e2f now: Argo CD would not stay at 9f31c02d; pause auto-sync or sync to main"
    );
    assert!(
        refused(
            &app,
            &Wish {
                target_commit: None,
                ..wish()
            }
        )
        .contains("not known where main is")
    );
    app["spec"]["syncPolicy"]["automated"]["enabled"] = json!(false);
    assert_eq!(
        refused(
            &app,
            &Wish {
                target_commit: None,
                ..wish()
            }
        ),
        "",
        "enabled: false is off"
    );
}

#[test]
fn deleting_several_sources_and_hydrated_sources_are_refused() {
    let mut deleting = application_json();
    deleting["metadata"]["deletionTimestamp"] = json!("2026-11-21T02:00:00Z");
    assert_eq!(
        refused(&deleting, &wish()),
        "the application is being deleted"
    );
    let mut several = application_json();
    several["spec"]["sources"] = json!([{"repoURL": "a"}, {"repoURL": "b"}]);
    assert!(refused(&several, &wish()).contains("several sources"));
    let mut hydrated = application_json();
    hydrated["spec"]["sourceHydrator"] = json!({"drySource": {}});
    assert!(refused(&hydrated, &wish()).contains("hydrated"));
}

#[test]
fn another_rollout_is_refused() {
    let mut newer = application_json();
    newer["status"]["history"]
        .as_array_mut()
        .unwrap()
        .push(json!({"id": 42, "revision": "4c1a9e2f00"}));
    assert_eq!(
        refused(&newer, &wish()),
        "revision 4c1a9e2f has been deployed since; look again"
    );
    let mut moved = application_json();
    moved["spec"]["source"]["path"] = json!("apps/other");
    assert!(refused(&moved, &wish()).contains("roll out something else"));
    let mut retargeted = application_json();
    retargeted["spec"]["source"]["targetRevision"] = json!("v2");
    assert_eq!(
        refused(&retargeted, &wish()),
        "",
        "a manual application may be retargeted: the revision is named"
    );
}

#[test]
fn an_application_of_the_same_name_made_anew_is_refused() {
    let mut other = application_json();
    other["metadata"]["uid"] = json!("app-uid-2");
    assert!(refused(&other, &wish()).contains("made again"));
}

#[test]
fn a_stale_hub_a_frozen_application_and_a_running_operation_are_obstacles() {
    let app = application();
    let fresh = application_json();
    assert_eq!(obstacle(LinkState::Live, &app, Some(&fresh)), None);
    assert_eq!(
        obstacle(LinkState::Stale, &app, None).unwrap().as_str(),
        "the hub hub-1 is stale"
    );
    let mut frozen = fresh.clone();
    frozen["metadata"]["annotations"] = json!({"argocd.argoproj.io/skip-reconcile": "true"});
    assert!(
        obstacle(LinkState::Live, &app, Some(&frozen))
            .unwrap()
            .as_str()
            .contains("skip-reconcile")
    );
    for (key, value) in [
        ("operation", json!({"sync": {}})),
        ("status", json!({"operationState": {"phase": "Running"}})),
    ] {
        let mut busy = fresh.clone();
        busy[key] = value;
        assert!(
            obstacle(LinkState::Live, &app, Some(&busy))
                .unwrap()
                .as_str()
                .contains("in progress")
        );
    }
}

#[test]
fn the_project_is_looked_for_beside_the_controller() {
    let mut app = application();
    app.project = "".into();
    app.id.namespace = "team-a".into();
    assert_eq!(
        project_place(&app).path(),
        "/apis/argoproj.io/v1alpha1/namespaces/argocd/appprojects/default"
    );
}

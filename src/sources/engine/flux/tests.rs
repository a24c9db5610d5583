//! Flux's documents in, rows out.

use super::*;
use serde_json::json;

fn kustomization(status: &Value) -> Value {
    json!({
        "metadata": {"name": "infra", "namespace": "flux-system", "generation": 3},
        "spec": {"path": "./infra", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "dependsOn": [{"name": "crds"}]},
        "status": status,
    })
}

fn ready(status: &str, reason: &str, message: &str) -> Value {
    json!({"type": "Ready", "status": status, "reason": reason, "message": message, "observedGeneration": 3})
}

fn read(object: &Value) -> Application {
    row(AppKind::Kustomization, object, &"edge-oslo-003".into())
}

fn words_of(status: &Value) -> (SyncState, Health) {
    let row = read(&kustomization(status));
    (row.sync, row.health)
}

#[test]
fn a_ready_kustomization_is_synced_healthy_and_names_what_it_brought() {
    let row = read(&kustomization(&json!({
        "observedGeneration": 3,
        "conditions": [ready("True", "ReconciliationSucceeded", "Applied revision: main@sha1:9f31c02aa")],
        "lastAppliedRevision": "main@sha1:9f31c02aa", "lastAttemptedRevision": "main@sha1:9f31c02aa",
        "inventory": {"entries": [{"id": "edge_web_apps_Deployment", "v": "v1"}, {"id": "_kubeadm__view_rbac.authorization.k8s.io_ClusterRole", "v": "v1"}]},
    })));
    assert_eq!((row.sync, row.health), (SyncState::Synced, Health::Healthy));
    assert_eq!(
        row.id.to_string(),
        "edge-oslo-003/flux-system/Kustomization/infra"
    );
    assert_eq!(&*row.deployed_revision().unwrap().revision, "9f31c02aa");
    assert_eq!(&*row.resources[1].object.name, "kubeadm:view");
    assert_eq!(
        row.report.source.unwrap().to_string(),
        "edge-oslo-003/flux-system/GitRepository/fleet"
    );
    assert_eq!(row.message, None);
    assert!(row.auto_sync.enabled && row.auto_sync.self_heal);
}

#[test]
fn a_status_of_an_older_generation_is_no_word_on_this_one() {
    let old = json!({"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]});
    assert_eq!(words_of(&old), (SyncState::Unknown, Health::Progressing));
    let condition = json!({"observedGeneration": 3, "conditions": [{"type": "Ready", "status": "True", "observedGeneration": 2}]});
    assert_eq!(
        words_of(&condition),
        (SyncState::Unknown, Health::Progressing)
    );
}

#[test]
fn failures_waits_and_stalls_are_told_apart() {
    let of = |conditions: Value| {
        words_of(
            &json!({"observedGeneration": 3, "conditions": conditions, "lastAppliedRevision": "a", "lastAttemptedRevision": "a"}),
        )
    };
    assert_eq!(
        of(json!([ready(
            "False",
            "BuildFailed",
            "no kustomization.yaml"
        )])),
        (SyncState::OutOfSync, Health::Degraded)
    );
    assert_eq!(
        of(json!([ready("False", "HealthCheckFailed", "timeout")])),
        (SyncState::Synced, Health::Degraded)
    );
    assert_eq!(
        of(json!([ready(
            "False",
            "DependencyNotReady",
            "crds is not ready"
        )])),
        (SyncState::OutOfSync, Health::Progressing)
    );
    assert_eq!(
        of(
            json!([ready("Unknown", "Progressing", ""), {"type": "Reconciling", "status": "True", "reason": "Progressing"}])
        ),
        (SyncState::Unknown, Health::Progressing)
    );
    assert_eq!(of(json!([ready("False", "ReconciliationFailed", ""), {"type": "Reconciling", "status": "True", "reason": "ProgressingWithRetry"}])).1, Health::Degraded);
    assert_eq!(of(json!([ready("False", "InvalidPath", ""), {"type": "Stalled", "status": "True", "message": "path not found"}])).1, Health::Degraded);
}

#[test]
fn a_suspended_one_is_nobodys_word() {
    let mut object = kustomization(
        &json!({"observedGeneration": 3, "conditions": [ready("True", "ReconciliationSucceeded", "")]}),
    );
    object["spec"]["suspend"] = json!(true);
    let row = read(&object);
    assert_eq!(
        (row.sync, row.health),
        (SyncState::Unknown, Health::Suspended)
    );
    assert!(!row.auto_sync.enabled && row.report.suspended);
}

#[test]
fn a_revision_tried_and_not_applied_is_out_of_sync() {
    let row = read(&kustomization(
        &json!({"observedGeneration": 3, "conditions": [ready("False", "ReconciliationFailed", "denied")],
        "lastAppliedRevision": "main@sha1:aaa", "lastAttemptedRevision": "main@sha1:bbb"}),
    ));
    assert_eq!(row.sync, SyncState::OutOfSync);
    assert_eq!(&*row.report.attempted, "bbb");
    assert_eq!(row.message, Some("denied".into()));
}

#[test]
fn a_release_that_drifted_in_warn_mode_is_ready_and_out_of_sync() {
    let release = json!({
        "metadata": {"name": "web", "namespace": "edge", "generation": 1},
        "spec": {"chart": {"spec": {"chart": "web", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "charts", "namespace": "flux-system"}}}, "driftDetection": {"mode": "warn"}},
        "status": {"observedGeneration": 1, "history": [{"chartVersion": "1.4.2", "status": "deployed", "lastDeployed": "2026-11-20T02:00:00Z"}], "lastAttemptedRevision": "1.4.2",
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Drifted", "status": "True", "reason": "DriftDetected", "message": "Cluster state of release edge/web.v3 has drifted"}]},
    });
    let row = row(AppKind::HelmRelease, &release, &"edge-oslo-003".into());
    assert_eq!(
        (row.sync, row.health),
        (SyncState::OutOfSync, Health::Healthy)
    );
    assert_eq!(&*row.deployed_revision().unwrap().revision, "1.4.2");
    assert!(!row.auto_sync.self_heal);
    assert!(row.message.unwrap().as_str().contains("has drifted"));
}

#[test]
fn another_cluster_is_named_by_its_secret_and_a_request_is_seen_until_handled() {
    let mut object =
        kustomization(&json!({"observedGeneration": 3, "lastHandledReconcileAt": "1"}));
    object["spec"]["kubeConfig"] = json!({"secretRef": {"name": "edge-ber-017-kubeconfig"}});
    object["metadata"]["annotations"] = json!({(REQUESTED): "2"});
    let row = read(&object);
    assert_eq!(&*row.destination.name, "edge-ber-017-kubeconfig");
    assert!(row.destination.server.is_empty() && row.operation_requested);
}

#[test]
fn sources_are_synced_while_their_artifact_is_current() {
    let repository = |conditions: Value| {
        let object = json!({"metadata": {"name": "fleet", "namespace": "flux-system", "generation": 1}, "spec": {"url": "ssh://git@git.example/fleet", "ref": {"branch": "main"}},
            "status": {"observedGeneration": 1, "conditions": conditions, "artifact": {"revision": "main@sha1:9f31c02"}}});
        let row = row(AppKind::GitRepository, &object, &"edge-oslo-003".into());
        (row.sync, row.health)
    };
    assert_eq!(
        repository(json!([{"type": "Ready", "status": "True"}])),
        (SyncState::Synced, Health::Healthy)
    );
    assert_eq!(
        repository(
            json!([{"type": "Ready", "status": "False", "reason": "GitOperationFailed"}, {"type": "FetchFailed", "status": "True"}])
        ),
        (SyncState::Unknown, Health::Degraded)
    );
    let oci = json!({"metadata": {"name": "charts", "namespace": "flux-system", "generation": 1}, "spec": {"type": "oci", "url": "oci://registry.example"}});
    assert_eq!(
        row(AppKind::HelmRepository, &oci, &"e".into()).health,
        Health::Healthy
    );
}

#[test]
fn the_operator_suspends_by_annotation() {
    let object = json!({"metadata": {"name": "flux", "namespace": "flux-system", "generation": 1, "annotations": {(OPERATOR_RECONCILE): "disabled"}}, "spec": {},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "lastAppliedRevision": "v2.9.0@sha256:aa", "lastAttemptedRevision": "v2.9.0@sha256:aa"}});
    let row = row(AppKind::FluxInstance, &object, &"e".into());
    assert_eq!(row.health, Health::Suspended);
}

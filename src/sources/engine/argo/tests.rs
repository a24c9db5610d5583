//! Documents of a hub in, slim rows out.

use super::*;
use serde_json::json;

fn row(value: Value) -> Application {
    serde_json::from_value::<RawApplication>(value)
        .unwrap()
        .into_row(&"hub-1".into())
}

fn seed() -> Value {
    json!({
        "metadata": {"name": "edge-microservice", "namespace": "argocd", "uid": "u", "resourceVersion": "42",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}, "labels": {"region": "eu"}},
        "spec": {"project": "", "source": {"repoURL": "https://git.example/fleet.git", "path": "microserviceA", "targetRevision": "HEAD", "directory": {"recurse": true}},
            "destination": {"server": "https://oslo.example/", "namespace": "edge-namespace"},
            "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]}},
        "status": {"sync": {"status": "Synced", "revision": "9f31c02"}, "health": {"status": "Healthy"},
            "history": [{"id": 1, "revision": "77ab013"}, {"id": 2, "revision": "9f31c02", "deployedAt": "2026-11-20T02:00:00Z", "initiatedBy": {"automated": true}}],
            "resources": [{"version": "v1", "kind": "Service", "namespace": "edge-namespace", "name": "web", "status": "Synced"},
                {"group": "batch", "version": "v1", "kind": "Job", "name": "migrate", "hook": true}]}
    })
}

#[test]
fn the_seed_application_becomes_a_slim_row() {
    let app = row(seed());
    assert_eq!(app.id.to_string(), "hub-1/argocd/edge-microservice");
    assert_eq!(&*app.destination.server, "https://oslo.example");
    assert_eq!(&*app.project, "default");
    assert_eq!(
        app.auto_sync,
        AutoSync {
            enabled: true,
            prune: true,
            self_heal: true
        }
    );
    assert_eq!(&*app.deployed_revision().unwrap().revision, "9f31c02");
    let by: Vec<&str> = app.history.iter().map(|h| h.by.as_str()).collect();
    assert_eq!(by, ["", "auto-sync"]);
    assert!(app.sources[0].recurse);
    assert_eq!(app.resources[0].sync, Some(SyncState::Synced));
    assert_eq!((app.resources[1].sync, app.resources[1].hook), (None, true));
    assert!(!app.operation_requested);
}

#[test]
fn automated_with_enabled_false_is_off_even_with_self_heal() {
    let mut value = seed();
    value["spec"]["syncPolicy"]["automated"] = json!({"enabled": false, "selfHeal": true});
    assert!(!row(value).auto_sync.enabled);
    let mut value = seed();
    value["spec"]["syncPolicy"]["automated"] = json!({});
    assert!(row(value).auto_sync.enabled);
}

#[test]
fn an_application_without_status_is_unknown_not_fine() {
    let mut value = seed();
    value["status"] = json!({});
    let app = row(value);
    assert_eq!(
        (app.sync, app.health),
        (SyncState::Unknown, Health::Unknown)
    );
    assert!(app.deployed_revision().is_none());
}

#[test]
fn a_running_operation_waiting_for_a_retry_is_still_running() {
    let mut value = seed();
    value["operation"] = json!({"sync": {"revision": "9f31c02"}});
    value["status"]["operationState"] = json!({"phase": "Running", "message": "Retrying", "finishedAt": "2026-11-20T02:00:00Z",
        "operation": {"sync": {"revision": "9f31c02", "resources": [{"kind": "Service", "name": "web"}]}, "initiatedBy": {"username": "on-call"}}});
    let app = row(value);
    let operation = app.operation.unwrap();
    assert_eq!(operation.phase, OperationPhase::Running);
    assert!(operation.finished_at.is_some() && operation.selective && app.operation_requested);
    assert_eq!(operation.initiated_by.as_str(), "on-call");
}

#[test]
fn multi_source_uses_sources_and_revisions() {
    let mut value = seed();
    value["spec"]["sources"] = json!([{"repoURL": "a", "ref": "values"}, {"repoURL": "b", "chart": "nginx", "helm": {"releaseName": "web"}}]);
    value["status"]["sync"] = json!({"status": "OutOfSync", "revisions": ["r1", "r2"]});
    let app = row(value);
    assert_eq!(app.sources.len(), 2);
    assert!(&*app.sources[0].reference == "values" && app.sources[1].helm.is_some());
    assert_eq!(&*app.compared_revision, "r1");
}

#[test]
fn skip_reconcile_reads_booleans_as_go_does() {
    for (text, frozen) in [
        ("true", true),
        ("1", true),
        ("T", true),
        ("yes", false),
        ("false", false),
    ] {
        let mut value = seed();
        value["metadata"]["annotations"][SKIP_RECONCILE] = json!(text);
        assert_eq!(row(value).skip_reconcile, frozen, "{text}");
    }
}

#[test]
fn the_first_error_condition_is_the_message() {
    let mut value = seed();
    value["status"]["conditions"] = json!([{"type": "OrphanedResourceWarning", "message": "w"}, {"type": "ComparisonError", "message": "repo \u{1b}[31mgone"}]);
    assert_eq!(row(value).message.unwrap().as_str(), "repo ␛[31mgone");
}

#[test]
fn tracking_follows_argocd_cm_and_defaults_to_annotation() {
    assert_eq!(tracking(&json!({})), Tracking::default());
    let cm = json!({"data": {"application.resourceTrackingMethod": "annotation+label", "application.instanceLabelKey": "team/app", "installationID": "eu-1", "kustomize.buildOptions": "--enable-helm"}});
    let t = tracking(&cm);
    assert_eq!(
        (t.method, &*t.label_key, &*t.installation_id),
        (TrackingMethod::AnnotationAndLabel, "team/app", "eu-1")
    );
    assert_eq!(&*t.kustomize_options, "--enable-helm");
}

#[test]
fn a_cluster_secret_gives_name_server_and_ca_but_no_token() {
    use base64::Engine as _;
    let b64 = |t: &str| base64::engine::general_purpose::STANDARD.encode(t);
    let config =
        json!({"bearerToken": "s3cr3t", "tlsClientConfig": {"caData": b64("PEM\n")}}).to_string();
    let secret = json!({"data": {"name": b64("edge-oslo-001"), "server": b64("https://oslo.example/"), "config": b64(&config)}});
    let found = hub_cluster(&secret);
    assert_eq!(
        (&*found.name, &*found.server),
        ("edge-oslo-001", "https://oslo.example")
    );
    assert_eq!(&*found.ca, "", "what is no certificate matches nothing");
    assert!(!format!("{found:?}").contains("s3cr3t"));
}

#[cfg(feature = "demo")]
#[test]
fn equal_ca_bundles_of_a_cluster_secret_and_a_kubeconfig_are_found_equal() {
    use base64::Engine as _;
    let b64 = |t: &str| base64::engine::general_purpose::STANDARD.encode(t);
    let ca = rcgen::generate_simple_self_signed(vec!["oslo.example".into()]).unwrap();
    let pem = ca.cert.pem();
    let respaced = format!("# the edge's authority\n\n{}\n\n", pem.trim());
    let config = json!({"tlsClientConfig": {"caData": b64(&respaced)}}).to_string();
    let found = hub_cluster(&json!({"data": {"config": b64(&config)}}));
    let kubeconfig = format!(
        "clusters: [{{name: c, cluster: {{server: 'https://o.example', certificate-authority-data: {}}}}}]\ncontexts: [{{name: a, context: {{cluster: c}}}}]",
        b64(&pem)
    );
    let plan =
        crate::connect::testing::plan_of(&kubeconfig, crate::connect::LoadOptions::default());
    assert!(!found.ca.is_empty());
    assert_eq!(found.ca, plan.rows[0].ca);
}

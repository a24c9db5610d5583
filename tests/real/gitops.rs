//! Argo CD's and Flux's documents in every state, on real servers with the real CRDs: each is shown in the right words.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::bed::{Bed, bed};
use crate::crds;
use crate::gitops_states::{
    COMMIT, NAMESPACE, ago, application, condition, flux, kustomization, merge, operation,
    operation_state, put,
};
use crate::kubeconfig::{self, Entry};
use crate::objects::{api_of, apply, namespace};
use crate::program::Driftdeck;
use crate::servers::{Cluster, User};

/// A hub of its own with Argo CD's kinds.
pub(crate) async fn hub(bed: &'static Bed, name: &'static str) -> Cluster {
    let hub = bed.start_edge(name).await;
    let client = hub.client(User::Admin).await;
    crds::install(&client, &crds::argo()).await;
    namespace(&client, NAMESPACE).await;
    hub
}

/// The program with a kubeconfig of these clusters.
fn driftdeck(bed: &'static Bed, clusters: &[&Cluster], file: &str) -> Driftdeck {
    let path = bed.dir.join(file);
    let entries: Vec<Entry<'_>> = clusters.iter().map(|c| Entry::of(c, User::Admin)).collect();
    kubeconfig::write(&path, &entries);
    Driftdeck::with(bed, &path)
}

/// Each row as `sync health: warning warning`, by `Kind/name`, or the bare name of an Application.
pub(crate) async fn rows(driftdeck: &Driftdeck, more: &str) -> BTreeMap<String, String> {
    let answer = driftdeck
        .run(&format!("apps --wait 40s -o json {more}"))
        .await;
    let mut found = BTreeMap::new();
    for item in answer.items() {
        let text = |key: &str| item[key].as_str().unwrap_or("-").to_owned();
        let name = if text("kind") == "Application" {
            text("name")
        } else {
            format!("{}/{}", text("kind"), text("name"))
        };
        let warnings: Vec<String> = item["warnings"]
            .as_array()
            .unwrap()
            .iter()
            .map(|w| {
                assert!(
                    w["text"].as_str().unwrap().ends_with('.'),
                    "a sentence: {w}"
                );
                assert!(
                    w["next"].as_str().unwrap().ends_with('.'),
                    "a next step: {w}"
                );
                w["kind"].as_str().unwrap().to_owned()
            })
            .collect();
        let words = format!(
            "{} {}: {}",
            text("sync"),
            text("health"),
            warnings.join(" ")
        );
        found.insert(name, words.trim_end().to_owned());
    }
    found
}

pub(crate) fn assert_rows(found: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, words) in expected {
        assert_eq!(
            found.get(*name).map(String::as_str),
            Some(*words),
            "{name} in {found:#?}"
        );
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

/// Argo CD's states: name, what differs from an application in order, and the words of its row.
#[expect(clippy::too_many_lines, reason = "a table of states")]
fn argo_states() -> Vec<(&'static str, Value, &'static str)> {
    let out = |more: Value| {
        let mut state = json!({ "status": { "sync": { "status": "OutOfSync" } } });
        merge(&mut state, &more);
        state
    };
    let auto = |automated: Value| json!({ "spec": { "syncPolicy": { "automated": automated } } });
    let with = |mut one: Value, other: Value| {
        merge(&mut one, &other);
        one
    };
    let condition = |kind: &str, message: &str| json!({ "status": { "conditions": [{ "type": kind, "message": message, "lastTransitionTime": ago(60) }] } });
    let history = json!({ "status": { "history": [{ "id": 0, "revision": COMMIT, "deployedAt": ago(600) }] } });
    let stale = ago(400);
    vec![
        ("in-order", json!({}), "Synced Healthy:"),
        (
            "never-seen",
            json!({ "status": { "sync": { "status": "Unknown" }, "health": { "status": "Unknown" }, "reconciledAt": null } }),
            "Unknown Unknown: never-compared",
        ),
        (
            "frozen",
            json!({ "metadata": { "annotations": { "argocd.argoproj.io/skip-reconcile": "true" } } }),
            "Synced Healthy: frozen",
        ),
        (
            "stale",
            json!({ "status": { "reconciledAt": stale } }),
            "Synced Healthy: hub-stale",
        ),
        (
            "comparison",
            with(
                condition("ComparisonError", "repository not accessible"),
                json!({ "status": { "sync": { "status": "Unknown" } } }),
            ),
            "Unknown Healthy: comparison-error",
        ),
        (
            "invalid",
            condition(
                "InvalidSpecError",
                "application destination is not permitted",
            ),
            "Synced Healthy: invalid-spec",
        ),
        (
            "shared",
            condition(
                "SharedResourceWarning",
                "ConfigMap/web is part of applications a and b",
            ),
            "Synced Healthy: shared-resource",
        ),
        (
            "repeated",
            condition("RepeatedResourceWarning", "ConfigMap/web appeared 2 times"),
            "Synced Healthy: repeated-resource",
        ),
        (
            "excluded",
            condition("ExcludedResourceWarning", "Endpoints/web is excluded"),
            "Synced Healthy: excluded-resource",
        ),
        (
            "orphans",
            condition("OrphanedResourceWarning", "2 orphaned resources"),
            "Synced Healthy: orphaned-resources",
        ),
        (
            "running",
            json!({ "operation": operation(), "status": { "operationState": operation_state("Running", "waiting for healthy state", None) } }),
            "Synced Healthy:",
        ),
        (
            "retrying",
            json!({ "operation": operation(), "status": { "operationState": operation_state("Running", "one or more objects failed to apply. Retrying attempt #2", Some(20)) } }),
            "Synced Healthy: operation-retrying",
        ),
        (
            "blocked",
            json!({ "operation": operation(), "status": { "operationState": operation_state("Running", "Sync operation blocked by sync window", None) } }),
            "Synced Healthy: operation-blocked",
        ),
        (
            "terminating",
            json!({ "operation": operation(), "status": { "operationState": operation_state("Terminating", "operation is terminating", None) } }),
            "Synced Healthy: operation-terminating",
        ),
        (
            "orphaned",
            json!({ "status": { "operationState": operation_state("Running", "", None) } }),
            "Synced Healthy: operation-orphaned",
        ),
        (
            "waiting",
            json!({ "operation": operation() }),
            "Synced Healthy: operation-waiting",
        ),
        (
            "left-over",
            json!({ "operation": operation(), "status": { "operationState": operation_state("Succeeded", "successfully synced", Some(200)) } }),
            "Synced Healthy: operation-stuck",
        ),
        (
            "hanging",
            with(
                json!({ "operation": operation(), "status": { "operationState": operation_state("Running", "waiting for completion of hook batch/Job/migrate", None) } }),
                json!({ "status": { "operationState": { "startedAt": ago(3_600) } } }),
            ),
            "Synced Healthy: operation-stuck",
        ),
        (
            "erred",
            json!({ "status": { "operationState": operation_state("Error", "rpc error: code = Unknown", Some(200)) } }),
            "Synced Healthy: operation-failed",
        ),
        (
            "failed",
            json!({ "status": { "operationState": operation_state("Failed", "one or more objects failed to apply", Some(200)) } }),
            "Synced Healthy: operation-failed",
        ),
        (
            "gave-up",
            with(
                auto(json!({ "selfHeal": true })),
                out(
                    json!({ "status": { "conditions": [{ "type": "SyncError", "message": "Failed last sync attempt to [9f31c02]: one or more objects failed to apply", "lastTransitionTime": ago(60) }] } }),
                ),
            ),
            "OutOfSync Healthy: auto-sync-gave-up sync-error",
        ),
        (
            "unhealed",
            with(auto(json!({})), out(history)),
            "OutOfSync Healthy: self-heal-off",
        ),
        (
            "unpruned",
            with(
                auto(json!({ "selfHeal": true })),
                out(
                    json!({ "status": { "resources": [{ "version": "v1", "kind": "ConfigMap", "namespace": "edge", "name": "old", "status": "OutOfSync", "requiresPruning": true }] } }),
                ),
            ),
            "OutOfSync Healthy: prune-off",
        ),
        (
            "unconfirmed",
            out(
                json!({ "status": { "resources": [{ "version": "v1", "kind": "Namespace", "name": "old", "status": "OutOfSync", "requiresPruning": true, "requiresDeletionConfirmation": true }] } }),
            ),
            "OutOfSync Healthy: confirm-deletion",
        ),
        (
            "lost",
            json!({ "status": { "sync": { "status": "Unknown" } } }),
            "Unknown Healthy: comparison-failed",
        ),
        (
            "undeletable",
            condition("DeletionError", "the namespace is terminating"),
            "Synced Healthy: deletion-error",
        ),
        (
            "unnamed",
            condition("UnknownError", "something else"),
            "Synced Healthy: condition",
        ),
        (
            "switched-off",
            with(
                auto(json!({ "enabled": false, "selfHeal": true })),
                out(json!({})),
            ),
            "OutOfSync Healthy: auto-sync-off",
        ),
        (
            "hydrating",
            json!({ "status": { "sourceHydrator": { "currentOperation": hydration("Hydrating", "") } } }),
            "Synced Healthy: hydrating",
        ),
        (
            "unhydrated",
            json!({ "status": { "sourceHydrator": { "currentOperation": hydration("Failed", "kustomize build failed") } } }),
            "Synced Healthy: hydration-failed",
        ),
        (
            "both-named",
            json!({ "spec": { "destination": { "name": "edge" } } }),
            "Synced Healthy: destination-invalid",
        ),
        (
            "nowhere",
            json!({ "spec": { "destination": { "server": "https://nowhere.example:6443" } } }),
            "Synced Healthy: unmatched",
        ),
        (
            "windowed",
            json!({ "spec": { "project": "closed" } }),
            "Synced Healthy: window-closed",
        ),
        (
            "shut",
            json!({ "spec": { "project": "shut" } }),
            "Synced Healthy: window-closed",
        ),
        (
            "let-in",
            json!({ "spec": { "project": "open" } }),
            "Synced Healthy:",
        ),
        (
            "abroad",
            json!({ "metadata": { "namespace": "team-a" } }),
            "Synced Healthy:",
        ),
        (
            "of-two",
            json!({
                "spec": { "source": null, "sources": [
                    { "repoURL": "https://127.0.0.1:9/fleet.git", "path": "web", "targetRevision": "main" },
                    { "repoURL": "https://127.0.0.1:9/values.git", "ref": "values", "targetRevision": "main" }] },
                "status": { "sync": { "revision": null, "revisions": [COMMIT, COMMIT] } },
            }),
            "Synced Healthy:",
        ),
        (
            "going",
            json!({ "metadata": { "finalizers": ["resources-finalizer.argocd.argoproj.io"] } }),
            "Synced Healthy: deleting",
        ),
        ("held-back", owned(), "Synced Healthy: rollout"),
        ("about-to-step", owned(), "Synced Healthy: rollout"),
        ("stepping", owned(), "Synced Healthy: rollout"),
        (
            "parent",
            json!({ "status": { "resources": [{ "group": "argoproj.io", "version": "v1alpha1", "kind": "Application", "namespace": NAMESPACE, "name": "unhealed", "status": "Synced" }] } }),
            "Synced Healthy: children",
        ),
    ]
}

/// Made by the set with the rolling strategy.
fn owned() -> Value {
    json!({ "metadata": { "ownerReferences": [{ "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "name": "fleet", "uid": "5d1c0e4e-0001-4a39-9d2d-6a1f0f0d7c11" }] } })
}

fn hydration(phase: &str, message: &str) -> Value {
    json!({ "phase": phase, "message": message, "startedAt": ago(60), "drySHA": COMMIT,
        "sourceHydrator": { "drySource": { "repoURL": "https://127.0.0.1:9/fleet.git", "path": ".", "targetRevision": "main" },
            "syncSource": { "path": "edge", "targetBranch": "env/edge" } } })
}

/// A set with a rolling strategy, and projects: always closed, closed but for people, always open.
fn argo_others() -> Vec<Value> {
    let at = ago(60);
    let step = |app: &str, status: &str, step: &str| json!({ "application": app, "status": status, "step": step, "message": "rolling", "lastTransitionTime": at, "targetRevisions": [COMMIT] });
    let set = json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet",
        "metadata": { "name": "fleet", "namespace": NAMESPACE },
        "spec": { "generators": [], "template": { "metadata": { "name": "x" }, "spec": { "project": "default",
            "source": { "repoURL": "https://127.0.0.1:9/fleet.git", "path": "." }, "destination": { "name": "edge" } } } },
        "status": {
            "conditions": [
                { "type": "ErrorOccurred", "status": "False", "reason": "ApplicationSetUpToDate", "message": "ok", "lastTransitionTime": at },
                { "type": "ResourcesUpToDate", "status": "False", "reason": "ApplicationSetModified", "message": "rolling", "lastTransitionTime": at },
                { "type": "RolloutProgressing", "status": "True", "reason": "ApplicationSetModified", "message": "rolling", "lastTransitionTime": at }],
            "applicationStatus": [step("held-back", "Waiting", "2"), step("about-to-step", "Pending", "1"), step("stepping", "Progressing", "1")] } });
    let mut broken = set.clone();
    broken["metadata"]["name"] = json!("broken");
    broken["status"] = json!({ "conditions": [{ "type": "ErrorOccurred", "status": "True", "reason": "ApplicationGenerationFromParamsError", "message": "bad generator", "lastTransitionTime": at }] });
    let project = |name: &str, windows: Value| {
        json!({ "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": { "name": name, "namespace": NAMESPACE },
        "spec": { "sourceRepos": ["*"], "destinations": [{ "server": "*", "namespace": "*" }], "syncWindows": windows } })
    };
    let window = |kind: &str, manual: bool| json!([{ "kind": kind, "schedule": "* * * * *", "duration": "1h", "applications": ["*"], "timeZone": "Europe/Oslo", "manualSync": manual }]);
    vec![
        set,
        broken,
        project("default", json!([])),
        project("closed", window("deny", false)),
        project("shut", window("deny", true)),
        project("open", window("allow", false)),
    ]
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn gitops_every_state_of_argo_cd_is_shown_in_its_words() {
    let bed = bed().await;
    let (hub, edge) = tokio::join!(hub(bed, "hub-states"), bed.start_edge("edge-states"));
    let client = hub.client(User::Admin).await;
    namespace(&client, "team-a").await;
    let mut expected = vec![
        ("ApplicationSet/fleet", "OutOfSync Progressing: rollout"),
        ("ApplicationSet/broken", "Unknown Degraded: set-error"),
    ];
    for document in argo_others() {
        put(&client, &document).await;
    }
    for (name, change, words) in argo_states() {
        put(&client, &application(name, &edge.url, &change)).await;
        expected.push((name, words));
    }
    let going = application("going", &edge.url, &json!({}));
    let api = api_of(&client, &going).await;
    api.delete("going", &DeleteParams::default()).await.unwrap();
    let driftdeck = driftdeck(bed, &[&hub, &edge], "states.kubeconfig");
    assert_rows(&rows(&driftdeck, "").await, &expected);

    for (app, words) in [
        ("held-back", "holds it back in step 2: earlier steps"),
        ("about-to-step", "is about to sync it in step 1."),
        ("stepping", "syncs it now in step 1."),
    ] {
        let wide = driftdeck
            .run(&format!("apps --wait 40s -o wide --app {app}"))
            .await;
        assert!(wide.out.contains(words), "{wide:#?}");
    }
    let answer = driftdeck
        .run("apps --wait 40s -o json --app windowed")
        .await;
    let pause = &answer.items()[0]["paused"];
    assert_eq!(pause["by"], "AppProject closed");
    assert!(pause["until"].is_string(), "{pause}");
    let answer = driftdeck.run("apps --wait 40s -o json --app shut").await;
    let next = &answer.items()[0]["warnings"][0]["next"];
    assert_eq!(next, "A manual sync is let through.");
    let answer = driftdeck.run("apps --wait 40s -o json --app abroad").await;
    assert_eq!(answer.items()[0]["namespace"], "team-a");
    let answer = driftdeck
        .run("apps --wait 40s -o json --app unhealed")
        .await;
    assert_eq!(answer.items()[0]["deployedBy"], "Application argocd/parent");
    let wide = driftdeck.run("apps --wait 40s -o wide --app gave-up").await;
    assert!(
        wide.out
            .contains("will not try it again, whatever selfHeal says."),
        "{wide:#?}"
    );

    // A pace in argocd-cm moves the limit.
    let settings = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "argocd-cm", "namespace": NAMESPACE },
        "data": { "timeout.reconciliation": "1h" } });
    apply(&client, "kubectl", &settings).await;
    let patient = rows(&driftdeck, "--app stale").await;
    assert_eq!(patient["stale"], "Synced Healthy:");
}

/// Flux's states, each with the words of its row.
#[expect(clippy::too_many_lines, reason = "a table of states")]
fn flux_states() -> Vec<(Value, &'static str)> {
    let applied = |name: &str| json!({ "lastAppliedRevision": format!("main@sha1:{name}"), "lastAttemptedRevision": format!("main@sha1:{name}") });
    let conditions = |list: Value| with_status(applied(COMMIT), json!({ "conditions": list }));
    let no = |reason: &str| {
        conditions(json!([condition(
            "Ready",
            "False",
            reason,
            "what went wrong"
        )]))
    };
    let ready = || {
        conditions(json!([condition(
            "Ready",
            "True",
            "ReconciliationSucceeded",
            "Applied revision"
        )]))
    };
    let stuck = json!([
        condition("Ready", "False", "InvalidPath", "path not found"),
        condition("Stalled", "True", "InvalidPath", "path not found")
    ]);
    let again = json!([
        condition("Ready", "False", "HealthCheckFailed", "timeout"),
        condition("Reconciling", "True", "ProgressingWithRetry", "retrying")
    ]);
    let tried = with_status(
        no("ReconciliationFailed"),
        json!({ "lastAttemptedRevision": "main@sha1:bbbb" }),
    );
    let source = "source.toolkit.fluxcd.io/v1";
    let stored =
        || json!({ "conditions": [condition("Ready", "True", "Succeeded", "stored artifact")] });
    let failed = || json!({ "conditions": [condition("Ready", "False", "GitOperationFailed", "authentication required"), condition("FetchFailed", "True", "GitOperationFailed", "authentication required")] });
    let release = |name: &str, spec: Value, status: Value| {
        let mut full = json!({ "interval": "10m", "chart": { "spec": { "chart": "web", "sourceRef": { "kind": "HelmRepository", "name": "charts" } } } });
        merge(&mut full, &spec);
        flux(
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            name,
            &full,
            &status,
        )
    };
    let drift = json!({ "conditions": [condition("Ready", "True", "UpgradeSucceeded", "ok"),
        condition("Drifted", "True", "DriftDetected", "Cluster state of release flux-system/web.v3 has drifted from the desired state")] });
    let operator = "fluxcd.controlplane.io/v1";
    let mut disabled = flux(
        operator,
        "ResourceSet",
        "tenants",
        &json!({}),
        &json!({ "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "ok")] }),
    );
    disabled["metadata"]["annotations"] = json!({ "fluxcd.controlplane.io/reconcile": "disabled" });
    vec![
        (
            kustomization("infra", &json!({}), &ready()),
            "Synced Healthy:",
        ),
        (
            kustomization("suspended", &json!({ "suspend": true }), &ready()),
            "Unknown Suspended: suspended",
        ),
        (
            kustomization("stalled", &json!({}), &conditions(stuck)),
            "OutOfSync Degraded: stalled",
        ),
        (
            kustomization("retried", &json!({}), &conditions(again)),
            "Synced Degraded: not-ready",
        ),
        (
            kustomization("unbuilt", &json!({}), &no("BuildFailed")),
            "OutOfSync Degraded: not-ready",
        ),
        (
            kustomization("tried", &json!({}), &tried),
            "OutOfSync Degraded: not-ready attempted",
        ),
        (
            kustomization(
                "waits",
                &json!({ "dependsOn": [{ "name": "unbuilt" }] }),
                &no("DependencyNotReady"),
            ),
            "OutOfSync Progressing: dependency",
        ),
        (
            kustomization(
                "ill-source",
                &json!({ "sourceRef": { "name": "locked" } }),
                &ready(),
            ),
            "Synced Healthy: source-failing",
        ),
        (
            kustomization(
                "no-source",
                &json!({ "sourceRef": { "name": "gone" } }),
                &ready(),
            ),
            "Synced Healthy: source-missing",
        ),
        (
            kustomization(
                "elsewhere",
                &json!({ "kubeConfig": { "secretRef": { "name": "nobody-kubeconfig" } } }),
                &ready(),
            ),
            "Synced Healthy: unmatched remote",
        ),
        (
            kustomization("new", &json!({}), &Value::Null),
            "Unknown Progressing: unobserved",
        ),
        (
            release(
                "web",
                json!({ "driftDetection": { "mode": "warn" } }),
                drift,
            ),
            "OutOfSync Healthy: drifted",
        ),
        (
            release(
                "upgrade",
                json!({}),
                json!({ "conditions": [condition("Ready", "False", "UpgradeFailed", "timed out waiting for the condition")] }),
            ),
            "OutOfSync Degraded: not-ready",
        ),
        (
            flux(
                source,
                "GitRepository",
                "fleet",
                &json!({ "interval": "1m", "url": "https://127.0.0.1:9/fleet.git", "ref": { "branch": "main" } }),
                &stored(),
            ),
            "Synced Healthy:",
        ),
        (
            flux(
                source,
                "GitRepository",
                "locked",
                &json!({ "interval": "1m", "url": "https://127.0.0.1:9/locked.git" }),
                &failed(),
            ),
            "Unknown Degraded: not-ready",
        ),
        (
            flux(
                source,
                "OCIRepository",
                "artifacts",
                &json!({ "interval": "1m", "url": "oci://registry.example/fleet" }),
                &stored(),
            ),
            "Synced Healthy:",
        ),
        (
            flux(
                source,
                "HelmRepository",
                "charts",
                &json!({ "interval": "1m", "url": "https://charts.example" }),
                &stored(),
            ),
            "Synced Healthy:",
        ),
        (
            flux(
                source,
                "HelmRepository",
                "oci",
                &json!({ "type": "oci", "url": "oci://registry.example/charts" }),
                &Value::Null,
            ),
            "Unknown Healthy:",
        ),
        (
            flux(
                source,
                "HelmChart",
                "web",
                &json!({ "interval": "1m", "chart": "web", "sourceRef": { "kind": "HelmRepository", "name": "charts" } }),
                &stored(),
            ),
            "Synced Healthy:",
        ),
        (
            flux(
                source,
                "Bucket",
                "models",
                &json!({ "interval": "1m", "bucketName": "models", "endpoint": "s3.example" }),
                &failed(),
            ),
            "Unknown Degraded: not-ready",
        ),
        (
            flux(
                source,
                "ExternalArtifact",
                "made",
                &json!({ "sourceRef": { "apiVersion": "example.org/v1", "kind": "Maker", "name": "made", "namespace": "flux-system" } }),
                &json!({ "conditions": [condition("Ready", "True", "Succeeded", "ok")] }),
            ),
            "Synced Healthy:",
        ),
        (
            flux(operator, "FluxInstance", "flux", &json!({}), &ready()),
            "Synced Healthy:",
        ),
        (disabled, "Unknown Suspended: suspended"),
    ]
}

fn with_status(mut one: Value, other: Value) -> Value {
    merge(&mut one, &other);
    one
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn gitops_every_state_of_flux_is_shown_in_its_words_beside_argo_cd() {
    let bed = bed().await;
    let edge = bed.start_edge("edge-flux").await;
    let client = edge.client(User::Admin).await;
    crds::install(&client, &crds::flux()).await;
    namespace(&client, "flux-system").await;
    let states = flux_states();
    for (document, _) in &states {
        put(&client, document).await;
    }
    let driftdeck = driftdeck(bed, &[&edge], "flux.kubeconfig");
    let found = rows(&driftdeck, "").await;
    let expected: Vec<(String, &str)> = states
        .iter()
        .map(|(d, words)| {
            let text = |v: &Value| v.as_str().unwrap().to_owned();
            (
                format!("{}/{}", text(&d["kind"]), text(&d["metadata"]["name"])),
                *words,
            )
        })
        .collect();
    let expected: Vec<(&str, &str)> = expected.iter().map(|(n, w)| (n.as_str(), *w)).collect();
    assert_rows(&found, &expected);

    let answer = driftdeck.run("apps --wait 40s -o json --app waits").await;
    assert_eq!(
        answer.status, 3,
        "what nobody but Flux judges is not called good: {answer:#?}"
    );
    let item = &answer.items()[0];
    assert_eq!(
        (&item["engine"], &item["verdict"]["source"]),
        (&json!("flux"), &json!("flux"))
    );
    let text = item["warnings"][0]["text"].as_str().unwrap();
    assert!(
        text.contains("Kustomization flux-system/unbuilt (failing)"),
        "{text}"
    );
    assert!(
        answer.out.contains("fleet.git could not be fetched"),
        "{}",
        answer.out
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn gitops_two_hubs_that_claim_one_edge_are_warned_of_on_both_and_names_lead_through_secrets()
{
    let bed = bed().await;
    let ((one, two), edge) = tokio::join!(
        async { tokio::join!(hub(bed, "hub-east"), hub(bed, "hub-west")) },
        bed.start_edge("edge-shared")
    );
    put(
        &one.client(User::Admin).await,
        &application("reader", &edge.url, &json!({})),
    )
    .await;
    let west = two.client(User::Admin).await;
    // The other hub knows the edge by the name in a cluster Secret.
    let encode = |text: &str| STANDARD.encode(text);
    let secret = json!({ "apiVersion": "v1", "kind": "Secret",
        "metadata": { "name": "cluster-shared", "namespace": NAMESPACE, "labels": { "argocd.argoproj.io/secret-type": "cluster" } },
        "data": { "name": encode("the-shared-one"), "server": encode(&format!("{}/", edge.url)), "config": encode("{}") } });
    apply(&west, "argocd", &secret).await;
    let mut other = application("writer", "", &json!({}));
    other["spec"]["destination"] = json!({ "name": "the-shared-one", "namespace": "edge" });
    put(&west, &other).await;
    let driftdeck = driftdeck(bed, &[&one, &two, &edge], "shared.kubeconfig");
    assert_rows(
        &rows(&driftdeck, "").await,
        &[
            ("reader", "Synced Healthy: two-hubs"),
            ("writer", "Synced Healthy: two-hubs"),
        ],
    );
    let answer = driftdeck.run("apps --wait 40s -o json").await;
    assert!(
        answer.items().iter().all(|i| i["cluster"] == "edge-shared"),
        "{answer:#?}"
    );
}

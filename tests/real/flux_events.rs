//! What Flux's controllers tell of drift in events, on a real server: each becomes a sentence on the row.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::bed::bed;
use crate::crds;
use crate::gitops_states::{ago, condition, flux, kustomization, put};
use crate::kubeconfig::{self, Entry};
use crate::objects::{apply, namespace};
use crate::program::Driftdeck;
use crate::servers::User;

/// An event as the controllers of Flux record it.
fn event(name: &str, about: &Value, reason: &str, seconds: i64, message: &str) -> Value {
    let metadata = &about["metadata"];
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": { "name": name, "namespace": "flux-system",
            "annotations": { "kustomize.toolkit.fluxcd.io/revision": "main@sha1:9f31c02aa" } },
        "involvedObject": { "apiVersion": about["apiVersion"], "kind": about["kind"],
            "namespace": metadata["namespace"], "name": metadata["name"] },
        "reason": reason, "message": message, "type": "Normal", "count": 1,
        "firstTimestamp": ago(seconds), "lastTimestamp": ago(seconds),
        "source": { "component": "flux" },
    })
}

fn release(name: &str) -> Value {
    let spec = json!({ "interval": "10m", "chartRef": { "kind": "OCIRepository", "name": "chart" },
        "driftDetection": { "mode": "enabled" } });
    let status = json!({ "conditions": [condition("Ready", "True", "UpgradeSucceeded", "ok")] });
    flux(
        "helm.toolkit.fluxcd.io/v2",
        "HelmRelease",
        name,
        &spec,
        &status,
    )
}

/// A Kustomization whose newest build stands since `from` seconds ago.
fn standing(name: &str, from: i64) -> Value {
    let history = json!([{ "digest": "sha256:00", "firstReconciled": ago(from), "lastReconciled": ago(10),
        "lastReconciledDuration": "1s", "lastReconciledStatus": "ReconciliationSucceeded", "totalReconciliations": 3 }]);
    let status = json!({ "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "ok")],
        "lastAppliedRevision": "main@sha1:9f31c02aa", "lastAttemptedRevision": "main@sha1:9f31c02aa", "history": history });
    kustomization(name, &json!({}), &status)
}

/// The warnings about drift, by application.
async fn drift_warnings(driftdeck: &Driftdeck) -> BTreeMap<String, Vec<String>> {
    let answer = driftdeck.run("apps --wait 40s -o json").await;
    let of = |item: &Value| {
        let warnings = item["warnings"].as_array().unwrap().iter();
        let told = warnings.filter(|w| w["kind"].as_str().unwrap().starts_with("drift"));
        told.map(|w| {
            format!(
                "{}: {}",
                w["kind"].as_str().unwrap(),
                w["text"].as_str().unwrap()
            )
        })
        .collect()
    };
    let items = answer.items();
    let named = items
        .iter()
        .map(|i| (i["name"].as_str().unwrap().to_owned(), of(i)));
    named.collect()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn flux_events_of_drift_found_and_corrected_are_sentences_on_the_rows() {
    let bed = bed().await;
    let edge = bed.start_edge("edge-flux-events").await;
    let client = edge.client(User::Admin).await;
    crds::install(&client, &crds::flux()).await;
    namespace(&client, "flux-system").await;
    let drifted = "Cluster state of release edge/web.v3 has drifted from the desired state:\nDeployment/edge/web changed (0 additions, 1 changes, 0 removals)";
    let configured = "Deployment/edge/web configured";
    let documents = [
        release("found"),
        release("mended"),
        standing("infra", 600),
        standing("fresh", 60),
    ];
    for document in &documents {
        put(&client, document).await;
    }
    let [found, mended, infra, fresh] = &documents;
    for event in [
        event("found.1", found, "DriftDetected", 100, drifted),
        event("mended.1", mended, "DriftDetected", 100, drifted),
        event(
            "mended.2",
            mended,
            "DriftCorrected",
            99,
            "Cluster state of release edge/web.v3 has been corrected:\nDeployment/edge/web configured",
        ),
        event("infra.1", infra, "Progressing", 120, configured),
        // The apply of the build that stands now.
        event("fresh.1", fresh, "Progressing", 62, configured),
    ] {
        apply(&client, "flux", &event).await;
    }
    let path = bed.dir.join("flux-events.kubeconfig");
    kubeconfig::write(&path, &[Entry::of(&edge, User::Admin)]);
    let told = drift_warnings(&Driftdeck::with(bed, &path)).await;
    let only = |name: &str| {
        assert_eq!(told[name].len(), 1, "{told:#?}");
        told[name][0].as_str()
    };
    assert!(only("found").starts_with("drifted: Flux found that the cluster differs from the release: Deployment/edge/web changed (0 additions, 1 changes, 0 removals)."), "{told:#?}");
    for name in ["mended", "infra"] {
        assert!(
            only(name).starts_with("drift-corrected: Flux corrected drift at "),
            "{told:#?}"
        );
        assert!(
            only(name).ends_with("Deployment/edge/web configured."),
            "{told:#?}"
        );
    }
    assert!(told["fresh"].is_empty(), "{told:#?}");
}

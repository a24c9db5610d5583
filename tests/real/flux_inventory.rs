//! The health of what Flux's inventories name, on a real server: what nobody here renders is watched all the same.

use serde_json::{Value, json};

use crate::bed::bed;
use crate::crds;
use crate::gitops_states::{condition, flux, kustomization, put};
use crate::kubeconfig::{self, Entry};
use crate::objects::namespace;
use crate::program::Driftdeck;
use crate::servers::User;

fn deployment(name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name, "namespace": "edge" },
        "spec": { "replicas": 2, "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } },
                "spec": { "containers": [{ "name": name, "image": "registry.example/reader:1.0.0" }] } } },
    })
}

/// A Deployment as its controller leaves it: whole, or stuck for longer than its deadline.
fn rolled_out(name: &str, ready: i64) -> Value {
    let progress = if ready == 2 {
        json!({ "type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable" })
    } else {
        json!({ "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "ReplicaSet has timed out progressing." })
    };
    let mut object = deployment(name);
    object["status"] = json!({ "observedGeneration": 1, "replicas": 2, "updatedReplicas": 2,
        "readyReplicas": ready, "availableReplicas": ready, "conditions": [{ "type": "Available", "status": "True" }, progress] });
    object
}

fn inventory(names: &[&str]) -> Value {
    let entries: Vec<Value> = names
        .iter()
        .map(|name| json!({ "id": format!("edge_{name}_apps_Deployment"), "v": "v1" }))
        .collect();
    json!({ "entries": entries })
}

fn release(name: &str, ready: &str, names: &[&str]) -> Value {
    let spec =
        json!({ "interval": "10m", "chartRef": { "kind": "OCIRepository", "name": "chart" } });
    let status = json!({ "conditions": [condition("Ready", ready, "UpgradeFailed", "timeout")], "inventory": inventory(names) });
    flux(
        "helm.toolkit.fluxcd.io/v2",
        "HelmRelease",
        name,
        &spec,
        &status,
    )
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn flux_inventories_give_their_health_to_the_rows_of_application_and_cluster() {
    let bed = bed().await;
    let edge = bed.start_edge("edge-flux-inventory").await;
    let client = edge.client(User::Admin).await;
    crds::install(&client, &crds::flux()).await;
    namespace(&client, "flux-system").await;
    namespace(&client, "edge").await;
    put(&client, &rolled_out("whole", 2)).await;
    put(&client, &rolled_out("other", 2)).await;
    put(&client, &rolled_out("stuck", 0)).await;
    let from_registry = json!({ "sourceRef": { "kind": "OCIRepository", "name": "chart" } });
    let status = json!({ "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "ok")], "inventory": inventory(&["stuck"]),
        "lastAppliedRevision": "latest@sha256:00", "lastAttemptedRevision": "latest@sha256:00" });
    for document in [
        release("well", "True", &["whole"]),
        release("failed", "False", &["other"]),
        release("gone", "True", &["whole-no-more"]),
        kustomization("infra", &from_registry, &status),
    ] {
        put(&client, &document).await;
    }
    let path = bed.dir.join("flux-inventory.kubeconfig");
    kubeconfig::write(&path, &[Entry::of(&edge, User::Admin)]);
    let driftdeck = Driftdeck::with(bed, &path);
    let items = driftdeck.run("apps --wait 40s -o json").await.items();
    let row = |name: &str| {
        let item = items.iter().find(|i| i["name"] == name).unwrap();
        let text = |key: &str| item[key].as_str().unwrap().to_owned();
        (text("seenHealth"), text("healthSource"))
    };
    let ours = |health: &str| (health.to_owned(), "computed".to_owned());
    assert_eq!(row("well"), ours("Healthy"));
    assert_eq!(row("infra"), ours("Degraded"), "Flux calls it ready");
    assert_eq!(row("gone"), ours("Missing"));
    assert_eq!(row("failed"), ("Degraded".to_owned(), "flux".to_owned()));
    let status = driftdeck.run("status --wait 40s -o json").await;
    let health = &status.items()[0]["health"];
    assert_eq!(
        (&health["degraded"], &health["missing"]),
        (&json!(1), &json!(1)),
        "{health}"
    );
}

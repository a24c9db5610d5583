//! Put back what Flux applied: by Flux itself, and directly under its name. The test stands in for kustomize-controller.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::answers::{assert_clean, item};
use crate::flux_drift::{Edge, PIN, apps_spec, overlay, provide};
use crate::gitops_states::kustomization;
use crate::objects::{api_of, apply, live, name_of};

const ANNOTATION: &str = "reconcile.fluxcd.io/requestedAt";

/// Handles one request as kustomize-controller does: applies everything, then says which request it handled.
async fn reconcile_once(client: kube::Client) -> String {
    let document = kustomization("apps", &json!({}), &Value::Null);
    loop {
        let found = live(&client, &document).await.unwrap();
        if let Some(asked) = found["metadata"]["annotations"][ANNOTATION].as_str() {
            for object in overlay() {
                apply(&client, "kustomize-controller", &object).await;
            }
            let handled = json!({ "status": { "lastHandledReconcileAt": asked } });
            let api = api_of(&client, &document).await;
            let params = PatchParams::default();
            api.patch_status(&name_of(&document), &params, &Patch::Merge(&handled))
                .await
                .unwrap();
            return asked.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

impl Edge {
    /// What somebody does in a hurry.
    fn scale_by_hand(&self) {
        let change = json!({ "spec": { "replicas": 5 } });
        self.kubectl
            .patch("edge", "deployment/oslo-reader", &change);
    }

    async fn deployment(&self) -> Value {
        live(&self.client().await, &overlay()[0]).await.unwrap()
    }

    async fn suspend(&self) {
        let document = kustomization("apps", &json!({}), &Value::Null);
        let api = api_of(&self.client().await, &document).await;
        let change = json!({ "spec": { "suspend": true } });
        api.patch("apps", &PatchParams::default(), &Patch::Merge(&change))
            .await
            .unwrap();
    }
}

/// Who owns `spec.replicas`.
fn owners(deployment: &Value) -> Vec<&str> {
    let entries = deployment["metadata"]["managedFields"].as_array().unwrap();
    let of_replicas = entries
        .iter()
        .filter(|e| !e["fieldsV1"]["f:spec"]["f:replicas"].is_null());
    of_replicas
        .map(|e| e["manager"].as_str().unwrap())
        .collect()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn what_flux_applied_is_put_back_by_flux_or_under_its_name() {
    let edge = Edge::start("edge-flux-revert").await;
    let client = edge.client().await;
    let commit = edge.repository.resolve("HEAD");
    provide(&client).await;
    edge.source(&commit).await;
    edge.deploy("apps", &apps_spec(), &commit, &overlay()).await;
    edge.scale_by_hand();
    let stolen = json!({"data": {"url": "https://stolen@broker.example"}});
    edge.kubectl.patch("edge", "configmap/oslo-reader", &stolen);

    let plan = edge.driftdeck.run("revert --wait 40s -o json").await;
    let targets = plan.json()["targets"].as_array().unwrap().clone();
    assert_eq!(targets.len(), 2, "{plan:#?}");
    let scaled = item(&targets, "Deployment", "oslo-reader");
    assert_eq!(
        (&scaled["route"], &scaled["skipped"]),
        (&json!("flux"), &Value::Null),
        "{scaled:#}"
    );
    let secretive = item(&targets, "ConfigMap", "oslo-reader")["skipped"]
        .as_str()
        .unwrap();
    assert!(
        secretive.starts_with("values of Secrets stand in it"),
        "{secretive}"
    );

    let by_flux = edge
        .driftdeck
        .run("revert --via flux --write --yes --wait 40s -o json");
    let (run, asked) = tokio::join!(by_flux, reconcile_once(client.clone()));
    let outcomes = run.json()["outcomes"].as_array().unwrap().clone();
    let of_deployment = outcomes
        .iter()
        .find(|o| o["target"]["kind"] == "Deployment");
    assert_eq!(of_deployment.unwrap()["outcome"], "reverted", "{run:#?}");
    assert!(asked.ends_with('Z'), "{asked}");
    assert_eq!(edge.deployment().await["spec"]["replicas"], 2);
    assert_clean(&edge.driftdeck.run("drift --wait 40s -o json").await);
    let journal = edge.driftdeck.run("journal -o json").await;
    assert!(journal.out.contains("\"flux\""), "{}", journal.out);

    edge.suspend().await;
    edge.scale_by_hand();
    let refused = edge
        .driftdeck
        .run("revert --via flux --wait 40s -o json")
        .await;
    let why = refused.json()["targets"][0]["skipped"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        why.contains("flux resume kustomization apps -n flux-system"),
        "{why}"
    );
    let run = edge
        .driftdeck
        .run("revert --write --yes --wait 40s -o json")
        .await;
    assert_eq!(run.status, 0, "{run:#?}");
    let deployment = edge.deployment().await;
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(owners(&deployment), ["kustomize-controller"]);

    for text in [
        &plan.out,
        &run.out,
        &journal.out,
        &edge.driftdeck.everything_on_disk(),
    ] {
        assert!(!text.contains(PIN), "a Secret's value is told");
    }
}

//! Put back what a HelmRelease installed: directly under helm-controller's name, and by Flux itself. The test stands in for helm-controller.

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::answers::{assert_clean, item};
use crate::flux_release::{Stand, VALUES, chart, spec, template, values};
use crate::gitops_states::flux;
use crate::objects::{api_of, apply, live, name_of};
use crate::program::Answer;

const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";
const FORCED: &str = "reconcile.fluxcd.io/forceAt";

const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata: {name: '{{ .Release.Name }}', annotations: {edge.example/site: {{ .Values.site }}}}
spec:
  selector: {app: '{{ .Release.Name }}'}
  ports: [{name: web, port: 8080}]
";

fn release() -> Value {
    flux(
        "helm.toolkit.fluxcd.io/v2",
        "HelmRelease",
        "reader",
        &json!({}),
        &Value::Null,
    )
}

/// Handles one request to force an upgrade as helm-controller does: applies everything, then says which request it handled.
async fn upgrade_once(client: kube::Client, objects: &[Value]) -> String {
    loop {
        let found = live(&client, &release()).await.unwrap();
        let asked = |key: &str| found["metadata"]["annotations"][key].as_str();
        if let (Some(asked), true) = (asked(REQUESTED), asked(REQUESTED) == asked(FORCED)) {
            for object in objects {
                apply(&client, "helm-controller", object).await;
            }
            let handled = json!({ "status": { "lastHandledReconcileAt": asked, "lastHandledForceAt": asked } });
            let api = api_of(&client, &release()).await;
            let params = PatchParams::default();
            api.patch_status(&name_of(&release()), &params, &Patch::Merge(&handled))
                .await
                .unwrap();
            return asked.to_owned();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// The stand with a release in order: the chart of `flux_release`, and a Service without anything of a Secret's.
async fn deployed(name: &'static str) -> (Stand, Vec<Value>) {
    let stand = Stand::new(name).await;
    let files: Vec<_> = chart()
        .into_iter()
        .chain([("templates/service.yaml", SERVICE)])
        .collect();
    stand.charts.publish("edge-microservice", "1.2.0", &files);
    stand.provide().await;
    stand.source(&template(), "1.2.0").await;
    let objects = stand.rendered("1.2.0", &values());
    let newest = json!({"chartVersion": "1.2.0", "configDigest": VALUES});
    stand.deploy(&spec(), &newest, &objects).await;
    assert_clean(&stand.drift().await);
    (stand, objects)
}

impl Stand {
    /// What somebody does in a hurry: the number of a port, and Helm's own label.
    fn renumber_the_port(&self) {
        let script = "s/port: 8080/port: 9090/; s#app.kubernetes.io/managed-by: Helm#app.kubernetes.io/managed-by: nobody#";
        self.kubectl.edit("edge", "service/edge-reader", script);
    }

    /// And what every way of applying puts back.
    fn change_the_selector(&self) {
        let script = "s/app: edge-reader/app: somebody/; s#edge.example/site: oslo#edge.example/site: bergen#";
        self.kubectl.edit("edge", "service/edge-reader", script);
    }

    async fn service(&self) -> Value {
        let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge-reader", "namespace": "edge"}});
        live(&self.client().await, &service).await.unwrap()
    }

    async fn revert(&self, how: &str) -> Answer {
        let line = format!("revert {how} --wait 60s -o json");
        self.driftdeck.run(&line).await
    }
}

/// As Helm and Flux left it.
fn assert_as_installed(service: &Value) {
    assert_eq!(
        service["spec"]["ports"].as_array().unwrap().len(),
        1,
        "{service:#}"
    );
    assert_eq!(service["spec"]["ports"][0]["port"], 8080, "{service:#}");
    assert_eq!(service["spec"]["selector"]["app"], "edge-reader");
    let meta = &service["metadata"];
    assert_eq!(meta["labels"]["app.kubernetes.io/managed-by"], "Helm");
    assert_eq!(meta["labels"]["helm.toolkit.fluxcd.io/name"], "reader");
    assert_eq!(
        meta["annotations"]["meta.helm.sh/release-name"],
        "edge-reader"
    );
    assert_eq!(meta["annotations"]["edge.example/site"], "oslo");
}

/// Who owns anything below `spec.ports`.
fn owners(service: &Value) -> Vec<&str> {
    let entries = service["metadata"]["managedFields"].as_array().unwrap();
    let of_ports = entries
        .iter()
        .filter(|e| !e["fieldsV1"]["f:spec"]["f:ports"].is_null());
    of_ports.map(|e| e["manager"].as_str().unwrap()).collect()
}

fn outcome<'a>(run: &'a Value, kind: &str) -> Option<&'a Value> {
    let outcomes = run["outcomes"].as_array().unwrap();
    outcomes.iter().find(|o| o["target"]["kind"] == kind)
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn what_a_release_installed_is_put_back_under_helm_controllers_name() {
    let (stand, _) = deployed("edge-bgo-095").await;
    stand.renumber_the_port();
    let site = json!({"data": {"site": "bergen"}});
    stand
        .kubectl
        .patch("edge", "configmap/edge-reader-config", &site);

    let plan = stand.revert("").await;
    assert_eq!(plan.status, 2, "a plan alone sends nothing: {plan:#?}");
    assert_eq!(stand.service().await["spec"]["ports"][0]["port"], 9090);
    let targets = plan.json()["targets"].as_array().unwrap().clone();
    let service = item(&targets, "Service", "edge-reader");
    assert_eq!(
        (&service["route"], &service["skipped"]),
        (&json!("direct"), &Value::Null),
        "{service:#}"
    );
    assert!(
        service["warnings"]
            .to_string()
            .contains("driftDetection.mode is not enabled"),
        "{service:#}"
    );
    let map = item(&targets, "ConfigMap", "edge-reader-config");
    let why = map["skipped"].as_str().unwrap();
    assert!(
        why.starts_with("values of Secrets stand in it (valuesFrom)"),
        "{why}"
    );
    assert!(
        why.contains("flux reconcile helmrelease reader -n flux-system --force"),
        "{why}"
    );

    let by_flux = stand.revert("--via flux").await.json()["targets"].clone();
    let refused =
        item(by_flux.as_array().unwrap(), "Service", "edge-reader")["skipped"].to_string();
    assert!(
        refused.contains("Duplicate value"),
        "two ports of one name: {refused}"
    );

    let run = stand.revert("--write --yes --note INC-731").await;
    assert_eq!(
        outcome(&run.json(), "Service").unwrap()["outcome"],
        "reverted",
        "{run:#?}"
    );
    let service = stand.service().await;
    assert_as_installed(&service);
    assert_eq!(owners(&service), ["helm-controller"]);
    let left = stand.drift().await.items();
    assert_eq!(left.len(), 1, "only the ConfigMap: {left:#?}");

    let journal = stand.driftdeck.run("journal -o json").await;
    assert!(journal.out.contains("INC-731"), "{}", journal.out);
    assert_eq!(stand.driftdeck.run("journal --verify").await.status, 0);
    let saved = journal.items()[0]["undo"].as_str().unwrap().to_owned();
    let saved: Value = serde_json::from_str(&stand.driftdeck.state(&saved)).unwrap();
    assert_eq!(saved["state"]["was"], "present", "{saved:#}");
    assert_eq!(saved["state"]["object"]["spec"]["ports"][0]["port"], 9090);
    for answer in [&plan, &run, &journal] {
        stand.assert_silent(answer);
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn flux_is_asked_to_force_an_upgrade_and_puts_everything_back() {
    let (stand, objects) = deployed("edge-bgo-096").await;
    stand.change_the_selector();
    stand
        .kubectl
        .run(&["delete", "-n", "edge", "configmap/edge-reader-config"]);

    let plan = stand.revert("--via flux").await;
    let targets = plan.json()["targets"].as_array().unwrap().clone();
    let service = item(&targets, "Service", "edge-reader");
    let warnings = service["warnings"].to_string();
    assert_eq!(service["route"], "flux", "{service:#}");
    assert!(
        warnings.contains("a forced upgrade is asked for"),
        "{warnings}"
    );
    assert!(
        warnings.contains("applies all of the HelmRelease reader"),
        "{warnings}"
    );

    let client = stand.client().await;
    let by_flux = stand.revert("--via flux --write --yes");
    let (run, asked) = tokio::join!(by_flux, upgrade_once(client, &objects));
    assert!(asked.ends_with('Z'), "{asked}");
    assert_eq!(
        outcome(&run.json(), "Service").unwrap()["outcome"],
        "reverted",
        "{run:#?}"
    );
    assert_as_installed(&stand.service().await);
    assert_clean(&stand.drift().await);
    let journal = stand.driftdeck.run("journal -o json").await;
    assert!(journal.out.contains("\"flux\""), "{}", journal.out);
    for answer in [&plan, &run, &journal] {
        stand.assert_silent(answer);
    }
}

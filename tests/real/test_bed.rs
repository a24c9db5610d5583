//! The test bed itself: does the stage hold what the story needs?

use std::process::Command;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Service};
use kube::Api;
use kube::api::{Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use crate::argo::MANAGER;
use crate::bed::{EDGES, bed, blocking};
use crate::kubectl::Kubectl;
use crate::netns::MetricsHost;
use crate::objects::{api_of, namespace};
use crate::servers::User;
use crate::story::{Policy, Team};

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_namespace_is_created_on_a_real_api_server() {
    let bed = bed().await;
    let namespaces: Api<Namespace> = Api::all(bed.hub.client(User::Admin).await);
    let namespace =
        serde_json::from_value(json!({ "metadata": { "name": "first-light" } })).unwrap();
    let created = namespaces
        .create(&PostParams::default(), &namespace)
        .await
        .unwrap();
    assert!(created.metadata.uid.is_some());
    assert!(
        namespaces.get("kube-system").await.is_ok(),
        "the cluster's own identity must be there"
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn kubectl_reaches_every_cluster_and_each_is_a_cluster_of_its_own() {
    let bed = bed().await;
    let mut uids = Vec::new();
    for cluster in std::iter::once(&bed.hub).chain(&bed.edges) {
        let kubectl = Kubectl::on(bed, cluster, User::Admin);
        uids.push(kubectl.run(&[
            "get",
            "namespace",
            "kube-system",
            "-o",
            "jsonpath={.metadata.uid}",
        ]));
    }
    uids.sort();
    uids.dedup();
    assert_eq!(uids.len(), 1 + EDGES.len(), "one identity for each cluster");
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_viewer_looks_and_the_operator_changes() {
    let bed = bed().await;
    let edge = &bed.edges[0];
    let may = |user: User, question: &[&str]| {
        let arguments = [&["auth", "can-i"], question].concat();
        Kubectl::on(bed, edge, user).try_run(&arguments, "").is_ok()
    };
    assert!(may(User::Viewer, &["list", "deployments.apps", "-A"]));
    assert!(may(User::Viewer, &["get", "services/proxy", "-A"]));
    assert!(!may(User::Viewer, &["list", "secrets", "-A"]));
    assert!(!may(User::Viewer, &["patch", "deployments.apps", "-A"]));
    assert!(may(User::Operator, &["patch", "deployments.apps", "-A"]));
    assert!(may(User::Operator, &["list", "secrets", "-A"]));
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_application_kind_has_no_status_subresource_and_checks_types() {
    let bed = bed().await;
    let client = bed.hub.client(User::Admin).await;
    let application = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": { "name": "types", "namespace": "argocd" },
        "spec": { "project": "default", "destination": { "name": "nowhere" } },
    });
    let api = api_of(&client, &application).await;
    api.create(
        &PostParams::default(),
        &serde_json::from_value(application).unwrap(),
    )
    .await
    .unwrap();
    let params = PatchParams::default();
    let status = json!({ "status": { "reconciledAt": "2026-11-21T04:00:00Z" } });
    let refused = api
        .patch_status("types", &params, &Patch::Merge(&status))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(s) if s.code == 404),
        "{refused}"
    );
    api.patch("types", &params, &Patch::Merge(&status))
        .await
        .unwrap();
    let wrong = json!({ "spec": { "project": 7 } });
    let refused = api
        .patch("types", &params, &Patch::Merge(&wrong))
        .await
        .unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(s) if s.code == 422 && s.message.contains("spec.project")),
        "{refused}"
    );
    api.delete("types", &kube::api::DeleteParams::default())
        .await
        .unwrap();
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_repository_is_cloned_and_pushed_over_https_and_only_with_its_authority() {
    let bed = bed().await;
    let repository = bed.git.repository("clone-me");
    let file = |text: &str| [("a/config.yaml".to_owned(), text.to_owned())];
    let first = repository.commit("One", &file("one"));
    let second = repository.commit("Two", &file("two"));
    assert_ne!(first, second);
    assert_eq!(repository.resolve("HEAD"), second);
    assert_eq!(repository.files(&first, "a"), ["one"]);
    let stranger = Command::new("git")
        .args(["ls-remote", &repository.url])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_SSL_CAINFO")
        .output()
        .unwrap();
    assert!(
        !stranger.status.success(),
        "a client that does not know the authority must be turned away"
    );
}

#[tokio::test]
#[ignore = "needs real servers and root: run .ci/run as root"]
async fn a_metrics_endpoint_answers_through_the_real_service_proxy() {
    let bed = bed().await;
    let client = bed.edges[0].client(User::Admin).await;
    namespace(&client, "proxied").await;
    let services: Api<Service> = Api::namespaced(client.clone(), "proxied");
    let spec = json!({ "ports": [{ "name": "web", "port": 8080 }] });
    let service = json!({ "metadata": { "name": "sensor" }, "spec": spec });
    services
        .create(
            &PostParams::default(),
            &serde_json::from_value(service).unwrap(),
        )
        .await
        .unwrap();
    let viewer = bed.edges[0].client(User::Viewer).await;
    let scrape = async || {
        let path = "/api/v1/namespaces/proxied/services/sensor:web/proxy/metrics";
        viewer
            .request_text(http::Request::get(path).body(Vec::new()).unwrap())
            .await
    };
    // Nothing stands behind it: the server then denies the Service itself.
    let refused = scrape().await.unwrap_err();
    assert!(
        matches!(&refused, kube::Error::Api(s) if s.code == 404),
        "{refused}"
    );
    let host = MetricsHost::start("sensor_reads_total 41\n");
    host.stand_behind(&client, "proxied", "sensor").await;
    assert_eq!(scrape().await.unwrap(), "sensor_reads_total 41\n");
    host.set_text("sensor_reads_total 42\n");
    assert_eq!(scrape().await.unwrap(), "sensor_reads_total 42\n");
    assert_eq!(host.scrapes(), 2);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_fleet_of_the_story_is_deployed_by_its_controller() {
    let team = Team::deploy("stage-check", Policy::MANUAL).await;
    let commit = team.repository.resolve("HEAD");
    for app in &team.apps {
        let deployment = team.live(app, "Deployment", "stage-check").await.unwrap();
        assert_eq!(deployment["spec"]["replicas"], 2);
        let id = format!(
            "{}:apps/Deployment:stage-check-namespace/stage-check",
            app.app
        );
        assert_eq!(
            deployment["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
            json!(id)
        );
        assert_eq!(
            managers(&deployment),
            [(MANAGER.to_owned(), "Apply".to_owned())]
        );
        let monitor = team
            .live(app, "ServiceMonitor", "stage-check-monitor")
            .await
            .unwrap();
        assert_eq!(monitor["metadata"]["namespace"], "monitoring");
        let application = app.application().await;
        assert_eq!(application["status"]["sync"]["status"], "Synced");
        assert_eq!(
            application["status"]["history"][0]["revision"],
            json!(commit)
        );
        assert_eq!(
            application["status"]["operationState"]["phase"],
            "Succeeded"
        );
        assert!(application["operation"].is_null());
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_client_side_apply_leaves_what_argo_cd_leaves() {
    let team = Team::deploy("stage-classic", Policy::CLASSIC).await;
    let deployment = team
        .live(team.on(EDGES[0]), "Deployment", "stage-classic")
        .await
        .unwrap();
    assert!(
        deployment["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"]
            .is_string()
    );
    assert_eq!(
        managers(&deployment),
        [(MANAGER.to_owned(), "Update".to_owned())]
    );
}

/// The stand-in must be as unforgiving as the controllers in the field, or the tests of the operation prove nothing.
#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn an_operation_written_without_clearing_the_state_inherits_the_one_before() {
    let team = Team::deploy("stage-leak", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    let options = json!(["CreateNamespace=true", "ServerSideApply=true"]);
    let one = json!([{ "group": "", "kind": "ConfigMap", "name": "stage-leak-config" }]);
    ask(
        app,
        &json!({ "operation": { "sync": { "syncOptions": options, "resources": one } } }),
    )
    .await;
    let full = json!({ "operation": { "sync": { "syncOptions": options } } });
    let leaked = ask(app, &full).await;
    assert_eq!(
        synced(&leaked),
        ["stage-leak-config"],
        "the resources of the operation before leak in"
    );
    assert_eq!(leaked["status"]["history"].as_array().unwrap().len(), 1);
    let mut cleared = full.clone();
    cleared["status"] = json!({ "operationState": null });
    let whole = ask(app, &cleared).await;
    assert!(synced(&whole).len() > 8, "{:?}", synced(&whole));
    assert_eq!(whole["status"]["history"].as_array().unwrap().len(), 2);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_restarted_api_server_still_holds_its_objects() {
    let bed = bed().await;
    let cluster = Arc::new(bed.start_edge("edge-trd-099").await);
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(User::Admin).await, "default");
    let map = json!({ "metadata": { "name": "kept" }, "data": { "k": "v" } });
    maps.create(
        &PostParams::default(),
        &serde_json::from_value(map).unwrap(),
    )
    .await
    .unwrap();
    let restarting = cluster.clone();
    blocking(move || restarting.restart()).await;
    let maps: Api<ConfigMap> = Api::namespaced(cluster.client(User::Admin).await, "default");
    assert_eq!(maps.get("kept").await.unwrap().data.unwrap()["k"], "v");
    blocking(move || drop(cluster)).await;
}

/// Writes to an Application as a foreign client does, and lets the controller carry it out.
async fn ask(app: &crate::argo::Controller, patch: &Value) -> Value {
    app.applications()
        .await
        .patch(&app.app, &PatchParams::default(), &Patch::Merge(patch))
        .await
        .unwrap();
    app.play().await;
    app.application().await
}

/// The names in the result of the last operation.
fn synced(application: &Value) -> Vec<String> {
    let rows = application["status"]["operationState"]["syncResult"]["resources"]
        .as_array()
        .unwrap();
    rows.iter()
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect()
}

/// Who owns fields of the object, and how they came to.
fn managers(object: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let entries = object["metadata"]["managedFields"].as_array().unwrap();
    entries
        .iter()
        .map(|entry| (text(&entry["manager"]), text(&entry["operation"])))
        .collect()
}

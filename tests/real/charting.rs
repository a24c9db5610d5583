//! Charts of chart repositories and registries, from the URL in the Application to the verdict that `driftdeck` prints, beside what `helm` itself says.

use std::path::PathBuf;

use driftdeck::drift::yaml::{Limits, parse_documents};
use serde_json::{Value, json};

use crate::answers::{assert_clean, changes, item};
use crate::bed::bed;
use crate::chart_server::ChartServer;
use crate::crds;
use crate::gitops_states::{COMMIT, ago, application, put};
use crate::kubeconfig::{self, Entry};
use crate::kubectl::Kubectl;
use crate::objects::{apply, namespace};
use crate::program::Driftdeck;
use crate::servers::{Cluster, User};

/// Where the charts' objects live, as in `application`.
const NAMESPACE: &str = "edge-microservice-namespace";

fn helm() -> PathBuf {
    let folder = std::env::var_os("DRIFTDECK_RENDERERS");
    let folder = folder.expect("DRIFTDECK_RENDERERS is not set: run .ci/real");
    PathBuf::from(folder).join("helm")
}

const TEMPLATE: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {chart: '{{ .Chart.Name }}-{{ .Chart.Version }}'}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      containers:
      - name: app
        image: registry.example/edge-microservice:{{ .Chart.Version }}
";

const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-config'}\ndata: {mode: {{ .Values.mode | quote }}, chart: '{{ .Chart.Version }}'}\n";

/// The files of a chart that depends on nothing.
fn chart() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "Chart.yaml",
            "apiVersion: v2\nname: edge-microservice\nversion: 0.0.0\n",
        ),
        ("values.yaml", "replicas: 1\nmode: default\n"),
        ("templates/deployment.yaml", TEMPLATE),
        ("templates/map.yaml", MAP),
    ]
}

/// A cluster that carries its own Argo CD, a chart server, and the program.
struct Stand {
    cluster: Cluster,
    charts: ChartServer,
    driftdeck: Driftdeck,
    kubectl: Kubectl,
}

impl Stand {
    async fn new(name: &'static str) -> Self {
        let bed = bed().await;
        let cluster = bed.start_edge(name).await;
        let client = cluster.client(User::Admin).await;
        crds::install(&client, &crds::argo()).await;
        namespace(&client, "argocd").await;
        namespace(&client, NAMESPACE).await;
        let dir = bed.dir.join(format!("charts-{name}"));
        std::fs::create_dir_all(&dir).unwrap();
        let charts = ChartServer::start(&dir, &helm());
        let kubeconfig = dir.join("kubeconfig");
        kubeconfig::write(&kubeconfig, &[Entry::of(&cluster, User::Admin)]);
        let driftdeck = Driftdeck::with(bed, &kubeconfig);
        driftdeck.configure(&format!(
            "[desired]\nhelm = \"{}\"\nca-file = \"{}\"\n",
            helm().display(),
            charts.ca_file.display()
        ));
        Self {
            cluster,
            charts,
            driftdeck,
            kubectl: Kubectl::with(bed, &kubeconfig),
        }
    }

    /// An Application of this source that Argo CD deployed at a version: its objects are what `helm` prints.
    async fn deploy(&self, name: &str, source: &Value, version: &str, printed: &str) {
        let client = self.cluster.client(User::Admin).await;
        let history =
            json!([{ "id": 0, "revision": version, "deployedAt": ago(600), "source": source }]);
        let change = json!({
            "spec": { "source": { "path": null } },
            "status": { "sync": { "revision": version }, "history": history },
        });
        let mut document = application(name, "https://kubernetes.default.svc", &change);
        document["spec"]["source"] = source.clone();
        put(&client, &document).await;
        for mut object in parse_documents(printed.as_bytes(), &Limits::default()).unwrap() {
            let (kind, own) = (
                object["kind"].as_str().unwrap(),
                object["metadata"]["name"].as_str().unwrap(),
            );
            let group = object["apiVersion"]
                .as_str()
                .unwrap()
                .split_once('/')
                .map_or("", |(group, _)| group);
            let id = format!("{name}:{group}/{kind}:{NAMESPACE}/{own}");
            object["metadata"]["namespace"] = json!(NAMESPACE);
            object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = json!(id);
            apply(&client, "argocd-controller", &object).await;
        }
    }

    async fn drift(&self, app: &str) -> crate::program::Answer {
        self.driftdeck
            .run(&format!("drift --app {app} --wait 60s -o json"))
            .await
    }

    fn disturb(&self, deployment: &str) {
        self.kubectl.edit(
            NAMESPACE,
            &format!("deployment/{deployment}"),
            "s/^  replicas: 3$/  replicas: 5/",
        );
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_chart_of_a_repository_is_judged_from_its_url_to_the_edited_field() {
    let stand = Stand::new("edge-charts-001").await;
    stand.charts.publish("edge-microservice", "1.2.0", &chart());
    let source = json!({
        "repoURL": stand.charts.repository(), "chart": "edge-microservice", "targetRevision": "1.x",
        "helm": { "valuesObject": { "replicas": 3 }, "parameters": [{ "name": "mode", "value": "edge" }] },
    });
    let repository = stand.charts.repository();
    let printed = stand.charts.run(&[
        "template",
        "reader",
        "edge-microservice",
        "--repo",
        &repository,
        "--version",
        "1.x",
        "--ca-file",
        &stand.charts.ca_file.display().to_string(),
        "--namespace",
        NAMESPACE,
        "--set",
        "replicas=3,mode=edge",
    ]);
    stand.deploy("reader", &source, "1.2.0", &printed).await;
    assert_clean(&stand.drift("reader").await);

    stand.disturb("reader");
    let answer = stand.drift("reader").await;
    assert_eq!(answer.status, 1, "{answer:#?}");
    let items = answer.items();
    assert_eq!(items.len(), 1, "{items:#?}");
    let deployment = item(&items, "Deployment", "reader");
    assert_eq!(deployment["state"], "edited");
    assert_eq!(
        deployment["desired"],
        json!({ "repo": repository, "revision": "1.2.0", "path": "templates/deployment.yaml" })
    );
    let changed = changes(deployment);
    assert_eq!(changed.len(), 1, "{changed:#?}");
    assert_eq!(changed[0].0, "spec.replicas");

    stand.charts.publish("edge-microservice", "1.3.0", &chart());
    let answer = stand.drift("reader").await;
    let items = answer.items();
    let states: Vec<&Value> = items.iter().map(|i| &i["state"]).collect();
    assert!(
        states.contains(&&json!("behind")),
        "a newer version in range: {items:#?}"
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_chart_of_a_registry_is_judged_too_and_one_that_is_gone_is_named() {
    let stand = Stand::new("edge-charts-002").await;
    let archive = stand.charts.publish("edge-microservice", "1.2.0", &chart());
    stand
        .charts
        .push("edge/edge-microservice", "1.2.0", &archive);
    let source = json!({
        "repoURL": format!("{}/edge", stand.charts.address), "chart": "edge-microservice", "targetRevision": "1.2.0",
        "helm": { "values": "replicas: 3\n" },
    });
    let url = format!("oci://{}/edge/edge-microservice", stand.charts.address);
    let printed = stand.charts.run(&[
        "template",
        "registered",
        &url,
        "--version",
        "1.2.0",
        "--set",
        "replicas=3",
        "--ca-file",
        &stand.charts.ca_file.display().to_string(),
        "--namespace",
        NAMESPACE,
    ]);
    stand.deploy("registered", &source, "1.2.0", &printed).await;
    assert_clean(&stand.drift("registered").await);
    stand.disturb("registered");
    let items = stand.drift("registered").await.items();
    let deployment = item(&items, "Deployment", "registered");
    assert_eq!(deployment["desired"]["repo"], json!(url));
    assert_eq!(changes(deployment)[0].0, "spec.replicas");

    // What was pulled stays; what was never pulled is a named state and no guess.
    stand.charts.close();
    assert_eq!(stand.drift("registered").await.items().len(), 1);
    let mut gone = source.clone();
    gone["targetRevision"] = json!("9.9.9");
    stand.deploy("gone", &gone, "9.9.9", "").await;
    let apps = stand.driftdeck.run("apps --wait 60s -o json").await.items();
    let gone = apps.iter().find(|a| a["name"] == "gone").unwrap();
    let message = gone["message"].as_str().unwrap_or_default();
    assert!(message.contains("9.9.9"), "{gone:#}");
    assert_eq!(gone["verdict"]["source"], "argo", "{gone:#}");
}

/// What Argo CD's server answers for an application: what it rendered, with the values of Secrets masked.
fn managed_resources(objects: &[Value]) -> String {
    let items: Vec<Value> = objects
        .iter()
        .map(|o| json!({ "kind": o["kind"], "name": o["metadata"]["name"], "targetState": o.to_string(), "liveState": "null" }))
        .collect();
    json!({ "items": items }).to_string()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn an_application_of_a_plugin_is_judged_by_argo_cds_api_and_without_it_by_what_was_last_applied()
 {
    let stand = Stand::new("edge-plugin-001").await;
    let source = json!({ "repoURL": "https://127.0.0.1:9/fleet.git", "path": ".", "plugin": { "name": "any" } });
    let manifest =
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plugged-config}\ndata: {mode: edge}\n";
    stand.deploy("plugged", &source, COMMIT, manifest).await;
    let client = stand.cluster.client(User::Admin).await;
    let resources = json!([{ "version": "v1", "kind": "ConfigMap", "namespace": NAMESPACE, "name": "plugged-config", "status": "Synced" }]);
    let mut document = application(
        "plugged",
        "https://kubernetes.default.svc",
        &json!({ "status": { "resources": resources, "sync": { "revision": COMMIT } } }),
    );
    document["spec"]["source"] = source.clone();
    document["status"]["history"] =
        json!([{ "id": 0, "revision": COMMIT, "deployedAt": ago(600), "source": source }]);
    put(&client, &document).await;
    let id = format!("plugged:/ConfigMap:{NAMESPACE}/plugged-config");
    let wanted = json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "plugged-config", "namespace": NAMESPACE,
        "annotations": { "argocd.argoproj.io/tracking-id": id } }, "data": { "mode": "edge" } });

    // Nothing is configured: the engine's word, and the object's own copy of what was applied.
    let mut applied = wanted.clone();
    applied["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
        json!(wanted.to_string());
    applied["data"]["mode"] = json!("edited");
    apply(&client, "argocd-controller", &applied).await;
    let answer = stand.drift("plugged").await;
    let items = answer.items();
    let map = item(&items, "ConfigMap", "plugged-config");
    assert_eq!(map["source"], "last-applied", "{map:#}");
    assert_eq!(changes(map)[0].0, "data.mode");
    assert_eq!(
        answer.json()["unjudged"].as_array().unwrap().len(),
        1,
        "{answer:#?}"
    );

    let path = "/api/v1/applications/plugged/managed-resources";
    stand.charts.put(
        path,
        managed_resources(std::slice::from_ref(&wanted)).into(),
    );
    let token = stand.driftdeck.file("token", "t0ken");
    stand.driftdeck.configure(&format!(
        "[[hub]]\ncontext = \"edge-plugin-001\"\nargocd-url = \"https://{}\"\nargocd-token = \"file:{}\"\nargocd-ca-file = \"{}\"\n",
        stand.charts.address, token.display(), stand.charts.ca_file.display(),
    ));
    let items = stand.drift("plugged").await.items();
    let map = item(&items, "ConfigMap", "plugged-config");
    assert_eq!(map["source"], "argo-api", "{map:#}");
    assert_eq!(changes(map)[0].0, "data.mode");
    apply(&client, "argocd-controller", &wanted).await;
    let apps = stand
        .driftdeck
        .run("apps --app plugged --wait 60s -o json")
        .await
        .items();
    assert_eq!(apps[0]["verdict"]["state"], "Synced", "{:#}", apps[0]);
    assert_eq!(apps[0]["verdict"]["source"], "argo-api");
    assert!(
        apps[0]["message"].as_str().unwrap().contains("plugin"),
        "{:#}",
        apps[0]
    );
}

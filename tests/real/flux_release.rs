//! What HelmReleases of Flux install, judged: charts with values of ConfigMaps and Secrets, with the statuses that Flux writes and the objects that
//! `helm` itself renders, applied as helm-controller does.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use driftdeck::drift::yaml::{Limits, parse_documents};
use serde_json::{Value, json};

use crate::answers::{assert_clean, changes, item};
use crate::bed::bed;
use crate::chart_server::ChartServer;
use crate::crds;
use crate::gitops_states::{ago, condition, flux, put};
use crate::kubeconfig::{self, Entry};
use crate::kubectl::Kubectl;
use crate::objects::{apply, namespace};
use crate::program::{Answer, Driftdeck};
use crate::servers::{Cluster, User};

/// What Secrets of the cluster give to the values.
const PIN: &str = "hunter2-and-more";
const USER: &str = "broker-reader";

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {chart: '{{ .Chart.Name }}-{{ .Chart.Version }}', tier: {{ .Values.tier }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata:
      labels: {app: {{ .Release.Name }}}
      annotations: {checksum/secret: {{ .Values.db.password | sha256sum }}}
    spec:
      containers:
      - name: app
        image: registry.example/edge-microservice:{{ .Values.image.tag }}
        env:
        - {name: SITE, value: {{ .Values.site | quote }}}
        - {name: PIN, value: {{ .Values.db.password | quote }}}
        {{- if .Values.db.tls }}
        - {name: TLS, value: 'on'}
        {{- end }}
        resources: {limits: {cpu: {{ .Values.db.cpu }}, memory: 1024Mi}}
";
const MAP: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-config'}\ndata:\n  site: {{ .Values.site | quote }}\n  url: 'https://{{ .Values.db.user }}:{{ .Values.db.password }}@broker.example'\n";
const SECRET: &str = "apiVersion: v1\nkind: Secret\nmetadata: {name: '{{ .Release.Name }}-pins'}\ndata: {pin: {{ .Values.db.password | b64enc }}}\n";
const HOOK: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: '{{ .Release.Name }}-hook'\n  annotations: {helm.sh/hook: pre-install}\ndata: {a: b}\n";
const TEST: &str = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: '{{ .Release.Name }}-test'\n  annotations: {helm.sh/hook: test}\nspec: {containers: [{name: a, image: a}]}\n";
const DEFINITION: &str = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: sites.edge.example}\nspec:\n  group: edge.example\n  names: {kind: Site, plural: sites, singular: site, listKind: SiteList}\n  scope: Namespaced\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n";

fn chart() -> Vec<(&'static str, &'static str)> {
    vec![
        (
            "Chart.yaml",
            "apiVersion: v2\nname: edge-microservice\nversion: 0.0.0\n",
        ),
        (
            "values.yaml",
            "replicas: 1\nsite: nowhere\ntier: none\nimage: {tag: '0'}\ndb: {password: none, user: none, tls: false, cpu: '0'}\n",
        ),
        ("values-edge.yaml", "tier: edge\nreplicas: 9\n"),
        ("templates/deployment.yaml", DEPLOYMENT),
        ("templates/map.yaml", MAP),
        ("templates/secret.yaml", SECRET),
        ("templates/hook.yaml", HOOK),
        ("templates/tests/pod.yaml", TEST),
        ("crds/sites.yaml", DEFINITION),
    ]
}

/// A cluster with Flux's kinds, a chart server, and the program.
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
        crds::install(&client, &crds::flux()).await;
        namespace(&client, "flux-system").await;
        namespace(&client, "edge").await;
        let dir = bed.dir.join(format!("releases-{name}"));
        std::fs::create_dir_all(&dir).unwrap();
        let folder = std::env::var_os("DRIFTDECK_RENDERERS");
        let folder = PathBuf::from(folder.expect("DRIFTDECK_RENDERERS is not set: run .ci/real"));
        let charts = ChartServer::start(&dir, &folder.join("helm"));
        let path = dir.join("kubeconfig");
        kubeconfig::write(&path, &[Entry::of(&cluster, User::Admin)]);
        let driftdeck = Driftdeck::with(bed, &path);
        driftdeck.configure(&format!(
            "[desired]\nhelm = \"{0}/helm\"\nkustomize = \"{0}/kustomize\"\nca-file = \"{1}\"\n",
            folder.display(),
            charts.ca_file.display()
        ));
        Self {
            cluster,
            charts,
            driftdeck,
            kubectl: Kubectl::with(bed, &path),
        }
    }

    async fn client(&self) -> kube::Client {
        self.cluster.client(User::Admin).await
    }

    /// What ConfigMaps and Secrets give.
    async fn provide(&self) {
        let client = self.client().await;
        let site = "site: oslo\nreplicas: 3\ndb: {user: nobody, tls: false}\n";
        let pins = format!("db: {{user: {USER}, tls: true, cpu: 1000m}}\n");
        for object in [
            json!({"kind": "ConfigMap", "metadata": {"name": "site"}, "data": {"values.yaml": site}}),
            json!({"kind": "Secret", "metadata": {"name": "broker"}, "data": {"values.yaml": STANDARD.encode(pins)}}),
            json!({"kind": "Secret", "metadata": {"name": "pins"}, "data": {"pin": STANDARD.encode(PIN)}}),
        ] {
            let mut object = object;
            object["apiVersion"] = json!("v1");
            object["metadata"]["namespace"] = json!("flux-system");
            apply(&client, "kubectl", &object).await;
        }
    }

    /// The repository and the HelmChart that Flux makes of the template.
    async fn source(&self, chart: &Value, version: &str) {
        let client = self.client().await;
        let ready = [condition("Ready", "True", "Succeeded", "stored artifact")];
        let artifact = |revision: &str| {
            json!({
                "conditions": ready,
                "artifact": {"path": "x", "url": "http://source-controller/x", "revision": revision, "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": ago(600)},
            })
        };
        let api = "source.toolkit.fluxcd.io/v1";
        let repository = json!({"interval": "10m", "url": self.charts.repository()});
        let index = artifact("sha256:aaaa");
        put(
            &client,
            &flux(api, "HelmRepository", "stable", &repository, &index),
        )
        .await;
        let mut spec = chart.clone();
        spec["interval"] = json!("10m");
        let packaged = artifact(version);
        let name = "flux-system-reader";
        put(&client, &flux(api, "HelmChart", name, &spec, &packaged)).await;
    }

    /// A HelmRelease of which Flux has deployed a version, and what it brought.
    async fn deploy(&self, spec: &Value, version: &str, objects: &[Value]) {
        let client = self.client().await;
        for object in objects {
            apply(&client, "helm-controller", object).await;
        }
        let entries: Vec<Value> = objects.iter().map(crate::flux_drift::entry).collect();
        let status = json!({
            "conditions": [condition("Ready", "True", "InstallSucceeded", "Helm install succeeded")],
            "history": [{
                "name": "edge-reader", "namespace": "edge", "version": 1, "status": "deployed", "chartName": "edge-microservice", "chartVersion": version,
                "configDigest": format!("sha256:{}", "1".repeat(64)), "digest": format!("sha256:{}", "2".repeat(64)),
                "firstDeployed": ago(600), "lastDeployed": ago(600),
            }],
            "helmChart": "flux-system/flux-system-reader", "storageNamespace": "flux-system",
            "lastAttemptedRevision": version, "inventory": {"entries": entries},
        });
        let document = flux(
            "helm.toolkit.fluxcd.io/v2",
            "HelmRelease",
            "reader",
            spec,
            &status,
        );
        put(&client, &document).await;
    }

    /// What `helm` renders with these values, as Flux applies it: hooks left out, marked as Helm and Flux mark it.
    fn rendered(&self, version: &str, values: &Value) -> Vec<Value> {
        let file = self.charts.work.join("values.json");
        std::fs::write(&file, values.to_string()).unwrap();
        let printed = self.charts.run(&[
            "template",
            "edge-reader",
            "edge-microservice",
            "--repo",
            &self.charts.repository(),
            "--version",
            version,
            "--ca-file",
            &self.charts.ca_file.display().to_string(),
            "--namespace",
            "edge",
            "--no-hooks",
            "--values",
            &file.display().to_string(),
        ]);
        std::fs::remove_file(&file).unwrap();
        let objects = parse_documents(printed.as_bytes(), &Limits::default()).unwrap();
        objects.into_iter().map(installed).collect()
    }

    async fn drift(&self) -> Answer {
        self.driftdeck.run("drift --wait 60s -o json").await
    }

    /// Neither what is printed nor what is on disk holds what a Secret gave, in whatever form.
    fn assert_silent(&self, answer: &Answer) {
        let disk = self.driftdeck.everything_on_disk();
        for secret in [PIN, USER, &STANDARD.encode(PIN), "1000m"] {
            for text in [&answer.out, &answer.err, &disk] {
                assert!(!text.contains(secret), "`{secret}` is shown: {text}");
            }
        }
    }
}

fn installed(mut object: Value) -> Value {
    object["metadata"]["namespace"] = json!("edge");
    for (map, key, value) in [
        ("labels", "app.kubernetes.io/managed-by", "Helm"),
        ("labels", "helm.toolkit.fluxcd.io/name", "reader"),
        ("labels", "helm.toolkit.fluxcd.io/namespace", "flux-system"),
        ("annotations", "meta.helm.sh/release-name", "edge-reader"),
        ("annotations", "meta.helm.sh/release-namespace", "edge"),
    ] {
        object["metadata"][map][key] = json!(value);
    }
    object
}

fn template() -> Value {
    json!({"chart": "edge-microservice", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "stable"}})
}

fn spec() -> Value {
    json!({
        "interval": "10m", "targetNamespace": "edge", "chart": {"spec": template()},
        "values": {"image": {"tag": "1.1.0"}},
        "valuesFrom": [
            {"kind": "ConfigMap", "name": "site"},
            {"kind": "Secret", "name": "broker"},
            {"kind": "Secret", "name": "pins", "valuesKey": "pin", "targetPath": "db.password"},
            {"kind": "ConfigMap", "name": "not-there", "optional": true},
        ],
    })
}

/// What the references and the release's own values come to, merged by hand.
fn values() -> Value {
    json!({
        "site": "oslo", "replicas": 3, "image": {"tag": "1.1.0"},
        "db": {"user": USER, "tls": true, "cpu": "1000m", "password": PIN},
    })
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_helm_release_is_judged_with_its_values_and_nothing_of_a_secret_is_shown() {
    let stand = Stand::new("edge-bgo-090").await;
    stand.charts.publish("edge-microservice", "1.2.0", &chart());
    stand.provide().await;
    stand.source(&template(), "1.2.0").await;
    let objects = stand.rendered("1.2.0", &values());
    assert_eq!(objects.len(), 3, "{objects:#?}");
    stand.deploy(&spec(), "1.2.0", &objects).await;
    let answer = stand.drift().await;
    assert_clean(&answer);
    stand.assert_silent(&answer);

    stand.kubectl.edit(
        "edge",
        "deployment/edge-reader",
        "s/replicas: 3/replicas: 5/",
    );
    let url =
        json!({"data": {"url": "https://broker-reader:stolen@broker.example", "site": "bergen"}});
    stand.kubectl.run(&[
        "patch",
        "-n",
        "edge",
        "configmap/edge-reader-config",
        "-p",
        &url.to_string(),
    ]);
    stand
        .kubectl
        .run(&["delete", "-n", "edge", "secret/edge-reader-pins"]);
    let answer = stand.drift().await;
    assert_eq!(answer.status, 1, "{answer:#?}");
    let items = answer.items();
    assert_eq!(items.len(), 3, "{items:#?}");
    let deployment = item(&items, "Deployment", "edge-reader");
    assert_eq!(
        deployment["desired"],
        json!({"repo": stand.charts.repository(), "revision": "1.2.0", "path": "templates/deployment.yaml"})
    );
    let changed = |path: &str, desired: Value, live: Value, manager: &str| {
        (
            path.to_owned(),
            "changed".to_owned(),
            desired,
            live,
            manager.to_owned(),
        )
    };
    assert_eq!(
        changes(deployment),
        [changed("spec.replicas", json!(3), json!(5), "kubectl-edit")]
    );
    assert_eq!(
        changes(item(&items, "ConfigMap", "edge-reader-config")),
        [
            changed("data.site", json!("oslo"), json!("bergen"), "kubectl-patch"),
            changed("data.url", json!("••• 1"), json!("••• 2"), "kubectl-patch"),
        ]
    );
    assert_eq!(
        item(&items, "Secret", "edge-reader-pins")["states"],
        json!(["missing"])
    );
    assert!(!answer.out.contains("stolen"), "{}", answer.out);
    stand.assert_silent(&answer);
}

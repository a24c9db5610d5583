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
use crate::gitops_states::{ago, condition, flux, kustomization, merge, put};
use crate::kubeconfig::{self, Entry};
use crate::kubectl::Kubectl;
use crate::objects::{apply, namespace};
use crate::program::{Answer, Driftdeck};
use crate::servers::{Cluster, User};

/// What Secrets of the cluster give to the values.
pub(crate) const PIN: &str = "hunter2-and-more";
const USER: &str = "broker-reader";

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels: {chart: '{{ .Chart.Name }}-{{ .Chart.Version | replace `+` `_` }}', tier: {{ .Values.tier }}}
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

pub(crate) fn chart() -> Vec<(&'static str, &'static str)> {
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
pub(crate) struct Stand {
    cluster: Cluster,
    pub(crate) charts: ChartServer,
    pub(crate) driftdeck: Driftdeck,
    pub(crate) kubectl: Kubectl,
}

impl Stand {
    pub(crate) async fn new(name: &'static str) -> Self {
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

    pub(crate) async fn client(&self) -> kube::Client {
        self.cluster.client(User::Admin).await
    }

    /// What ConfigMaps and Secrets give.
    pub(crate) async fn provide(&self) {
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
    pub(crate) async fn source(&self, chart: &Value, version: &str) {
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
    pub(crate) async fn deploy(&self, spec: &Value, newest: &Value, objects: &[Value]) {
        let client = self.client().await;
        for object in objects {
            apply(&client, "helm-controller", object).await;
        }
        let entries: Vec<Value> = objects.iter().map(crate::flux_drift::entry).collect();
        let mut history = json!({
            "name": "edge-reader", "namespace": "edge", "version": 1, "status": "deployed", "chartName": "edge-microservice",
            "digest": format!("sha256:{}", "2".repeat(64)), "firstDeployed": ago(600), "lastDeployed": ago(600),
        });
        merge(&mut history, newest);
        let status = json!({
            "conditions": [condition("Ready", "True", "InstallSucceeded", "Helm install succeeded")],
            "history": [history], "helmChart": "flux-system/flux-system-reader", "storageNamespace": "flux-system",
            "lastAttemptedRevision": newest["chartVersion"], "inventory": {"entries": entries},
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
    pub(crate) fn rendered(&self, version: &str, values: &Value) -> Vec<Value> {
        self.rendered_with(&["--version", version], values)
    }

    fn rendered_with(&self, words: &[&str], values: &Value) -> Vec<Value> {
        let file = self.charts.work.join("values.json");
        std::fs::write(&file, values.to_string()).unwrap();
        let (ca, file_name) = (
            self.charts.ca_file.display().to_string(),
            file.display().to_string(),
        );
        let repository = self.charts.repository();
        let mut all = vec!["template", "edge-reader", "edge-microservice"];
        all.extend(["--repo", &repository, "--ca-file", &ca]);
        all.extend(["--namespace", "edge", "--no-hooks"]);
        all.extend(words);
        all.extend(["--values", &file_name]);
        let printed = self.charts.run(&all);
        std::fs::remove_file(&file).unwrap();
        let objects = parse_documents(printed.as_bytes(), &Limits::default()).unwrap();
        objects.into_iter().map(installed).collect()
    }

    pub(crate) async fn drift(&self) -> Answer {
        self.driftdeck.run("drift --wait 60s -o json").await
    }

    /// Neither what is printed nor what is on disk holds what a Secret gave, in whatever form.
    pub(crate) fn assert_silent(&self, answer: &Answer) {
        let disk = self.driftdeck.everything_on_disk();
        for secret in [PIN, USER, &STANDARD.encode(PIN), "1000m"] {
            for text in [&answer.out, &answer.err, &disk] {
                assert!(!text.contains(secret), "`{secret}` is shown: {text}");
            }
        }
    }
}

/// CRDs beside the templates get Flux's labels and nothing of Helm's.
fn installed(mut object: Value) -> Value {
    if object["kind"] == "CustomResourceDefinition" {
        object["metadata"]["labels"] = json!({"helm.toolkit.fluxcd.io/name": "reader", "helm.toolkit.fluxcd.io/namespace": "flux-system"});
        return object;
    }
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

pub(crate) fn template() -> Value {
    json!({"chart": "edge-microservice", "version": "1.x", "sourceRef": {"kind": "HelmRepository", "name": "stable"}})
}

pub(crate) fn spec() -> Value {
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

/// What Flux writes as the digest of [`values`].
pub(crate) const VALUES: &str =
    "sha256:aa50cd15086afd97efa43f7539ee258c3c2bc7ab899208acab09877d5cde8425";

/// What the references and the release's own values come to, merged by hand.
pub(crate) fn values() -> Value {
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
    stand
        .deploy(
            &spec(),
            &json!({"chartVersion": "1.2.0", "configDigest": VALUES}),
            &objects,
        )
        .await;
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
    stand
        .kubectl
        .patch("edge", "configmap/edge-reader-config", &url);
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

fn steps() -> Value {
    let patch = "- op: add\n  path: /metadata/labels/environment\n  value: production\n";
    let excluded = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: edge-reader-config\n  annotations: {helm.toolkit.fluxcd.io/driftDetection: disabled}\n";
    json!({
        "interval": "10m", "targetNamespace": "edge", "chart": {"spec": packaged()},
        "install": {"crds": "CreateReplace"},
        "values": {"image": {"tag": "1.1.0"}, "db": {"cpu": "500m"}},
        "commonMetadata": {"labels": {"team": "edge"}, "annotations": {"owner": "on-call"}},
        "postRenderers": [
            {"kustomize": {"patches": [{"target": {"kind": "Deployment"}, "patch": patch}]}},
            {"kustomize": {"patches": [{"patch": excluded}], "images": [{"name": "registry.example/edge-microservice", "newTag": "1.1.1"}]}},
        ],
        "driftDetection": {"mode": "warn", "ignore": [{"paths": ["/spec/replicas"], "target": {"kind": "Deployment"}}]},
    })
}

/// A chart whose values files Flux packages in the place of its `values.yaml`.
fn packaged() -> Value {
    let mut chart = template();
    chart["valuesFiles"] = json!(["values.yaml", "values-edge.yaml"]);
    chart
}

/// The digest of the values in [`steps`].
const STEPS: &str = "sha256:002ad72cd847a0f1c60d35821ff6b03b4ff3ac9d49f717384dea86b6519b8469";

/// What the steps make of what `helm` renders, by hand.
fn stepped(mut object: Value) -> Value {
    if object["kind"] == "CustomResourceDefinition" {
        return object;
    }
    let metadata = &mut object["metadata"];
    metadata["labels"]["team"] = json!("edge");
    metadata["annotations"]["owner"] = json!("on-call");
    match object["kind"].as_str().unwrap() {
        "Deployment" => {
            object["metadata"]["labels"]["environment"] = json!("production");
            object["metadata"]["labels"]["chart"] = json!("edge-microservice-1.2.0_1");
            let container = &mut object["spec"]["template"]["spec"]["containers"][0];
            container["image"] = json!("registry.example/edge-microservice:1.1.1");
        }
        "ConfigMap" => {
            object["metadata"]["annotations"]["helm.toolkit.fluxcd.io/driftDetection"] =
                json!("disabled");
        }
        _ => {}
    }
    object
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn post_renderers_common_metadata_values_files_crds_and_ignore_rules_are_heeded() {
    let stand = Stand::new("edge-bgo-091").await;
    stand.charts.publish("edge-microservice", "1.2.0", &chart());
    stand.source(&packaged(), "1.2.0+1").await;
    let values = stand
        .charts
        .work
        .join("edge-microservice-1.2.0/values-edge.yaml");
    let words = [
        "--version",
        "1.2.0",
        "--include-crds",
        "--values",
        &values.display().to_string(),
    ];
    let inline = json!({"image": {"tag": "1.1.0"}, "db": {"cpu": "500m"}});
    let objects: Vec<Value> = stand
        .rendered_with(&words, &inline)
        .into_iter()
        .map(stepped)
        .collect();
    assert_eq!(objects.len(), 4, "{objects:#?}");
    let newest = json!({"chartVersion": "1.2.0+1", "configDigest": STEPS});
    stand.deploy(&steps(), &newest, &objects).await;
    assert_clean(&stand.drift().await);

    stand.kubectl.edit(
        "edge",
        "deployment/edge-reader",
        "s/replicas: 9/replicas: 5/",
    );
    let site = json!({"data": {"site": "bergen"}});
    stand
        .kubectl
        .patch("edge", "configmap/edge-reader-config", &site);
    let answer = stand.drift().await;
    assert_clean(&answer);
    let diff = stand
        .driftdeck
        .run("diff edge-bgo-091/Deployment/edge/edge-reader --wait 60s -o json")
        .await;
    assert!(
        diff.out
            .contains("an ignore rule of Flux names /spec/replicas"),
        "{}",
        diff.out
    );
    let diff = stand
        .driftdeck
        .run("diff edge-bgo-091/ConfigMap/edge/edge-reader-config --wait 60s -o json")
        .await;
    assert!(
        diff.out.contains("driftDetection says disabled"),
        "{}",
        diff.out
    );

    stand.kubectl.run(&[
        "label",
        "-n",
        "edge",
        "deployment/edge-reader",
        "--overwrite",
        "team=nobody",
    ]);
    stand
        .kubectl
        .run(&["delete", "customresourcedefinition/sites.edge.example"]);
    let items = stand.drift().await.items();
    assert_eq!(items.len(), 2, "{items:#?}");
    let found = changes(item(&items, "Deployment", "edge-reader"));
    assert_eq!(found[0].0, "metadata.labels.team", "{found:#?}");
    let definition = item(&items, "CustomResourceDefinition", "sites.edge.example");
    assert_eq!(definition["states"], json!(["missing"]));
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_release_that_flux_has_not_rolled_out_is_named_and_a_newer_chart_makes_it_behind() {
    let stand = Stand::new("edge-bgo-092").await;
    stand.charts.publish("edge-microservice", "1.2.0", &chart());
    stand.provide().await;
    stand.source(&template(), "1.2.0").await;
    let objects = stand.rendered("1.2.0", &values());
    let newest = json!({"chartVersion": "1.2.0", "configDigest": VALUES});
    stand.deploy(&spec(), &newest, &objects).await;
    assert_clean(&stand.drift().await);

    let newer: Vec<(&str, &str)> = chart()
        .into_iter()
        .map(|(path, text)| match path {
            "templates/map.yaml" => (path, "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-config'}\ndata: {site: elsewhere}\n"),
            _ => (path, text),
        })
        .collect();
    stand.charts.publish("edge-microservice", "1.3.0", &newer);
    stand.source(&template(), "1.3.0").await;
    let items = stand.drift().await.items();
    let map = item(&items, "ConfigMap", "edge-reader-config");
    assert_eq!(map["states"], json!(["behind"]), "{items:#?}");

    let mut moved = spec();
    moved["values"]["image"]["tag"] = json!("2.0.0");
    stand.deploy(&moved, &newest, &[]).await;
    let answer = stand.drift().await;
    assert_eq!(answer.status, 3, "{answer:#?}");
    let unjudged = answer.json()["unjudged"].to_string();
    assert!(
        unjudged.contains("are others than it was deployed with"),
        "{unjudged}"
    );

    let mut alone = spec();
    alone["valuesFrom"] = json!([{"kind": "Secret", "name": "nobody"}]);
    stand.deploy(&alone, &newest, &[]).await;
    let answer = stand.drift().await;
    let unjudged = answer.json()["unjudged"].to_string();
    assert!(
        unjudged.contains("Secret flux-system/nobody"),
        "{answer:#?}"
    );
}

/// An archive of manifests, as `flux push artifact` packs a folder.
fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let mut archive = tar::Builder::new(gzip);
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        archive
            .append_data(&mut header, path, text.as_bytes())
            .unwrap();
    }
    archive.into_inner().unwrap().finish().unwrap()
}

impl Stand {
    /// An OCIRepository that holds this.
    async fn artifact(&self, name: &str, repository: &str, selector: &Value, digest: &str) {
        let spec = json!({"interval": "10m", "url": format!("oci://{}/{repository}", self.charts.address), "ref": {"tag": "1.2.0"}, "layerSelector": selector});
        let status = json!({
            "conditions": [condition("Ready", "True", "Succeeded", "stored artifact")],
            "artifact": {"path": "x", "url": "http://source-controller/x", "revision": format!("1.2.0@{digest}"), "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": ago(600)},
        });
        let document = flux(
            "source.toolkit.fluxcd.io/v1",
            "OCIRepository",
            name,
            &spec,
            &status,
        );
        put(&self.client().await, &document).await;
    }
}

const CONTENT: &str = "application/vnd.cncf.flux.content.v1.tar+gzip";

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn artifacts_of_a_registry_are_what_a_kustomization_and_a_release_are_made_of() {
    let stand = Stand::new("edge-bgo-093").await;
    let client = stand.client().await;
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: map, namespace: edge}\ndata: {mode: edge}\n";
    let files = [
        ("apps/map.yaml", map),
        ("apps/left-out.yaml", "this: is no manifest\n"),
        (".sourceignore", "left-out.yaml\n"),
    ];
    let digest = stand
        .charts
        .push_layer("edge/apps", "1.2.0", CONTENT, packed(&files));
    stand
        .artifact("apps", "edge/apps", &json!({}), &digest)
        .await;
    let labels = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    let applied = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "map", "namespace": "edge", "labels": labels}, "data": {"mode": "edge"}});
    apply(&client, "kustomize-controller", &applied).await;
    let revision = format!("1.2.0@{digest}");
    let status = json!({
        "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "Applied revision")],
        "lastAppliedRevision": revision, "lastAttemptedRevision": revision, "inventory": {"entries": [crate::flux_drift::entry(&applied)]},
    });
    let spec = json!({"path": "apps", "sourceRef": {"kind": "OCIRepository", "name": "apps"}});
    put(&client, &kustomization("apps", &spec, &status)).await;

    let archive = stand.charts.publish("edge-microservice", "1.2.0", &chart());
    let charted = stand
        .charts
        .push("charts/edge-microservice", "1.2.0", &archive);
    let selector = json!({"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"});
    stand
        .artifact("web", "charts/edge-microservice", &selector, &charted)
        .await;
    stand.provide().await;
    let mut release = spec_of_artifact();
    release["chartRef"] = json!({"kind": "OCIRepository", "name": "web"});
    let mark = charted.trim_start_matches("sha256:").get(..12).unwrap();
    let mut objects = stand.rendered("1.2.0", &values());
    for object in objects.iter_mut().filter(|o| o["kind"] == "Deployment") {
        object["metadata"]["labels"]["chart"] = json!(format!("edge-microservice-1.2.0_{mark}"));
    }
    let newest = json!({"chartVersion": format!("1.2.0+{mark}"), "configDigest": VALUES, "ociDigest": charted});
    stand.deploy(&release, &newest, &objects).await;
    assert_clean(&stand.drift().await);

    let mode = json!({"data": {"mode": "hand"}});
    stand.kubectl.patch("edge", "configmap/map", &mode);
    stand.kubectl.edit(
        "edge",
        "deployment/edge-reader",
        "s/replicas: 3/replicas: 5/",
    );
    let answer = stand.drift().await;
    let items = answer.items();
    assert_eq!(items.len(), 2, "{items:#?}");
    assert_eq!(changes(item(&items, "ConfigMap", "map"))[0].0, "data.mode");
    assert_eq!(
        changes(item(&items, "Deployment", "edge-reader"))[0].0,
        "spec.replicas"
    );
    stand.assert_silent(&answer);
}

fn spec_of_artifact() -> Value {
    let mut spec = spec();
    spec.as_object_mut().unwrap().remove("chart");
    spec
}

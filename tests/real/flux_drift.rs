//! What Flux deploys, judged: Kustomizations and their sources with the statuses that Flux writes, objects applied as kustomize-controller does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::answers::{assert_clean, changes, item};
use crate::bed::bed;
use crate::crds;
use crate::git_server::Repository;
use crate::gitops_states::{condition, flux, put};
use crate::kubeconfig::{self, Entry};
use crate::kubectl::Kubectl;
use crate::objects::{api_of, apply, name_of, namespace};
use crate::program::Driftdeck;
use crate::servers::{Cluster, User};

/// What a Secret of the cluster gives to the variables.
pub(crate) const PIN: &str = "hunter2-and-more";

/// An edge whose Flux deploys a repository.
pub(crate) struct Edge {
    pub(crate) cluster: Cluster,
    pub(crate) repository: Repository,
    pub(crate) driftdeck: Driftdeck,
    pub(crate) kubectl: Kubectl,
}

/// The files of the repository: an overlay with everything that Flux adds to one, and a plain folder.
fn files() -> Vec<(String, String)> {
    let deployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: reader\nspec:\n  replicas: ${replicas:=1}\n  selector:\n    matchLabels: {app: reader}\n  template:\n    metadata:\n      labels: {app: reader}\n    spec:\n      containers:\n      - name: reader\n        image: registry.example/reader:1.0.0\n        env:\n        - {name: SITE, value: \"${site^^}\"}\n        - name: LITERAL\n          value: $${site}\n        resources:\n          requests: {cpu: 100m}\n";
    let map = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: reader\ndata:\n  site: ${site}\n  url: https://${user:-reader}:${pin}@broker.example\n  short: ${site:0:3}\n";
    let untouched = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: script\n  annotations:\n    kustomize.toolkit.fluxcd.io/substitute: disabled\ndata:\n  run: echo ${HOME}\n";
    let overlay = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [../../base, ../../common/extra.yaml]\nimages: [{name: registry.example/reader, newTag: 1.1.0}]\n";
    let once = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: once\n  namespace: edge\n  annotations: {kustomize.toolkit.fluxcd.io/ssa: IfNotPresent}\ndata:\n  made: by-flux\n";
    let sealed = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: sealed\n  namespace: edge\ndata:\n  pin: ENC[AES256_GCM,data:aaaa,iv:bbbb]\nsops:\n  mac: ENC[AES256_GCM,data:cccc]\n  version: 3.9.0\n";
    let service = "apiVersion: v1\nkind: Service\nmetadata:\n  name: plain\n  namespace: edge\nspec:\n  selector: {app: plain}\n  ports: [{name: web, port: 80}]\n";
    let files = [
        (
            "base/kustomization.yaml",
            "resources: [reader.yaml, map.yaml]\n",
        ),
        ("base/reader.yaml", deployment),
        ("base/map.yaml", map),
        ("common/extra.yaml", untouched),
        ("clusters/oslo/kustomization.yaml", overlay),
        ("plain/deeper/once.yaml", once),
        ("plain/service.yml", service),
        ("plain/left-out.yaml", "this: is no manifest\n"),
        ("plain/.sops.yaml", "creation_rules: []\n"),
        ("sealed/secret.yaml", sealed),
        (".sourceignore", "left-out.yaml\n"),
    ];
    files
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into()
}

/// What Flux makes of the overlay, written by hand.
pub(crate) fn overlay() -> Vec<Value> {
    let labels = json!({"kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system", "team": "edge"});
    vec![
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "oslo-reader", "namespace": "edge", "labels": labels, "annotations": {"owner": "on-call"}},
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": "reader"}},
                "template": {
                    "metadata": {"labels": {"app": "reader"}},
                    "spec": {"containers": [{
                        "name": "reader", "image": "registry.example/reader:1.2.0",
                        "env": [{"name": "SITE", "value": "OSLO"}, {"name": "LITERAL", "value": "${site}"}],
                        "resources": {"requests": {"cpu": "100m"}, "limits": {"memory": "64Mi"}},
                    }]},
                },
            },
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "oslo-reader", "namespace": "edge", "labels": labels, "annotations": {"owner": "on-call"}},
            "data": {"site": "oslo", "url": format!("https://reader:{PIN}@broker.example"), "short": "osl"},
        }),
        json!({
            "apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"name": "oslo-script", "namespace": "edge", "labels": labels, "annotations": {"owner": "on-call", "kustomize.toolkit.fluxcd.io/substitute": "disabled"}},
            "data": {"run": "echo ${HOME}"},
        }),
    ]
}

fn owned(name: &str, mut object: Value) -> Value {
    object["metadata"]["labels"] = json!({"kustomize.toolkit.fluxcd.io/name": name, "kustomize.toolkit.fluxcd.io/namespace": "flux-system"});
    object
}

/// What Flux makes of the plain folder.
fn plain() -> Vec<Value> {
    vec![
        owned(
            "plain",
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "once", "namespace": "edge", "annotations": {"kustomize.toolkit.fluxcd.io/ssa": "IfNotPresent"}}, "data": {"made": "by-flux"}}),
        ),
        owned(
            "plain",
            json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "plain", "namespace": "edge"}, "spec": {"selector": {"app": "plain"}, "ports": [{"name": "web", "port": 80}]}}),
        ),
    ]
}

fn sealed() -> Vec<Value> {
    vec![owned(
        "sealed",
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "sealed", "namespace": "edge"}, "data": {"pin": STANDARD.encode(PIN)}}),
    )]
}

pub(crate) fn apps_spec() -> Value {
    json!({
        "path": "./clusters/oslo",
        "targetNamespace": "edge",
        "namePrefix": "oslo-",
        "commonMetadata": {"labels": {"team": "edge"}, "annotations": {"owner": "on-call"}},
        "images": [{"name": "registry.example/reader", "newTag": "1.2.0"}],
        "patches": [{
            "target": {"kind": "Deployment"},
            "patch": "- op: add\n  path: /spec/template/spec/containers/0/resources/limits\n  value: {memory: 64Mi}\n",
        }],
        "postBuild": {
            "substitute": {"replicas": "2"},
            "substituteFrom": [
                {"kind": "ConfigMap", "name": "site"},
                {"kind": "ConfigMap", "name": "not-there", "optional": true},
                {"kind": "Secret", "name": "pins"},
            ],
        },
    })
}

impl Edge {
    pub(crate) async fn start(name: &'static str) -> Self {
        let bed = bed().await;
        let cluster = bed.start_edge(name).await;
        let client = cluster.client(User::Admin).await;
        crds::install(&client, &crds::flux()).await;
        namespace(&client, "flux-system").await;
        namespace(&client, "edge").await;
        let path = bed.dir.join(format!("{name}.kubeconfig"));
        kubeconfig::write(&path, &[Entry::of(&cluster, User::Admin)]);
        let driftdeck = Driftdeck::with(bed, &path);
        driftdeck.configure(&renderers());
        let repository = bed.git.repository(name);
        repository.commit("One", &files());
        let kubectl = Kubectl::with(bed, &path);
        Self {
            cluster,
            repository,
            driftdeck,
            kubectl,
        }
    }

    pub(crate) async fn client(&self) -> kube::Client {
        self.cluster.client(User::Admin).await
    }

    /// The source, its artifact at this commit.
    pub(crate) async fn source(&self, commit: &str) {
        let spec = json!({"interval": "1m", "url": self.repository.url, "ref": {"branch": "main"}});
        let status = json!({
            "conditions": [condition("Ready", "True", "Succeeded", "stored artifact")],
            "artifact": {
                "path": "fleet.tar.gz", "url": "http://source-controller/fleet.tar.gz", "revision": format!("main@sha1:{commit}"),
                "digest": format!("sha256:{}", "0".repeat(64)), "lastUpdateTime": "2026-11-21T04:00:00Z",
            },
        });
        let api = "source.toolkit.fluxcd.io/v1";
        put(
            &self.client().await,
            &flux(api, "GitRepository", "fleet", &spec, &status),
        )
        .await;
    }

    /// A Kustomization that Flux has applied at this commit, and what it brought.
    pub(crate) async fn deploy(&self, name: &str, spec: &Value, commit: &str, objects: &[Value]) {
        let client = self.client().await;
        for object in objects {
            apply(&client, "kustomize-controller", object).await;
        }
        let entries: Vec<Value> = objects.iter().map(entry).collect();
        let status = json!({
            "conditions": [condition("Ready", "True", "ReconciliationSucceeded", "Applied revision")],
            "lastAppliedRevision": format!("main@sha1:{commit}"),
            "lastAttemptedRevision": format!("main@sha1:{commit}"),
            "inventory": {"entries": entries},
        });
        put(
            &client,
            &crate::gitops_states::kustomization(name, spec, &status),
        )
        .await;
    }

    async fn drift(&self) -> crate::program::Answer {
        self.driftdeck.run("drift --wait 40s -o json").await
    }
}

/// The programs that `.ci/real-tools` built.
fn renderers() -> String {
    let folder = std::env::var("DRIFTDECK_RENDERERS");
    let folder = folder.expect("DRIFTDECK_RENDERERS is not set: run .ci/real");
    format!("[desired]\nkustomize = \"{folder}/kustomize\"\nhelm = \"{folder}/helm\"\n")
}

/// An object as Flux's inventories list it.
pub(crate) fn entry(object: &Value) -> Value {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let (group, version) = text("/apiVersion")
        .split_once('/')
        .unwrap_or(("", text("/apiVersion")));
    let id = format!(
        "{}_{}_{group}_{}",
        text("/metadata/namespace"),
        text("/metadata/name"),
        text("/kind")
    );
    json!({"id": id, "v": version})
}

pub(crate) async fn provide(client: &kube::Client) {
    let site = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "site", "namespace": "flux-system"}, "data": {"site": "oslo", "replicas": "9"}});
    let pins = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pins", "namespace": "flux-system"}, "data": {"pin": STANDARD.encode(PIN)}});
    apply(client, "kubectl", &site).await;
    apply(client, "kubectl", &pins).await;
}

/// What three hands do to it.
async fn disturb(edge: &Edge) {
    edge.kubectl.edit(
        "edge",
        "deployment/oslo-reader",
        "s/replicas: 2/replicas: 5/",
    );
    let url = json!({"data": {"url": "https://stolen@broker.example"}});
    edge.kubectl.patch("edge", "configmap/oslo-reader", &url);
    let map = &overlay()[2];
    let api = api_of(&edge.client().await, map).await;
    let change = json!({"data": {"run": "echo $HOME"}, "metadata": {"labels": {"team": "nobody"}}});
    let params = PatchParams {
        field_manager: Some("rancher".into()),
        ..PatchParams::default()
    };
    api.patch(&name_of(map), &params, &Patch::Merge(&change))
        .await
        .unwrap();
    edge.kubectl.run(&["delete", "-n", "edge", "service/plain"]);
    let by_hand = json!({"data": {"made": "by-hand"}});
    edge.kubectl.patch("edge", "configmap/once", &by_hand);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn flux_kustomizations_are_judged_against_git() {
    let edge = Edge::start("edge-bgo-077").await;
    let client = edge.client().await;
    let commit = edge.repository.resolve("HEAD");
    provide(&client).await;
    edge.source(&commit).await;
    edge.deploy("apps", &apps_spec(), &commit, &overlay()).await;
    edge.deploy(
        "plain",
        &json!({"path": "plain", "suspend": true}),
        &commit,
        &plain(),
    )
    .await;
    assert_clean(&edge.drift().await);

    disturb(&edge).await;

    let answer = edge.drift().await;
    assert_eq!(answer.status, 1, "{answer:#?}");
    let items = answer.items();
    assert_eq!(items.len(), 4, "{items:#?}");
    let of = |kind: &str, name: &str| changes(item(&items, kind, name));
    let (changed, kubectl) = ("changed".to_owned(), "kubectl-patch".to_owned());
    assert_eq!(
        of("Deployment", "oslo-reader"),
        [(
            "spec.replicas".to_owned(),
            changed.clone(),
            json!(2),
            json!(5),
            "kubectl-edit".to_owned()
        )]
    );
    let masked = of("ConfigMap", "oslo-reader");
    assert_eq!(
        masked,
        [(
            "data.url".to_owned(),
            changed.clone(),
            json!("••• 1"),
            json!("••• 2"),
            kubectl
        )]
    );
    assert_eq!(
        of("ConfigMap", "oslo-script"),
        [
            (
                "data.run".to_owned(),
                changed.clone(),
                json!("echo ${HOME}"),
                json!("echo $HOME"),
                "rancher".to_owned()
            ),
            (
                "metadata.labels.team".to_owned(),
                changed,
                json!("edge"),
                json!("nobody"),
                "rancher".to_owned()
            ),
        ]
    );
    assert_eq!(
        item(&items, "Service", "plain")["states"],
        json!(["missing"])
    );
    for text in [&answer.out, &edge.driftdeck.everything_on_disk()] {
        assert!(
            !text.contains(PIN) && !text.contains("stolen@"),
            "a Secret's value is shown: {text}"
        );
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn flux_says_what_it_cannot_tell_and_what_git_has_moved_on_to() {
    let edge = Edge::start("edge-bgo-078").await;
    let commit = edge.repository.resolve("HEAD");
    edge.source(&commit).await;
    edge.deploy("plain", &json!({"path": "plain"}), &commit, &plain())
        .await;
    let decryption = json!({"provider": "sops"});
    edge.deploy(
        "sealed",
        &json!({"path": "sealed", "decryption": decryption}),
        &commit,
        &sealed(),
    )
    .await;
    let vars = json!({"substituteFrom": [{"kind": "Secret", "name": "nobody"}]});
    edge.deploy(
        "waiting",
        &json!({"path": "plain", "postBuild": vars}),
        &commit,
        &[],
    )
    .await;
    let bucket = json!({"path": "plain", "sourceRef": {"kind": "Bucket", "name": "fleet"}});
    edge.deploy("bucket", &bucket, &commit, &[]).await;

    let answer = edge.drift().await;
    assert_eq!(answer.items(), Vec::<Value>::new(), "{answer:#?}");
    assert_eq!(
        answer.status, 3,
        "what cannot be told is not called good: {answer:#?}"
    );
    let unjudged = answer.json()["unjudged"].as_array().unwrap().clone();
    let why = |name: &str| {
        let found = unjudged.iter().find(|u| u["app"] == name);
        found
            .unwrap_or_else(|| panic!("{name} in {unjudged:#?}"))
            .to_string()
    };
    assert!(
        why("sealed").contains("encrypted with SOPS"),
        "{}",
        why("sealed")
    );
    assert!(
        why("waiting").contains("Secret flux-system/nobody"),
        "{}",
        why("waiting")
    );
    assert!(
        why("bucket").contains("Bucket flux-system/fleet"),
        "{}",
        why("bucket")
    );
    assert_eq!(unjudged.len(), 3, "{unjudged:#?}");

    let service = files()
        .into_iter()
        .find(|(path, _)| path == "plain/service.yml")
        .unwrap();
    let moved = service.1.replace("port: 80", "port: 8080");
    let newer = edge.repository.commit("Two", &[(service.0, moved)]);
    edge.source(&newer).await;
    let items = edge.drift().await.items();
    assert_eq!(items.len(), 1, "{items:#?}");
    let behind = item(&items, "Service", "plain");
    assert_eq!(behind["states"], json!(["behind"]), "{behind:#}");
}

//! Kustomizations and charts through the real programs: what the product makes of them is what `kustomize build` and `helm template` say.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use driftdeck::desired::{
    Ask, DesiredHandle, Prepared, Programs, Purpose, Recipe, Served, Settings,
};
use driftdeck::domain::{Engine, Name, Source, Tracking, Unjudged, UnjudgedReason, Verbatim};
use driftdeck::drift::SealKey;
use git2::{Oid, Repository, Signature};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::chart_server::ChartServer;

/// The programs that `.ci/real-tools` built.
fn programs() -> Programs {
    let folder = std::env::var_os("DRIFTDECK_RENDERERS");
    let folder = PathBuf::from(folder.expect("DRIFTDECK_RENDERERS is not set: run .ci/real"));
    Programs {
        helm: folder.join("helm"),
        kustomize: folder.join("kustomize"),
        kubectl: None,
        jsonnet: "no-jsonnet-here".into(),
    }
}

/// A repository on this machine, and a service that may read it.
struct Workshop {
    home: TempDir,
    repo: Repository,
    settings: Settings,
    /// argocd-cm's `kustomize.buildOptions`.
    kustomize_options: &'static str,
}

impl Workshop {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = TempDir::new().unwrap();
        let repo = Repository::init_bare(home.path().join("origin.git")).unwrap();
        repo.set_head("refs/heads/main").unwrap();
        let mut settings = Settings::new(home.path().join("cache"), SealKey::new([7; 32]));
        settings.policy.file_prefixes = vec![home.path().to_owned()];
        settings.programs = programs();
        let workshop = Self {
            home,
            repo,
            settings,
            kustomize_options: "",
        };
        workshop.commit(files);
        workshop
    }

    fn commit(&self, files: &[(&str, &str)]) -> Oid {
        let mut index = git2::Index::new().unwrap();
        for (path, text) in files {
            let entry = git2::IndexEntry {
                ctime: git2::IndexTime::new(0, 0),
                mtime: git2::IndexTime::new(0, 0),
                dev: 0,
                ino: 0,
                mode: 0o100_644,
                uid: 0,
                gid: 0,
                file_size: 0,
                id: self.repo.blob(text.as_bytes()).unwrap(),
                flags: 0,
                flags_extended: 0,
                path: path.as_bytes().to_vec(),
            };
            index.add(&entry).unwrap();
        }
        let tree = index.write_tree_to(&self.repo).unwrap();
        let tree = self.repo.find_tree(tree).unwrap();
        let ada = Signature::now("Ada", "ada@edge.example").unwrap();
        let tip = self.repo.head().and_then(|head| head.peel_to_commit()).ok();
        let parents: Vec<&git2::Commit<'_>> = tip.iter().collect();
        self.repo
            .commit(
                Some("refs/heads/main"),
                &ada,
                &ada,
                "Deploy",
                &tree,
                &parents,
            )
            .unwrap()
    }

    fn source(&self, path: &str) -> Source {
        let url = self.home.path().join("origin.git");
        Source {
            repo_url: format!("file://{}", url.display()).into(),
            path: path.into(),
            ..Source::default()
        }
    }

    async fn prepared(&self, source: &Source) -> Result<Arc<Prepared>, Unjudged> {
        let service = DesiredHandle::new(self.settings.clone());
        let recipe = Recipe {
            instance: "edge-microservice".into(),
            namespace: "edge".into(),
            purpose: Purpose {
                app: "edge-microservice".into(),
                namespace: "edge".into(),
                project: "default".into(),
                served: Some(Served {
                    kube_version: "v1.34.2+k3s1".into(),
                    api_versions: ["apps/v1", "monitoring.coreos.com/v1"]
                        .map(Name::from)
                        .into(),
                }),
                kustomize_options: self.kustomize_options.into(),
                kinds: Arc::default(),
            },
            tracking: Tracking::default(),
            engine: Engine::Argo,
            scopes: Vec::new(),
        };
        let located = service
            .locate(&Ask::of(source, "HEAD"), &recipe.purpose)
            .await?;
        service.prepared(&located, &recipe.placement()).await
    }

    async fn refusal(&self, source: &Source) -> (UnjudgedReason, String) {
        let why = self.prepared(source).await.unwrap_err();
        (why.reason, why.message.to_string())
    }
}

/// The manifest of that kind and name.
fn body<'a>(prepared: &'a Prepared, kind: &str, name: &str) -> &'a Value {
    let mut objects = prepared.objects.iter();
    let found = objects.find(|o| &*o.object.gvk.kind == kind && &*o.object.name == name);
    &found
        .unwrap_or_else(|| panic!("there is no {kind} {name} among {:#?}", names(prepared)))
        .body
}

fn names(prepared: &Prepared) -> Vec<String> {
    let mut names: Vec<String> = prepared
        .objects
        .iter()
        .map(|o| format!("{} {}", o.object.gvk.kind, o.object.name))
        .collect();
    names.sort();
    names
}

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: edge-microservice
spec:
  replicas: 2
  selector: {matchLabels: {app: edge-microservice}}
  template:
    metadata: {labels: {app: edge-microservice}}
    spec:
      containers:
      - name: edge-microservice
        image: registry.example/edge-microservice:1.0.0
        ports: [{containerPort: 8080}]
";

fn overlay() -> Workshop {
    Workshop::new(&[
        ("base/kustomization.yaml", "resources: [deployment.yaml]\n"),
        ("base/deployment.yaml", DEPLOYMENT),
        (
            "components/tls/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nconfigMapGenerator:\n- name: tls\n  literals: [mode=strict]\n",
        ),
        (
            "components/audit/kustomization.yaml",
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\nresources: [audit.yaml]\n",
        ),
        (
            "components/audit/audit.yaml",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: audit}\n",
        ),
        (
            "overlays/oslo/kustomization.yaml",
            "resources: [../../base]\ncomponents: [../../components/tls]\nimages: [{name: registry.example/edge-microservice, newTag: 1.1.0}]\npatches:\n- path: replicas.yaml\n",
        ),
        (
            "overlays/oslo/replicas.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: edge-microservice}\nspec: {replicas: 3}\n",
        ),
        ("overlays/oslo/README.md", "Oslo.\n"),
    ])
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_kustomization_with_components_images_and_patches_is_built() {
    let workshop = overlay();
    let prepared = workshop
        .prepared(&workshop.source("overlays/oslo"))
        .await
        .unwrap();
    let names = names(&prepared);
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("ConfigMap tls-"), "{names:?}");
    let deployment = body(&prepared, "Deployment", "edge-microservice");
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"][0]["image"],
        "registry.example/edge-microservice:1.1.0"
    );
    assert_eq!(deployment["metadata"]["namespace"], "edge");
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn the_applications_own_kustomize_settings_are_laid_over_it() {
    let workshop = overlay();
    let source = Source {
        kustomize: Verbatim::of(json!({
            "namePrefix": "oslo-",
            "nameSuffix": "-003",
            "namespace": "edge-oslo",
            "images": ["registry.example/edge-microservice=mirror.oslo.example:5000/edge:2.0.0"],
            "replicas": [{"name": "edge-microservice", "count": 5}],
            "commonLabels": {"site": "oslo"},
            "commonAnnotations": {"app": "$ARGOCD_APP_NAME"},
            "commonAnnotationsEnvsubst": true,
            "components": ["../../components/audit"],
            "patches": [{
                "target": {"kind": "Deployment"},
                "patch": "- op: add\n  path: /spec/minReadySeconds\n  value: 7\n",
            }],
        })),
        ..workshop.source("overlays/oslo")
    };
    let prepared = workshop.prepared(&source).await.unwrap();
    let deployment = body(&prepared, "Deployment", "oslo-edge-microservice-003");
    assert_eq!(deployment["metadata"]["namespace"], "edge-oslo");
    assert_eq!(deployment["spec"]["replicas"], 5);
    assert_eq!(deployment["spec"]["minReadySeconds"], 7);
    assert_eq!(deployment["metadata"]["labels"]["site"], "oslo");
    assert_eq!(
        deployment["spec"]["selector"]["matchLabels"]["site"],
        "oslo"
    );
    assert_eq!(
        deployment["metadata"]["annotations"]["app"],
        "edge-microservice"
    );
    assert_eq!(
        deployment["spec"]["template"]["spec"]["containers"][0]["image"],
        "mirror.oslo.example:5000/edge:2.0.0"
    );
    body(&prepared, "ConfigMap", "oslo-audit-003");
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn kubectl_builds_the_same_as_kustomize() {
    let mut workshop = overlay();
    let source = workshop.source("overlays/oslo");
    let by_kustomize = workshop.prepared(&source).await.unwrap();
    let assets = std::env::var_os("KUBEBUILDER_ASSETS").expect("run .ci/real");
    workshop.settings.programs.kustomize = "no-kustomize-here".into();
    workshop.settings.programs.kubectl = Some(Path::new(&assets).join("kubectl"));
    let by_kubectl = workshop.prepared(&source).await.unwrap();
    assert_eq!(by_kubectl.objects, by_kustomize.objects);
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_remote_base_is_refused_and_an_allowed_one_only_then_fetched() {
    let mut workshop = Workshop::new(&[
        ("edge/kustomization.yaml", "resources: [../base]\n"),
        (
            "base/kustomization.yaml",
            "resources: ['https://127.0.0.1:9/edge/base.yaml']\n",
        ),
    ]);
    let source = workshop.source("edge");
    let (reason, message) = workshop.refusal(&source).await;
    assert_eq!(reason, UnjudgedReason::ForbiddenUrl, "{message}");
    assert!(
        message.contains("https://127.0.0.1:9/edge/base.yaml"),
        "{message}"
    );
    workshop.settings.policy.remote_bases = vec!["https://127.0.0.1:9/".into()];
    let (reason, message) = workshop.refusal(&source).await;
    assert_eq!(
        reason,
        UnjudgedReason::RenderFailed,
        "nothing answers there: {message}"
    );
}

const CHART: &[(&str, &str)] = &[
    (
        "charts/edge/Chart.yaml",
        "apiVersion: v2\nname: edge\nversion: 1.2.3\nkubeVersion: '>=1.30.0'\ndependencies:\n- name: common\n  version: 1.x\n  repository: file://../common\n",
    ),
    ("charts/edge/values.yaml", "replicas: 1\nmode: default\n"),
    ("charts/edge/values-oslo.yaml", "replicas: 2\nmode: oslo\n"),
    ("values/shared.yaml", "mode: shared\nshared: true\n"),
    (
        "charts/edge/templates/deployment.yaml",
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\nspec:\n  replicas: {{ .Values.replicas }}\n  template:\n    metadata:\n      annotations:\n        mode: {{ .Values.mode | quote }}\n        shared: {{ .Values.shared | quote }}\n        port: {{ .Values.port | quote }}\n        list: {{ join \"+\" .Values.list | quote }}\n        motd: {{ .Values.motd | quote }}\n        kube: {{ .Capabilities.KubeVersion.Version | quote }}\n",
    ),
    (
        "charts/edge/templates/monitor.yaml",
        "{{- if .Capabilities.APIVersions.Has \"monitoring.coreos.com/v1\" }}\napiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor\nmetadata: {name: edge-microservice-monitor}\n{{- end }}\n",
    ),
    (
        "charts/edge/templates/hooks.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: {helm.sh/hook: pre-upgrade}\n---\napiVersion: v1\nkind: Pod\nmetadata:\n  name: try\n  annotations: {helm.sh/hook: test}\n",
    ),
    (
        "charts/edge/crds/sensor.yaml",
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: sensors.edge.example}\nspec:\n  group: edge.example\n  scope: Cluster\n  names: {kind: Sensor, plural: sensors}\n  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]\n",
    ),
    (
        "charts/edge/templates/sensor.yaml",
        "apiVersion: edge.example/v1\nkind: Sensor\nmetadata: {name: thermometer}\n",
    ),
    ("charts/edge/motd.txt", "stay, warm"),
    (
        "charts/common/Chart.yaml",
        "apiVersion: v2\nname: common\nversion: 1.0.0\n",
    ),
    (
        "charts/common/templates/map.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: common}\ndata: {mode: {{ .Values.global | default dict | toJson | quote }}}\n",
    ),
];

fn helm(workshop: &Workshop, settings: Value) -> Source {
    Source {
        helm: Verbatim::of(settings),
        ..workshop.source("charts/edge")
    }
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_chart_is_rendered_with_all_of_its_settings() {
    let workshop = Workshop::new(CHART);
    let source = helm(
        &workshop,
        json!({
            "releaseName": "edge-oslo",
            "valueFiles": ["values-oslo.yaml", "/values/shared.yaml", "gone.yaml"],
            "ignoreMissingValueFiles": true,
            "valuesObject": {"replicas": 4},
            "parameters": [
                {"name": "port", "value": "0080", "forceString": true},
                {"name": "list", "value": "{a,b}"},
            ],
            "fileParameters": [{"name": "motd", "path": "motd.txt"}],
        }),
    );
    let prepared = workshop.prepared(&source).await.unwrap();
    assert_eq!(
        names(&prepared),
        [
            "ConfigMap common",
            "CustomResourceDefinition sensors.edge.example",
            "Deployment edge-oslo",
            "Sensor thermometer",
            "ServiceMonitor edge-microservice-monitor",
        ],
        "hooks are not compared"
    );
    let deployment = body(&prepared, "Deployment", "edge-oslo");
    assert_eq!(deployment["metadata"]["namespace"], "edge");
    assert_eq!(deployment["spec"]["replicas"], 4);
    assert_eq!(
        deployment["spec"]["template"]["metadata"]["annotations"],
        json!({
            "mode": "shared", "shared": "true", "port": "0080", "list": "a+b",
            "motd": "stay, warm", "kube": "v1.34.2",
        })
    );
    let files: Vec<&str> = prepared.objects.iter().map(|o| &*o.file).collect();
    for file in [
        "charts/edge/templates/deployment.yaml",
        "charts/edge/crds/sensor.yaml",
        "charts/edge/charts/common/templates/map.yaml",
    ] {
        assert!(files.contains(&file), "{files:?}");
    }
    let sensor = body(&prepared, "Sensor", "thermometer");
    assert!(
        sensor["metadata"].get("namespace").is_none(),
        "the chart's own CRD says that it has none: {sensor}"
    );
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn the_defaults_of_a_chart_are_argo_cds() {
    let workshop = Workshop::new(CHART);
    let prepared = workshop
        .prepared(&workshop.source("charts/edge"))
        .await
        .unwrap();
    let deployment = body(&prepared, "Deployment", "edge-microservice");
    assert_eq!(deployment["spec"]["replicas"], 1);
    let skipped = workshop
        .prepared(&helm(&workshop, json!({"skipCrds": true})))
        .await
        .unwrap();
    assert!(!names(&skipped).contains(&"CustomResourceDefinition sensors.edge.example".to_owned()));
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn value_files_of_another_source_are_read_from_its_own_revision() {
    let workshop = Workshop::new(CHART);
    let values = Workshop::new(&[("edge/oslo.yaml", "replicas: 9\n")]);
    let pinned = values.commit(&[("edge/oslo.yaml", "replicas: 8\n")]);
    values.commit(&[("edge/oslo.yaml", "replicas: 7\n")]);
    let mut settings = workshop.settings.clone();
    settings
        .policy
        .file_prefixes
        .push(values.home.path().to_owned());
    let service = DesiredHandle::new(settings);
    let sources = [
        helm(&workshop, json!({"valueFiles": ["$values/edge/oslo.yaml"]})),
        Source {
            reference: "values".into(),
            ..values.source("")
        },
    ];
    for (revision, replicas) in [(pinned.to_string(), 8), ("main".to_owned(), 7)] {
        let asks = Ask::all(&sources, &["main".into(), revision.into()]);
        let purpose = Purpose {
            served: Some(Served {
                kube_version: "v1.34.2".into(),
                ..Served::default()
            }),
            ..Purpose::default()
        };
        let located = service.locate(&asks[0], &purpose).await.unwrap();
        let content = service.content(&located).await.unwrap();
        let mut manifests = content.manifests.iter();
        let deployment = manifests.find(|m| &*m.object.gvk.kind == "Deployment");
        assert_eq!(deployment.unwrap().body["spec"]["replicas"], replicas);
    }
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_chart_that_fails_says_why_and_where() {
    let workshop = Workshop::new(&[
        (
            "charts/edge/Chart.yaml",
            "apiVersion: v2\nname: edge\nversion: 1.2.3\n",
        ),
        (
            "charts/edge/templates/a.yaml",
            "kind: {{ required \"site must be set\" .Values.site }}\n",
        ),
    ]);
    let (reason, message) = workshop.refusal(&workshop.source("charts/edge")).await;
    assert_eq!(reason, UnjudgedReason::RenderFailed, "{message}");
    assert!(message.contains("site must be set"), "{message}");
    assert!(message.contains("`charts/edge/Chart.yaml`"), "{message}");
    assert!(
        !message.contains(&workshop.home.path().display().to_string()),
        "{message}"
    );
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_bomb_of_output_or_memory_is_stopped() {
    let bomb = |template: &str| {
        Workshop::new(&[
            (
                "charts/edge/Chart.yaml",
                "apiVersion: v2\nname: edge\nversion: 1.2.3\n",
            ),
            ("charts/edge/templates/bomb.yaml", template),
        ])
    };
    let wide = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: bomb}\ndata:\n  x: {{ repeat 60000000 \"x\" }}\n";
    let deep = "x: {{ repeat 9000000000 \"xxxxxxxxxx\" }}\n";
    for (template, word) in [(wide, "printed more than"), (deep, "")] {
        let mut workshop = bomb(template);
        workshop.settings.program.time = Duration::from_secs(30);
        let (reason, message) = workshop.refusal(&workshop.source("charts/edge")).await;
        assert_eq!(reason, UnjudgedReason::RenderFailed, "{message}");
        assert!(message.contains(word), "{message}");
    }
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_program_that_is_missing_is_named() {
    let mut workshop = overlay();
    workshop.settings.programs.kustomize = "no-kustomize-here".into();
    workshop.settings.programs.helm = "no-helm-here".into();
    let (reason, message) = workshop.refusal(&workshop.source("overlays/oslo")).await;
    assert_eq!(reason, UnjudgedReason::NeedsKustomize, "{message}");
    let mut charts = Workshop::new(CHART);
    charts.settings.programs.helm = "no-helm-here".into();
    let (reason, message) = charts.refusal(&charts.source("charts/edge")).await;
    assert_eq!(reason, UnjudgedReason::NeedsHelm, "{message}");
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_kustomization_with_a_chart_is_built_without_network_once_the_hub_enables_it() {
    let dir = TempDir::new().unwrap();
    let charts = ChartServer::start(dir.path(), &programs().helm);
    charts.publish(
        "sensor",
        "1.2.0",
        &[
            ("Chart.yaml", "apiVersion: v2\nname: sensor\nversion: 0.0.0\n"),
            (
                "templates/map.yaml",
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\ndata: {mode: {{ .Values.mode | quote }}, kube: {{ .Capabilities.KubeVersion.Version | quote }}}\n",
            ),
        ],
    );
    let repository = charts.repository();
    let text = format!(
        "namePrefix: oslo-\nhelmCharts:\n- {{name: sensor, version: 1.2.0, repo: '{repository}', releaseName: reader, valuesFile: values.yaml}}\n"
    );
    let mut workshop = Workshop::new(&[
        ("edge/kustomization.yaml", &text),
        ("edge/values.yaml", "mode: cold\n"),
    ]);
    workshop.settings.policy.ca_file = Some(charts.ca_file.clone());
    let source = workshop.source("edge");
    let (reason, message) = workshop.refusal(&source).await;
    assert_eq!(reason, UnjudgedReason::RenderFailed, "{message}");
    assert!(message.contains("--enable-helm"), "{message}");
    workshop.kustomize_options = "--enable-helm --enable-alpha-plugins";
    let (reason, message) = workshop.refusal(&source).await;
    assert_eq!(reason, UnjudgedReason::ForbiddenUrl, "{message}");
    workshop.settings.policy.remote_bases = vec![repository];
    let prepared = workshop.prepared(&source).await.unwrap();
    let map = body(&prepared, "ConfigMap", "oslo-reader");
    assert_eq!(map["data"], json!({"mode": "cold", "kube": "v1.34.2"}));
}

#[tokio::test]
#[ignore = "needs helm and kustomize: run .ci/run"]
async fn a_kustomization_that_wants_a_plugin_is_named_and_runs_nothing() {
    let mark = std::env::temp_dir().join(format!("driftdeck-ran-{}", std::process::id()));
    let generator = "apiVersion: team.example/v1\nkind: Anything\nmetadata:\n  name: a\n  annotations:\n    config.kubernetes.io/function: |\n      exec: {path: ./run.sh}\n";
    let script = format!("#!/bin/sh\ntouch {}\n", mark.display());
    let mut workshop = Workshop::new(&[
        ("edge/kustomization.yaml", "generators: [generator.yaml]\n"),
        ("edge/generator.yaml", generator),
        ("edge/run.sh", &script),
    ]);
    workshop.kustomize_options = "--enable-alpha-plugins --enable-exec";
    let (reason, message) = workshop.refusal(&workshop.source("edge")).await;
    assert_eq!(reason, UnjudgedReason::NeedsPlugin, "{message}");
    assert!(!mark.exists(), "it was run");
}

//! What is done to deployed Applications, and what Argo CD is expected to say of it.

use serde_json::{Value, json};

/// One thing that somebody does. `APP` in texts and values stands for the Application's name, which is its namespace too.
pub(crate) enum Act {
    /// A merge patch of one of the base's objects by this field manager.
    Merge(&'static str, &'static str, Value),
    /// A JSON patch, as `kubectl edit`.
    Patch(&'static str, Value),
    /// The object is deleted.
    Delete(&'static str),
    /// An object that Git does not have is created.
    Create(Value),
    /// A file of the Application's folder gets this text in a new commit.
    Commit(&'static str, &'static str),
}

/// One change and what both sides say of it.
pub(crate) struct Change {
    /// What it is, as part of a name.
    pub(crate) name: &'static str,
    /// Merged over the Application.
    pub(crate) app: Value,
    /// More files beside the base's.
    pub(crate) files: Vec<(&'static str, &'static str)>,
    /// What is done once it is deployed.
    pub(crate) acts: Vec<Act>,
    /// What both say of it.
    said: Said,
    /// The same where Argo CD syncs by itself and applies on the server's side, if it differs.
    automated: Option<Said>,
}

/// What both sides say.
#[derive(Default)]
pub(crate) struct Said {
    /// The objects that Argo CD calls OutOfSync; all others are Synced.
    pub(crate) out: Vec<&'static str>,
    /// Objects of which driftdeck says the opposite, and why it does.
    pub(crate) apart: Vec<(&'static str, &'static str)>,
}

/// Files that every Application has.
pub(crate) const BASE: [(&str, &str); 1] = [("base.yaml", include_str!("base.yaml"))];

fn change(name: &'static str) -> Change {
    Change {
        name,
        app: json!({}),
        files: Vec::new(),
        acts: Vec::new(),
        said: Said::default(),
        automated: None,
    }
}

impl Change {
    fn app(self, app: Value) -> Self {
        Self { app, ..self }
    }

    fn file(mut self, name: &'static str, text: &'static str) -> Self {
        self.files.push((name, text));
        self
    }

    fn act(mut self, act: Act) -> Self {
        self.acts.push(act);
        self
    }

    /// By a person with kubectl.
    fn edit(self, kind: &'static str, patch: Value) -> Self {
        self.act(Act::Merge("kubectl-edit", kind, patch))
    }

    fn patch(self, kind: &'static str, operations: Value) -> Self {
        self.act(Act::Patch(kind, operations))
    }

    fn out(mut self, object: &'static str) -> Self {
        self.said.out.push(object);
        self
    }

    /// What is said where Argo CD syncs by itself.
    fn automated(self, out: &[&'static str], apart: &[(&'static str, &'static str)]) -> Self {
        let automated = Some(Said {
            out: out.to_vec(),
            apart: apart.to_vec(),
        });
        Self { automated, ..self }
    }

    fn apart(mut self, object: &'static str, why: &'static str) -> Self {
        self.said.apart.push((object, why));
        self
    }

    /// What both say of it, synced by hand or by itself.
    pub(crate) fn said(&self, automated: bool) -> &Said {
        self.automated
            .as_ref()
            .filter(|_| automated)
            .unwrap_or(&self.said)
    }

    /// Whether Git moves.
    pub(crate) fn commits(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Act::Commit(..)))
    }
}

/// All of them.
pub(crate) fn all() -> Vec<Change> {
    [fields(), lists(), unmanaged(), whole(), rules(), git()]
        .into_iter()
        .flatten()
        .collect()
}

const DEPLOYMENT: &str = "Deployment/reader";
const SERVICE: &str = "Service/reader";
const CONFIG: &str = "ConfigMap/reader-config";
const SECRET: &str = "Secret/reader-vault";
const WIDGET: &str = "ServiceMonitor/reader";
const BUDGET: &str = "PodDisruptionBudget/reader";
const POLICY: &str = "NetworkPolicy/reader";

const CONTAINER: &str = "/spec/template/spec/containers/0";

fn at(path: &str) -> String {
    format!("{CONTAINER}/{path}")
}

fn replace(path: &str, value: Value) -> Value {
    json!([{ "op": "replace", "path": path, "value": value }])
}

fn add(path: &str, value: Value) -> Value {
    json!([{ "op": "add", "path": path, "value": value }])
}

fn remove(path: &str) -> Value {
    json!([{ "op": "remove", "path": path }])
}

/// Fields that Git sets.
fn fields() -> Vec<Change> {
    vec![
        change("untouched"),
        change("replicas")
            .edit(DEPLOYMENT, json!({ "spec": { "replicas": 5 } }))
            .out(DEPLOYMENT),
        change("scaled-by-a-program")
            .act(Act::Merge(
                "vpa-recommender",
                DEPLOYMENT,
                json!({ "spec": { "replicas": 4 } }),
            ))
            .out(DEPLOYMENT),
        change("label-changed")
            .edit(
                DEPLOYMENT,
                json!({ "metadata": { "labels": { "tier": "lab" } } }),
            )
            .out(DEPLOYMENT),
        change("label-removed")
            .edit(
                DEPLOYMENT,
                json!({ "metadata": { "labels": { "tier": null } } }),
            )
            .out(DEPLOYMENT),
        change("quantity-respelled").patch(
            DEPLOYMENT,
            replace(&at("resources/requests/cpu"), json!("1")),
        ),
        change("quantity-changed")
            .patch(
                DEPLOYMENT,
                replace(&at("resources/requests/cpu"), json!("1500m")),
            )
            .out(DEPLOYMENT),
        change("config-changed")
            .edit(CONFIG, json!({ "data": { "SAMPLE_RATE": "250" } }))
            .out(CONFIG),
        change("config-key-removed")
            .edit(CONFIG, json!({ "data": { "SAMPLE_RATE": null } }))
            .out(CONFIG),
        change("secret-changed")
            .edit(SECRET, json!({ "data": { "db_password": "c3RvbGVu" } }))
            .out(SECRET),
        change("type-changed")
            .edit(SERVICE, json!({ "spec": { "type": "NodePort" } }))
            .out(SERVICE),
        change("custom-field")
            .edit(WIDGET, json!({ "spec": { "jobLabel": "lab" } }))
            .out(WIDGET),
        change("several-at-once")
            .edit(DEPLOYMENT, json!({ "spec": { "replicas": 0 } }))
            .edit(CONFIG, json!({ "data": { "SAMPLE_RATE": "1" } }))
            .out(CONFIG)
            .out(DEPLOYMENT),
        change("there-and-back")
            .edit(DEPLOYMENT, json!({ "spec": { "replicas": 7 } }))
            .edit(DEPLOYMENT, json!({ "spec": { "replicas": 2 } })),
    ]
}

/// Elements of lists that Git sets: by key, by position, whole.
fn lists() -> Vec<Change> {
    let env = |name: &str| json!({ "name": name, "value": "on" });
    vec![
        change("image")
            .patch(
                DEPLOYMENT,
                replace(&at("image"), json!("registry.example/edge/reader:1.5.0")),
            )
            .out(DEPLOYMENT),
        change("env-value")
            .patch(DEPLOYMENT, replace(&at("env/0/value"), json!("debug")))
            .out(DEPLOYMENT),
        change("env-removed")
            .patch(DEPLOYMENT, remove(&at("env/1")))
            .out(DEPLOYMENT),
        change("env-added")
            .patch(DEPLOYMENT, add(&at("env/-"), env("DEBUG")))
            .apart(DEPLOYMENT, BY_HAND),
        change("container-added")
            .patch(
                DEPLOYMENT,
                add(
                    "/spec/template/spec/containers/-",
                    json!({ "name": "shell", "image": "busybox" }),
                ),
            )
            .apart(DEPLOYMENT, BY_HAND),
        change("port-changed")
            .patch(SERVICE, replace("/spec/ports/0/port", json!(9090)))
            .out(SERVICE),
        change("port-added")
            .patch(
                SERVICE,
                add("/spec/ports/-", json!({ "name": "debug", "port": 6060 })),
            )
            .apart(SERVICE, BY_HAND),
        change("arg-changed")
            .patch(DEPLOYMENT, replace(&at("args/0"), json!("--fast")))
            .out(DEPLOYMENT),
        change("arg-added")
            .patch(DEPLOYMENT, add(&at("args/-"), json!("--debug")))
            .out(DEPLOYMENT),
        change("rule-added")
            .patch(
                POLICY,
                add("/spec/ingress/-", json!({ "ports": [{ "port": 22 }] })),
            )
            .out(POLICY),
        change("custom-item-changed")
            .patch(WIDGET, replace("/spec/endpoints/0/interval", json!("5s")))
            .out(WIDGET),
        change("custom-item-added")
            .patch(WIDGET, add("/spec/endpoints/-", json!({ "port": "debug" })))
            .out(WIDGET),
        change("custom-item-removed")
            .patch(WIDGET, remove("/spec/endpoints/1"))
            .out(WIDGET),
    ]
}

/// Why driftdeck counts what Argo CD's merge leaves alone.
const BY_HAND: &str = "an element that a person added to a list of Git's is drift here; Argo CD's merge by key leaves it";

/// Why driftdeck does not count what a server-side apply takes out.
const NO_SCHEMA: &str = "in a list of a custom kind a field that Git leaves out cannot be told from a default of the kind's schema";

/// What Git says nothing of.
fn unmanaged() -> Vec<Change> {
    vec![
        change("label-added").edit(
            DEPLOYMENT,
            json!({ "metadata": { "labels": { "shift": "night" } } }),
        ),
        change("annotation-added").edit(
            CONFIG,
            json!({ "metadata": { "annotations": { "edge.example/note": "x" } } }),
        ),
        change("finalizer-added").edit(
            CONFIG,
            json!({ "metadata": { "finalizers": ["edge.example/keep"] } }),
        ),
        change("config-key-added").edit(CONFIG, json!({ "data": { "DEBUG": "1" } })),
        change("secret-key-added").edit(SECRET, json!({ "data": { "extra": "eA==" } })),
        change("default-changed")
            .edit(DEPLOYMENT, json!({ "spec": { "revisionHistoryLimit": 3 } })),
        change("default-in-an-element").patch(
            DEPLOYMENT,
            replace(
                &at("terminationMessagePolicy"),
                json!("FallbackToLogsOnError"),
            ),
        ),
        change("node-selector-added").edit(
            DEPLOYMENT,
            json!({ "spec": { "template": { "spec": { "nodeSelector": { "rack": "7" } } } } }),
        ),
        change("custom-field-added").edit(WIDGET, json!({ "spec": { "sampleLimit": 500 } })),
        change("custom-field-in-an-item")
            .patch(WIDGET, add("/spec/endpoints/0/scheme", json!("https")))
            .automated(&[WIDGET], &[(WIDGET, NO_SCHEMA)]),
        change("status-written").edit(
            BUDGET,
            json!({ "metadata": { "annotations": { "seen": "today" } } }),
        ),
    ]
}

fn config_map(name: &str, annotations: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": name, "namespace": "APP", "annotations": annotations },
        "data": { "left": "over" },
    })
}

/// Whole objects: gone, or there without Git.
fn whole() -> Vec<Change> {
    let mark = |name: &str| format!("APP:/ConfigMap:APP/{name}");
    let tracked = |name: &str, more: Value| {
        let mut annotations = json!({ "argocd.argoproj.io/tracking-id": mark(name) });
        crate::gitops_states::merge(&mut annotations, &more);
        Act::Create(config_map(name, annotations))
    };
    let compare = |option: &str| json!({ "argocd.argoproj.io/compare-options": option });
    let sync = |option: &str| json!({ "argocd.argoproj.io/sync-options": option });
    vec![
        change("service-deleted").act(Act::Delete(SERVICE)).out(SERVICE),
        change("deployment-deleted").act(Act::Delete(DEPLOYMENT)).out(DEPLOYMENT),
        change("custom-deleted").act(Act::Delete(WIDGET)).out(WIDGET),
        change("extra").act(tracked("left-over", json!({}))).out("ConfigMap/left-over"),
        change("extra-not-pruned").act(tracked("kept", sync("Prune=false"))).out("ConfigMap/kept"),
        change("extra-ignored")
            .act(tracked("ignored", compare("IgnoreExtraneous")))
            .out("ConfigMap/ignored")
            .apart("ConfigMap/ignored", "IgnoreExtraneous: Argo CD marks the object and calls the Application Synced; here it is no drift"),
        change("extra-of-nobody").act(Act::Create(config_map("stranger", json!({})))),
        change("extra-copy").act(Act::Create(config_map("copy", json!({ "argocd.argoproj.io/tracking-id": mark("reader-config") })))),
        change("claim-template")
            .file("store.yaml", STORE)
            .automated(&["StatefulSet/store"], &[("StatefulSet/store", CLAIM)]),
        change("hook").file("hook.yaml", HOOK),
        change("skipped")
            .file("skipped.yaml", SKIPPED),
    ]
}

/// Why driftdeck does not repeat a false alarm.
const CLAIM: &str = "the server fills in apiVersion and kind of a claim template, which Argo CD's structured merge calls a difference for ever";

const STORE: &str = "apiVersion: apps/v1
kind: StatefulSet
metadata: {name: store}
spec:
  serviceName: reader
  selector: {matchLabels: {app: store}}
  template:
    metadata: {labels: {app: store}}
    spec: {containers: [{name: store, image: registry.example/edge/store:3.1}]}
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
";

const HOOK: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: before-sync
  annotations:
    argocd.argoproj.io/hook: PreSync
data: { phase: before }
";

const SKIPPED: &str = "apiVersion: v1
kind: ConfigMap
metadata:
  name: skipped
  annotations:
    argocd.argoproj.io/hook: Skip
data: { never: applied }
";

/// Rules about what is no drift: of the Application, of argocd-cm, of the object.
fn rules() -> Vec<Change> {
    let ignore = |rule: Value| {
        let mut rule = rule;
        crate::gitops_states::merge(&mut rule, &json!({ "group": "apps", "kind": "Deployment" }));
        json!({ "spec": { "ignoreDifferences": [rule] } })
    };
    let server_side = json!({ "metadata": { "annotations": { "argocd.argoproj.io/compare-options": "ServerSideDiff=true" } } });
    let by_image = ignore(
        json!({ "jqPathExpressions": [".spec.template.spec.containers[] | select(.name == \"app\") | .image"] }),
    );
    let image = || replace(&at("image"), json!("registry.example/edge/reader:1.5.0"));
    let managers = ignore(json!({ "managedFieldsManagers": ["autoscaler"] }));
    let five = || json!({ "spec": { "replicas": 5 } });
    vec![
        change("ignored-pointer").app(ignore(json!({ "jsonPointers": ["/spec/replicas"] }))).edit(DEPLOYMENT, five()),
        change("ignored-pointer-beside")
            .app(ignore(json!({ "jsonPointers": ["/spec/replicas"] })))
            .patch(DEPLOYMENT, image())
            .out(DEPLOYMENT),
        change("ignored-jq").app(by_image.clone()).patch(DEPLOYMENT, image()),
        change("ignored-jq-beside").app(by_image).edit(DEPLOYMENT, five()).out(DEPLOYMENT),
        change("ignored-manager").app(managers.clone()).act(Act::Merge("autoscaler", DEPLOYMENT, five())),
        change("ignored-manager-other").app(managers).edit(DEPLOYMENT, five()).out(DEPLOYMENT),
        change("ignored-other-kind")
            .app(json!({ "spec": { "ignoreDifferences": [{ "kind": "Service", "jsonPointers": ["/data"] }] } }))
            .edit(CONFIG, json!({ "data": { "SAMPLE_RATE": "1" } }))
            .out(CONFIG),
        change("ignored-by-argocd-cm").edit(BUDGET, json!({ "spec": { "maxUnavailable": 3 } })),
        change("server-side-edit").app(server_side.clone()).edit(DEPLOYMENT, five()).out(DEPLOYMENT),
        change("server-side-env-added")
            .app(server_side.clone())
            .patch(DEPLOYMENT, add(&at("env/-"), json!({ "name": "DEBUG", "value": "on" })))
            .apart(DEPLOYMENT, BY_HAND),
        change("server-side-untouched").app(server_side),
    ]
}

/// Git moves on.
fn git() -> Vec<Change> {
    let more = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\ndata: { a: b }\n";
    let other = "apiVersion: v1\nkind: ConfigMap\nmetadata: { name: more }\ndata: { a: c }\n";
    let kept = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: more\n  annotations: { argocd.argoproj.io/sync-options: Prune=false }\ndata: { a: b }\n";
    let edited = json!({ "data": { "a": "c" } });
    vec![
        change("commit-changes")
            .file("more.yaml", more)
            .act(Act::Commit("more.yaml", other))
            .out("ConfigMap/more")
            .automated(&[], &[]),
        change("commit-adds")
            .act(Act::Commit("more.yaml", more))
            .out("ConfigMap/more")
            .automated(&[], &[]),
        change("commit-removes")
            .file("more.yaml", more)
            .act(Act::Commit("more.yaml", "# gone\n"))
            .out("ConfigMap/more"),
        change("commit-removes-kept")
            .file("more.yaml", kept)
            .act(Act::Commit("more.yaml", "# gone\n"))
            .out("ConfigMap/more"),
        change("commit-comment")
            .file("more.yaml", more)
            .act(Act::Commit("README.md", "Nothing to see.\n")),
        change("commit-and-edit")
            .file("more.yaml", more)
            .act(Act::Commit("more.yaml", other))
            .edit(CONFIG, json!({ "data": { "SAMPLE_RATE": "1" } }))
            .out(CONFIG)
            .out("ConfigMap/more")
            .automated(&[CONFIG], &[]),
        change("commit-follows-the-edit")
            .file("more.yaml", more)
            .edit("ConfigMap/more", edited)
            .act(Act::Commit("more.yaml", other)),
    ]
}

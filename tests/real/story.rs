//! The world of the story: a team's microservice on every edge, deployed from Git by Argo CD on the hub.

use std::sync::Arc;

use kube::api::PostParams;
use serde_json::{Value, json};

use crate::argo::Controller;
use crate::bed::{Bed, bed};
use crate::git_server::Repository;
use crate::kubectl::Kubectl;
use crate::objects::{live, namespace};
use crate::servers::{Cluster, User};

/// How a team's Applications are set up.
#[derive(Clone, Copy)]
pub(crate) struct Policy {
    /// `syncPolicy.automated` with prune; selfHeal stays off, so that drift stays to be seen.
    pub(crate) automated: bool,
    /// `ServerSideApply=true`; otherwise Argo CD's default, a client-side apply.
    pub(crate) server_side: bool,
}

impl Policy {
    /// Synced by hand, applied on the server's side: as the story has it.
    pub(crate) const MANUAL: Self = Self {
        automated: false,
        server_side: true,
    };
    /// Syncs itself to whatever HEAD is.
    pub(crate) const AUTOMATED: Self = Self {
        automated: true,
        server_side: true,
    };
    /// Synced by hand, applied on the client's side: Argo CD's default.
    pub(crate) const CLASSIC: Self = Self {
        automated: false,
        server_side: false,
    };
}

/// One team: a repository, and an Application for each edge.
pub(crate) struct Team {
    /// The shared stage.
    pub(crate) bed: &'static Bed,
    /// The service's name, such as `edge-microservice`.
    pub(crate) name: String,
    /// Where its objects live, such as `edge-microservice-namespace`.
    pub(crate) namespace: String,
    /// Where they come from.
    pub(crate) repository: Arc<Repository>,
    /// The Applications, in the order of the edges.
    pub(crate) apps: Vec<Controller>,
}

/// The fleet of the story: `edge-microservice` on three edges, synced by hand with server-side apply.
pub(crate) async fn fleet() -> Team {
    Team::deploy("edge-microservice", Policy::MANUAL).await
}

impl Team {
    /// Commits the manifests, creates one Application for each edge, and lets the controller deploy them.
    ///
    /// A name may be used once in a test run: tests run side by side on the same clusters.
    pub(crate) async fn deploy(name: &str, policy: Policy) -> Self {
        let bed = bed().await;
        let repository = Arc::new(bed.git.repository(name));
        let namespace = format!("{name}-namespace");
        let app = |edge: &'static Cluster| Controller {
            bed,
            edge,
            repository: repository.clone(),
            app: format!("{name}-{}", edge.name.trim_start_matches("edge-")),
            namespace: namespace.clone(),
            path: "microserviceA".into(),
        };
        let apps = bed.edges.iter().map(app).collect();
        let team = Self {
            bed,
            name: name.to_owned(),
            namespace,
            repository,
            apps,
        };
        team.repository
            .commit("Deploy the sensor reader", &manifests(name));
        for app in &team.apps {
            team.deploy_one(app, policy).await;
        }
        team
    }

    async fn deploy_one(&self, app: &Controller, policy: Policy) {
        namespace(&app.edge.client(User::Admin).await, &self.namespace).await;
        let application = serde_json::from_value(self.application(app, policy)).unwrap();
        app.applications()
            .await
            .create(&PostParams::default(), &application)
            .await
            .unwrap();
        app.play().await;
    }

    /// The Application as a person writes it, with a first sync asked for.
    fn application(&self, app: &Controller, policy: Policy) -> Value {
        let mut options = vec!["CreateNamespace=true"];
        if policy.server_side {
            options.push("ServerSideApply=true");
        }
        let mut spec = json!({
            "project": "default",
            "source": { "repoURL": self.repository.url, "path": app.path, "targetRevision": "HEAD" },
            "destination": { "server": app.edge.url, "namespace": self.namespace },
            "syncPolicy": { "syncOptions": options },
        });
        if policy.automated {
            spec["syncPolicy"]["automated"] = json!({ "prune": true, "selfHeal": false });
        }
        json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": { "name": app.app, "namespace": "argocd", "labels": { "team": self.name } },
            "spec": spec,
            "operation": { "initiatedBy": { "username": "admin" }, "sync": { "syncOptions": options } },
        })
    }

    /// The Application on the edge of this name.
    pub(crate) fn on(&self, edge: &str) -> &Controller {
        self.apps
            .iter()
            .find(|app| app.edge.name == edge)
            .unwrap_or_else(|| panic!("no edge {edge}"))
    }

    /// What operators at the edge did in the story, on the Application's edge.
    ///
    /// One Deployment is edited four times over, a ConfigMap and a Secret once each, and the Service is deleted.
    pub(crate) fn disturb(&self, app: &Controller) {
        let kubectl = Kubectl::on(self.bed, app.edge, User::Operator);
        let (name, namespace) = (self.name.as_str(), self.namespace.as_str());
        let deployment = format!("deployment/{name}");
        let secret = format!("secret/vault-secret-{name}");
        kubectl.edit(namespace, &deployment, "s/^  replicas: 2$/  replicas: 5/");
        kubectl.edit(
            namespace,
            &deployment,
            "s/microservice:1.4.2/microservice:1.5.0-rc1/",
        );
        kubectl.edit(
            namespace,
            &deployment,
            "/^ *- env:$/a\\\n        - name: DEBUG_SENSORS\\\n          value: \"on\"",
        );
        kubectl.edit(namespace, &deployment, "/^    tier: sensor$/d");
        kubectl.edit(
            namespace,
            &format!("configmap/{name}-config"),
            "s/SAMPLE_RATE: \"10\"/SAMPLE_RATE: \"250\"/",
        );
        kubectl.edit(
            namespace,
            &secret,
            "s/db_password: .*/db_password: c3RvbGVuLWFuZC1zb2xk/",
        );
        kubectl.run(&["delete", "service", name, "-n", namespace, "--wait=false"]);
    }

    /// The live object of this kind, of all that Git names.
    pub(crate) async fn live(&self, app: &Controller, kind: &str, name: &str) -> Option<Value> {
        let rendered = app.render(&self.repository.resolve("HEAD"));
        let object = rendered
            .iter()
            .find(|o| o["kind"] == kind && o["metadata"]["name"] == name);
        let object = object.unwrap_or_else(|| panic!("Git has no {kind} {name}"));
        live(&app.edge.client(User::Admin).await, object).await
    }
}

/// The files of the repository: the objects of the seed, with what is awkward in the field around them.
///
/// Awkward on purpose, and none of it drift: quantities the server writes differently (`1000m`), `stringData`, defaulted
/// fields, several documents in a file, a comment-only document, an object in another namespace, a cluster-scoped one,
/// and a file that is no manifest.
pub(crate) fn manifests(name: &str) -> Vec<(String, String)> {
    let file = |path: &str, text: String| (format!("microserviceA/{path}"), text);
    let with_name = |text: &str| text.replace("NAME", name);
    vec![
        file("deployment.yaml", with_name(DEPLOYMENT)),
        file("service.yaml", with_name(SERVICE)),
        file("configuration.yaml", with_name(CONFIGURATION)),
        file("access.yaml", with_name(ACCESS)),
        file("monitor.json", json_of(&monitor(name))),
        (
            "README.md".into(),
            format!("# {name}\n\nRead sensors at the edge.\n"),
        ),
    ]
}

fn json_of(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap()
}

fn monitor(name: &str) -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor",
        "metadata": { "name": format!("{name}-monitor"), "namespace": "monitoring" },
        "spec": {
            "endpoints": [{ "port": "web", "interval": "30s", "path": "/metrics" }],
            "namespaceSelector": { "matchNames": [format!("{name}-namespace")] },
            "selector": { "matchLabels": { "app": name } },
        },
    })
}

/// The value of `db_password`: as the manifest has it, and as it reads.
pub(crate) const PASSWORD: [&str; 2] = ["czNjcjN0LWVkZ2UtcGFzc3dvcmQ=", "s3cr3t-edge-password"];

const DEPLOYMENT: &str = r"# Two replicas, so that one may move.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: NAME
  labels:
    app: NAME
    tier: sensor
spec:
  replicas: 2
  selector:
    matchLabels:
      app: NAME
  template:
    metadata:
      labels:
        app: NAME
    spec:
      serviceAccountName: NAME
      containers:
        - name: app
          image: registry.example/edge/microservice:1.4.2
          ports:
            - name: web
              containerPort: 8080
          env:
            - name: LOG_LEVEL
              value: info
            - name: SENSOR_INTERVAL
              value: 30s
            - name: DB_PASSWORD
              valueFrom:
                secretKeyRef:
                  name: vault-secret-NAME
                  key: db_password
          resources:
            requests:
              cpu: 1000m
              memory: 0.25Gi
          readinessProbe:
            httpGet:
              path: /ready
              port: web
";

const SERVICE: &str = r"apiVersion: v1
kind: Service
metadata:
  name: NAME
  labels:
    app: NAME
spec:
  selector:
    app: NAME
  ports:
    - name: web
      port: 8080
      targetPort: web
";

const CONFIGURATION: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: NAME-config
data:
  SAMPLE_RATE: "10"
  reader.toml: |
    [reader]
    buffer = 64
    topic = "sensors/raw"
---
# The values come from Vault in the field.
---
apiVersion: v1
kind: Secret
metadata:
  name: vault-secret-NAME
type: Opaque
data:
  db_password: czNjcjN0LWVkZ2UtcGFzc3dvcmQ=
---
apiVersion: v1
kind: Secret
metadata:
  name: mqtt-NAME
stringData:
  username: sensor
  password: m0squ1tt0-passphrase
"#;

const ACCESS: &str = r#"apiVersion: v1
kind: ServiceAccount
metadata:
  name: NAME
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: NAME-nodes
rules:
  - apiGroups: [""]
    resources: [nodes]
    verbs: [get, list]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: NAME-nodes
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: NAME-nodes
subjects:
  - kind: ServiceAccount
    name: NAME
    namespace: NAME-namespace
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: NAME
spec:
  maxUnavailable: 50%
  selector:
    matchLabels:
      app: NAME
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: NAME
spec:
  podSelector:
    matchLabels:
      app: NAME
  policyTypes: [Ingress]
  ingress:
    - ports:
        - port: web
"#;

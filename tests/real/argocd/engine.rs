//! The real Argo CD: redis, repo-server and application controller as processes on loopback, against a hub of their own.

use std::fs::Permissions;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::bed::{Bed, bed, blocking};
use crate::crds;
use crate::kubeconfig::{self, Entry};
use crate::objects::{apply, namespace};
use crate::process::Process;
use crate::program::Driftdeck;
use crate::servers::{Cluster, User, await_ready, built_by, free_port};

/// The namespace Argo CD runs in.
pub(crate) const NAMESPACE: &str = "argocd";

/// A running Argo CD with a hub of its own; its edges are the first two of the test bed.
pub(crate) struct Engine {
    /// The shared stage.
    pub(crate) bed: &'static Bed,
    /// The cluster with its Applications.
    pub(crate) hub: Cluster,
    redis: u16,
    controller: Process,
    _servers: [Process; 2],
}

/// The one Argo CD of the test run, started by whoever asks first.
pub(crate) async fn engine() -> &'static Engine {
    static ENGINE: OnceCell<Engine> = OnceCell::const_new();
    ENGINE.get_or_init(Engine::start).await
}

impl Engine {
    async fn start() -> Self {
        let bed = bed().await;
        let began = Instant::now();
        let hub = bed.start_edge("hub-argo").await;
        furnish(bed, &hub).await;
        let dir = bed.dir.join("argocd");
        let kubeconfig = dir.join("kubeconfig");
        prepare(bed, &hub, &dir, &kubeconfig);
        let redis = free_port();
        let (controller, servers) = blocking(move || {
            let program = built_by(
                ".ci/real-argocd",
                "Set DRIFTDECK_ARGOCD to a folder with argocd, or install Go 1.26.",
            )
            .join("argocd");
            let site = Site {
                dir,
                program,
                redis,
            };
            let store = site.redis();
            let (server, address) = site.repo_server();
            (site.controller(&kubeconfig, &address), [store, server])
        })
        .await;
        eprintln!(
            "argocd: a hub, redis, repo-server and application controller ready in {:.1?}",
            began.elapsed()
        );
        Self {
            bed,
            hub,
            redis,
            controller,
            _servers: servers,
        }
    }

    /// Stops the application controller in its tracks until the answer is dropped: what it wrote stays as it is.
    pub(crate) fn standstill(&self) -> Standstill<'_> {
        self.controller.freeze();
        Standstill(&self.controller)
    }

    /// The clusters that it deploys to.
    pub(crate) fn edges(&self) -> [&'static Cluster; 2] {
        [&self.bed.edges[0], &self.bed.edges[1]]
    }

    /// driftdeck with the hub and both edges in its kubeconfig, as the operator.
    pub(crate) fn driftdeck(&self) -> Driftdeck {
        let file = format!("argocd-{:x}.kubeconfig", fastrand::u64(..));
        let path = self.bed.dir.join(file);
        let clusters = std::iter::once(&self.hub).chain(self.edges());
        let entries: Vec<Entry<'_>> = clusters.map(|c| Entry::of(c, User::Operator)).collect();
        kubeconfig::write(&path, &entries);
        Driftdeck::with(self.bed, &path)
    }

    /// What the controller last compared for this Application: each object's target, live state and their difference.
    ///
    /// Argo CD keeps it in redis under this key, as JSON; 1.8.3 is the version of its cache's layout.
    pub(crate) fn compared(&self, app: &str) -> Vec<Value> {
        let output = Command::new("redis-cli")
            .args(["-h", "127.0.0.1", "-p", &self.redis.to_string(), "--raw"])
            .args(["GET", &format!("app|managed-resources|{app}|1.8.3")])
            .output()
            .expect("redis-cli cannot be started");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }
}

/// A controller that stands still.
pub(crate) struct Standstill<'e>(&'e Process);

impl Drop for Standstill<'_> {
    fn drop(&mut self) {
        self.0.thaw();
    }
}

/// Where its processes live.
struct Site {
    dir: PathBuf,
    program: PathBuf,
    redis: u16,
}

impl Site {
    fn redis(&self) -> Process {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.redis.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]);
        command.arg(&self.dir);
        self.run("redis", command, self.redis)
    }

    /// The repo-server and its address.
    fn repo_server(&self) -> (Process, String) {
        let port = free_port();
        let mut command = self.argocd("argocd-repo-server");
        command.args(["--address", "127.0.0.1", "--metrics-address", "127.0.0.1"]);
        command.args(["--port", &port.to_string()]);
        command.args(["--metrics-port", &free_port().to_string()]);
        command.args(["--disable-tls", "--client-ca-path", ""]);
        // Of all it would keep under /app and /tmp.
        command.env("ARGOCD_TLS_DATA_PATH", self.dir.join("tls"));
        command.env("ARGOCD_ASK_PASS_SOCK", self.dir.join("ask-pass.sock"));
        let process = self.run("argocd-repo-server", command, port);
        (process, format!("127.0.0.1:{port}"))
    }

    fn controller(&self, kubeconfig: &Path, repo_server: &str) -> Process {
        let metrics = free_port();
        let mut command = self.argocd("argocd-application-controller");
        command.arg("--kubeconfig").arg(kubeconfig);
        command.args(["--repo-server", repo_server, "--repo-server-plaintext"]);
        command.args(["--metrics-port", &metrics.to_string()]);
        self.run("argocd-application-controller", command, metrics)
    }

    fn argocd(&self, name: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.env("ARGOCD_BINARY_NAME", name);
        command.env("ARGOCD_GPG_ENABLED", "false");
        let path = std::env::var("PATH").unwrap_or_default();
        let bin = self.dir.join("bin");
        command.env("PATH", format!("{}:{path}", bin.display()));
        command.env("TMPDIR", self.dir.join("tmp"));
        command.args(["--loglevel", "warn", "--logformat", "text"]);
        let redis = format!("127.0.0.1:{}", self.redis);
        command.args(["--redis", &redis, "--redis-compress", "none"]);
        command
    }

    /// Starts it and waits until it listens.
    fn run(&self, name: &str, command: Command, port: u16) -> Process {
        let log = self.dir.join(format!("{name}.log"));
        let mut process = Process::spawn(name, command, log);
        await_ready(name, &mut process, || {
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        process
    }
}

/// The files the processes read: the hub's kubeconfig, the authority of the Git server by its host, and a script.
fn prepare(bed: &Bed, hub: &Cluster, dir: &Path, kubeconfig: &Path) {
    std::fs::create_dir_all(dir.join("tls")).unwrap();
    std::fs::create_dir_all(dir.join("tmp")).unwrap();
    std::fs::copy(&bed.git.ca_file, dir.join("tls/127.0.0.1")).unwrap();
    // Its image has a script of this name, which is asked about every commit's signature whether one is wanted or not.
    let script = dir.join("bin/git-verify-wrapper.sh");
    std::fs::create_dir_all(dir.join("bin")).unwrap();
    std::fs::write(&script, "#!/bin/sh\nexit 0\n").unwrap();
    std::fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
    let entry = Entry::of(hub, User::Admin).in_namespace(NAMESPACE);
    kubeconfig::write(kubeconfig, &[entry]);
}

/// What an installation of Argo CD has in its own cluster.
async fn furnish(bed: &Bed, hub: &Cluster) {
    let client = hub.client(User::Admin).await;
    crds::install(&client, &crds::argo()).await;
    namespace(&client, NAMESPACE).await;
    for object in [settings(), secret(), project()] {
        apply(&client, "kubectl", &object).await;
    }
    for edge in &bed.edges[..2] {
        apply(&client, "kubectl", &crate::bed::cluster_secret(edge)).await;
    }
}

fn part(kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": kind,
        "metadata": { "name": name, "namespace": NAMESPACE, "labels": { "app.kubernetes.io/part-of": "argocd" } },
    })
}

/// argocd-cm, with a rule of its own about what is no drift.
fn settings() -> Value {
    let mut settings = part("ConfigMap", "argocd-cm");
    settings["data"] = json!({
        "application.resourceTrackingMethod": "annotation",
        "resource.customizations.ignoreDifferences.policy_PodDisruptionBudget": "jsonPointers:\n- /spec/maxUnavailable\n",
    });
    settings
}

fn secret() -> Value {
    let mut secret = part("Secret", "argocd-secret");
    secret["stringData"] = json!({ "server.secretkey": "not-a-secret-of-anybody" });
    secret
}

fn project() -> Value {
    let all = json!([{ "group": "*", "kind": "*" }]);
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "AppProject",
        "metadata": { "name": "default", "namespace": NAMESPACE },
        "spec": {
            "sourceRepos": ["*"], "destinations": [{ "server": "*", "namespace": "*" }],
            "clusterResourceWhitelist": all, "namespaceResourceWhitelist": all,
        },
    })
}

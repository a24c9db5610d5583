//! The scenario `giant`, served by a process of its own, and changes made to it as a person's tool makes them.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::Request;
use kube::config::{KubeConfigOptions, Kubeconfig};

/// A Deployment that every edge has.
pub(crate) struct Deployment {
    namespace: &'static str,
    name: &'static str,
}

pub(crate) const INGRESS: Deployment = Deployment {
    namespace: "ingress",
    name: "ingress",
};

/// The longest document of an edge.
pub(crate) const MICROSERVICE: Deployment = Deployment {
    namespace: "edge-microservice-namespace",
    name: "edge-microservice",
};

/// The core of the fleet and of this program, and the one of the console: neither takes the other's time.
const SERVERS: &str = "0";
pub(crate) const CONSOLE: &str = "1";

/// Edits of a storm in a second: about four events each, of the Deployment, its pods and their statuses.
const EDITS: u32 = 250;

/// The running fleet.
pub(crate) struct Fleet {
    /// The program under measurement.
    pub(crate) binary: PathBuf,
    pub(crate) kubeconfig: PathBuf,
    /// How long it took until every server answered.
    pub(crate) ready: Duration,
    runtime: Arc<tokio::runtime::Runtime>,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Fleet {
    pub(crate) fn start() -> Self {
        let binary = std::env::var_os("DRIFTDECK_FIGURES_BIN")
            .map_or_else(|| env!("CARGO_BIN_EXE_driftdeck").into(), PathBuf::from);
        let folder = tempfile::tempdir().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let begun = Instant::now();
        let own = std::process::id().to_string();
        let taken = Command::new("taskset")
            .args(["-apc", SERVERS, &own])
            .output();
        assert!(
            taken.unwrap().status.success(),
            "taskset: two cores are needed"
        );
        // What measures goes before what is served.
        let mut child = Command::new("nice")
            .args(["-n", "10", "taskset", "-c", SERVERS])
            .arg(&binary)
            .args(["demo", "--serve", "--scenario", "giant", "--kubeconfig-out"])
            .arg(&kubeconfig)
            .env("HOME", folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let said = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(said.map_while(Result::ok).any(|line| line == "ready"));
        Self {
            binary,
            kubeconfig,
            ready: begun.elapsed(),
            runtime: Arc::new(tokio::runtime::Runtime::new().unwrap()),
            child,
            _folder: folder,
        }
    }

    /// Scales a Deployment of one edge.
    pub(crate) fn scale(&self, edge: &str, deployment: &Deployment, replicas: u32) {
        let client = self.runtime.block_on(client(&self.kubeconfig, edge));
        self.runtime.block_on(scale(&client, deployment, replicas));
    }

    /// Begins a storm: edits on forty edges in turn, until it is ended.
    pub(crate) fn storm(&self) -> Storm {
        let over = Arc::new(AtomicBool::new(false));
        let edits = Arc::new(AtomicUsize::new(0));
        let (stop, count) = (Arc::clone(&over), Arc::clone(&edits));
        let (runtime, kubeconfig) = (Arc::clone(&self.runtime), self.kubeconfig.clone());
        let begun = Instant::now();
        let thread = std::thread::spawn(move || {
            let mut clients = Vec::new();
            for number in 1..=40 {
                let edge = format!("edge-lyon-{number:03}");
                clients.push(runtime.block_on(client(&kubeconfig, &edge)));
            }
            for round in 1.. {
                for client in &clients {
                    if stop.load(Ordering::Relaxed) {
                        return;
                    }
                    runtime.block_on(scale(client, &INGRESS, round % 3 + 1));
                    let made = count.fetch_add(1, Ordering::Relaxed) + 1;
                    let next = begun + Duration::from_secs(1) * made as u32 / EDITS;
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                }
            }
        });
        Storm {
            over,
            edits,
            begun,
            thread,
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A storm under way.
pub(crate) struct Storm {
    over: Arc<AtomicBool>,
    edits: Arc<AtomicUsize>,
    begun: Instant,
    thread: std::thread::JoinHandle<()>,
}

impl Storm {
    /// Ends it; how many edits a second there were. Each is several events: of the Deployment, its pods, and their statuses.
    pub(crate) fn end(self) -> f64 {
        let edits = self.edits.load(Ordering::Relaxed) as f64;
        let lasted = self.begun.elapsed().as_secs_f64();
        self.over.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        edits / lasted
    }
}

async fn client(kubeconfig: &std::path::Path, context: &str) -> kube::Client {
    let config = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions {
        context: Some(context.to_owned()),
        ..KubeConfigOptions::default()
    };
    let config = kube::Config::from_custom_kubeconfig(config, &options)
        .await
        .unwrap();
    kube::Client::try_from(config).unwrap()
}

async fn scale(client: &kube::Client, deployment: &Deployment, replicas: u32) {
    let Deployment { namespace, name } = deployment;
    let body = format!(r#"{{"spec":{{"replicas":{replicas}}}}}"#);
    let path = format!(
        "/apis/apps/v1/namespaces/{namespace}/deployments/{name}?fieldManager=kubectl-scale"
    );
    let request = Request::patch(path)
        .header("Content-Type", "application/merge-patch+json")
        .body(body.into_bytes())
        .unwrap();
    // An edge that is dark takes no edits.
    let _ = client.request_text(request).await;
}

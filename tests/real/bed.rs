//! The stage all tests share: a hub, three edges, a Git server, and who may do what. Set up once for each test run.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::crds;
use crate::git_server::GitServer;
use crate::keeper;
use crate::kubeconfig::{self, Entry};
use crate::objects::{apply, namespace};
use crate::servers::{Cluster, Etcd, Programs, User};

/// The edges, by their names in the kubeconfig.
pub(crate) const EDGES: [&str; 3] = ["edge-oslo-001", "edge-ber-017", "edge-par-031"];

/// Everything that is started once.
pub(crate) struct Bed {
    /// The programs under test.
    pub(crate) programs: Programs,
    etcd: Etcd,
    /// The cluster with Argo CD's objects.
    pub(crate) hub: Cluster,
    /// The clusters that applications deploy to.
    pub(crate) edges: Vec<Cluster>,
    /// Repositories over HTTPS.
    pub(crate) git: GitServer,
    /// A folder that goes when the tests are over.
    pub(crate) dir: PathBuf,
}

/// The test bed, started by whoever asks first.
pub(crate) async fn bed() -> &'static Bed {
    static BED: OnceLock<Result<Bed, String>> = OnceLock::new();
    let get = || BED.get_or_init(|| std::panic::catch_unwind(Bed::start).map_err(|e| words(&*e)));
    match tokio::task::spawn_blocking(get).await.unwrap() {
        Ok(bed) => bed,
        Err(reason) => panic!("The test bed did not come up: {reason}"),
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("see above")
        .to_owned()
}

impl Bed {
    fn start() -> Self {
        let began = Instant::now();
        // The process has no provider of its own before this; a second call in one process is refused, and harmless.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let argo = crds::argo();
        let programs = Programs::find();
        let dir = scratch_dir();
        let etcd = Etcd::start(&programs, &dir);
        let mut clusters = start_by_twos(
            &programs,
            &etcd,
            &dir,
            &["hub-1", EDGES[0], EDGES[1], EDGES[2]],
        );
        let hub = clusters.remove(0);
        let git = GitServer::start(&dir);
        let bed = Self {
            programs,
            etcd,
            hub,
            edges: clusters,
            git,
            dir,
        };
        for user in User::ALL {
            kubeconfig::write(&bed.kubeconfig(user), &bed.entries(user));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(bed.furnish(&argo));
        eprintln!(
            "test bed: 1 etcd and {} API servers ready and furnished in {:.1?}",
            1 + bed.edges.len(),
            began.elapsed()
        );
        bed
    }

    /// One more edge, for a test that mistreats it.
    pub(crate) async fn start_edge(&'static self, name: &'static str) -> Cluster {
        let edge = blocking(|| {
            let edge = Cluster::start(&self.programs, &self.etcd, &self.dir, name);
            edge.await_ready();
            edge
        })
        .await;
        furnish_edge(&edge.client(User::Admin).await).await;
        edge
    }

    /// One context for each cluster, all as this user.
    pub(crate) fn entries(&self, user: User) -> Vec<Entry<'_>> {
        std::iter::once(&self.hub)
            .chain(&self.edges)
            .map(|cluster| Entry::of(cluster, user))
            .collect()
    }

    /// The kubeconfig of the whole fleet for this user.
    pub(crate) fn kubeconfig(&self, user: User) -> PathBuf {
        self.dir.join(format!("{}.kubeconfig", user.name()))
    }

    async fn furnish(&self, argo: &[Value]) {
        let hub = self.hub.client(User::Admin).await;
        crds::install(&hub, argo).await;
        grant(&hub).await;
        namespace(&hub, "argocd").await;
        apply(&hub, "kubectl", &argocd_cm()).await;
        for edge in &self.edges {
            furnish_edge(&edge.client(User::Admin).await).await;
            apply(&hub, "kubectl", &cluster_secret(edge)).await;
        }
    }
}

/// What every edge has: the Prometheus operator's kind, who may do what, and a namespace for monitors.
async fn furnish_edge(client: &kube::Client) {
    crds::install(client, &[crds::service_monitor()]).await;
    grant(client).await;
    namespace(client, "monitoring").await;
}

/// Runs what blocks, such as starting and stopping servers, beside the test's runtime.
pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

/// Two at a time: more of them at once starve each other on a small machine.
fn start_by_twos(programs: &Programs, etcd: &Etcd, dir: &Path, names: &[&str]) -> Vec<Cluster> {
    let mut all = Vec::new();
    for pair in names.chunks(2) {
        let started: Vec<Cluster> = pair
            .iter()
            .map(|name| Cluster::start(programs, etcd, dir, name))
            .collect();
        started.iter().for_each(Cluster::await_ready);
        all.extend(started);
    }
    all
}

/// In memory where the machine allows it: etcd waits for its disk at every write.
fn scratch_dir() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    let dir = tempfile::Builder::new()
        .prefix("driftdeck-real-")
        .tempdir_in(parent)
        .unwrap()
        .keep();
    keeper::remove_at_end(&dir);
    dir
}

/// Argo CD's settings as far as driftdeck reads them.
fn argocd_cm() -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": { "name": "argocd-cm", "namespace": "argocd", "labels": { "app.kubernetes.io/part-of": "argocd" } },
        "data": { "application.resourceTrackingMethod": "annotation" },
    })
}

/// How Argo CD knows an edge: a Secret with its name and URL, as `argocd cluster add` writes it.
pub(crate) fn cluster_secret(edge: &Cluster) -> Value {
    let config = json!({
        "bearerToken": edge.token(User::Admin),
        "tlsClientConfig": { "insecure": false, "caData": STANDARD.encode(&edge.ca) },
    });
    json!({
        "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
        "metadata": {
            "name": format!("cluster-{}", edge.name), "namespace": "argocd",
            "labels": { "argocd.argoproj.io/secret-type": "cluster" },
        },
        "stringData": { "name": edge.name, "server": edge.url, "config": config.to_string() },
    })
}

/// The operator may change things, the viewer may look at all but Secrets.
async fn grant(client: &kube::Client) {
    let all = json!(["*"]);
    let operator = json!([{
        "apiGroups": all, "resources": all,
        "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"],
    }]);
    let look = json!(["get", "list", "watch"]);
    let groups = [
        "apps",
        "batch",
        "policy",
        "autoscaling",
        "networking.k8s.io",
        "rbac.authorization.k8s.io",
        "apiextensions.k8s.io",
        "discovery.k8s.io",
        "argoproj.io",
        "monitoring.coreos.com",
    ];
    let core = [
        "configmaps",
        "endpoints",
        "events",
        "namespaces",
        "nodes",
        "persistentvolumeclaims",
        "pods",
        "pods/log",
        "serviceaccounts",
        "services",
        "services/proxy",
    ];
    let viewer = json!([
        { "apiGroups": [""], "resources": core, "verbs": look },
        { "apiGroups": groups, "resources": all, "verbs": look },
    ]);
    for (user, rules) in [("operator", operator), ("viewer", viewer)] {
        let meta = json!({ "name": format!("driftdeck:{user}") });
        let rbac = "rbac.authorization.k8s.io";
        let role = json!({ "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRole", "metadata": meta, "rules": rules });
        let binding = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "ClusterRoleBinding", "metadata": meta,
            "roleRef": { "apiGroup": rbac, "kind": "ClusterRole", "name": meta["name"] },
            "subjects": [{ "apiGroup": rbac, "kind": "Group", "name": format!("driftdeck:{user}s") }],
        });
        apply(client, "kubectl", &role).await;
        apply(client, "kubectl", &binding).await;
    }
}

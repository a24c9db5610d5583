//! Real servers on loopback: one etcd, and API servers that share it under a prefix each.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use kube::config::KubeConfigOptions;

use crate::kubeconfig;
use crate::pki::{Authority, signing_keys};
use crate::process::Process;

/// How long a server may take to answer; generous, because a build may run beside the tests.
const START_LIMIT: Duration = Duration::from_secs(180);

/// The identities every API server knows, by static token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum User {
    /// `system:masters`: sets the stage, and plays the Argo CD controller.
    Admin,
    /// Reads everything, patches and applies.
    Operator,
    /// Reads everything but Secrets, writes nothing.
    Viewer,
}

impl User {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::Admin, Self::Operator, Self::Viewer];

    /// The user's name, which is also the name of its group's role.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Viewer => "viewer",
        }
    }

    fn group(self) -> &'static str {
        match self {
            Self::Admin => "system:masters",
            Self::Operator => "driftdeck:operators",
            Self::Viewer => "driftdeck:viewers",
        }
    }
}

/// The programs under test.
pub(crate) struct Programs {
    dir: PathBuf,
}

impl Programs {
    /// Taken from KUBEBUILDER_ASSETS when set, else built once per machine; `.ci/real-servers` knows how.
    pub(crate) fn find() -> Self {
        Self {
            dir: built_by(
                ".ci/real-servers",
                "Set KUBEBUILDER_ASSETS to a folder with etcd, kube-apiserver and kubectl, or install Go 1.26.",
            ),
        }
    }

    /// The path of one of them.
    pub(crate) fn path(&self, program: &str) -> PathBuf {
        self.dir.join(program)
    }
}

/// The folder that one of the scripts of `.ci` answers with; `otherwise` is the next step when it has none.
pub(crate) fn built_by(script: &str, otherwise: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(script);
    let output = Command::new(&path)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .unwrap_or_else(|e| panic!("{} cannot be started: {e}", path.display()));
    assert!(
        output.status.success(),
        "There are no programs to test against: {script} failed, see its lines above. {otherwise}"
    );
    let text = String::from_utf8(output.stdout).unwrap();
    PathBuf::from(text.lines().last().unwrap())
}

/// The one etcd.
pub(crate) struct Etcd {
    _process: Process,
    url: String,
}

impl Etcd {
    /// Starts it with its data under `dir` and waits until it is healthy.
    pub(crate) fn start(programs: &Programs, dir: &Path) -> Self {
        let (port, peer) = (free_port(), free_port());
        let url = format!("http://127.0.0.1:{port}");
        let peer_url = format!("http://127.0.0.1:{peer}");
        let args = [
            format!("--data-dir={}", dir.join("etcd").display()),
            format!("--listen-client-urls={url}"),
            format!("--advertise-client-urls={url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
            "--unsafe-no-fsync".into(),
            "--log-level=warn".into(),
        ];
        let mut process =
            Process::start("etcd", &programs.path("etcd"), &args, dir.join("etcd.log"));
        await_ready("etcd", &mut process, || healthy(port));
        Self {
            _process: process,
            url,
        }
    }
}

/// One cluster: an API server with its own authority, tokens and prefix in etcd.
pub(crate) struct Cluster {
    /// Its name, such as `edge-oslo-001`.
    pub(crate) name: String,
    /// The URL of its API server.
    pub(crate) url: String,
    /// Its authority's certificate.
    pub(crate) ca: String,
    program: PathBuf,
    args: Vec<String>,
    log: PathBuf,
    port: u16,
    process: Mutex<Option<Process>>,
}

impl Cluster {
    /// Prepares its files and starts it; [`Cluster::await_ready`] waits for it.
    pub(crate) fn start(programs: &Programs, etcd: &Etcd, dir: &Path, name: &str) -> Self {
        let dir = dir.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        let authority = Authority::new(name);
        let files = authority.server_files(&dir);
        let (ca, tokens) = (dir.join("ca.crt"), dir.join("tokens.csv"));
        let (private, public) = (dir.join("accounts.key"), dir.join("accounts.pub"));
        std::fs::write(&ca, &authority.pem).unwrap();
        std::fs::write(&tokens, token_file(name)).unwrap();
        let keys = signing_keys();
        std::fs::write(&private, keys.0).unwrap();
        std::fs::write(&public, keys.1).unwrap();
        let port = free_port();
        let args = [
            ("etcd-servers", etcd.url.clone()),
            ("etcd-prefix", format!("/{name}")),
            ("secure-port", port.to_string()),
            ("bind-address", "127.0.0.1".into()),
            ("advertise-address", "127.0.0.1".into()),
            ("cert-dir", dir.display().to_string()),
            ("tls-cert-file", files.cert.display().to_string()),
            ("tls-private-key-file", files.key.display().to_string()),
            ("client-ca-file", ca.display().to_string()),
            ("token-auth-file", tokens.display().to_string()),
            ("authorization-mode", "RBAC".into()),
            ("service-cluster-ip-range", "10.96.0.0/16".into()),
            ("endpoint-reconciler-type", "none".into()),
            (
                "service-account-issuer",
                "https://kubernetes.default.svc".into(),
            ),
            ("service-account-key-file", public.display().to_string()),
            (
                "service-account-signing-key-file",
                private.display().to_string(),
            ),
            // Without a controller manager no namespace ever gets the service account this plugin insists on.
            ("disable-admission-plugins", "ServiceAccount".into()),
            ("enable-priority-and-fairness", "false".into()),
            ("profiling", "false".into()),
            ("allow-privileged", "true".into()),
        ]
        .map(|(flag, value)| format!("--{flag}={value}"));
        let cluster = Self {
            name: name.to_owned(),
            url: format!("https://127.0.0.1:{port}"),
            ca: authority.pem,
            program: programs.path("kube-apiserver"),
            args: args.into(),
            log: dir.join("apiserver.log"),
            port,
            process: Mutex::new(None),
        };
        cluster.launch();
        cluster
    }

    fn launch(&self) {
        let process = Process::start(&self.name, &self.program, &self.args, self.log.clone());
        *self.process.lock().unwrap() = Some(process);
    }

    /// Waits until `/readyz` says ok.
    pub(crate) fn await_ready(&self) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut guard = self.process.lock().unwrap();
        let process = guard.as_mut().expect("the API server is stopped");
        await_ready(&self.name, process, || {
            TcpStream::connect(("127.0.0.1", self.port)).is_ok()
                && runtime.block_on(async { readyz(&self.client(User::Admin).await).await })
        });
    }

    /// Ends the API server; what it stored stays in etcd.
    pub(crate) fn stop(&self) {
        drop(self.process.lock().unwrap().take());
    }

    /// Starts it again on the same port and waits until it is ready.
    pub(crate) fn restart(&self) {
        self.stop();
        self.launch();
        self.await_ready();
    }

    /// Stops the server's process in its tracks: accepted connections stay open and nothing answers.
    pub(crate) fn freeze(&self) {
        self.process
            .lock()
            .unwrap()
            .as_ref()
            .expect("the API server is stopped")
            .freeze();
    }

    /// Lets it run again.
    pub(crate) fn thaw(&self) {
        self.process
            .lock()
            .unwrap()
            .as_ref()
            .expect("the API server is stopped")
            .thaw();
    }

    /// The token of one of its users.
    pub(crate) fn token(&self, user: User) -> String {
        token(&self.name, user)
    }

    /// A client of the calling test's runtime; clients must not wander between runtimes.
    pub(crate) async fn client(&self, user: User) -> kube::Client {
        let kubeconfig = kubeconfig::document(&[kubeconfig::Entry::of(self, user)]);
        let kubeconfig = serde_json::from_value(kubeconfig).unwrap();
        let options = KubeConfigOptions::default();
        let mut config = kube::Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        // A server that is starting says so with 429 and 503; the caller polls, so no hidden retries.
        config.default_retry = false;
        kube::Client::try_from(config).unwrap()
    }
}

fn token(cluster: &str, user: User) -> String {
    format!("{cluster}-{}-token", user.name())
}

fn token_file(cluster: &str) -> String {
    User::ALL
        .map(|user| {
            format!(
                "{},{1},{1},\"{2}\"\n",
                token(cluster, user),
                user.name(),
                user.group()
            )
        })
        .concat()
}

async fn readyz(client: &kube::Client) -> bool {
    let request = http::Request::get("/readyz").body(Vec::new()).unwrap();
    let answer = tokio::time::timeout(Duration::from_secs(5), client.request_text(request)).await;
    matches!(answer, Ok(Ok(text)) if text == "ok")
}

fn healthy(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
        return false;
    };
    let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
    let mut answer = String::new();
    stream.write_all(b"GET /health HTTP/1.0\r\n\r\n").is_ok()
        && stream.read_to_string(&mut answer).is_ok()
        && answer.contains("\"true\"")
}

/// Waits until the server says that it is ready.
pub(crate) fn await_ready(name: &str, process: &mut Process, mut ready: impl FnMut() -> bool) {
    let deadline = Instant::now() + START_LIMIT;
    while !ready() {
        process.assert_alive();
        assert!(
            Instant::now() < deadline,
            "{name} was not ready after {START_LIMIT:?}; its last lines:\n{}",
            process.last_words()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// A port nobody listens on, below the range the kernel hands out to clients, never twice in one run.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let _ = NEXT.compare_exchange(
        0,
        fastrand::u16(18_000..30_000),
        Ordering::SeqCst,
        Ordering::SeqCst,
    );
    loop {
        let port = NEXT.fetch_add(1, Ordering::SeqCst);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

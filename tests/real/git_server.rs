//! Bare repositories over smart HTTP with TLS: `git http-backend` behind a small CGI wrapper.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use base64::Engine as _;

use crate::pki::Authority;

/// The server and the folder of its repositories.
pub(crate) struct GitServer {
    url: String,
    root: PathBuf,
    work: PathBuf,
    /// The authority's certificate, for `GIT_SSL_CAINFO`.
    pub(crate) ca_file: PathBuf,
}

impl GitServer {
    /// Starts it on a free port of loopback, in a thread of its own.
    pub(crate) fn start(dir: &Path) -> Self {
        let (root, work, ca_file) = (dir.join("git"), dir.join("work"), dir.join("git-ca.crt"));
        std::fs::create_dir_all(&root).unwrap();
        std::fs::create_dir_all(&work).unwrap();
        let authority = Authority::new("git");
        std::fs::write(&ca_file, &authority.pem).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let acceptor = acceptor(&authority);
        let served = root.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                serve(listener, acceptor, served.into()).await;
            });
        });
        Self {
            url,
            root,
            work,
            ca_file,
        }
    }

    /// Creates the empty repository `team/NAME.git` with a working copy beside it.
    pub(crate) fn repository(&self, name: &str) -> Repository {
        let bare = self.root.join(format!("team/{name}.git"));
        let work = self.work.join(name);
        let url = format!("{}/team/{name}.git", self.url);
        let repository = Repository {
            url,
            bare: bare.clone(),
            work,
            ca_file: self.ca_file.clone(),
        };
        run(Command::new("git")
            .args(["init", "--quiet", "--bare", "--initial-branch=main"])
            .arg(&bare));
        run(Command::new("git")
            .arg("-C")
            .arg(&bare)
            .args(["config", "http.receivepack", "true"]));
        run(repository
            .git_anywhere()
            .arg("clone")
            .arg("--quiet")
            .arg(&repository.url)
            .arg(&repository.work));
        repository
    }
}

/// One repository, as the team that owns it sees it: a URL and a working copy.
pub(crate) struct Repository {
    /// Its URL.
    pub(crate) url: String,
    bare: PathBuf,
    work: PathBuf,
    ca_file: PathBuf,
}

impl Repository {
    /// Writes the files, commits and pushes them; the commit's id.
    pub(crate) fn commit(&self, message: &str, files: &[(String, String)]) -> String {
        for (path, content) in files {
            let path = self.work.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        run(self.git().args(["add", "--all"]));
        run(self.git().args(["commit", "--quiet", "-m", message]));
        run(self
            .git()
            .args(["push", "--quiet", "origin", "HEAD:refs/heads/main"]));
        self.resolve("HEAD")
    }

    /// Asks for this name and password from now on.
    pub(crate) fn lock(&self, who: &str) {
        std::fs::write(self.bare.join(LOCK), who).unwrap();
    }

    /// The commit a revision names, as the server sees it now.
    pub(crate) fn resolve(&self, revision: &str) -> String {
        run(self.git().args(["fetch", "--quiet", "origin", "main"]));
        let revision = if revision == "HEAD" {
            "FETCH_HEAD"
        } else {
            revision
        };
        run(self
            .git()
            .args(["rev-parse", "--verify", &format!("{revision}^{{commit}}")]))
        .trim()
        .to_owned()
    }

    /// The text of each file under `path` at `commit`.
    pub(crate) fn files(&self, commit: &str, path: &str) -> Vec<String> {
        let names = run(self
            .git()
            .args(["ls-tree", "-r", "--name-only", commit, path]));
        names
            .lines()
            .map(|name| run(self.git().args(["show", &format!("{commit}:{name}")])))
            .collect()
    }

    fn git(&self) -> Command {
        let mut git = self.git_anywhere();
        git.arg("-C").arg(&self.work);
        git
    }

    /// git without the settings of whoever runs the tests.
    fn git_anywhere(&self) -> Command {
        let mut git = Command::new("git");
        git.env("GIT_SSL_CAINFO", &self.ca_file)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([
                ("GIT_AUTHOR_NAME", "Team Edge"),
                ("GIT_AUTHOR_EMAIL", "edge@team.example"),
            ])
            .envs([
                ("GIT_COMMITTER_NAME", "Team Edge"),
                ("GIT_COMMITTER_EMAIL", "edge@team.example"),
            ]);
        git
    }
}

fn run(command: &mut Command) -> String {
    let output = command
        .env("GIT_TERMINAL_PROMPT", "0")
        .stdin(Stdio::null())
        .output()
        .expect("git cannot be started: the real-server tests need the git program");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn acceptor(authority: &Authority) -> TlsAcceptor {
    let (cert, key) = authority.server();
    let cert = CertificateDer::from_pem_slice(cert.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![cert], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, root: Arc<Path>) {
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, root) = (acceptor.clone(), root.clone());
        tokio::spawn(async move {
            // A client that does not trust the certificate hangs up here.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = hyper::service::service_fn(move |request| answer(request, root.clone()));
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

/// The file in a bare repository that holds `NAME:PASSWORD` of whoever may read it.
const LOCK: &str = "edge-lock";

fn may_enter(root: &Path, path: &str, authorization: &str) -> bool {
    let repository: PathBuf = path.trim_start_matches('/').split('/').take(2).collect();
    let Ok(who) = std::fs::read_to_string(root.join(repository).join(LOCK)) else {
        return true;
    };
    let expected = base64::engine::general_purpose::STANDARD.encode(who);
    authorization == format!("Basic {expected}")
}

/// One request through `git http-backend`, by the rules of CGI.
async fn answer(
    request: Request<Incoming>,
    root: Arc<Path>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body
        .collect()
        .await
        .map(http_body_util::Collected::to_bytes)
        .unwrap_or_default();
    let header = |name: &str| {
        head.headers
            .get(name)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default()
            .to_owned()
    };
    if !may_enter(&root, head.uri.path(), &header("authorization")) {
        let refused = Response::builder()
            .status(401)
            .header("www-authenticate", "Basic realm=\"git\"");
        return Ok(refused.body(Full::default()).unwrap());
    }
    let mut child = tokio::process::Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", &*root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", head.method.as_str())
        .env("PATH_INFO", head.uri.path())
        .env("QUERY_STRING", head.uri.query().unwrap_or_default())
        .env("CONTENT_TYPE", header("content-type"))
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("HTTP_CONTENT_ENCODING", header("content-encoding"))
        .env("GIT_PROTOCOL", header("git-protocol"))
        .env("REMOTE_ADDR", "127.0.0.1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("git http-backend cannot be started");
    let mut input = child.stdin.take().unwrap();
    // Written beside the reading, because a large push and its answer would fill both pipes.
    let writer = tokio::spawn(async move { input.write_all(&body).await });
    let output = child.wait_with_output().await.unwrap();
    let _ = writer.await;
    Ok(response(&output.stdout))
}

/// CGI output as an HTTP response: header lines, an empty line, the body.
fn response(output: &[u8]) -> Response<Full<Bytes>> {
    let end = output
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .unwrap_or(output.len().saturating_sub(4));
    let head = String::from_utf8_lossy(&output[..end]);
    let mut lines: HashMap<&str, &str> = head
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let status = lines
        .remove("Status")
        .and_then(|s| s.get(..3))
        .and_then(|s| s.parse().ok())
        .unwrap_or(200);
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(&output[end + 4..])));
    *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
    let headers: &mut HeaderMap = response.headers_mut();
    for (name, value) in lines {
        headers.insert(
            http::HeaderName::try_from(name).unwrap(),
            value.parse().unwrap(),
        );
    }
    response
}

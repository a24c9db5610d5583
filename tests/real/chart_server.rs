//! A chart repository and a registry over HTTPS: files as `helm package` and `helm repo index` wrote them, and the registry's API for pulling.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use serde_json::json;
use sha2::{Digest, Sha256};
use tokio_rustls::TlsAcceptor;

use crate::git_server::acceptor;
use crate::pki::Authority;

/// `helm`'s own media type for a packed chart.
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

type Files = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// The server, and the folder in which charts are packed.
pub(crate) struct ChartServer {
    /// `HOST:PORT`.
    pub(crate) address: String,
    /// The authority's certificate.
    pub(crate) ca_file: PathBuf,
    helm: PathBuf,
    /// Where charts are packed, and whatever else `helm` needs.
    pub(crate) work: PathBuf,
    files: Files,
}

impl ChartServer {
    /// Starts it on a free port of loopback, in a thread of its own.
    pub(crate) fn start(dir: &Path, helm: &Path) -> Self {
        let authority = Authority::new("charts");
        let (work, ca_file) = (dir.join("packed"), dir.join("charts-ca.crt"));
        std::fs::create_dir_all(&work).unwrap();
        std::fs::write(&ca_file, &authority.pem).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let files = Files::default();
        let (served, acceptor) = (files.clone(), acceptor(&authority));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(serve(listener, acceptor, served));
        });
        Self {
            address,
            ca_file,
            helm: helm.to_owned(),
            work,
            files,
        }
    }

    /// The chart repository's URL.
    pub(crate) fn repository(&self) -> String {
        format!("https://{}/stable", self.address)
    }

    /// Packs a chart with `helm package` and makes the index anew with `helm repo index`.
    pub(crate) fn publish(&self, name: &str, version: &str, files: &[(&str, &str)]) -> PathBuf {
        let chart = self.work.join(format!("{name}-{version}"));
        for (path, text) in files {
            let path = chart.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let site = self.work.join("site");
        let out = site.display().to_string();
        self.run(&[
            "package",
            &chart.display().to_string(),
            "--version",
            version,
            "--destination",
            &out,
        ]);
        self.run(&["repo", "index", &out]);
        for entry in std::fs::read_dir(&site).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            self.put(
                &format!("/stable/{name}"),
                std::fs::read(entry.path()).unwrap(),
            );
        }
        site.join(format!("{name}-{version}.tgz"))
    }

    /// Puts a packed chart into the registry, as `helm push` does; the digest of its manifest.
    pub(crate) fn push(&self, repository: &str, version: &str, archive: &Path) -> String {
        let archive = std::fs::read(archive).unwrap();
        self.push_layer(repository, version, CHART, archive)
    }

    /// Puts an archive into the registry, as `flux push artifact` does; the digest of its manifest.
    pub(crate) fn push_layer(
        &self,
        repository: &str,
        version: &str,
        media_type: &str,
        archive: Vec<u8>,
    ) -> String {
        let (layer, size) = (digest(&archive), archive.len());
        self.put(&format!("/v2/{repository}/blobs/{layer}"), archive);
        let manifest = json!({
            "schemaVersion": 2,
            "config": { "mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest(b"{}"), "size": 2 },
            "layers": [{ "mediaType": media_type, "digest": layer, "size": size }],
        })
        .to_string();
        self.put(
            &format!("/v2/{repository}/blobs/{}", digest(b"{}")),
            b"{}".to_vec(),
        );
        for reference in [version.to_owned(), digest(manifest.as_bytes())] {
            self.put(
                &format!("/v2/{repository}/manifests/{reference}"),
                manifest.clone().into(),
            );
        }
        let tags = json!({ "name": repository, "tags": [version] }).to_string();
        self.put(&format!("/v2/{repository}/tags/list"), tags.into());
        digest(manifest.as_bytes())
    }

    /// Takes all away: a repository that is gone.
    pub(crate) fn close(&self) {
        self.files.lock().unwrap().clear();
    }

    /// What `helm` prints, asked with settings of its own.
    pub(crate) fn run(&self, words: &[&str]) -> String {
        let output = Command::new(&self.helm)
            .args(words)
            .env("HOME", &self.work)
            .env("XDG_CONFIG_HOME", self.work.join("config"))
            .env("XDG_CACHE_HOME", self.work.join("cache"))
            .env("XDG_DATA_HOME", self.work.join("data"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "helm {words:?} failed: {complaint}"
        );
        String::from_utf8(output.stdout).unwrap()
    }

    /// Answers a path with this.
    pub(crate) fn put(&self, path: &str, content: Vec<u8>) {
        self.files.lock().unwrap().insert(path.to_owned(), content);
    }
}

fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

async fn serve(listener: std::net::TcpListener, acceptor: TlsAcceptor, files: Files) {
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((stream, _)) = listener.accept().await {
        let (acceptor, files) = (acceptor.clone(), files.clone());
        tokio::spawn(async move {
            // A client that does not trust the certificate hangs up here.
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let answer = answer(request.uri().path(), &files);
                async move { Ok::<_, Infallible>(answer) }
            });
            let _ = auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

fn answer(path: &str, files: &Files) -> Response<Full<Bytes>> {
    let content = files.lock().unwrap().get(path).cloned();
    let mut response = Response::new(Full::new(content.clone().unwrap_or_default().into()));
    if content.is_none() {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    if path.contains("/manifests/") {
        let kind = "application/vnd.oci.image.manifest.v1+json"
            .parse()
            .unwrap();
        response.headers_mut().insert("content-type", kind);
    }
    response
}

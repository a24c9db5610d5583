//! Archives for tests, and a small web server that is a chart repository or a registry, whatever its routes say.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use parking_lot::Mutex;

use super::registry::digest_of;

/// A tar archive of files.
pub(crate) fn tarred(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, path, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

/// The same, packed.
pub(crate) fn packed(files: &[(&str, &str)]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gzip, &tarred(files)).unwrap();
    gzip.finish().unwrap()
}

/// A request as the server heard it: path with query, and `Authorization`.
pub(crate) type Heard = (String, String);

/// Answers by path, query included.
type Routes = HashMap<String, Response<Bytes>>;

/// A server that answers what its routes say; whatever else is asked is 404.
pub(crate) struct Site {
    pub(crate) url: String,
    routes: Arc<Mutex<Routes>>,
    heard: Arc<Mutex<Vec<Heard>>>,
    /// `Authorization` that is asked for, and the challenge for who does not send it.
    guard: Arc<Mutex<Option<(String, String)>>>,
}

impl Site {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let site = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            routes: Arc::default(),
            heard: Arc::default(),
            guard: Arc::default(),
        };
        let (routes, heard, guard) = (site.routes.clone(), site.heard.clone(), site.guard.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (routes, heard, guard) = (routes.clone(), heard.clone(), guard.clone());
                let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                    let answer = answer(&request, &routes, &heard, &guard);
                    async move { Ok::<_, Infallible>(answer.map(Full::new)) }
                });
                tokio::spawn(async move {
                    let io = TokioIo::new(stream);
                    auto::Builder::new(TokioExecutor::new())
                        .serve_connection(io, service)
                        .await
                });
            }
        });
        site
    }

    /// The address without a scheme.
    pub(crate) fn host(&self) -> &str {
        self.url.trim_start_matches("http://")
    }

    pub(crate) fn put(&self, path: &str, body: impl Into<Bytes>) {
        self.respond(path, Response::new(body.into()));
    }

    pub(crate) fn respond(&self, path: &str, response: Response<Bytes>) {
        self.routes.lock().insert(path.to_owned(), response);
    }

    /// Asks everybody for this header, but for paths that begin with `/token`.
    pub(crate) fn ask_for(&self, authorization: &str, challenge: &str) {
        *self.guard.lock() = Some((authorization.to_owned(), challenge.to_owned()));
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.heard.lock().iter().filter(|(p, _)| p == path).count()
    }

    /// Puts an image with one layer into the registry under a tag; gives the manifest's digest.
    pub(crate) fn push(&self, path: &str, tag: &str, media_type: &str, archive: &[u8]) -> String {
        let layer = digest_of(archive);
        self.put(&format!("/v2/{path}/blobs/{layer}"), archive.to_vec());
        let manifest = serde_json::json!({
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": digest_of(b"{}"), "size": 2},
            "layers": [{"mediaType": media_type, "digest": layer, "size": archive.len()}],
        })
        .to_string();
        let digest = digest_of(manifest.as_bytes());
        for reference in [tag, &digest] {
            self.put(
                &format!("/v2/{path}/manifests/{reference}"),
                manifest.clone(),
            );
        }
        digest
    }

    pub(crate) fn tags(&self, path: &str, tags: &[&str]) {
        let body = serde_json::json!({"name": path, "tags": tags}).to_string();
        self.put(&format!("/v2/{path}/tags/list?n=1000"), body);
    }
}

fn answer(
    request: &Request<Incoming>,
    routes: &Mutex<Routes>,
    heard: &Mutex<Vec<Heard>>,
    guard: &Mutex<Option<(String, String)>>,
) -> Response<Bytes> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("", |p| p.as_str())
        .to_owned();
    let header = |name: &str| {
        let value = request.headers().get(name).and_then(|v| v.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let authorization = header("authorization");
    heard.lock().push((path.clone(), authorization.clone()));
    if let Some((wanted, challenge)) = &*guard.lock()
        && authorization != *wanted
        && !path.starts_with("/token")
    {
        let refused = Response::builder()
            .status(401)
            .header("www-authenticate", challenge);
        return refused.body(Bytes::new()).unwrap();
    }
    let response = routes.lock().get(&path).cloned();
    let tag = response
        .as_ref()
        .and_then(|r| r.headers().get("etag")?.to_str().ok().map(str::to_owned));
    match response {
        Some(_) if tag.is_some_and(|tag| tag == header("if-none-match")) => {
            Response::builder().status(304).body(Bytes::new()).unwrap()
        }
        Some(response) => response,
        None => Response::builder().status(404).body(Bytes::new()).unwrap(),
    }
}

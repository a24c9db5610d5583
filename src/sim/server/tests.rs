//! The server over the wire: real sockets, real TLS, foreign clients.

mod faults;
mod protocol;
mod watches;

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::sim::store::{KindSet, Store, StoreOptions, WriteOptions};

const CONFIG_MAPS: &str = "/api/v1/namespaces/default/configmaps";
const APPLICATIONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/applications";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);

/// One server and a client that trusts it.
struct Bed {
    server: RunningServer,
    store: Store,
    faults: Arc<Faults>,
    tls: Arc<DemoTls>,
    client: reqwest::Client,
}

struct Pods;

impl World for Pods {
    fn proxy(&self, request: &ProxyRequest) -> Option<ProxyReply> {
        (request.name == "web").then(|| ProxyReply {
            status: 200,
            content_type: "text/plain; version=0.0.4".into(),
            body: format!("up{{path=\"{}?{}\"}} 1\n", request.path, request.query).into(),
        })
    }

    fn log(&self, request: &LogRequest) -> Option<Vec<LogLine>> {
        let line = |i: i64| LogLine {
            time: now() + jiff::SignedDuration::from_secs(i),
            text: format!("{} line {i}", request.container),
        };
        (!request.previous).then(|| (0..3).map(line).collect())
    }
}

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn trusting(tls: &DemoTls) -> reqwest::ClientBuilder {
    // Another test of this process may have installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(tls.ca_pem().as_bytes()).unwrap();
    reqwest::Client::builder().tls_certs_only([ca])
}

async fn bed() -> Bed {
    let tls = Arc::new(DemoTls::new().unwrap());
    let kinds = KindSet::bare().with_argo();
    let store = Store::new(StoreOptions::new(kinds, 7, now()));
    let faults = Arc::new(Faults::default());
    let identities = Identities::new()
        .with("admin-token", Identity::admin("admin"))
        .with("viewer-token", Identity::viewer("viewer"))
        .with(
            "edge-token",
            Identity::namespaced_viewer("eve", &["default"]),
        );
    let server = serve(ServerOptions {
        store: store.clone(),
        tls: Arc::clone(&tls),
        identities,
        faults: Arc::clone(&faults),
        world: Arc::new(Pods),
        clock: Arc::new(now),
        address: "127.0.0.1:0".parse().unwrap(),
    });
    Bed {
        server: server.await.unwrap(),
        client: trusting(&tls).build().unwrap(),
        store,
        faults,
        tls,
    }
}

impl Bed {
    fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = method.parse().unwrap();
        let url = format!("{}{path}", self.server.url());
        self.client
            .request(method, url)
            .bearer_auth("admin-token")
            .timeout(PATIENCE)
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.request("GET", path)).await
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.request("POST", path).json(body)).await
    }

    async fn patch(&self, path: &str, media_type: &str, body: &Value) -> (u16, Value) {
        let request = self
            .request("PATCH", path)
            .header("content-type", media_type);
        answer(request.body(body.to_string())).await
    }

    /// Opens a watch; frames come one line at a time.
    async fn watch(&self, path: &str) -> Frames {
        let reply = self.request("GET", path).send().await.unwrap();
        assert_eq!(reply.status(), 200);
        Frames {
            stream: reply.bytes_stream().boxed(),
            rest: Vec::new(),
        }
    }

    fn create(&self, document: Value) {
        self.store
            .create(document, &WriteOptions::new("setup", now()))
            .unwrap();
    }
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let reply = request.send().await.unwrap();
    let code = reply.status().as_u16();
    let body = reply.bytes().await.unwrap();
    (code, serde_json::from_slice(&body).unwrap_or_default())
}

/// The frames of a watch.
struct Frames {
    stream: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
    rest: Vec<u8>,
}

impl Frames {
    /// The next frame; `None` when the watch ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                return Some(serde_json::from_slice(&line).unwrap());
            }
            let chunk = tokio::time::timeout(PATIENCE, self.stream.next()).await;
            self.rest
                .extend_from_slice(&chunk.expect("no frame came in time")?.ok()?);
        }
    }

    /// Type and name of the next frame.
    async fn step(&mut self) -> (String, String) {
        let frame = self.next().await.expect("the watch ended");
        let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
        (
            text(&frame["type"]),
            text(&frame["object"]["metadata"]["name"]),
        )
    }
}

fn settings(name: &str, level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "default", "labels": {"level": level}}, "data": {"level": level}})
}

fn application(name: &str) -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": name, "namespace": "default"},
        "spec": {"project": "default", "destination": {"server": "https://edge"}},
        "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}})
}

fn deployment(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}})
}

fn pair(change: &str, name: &str) -> (String, String) {
    (change.to_owned(), name.to_owned())
}

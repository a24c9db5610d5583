//! A cluster of its own for what would disturb the shared ones: webhooks, API services, quotas, thousands of objects.

use std::collections::HashMap;
use std::path::PathBuf;

use http::Request;
use serde_json::Value;
use tokio::sync::{Mutex, OnceCell};

use crate::bed::{Bed, bed};
use crate::catalogue;
use crate::crds;
use crate::kubeconfig::{self, Entry};
use crate::servers::{Cluster, User};

/// The cluster, with the catalogue's own kinds installed.
pub(crate) struct Workshop {
    /// The shared stage.
    pub(crate) bed: &'static Bed,
    cluster: Cluster,
    /// The administrator's kubeconfig of this cluster alone.
    pub(crate) kubeconfig: PathBuf,
}

/// The workshop, started by whoever asks first.
pub(crate) async fn workshop() -> &'static Workshop {
    static WORKSHOP: OnceCell<Workshop> = OnceCell::const_new();
    WORKSHOP.get_or_init(open).await
}

async fn open() -> Workshop {
    let bed = bed().await;
    let cluster = bed.start_edge("edge-ams-050").await;
    let kubeconfig = bed.dir.join("workshop.kubeconfig");
    kubeconfig::write(&kubeconfig, &[Entry::of(&cluster, User::Admin)]);
    let definitions: Vec<Value> = catalogue::definitions()
        .iter()
        .map(|d| d.object())
        .collect();
    crds::install(&cluster.client(User::Admin).await, &definitions).await;
    Workshop {
        bed,
        cluster,
        kubeconfig,
    }
}

impl Workshop {
    /// A desk for the calling test's runtime.
    pub(crate) async fn desk(&self) -> Desk {
        Desk::of(self.cluster.client(User::Admin).await)
    }
}

/// A client that speaks plain HTTP and JSON, and knows where each kind is served.
pub(crate) struct Desk {
    /// For what has a helper of its own.
    pub(crate) client: kube::Client,
    /// By group and version: kind, plural, and whether it has namespaces.
    routes: Mutex<HashMap<String, Vec<(String, String, bool)>>>,
}

/// A body and what it is.
pub(crate) enum Body {
    /// Server-side apply; YAML or JSON.
    Apply(String),
    /// The whole object.
    Put(Value),
    /// A list of operations.
    JsonPatch(Value),
}

impl Desk {
    /// On the cluster of this client.
    pub(crate) fn of(client: kube::Client) -> Self {
        Self {
            client,
            routes: Mutex::default(),
        }
    }

    /// Where the object is, or will be.
    pub(crate) async fn path(&self, object: &Value) -> String {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let version = text("/apiVersion");
        let root = if version.contains('/') {
            format!("/apis/{version}")
        } else {
            format!("/api/{version}")
        };
        let (plural, namespaced) = self.route(&root, &text("/kind")).await;
        let name = text("/metadata/name");
        if namespaced {
            format!(
                "{root}/namespaces/{}/{plural}/{name}",
                text("/metadata/namespace")
            )
        } else {
            format!("{root}/{plural}/{name}")
        }
    }

    async fn route(&self, root: &str, kind: &str) -> (String, bool) {
        let mut routes = self.routes.lock().await;
        if !routes.contains_key(root) {
            let list = self
                .get(root)
                .await
                .unwrap_or_else(|e| panic!("{root}: {e}"));
            routes.insert(root.to_owned(), resources(&list));
        }
        let found = routes[root].iter().find(|(k, ..)| k == kind);
        let (_, plural, namespaced) = found.unwrap_or_else(|| panic!("no {kind} under {root}"));
        (plural.clone(), *namespaced)
    }

    /// Reads a path.
    pub(crate) async fn get(&self, path: &str) -> Result<Value, String> {
        let request = Request::get(path).body(Vec::new()).unwrap();
        self.client.request(request).await.map_err(words)
    }

    /// Writes the object of this path under a field manager; what the server then holds, or why it refused.
    pub(crate) async fn write(
        &self,
        path: &str,
        manager: &str,
        body: &Body,
        dry_run: bool,
    ) -> Result<Value, String> {
        let (method, kind, text, force) = match body {
            Body::Apply(text) => (
                "PATCH",
                "application/apply-patch+yaml",
                text.clone(),
                "&force=true",
            ),
            Body::Put(object) => ("PUT", "application/json", object.to_string(), ""),
            Body::JsonPatch(list) => ("PATCH", "application/json-patch+json", list.to_string(), ""),
        };
        let dry = if dry_run { "&dryRun=All" } else { "" };
        let request = Request::builder()
            .method(method)
            .uri(format!("{path}?fieldManager={manager}{force}{dry}"))
            .header("content-type", kind)
            .body(text.into_bytes())
            .unwrap();
        self.client.request(request).await.map_err(words)
    }
}

fn resources(list: &Value) -> Vec<(String, String, bool)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows = list["resources"].as_array().expect("an APIResourceList");
    rows.iter()
        .filter(|row| !text(&row["name"]).contains('/'))
        .map(|row| {
            (
                text(&row["kind"]),
                text(&row["name"]),
                row["namespaced"] == true,
            )
        })
        .collect()
}

/// The server's own sentence.
fn words(error: kube::Error) -> String {
    match error {
        kube::Error::Api(status) => format!("{} {}", status.code, status.message),
        other => other.to_string(),
    }
}

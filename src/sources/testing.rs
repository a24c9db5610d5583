//! A small API server for the tests of sources: objects, lists, watches, refusals; everything a test may turn while it runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use bytes::Bytes;
use http::{Method, Request, Response};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;

use crate::connect::testing::{Server, json as answer, stream};

/// What a cluster is made of.
#[derive(Default)]
struct State {
    version: u64,
    objects: Vec<Value>,
    watches: Vec<(String, UnboundedSender<Bytes>)>,
    /// Every event so far: version, line, object.
    past: Vec<(u64, String, Value)>,
    forbidden: BTreeSet<String>,
    hidden: BTreeSet<String>,
}

/// A cluster behind a TLS server.
pub(crate) struct Cluster {
    pub(crate) server: Server,
    state: Arc<Mutex<State>>,
    accepts: Arc<AtomicBool>,
}

/// Kinds it serves: group, version, kind, plural.
const KINDS: [(&str, &str, &str, &str); 5] = [
    ("", "v1", "ConfigMap", "configmaps"),
    ("", "v1", "Secret", "secrets"),
    ("", "v1", "Namespace", "namespaces"),
    ("apps", "v1", "Deployment", "deployments"),
    ("argoproj.io", "v1alpha1", "Application", "applications"),
];

impl Cluster {
    /// A cluster whose namespace kube-system has this UID.
    pub(crate) async fn start(uid: &str) -> Self {
        let state: Arc<Mutex<State>> = Arc::default();
        let accepts = Arc::new(AtomicBool::new(true));
        let (work, good) = (Arc::clone(&state), Arc::clone(&accepts));
        let server = Server::start(move |request| {
            if !good.load(Ordering::SeqCst) {
                return refusal(401, "Unauthorized");
            }
            serve(&mut work.lock(), &request)
        })
        .await;
        let cluster = Self {
            server,
            state,
            accepts,
        };
        cluster.put(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "kube-system", "uid": uid}}));
        cluster
    }

    /// Creates or replaces an object, and tells every watch.
    pub(crate) fn put(&self, mut object: Value) {
        let mut state = self.state.lock();
        state.version += 1;
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        let known = state.objects.iter().position(|o| same(o, &object));
        let event = if known.is_some() { "MODIFIED" } else { "ADDED" };
        state.tell(event, &object);
        match known {
            Some(at) => state.objects[at] = object,
            None => state.objects.push(object),
        }
    }

    /// Deletes an object, and tells every watch.
    pub(crate) fn remove(&self, kind: &str, name: &str) {
        let mut state = self.state.lock();
        state.version += 1;
        let at = state
            .objects
            .iter()
            .position(|o| o["kind"] == kind && o["metadata"]["name"] == name)
            .unwrap();
        let mut object = state.objects.remove(at);
        object["metadata"]["resourceVersion"] = json!(state.version.to_string());
        state.tell("DELETED", &object);
    }

    /// Refuses a collection path, such as `/apis/apps/v1/deployments`, to everybody.
    pub(crate) fn forbid(&self, path: &str) {
        self.state.lock().forbidden.insert(path.to_owned());
    }

    /// Serves a kind no longer, or again.
    pub(crate) fn hide(&self, kind: &str) {
        self.state.lock().hidden.insert(kind.to_owned());
    }

    /// Whether credentials are taken from now on.
    pub(crate) fn accept(&self, accepts: bool) {
        self.accepts.store(accepts, Ordering::SeqCst);
        if !accepts {
            self.state.lock().watches.clear();
        }
    }

    /// Requests so far that hold this text.
    pub(crate) fn asked(&self, text: &str) -> usize {
        self.server
            .seen()
            .iter()
            .filter(|s| s.contains(text))
            .count()
    }
}

fn same(a: &Value, b: &Value) -> bool {
    ["/kind", "/metadata/namespace", "/metadata/name"]
        .iter()
        .all(|p| a.pointer(p) == b.pointer(p))
}

impl State {
    fn tell(&mut self, event: &str, object: &Value) {
        let line = format!("{}\n", json!({"type": event, "object": object}));
        self.past.push((self.version, line.clone(), object.clone()));
        self.watches.retain(|(path, to)| {
            !below(path, object) || to.send(Bytes::from(line.clone())).is_ok()
        });
    }
}

/// Whether an object belongs to a collection.
fn below(path: &str, object: &Value) -> bool {
    KINDS.iter().any(|(group, version, kind, plural)| {
        let base = base(group, version);
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or_default();
        object["kind"] == *kind
            && (path == format!("{base}/{plural}")
                || path == format!("{base}/namespaces/{namespace}/{plural}"))
    })
}

fn base(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

fn refusal(code: u16, message: &str) -> Response<Body> {
    answer(
        code,
        &json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message, "code": code}),
    )
}

fn serve(state: &mut State, request: &Request<Bytes>) -> Response<Body> {
    let path = request.uri().path();
    if request.method() == Method::POST {
        return answer(
            201,
            &json!({"status": {"allowed": true, "userInfo": {"username": "ola"}}}),
        );
    }
    if state.forbidden.contains(path) {
        return refusal(403, &format!("User \"ola\" cannot list {path}"));
    }
    let query = request.uri().query().unwrap_or_default();
    match path {
        "/version" => answer(200, &json!({"gitVersion": "v1.33.4"})),
        "/apis" => answer(
            200,
            &json!({"groups": [{"name": "apps"}, {"name": "argoproj.io"}]}),
        ),
        _ => kinds_of(state, path)
            .or_else(|| collection(state, path, query))
            .or_else(|| object(state, path))
            .unwrap_or_else(|| refusal(404, "the server could not find the requested resource")),
    }
}

fn kinds_of(state: &State, path: &str) -> Option<Response<Body>> {
    let served = KINDS.iter().filter(|k| base(k.0, k.1) == path);
    let resources: Vec<Value> = served
        .filter(|k| !state.hidden.contains(k.2))
        .map(|k| json!({"name": k.3, "kind": k.2, "namespaced": k.2 != "Namespace", "verbs": ["list", "watch"]}))
        .collect();
    let known = KINDS.iter().any(|k| base(k.0, k.1) == path);
    known.then(|| {
        answer(
            200,
            &json!({"kind": "APIResourceList", "resources": resources}),
        )
    })
}

fn collection(state: &mut State, path: &str, query: &str) -> Option<Response<Body>> {
    let last = path.rsplit('/').next()?;
    let kind = KINDS.iter().find(|k| k.3 == last)?;
    if state.hidden.contains(kind.2) {
        return None;
    }
    if query.contains("watch=true") {
        let (sender, response) = stream();
        let since = number(query, "resourceVersion=");
        for (_, line, _) in state
            .past
            .iter()
            .filter(|(at, _, object)| *at > since && below(path, object))
        {
            sender.send(Bytes::from(line.clone())).ok()?;
        }
        state.watches.push((path.to_owned(), sender));
        return Some(response);
    }
    let wanted = |o: &&Value| below(path, o) && selected(o, query);
    let items: Vec<&Value> = state.objects.iter().filter(wanted).collect();
    let version = state.version.to_string();
    Some(answer(
        200,
        &json!({"kind": format!("{}List", kind.2), "metadata": {"resourceVersion": version}, "items": items}),
    ))
}

fn number(query: &str, key: &str) -> u64 {
    query
        .split('&')
        .find_map(|p| p.strip_prefix(key)?.parse().ok())
        .unwrap_or_default()
}

fn selected(object: &Value, query: &str) -> bool {
    let name = query
        .split('&')
        .find_map(|p| p.strip_prefix("fieldSelector=metadata.name%3D"));
    let label = query.contains("labelSelector=argocd.argoproj.io%2Fsecret-type%3Dcluster");
    name.is_none_or(|n| object["metadata"]["name"] == n)
        && (!label || object["metadata"]["labels"]["argocd.argoproj.io/secret-type"] == "cluster")
}

fn object(state: &State, path: &str) -> Option<Response<Body>> {
    let (collection, name) = path.rsplit_once('/')?;
    let found = state
        .objects
        .iter()
        .find(|o| below(collection, o) && o["metadata"]["name"] == name)?;
    Some(answer(200, found))
}

/// An Application in `namespace` that deploys the folder `path` of a repository to its own cluster.
pub(crate) fn application(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
        "metadata": {"namespace": namespace, "name": name, "uid": format!("uid-{name}")},
        "spec": {
            "project": "default",
            "destination": {"server": "https://kubernetes.default.svc", "namespace": "edge"},
            "source": {"repoURL": "https://git.invalid/edge.git", "path": ".", "targetRevision": "main"}
        },
        "status": {"sync": {"status": "Synced"}, "health": {"status": "Healthy"}}
    })
}

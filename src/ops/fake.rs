//! A fake API server inside the test: it keeps objects, honours the preconditions and dry runs that real servers honour, records every request,
//! and misbehaves on command.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use kube::Client;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Clusters;
use super::content::text;
use crate::domain::{ClusterId, LinkState, Name};

/// One request as it arrived.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Seen {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) content_type: String,
    pub(super) body: Value,
}

impl Seen {
    /// Whether it would change something.
    pub(super) fn is_write(&self) -> bool {
        self.method != Method::GET
            && !self.query.contains("dryRun=All")
            && !self.path.contains("selfsubject")
    }
}

/// How the server misbehaves.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// It answers this status and does nothing.
    Status(u16, &'static str, String),
    /// The connection breaks before the request is carried out.
    LostBefore,
    /// The request is carried out and the connection breaks before the answer.
    LostAfter,
}

type Step = Box<dyn FnOnce(&mut World) + Send>;
type Matcher = Box<dyn Fn(&Seen) -> bool + Send>;

/// What the server holds.
#[derive(Default)]
pub(super) struct World {
    /// Objects by path.
    pub(super) objects: BTreeMap<String, Value>,
    /// What an apply adds to the manifest in the server's answer, by path: defaults and owners.
    pub(super) predictions: BTreeMap<String, Value>,
    /// How long a write takes.
    pub(super) delay: Duration,
    /// Verbs to which reviews say no.
    pub(super) denied: Vec<&'static str>,
    log: Vec<Seen>,
    faults: Vec<(Matcher, Fault)>,
    steps: VecDeque<(String, Step)>,
    version: u64,
}

impl World {
    fn bump(&mut self) -> String {
        self.version += 1;
        format!("{}", 900_000 + self.version)
    }
}

/// One fake cluster.
#[derive(Clone, Default)]
pub(super) struct FakeServer(Arc<Mutex<World>>);

impl FakeServer {
    pub(super) fn with(objects: &[(&str, Value)]) -> Self {
        let server = Self::default();
        server.0.lock().objects = objects
            .iter()
            .map(|(path, object)| ((*path).to_owned(), object.clone()))
            .collect();
        server
    }

    pub(super) fn world<T>(&self, change: impl FnOnce(&mut World) -> T) -> T {
        change(&mut self.0.lock())
    }

    /// The next requests that match get this fault, until [`FakeServer::heal`].
    pub(super) fn fault(&self, matches: impl Fn(&Seen) -> bool + Send + 'static, fault: Fault) {
        self.0.lock().faults.push((Box::new(matches), fault));
    }

    pub(super) fn heal(&self) {
        self.0.lock().faults.clear();
    }

    /// Does something right before the next read of a path is answered; steps of one path run one a read.
    pub(super) fn before_read(&self, path: &str, step: impl FnOnce(&mut World) + Send + 'static) {
        self.0
            .lock()
            .steps
            .push_back((path.to_owned(), Box::new(step)));
    }

    pub(super) fn object(&self, path: &str) -> Option<Value> {
        self.0.lock().objects.get(path).cloned()
    }

    pub(super) fn requests(&self) -> Vec<Seen> {
        self.0.lock().log.clone()
    }

    /// The requests that would change something.
    pub(super) fn writes(&self) -> Vec<Seen> {
        self.requests().into_iter().filter(Seen::is_write).collect()
    }

    fn client(&self) -> Client {
        let server = self.clone();
        let service = tower::service_fn(move |request: Request<Body>| {
            let server = server.clone();
            async move {
                let (parts, body) = request.into_parts();
                let bytes = body
                    .collect()
                    .await
                    .map(http_body_util::Collected::to_bytes)
                    .unwrap_or_default();
                let header = parts
                    .headers
                    .get(http::header::CONTENT_TYPE)
                    .and_then(|h| h.to_str().ok());
                let seen = Seen {
                    method: parts.method,
                    path: parts.uri.path().to_owned(),
                    query: parts.uri.query().unwrap_or_default().to_owned(),
                    content_type: header.unwrap_or_default().to_owned(),
                    body: serde_json::from_slice(&bytes).unwrap_or_default(),
                };
                let delay = if seen.is_write() {
                    server.0.lock().delay
                } else {
                    Duration::ZERO
                };
                tokio::time::sleep(delay).await;
                server.0.lock().answer(&seen)
            }
        });
        Client::new(service, "default")
    }
}

type Answer = Result<Response<Full<Bytes>>, std::io::Error>;

impl World {
    fn answer(&mut self, seen: &Seen) -> Answer {
        self.log.push(seen.clone());
        let fault = self
            .faults
            .iter()
            .find(|(matches, _)| matches(seen))
            .map(|(_, fault)| fault.clone());
        let broken = || {
            Err(std::io::Error::new(
                std::io::ErrorKind::ConnectionReset,
                "connection reset by peer",
            ))
        };
        match fault {
            Some(Fault::Status(code, reason, message)) => status(code, reason, &message, ""),
            Some(Fault::LostBefore) => broken(),
            Some(Fault::LostAfter) => {
                let _ = self.serve(seen);
                broken()
            }
            None => self.serve(seen),
        }
    }

    fn serve(&mut self, seen: &Seen) -> Answer {
        match (seen.method.as_str(), seen.path.as_str()) {
            ("GET", "/apis/apps/v1") => ok(
                &json!({"resources": [{"name": "deployments", "kind": "Deployment"}, {"name": "statefulsets", "kind": "StatefulSet"}]}),
            ),
            ("GET", "/api/v1") => ok(&json!({"resources": [
                {"name": "services", "kind": "Service"}, {"name": "secrets", "kind": "Secret"}, {"name": "configmaps", "kind": "ConfigMap"},
                {"name": "persistentvolumeclaims", "kind": "PersistentVolumeClaim"}
            ]})),
            ("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews") => {
                let verb = text(&seen.body, "/spec/resourceAttributes/verb").to_owned();
                ok(&json!({"status": {"allowed": !self.denied.iter().any(|d| *d == verb)}}))
            }
            ("GET", path) => self.read(path),
            ("POST", path) => self.create(path, seen),
            ("PATCH", path) => self.patch(path, seen),
            ("DELETE", path) => self.delete(path, seen),
            _ => status(405, "MethodNotAllowed", "no", ""),
        }
    }

    fn read(&mut self, path: &str) -> Answer {
        if let Some(at) = self.steps.iter().position(|(of, _)| of == path)
            && let Some((_, step)) = self.steps.remove(at)
        {
            step(self);
        }
        match self.objects.get(path) {
            Some(object) => ok(object),
            None => status(404, "NotFound", "not found", ""),
        }
    }

    fn create(&mut self, collection: &str, seen: &Seen) -> Answer {
        let path = format!("{collection}/{}", text(&seen.body, "/metadata/name"));
        if self.objects.contains_key(&path) {
            return status(409, "AlreadyExists", "it exists already", "");
        }
        let mut object = seen.body.clone();
        object["metadata"]["uid"] = json!("made-uid");
        object["metadata"]["resourceVersion"] = json!(self.bump());
        self.keep(&path, object, seen)
    }

    fn patch(&mut self, path: &str, seen: &Seen) -> Answer {
        let Some(live) = self.objects.get(path).cloned() else {
            return status(404, "NotFound", "not found", "");
        };
        if let Some(conflict) = conflict(&live, &seen.body["metadata"]) {
            return conflict;
        }
        let mut object = live;
        json_patch::merge(&mut object, &seen.body);
        if let Some(prediction) = self
            .predictions
            .get(path)
            .filter(|_| seen.content_type.contains("apply-patch"))
        {
            json_patch::merge(&mut object, prediction);
        }
        object["metadata"]["resourceVersion"] = json!(self.bump());
        self.keep(path, object, seen)
    }

    fn delete(&mut self, path: &str, seen: &Seen) -> Answer {
        let Some(live) = self.objects.get(path).cloned() else {
            return status(404, "NotFound", "not found", "");
        };
        if let Some(conflict) = conflict(&live, &seen.body["preconditions"]) {
            return conflict;
        }
        if !seen.query.contains("dryRun=All") {
            self.objects.remove(path);
        }
        ok(&json!({"kind": "Status", "status": "Success"}))
    }

    fn keep(&mut self, path: &str, object: Value, seen: &Seen) -> Answer {
        let answer = ok(&object);
        if !seen.query.contains("dryRun=All") {
            self.objects.insert(path.to_owned(), object);
        }
        answer
    }
}

fn conflict(live: &Value, precondition: &Value) -> Option<Answer> {
    let differs = |key: &str| {
        precondition
            .get(key)
            .is_some_and(|p| *p != live["metadata"][key])
    };
    if differs("resourceVersion") {
        return Some(status(409, "Conflict", "the object has been modified", ""));
    }
    differs("uid").then(|| status(422, "Invalid", "field is immutable", "metadata.uid"))
}

#[expect(clippy::unnecessary_wraps, reason = "the one type of all answers")]
fn ok(object: &Value) -> Answer {
    Ok(Response::new(Full::new(Bytes::from(object.to_string()))))
}

#[expect(clippy::unnecessary_wraps, reason = "the one type of all answers")]
fn status(code: u16, reason: &str, message: &str, field: &str) -> Answer {
    let causes = if field.is_empty() {
        json!([])
    } else {
        json!([{"field": field}])
    };
    let body = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message, "details": {"causes": causes}});
    let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
    *response.status_mut() = http::StatusCode::from_u16(code).unwrap();
    Ok(response)
}

/// Several fake clusters.
#[derive(Clone, Default)]
pub(super) struct FakeFleet {
    pub(super) servers: BTreeMap<ClusterId, FakeServer>,
    pub(super) links: Arc<Mutex<BTreeMap<ClusterId, LinkState>>>,
}

impl FakeFleet {
    pub(super) fn of(servers: &[(&str, &FakeServer)]) -> Self {
        Self {
            servers: servers
                .iter()
                .map(|(name, server)| (ClusterId::from(*name), (*server).clone()))
                .collect(),
            links: Arc::default(),
        }
    }

    pub(super) fn set_link(&self, cluster: &str, link: LinkState) {
        self.links.lock().insert(cluster.into(), link);
    }
}

impl Clusters for FakeFleet {
    fn client(&self, cluster: &ClusterId) -> Option<Client> {
        self.servers.get(cluster).map(FakeServer::client)
    }

    fn link(&self, cluster: &ClusterId) -> LinkState {
        self.links
            .lock()
            .get(cluster)
            .copied()
            .unwrap_or(LinkState::Live)
    }

    fn uid(&self, cluster: &ClusterId) -> Name {
        format!("uid-of-{cluster}").into()
    }

    fn identity(&self, cluster: &ClusterId) -> Name {
        format!("admin-of-{cluster}").into()
    }
}

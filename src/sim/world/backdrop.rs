//! What lies behind the API server of one edge: services that answer on `/metrics`, and pods that log.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::Value;

use super::clock::SimClock;
use super::exposition::{self, Exposed};
use super::json::{list, number, text};
use super::scenario::MetricCourse;
use super::workload::Workloads;
use crate::sim::server::{LogLine, LogRequest, ProxyReply, ProxyRequest, World};
use crate::sim::store::Store;

/// The services and pods of one edge.
pub(crate) struct Backdrop {
    /// Name of the cluster.
    pub(crate) cluster: String,
    pub(crate) store: Store,
    pub(crate) workloads: Arc<Mutex<Workloads>>,
    pub(crate) clock: SimClock,
    pub(crate) course: MetricCourse,
    pub(crate) seed: u64,
}

impl World for Backdrop {
    fn proxy(&self, request: &ProxyRequest) -> Option<ProxyReply> {
        if request.pod || !self.has_ready_pod(request) {
            return None;
        }
        if request.path != "/metrics" || request.scheme == "https" {
            return Some(reply(404, "404 page not found\n".to_owned()));
        }
        let failing = self
            .workloads
            .lock()
            .crashing_since(&request.namespace, &request.name)
            .map(|since| self.clock.now().duration_since(since));
        let elapsed = match self.course {
            MetricCourse::Moving => self.clock.elapsed(),
            MetricCourse::Constant => SignedDuration::ZERO,
        };
        Some(reply(
            200,
            exposition::text(Exposed {
                service: &request.name,
                cluster: &self.cluster,
                seed: self.seed,
                elapsed,
                failing,
            }),
        ))
    }

    fn log(&self, request: &LogRequest) -> Option<Vec<LogLine>> {
        let key = self
            .store
            .key("v1", "Pod", &request.namespace, &request.pod)?;
        let pod = self.store.read(&key)?;
        let status = list(&pod, "/status/containerStatuses")
            .iter()
            .find(|c| text(c, "/name") == request.container)?;
        let restarts = number(status, "/restartCount");
        if request.previous && restarts == 0 {
            return None;
        }
        let started = text(&pod, "/status/startTime").parse().ok()?;
        Some(lines(started, restarts > 0))
    }
}

impl Backdrop {
    /// Whether the service has that port and a pod that is ready.
    fn has_ready_pod(&self, request: &ProxyRequest) -> bool {
        let store = &self.store;
        let service = store
            .key("v1", "Service", &request.namespace, &request.name)
            .and_then(|key| store.read(&key));
        let Some(service) = service else { return false };
        has_port(&service, &request.port) && self.pods(&service, &request.namespace)
    }

    fn pods(&self, service: &Value, namespace: &str) -> bool {
        let store = &self.store;
        let Some(selector) = service.pointer("/spec/selector").and_then(Value::as_object) else {
            return false;
        };
        let Some(kind) = store.kind("v1", "Pod") else {
            return false;
        };
        store.all(kind, Some(namespace)).iter().any(|pod| {
            let labelled = selector.iter().all(|(name, value)| {
                pod.labels
                    .iter()
                    .any(|(k, v)| **k == **name && Some(&**v) == value.as_str())
            });
            labelled && is_ready(&pod.value())
        })
    }
}

fn is_ready(pod: &Value) -> bool {
    list(pod, "/status/conditions")
        .iter()
        .any(|c| text(c, "/type") == "Ready" && text(c, "/status") == "True")
}

fn has_port(service: &Value, asked: &str) -> bool {
    let ports = list(service, "/spec/ports");
    if asked.is_empty() {
        return ports.len() == 1;
    }
    ports
        .iter()
        .any(|port| text(port, "/name") == asked || number(port, "/port").to_string() == asked)
}

fn reply(status: u16, body: String) -> ProxyReply {
    ProxyReply {
        status,
        content_type: "text/plain; version=0.0.4; charset=utf-8".to_owned(),
        body: body.into(),
    }
}

fn lines(started: Timestamp, failed: bool) -> Vec<LogLine> {
    let line = |seconds: i64, text: &str| LogLine {
        time: started + SignedDuration::from_secs(seconds),
        text: text.to_owned(),
    };
    let mut lines = vec![
        line(0, "level=info msg=\"starting\""),
        line(0, "level=info msg=\"configuration read\""),
    ];
    if failed {
        lines.push(line(
            1,
            "level=error msg=\"cannot reach the sensor bus: connection refused\"",
        ));
        lines.push(line(1, "level=error msg=\"giving up\" exit=1"));
    } else {
        lines.push(line(1, "level=info msg=\"ready\""));
    }
    lines
}

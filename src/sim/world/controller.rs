//! The hubs' application controller as its metrics show it: the objects by which it is found, and what it answers.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::argo::NAMESPACE;
use super::clock::SimClock;
use super::cluster::{Cluster, refused};
use super::error::WorldError;
use super::scenario::ControllerCourse;
use crate::sim::server::{ProxyReply, ProxyRequest, World};

/// Name of its Service, as Argo CD's manifests have it.
const SERVICE: &str = "argocd-metrics";
/// What its Pods are called in their labels.
const CONTROLLER: &str = "argocd-application-controller";

/// What lies behind a hub whose controller is scraped.
pub(crate) struct Controlled {
    pub(crate) clock: SimClock,
    pub(crate) course: ControllerCourse,
}

impl World for Controlled {
    fn proxy(&self, request: &ProxyRequest) -> Option<ProxyReply> {
        if request.pod || request.namespace != NAMESPACE || request.name != SERVICE {
            return None;
        }
        if self.course.is_down(self.clock.elapsed()) {
            return None;
        }
        Some(ProxyReply {
            status: 200,
            content_type: "text/plain; version=0.0.4; charset=utf-8".to_owned(),
            body: exposition(self.course.queue).into(),
        })
    }
}

/// client-go's gauge of the queue in which applications wait to be compared.
fn exposition(queue: u32) -> String {
    format!(
        "# HELP workqueue_depth Current depth of workqueue\n# TYPE workqueue_depth gauge\n\
         workqueue_depth{{name=\"app_reconciliation_queue\"}} {queue}\n\
         workqueue_depth{{name=\"app_operation_processing_queue\"}} 0\n"
    )
}

/// Lets a hub's controller be scraped.
pub(crate) fn expose(hub: &Cluster, at: Timestamp) -> Result<(), WorldError> {
    for document in [service(), monitor()] {
        let what = format!("the {} of {}", document["kind"], hub.name);
        let pen = hub.pen("kubectl", at);
        pen.apply(document).map_err(refused(what))?;
    }
    Ok(())
}

fn metadata() -> Value {
    json!({
        "name": SERVICE,
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/name": SERVICE, "app.kubernetes.io/part-of": "argocd"},
    })
}

fn service() -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(),
        "spec": {
            "selector": {"app.kubernetes.io/name": CONTROLLER},
            "ports": [{"name": "metrics", "port": 8082, "targetPort": 8082, "protocol": "TCP"}],
        },
    })
}

fn monitor() -> Value {
    json!({
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "ServiceMonitor",
        "metadata": metadata(),
        "spec": {
            "selector": {"matchLabels": {"app.kubernetes.io/name": SERVICE}},
            "endpoints": [{"port": "metrics", "interval": "15s"}],
        },
    })
}

//! Reading an Application: where it deploys, from what, and what its annotations and policies ask for.

use serde_json::Value;

use super::desired::Tracker;
use crate::sim::world::cluster::Cluster;
use crate::sim::world::json::{flag, list, text};

/// Field manager of the application controller's own writes.
pub(crate) const CONTROLLER: &str = "argocd-application-controller";
/// Field manager of what Argo CD applies.
pub(crate) const APPLIER: &str = "argocd-controller";
/// The annotation that asks for a new comparison.
pub(crate) const REFRESH: &str = "argocd.argoproj.io/refresh";
/// The annotation that freezes an application, or all of a cluster.
pub(crate) const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";
/// The finalizer that has the resources deleted before the application goes.
pub(crate) const FINALIZER: &str = "resources-finalizer.argocd.argoproj.io";

/// A look at one Application document.
#[derive(Clone, Copy, Debug)]
pub(crate) struct App<'a>(pub(crate) &'a Value);

impl<'a> App<'a> {
    pub(crate) fn name(self) -> &'a str {
        text(self.0, "/metadata/name")
    }

    /// Its source, as the spec has it.
    pub(crate) fn source(self) -> &'a Value {
        self.0.pointer("/spec/source").unwrap_or(&Value::Null)
    }

    pub(crate) fn destination(self) -> &'a Value {
        self.0.pointer("/spec/destination").unwrap_or(&Value::Null)
    }

    /// The cluster it deploys to.
    pub(crate) fn cluster_of(self, clusters: &[Cluster]) -> Option<&Cluster> {
        let server = text(self.destination(), "/server").trim_end_matches('/');
        let name = text(self.destination(), "/name");
        clusters.iter().find(|cluster| match server {
            "" => cluster.name == name,
            server => cluster.url == server,
        })
    }

    /// Whether it deploys to the cluster of this name and URL.
    pub(crate) fn deploys_to(self, name: &str, url: &str) -> bool {
        let server = text(self.destination(), "/server").trim_end_matches('/');
        if server.is_empty() {
            text(self.destination(), "/name") == name
        } else {
            server == url
        }
    }

    pub(crate) fn tracker(self) -> Tracker<'a> {
        Tracker {
            app: self.name(),
            namespace: text(self.destination(), "/namespace"),
        }
    }

    /// On only when `automated` is there and not switched off.
    pub(crate) fn auto_sync(self) -> bool {
        self.0
            .pointer("/spec/syncPolicy/automated")
            .is_some_and(|automated| {
                !automated.is_null() && automated.get("enabled") != Some(&Value::Bool(false))
            })
    }

    pub(crate) fn self_heal(self) -> bool {
        flag(self.0, "/spec/syncPolicy/automated/selfHeal")
    }

    pub(crate) fn auto_prune(self) -> bool {
        flag(self.0, "/spec/syncPolicy/automated/prune")
    }

    pub(crate) fn refresh_asked(self) -> bool {
        annotation(self.0, REFRESH).is_some()
    }

    pub(crate) fn is_frozen(self) -> bool {
        is_frozen(self.0)
    }

    pub(crate) fn is_deleting(self) -> bool {
        self.0.pointer("/metadata/deletionTimestamp").is_some()
    }

    pub(crate) fn has_finalizer(self) -> bool {
        list(self.0, "/metadata/finalizers")
            .iter()
            .any(|f| f.as_str().is_some_and(|f| f.starts_with(FINALIZER)))
    }

    /// The operation asked for, when there is one.
    pub(crate) fn operation(self) -> Option<&'a Value> {
        self.0.get("operation").filter(|o| !o.is_null())
    }

    /// Phase of the operation that runs or ran last, empty when none did.
    pub(crate) fn phase(self) -> &'a str {
        text(self.0, "/status/operationState/phase")
    }

    /// Whether its status names an operation that is not over.
    pub(crate) fn in_progress(self) -> bool {
        matches!(self.phase(), "Running" | "Terminating")
    }
}

/// Whether an Application or a cluster Secret carries the annotation that freezes it.
pub(crate) fn is_frozen(document: &Value) -> bool {
    annotation(document, SKIP_RECONCILE)
        .is_some_and(|v| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

fn annotation<'a>(document: &'a Value, name: &str) -> Option<&'a str> {
    document["metadata"]["annotations"].get(name)?.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn auto_sync_is_off_when_switched_off_whatever_else_is_set() {
        let with = |automated: Value| json!({"spec": {"syncPolicy": {"automated": automated}}});
        assert!(App(&with(json!({}))).auto_sync());
        assert!(App(&with(json!({"enabled": true}))).auto_sync());
        assert!(!App(&with(json!({"enabled": false, "selfHeal": true}))).auto_sync());
        assert!(!App(&with(Value::Null)).auto_sync());
        assert!(!App(&json!({"spec": {}})).auto_sync());
    }

    #[test]
    fn a_destination_matches_by_url_with_or_without_a_slash_or_by_name() {
        let to = |destination: Value| json!({"spec": {"destination": destination}});
        let url = "https://127.0.0.1:6443";
        assert!(
            App(&to(json!({"server": "https://127.0.0.1:6443/"}))).deploys_to("edge-oslo-001", url)
        );
        assert!(App(&to(json!({"name": "edge-oslo-001"}))).deploys_to("edge-oslo-001", url));
        assert!(
            !App(&to(
                json!({"server": "https://127.0.0.1:1", "name": "edge-oslo-001"})
            ))
            .deploys_to("edge-oslo-001", url)
        );
    }

    #[test]
    fn an_application_is_frozen_only_by_a_true_value() {
        let with = |value: &str| json!({"metadata": {"annotations": {(SKIP_RECONCILE): value}}});
        assert!(App(&with("true")).is_frozen());
        assert!(!App(&with("false")).is_frozen());
        assert!(!App(&with("yes")).is_frozen());
    }
}

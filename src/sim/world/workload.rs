//! The stand-in for the controller manager and the kubelet of one edge: ReplicaSets, Pods and the statuses that follow from them.

mod notes;
mod pods;
mod rollout;
mod status;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::cluster::Pen;
use super::json::{list, text};
use crate::sim::store::{Object, Store};

/// Field manager of the workload controllers.
pub(crate) const MANAGER: &str = "kube-controller-manager";
/// Field manager of pod statuses.
pub(crate) const KUBELET: &str = "kubelet";

/// A Deployment by namespace and name.
type Named = (String, String);

/// The workload controllers of one edge.
#[derive(Debug)]
pub(crate) struct Workloads {
    /// Name of the cluster; its node is named after it.
    cluster: String,
    store: Store,
    seed: u64,
    /// Deployments whose newest pods fail, and since when.
    crashing: BTreeMap<Named, Timestamp>,
}

/// One round over the objects of an edge.
struct Round<'a> {
    cluster: &'a str,
    store: &'a Store,
    seed: u64,
    crashing: &'a BTreeMap<Named, Timestamp>,
    now: Timestamp,
    /// When something will change by the passing of time alone.
    next: Option<Timestamp>,
}

impl Workloads {
    pub(crate) fn new(cluster: &str, store: Store, seed: u64) -> Self {
        Self {
            cluster: cluster.to_owned(),
            store,
            seed,
            crashing: BTreeMap::new(),
        }
    }

    /// The newest pods of a Deployment begin to fail.
    pub(crate) fn crash(&mut self, namespace: &str, name: &str, now: Timestamp) {
        self.crashing
            .insert((namespace.to_owned(), name.to_owned()), now);
    }

    /// The pods of a Deployment work again.
    pub(crate) fn recover(&mut self, namespace: &str, name: &str) {
        self.crashing
            .remove(&(namespace.to_owned(), name.to_owned()));
    }

    /// Since when the pods of a Deployment fail, if they do.
    pub(crate) fn crashing_since(&self, namespace: &str, name: &str) -> Option<Timestamp> {
        self.crashing
            .get(&(namespace.to_owned(), name.to_owned()))
            .copied()
    }

    /// Does what is due; answers when something will be due next.
    pub(crate) fn settle(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut round = Round {
            cluster: &self.cluster,
            store: &self.store,
            seed: self.seed,
            crashing: &self.crashing,
            now,
            next: None,
        };
        for deployment in round.all("apps/v1", "Deployment") {
            round.deployment(&deployment);
        }
        for kind in ["DaemonSet", "StatefulSet"] {
            for owner in round.all("apps/v1", kind) {
                round.plain(&owner);
            }
        }
        round.next
    }
}

impl Round<'_> {
    fn pen(&self) -> Pen<'_> {
        Pen::new(self.store, MANAGER, self.now)
    }

    /// Every object of a kind, as documents.
    fn all(&self, api_version: &str, kind: &str) -> Vec<Value> {
        let objects = self.objects(api_version, kind, None);
        objects.iter().map(|o| o.value()).collect()
    }

    fn objects(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let kind = self.store.kind(api_version, kind);
        kind.map(|kind| self.store.all(kind, namespace))
            .unwrap_or_default()
    }

    /// The objects of a kind that this one owns.
    fn owned(&self, owner: &Value, api_version: &str, kind: &str) -> Vec<Value> {
        let uid = text(owner, "/metadata/uid");
        let selector = owner.pointer("/spec/selector/matchLabels");
        let candidates = self.objects(api_version, kind, Some(text(owner, "/metadata/namespace")));
        candidates
            .iter()
            // By labels first, as controllers do: it spares reading the others.
            .filter(|object| selects(selector, object))
            .map(|object| object.value())
            .filter(|object| {
                list(object, "/metadata/ownerReferences")
                    .iter()
                    .any(|r| text(r, "/uid") == uid)
            })
            .collect()
    }

    /// Something changes at `at` without anybody writing.
    fn wake(&mut self, at: Timestamp) {
        if at > self.now {
            self.next = Some(self.next.map_or(at, |next| next.min(at)));
        }
    }

    /// Writes a status through its subresource, if it is another one.
    fn write_status(&self, manager: &str, object: &Value, status: Value) {
        if object.get("status") == Some(&status) {
            return;
        }
        let pen = Pen::new(self.store, manager, self.now);
        let Ok(key) = pen.key(object) else { return };
        // A merge patch: members that are gone must be said to be.
        let mut patch = status;
        if let (Some(old), Some(new)) = (
            object.get("status").and_then(Value::as_object),
            patch.as_object_mut(),
        ) {
            for name in old.keys() {
                new.entry(name.clone()).or_insert(Value::Null);
            }
        }
        // It may have been deleted meanwhile; then there is nothing to say of it.
        let _ = pen.status(&key, &patch);
    }
}

/// Whether an object has every label that the selector asks for.
fn selects(selector: Option<&Value>, object: &Object) -> bool {
    let wanted = selector.and_then(Value::as_object).into_iter().flatten();
    wanted.into_iter().all(|(name, value)| {
        let mut labels = object.labels.iter();
        labels.any(|(k, v)| **k == **name && Some(&**v) == value.as_str())
    })
}

/// The reference by which an owner owns.
fn owner_reference(owner: &Value) -> Value {
    serde_json::json!([{
        "apiVersion": text(owner, "/apiVersion"),
        "kind": text(owner, "/kind"),
        "name": text(owner, "/metadata/name"),
        "uid": text(owner, "/metadata/uid"),
        "controller": true,
        "blockOwnerDeletion": true,
    }])
}

#[cfg(test)]
mod tests;

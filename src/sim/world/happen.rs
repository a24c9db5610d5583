//! Letting things happen: somebody edits, scales or deletes; pods crash; a link fails; Git moves on.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::plan::{AppPlan, Silence};
use super::scenario::{Action, Outage};
use super::workload::Workloads;
use crate::sim::server::{Answer, Fault, Link};
use crate::sim::store::{ApiStatus, Key, Patch, Subresource, WriteOptions};

/// Where something happens.
pub(crate) struct Scene<'a> {
    pub(crate) edge: &'a Cluster,
    pub(crate) workloads: &'a mut Workloads,
    /// The application it is about, if it is about one.
    pub(crate) app: Option<&'a AppPlan>,
    pub(crate) now: Timestamp,
}

impl Scene<'_> {
    /// Lets it happen. A commit happens to the repository, not here.
    ///
    /// # Errors
    /// What the server said when somebody's write failed; the world goes on.
    pub(crate) fn play(&mut self, action: &Action) -> Result<(), ApiStatus> {
        match action {
            Action::Edit {
                kind,
                name,
                namespace,
                manager,
                set,
                remove,
            } => {
                let key = self.key(kind, name, namespace.as_deref())?;
                self.edit(&key, manager, set.as_ref(), remove)
            }
            Action::Scale {
                name,
                replicas,
                manager,
            } => {
                let key = self.key("Deployment", name, None)?;
                self.scale(&key, *replicas, manager)
            }
            Action::Delete { kind, name } => {
                let key = self.key(kind, name, None)?;
                self.edge.pen("kubectl", self.now).delete(&key).map(drop)
            }
            Action::Crash { name } => {
                let namespace = self.namespace().to_owned();
                self.workloads.crash(&namespace, name, self.now);
                Ok(())
            }
            Action::Recover { name } => {
                let namespace = self.namespace().to_owned();
                self.workloads.recover(&namespace, name);
                Ok(())
            }
            Action::Dark { how } => {
                self.edge.faults.change(|fault| darken(fault, *how));
                Ok(())
            }
            Action::Return => {
                self.edge.faults.heal();
                Ok(())
            }
            Action::Commit { .. } => Ok(()),
        }
    }

    /// The namespace the application deploys to.
    fn namespace(&self) -> &str {
        self.app.map_or("default", |app| &app.of.namespace)
    }

    fn key(&self, kind: &str, name: &str, namespace: Option<&str>) -> Result<Key, ApiStatus> {
        let kinds = self.edge.store.kinds();
        let kind = kinds
            .iter()
            .find(|k| k.kind == kind)
            .ok_or_else(ApiStatus::no_such_resource)?;
        let namespace = namespace.unwrap_or(self.namespace());
        Ok(Key::new(kind, namespace, name))
    }

    fn edit(
        &self,
        key: &Key,
        manager: &str,
        set: Option<&Value>,
        remove: &[String],
    ) -> Result<(), ApiStatus> {
        let pen = self.edge.pen(manager, self.now);
        if let Some(set) = set {
            let patch = if key.kind.custom {
                Patch::Merge(set.clone())
            } else {
                Patch::Strategic(set.clone())
            };
            pen.patch(key, &patch)?;
        }
        if !remove.is_empty() {
            let steps: Value = remove
                .iter()
                .map(|path| json!({"op": "remove", "path": path}))
                .collect();
            pen.patch(key, &Patch::Json(steps))?;
        }
        Ok(())
    }

    fn scale(&self, key: &Key, replicas: u32, manager: &str) -> Result<(), ApiStatus> {
        let options = WriteOptions {
            subresource: Subresource::Scale,
            ..WriteOptions::new(manager, self.now)
        };
        let patch = Patch::Merge(json!({"spec": {"replicas": replicas}}));
        self.edge.store.patch(key, &patch, &options).map(drop)
    }
}

fn darken(fault: &mut Fault, how: Outage) {
    match how {
        Outage::BlackHole => fault.link = Link::BlackHole,
        Outage::Refused => fault.link = Link::Refused,
        Outage::Unavailable => fault.answer = Answer::Unavailable,
        Outage::Unauthorized => fault.answer = Answer::Unauthorized,
    }
}

/// Longer than anybody waits.
const FOR_EVER: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3_600);

/// Silences an edge for good. A dropped one has no server at all and needs nothing here.
pub(crate) fn silence(edge: &Cluster, silence: Silence) {
    edge.faults.change(|fault| match silence {
        Silence::Stalled | Silence::Dropped => fault.link = Link::BlackHole,
        Silence::Refused => fault.link = Link::Refused,
        Silence::Mute => fault.latency = FOR_EVER,
        Silence::Unavailable => fault.answer = Answer::Unavailable,
    });
}

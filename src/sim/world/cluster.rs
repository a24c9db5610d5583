//! One simulated cluster as the world's own machinery reaches it: in the process, past the network.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::error::WorldError;
use crate::sim::server::{Answer, Certificate, Faults, Link};
use crate::sim::store::{
    ApiStatus, DeleteOptions, Deleted, Key, Patch, Store, Watch, WriteOptions, Written,
};

/// What a controller waits for an answer at most.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A cluster of the world. Clones mean the same cluster.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// Its name, which is also its kubeconfig context.
    pub name: String,
    /// URL of its API server, as everybody calls it.
    pub url: String,
    /// Where it listens, when its URL is only a name.
    pub address: Option<SocketAddr>,
    /// What it holds.
    pub store: Store,
    /// What is wrong with it.
    pub faults: Arc<Faults>,
}

impl Cluster {
    /// Whether anybody reaches it: hubs are on the far side of the same link as the console.
    pub fn reachable(&self) -> bool {
        let fault = self.faults.current();
        fault.link == Link::Up
            && fault.latency < TIMEOUT
            && fault.certificate == Certificate::Sound
            && matches!(fault.answer, Answer::Sound | Answer::Throttled { .. })
    }

    /// Changes from now on.
    pub(crate) fn watch(&self) -> Watch {
        Watch::new(self.store.clone(), self.store.resource_version())
    }

    /// A pen to write into it with.
    pub(crate) fn pen<'a>(&'a self, manager: &'a str, now: Timestamp) -> Pen<'a> {
        Pen::new(&self.store, manager, now)
    }
}

/// Writes into a store as one manager at one time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pen<'a> {
    pub(crate) store: &'a Store,
    pub(crate) manager: &'a str,
    pub(crate) now: Timestamp,
    /// Whether nothing is kept.
    pub(crate) dry_run: bool,
}

impl<'a> Pen<'a> {
    pub(crate) fn new(store: &'a Store, manager: &'a str, now: Timestamp) -> Self {
        Self {
            store,
            manager,
            now,
            dry_run: false,
        }
    }

    fn options(&self) -> WriteOptions {
        WriteOptions {
            dry_run: self.dry_run,
            ..WriteOptions::new(self.manager, self.now)
        }
    }

    /// The key of a document, if its kind is served.
    pub(crate) fn key(&self, document: &Value) -> Result<Key, ApiStatus> {
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str);
        let text = |pointer: &str| text(pointer).unwrap_or_default();
        self.store
            .key(
                text("/apiVersion"),
                text("/kind"),
                text("/metadata/namespace"),
                text("/metadata/name"),
            )
            .ok_or_else(ApiStatus::no_such_resource)
    }

    pub(crate) fn create(&self, document: Value) -> Result<Written, ApiStatus> {
        self.store.create(document, &self.options())
    }

    /// Server-side apply, forced, as GitOps engines do.
    pub(crate) fn apply(&self, document: Value) -> Result<Written, ApiStatus> {
        let key = self.key(&document)?;
        self.store
            .patch(&key, &Patch::Apply(document), &self.options().forced())
    }

    /// A patch of any media type but apply.
    pub(crate) fn patch(&self, key: &Key, patch: &Patch) -> Result<Written, ApiStatus> {
        self.store.patch(key, patch, &self.options())
    }

    pub(crate) fn merge(&self, key: &Key, patch: Value) -> Result<Written, ApiStatus> {
        self.store.patch(key, &Patch::Merge(patch), &self.options())
    }

    /// Merges into the status through its subresource.
    pub(crate) fn status(&self, key: &Key, status: &Value) -> Result<Written, ApiStatus> {
        let patch = Patch::Merge(serde_json::json!({ "status": status }));
        self.store.patch(key, &patch, &self.options().status())
    }

    pub(crate) fn delete(&self, key: &Key) -> Result<Deleted, ApiStatus> {
        let options = DeleteOptions {
            dry_run: self.dry_run,
            ..DeleteOptions::new(self.now)
        };
        self.store.delete(key, &options)
    }
}

/// Turns a refusal into the error of a world that is wrong about its own servers.
pub(crate) fn refused(what: impl Into<String>) -> impl FnOnce(ApiStatus) -> WorldError {
    let what = what.into();
    move |status| WorldError::Refused {
        what,
        status: Box::new(status),
    }
}

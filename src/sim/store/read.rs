//! Reading a store: single objects, kinds, versions.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use serde_json::Value;
use tokio::sync::watch as signal;

use super::state::State;
use super::{ApiStatus, Inner, Key, KindRef, KindSet, Object, Store, StoreOptions, Watch};

impl Store {
    /// An empty cluster: the namespaces and custom resource definitions a server has from its start, and nothing else.
    pub fn new(options: StoreOptions) -> Self {
        let now = options.now;
        let store = Self::hollow(options);
        store.furnish(now);
        store
    }

    /// A store without even what a server has from its start.
    pub(crate) fn hollow(options: StoreOptions) -> Self {
        let state = State::new(options.kinds, options.seed, options.history);
        let (version, _) = signal::channel(state.version);
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            version,
        }))
    }

    /// The state as it is.
    pub(crate) fn reading(&self) -> MutexGuard<'_, State> {
        self.0.state.lock()
    }

    /// The state with every object in its place, for whoever changes it.
    pub(crate) fn writing(&self) -> MutexGuard<'_, State> {
        let mut state = self.reading();
        state.keep_casts();
        state
    }

    /// The kinds it serves now.
    pub fn kinds(&self) -> KindSet {
        self.reading().kinds.clone()
    }

    /// The kind `apiVersion` and `kind` name, if served.
    pub fn kind(&self, api_version: &str, kind: &str) -> Option<KindRef> {
        self.reading().kinds.by_kind(api_version, kind)
    }

    /// The kind a URL names, if served.
    pub fn kind_by_plural(&self, group: &str, version: &str, plural: &str) -> Option<KindRef> {
        self.reading().kinds.by_plural(group, version, plural)
    }

    /// A key by the words of a manifest, if the kind is served.
    pub fn key(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Key> {
        Some(Key::new(self.kind(api_version, kind)?, namespace, name))
    }

    /// One object.
    pub fn get(&self, key: &Key) -> Option<Arc<Object>> {
        self.reading().get(key)
    }

    /// One object's document.
    pub fn read(&self, key: &Key) -> Option<Value> {
        self.get(key).map(|object| object.value())
    }

    /// Every object of a kind, in one namespace or (`None`) all.
    pub fn all(&self, kind: KindRef, namespace: Option<&str>) -> Vec<Arc<Object>> {
        let state = self.reading();
        let table = state.table(kind);
        table
            .values()
            .filter(|o| namespace.is_none_or(|ns| *o.key.namespace == *ns))
            .cloned()
            .collect()
    }

    /// The newest resource version.
    pub fn resource_version(&self) -> u64 {
        self.reading().version
    }

    /// The oldest version a watch may start from.
    pub fn oldest_version(&self) -> u64 {
        self.reading().history.oldest()
    }

    /// Forgets the history, as a compaction does: watches that are behind, and list tokens, expire.
    pub fn expire_history(&self) {
        let mut state = self.reading();
        let version = state.version;
        state.history.expire(version);
    }

    /// All changes after a version, of every kind.
    ///
    /// # Errors
    /// 410 when the history does not reach back so far.
    pub fn watch(&self, from: u64) -> Result<Watch, ApiStatus> {
        let state = self.reading();
        if from < state.history.oldest() {
            return Err(ApiStatus::too_old(from, state.history.oldest()));
        }
        drop(state);
        Ok(Watch::new(self.clone(), from))
    }

    /// Changes whenever the newest version does.
    pub(crate) fn versions(&self) -> signal::Receiver<u64> {
        self.0.version.subscribe()
    }

    /// Tells the watches of new changes; called with the lock released.
    pub(crate) fn announce(&self) {
        let version = self.resource_version();
        self.0.version.send_if_modified(|v| {
            let newer = version > *v;
            *v = version.max(*v);
            newer
        });
    }
}

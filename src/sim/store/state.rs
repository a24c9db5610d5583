//! The tables behind the lock, and the one place where a change becomes real.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::history::History;
use super::mold::Cast;
use super::{ChangeType, Event, Key, KindRef, KindSet, Object};
use crate::domain::Name;

/// Objects of one kind by namespace and name, in the order lists show them.
pub(crate) type Table = BTreeMap<(Name, Name), Arc<Object>>;

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) kinds: KindSet,
    /// What nobody has written to yet; empty once something is written.
    pub(crate) casts: Vec<Cast>,
    tables: BTreeMap<(&'static str, &'static str), Table>,
    pub(crate) history: History,
    pub(crate) version: u64,
    seed: u64,
    uids: u64,
    addresses: u64,
}

impl State {
    pub(crate) fn new(kinds: KindSet, seed: u64, history: usize) -> Self {
        Self {
            kinds,
            casts: Vec::new(),
            tables: BTreeMap::new(),
            history: History::new(history, 1),
            version: 1,
            seed,
            uids: 0,
            addresses: 0,
        }
    }

    /// The objects of a kind.
    pub(crate) fn table(&self, kind: KindRef) -> Cow<'_, Table> {
        let kept = self.tables.get(&(kind.group, kind.plural));
        if self.casts.is_empty() {
            return kept.map_or_else(Cow::default, Cow::Borrowed);
        }
        let mut table = kept.cloned().unwrap_or_default();
        let cast = self.casts.iter().flat_map(|cast| cast.of_kind(kind));
        table.extend(cast.map(|object| (place(&object.key), Arc::new(object))));
        Cow::Owned(table)
    }

    /// Puts what was cast into the tables, before something is written.
    pub(crate) fn keep_casts(&mut self) {
        for cast in std::mem::take(&mut self.casts) {
            for object in cast.objects() {
                let table = (object.key.kind.group, object.key.kind.plural);
                let table = self.tables.entry(table).or_default();
                table.insert(place(&object.key), Arc::new(object));
            }
        }
    }

    /// Every object of every kind that is in its place.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.tables.values().flat_map(BTreeMap::values)
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Object>> {
        let kept = self.tables.get(&(key.kind.group, key.kind.plural));
        kept.and_then(|table| table.get(&place(key)).cloned())
            .or_else(|| self.casts.iter().find_map(|c| c.get(key)).map(Arc::new))
    }

    /// The next uid: looks random, and is the same for the same seed.
    pub(crate) fn next_uid(&mut self) -> String {
        self.uids += 1;
        uid_of(self.seed, self.uids)
    }

    /// How many uids were made.
    pub(crate) fn uids(&self) -> u64 {
        self.uids
    }

    /// Every uid made so far, in order.
    pub(crate) fn all_uids(&self) -> Vec<String> {
        (1..=self.uids).map(|n| uid_of(self.seed, n)).collect()
    }

    /// What the uids are made from.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// How many service addresses were given.
    pub(crate) fn addresses(&self) -> u64 {
        self.addresses
    }

    /// Counts uids and addresses that were given elsewhere.
    pub(crate) fn count(&mut self, uids: u64, addresses: u64) {
        self.uids += uids;
        self.addresses += addresses;
    }

    /// The number of the next service address.
    pub(crate) fn next_address(&mut self) -> u64 {
        self.addresses += 1;
        self.addresses
    }

    /// Stops serving a kind; its objects go.
    pub(crate) fn drop_kind(&mut self, kind: KindRef) {
        let table = self.table(kind);
        let keys: Vec<Key> = table.values().map(|o| o.key.clone()).collect();
        for key in &keys {
            self.remove(key);
        }
        self.kinds.remove(kind);
    }

    /// Stores a document under the next resource version and remembers the change.
    pub(crate) fn commit(&mut self, key: Key, mut document: Value) -> Arc<Object> {
        self.version += 1;
        document["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(Object::pack(key, &document));
        let at = place(&object.key);
        let table = (object.key.kind.group, object.key.kind.plural);
        let before = self
            .tables
            .entry(table)
            .or_default()
            .insert(at, Arc::clone(&object));
        self.history.push(Event {
            change: if before.is_some() {
                ChangeType::Modified
            } else {
                ChangeType::Added
            },
            object: Arc::clone(&object),
            before,
        });
        object
    }

    /// Takes an object away and remembers it; the last state carries the version of the deletion.
    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Object>> {
        let last = self.get(key)?.value();
        self.remove_as(key, last)
    }

    /// The same with a last state that differs from the stored one.
    pub(crate) fn remove_as(&mut self, key: &Key, mut last: Value) -> Option<Arc<Object>> {
        let at = place(key);
        let before = self
            .tables
            .get_mut(&(key.kind.group, key.kind.plural))?
            .remove(&at)?;
        self.version += 1;
        last["metadata"]["resourceVersion"] = self.version.to_string().into();
        let object = Arc::new(Object::pack(key.clone(), &last));
        self.history.push(Event {
            change: ChangeType::Deleted,
            object: Arc::clone(&object),
            before: Some(before),
        });
        Some(object)
    }

    /// The objects of a kind as they were at `version`, rebuilt by walking the history backwards.
    ///
    /// `None` when the history does not reach that far.
    pub(crate) fn table_at(&self, kind: KindRef, version: u64) -> Option<Table> {
        let later = self.history.since(version).ok()?;
        let mut table = self.table(kind).into_owned();
        for event in later.iter().rev().filter(|e| e.object.key.kind == kind) {
            let key = &event.object.key;
            let at = place(key);
            match &event.before {
                Some(before) => table.insert(at, Arc::clone(before)),
                None => table.remove(&at),
            };
        }
        Some(table)
    }
}

/// Where an object stands in its table.
fn place(key: &Key) -> (Name, Name) {
    (key.namespace.clone(), key.name.clone())
}

/// The uid of a number under a seed: looks random, and is always the same.
pub(crate) fn uid_of(seed: u64, number: u64) -> String {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(number.to_le_bytes());
    let digest: [u8; 32] = hash.finalize().into();
    let mut hex = String::with_capacity(36);
    for (i, byte) in digest.iter().take(16).enumerate() {
        // The version and variant bits of a random uid.
        let byte = match i {
            6 => byte & 0x0f | 0x40,
            8 => byte & 0x3f | 0x80,
            _ => *byte,
        };
        if [4, 6, 8, 10].contains(&i) {
            hex.push('-');
        }
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

//! Casting stores: what many clusters hold alike is kept once, with holes where they differ, and is filled in when somebody reads it.
//!
//! A mold is taken of a store that was built in full. A store that is cast from molds answers every question as if it had been built itself; it
//! keeps nothing of its own until the first write, and no body before somebody writes that very object.

use std::sync::Arc;

use super::object::Body;
use super::state::{State, uid_of};
use super::{Key, KindRef, Object, Store};
use crate::domain::Name;

/// A text that differs from cluster to cluster, in the order in which it is looked for: longer ones before those that are a part of them.
pub(crate) type Words = Vec<String>;

/// A piece of a text.
#[derive(Clone, Debug)]
enum Piece {
    /// The same everywhere.
    Text(Box<str>),
    /// A word of the cluster.
    Word(usize),
    /// The uid of that number.
    Uid(u64),
    /// A resource version.
    Version(u64),
}

/// A text with holes.
#[derive(Clone, Debug)]
pub(crate) struct Pattern(Box<[Piece]>);

/// What fills the holes of one cluster.
#[derive(Clone, Debug)]
pub(crate) struct Stamp {
    words: Words,
    /// Makes the uids.
    seed: u64,
    /// Numbers of uids that other molds of the store take.
    uids: u64,
    /// Resource versions that other molds of the store take.
    versions: u64,
}

/// One object with holes.
#[derive(Debug)]
struct Molded {
    kind: KindRef,
    namespace: Pattern,
    name: Pattern,
    uid: u64,
    version: u64,
    labels: Vec<(Name, Pattern)>,
    body: Arc<Pattern>,
}

/// Objects of a store, with holes.
#[derive(Debug)]
pub(crate) struct Mold {
    objects: Vec<Molded>,
    uids: u64,
    versions: u64,
    addresses: u64,
}

/// A mold and what fills its holes.
#[derive(Clone, Debug)]
pub(crate) struct Cast {
    mold: Arc<Mold>,
    stamp: Arc<Stamp>,
}

impl Pattern {
    /// A text without holes.
    fn plain(text: &str) -> Self {
        Self(Box::new([Piece::Text(text.into())]))
    }

    /// Makes a hole wherever `mark` stands.
    fn cut(self, mark: &str, hole: &Piece) -> Self {
        let mut pieces = Vec::new();
        for piece in self.0 {
            match piece {
                Piece::Text(text) if text.contains(mark) => {
                    for (i, part) in text.split(mark).enumerate() {
                        if i > 0 {
                            pieces.push(hole.clone());
                        }
                        if !part.is_empty() {
                            pieces.push(Piece::Text(part.into()));
                        }
                    }
                }
                other => pieces.push(other),
            }
        }
        Self(pieces.into())
    }

    fn cut_words(self, words: &[String]) -> Self {
        let holes = words.iter().enumerate();
        holes.fold(self, |text, (i, word)| text.cut(word, &Piece::Word(i)))
    }

    /// The text of one cluster.
    pub(crate) fn fill(&self, stamp: &Stamp) -> String {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Word(i) => text.push_str(stamp.words.get(*i).map_or("", String::as_str)),
                Piece::Uid(number) => text.push_str(&stamp.uid(*number)),
                Piece::Version(version) => {
                    text.push_str(&version_text(version + stamp.versions));
                }
            }
        }
        text
    }
}

impl Stamp {
    fn uid(&self, number: u64) -> String {
        uid_of(self.seed, number + self.uids)
    }
}

impl Molded {
    fn of(object: &Object, words: &[String], uids: &[String]) -> Self {
        let plain = |text: &str| Pattern::plain(text).cut_words(words);
        let version = object.resource_version;
        let body = String::from_utf8_lossy(&object.bare()).into_owned();
        let mut body = plain(&body).cut(&version_text(version), &Piece::Version(version));
        for (number, uid) in (1..).zip(uids) {
            body = body.cut(uid, &Piece::Uid(number));
        }
        let number = (1..).zip(uids).find(|(_, uid)| **uid == *object.uid);
        Self {
            kind: object.key.kind,
            namespace: plain(&object.key.namespace),
            name: plain(&object.key.name),
            uid: number.map_or(0, |(number, _)| number),
            version,
            labels: object
                .labels
                .iter()
                .map(|(name, value)| (name.clone(), plain_value(value, words)))
                .collect(),
            body: Arc::new(body),
        }
    }

    fn key(&self, stamp: &Stamp) -> Key {
        Key {
            kind: self.kind,
            namespace: self.namespace.fill(stamp).into(),
            name: self.name.fill(stamp).into(),
        }
    }

    fn object(&self, stamp: &Arc<Stamp>) -> Object {
        Object {
            key: self.key(stamp),
            uid: stamp.uid(self.uid).into(),
            resource_version: self.version + stamp.versions,
            labels: self
                .labels
                .iter()
                .map(|(name, value)| (name.clone(), value.fill(stamp).trim_matches('"').into()))
                .collect(),
            body: Body::Cast(Arc::clone(&self.body), Arc::clone(stamp)),
        }
    }
}

/// A resource version as it stands in a document.
fn version_text(version: u64) -> String {
    format!("\"resourceVersion\":\"{version}\"")
}

/// A label's value in quotes, as it stands in a document: some words are looked for with theirs.
fn plain_value(value: &str, words: &[String]) -> Pattern {
    Pattern::plain(&format!("\"{value}\"")).cut_words(words)
}

impl Cast {
    /// The objects of a kind.
    pub(crate) fn of_kind(&self, kind: KindRef) -> impl Iterator<Item = Object> {
        let objects = self.mold.objects.iter().filter(move |o| o.kind == kind);
        objects.map(|object| object.object(&self.stamp))
    }

    /// One object.
    pub(crate) fn get(&self, key: &Key) -> Option<Object> {
        let mut objects = self.mold.objects.iter().filter(|o| o.kind == key.kind);
        let found = objects.find(|o| o.key(&self.stamp) == *key)?;
        Some(found.object(&self.stamp))
    }

    /// Every object.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Object> {
        let objects = self.mold.objects.iter();
        objects.map(|object| object.object(&self.stamp))
    }
}

impl Store {
    /// Takes a mold of the objects that `keep` names; holes come wherever one of the words stands.
    pub(crate) fn mold(&self, words: &[String], keep: impl Fn(&Object) -> bool) -> Mold {
        let state = self.reading();
        let uids = state.all_uids();
        let objects = state.everything().filter(|o| keep(o));
        Mold {
            objects: objects.map(|o| Molded::of(o, words, &uids)).collect(),
            uids: state.uids(),
            versions: state.version,
            addresses: state.addresses(),
        }
    }

    /// Fills an empty store from molds, each with the words of whom it is about.
    pub(crate) fn cast(&self, molds: Vec<(Arc<Mold>, Words)>) {
        let mut state = self.reading();
        for (mold, words) in molds {
            let stamp = Stamp {
                words,
                seed: state.seed(),
                uids: state.uids(),
                versions: state.version,
            };
            let numbers = (mold.uids, mold.versions, mold.addresses);
            state.take_cast(
                Cast {
                    mold,
                    stamp: Arc::new(stamp),
                },
                numbers,
            );
        }
        drop(state);
        self.announce();
    }
}

impl State {
    /// Keeps the objects of a cast, which takes so many uids, versions and addresses.
    fn take_cast(&mut self, cast: Cast, (uids, versions, addresses): (u64, u64, u64)) {
        self.casts.push(cast);
        self.count(uids, addresses);
        self.version += versions;
        self.history.expire(self.version);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sim::store::{KindSet, ListQuery, Patch, StoreOptions, WriteOptions};

    fn now() -> jiff::Timestamp {
        "2026-11-21T02:00:00Z".parse().unwrap()
    }

    fn words(place: &str, site: &str) -> Words {
        vec![place.to_owned(), format!("\"{site}\"")]
    }

    /// One ConfigMap, its Deployment's ReplicaSet standing in for an owned object.
    fn built(seed: u64) -> Store {
        let store = Store::new(StoreOptions::new(KindSet::bare(), seed, now()));
        let owner = store.restore(
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {
                "name": "ingress-oslo-000", "namespace": "default", "labels": {"site": "oslo", "app": "oslo-ingress"}}, "spec": {}}),
            now(),
        );
        let uid = owner.unwrap().uid.to_string();
        store
            .restore(
                json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {
                    "name": "ingress-oslo-000-7f", "namespace": "default", "ownerReferences": [{"uid": uid}]}, "spec": {"note": "oslo"}}),
                now(),
            )
            .unwrap();
        store
    }

    fn cast(seed: u64) -> Store {
        let mold = Arc::new(built(1).mold(&words("oslo-000", "oslo"), |_| true));
        let store = Store::hollow(StoreOptions::new(KindSet::bare(), seed, now()));
        store.cast(vec![(mold, words("paris-017", "paris"))]);
        store
    }

    fn key(store: &Store, kind: &str, name: &str) -> Key {
        store.key("apps/v1", kind, "default", name).unwrap()
    }

    #[test]
    fn a_cast_store_speaks_of_its_own_place_only() {
        let store = cast(2);
        let owner = store
            .read(&key(&store, "Deployment", "ingress-paris-017"))
            .unwrap();
        assert_eq!(owner["metadata"]["labels"]["site"], "paris");
        // A word in quotes is the whole of a text, never a part of it.
        assert_eq!(owner["metadata"]["labels"]["app"], "oslo-ingress");
        let replicas = store
            .read(&key(&store, "ReplicaSet", "ingress-paris-017-7f"))
            .unwrap();
        assert_eq!(
            replicas["metadata"]["ownerReferences"][0]["uid"],
            owner["metadata"]["uid"]
        );
        assert!(
            store
                .get(&key(&store, "Deployment", "ingress-oslo-000"))
                .is_none()
        );
    }

    #[test]
    fn it_answers_like_a_store_that_was_built() {
        let (built, cast) = (built(1), cast(1));
        let kind = built.kind("apps/v1", "Deployment").unwrap();
        let labels = |store: &Store| store.all(kind, None)[0].labels.clone();
        assert_eq!(labels(&built).len(), labels(&cast).len());
        assert_eq!(labels(&cast)[1].1, "paris".into());
        let uids = |store: &Store| store.all(kind, None)[0].uid.clone();
        // The same seed gives the same uids, whichever way a store came to be.
        assert_eq!(uids(&built), uids(&cast));
        let spaces = cast.kind("v1", "Namespace").unwrap();
        assert_eq!(cast.all(spaces, None).len(), built.all(spaces, None).len());
        let listed = cast.list(&ListQuery::all(kind), |_| true).unwrap();
        assert_eq!(listed.resource_version, cast.resource_version());
        assert!(cast.watch(listed.resource_version).is_ok());
        assert!(cast.watch(listed.resource_version - 1).is_err());
    }

    #[test]
    fn two_molds_of_one_store_share_neither_uids_nor_versions() {
        let mold = Arc::new(built(1).mold(&words("oslo-000", "oslo"), |o| {
            o.key.kind.kind == "Deployment"
        }));
        let store = Store::hollow(StoreOptions::new(KindSet::bare(), 2, now()));
        store.cast(vec![
            (Arc::clone(&mold), words("paris-001", "paris")),
            (mold, words("lyon-001", "lyon")),
        ]);
        let kind = store.kind("apps/v1", "Deployment").unwrap();
        let all = store.all(kind, None);
        assert_eq!(all.len(), 2);
        assert_ne!(all[0].uid, all[1].uid);
        assert_ne!(all[0].resource_version, all[1].resource_version);
        for object in &all {
            let version = object.value()["metadata"]["resourceVersion"].clone();
            assert_eq!(version, object.resource_version.to_string());
            assert!(object.resource_version <= store.resource_version());
        }
    }

    #[test]
    fn the_first_write_changes_one_object_and_leaves_the_others_as_they_were() {
        let store = cast(2);
        let of = |name: &str| key(&store, "ReplicaSet", name);
        let before = store.read(&of("ingress-paris-017-7f")).unwrap();
        let at = store.resource_version();
        let patch = Patch::Merge(json!({"metadata": {"annotations": {"a": "b"}}}));
        let options = WriteOptions::new("kubectl", now());
        let space = store.key("v1", "Namespace", "", "default").unwrap();
        let written = store.patch(&space, &patch, &options).unwrap();
        assert_eq!(written.object.resource_version, at + 1);
        assert_eq!(store.read(&of("ingress-paris-017-7f")).unwrap(), before);
        assert_eq!(
            store.read(&space).unwrap()["metadata"]["annotations"]["a"],
            "b"
        );
    }
}

//! The types of custom kinds in the whole fleet: equal ones are kept once, since clusters publish the same, and each is found by its cluster
//! or by the content it was read from.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;
use sha2::{Digest as _, Sha512};

use crate::domain::{ClusterId, Gvk};
use crate::drift::openapi::CustomSchema;

/// The content of a document, by the hash that its bytes really have: what one cluster says of its content never decides for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Content(String);

impl Content {
    /// What the index says a document holds: kube-openapi's `hash` of the URL, SHA-512 of its JSON in capital hex (`handler3`,
    /// `computeETag`). Others may hash in another way; theirs are never found to be so.
    pub(super) fn named(url: &str) -> Option<Self> {
        let (_, query) = url.split_once('?')?;
        let hash = query.split('&').find_map(|p| p.strip_prefix("hash="))?;
        (!hash.is_empty()).then(|| Self(hash.to_owned()))
    }

    /// Whether these bytes are that content.
    pub(super) fn is(&self, bytes: &[u8]) -> bool {
        let digest = Sha512::digest(bytes);
        let hex = digest.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a string cannot fail.
            let _ = write!(hex, "{byte:02X}");
            hex
        });
        hex == self.0
    }
}

/// The types that are in use anywhere in the fleet.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    types: Vec<Weak<CustomSchema>>,
    places: HashMap<(ClusterId, Gvk), Weak<CustomSchema>>,
    contents: HashMap<(Content, Gvk), Weak<CustomSchema>>,
    /// How many there were after those out of use were last forgotten.
    tidied: usize,
}

impl Pool {
    /// The type of a kind on a cluster, as long as somebody follows it there.
    pub fn of(&self, cluster: &ClusterId, gvk: &Gvk) -> Option<Arc<CustomSchema>> {
        let held = self.0.lock();
        held.places.get(&(cluster.clone(), gvk.clone()))?.upgrade()
    }

    /// The type of a kind in a document with this content, if some cluster's was read.
    pub(super) fn within(&self, content: &Content, gvk: &Gvk) -> Option<Arc<CustomSchema>> {
        let held = self.0.lock();
        let known = held.contents.get(&(content.clone(), gvk.clone()));
        known?.upgrade()
    }

    /// Takes a cluster's type of a kind, which stands in a document with this content where that was proved: the type that equals it, or this
    /// one if there was none.
    pub(super) fn share(
        &self,
        cluster: &ClusterId,
        gvk: &Gvk,
        schema: Arc<CustomSchema>,
        content: Option<&Content>,
    ) -> Arc<CustomSchema> {
        let mut held = self.0.lock();
        held.tidy();
        let mut same = held.types.iter().filter_map(Weak::upgrade);
        let shared = same.find(|other| Arc::ptr_eq(other, &schema) || **other == *schema);
        let shared = shared.unwrap_or_else(|| {
            held.types.push(Arc::downgrade(&schema));
            schema
        });
        let place = (cluster.clone(), gvk.clone());
        held.places.insert(place, Arc::downgrade(&shared));
        if let Some(content) = content {
            let place = (content.clone(), gvk.clone());
            held.contents.insert(place, Arc::downgrade(&shared));
        }
        shared
    }
}

impl Held {
    /// Forgets what nobody uses any more, once there may be as much of it as of the rest.
    fn tidy(&mut self) {
        self.types.retain(|weak| weak.strong_count() > 0);
        if self.places.len() + self.contents.len() > 2 * self.tidied {
            self.places.retain(|_, weak| weak.strong_count() > 0);
            self.contents.retain(|_, weak| weak.strong_count() > 0);
            self.tidied = self.places.len() + self.contents.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(default: &str) -> Arc<CustomSchema> {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "default": default}}}]}});
        Arc::new(CustomSchema::of_crd(&crd, "v1").unwrap())
    }

    #[test]
    fn equal_types_are_one_and_unused_ones_are_forgotten() {
        let pool = Pool::default();
        let tunnel = Gvk::new("edge.example", "v1", "Tunnel");
        let share = |cluster: &str, default: &str| {
            pool.share(&cluster.into(), &tunnel, schema(default), None)
        };
        let first = share("edge-oslo-003", "a");
        assert!(Arc::ptr_eq(&first, &share("edge-bergen-001", "a")));
        let other = share("edge-osaka-001", "b");
        assert!(!Arc::ptr_eq(&first, &other));
        let of = |cluster: &str| pool.of(&cluster.into(), &tunnel);
        assert_eq!(of("edge-osaka-001").as_ref(), Some(&other));
        assert_eq!(of("edge-lima-001"), None);
        drop(first);
        assert_eq!(of("edge-oslo-003"), None);
        let _third = share("edge-lima-001", "c");
        assert_eq!(pool.0.lock().types.len(), 2);
        for round in 0..100 {
            share("edge-lima-001", "d");
            share(&format!("edge-{round}"), "d");
        }
        let held = pool.0.lock();
        assert!(held.places.len() < 10, "{}", held.places.len());
    }

    #[test]
    fn a_content_is_known_by_the_hash_of_its_bytes() {
        // The hash of nothing, as every table of SHA-512 has it.
        let nothing = "CF83E1357EEFB8BDF1542850D66D8007D620E4050B5715DC83F4A921D36CE9CE47D0D13C5D85F2B0FF8318D2877EEC2F63B931BD47417A81A538327AF927DA3E";
        let content = Content::named(&format!("/openapi/v3/apis/a/v1?hash={nothing}")).unwrap();
        assert!(content.is(b""));
        assert!(!content.is(b"{}"));
        for url in ["/openapi/v3/apis/a/v1", "/a?hash=", "/a?hashes=1"] {
            assert_eq!(Content::named(url), None, "{url}");
        }
    }
}

//! The types of custom kinds in the whole fleet: equal ones are kept once, since clusters publish the same, and each is found by its cluster.

use std::collections::HashMap;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::domain::{ClusterId, Gvk};
use crate::drift::openapi::CustomSchema;

/// The types that are in use anywhere in the fleet.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    types: Vec<Weak<CustomSchema>>,
    places: HashMap<(ClusterId, Gvk), Weak<CustomSchema>>,
}

impl Pool {
    /// The type of a kind on a cluster, as long as somebody follows it there.
    pub fn of(&self, cluster: &ClusterId, gvk: &Gvk) -> Option<Arc<CustomSchema>> {
        let held = self.0.lock();
        held.places.get(&(cluster.clone(), gvk.clone()))?.upgrade()
    }

    /// Takes a cluster's type of a kind: the one that equals it, or this one if there was none.
    pub(super) fn share(
        &self,
        cluster: &ClusterId,
        gvk: &Gvk,
        schema: CustomSchema,
    ) -> Arc<CustomSchema> {
        let mut held = self.0.lock();
        held.types.retain(|weak| weak.strong_count() > 0);
        held.places.retain(|_, weak| weak.strong_count() > 0);
        let mut same = held.types.iter().filter_map(Weak::upgrade);
        let shared = same.find(|other| **other == schema).unwrap_or_else(|| {
            let schema = Arc::new(schema);
            held.types.push(Arc::downgrade(&schema));
            schema
        });
        let place = (cluster.clone(), gvk.clone());
        held.places.insert(place, Arc::downgrade(&shared));
        shared
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(default: &str) -> CustomSchema {
        let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "default": default}}}]}});
        CustomSchema::of_crd(&crd, "v1").unwrap()
    }

    #[test]
    fn equal_types_are_one_and_unused_ones_are_forgotten() {
        let pool = Pool::default();
        let tunnel = Gvk::new("edge.example", "v1", "Tunnel");
        let share =
            |cluster: &str, default: &str| pool.share(&cluster.into(), &tunnel, schema(default));
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
    }
}

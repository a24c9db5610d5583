//! Equal types are kept once: a fleet's clusters publish the same ones.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::drift::openapi::CustomSchema;

/// The types that are in use anywhere in the fleet.
#[derive(Debug, Default)]
pub struct Pool(Mutex<Vec<Weak<CustomSchema>>>);

impl Pool {
    /// The type that equals this one, which is kept from now on if there was none.
    pub(super) fn share(&self, schema: CustomSchema) -> Arc<CustomSchema> {
        let mut known = self.0.lock();
        known.retain(|weak| weak.strong_count() > 0);
        let same = known.iter().filter_map(Weak::upgrade);
        let same = same.into_iter().find(|other| **other == schema);
        same.unwrap_or_else(|| {
            let schema = Arc::new(schema);
            known.push(Arc::downgrade(&schema));
            schema
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_types_are_one_and_unused_ones_are_forgotten() {
        let schema = |default: &str| {
            let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "default": default}}}]}});
            CustomSchema::of_crd(&crd, "v1").unwrap()
        };
        let pool = Pool::default();
        let first = pool.share(schema("a"));
        assert!(Arc::ptr_eq(&first, &pool.share(schema("a"))));
        let other = pool.share(schema("b"));
        assert!(!Arc::ptr_eq(&first, &other));
        drop(first);
        pool.share(schema("c"));
        assert_eq!(pool.0.lock().len(), 2);
    }
}

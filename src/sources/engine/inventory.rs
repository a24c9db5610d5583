//! Inventory ids of Flux and kpt: `<namespace>_<name>_<group>_<kind>`.
//!
//! Names of Kubernetes objects hold no underscore; those of RBAC may hold colons, which the id writes as two underscores. The namespace is
//! empty for cluster-scoped objects, the group for the core group. The version stands beside the id.

use crate::domain::{Gvk, ObjectRef};

/// The object that an id names; `None` when it is no id.
pub fn parse(id: &str, version: &str) -> Option<ObjectRef> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    let name = name.replace("__", ":");
    // A single underscore is in no name.
    if name.contains('_') || name.is_empty() || kind.is_empty() {
        return None;
    }
    Some(ObjectRef::new(
        Gvk::new(group, version, kind),
        namespace,
        &name,
    ))
}

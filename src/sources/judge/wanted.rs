//! What the applications of a cluster want of each kind, by namespace and name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Kind, Place, kind_of};
use crate::domain::{DesiredObject, Name};
use crate::sources::assignment::ClusterAssignments;

/// One object that an application wants.
#[derive(Clone)]
pub(super) struct Wanted {
    /// The application's place among the assignments.
    pub(super) app: usize,
    pub(super) deployed: Option<Arc<DesiredObject>>,
    pub(super) target: Option<Arc<DesiredObject>>,
}

/// What every application wants, by kind and place. An object that two applications want belongs to the first.
pub(super) fn wanted(assigned: &ClusterAssignments) -> HashMap<Kind, BTreeMap<Place, Wanted>> {
    let mut all: HashMap<Kind, BTreeMap<Place, Wanted>> = HashMap::new();
    for (app, assignment) in assigned.apps.iter().enumerate() {
        for (object, is_target) in assignment
            .deployed
            .iter()
            .map(|d| (d, false))
            .chain(assignment.target.iter().map(|d| (d, true)))
        {
            let place = (object.object.namespace.clone(), object.object.name.clone());
            let of_kind = all.entry(kind_of(&object.object.gvk)).or_default();
            let slot = of_kind.entry(place).or_insert(Wanted {
                app,
                deployed: None,
                target: None,
            });
            if slot.app == app {
                *(if is_target {
                    &mut slot.target
                } else {
                    &mut slot.deployed
                }) = Some(Arc::clone(object));
            }
        }
    }
    all
}

/// Where the desired state came from: repository, commit, file.
pub(super) fn origin(wanted: Option<&Wanted>) -> (Name, Name, Name) {
    wanted
        .and_then(|w| w.deployed.as_ref().or(w.target.as_ref()))
        .map(|d| (d.repo.clone(), d.revision.clone(), d.path.clone()))
        .unwrap_or_default()
}

//! What Flux says it manages where we do not know what it wants: the objects of its inventory are not compared, and their health is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::lua::HealthWord;
use super::verdict::unknown;
use super::{Kind, KindState, Place, kind_of};
use crate::domain::{
    DriftState, Engine, ObjectRef, Resource, Safe, Unjudged, UnjudgedReason, Verdict, VerdictSource,
};
use crate::sources::assignment::{AppAssignment, ClusterAssignments};

/// Whether the objects of an application's inventory are watched for their health alone.
pub(super) fn follows(app: &AppAssignment) -> bool {
    app.app.kind.engine() == Engine::Flux && app.unjudged.is_some()
}

/// Whether anything of it is told already: what is only being fetched will be judged.
pub(super) fn is_told(app: &AppAssignment) -> bool {
    let is_final = |why: &Unjudged| why.reason != UnjudgedReason::Pending;
    follows(app) && app.unjudged.as_ref().is_some_and(is_final)
}

/// What each such application has in its inventory, by kind and place. An object of two inventories belongs to the first.
pub(super) fn followed(assigned: &ClusterAssignments) -> HashMap<Kind, BTreeMap<Place, usize>> {
    let mut all: HashMap<Kind, BTreeMap<Place, usize>> = HashMap::new();
    let apps = assigned.apps.iter().enumerate();
    for (index, app) in apps.filter(|(_, app)| follows(app)) {
        for object in app.resources.iter().map(|r| &r.object) {
            let place = (object.namespace.clone(), object.name.clone());
            let of_kind = all.entry(kind_of(&object.gvk)).or_default();
            of_kind.entry(place).or_insert(index);
        }
    }
    all
}

/// One object of an inventory.
pub(super) struct Entry<'e> {
    pub(super) object: ObjectRef,
    pub(super) app: &'e AppAssignment,
    pub(super) live: Option<&'e Value>,
    pub(super) health: Option<HealthWord>,
}

/// Its health, and that it was not compared.
pub(super) fn resource(entry: Entry<'_>) -> Resource {
    let Entry {
        object,
        app,
        live,
        health,
    } = entry;
    let why = app.unjudged.as_ref().map(|u| u.message.clone());
    let text = |pointer: &str| {
        let value = live.and_then(|l| l.pointer(pointer)?.as_str());
        value.unwrap_or_default().into()
    };
    Resource {
        uid: text("/metadata/uid"),
        resource_version: text("/metadata/resourceVersion"),
        health_by: health.as_ref().and_then(|word| word.by.clone()),
        health: health.map(|word| (word.health, word.words)),
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Unknown],
            source: VerdictSource::Flux,
            message: why.clone(),
            summary: Safe::fixed("not compared"),
            ..Verdict::default()
        }),
        ..unknown(object, app, None, &why.unwrap_or_default())
    }
}

impl KindState {
    /// The application whose inventory holds the object of this place.
    pub(super) fn follower(&self, place: &Place) -> Option<usize> {
        self.followed.get(place).copied()
    }

    /// Whether an application wants the object of this place or has it in its inventory.
    pub(super) fn is_named(&self, place: &Place) -> bool {
        self.wanted.contains_key(place) || self.followed.contains_key(place)
    }
}

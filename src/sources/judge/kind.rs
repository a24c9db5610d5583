//! What the judge knows of one kind on its cluster.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

use super::lua::{Opinion, Question};
use super::schema::KindType;
use super::wanted::Wanted;
use crate::domain::{Gvk, Name, Resource, Safe};

/// Group and kind, whatever the version.
pub(super) type Kind = (Name, Name);
/// Namespace and name within a kind.
pub(super) type Place = (Name, Name);

pub(super) struct KindState {
    pub(super) gvk: Gvk,
    pub(super) heard: Heard,
    pub(super) wanted: BTreeMap<Place, Wanted>,
    /// What stands in inventories of which nobody here knows what is wanted: the application's place among the assignments.
    pub(super) followed: BTreeMap<Place, usize>,
    pub(super) kept: HashMap<Place, Kept>,
    /// Namespaces in which the kind may not be read, while it may in others.
    pub(super) blind: BTreeMap<Name, Safe>,
    /// What the rules of argocd-cm must be asked.
    pub(super) questions: Vec<Question>,
    pub(super) ty: KindType,
}

/// What is known of a kind on this cluster.
#[derive(PartialEq)]
pub(super) enum Heard {
    Nothing,
    Listed,
    Unread(Safe),
}

pub(super) struct Kept {
    pub(super) bytes: Box<[u8]>,
    pub(super) last: Option<Resource>,
    pub(super) opinion: Opinion,
}

impl KindState {
    pub(super) fn new(gvk: Gvk) -> Self {
        Self {
            gvk,
            heard: Heard::Nothing,
            wanted: BTreeMap::new(),
            followed: BTreeMap::new(),
            kept: HashMap::new(),
            blind: BTreeMap::new(),
            questions: Vec::new(),
            ty: KindType::default(),
        }
    }
}

pub(super) fn kind_of(gvk: &Gvk) -> Kind {
    (gvk.group.clone(), gvk.kind.clone())
}

pub(super) fn place_of(object: &Value) -> Place {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .into()
    };
    (text("/metadata/namespace"), text("/metadata/name"))
}

/// Items of a list carry neither apiVersion nor kind for the built-in kinds; events do.
pub(super) fn name_kind(object: &mut Value, gvk: &Gvk) {
    if let Some(fields) = object.as_object_mut() {
        fields
            .entry("apiVersion")
            .or_insert_with(|| gvk.api_version().into());
        fields
            .entry("kind")
            .or_insert_with(|| gvk.kind.to_string().into());
    }
}

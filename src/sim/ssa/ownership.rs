//! Who owns what after a write that is no apply: the writer owns what it changed, and everybody else loses that.

use jiff::Timestamp;
use serde_json::Value;

use super::compare::{Comparison, compare};
use super::managers::{Manager, Managers};
use super::set::FieldSet;
use crate::sim::schema::Type;
use crate::sim::store::{Kind, Subresource};

/// Who writes, when, and through which door.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Author<'a> {
    pub(crate) manager: &'a str,
    pub(crate) now: Timestamp,
    pub(crate) door: Subresource,
    pub(crate) kind: &'a Kind,
}

impl Author<'_> {
    pub(crate) fn entry(&self, applies: bool) -> Manager {
        let name = if self.manager.is_empty() {
            "unknown"
        } else {
            self.manager
        };
        Manager {
            name: name.to_owned(),
            applies,
            api_version: self.kind.api_version(),
            subresource: self.door.word().to_owned(),
        }
    }

    /// The top-level field that this door does not write, when there is one.
    fn closed_field(&self) -> Option<&'static str> {
        match (self.door, self.kind.status) {
            (Subresource::None, true) => Some("status"),
            (Subresource::Status, _) => Some("spec"),
            _ => None,
        }
    }

    pub(crate) fn writable(&self, set: FieldSet) -> FieldSet {
        match self.closed_field() {
            Some(field) => set.without_field(field),
            None => set,
        }
    }

    pub(crate) fn comparison(&self, old: &Value, new: &Value, ty: &Type) -> Comparison {
        let comparison = compare(old, new, ty);
        match self.closed_field() {
            Some(field) => comparison.without_field(field),
            None => comparison,
        }
    }
}

/// The owners after an update from one document to another. `old` is the kind's empty document for a create.
pub(crate) fn track(
    mut managers: Managers,
    old: &Value,
    new: &Value,
    ty: &Type,
    author: &Author<'_>,
) -> Managers {
    let comparison = author.comparison(&unmanaged(old), &unmanaged(new), ty);
    let changed = comparison.changed();
    for entry in &mut managers.0 {
        let left = entry.fields.difference(&changed);
        entry.fields = left.difference(&comparison.removed);
    }
    managers.drop_empty();
    let mine = unowned_fields(&author.writable(changed));
    if !mine.is_empty() {
        let manager = author.entry(false);
        let before = managers.find(&manager).map(|e| e.fields.clone());
        let fields = before.unwrap_or_default().union(&mine);
        managers.set(manager, fields, author.now);
    }
    managers.cap();
    managers
}

/// The document without its owners, which own no part of themselves.
pub(crate) fn unmanaged(document: &Value) -> Value {
    let mut document = document.clone();
    if let Some(metadata) = document.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.remove("managedFields");
    }
    document
}

/// Without what nobody owns: identity and the server's own fields.
pub(crate) fn unowned_fields(set: &FieldSet) -> FieldSet {
    let mut nobodys = FieldSet::default();
    for name in ["apiVersion", "kind", "metadata"] {
        nobodys.insert(&[super::set::field_step(name)]);
    }
    for name in [
        "name",
        "namespace",
        "creationTimestamp",
        "selfLink",
        "uid",
        "clusterName",
        "generation",
        "managedFields",
        "resourceVersion",
    ] {
        nobodys.insert(&["f:metadata".to_owned(), super::set::field_step(name)]);
    }
    set.difference(&nobodys)
}

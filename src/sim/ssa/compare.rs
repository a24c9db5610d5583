//! What differs between two documents, as sets of fields: added, modified and removed. And all the fields one document has.

use serde_json::Value;

use super::atom::{Atom, Members, atom, element_step, elements, is_atomic, members};
use super::set::{FieldSet, Step, field_step};
use crate::sim::schema::{Topology, Type};

/// A difference. No path is in two of the sets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) added: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) removed: FieldSet,
}

impl Comparison {
    /// What the new document sets anew or differently.
    pub(crate) fn changed(&self) -> FieldSet {
        self.added.union(&self.modified)
    }

    /// Without a top-level field that this door of the object does not write.
    pub(crate) fn without_field(&self, name: &str) -> Self {
        Self {
            added: self.added.without_field(name),
            modified: self.modified.without_field(name),
            removed: self.removed.without_field(name),
        }
    }
}

/// Compares two documents of a type.
pub(crate) fn compare(old: &Value, new: &Value, ty: &Type) -> Comparison {
    let mut walk = Walk::default();
    walk.pair(Some(old), Some(new), ty);
    walk.found
}

#[derive(Default)]
struct Walk {
    path: Vec<Step>,
    found: Comparison,
}

impl Walk {
    /// Compares two values; a missing one takes the form of the other. A map or keyed list that comes or goes as a whole is itself a path.
    fn pair(&mut self, old: Option<&Value>, new: Option<&Value>, ty: &Type) {
        let is_leaf = is_atomic(ty)
            || match atom(ty, new.or(old)) {
                Atom::Scalar | Atom::List(_, Topology::Atomic) => true,
                Atom::List(..) => elements(old).is_none() && elements(new).is_none(),
                Atom::Map(_) => members(old).is_none() && members(new).is_none(),
            }
            || differ_in_form(old, new);
        if is_leaf {
            self.leaf(old, new);
            return;
        }
        match atom(ty, new.or(old)) {
            Atom::Map(kinds) => self.members(old, new, &kinds),
            Atom::List(item, topology) => self.elements(old, new, item, topology),
            Atom::Scalar => {}
        }
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            _ => {}
        }
    }

    fn leaf(&mut self, old: Option<&Value>, new: Option<&Value>) {
        match (old, new) {
            (None, _) => self.found.added.insert(&self.path),
            (_, None) => self.found.removed.insert(&self.path),
            (Some(old), Some(new)) if old != new => self.found.modified.insert(&self.path),
            _ => {}
        }
    }

    fn members(&mut self, old: Option<&Value>, new: Option<&Value>, kinds: &Members<'_>) {
        let (old, new) = (members(old), members(new));
        let both = old.into_iter().chain(new).flat_map(|map| map.keys());
        let mut names: Vec<&String> = both.collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.path.push(field_step(name));
            let pick = |map: Option<&'_ serde_json::Map<String, Value>>| {
                map.and_then(|m| m.get(name)).cloned()
            };
            let (old, new) = (pick(old), pick(new));
            self.pair(old.as_ref(), new.as_ref(), kinds.ty(name));
            self.path.pop();
        }
    }

    fn elements(
        &mut self,
        old: Option<&Value>,
        new: Option<&Value>,
        item: &Type,
        topology: &Topology,
    ) {
        let old = by_step(elements(old), topology);
        let new = by_step(elements(new), topology);
        for (step, element) in &old {
            let other = new.iter().find(|(s, _)| s == step).map(|(_, e)| *e);
            self.path.push(step.clone());
            self.pair(Some(element), other, item);
            self.path.pop();
        }
        for (step, element) in new.iter().filter(|(s, _)| !old.iter().any(|(o, _)| o == s)) {
            self.path.push(step.clone());
            self.pair(None, Some(element), item);
            self.path.pop();
        }
    }
}

/// Whether one side is a map and the other a list, or the like; such values are compared whole.
fn differ_in_form(old: Option<&Value>, new: Option<&Value>) -> bool {
    let form = |v: &Value| match v {
        Value::Null => 0,
        Value::Object(_) => 1,
        Value::Array(_) => 2,
        _ => 3,
    };
    match (old.map(form), new.map(form)) {
        (Some(a), Some(b)) => a != b && a != 0 && b != 0,
        _ => false,
    }
}

/// Elements with their steps; of elements with the same step only the first counts.
pub(crate) fn by_step<'a>(
    list: Option<&'a Vec<Value>>,
    topology: &Topology,
) -> Vec<(Step, &'a Value)> {
    let mut found: Vec<(Step, &Value)> = Vec::new();
    for element in list.into_iter().flatten() {
        if let Ok(step) = element_step(topology, element)
            && !found.iter().any(|(s, _)| *s == step)
        {
            found.push((step, element));
        }
    }
    found
}

/// All fields a document has.
pub(crate) fn field_set(document: &Value, ty: &Type) -> FieldSet {
    let mut set = FieldSet::default();
    collect(document, ty, &mut Vec::new(), &mut set);
    set
}

fn collect(value: &Value, ty: &Type, path: &mut Vec<Step>, set: &mut FieldSet) {
    if is_atomic(ty) {
        set.insert(path);
        return;
    }
    match atom(ty, Some(value)) {
        Atom::Scalar | Atom::List(_, Topology::Atomic) => set.insert(path),
        Atom::List(item, topology) => {
            for (step, element) in by_step(value.as_array(), topology) {
                path.push(step);
                collect(element, item, path, set);
                set.insert(path);
                path.pop();
            }
        }
        Atom::Map(kinds) => {
            for (name, member) in value.as_object().into_iter().flatten() {
                path.push(field_step(name));
                let (ty, named) = kinds.member(name).unwrap_or((kinds.ty(name), false));
                collect(member, ty, path, set);
                let empty =
                    member.is_null() || member.as_object().is_some_and(serde_json::Map::is_empty);
                if empty || !named {
                    set.insert(path);
                }
                path.pop();
            }
        }
    }
}

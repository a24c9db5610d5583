//! Lists: by key, as sets, or in order.

use serde_json::Value;

use super::types::{By, Type};
use super::{Here, Standing, Walk};
use crate::domain::ChangeOp;
use crate::drift::owners::ListOwnership;
use crate::drift::path::Step;
use crate::drift::scalar;
use crate::drift::schema::Shape;

/// How the elements of one list are matched.
enum Match {
    Ordered,
    Set,
    Keyed(Vec<String>),
}

/// The key values of one element.
type Key = Vec<(String, Value)>;

impl<'v> Walk<'v, '_> {
    /// Compares two lists.
    pub(super) fn list(&mut self, desired: &'v Value, live: &'v Value, here: Here<'_>) {
        let (wanted, own) = (items(desired), items(live));
        match self.matching(wanted, own, here.ty) {
            Match::Keyed(keys) => self.keyed(wanted, own, &keys, here),
            Match::Set => self.set(wanted, own, here),
            Match::Ordered if self.ordered(wanted, own, here) => {}
            Match::Ordered => {
                let standing = if wanted.is_empty() {
                    Standing::Empty
                } else {
                    Standing::Set
                };
                self.report(ChangeOp::Changed, Some(desired), Some(live), standing, here);
            }
        }
    }

    fn matching(&self, desired: &[Value], live: &[Value], list: Type<'_>) -> Match {
        let wanted = match list.list() {
            Some(By::Keyed(keys)) => Match::Keyed(keys),
            Some(By::Set) => Match::Set,
            Some(By::Atomic) => Match::Ordered,
            None => self.shown_by_owners(desired, live),
        };
        match wanted {
            Match::Keyed(keys) if unique(desired, &keys, list) && unique(live, &keys, list) => {
                Match::Keyed(keys)
            }
            Match::Keyed(_) => Match::Ordered,
            other => other,
        }
    }

    /// Lists of custom resources: as the API server's own field sets show, else by unique names.
    fn shown_by_owners(&self, desired: &[Value], live: &[Value]) -> Match {
        match self.owners.list_at(&self.path) {
            Some(ListOwnership::Keyed(keys)) => Match::Keyed(keys),
            Some(ListOwnership::Set) => Match::Set,
            Some(ListOwnership::Whole) => Match::Ordered,
            None => by_name(desired, live),
        }
    }

    fn keyed(&mut self, desired: &'v [Value], live: &'v [Value], keys: &[String], here: Here<'_>) {
        let key = |item: &Value| key_of(item, keys, here.ty);
        let below = here.below(here.ty.item());
        let mut own: Vec<(Key, &'v Value)> = live.iter().map(|item| (key(item), item)).collect();
        for wanted in desired {
            let mut wanted_key = key(wanted);
            let position = position_of(&own, &wanted_key, keys);
            if let Some((full, _)) = position.and_then(|p| own.get(p)) {
                wanted_key.clone_from(full);
            }
            self.path.push(Step::Key(wanted_key));
            match position.map(|p| own.swap_remove(p).1) {
                Some(found) => self.element(wanted, found, keys, below),
                None => self.report(ChangeOp::Removed, Some(wanted), None, Standing::Set, below),
            }
            self.path.pop();
        }
        for (own_key, item) in own {
            self.path.push(Step::Key(own_key));
            self.report(ChangeOp::Added, None, Some(item), Standing::Inside, below);
            self.path.pop();
        }
    }

    /// Two elements with equal keys: the keys themselves need no comparing (one side may leave a default out).
    fn element(&mut self, desired: &'v Value, live: &'v Value, keys: &[String], here: Here<'_>) {
        match (desired, live) {
            (Value::Object(wanted), Value::Object(own)) => {
                let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
                self.fields(wanted, own, here, &keys);
            }
            _ => self.value(desired, Some(live), here),
        }
    }

    fn set(&mut self, desired: &'v [Value], live: &'v [Value], here: Here<'_>) {
        let below = here.below(here.ty.item());
        let has = |list: &[Value], item: &Value| {
            list.iter()
                .any(|other| scalar::same(item, other, below.ty.shape))
        };
        for wanted in desired.iter().filter(|item| !has(live, item)) {
            self.path.push(Step::Element(wanted.clone()));
            self.report(ChangeOp::Removed, Some(wanted), None, Standing::Set, below);
            self.path.pop();
        }
        for own in live.iter().filter(|item| !has(desired, item)) {
            self.path.push(Step::Element(own.clone()));
            self.report(ChangeOp::Added, None, Some(own), Standing::Inside, below);
            self.path.pop();
        }
    }

    /// One value whose order counts. Structs are compared one by one when there are as many on both sides; otherwise tells whether
    /// the lists are equal.
    fn ordered(&mut self, desired: &'v [Value], live: &'v [Value], here: Here<'_>) -> bool {
        if desired.len() != live.len() {
            return false;
        }
        // Of a list without a schema nobody can tell an addition to an element from a default of it: what Git does not set is not Git's.
        let below = Here {
            atomic: here.atomic || here.ty.is_known(),
            ..here.below(here.ty.item())
        };
        if !desired.iter().chain(live).all(Value::is_object) {
            let mut pairs = desired.iter().zip(live);
            return pairs.all(|(a, b)| scalar::same_all(a, b, below.ty.shape));
        }
        for (position, (wanted, own)) in desired.iter().zip(live).enumerate() {
            self.path.push(Step::Index(position));
            self.value(wanted, Some(own), below);
            self.path.pop();
        }
        true
    }
}

fn items(list: &Value) -> &[Value] {
    list.as_array().map_or(&[], Vec::as_slice)
}

/// The live element of this key. One that leaves out a part of the key, which the server fills in from a schema that we do not
/// have, is the one element that agrees with the rest.
fn position_of(own: &[(Key, &Value)], wanted: &Key, keys: &[String]) -> Option<usize> {
    let exact = own.iter().position(|(key, _)| key == wanted);
    if exact.is_some() || wanted.len() == keys.len() {
        return exact;
    }
    let agrees = |(key, _): &(Key, &Value)| wanted.iter().all(|part| key.contains(part));
    let mut found = own.iter().enumerate().filter(|(_, item)| agrees(item));
    match (found.next(), found.next()) {
        (Some((position, _)), None) => Some(position),
        _ => None,
    }
}

/// Whether every element is an object with a key of its own.
fn unique(items: &[Value], keys: &[String], list: Type<'_>) -> bool {
    let mut seen: Vec<Key> = Vec::with_capacity(items.len());
    items.iter().all(|item| {
        let key = key_of(item, keys, list);
        let fresh = !key.is_empty() && !seen.contains(&key);
        seen.push(key);
        fresh
    })
}

/// The key values of an element, with the schema's defaults for those left out.
fn key_of(item: &Value, keys: &[String], list: Type<'_>) -> Key {
    let default = |key: &str| list.item().default_of(key);
    keys.iter()
        .filter_map(|key| {
            let stated = item.get(key).filter(|v| !v.is_null()).cloned();
            Some((key.clone(), stated.or_else(|| default(key))?))
        })
        .collect()
}

/// Nothing tells how the list is keyed: unique names do.
fn by_name(desired: &[Value], live: &[Value]) -> Match {
    let keys = vec!["name".to_owned()];
    let all = |list: &[Value]| unique(list, &keys, Type::built_in(Shape::UNKNOWN));
    if !desired.is_empty() && all(desired) && all(live) {
        Match::Keyed(keys)
    } else {
        Match::Ordered
    }
}

//! The values of a HelmRelease: what ConfigMaps and Secrets give, and what stands in the HelmRelease itself, merged as Flux does it.
//!
//! Source of the rules: fluxcd/pkg `chartutil` and Helm's merging of values. References count in their order, later ones over earlier ones, and
//! the HelmRelease's own values over all of them; a reference with a `targetPath` is set into what was merged so far with those values. Go's maps
//! are references: what is set at a path is set in every map that holds the same one, and the last merge therefore keeps it or not. That is
//! kept here, because it decides what is installed.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::counterpart::{changed, flipped};
use super::set::{How, set};
use crate::desired::flux::{Given, GivenValues};
use crate::desired::key::KeyMaker;
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{Limits, parse_values};

/// A map as Go has it: clones are the same map.
pub(super) type Shared = Rc<RefCell<BTreeMap<String, Node>>>;

/// A value in the making.
#[derive(Clone)]
pub(super) enum Node {
    Map(Shared),
    List(Rc<RefCell<Vec<Node>>>),
    /// A scalar, and whether a Secret gave it.
    Leaf(Value, bool),
}

/// The values of one HelmRelease. Its debug form shows none.
#[derive(Clone, Default, PartialEq)]
pub(in crate::desired) struct Values {
    /// What is installed with.
    pub(in crate::desired) clear: Value,
    /// The same with every text and number that a Secret gave changed; `None` when no Secret gave anything.
    pub(in crate::desired) changed: Option<Value>,
    /// The same with every yes or no that a Secret gave turned over; `None` when no Secret gave any.
    pub(in crate::desired) flipped: Option<Value>,
    /// The texts that Secrets gave.
    pub(super) secrets: Vec<String>,
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Values(..)")
    }
}

impl Values {
    /// Merges what is given with the HelmRelease's own values.
    ///
    /// # Errors
    /// `RenderFailed` for what Flux cannot merge either.
    pub(super) fn merged(own: &Map<String, Value>, given: &Given) -> Result<Self, Unjudged> {
        let own = shared(own, false);
        let mut all = Shared::default();
        for one in &given.values {
            if one.target_path.is_empty() {
                all = merge(&all, &document(one)?);
            } else {
                all = merge(&all, &own);
                let how = How::of(&one.given.text, one.literal);
                let done = set(
                    &all,
                    &one.target_path,
                    &one.given.text,
                    how,
                    one.given.secret,
                );
                done.map_err(|why| refused(one, why))?;
            }
        }
        Ok(Self::of(&Node::Map(merge(&all, &own))))
    }

    fn of(whole: &Node) -> Self {
        let mut found = Found::default();
        whole.look(&mut found);
        Self {
            clear: whole.value(&|value| value.clone()),
            changed: (found.others).then(|| whole.value(&changed)),
            flipped: (found.flags).then(|| whole.value(&flipped)),
            secrets: found.texts,
        }
    }

    /// Whether a Secret gave anything.
    pub(in crate::desired) fn has_secrets(&self) -> bool {
        self.changed.is_some() || self.flipped.is_some()
    }

    /// What the result depends on: the values, and which of them are secret.
    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        let marks = [&self.changed, &self.flipped];
        let key = key.text(&self.clear.to_string());
        marks
            .into_iter()
            .flatten()
            .fold(key, |key, values| key.text(&values.to_string()))
    }
}

/// What Secrets gave.
#[derive(Default)]
struct Found {
    texts: Vec<String>,
    /// Texts or numbers.
    others: bool,
    flags: bool,
}

impl Node {
    fn look(&self, found: &mut Found) {
        match self {
            Self::Map(map) => map.borrow().values().for_each(|inner| inner.look(found)),
            Self::List(items) => items.borrow().iter().for_each(|inner| inner.look(found)),
            Self::Leaf(Value::Bool(_), true) => found.flags = true,
            Self::Leaf(Value::String(text), true) => {
                found.others |= !text.is_empty();
                found.texts.push(text.clone());
            }
            Self::Leaf(Value::Number(_), true) => found.others = true,
            Self::Leaf(..) => {}
        }
    }

    /// The value, with what `secret` makes of what a Secret gave.
    fn value(&self, secret: &dyn Fn(&Value) -> Value) -> Value {
        match self {
            Self::Map(map) => {
                let map = map.borrow();
                let entries = map
                    .iter()
                    .map(|(key, inner)| (key.clone(), inner.value(secret)));
                Value::Object(entries.collect())
            }
            Self::List(items) => {
                let items = items.borrow();
                Value::Array(items.iter().map(|inner| inner.value(secret)).collect())
            }
            Self::Leaf(value, true) => secret(value),
            Self::Leaf(value, false) => value.clone(),
        }
    }

    fn of(value: &Value, secret: bool) -> Self {
        match value {
            Value::Object(map) => Self::Map(shared(map, secret)),
            Value::Array(items) => {
                let items = items.iter().map(|item| Self::of(item, secret));
                Self::List(Rc::new(RefCell::new(items.collect())))
            }
            leaf => Self::Leaf(leaf.clone(), secret),
        }
    }
}

fn shared(map: &Map<String, Value>, secret: bool) -> Shared {
    let entries = map
        .iter()
        .map(|(key, value)| (key.clone(), Node::of(value, secret)));
    Rc::new(RefCell::new(entries.collect()))
}

/// A new map with the entries of both, those of `over` over those of `under`; maps that both have are merged, all else is taken as it is.
fn merge(under: &Shared, over: &Shared) -> Shared {
    let mut all = under.borrow().clone();
    for (key, value) in over.borrow().iter() {
        let value = match (all.get(key), value) {
            (Some(Node::Map(under)), Node::Map(over)) => Node::Map(merge(under, over)),
            _ => value.clone(),
        };
        all.insert(key.clone(), value);
    }
    Rc::new(RefCell::new(all))
}

/// The values that a reference without a path gives: a document of its own.
fn document(one: &GivenValues) -> Result<Shared, Unjudged> {
    let limits = Limits {
        documents: 1,
        ..Limits::default()
    };
    let read = parse_values(one.given.text.as_bytes(), &limits);
    match read.map(|documents| documents.into_iter().next()) {
        Ok(None | Some(Value::Null)) => Ok(Shared::default()),
        Ok(Some(Value::Object(map))) => Ok(shared(&map, one.given.secret)),
        // What is wrong with it is not told: it may be a Secret's.
        Ok(Some(_)) => Err(refused(one, "it is no map of values")),
        Err(_) => Err(refused(one, "it does not parse")),
    }
}

fn refused(one: &GivenValues, why: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::RenderFailed,
        format!(
            "The values of {} in `spec.valuesFrom` cannot be merged: {why}; Flux fails on it too. Correct them.",
            one.from
        ),
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::desired::flux::GivenText;

    fn one(from: &str, path: &str, text: &str) -> GivenValues {
        GivenValues {
            given: GivenText {
                text: text.to_owned(),
                secret: from == "Secret",
            },
            from: format!("the {from} edge/values"),
            target_path: path.to_owned(),
            literal: false,
        }
    }

    fn merged(own: Value, values: Vec<GivenValues>) -> Result<Values, String> {
        let given = Given {
            values,
            ..Given::default()
        };
        Values::merged(own.as_object().unwrap(), &given).map_err(|why| why.message.to_string())
    }

    #[test]
    fn later_references_win_over_earlier_ones_and_the_release_over_all() {
        let first = one(
            "ConfigMap",
            "",
            "image: {tag: '1', pull: Always}\nreplicas: 1\n",
        );
        let second = one("Secret", "", "image: {tag: '2'}\npassword: hunter2\n");
        let values = merged(
            json!({"replicas": 3, "image": {"name": "web"}}),
            vec![first, second],
        );
        let values = values.unwrap();
        assert_eq!(
            values.clear,
            json!({"image": {"tag": "2", "pull": "Always", "name": "web"}, "replicas": 3, "password": "hunter2"})
        );
        let changed = values.changed.unwrap();
        assert_eq!(changed.pointer("/image/pull"), Some(&json!("Always")));
        assert_ne!(changed.pointer("/image/tag"), Some(&json!("2")));
        assert_ne!(changed.pointer("/password"), Some(&json!("hunter2")));
        assert_eq!((values.flipped, values.secrets.len()), (None, 2));
    }

    #[test]
    fn what_is_set_at_a_path_wins_where_go_shares_the_map_and_loses_where_it_does_not() {
        let path = || one("ConfigMap", "image.tag", "9");
        let own = || json!({"image": {"tag": "1"}, "replicas": 1});
        // The map of the release's own values is the one that is written to.
        let alone = merged(own(), vec![path()]).unwrap();
        assert_eq!(alone.clear.pointer("/image/tag"), Some(&json!(9)));
        // Merged with another's, it is a new one, and the release's own word comes last.
        let beside = one("ConfigMap", "", "image: {pull: Always}\n");
        let both = merged(own(), vec![beside, path()]).unwrap();
        assert_eq!(both.clear.pointer("/image/tag"), Some(&json!("1")));
        let top = merged(own(), vec![one("ConfigMap", "replicas", "9")]).unwrap();
        assert_eq!(top.clear.pointer("/replicas"), Some(&json!(1)));
    }

    #[test]
    fn a_path_that_a_secret_fills_is_secret_and_nothing_else_is() {
        let values = merged(
            json!({"site": "oslo"}),
            vec![
                one("Secret", "db.password", "hunter2"),
                one("Secret", "db.tls", "true"),
            ],
        );
        let values = values.unwrap();
        assert_eq!(
            values.clear,
            json!({"site": "oslo", "db": {"password": "hunter2", "tls": true}})
        );
        assert_eq!(
            values.flipped.unwrap().pointer("/db/tls"),
            Some(&json!(false))
        );
        assert!(!format!("{:?}", values.clear).is_empty() && values.changed.is_some());
    }

    #[test]
    fn what_cannot_be_merged_is_named_without_what_it_says() {
        for (path, text) in [
            ("", "- hunter2\n"),
            ("", "a: [hunter2"),
            ("pin[x]", "hunter2"),
        ] {
            let why = merged(json!({}), vec![one("Secret", path, text)]).unwrap_err();
            assert!(
                why.contains("Secret edge/values") && !why.contains("hunter2"),
                "{why}"
            );
        }
        let nothing = merged(json!({}), vec![one("ConfigMap", "", "# nothing\n")]).unwrap();
        assert_eq!(
            (nothing.clear.clone(), nothing.has_secrets()),
            (json!({}), false)
        );
        assert_eq!(format!("{nothing:?}"), "Values(..)");
    }
}

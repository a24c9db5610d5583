//! What an edit did, by the server's account: the object before and after, matched by the server's own schema, and what Git says of it.
//!
//! Both sides are in the server's spelling, so equal is equal: this needs none of the rules that the engine under test needs.

use driftdeck::domain::ChangeOp;
use driftdeck::drift::path::{Path, Step};
use serde_json::{Map, Value};

use crate::openapi::{Elements, Type};

/// How a changed value stands to what Git says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Git sets it.
    Set,
    /// Added to a list, or inside one indivisible value, that Git sets.
    Inside,
    /// Git says nothing of it.
    Beyond,
}

/// One value that is not what it was.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where, in the words of the contract.
    pub(crate) path: String,
    /// Seen from Git.
    pub(crate) op: ChangeOp,
    /// How it stands to what Git says.
    pub(crate) standing: Standing,
}

/// What the edit did, as far as one side of a comparison with Git can show it.
pub(crate) fn entries(before: &Value, after: &Value, desired: &Value, of: Type<'_>) -> Vec<Entry> {
    let custom = desired["apiVersion"]
        .as_str()
        .is_some_and(|v| v.starts_with("edge.example/") || v.starts_with("monitoring.coreos.com/"));
    let mut ledger = Ledger {
        path: Path::root(),
        custom,
        entries: Vec::new(),
    };
    let (before, after, desired) = (content(before), content(after), content(desired));
    ledger.value(Some(&before), Some(&after), Some(&desired), of, false);
    ledger.entries
}

/// Without identity, bookkeeping and status; a Secret's `stringData` as `data`.
pub(crate) fn content(object: &Value) -> Value {
    let mut object = object.clone();
    let fields = object.as_object_mut().unwrap();
    fields.retain(|name, _| {
        !matches!(
            name.as_str(),
            "apiVersion" | "kind" | "status" | "stringData"
        )
    });
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|name, _| {
            matches!(
                name.as_str(),
                "labels" | "annotations" | "finalizers" | "ownerReferences"
            )
        });
    }
    object
}

/// The key of an element: names and values.
type Key = Vec<(String, Value)>;

struct Ledger {
    path: Path,
    /// Of kinds without a built-in schema an addition beside what Git sets is never told from a default.
    custom: bool,
    entries: Vec<Entry>,
}

impl Ledger {
    fn value(
        &mut self,
        before: Option<&Value>,
        after: Option<&Value>,
        git: Option<&Value>,
        of: Type<'_>,
        inside: bool,
    ) {
        if before == after {
            return;
        }
        // A list without `omitempty` is null when it is empty.
        let some = |value: &&Value| !value.is_null();
        match (git.filter(some), after.filter(some)) {
            (None, None) => {}
            // Labels and annotations are told one by one, whoever set none of them.
            (None, Some(Value::Object(after))) if self.is_everybodys() => {
                let none = Map::new();
                let before = before.and_then(Value::as_object).unwrap_or(&none);
                self.fields([before, after, &none], of, inside);
            }
            (None, Some(_)) => self.note(
                ChangeOp::Added,
                if inside {
                    Standing::Inside
                } else {
                    Standing::Beyond
                },
            ),
            (Some(git), None) if is_empty(git) => {}
            (Some(_), None) => self.note(ChangeOp::Removed, Standing::Set),
            (Some(Value::Object(git)), Some(Value::Object(after))) => {
                let none = Map::new();
                let before = before.and_then(Value::as_object).unwrap_or(&none);
                let inside = inside || (of.is_atomic() && !self.custom);
                self.fields([before, after, git], of, inside);
            }
            (Some(Value::Array(git)), Some(Value::Array(after))) => {
                let before = before
                    .and_then(Value::as_array)
                    .map_or(&[][..], Vec::as_slice);
                self.list([before, after, git], of, inside);
            }
            (Some(_), Some(_)) => self.note(ChangeOp::Changed, Standing::Set),
        }
    }

    fn is_everybodys(&self) -> bool {
        let path = self.path.to_string();
        path == "metadata.labels" || path == "metadata.annotations"
    }

    fn fields(
        &mut self,
        [before, after, git]: [&Map<String, Value>; 3],
        of: Type<'_>,
        inside: bool,
    ) {
        let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            self.path.push(Step::Field(name.clone()));
            self.value(
                before.get(name),
                after.get(name),
                git.get(name),
                of.field(name),
                inside,
            );
            self.path.pop();
        }
    }

    fn list(&mut self, lists: [&[Value]; 3], of: Type<'_>, inside: bool) {
        match of.elements() {
            Elements::Map(keys) => self.keyed(lists, &keys, of, inside),
            Elements::Set => self.set(lists),
            Elements::Ordered => self.ordered(lists, of, inside),
        }
    }

    fn keyed(
        &mut self,
        [before, after, git]: [&[Value]; 3],
        keys: &[&str],
        of: Type<'_>,
        inside: bool,
    ) {
        let key_of = |item: &Value| -> Key {
            keys.iter()
                .filter_map(|k| Some(((*k).to_owned(), item.get(k)?.clone())))
                .collect()
        };
        // Git may leave out a part of the key that the schema fills in.
        let full = |item: &Value| -> Key {
            let default = |k: &str| {
                item.get(k)
                    .cloned()
                    .or_else(|| of.item().field(k).default())
            };
            keys.iter()
                .filter_map(|k| Some(((*k).to_owned(), default(k)?)))
                .collect()
        };
        let mut all: Vec<Key> = before.iter().chain(after).map(key_of).collect();
        let mut seen = Vec::new();
        all.retain(|key| {
            let new = !seen.contains(key);
            seen.push(key.clone());
            new
        });
        for key in all {
            let find = |list: &[Value]| list.iter().find(|item| key_of(item) == key).cloned();
            let (was, is) = (find(before), find(after));
            let wanted = git.iter().find(|item| full(item) == key);
            // Of a custom kind nothing but Git's own word is left to name an element by that is gone.
            let shown = match wanted {
                Some(wanted) if is.is_none() && self.custom => key_of(wanted),
                _ => key,
            };
            self.path.push(Step::Key(shown));
            if wanted.is_some() {
                self.value(was.as_ref(), is.as_ref(), wanted, of.item(), inside);
            } else if is.is_some() && was != is {
                self.note(ChangeOp::Added, Standing::Inside);
            }
            self.path.pop();
        }
    }

    fn set(&mut self, [before, after, git]: [&[Value]; 3]) {
        for gone in before
            .iter()
            .filter(|v| !after.contains(v) && git.contains(v))
        {
            self.element(gone, ChangeOp::Removed, Standing::Set);
        }
        for new in after
            .iter()
            .filter(|v| !before.contains(v) && !git.contains(v))
        {
            self.element(new, ChangeOp::Added, Standing::Inside);
        }
    }

    fn element(&mut self, value: &Value, op: ChangeOp, standing: Standing) {
        self.path.push(Step::Element(value.clone()));
        self.note(op, standing);
        self.path.pop();
    }

    /// One value; shown by position where Git and the cluster have as many structs.
    fn ordered(&mut self, [before, after, git]: [&[Value]; 3], of: Type<'_>, inside: bool) {
        let structs = git.iter().chain(after).all(Value::is_object);
        if before.len() == after.len() && after.len() == git.len() && structs {
            for (index, after) in after.iter().enumerate() {
                self.path.push(Step::Index(index));
                self.value(
                    before.get(index),
                    Some(after),
                    git.get(index),
                    of.item(),
                    inside || !self.custom,
                );
                self.path.pop();
            }
        } else {
            self.note(
                ChangeOp::Changed,
                if git.is_empty() {
                    Standing::Inside
                } else {
                    Standing::Set
                },
            );
        }
    }

    fn note(&mut self, op: ChangeOp, standing: Standing) {
        self.entries.push(Entry {
            path: self.path.to_string(),
            op,
            standing,
        });
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_empty),
        Value::Array(items) => items.is_empty(),
        other => other.is_null(),
    }
}

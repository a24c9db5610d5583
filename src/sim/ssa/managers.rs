//! `metadata.managedFields` read and written: one entry for each manager, operation, subresource and (for updates) version.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::set::FieldSet;
use crate::sim::store::stamp;
use crate::sim::store::value::text;

/// How many entries of updates are kept apart.
const KEPT_UPDATES: usize = 10;

/// Who wrote, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Manager {
    pub(crate) name: String,
    pub(crate) applies: bool,
    pub(crate) api_version: String,
    pub(crate) subresource: String,
}

impl Manager {
    /// Whether both are the same entry: an applier keeps its entry across versions.
    pub(crate) fn is(&self, other: &Self) -> bool {
        self.name == other.name
            && self.applies == other.applies
            && self.subresource == other.subresource
            && (self.applies || self.api_version == other.api_version)
    }
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) manager: Manager,
    pub(crate) time: String,
    pub(crate) fields: FieldSet,
}

/// All entries of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managers(pub(crate) Vec<Entry>);

impl Managers {
    /// Reads the entries of a document; none when there are none or they cannot be read.
    pub(crate) fn of(document: &Value) -> Self {
        let entries = document["metadata"]["managedFields"].as_array();
        Self(entries.into_iter().flatten().filter_map(entry).collect())
    }

    /// Whether the document asks to forget all owners: one empty entry.
    pub(crate) fn are_reset(document: &Value) -> bool {
        document["metadata"]["managedFields"] == json!([{}])
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn find(&self, manager: &Manager) -> Option<&Entry> {
        self.0.iter().find(|e| e.manager.is(manager))
    }

    /// Gives a manager exactly these fields; none removes its entry.
    pub(crate) fn set(&mut self, manager: Manager, fields: FieldSet, now: Timestamp) {
        // The real server leaves the time out for the scale subresource.
        let time = if manager.subresource == "scale" {
            String::new()
        } else {
            stamp(now).as_str().unwrap_or_default().to_owned()
        };
        let found = self.0.iter_mut().find(|e| e.manager.is(&manager));
        match found {
            Some(entry) => {
                entry.manager = manager;
                entry.time = time;
                entry.fields = fields;
            }
            None => self.0.push(Entry {
                manager,
                time,
                fields,
            }),
        }
        self.drop_empty();
    }

    pub(crate) fn drop_empty(&mut self) {
        self.0.retain(|e| !e.fields.is_empty());
    }

    /// Every field anybody owns.
    pub(crate) fn everything(&self) -> FieldSet {
        let sets = self.0.iter().map(|e| &e.fields);
        sets.fold(FieldSet::default(), |all, set| all.union(set))
    }

    /// Melts the oldest updates of a version into one entry when there are too many.
    pub(crate) fn cap(&mut self) {
        loop {
            let mut updates: Vec<usize> = (0..self.0.len())
                .filter(|i| self.0.get(*i).is_some_and(|e| !e.manager.applies))
                .collect();
            if updates.len() <= KEPT_UPDATES {
                return;
            }
            updates.sort_by_key(|i| self.0.get(*i).map(|e| (e.time.clone(), e.manager.clone())));
            let version = |i: &usize| self.0.get(*i).map(|e| e.manager.api_version.clone());
            let oldest = updates.first().copied();
            let next = updates
                .iter()
                .skip(1)
                .find(|i| version(i) == oldest.as_ref().and_then(version));
            let (Some(oldest), Some(next)) = (oldest, next.copied()) else {
                return;
            };
            self.melt(oldest, next);
        }
    }

    fn melt(&mut self, older: usize, newer: usize) {
        let Some(old) = self.0.get(older).cloned() else {
            return;
        };
        if let Some(entry) = self.0.get_mut(newer) {
            entry.fields = entry.fields.union(&old.fields);
            "ancient-changes".clone_into(&mut entry.manager.name);
            entry.manager.subresource.clear();
        }
        self.0.remove(older);
    }

    /// As `managedFields` writes them: appliers first, then by time and name.
    pub(crate) fn to_value(&self) -> Value {
        let mut entries: Vec<&Entry> = self.0.iter().collect();
        entries.sort_by(|a, b| {
            let key = |e: &Entry| (!e.manager.applies, e.time.clone(), e.manager.clone());
            key(a).cmp(&key(b))
        });
        entries.into_iter().map(written).collect()
    }
}

fn entry(value: &Value) -> Option<Entry> {
    Some(Entry {
        manager: Manager {
            name: text(value, "manager").to_owned(),
            applies: text(value, "operation") == "Apply",
            api_version: text(value, "apiVersion").to_owned(),
            subresource: text(value, "subresource").to_owned(),
        },
        time: text(value, "time").to_owned(),
        fields: FieldSet::from_fields_v1(value.get("fieldsV1")?),
    })
}

fn written(entry: &Entry) -> Value {
    let manager = &entry.manager;
    let mut value = json!({
        "manager": manager.name,
        "operation": if manager.applies { "Apply" } else { "Update" },
        "apiVersion": manager.api_version,
        "fieldsType": "FieldsV1",
        "fieldsV1": entry.fields.to_fields_v1(),
    });
    if !entry.time.is_empty() {
        value["time"] = entry.time.as_str().into();
    }
    if !manager.subresource.is_empty() {
        value["subresource"] = manager.subresource.as_str().into();
    }
    value
}

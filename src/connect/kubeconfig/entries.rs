//! The named entries of all files, first one wins, each either usable or with the sentence that says why not.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use kube::config::{AuthInfo, Cluster, Context};

use super::FileProblem;
use crate::domain::Safe;

/// Everything the files define, by name.
#[derive(Default)]
pub(super) struct Entries {
    pub(super) contexts: IndexMap<String, Entry<Context>>,
    pub(super) clusters: IndexMap<String, Entry<Cluster>>,
    pub(super) users: IndexMap<String, Entry<AuthInfo>>,
    pub(super) problems: Vec<FileProblem>,
}

/// One named entry and where it stands.
pub(super) struct Entry<T> {
    pub(super) value: Result<T, String>,
    pub(super) place: Place,
}

/// Where an entry stands.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) file: PathBuf,
    pub(super) line: Option<u64>,
}

impl Place {
    pub(super) fn of(file: &Path, line: Option<u64>) -> Self {
        Self {
            file: file.to_owned(),
            line,
        }
    }

    /// `/home/ola/.kube/config:12`, or without the line.
    pub(super) fn text(&self) -> String {
        let file = self.file.display();
        self.line
            .map_or_else(|| file.to_string(), |line| format!("{file}:{line}"))
    }
}

impl Entries {
    /// Notes something that is wrong with a file as a whole or with a nameless part of it.
    pub(super) fn problem(&mut self, file: &Path, line: Option<u64>, sentence: &str) {
        self.problems.push(FileProblem {
            file: file.to_owned(),
            line,
            sentence: Safe::new(sentence),
        });
    }
}

/// Adds an entry unless the name is taken; the first one wins, as in kubectl.
pub(super) fn add<T>(into: &mut IndexMap<String, Entry<T>>, name: String, entry: Entry<T>) -> bool {
    match into.entry(name) {
        indexmap::map::Entry::Occupied(_) => false,
        indexmap::map::Entry::Vacant(free) => {
            free.insert(entry);
            true
        }
    }
}

//! The journal: what was about to be done, on disk before the first byte is sent, and what became of it.
//!
//! One line a fact, JSON, append-only, `journal/YYYY-MM.jsonl` in the state folder. Each line holds the SHA-256 of the line before it, across
//! files, and `journal/head` the newest one, so that a changed, removed or cut line is found ([`verify()`]). A write is sent only after its intent
//! line is on disk; when that line cannot be written, nothing is sent. Two driftdecks on one machine take turns by a lock on `journal/lock`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Outcome, Route, Seen, TargetName, Verb, content, private};
use crate::domain::AppKind;

mod chain;
mod entries;
mod read;

pub use chain::Tampered;
pub use entries::{Entry, Sent, entries};
pub use read::{Read, read, unfinished, verify};

/// Longest wait for another driftdeck that is writing.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// Why the journal cannot be used. Nothing may be sent then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// A file or folder could not be made, opened, written or brought to disk.
    #[error(
        "The journal cannot be written, so nothing is sent: {path}: {source}. Free some space or correct the file, then plan again."
    )]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Another driftdeck holds the lock for too long.
    #[error("The journal cannot be written, so nothing is sent: another driftdeck holds {path} for more than {} s. End it, then plan again.", LOCK_WAIT.as_secs())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// The newest line is not one of ours, so nothing can be chained to it.
    #[error(
        "The journal cannot be written, so nothing is sent: {0} Run `driftdeck journal --verify`, move the damaged files away, then plan again."
    )]
    Tampered(#[from] Tampered),
}

/// Why the journal cannot be read or is not to be trusted.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file is there and cannot be read.
    #[error("The journal cannot be read: {path}: {source}. Look at the file's owner and kind.")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is not what was written.
    #[error(
        "{0} Somebody or something wrote to it besides driftdeck: compare with a copy, then move the files away to begin a new one."
    )]
    Tampered(#[from] Tampered),
}

/// Who acts, from where, as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// The person at the keyboard, as `user@host`.
    pub operator: String,
    /// The kubeconfig identity that the cluster sees.
    pub identity: String,
}

/// The object a line is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the parts of a target's name; see TargetName")]
pub struct Target {
    pub cluster: String,
    pub hub: String,
    /// Absent for Argo CD's Applications.
    #[serde(default, skip_serializing_if = "AppKind::is_application")]
    pub app_kind: AppKind,
    pub app_namespace: String,
    pub app: String,
    pub group: String,
    pub version: String,
    pub object_kind: String,
    pub namespace: String,
    pub name: String,
}

impl From<&TargetName> for Target {
    fn from(name: &TargetName) -> Self {
        Self {
            cluster: name.cluster.to_string(),
            hub: name.app.hub.to_string(),
            app_kind: name.app.kind,
            app_namespace: name.app.namespace.to_string(),
            app: name.app.name.to_string(),
            group: name.object.gvk.group.to_string(),
            version: name.object.gvk.version.to_string(),
            object_kind: name.object.gvk.kind.to_string(),
            namespace: name.object.namespace.to_string(),
            name: name.object.name.to_string(),
        }
    }
}

/// A write that is about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Intent {
    /// The plan's id.
    pub run: String,
    /// What is done.
    pub verb: Verb,
    /// Who does it.
    #[serde(flatten)]
    pub who: Operator,
    /// UID of the namespace kube-system of the cluster, empty when it may not be read.
    pub cluster_uid: String,
    /// The object.
    #[serde(flatten)]
    pub target: Target,
    /// By which route.
    pub route: Route,
    /// The change in one line, Secrets masked.
    pub effect: String,
    /// The object before the write; `None` when nobody could look.
    pub before: Option<Seen>,
    /// The saved live object, relative to the state folder, or why there is none.
    pub undo: String,
    /// The operator's note.
    pub note: Option<String>,
}

/// What became of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// The plan's id.
    pub run: String,
    /// The line of the intent; absent when nothing was sent.
    pub intent: Option<u64>,
    /// Who did it.
    #[serde(flatten)]
    pub who: Operator,
    /// The object.
    #[serde(flatten)]
    pub target: Target,
    /// How it ended.
    pub outcome: Outcome,
    /// What happened, in one sentence.
    pub message: String,
    /// The object before the write.
    pub before: Option<Seen>,
    /// The object after the write.
    pub after: Option<Seen>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Record {
    /// A write is about to be sent.
    Intent(Box<Intent>),
    /// A target ended.
    Outcome(Box<Ended>),
    /// The line before this one was cut off by a crash or a full disk; its intent was never sent.
    Cut,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number, from 1, without gaps.
    pub seq: u64,
    /// SHA-256 of the line before it, in hex; 64 zeros for the first.
    pub prev: String,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    #[serde(flatten)]
    pub record: Record,
}

/// The journal of one state folder, open for writing.
#[derive(Debug)]
pub struct Journal {
    state: PathBuf,
    key: Vec<u8>,
}

impl Journal {
    /// Opens the journal, making its folder and the key of its hashes when they are not there. `random` fills the key.
    ///
    /// # Errors
    /// When the folder or its files cannot be used. Nothing may be sent then.
    pub fn open(state: &Path, random: impl FnOnce(&mut [u8])) -> Result<Self, JournalError> {
        let folder = folder(state);
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| JournalError::Io { path, source }
        };
        private::folder(&folder).map_err(failed(&folder))?;
        let path = folder.join("key");
        let key = chain::key(&path, random).map_err(failed(&path))?;
        Ok(Self {
            state: state.to_owned(),
            key,
        })
    }

    /// The state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// The hash of an object's content as lines give it: SHA-256, keyed with the journal's own key for a Secret.
    pub fn hash(&self, object: &serde_json::Value) -> String {
        let body = content::content(object);
        if content::is_secret(object) {
            content::keyed_hash(&self.key, &body)
        } else {
            content::hash(&body)
        }
    }

    /// Writes lines and brings them to disk; gives the number of the first. All or none of them are written.
    ///
    /// # Errors
    /// When they are not on disk. Nothing may be sent then.
    pub fn append(&self, at: Timestamp, records: Vec<Record>) -> Result<u64, JournalError> {
        chain::append(&folder(&self.state), at, records)
    }
}

fn folder(state: &Path) -> PathBuf {
    state.join("journal")
}

#[cfg(test)]
mod tests;

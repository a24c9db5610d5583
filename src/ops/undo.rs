//! What can be put back: the live object as it was before a write, saved before the write is sent.

mod plan;

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content::{content, is_secret};
use super::journal::Target;
use super::private;

pub use plan::{UndoRequest, plan_undo};

/// What was there before a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "was", rename_all = "lowercase")]
pub enum Was {
    /// This object, without status and the server's own metadata.
    Present {
        /// The object.
        object: Value,
    },
    /// Nothing.
    Missing,
    /// An object whose content is not saved, and why.
    Withheld {
        /// Why not.
        reason: String,
    },
}

/// One saved object.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    /// The run that was about to write.
    pub run: String,
    /// The target's place in its plan.
    pub index: usize,
    /// When it was saved.
    pub at: Timestamp,
    /// UID of the namespace kube-system of the cluster, empty when it was not known.
    pub cluster_uid: String,
    /// The object.
    pub target: Target,
    /// What was there.
    pub state: Was,
}

/// Why saved objects cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// A file or folder could not be used.
    #[error("{path} cannot be used: {source}. Look at the state folder's space and owner.")]
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file is not what was written.
    #[error(
        "{path} does not read as a saved object. It cannot be undone from there; revert to Git instead."
    )]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// Nothing was saved under that name.
    #[error("There is no run `{run}` to undo. `driftdeck journal` lists the runs.")]
    NoSuchRun {
        /// What was asked for.
        run: String,
    },
}

impl Was {
    /// What to save of a live object. A Secret is withheld: its values are never written to disk.
    pub fn of(live: Option<&Value>) -> Self {
        match live {
            None => Self::Missing,
            Some(live) if is_secret(live) => Self::Withheld {
                reason: "Secrets are not saved".to_owned(),
            },
            Some(live) => Self::Present {
                object: content(live),
            },
        }
    }
}

fn folder(state: &Path, run: &str) -> PathBuf {
    state.join("undo").join(run)
}

/// Saves one object and brings it to disk; gives the journal's words on it: the file, relative to the state folder, or why there is no content.
///
/// # Errors
/// When it is not on disk. Nothing may be sent then.
pub(super) fn save(state: &Path, saved: &Saved) -> Result<String, UndoError> {
    let folder = folder(state, &saved.run);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| UndoError::Io { path, source }
    };
    private::folder(&state.join("undo")).map_err(failed(&folder))?;
    private::folder(&folder).map_err(failed(&folder))?;
    let name = format!("{}.json", saved.index);
    let path = folder.join(&name);
    let write = || -> std::io::Result<()> {
        let mut file = private::fresh(&path)?;
        file.write_all(&serde_json::to_vec(saved)?)?;
        file.sync_all()
    };
    write().map_err(failed(&path))?;
    Ok(match &saved.state {
        Was::Withheld { reason } => reason.clone(),
        Was::Present { .. } | Was::Missing => format!("undo/{}/{name}", saved.run),
    })
}

/// Reads what a run saved, in the order of its targets.
///
/// # Errors
/// When nothing was saved under that name, or a file does not read.
pub fn load(state: &Path, run: &str) -> Result<Vec<Saved>, UndoError> {
    let no_such_run = || UndoError::NoSuchRun {
        run: run.to_owned(),
    };
    // A run's name comes from the command line: it is one folder name and nothing else.
    if run.is_empty() || !run.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Err(no_such_run());
    }
    let folder = folder(state, run);
    let entries = std::fs::read_dir(&folder).map_err(|_| no_such_run())?;
    let mut saved = Vec::new();
    for entry in entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
    {
        saved.push(read(&entry)?);
    }
    saved.sort_by_key(|s: &Saved| s.index);
    Ok(saved)
}

fn read(path: &Path) -> Result<Saved, UndoError> {
    let mut text = Vec::new();
    private::read(path)
        .and_then(|mut f| f.read_to_end(&mut text))
        .map_err(|source| UndoError::Io {
            path: path.to_owned(),
            source,
        })?;
    serde_json::from_slice(&text).map_err(|_| UndoError::Damaged {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::{live_deployment, target};
    use crate::ops::outcome::TargetName;
    use serde_json::json;
    use std::os::unix::fs::MetadataExt;

    fn saved(index: usize, live: Option<&Value>) -> Saved {
        let target = target();
        let name = TargetName {
            cluster: target.cluster,
            app: target.app.id.clone(),
            object: target.object,
        };
        Saved {
            run: "20261121T021407Z-0000002a".to_owned(),
            index,
            at: "2026-11-21T02:14:07Z".parse().unwrap(),
            cluster_uid: "kube-system-uid".to_owned(),
            target: (&name).into(),
            state: Was::of(live),
        }
    }

    #[test]
    fn what_is_saved_comes_back_in_order_and_is_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let (a, b) = (saved(0, Some(&live_deployment())), saved(1, None));
        save(dir.path(), &b).unwrap();
        let words = save(dir.path(), &a).unwrap();
        assert_eq!(words, "undo/20261121T021407Z-0000002a/0.json");
        assert_eq!(
            std::fs::metadata(dir.path().join(words)).unwrap().mode() & 0o777,
            0o600
        );
        assert_eq!(load(dir.path(), &a.run).unwrap(), [a, b]);
    }

    #[test]
    fn a_secret_is_not_saved_and_the_journal_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": "aHVudGVyMg=="}});
        let saved = saved(0, Some(&secret));
        assert_eq!(save(dir.path(), &saved).unwrap(), "Secrets are not saved");
        let file = std::fs::read_to_string(dir.path().join("undo").join(&saved.run).join("0.json"))
            .unwrap();
        assert!(!file.contains("aHVudGVyMg"), "{file}");
    }

    #[test]
    fn a_saved_object_is_never_overwritten() {
        let dir = tempfile::tempdir().unwrap();
        save(dir.path(), &saved(0, Some(&live_deployment()))).unwrap();
        assert!(save(dir.path(), &saved(0, None)).is_err());
    }

    #[test]
    fn a_run_that_is_no_folder_name_does_not_exist() {
        let dir = tempfile::tempdir().unwrap();
        for run in ["", "../journal", "a/b", "nope", "."] {
            let error = load(dir.path(), run).unwrap_err();
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("There is no run `{run}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let saved = saved(0, None);
        save(dir.path(), &saved).unwrap();
        std::fs::write(dir.path().join("undo").join(&saved.run).join("0.json"), "{").unwrap();
        assert!(matches!(
            load(dir.path(), &saved.run),
            Err(UndoError::Damaged { .. })
        ));
    }
}

//! Why a simulated world could not be built or moved.

use std::path::PathBuf;

use super::scenario::ScenarioError;
use crate::sim::store::ApiStatus;
use crate::sim::tls::TlsError;

/// Why a simulated world could not be built or moved.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The scenario cannot be played.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// The demo's certificates could not be made.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The demo's Git repository could not be written or read.
    #[error(
        "The demo's Git repository failed: {0}. Free some space in the temporary directory, or set TMPDIR to another one."
    )]
    Git(#[from] git2::Error),
    /// The repository's past does not fit its files; a fault of the scenario files.
    #[error("The demo's repository cannot be written: {0}")]
    History(String),
    /// A simulated server refused what the world wants to put into it.
    #[error("A simulated cluster refused {what}: {status}. Please report this as a bug.")]
    Refused {
        /// What was written.
        what: String,
        /// What the server said.
        status: Box<ApiStatus>,
    },
    /// A file or directory of the demo could not be written.
    #[error(
        "The demo cannot write {}: {error}. Check that the directory exists and is writable.",
        path.display()
    )]
    File {
        /// Which one.
        path: PathBuf,
        /// What the system said.
        error: std::io::Error,
    },
    /// No server could be started.
    #[error("The demo cannot listen on 127.0.0.1: {0}. Check the limit of open files (ulimit -n).")]
    Listen(std::io::Error),
}

//! Whether Argo CD would carry out a manual sync now: the sync windows of an AppProject, asked before anything is written.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::windows::{self, SyncStart, windows_of};
use crate::domain::{Application, Safe};

/// What the windows say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// A sync may start now.
    Open,
    /// Argo CD would hold it back, and why.
    Closed(Safe),
}

/// Whether a manual sync of the application may start at `now`, by the AppProject's `spec.syncWindows`.
///
/// A window that does not read closes everything, as it does in Argo CD.
pub(super) fn evaluate(project: &Value, app: &Application, now: Timestamp) -> Window {
    let windows = windows_of(project);
    match windows::evaluate(windows.as_deref(), app, now, SyncStart::Manual) {
        windows::Window::Open => Window::Open,
        windows::Window::Closed { why, .. } => Window::Closed(why),
    }
}

#[cfg(test)]
mod tests;

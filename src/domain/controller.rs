//! How an engine's controllers are, as their own metrics tell it.

use jiff::Timestamp;
use serde::Serialize;

use super::{AppKind, Safe};

/// The controller of one kind of documents.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ControllerReading {
    /// Whose controller it is.
    pub kind: AppKind,
    /// Since when none of its endpoints is ready; `None` while one answers.
    pub silent_since: Option<Timestamp>,
    /// What came in place of an answer.
    pub trouble: Safe,
    /// Documents in its queue.
    pub waiting: u64,
    /// Since when its queue has not been seen empty.
    pub waiting_since: Option<Timestamp>,
    /// Workers that are busy and workers that there are, where it tells them.
    pub workers: Option<(u64, u64)>,
    /// API servers to which it has lost its connection (Argo CD).
    pub lost: Vec<Safe>,
}

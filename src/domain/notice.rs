//! What an engine's controllers told about a document in Kubernetes events, as far as it is about drift.

use jiff::Timestamp;

use super::{Name, Safe};

/// One event of a controller; repetitions of it are counted, not told again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it tells.
    pub kind: NoticeKind,
    /// When it was last told.
    pub last: Timestamp,
    /// How often it was told; at least 1.
    pub count: u64,
    /// The revision that it names, in its engine's spelling; empty for none.
    pub revision: Name,
    /// What it lists, one object or one error each; the first few.
    pub lines: Vec<Safe>,
    /// How many more it lists.
    pub more: usize,
}

/// What an event tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// A revision or a release was deployed whole.
    Deployed,
    /// The cluster was found to differ from what was deployed.
    DriftFound,
    /// What differed could not be put back, or not all of it.
    CorrectionFailed,
    /// What differed was put back.
    DriftCorrected,
    /// An apply changed objects; whether that corrected drift shows only beside the times of the deployments.
    Applied,
}

impl Notice {
    /// What it lists, as a part of a sentence.
    pub fn list(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(Safe::as_str).collect();
        let mut list = lines.join(", ");
        if self.more > 0 {
            list.push_str(&format!(" and {} more", self.more));
        }
        list
    }
}

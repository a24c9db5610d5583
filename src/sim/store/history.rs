//! What happened lately: the bounded ring that watches resume from.

use std::collections::VecDeque;
use std::sync::Arc;

use super::{ApiStatus, Object};

/// What happened to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeType {
    /// It came to be.
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
}

/// One change of one object.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub change: ChangeType,
    /// The object after it; for a deletion its last state, at the version of the deletion.
    pub object: Arc<Object>,
    /// The object before it, for a modification: selectors need both sides.
    pub before: Option<Arc<Object>>,
}

/// The last changes, oldest first, in order of their resource version.
#[derive(Debug)]
pub(crate) struct History {
    ring: VecDeque<Event>,
    capacity: usize,
    /// Changes up to and including this version are forgotten.
    forgotten: u64,
}

impl History {
    /// An empty ring; watches may start at `version`.
    pub(crate) fn new(capacity: usize, version: u64) -> Self {
        Self {
            ring: VecDeque::new(),
            capacity: capacity.max(1),
            forgotten: version,
        }
    }

    pub(crate) fn push(&mut self, event: Event) {
        while self.ring.len() >= self.capacity {
            if let Some(old) = self.ring.pop_front() {
                self.forgotten = old.object.resource_version;
            }
        }
        self.ring.push_back(event);
    }

    /// Forgets everything up to `version`, as a compaction does.
    pub(crate) fn expire(&mut self, version: u64) {
        self.ring.retain(|e| e.object.resource_version > version);
        self.forgotten = self.forgotten.max(version);
    }

    /// The oldest version a watch may start from.
    pub(crate) fn oldest(&self) -> u64 {
        self.forgotten
    }

    /// Everything after `version`.
    pub(crate) fn since(&self, version: u64) -> Result<Vec<Event>, ApiStatus> {
        if version < self.forgotten {
            return Err(ApiStatus::too_old(version, self.forgotten));
        }
        let start = self
            .ring
            .partition_point(|e| e.object.resource_version <= version);
        Ok(self.ring.range(start..).cloned().collect())
    }
}

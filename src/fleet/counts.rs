//! The totals of the title bar. Rows that are not current never count as good.

use super::{ClusterRow, Fleet};
use crate::domain::LinkState;

/// Clusters by what they need, and the totals beside them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All rows.
    pub clusters: usize,
    /// Current, nothing drifted, nothing degraded, its engines at work, every application known to be synced.
    pub good: usize,
    /// Current and drifted or out of sync.
    pub drifted: usize,
    /// Current and something degraded, be it an engine of its own; counted here and not under `drifted`.
    pub degraded: usize,
    /// Stale.
    pub stale: usize,
    /// Unreachable, or the credentials are refused.
    pub dark: usize,
    /// No answer yet.
    pub connecting: usize,
    /// Current, but not everything on it could be judged.
    pub unknown: usize,
    /// Drifted objects on current clusters.
    pub resources: usize,
    /// Fingerprint groups.
    pub groups: usize,
    /// Applications.
    pub apps: usize,
}

impl Counts {
    /// Counts one more row.
    pub fn add(&mut self, row: &ClusterRow) {
        self.clusters += 1;
        *match row.state {
            LinkState::Connecting => &mut self.connecting,
            LinkState::Stale => &mut self.stale,
            LinkState::Unreachable | LinkState::Auth | LinkState::Denied => &mut self.dark,
            LinkState::Live | LinkState::Slow
                if row.health.degraded > 0 || row.warning.is_some() =>
            {
                &mut self.degraded
            }
            LinkState::Live | LinkState::Slow if row.drift > 0 || row.out_of_sync > 0 => {
                &mut self.drifted
            }
            LinkState::Live | LinkState::Slow if row.unknown > 0 => &mut self.unknown,
            LinkState::Live | LinkState::Slow => &mut self.good,
        } += 1;
        if row.state.is_current() {
            self.resources += row.drift;
        }
    }
}

impl Fleet {
    /// Counts the rows once.
    pub fn counts(&self) -> Counts {
        self.counts_of(&self.cluster_rows(), self.groups().len())
    }

    /// Counts rows and groups that were made already.
    pub fn counts_of(&self, rows: &[ClusterRow], groups: usize) -> Counts {
        let mut counts = Counts {
            apps: self.apps.len(),
            groups,
            ..Counts::default()
        };
        for row in rows {
            counts.add(row);
        }
        counts
    }
}

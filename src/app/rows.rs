//! What all screens read, made once for each version of the fleet.

use std::collections::HashMap;

use crate::domain::{ClusterId, Fingerprint};
use crate::fleet::{ClusterRow, Counts, DriftGroup, Fleet};

/// The fleet's rows, groups and totals at one version.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    version: Option<u64>,
    by_print: HashMap<Fingerprint, usize>,
    /// One row a cluster, in the order of their names.
    pub clusters: Vec<ClusterRow>,
    /// Equal changes, the widest first.
    pub groups: Vec<DriftGroup>,
    /// The totals of the title bar.
    pub counts: Counts,
}

impl Rows {
    /// Makes them anew when the fleet changed; whether it had.
    pub fn follow(&mut self, fleet: &Fleet) -> bool {
        if self.version == Some(fleet.version()) {
            return false;
        }
        self.version = Some(fleet.version());
        self.clusters = fleet.cluster_rows();
        self.groups = fleet.groups();
        let prints = self.groups.iter().enumerate();
        self.by_print = prints.map(|(i, g)| (g.fingerprint, i)).collect();
        self.counts = fleet.counts_of(&self.clusters);
        true
    }

    /// The version of the fleet that they were made from.
    pub fn version(&self) -> Option<u64> {
        self.version
    }

    /// One cluster's row.
    pub fn cluster(&self, id: &ClusterId) -> Option<&ClusterRow> {
        let found = self.clusters.binary_search_by(|row| row.id.cmp(id)).ok()?;
        self.clusters.get(found)
    }

    /// One group.
    pub fn group(&self, print: Fingerprint) -> Option<&DriftGroup> {
        self.groups.get(*self.by_print.get(&print)?)
    }
}

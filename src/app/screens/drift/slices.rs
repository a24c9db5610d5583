//! Equal changes cut by what the inbox is grouped by: a change on five clusters is one row, or one row on each of the five.

use std::collections::{BTreeMap, BTreeSet};

use crate::app::buckets;
use crate::app::grouped::Bucket;
use crate::app::screens::Ctx;
use crate::domain::{ClusterId, Fingerprint, Safe};
use crate::fleet::{DriftGroup, DriftRow};
use crate::view::grouping::Grouping;
use crate::view::place::Place;

/// One row of the inbox: a change, and the group that it stands in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Slice {
    /// The change.
    pub print: Fingerprint,
    /// The group; empty while the inbox is one list.
    pub group: Safe,
}

/// What stands on the line of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DriftTally {
    /// Different changes.
    pub changes: usize,
    /// Objects that drifted, on clusters that are current.
    pub objects: usize,
    /// Objects of which nobody knows whether they still are so.
    pub old: usize,
    /// Where.
    pub clusters: BTreeSet<ClusterId>,
}

impl DriftTally {
    /// Counts one more row.
    pub(super) fn add(&mut self, group: &DriftGroup) {
        self.changes += 1;
        for member in &group.members {
            *(if member.current {
                &mut self.objects
            } else {
                &mut self.old
            }) += 1;
            self.clusters.insert(member.cluster.clone());
        }
    }
}

/// The changes, cut. Made anew only when drift or the grouping changed.
#[derive(Debug, Default)]
pub(super) struct Slices {
    by: Option<Grouping>,
    version: Option<u64>,
    cut: BTreeMap<Slice, (Bucket, DriftGroup)>,
    /// What stands on the line of each group.
    pub(super) tallies: BTreeMap<Safe, DriftTally>,
}

impl Slices {
    /// Follows drift and grouping; whether the grouping is another one.
    pub(super) fn follow(&mut self, ctx: &Ctx<'_>) -> bool {
        let by = ctx.layouts.grouping(Place::Drift);
        let version = Some(ctx.fleet.drift_version());
        if self.by == by && self.version == version {
            return false;
        }
        let regrouped = self.by != by;
        (self.by, self.version) = (by, version);
        self.cut = match &self.by {
            Some(by) => ctx.rows.groups.iter().flat_map(|g| cut(by, g)).collect(),
            None => BTreeMap::new(),
        };
        regrouped
    }

    /// What the inbox is grouped by.
    pub(super) fn by(&self) -> Option<&Grouping> {
        self.by.as_ref()
    }

    /// One row.
    pub(super) fn get(&self, slice: &Slice) -> Option<&DriftGroup> {
        self.cut.get(slice).map(|(_, group)| group)
    }

    /// Every row, with the group that it stands in.
    pub(super) fn all(&self) -> impl Iterator<Item = &(Bucket, DriftGroup)> {
        self.cut.values()
    }
}

fn cut(by: &Grouping, whole: &DriftGroup) -> Vec<(Slice, (Bucket, DriftGroup))> {
    let mut parts: BTreeMap<Bucket, Vec<DriftRow>> = BTreeMap::new();
    for member in &whole.members {
        let part = parts.entry(buckets::of_drift(by, member)).or_default();
        part.push(member.clone());
    }
    let made = parts.into_iter().filter_map(|(bucket, members)| {
        let slice = Slice {
            print: whole.fingerprint,
            group: bucket.name.clone(),
        };
        Some((slice, (bucket, whole.of_members(members)?)))
    });
    made.collect()
}

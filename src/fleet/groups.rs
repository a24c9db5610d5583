//! Equal changes on many clusters as one row: "somebody scaled `ingress` on 37 sites".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{DriftRow, Fleet};
use crate::domain::{ClusterId, DriftState, Fingerprint, Gvk, Safe, Selector};

/// All drifted objects that share a fingerprint.
#[derive(Clone, Debug)]
pub struct DriftGroup {
    /// What they share.
    pub fingerprint: Fingerprint,
    /// Their kind.
    pub gvk: Gvk,
    /// The object's name as it stands on most members, with its namespace.
    pub object: Safe,
    /// One line that tells the change.
    pub summary: Safe,
    /// Every state that any member is in.
    pub states: Vec<DriftState>,
    /// The members, in the order of cluster and object.
    pub members: Vec<DriftRow>,
    /// How many clusters it touches: counted once here, for it is drawn in every frame.
    pub sites: usize,
    /// The earliest onset of any member.
    pub since: Timestamp,
    /// Managers that set the differing fields, most frequent first.
    pub managers: Vec<Safe>,
}

impl DriftGroup {
    /// The same change on some of its members only; none without any.
    pub fn of_members(&self, members: Vec<DriftRow>) -> Option<Self> {
        group(self.fingerprint, members)
    }

    /// The clusters it touches, each once.
    pub fn clusters(&self) -> Vec<ClusterId> {
        let set: BTreeSet<&ClusterId> = self.members.iter().map(|m| &m.cluster).collect();
        set.into_iter().cloned().collect()
    }
}

impl Fleet {
    /// All groups, the widest first, then the oldest.
    pub fn groups(&self) -> Vec<DriftGroup> {
        self.groups_of(&Selector::default())
    }

    /// The groups among the objects that the selector means.
    pub fn groups_of(&self, selector: &Selector) -> Vec<DriftGroup> {
        let mut by_print: BTreeMap<Fingerprint, Vec<DriftRow>> = BTreeMap::new();
        for row in self.drift(selector) {
            if let Some(print) = row.resource.verdict.fingerprint {
                by_print.entry(print).or_default().push(row);
            }
        }
        let mut groups: Vec<DriftGroup> = by_print
            .into_iter()
            .filter_map(|(print, members)| group(print, members))
            .collect();
        groups.sort_by(|a, b| {
            b.members
                .len()
                .cmp(&a.members.len())
                .then(a.since.cmp(&b.since))
                .then(a.fingerprint.cmp(&b.fingerprint))
        });
        groups
    }
}

fn group(fingerprint: Fingerprint, members: Vec<DriftRow>) -> Option<DriftGroup> {
    let since = members.iter().map(|m| m.first_seen).min()?;
    let first = members.first()?;
    let sites: BTreeSet<&ClusterId> = members.iter().map(|m| &m.cluster).collect();
    let mut managers: BTreeMap<Safe, usize> = BTreeMap::new();
    let mut states = BTreeSet::new();
    for member in &members {
        states.extend(member.resource.verdict.states.iter().copied());
        for owner in member
            .resource
            .verdict
            .changes
            .iter()
            .filter_map(|c| c.owner.as_ref())
        {
            *managers.entry(owner.manager.clone()).or_default() += 1;
        }
    }
    let mut managers: Vec<(Safe, usize)> = managers.into_iter().collect();
    managers.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Some(DriftGroup {
        fingerprint,
        gvk: first.resource.object.gvk.clone(),
        object: Safe::from(first.resource.object.to_string()),
        summary: first.resource.verdict.summary.clone(),
        states: states.into_iter().collect(),
        sites: sites.len(),
        since,
        managers: managers.into_iter().map(|(name, _)| name).collect(),
        members,
    })
}

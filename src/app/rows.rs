//! What all screens read, made once for each version of the fleet: only rows that read differently are made anew.

use std::collections::HashMap;

use crate::domain::{ClusterId, Fingerprint};
use crate::fleet::{ClusterRow, Counts, DriftGroup, Fleet};

/// The fleet's rows, groups and totals at one version.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    version: Option<u64>,
    /// The fleet's drift that the groups were made from.
    drift_version: Option<u64>,
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
        let before = self.version.replace(fleet.version());
        let known = std::mem::take(&mut self.clusters);
        self.clusters = fleet.refresh_rows(known, before.unwrap_or_default());
        if self.drift_version != Some(fleet.drift_version()) {
            self.drift_version = Some(fleet.drift_version());
            self.groups = fleet.groups();
            let prints = self.groups.iter().enumerate();
            self.by_print = prints.map(|(i, g)| (g.fingerprint, i)).collect();
        }
        self.counts = fleet.counts_of(&self.clusters, self.groups.len());
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Engine, Fact, LinkState};
    use crate::fleet::testkit::{
        app, app_ref, deployment, fleet, in_sync, judged, live, scaled, tell,
    };

    const EDGES: [&str; 3] = ["edge-oslo-001", "edge-oslo-002", "edge-paris-001"];

    /// Something that may happen to a fleet.
    fn happen(fleet: &mut Fleet, dice: &mut fastrand::Rng, seconds: i64) {
        let edge = EDGES[dice.usize(0..3)];
        let name = ["ingress", "telemetry", "edge-config"][dice.usize(0..3)];
        let link = |state| Fact::Link {
            state,
            message: None,
        };
        let state = [LinkState::Live, LinkState::Stale, LinkState::Slow][dice.usize(0..3)];
        match dice.u8(0..10) {
            0 => drop(tell(fleet, edge, seconds, link(state))),
            1 => drop(tell(fleet, "hub-1", seconds, link(state))),
            2 => drop(tell(
                fleet,
                "hub-1",
                seconds,
                Fact::App(Box::new(app(name, edge))),
            )),
            3 => drop(tell(fleet, "hub-1", seconds, Fact::AppGone(app_ref(name)))),
            4 => drop(tell(
                fleet,
                "hub-1",
                seconds,
                Fact::Apps(vec![app(name, edge)]),
            )),
            5 => judged(fleet, "hub-1", name),
            6 => {
                let resource = in_sync(name, deployment(name));
                tell(fleet, edge, seconds, Fact::Resource(Box::new(resource)));
            }
            7 => {
                let resource = scaled(name, deployment(name), dice.i64(3..6), "kubectl-scale");
                tell(fleet, edge, seconds, Fact::Resource(Box::new(resource)));
            }
            8 => drop(tell(
                fleet,
                edge,
                seconds,
                Fact::ResourceGone(deployment(name)),
            )),
            _ => live(fleet, edge, &[]),
        }
    }

    #[test]
    fn rows_that_follow_a_fleet_are_those_that_would_be_made_of_it() {
        for seed in 0..40 {
            let mut dice = fastrand::Rng::with_seed(seed);
            let mut fleet = fleet(&["hub-1", EDGES[0], EDGES[1], EDGES[2]]);
            live(&mut fleet, "hub-1", &[Engine::Argo]);
            let mut rows = Rows::default();
            for step in 0..120 {
                happen(&mut fleet, &mut dice, step);
                if dice.bool() {
                    continue;
                }
                rows.follow(&fleet);
                let mut anew = Rows::default();
                anew.follow(&fleet);
                let words = |rows: &Rows| {
                    format!("{:?} {:?} {:?}", rows.clusters, rows.groups, rows.counts)
                };
                assert_eq!(words(&rows), words(&anew), "seed {seed}, step {step}");
            }
        }
    }

    #[test]
    fn a_fact_of_one_row_leaves_the_others_as_they_are() {
        let mut fleet = fleet(&["hub-1", EDGES[0], EDGES[1]]);
        live(&mut fleet, "hub-1", &[Engine::Argo]);
        let before = fleet.version();
        live(&mut fleet, EDGES[0], &[]);
        assert!(!fleet.is_as_of(&EDGES[0].into(), before));
        assert!(fleet.is_as_of(&EDGES[1].into(), before));
    }
}

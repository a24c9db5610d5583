//! What all screens read, made once for each version of the fleet: only rows that read differently are made anew.

use std::collections::HashMap;

use jiff::Timestamp;

use crate::domain::{ClusterId, Fingerprint};
use crate::fleet::{ClusterRow, Counts, DriftGroup, Fleet};

/// The fleet's rows, groups and totals at one version.
#[derive(Clone, Debug, Default)]
pub struct Rows {
    version: Option<u64>,
    /// The fleet's drift that the groups were made from.
    drift_version: Option<u64>,
    /// The minute at which the engines of all clusters were last looked at: some warnings come with time alone.
    minute: Option<i64>,
    by_print: HashMap<Fingerprint, usize>,
    /// One row a cluster, in the order of their names.
    pub clusters: Vec<ClusterRow>,
    /// Equal changes, the widest first.
    pub groups: Vec<DriftGroup>,
    /// The totals of the title bar.
    pub counts: Counts,
}

impl Rows {
    /// Makes them anew when the fleet changed, or the time says more; whether they may read differently.
    pub fn follow(&mut self, fleet: &Fleet, now: Timestamp) -> bool {
        let minute = now.as_second().div_euclid(60);
        let is_due = self.minute.replace(minute) != Some(minute);
        if self.version == Some(fleet.version()) {
            return is_due && self.look_at_engines(fleet, now, |_| true);
        }
        let before = self.version.replace(fleet.version());
        let before = before.unwrap_or_default();
        let known = std::mem::take(&mut self.clusters);
        self.clusters = fleet.refresh_rows(known, before);
        self.look_at_engines(fleet, now, |id| is_due || !fleet.is_as_of(id, before));
        if self.drift_version != Some(fleet.drift_version()) {
            self.drift_version = Some(fleet.drift_version());
            self.groups = fleet.groups();
            let prints = self.groups.iter().enumerate();
            self.by_print = prints.map(|(i, g)| (g.fingerprint, i)).collect();
        }
        self.counts = fleet.counts_of(&self.clusters, self.groups.len());
        true
    }

    /// Asks anew what is the matter with the engines of some clusters; whether any answer differs.
    fn look_at_engines(
        &mut self,
        fleet: &Fleet,
        now: Timestamp,
        wanted: impl Fn(&ClusterId) -> bool,
    ) -> bool {
        let mut changed = false;
        for row in self.clusters.iter_mut().filter(|row| wanted(&row.id)) {
            let warning = fleet.hub_warning(&row.id, now);
            changed |= row.warning != warning;
            row.warning = warning;
        }
        if changed {
            self.counts = fleet.counts_of(&self.clusters, self.groups.len());
        }
        changed
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
        app, app_ref, at, deployment, fleet, in_sync, judged, live, scaled, tell,
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
                rows.follow(&fleet, at(step));
                let mut anew = Rows::default();
                anew.follow(&fleet, at(step));
                let words = |rows: &Rows| {
                    format!("{:?} {:?} {:?}", rows.clusters, rows.groups, rows.counts)
                };
                assert_eq!(words(&rows), words(&anew), "seed {seed}, step {step}");
            }
        }
    }

    #[test]
    fn what_comes_with_time_alone_stands_on_the_row_within_a_minute() {
        let mut fleet = fleet(&["hub-1", EDGES[0]]);
        live(&mut fleet, "hub-1", &[Engine::Argo]);
        live(&mut fleet, EDGES[0], &[]);
        let mut compared = app("ingress", EDGES[0]);
        compared.reconciled_at = Some(at(0));
        tell(&mut fleet, "hub-1", 0, Fact::Apps(vec![compared]));
        let mut rows = Rows::default();
        rows.follow(&fleet, at(10));
        assert!(rows.cluster(&"hub-1".into()).unwrap().warning.is_none());
        assert_eq!(rows.counts.degraded, 0);
        assert!(!rows.follow(&fleet, at(80)), "three minutes are due");
        assert!(rows.follow(&fleet, at(300)), "nothing but time passed");
        let row = rows.cluster(&"hub-1".into()).unwrap();
        assert_eq!(row.warning.as_ref().unwrap().kind, "controller-down");
        assert_eq!(rows.counts.degraded, 1);
        assert!(!rows.follow(&fleet, at(301)));
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

    #[test]
    fn figures_are_taken_over_with_the_rows_that_stay() {
        let mut fleet = fleet(&["hub-1", EDGES[0]]);
        live(&mut fleet, EDGES[0], &[]);
        let mut rows = Rows::default();
        rows.follow(&fleet, at(10));
        let before = fleet.version();
        let metrics = crate::domain::ClusterMetrics {
            samples: 7,
            ..crate::domain::ClusterMetrics::default()
        };
        tell(&mut fleet, EDGES[0], 9, Fact::Metrics(Box::new(metrics)));
        assert!(fleet.is_as_of(&EDGES[0].into(), before));
        assert!(rows.follow(&fleet, at(10)));
        let row = rows.cluster(&EDGES[0].into()).unwrap();
        assert_eq!(row.metrics.as_ref().unwrap().samples, 7);
    }
}

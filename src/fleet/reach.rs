//! What a fact reaches: the rows that read differently after it, so that only those are made anew.

use std::collections::{BTreeSet, HashMap};

use super::Fleet;
use crate::domain::{AppRef, ClusterId, ClusterMetrics, Fact};

/// Which rows read differently after a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None: it shows nowhere.
    Nothing,
    /// The figures of a row, and nothing that is made from anything else.
    Figures,
    /// The row that it is about.
    Row,
    /// That row, and the one that an application deploys to, before and after.
    App(AppRef),
    /// Every row: what it says decides how applications find their clusters, or how far a hub's word counts.
    Everything,
}

/// When each row last read differently, in versions of the fleet; and which applications deploy to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reached {
    rows: HashMap<ClusterId, u64>,
    all: u64,
    /// The newest version at which drift, or the link of a row, changed.
    drift: u64,
    placed: HashMap<ClusterId, BTreeSet<AppRef>>,
}

impl Reached {
    /// An application deploys elsewhere now.
    pub(crate) fn moved(&mut self, app: &AppRef, from: Option<&ClusterId>, to: Option<&ClusterId>) {
        if let Some(apps) = from.and_then(|id| self.placed.get_mut(id)) {
            apps.remove(app);
        }
        if let Some(id) = to {
            self.placed
                .entry(id.clone())
                .or_default()
                .insert(app.clone());
        }
    }

    /// The applications that deploy to a row.
    pub(crate) fn placed(&self, id: &ClusterId) -> impl Iterator<Item = &AppRef> {
        self.placed.get(id).into_iter().flatten()
    }
}

impl Fleet {
    /// Which rows a fact of a cluster reaches.
    pub(super) fn reach(&self, id: &ClusterId, fact: &Fact) -> Reach {
        match fact {
            Fact::Seen | Fact::Gone => Reach::Nothing,
            Fact::Metrics(metrics) if !self.tells_of_engines(id, metrics) => Reach::Figures,
            Fact::Link { .. } | Fact::Facts(_) if self.holds_apps(id) => Reach::Everything,
            Fact::HubClusters(_)
            | Fact::MergedInto(_)
            | Fact::Apps(_)
            | Fact::AppsOf { .. }
            | Fact::NoticesOf { .. } => Reach::Everything,
            Fact::App(app) => Reach::App(app.id.clone()),
            Fact::AppGone(app)
            | Fact::AppUnjudged { app, .. }
            | Fact::AppStandIn { app, .. }
            | Fact::AppNewest { app, .. }
            | Fact::Notices { app, .. }
            | Fact::AppJudged { app, .. } => Reach::App(app.clone()),
            _ => Reach::Row,
        }
    }

    /// Notes that a fact reached its rows; `before` is where its application deployed to until then.
    pub(super) fn reached(&mut self, id: &ClusterId, reach: Reach, before: Option<ClusterId>) {
        let version = self.version;
        let mut row = |id: ClusterId| {
            self.reached.rows.insert(id, version);
        };
        match reach {
            // Figures are taken over with every row.
            Reach::Nothing | Reach::Figures => {}
            Reach::Row => row(id.clone()),
            Reach::Everything => self.reached.all = version,
            Reach::App(app) => {
                let after = self.apps.get(&app).and_then(|state| state.cluster.clone());
                before.into_iter().chain(after).for_each(&mut row);
                row(app.hub);
                row(id.clone());
            }
        }
    }

    /// Every row reads differently.
    pub(super) fn reached_all(&mut self) {
        // The version that the change in hand is about to get.
        self.reached.all = self.version + 1;
    }

    /// Drift, or the link of a row, changed.
    pub(super) fn reached_drift(&mut self) {
        self.reached.drift = self.version + 1;
    }

    /// The newest version of the fleet at which drift, or the link of any row, changed: equal numbers, equal groups.
    pub fn drift_version(&self) -> u64 {
        self.reached.drift
    }

    /// Whether a row reads as it did at a version of the fleet.
    pub(crate) fn is_as_of(&self, id: &ClusterId, version: u64) -> bool {
        let row = self.reached.rows.get(id).copied().unwrap_or(0);
        row.max(self.reached.all) <= version
    }

    /// Whether an application reads as it did at a version of the fleet.
    pub fn is_app_as_of(&self, app: &AppRef, version: u64) -> bool {
        let edge = self.cluster_of(app);
        self.is_as_of(edge.unwrap_or(&app.hub), version)
    }

    /// Whether metrics say something about engines, or did: warnings are made from it.
    fn tells_of_engines(&self, id: &ClusterId, metrics: &ClusterMetrics) -> bool {
        let known = self.clusters.get(id).and_then(|c| c.metrics.as_ref());
        !metrics.controllers.is_empty() || known.is_some_and(|m| !m.controllers.is_empty())
    }

    fn holds_apps(&self, id: &ClusterId) -> bool {
        self.apps_of_hub(id).next().is_some()
    }
}

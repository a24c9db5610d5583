//! The one copy of the truth: folds events, answers queries. Pure: time comes in the events.
//!
//! [`Fleet::fold`] is the only way in. Everything else reads: [`Fleet::cluster_rows`], [`Fleet::app_rows`], [`Fleet::drift`], [`Fleet::groups`],
//! [`Fleet::counts`], and [`Fleet::pending`] for those who wait until every cluster has been heard.

pub mod chronicle;
mod counts;
mod fields;
mod fold;
mod groups;
pub mod history;
mod labels;
mod matrix;
mod notices;
pub mod query;
mod reach;
mod rows;
mod settle;
#[cfg(any(test, feature = "demo"))]
pub mod testkit;
#[cfg(test)]
mod tests;
mod told;
mod verdicts;
mod warnings;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::domain::join::Directory;
use crate::domain::{
    Alias, AppRef, Application, ClusterId, ClusterMetrics, ConnectionFacts, Engine, Gvk,
    HubCluster, JoinCandidate, LinkState, Name, Newest, Notice, ObjectRef, Permission, Project,
    ReconcilePace, Resource, Safe, Tracking, Unjudged,
};

pub use chronicle::{Story, StoryKind, Tenor};
pub use counts::Counts;
pub use fold::Changes;
pub use groups::DriftGroup;
pub use matrix::{Placement, family};
pub use rows::{AppRow, ClusterRow, DriftRow, HealthTally};
pub use settle::Unread;
pub use verdicts::AppVerdict;
pub use warnings::Warner;

/// One row of the fleet and all that is known of it.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The row's name.
    pub id: ClusterId,
    /// The group it is shown in, from the configuration; empty when it has none.
    pub group: Safe,
    /// Generation of the actor that speaks for it; events of older ones are dropped.
    pub generation: u64,
    /// The link.
    pub state: LinkState,
    /// Since when the link is in this state.
    pub since: Option<Timestamp>,
    /// When anything last answered.
    pub seen_at: Option<Timestamp>,
    /// The link's words.
    pub message: Option<Safe>,
    /// Static facts, once known.
    pub facts: Option<ConnectionFacts>,
    /// What the identity may do.
    pub permissions: Vec<Permission>,
    /// The hub's cluster Secrets that may be read.
    pub hub_clusters: Vec<HubCluster>,
    /// How this hub's Argo CD marks what it manages.
    pub tracking: Tracking,
    /// Whether the list of applications it holds has arrived at least once.
    pub apps_listed: bool,
    /// Engines whose other kinds have been listed at least once.
    pub engines_listed: BTreeSet<Engine>,
    /// The AppProjects of this hub.
    pub projects: Vec<Project>,
    /// How often this hub compares with Git.
    pub pace: ReconcilePace,
    /// Managed objects and their verdicts.
    pub resources: HashMap<ObjectRef, Arc<Resource>>,
    /// Kinds that cannot be watched here, and why.
    pub unread_kinds: BTreeMap<Gvk, Safe>,
    /// The newest metrics.
    pub metrics: Option<Arc<ClusterMetrics>>,
    /// Events lost because the loop was slower than the cluster.
    pub dropped_events: u64,
    /// The row that carries this one's contexts, when both are the same cluster and scope.
    pub merged_into: Option<ClusterId>,
    /// How to match destinations with it.
    pub candidate: JoinCandidate,
    /// When the client certificate or the token of the kubeconfig ends, as they say themselves; the earlier one.
    pub credential_ends: Option<Timestamp>,
    /// Labels from the configuration.
    pub labels: BTreeMap<Safe, Safe>,
}

/// What is known of one application beyond its own document.
#[derive(Clone, Debug)]
pub(crate) struct AppState {
    pub(crate) app: Arc<Application>,
    pub(crate) cluster: Option<ClusterId>,
    pub(crate) unjudged: Option<Unjudged>,
    pub(crate) judged: Option<Judged>,
    pub(crate) newest: Option<Arc<Newest>>,
    /// Why Git could not be rendered, while Argo CD's API stands in for it.
    pub(crate) stand_in: Option<Unjudged>,
}

/// The revisions an application was last judged with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) deployed: Name,
    pub(crate) target: Name,
    pub(crate) at: Timestamp,
    /// Why it was only heard of, and not judged.
    pub(crate) hindered: Option<Unjudged>,
}

impl AppState {
    /// Why it cannot be judged, from whoever said so first: the director or the edge.
    pub(crate) fn hindrance(&self) -> Option<&Unjudged> {
        let heard = self.judged.as_ref().and_then(|j| j.hindered.as_ref());
        self.unjudged.as_ref().or(heard)
    }
}

/// The fleet.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    pub(crate) clusters: BTreeMap<ClusterId, Cluster>,
    pub(crate) apps: BTreeMap<AppRef, AppState>,
    pub(crate) drifted: BTreeMap<(ClusterId, ObjectRef), Drifted>,
    pub(crate) chronicle: chronicle::Chronicle,
    /// What controllers told about applications; events may come before their document and outlive it.
    notices: BTreeMap<AppRef, Vec<Notice>>,
    aliases: Vec<Alias>,
    candidates: Directory,
    /// What the hubs' cluster Secrets call the rows.
    labelled: labels::Labelled,
    /// Grows with every change that a reader could see.
    version: u64,
    /// Which rows the changes reached.
    reached: reach::Reached,
}

/// A drifted object and since when.
#[derive(Clone, Debug)]
pub(crate) struct Drifted {
    pub(crate) resource: Arc<Resource>,
    pub(crate) first_seen: Timestamp,
}

/// What a row starts with, before anything was heard of it.
#[derive(Clone, Debug, Default)]
pub struct RowSeed {
    /// How to match destinations with it; its `cluster` names the row and must be set.
    pub candidate: JoinCandidate,
    /// The group it is shown in.
    pub group: Safe,
    /// Why it will never connect, when its context is malformed.
    pub broken: Option<Safe>,
    /// When the client certificate or the token of the kubeconfig ends, as they say themselves; the earlier one.
    pub credential_ends: Option<Timestamp>,
    /// Labels from the configuration; they win over those of the hubs' cluster Secrets.
    pub labels: BTreeMap<Safe, Safe>,
}

impl Fleet {
    /// A fleet of rows that are all still connecting. Seeds without a cluster name are left out.
    pub fn new(seeds: Vec<RowSeed>, aliases: Vec<Alias>) -> Self {
        let mut fleet = Self {
            aliases,
            ..Self::default()
        };
        for seed in seeds {
            let Some(id) = seed.candidate.cluster.clone() else {
                continue;
            };
            let state = if seed.broken.is_some() {
                LinkState::Unreachable
            } else {
                LinkState::Connecting
            };
            let mut cluster = Cluster::empty(id.clone(), seed.candidate);
            cluster.group = seed.group;
            cluster.state = state;
            cluster.message = seed.broken;
            cluster.credential_ends = seed.credential_ends;
            cluster.labels = seed.labels;
            fleet.clusters.insert(id, cluster);
        }
        fleet.rebuild_candidates();
        fleet
    }

    /// A number that grows with every visible change: equal numbers, equal answers.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// One row's full state.
    pub fn cluster(&self, id: &ClusterId) -> Option<&Cluster> {
        self.clusters.get(id)
    }

    /// One application's document.
    pub fn app(&self, id: &AppRef) -> Option<&Arc<Application>> {
        self.apps.get(id).map(|state| &state.app)
    }

    /// The row an application deploys to; `None` while unmatched.
    pub fn cluster_of(&self, id: &AppRef) -> Option<&ClusterId> {
        self.apps.get(id).and_then(|state| state.cluster.as_ref())
    }

    /// The commit that an application's target revision meant when it was last judged; `None` before.
    pub fn target_commit(&self, id: &AppRef) -> Option<&Name> {
        let judged = self.apps.get(id)?.judged.as_ref()?;
        (!judged.target.is_empty()).then_some(&judged.target)
    }

    /// One object's newest verdict.
    pub fn resource(&self, cluster: &ClusterId, object: &ObjectRef) -> Option<&Arc<Resource>> {
        self.clusters.get(cluster)?.resources.get(object)
    }

    /// The managed objects of one application, in object order.
    pub fn resources_of(&self, app: &AppRef) -> Vec<&Arc<Resource>> {
        let Some(cluster) = self.cluster_of(app).and_then(|id| self.clusters.get(id)) else {
            return Vec::new();
        };
        let mut found: Vec<_> = cluster
            .resources
            .values()
            .filter(|r| r.app == *app)
            .collect();
        found.sort_by(|a, b| a.object.cmp(&b.object));
        found
    }

    /// Joins every application anew, after something that decides the join changed.
    pub(crate) fn rejoin(&mut self) {
        self.rebuild_candidates();
        let joined = self.apps.iter();
        let joined = joined.map(|(id, state)| (id.clone(), self.joined(&state.app)));
        self.join_anew(joined.collect());
    }

    /// Joins the applications of one hub anew, after its cluster Secrets changed.
    pub(crate) fn rejoin_hub(&mut self, hub: &ClusterId) {
        let held = self.apps_of_hub(hub).filter_map(|id| self.apps.get(id));
        let joined = held.map(|state| (state.app.id.clone(), self.joined(&state.app)));
        self.join_anew(joined.collect());
    }

    fn join_anew(&mut self, joined: Vec<(AppRef, Option<ClusterId>)>) {
        for (id, cluster) in joined {
            if let Some(state) = self.apps.get_mut(&id) {
                let before = std::mem::replace(&mut state.cluster, cluster);
                self.reached
                    .moved(&id, before.as_ref(), state.cluster.as_ref());
            }
        }
        self.reached_all();
    }

    /// The row an application's destination means now.
    pub(crate) fn joined(&self, app: &Application) -> Option<ClusterId> {
        let secrets = self
            .clusters
            .get(&app.id.hub)
            .map_or(&[][..], |hub| &hub.hub_clusters);
        self.candidates
            .join(&app.destination, &app.id.hub, secrets, &self.aliases)
    }

    fn rebuild_candidates(&mut self) {
        let merged: HashSet<&ClusterId> = self
            .clusters
            .values()
            .filter(|c| c.merged_into.is_some())
            .map(|c| &c.id)
            .collect();
        self.candidates = self
            .clusters
            .values()
            .filter(|c| !merged.contains(&c.id))
            .map(|c| c.candidate.clone())
            .collect();
    }

    pub(crate) fn touch(&mut self) {
        self.version += 1;
    }
}

impl Cluster {
    pub(crate) fn empty(id: ClusterId, candidate: JoinCandidate) -> Self {
        Self {
            id,
            group: Safe::default(),
            generation: 0,
            state: LinkState::Connecting,
            since: None,
            seen_at: None,
            message: None,
            facts: None,
            permissions: Vec::new(),
            hub_clusters: Vec::new(),
            tracking: Tracking::default(),
            apps_listed: false,
            engines_listed: BTreeSet::new(),
            projects: Vec::new(),
            pace: ReconcilePace::default(),
            resources: HashMap::new(),
            unread_kinds: BTreeMap::new(),
            metrics: None,
            dropped_events: 0,
            merged_into: None,
            candidate,
            credential_ends: None,
            labels: BTreeMap::new(),
        }
    }
}

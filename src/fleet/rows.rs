//! What the lists show: one value a row, made on demand from the fleet.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::verdicts::{AppVerdict, disagreement};
use super::{AppState, Cluster, Fleet};
use crate::domain::{
    AppRef, Application, ClusterId, ClusterMetrics, DriftState, Engine, Health, LinkState, Newest,
    ObjectRef, Resource, Role, Safe, Selector, SyncState, Warning,
};
use crate::health::roll_up::{Part, roll_up};

/// How many managed objects are in each health.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct HealthTally {
    /// All well.
    pub healthy: usize,
    /// On their way.
    pub progressing: usize,
    /// Failed.
    pub degraded: usize,
    /// Paused on purpose.
    pub suspended: usize,
    /// Not in the cluster.
    pub missing: usize,
    /// Could not be told.
    pub unknown: usize,
}

impl HealthTally {
    fn add(&mut self, health: Health) {
        *match health {
            Health::Healthy => &mut self.healthy,
            Health::Suspended => &mut self.suspended,
            Health::Progressing => &mut self.progressing,
            Health::Missing => &mut self.missing,
            Health::Degraded => &mut self.degraded,
            Health::Unknown => &mut self.unknown,
        } += 1;
    }

    /// The worst health that any object is in; `None` without objects.
    pub fn worst(&self) -> Option<Health> {
        [
            (self.degraded, Health::Degraded),
            (self.unknown, Health::Unknown),
            (self.missing, Health::Missing),
            (self.progressing, Health::Progressing),
            (self.suspended, Health::Suspended),
            (self.healthy, Health::Healthy),
        ]
        .into_iter()
        .find_map(|(count, health)| (count > 0).then_some(health))
    }
}

/// One row of the Fleet screen and of `driftdeck status`.
#[derive(Clone, Debug)]
pub struct ClusterRow {
    /// The row's name.
    pub id: ClusterId,
    /// Its group, empty when it has none.
    pub group: Safe,
    /// All its contexts, the acting one first.
    pub contexts: Vec<Safe>,
    /// API server URL.
    pub server: Safe,
    /// The link.
    pub state: LinkState,
    /// Since when the link is so.
    pub since: Option<Timestamp>,
    /// When anything last answered.
    pub seen_at: Option<Timestamp>,
    /// Server version, empty while unknown.
    pub version: Safe,
    /// What it is to the fleet.
    pub roles: Vec<Role>,
    /// Engines whose kinds it serves.
    pub engines: Vec<Engine>,
    /// Applications that deploy to it, and by their verdict: synced, out of sync, unknown.
    pub apps: usize,
    /// Of these, synced.
    pub synced: usize,
    /// Of these, out of sync.
    pub out_of_sync: usize,
    /// Of these, not known.
    pub unknown: usize,
    /// Objects that count as drifted.
    pub drift: usize,
    /// Health of its managed objects, where known.
    pub health: HealthTally,
    /// The newest metrics.
    pub metrics: Option<Arc<ClusterMetrics>>,
    /// The link's words, or the first kind that cannot be read.
    pub message: Option<Safe>,
    /// An application operation runs here.
    pub operating: bool,
    /// What is the matter with the engines that it holds. It depends on the time: whoever makes rows asks [`Fleet::hub_warning`] for it.
    pub warning: Option<Warning>,
    /// The hubs that hold the applications which deploy to it, in the order of their names.
    pub hubs: Vec<ClusterId>,
    /// Its labels: those of the configuration, then those of the hubs' cluster Secrets.
    pub labels: BTreeMap<Safe, Safe>,
    /// When the kubeconfig's client certificate or token ends, as they say themselves; the earlier one.
    pub credential_ends: Option<Timestamp>,
}

impl ClusterRow {
    /// Where it stands: its label `region`, or the one that cloud providers set on nodes, else its group; empty when it has none.
    pub fn region(&self) -> &Safe {
        let label = |name: &str| self.labels.get(&Safe::new(name));
        label("region")
            .or_else(|| label("topology.kubernetes.io/region"))
            .unwrap_or(&self.group)
    }

    /// The message; a row that is not current always has one.
    pub fn why_not_current(&self) -> Option<Safe> {
        let silent = || (!self.state.is_current()).then(|| Safe::fixed("No answer yet."));
        self.message.clone().or_else(silent)
    }

    /// The message, else what is the matter with its engines.
    pub fn words(&self) -> Option<Safe> {
        let warned = || self.warning.as_ref().map(Warning::sentence);
        self.why_not_current().or_else(warned)
    }

    /// The order of "which site needs me": an engine that does not work, for it serves many, then failing, drifted, dark, and the rest; smaller
    /// is more urgent.
    pub fn urgency(&self) -> (u8, usize, &ClusterId) {
        let rank = match self.state {
            LinkState::Live | LinkState::Slow if self.warning.is_some() => 0,
            LinkState::Live | LinkState::Slow if self.health.degraded > 0 => 1,
            LinkState::Live | LinkState::Slow if self.drift > 0 => 2,
            LinkState::Auth | LinkState::Denied => 3,
            LinkState::Unreachable => 4,
            LinkState::Stale => 5,
            LinkState::Live | LinkState::Slow if self.out_of_sync > 0 => 6,
            LinkState::Connecting => 7,
            LinkState::Live | LinkState::Slow if self.health.progressing > 0 => 8,
            LinkState::Live | LinkState::Slow => 9,
        };
        (rank, usize::MAX - self.drift, &self.id)
    }
}

/// One row of the Apps screen and of `driftdeck apps`.
#[derive(Clone, Debug)]
pub struct AppRow {
    /// The application's document.
    pub app: Arc<Application>,
    /// The row it deploys to; `None` while unmatched.
    pub cluster: Option<ClusterId>,
    /// Whether both the hub and the edge are current.
    pub current: bool,
    /// The verdict that counts.
    pub verdict: AppVerdict,
    /// Hub and edge say different things.
    pub disagreement: Option<Safe>,
    /// Drifted objects.
    pub drift: usize,
    /// Managed objects.
    pub resources: usize,
    /// Health of its objects as we see it; the engine's where we see none.
    pub health: Health,
    /// Whether `health` is ours and not the engine's.
    pub health_is_ours: bool,
    /// Why it is not judged by us.
    pub unjudged: Option<Safe>,
    /// What its target revision means now, where that is known.
    pub newest: Option<Arc<Newest>>,
}

/// One drifted object.
#[derive(Clone, Debug)]
pub struct DriftRow {
    /// Where.
    pub cluster: ClusterId,
    /// What, and its verdict.
    pub resource: Arc<Resource>,
    /// Since when.
    pub first_seen: Timestamp,
    /// Whether the cluster is current; an old verdict is shown but not acted upon.
    pub current: bool,
}

impl Fleet {
    /// All rows in the order of their names, merged ones left out.
    pub fn cluster_rows(&self) -> Vec<ClusterRow> {
        self.refresh_rows(Vec::new(), 0)
    }

    /// The same, from rows as they were at a version of the fleet: those that read as they did are taken over, and only the others are made.
    pub fn refresh_rows(&self, rows: Vec<ClusterRow>, version: u64) -> Vec<ClusterRow> {
        let mut known = rows.into_iter().peekable();
        let shown = self.clusters.values().filter(|c| c.merged_into.is_none());
        shown
            .map(|cluster| {
                while known.next_if(|row| row.id < cluster.id).is_some() {}
                let as_it_was = known
                    .next_if(|row| row.id == cluster.id)
                    .filter(|_| self.is_as_of(&cluster.id, version));
                let Some(mut row) = as_it_was else {
                    return self.cluster_row(cluster);
                };
                row.metrics.clone_from(&cluster.metrics);
                row
            })
            .collect()
    }

    fn cluster_row(&self, cluster: &Cluster) -> ClusterRow {
        let placed = self.reached.placed(&cluster.id);
        let apps: Vec<&AppState> = placed
            .filter_map(|id| self.apps.get(id))
            .filter(|state| state.app.id.kind.applies())
            .collect();
        let mut health = HealthTally::default();
        for resource in cluster.resources.values() {
            if let Some((state, _)) = &resource.health {
                health.add(*state);
            }
        }
        let drift = self.drift_count(&cluster.id);
        let mut row = ClusterRow {
            id: cluster.id.clone(),
            group: cluster.group.clone(),
            contexts: contexts_of(cluster),
            server: Safe::new(&cluster.candidate.server),
            state: cluster.state,
            since: cluster.since,
            seen_at: cluster.seen_at,
            version: cluster
                .facts
                .as_ref()
                .map(|f| f.version.clone())
                .unwrap_or_default(),
            roles: self.roles(cluster, !apps.is_empty()),
            engines: cluster
                .facts
                .as_ref()
                .map(|f| f.engines.clone())
                .unwrap_or_default(),
            apps: apps.len(),
            synced: 0,
            out_of_sync: 0,
            unknown: 0,
            drift,
            health,
            metrics: cluster.metrics.clone(),
            message: cluster
                .message
                .clone()
                .or_else(|| cluster.unread_kinds.values().next().cloned()),
            operating: apps.iter().any(|a| a.app.operation_requested),
            warning: None,
            hubs: hubs_of(&apps),
            labels: self.labels_of(cluster),
            credential_ends: cluster.credential_ends,
        };
        let marks = self.marks(cluster);
        for state in apps {
            match self.verdict_by(state, |_| marks.word(&state.app.id)).state {
                SyncState::Synced => row.synced += 1,
                SyncState::OutOfSync => row.out_of_sync += 1,
                SyncState::Unknown => row.unknown += 1,
            }
        }
        row
    }

    fn roles(&self, cluster: &Cluster, has_apps: bool) -> Vec<Role> {
        let mut roles = Vec::new();
        if self.apps_of_hub(&cluster.id).next().is_some() {
            roles.push(Role::Hub);
        }
        if has_apps {
            roles.push(Role::Edge);
        }
        roles
    }

    /// The applications that a hub holds.
    pub(crate) fn apps_of_hub<'a>(
        &'a self,
        hub: &'a ClusterId,
    ) -> impl Iterator<Item = &'a AppRef> {
        self.states_of_hub(hub).map(|state| &state.app.id)
    }

    /// The same with what is known of them.
    pub(super) fn states_of_hub<'a>(
        &'a self,
        hub: &'a ClusterId,
    ) -> impl Iterator<Item = &'a AppState> {
        let apps = self.apps.range(first_of_hub(hub)..);
        let own = apps.take_while(move |(id, _)| id.hub == *hub);
        own.map(|(_, state)| state)
    }

    fn drift_count(&self, id: &ClusterId) -> usize {
        self.drift_of(id).count()
    }

    /// The drifted objects of one row.
    pub(crate) fn drift_of<'a>(
        &'a self,
        id: &'a ClusterId,
    ) -> impl Iterator<Item = &'a super::Drifted> + 'a {
        let first = (
            id.clone(),
            ObjectRef::new(crate::domain::Gvk::new("", "", ""), "", ""),
        );
        self.drifted
            .range(first..)
            .take_while(move |((cluster, _), _)| cluster == id)
            .map(|(_, d)| d)
    }

    /// All applications in the order of (hub, namespace, name).
    pub fn app_rows(&self) -> Vec<AppRow> {
        self.apps
            .values()
            .map(|state| self.make_app_row(state))
            .collect()
    }

    /// Every application, in the order of (hub, namespace, name).
    pub fn app_ids(&self) -> impl Iterator<Item = &AppRef> {
        self.apps.keys()
    }

    /// One application's row.
    pub fn app_row(&self, id: &AppRef) -> Option<AppRow> {
        self.apps.get(id).map(|state| self.make_app_row(state))
    }

    fn make_app_row(&self, state: &AppState) -> AppRow {
        let mut parts = Vec::new();
        let (mut drift, mut edited) = (0, 0);
        let edge = state.cluster.as_ref().and_then(|id| self.clusters.get(id));
        for resource in edge
            .iter()
            .flat_map(|c| c.resources.values())
            .filter(|r| r.app == state.app.id)
        {
            parts.push(part(resource));
            drift += usize::from(resource.verdict.is_drift());
            edited += usize::from(
                resource
                    .verdict
                    .states
                    .iter()
                    .any(|s| matches!(s, DriftState::Edited | DriftState::Missing)),
            );
        }
        let verdict = self.app_verdict(state);
        let resources = parts.len();
        let told = parts.iter().any(|part| part.health.is_some());
        let ours = told.then(|| roll_up(parts));
        let (health, health_is_ours) = health(&state.app, ours);
        AppRow {
            app: Arc::clone(&state.app),
            cluster: state.cluster.clone(),
            current: self.is_current(state),
            disagreement: disagreement(state, &verdict, edited, edge.and_then(|c| c.seen_at)),
            verdict,
            drift,
            resources,
            health,
            health_is_ours,
            unjudged: state
                .hindrance()
                .or(state.stand_in.as_ref())
                .map(|u| u.message.clone()),
            newest: state.newest.clone(),
        }
    }

    /// Every drifted object that the selector means, in the order of cluster and object.
    pub fn drift(&self, selector: &Selector) -> Vec<DriftRow> {
        self.drifted
            .iter()
            .filter(|((cluster, object), d)| selector.matches(cluster, &d.resource.app, object))
            .map(|((cluster, _), d)| DriftRow {
                cluster: cluster.clone(),
                resource: Arc::clone(&d.resource),
                first_seen: d.first_seen,
                current: self
                    .clusters
                    .get(cluster)
                    .is_some_and(|c| c.state.is_current()),
            })
            .collect()
    }
}

impl Fleet {
    /// Every object that the selector means, drifted or not; one without drift is as old as its cluster's last word.
    pub fn objects(&self, selector: &Selector) -> Vec<DriftRow> {
        let clusters = self.clusters.values().filter(|c| c.merged_into.is_none());
        let mut rows: Vec<DriftRow> = clusters
            .flat_map(|cluster| {
                let meant = cluster.resources.values();
                let meant = meant.filter(|r| selector.matches(&cluster.id, &r.app, &r.object));
                meant.map(|resource| self.object_row(cluster, resource))
            })
            .collect();
        rows.sort_by(|a, b| {
            (&a.cluster, &a.resource.object).cmp(&(&b.cluster, &b.resource.object))
        });
        rows
    }

    fn object_row(&self, cluster: &Cluster, resource: &Arc<Resource>) -> DriftRow {
        let drifted = self
            .drifted
            .get(&(cluster.id.clone(), resource.object.clone()));
        let seen = cluster.seen_at.unwrap_or(Timestamp::UNIX_EPOCH);
        DriftRow {
            cluster: cluster.id.clone(),
            resource: Arc::clone(resource),
            first_seen: drifted.map_or(seen, |d| d.first_seen),
            current: cluster.state.is_current(),
        }
    }

    /// Every object with shadow drift that the selector means: what Git does not set and a person's tool did, drifted or not.
    pub fn shadow(&self, selector: &Selector) -> Vec<DriftRow> {
        let clusters = self.clusters.values().filter(|c| c.merged_into.is_none());
        let mut rows: Vec<DriftRow> = clusters.flat_map(|c| shadow_of(c, selector)).collect();
        rows.sort_by(|a, b| {
            let key = |row: &DriftRow| (row.cluster.clone(), row.resource.object.clone());
            key(a).cmp(&key(b))
        });
        rows
    }
}

fn shadow_of<'c>(cluster: &'c Cluster, selector: &Selector) -> impl Iterator<Item = DriftRow> + 'c {
    let meant = selector.clone();
    let resources = cluster.resources.values();
    resources
        .filter(|resource| !resource.verdict.shadow.is_empty())
        .filter(move |r| meant.matches(&cluster.id, &r.app, &r.object))
        .map(|resource| {
            let written = resource.verdict.shadow.iter();
            let times = written.filter_map(|change| change.owner.as_ref()?.time);
            DriftRow {
                cluster: cluster.id.clone(),
                resource: Arc::clone(resource),
                first_seen: times
                    .max()
                    .or(cluster.seen_at)
                    .unwrap_or(Timestamp::UNIX_EPOCH),
                current: cluster.state.is_current(),
            }
        })
}

fn hubs_of(apps: &[&AppState]) -> Vec<ClusterId> {
    let hubs: BTreeSet<&ClusterId> = apps.iter().map(|state| &state.app.id.hub).collect();
    hubs.into_iter().cloned().collect()
}

fn first_of_hub(hub: &ClusterId) -> AppRef {
    AppRef {
        kind: crate::domain::AppKind::Application,
        hub: hub.clone(),
        namespace: "".into(),
        name: "".into(),
    }
}

fn contexts_of(cluster: &Cluster) -> Vec<Safe> {
    match &cluster.facts {
        Some(facts) => facts.contexts.clone(),
        None => cluster
            .candidate
            .contexts
            .iter()
            .map(|c| Safe::new(c))
            .collect(),
    }
}

/// The health of an application, and whether it is ours. Argo CD's word is about the objects, as ours is; Flux's is about the document, whose
/// failure its objects do not show: of the two the worse counts.
fn health(app: &Application, ours: Option<Health>) -> (Health, bool) {
    let engine = app.health;
    match ours {
        None => (engine, false),
        Some(ours) if app.engine == Engine::Flux && engine != Health::Unknown && engine > ours => {
            (engine, false)
        }
        Some(ours) => (ours, true),
    }
}

/// What an application's health takes from one of its objects.
fn part(resource: &Resource) -> Part {
    let gvk = &resource.object.gvk;
    Part {
        health: resource.health.as_ref().map(|(health, _)| *health),
        live: !resource.verdict.states.contains(&DriftState::Missing),
        apart: resource.health_apart,
        child_application: &*gvk.group == "argoproj.io" && &*gvk.kind == "Application",
    }
}

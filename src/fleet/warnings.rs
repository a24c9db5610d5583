//! What somebody should know about an application beyond its sync and health: one sentence and the next step each. Pure: time comes in.

mod argo;
mod controllers;
mod flux;
mod joined;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::{AppState, Cluster, Fleet};
use crate::domain::windows::{SyncStart, Window, evaluate};
use crate::domain::{
    AppRef, Application, ClusterId, Engine, HubCluster, Project, Safe, SetStep, Warning,
};

/// Answers for one look at the fleet; made once for a whole list.
#[derive(Debug)]
pub struct Warner<'f> {
    fleet: &'f Fleet,
    now: Timestamp,
    /// Applications that an application deploys.
    parents: HashMap<AppRef, AppRef>,
    /// Progressive sync: the step of an application, by hub, set and name.
    steps: HashMap<(AppRef, &'f str), &'f SetStep>,
    /// The remote hubs that deploy to a cluster.
    hubs: BTreeMap<&'f ClusterId, BTreeSet<&'f ClusterId>>,
    /// The newest comparison on each hub.
    newest: HashMap<&'f ClusterId, Timestamp>,
    /// The oldest comparison on each hub, of applications that are to be compared.
    oldest: HashMap<&'f ClusterId, Timestamp>,
    /// The cluster Secrets of each hub that say skip-reconcile; few, so that asking about an application is cheap.
    frozen: HashMap<&'f ClusterId, Vec<&'f HubCluster>>,
}

/// Why nothing happens by itself, by whom and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Who says so, such as `AppProject edge`.
    pub by: Option<Safe>,
    /// Why.
    pub reason: Safe,
    /// Until when at least.
    pub until: Option<Timestamp>,
}

impl Fleet {
    /// Looks at the fleet as it is at `now`.
    pub fn warner(&self, now: Timestamp) -> Warner<'_> {
        let mut warner = Warner::new(self, now);
        for hub in self.clusters.values() {
            warner.learn_frozen(hub);
        }
        for state in self.apps.values() {
            warner.learn(state);
        }
        warner
    }

    /// What is the matter at `now` with the engines that one cluster holds; looks at that cluster's own applications only.
    pub fn hub_warning(&self, hub: &ClusterId, now: Timestamp) -> Option<Warning> {
        let mut warner = Warner::new(self, now);
        warner.learn_frozen(self.clusters.get(hub)?);
        for state in self.states_of_hub(hub) {
            warner.learn_age(&state.app);
        }
        warner.of_hub(hub)
    }

    /// Everything to know about one application at `now`.
    pub fn warnings(&self, id: &AppRef, now: Timestamp) -> Vec<Warning> {
        self.warner(now).of(id)
    }
}

impl<'f> Warner<'f> {
    fn new(fleet: &'f Fleet, now: Timestamp) -> Self {
        Self {
            fleet,
            now,
            parents: HashMap::new(),
            steps: HashMap::new(),
            hubs: BTreeMap::new(),
            newest: HashMap::new(),
            oldest: HashMap::new(),
            frozen: HashMap::new(),
        }
    }

    /// Learns which clusters a hub was told to leave alone.
    fn learn_frozen(&mut self, hub: &'f Cluster) {
        let secrets = hub.hub_clusters.iter();
        let frozen: Vec<_> = secrets.filter(|s| s.skip_reconcile).collect();
        if !frozen.is_empty() {
            self.frozen.insert(&hub.id, frozen);
        }
    }

    fn learn(&mut self, state: &'f AppState) {
        let app = &*state.app;
        for child in app
            .resources
            .iter()
            .filter_map(|r| joined::child(app, &r.object))
        {
            if child != app.id {
                self.parents.insert(child, app.id.clone());
            }
        }
        for step in &app.report.steps {
            self.steps
                .insert((app.id.clone(), &*step.application), step);
        }
        if let Some(cluster) = &state.cluster
            && app.engine == Engine::Argo
            && app.id.kind.applies()
            && *cluster != app.id.hub
        {
            self.hubs.entry(cluster).or_default().insert(&app.id.hub);
        }
        self.learn_age(app);
    }

    /// Learns when an application was last compared.
    fn learn_age(&mut self, app: &'f Application) {
        if let Some(at) = app.reconciled_at.filter(|_| app.id.kind.is_application()) {
            let newest = self.newest.entry(&app.id.hub).or_insert(at);
            *newest = at.max(*newest);
            if !self.is_frozen(app) {
                let oldest = self.oldest.entry(&app.id.hub).or_insert(at);
                *oldest = at.min(*oldest);
            }
        }
    }

    /// Everything to know about one application, the gravest first.
    pub fn of(&self, id: &AppRef) -> Vec<Warning> {
        let Some(state) = self.fleet.apps.get(id) else {
            return Vec::new();
        };
        let mut found = joined::warnings(self, state);
        found.extend(match state.app.engine {
            Engine::Argo => argo::warnings(self, &state.app),
            Engine::Flux => flux::warnings(self, &state.app),
        });
        found
    }

    /// The application, set or Kustomization that deploys this one and takes back edits of its spec.
    pub fn deployed_by(&self, id: &AppRef) -> Option<AppRef> {
        let app = self.fleet.app(id)?;
        let owner = app.report.owner.clone();
        owner.or_else(|| self.parents.get(id).cloned())
    }

    /// Why nothing happens by itself; `None` when nothing is in the way.
    pub fn paused(&self, id: &AppRef) -> Option<Pause> {
        let app = self.fleet.app(id)?;
        if app.report.suspended {
            return Some(Pause {
                by: Some(Safe::fixed("Flux")),
                reason: Safe::fixed("suspended"),
                until: None,
            });
        }
        if self.is_frozen(app) {
            return Some(Pause {
                by: None,
                reason: Safe::fixed("annotated skip-reconcile"),
                until: None,
            });
        }
        let project = self.project(app)?;
        match self.window(app, SyncStart::Automatic) {
            Window::Closed { why, until } => Some(Pause {
                by: Some(format!("AppProject {}", project.name).into()),
                reason: why,
                until,
            }),
            Window::Open => None,
        }
    }

    fn hub(&self, id: &ClusterId) -> Option<&'f Cluster> {
        self.fleet.clusters.get(id)
    }

    /// Whether the application or its cluster is annotated skip-reconcile.
    fn is_frozen(&self, app: &Application) -> bool {
        let to = &app.destination;
        let secrets = self.frozen.get(&app.id.hub).map_or(&[][..], Vec::as_slice);
        app.skip_reconcile
            || secrets.iter().any(|s| {
                !to.server.is_empty() && s.server == to.server
                    || !to.name.is_empty() && s.name == to.name
            })
    }

    fn project(&self, app: &Application) -> Option<&'f Project> {
        let projects = &self.hub(&app.id.hub)?.projects;
        // Projects live in the control plane's namespace, wherever the application is.
        let home = |p: &&Project| {
            app.controller_namespace.is_empty() || p.namespace == app.controller_namespace
        };
        projects.iter().filter(home).find(|p| p.name == app.project)
    }

    fn window(&self, app: &Application, start: SyncStart) -> Window {
        match self.project(app) {
            Some(project) if app.id.kind.is_application() => {
                evaluate(project.windows.as_deref(), app, self.now, start)
            }
            _ => Window::Open,
        }
    }
}

/// A duration in one or two units: `40s`, `12m`, `3h`, `9d`.
fn span(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7_200 => format!("{}m", seconds / 60),
        7_200..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A moment as a part of a sentence.
fn moment(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

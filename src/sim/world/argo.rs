//! The stand-in for an Argo CD application controller: one a hub. It compares, carries out operations, syncs and heals.

mod app;
mod apply;
mod auto;
mod compare;
mod comparison;
mod desired;
mod health;
mod operation;
mod status;
mod tracked;

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::dice::dice;
use super::json::{list, text};
use super::repository::FleetRepository;
use crate::domain::Name;
use crate::sim::store::{ChangeType, Event, Key, Watch};

pub(crate) use app::{APPLIER, App, CONTROLLER, FINALIZER, is_frozen};
use comparison::Comparison;
pub(crate) use desired::Renderer;
pub(crate) use operation::{Attempt, begin};
use status::Level;
use tracked::Tracked;

/// The namespace Argo CD lives in; Applications elsewhere are not its own.
pub(crate) const NAMESPACE: &str = "argocd";
/// The label of the Secrets that name clusters.
pub(crate) const CLUSTER_LABEL: &str = "argocd.argoproj.io/secret-type";

/// What lies around a controller: the clusters, and Git.
#[derive(Debug)]
pub(crate) struct Ground<'a> {
    pub(crate) edges: &'a [Cluster],
    pub(crate) repository: &'a FleetRepository,
    pub(crate) renderer: &'a mut Renderer,
}

/// The application controller of one hub.
#[derive(Debug)]
pub(crate) struct Argo {
    hub: Cluster,
    watch: Watch,
    apps: BTreeMap<Name, Tracked>,
    /// URLs and names of clusters whose Secret is frozen.
    frozen: BTreeSet<String>,
    poll: Option<SignedDuration>,
    seed: u64,
}

impl Argo {
    /// A controller that has seen nothing yet. `poll` is how often it looks at Git by itself.
    pub(crate) fn new(hub: Cluster, poll: Option<SignedDuration>, seed: u64) -> Self {
        let mut this = Self::rested(hub, poll, seed);
        this.read_everything();
        this
    }

    /// A controller that has compared everything and found nothing to do: it looks after an application once something happens to it.
    pub(crate) fn rested(hub: Cluster, poll: Option<SignedDuration>, seed: u64) -> Self {
        Self {
            watch: hub.watch(),
            hub,
            apps: BTreeMap::new(),
            frozen: BTreeSet::new(),
            poll,
            seed,
        }
    }

    /// Looks after applications from now on, if it does not yet.
    pub(crate) fn look_after<'n>(&mut self, names: impl Iterator<Item = &'n str>) {
        for name in names {
            if self.apps.contains_key(name) {
                continue;
            }
            let key = self.key(name);
            if let Some(document) = key.and_then(|key| self.hub.store.read(&key)) {
                self.apps.insert(name.into(), Tracked::compared(document));
            }
        }
    }

    /// Something may have changed on a cluster: its applications are compared again.
    pub(crate) fn cluster_changed(&mut self, cluster: &Cluster) {
        for tracked in self.apps.values_mut() {
            if App(&tracked.document).deploys_to(&cluster.name, &cluster.url) {
                tracked.mark(Level::Live);
            }
        }
    }

    /// Whether it never looks at Git by itself.
    pub(crate) fn waits_for_others(&self) -> bool {
        self.poll.is_none()
    }

    /// Every application looks at Git again.
    pub(crate) fn look_at_git(&mut self) {
        for tracked in self.apps.values_mut() {
            tracked.mark(Level::Git);
        }
    }

    /// A webhook told of a commit that changed a file: the applications of its folder look at Git again.
    pub(crate) fn git_changed(&mut self, file: &str) {
        for tracked in self.apps.values_mut() {
            let path = text(App(&tracked.document).source(), "/path");
            if file.starts_with(path) {
                tracked.mark(Level::Git);
            }
        }
    }

    /// Does what is due; answers when something will be due next.
    pub(crate) fn settle(&mut self, ground: &mut Ground<'_>, now: Timestamp) -> Option<Timestamp> {
        self.take_in();
        let names: Vec<Name> = self.apps.keys().cloned().collect();
        names
            .iter()
            .filter_map(|name| self.step(name, ground, now))
            .min()
    }

    /// Reads what changed on the hub.
    fn take_in(&mut self) {
        if let Ok(events) = self.watch.drain() {
            for event in &events {
                self.notice(event);
            }
        } else {
            // It fell behind the history: start over, as a real controller does.
            self.watch = self.hub.watch();
            self.read_everything();
        }
    }

    fn read_everything(&mut self) {
        self.read_clusters();
        let Some(kind) = self.hub.store.kind("argoproj.io/v1alpha1", "Application") else {
            return;
        };
        let all = self.hub.store.all(kind, Some(NAMESPACE));
        self.apps
            .retain(|name, _| all.iter().any(|o| o.key.name == *name));
        for object in all {
            self.see(&object.key.name, object.value());
        }
    }

    fn notice(&mut self, event: &Event) {
        let key = &event.object.key;
        if &*key.namespace != NAMESPACE {
            return;
        }
        match (key.kind.kind, event.change) {
            ("Secret", _) => self.read_clusters(),
            ("Application", ChangeType::Deleted) => {
                self.apps.remove(&key.name);
            }
            ("Application", _) => self.see(&key.name, event.object.value()),
            _ => {}
        }
    }

    fn see(&mut self, name: &Name, document: Value) {
        match self.apps.get_mut(name) {
            Some(tracked) => tracked.see(document),
            None => {
                self.apps.insert(name.clone(), Tracked::new(document));
            }
        }
    }

    /// Finds the clusters whose Secret carries the freezing annotation.
    fn read_clusters(&mut self) {
        let Some(kind) = self.hub.store.kind("v1", "Secret") else {
            return;
        };
        let secrets = self.hub.store.all(kind, Some(NAMESPACE));
        self.frozen = secrets
            .iter()
            .filter(|s| {
                s.labels
                    .iter()
                    .any(|(k, v)| (&**k, &**v) == (CLUSTER_LABEL, "cluster"))
            })
            .map(|s| s.value())
            .filter(is_frozen)
            .flat_map(|s| [decoded(&s, "name"), decoded(&s, "server")])
            .collect();
    }

    fn is_frozen(&self, app: App<'_>) -> bool {
        let destination = app.destination();
        let server = text(destination, "/server").trim_end_matches('/');
        app.is_frozen()
            || self.frozen.contains(server)
            || self.frozen.contains(text(destination, "/name"))
    }

    /// One application: compare, begin or go on with an operation, sync by itself.
    fn step(&mut self, name: &Name, ground: &mut Ground<'_>, now: Timestamp) -> Option<Timestamp> {
        // Taken out, so that it and the controller can be held at once.
        let mut tracked = self.apps.remove(name)?;
        let next = if self.is_frozen(App(&tracked.document)) {
            None
        } else {
            self.reconcile(&mut tracked, ground, now)
        };
        self.apps.insert(name.clone(), tracked);
        next
    }

    fn reconcile(
        &self,
        tracked: &mut Tracked,
        ground: &mut Ground<'_>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let app = App(&tracked.document);
        let cluster = app.cluster_of(ground.edges);
        if app.is_deleting() {
            self.finalize(tracked, cluster, now);
            return None;
        }
        if app.refresh_asked() || tracked.next_poll.is_some_and(|due| due <= now) {
            tracked.mark(Level::Git);
        }
        if let Some(level) = tracked.stale {
            self.refresh(tracked, cluster, level, ground, now);
        }
        if let Some(cluster) = cluster {
            self.operate(tracked, cluster, ground, now);
            if tracked.stale.is_some() && cluster.reachable() {
                self.refresh(tracked, Some(cluster), Level::Git, ground, now);
            }
        }
        let healing = self.act_by_itself(tracked, now);
        let work = tracked.work.map(|w| w.due);
        [healing, work, tracked.next_poll]
            .into_iter()
            .flatten()
            .min()
    }

    /// Compares and writes what changed of the status.
    fn refresh(
        &self,
        tracked: &mut Tracked,
        cluster: Option<&Cluster>,
        level: Level,
        ground: &mut Ground<'_>,
        now: Timestamp,
    ) {
        let reachable = cluster.is_some_and(Cluster::reachable);
        if cluster.is_some() && !reachable && level == Level::Live {
            // Its watch is down: nobody told it anything.
            return;
        }
        if level == Level::Git || tracked.revision.is_none() {
            let target = text(App(&tracked.document).source(), "/targetRevision");
            tracked.revision = Some(ground.repository.resolve(target).map_err(|_| {
                format!("failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = unable to resolve '{target}' to a commit SHA")
            }));
            tracked.next_poll = self.poll.map(|every| now + every + self.jitter(tracked));
        }
        let found = compare(
            App(&tracked.document),
            cluster,
            tracked.revision.as_ref(),
            ground,
        );
        let revision = match &tracked.revision {
            Some(Ok(revision)) => revision.clone(),
            _ => String::new(),
        };
        let mut patch = json!({});
        if let Some(status) = status::after(App(&tracked.document), &revision, &found, level, now) {
            patch["status"] = status;
        }
        if App(&tracked.document).refresh_asked() {
            patch["metadata"] = json!({"annotations": {(app::REFRESH): null}});
        }
        tracked.stale = None;
        tracked.found = found.ok();
        self.write(tracked, patch, now);
    }

    /// Up to half the polling interval, the same for the same application.
    fn jitter(&self, tracked: &Tracked) -> SignedDuration {
        let half = self.poll.map_or(0, |p| p.as_millis() / 2);
        let name = App(&tracked.document).name();
        let most = i64::try_from(half).unwrap_or(0).max(1);
        SignedDuration::from_millis(dice(self.seed, name).i64(0..most))
    }

    /// Writes as the controller does: a merge patch without a precondition.
    fn write(&self, tracked: &mut Tracked, patch: Value, now: Timestamp) {
        if patch.as_object().is_none_or(serde_json::Map::is_empty) {
            return;
        }
        let Some(key) = self.key(App(&tracked.document).name()) else {
            return;
        };
        // It may have been deleted meanwhile; then the watch says so.
        if let Ok(written) = self.hub.pen(CONTROLLER, now).merge(&key, patch) {
            tracked.document = written.object.value();
        }
    }

    fn key(&self, name: &str) -> Option<Key> {
        self.hub
            .store
            .key("argoproj.io/v1alpha1", "Application", NAMESPACE, name)
    }

    /// Deletes what the application tracked, then lets it go.
    fn finalize(&self, tracked: &mut Tracked, cluster: Option<&Cluster>, now: Timestamp) {
        let app = App(&tracked.document);
        if !app.has_finalizer() {
            return;
        }
        if let Some(cluster) = cluster {
            if !cluster.reachable() {
                return;
            }
            let known = list(app.0, "/status/resources");
            for object in comparison::extras(&cluster.store, app.tracker(), &[], known) {
                // What is gone already is as wanted.
                let _ = cluster.pen(APPLIER, now).delete(&object.key);
            }
        }
        let rest: Vec<Value> = list(app.0, "/metadata/finalizers")
            .iter()
            .filter(|f| !f.as_str().is_some_and(|f| f.starts_with(FINALIZER)))
            .cloned()
            .collect();
        self.write(tracked, json!({"metadata": {"finalizers": rest}}), now);
    }
}

/// Compares with a cluster, or says why that is not possible.
fn compare(
    app: App<'_>,
    cluster: Option<&Cluster>,
    revision: Option<&Result<String, String>>,
    ground: &mut Ground<'_>,
) -> Result<Comparison, String> {
    let Some(cluster) = cluster else {
        let destination = app.destination();
        return Err(format!(
            "there is no cluster with this destination: {destination}"
        ));
    };
    let revision = match revision {
        Some(Ok(revision)) => revision,
        Some(Err(why)) => return Err(format!("Failed to load target state: {why}")),
        None => return Err("Failed to load target state: no revision".to_owned()),
    };
    let manifests = ground
        .renderer
        .render(ground.repository, app.source(), revision)
        .map_err(|why| format!("Failed to load target state: {why}"))?;
    if !cluster.reachable() {
        let url = &cluster.url;
        return Err(format!(
            "Failed to load live state: failed to get cluster info for \"{url}\": error synchronizing cache state : Get \"{url}/version?timeout=32s\": dial tcp: i/o timeout"
        ));
    }
    let known = list(app.0, "/status/resources");
    Ok(comparison::compare(
        &cluster.store,
        app.tracker(),
        &manifests,
        known,
    ))
}

fn decoded(secret: &Value, key: &str) -> String {
    let encoded = text(secret, &format!("/data/{key}"));
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(encoded)
        .unwrap_or_default();
    String::from_utf8_lossy(&bytes)
        .trim_end_matches('/')
        .to_owned()
}

#[cfg(test)]
mod tests;

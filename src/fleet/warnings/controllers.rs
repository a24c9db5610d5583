//! Controllers of engines that are down, lag, or have lost a cluster: by their own metrics where those are scraped, else by the age of their words.

#[cfg(test)]
mod tests;

use jiff::SignedDuration;

use super::{Warner, moment, span};
use crate::domain::{
    AppKind, AppRef, Application, ClusterId, ControllerReading, Engine, Safe, Warning,
};
use crate::fleet::Cluster;

/// A queue that was never seen empty for this long is worth a word, when what it holds is late.
const BUSY: SignedDuration = SignedDuration::from_secs(60);
/// A queue that was never seen empty for this long is worth a word by itself.
const CLOGGED: SignedDuration = SignedDuration::from_secs(300);
/// A controller may be silent for this long: it is being replaced.
const REPLACED: SignedDuration = SignedDuration::from_secs(45);

impl Warner<'_> {
    /// What is the matter with the engines of a cluster as a whole.
    pub fn of_hub(&self, hub: &ClusterId) -> Option<Warning> {
        let cluster = self.hub(hub).filter(|c| c.state.is_current())?;
        let mut told = readings(cluster).filter_map(|reading| self.told(hub, cluster, reading));
        told.next().or_else(|| self.silent_about_git(hub))
    }

    /// What is the matter with the controller that carries an application.
    pub(super) fn of_controller(&self, id: &AppRef) -> Option<Warning> {
        let cluster = self.hub(&id.hub).filter(|c| c.state.is_current())?;
        let reading = readings(cluster).find(|r| r.kind == id.kind);
        let told = reading.and_then(|reading| self.told(&id.hub, cluster, reading));
        told.or_else(|| match id.kind.engine() {
            Engine::Argo => self.silent_about_git(&id.hub),
            Engine::Flux => None,
        })
    }

    fn told(
        &self,
        hub: &ClusterId,
        cluster: &Cluster,
        reading: &ControllerReading,
    ) -> Option<Warning> {
        self.down(hub, reading)
            .or_else(|| self.lags(hub, cluster, reading))
    }

    fn down(&self, hub: &ClusterId, reading: &ControllerReading) -> Option<Warning> {
        let since = reading.silent_since?;
        (self.now.duration_since(since) >= REPLACED).then(|| {
            Warning::new(
                "controller-down",
                format!(
                    "The {} of {hub} is down: its metrics do not answer since {} ({}).",
                    name(reading.kind),
                    moment(since),
                    reading.trouble
                ),
                format!("Look at the pods of {} there.", workload(reading.kind)),
            )
        })
    }

    fn lags(
        &self,
        hub: &ClusterId,
        cluster: &Cluster,
        reading: &ControllerReading,
    ) -> Option<Warning> {
        let busy = self.now.duration_since(reading.waiting_since?);
        let oldest = self.late(hub, cluster, reading.kind);
        // With a pace the age of its words says what is late; without one, a queue that never empties has to.
        let paced = reading.kind.is_application() && cluster.pace.limit().is_some();
        if busy < BUSY || (oldest.is_none() && (paced || busy < CLOGGED)) {
            return None;
        }
        let workers = reading.workers.filter(|(_, all)| *all > 0);
        let workers = workers.map_or_else(String::new, |(active, all)| {
            format!("; {active} of its {all} workers are busy")
        });
        let oldest = oldest.map_or_else(String::new, |age| {
            format!("; its oldest comparison is {} old", span(age))
        });
        Some(Warning::new(
            "controller-lagging",
            format!(
                "The {} of {hub} has {} {} waiting and was never seen idle for {}{workers}{oldest}.",
                name(reading.kind),
                reading.waiting,
                plural(reading.kind),
                span(busy)
            ),
            next(reading.kind),
        ))
    }

    /// The age of the oldest comparison, when it is beyond what is due.
    fn late(&self, hub: &ClusterId, cluster: &Cluster, kind: AppKind) -> Option<SignedDuration> {
        let limit = cluster.pace.limit().filter(|_| kind.is_application())?;
        let age = self.now.duration_since(*self.oldest.get(hub)?);
        (age > limit).then_some(age)
    }

    /// Nothing that the hub holds has been compared for too long.
    fn silent_about_git(&self, hub: &ClusterId) -> Option<Warning> {
        let cluster = self.hub(hub)?;
        let newest = *self.newest.get(hub)?;
        let limit = cluster.pace.limit()?;
        let age = self.now.duration_since(newest);
        (cluster.state.is_current() && age > limit).then(|| {
            Warning::new(
                "controller-down",
                format!(
                    "No application of {hub} was compared with Git for {}, and every {} is due: its application controller is down or lags.",
                    span(age),
                    span(limit)
                ),
                "Look at the pods of argocd-application-controller on the hub.",
            )
        })
    }

    /// The hub's controller has no connection to the application's cluster, by its own metrics.
    pub(super) fn lost_edge(&self, app: &Application) -> Option<Warning> {
        let cluster = self.hub(&app.id.hub).filter(|c| c.state.is_current())?;
        let to = &app.destination;
        let mut secrets = cluster.hub_clusters.iter();
        let server = if to.server.is_empty() {
            &secrets.find(|s| s.name == to.name)?.server
        } else {
            &to.server
        };
        let trim = |url: &str| url.trim_end_matches('/').to_owned();
        let mut lost = readings(cluster).flat_map(|r| &r.lost);
        lost.any(|url| trim(url.as_str()) == trim(server)).then(|| {
            Warning::new(
                "hub-lost-edge",
                "The hub's application controller has no connection to this cluster: its word on it is old, and nothing is synced.",
                "Look at the cluster's Secret on the hub, its credentials, and the network between the two.",
            )
        })
    }
}

fn readings(cluster: &Cluster) -> impl Iterator<Item = &ControllerReading> {
    let metrics = cluster.metrics.iter();
    metrics.flat_map(|metrics| &metrics.controllers)
}

fn name(kind: AppKind) -> &'static str {
    match kind {
        AppKind::Application => "application controller",
        kind => workload(kind),
    }
}

fn workload(kind: AppKind) -> &'static str {
    match kind {
        AppKind::Application => "argocd-application-controller",
        AppKind::ApplicationSet => "argocd-applicationset-controller",
        AppKind::Kustomization => "kustomize-controller",
        AppKind::HelmRelease => "helm-controller",
        AppKind::FluxInstance | AppKind::ResourceSet => "flux-operator",
        _ => "source-controller",
    }
}

fn plural(kind: AppKind) -> String {
    match kind {
        AppKind::Application => "applications".to_owned(),
        AppKind::GitRepository | AppKind::OciRepository | AppKind::HelmRepository => {
            format!("{}ies", kind.word().trim_end_matches('y'))
        }
        kind => format!("{}s", kind.word()),
    }
}

fn next(kind: AppKind) -> Safe {
    match kind {
        AppKind::Application => Safe::fixed(
            "See its log; if it only has too much to do, raise controller.status.processors or shard its clusters.",
        ),
        _ => Safe::fixed(
            "See its log; if it only has too much to do, raise its --concurrent or the intervals.",
        ),
    }
}

//! Deploying the fleet's past: every application as if its controller had synced it after each of the last commits.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::argo::{Attempt, CONTROLLER, FINALIZER, NAMESPACE, Renderer, begin};
use super::cluster::{Cluster, refused};
use super::dice::dice;
use super::error::WorldError;
use super::json::stamp;
use super::plan::{AppPlan, Auto};
use super::repository::FleetRepository;
use crate::sim::store::Key;

/// Commits a history remembers at the start.
const REMEMBERED: usize = 3;

/// One application on its way into the world.
pub(crate) struct Install<'a> {
    pub(crate) hub: &'a Cluster,
    pub(crate) edge: &'a Cluster,
    pub(crate) app: &'a AppPlan,
    /// Labels of the Application: its site and region.
    pub(crate) labels: Value,
    /// Whether the destination is named, not given by URL.
    pub(crate) by_name: bool,
    pub(crate) repository: &'a FleetRepository,
    /// The repository's commits, newest first.
    pub(crate) log: &'a [(String, Timestamp)],
    pub(crate) seed: u64,
}

impl Install<'_> {
    /// Creates the Application and everything it deploys; answers when its last sync ended.
    pub(crate) fn run(&self, renderer: &mut Renderer) -> Result<Timestamp, WorldError> {
        let mut past: Vec<(&str, Timestamp)> = self
            .log
            .iter()
            .filter(|(commit, _)| {
                renderer
                    .render(self.repository, &self.source(), commit)
                    .is_ok()
            })
            .take(REMEMBERED)
            .map(|(commit, at)| (commit.as_str(), self.deployed(commit, *at)))
            .collect();
        past.reverse();
        let Some(((revision, at), older)) = past.split_last() else {
            let path = &self.app.path;
            return Err(WorldError::History(format!("no commit holds {path}.")));
        };
        let created = older.first().map_or(*at, |(_, at)| *at);
        let key = self.create(created)?;
        self.sync(&key, revision, *at, older, renderer)?;
        Ok(*at)
    }

    /// A few minutes after the commit, each application at its own time.
    fn deployed(&self, commit: &str, committed: Timestamp) -> Timestamp {
        let purpose = format!("{}@{commit}", self.app.name);
        committed + SignedDuration::from_secs(dice(self.seed, &purpose).i64(90..1_200))
    }

    fn source(&self) -> Value {
        let mut source = json!({
            "repoURL": self.repository.url(),
            "path": self.app.path,
            "targetRevision": "HEAD",
        });
        if self.app.of.recurse {
            source["directory"] = json!({"recurse": true});
        }
        source
    }

    fn document(&self) -> Value {
        let mut policy = json!({"syncOptions": ["CreateNamespace=true", "ServerSideApply=true"]});
        match self.app.auto {
            Auto::Manual => {}
            Auto::Sync => policy["automated"] = json!({"prune": true}),
            Auto::Heal => policy["automated"] = json!({"prune": true, "selfHeal": true}),
        }
        let mut destination = json!({"namespace": self.app.of.namespace});
        if self.by_name {
            destination["name"] = self.edge.name.clone().into();
        } else {
            destination["server"] = self.edge.url.clone().into();
        }
        json!({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {
                "name": self.app.name,
                "namespace": NAMESPACE,
                "labels": self.labels,
                "finalizers": [FINALIZER],
            },
            "spec": {
                "project": "default",
                "source": self.source(),
                "destination": destination,
                "syncPolicy": policy,
            },
        })
    }

    fn create(&self, at: Timestamp) -> Result<Key, WorldError> {
        let written = self
            .hub
            .pen("argocd-server", at)
            .create(self.document())
            .map_err(refused(format!("the Application {}", self.app.name)))?;
        Ok(written.object.key.clone())
    }

    /// Plays the last sync as the controller would, after the older ones were noted.
    fn sync(
        &self,
        key: &Key,
        revision: &str,
        at: Timestamp,
        older: &[(&str, Timestamp)],
        renderer: &mut Renderer,
    ) -> Result<(), WorldError> {
        let history: Vec<Value> = older
            .iter()
            .enumerate()
            .map(|(id, (revision, at))| self.entry(id, revision, *at))
            .collect();
        let operation = self.operation(revision);
        let mut first = begin(&operation, at - SignedDuration::from_secs(3));
        first["operation"] = operation.clone();
        if !history.is_empty() {
            first["status"]["history"] = history.into();
        }
        let pen = self.hub.pen(CONTROLLER, at);
        let what = || format!("the status of {}", self.app.name);
        let begun = pen.merge(key, first).map_err(refused(what()))?;
        let begun = begun.object.value();
        let manifests = renderer.render(self.repository, &self.source(), revision);
        let manifests = manifests.map_err(WorldError::History)?;
        let attempt = Attempt {
            app: super::argo::App(&begun),
            operation: &operation,
            cluster: self.edge,
            revision,
            manifests: Ok(&manifests),
            now: at,
        };
        let outcome = attempt.run();
        if outcome.phase != "Succeeded" {
            let (name, results) = (&self.app.name, &outcome.results);
            return Err(WorldError::History(format!(
                "{name} does not deploy: {results:?}."
            )));
        }
        pen.merge(key, attempt.end(&outcome, 0))
            .map_err(refused(what()))?;
        Ok(())
    }

    fn operation(&self, revision: &str) -> Value {
        json!({
            "initiatedBy": self.initiator(),
            "retry": {"limit": 5},
            "sync": {
                "revision": revision,
                "prune": self.app.auto != Auto::Manual,
                "syncOptions": ["CreateNamespace=true", "ServerSideApply=true"],
            },
        })
    }

    fn initiator(&self) -> Value {
        if self.app.auto == Auto::Manual {
            json!({"username": "admin"})
        } else {
            json!({"automated": true})
        }
    }

    fn entry(&self, id: usize, revision: &str, at: Timestamp) -> Value {
        json!({
            "id": id,
            "revision": revision,
            "source": self.source(),
            "deployStartedAt": stamp(at - SignedDuration::from_secs(3)),
            "deployedAt": stamp(at),
            "initiatedBy": self.initiator(),
        })
    }
}

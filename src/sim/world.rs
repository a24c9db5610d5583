//! The simulated world behind the API servers: the fleet, its Git repository, its GitOps engines, and what happens to it.

mod argo;
mod assemble;
mod backdrop;
mod cast;
mod catalog;
mod clock;
mod cluster;
mod controller;
mod deaf;
mod dice;
mod driver;
mod edge;
mod error;
mod exposition;
mod flux;
mod happen;
mod history;
mod hub;
mod install;
mod json;
mod kubeconfig;
mod machinery;
mod plan;
mod ready;
mod repository;
mod scenario;
mod schedule;
mod sites;
mod workload;

use std::hash::{BuildHasher as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use parking_lot::Mutex;
use tempfile::TempDir;
use tokio_util::sync::DropGuard;

pub use clock::{SimClock, Time};
pub use cluster::Cluster;
pub use error::WorldError;
pub use plan::{AppPlan, Auto, EdgePlan, Plan, Silence, Size};
pub use repository::{CommitFacts, FleetRepository, TextChange};
pub use scenario::{DEFAULT, Scenario, ScenarioError, names};

use assemble::{Blueprint, Servers};
use machinery::Machinery;

/// Servers that are asked whether they answer, before a world counts as ready.
const ASKED: usize = 64;

/// What kind of world is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the fleet is like and what happens to it.
    pub scenario: Scenario,
    /// Edge clusters; the scenario's number when `None`.
    pub clusters: Option<usize>,
    /// Applications an edge; the scenario's number when `None`.
    pub apps: Option<usize>,
    /// Edges that never answer, besides the scenario's.
    pub dark: usize,
    /// The same seed, the same world.
    pub seed: u64,
    /// Where the time comes from.
    pub time: Time,
    /// Whether clusters and repository are known by names that are the same in every world, and not by their ports and folder. driftdeck
    /// reaches them all the same; other programs do not.
    pub named: bool,
    /// Where the kubeconfig goes; into the world's own temporary folder when `None`.
    pub kubeconfig: Option<PathBuf>,
}

impl Options {
    /// A world of a scenario with its own numbers, seed 1, on the machine's clock.
    pub fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            clusters: None,
            apps: None,
            dark: 0,
            seed: 1,
            time: Time::Real,
            named: false,
            kubeconfig: None,
        }
    }
}

/// A running world. Dropping it stops its servers and removes its files.
#[derive(Debug)]
pub struct World {
    machinery: Arc<Mutex<Machinery>>,
    servers: Servers,
    plan: Plan,
    clock: SimClock,
    kubeconfig: String,
    kubeconfig_path: PathBuf,
    repository: PathBuf,
    token: String,
    _driver: DropGuard,
    _folder: TempDir,
}

impl World {
    /// Builds a world and lets it run: its servers answer and its controllers react when this returns.
    ///
    /// # Errors
    /// When files, ports or certificates cannot be made.
    pub async fn start(options: Options) -> Result<Self, WorldError> {
        let folder = folder()?;
        let clock = SimClock::new(options.time);
        let plan = Plan::draw(&options.scenario, options.size());
        let blueprint = Blueprint {
            seed: options.seed,
            scenario: options.scenario,
            plan: plan.clone(),
            clock: clock.clone(),
            repository: folder.path().join("fleet.git"),
            token: token(),
            named: options.named,
        };
        let (repository, token) = (blueprint.repository.clone(), blueprint.token.clone());
        let servers = blueprint.serve().await?;
        let (servers, machinery) = furnish(blueprint, servers).await?;
        let kubeconfig = kubeconfig_text(&servers, &plan, &token, folder.path());
        let path = options.kubeconfig;
        let kubeconfig_path = path.unwrap_or_else(|| folder.path().join("kubeconfig"));
        kubeconfig::write(&kubeconfig_path, &kubeconfig)
            .map_err(|error| file_error(&kubeconfig_path, error))?;
        let machinery = Arc::new(Mutex::new(machinery));
        let clusters: Vec<Cluster> = servers.hubs.iter().chain(&servers.edges).cloned().collect();
        Ok(Self {
            _driver: driver::drive(Arc::clone(&machinery), &clusters),
            machinery,
            servers,
            plan,
            clock,
            kubeconfig,
            kubeconfig_path,
            repository,
            token,
            _folder: folder,
        })
    }

    /// What the fleet consists of.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The world's time.
    pub fn clock(&self) -> &SimClock {
        &self.clock
    }

    /// The hubs, in order of their numbers.
    pub fn hubs(&self) -> &[Cluster] {
        &self.servers.hubs
    }

    /// The edges, in the order of the plan.
    pub fn edges(&self) -> &[Cluster] {
        &self.servers.edges
    }

    /// A hub or edge by its name.
    pub fn cluster(&self, name: &str) -> Option<&Cluster> {
        let mut all = self.servers.hubs.iter().chain(&self.servers.edges);
        all.find(|c| c.name == name)
    }

    /// The kubeconfig's text.
    pub fn kubeconfig(&self) -> &str {
        &self.kubeconfig
    }

    /// Where the kubeconfig is.
    pub fn kubeconfig_path(&self) -> &Path {
        &self.kubeconfig_path
    }

    /// The authority that signed every server's certificate, as PEM.
    pub fn ca_pem(&self) -> &str {
        self.servers.tls.ca_pem()
    }

    /// The administrator's token of every cluster.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Where the Git repository is.
    pub fn repository(&self) -> &Path {
        &self.repository
    }

    /// Moves a manual clock on; everything due on the way has happened when this returns.
    /// On the machine's clock it only lets happen what is due by now.
    pub fn advance(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        let mut machinery = self.machinery.lock();
        if self.clock.is_manual() {
            machinery.advance(by);
        } else {
            machinery.step();
        }
    }

    /// Moves a manual clock on and lets nothing happen: the counters of the metrics go on, the story does not.
    pub fn pass(&self, by: Duration) {
        let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
        self.clock.set(self.clock.now() + by);
    }

    /// Commits a change of text to the repository, as somebody who pushes: Argo CD sees it when it looks next.
    ///
    /// # Errors
    /// When the file does not hold the text, or Git cannot write.
    pub fn commit(
        &self,
        change: &TextChange<'_>,
        facts: &CommitFacts,
    ) -> Result<String, WorldError> {
        self.machinery.lock().repository.commit(change, facts)
    }

    /// Applications whose status is not `Synced`, without those of edges that never answer.
    pub fn unsynced(&self) -> Vec<String> {
        let silent = |name: &str| {
            let mut edges = self.plan.edges.iter().filter(|e| e.silence.is_some());
            edges.any(|e| e.apps.iter().any(|a| a.name == name))
        };
        let mut unsynced = Vec::new();
        for hub in &self.servers.hubs {
            let kind = hub.store.kind("argoproj.io/v1alpha1", "Application");
            for object in kind.map(|k| hub.store.all(k, None)).unwrap_or_default() {
                let synced = json::text(&object.value(), "/status/sync/status") == "Synced";
                if !synced && !silent(&object.key.name) {
                    unsynced.push(object.key.name.to_string());
                }
            }
        }
        unsynced
    }

    /// Whether nothing is ever going to happen by itself.
    pub fn is_calm(&self) -> bool {
        self.machinery.lock().is_calm()
    }

    /// Asks the servers that should answer whether they do, over TLS; answers the first that does not. Of a large fleet every so manieth is asked:
    /// all are made alike.
    pub async fn first_silent(&self) -> Option<String> {
        let hubs = self.servers.hubs.iter().map(|c| c.url.clone());
        let edges = self.plan.edges.iter().zip(&self.servers.edges);
        let edges = edges
            .filter(|(plan, _)| plan.silence.is_none())
            .map(|(_, cluster)| cluster.url.clone());
        let urls: Vec<String> = hubs.chain(edges).collect();
        let every = urls.len().div_ceil(ASKED).max(1);
        let urls: Vec<String> = urls.into_iter().step_by(every).collect();
        ready::first_silent(self.ca_pem(), &urls).await
    }
}

impl Options {
    fn size(&self) -> Size {
        let fleet = &self.scenario.fleet;
        Size {
            edges: self.clusters.unwrap_or(fleet.clusters),
            apps: self.apps.unwrap_or(fleet.apps),
            silent: fleet.silent + self.dark,
            seed: self.seed,
        }
    }
}

/// A folder only its owner may enter, without links in its path: `file://` repositories are judged by their real place.
fn folder() -> Result<TempDir, WorldError> {
    let place = std::env::temp_dir();
    let real = place
        .canonicalize()
        .map_err(|error| file_error(&place, error))?;
    tempfile::Builder::new()
        .prefix("driftdeck-demo-")
        .tempdir_in(&real)
        .map_err(|error| file_error(&real, error))
}

fn file_error(path: &Path, error: std::io::Error) -> WorldError {
    WorldError::File {
        path: path.to_owned(),
        error,
    }
}

/// Builds the past off the async threads: it is plain work.
async fn furnish(
    blueprint: Blueprint,
    servers: Servers,
) -> Result<(Servers, Machinery), WorldError> {
    let built = tokio::task::spawn_blocking(move || {
        let machinery = blueprint.furnish(&servers)?;
        Ok((servers, machinery))
    });
    built.await.unwrap_or_else(|panicked| {
        let why = panicked.to_string();
        Err(WorldError::History(why))
    })
}

/// Not to be guessed: whoever else is on the machine must not write into the demo.
fn token() -> String {
    let random = || {
        let state = std::hash::RandomState::new();
        state.build_hasher().finish()
    };
    format!("demo-{:016x}{:016x}", random(), random())
}

fn kubeconfig_text(servers: &Servers, plan: &Plan, token: &str, folder: &Path) -> String {
    let hubs = servers.hubs.iter().map(|hub| (hub, "hubs"));
    let edges = servers.edges.iter().zip(&plan.edges);
    let edges = edges.map(|(edge, plan)| (edge, plan.site.region));
    let entries: Vec<_> = hubs
        .chain(edges)
        .map(|(cluster, group)| kubeconfig::Entry {
            name: &cluster.name,
            url: &cluster.url,
            address: cluster.address,
            token,
            group,
        })
        .collect();
    kubeconfig::text(&entries, servers.tls.ca_pem(), folder)
}

#[cfg(test)]
mod tests;

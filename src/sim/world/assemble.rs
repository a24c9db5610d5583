//! Building a world: servers first, for their URLs; then the past of the fleet; then the controllers that go on from it.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;
use serde_json::json;

use super::argo::{Argo, Ground, Renderer};
use super::backdrop::Backdrop;
use super::clock::SimClock;
use super::cluster::Cluster;
use super::controller::{self, Controlled};
use super::deaf::DeafPort;
use super::dice::{dice, hash};
use super::error::WorldError;
use super::install::Install;
use super::machinery::{Machinery, Site};
use super::plan::{EdgePlan, Plan, Silence};
use super::repository::FleetRepository;
use super::scenario::Scenario;
use super::workload::Workloads;
use super::{cast, edge, flux, happen, history, hub, schedule};
use crate::sim::server::{
    EmptyWorld, Faults, Identities, Identity, RunningServer, ServerOptions, World as Behind, serve,
};
use crate::sim::store::{KindSet, Store, StoreOptions};
use crate::sim::tls::DemoTls;

/// How long before the start the fleet came to rest.
const QUIET: SignedDuration = SignedDuration::from_mins(5);

/// What a world is made of.
#[derive(Clone, Debug)]
pub(crate) struct Blueprint {
    pub(crate) scenario: Scenario,
    pub(crate) plan: Plan,
    pub(crate) seed: u64,
    pub(crate) clock: SimClock,
    /// Where the repository goes.
    pub(crate) repository: PathBuf,
    /// The token every cluster accepts as its administrator's.
    pub(crate) token: String,
    /// Whether clusters and repository are known by names and not by where they happen to be.
    pub(crate) named: bool,
}

/// Up to so many edges are built one by one; in a larger fleet those alike are cast from one.
const BUILT: usize = 64;

/// Under it are the names of a world that has names.
const DOMAIN: &str = "edge.example";

/// The repository's URL in such a world.
pub(crate) const REPOSITORY: &str = "https://git.edge.example/fleet.git";

/// The servers of a world: as long as they live, the clusters answer.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) tls: Arc<DemoTls>,
    pub(crate) hubs: Vec<Cluster>,
    pub(crate) edges: Vec<Cluster>,
    pub(crate) workloads: Vec<Arc<Mutex<Workloads>>>,
    running: Vec<RunningServer>,
    deaf: Vec<DeafPort>,
}

impl Blueprint {
    /// Starts a server for every cluster, empty.
    pub(crate) async fn serve(&self) -> Result<Servers, WorldError> {
        let mut servers = Servers {
            tls: Arc::new(DemoTls::new()?),
            hubs: Vec::new(),
            edges: Vec::new(),
            workloads: Vec::new(),
            running: Vec::new(),
            deaf: Vec::new(),
        };
        for name in &self.plan.hubs {
            let store = self.store(name, self.hub_kinds());
            let behind = self.behind_hub();
            let hub = self.start(&mut servers, name, store, behind).await?;
            servers.hubs.push(hub);
        }
        for plan in &self.plan.edges {
            self.serve_edge(&mut servers, plan).await?;
        }
        Ok(servers)
    }

    async fn serve_edge(&self, servers: &mut Servers, plan: &EdgePlan) -> Result<(), WorldError> {
        let store = self.store(&plan.name, edge_kinds(plan));
        let workloads = Workloads::new(&plan.name, store.clone(), self.seed);
        let workloads = Arc::new(Mutex::new(workloads));
        let backdrop = Backdrop {
            cluster: plan.name.clone(),
            store: store.clone(),
            workloads: Arc::clone(&workloads),
            clock: self.clock.clone(),
            course: self.scenario.fleet.metrics,
            seed: self.seed,
        };
        let edge = if plan.silence == Some(Silence::Dropped) {
            let port = DeafPort::open().await.map_err(WorldError::Listen)?;
            let at = port.address();
            servers.deaf.push(port);
            self.cluster(&plan.name, at, store, Arc::default())
        } else {
            self.start(servers, &plan.name, store, Arc::new(backdrop))
                .await?
        };
        servers.edges.push(edge);
        servers.workloads.push(workloads);
        Ok(())
    }

    /// The kinds that a hub serves: those of monitoring where its controller is scraped.
    pub(crate) fn hub_kinds(&self) -> KindSet {
        let kinds = KindSet::bare().with_argo();
        match self.scenario.controller {
            Some(_) => kinds.with_monitoring(),
            None => kinds,
        }
    }

    fn behind_hub(&self) -> Arc<dyn Behind> {
        match self.scenario.controller {
            Some(course) => Arc::new(Controlled {
                clock: self.clock.clone(),
                course,
            }),
            None => Arc::new(EmptyWorld),
        }
    }

    /// Puts into a hub what it holds besides applications.
    pub(crate) fn furnish_hub(&self, hub: &Cluster, at: Timestamp) -> Result<(), WorldError> {
        hub::furnish(hub, self.scenario.fleet.poll.is_some(), at)?;
        match self.scenario.controller {
            Some(_) => controller::expose(hub, at),
            None => Ok(()),
        }
    }

    /// Whether the fleet is too large to build every edge of it.
    fn is_cast(&self) -> bool {
        self.plan.edges.len() > BUILT
    }

    fn store(&self, name: &str, kinds: KindSet) -> Store {
        let seed = self.seed ^ hash(name);
        let options = StoreOptions::new(kinds, seed, self.clock.started());
        if self.is_cast() {
            return Store::hollow(options);
        }
        Store::new(options)
    }

    async fn start(
        &self,
        servers: &mut Servers,
        name: &str,
        store: Store,
        world: Arc<dyn Behind>,
    ) -> Result<Cluster, WorldError> {
        let clock = self.clock.clone();
        let faults = Arc::new(Faults::default());
        let admin = Identity::admin("demo-admin");
        let server = serve(ServerOptions {
            store: store.clone(),
            tls: Arc::clone(&servers.tls),
            identities: Identities::new().with(&self.token, admin),
            faults: Arc::clone(&faults),
            world,
            clock: Arc::new(move || clock.now()),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
        })
        .await
        .map_err(WorldError::Listen)?;
        let at = server.address();
        servers.running.push(server);
        Ok(self.cluster(name, at, store, faults))
    }

    /// A cluster that listens at an address: known by that address, or by a name that is the same in every such world.
    fn cluster(&self, name: &str, at: SocketAddr, store: Store, faults: Arc<Faults>) -> Cluster {
        let (url, address) = if self.named {
            (format!("https://{name}.{DOMAIN}:6443"), Some(at))
        } else {
            (format!("https://{at}"), None)
        };
        Cluster {
            name: name.to_owned(),
            url,
            address,
            store,
            faults,
        }
    }

    /// Gives the clusters their past and sets the clockwork up; it stands at the start.
    pub(crate) fn furnish(self, servers: &Servers) -> Result<Machinery, WorldError> {
        let start = self.clock.started();
        let past = history::past(&self.plan)?;
        let mut repository = FleetRepository::create(&self.repository, &past, start)?;
        if self.named {
            repository.call(REPOSITORY);
        }
        let mut renderer = Renderer::default();
        let sites = servers.workloads.iter().cloned().zip(&servers.edges);
        let hubs = servers.hubs.iter().cloned();
        let poll = self.scenario.fleet.poll;
        let mut rested = None;
        let (sites, controllers) = if self.is_cast() {
            cast::fill(&self, servers, &repository)?;
            (
                sites.map(|(at, edge)| Site::rested(at, edge)).collect(),
                hubs.map(|hub| Argo::rested(hub, poll, self.seed)).collect(),
            )
        } else {
            rested = Some(self.deploy(servers, &repository, &mut renderer)?);
            (
                sites.map(|(at, _)| Site::new(at)).collect(),
                hubs.map(|hub| Argo::new(hub, poll, self.seed)).collect(),
            )
        };
        for (plan, edge) in self.plan.edges.iter().zip(&servers.edges) {
            if let Some(silence) = plan.silence {
                happen::silence(edge, silence);
            }
        }
        let story = schedule::draw(&self.scenario, &self.plan, self.seed);
        let mut machinery = Machinery {
            clock: self.clock,
            plan: self.plan,
            edges: servers.edges.clone(),
            sites,
            controllers,
            repository,
            renderer,
            story: VecDeque::from(story),
            hooks: VecDeque::new(),
        };
        if let Some(rested) = rested {
            machinery.rest(rested);
        }
        Ok(machinery)
    }

    /// Deploys everything as of long ago; answers when the last of it was done.
    fn deploy(
        &self,
        servers: &Servers,
        repository: &FleetRepository,
        renderer: &mut Renderer,
    ) -> Result<Timestamp, WorldError> {
        let past = Past::of(repository, self.clock.started())?;
        for hub in &servers.hubs {
            self.furnish_hub(hub, past.begun)?;
        }
        let mut rested = past.begun;
        for (index, plan) in self.plan.edges.iter().enumerate() {
            let (Some(edge), Some(hub), Some(workloads)) = (
                servers.edges.get(index),
                servers.hubs.get(plan.hub),
                servers.workloads.get(index),
            ) else {
                continue;
            };
            let site = Deployed {
                hub,
                edge,
                plan,
                by_name: is_named(index),
            };
            let done = self.deploy_edge(&site, workloads, &past, renderer)?;
            rested = rested.max(done);
        }
        Ok(rested)
    }

    /// Deploys everything of one edge; answers when the last of it was done.
    pub(crate) fn deploy_edge(
        &self,
        site: &Deployed<'_>,
        workloads: &Mutex<Workloads>,
        past: &Past<'_>,
        renderer: &mut Renderer,
    ) -> Result<Timestamp, WorldError> {
        let Deployed {
            hub, edge, plan, ..
        } = *site;
        let begun = past.begun;
        hub::register(hub, edge, plan.site.region, begun)?;
        edge::commission(edge, plan, begun)?;
        let mut done = begun;
        for app in &plan.apps {
            let install = Install {
                hub,
                edge,
                app,
                labels: json!({"app": app.of.name, "site": plan.site.name, "region": plan.site.region}),
                by_name: site.by_name,
                repository: past.repository,
                log: &past.log,
                seed: self.seed,
            };
            done = done.max(install.run(renderer)?);
        }
        edge::provide_secret(edge, plan, begun)?;
        if plan.flux {
            self.bring_flux(edge, past.repository, &past.log, begun)?;
        }
        Ok(bring_up(&mut workloads.lock(), done))
    }

    fn bring_flux(
        &self,
        edge: &Cluster,
        repository: &FleetRepository,
        log: &[(String, Timestamp)],
        begun: Timestamp,
    ) -> Result<(), WorldError> {
        let Some((commit, at)) = log.first() else {
            return Ok(());
        };
        let minutes = dice(self.seed, &edge.name).i64(1..10);
        let at = begun.max(*at + SignedDuration::from_mins(minutes));
        let manifests = repository.manifests(commit, flux::FOLDER, false)?;
        flux::install(edge, &repository.url(), &manifests, commit, at)
    }
}

/// When the controllers of a fleet that came to rest look at it before it starts.
pub(crate) fn quiet_times(rested: Timestamp, start: Timestamp) -> [Timestamp; 2] {
    [(rested + QUIET).min(start), start]
}

/// Whether the Applications of an edge name their destination by its name, and not by its URL.
pub(crate) fn is_named(index: usize) -> bool {
    index % 3 == 2
}

pub(crate) fn edge_kinds(plan: &EdgePlan) -> KindSet {
    let kinds = KindSet::bare().with_monitoring();
    if plan.flux { kinds.with_flux() } else { kinds }
}

/// Where everything of one edge goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deployed<'a> {
    pub(crate) hub: &'a Cluster,
    pub(crate) edge: &'a Cluster,
    pub(crate) plan: &'a EdgePlan,
    /// Whether its Applications name it by its name.
    pub(crate) by_name: bool,
}

/// The repository with its commits, newest first.
#[derive(Debug)]
pub(crate) struct Past<'a> {
    pub(crate) repository: &'a FleetRepository,
    pub(crate) log: Vec<(String, Timestamp)>,
    /// When the first commit was made.
    pub(crate) begun: Timestamp,
}

impl<'a> Past<'a> {
    pub(crate) fn of(
        repository: &'a FleetRepository,
        start: Timestamp,
    ) -> Result<Self, WorldError> {
        let log = repository.log()?;
        let begun = log.last().map_or(start, |(_, at)| *at);
        Ok(Self {
            repository,
            log,
            begun,
        })
    }
}

/// Lets the workloads come up, in strides longer than any pod takes; answers when they stand.
fn bring_up(workloads: &mut Workloads, from: Timestamp) -> Timestamp {
    const STRIDE: SignedDuration = SignedDuration::from_secs(5);
    let mut now = from;
    // A bound for workloads that never come to rest.
    for _ in 0..16 {
        let Some(next) = workloads.settle(now) else {
            break;
        };
        now = next.max(now + STRIDE);
    }
    now
}

impl Machinery {
    /// Lets the controllers write their statuses as of a quiet time after `rested`, then look at Git once more at the start.
    fn rest(&mut self, rested: Timestamp) {
        for now in quiet_times(rested, self.clock.now()) {
            let mut ground = Ground {
                edges: &self.edges,
                repository: &self.repository,
                renderer: &mut self.renderer,
            };
            for controller in &mut self.controllers {
                controller.look_at_git();
                controller.settle(&mut ground, now);
            }
        }
    }
}

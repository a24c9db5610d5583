//! One sitting with a fleet: the kubeconfig read, the sources running, the events folded. Commands and console begin here.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::operate::{Operate, operator};
use crate::config::{Config, Folders, HubLine, RepositoryLine, health_rules};
use crate::connect::kubeconfig::{self, Impersonate, LoadOptions};
use crate::connect::{
    ConnectOptions, Connector, FileProblem, FleetPlan, Lane, Mode, Reference, WallClock,
};
use crate::desired::{ArgoApi, DesiredHandle, Login, Programs, RepoPolicy, Settings};
use crate::domain::selector::NameGlob;
use crate::domain::{ClusterEvent, ClusterId, Fact, LinkState, Name, Safe};
use crate::drift::SealKey;
use crate::fleet::{Fleet, RowSeed};
use crate::health::Checks;
use crate::ops::{Clusters, WriteMode};
use crate::sources::health::HealthRules;
use crate::sources::metric::Direct;
use crate::sources::{self, Sources, SourcesOptions};

/// What a sitting is opened with.
#[derive(Clone, Debug)]
pub struct SessionOptions {
    /// Kubeconfig files in order of precedence; empty reads `KUBECONFIG`, else the usual file.
    pub kubeconfig: Vec<PathBuf>,
    /// Contexts to take; empty takes all.
    pub include: Vec<NameGlob>,
    /// Contexts to leave out.
    pub exclude: Vec<NameGlob>,
    /// Whom every row acts as.
    pub impersonate: Option<Impersonate>,
    /// Whether writes may pass the transport.
    pub write: bool,
    /// Limit of one request.
    pub request_timeout: Duration,
    /// The time of day.
    pub time: WallClock,
}

/// The kubeconfig as rows, not yet connected.
pub struct Planned {
    checks: Checks,
    direct: HashMap<ClusterId, Direct>,
    plan: FleetPlan,
    options: SessionOptions,
    config: Config,
    folders: Folders,
}

/// A fleet that is being heard.
pub struct Session {
    /// What is known so far.
    pub fleet: Fleet,
    /// The running actors.
    pub sources: Arc<Sources>,
    /// Events that were not folded yet.
    pub events: mpsc::Receiver<ClusterEvent>,
    /// Plans and runs.
    pub operate: Operate,
    /// What could not be read of the kubeconfig.
    pub problems: Vec<FileProblem>,
    /// Links and identities, for whoever asks at any time.
    pub links: Arc<Links>,
}

/// Reads the kubeconfig. Blocking: it reads files.
///
/// # Errors
/// A sentence, when not one context can be used.
pub fn plan(options: SessionOptions, config: Config, folders: Folders) -> Result<Planned, String> {
    let load = LoadOptions {
        paths: options.kubeconfig.clone(),
        include: options.include.clone(),
        exclude: options.exclude.clone(),
        aliases: config
            .cluster
            .iter()
            .filter(|c| !c.name.is_empty())
            .map(|c| (c.context.clone(), c.name.clone()))
            .collect(),
        impersonate: options.impersonate.clone(),
    };
    let plan = kubeconfig::load(&load).map_err(|e| e.to_string())?;
    let direct = direct(&plan, &config)?;
    let checks = Checks::new(Arc::new(health_rules(&folders)?));
    Ok(Planned {
        checks,
        direct,
        plan,
        options,
        config,
        folders,
    })
}

impl Planned {
    /// Starts everything. Must be called on the runtime.
    pub fn open(self) -> Session {
        let Self {
            checks,
            direct,
            plan,
            options,
            config,
            folders,
        } = self;
        let mode = if options.write {
            Mode::Write
        } else {
            Mode::ReadOnly
        };
        let connector = Connector::new(ConnectOptions {
            mode,
            ..ConnectOptions::default()
        });
        let mut key = [0_u8; 32];
        super::random(&mut key);
        let seal = Arc::new(SealKey::new(key));
        let desired = DesiredHandle::new(settings(&plan, &config, &folders, &seal));
        let fleet = Fleet::new(seeds(&plan, &config), config.aliases());
        let links = Arc::new(Links::new(&plan));
        let problems = plan.problems.clone();
        let (sources, events) = sources::start(SourcesOptions {
            plan,
            connector,
            desired: desired.clone(),
            aliases: config.aliases(),
            seal,
            metrics: direct,
            health: HealthRules::new(checks, std::env::current_exe().ok()),
            time: options.time.clone(),
        });
        links.sources.write().replace(Arc::downgrade(&sources));
        let operate = Operate {
            clusters: Arc::clone(&links) as Arc<dyn Clusters>,
            desired,
            types: Arc::clone(sources.types()),
            state: folders.state,
            operator: operator(),
            mode: if options.write {
                WriteMode::Write
            } else {
                WriteMode::ReadOnly
            },
            timeout: options.request_timeout,
            time: options.time,
        };
        Session {
            fleet,
            sources,
            events,
            operate,
            problems,
            links,
        }
    }
}

/// The metrics URLs of the configuration, by row.
fn direct(plan: &FleetPlan, config: &Config) -> Result<HashMap<ClusterId, Direct>, String> {
    let mut found = HashMap::new();
    for row in &plan.rows {
        let mut lines = row
            .contexts
            .iter()
            .filter_map(|context| config.cluster_of(context));
        if let Some(line) = lines.find(|line| !line.metrics_url.is_empty()) {
            let direct = Direct::new(&line.metrics_url, &line.metrics_token).map_err(|why| {
                format!(
                    "config.toml, [[cluster]] of context {}: {why}",
                    line.context
                )
            })?;
            found.insert(row.cluster.clone(), direct);
        }
    }
    Ok(found)
}

fn settings(plan: &FleetPlan, config: &Config, folders: &Folders, seal: &SealKey) -> Settings {
    let hinted = plan
        .rows
        .iter()
        .flat_map(|row| &row.hints.file_repositories)
        .map(PathBuf::from);
    let mirrors = plan.rows.iter().flat_map(|row| row.hints.mirrors.clone());
    let policy = RepoPolicy {
        file_prefixes: config
            .desired
            .file_repositories
            .iter()
            .cloned()
            .chain(hinted)
            .collect(),
        allow_http: config.desired.allow_http,
        ca_file: config.desired.ca_file.clone(),
        // The configuration is the nearer word.
        mirrors: mirrors.chain(config.desired.mirrors.clone()).collect(),
        remote_bases: config.desired.remote_bases.clone(),
        logins: config.repository.iter().filter_map(login).collect(),
        ..RepoPolicy::default()
    };
    Settings {
        policy,
        argo: argo_apis(plan, config),
        programs: programs(config),
        ..Settings::new(folders.cache.join("git"), seal.clone())
    }
}

/// A login of the configuration, which was checked when it was read.
fn login(line: &RepositoryLine) -> Option<Login> {
    Some(Login {
        url: line.url.clone(),
        username: line.username.clone(),
        password: Reference::parse(&line.password)?,
    })
}

/// Argo CD's APIs of the configuration, by row.
fn argo_apis(plan: &FleetPlan, config: &Config) -> HashMap<ClusterId, ArgoApi> {
    let row_of = |line: &HubLine| {
        plan.rows
            .iter()
            .find(|row| row.contexts.contains(&line.context.as_str().into()))
    };
    let lines = config.hub.iter();
    lines
        .filter_map(|line| {
            let api = ArgoApi {
                url: line.argocd_url.clone(),
                token: Reference::parse(&line.argocd_token)?,
                ca_file: line.argocd_ca_file.clone(),
            };
            Some((row_of(line)?.cluster.clone(), api))
        })
        .collect()
}

/// The rendering programs: those that the configuration names, else those on the search path.
fn programs(config: &Config) -> Programs {
    let usual = Programs::default();
    let desired = &config.desired;
    Programs {
        helm: desired.helm.clone().unwrap_or(usual.helm),
        // Whoever names a kustomize wants that one and no other.
        kubectl: usual.kubectl.filter(|_| desired.kustomize.is_none()),
        kustomize: desired.kustomize.clone().unwrap_or(usual.kustomize),
        jsonnet: desired.jsonnet.clone().unwrap_or(usual.jsonnet),
    }
}

fn seeds(plan: &FleetPlan, config: &Config) -> Vec<RowSeed> {
    plan.rows
        .iter()
        .map(|row| {
            let configured = config
                .group_of(row.cluster.as_str())
                .map(|g| g.name.clone());
            RowSeed {
                candidate: row.candidate(),
                group: configured
                    .or_else(|| row.hints.group.clone())
                    .map(Safe::from)
                    .unwrap_or_default(),
                broken: row.target.as_ref().err().cloned(),
                credential_ends: row.target.as_ref().ok().and_then(|target| {
                    let ends = [target.certificate_ends(), target.token_ends()];
                    ends.into_iter().flatten().min()
                }),
                labels: labels(config, row.cluster.as_str(), &row.contexts),
            }
        })
        .collect()
}

/// The labels that the configuration gives a row: those of its cluster before those of its group.
fn labels(config: &Config, row: &str, contexts: &[Name]) -> BTreeMap<Safe, Safe> {
    let own = contexts.iter().find_map(|c| config.cluster_of(c));
    let group = config.group_of(row).map(|group| &group.labels);
    let all = group.into_iter().chain(own.map(|line| &line.labels));
    all.flatten()
        .map(|(name, value)| (Safe::new(name), Safe::new(value)))
        .collect()
}

impl Session {
    /// Folds events until every cluster and application has been heard, or the time is over.
    pub async fn settle(&mut self, wait: Duration) {
        self.fold_until(wait, |fleet| fleet.pending() == 0).await;
    }

    /// Folds events until something holds, or the time is over. Says whether it held.
    pub async fn fold_until(&mut self, wait: Duration, holds: impl Fn(&Fleet) -> bool) -> bool {
        let end = Instant::now() + wait;
        loop {
            while let Ok(event) = self.events.try_recv() {
                self.fold(event);
            }
            if holds(&self.fleet) {
                return true;
            }
            match tokio::time::timeout_at(end, self.events.recv()).await {
                Ok(Some(event)) => self.fold(event),
                Ok(None) | Err(_) => return false,
            }
        }
    }

    fn fold(&mut self, event: ClusterEvent) {
        self.links.follow(&event);
        self.fleet.fold(event);
    }
}

/// How each row stands, beside the loop: planning and running ask it from their own tasks.
pub struct Links {
    rows: RwLock<HashMap<ClusterId, Standing>>,
    sources: RwLock<Option<std::sync::Weak<Sources>>>,
}

#[derive(Clone, Default)]
struct Standing {
    link: LinkState,
    uid: Name,
    identity: Name,
}

impl Links {
    fn new(plan: &FleetPlan) -> Self {
        let rows = plan.rows.iter().map(|row| {
            (
                row.cluster.clone(),
                Standing {
                    identity: row.identity.clone(),
                    ..Standing::default()
                },
            )
        });
        Self {
            rows: RwLock::new(rows.collect()),
            sources: RwLock::new(None),
        }
    }

    /// Takes what an event says of a link.
    pub fn follow(&self, event: &ClusterEvent) {
        match &event.fact {
            Fact::Link { state, .. } => self.with(&event.cluster, |row| row.link = *state),
            Fact::Facts(facts) => {
                self.with(&event.cluster, |row| row.uid = facts.uid.as_str().into())
            }
            _ => {}
        }
    }

    fn with(&self, cluster: &ClusterId, change: impl FnOnce(&mut Standing)) {
        if let Some(row) = self.rows.write().get_mut(cluster) {
            change(row);
        }
    }

    fn standing(&self, cluster: &ClusterId) -> Standing {
        self.rows.read().get(cluster).cloned().unwrap_or_default()
    }
}

impl Clusters for Links {
    fn client(&self, cluster: &ClusterId) -> Option<kube::Client> {
        let sources = self.sources.read().as_ref()?.upgrade()?;
        sources
            .connection(cluster)
            .map(|connection| connection.client(Lane::Interactive))
    }

    fn link(&self, cluster: &ClusterId) -> LinkState {
        self.standing(cluster).link
    }

    fn uid(&self, cluster: &ClusterId) -> Name {
        self.standing(cluster).uid
    }

    fn identity(&self, cluster: &ClusterId) -> Name {
        self.standing(cluster).identity
    }
}

//! The desired state as a service: resolve, render, log, and word of repositories that moved. Cloned handles share mirrors and caches.

mod poll;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use git2::Oid;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};

use crate::domain::{
    ClusterId, Commit, DesiredObject, Name, Newest, ObjectRef, Source, Unjudged, UnjudgedReason,
};
use crate::drift::seal::SealKey;

use super::argo_api::{self, ArgoApi, Asked};
use super::ask::{Ask, Purpose, Served};
use super::charts::{ChartRepo, Charts, Layers, Place, Pulled, Wanted};
use super::contents::Contents;
use super::copy::CopyLimits;
use super::flux::Given;
use super::git::FetchLimits;
use super::helm::{self, RefAt};
use super::key::ContentKey;
use super::kind;
use super::lease::Lease;
use super::mirror::blocking;
use super::policy::{RepoPolicy, admit};
use super::prepare::{Placement, Prepared, Recipe, at_commit, prepare};
use super::program::{Cell, ProgramLimits};
use super::release;
use super::render::{Content, Rendered, Secrets};
use super::repo::Repo;
use super::revision;
use super::shelf::Shelf;
use super::shop::{self, Programs, Shop, cancelled, off_the_loop};
use super::tree::{self, RenderLimits, broken};
use super::unjudged;
use super::work::{At, Brief, Work};
use poll::{poll, poll_charts};

/// Commits between two revisions that are told one by one.
const SHOWN: usize = 20;

/// How the service works; all of it has defaults but the cache folder.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where mirrors are kept; made with mode 0700.
    pub cache: PathBuf,
    /// The key of this run, the same that live objects are sealed with: only then do equal Secrets read as equal.
    pub seal: SealKey,
    /// Which URLs may be reached.
    pub policy: RepoPolicy,
    /// The `git` program.
    pub git: PathBuf,
    /// What one fetch may cost.
    pub fetch: FetchLimits,
    /// What one path may cost.
    pub render: RenderLimits,
    /// The API of the Argo CD of each hub, where the configuration names one.
    pub argo: HashMap<ClusterId, ArgoApi>,
    /// The programs that render what is no plain manifest.
    pub programs: Programs,
    /// What a copy for a program may cost.
    pub copy: CopyLimits,
    /// What one run of a program may cost.
    pub program: ProgramLimits,
    /// Time between polls of a repository over the network, spread by a fifth.
    pub poll: Duration,
    /// The same for `file://`, where a poll costs nothing.
    pub local_poll: Duration,
    /// The same for chart repositories and registries.
    pub chart_poll: Duration,
    /// How long after the last question a repository is polled that no application holds a [`Lease`] of.
    pub idle_after: Duration,
    /// Fetches at a time.
    pub fetches: usize,
    /// Folders read at a time.
    pub renders: usize,
}

impl Settings {
    /// The defaults, with mirrors below this folder and Secrets sealed with this key.
    pub fn new(cache: impl Into<PathBuf>, seal: SealKey) -> Self {
        Self {
            cache: cache.into(),
            seal,
            policy: RepoPolicy::default(),
            git: "git".into(),
            fetch: FetchLimits::default(),
            render: RenderLimits::default(),
            argo: HashMap::new(),
            programs: Programs::default(),
            copy: CopyLimits::default(),
            program: ProgramLimits::default(),
            poll: Duration::from_secs(60),
            local_poll: Duration::from_secs(2),
            chart_poll: Duration::from_secs(180),
            idle_after: Duration::from_secs(600),
            fetches: 6,
            renders: std::thread::available_parallelism().map_or(2, usize::from),
        }
    }
}

/// A repository's references moved, or access to it came or went: what was resolved and rendered from it should be asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoChanged {
    /// Its URL, without credentials, as in [`Rendered::repo`].
    pub url: Name,
}

/// One repository as the service knows it, for `doctor`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepoStatus {
    /// Its URL, without credentials.
    pub url: Name,
    /// How the last fetch ended; `None` while the first is under way.
    pub last: Option<Result<(), Unjudged>>,
}

/// Where a source's desired state stands and what has to be done for it. Found without reading a manifest.
#[derive(Clone, Debug)]
pub struct Located {
    /// The repository's URL, without credentials.
    pub repo: Name,
    /// The commit.
    pub revision: Name,
    /// What the content depends on.
    pub key: ContentKey,
    work: Arc<Work>,
    at: At,
}

impl PartialEq for Located {
    /// The same content at the same revision.
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.revision == other.revision && self.repo == other.repo
    }
}

/// Desired state, for whoever needs it. Needs a tokio runtime when used.
#[derive(Clone)]
pub struct DesiredHandle(Arc<Inner>);

impl fmt::Debug for DesiredHandle {
    /// Shows nothing: the keys of the repositories are URLs as clusters wrote them, passwords included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesiredHandle").finish_non_exhaustive()
    }
}

struct Inner {
    settings: Settings,
    repos: Mutex<HashMap<Name, Arc<Repo>>>,
    charts: Charts,
    argo: HashMap<ClusterId, argo_api::Client>,
    fetches: Semaphore,
    renders: Semaphore,
    shop: Arc<Shop>,
    works: Mutex<Shelf<ContentKey, Weak<Work>>>,
    contents: Contents,
    prepared: Mutex<Shelf<(ContentKey, Placement), Weak<Prepared>>>,
    served: Mutex<HashMap<ClusterId, Served>>,
    given: Mutex<HashMap<Name, (Name, Arc<Given>)>>,
    changes: broadcast::Sender<RepoChanged>,
}

impl DesiredHandle {
    /// Makes the service; nothing is fetched yet.
    pub fn new(settings: Settings) -> Self {
        let (changes, _) = broadcast::channel(256);
        shop::sweep(&settings.cache.join("work"));
        Self(Arc::new(Inner {
            fetches: Semaphore::new(settings.fetches.max(1)),
            renders: Semaphore::new(settings.renders.max(1)),
            repos: Mutex::default(),
            charts: Charts::new(
                &settings.cache,
                &settings.policy,
                settings.fetch.time,
                settings.copy,
            ),
            argo: clients(&settings),
            shop: Arc::new(Shop {
                folder: settings.cache.join("work"),
                programs: settings.programs.clone(),
                limits: settings.render,
                copy: settings.copy,
                program: settings.program,
                cell: Cell::default(),
            }),
            works: Mutex::default(),
            contents: Contents::default(),
            prepared: Mutex::default(),
            served: Mutex::default(),
            given: Mutex::default(),
            settings,
            changes,
        }))
    }

    /// Word of repositories that moved. A receiver that lags must ask everything again.
    pub fn changes(&self) -> broadcast::Receiver<RepoChanged> {
        self.0.changes.subscribe()
    }

    /// Takes in what a cluster serves.
    pub fn learn(&self, cluster: &ClusterId, served: Served) {
        self.0.served.lock().insert(cluster.clone(), served);
    }

    /// What a cluster serves, as far as it was heard.
    pub fn served(&self, cluster: &ClusterId) -> Option<Served> {
        self.0.served.lock().get(cluster).cloned()
    }

    /// Takes in what a cluster's ConfigMaps and Secrets give to an application of Flux; `stamp` says which of them in which version.
    pub fn give(&self, to: &Name, stamp: Name, given: Arc<Given>) {
        self.0.given.lock().insert(to.clone(), (stamp, given));
    }

    /// Forgets what was given to an application.
    pub fn take_back(&self, from: &Name) {
        self.0.given.lock().remove(from);
    }

    /// What is given to a source.
    ///
    /// # Errors
    /// `Pending` when it is not the version that the source was told of.
    fn given(&self, source: &Source) -> Result<Arc<Given>, Unjudged> {
        let settings = source.flux.as_ref().map(|f| f.value());
        let text = |key: &str| settings.and_then(|s| s.pointer(key)?.as_str());
        let (Some(to), Some(stamp)) = (text("/given/to"), text("/given/stamp")) else {
            return Ok(Arc::default());
        };
        let known = self.0.given.lock().get(to).cloned();
        match known {
            Some((version, given)) if *version == *stamp => Ok(given),
            _ => Err(unjudged(
                UnjudgedReason::Pending,
                "What its ConfigMaps and Secrets give to it is still being read.",
            )),
        }
    }

    /// The commit that the source's target revision means now.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn resolve(&self, source: &Source) -> Result<Name, Unjudged> {
        let repo = self.repo_of(source)?;
        let id = repo
            .resolve(&source.target_revision, &self.0.fetches)
            .await?;
        Ok(id.to_string().into())
    }

    /// Finds what a source needs at its revision, without reading a manifest or running anything.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn locate(&self, ask: &Ask, purpose: &Purpose) -> Result<Located, Unjudged> {
        kind::by_settings(&ask.source)?;
        let found = self.found(ask).await?;
        let brief = Brief {
            refs: self.refs(ask).await?,
            ask: ask.clone(),
            purpose: purpose.clone(),
            remote_bases: self.0.settings.policy.remote_bases.clone(),
            limits: self.0.settings.render,
            given: self.given(&ask.source)?,
        };
        let at = found.at.clone();
        let work = off_the_loop(move || Work::plan(&at, &brief)).await?;
        let work = self.with_dependencies(work, ask).await?;
        Ok(Located {
            repo: found.url,
            revision: found.at.revision.clone(),
            key: work.key(),
            work: self.shared(work),
            at: found.at,
        })
    }

    /// The commit that a source at its revision means: of a mirror, or of the store of charts.
    async fn found(&self, ask: &Ask) -> Result<Pulled, Unjudged> {
        if Place::is_meant(&ask.source) {
            let place = Place::of(&ask.source, &self.0.settings.policy)?;
            let wanted = Wanted {
                chart: ask.source.chart.clone(),
                revision: ask.revision.clone(),
                pass_credentials: helm::passes_credentials(&ask.source),
                layers: Layers::of(&ask.source),
            };
            return self.pulled(place, &wanted).await;
        }
        let repo = self.repo_of(&ask.source)?;
        let commit = repo.resolve(&ask.revision, &self.0.fetches).await?;
        let commit = self.packaged(&repo, commit, &ask.source).await?;
        Ok(Pulled {
            url: repo.remote.url.clone(),
            at: At {
                bare: repo.mirror.bare.clone(),
                commit,
                revision: commit.to_string().into(),
            },
        })
    }

    /// The commit that Flux has packaged a chart from, where that is not the commit itself.
    async fn packaged(&self, repo: &Repo, from: Oid, source: &Source) -> Result<Oid, Unjudged> {
        let Some(version) = release::packaged(source).map(str::to_owned) else {
            return Ok(from);
        };
        let (mirror, source) = (repo.mirror.clone(), source.clone());
        off_the_loop(move || release::packaged_at(&mirror.bare, from, &source, &version)).await
    }

    /// What is wanted of a chart repository, which is polled from its first use on.
    async fn pulled(&self, place: Place, wanted: &Wanted) -> Result<Pulled, Unjudged> {
        let repo = self.chart_repo(place);
        self.0.charts.pull(&repo, wanted, &self.0.fetches).await
    }

    /// The chart repository at a place; its poller starts with its first use.
    fn chart_repo(&self, place: Place) -> Arc<ChartRepo> {
        let (repo, is_new) = self.0.charts.repo(place);
        if is_new {
            tokio::spawn(poll_charts(Arc::downgrade(&self.0), repo.clone()));
        }
        repo
    }

    /// The work with the charts that its chart depends on and does not carry, as far as they may be pulled.
    async fn with_dependencies(&self, mut work: Work, ask: &Ask) -> Result<Work, Unjudged> {
        for dependency in work.dependencies() {
            let policy = &self.0.settings.policy;
            let place = Place::of_dependency(&dependency.repository, &dependency.name, policy)?;
            if !place.is_allowed(&ask.source, policy) {
                return Err(dependency.forbidden(&place.url));
            }
            let pulled = self.pulled(place, &dependency.wanted()).await?;
            work = off_the_loop(move || {
                work.carry(&dependency, &pulled.at)?;
                Ok(work)
            })
            .await?;
        }
        Ok(work)
    }

    /// The sources that value files refer to, resolved; those that no value file names are not asked for.
    async fn refs(&self, ask: &Ask) -> Result<Vec<RefAt>, Unjudged> {
        let settings = ask.source.helm.as_ref().map(|h| h.value().to_string());
        let settings = settings.unwrap_or_default();
        let mut found = Vec::new();
        for (source, revision) in ask.refs.iter() {
            if !settings.contains(&format!("${}/", source.reference)) {
                continue;
            }
            let repo = self.repo_of(source)?;
            let commit = repo.resolve(revision, &self.0.fetches).await?;
            let mirror = repo.mirror.clone();
            let root = off_the_loop(move || {
                let root = mirror.bare.with(|git| tree::root(git, commit));
                root.map_err(|e| broken(&e))?
            });
            found.push(RefAt {
                name: source.reference.clone(),
                root: root.await?,
                bare: repo.mirror.bare.clone(),
            });
        }
        Ok(found)
    }

    /// The same work as one that is known already, if there is one: applications of one path share it.
    fn shared(&self, work: Work) -> Arc<Work> {
        let key = work.key();
        let mut works = self.0.works.lock();
        if let Some(known) = works.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let work = Arc::new(work);
        works.sweep(|known| known.strong_count() > 0);
        works.insert(key, Arc::downgrade(&work));
        work
    }

    /// What a located source holds, Secrets sealed; made once for all who ask at the same time, and kept for a while.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn content(&self, located: &Located) -> Result<Arc<Content>, Unjudged> {
        let sealed = Secrets::Sealed(self.0.settings.seal.clone());
        let make = || self.make(located, &sealed);
        self.0.contents.get(&located.key, make).await
    }

    /// What the source holds at a revision, Secrets sealed; for nobody in particular.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn render(&self, source: &Source, revision: &str) -> Result<Arc<Rendered>, Unjudged> {
        let ask = Ask::of(source, revision);
        let located = self.locate(&ask, &Purpose::default()).await?;
        let content = self.content(&located).await?;
        Ok(Arc::new(Rendered {
            repo: located.repo,
            revision: located.revision,
            content,
        }))
    }

    /// A located source's objects in their places, Secrets sealed. Equal contents and placements share one allocation.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn prepared(
        &self,
        located: &Located,
        placement: &Placement,
    ) -> Result<Arc<Prepared>, Unjudged> {
        let key = (located.key, placement.clone());
        if let Some(known) = self.0.prepared.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let content = self.content(located).await?;
        let placement = placement.clone();
        let made = blocking(move || Arc::new(prepare(&content, &placement))).await;
        let made = made.map_err(|_| cancelled())?;
        let mut prepared = self.0.prepared.lock();
        // Another may have made the same meanwhile; then ours is dropped.
        if let Some(known) = prepared.get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        prepared.sweep(|known| known.strong_count() > 0);
        prepared.insert(key, Arc::downgrade(&made));
        Ok(made)
    }

    /// The URL by which [`RepoChanged`] names the source's repository; `None` when the policy forbids it.
    pub fn url_of(&self, source: &Source) -> Option<Name> {
        if Place::is_meant(source) {
            return self.0.charts.url_of(source);
        }
        if let Some(repo) = self.0.repos.lock().get(&source.repo_url) {
            return Some(repo.remote.url.clone());
        }
        let remote = admit(&source.repo_url, &self.0.settings.policy);
        remote.ok().map(|remote| remote.url)
    }

    /// One object as the application wants it, Secret values in clear: for a write that is about to be made. Nothing of it is kept.
    ///
    /// Of several sources that hold it the last one counts, as in Argo CD.
    ///
    /// # Errors
    /// Why it cannot be told; `NotFound` when no source holds the object.
    pub async fn raw(
        &self,
        asks: &[Ask],
        recipe: &Recipe,
        object: &ObjectRef,
    ) -> Result<Arc<DesiredObject>, Unjudged> {
        let mut found = None;
        let mut looked = Vec::new();
        for ask in asks {
            let located = self.locate(ask, &recipe.purpose).await?;
            let content = self.make(&located, &Secrets::Raw).await?;
            let mut prepared = prepare(&content, &recipe.placement());
            prepared.objects.retain(|o| o.object.same_object(object));
            let objects = at_commit(&prepared, recipe, &located.repo, &located.revision);
            found = objects.into_iter().next_back().or(found);
            looked.push(format!("{} at {:.10}", located.repo, located.revision));
        }
        found.ok_or_else(|| {
            let message = format!("{object} is not in {}.", looked.join(" nor in "));
            unjudged(UnjudgedReason::NotFound, message)
        })
    }

    /// What Argo CD's API says that the application's objects should be; `None` when the configuration names no API for its hub.
    ///
    /// # Errors
    /// Why the API does not tell.
    pub async fn stand_in(
        &self,
        asked: &Asked,
    ) -> Option<Result<Vec<Arc<DesiredObject>>, Unjudged>> {
        let client = self.0.argo.get(&asked.app.hub)?;
        Some(client.wanted(asked).await)
    }

    /// What a target has that is not deployed: both revisions, and the commits between them.
    ///
    /// # Errors
    /// When the mirror cannot be read.
    pub async fn newest(&self, deployed: &Located, target: &Located) -> Result<Newest, Unjudged> {
        let mut newest = Newest {
            repo: target.repo.clone(),
            deployed: deployed.revision.clone(),
            revision: target.revision.clone(),
            ..Newest::default()
        };
        let (from, to) = (deployed.at.commit, target.at.clone());
        // Pulled charts have no history.
        let has_history = Arc::ptr_eq(&deployed.at.bare, &to.bare) && !self.0.charts.holds(&to);
        if has_history && newest.is_behind() {
            let read = blocking(move || {
                to.bare
                    .with(|git| revision::between(git, from, to.commit, SHOWN))
            });
            let read = read.await.map_err(|_| cancelled())?;
            let between = read.and_then(|inner| inner).map_err(|e| broken(&e))?;
            (newest.count, newest.commits) = between;
        }
        Ok(newest)
    }

    /// Keeps a source's repository polled until the lease is dropped; `None` when the policy forbids it.
    pub fn lease(&self, source: &Source) -> Option<Lease> {
        if Place::is_meant(source) {
            let place = Place::of(source, &self.0.settings.policy).ok()?;
            return Some(self.chart_repo(place).leases.take());
        }
        Some(self.repo_of(source).ok()?.leases.take())
    }

    /// The newest commits from a revision on, for display.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn log(
        &self,
        source: &Source,
        revision: &str,
        count: usize,
    ) -> Result<Vec<Commit>, Unjudged> {
        let repo = self.repo_of(source)?;
        let tip = repo.resolve(revision, &self.0.fetches).await?;
        let mirror = repo.mirror.clone();
        let read = blocking(move || mirror.bare.with(|git| revision::log(git, tip, count)));
        let commits = read.await.map_err(|_| cancelled())?;
        commits.and_then(|inner| inner).map_err(|e| broken(&e))
    }

    /// A hub compared with this commit: if the mirror lacks it, Git moved on, and a poll is made at once.
    pub async fn expect(&self, source: &Source, commit: &str) {
        if let Ok(repo) = self.repo_of(source) {
            repo.expect(commit).await;
        }
    }

    /// Every repository that was asked for, and how its last fetch ended.
    pub fn repositories(&self) -> Vec<RepoStatus> {
        let repos = self.0.repos.lock();
        let mut all: Vec<RepoStatus> = repos
            .values()
            .map(|repo| RepoStatus {
                url: repo.remote.url.clone(),
                last: repo.last(),
            })
            .collect();
        let charts = self.0.charts.all().into_iter();
        all.extend(charts.map(|(url, last)| RepoStatus { url, last }));
        all.sort_by(|a, b| a.url.cmp(&b.url));
        all.dedup_by(|a, b| a.url == b.url);
        all
    }

    /// The repository of a source; its poller starts with its first use.
    fn repo_of(&self, source: &Source) -> Result<Arc<Repo>, Unjudged> {
        if let Some(repo) = self.0.repos.lock().get(&source.repo_url) {
            return Ok(repo.clone());
        }
        let remote = admit(&source.repo_url, &self.0.settings.policy)?;
        let mut repos = self.0.repos.lock();
        // Two spellings of one URL share the repository.
        let known = repos
            .values()
            .find(|r| r.remote.folder() == remote.folder())
            .cloned();
        let repo = known.unwrap_or_else(|| {
            let repo = Arc::new(Repo::new(remote, &self.0.settings));
            tokio::spawn(poll(Arc::downgrade(&self.0), repo.clone()));
            repo
        });
        repos.insert(source.repo_url.clone(), repo.clone());
        Ok(repo)
    }

    async fn make(&self, located: &Located, secrets: &Secrets) -> Result<Content, Unjudged> {
        let _permit = self.0.renders.acquire().await.map_err(|_| cancelled())?;
        self.0.shop.make(&located.work, secrets).await
    }
}

fn clients(settings: &Settings) -> HashMap<ClusterId, argo_api::Client> {
    let client = |api| argo_api::Client::new(api, settings.policy.allow_http, settings.fetch.time);
    let apis = settings.argo.iter();
    apis.map(|(hub, api)| (hub.clone(), client(api))).collect()
}

#[cfg(test)]
mod tests;

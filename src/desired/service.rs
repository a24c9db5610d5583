//! The desired state as a service: resolve, render, log, and word of repositories that moved. Cloned handles share mirrors and caches.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use git2::Oid;
use parking_lot::Mutex;
use tokio::sync::{Semaphore, broadcast};

use crate::domain::{DesiredObject, Name, ObjectRef, Source, Unjudged, UnjudgedReason};
use crate::drift::seal::SealKey;

use super::contents::{ContentKey, Contents};
use super::git::FetchLimits;
use super::mirror::blocking;
use super::policy::{RepoPolicy, admit};
use super::prepare::{Placement, Prepared, Recipe, at_commit, prepare};
use super::render::{self, Content, Rendered, Secrets};
use super::repo::Repo;
use super::revision::{self, Commit};
use super::shelf::Shelf;
use super::tree::{RenderLimits, broken};
use super::unjudged;

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
    /// Time between polls of a repository over the network, spread by a fifth.
    pub poll: Duration,
    /// The same for `file://`, where a poll costs nothing.
    pub local_poll: Duration,
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
            poll: Duration::from_secs(60),
            local_poll: Duration::from_secs(2),
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

/// Where a source's desired state stands: which commit, which folder. Found without reading a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located {
    /// The repository's URL, without credentials.
    pub repo: Name,
    /// The commit.
    pub revision: Name,
    /// What the content depends on.
    pub key: ContentKey,
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
    fetches: Semaphore,
    renders: Semaphore,
    contents: Contents,
    prepared: Mutex<Shelf<(ContentKey, Placement), Weak<Prepared>>>,
    changes: broadcast::Sender<RepoChanged>,
}

impl DesiredHandle {
    /// Makes the service; nothing is fetched yet.
    pub fn new(settings: Settings) -> Self {
        let (changes, _) = broadcast::channel(256);
        Self(Arc::new(Inner {
            fetches: Semaphore::new(settings.fetches.max(1)),
            renders: Semaphore::new(settings.renders.max(1)),
            repos: Mutex::default(),
            contents: Contents::default(),
            prepared: Mutex::default(),
            settings,
            changes,
        }))
    }

    /// Word of repositories that moved. A receiver that lags must ask everything again.
    pub fn changes(&self) -> broadcast::Receiver<RepoChanged> {
        self.0.changes.subscribe()
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

    /// Finds the source's folder at a revision (a branch, a tag, a commit) without reading it.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn locate(&self, source: &Source, revision: &str) -> Result<Located, Unjudged> {
        let repo = self.repo_of(source)?;
        let commit = repo.resolve(revision, &self.0.fetches).await?;
        let (mirror, wanted) = (repo.mirror.clone(), source.clone());
        let find =
            move || mirror.with(|git| render::locate(git, commit, &wanted).map(|place| place.id()));
        let found = blocking(find).await.map_err(|_| cancelled())?;
        let folder = found.map_err(|e| broken(&e))??;
        Ok(Located {
            repo: repo.remote.url.clone(),
            revision: commit.to_string().into(),
            key: ContentKey::of(folder, source),
        })
    }

    /// What a located folder holds, Secrets sealed; read once for all who ask at the same time, and kept for a while.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn content(
        &self,
        source: &Source,
        located: &Located,
    ) -> Result<Arc<Content>, Unjudged> {
        let read = || async {
            let repo = self.repo_of(source)?;
            let commit = repo.resolve(&located.revision, &self.0.fetches).await?;
            self.read(
                &repo,
                commit,
                source,
                Secrets::Sealed(self.0.settings.seal.clone()),
            )
            .await
        };
        self.0.contents.get(&located.key, read).await
    }

    /// What the source's path holds at a revision, Secrets sealed.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn render(&self, source: &Source, revision: &str) -> Result<Arc<Rendered>, Unjudged> {
        let located = self.locate(source, revision).await?;
        let content = self.content(source, &located).await?;
        Ok(Arc::new(Rendered {
            repo: located.repo,
            revision: located.revision,
            content,
        }))
    }

    /// The located folder's objects in their places, Secrets sealed. Equal folders and placements share one allocation.
    ///
    /// # Errors
    /// Why it cannot be told.
    pub async fn prepared(
        &self,
        source: &Source,
        located: &Located,
        placement: &Placement,
    ) -> Result<Arc<Prepared>, Unjudged> {
        let key = (located.key.clone(), placement.clone());
        if let Some(known) = self.0.prepared.lock().get(&key).and_then(Weak::upgrade) {
            return Ok(known);
        }
        let content = self.content(source, located).await?;
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
        if let Some(repo) = self.0.repos.lock().get(&source.repo_url) {
            return Some(repo.remote.url.clone());
        }
        let remote = admit(&source.repo_url, &self.0.settings.policy);
        remote.ok().map(|remote| remote.url)
    }

    /// One object as the application wants it at a revision, Secret values in clear: for a write that is about to be made. Nothing of it is kept.
    ///
    /// # Errors
    /// Why it cannot be told; `NotFound` when the revision does not hold the object.
    pub async fn raw(
        &self,
        source: &Source,
        revision: &str,
        recipe: &Recipe,
        object: &ObjectRef,
    ) -> Result<Arc<DesiredObject>, Unjudged> {
        let repo = self.repo_of(source)?;
        let commit = repo.resolve(revision, &self.0.fetches).await?;
        let content = self.read(&repo, commit, source, Secrets::Raw).await?;
        let mut prepared = prepare(&content, &recipe.placement());
        prepared.objects.retain(|o| o.object.same_object(object));
        let url = &repo.remote.url;
        at_commit(&prepared, recipe, url, &commit.to_string().into())
            .pop()
            .ok_or_else(|| {
                let message = format!("{object} is not in {url} at {commit:.10}.");
                unjudged(UnjudgedReason::NotFound, message)
            })
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
        let read = blocking(move || mirror.with(|git| revision::log(git, tip, count)));
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
        all.sort_by(|a, b| a.url.cmp(&b.url));
        all.dedup_by(|a, b| a.url == b.url);
        all
    }

    /// The repository of a source; its poller starts with its first use.
    fn repo_of(&self, source: &Source) -> Result<Arc<Repo>, Unjudged> {
        render::require_plain_source(source)?;
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

    async fn read(
        &self,
        repo: &Arc<Repo>,
        commit: Oid,
        source: &Source,
        secrets: Secrets,
    ) -> Result<Content, Unjudged> {
        let _permit = self.0.renders.acquire().await.map_err(|_| cancelled())?;
        let (mirror, source) = (repo.mirror.clone(), source.clone());
        let limits = self.0.settings.render;
        let read = move || {
            mirror.with(|git| {
                let place = render::locate(git, commit, &source)?;
                render::read(git, &place, &source, &limits, &secrets)
            })
        };
        let content = blocking(read).await.map_err(|_| cancelled())?;
        content.map_err(|e| broken(&e))?
    }
}

fn cancelled() -> Unjudged {
    unjudged(
        UnjudgedReason::Pending,
        "The desired state was not read because the program is ending.",
    )
}

/// Fetches one repository again and again, until the service is gone.
async fn poll(service: Weak<Inner>, repo: Arc<Repo>) {
    loop {
        let pause = match service.upgrade() {
            Some(inner) => repo.pause(&inner.settings, fastrand::f64()),
            None => return,
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = repo.nudged.notified() => {}
        }
        let Some(inner) = service.upgrade() else {
            return;
        };
        if repo.fetch(&inner.fetches).await {
            // Nobody listening is no failure.
            let _ = inner.changes.send(RepoChanged {
                url: repo.remote.url.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests;

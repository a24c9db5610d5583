//! The bare mirror of one repository on disk: made, filled, opened; what its references are.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::{AutotagOption, FetchOptions, FetchPrune, RemoteCallbacks, Repository};
use sha2::{Digest, Sha256};

use super::bare::{Bare, BareError};
use super::git::{self, FetchLimits, GitError};
use super::policy::{Remote, RepoPolicy, Transport};
use super::revision::HEAD;
use crate::connect::ReferenceError;

/// Why a mirror could not be made or filled.
#[derive(Debug, thiserror::Error)]
pub(super) enum MirrorError {
    /// It cannot be made or written.
    #[error(transparent)]
    Bare(#[from] BareError),
    /// Another process holds the mirror.
    #[error("another driftdeck is fetching this repository and does not end")]
    Busy,
    /// libgit2 could not read or write.
    #[error("{}", .0.message())]
    Git2(#[from] git2::Error),
    /// The `git` program failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The password that the configuration names cannot be read.
    #[error(
        "its password cannot be read: {0}; correct `password` of its [[repository]] in config.toml"
    )]
    Login(ReferenceError),
    /// The runtime is shutting down.
    #[error("the work was cancelled")]
    Cancelled,
}

/// One mirror.
#[derive(Debug)]
pub(super) struct Mirror {
    remote: Remote,
    /// What was fetched.
    pub(super) bare: Arc<Bare>,
}

/// What a fetch is told.
#[derive(Clone, Debug)]
pub(super) struct FetchPlan {
    pub(super) program: PathBuf,
    pub(super) policy: RepoPolicy,
    pub(super) limits: FetchLimits,
    pub(super) refspecs: Vec<String>,
}

/// All branches, all tags, and what the remote calls `HEAD`.
pub(super) fn all_refs() -> Vec<String> {
    vec![
        "+refs/heads/*:refs/heads/*".to_owned(),
        "+refs/tags/*:refs/tags/*".to_owned(),
        format!("+HEAD:{HEAD}"),
    ]
}

impl Mirror {
    pub(super) fn new(cache: &Path, remote: Remote) -> Self {
        Self {
            bare: Arc::new(Bare::new(cache.join(remote.folder()))),
            remote,
        }
    }

    /// A digest of all references; equal while nothing moved.
    pub(super) fn digest(&self) -> Result<[u8; 32], git2::Error> {
        self.bare.with(digest_of)?
    }

    /// Fetches. Alone among all processes that share the cache; leaves no half of a pack behind.
    ///
    /// # Errors
    /// [`MirrorError`]; what was fetched before stays readable, but for a mirror that grew too large, which is removed.
    pub(super) async fn fetch(self: &Arc<Self>, plan: FetchPlan) -> Result<(), MirrorError> {
        let _lock = self.lock(plan.limits.time).await?;
        let fetched = match &self.remote.transport {
            Transport::File(source) => {
                let (mirror, source) = (self.clone(), source.clone());
                blocking(move || mirror.fetch_local(&source, &plan)).await?
            }
            Transport::Http | Transport::Ssh => self.fetch_network(&plan).await,
        };
        if let Err(error) = &fetched {
            self.clean_up(matches!(error, MirrorError::Git(GitError::TooLarge(_))));
        }
        fetched
    }

    async fn fetch_network(self: &Arc<Self>, plan: &FetchPlan) -> Result<(), MirrorError> {
        let mirror = self.clone();
        blocking(move || mirror.bare.ensure()).await??;
        let mut refspecs = plan.refspecs.clone();
        let remote = self.with_login(&plan.policy).await?;
        loop {
            let invocation = git::fetch(
                &plan.program,
                self.bare.folder(),
                &remote,
                &refspecs,
                &plan.policy,
            );
            match git::run(&invocation, self.bare.folder(), plan.limits).await {
                // The remote's HEAD names a branch that does not exist; its branches are there nevertheless.
                Err(GitError::Refused(said))
                    if refspecs.len() > 1 && said.contains("remote ref HEAD") =>
                {
                    refspecs.retain(|r| !r.starts_with("+HEAD:"));
                }
                other => return other.map_err(MirrorError::from),
            }
        }
    }

    /// The remote with the password that the configuration names for it; without one, git's own helpers are asked.
    async fn with_login(&self, policy: &RepoPolicy) -> Result<Remote, MirrorError> {
        let Some(login) = policy.login_for(&self.remote.url) else {
            return Ok(self.remote.clone());
        };
        let password = login.password.read().await.map_err(MirrorError::Login)?;
        let asked = self.remote.asked_by(&login.username, &password);
        Ok(asked.unwrap_or_else(|| self.remote.clone()))
    }

    /// Fetches a local repository with libgit2: nothing is run, and nothing is copied when no reference moved.
    fn fetch_local(&self, source: &Path, plan: &FetchPlan) -> Result<(), MirrorError> {
        self.bare.ensure()?;
        let repo = Repository::open_bare(self.bare.folder())?;
        let mut refspecs = plan.refspecs.clone();
        let has_head = Repository::open(source)?.head().is_ok();
        refspecs.retain(|r| has_head || !r.starts_with("+HEAD:"));
        let url = source.to_string_lossy();
        if let Err(first) = fetch_once(&repo, &url, &refspecs, plan.limits) {
            // A branch `a` that became `a/b` cannot be written while `a` is there; without our copies of the branches it can.
            if first.code() == git2::ErrorCode::User || first.class() == git2::ErrorClass::Callback
            {
                return Err(GitError::TimedOut(plan.limits.time).into());
            }
            forget_refs(&repo)?;
            fetch_once(&repo, &url, &refspecs, plan.limits)?;
        }
        Ok(())
    }

    /// Removes what a stopped fetch left, or the whole mirror.
    fn clean_up(&self, all: bool) {
        if all {
            self.bare.remove();
            return;
        }
        let Ok(packs) = std::fs::read_dir(self.bare.folder().join("objects/pack")) else {
            return;
        };
        for entry in packs.flatten() {
            if entry.file_name().to_string_lossy().starts_with("tmp_") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    async fn lock(&self, patience: Duration) -> Result<File, MirrorError> {
        let file = self.bare.lock_file()?;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(self.bare.unusable(e).into()),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(MirrorError::Busy);
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

fn fetch_once(
    repo: &Repository,
    url: &str,
    refspecs: &[String],
    limits: FetchLimits,
) -> Result<(), git2::Error> {
    let deadline = Instant::now() + limits.time;
    let bytes = usize::try_from(limits.bytes).unwrap_or(usize::MAX);
    let mut callbacks = RemoteCallbacks::new();
    callbacks.transfer_progress(move |progress| {
        progress.received_bytes() <= bytes && Instant::now() < deadline
    });
    let mut options = FetchOptions::new();
    options
        .prune(FetchPrune::On)
        .download_tags(AutotagOption::None)
        .update_fetchhead(false)
        .remote_callbacks(callbacks);
    repo.remote_anonymous(url)?
        .fetch(refspecs, Some(&mut options), None)
}

/// Removes our copies of branches and tags; the objects stay.
fn forget_refs(repo: &Repository) -> Result<(), git2::Error> {
    for pattern in ["refs/heads/*", "refs/tags/*"] {
        for reference in repo.references_glob(pattern)? {
            reference?.delete()?;
        }
    }
    Ok(())
}

fn digest_of(repo: &Repository) -> Result<[u8; 32], git2::Error> {
    let mut digest = Sha256::new();
    for reference in repo.references()? {
        let reference = reference?;
        digest.update(reference.name_bytes());
        if let Some(id) = reference.target() {
            digest.update(id.as_bytes());
        }
    }
    Ok(digest.finalize().into())
}

/// Runs blocking work off the loop.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, MirrorError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| MirrorError::Cancelled)
}

//! The bare mirror of one repository on disk: made, filled, opened; what its references are.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use git2::{
    AutotagOption, FetchOptions, FetchPrune, RemoteCallbacks, Repository, RepositoryInitOptions,
};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};

use super::git::{self, FetchLimits, GitError};
use super::policy::{Remote, RepoPolicy, Transport};
use super::revision::HEAD;

/// Why a mirror could not be made or filled.
#[derive(Debug, thiserror::Error)]
pub(super) enum MirrorError {
    /// The cache folder cannot be used.
    #[error("the cache folder `{}` cannot be used: {source}; free space or name another with `cache` in config.toml", folder.display())]
    Cache {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another process holds the mirror.
    #[error("another driftdeck is fetching this repository and does not end")]
    Busy,
    /// libgit2 could not read or write.
    #[error("{}", .0.message())]
    Git2(#[from] git2::Error),
    /// The `git` program failed.
    #[error(transparent)]
    Git(#[from] GitError),
    /// The runtime is shutting down.
    #[error("the work was cancelled")]
    Cancelled,
}

/// One mirror. Its repository handles are pooled, because opening one reads its configuration and pack lists.
#[derive(Debug)]
pub(super) struct Mirror {
    remote: Remote,
    folder: PathBuf,
    open: Mutex<Vec<OpenRepository>>,
}

/// A `git2::Repository` has no `Debug` of its own.
struct OpenRepository(Repository);

impl std::fmt::Debug for OpenRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenRepository")
    }
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
            folder: cache.join(remote.folder()),
            remote,
            open: Mutex::new(Vec::new()),
        }
    }

    /// Runs blocking work on an open handle of the mirror.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Repository) -> T) -> Result<T, git2::Error> {
        let pooled = self.open.lock().pop();
        let repo = match pooled {
            Some(OpenRepository(repo)) => repo,
            None => Repository::open_bare(&self.folder)?,
        };
        let result = work(&repo);
        let mut open = self.open.lock();
        if open.len() < 8 {
            open.push(OpenRepository(repo));
        }
        Ok(result)
    }

    /// A digest of all references; equal while nothing moved.
    pub(super) fn digest(&self) -> Result<[u8; 32], git2::Error> {
        self.with(digest_of)?
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
        blocking(move || mirror.ensure()).await??;
        let mut refspecs = plan.refspecs.clone();
        loop {
            let invocation = git::fetch(
                &plan.program,
                &self.folder,
                &self.remote,
                &refspecs,
                &plan.policy,
            );
            match git::run(&invocation, &self.folder, plan.limits).await {
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

    /// Fetches a local repository with libgit2: nothing is run, and nothing is copied when no reference moved.
    fn fetch_local(&self, source: &Path, plan: &FetchPlan) -> Result<(), MirrorError> {
        self.ensure()?;
        let repo = Repository::open_bare(&self.folder)?;
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

    /// Makes the folder when it is not there, and again when it cannot be opened.
    fn ensure(&self) -> Result<(), MirrorError> {
        if self.folder.exists() {
            if Repository::open_bare(&self.folder).is_ok() {
                return Ok(());
            }
            self.open.lock().clear();
            std::fs::remove_dir_all(&self.folder).map_err(|e| self.cache_error(e))?;
        }
        private_folder(&self.folder).map_err(|e| self.cache_error(e))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(&self.folder, &options)?;
        Ok(())
    }

    /// Removes what a stopped fetch left, or the whole mirror.
    fn clean_up(&self, all: bool) {
        if all {
            self.open.lock().clear();
            // What cannot be removed now is tried again by the next fetch.
            let _ = std::fs::remove_dir_all(&self.folder);
            return;
        }
        let Ok(packs) = std::fs::read_dir(self.folder.join("objects/pack")) else {
            return;
        };
        for entry in packs.flatten() {
            if entry.file_name().to_string_lossy().starts_with("tmp_") {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    async fn lock(&self, patience: Duration) -> Result<File, MirrorError> {
        let path = self.folder.with_extension("lock");
        if let Some(cache) = self.folder.parent() {
            private_folder(cache).map_err(|e| self.cache_error(e))?;
        }
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(|e| self.cache_error(e))?;
        let deadline = tokio::time::Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(e)) => return Err(self.cache_error(e)),
                Err(TryLockError::WouldBlock) if tokio::time::Instant::now() >= deadline => {
                    return Err(MirrorError::Busy);
                }
                Err(TryLockError::WouldBlock) => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    fn cache_error(&self, source: io::Error) -> MirrorError {
        MirrorError::Cache {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// A folder that only its owner may read, parents included when they must be made.
fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
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

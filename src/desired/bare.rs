//! A bare repository on disk, made when it is not there; its open handles are pooled, because opening one reads its configuration and pack lists.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use git2::{Repository, RepositoryInitOptions};
use parking_lot::Mutex;

/// Handles that are kept open.
const POOLED: usize = 8;

/// Why a bare repository cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum BareError {
    /// Its folder cannot be written.
    #[error("the cache folder `{}` cannot be used: {source}; free space or name another with `cache` in config.toml", folder.display())]
    Folder {
        /// Which folder.
        folder: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// libgit2 could not read or write.
    #[error("{}", .0.message())]
    Git2(#[from] git2::Error),
}

/// One bare repository.
#[derive(Debug)]
pub(super) struct Bare {
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

impl Bare {
    /// The repository in this folder, which need not be there yet.
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            open: Mutex::new(Vec::new()),
        }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Runs blocking work on an open handle.
    pub(super) fn with<T>(&self, work: impl FnOnce(&Repository) -> T) -> Result<T, git2::Error> {
        let pooled = self.open.lock().pop();
        let repo = match pooled {
            Some(OpenRepository(repo)) => repo,
            None => Repository::open_bare(&self.folder)?,
        };
        let result = work(&repo);
        let mut open = self.open.lock();
        if open.len() < POOLED {
            open.push(OpenRepository(repo));
        }
        Ok(result)
    }

    /// The file that whoever makes or fills it holds a lock on, in this process or another.
    pub(super) fn lock_file(&self) -> Result<File, BareError> {
        if let Some(cache) = self.folder.parent() {
            private_folder(cache).map_err(|e| self.unusable(e))?;
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.folder.with_extension("lock"))
            .map_err(|e| self.unusable(e))
    }

    /// Makes it as [`Self::ensure`] does, for those who hold no lock: one that is being made looks like one that is damaged. May wait for another
    /// process.
    pub(super) fn ensure_alone(&self) -> Result<(), BareError> {
        if Repository::open_bare(&self.folder).is_ok() {
            return Ok(());
        }
        let _alone = self.alone()?;
        self.ensure()
    }

    /// Waits until nobody else makes or names something in it, as long as what is given back lives. Blocking.
    pub(super) fn alone(&self) -> Result<File, BareError> {
        let file = self.lock_file()?;
        file.lock().map_err(|e| self.unusable(e))?;
        Ok(file)
    }

    /// Makes the folder when it is not there, and again when it cannot be opened. For who holds the lock.
    pub(super) fn ensure(&self) -> Result<(), BareError> {
        if self.folder.exists() {
            if Repository::open_bare(&self.folder).is_ok() {
                return Ok(());
            }
            self.open.lock().clear();
            std::fs::remove_dir_all(&self.folder).map_err(|e| self.unusable(e))?;
        }
        private_folder(&self.folder).map_err(|e| self.unusable(e))?;
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false);
        Repository::init_opts(&self.folder, &options)?;
        Ok(())
    }

    /// Removes it with everything in it. What cannot be removed now is tried again by whoever needs it next.
    pub(super) fn remove(&self) {
        self.open.lock().clear();
        let _ = std::fs::remove_dir_all(&self.folder);
    }

    /// The error of a folder that cannot be used.
    pub(super) fn unusable(&self, source: io::Error) -> BareError {
        BareError::Folder {
            folder: self.folder.clone(),
            source,
        }
    }
}

/// A folder that only its owner may read, parents included when they must be made.
pub(super) fn private_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

//! Charts that were pulled, as commits of one bare repository: equal contents are kept once, and a version that is there is never pulled again.

use std::path::Path;
use std::sync::Arc;

use git2::{Oid, Repository, Signature, Time};
use sha2::{Digest, Sha256};

use super::archive::{self, ArchiveError, Layout};
use crate::desired::bare::{Bare, BareError};
use crate::desired::copy::CopyLimits;
use crate::desired::git::dir_size;

/// Below it stand the commits, by the digest of what they are.
const REFS: &str = "refs/charts/";
/// A store that has grown beyond this is begun anew when the program starts.
const BYTES: u64 = 2 << 30;

/// Why a chart could not be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoreError {
    #[error(transparent)]
    Bare(#[from] BareError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}

impl From<git2::Error> for StoreError {
    fn from(error: git2::Error) -> Self {
        Self::Bare(error.into())
    }
}

/// The store.
#[derive(Debug)]
pub(super) struct Store {
    pub(super) bare: Arc<Bare>,
    limits: CopyLimits,
}

/// What one pulled thing is: where from, which chart, which version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Label<'a> {
    pub(super) url: &'a str,
    pub(super) chart: &'a str,
    pub(super) version: &'a str,
}

impl Store {
    /// The store in a folder of the cache. Blocking.
    pub(super) fn new(cache: &Path, limits: CopyLimits) -> Self {
        let bare = Bare::new(cache.join("charts.git"));
        if dir_size(bare.folder()) > BYTES {
            bare.remove();
        }
        Self {
            bare: Arc::new(bare),
            limits,
        }
    }

    /// The commit of a version that was pulled, in this run or an earlier one. Blocking.
    pub(super) fn find(&self, label: &Label<'_>) -> Option<Oid> {
        let name = label.reference();
        let found = self.bare.with(|repo| commit_of(repo, &name));
        found.ok().flatten()
    }

    /// Keeps an archive. Blocking.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn keep(
        &self,
        label: &Label<'_>,
        archive: &[u8],
        layout: Layout,
    ) -> Result<Oid, StoreError> {
        self.bare.ensure_alone()?;
        self.bare.with(|repo| {
            let tree = archive::into_tree(repo, archive, layout, &self.limits)?;
            let tree = repo.find_tree(tree)?;
            let who = Signature::new("driftdeck", "driftdeck", &Time::new(0, 0))?;
            let message = format!("{} {}", label.chart, label.version);
            let commit = repo.commit(None, &who, &who, &message, &tree, &[])?;
            // Who pulled the same beside us names it too, and libgit2 does not wait for a reference that is being written.
            let _alone = self.bare.alone()?;
            repo.reference(&label.reference(), commit, true, "")?;
            Ok(commit)
        })?
    }
}

impl Label<'_> {
    fn reference(&self) -> String {
        let mut digest = Sha256::new();
        for part in [self.url, self.chart, self.version] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        let hex: String = digest
            .finalize()
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect();
        format!("{REFS}{hex}")
    }
}

/// The commit, if all of its tree is there: a store that lost objects must not answer for them.
fn commit_of(repo: &Repository, name: &str) -> Option<Oid> {
    let commit = repo.find_reference(name).ok()?.peel_to_commit().ok()?;
    let odb = repo.odb().ok()?;
    let tree = commit.tree().ok()?;
    tree.iter()
        .all(|entry| odb.exists(entry.id()))
        .then(|| commit.id())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::charts::testing::packed;

    const LABEL: Label<'_> = Label {
        url: "https://charts.example",
        chart: "redis",
        version: "18.1.2",
    };

    #[test]
    fn many_who_keep_the_first_charts_at_once_make_one_store() {
        let archive = packed(&[("redis/Chart.yaml", "name: redis\n")]);
        for _ in 0..20 {
            let cache = tempfile::tempdir().unwrap();
            // As of one run and of another beside it.
            let stores = [(); 2].map(|()| Store::new(cache.path(), CopyLimits::default()));
            let start = std::sync::Barrier::new(8);
            std::thread::scope(|scope| {
                for n in 0..8 {
                    let (store, start, archive) = (&stores[n % 2], &start, &archive);
                    scope.spawn(move || {
                        start.wait();
                        let version = format!("18.1.{}", n / 4);
                        let label = Label {
                            version: &version,
                            ..LABEL
                        };
                        let kept = store.keep(&label, archive, Layout::Chart).unwrap();
                        assert_eq!(store.find(&label), Some(kept));
                    });
                }
            });
        }
    }

    #[test]
    fn what_was_kept_is_found_again_by_another_run_and_nothing_else_is() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::new(cache.path(), CopyLimits::default());
        assert_eq!(store.find(&LABEL), None);
        let archive = packed(&[("redis/Chart.yaml", "name: redis\n")]);
        let kept = store.keep(&LABEL, &archive, Layout::Chart).unwrap();
        let again = Store::new(cache.path(), CopyLimits::default());
        assert_eq!(again.find(&LABEL), Some(kept));
        let other = Label {
            version: "18.1.3",
            ..LABEL
        };
        assert_eq!(again.find(&other), None);
        let same = again.keep(&LABEL, &archive, Layout::Chart).unwrap();
        assert_eq!(same, kept, "the same chart is the same commit");
    }

    #[test]
    fn a_refused_archive_leaves_nothing_that_is_found() {
        let cache = tempfile::tempdir().unwrap();
        let store = Store::new(cache.path(), CopyLimits::default());
        assert!(store.keep(&LABEL, b"no archive", Layout::Chart).is_err());
        assert_eq!(store.find(&LABEL), None);
    }
}

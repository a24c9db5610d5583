//! Charts and manifests that do not come from Git: of chart repositories and of registries, pulled by ourselves into a bare repository.
//!
//! `helm pull` is not used: it reads the operator's settings and unpacks what it is given. Here the archive becomes a tree of a bare repository, and
//! everything that is true of a commit's tree (no checkout, links only inside, limits, a key over its content) is true of a chart as well.

mod archive;
mod draw;
mod index;
mod place;
mod registry;
mod repo;
mod store;
#[cfg(test)]
pub(super) mod testing;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::copy::CopyLimits;
use super::policy::RepoPolicy;
use super::web::Web;
use super::work::At;
use crate::domain::{Name, Source, Unjudged};
pub(super) use place::Place;
pub(super) use repo::{ChartRepo, Layers, Wanted};
use store::Store;

/// Bytes of one packed archive.
const ARCHIVE: usize = 64 << 20;

/// What pulling needs.
#[derive(Debug)]
pub(super) struct Tools {
    policy: RepoPolicy,
    web: Web,
    store: Arc<Store>,
}

/// All chart repositories and registries that were asked for.
#[derive(Debug)]
pub(super) struct Charts {
    pub(super) tools: Tools,
    repos: Mutex<HashMap<Name, Arc<ChartRepo>>>,
}

/// What was pulled for a source.
#[derive(Clone, Debug)]
pub(super) struct Pulled {
    /// The repository's URL, without credentials.
    pub(super) url: Name,
    pub(super) at: At,
}

impl Charts {
    /// Nothing is asked yet. One request may take `time`, one chart may have as much as a copy for a program.
    pub(super) fn new(
        cache: &Path,
        policy: &RepoPolicy,
        time: Duration,
        limits: CopyLimits,
    ) -> Self {
        Self {
            tools: Tools {
                web: Web::new(policy, time),
                policy: policy.clone(),
                store: Arc::new(Store::new(cache, limits)),
            },
            repos: Mutex::default(),
        }
    }

    /// The repository at a place, and whether it is new and wants a poller.
    pub(super) fn repo(&self, place: Place) -> (Arc<ChartRepo>, bool) {
        let key = place.key();
        let mut repos = self.repos.lock();
        if let Some(known) = repos.get(&key) {
            return (known.clone(), false);
        }
        let repo = Arc::new(ChartRepo::new(place));
        repos.insert(key, repo.clone());
        (repo, true)
    }

    /// Pulls what is wanted of a repository, unless it is there.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub(super) async fn pull(
        &self,
        repo: &ChartRepo,
        wanted: &Wanted,
        permits: &Semaphore,
    ) -> Result<Pulled, Unjudged> {
        let drawn = repo.find(wanted, &self.tools, permits).await?;
        Ok(Pulled {
            url: repo.place.url.clone(),
            at: At {
                bare: self.tools.store.bare.clone(),
                commit: drawn.commit,
                revision: drawn.version,
            },
        })
    }

    /// Whether a commit is one of the store's.
    pub(super) fn holds(&self, at: &At) -> bool {
        Arc::ptr_eq(&at.bare, &self.tools.store.bare)
    }

    /// The URL of a source's repository; `None` when the policy forbids it.
    pub(super) fn url_of(&self, source: &Source) -> Option<Name> {
        Place::of(source, &self.tools.policy)
            .ok()
            .map(|place| place.url)
    }

    /// Every repository that was asked for, and why the last asking failed, if it did.
    pub(super) fn all(&self) -> Vec<(Name, Option<Result<(), Unjudged>>)> {
        let repos = self.repos.lock();
        repos
            .values()
            .map(|repo| (repo.place.url.clone(), repo.last()))
            .collect()
    }
}

#[cfg(test)]
mod tests;

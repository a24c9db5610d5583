//! One chart repository, or one repository of a registry, while the program runs: what was asked of it, what the answers were, when to ask again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use git2::Oid;
use http::header::HeaderValue;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};

use super::Tools;
use super::index::Index;
use super::place::{Endpoint, Holds, Place};
use crate::desired::lease::Leases;
use crate::desired::semver::is_whole_version;
use crate::desired::service::Settings;
use crate::desired::shop::cancelled;
use crate::domain::{Name, Source, Unjudged, UnjudgedReason};

/// One question.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::desired) struct Wanted {
    /// The chart's name; a registry's repository holds only one and needs none.
    pub(in crate::desired) chart: Name,
    /// A version, a range of versions, a tag or a digest.
    pub(in crate::desired) revision: Name,
    /// Whether credentials may go to other hosts that the repository names: Helm's `passCredentials`.
    pub(in crate::desired) pass_credentials: bool,
    /// Which layer of an artifact is meant.
    pub(in crate::desired) layers: Layers,
}

/// Which layer of an artifact is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(in crate::desired) enum Layers {
    /// The one archive among them, as for Argo CD.
    #[default]
    OneArchive,
    /// The first of this media type, or the first of all when it names none, as for Flux.
    First {
        media_type: Name,
        /// Whether a packed chart is in it, whatever its type says.
        is_chart: bool,
    },
}

impl Layers {
    /// Those of a source; a chart's own repository has charts, whoever asks.
    pub(in crate::desired) fn of(source: &Source) -> Self {
        let Some(flux) = source.flux.as_ref().filter(|_| source.chart.is_empty()) else {
            return Self::OneArchive;
        };
        let media_type = flux.value().pointer("/layer/mediaType");
        Self::First {
            media_type: media_type
                .and_then(|t| t.as_str())
                .unwrap_or_default()
                .into(),
            is_chart: crate::desired::release::is_meant(source),
        }
    }
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::desired) struct Drawn {
    /// The version; the manifest's digest for what is no chart.
    pub(super) version: Name,
    /// The commit that holds it.
    pub(super) commit: Oid,
}

/// One chart repository.
#[derive(Debug)]
pub(in crate::desired) struct ChartRepo {
    pub(in crate::desired) place: Place,
    /// What is kept between requests; whoever holds it is the only one who asks.
    turn: tokio::sync::Mutex<Kept>,
    asked: Mutex<HashMap<Wanted, Result<Drawn, Unjudged>>>,
    failures: Mutex<(u32, Option<Unjudged>)>,
    /// A registry's answer to its challenge.
    pub(super) token: Mutex<Option<HeaderValue>>,
    pub(in crate::desired) nudged: Notify,
    pub(in crate::desired) leases: Leases,
}

/// The table of contents, as it was last read.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) index: Option<Arc<Index>>,
    /// By which the repository tells whether it changed.
    pub(super) tag: Option<String>,
    /// Whether it must be asked for again before it is used.
    pub(super) is_old: bool,
}

impl ChartRepo {
    pub(super) fn new(place: Place) -> Self {
        Self {
            place,
            turn: tokio::sync::Mutex::default(),
            asked: Mutex::default(),
            failures: Mutex::default(),
            token: Mutex::default(),
            nudged: Notify::new(),
            leases: Leases::new(),
        }
    }

    /// What is wanted: from memory, from the store, or pulled now.
    ///
    /// # Errors
    /// Why it cannot be had; tried again with the next poll, not with the next question.
    pub(super) async fn find(
        &self,
        wanted: &Wanted,
        tools: &Tools,
        permits: &Semaphore,
    ) -> Result<Drawn, Unjudged> {
        self.leases.asked();
        if let Some(known) = self.known(wanted) {
            return known;
        }
        let mut kept = self.turn.lock().await;
        // Another may have asked the same meanwhile.
        if let Some(known) = self.known(wanted) {
            return known;
        }
        let _permit = permits.acquire().await.map_err(|_| cancelled())?;
        let drawn = self.draw(&mut kept, wanted, tools).await;
        self.note(drawn.as_ref().err());
        self.asked.lock().insert(wanted.clone(), drawn.clone());
        self.nudged.notify_one();
        drawn
    }

    fn known(&self, wanted: &Wanted) -> Option<Result<Drawn, Unjudged>> {
        self.asked.lock().get(wanted).cloned()
    }

    /// Asks again whatever may have another answer now; `true` when one has.
    pub(in crate::desired) async fn refresh(&self, tools: &Tools, permits: &Semaphore) -> bool {
        let mut kept = self.turn.lock().await;
        kept.is_old = true;
        let mut changed = false;
        let mut trouble = None;
        for wanted in self.open() {
            let Ok(_permit) = permits.acquire().await else {
                return changed;
            };
            let drawn = self.draw(&mut kept, &wanted, tools).await;
            trouble = drawn.as_ref().err().cloned().or(trouble);
            changed |= self.replace(wanted, drawn);
        }
        self.note(trouble.as_ref());
        changed
    }

    /// The questions whose answers can change.
    fn open(&self) -> Vec<Wanted> {
        let asked = self.asked.lock();
        let open = asked
            .iter()
            .filter(|(wanted, answer)| answer.is_err() || !self.is_settled(wanted));
        open.map(|(wanted, _)| wanted.clone()).collect()
    }

    /// Whether nothing is left to be asked: a whole version of a chart stays what it is, as for Argo CD, and so does a digest.
    pub(in crate::desired) fn is_quiet(&self) -> bool {
        self.open().is_empty()
    }

    fn is_settled(&self, wanted: &Wanted) -> bool {
        match &self.place.endpoint {
            Endpoint::Registry {
                holds: Holds::Artifact,
                ..
            } => wanted.revision.contains(':'),
            _ => is_whole_version(&wanted.revision),
        }
    }

    /// Takes a new answer; while the repository is out of reach, the old one stays.
    fn replace(&self, wanted: Wanted, drawn: Result<Drawn, Unjudged>) -> bool {
        let mut asked = self.asked.lock();
        let Some(known) = asked.get_mut(&wanted) else {
            return false;
        };
        let unreached = |e: &Unjudged| e.reason == UnjudgedReason::NoAccess;
        if known.is_ok() && drawn.as_ref().is_err_and(unreached) || *known == drawn {
            return false;
        }
        *known = drawn;
        true
    }

    fn note(&self, trouble: Option<&Unjudged>) {
        let mut failures = self.failures.lock();
        let count = trouble.map_or(0, |_| failures.0.saturating_add(1));
        *failures = (count, trouble.cloned());
    }

    /// How the last asking ended; `None` before the first.
    pub(super) fn last(&self) -> Option<Result<(), Unjudged>> {
        let asked = !self.asked.lock().is_empty();
        asked.then(|| self.failures.lock().1.clone().map_or(Ok(()), Err))
    }

    /// How long to wait before the next poll.
    pub(in crate::desired) fn pause(&self, settings: &Settings, jitter: f64) -> Duration {
        let failures = self.failures.lock().0;
        crate::desired::repo::pause(settings.chart_poll, failures, jitter)
    }
}

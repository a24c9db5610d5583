//! One repository while the program runs: one fetch at a time, polls with back-off, what revisions mean now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use git2::Oid;
use parking_lot::Mutex;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;

use crate::domain::{Name, Unjudged, UnjudgedReason};

use super::git::GitError;
use super::lease::Leases;
use super::mirror::{FetchPlan, Mirror, MirrorError, all_refs, blocking};
use super::policy::Remote;
use super::semver::Range;
use super::service::Settings;
use super::{revision, unjudged};

/// No repository is left unasked for longer than this, however often it failed.
const LONGEST_WAIT: Duration = Duration::from_secs(600);
/// A revision that was asked for by itself and is not there is not asked for again within this time.
const PATIENCE: Duration = Duration::from_secs(60);
/// Hints that something is new are followed at most this often.
const NUDGE_PAUSE: Duration = Duration::from_secs(5);

/// One repository.
#[derive(Debug)]
pub(super) struct Repo {
    pub(super) remote: Remote,
    pub(super) mirror: Arc<Mirror>,
    plan: FetchPlan,
    turn: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    pub(super) nudged: Notify,
    pub(super) leases: Leases,
}

#[derive(Debug, Default)]
struct State {
    /// Fetches that ended, well or not.
    fetches: u64,
    /// Fetches that failed since the last that ended well.
    failures: u32,
    /// Whether any ended well; from then on the references are those of the last that did.
    reached: bool,
    /// How the last one ended; `None` before the first.
    last: Option<Result<(), Unjudged>>,
    digest: Option<[u8; 32]>,
    /// Valid until the references move.
    resolved: HashMap<Name, Option<Oid>>,
    /// Revisions that were asked for by themselves, and when.
    asked: HashMap<Name, Instant>,
    last_nudge: Option<Instant>,
}

impl Repo {
    pub(super) fn new(remote: Remote, settings: &Settings) -> Self {
        Self {
            mirror: Arc::new(Mirror::new(&settings.cache, remote.clone())),
            remote,
            plan: FetchPlan {
                program: settings.git.clone(),
                policy: settings.policy.clone(),
                limits: settings.fetch,
                refspecs: all_refs(),
            },
            turn: tokio::sync::Mutex::new(()),
            state: Mutex::default(),
            nudged: Notify::new(),
            leases: Leases::new(),
        }
    }

    /// Fetches, or waits for the fetch that is under way; `true` when something changed: a reference moved, or access came or went.
    pub(super) async fn fetch(&self, permits: &Semaphore) -> bool {
        let seen = self.state.lock().fetches;
        let _turn = self.turn.lock().await;
        if self.state.lock().fetches != seen {
            return false;
        }
        let Ok(_permit) = permits.acquire().await else {
            return false;
        };
        let outcome = self.mirror.fetch(self.plan.clone()).await;
        let mirror = self.mirror.clone();
        let digest = blocking(move || mirror.digest().ok()).await.ok().flatten();
        self.note(outcome, digest)
    }

    fn note(&self, outcome: Result<(), MirrorError>, digest: Option<[u8; 32]>) -> bool {
        let outcome = outcome.map_err(|error| self.no_access(&error));
        let mut state = self.state.lock();
        let first = state.fetches == 0;
        let changed = state.digest != digest
            || state.last.as_ref().is_none_or(Result::is_ok) != outcome.is_ok();
        state.fetches += 1;
        state.failures = match outcome {
            Ok(()) => 0,
            Err(_) => state.failures.saturating_add(1),
        };
        state.reached |= outcome.is_ok();
        state.last = Some(outcome);
        state.digest = digest;
        if changed {
            state.resolved.clear();
            state.asked.clear();
        }
        changed && !first
    }

    fn no_access(&self, error: &MirrorError) -> Unjudged {
        if let MirrorError::Git(GitError::Refused(said)) = error
            && asks_for_credentials(said)
        {
            let message = format!(
                "The repository {} is private, and there are no credentials for it here ({said}); name them under [[repository]] in config.toml, or give git a credential helper or an ssh key that works without a prompt.",
                self.remote.url
            );
            return unjudged(UnjudgedReason::NoCredentials, message);
        }
        let next = match error {
            MirrorError::Git(GitError::Refused(_)) => {
                "; check that `git ls-remote` with this URL works here without a prompt"
            }
            _ => "",
        };
        unjudged(
            UnjudgedReason::NoAccess,
            format!(
                "The repository {} could not be fetched: {error}{next}.",
                self.remote.url
            ),
        )
    }

    /// Fetches once if that was never tried.
    async fn fetch_first(&self, permits: &Semaphore) {
        if self.state.lock().fetches == 0 {
            self.fetch(permits).await;
        }
    }

    /// The commit that a revision means now.
    ///
    /// A full commit name that the mirror holds needs no network. Anything else needs a fetch of this run that ended well, not necessarily the last.
    ///
    /// # Errors
    /// `NoAccess` or `NotFound`.
    pub(super) async fn resolve(
        &self,
        revision: &str,
        permits: &Semaphore,
    ) -> Result<Oid, Unjudged> {
        self.leases.asked();
        let full = revision.len() == 40 && revision::is_commit_name(revision);
        if full && let Some(id) = self.look_up(revision).await? {
            return Ok(id);
        }
        self.fetch_first(permits).await;
        if !full {
            self.require_reached()?;
        }
        if let Some(id) = self.look_up(revision).await? {
            return Ok(id);
        }
        self.fetch_extra(revision, permits).await;
        match self.look_up(revision).await? {
            Some(id) => Ok(id),
            None => Err(self.not_found(revision)),
        }
    }

    /// References of an earlier run may be old; they count only once a fetch of this run ended well.
    fn require_reached(&self) -> Result<(), Unjudged> {
        let state = self.state.lock();
        match &state.last {
            Some(Err(why)) if !state.reached => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// How the last fetch ended, when one did.
    pub(super) fn last(&self) -> Option<Result<(), Unjudged>> {
        self.state.lock().last.clone()
    }

    fn not_found(&self, revision: &str) -> Unjudged {
        if let Some(Err(why)) = &self.state.lock().last {
            return why.clone();
        }
        let shown = if revision.is_empty() {
            "HEAD"
        } else {
            revision
        };
        let hint = if Range::read(revision).is_some() {
            ": no tag is in that range"
        } else {
            ""
        };
        unjudged(
            UnjudgedReason::NotFound,
            format!(
                "The revision `{shown}` is not in {}{hint}; check the application's targetRevision.",
                self.remote.url
            ),
        )
    }

    async fn look_up(&self, revision: &str) -> Result<Option<Oid>, Unjudged> {
        if let Some(known) = self.state.lock().resolved.get(revision) {
            return Ok(*known);
        }
        let (mirror, wanted) = (self.mirror.clone(), revision.to_owned());
        let answer = blocking(move || mirror.bare.with(|repo| revision::resolve(repo, &wanted)))
            .await
            .map_err(|e| self.no_access(&e))?;
        let id = match answer.and_then(|inner| inner) {
            Ok(id) => id,
            // There is no mirror yet.
            Err(e) if e.code() == git2::ErrorCode::NotFound => return Ok(None),
            Err(e) => return Err(super::tree::broken(&e)),
        };
        let mut state = self.state.lock();
        if state.fetches > 0 {
            state.resolved.insert(revision.into(), id);
        }
        Ok(id)
    }

    /// Asks for one commit or reference by its name: it may exist without a branch or tag that reaches it.
    async fn fetch_extra(&self, revision: &str, permits: &Semaphore) {
        let Some(refspec) = revision::extra_refspec(revision) else {
            return;
        };
        let _turn = self.turn.lock().await;
        if !self.may_ask(revision) {
            return;
        }
        let Ok(_permit) = permits.acquire().await else {
            return;
        };
        let plan = FetchPlan {
            refspecs: vec![refspec],
            ..self.plan.clone()
        };
        // A refusal means that it is not there; the look-up that follows says so.
        let _ = self.mirror.fetch(plan).await;
        self.state.lock().resolved.remove(revision);
    }

    fn may_ask(&self, revision: &str) -> bool {
        let now = Instant::now();
        let mut state = self.state.lock();
        state
            .asked
            .retain(|_, at| now.duration_since(*at) < PATIENCE);
        if state.asked.contains_key(revision) {
            return false;
        }
        state.asked.insert(revision.into(), now);
        true
    }

    /// Tells the poller that this commit exists, by the word of a hub; it fetches at once if the mirror lacks it.
    pub(super) async fn expect(&self, commit: &str) {
        if !revision::is_commit_name(commit) || matches!(self.look_up(commit).await, Ok(Some(_))) {
            return;
        }
        let now = Instant::now();
        let mut state = self.state.lock();
        let soon = state
            .last_nudge
            .is_some_and(|at| now.duration_since(at) < NUDGE_PAUSE);
        if !soon {
            state.last_nudge = Some(now);
            state.resolved.remove(commit);
            self.nudged.notify_one();
        }
    }

    /// How long to wait before the next poll.
    pub(super) fn pause(&self, settings: &Settings, jitter: f64) -> Duration {
        let base = if self.remote.is_local() {
            settings.local_poll
        } else {
            settings.poll
        };
        pause(base, self.state.lock().failures, jitter)
    }
}

/// Whether what git says means that the repository wants to know who asks.
fn asks_for_credentials(said: &str) -> bool {
    [
        "Authentication failed",
        "could not read Username",
        "could not read Password",
        "terminal prompts disabled",
        "Permission denied (publickey",
        "HTTP Basic: Access denied",
        "The requested URL returned error: 401",
        "The requested URL returned error: 403",
    ]
    .iter()
    .any(|words| said.contains(words))
}

/// The base time, doubled by each failure after the first up to ten minutes, spread by a fifth; `jitter` is in 0..1.
pub(super) fn pause(base: Duration, failures: u32, jitter: f64) -> Duration {
    let factor = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
    let long = base.saturating_mul(factor).min(LONGEST_WAIT.max(base));
    long.mul_f64(0.8 + 0.4 * jitter.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_repository_is_told_from_one_that_does_not_answer() {
        for said in [
            "could not read Username for 'https://git.example': terminal prompts disabled",
            "Authentication failed for 'https://git.example/edge.git/'",
            "git@git.example: Permission denied (publickey,password).",
        ] {
            assert!(asks_for_credentials(said), "{said}");
        }
        assert!(!asks_for_credentials(
            "unable to access 'https://git.example/edge/': Could not resolve host"
        ));
    }

    #[test]
    fn pauses_grow_with_failures_to_ten_minutes_and_are_spread() {
        let base = Duration::from_secs(60);
        assert_eq!(pause(base, 0, 0.5), base);
        assert_eq!(pause(base, 0, 0.0), Duration::from_secs(48));
        assert_eq!(pause(base, 0, 1.0), Duration::from_secs(72));
        assert_eq!(pause(base, 1, 0.5), base);
        assert_eq!(pause(base, 3, 0.5), Duration::from_secs(240));
        assert_eq!(pause(base, 60, 0.5), LONGEST_WAIT);
    }
}

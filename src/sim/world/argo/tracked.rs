//! What a controller remembers of one application, and its operations: begin, attempt, retry, end.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::app::App;
use super::auto::{Decision, HealBackoff, decide};
use super::comparison::Comparison;
use super::operation::{Attempt, Outcome, backoff, begin};
use super::status::{Level, conditions};
use super::{Argo, Ground};
use crate::sim::world::cluster::Cluster;
use crate::sim::world::dice::dice;
use crate::sim::world::json::text;

/// How long an operation cannot reach its cluster before it fails.
const UNREACHABLE: SignedDuration = SignedDuration::from_secs(10);

/// One application as its controller remembers it.
#[derive(Debug)]
pub(crate) struct Tracked {
    /// Its newest document.
    pub(crate) document: Value,
    /// How far it must be compared again, if at all.
    pub(crate) stale: Option<Level>,
    /// The commit the target revision meant when Git was last looked at, or why it meant none.
    pub(crate) revision: Option<Result<String, String>>,
    /// When Git is looked at next.
    pub(crate) next_poll: Option<Timestamp>,
    /// What the last comparison found.
    pub(crate) found: Option<Comparison>,
    /// The operation being carried out.
    pub(crate) work: Option<Work>,
    /// How long healing waits.
    pub(crate) heal: HealBackoff,
}

/// An operation being carried out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work {
    /// When the next attempt ends.
    pub(crate) due: Timestamp,
    /// Attempts that failed.
    pub(crate) failures: u32,
}

impl Tracked {
    /// An application never compared is compared with Git; one that was goes on from there.
    pub(crate) fn new(document: Value) -> Self {
        let revision = text(&document, "/status/sync/revision").to_owned();
        let known = !revision.is_empty();
        Self {
            stale: Some(if known { Level::Live } else { Level::Git }),
            revision: known.then_some(Ok(revision)),
            next_poll: None,
            found: None,
            work: None,
            heal: HealBackoff::default(),
            document,
        }
    }

    /// An application that was compared with what it is now.
    pub(crate) fn compared(document: Value) -> Self {
        Self {
            stale: None,
            ..Self::new(document)
        }
    }

    pub(crate) fn mark(&mut self, level: Level) {
        self.stale = self.stale.max(Some(level));
    }

    /// A newer document. A changed spec means another look at Git.
    pub(crate) fn see(&mut self, document: Value) {
        if document["spec"] != self.document["spec"] {
            self.mark(Level::Git);
        }
        self.document = document;
    }
}

impl Argo {
    /// Begins, goes on with or ends the operation that the application asks for.
    pub(crate) fn operate(
        &self,
        tracked: &mut Tracked,
        cluster: &Cluster,
        ground: &mut Ground<'_>,
        now: Timestamp,
    ) {
        let Some(operation) = App(&tracked.document).operation() else {
            tracked.work = None;
            return;
        };
        let work = if let Some(work) = tracked.work {
            work
        } else {
            if !App(&tracked.document).in_progress() {
                let patch = begin(operation, now);
                self.write(tracked, patch, now);
            }
            let due = now + self.pause(tracked, cluster);
            Work { due, failures: 0 }
        };
        tracked.work = Some(work);
        let terminating = App(&tracked.document).phase() == "Terminating";
        if terminating || work.due <= now {
            self.attempt(tracked, cluster, work, ground, now);
        }
    }

    /// How long an attempt takes: about a second, longer when nobody answers.
    fn pause(&self, tracked: &Tracked, cluster: &Cluster) -> SignedDuration {
        if !cluster.reachable() {
            return UNREACHABLE;
        }
        let name = App(&tracked.document).name();
        SignedDuration::from_millis(dice(self.seed, name).i64(600..1_400))
    }

    fn attempt(
        &self,
        tracked: &mut Tracked,
        cluster: &Cluster,
        work: Work,
        ground: &mut Ground<'_>,
        now: Timestamp,
    ) {
        let app = App(&tracked.document);
        // What the status has, not what was asked for: they differ when an old state was left in place.
        let operation = app.0["status"]["operationState"]["operation"].clone();
        let source = operation.pointer("/sync/source").unwrap_or(app.source());
        let asked = match text(&operation, "/sync/revision") {
            "" => text(source, "/targetRevision"),
            revision => revision,
        };
        let resolved = ground.repository.resolve(asked).map_err(|_| {
            format!("failed to generate manifest for source 1 of 1: rpc error: code = Unknown desc = unable to resolve '{asked}' to a commit SHA")
        });
        let manifests = resolved
            .as_ref()
            .map_err(Clone::clone)
            .and_then(|commit| ground.renderer.render(ground.repository, source, commit));
        let attempt = Attempt {
            app,
            operation: &operation,
            cluster,
            revision: resolved.as_deref().unwrap_or(asked),
            manifests: manifests
                .as_deref()
                .map(Vec::as_slice)
                .map_err(String::as_str),
            now,
        };
        let outcome = if app.phase() == "Terminating" {
            Outcome::terminated()
        } else {
            attempt.run()
        };
        let failures = work.failures + u32::from(outcome.phase != "Succeeded");
        let next = (outcome.phase == "Failed" && app.phase() != "Terminating")
            .then(|| backoff(&operation, failures))
            .flatten();
        let patch = match next {
            Some(wait) => attempt.retry(&outcome, failures, now + wait),
            None => attempt.end(&outcome, work.failures),
        };
        tracked.work = next.map(|wait| Work {
            due: now + wait,
            failures,
        });
        self.write(tracked, patch, now);
        if next.is_none() {
            tracked.mark(Level::Git);
        }
    }

    /// Auto-sync and self-heal; answers when healing is due.
    pub(crate) fn act_by_itself(&self, tracked: &mut Tracked, now: Timestamp) -> Option<Timestamp> {
        let (Some(found), Some(Ok(revision))) = (&tracked.found, &tracked.revision) else {
            return None;
        };
        match decide(App(&tracked.document), revision, found) {
            Decision::Nothing => None,
            Decision::Sync(operation) => {
                self.write(
                    tracked,
                    json!({ "operation": operation, "status": {"operationState": null} }),
                    now,
                );
                Some(now)
            }
            Decision::Heal(operation) => {
                let due = tracked.heal.next(now);
                if due > now {
                    return Some(due);
                }
                tracked.heal.began(now);
                self.write(
                    tracked,
                    json!({ "operation": operation, "status": {"operationState": null} }),
                    now,
                );
                Some(now)
            }
            Decision::GaveUp(why) => {
                let list = conditions(App(&tracked.document), "SyncError", &why, now);
                if tracked.document["status"]["conditions"] != list {
                    self.write(tracked, json!({"status": {"conditions": list}}), now);
                }
                None
            }
        }
    }
}

//! Looking at live objects before and after a write.

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::{Ending, Runner};
use crate::domain::{ClusterId, Safe};
use crate::ops::api::{Api, ApiError};
use crate::ops::catalog::Place;
use crate::ops::content::text;
use crate::ops::{Outcome, Seen, Yardstick, clusters, owners};

/// An object, where it lives, and what is wanted of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subject<'a> {
    pub(super) cluster: &'a ClusterId,
    pub(super) place: &'a Place,
    pub(super) yardstick: &'a Yardstick,
}

impl Subject<'_> {
    pub(super) fn is_secret(&self) -> bool {
        self.place.group.is_empty() && self.place.resource == "secrets"
    }
}

impl Runner {
    pub(super) fn api(&self, cluster: &ClusterId) -> Result<Api, ApiError> {
        clusters::api(
            &*self.context.clusters,
            cluster,
            self.context.patience.answer,
        )
        .ok_or_else(|| ApiError::NotSent(format!("There is no connection to {cluster}.").into()))
    }

    pub(super) async fn live(&self, subject: Subject<'_>) -> Result<Option<Value>, ApiError> {
        self.api(subject.cluster)?.get(&subject.place.path()).await
    }

    /// What is told of a live object.
    pub(super) fn seen(&self, subject: Subject<'_>, live: Option<&Value>) -> Seen {
        Seen {
            resource_version: live
                .map(|l| text(l, "/metadata/resourceVersion"))
                .unwrap_or_default()
                .to_owned(),
            hash: live
                .map(|l| self.context.journal.hash(l))
                .unwrap_or_default(),
            differs: subject.yardstick.differs(live),
        }
    }

    /// Looks until the cluster shows what is wanted, or the patience is at its end.
    pub(super) async fn until_shown(&self, subject: Subject<'_>) -> Ending {
        let deadline = Instant::now() + self.context.patience.show;
        loop {
            let looked = self.live(subject).await;
            if let Ok(live) = &looked {
                let seen = self.seen(subject, live.as_ref());
                if seen.differs == 0 {
                    return Ending::new(Outcome::Reverted, "the cluster shows the wanted state")
                        .after(Some(seen));
                }
            }
            if Instant::now() >= deadline {
                return self.not_shown(subject, looked);
            }
            if !self.pause().await {
                return Ending::new(
                    Outcome::Unknown,
                    "accepted; nobody watched on because the run was cancelled: look again",
                );
            }
        }
    }

    /// Waits for the next look; `false` when the run was cancelled.
    pub(super) async fn pause(&self) -> bool {
        tokio::select! {
            () = self.context.cancel.cancelled() => false,
            () = sleep(self.context.patience.poll) => true,
        }
    }

    fn not_shown(&self, subject: Subject<'_>, looked: Result<Option<Value>, ApiError>) -> Ending {
        let live = match looked {
            Ok(live) => live,
            Err(error) => {
                let why = error.say(subject.is_secret());
                return Ending::new(
                    Outcome::Unknown,
                    format!("accepted, and the object cannot be read since: {why} Look again."),
                );
            }
        };
        let seen = self.seen(subject, live.as_ref());
        let (outcome, words) = match &live {
            None => (
                Outcome::Failed,
                "it was accepted, and the object is gone again".to_owned(),
            ),
            Some(live) if subject.yardstick.wants_it_gone() => {
                (Outcome::Unknown, still_there(live))
            }
            Some(live) => (
                Outcome::Failed,
                format!(
                    "it was accepted, and {} field(s) differ again; last written by {}",
                    seen.differs,
                    writer(live)
                ),
            ),
        };
        Ending::new(outcome, words).after(Some(seen))
    }
}

fn still_there(live: &Value) -> String {
    let finalizers = live
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array);
    let finalizers: Vec<&str> = finalizers
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if finalizers.is_empty() {
        "the delete was accepted, and the object is still there: look again".to_owned()
    } else {
        let waits = finalizers.join(", ");
        format!("the delete was accepted, and the object waits for its finalizers: {waits}")
    }
}

/// Who wrote an object last, in words.
pub(super) fn writer(live: &Value) -> Safe {
    owners::last_writer(live).unwrap_or(Safe::fixed("nobody the server knows"))
}

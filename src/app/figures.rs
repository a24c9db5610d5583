//! Figures of clusters wait for the next ten seconds of the clock: a screen on which nothing else happens is drawn once for all that moved.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::domain::{ClusterEvent, ClusterId, Fact};
use crate::fleet::Fleet;

/// Figures change together, with the ages of a page, in seconds of the clock.
const STEP: i64 = 10;

/// The newest figures of each cluster that are not in the fleet yet.
#[derive(Debug, Default)]
pub(super) struct Figures {
    waiting: BTreeMap<ClusterId, ClusterEvent>,
    /// When the first of them came.
    since: Timestamp,
}

impl Figures {
    /// Takes an event whose time has not come; gives back what is to be folded now. The first figures of a cluster never wait.
    pub(super) fn hold(
        &mut self,
        event: ClusterEvent,
        fleet: &Fleet,
        now: Timestamp,
    ) -> Option<ClusterEvent> {
        let known = |id| fleet.cluster(id).is_some_and(|c| c.metrics.is_some());
        if !matches!(event.fact, Fact::Metrics(_)) || !known(&event.cluster) {
            return Some(event);
        }
        if self.waiting.is_empty() {
            self.since = now;
        }
        self.waiting.insert(event.cluster.clone(), event);
        None
    }

    /// What has waited long enough.
    pub(super) fn ripe(&mut self, now: Timestamp) -> BTreeMap<ClusterId, ClusterEvent> {
        if self.due().is_some_and(|due| due <= now) {
            std::mem::take(&mut self.waiting)
        } else {
            BTreeMap::new()
        }
    }

    /// When they are to be seen.
    pub(super) fn due(&self) -> Option<Timestamp> {
        let next = (self.since.as_second().div_euclid(STEP) + 1) * STEP;
        let due = || Timestamp::from_second(next).unwrap_or(self.since);
        (!self.waiting.is_empty()).then(due)
    }
}

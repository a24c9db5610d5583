//! How long a follower waits before it asks again.

use std::time::Duration;

use super::{Trouble, TroubleKind};

/// A watch that ended sooner than this brought nothing worth asking for again at once.
const SHORT: Duration = Duration::from_secs(2);

/// The waits of one follower.
pub(super) struct Pace {
    random: fastrand::Rng,
    failures: u32,
    /// Watches in a row that ended at once without an event.
    empty: u32,
}

impl Pace {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            random: fastrand::Rng::with_seed(seed),
            failures: 0,
            empty: 0,
        }
    }

    /// After a list or a watch that ended well: a moment; longer and longer when watches end at once and empty, up to about eight seconds.
    pub(super) fn after_success(&mut self, lasted: Duration, brought_something: bool) -> Duration {
        self.failures = 0;
        if brought_something || lasted >= SHORT {
            self.empty = 0;
        } else {
            self.empty = (self.empty + 1).min(7);
        }
        let base = 60_u64 << self.empty;
        Duration::from_millis(self.random.u64(base / 2..=base))
    }

    /// At least what the server asked for; else 0.5 s doubling to 30 s, half of it jitter. Refusals are asked again every five minutes or so.
    pub(super) fn after_failure(
        &mut self,
        trouble: &Trouble,
        retry_after: Option<Duration>,
    ) -> Duration {
        self.failures = (self.failures + 1).min(7);
        let base = match trouble.kind {
            TroubleKind::Forbidden | TroubleKind::Absent => 300_000,
            _ => (250_u64 << self.failures).min(30_000),
        };
        let jittered = Duration::from_millis(base / 2 + self.random.u64(0..=base / 2));
        retry_after.map_or(jittered, |asked| {
            asked + Duration::from_millis(self.random.u64(0..500))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Safe;

    fn trouble(kind: TroubleKind) -> Trouble {
        Trouble {
            kind,
            message: Safe::default(),
        }
    }

    #[test]
    fn the_servers_retry_after_is_never_undercut() {
        let mut pace = Pace::new(1);
        for _ in 0..20 {
            let wait =
                pace.after_failure(&trouble(TroubleKind::Busy), Some(Duration::from_secs(12)));
            assert!(wait >= Duration::from_secs(12));
        }
    }

    #[test]
    fn waits_grow_and_stay_within_thirty_seconds() {
        let mut pace = Pace::new(1);
        let waits: Vec<Duration> = (0..12)
            .map(|_| pace.after_failure(&trouble(TroubleKind::Transport), None))
            .collect();
        assert!(waits[0] <= Duration::from_millis(500));
        assert!(waits.iter().all(|w| *w <= Duration::from_secs(30)));
        assert!(waits[11] >= Duration::from_secs(15));
    }

    #[test]
    fn a_server_that_closes_empty_watches_at_once_is_asked_ever_less_often() {
        let mut pace = Pace::new(1);
        let at_once = Duration::from_millis(3);
        let waits: Vec<Duration> = (0..10)
            .map(|_| pace.after_success(at_once, false))
            .collect();
        assert!(waits[9] >= Duration::from_secs(3), "{waits:?}");
        assert!(pace.after_success(at_once, true) <= Duration::from_millis(60));
        assert!(pace.after_success(Duration::from_secs(250), false) <= Duration::from_millis(60));
    }
}

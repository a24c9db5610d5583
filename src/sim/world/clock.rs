//! The time of the simulated world: the machine's, or one that stands still until a test moves it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Where the time comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// The machine's clock.
    Real,
    /// It starts here and moves only by `World::advance`.
    Manual(Timestamp),
}

/// The world's clock. Clones tell the same time.
#[derive(Clone, Debug)]
pub struct SimClock {
    started: Timestamp,
    /// `None` for the machine's clock.
    manual: Option<Arc<Mutex<Timestamp>>>,
}

impl SimClock {
    /// A clock that starts now.
    pub fn new(time: Time) -> Self {
        match time {
            Time::Real => Self {
                started: Timestamp::now(),
                manual: None,
            },
            Time::Manual(start) => Self {
                started: start,
                manual: Some(Arc::new(Mutex::new(start))),
            },
        }
    }

    /// When the world began.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        self.manual
            .as_ref()
            .map_or_else(Timestamp::now, |now| *now.lock())
    }

    /// How long the world has been running; never negative.
    pub fn elapsed(&self) -> SignedDuration {
        self.now()
            .duration_since(self.started)
            .max(SignedDuration::ZERO)
    }

    /// Whether it moves only by hand.
    pub fn is_manual(&self) -> bool {
        self.manual.is_some()
    }

    /// Sets a manual clock; it never goes back. The machine's clock is left alone.
    pub(crate) fn set(&self, to: Timestamp) {
        if let Some(now) = &self.manual {
            let mut now = now.lock();
            *now = to.max(*now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_and_never_goes_back() {
        let start: Timestamp = "2026-11-21T02:00:00Z".parse().unwrap();
        let clock = SimClock::new(Time::Manual(start));
        assert_eq!(clock.now(), start);
        clock.clone().set(start + SignedDuration::from_secs(5));
        clock.set(start);
        assert_eq!(clock.elapsed(), SignedDuration::from_secs(5));
    }

    #[test]
    fn the_machines_clock_cannot_be_set() {
        let clock = SimClock::new(Time::Real);
        clock.set(Timestamp::MAX);
        assert!(clock.elapsed() < SignedDuration::from_hours(1));
    }
}

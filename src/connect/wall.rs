//! The time of day: the machine's, or one that is moved by hand, so that the same fleet gives the same picture.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

/// Where the time of day comes from. Clones tell the same time.
#[derive(Clone, Debug, Default)]
pub enum WallClock {
    /// The machine's clock.
    #[default]
    Machine,
    /// It is this moment until [`WallClock::pass`] moves it.
    Hand(Arc<Mutex<Timestamp>>),
}

impl WallClock {
    /// A clock that stands at a moment.
    pub fn at(moment: Timestamp) -> Self {
        Self::Hand(Arc::new(Mutex::new(moment)))
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::Machine => Timestamp::now(),
            Self::Hand(moment) => *moment.lock(),
        }
    }

    /// Moves a clock that stands; the machine's is left alone.
    pub fn pass(&self, time: SignedDuration) {
        if let Self::Hand(moment) = self {
            let mut moment = moment.lock();
            *moment = moment.saturating_add(time).unwrap_or(*moment);
        }
    }

    /// Whether it moves by hand only: then nothing may depend on how fast the machine is.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Self::Hand(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_by_hand_stands_until_it_is_moved_and_its_clones_with_it() {
        let moment: Timestamp = "2026-11-21T02:14:00Z".parse().unwrap();
        let clock = WallClock::at(moment);
        let other = clock.clone();
        assert_eq!(other.now(), moment);
        clock.pass(SignedDuration::from_secs(15));
        assert_eq!(other.now(), moment + SignedDuration::from_secs(15));
        assert!(clock.is_by_hand());
    }

    #[test]
    fn the_machines_clock_goes_by_itself() {
        let clock = WallClock::Machine;
        let before = Timestamp::now();
        clock.pass(SignedDuration::from_hours(24 * 365));
        assert!(clock.now() >= before && clock.now() < before + SignedDuration::from_hours(24));
        assert!(!clock.is_by_hand());
    }
}

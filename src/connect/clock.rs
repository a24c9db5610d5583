//! The freshness clock of one connection: when anything was last heard, and whether it stands.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use super::fault::Fault;
use crate::domain::LinkState;

/// One slow call says something of the link for this long.
const LATENCY_HOLDS: Duration = Duration::from_secs(20);

/// How the connection stands, as its own tasks see it.
#[derive(Clone, Debug, Default)]
pub struct Link {
    /// Whether a connection is open.
    pub up: bool,
    /// Whether one ever was.
    pub ever: bool,
    /// Why the last one ended, or the last attempt failed.
    pub fault: Option<Fault>,
    /// Why the credentials are not accepted at present, although the server may well answer.
    pub refusal: Option<Fault>,
}

/// Shared by everything that reads from one server.
#[derive(Debug)]
pub struct LinkClock {
    base: Instant,
    /// Milliseconds from `base`, plus one; zero while nothing was heard.
    heard: AtomicU64,
    /// Milliseconds of the newest short call, and when it ended, in milliseconds from `base`.
    latency: AtomicU64,
    measured: AtomicU64,
    link: watch::Sender<Link>,
}

impl LinkClock {
    /// A clock that has heard nothing yet.
    pub(super) fn new() -> Self {
        Self {
            base: Instant::now(),
            heard: AtomicU64::new(0),
            latency: AtomicU64::new(0),
            measured: AtomicU64::new(0),
            link: watch::Sender::new(Link::default()),
        }
    }

    /// Bytes came in, be they an answer, an event or a pong.
    pub(super) fn touch(&self) {
        let now = millis(self.base.elapsed()).saturating_add(1);
        self.heard.store(now, Ordering::Relaxed);
    }

    /// A short call took this long.
    pub(super) fn took(&self, time: Duration) {
        self.latency.store(millis(time), Ordering::Relaxed);
        self.measured
            .store(millis(self.base.elapsed()), Ordering::Relaxed);
        if time >= Slowness::default().latency {
            // Whoever follows the link looks at the clock.
            self.link.send_modify(|_| {});
        }
    }

    /// The server does not take the credentials, or there are none to be had.
    pub(super) fn refused(&self, fault: Fault) {
        self.link.send_modify(|link| link.refusal = Some(fault));
    }

    /// The server took the credentials.
    pub(super) fn accepted(&self) {
        self.link
            .send_if_modified(|link| link.refusal.take().is_some());
    }

    /// A connection opened.
    pub(super) fn opened(&self) {
        self.touch();
        self.link.send_modify(|link| {
            link.up = true;
            link.ever = true;
            link.fault = None;
        });
    }

    /// The last open connection ended, or an attempt failed.
    pub(super) fn closed(&self, fault: Fault) {
        self.link.send_modify(|link| {
            link.up = false;
            link.fault = Some(fault);
        });
    }

    /// Follows the link.
    pub fn follow(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// The link now.
    pub fn link(&self) -> Link {
        self.link.borrow().clone()
    }

    /// A number that grows whenever something was heard; zero while nothing was.
    pub fn heard(&self) -> u64 {
        self.heard.load(Ordering::Relaxed)
    }

    /// How long nothing has been heard; `None` while nothing ever was.
    pub fn silence(&self) -> Option<Duration> {
        let heard = self.heard().checked_sub(1)?;
        Some(
            self.base
                .elapsed()
                .saturating_sub(Duration::from_millis(heard)),
        )
    }

    /// How long the newest short call took; nothing when that is too long ago to say anything of now.
    pub fn latency(&self) -> Duration {
        let measured = Duration::from_millis(self.measured.load(Ordering::Relaxed));
        if self.base.elapsed().saturating_sub(measured) > LATENCY_HOLDS {
            return Duration::ZERO;
        }
        Duration::from_millis(self.latency.load(Ordering::Relaxed))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// From when on an answering link reads as slow.
#[derive(Clone, Copy, Debug)]
pub struct Slowness {
    /// A short call takes longer than this.
    pub latency: Duration,
    /// Nothing was heard for longer than this, although pings go out.
    pub silence: Duration,
    /// Nothing was heard for so long that what is shown is old, whatever the connection says.
    pub stale: Duration,
}

impl Default for Slowness {
    /// 1.5 s for a call; 6 s and 9 s of silence, with pings every 4 s.
    fn default() -> Self {
        Self {
            latency: Duration::from_millis(1500),
            silence: Duration::from_secs(6),
            stale: Duration::from_secs(9),
        }
    }
}

impl Slowness {
    /// Nothing is slow, however busy this machine is: for a clock that goes by hand.
    pub fn never() -> Self {
        Self {
            latency: Duration::MAX,
            silence: Duration::MAX,
            stale: Duration::MAX,
        }
    }
}

/// What the row reads as. Nothing that has been silent too long reads as live.
pub fn state_of(
    link: &Link,
    silence: Option<Duration>,
    latency: Duration,
    limits: &Slowness,
) -> LinkState {
    if link.refusal.is_some() {
        return LinkState::Auth;
    }
    if !link.up {
        return match (&link.fault, link.ever) {
            (Some(fault), ever) => fault.link_state(ever),
            (None, true) => LinkState::Stale,
            (None, false) => LinkState::Connecting,
        };
    }
    let silence = silence.unwrap_or_default();
    if silence >= limits.stale {
        LinkState::Stale
    } else if silence >= limits.silence || latency >= limits.latency {
        LinkState::Slow
    } else {
        LinkState::Live
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connect::fault::FaultKind;

    const SOON: Duration = Duration::from_millis(40);

    fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn up() -> Link {
        Link {
            up: true,
            ever: true,
            ..Link::default()
        }
    }

    fn down(kind: FaultKind, ever: bool) -> Link {
        Link {
            up: false,
            ever,
            fault: Some(Fault::new(kind, "gone")),
            refusal: None,
        }
    }

    fn state(link: &Link, silence: Option<Duration>, latency: Duration) -> LinkState {
        state_of(link, silence, latency, &Slowness::default())
    }

    #[test]
    fn an_open_link_is_live_then_slow_then_stale_the_longer_it_is_silent() {
        assert_eq!(state(&up(), Some(seconds(4)), SOON), LinkState::Live);
        assert_eq!(state(&up(), Some(seconds(7)), SOON), LinkState::Slow);
        assert_eq!(state(&up(), Some(seconds(9)), SOON), LinkState::Stale);
        assert_eq!(
            state(&up(), Some(seconds(0)), Duration::from_secs(2)),
            LinkState::Slow
        );
    }

    #[test]
    fn a_closed_link_is_never_current() {
        use FaultKind as K;
        for kind in [
            K::Dns,
            K::Refused,
            K::Timeout,
            K::Tls,
            K::Closed,
            K::Auth,
            K::Forbidden,
        ] {
            for ever in [true, false] {
                assert!(!state(&down(kind, ever), Some(seconds(0)), SOON).is_current());
            }
        }
    }

    #[test]
    fn a_link_that_was_never_up_is_unreachable_and_one_that_was_is_stale() {
        assert_eq!(state(&Link::default(), None, SOON), LinkState::Connecting);
        assert_eq!(
            state(&down(FaultKind::Refused, false), None, SOON),
            LinkState::Unreachable
        );
        assert_eq!(
            state(&down(FaultKind::Refused, true), None, SOON),
            LinkState::Stale
        );
        assert_eq!(
            state(&down(FaultKind::Auth, true), None, SOON),
            LinkState::Auth
        );
    }

    #[test]
    fn an_open_link_whose_credentials_are_refused_is_not_green() {
        let refused = Link {
            refusal: Some(Fault::new(FaultKind::Auth, "expired")),
            ..up()
        };
        assert_eq!(state(&refused, Some(seconds(0)), SOON), LinkState::Auth);
    }

    #[tokio::test(start_paused = true)]
    async fn one_slow_call_is_forgotten_after_a_while() {
        let clock = LinkClock::new();
        clock.took(seconds(3));
        assert_eq!(clock.latency(), seconds(3));
        tokio::time::advance(seconds(30)).await;
        assert_eq!(clock.latency(), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn silence_grows_with_time_and_ends_when_something_is_heard() {
        let clock = LinkClock::new();
        assert_eq!(clock.silence(), None);
        clock.opened();
        tokio::time::advance(Duration::from_secs(5)).await;
        assert_eq!(clock.silence(), Some(seconds(5)));
        clock.touch();
        assert_eq!(clock.silence(), Some(seconds(0)));
    }
}

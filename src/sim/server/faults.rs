//! What is wrong with a server right now. Scenarios and tests switch it while clients are connected.

use std::time::Duration;

use jiff::SignedDuration;
use tokio::sync::watch;

/// Whether bytes pass.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// They do.
    #[default]
    Up,
    /// Nothing listens: new connections are refused, old ones closed. A server that is down.
    Refused,
    /// Connections are taken and kept, and nothing is ever answered, not even a ping. A cable that is cut.
    BlackHole,
}

/// How the server answers requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Answer {
    /// As it should.
    #[default]
    Sound,
    /// 503 to everything.
    Unavailable,
    /// 429 with `Retry-After` to everything.
    Throttled {
        /// Seconds the client is asked to wait.
        seconds: u32,
    },
    /// 401 to everything: every token has expired.
    Unauthorized,
}

/// Which certificate new connections see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Certificate {
    /// The right one.
    #[default]
    Sound,
    /// One of an authority the client does not know.
    Stranger,
    /// One that expired years ago.
    Expired,
    /// None: the port does not speak TLS.
    None,
}

/// Everything that can be wrong with one server at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fault {
    /// Whether bytes pass.
    pub link: Link,
    /// How requests are answered.
    pub answer: Answer,
    /// Which certificate new connections see.
    pub certificate: Certificate,
    /// Added to every answer and watch event.
    pub latency: Duration,
    /// Watches end after this long, whatever the client asked for.
    pub watch_limit: Option<Duration>,
    /// Whether watches with initial events are refused, as servers without streaming lists do.
    pub no_streaming_lists: bool,
    /// Whether aggregated discovery is unknown, as on old servers.
    pub no_aggregated_discovery: bool,
    /// What the server's own clock is ahead of the world's.
    pub clock_skew: SignedDuration,
    /// Counts the times all watches were cut.
    watches_cut: u64,
}

/// The switchboard of one server. Changes take effect at once.
#[derive(Debug)]
pub struct Faults {
    now: watch::Sender<Fault>,
}

impl Default for Faults {
    fn default() -> Self {
        Self::new(Fault::default())
    }
}

impl Faults {
    /// A server that starts with this fault.
    pub fn new(fault: Fault) -> Self {
        Self {
            now: watch::Sender::new(fault),
        }
    }

    /// What is wrong now.
    pub fn current(&self) -> Fault {
        self.now.borrow().clone()
    }

    /// Changes what is wrong.
    pub fn change(&self, edit: impl FnOnce(&mut Fault)) {
        self.now.send_modify(edit);
    }

    /// Heals everything.
    pub fn heal(&self) {
        self.change(|fault| {
            let watches_cut = fault.watches_cut;
            *fault = Fault {
                watches_cut,
                ..Fault::default()
            };
        });
    }

    /// Sets whether bytes pass.
    pub fn link(&self, link: Link) {
        self.change(|fault| fault.link = link);
    }

    /// Ends every open watch, as a server that restarts does.
    pub fn close_watches(&self) {
        self.change(|fault| fault.watches_cut += 1);
    }

    pub(crate) fn subscribe(&self) -> watch::Receiver<Fault> {
        self.now.subscribe()
    }
}

impl Fault {
    pub(crate) fn watches_cut(&self) -> u64 {
        self.watches_cut
    }
}

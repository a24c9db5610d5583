//! What went wrong on the way to a cluster: a kind that decides what happens next, and one sentence for the operator.

mod classify;
mod status;

pub(crate) use classify::{of_error, of_kube};
pub use status::RetryAfter;
pub(crate) use status::of_answer;

use std::time::Duration;

use crate::domain::{LinkState, Safe};

/// A failure of a connection or a call. The sentence says what, where and the next step, and holds no credential.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{sentence}")]
pub struct Fault {
    /// What kind of failure it is.
    pub kind: FaultKind,
    /// One sentence for the operator.
    pub sentence: Safe,
}

/// The kinds of failure that are treated differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The host's name has no address.
    Dns,
    /// Nothing listens there.
    Refused,
    /// No route, or the network said no.
    Network,
    /// No answer in time.
    Timeout,
    /// The TLS handshake failed: certificate or protocol.
    Tls,
    /// The proxy did not let us through.
    Proxy,
    /// The server refused the credentials (401), or none could be had.
    Auth,
    /// The credential plugin wants to talk to the operator, who has not asked for it.
    LoginNeeded,
    /// The identity may not do this (403).
    Forbidden,
    /// The thing or the kind does not exist (404).
    NotFound,
    /// The resource version or the continue token is too old (410).
    Expired,
    /// Somebody else wrote in between (409).
    Conflict,
    /// The server asks for patience (429, 503, 504).
    Busy {
        /// For how long, when it says so.
        wait: Option<Duration>,
    },
    /// Any other refusal, by HTTP status.
    Refusal(u16),
    /// The connection broke after it was made.
    Closed,
    /// The answer made no sense.
    Garbage,
    /// Our own guard refused: the connection is read-only.
    ReadOnly,
    /// The context itself cannot be used.
    Config,
}

impl Fault {
    /// Makes one.
    pub fn new(kind: FaultKind, sentence: impl Into<Safe>) -> Self {
        Self {
            kind,
            sentence: sentence.into(),
        }
    }

    /// Whether the request certainly never reached the server, so that nothing can have been carried out.
    pub fn not_sent(&self) -> bool {
        use FaultKind as K;
        matches!(
            self.kind,
            K::Dns
                | K::Refused
                | K::Network
                | K::Tls
                | K::Proxy
                | K::LoginNeeded
                | K::ReadOnly
                | K::Config
        )
    }

    /// Whether the link itself is in doubt, rather than one answer on it.
    pub fn is_link(&self) -> bool {
        use FaultKind as K;
        matches!(
            self.kind,
            K::Dns | K::Refused | K::Network | K::Timeout | K::Tls | K::Proxy | K::Closed
        )
    }

    /// Whether only the operator can help, by logging in or correcting the context.
    pub fn is_auth(&self) -> bool {
        matches!(self.kind, FaultKind::Auth | FaultKind::LoginNeeded)
    }

    /// What the row reads as after this failure of the connection attempt.
    pub fn link_state(&self, ever_live: bool) -> LinkState {
        match self.kind {
            FaultKind::Auth | FaultKind::LoginNeeded => LinkState::Auth,
            FaultKind::Forbidden => LinkState::Denied,
            _ if ever_live => LinkState::Stale,
            _ => LinkState::Unreachable,
        }
    }

    /// How long the server asked us to wait.
    pub fn wait(&self) -> Option<Duration> {
        match self.kind {
            FaultKind::Busy { wait } => wait,
            _ => None,
        }
    }
}

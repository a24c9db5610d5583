//! Kubeconfig to clusters: contexts, identities, HTTP/2, freshness. Knows no GitOps.

mod auth;
pub mod backoff;
pub mod clock;
mod connection;
mod connector;
mod dial;
pub mod exec;
pub mod fault;
pub mod guard;
pub mod kubeconfig;
mod patience;
mod pool;
pub mod reference;
mod session;
pub mod target;
#[cfg(test)]
#[cfg(feature = "demo")]
pub(crate) mod testing;
#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;
pub mod turns;
pub mod wall;

pub use backoff::Backoff;
pub use clock::{Link, LinkClock, Slowness, state_of};
pub use connection::{Connection, Stream, get};
pub use connector::{ConnectOptions, Connector};
pub use fault::{Fault, FaultKind};
pub use guard::Mode;
pub use kubeconfig::{FileProblem, FleetPlan, LoadOptions, PlanError, RowPlan};
pub use pool::{Lane, Timings};
pub use reference::{Reference, ReferenceError};
pub use target::{Target, ca_hash};
pub use wall::WallClock;

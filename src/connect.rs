//! Kubeconfig to clusters: contexts, identities, HTTP/2, freshness. Knows no GitOps.

pub mod backoff;
pub mod exec;
pub mod fault;
pub mod guard;
pub mod kubeconfig;
pub mod target;

pub use backoff::Backoff;
pub use fault::{Fault, FaultKind};
pub use guard::Mode;
pub use kubeconfig::{FileProblem, FleetPlan, LoadOptions, PlanError, RowPlan};
pub use target::{Target, ca_hash};

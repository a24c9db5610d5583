//! Kubeconfig to clusters: contexts, identities, HTTP/2, freshness. Knows no GitOps.

pub mod kubeconfig;
pub mod target;

pub use kubeconfig::{FileProblem, FleetPlan, LoadOptions, PlanError, RowPlan};
pub use target::{Target, ca_hash};

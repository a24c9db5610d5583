//! The simulated world behind the API servers: the fleet, its Git repository, its GitOps engines, and what happens to it.

mod argo;
mod catalog;
mod clock;
mod cluster;
mod dice;
mod error;
mod history;
mod json;
mod plan;
mod repository;
mod scenario;
mod sites;
mod workload;

pub use clock::{SimClock, Time};
pub use cluster::Cluster;
pub use error::WorldError;
pub use plan::{AppPlan, Auto, EdgePlan, Plan, Silence, Size};
pub use repository::{CommitFacts, FleetRepository, TextChange};
pub use scenario::{DEFAULT, Scenario, ScenarioError, names};

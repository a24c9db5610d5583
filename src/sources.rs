//! Facts from clusters, for ever: supervisor, cluster actors, engines, metrics.

mod actor;
pub mod assignment;
mod contact;
pub mod director;
pub mod doctor;
pub mod engine;
pub mod health;
pub mod judge;
pub mod lua;
mod merge;
pub mod metric;
pub mod permissions;
pub mod schemas;
mod supervisor;
mod tell;
#[cfg(test)]
#[cfg(feature = "demo")]
mod testing;
pub mod watch;

pub use supervisor::{Sources, SourcesOptions, start};

//! Facts from clusters, for ever: supervisor, cluster actors, engines, metrics.

pub mod assignment;
pub mod director;
pub mod doctor;
pub mod engine;
pub mod judge;
pub mod permissions;
pub mod watch;

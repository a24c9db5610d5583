//! The simulated fleet behind the demo and the tests: real HTTPS API servers in this process.

pub mod discovery;
pub(crate) mod patch;
mod schema;
pub mod server;
mod ssa;
pub mod store;
pub mod tls;
pub mod world;

//! Cases that Argo CD, Flux and Kubernetes themselves are tested with: inputs and outputs that nobody here wrote.
//!
//! They are read from the folder that `DRIFTDECK_CONFORMANCE` names and never copied into the project. Without the variable each test says
//! that it was not run. With it each prints its score, and fails with the names of the cases that fail.

#![allow(
    unreachable_pub,
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test program: it prints its scores and stops at the first case file that is not what it says"
)]

#[path = "conformance/argo.rs"]
mod argo;
#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/cli.rs"]
mod cli;
#[path = "conformance/flux.rs"]
mod flux;
#[path = "conformance/health.rs"]
mod health;
#[path = "conformance/masks.rs"]
mod masks;
#[path = "conformance/patches.rs"]
mod patches;
#[path = "conformance/quantities.rs"]
mod quantities;
#[path = "conformance/tracking.rs"]
mod tracking;

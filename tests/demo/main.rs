//! The whole program against the demo's servers: two processes, HTTPS between them, edits by a foreign client.
//!
//! The same story runs on real kube-apiservers in tests/real; this one needs nothing but Rust.
#![cfg(feature = "demo")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "outside of #[test] functions clippy does not know that this is a test"
)]

mod application;
mod dark;
mod hand;
mod hub;
mod pictures;
mod program;
mod story;
mod tree;
mod words;

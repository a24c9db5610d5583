//! driftdeck: a console for GitOps on edge Kubernetes clusters.
//!
//! Actors at the edge, a pure fold in the middle, pictures at the end; ARCHITECTURE.md draws the rooms and the walls between them.

pub mod app;
pub mod cli;
pub mod config;
pub mod connect;
pub mod desired;
pub mod domain;
pub mod drift;
pub mod fleet;
pub mod health;
pub mod keymap;
pub mod metrics;
pub mod ops;
pub mod runtime;
#[cfg(feature = "demo")]
pub mod sim;
pub mod sources;
pub mod telemetry;
pub mod terminal;
pub mod theme;
pub mod ui;
pub mod view;

//! The GitOps engines: how each one's documents become slim rows.

pub mod argo;

//! The GitOps engines: how each one's documents become slim rows.

pub mod argo;
pub mod document;
pub mod flux;
pub mod inventory;

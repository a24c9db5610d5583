//! Desired state out of Git: bare mirrors, rendering, tracking marks.
//!
//! Nothing is ever checked out: a commit's tree is read object by object, and what a tree holds is not trusted.

pub mod argo_api;
pub mod ask;
mod bare;
mod charts;
mod contents;
mod copy;
pub mod flux;
pub mod git;
mod glob;
mod helm;
mod jsonnet;
mod key;
mod kind;
mod kustomize;
mod lease;
mod links;
mod manifest;
mod mirror;
pub mod policy;
pub mod prepare;
mod program;
mod release;
pub mod render;
mod repo;
pub mod revision;
mod scope;
mod semver;
pub mod service;
mod shelf;
mod shop;
mod taint;
#[cfg(test)]
pub(crate) mod testing;
pub mod tracking;
pub mod tree;
mod vars;
mod web;
mod work;
mod written;

use crate::domain::{Unjudged, UnjudgedReason};

pub use argo_api::ArgoApi;
pub use ask::{Ask, Purpose, Served};
pub use copy::CopyLimits;
pub use flux::{Given, GivenText, GivenValues};
pub use git::FetchLimits;
pub use key::ContentKey;
pub use lease::Lease;
pub use policy::{Login, Remote, RepoPolicy};
pub use prepare::{Placement, Prepared, Recipe};
pub use program::ProgramLimits;
pub use render::{Content, Rendered};
pub use service::{DesiredHandle, Located, RepoChanged, RepoStatus, Settings};
pub use shop::Programs;
pub use tree::RenderLimits;

/// Makes the reason why there is no desired state; the message passes through `Safe`.
fn unjudged(reason: UnjudgedReason, message: impl Into<String>) -> Unjudged {
    Unjudged {
        reason,
        message: message.into().into(),
    }
}

//! Desired state out of Git: bare mirrors, rendering, tracking marks.
//!
//! Nothing is ever checked out: a commit's tree is read object by object, and what a tree holds is not trusted.

mod contents;
pub mod git;
mod glob;
mod manifest;
mod mirror;
pub mod policy;
pub mod prepare;
pub mod render;
mod repo;
pub mod revision;
mod scope;
pub mod service;
mod shelf;
#[cfg(test)]
pub(crate) mod testing;
pub mod tracking;
pub mod tree;

use crate::domain::{Unjudged, UnjudgedReason};

pub use contents::ContentKey;
pub use git::FetchLimits;
pub use policy::{Remote, RepoPolicy};
pub use prepare::{Placement, Prepared, Recipe};
pub use render::{Content, Rendered};
pub use revision::Commit;
pub use service::{DesiredHandle, Located, RepoChanged, RepoStatus, Settings};
pub use tree::RenderLimits;

/// Makes the reason why there is no desired state; the message passes through `Safe`.
fn unjudged(reason: UnjudgedReason, message: impl Into<String>) -> Unjudged {
    Unjudged {
        reason,
        message: message.into().into(),
    }
}

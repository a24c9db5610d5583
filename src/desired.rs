//! Desired state out of Git: bare mirrors, rendering, tracking marks.
//!
//! Nothing is ever checked out: a commit's tree is read object by object, and what a tree holds is not trusted.

pub mod git;
pub mod policy;

use crate::domain::{Unjudged, UnjudgedReason};

pub use policy::{Remote, RepoPolicy};

/// Makes the reason why there is no desired state; the message passes through `Safe`.
fn unjudged(reason: UnjudgedReason, message: impl Into<String>) -> Unjudged {
    Unjudged {
        reason,
        message: message.into().into(),
    }
}

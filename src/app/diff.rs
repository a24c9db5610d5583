//! The difference of two documents as rows that stand side by side, each knowing whose change it is. Pure.

mod locate;
mod merge;
mod view;

use crate::domain::Safe;

pub use locate::locate;
pub use merge::merge;
pub use view::{Fold, ViewLine, rows, view};

/// How the two sides of a row stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Equal.
    Same,
    /// Both have it, with different values.
    Changed,
    /// Only live has it.
    Added,
    /// Only Git has it.
    Removed,
}

/// Whose a differing row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Nobody's: the row is equal on both sides.
    Equal,
    /// Of the counted change of this number.
    Change(usize),
    /// Of the ignored difference of this number.
    Ignored(usize),
    /// Git does not set it and nobody counted it: a default, a status, bookkeeping of the server.
    Unset,
}

/// One line of YAML on one or both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Nesting, from 0.
    pub depth: u16,
    /// What Git wants, without indentation.
    pub left: Option<Safe>,
    /// What is live, without indentation.
    pub right: Option<Safe>,
    /// How both stand to each other.
    pub mark: Mark,
    /// Whose difference it is.
    pub whose: Whose,
    /// JSON pointer on the side of Git, where it exists there.
    pub left_at: Option<String>,
    /// JSON pointer on the live side, where it exists there.
    pub right_at: Option<String>,
}

impl Row {
    /// Whether the row counts as drift.
    pub fn counts(&self) -> bool {
        matches!(self.whose, Whose::Change(_))
    }
}

//! What a list leaves out and how it sorts: the filter line, the problems key, the sort key.

use crate::domain::Safe;
use crate::fleet::query::{Query, Queryable};

/// Filter and sort of one list.
#[derive(Clone, Debug, Default)]
pub struct Sieve {
    text: String,
    query: Query,
    /// Why the text is no query; the last good one is used meanwhile.
    pub error: Option<Safe>,
    /// Only rows that need somebody.
    pub problems: bool,
    /// Number of the sort order; 0 is the screen's own.
    pub sort: usize,
}

impl Sieve {
    /// Takes a filter text. What does not read is kept as text with its complaint, and the last good query stays in force.
    pub fn set<R: Queryable>(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        match Query::parse::<R>(text) {
            Ok(query) => {
                self.query = query;
                self.error = None;
            }
            Err(why) => self.error = Some(why.into()),
        }
    }

    /// Takes plain words for a list that has no fields.
    pub fn set_words(&mut self, text: &str) {
        text.clone_into(&mut self.text);
        self.error = None;
    }

    /// The text as typed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Clears the filter and the problems key; whether there was anything to clear.
    pub fn clear(&mut self) -> bool {
        let had = !self.text.is_empty() || self.problems;
        *self = Self {
            sort: self.sort,
            ..Self::default()
        };
        had
    }

    /// Whether every row passes.
    pub fn is_open(&self) -> bool {
        self.query.is_empty() && !self.problems
    }

    /// Whether a row passes.
    pub fn passes<R: Queryable>(&self, row: &R, needs_somebody: bool) -> bool {
        (needs_somebody || !self.problems) && self.query.matches(row)
    }
}

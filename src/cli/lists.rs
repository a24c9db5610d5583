//! The lists of the fleet, printed: what they are made from and what they share.

mod apps;
mod drift;
mod status;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use super::args::Form;
use super::document::Scope;
use super::verify::Words;
use crate::fleet::Fleet;
use crate::fleet::query::{Query, Queryable};

pub(crate) use apps::apps;
pub(crate) use drift::{drift, drift_items, groups, shadow, state_words};
pub(crate) use status::status;

/// What a list is made from.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    /// What it covers.
    pub(crate) scope: Scope<'a>,
    /// The `--where` query, as typed.
    pub(crate) query: Option<&'a str>,
    /// Its form.
    pub(crate) form: Form,
    /// The servers' words, when they were asked for.
    pub(crate) words: Option<&'a Words>,
}

/// A printed list and its exit status.
pub(crate) struct Listed {
    /// The text for standard output.
    pub(crate) text: String,
    /// 0, 1 or 3 as the contract says.
    pub(crate) status: u8,
}

impl Asked<'_> {
    pub(crate) fn keep<R: Queryable>(&self, rows: Vec<R>) -> Result<Vec<R>, String> {
        let query = Query::parse::<R>(self.query.unwrap_or_default())?;
        Ok(rows.into_iter().filter(|row| query.matches(row)).collect())
    }

    fn fleet(&self) -> &Fleet {
        self.scope.fleet
    }

    fn drifted(&self) -> bool {
        self.fleet()
            .drift(self.scope.selector)
            .iter()
            .any(|row| row.current)
    }
}

/// How long ago, in one unit: `40s`, `12m`, `3h`, `9d`. A time in the future reads as `0s`.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(at.as_second()).max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

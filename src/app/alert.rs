//! When to ring: a site goes dark, or equal drift spreads. Only after the fleet was heard once, and never twice for the same.

use std::collections::HashMap;

use crate::domain::{ClusterId, Fingerprint, Safe};
use crate::fleet::Fleet;

use super::rows::Rows;

/// From this many clusters on a group of equal drift is worth a bell, and again whenever it has doubled.
const SPREADS: usize = 3;

/// What was rung for, and what was the last state known.
#[derive(Clone, Debug, Default)]
pub(super) struct Alerts {
    /// Whether to ring at all.
    pub(super) on: bool,
    lit: HashMap<ClusterId, bool>,
    rung: HashMap<Fingerprint, usize>,
    settled: bool,
    version: Option<u64>,
}

impl Alerts {
    /// What became true since the last time this was asked, as one sentence.
    pub(super) fn follow(&mut self, fleet: &Fleet, rows: &Rows) -> Option<Safe> {
        if self.version == rows.version() {
            return None;
        }
        self.version = rows.version();
        let first = !self.settled;
        if first && fleet.pending() > 0 {
            return None;
        }
        self.settled = true;
        let mut news = self.dark(rows);
        news.extend(self.spread(rows));
        if first || !self.on || news.is_empty() {
            return None;
        }
        Some(news.join("; ").into())
    }

    fn dark(&mut self, rows: &Rows) -> Vec<String> {
        let mut names = Vec::new();
        for row in &rows.clusters {
            let now = row.state.is_current();
            if self.lit.insert(row.id.clone(), now) == Some(true) && !now {
                names.push(row.id.as_str());
            }
        }
        match names.as_slice() {
            [] => Vec::new(),
            [one] => vec![format!("{one} went dark")],
            [one, rest @ ..] => vec![format!("{one} and {} more went dark", rest.len())],
        }
    }

    fn spread(&mut self, rows: &Rows) -> Vec<String> {
        let mut news = Vec::new();
        for group in &rows.groups {
            let clusters = group.sites;
            let rung = self.rung.get(&group.fingerprint).copied().unwrap_or(0);
            if clusters >= SPREADS && clusters >= rung * 2 {
                self.rung.insert(group.fingerprint, clusters);
                news.push(format!(
                    "{} {} on {clusters} clusters",
                    group.object, group.summary
                ));
            }
        }
        news
    }
}

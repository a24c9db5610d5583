//! The lines of groups in a list: the name, how many rows stand below it, and what they need. What is not current is never counted as good.

use super::detail::Lines;
use super::paint::{Canvas, Piece};
use super::table::RowCells;
use super::text::width;
use crate::app::screens::apps::AppTally;
use crate::app::screens::drift::DriftTally;
use crate::domain::Safe;
use crate::fleet::Counts;

/// Columns that a group's name takes at least, so that counts stand below each other.
const NAME: usize = 18;

/// One sign with its scope, how many, and what it means.
type Tally = (&'static str, &'static str, usize, &'static str);

/// The line of a group.
///
/// ```text
/// ▾ eu-north          31   ✓ 20  ≠ 9  ◌ 2
/// ▸ (none)             1   ✓ 0  ⊘ 1
/// ```
pub(super) fn head(canvas: &Canvas<'_>, name: &Safe, folded: bool, counts: Vec<Piece>) -> RowCells {
    let [open, closed] = canvas.glyphs().fold;
    let sign = if folded { closed } else { open };
    let name = named(name);
    let gap = NAME.saturating_sub(width(name.as_str())).max(1);
    let mut pieces = vec![
        canvas.piece("text.dim", format!("{sign} ")),
        canvas.piece("text.strong", name),
        canvas.gap(gap),
    ];
    pieces.extend(counts);
    RowCells::head(pieces)
}

/// A group's name, also where rows have none.
pub(super) fn named(name: &Safe) -> Safe {
    if name.is_empty() {
        return Safe::fixed("(none)");
    }
    name.clone()
}

/// Clusters by what they need.
pub(super) fn clusters(canvas: &Canvas<'_>, counts: &Counts) -> Vec<Piece> {
    let mut pieces = vec![canvas.piece("text", format!("{:>4}   ", counts.clusters))];
    pieces.extend(signs(canvas, &needs(canvas, counts), "text"));
    pieces
}

/// Clusters by what they need, each need on a line with its word.
pub(super) fn in_words(canvas: &Canvas<'_>, counts: &Counts) -> Lines {
    let all = needs(canvas, counts);
    let shown = all.iter().filter(|(.., count, _)| *count > 0);
    let line = |(sign, scope, count, word): &Tally| {
        vec![
            canvas.fixed(scope, sign),
            canvas.piece("text", format!(" {count:>4} ")),
            canvas.fixed("text.dim", word),
        ]
    };
    shown.map(line).collect()
}

/// Clusters by what they need: only what is current and well is counted as good.
pub(super) fn needs(canvas: &Canvas<'_>, counts: &Counts) -> [Tally; 7] {
    let g = canvas.glyphs();
    [
        (g.synced, "sync.synced", counts.good, "as Git wants them"),
        (
            g.out_of_sync,
            "sync.outofsync",
            counts.drifted,
            "drifted or out of sync",
        ),
        (g.degraded, "health.degraded", counts.degraded, "degraded"),
        (
            g.unknown,
            "sync.unknown",
            counts.unknown,
            "not judged whole",
        ),
        (g.stale, "stale", counts.stale, "stale: nobody knows"),
        (
            g.unreachable,
            "unreachable",
            counts.dark,
            "dark: nobody knows",
        ),
        (
            g.syncing,
            "connecting",
            counts.connecting,
            "still connecting",
        ),
    ]
}

/// Signs with their counts. The first one always shows, the others only when there is any.
pub(super) fn signs(canvas: &Canvas<'_>, all: &[Tally], scope: &str) -> Vec<Piece> {
    let shown = all.iter().enumerate();
    let shown = shown.filter(|(i, (.., count, _))| *i == 0 || *count > 0);
    let pair = |(_, (sign, own, count, _)): (usize, &Tally)| {
        [
            canvas.fixed(own, sign),
            canvas.piece(scope, format!(" {count}  ")),
        ]
    };
    shown.flat_map(pair).collect()
}

/// Applications by how they are.
pub(super) fn apps(canvas: &Canvas<'_>, tally: &AppTally) -> Vec<Piece> {
    let g = canvas.glyphs();
    let all = [
        (g.synced, "sync.synced", tally.good, ""),
        (g.out_of_sync, "sync.outofsync", tally.out_of_sync, ""),
        (g.degraded, "health.degraded", tally.degraded, ""),
        (g.unknown, "sync.unknown", tally.unknown, ""),
        (g.stale, "stale", tally.old, ""),
    ];
    let mut pieces = vec![canvas.piece("text", format!("{:>5}   ", tally.all))];
    pieces.extend(signs(canvas, &all, "text"));
    pieces
}

/// Changes, the objects that have them, and where.
pub(super) fn drift(canvas: &Canvas<'_>, tally: &DriftTally) -> Vec<Piece> {
    let g = canvas.glyphs();
    let all = [
        (g.out_of_sync, "drift.edited", tally.objects, ""),
        (g.stale, "stale", tally.old, ""),
    ];
    let plural = crate::app::screens::drift::plural;
    let words = format!(
        "{} on {}   ",
        plural(tally.changes, "change"),
        plural(tally.clusters.len(), "cluster")
    );
    let mut pieces = vec![canvas.piece("text", words)];
    pieces.extend(signs(canvas, &all, "text"));
    pieces
}

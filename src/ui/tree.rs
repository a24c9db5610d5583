//! A tree as rows: branches and name, verdict, health, what the hub says otherwise, a few facts.

use jiff::Timestamp;

use super::paint::{Canvas, Piece, width_of};
use super::run;
use super::sheet::Look;
use super::signs;
use super::text::{cut_middle, width};
use crate::app::age::age;
use crate::app::tree::{Node, Part};
use crate::domain::{Safe, SyncState};

/// Columns of a verdict and of a health as sign and word.
const WORDS: [usize; 2] = [12, 14];
/// Columns of the hub's word.
const HUB: usize = 7;
/// Columns of facts and age.
const FACTS: usize = 28;
/// From here signs have their words.
const WORDED: usize = 46;
/// From here facts stand in a column of their own.
const FACTUAL: usize = 96;

/// How wide the columns of one tree are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    /// Columns of the names.
    name: usize,
    words: bool,
    hub: bool,
    facts: bool,
}

impl Columns {
    /// Columns for these nodes in this width: names get what they need, and are cut only when the rest has no room.
    pub(super) fn of<'n>(nodes: impl Iterator<Item = &'n Node>, width: u16) -> Self {
        let width = usize::from(width);
        let (mut longest, mut hub) = (0, false);
        for node in nodes {
            longest = longest.max(named(node));
            hub |= node.hub.is_some();
        }
        let mut columns = Self {
            name: longest,
            words: width >= WORDED,
            hub: hub && width >= WORDED,
            facts: width >= FACTUAL,
        };
        columns.name = longest.min(width.saturating_sub(columns.rest()).max(12));
        columns
    }

    /// Columns beside the names.
    fn rest(&self) -> usize {
        let words = if self.words { WORDS } else { [2, 2] };
        let hub = if self.hub { HUB } else { 0 };
        let facts = if self.facts { FACTS } else { 0 };
        2 + words.iter().sum::<usize>() + hub + facts
    }

    /// Titles over the columns.
    pub(super) fn titles(&self, canvas: &Canvas<'_>) -> Vec<Piece> {
        let words = if self.words {
            ["DRIFT", "HEALTH"]
        } else {
            ["D", "H"]
        };
        let widths = self.states();
        let mut pieces = vec![canvas.fixed("column", "OBJECT")];
        pad(canvas, &mut pieces, self.name + 2);
        for (word, width) in words.into_iter().zip(widths) {
            let from = width_of(&pieces);
            pieces.push(canvas.fixed("column", word));
            pad(canvas, &mut pieces, from + width);
        }
        pieces
    }

    fn states(&self) -> [usize; 2] {
        if self.words { WORDS } else { [2, 2] }
    }
}

/// Columns of a node's branches and name.
fn named(node: &Node) -> usize {
    width(&node.stem) + usize::from(node.below > 0) * 2 + width(&node.name())
}

/// One node; what is good and no longer current wears another sign.
///
/// ```text
/// ├ ▾ Deployment gateway           ≠ edited  ✗ Degraded    ✓ hub  1/3 ready  41m
/// │ └ ▾ ReplicaSet gateway-6f7d9b            ◐ Progressing
/// ```
pub(super) fn row(
    canvas: &Canvas<'_>,
    node: &Node,
    columns: &Columns,
    now: Timestamp,
    look: Look<'_>,
    old: bool,
) -> Vec<Piece> {
    let mut pieces = name(canvas, node, columns, look);
    pad(canvas, &mut pieces, columns.name + 2);
    let states = [verdict(canvas, node), health(canvas, node)];
    for (state, width) in states.into_iter().zip(columns.states()) {
        let from = width_of(&pieces);
        let state = if old {
            signs::old(canvas, state)
        } else {
            state
        };
        let shown = if columns.words { state.len() } else { 1 };
        pieces.extend(state.into_iter().take(shown));
        pad(canvas, &mut pieces, from + width);
    }
    if columns.hub {
        let from = width_of(&pieces);
        pieces.extend(hub(canvas, node));
        pad(canvas, &mut pieces, from + HUB);
    }
    let age = node.created.and_then(|then| age(now, then));
    let facts = [node.fact.as_str(), age.as_ref().map_or("", Safe::as_str)];
    let facts: Vec<&str> = facts
        .into_iter()
        .filter(|words| !words.is_empty())
        .collect();
    if columns.facts {
        pieces.push(canvas.piece("text.dim", facts.join("  ")));
    }
    pieces
}

/// Fills up to a column.
fn pad(canvas: &Canvas<'_>, pieces: &mut Vec<Piece>, to: usize) {
    let used = width_of(pieces);
    pieces.push(canvas.piece("text", " ".repeat(to.saturating_sub(used))));
}

/// Branches, the sign of what hangs under it, kind and name; what tells a name from its sisters stands at its end and stays.
fn name(canvas: &Canvas<'_>, node: &Node, columns: &Columns, look: Look<'_>) -> Vec<Piece> {
    let mut pieces = vec![canvas.piece("border", node.stem.as_str())];
    if node.below > 0 {
        let [open, folded] = canvas.glyphs().fold;
        let sign = if node.folded { folded } else { open };
        pieces.extend([canvas.fixed("border", sign), canvas.gap(1)]);
    }
    let room = columns.name.saturating_sub(width_of(&pieces));
    let name = cut_middle(&node.name(), room, canvas.glyphs().ellipsis);
    let scope = match node.part {
        Part::App(_) => "text.strong",
        Part::Owned => "text.dim",
        Part::Judged(_) | Part::Named(_) => "text",
    };
    let name = vec![canvas.piece(scope, name)];
    pieces.extend(run::marked(canvas, name, look.wanted));
    pieces
}

fn verdict(canvas: &Canvas<'_>, node: &Node) -> Vec<Piece> {
    match node.part {
        Part::App(state) | Part::Named(Some(state)) => signs::sync(canvas, state),
        Part::Judged(state) => signs::verdict(canvas, state),
        Part::Named(None) | Part::Owned => vec![canvas.fixed("text.dim", "-")],
    }
}

fn health(canvas: &Canvas<'_>, node: &Node) -> Vec<Piece> {
    match &node.health {
        Some((health, _)) => signs::health(canvas, *health),
        None => vec![canvas.fixed("text.dim", "-")],
    }
}

/// The hub's word where it is another, and that of an object of which only the hub speaks.
fn hub(canvas: &Canvas<'_>, node: &Node) -> Vec<Piece> {
    let word = match node.part {
        Part::Named(state) => state,
        _ => node.hub,
    };
    let Some(word) = word else {
        return Vec::new();
    };
    let mut pieces: Vec<Piece> = signs::sync(canvas, word).into_iter().take(1).collect();
    let scope = if word == SyncState::Synced {
        "text.dim"
    } else {
        "notice.warning"
    };
    pieces.push(canvas.fixed(scope, " hub"));
    pieces
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::app::testkit::{app_on, now, troubled_fleet};
    use crate::app::tree::{of_app, seen};
    use crate::theme::{Depth, theme_for_tests};

    fn drawn(width: u16) -> String {
        let theme = theme_for_tests("dark", Depth::True, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let canvas = Canvas::new(&mut buffer, &theme);
        let fleet = troubled_fleet();
        let row_of = fleet.app_row(&app_on("edge-berlin-017")).unwrap();
        let nodes = seen(&of_app(&row_of, &fleet, None), &BTreeSet::new(), "");
        let columns = Columns::of(nodes.iter(), width);
        let text = |pieces: Vec<Piece>| {
            let text: String = pieces.iter().map(|p| p.text.as_str()).collect();
            assert!(
                super::width(text.trim_end()) <= usize::from(width),
                "{text}"
            );
            text.trim_end().to_owned()
        };
        let rows = nodes
            .iter()
            .map(|n| text(row(&canvas, n, &columns, now(), Look::default(), false)));
        let titles = text(columns.titles(&canvas));
        let all: Vec<String> = std::iter::once(titles).chain(rows).collect();
        all.join("\n")
    }

    #[test]
    fn a_wide_tree_says_it_in_words() {
        insta::assert_snapshot!(drawn(80));
    }

    #[test]
    fn a_narrow_tree_keeps_names_and_signs() {
        insta::assert_snapshot!(drawn(32));
    }
}

//! What of a difference is shown: the changes with some lines around them, the rest folded, noise left out or not.

use super::locate::parent;
use super::{Mark, Row, Whose, locate};
use crate::domain::event::Bodies;
use crate::domain::{Safe, Verdict};

/// Lines that are not shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    /// How many.
    pub lines: usize,
    /// Where the next shown line is: the keys that lead to it.
    pub path: Safe,
}

/// One line of the view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ViewLine {
    /// The row of this number.
    Row(usize),
    /// Rows left out.
    Fold(Fold),
}

/// The rows of an object with the owner of every difference.
pub fn rows(bodies: &Bodies, verdict: &Verdict) -> Vec<Row> {
    let mut rows = super::merge(bodies.desired.as_ref(), bodies.live.as_ref());
    for (i, change) in verdict.changes.iter().enumerate() {
        own(&mut rows, bodies, &change.path, Whose::Change(i));
    }
    for (i, ignored) in verdict.ignored.iter().enumerate() {
        own(&mut rows, bodies, &ignored.path, Whose::Ignored(i));
    }
    rows
}

/// Gives every differing row at or below a path to its owner. A row that belongs to a counted change stays there.
///
/// A counted path that neither document has is followed upwards until a place is found: a counted change must never be hidden as noise.
fn own(rows: &mut [Row], bodies: &Bodies, path: &str, whose: Whose) {
    let at =
        |side: &Option<serde_json::Value>, path: &str| side.as_ref().and_then(|d| locate(path, d));
    let mut path = Some(path);
    while let Some(here) = path {
        let (left, right) = (at(&bodies.desired, here), at(&bodies.live, here));
        for row in rows
            .iter_mut()
            .filter(|r| r.mark != Mark::Same && !r.counts())
        {
            if below(row.left_at.as_ref(), left.as_ref())
                || below(row.right_at.as_ref(), right.as_ref())
            {
                row.whose = whose;
            }
        }
        let found = left.is_some() || right.is_some();
        let counted = matches!(whose, Whose::Change(_));
        path = parent(here).filter(|_| counted && !found);
    }
}

fn below(row: Option<&String>, place: Option<&String>) -> bool {
    let (Some(row), Some(place)) = (row, place) else {
        return false;
    };
    row.strip_prefix(place.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Chooses the lines: counted changes, noise when asked for, `context` equal lines around them, and the keys above.
pub fn view(rows: &[Row], context: usize, noise: bool) -> Vec<ViewLine> {
    let wanted = |row: &Row| row.counts() || noise && row.mark != Mark::Same;
    // A subtree that only the server has is not context of anything.
    let hidden = |row: &Row| row.mark != Mark::Same && !wanted(row);
    let mut keep = vec![false; rows.len()];
    for (i, row) in rows.iter().enumerate() {
        if wanted(row) {
            keep_around(&mut keep, rows, i, context, &hidden);
        }
    }
    lines(rows, &keep, &hidden)
}

fn keep_around(
    keep: &mut [bool],
    rows: &[Row],
    i: usize,
    context: usize,
    hidden: &impl Fn(&Row) -> bool,
) {
    let mut set = |i: usize| {
        if let Some(slot) = keep.get_mut(i) {
            *slot = true;
        }
    };
    set(i);
    let shown = |i: &usize| rows.get(*i).is_some_and(|r| !hidden(r));
    (0..i).rev().filter(shown).take(context).for_each(&mut set);
    (i + 1..rows.len())
        .filter(shown)
        .take(context)
        .for_each(&mut set);
}

fn lines(rows: &[Row], keep: &[bool], hidden: &impl Fn(&Row) -> bool) -> Vec<ViewLine> {
    let mut lines = Vec::new();
    let mut left_out = 0;
    for (i, row) in rows.iter().enumerate() {
        if keep.get(i).copied().unwrap_or_default() {
            if left_out > 0 {
                lines.push(ViewLine::Fold(Fold {
                    lines: left_out,
                    path: path_to(rows, i),
                }));
                left_out = 0;
            }
            lines.push(ViewLine::Row(i));
        } else if !hidden(row) {
            left_out += 1;
        }
    }
    if left_out > 0 {
        lines.push(ViewLine::Fold(Fold {
            lines: left_out,
            path: Safe::default(),
        }));
    }
    lines
}

/// The keys that lead to a row: the nearest rows above with less depth.
fn path_to(rows: &[Row], i: usize) -> Safe {
    let mut depth = rows.get(i).map_or(0, |r| r.depth);
    let mut keys: Vec<String> = Vec::new();
    for row in rows.iter().take(i).rev() {
        if row.depth < depth {
            depth = row.depth;
            let text = row.left.as_ref().or(row.right.as_ref());
            keys.push(text.map_or_else(String::new, |t| {
                t.as_str()
                    .trim_end_matches(':')
                    .trim_start_matches("- ")
                    .to_owned()
            }));
        }
    }
    keys.reverse();
    keys.join(".").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{Change, ChangeOp, Ignored};

    fn bodies() -> Bodies {
        Bodies {
            desired: Some(
                json!({"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"a": 1, "b": 2, "c": 3, "replicas": 3, "z": 1}}),
            ),
            live: Some(
                json!({"kind": "Deployment", "metadata": {"name": "web", "uid": "u1"}, "spec": {"a": 1, "b": 2, "c": 3, "limit": 9, "replicas": 1, "z": 1}}),
            ),
        }
    }

    fn verdict() -> Verdict {
        Verdict {
            changes: vec![Change {
                path: "spec.replicas".into(),
                op: ChangeOp::Changed,
                desired: Some(3.into()),
                live: Some(1.into()),
                owner: None,
                owner_inferred: false,
            }],
            ignored: vec![Ignored {
                path: "spec.limit".into(),
                reason: "set by a webhook".into(),
                owner: None,
            }],
            ..Verdict::default()
        }
    }

    fn text(rows: &[Row], lines: &[ViewLine]) -> Vec<String> {
        lines
            .iter()
            .map(|line| match line {
                ViewLine::Row(i) => rows[*i].right.clone().unwrap_or_default().to_string(),
                ViewLine::Fold(fold) => format!("… {} {}", fold.lines, fold.path),
            })
            .collect()
    }

    #[test]
    fn every_difference_has_its_owner() {
        let rows = rows(&bodies(), &verdict());
        let whose = |text: &str| {
            rows.iter()
                .find(|r| r.right.as_ref().is_some_and(|t| t.as_str() == text))
                .unwrap()
                .whose
        };
        assert_eq!(whose("replicas: 1"), Whose::Change(0));
        assert_eq!(whose("limit: 9"), Whose::Ignored(0));
        assert_eq!(whose("uid: u1"), Whose::Unset);
        assert_eq!(whose("a: 1"), Whose::Equal);
    }

    #[test]
    fn noise_is_left_out_until_asked_for_and_never_counted_as_context() {
        let rows = rows(&bodies(), &verdict());
        assert_eq!(
            text(&rows, &view(&rows, 1, false)),
            ["… 6 spec", "c: 3", "replicas: 1", "z: 1"]
        );
        let all = text(&rows, &view(&rows, 0, true));
        assert_eq!(
            all,
            [
                "… 3 metadata",
                "uid: u1",
                "… 4 spec",
                "limit: 9",
                "replicas: 1",
                "… 1 "
            ]
        );
    }

    #[test]
    fn a_change_whose_place_is_not_found_still_counts() {
        let mut verdict = verdict();
        verdict.changes[0].path = "spec.replicas[odd=selector].deeper".into();
        let rows = rows(&bodies(), &verdict);
        assert!(rows.iter().any(|r| r.counts() && r.mark == Mark::Changed));
    }

    #[test]
    fn an_object_that_is_missing_is_shown_whole_as_removed() {
        let bodies = Bodies {
            live: None,
            ..bodies()
        };
        let whole = Verdict {
            changes: vec![Change {
                path: String::new(),
                op: ChangeOp::Removed,
                desired: None,
                live: None,
                owner: None,
                owner_inferred: false,
            }],
            ..Verdict::default()
        };
        let rows = rows(&bodies, &whole);
        assert!(rows.iter().all(|r| r.mark == Mark::Removed && r.counts()));
        assert_eq!(view(&rows, 3, false).len(), rows.len());
    }
}

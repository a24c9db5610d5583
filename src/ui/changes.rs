//! The changes of one object in a detail: path, both values or the lines that differ, who did it.

use jiff::Timestamp;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::detail::Lines;
use super::paint::Canvas;
use super::signs;
use super::text::cut_end;
use crate::app::screens::drift::plural;
use crate::domain::{Change, ChangeOp, Safe, Verdict};

/// Changes that are written out; a detail has room for fewer.
const MOST: usize = 200;
/// Lines written of one text that changed.
const MOST_LINES: usize = 20;

/// The changes of one object.
///
/// ```text
/// ≠ spec.replicas  3 → 1
///     kubectl-scale 01:33Z
/// ≠ data["config.yaml"]
///     2 - prometheus: {interval: 30s}
///     2 + prometheus: {interval: 15s}
///     kubectl-edit 01:35Z
/// ```
pub(super) fn changes(canvas: &Canvas<'_>, verdict: &Verdict, now: Timestamp) -> Lines {
    let mut lines: Lines = Vec::new();
    if let Some(message) = &verdict.message {
        lines.push(vec![canvas.piece("notice.warning", message.clone())]);
    }
    for change in verdict.changes.iter().take(MOST) {
        lines.extend(change_lines(canvas, change));
        let owner = signs::owner(change.owner.as_ref(), change.owner_inferred, now);
        lines.push(vec![canvas.gap(4), canvas.piece("diff.owner", owner)]);
    }
    lines.extend(behind(canvas, &verdict.behind));
    if !verdict.ignored.is_empty() {
        let text = format!("{} more differ and do not count", verdict.ignored.len());
        lines.push(vec![canvas.piece("diff.ignored", text)]);
    }
    lines
}

fn change_lines(canvas: &Canvas<'_>, change: &Change) -> Lines {
    let (sign, scope) = signs::change(canvas, change.op);
    let mut head = vec![
        canvas.gap(1),
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.piece("diff.path", change.path.as_str()),
    ];
    let (desired, live) = (change.desired.as_ref(), change.live.as_ref());
    let text = between_texts(canvas, desired, live);
    if !text.is_empty() {
        return [vec![head], text].concat();
    }
    head.push(canvas.gap(2));
    let (desired, live) = (desired.map(short), live.map(short));
    match (change.op, desired, live) {
        (ChangeOp::Added, _, Some(live)) => head.push(canvas.piece("diff.added", live)),
        (ChangeOp::Removed, Some(desired), _) => head.push(canvas.piece("diff.removed", desired)),
        (_, desired, live) => {
            head.push(canvas.piece("diff.removed", desired.unwrap_or_default()));
            head.push(canvas.piece("text.dim", format!(" {} ", canvas.glyphs().arrow)));
            head.push(canvas.piece("diff.added", live.unwrap_or_default()));
        }
    }
    vec![head]
}

/// What a sync would change: the deployed value, then the target's.
fn behind(canvas: &Canvas<'_>, changes: &[Change]) -> Lines {
    if changes.is_empty() {
        return Vec::new();
    }
    let words = format!(
        "Git moved on: {} not deployed yet",
        plural(changes.len(), "change")
    );
    let mut lines = vec![vec![canvas.piece("drift.behind", words)]];
    let shown = changes.iter().take(MOST_LINES);
    lines.extend(shown.flat_map(|change| behind_lines(canvas, change)));
    lines
}

fn behind_lines(canvas: &Canvas<'_>, change: &Change) -> Lines {
    let mut head = vec![
        canvas.gap(3),
        canvas.piece("diff.path", change.path.as_str()),
    ];
    let text = between_texts(canvas, change.live.as_ref(), change.desired.as_ref());
    if !text.is_empty() {
        return [vec![head], text].concat();
    }
    let value = |v: &Option<Value>| v.as_ref().map_or(Safe::fixed("nothing"), short);
    let (from, to) = (value(&change.live), value(&change.desired));
    let values = format!("  {from} {} {to}", canvas.glyphs().arrow);
    head.push(canvas.piece("text", values));
    vec![head]
}

/// The lines that differ between two texts of several lines, numbered; nothing where either is something else.
fn between_texts(canvas: &Canvas<'_>, from: Option<&Value>, to: Option<&Value>) -> Lines {
    let (Some(Value::String(from)), Some(Value::String(to))) = (from, to) else {
        return Vec::new();
    };
    if !from.contains('\n') && !to.contains('\n') {
        return Vec::new();
    }
    let diff = TextDiff::from_lines(from, to);
    let mut changed = diff.iter_all_changes().filter_map(|line| {
        let (sign, scope, index) = match line.tag() {
            ChangeTag::Delete => ("-", "diff.removed", line.old_index()),
            ChangeTag::Insert => ("+", "diff.added", line.new_index()),
            ChangeTag::Equal => return None,
        };
        let number = index.map_or(0, |i| i + 1);
        let text = cut_end(line.value().trim_end_matches(['\n', '\r']), 200, "…");
        let mut pieces = vec![
            canvas.piece("text.dim", format!("{number:>6} ")),
            canvas.piece(scope, format!("{sign} {text}")),
        ];
        if line.missing_newline() {
            pieces.push(canvas.fixed("text.dim", "  (no line break at its end)"));
        }
        Some(pieces)
    });
    let mut lines: Lines = changed.by_ref().take(MOST_LINES).collect();
    let rest = changed.count();
    if rest > 0 {
        let words = format!("       {} more", plural(rest, "line"));
        lines.push(vec![canvas.piece("text.dim", words)]);
    }
    lines
}

/// A value on one line: text as it is, the rest as JSON, cut when long.
fn short(value: &Value) -> Safe {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Safe::from(cut_end(&text, 200, "…"))
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;
    use serde_json::json;

    use super::*;
    use crate::theme::{Depth, theme_for_tests};

    fn written(verdict: &Verdict) -> Vec<String> {
        let theme = theme_for_tests("dark", Depth::True, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let canvas = Canvas::new(&mut buffer, &theme);
        let text = |line: &Vec<super::super::paint::Piece>| {
            line.iter().map(|p| p.text.as_str()).collect::<String>()
        };
        let lines = changes(&canvas, verdict, Timestamp::UNIX_EPOCH);
        lines.iter().map(text).collect()
    }

    fn config(desired: &str, live: &str) -> Change {
        Change {
            path: "data[\"config.yaml\"]".into(),
            op: ChangeOp::Changed,
            desired: Some(json!(desired)),
            live: Some(json!(live)),
            owner: None,
            owner_inferred: false,
        }
    }

    #[test]
    fn of_a_long_text_only_the_lines_that_differ_are_written() {
        let edited = Verdict {
            changes: vec![config(
                "receivers:\n  interval: 30s\n",
                "receivers:\n  interval: 15s\n",
            )],
            ..Verdict::default()
        };
        let expected = [
            " ≠ data[\"config.yaml\"]",
            "     2 -   interval: 30s",
            "     2 +   interval: 15s",
            "    not recorded",
        ];
        assert_eq!(written(&edited), expected);
    }

    #[test]
    fn a_lost_last_line_break_is_named() {
        let edited = Verdict {
            changes: vec![config("debug\ntrace\n", "debug\ntrace")],
            ..Verdict::default()
        };
        assert_eq!(
            written(&edited)[1..3],
            [
                "     2 - trace",
                "     2 + trace  (no line break at its end)"
            ]
        );
    }

    #[test]
    fn what_a_sync_would_bring_reads_from_deployed_to_target() {
        let behind = Verdict {
            behind: vec![config("queue: 500\n", "queue: 2000\n")],
            ..Verdict::default()
        };
        let expected = [
            "Git moved on: 1 change not deployed yet",
            "   data[\"config.yaml\"]",
            "     1 - queue: 2000",
            "     1 + queue: 500",
        ];
        assert_eq!(written(&behind), expected);
    }
}

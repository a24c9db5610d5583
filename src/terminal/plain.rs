//! A frame as lines to be read out: only what is new of it, from top to bottom, and at the end the selected row. Pure.
//!
//! For screen readers, for terminals whose cursor cannot be moved, and for logs of a session: nothing is ever drawn over.

use std::collections::BTreeSet;

use ratatui::buffer::{Buffer, Cell};

/// What marks the selected row; it is part of no row's text.
const MARKER: char = '>';

/// The lines of `next` that `shown` did not have; none when nothing is new.
pub(super) fn spoken(shown: Option<&Buffer>, next: &Buffer) -> Vec<u8> {
    let before = shown.map(lines).unwrap_or_default();
    let known: BTreeSet<&str> = before.iter().map(|line| line.text.as_str()).collect();
    let now = lines(next);
    let mut said: Vec<&str> = now
        .iter()
        .filter(|line| !line.selected && !known.contains(line.text.as_str()))
        .map(|line| line.text.as_str())
        .collect();
    let selected = |lines: &[Line]| {
        lines
            .iter()
            .filter(|l| l.selected)
            .map(|l| l.text.clone())
            .collect::<Vec<_>>()
    };
    let (was, is) = (selected(&before), selected(&now));
    if was != is {
        said.extend(now.iter().filter(|l| l.selected).map(|l| l.text.as_str()));
    }
    let mut out = String::new();
    for line in said {
        out.push_str(line);
        // The terminal is in raw mode: a line feed alone would only go down.
        out.push_str("\r\n");
    }
    out.into_bytes()
}

/// One line of a frame.
struct Line {
    text: String,
    selected: bool,
}

/// The lines that say something.
fn lines(frame: &Buffer) -> Vec<Line> {
    let width = usize::from(frame.area.width).max(1);
    let rows = frame.content().chunks(width).map(text);
    rows.filter(|text| text.chars().any(char::is_alphanumeric))
        .map(|text| line(&text))
        .collect()
}

fn text(row: &[Cell]) -> String {
    row.iter().map(Cell::symbol).collect()
}

fn line(text: &str) -> Line {
    let trimmed = text.trim();
    let selected = trimmed.starts_with(MARKER);
    let words = trimmed.trim_start_matches(MARKER).split_whitespace();
    Line {
        text: words
            .filter(|word| !is_clock(word))
            .collect::<Vec<_>>()
            .join(" "),
        selected,
    }
}

/// The clock of the title bar: a minute that passes is no news.
fn is_clock(word: &str) -> bool {
    let shape: String = word
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    matches!(shape.as_str(), "0000-00-00" | "00:00Z")
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn frame(lines: &[&str]) -> Buffer {
        let height = u16::try_from(lines.len()).unwrap();
        let mut buf = Buffer::empty(Rect::new(0, 0, 40, height));
        for (y, line) in (0..).zip(lines) {
            buf.set_string(0, y, line, Style::new());
        }
        buf
    }

    fn said(before: &[&str], after: &[&str]) -> String {
        let before = (!before.is_empty()).then(|| frame(before));
        String::from_utf8(spoken(before.as_ref(), &frame(after))).unwrap()
    }

    #[test]
    fn the_first_frame_is_read_out_whole_and_rules_are_not() {
        let read = said(
            &[],
            &[
                " FLEET  2 clusters   2026-11-21 02:14Z",
                "----------",
                "> edge-oslo-001  live",
                "  edge-oslo-002   live",
            ],
        );
        assert_eq!(
            read,
            "FLEET 2 clusters\r\nedge-oslo-002 live\r\nedge-oslo-001 live\r\n"
        );
    }

    #[test]
    fn a_moved_cursor_reads_the_row_that_is_selected_now() {
        let read = said(
            &["> edge-oslo-001  live", "  edge-oslo-002  live"],
            &["  edge-oslo-001  live", "> edge-oslo-002  live"],
        );
        assert_eq!(read, "edge-oslo-002 live\r\n");
    }

    #[test]
    fn rows_that_only_moved_are_not_read_again() {
        let read = said(
            &["> edge-oslo-001", "  edge-oslo-002", "  edge-oslo-003"],
            &["> edge-oslo-001", "  edge-oslo-003", "  edge-oslo-004"],
        );
        assert_eq!(read, "edge-oslo-004\r\n");
    }

    #[test]
    fn a_minute_that_passes_and_an_equal_frame_say_nothing() {
        assert_eq!(
            said(&["FLEET 2026-11-21 02:14Z"], &["FLEET 2026-11-21 02:15Z"]),
            ""
        );
        assert_eq!(said(&["> edge-oslo-001"], &["> edge-oslo-001"]), "");
    }
}

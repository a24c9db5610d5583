//! Draws pages of labelled lines.

use super::paint::{Canvas, Piece};
use crate::app::shape::Area;
use crate::app::sheet::{LABEL, SheetLine, Tone};

/// The scope of a tone.
pub(super) fn scope(tone: Tone) -> &'static str {
    match tone {
        Tone::Title => "text.strong",
        Tone::Plain => "text",
        Tone::Dim => "text.dim",
        Tone::Good => "health.healthy",
        Tone::Warn => "notice.warning",
        Tone::Bad => "notice.error",
        Tone::Info => "notice.info",
        Tone::Added => "diff.added",
        Tone::Removed => "diff.removed",
    }
}

/// One line as pieces.
pub(super) fn pieces(canvas: &Canvas<'_>, line: &SheetLine) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if !line.label.is_empty() {
        let label = format!("{:<width$}", line.label.as_str(), width = LABEL);
        pieces.push(canvas.piece("text.dim", label));
    } else if line.labelled {
        pieces.push(canvas.gap(LABEL));
    }
    pieces.push(canvas.piece(scope(line.tone), line.text.clone()));
    pieces
}

/// Draws lines from `top` on.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area, lines: &[SheetLine], top: usize) {
    let shown: Vec<Vec<Piece>> = lines
        .iter()
        .skip(top)
        .take(usize::from(area.h))
        .map(|line| pieces(canvas, line))
        .collect();
    canvas.lines(area, &shown);
}

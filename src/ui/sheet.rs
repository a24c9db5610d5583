//! Draws pages of labelled lines.

use super::paint::{Canvas, Piece};
use super::run;
use super::signs;
use super::yaml;
use crate::app::shape::Area;
use crate::app::sheet::{LABEL, SheetLine, Sign, Tone};
use crate::domain::MetricFigure;

/// Most columns of a sparkline.
const COURSE: usize = 40;

/// How far a page is scrolled to the right, and what is searched for in it, in lower case.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Look<'w> {
    pub(super) shift: usize,
    pub(super) wanted: Option<&'w str>,
}

/// The scope of a tone.
fn scope(tone: Tone) -> &'static str {
    match tone {
        Tone::Title => "text.strong",
        Tone::Plain | Tone::Yaml => "text",
        Tone::Dim => "text.dim",
        Tone::Good => "health.healthy",
        Tone::Warn => "notice.warning",
        Tone::Bad => "notice.error",
        Tone::Info => "notice.info",
        Tone::Added => "diff.added",
        Tone::Removed => "diff.removed",
        Tone::Block => "yaml.block",
    }
}

/// One line as pieces; its label stays where it is while the text is scrolled.
pub(super) fn pieces(canvas: &Canvas<'_>, line: &SheetLine, look: Look<'_>) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if !line.label.is_empty() {
        let label = format!("{:<width$}", line.label.as_str(), width = LABEL);
        pieces.push(canvas.piece("text.dim", label));
    } else if line.labelled {
        pieces.push(canvas.gap(LABEL));
    }
    if let Some(sign) = &line.sign {
        pieces.extend(sign_pieces(canvas, sign));
    }
    let text = match line.tone {
        Tone::Yaml => yaml::pieces(canvas, line.text.as_str()),
        tone => vec![canvas.piece(scope(tone), line.text.clone())],
    };
    let text = run::marked(canvas, run::skip(text, look.shift), look.wanted);
    pieces.extend(text);
    pieces
}

/// A state, and the gap before the text behind it.
fn sign_pieces(canvas: &Canvas<'_>, sign: &Sign) -> Vec<Piece> {
    let mut pieces = match sign {
        Sign::Sync(state) => signs::sync(canvas, *state),
        Sign::Drift(state) => signs::verdict(canvas, *state),
        Sign::Health(health) => signs::health(canvas, *health),
        Sign::Figure(figure) => figure_pieces(canvas, figure),
        Sign::Old(words) => vec![
            canvas.fixed("stale", canvas.glyphs().stale),
            canvas.gap(1),
            canvas.fixed("stale", words),
        ],
    };
    pieces.push(canvas.gap(2));
    pieces
}

fn figure_pieces(canvas: &Canvas<'_>, figure: &MetricFigure) -> Vec<Piece> {
    let value = format!("{:>8}  ", signs::figure(figure).as_str());
    vec![
        canvas.piece("text", value),
        signs::sparkline(canvas, &figure.course, COURSE),
    ]
}

/// Draws lines from `top` on.
pub(super) fn draw(canvas: &mut Canvas<'_>, area: Area, lines: &[SheetLine], top: usize) {
    draw_look(canvas, area, lines, top, Look::default());
}

/// The same, scrolled and searched.
pub(super) fn draw_look(
    canvas: &mut Canvas<'_>,
    area: Area,
    lines: &[SheetLine],
    top: usize,
    look: Look<'_>,
) {
    let shown: Vec<Vec<Piece>> = lines
        .iter()
        .skip(top)
        .take(usize::from(area.h))
        .map(|line| pieces(canvas, line, look))
        .collect();
    canvas.lines(area, &shown);
}

//! The body of each screen.

pub(super) mod activity;
pub(super) mod app;
pub(super) mod apps;
pub(super) mod cluster;
pub(super) mod diff;
pub(super) mod drift;
pub(super) mod fleet;
pub(super) mod matrix;
pub(super) mod plan;
pub(super) mod run;

use super::paint::{Canvas, Piece};
use crate::app::shape::Area;
use crate::domain::Safe;

/// What stands in a list that has no rows: why, and what to press.
fn empty(canvas: &mut Canvas<'_>, area: Area, words: &Safe, hint: impl Into<Safe>) {
    let (_, body) = area.top(2);
    let (_, body) = body.left(3);
    let mut lines: Vec<Vec<Piece>> = super::text::wrap(words, usize::from(body.w))
        .into_iter()
        .map(|line| vec![canvas.piece("text", line)])
        .collect();
    lines.push(vec![canvas.piece("text.dim", hint)]);
    canvas.lines(body, &lines);
}

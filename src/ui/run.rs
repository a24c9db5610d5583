//! Runs of pieces: scrolled sideways, and with what is searched for marked.

use super::paint::{Canvas, Piece};
use super::text;
use crate::domain::Safe;

/// Leaves out the first columns of a line.
pub(super) fn skip(pieces: Vec<Piece>, columns: usize) -> Vec<Piece> {
    let mut left = columns;
    let mut kept = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let width = piece.width();
        if left >= width {
            left -= width;
            continue;
        }
        let text = if left > 0 {
            Safe::from(text::skip(piece.text.as_str(), left))
        } else {
            piece.text
        };
        left = 0;
        kept.push(Piece { text, ..piece });
    }
    kept
}

/// Marks the first place in each piece that holds the wanted text, which is in lower case.
pub(super) fn marked(canvas: &Canvas<'_>, pieces: Vec<Piece>, wanted: Option<&str>) -> Vec<Piece> {
    let Some(wanted) = wanted else {
        return pieces;
    };
    let parts = pieces
        .into_iter()
        .flat_map(|piece| parted(canvas, &piece, wanted).unwrap_or_else(|| vec![piece]));
    parts.collect()
}

/// A piece in three: before, found, after.
fn parted(canvas: &Canvas<'_>, piece: &Piece, wanted: &str) -> Option<Vec<Piece>> {
    let text = piece.text.as_str();
    let lower = text.to_lowercase();
    // Lower case may be longer than the text itself: then nothing is marked.
    let at = lower.find(wanted).filter(|_| lower.len() == text.len())?;
    let (before, rest) = (text.get(..at)?, text.get(at..)?);
    let (hit, after) = (rest.get(..wanted.len())?, rest.get(wanted.len()..)?);
    let plain = |text: &str| Piece {
        text: text.into(),
        style: piece.style,
    };
    Some(vec![
        plain(before),
        canvas.piece("match", hit),
        plain(after),
    ])
}

#[cfg(test)]
mod tests {
    use ratatui::buffer::Buffer;
    use ratatui::layout::Rect;

    use super::*;
    use crate::theme::{Depth, theme_for_tests};

    fn texts(make: impl Fn(&Canvas<'_>) -> Vec<Piece>) -> Vec<String> {
        let theme = theme_for_tests("dark", Depth::True, false);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 1, 1));
        let canvas = Canvas::new(&mut buffer, &theme);
        let pieces = make(&canvas);
        pieces.iter().map(|p| p.text.to_string()).collect()
    }

    fn line(canvas: &Canvas<'_>) -> Vec<Piece> {
        vec![
            canvas.fixed("yaml.key", "replicas"),
            canvas.fixed("text", ": "),
            canvas.fixed("yaml.number", "3"),
        ]
    }

    #[test]
    fn scrolling_cuts_through_pieces() {
        assert_eq!(texts(|c| skip(line(c), 5)), ["cas", ": ", "3"]);
        assert_eq!(texts(|c| skip(line(c), 8)), [": ", "3"]);
        assert!(texts(|c| skip(line(c), 80)).is_empty());
    }

    #[test]
    fn what_is_searched_for_is_a_piece_of_its_own() {
        assert_eq!(
            texts(|c| marked(c, line(c), Some("lica"))),
            ["rep", "lica", "s", ": ", "3"]
        );
        assert_eq!(texts(|c| marked(c, line(c), None)).len(), 3);
    }
}

//! The only place that writes cells: pieces of safe text with styles, cut to width, in Unicode or in ASCII.

use ratatui::buffer::Buffer;
use ratatui::layout::Position;
use ratatui::style::{Modifier, Style};
use unicode_segmentation::UnicodeSegmentation;

use super::text;
use crate::app::shape::Area;
use crate::domain::Safe;
use crate::theme::{Glyphs, Theme};

/// Some text in one style.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The text.
    pub text: Safe,
    /// How it looks; what it leaves open is taken from what is below.
    pub style: Style,
}

impl Piece {
    /// Columns it takes.
    pub fn width(&self) -> usize {
        text::width(self.text.as_str())
    }
}

/// A cell whose text is cut at its end, as sentences and values are; a single piece is cut in its middle, as names are.
pub fn sentence(piece: Piece) -> Vec<Piece> {
    let nothing = Piece {
        text: Safe::default(),
        style: piece.style,
    };
    vec![piece, nothing]
}

/// Columns that pieces take together.
pub fn width_of(pieces: &[Piece]) -> usize {
    pieces.iter().map(Piece::width).sum()
}

/// The buffer of a frame, and the theme it is drawn with.
#[derive(Debug)]
pub struct Canvas<'a> {
    buf: &'a mut Buffer,
    theme: &'a Theme,
}

impl<'a> Canvas<'a> {
    /// A canvas over a whole frame.
    pub fn new(buf: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buf, theme }
    }

    /// The signs of states.
    pub fn glyphs(&self) -> &'static Glyphs {
        self.theme.glyphs
    }

    /// Text in the style of a scope.
    pub fn piece(&self, scope: &str, text: impl Into<Safe>) -> Piece {
        Piece {
            text: text.into(),
            style: self.theme.get(scope),
        }
    }

    /// A literal of our own in the style of a scope.
    pub fn fixed(&self, scope: &str, text: &'static str) -> Piece {
        Piece {
            text: Safe::fixed(text),
            style: self.theme.get(scope),
        }
    }

    /// The name of a group on the colour that somebody gave it, else in the style of a scope.
    pub fn group(&self, scope: &str, group: &Safe) -> Piece {
        match self.theme.band(group.as_str()) {
            Some(style) => Piece {
                text: group.clone(),
                style,
            },
            None => self.piece(scope, group.clone()),
        }
    }

    /// Whether somebody gave a group a colour that this terminal can show.
    pub fn has_band(&self, group: &Safe) -> bool {
        self.theme.band(group.as_str()).is_some()
    }

    /// Some spaces.
    pub fn gap(&self, columns: usize) -> Piece {
        const SPACES: &str = "                                                                ";
        Piece {
            text: Safe::fixed(&SPACES[..columns.min(SPACES.len())]),
            style: Style::new(),
        }
    }

    /// Fills an area with spaces in the style of a scope.
    pub fn fill(&mut self, area: Area, scope: &str) {
        let style = self.theme.get(scope);
        self.each(area, |cell| {
            cell.reset();
            cell.set_style(style);
        });
    }

    /// Lays the style of a scope over an area; the text stays.
    pub fn tint(&mut self, area: Area, scope: &str) {
        let style = self.theme.get(scope);
        self.each(area, |cell| {
            cell.set_style(style);
        });
    }

    /// Makes the text of an area bold.
    pub fn embolden(&mut self, area: Area) {
        self.each(area, |cell| cell.modifier.insert(Modifier::BOLD));
    }

    fn each(&mut self, area: Area, mut act: impl FnMut(&mut ratatui::buffer::Cell)) {
        for y in area.y..area.y.saturating_add(area.h) {
            for x in area.x..area.x.saturating_add(area.w) {
                if let Some(cell) = self.buf.cell_mut(Position { x, y }) {
                    act(cell);
                }
            }
        }
    }

    /// Writes pieces into line `row` of an area; what does not fit is cut. Returns the columns used.
    pub fn line(&mut self, area: Area, row: u16, pieces: &[Piece]) -> u16 {
        if row >= area.h {
            return 0;
        }
        self.put(area.x, area.y + row, area.w, pieces)
    }

    /// Writes pieces so that they end at the right edge of an area. Returns the columns used.
    pub fn line_right(&mut self, area: Area, row: u16, pieces: &[Piece]) -> u16 {
        let needed = u16::try_from(width_of(pieces)).unwrap_or(u16::MAX);
        if row >= area.h || needed > area.w {
            return 0;
        }
        self.put(area.x + area.w - needed, area.y + row, needed, pieces)
    }

    /// Writes pieces from a cell on, at most `max` columns.
    pub fn put(&mut self, x: u16, y: u16, max: u16, pieces: &[Piece]) -> u16 {
        let mut used = 0_u16;
        let last = pieces.len().saturating_sub(1);
        for (i, piece) in pieces.iter().enumerate() {
            let room = usize::from(max - used);
            if room == 0 {
                break;
            }
            let more = i < last
                && pieces
                    .iter()
                    .skip(i + 1)
                    .any(|p| !p.text.as_str().trim().is_empty());
            let cut = piece.width() > room || (piece.width() == room && more);
            let shown = if cut {
                text::cut_end(
                    &format!("{} ", piece.text),
                    room,
                    self.theme.glyphs.ellipsis,
                )
            } else {
                piece.text.as_str().to_owned()
            };
            used += self.write(x + used, y, &shown, piece.style);
            if cut {
                break;
            }
        }
        used
    }

    /// Writes one text; returns the columns used.
    fn write(&mut self, x: u16, y: u16, shown: &str, style: Style) -> u16 {
        let mut used = 0;
        for grapheme in shown.graphemes(true) {
            let width = u16::try_from(text::width(grapheme)).unwrap_or(0);
            if width == 0 {
                continue;
            }
            if let Some(cell) = self.buf.cell_mut(Position { x: x + used, y }) {
                self.theme.glyphs.symbol(grapheme, |symbol| {
                    cell.set_symbol(symbol);
                });
                cell.set_style(style);
            }
            // The second half of a wide character must not keep what was there.
            for extra in 1..width {
                if let Some(cell) = self.buf.cell_mut(Position {
                    x: x + used + extra,
                    y,
                }) {
                    cell.set_symbol(if self.theme.glyphs.ascii { "?" } else { " " });
                    cell.set_style(style);
                }
            }
            used += width;
        }
        used
    }

    /// Draws a horizontal line with a title in it.
    pub fn rule(&mut self, area: Area, row: u16, title: &[Piece], focus: bool) {
        let scope = if focus { "border.focus" } else { "border" };
        let line: String = self.glyphs().horizontal.repeat(usize::from(area.w));
        self.line(area, row, &[self.piece(scope, line)]);
        if title.is_empty() || area.w < 8 {
            return;
        }
        let mut pieces = vec![self.gap(1)];
        pieces.extend_from_slice(title);
        pieces.push(self.gap(1));
        let inner = Area {
            x: area.x + 2,
            w: area.w - 4,
            ..area
        };
        self.line(inner, row, &pieces);
    }

    /// Draws a vertical line along the left edge of an area and returns what is right of it.
    pub fn fence(&mut self, area: Area) -> Area {
        let (edge, rest) = area.left(1);
        for row in 0..area.h {
            self.line(edge, row, &[self.fixed("border", self.glyphs().vertical)]);
        }
        let (_, rest) = rest.left(1);
        rest
    }

    /// Writes lines from the top of an area; those that do not fit are left out. Returns how many were written.
    pub fn lines(&mut self, area: Area, lines: &[Vec<Piece>]) -> u16 {
        let mut row = 0;
        for pieces in lines.iter().take(usize::from(area.h)) {
            self.line(area, row, pieces);
            row += 1;
        }
        row
    }
}

impl Glyphs {
    /// Hands over the symbol that stands for a grapheme: itself, or ASCII where nothing else may be written.
    fn symbol(&self, grapheme: &str, mut take: impl FnMut(&str)) {
        if !self.ascii || grapheme.is_ascii() {
            take(grapheme);
            return;
        }
        let plain = grapheme.chars().next().map_or('?', text::ascii);
        take(plain.encode_utf8(&mut [0; 4]));
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::theme::{Depth, theme_for_tests};

    fn painted(ascii: bool, max: u16, pieces: impl Fn(&Canvas<'_>) -> Vec<Piece>) -> String {
        let theme = theme_for_tests("dark", Depth::True, ascii);
        let mut buf = Buffer::empty(Rect::new(0, 0, 20, 1));
        let mut canvas = Canvas::new(&mut buf, &theme);
        let pieces = pieces(&canvas);
        canvas.put(0, 0, max, &pieces);
        let cells = buf.content().iter().map(ratatui::buffer::Cell::symbol);
        cells.collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn what_does_not_fit_is_cut_visibly() {
        let pieces =
            |c: &Canvas<'_>| vec![c.fixed("text", "edge-oslo"), c.fixed("text", " is stale")];
        assert_eq!(painted(false, 12, pieces), "edge-oslo i…");
        assert_eq!(painted(false, 9, pieces), "edge-osl…");
        assert_eq!(painted(false, 18, pieces), "edge-oslo is stale");
    }

    #[test]
    fn on_a_plain_terminal_only_ascii_is_written() {
        let pieces = |c: &Canvas<'_>| vec![c.piece("text", "replicas 3→1 Köln 東")];
        let text = painted(true, 20, pieces);
        assert!(text.is_ascii(), "{text}");
        assert_eq!(text, "replicas 3>1 K?ln ??");
    }
}

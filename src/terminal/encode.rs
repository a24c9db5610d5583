//! From one frame to the next in few bytes: only cells that differ, the shortest way for the cursor, only attributes that change. Pure.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

use super::scroll;

/// Begin and end of a synchronized update: terminals that know it show the frame at once, others ignore it.
const BEGIN: &str = "\x1b[?2026h";
const END: &str = "\x1b[?2026l";

/// A frame of more bytes than this is worth a look for rows that only moved.
const DEAR: usize = 160;

const MODIFIERS: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

/// Looks of a cell as far as a terminal is told about them.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    fg: Color,
    bg: Color,
    modifier: Modifier,
}

const PLAIN: Look = Look {
    fg: Color::Reset,
    bg: Color::Reset,
    modifier: Modifier::empty(),
};

impl Look {
    fn of(cell: &Cell) -> Self {
        let known = MODIFIERS
            .iter()
            .fold(Modifier::empty(), |all, (m, _)| all | *m);
        Self {
            fg: cell.fg,
            bg: cell.bg,
            modifier: cell.modifier & known,
        }
    }

    /// What of it is seen on a blank: the colour of the text only where it becomes the ground.
    fn on_blank(self) -> Self {
        let modifier = self.modifier & MARKS_BLANKS;
        let fg = if modifier.is_empty() {
            Color::Reset
        } else {
            self.fg
        };
        Self {
            fg,
            modifier,
            ..self
        }
    }

    /// The look to print this cell with after the present one: on a blank, what is not seen may stay as it is.
    fn then(self, cell: &Cell) -> Self {
        let wanted = Self::of(cell);
        let free = is_blank(cell) && !(self.modifier | wanted.modifier).intersects(MARKS_BLANKS);
        if free {
            Self {
                bg: wanted.bg,
                ..self
            }
        } else {
            wanted
        }
    }
}

/// Modifiers that are seen where there is no letter.
const MARKS_BLANKS: Modifier = Modifier::UNDERLINED
    .union(Modifier::REVERSED)
    .union(Modifier::CROSSED_OUT);

fn is_blank(cell: &Cell) -> bool {
    cell.symbol() == " "
}

/// The bytes that turn what `shown` left on the terminal into `next`; none when both look alike.
///
/// Without `shown`, or with one of another size, the terminal is cleared first.
pub fn encode(shown: Option<&Buffer>, next: &Buffer) -> Vec<u8> {
    let Some(shown) = shown.filter(|s| s.area == next.area) else {
        let cleared = drawn(String::from("\x1b[0m\x1b[H\x1b[2J"), None, next);
        return framed(&cleared);
    };
    let drawn_over = drawn(String::new(), Some(shown), next);
    let scrolled = (drawn_over.len() > DEAR)
        .then(|| scroll::find(shown, next))
        .flatten()
        .map(|band| drawn(band.bytes(), Some(&band.apply(shown)), next));
    match scrolled {
        Some(scrolled) if scrolled.len() < drawn_over.len() => framed(&scrolled),
        _ => framed(&drawn_over),
    }
}

/// A frame as one synchronized update; nothing when it changes nothing.
fn framed(text: &str) -> Vec<u8> {
    if text.is_empty() {
        return Vec::new();
    }
    format!("{BEGIN}{text}{END}").into_bytes()
}

/// The text that turns what is shown after `begun` into `next`. Whatever `begun` does, it leaves the cursor at the top left.
fn drawn(begun: String, shown: Option<&Buffer>, next: &Buffer) -> String {
    let mut out = Encoder {
        at: (!begun.is_empty()).then_some((0, 0)),
        text: begun,
        look: PLAIN,
    };
    for y in 0..next.area.height {
        out.row(shown, next, y);
    }
    out.set(PLAIN);
    out.text
}

/// One row as bytes that print it wherever the cursor is: no moves, its looks set back at the end.
pub fn line(row: &Buffer) -> Vec<u8> {
    let mut out = Encoder {
        text: String::new(),
        at: None,
        look: PLAIN,
    };
    let mut x = 0;
    while let Some(cell) = row.cell((x, 0)) {
        out.set(Look::of(cell));
        out.text.push_str(cell.symbol());
        x += columns(cell);
    }
    out.set(PLAIN);
    out.text.into_bytes()
}

struct Encoder {
    text: String,
    /// Where the cursor is, when that is known.
    at: Option<(u16, u16)>,
    look: Look,
}

impl Encoder {
    fn row(&mut self, shown: Option<&Buffer>, next: &Buffer, y: u16) {
        let width = next.area.width;
        // Most rows of most frames.
        if shown.is_some_and(|shown| scroll::cells(shown, y) == scroll::cells(next, y)) {
            return;
        }
        let mut x = 0;
        // Cells that a wide character was removed from have to be written although they look alike.
        let mut forced = 0;
        while x < width {
            let Some(cell) = next.cell((x, y)) else {
                return;
            };
            let columns = columns(cell);
            let old = shown.and_then(|s| s.cell((x, y)));
            // A terminal without a shown frame was just cleared: plain spaces are there already.
            let alike = match old {
                Some(old) => looks_alike(old, cell),
                None => is_blank(cell) && Look::of(cell).on_blank() == PLAIN,
            };
            if !alike || x < forced {
                self.cell(x, y, cell, columns, width);
                forced = forced.max(old.map_or(0, |o| x + self::columns(o)));
            }
            x += columns;
        }
    }

    fn cell(&mut self, x: u16, y: u16, cell: &Cell, columns: u16, width: u16) {
        self.go(x, y);
        self.set(self.look.then(cell));
        self.text.push_str(cell.symbol());
        let next = x + columns;
        // After the last column terminals differ in where the cursor is.
        self.at = (next < width).then_some((next, y));
    }

    /// Moves the cursor, the shortest way.
    fn go(&mut self, x: u16, y: u16) {
        match self.at {
            Some(at) if at == (x, y) => {}
            Some((from, row)) if row == y && from < x => {
                let _ = match x - from {
                    1 => write!(self.text, "\x1b[C"),
                    n => write!(self.text, "\x1b[{n}C"),
                };
            }
            _ if x == 0 => {
                let _ = write!(self.text, "\x1b[{}H", y + 1);
            }
            _ => {
                let _ = write!(self.text, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
    }

    /// Changes what differs of the look; a modifier can only be taken away by starting over.
    fn set(&mut self, look: Look) {
        if look == self.look {
            return;
        }
        if look == PLAIN {
            self.text.push_str("\x1b[m");
            self.look = look;
            return;
        }
        let mut codes: Vec<String> = Vec::new();
        if !look.modifier.contains(self.look.modifier) {
            codes.push("0".to_owned());
            self.look = PLAIN;
        }
        for (modifier, code) in MODIFIERS {
            if look.modifier.contains(modifier) && !self.look.modifier.contains(modifier) {
                codes.push(code.to_string());
            }
        }
        if look.fg != self.look.fg {
            codes.push(color(look.fg, 30));
        }
        if look.bg != self.look.bg {
            codes.push(color(look.bg, 40));
        }
        let _ = write!(self.text, "\x1b[{}m", codes.join(";"));
        self.look = look;
    }
}

fn columns(cell: &Cell) -> u16 {
    if cell.symbol().len() == 1 {
        return 1;
    }
    u16::try_from(cell.symbol().width()).unwrap_or(1).max(1)
}

fn looks_alike(a: &Cell, b: &Cell) -> bool {
    if a == b {
        return true;
    }
    let (one, other) = (Look::of(a), Look::of(b));
    let unseen = is_blank(a) && one.on_blank() == other.on_blank();
    a.symbol() == b.symbol() && (one == other || unseen)
}

/// The code of a colour; `base` is 30 for text and 40 for its ground.
fn color(color: Color, base: u8) -> String {
    let named = |n: u8| (base + n).to_string();
    let bright = |n: u8| (base + 60 + n).to_string();
    match color {
        Color::Reset => (base + 9).to_string(),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => bright(0),
        Color::LightRed => bright(1),
        Color::LightGreen => bright(2),
        Color::LightYellow => bright(3),
        Color::LightBlue => bright(4),
        Color::LightMagenta => bright(5),
        Color::LightCyan => bright(6),
        Color::White => bright(7),
        Color::Indexed(n) => format!("{};5;{n}", base + 8),
        Color::Rgb(r, g, b) => format!("{};2;{r};{g};{b}", base + 8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn buffer(lines: &[&str]) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 12, u16::try_from(lines.len()).unwrap()));
        for (y, line) in (0..).zip(lines) {
            buf.set_string(0, y, line, Style::new());
        }
        buf
    }

    fn text(bytes: &[u8]) -> String {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replace('\x1b', "^")
    }

    #[test]
    fn a_frame_that_looks_alike_costs_nothing() {
        let frame = buffer(&["FLEET", "edge-oslo-003"]);
        assert!(encode(Some(&frame), &frame).is_empty());
    }

    /// A list of long rows from a number on.
    fn list(from: usize, rows: u16) -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 60, rows));
        for y in 0..rows {
            let n = from + usize::from(y);
            let text = format!(
                "edge-oslo-{n:03}  {}",
                "abcdefghij".repeat(4).split_at(n % 9).1
            );
            buf.set_string(0, y, text, Style::new());
        }
        buf.set_string(0, 0, "FLEET", Style::new());
        buf.set_string(0, rows - 1, "enter open", Style::new());
        buf
    }

    #[test]
    fn a_list_that_moves_by_a_row_costs_a_row() {
        for (from, to) in [(10, 11), (11, 10)] {
            let (before, after) = (list(from, 24), list(to, 24));
            let bytes = encode(Some(&before), &after);
            assert!(bytes.len() < 4 * 60, "{} {}", bytes.len(), text(&bytes));
        }
        // Half a page, too.
        let bytes = encode(Some(&list(10, 24)), &list(20, 24));
        assert!(bytes.len() < 12 * 64, "{}", bytes.len());
    }

    #[test]
    fn one_changed_cell_costs_a_move_and_a_letter() {
        let (before, after) = (buffer(&["12:41Z", "ok"]), buffer(&["12:42Z", "ok"]));
        assert_eq!(
            text(&encode(Some(&before), &after)),
            "^[?2026h^[1;5H2^[?2026l"
        );
    }

    #[test]
    fn gaps_are_jumped_and_looks_change_only_where_they_differ() {
        let before = buffer(&["aaaaaa"]);
        let mut after = buffer(&["abaaba"]);
        after.set_style(Rect::new(1, 0, 1, 1), Style::new().fg(Color::Red));
        after.set_style(
            Rect::new(4, 0, 1, 1),
            Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
        );
        assert_eq!(
            text(&encode(Some(&before), &after)),
            "^[?2026h^[1;2H^[31mb^[2C^[1mb^[m^[?2026l"
        );
    }

    #[test]
    fn another_size_starts_over() {
        let bytes = text(&encode(Some(&buffer(&["a", "b"])), &buffer(&["a"])));
        assert!(bytes.starts_with("^[?2026h^[0m^[H^[2J"), "{bytes}");
    }

    /// Plays bytes on a terminal emulator.
    fn screen(bytes: &[u8], parser: &mut vt100::Parser) -> Vec<String> {
        parser.process(bytes);
        let cols = parser.screen().size().1.get();
        let rows = parser.screen().rows(0, cols);
        rows.map(|row| row.trim_end().to_owned()).collect()
    }

    fn emulator(rows: u16, cols: u16) -> vt100::Parser {
        vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0)
    }

    fn shown(buf: &Buffer) -> Vec<String> {
        let mut fresh = emulator(buf.area.height, buf.area.width);
        screen(&encode(None, buf), &mut fresh)
    }

    fn line() -> impl Strategy<Value = String> {
        proptest::string::string_regex("[ab 東→]{0,12}").unwrap()
    }

    proptest! {
        /// The same for rows that move, with rows in between that stay and that change.
        #[test]
        fn moved_rows_lead_to_the_same_screen(from in 0_usize..30, to in 0_usize..30, odd in 0_u16..24) {
            let (before, mut after) = (list(from, 24), list(to, 24));
            after.set_string(30, odd, "xyz 東", Style::new().bold());
            let mut emulator = emulator(24, 60);
            screen(&encode(None, &before), &mut emulator);
            let reached = screen(&encode(Some(&before), &after), &mut emulator);
            prop_assert_eq!(reached, shown(&after));
        }

        /// Whatever was shown before, the difference leads to the same screen as drawing from scratch.
        #[test]
        fn the_difference_leads_to_the_same_screen(before in prop::collection::vec(line(), 4), after in prop::collection::vec(line(), 4)) {
            let lines = |v: &Vec<String>| buffer(&v.iter().map(String::as_str).collect::<Vec<_>>());
            let (before, after) = (lines(&before), lines(&after));
            let mut emulator = emulator(4, 12);
            screen(&encode(None, &before), &mut emulator);
            let reached = screen(&encode(Some(&before), &after), &mut emulator);
            prop_assert_eq!(reached, shown(&after));
        }
    }
}

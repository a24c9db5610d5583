//! The same frames through ratatui's stock crossterm backend: what they would have cost.

use std::io::{LineWriter, Write};
use std::sync::{Arc, Mutex};

use ratatui::backend::CrosstermBackend;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::{Terminal, TerminalOptions, Viewport};

use super::program::Cost;

/// Counts bytes and writes.
#[derive(Clone, Default)]
struct Counter(Arc<Mutex<(usize, u64)>>);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut counted = self.0.lock().unwrap();
        counted.0 += bytes.len();
        counted.1 += 1;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What frames cost there; the first one is what the terminal shows already. Standard output gathers as much as it does in such a program.
pub(crate) fn cost(frames: &[Buffer]) -> Cost {
    let Some(first) = frames.first() else {
        return Cost::default();
    };
    let counter = Counter::default();
    let out = LineWriter::with_capacity(1024, counter.clone());
    let options = TerminalOptions {
        viewport: Viewport::Fixed(first.area),
    };
    let mut terminal = Terminal::with_options(CrosstermBackend::new(out), options).unwrap();
    show(&mut terminal, first);
    *counter.0.lock().unwrap() = (0, 0);
    for frame in frames.iter().skip(1) {
        show(&mut terminal, frame);
    }
    let (bytes, writes) = *counter.0.lock().unwrap();
    Cost {
        bytes,
        writes,
        delays: Vec::new(),
    }
}

fn show<W: Write>(terminal: &mut Terminal<CrosstermBackend<W>>, frame: &Buffer) {
    terminal
        .draw(|f| *f.buffer_mut() = frame.clone())
        .map(drop)
        .unwrap();
}

/// A frame as a terminal shows it.
pub(crate) fn buffer(screen: &vt100::Screen) -> Buffer {
    let (rows, cols) = screen.size();
    let (rows, cols) = (rows.get(), cols.get());
    let mut buffer = Buffer::empty(Rect::new(0, 0, cols, rows));
    for y in 0..rows {
        for x in 0..cols {
            let (Some(shown), Some(cell)) = (screen.cell(y, x), buffer.cell_mut((x, y))) else {
                continue;
            };
            if shown.has_contents() {
                cell.set_symbol(shown.contents());
            }
            cell.set_style(style(shown));
        }
    }
    buffer
}

fn style(cell: &vt100::Cell) -> Style {
    let looks = [
        (cell.bold(), Modifier::BOLD),
        (cell.dim(), Modifier::DIM),
        (cell.italic(), Modifier::ITALIC),
        (cell.underline(), Modifier::UNDERLINED),
        (cell.inverse(), Modifier::REVERSED),
    ];
    let modifier = looks.iter().filter(|(on, _)| *on);
    let modifier = modifier.fold(Modifier::empty(), |all, (_, look)| all | *look);
    Style::new()
        .fg(color(cell.fgcolor()))
        .bg(color(cell.bgcolor()))
        .add_modifier(modifier)
}

fn color(color: vt100::Color) -> Color {
    match color {
        vt100::Color::Default => Color::Reset,
        vt100::Color::Idx(n) => Color::Indexed(n),
        vt100::Color::Rgb(r, g, b) => Color::Rgb(r, g, b),
    }
}

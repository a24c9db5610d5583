//! A frame as SVG: every character has its own place, so that columns hold whatever font draws it.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Modifier;

use super::{ground, ink, rows};
use crate::ui::text::width;

/// Size of a cell in hundredths of a pixel: DejaVu Sans Mono at 14 px, lines a little apart.
pub(super) const CELL: (u32, u32) = (843, 1_720);
/// Where letters stand in a cell, in hundredths of a pixel from its top.
const BASELINE: u32 = 1_330;

/// Looks of some characters in a row.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Look {
    ink: (u8, u8, u8),
    ground: (u8, u8, u8),
    modifier: Modifier,
}

impl Look {
    fn of(cell: &Cell) -> Self {
        let (mut ink, mut ground) = (ink(cell.fg), ground(cell.bg));
        if cell.modifier.contains(Modifier::REVERSED) {
            std::mem::swap(&mut ink, &mut ground);
        }
        Self {
            ink,
            ground,
            modifier: cell.modifier,
        }
    }
}

/// Draws the frame.
pub(super) fn draw(frame: &Buffer) -> String {
    let (w, h) = (
        pixels(frame.area.width, CELL.0),
        pixels(frame.area.height, CELL.1),
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" \
         font-family=\"'DejaVu Sans Mono', monospace\" font-size=\"14\">\n"
    );
    let base = frame
        .content()
        .first()
        .map_or(super::GROUND, |cell| Look::of(cell).ground);
    let base = frame
        .content()
        .last()
        .map_or(base, |cell| Look::of(cell).ground);
    let _ = writeln!(
        out,
        "<rect width=\"{w}\" height=\"{h}\" fill=\"{}\"/>",
        hex(base)
    );
    for (y, row) in (0..).zip(rows(frame)) {
        row_grounds(&mut out, &row, y, base);
        row_text(&mut out, &row, y);
    }
    out.push_str("</svg>\n");
    out
}

fn pixels(cells: u16, size: u32) -> String {
    hundredths(u32::from(cells) * size)
}

fn hundredths(n: u32) -> String {
    let text = format!("{}.{:02}", n / 100, n % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn hex((r, g, b): (u8, u8, u8)) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn row_grounds(out: &mut String, row: &[&Cell], y: u32, base: (u8, u8, u8)) {
    let mut x = 0;
    let mut from = 0;
    let mut last = base;
    for cell in row.iter().map(Some).chain([None]) {
        let next = cell.map_or(base, |c| Look::of(c).ground);
        if next != last || cell.is_none() {
            if last != base && x > from {
                rect(
                    out,
                    (from * CELL.0, y * CELL.1),
                    ((x - from) * CELL.0, CELL.1),
                    last,
                );
            }
            (from, last) = (x, next);
        }
        x += cell.map_or(0, |c| columns(c));
    }
}

fn columns(cell: &Cell) -> u32 {
    u32::try_from(width(cell.symbol())).unwrap_or(1).max(1)
}

fn rect(out: &mut String, (x, y): (u32, u32), (w, h): (u32, u32), fill: (u8, u8, u8)) {
    let _ = writeln!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
        hundredths(x),
        hundredths(y),
        hundredths(w),
        hundredths(h),
        hex(fill)
    );
}

/// The characters of a row, in runs of equal looks; lines and blocks are drawn, so that they join.
fn row_text(out: &mut String, row: &[&Cell], y: u32) {
    let mut run: Vec<(u32, &str)> = Vec::new();
    let mut look: Option<Look> = None;
    let mut x = 0;
    for cell in row {
        let here = Look::of(cell);
        if look != Some(here) {
            flush(out, &mut run, look, y);
            look = Some(here);
        }
        if !block(out, cell.symbol(), (x * CELL.0, y * CELL.1), here.ink) && cell.symbol() != " " {
            run.push((x, cell.symbol()));
        }
        x += columns(cell);
    }
    flush(out, &mut run, look, y);
}

fn flush(out: &mut String, run: &mut Vec<(u32, &str)>, look: Option<Look>, y: u32) {
    let Some(look) = look.filter(|_| !run.is_empty()) else {
        return;
    };
    let places: Vec<String> = run.iter().map(|(x, _)| hundredths(x * CELL.0)).collect();
    let mut attributes = String::new();
    let has = |m| look.modifier.contains(m);
    if has(Modifier::BOLD) {
        attributes.push_str(" font-weight=\"bold\"");
    }
    if has(Modifier::DIM) {
        attributes.push_str(" opacity=\"0.65\"");
    }
    if has(Modifier::ITALIC) {
        attributes.push_str(" font-style=\"italic\"");
    }
    if has(Modifier::UNDERLINED) {
        attributes.push_str(" text-decoration=\"underline\"");
    }
    let text: String = run.iter().map(|(_, symbol)| escaped(symbol)).collect();
    let _ = writeln!(
        out,
        "<text x=\"{}\" y=\"{}\" fill=\"{}\"{attributes}>{text}</text>",
        places.join(" "),
        hundredths(y * CELL.1 + BASELINE),
        hex(look.ink)
    );
    run.clear();
}

fn escaped(symbol: &str) -> String {
    symbol
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// Draws a line or block character as rectangles; whether it was one.
fn block(out: &mut String, symbol: &str, (x, y): (u32, u32), fill: (u8, u8, u8)) -> bool {
    let (w, h) = CELL;
    let (mid_x, mid_y, thick) = (w / 2 - 50, h / 2 - 50, 100);
    let mut part =
        |from: (u32, u32), size: (u32, u32)| rect(out, (x + from.0, y + from.1), size, fill);
    match symbol {
        "─" => part((0, mid_y), (w, thick)),
        "│" => part((mid_x, 0), (thick, h)),
        "┌" => {
            part((mid_x, mid_y), (w - mid_x, thick));
            part((mid_x, mid_y), (thick, h - mid_y));
        }
        "┐" => {
            part((0, mid_y), (mid_x + thick, thick));
            part((mid_x, mid_y), (thick, h - mid_y));
        }
        "└" => {
            part((mid_x, mid_y), (w - mid_x, thick));
            part((mid_x, 0), (thick, mid_y + thick));
        }
        "┘" => {
            part((0, mid_y), (mid_x + thick, thick));
            part((mid_x, 0), (thick, mid_y + thick));
        }
        "├" => {
            part((mid_x, 0), (thick, h));
            part((mid_x, mid_y), (w - mid_x, thick));
        }
        "█" => part((0, 0), (w, h)),
        "░" => part((0, h / 2 - 150), (w, 300)),
        "▁" | "▂" | "▃" | "▄" | "▅" | "▆" | "▇" => {
            let eighths = symbol.chars().next().map_or(0, |c| u32::from(c) - 0x2580);
            let height = h * eighths / 8;
            part((0, h - height), (w - 60, height));
        }
        _ => return false,
    }
    true
}

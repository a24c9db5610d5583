//! A frame as JSON: its lines, and runs of equal looks, for tests that ask for more than text.

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use serde::Serialize;

use super::rows;

/// The whole frame.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Frame {
    api_version: &'static str,
    kind: &'static str,
    columns: u16,
    rows: u16,
    lines: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    /// The whole line, without trailing spaces.
    text: String,
    /// Its parts from left to right.
    runs: Vec<Run>,
}

/// Neighbours that look alike.
#[derive(PartialEq, Serialize)]
struct Run {
    text: String,
    /// `#rrggbb`, the name of a terminal's own colour, or null for what the terminal has.
    fg: Option<String>,
    bg: Option<String>,
    /// `bold`, `dim`, `italic`, `underlined`, `reversed`, in this order.
    #[serde(rename = "is")]
    looks: Vec<&'static str>,
}

const LOOKS: [(Modifier, &str); 5] = [
    (Modifier::BOLD, "bold"),
    (Modifier::DIM, "dim"),
    (Modifier::ITALIC, "italic"),
    (Modifier::UNDERLINED, "underlined"),
    (Modifier::REVERSED, "reversed"),
];

/// Writes the frame, indented, with a line break at the end.
pub(super) fn draw(frame: &Buffer) -> Result<Vec<u8>, serde_json::Error> {
    let lines = rows(frame).iter().map(|row| line(row)).collect();
    let document = Frame {
        api_version: "driftdeck/v1",
        kind: "Snapshot",
        columns: frame.area.width,
        rows: frame.area.height,
        lines,
    };
    let mut bytes = serde_json::to_vec_pretty(&document)?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn line(row: &[&Cell]) -> Line {
    let text: String = row.iter().map(|cell| cell.symbol()).collect();
    let mut runs: Vec<Run> = Vec::new();
    for cell in row {
        let one = run(cell);
        match runs.last_mut() {
            Some(last) if (&last.fg, &last.bg, &last.looks) == (&one.fg, &one.bg, &one.looks) => {
                last.text.push_str(&one.text);
            }
            _ => runs.push(one),
        }
    }
    Line {
        text: text.trim_end().to_owned(),
        runs,
    }
}

fn run(cell: &Cell) -> Run {
    let looks = LOOKS.iter().filter(|(m, _)| cell.modifier.contains(*m));
    Run {
        text: cell.symbol().to_owned(),
        fg: name(cell.fg),
        bg: name(cell.bg),
        looks: looks.map(|(_, word)| *word).collect(),
    }
}

fn name(color: Color) -> Option<String> {
    match color {
        Color::Reset => None,
        Color::Rgb(r, g, b) => Some(format!("#{r:02x}{g:02x}{b:02x}")),
        other => Some(other.to_string().to_lowercase()),
    }
}

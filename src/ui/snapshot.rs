//! A frame as text, as bytes for a terminal, as SVG, as PNG and as JSON: for tickets, documents and tests.

mod cast;
mod json;
mod png;
mod svg;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::Color;

use crate::terminal::encode;
use crate::theme::color;

/// What a picture is written as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Plain lines, without trailing spaces.
    Text,
    /// Lines with colours for a terminal.
    Ansi,
    /// A vector picture.
    Svg,
    /// A pixel picture.
    Png,
    /// Lines and runs of equal looks as one JSON document.
    Json,
}

/// Why a picture could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The vector picture did not read.
    #[error("The picture could not be laid out: {0}.")]
    Svg(#[from] Box<resvg::usvg::Error>),
    /// The picture has no size, or too many pixels.
    #[error("A picture of {0}x{1} cells cannot be made; choose a size from 1x1 to 500x200.")]
    Size(u16, u16),
    /// The document could not be written.
    #[error("The frame could not be written as JSON: {0}.")]
    Json(#[from] serde_json::Error),
    /// The pixels could not be packed.
    #[error("The picture could not be written as PNG: {0}.")]
    Png(String),
}

/// Writes a frame. Equal frames give equal bytes.
///
/// # Errors
/// A picture without cells, or with more than pixels can be made for.
pub fn render(frame: &Buffer, format: Format) -> Result<Vec<u8>, SnapshotError> {
    Ok(match format {
        Format::Text => text(frame).into_bytes(),
        Format::Ansi => ansi(frame),
        Format::Svg => svg::draw(frame).into_bytes(),
        Format::Png => png::draw(frame)?,
        Format::Json => json::draw(frame)?,
    })
}

/// Writes frames one after another as a recording in the asciicast format. Equal frames give equal bytes.
///
/// # Errors
/// A frame that cannot be written as JSON.
pub fn record(frames: &[Buffer]) -> Result<Vec<u8>, SnapshotError> {
    Ok(cast::draw(frames)?)
}

/// The lines of a frame.
pub fn text(frame: &Buffer) -> String {
    let mut lines = String::new();
    for row in rows(frame) {
        let line: String = row.iter().map(|cell| cell.symbol()).collect();
        lines.push_str(line.trim_end());
        lines.push('\n');
    }
    lines
}

/// The cells of each row; the second half of a wide character is left out.
fn rows(frame: &Buffer) -> Vec<Vec<&Cell>> {
    let width = usize::from(frame.area.width).max(1);
    let rows = frame.content().chunks(width);
    rows.map(|row| {
        let mut skip = 0;
        row.iter()
            .filter(|cell| {
                if skip > 0 {
                    skip -= 1;
                    return false;
                }
                skip = super::text::width(cell.symbol()).saturating_sub(1);
                true
            })
            .collect()
    })
    .collect()
}

/// One line a row, each with its own attributes, so that it can be printed and scrolled.
fn ansi(frame: &Buffer) -> Vec<u8> {
    let mut out = Vec::new();
    for y in 0..frame.area.height {
        let mut line = Buffer::empty(ratatui::layout::Rect::new(0, 0, frame.area.width, 1));
        for x in 0..frame.area.width {
            if let (Some(from), Some(to)) = (
                frame.cell((frame.area.x + x, frame.area.y + y)),
                line.cell_mut((x, 0)),
            ) {
                *to = from.clone();
            }
        }
        let bytes = encode::line(&line);
        out.extend(bytes);
        out.push(b'\n');
    }
    out
}

/// The ground of pictures whose theme leaves it to the terminal.
const GROUND: (u8, u8, u8) = (0x11, 0x15, 0x1c);
/// Their text.
const INK: (u8, u8, u8) = (0xd5, 0xda, 0xe2);

fn ink(color: Color) -> (u8, u8, u8) {
    color::rgb(color).unwrap_or(INK)
}

fn ground(color: Color) -> (u8, u8, u8) {
    color::rgb(color).unwrap_or(GROUND)
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;
    use ratatui::style::Style;

    use super::*;

    fn frame() -> Buffer {
        let mut buf = Buffer::empty(Rect::new(0, 0, 16, 2));
        buf.set_string(0, 0, "≠ <b>&\"東", Style::new().fg(Color::Yellow));
        buf.set_string(0, 1, "│ ok ▇", Style::new().bg(Color::Rgb(1, 2, 3)));
        buf
    }

    #[test]
    fn text_has_the_lines_without_trailing_spaces() {
        assert_eq!(text(&frame()), "≠ <b>&\"東\n│ ok ▇\n");
    }

    #[test]
    fn ansi_shows_the_same_on_a_terminal() {
        let bytes = render(&frame(), Format::Ansi).unwrap();
        let mut emulator = vt100::Parser::new(3.try_into().unwrap(), 16.try_into().unwrap(), 0);
        emulator.process(
            String::from_utf8(bytes)
                .unwrap()
                .replace('\n', "\r\n")
                .as_bytes(),
        );
        let rows: Vec<String> = emulator
            .screen()
            .rows(0, 16)
            .map(|r| r.trim_end().to_owned())
            .collect();
        assert_eq!(rows, ["≠ <b>&\"東", "│ ok ▇", ""]);
    }

    #[test]
    fn svg_escapes_text_and_is_the_same_each_time() {
        let svg = String::from_utf8(render(&frame(), Format::Svg).unwrap()).unwrap();
        assert!(
            svg.contains("&lt;b&gt;&amp;") && !svg.contains("<b>"),
            "{svg}"
        );
        assert_eq!(render(&frame(), Format::Svg).unwrap(), svg.into_bytes());
    }

    #[test]
    fn png_is_drawn_with_the_built_in_font() {
        let bytes = render(&frame(), Format::Png).unwrap();
        assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
        // A picture without glyphs would be far smaller than one with them.
        let blank = render(&Buffer::empty(Rect::new(0, 0, 16, 2)), Format::Png).unwrap();
        assert!(
            bytes.len() > blank.len() + 300,
            "{} and {}",
            bytes.len(),
            blank.len()
        );
    }

    #[test]
    fn json_has_the_text_of_each_line_and_its_looks_in_runs() {
        let bytes = render(&frame(), Format::Json).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(
            (&json["kind"], &json["columns"]),
            (&"Snapshot".into(), &16.into())
        );
        let line = &json["lines"][0];
        assert_eq!(line["text"], "≠ <b>&\"東");
        assert_eq!(line["runs"][0]["fg"], "yellow");
        assert_eq!(json["lines"][1]["runs"][0]["bg"], "#010203");
        assert_eq!(json["lines"][1]["runs"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_picture_without_cells_is_refused_in_words() {
        let refused = render(&Buffer::empty(Rect::new(0, 0, 0, 0)), Format::Png).unwrap_err();
        assert!(refused.to_string().contains("0x0"), "{refused}");
    }
}

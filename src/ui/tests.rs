//! Screens as people see them.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::draw;
use crate::app::Model;
use crate::app::testkit::{console, press, troubled_fleet};
use crate::theme::{Depth, Theme, theme_for_tests};

fn frame(model: &Model, theme: &Theme) -> Buffer {
    let mut buf = Buffer::empty(Rect::new(0, 0, model.size.cols, model.size.rows));
    draw(model, theme, &mut buf);
    buf
}

fn text(buf: &Buffer) -> String {
    let width = usize::from(buf.area.width);
    let rows = buf.content().chunks(width);
    let lines = rows.map(|row| {
        row.iter()
            .map(ratatui::buffer::Cell::symbol)
            .collect::<String>()
            .trim_end()
            .to_owned()
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn look() {
    let theme = theme_for_tests("dark", Depth::True, false);
    for (keys, cols, rows) in [
        ("", 80, 24),
        ("2", 80, 24),
        ("2", 120, 36),
        ("3", 80, 24),
        ("", 200, 50),
        ("2", 200, 50),
        ("3 enter", 120, 36),
        ("2 enter enter", 80, 24),
        ("2 d", 120, 36),
        ("?", 80, 24),
        (":", 80, 24),
        ("q", 80, 24),
    ] {
        let mut model = console(troubled_fleet(), cols, rows, false);
        press(&mut model, keys);
        println!("=== {keys} {cols}x{rows}\n{}", text(&frame(&model, &theme)));
    }
}

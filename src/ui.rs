//! Model in, cells out.
//!
//! Only [`paint::Canvas`] writes cells, and it takes [`crate::domain::Safe`] text only: what a cluster sent cannot act on the terminal.

mod changes;
mod chrome;
mod columns;
pub mod detail;
mod groups;
mod modals;
pub mod paint;
mod run;
mod screens;
mod sheet;
pub mod signs;
pub mod snapshot;
pub mod table;
#[cfg(test)]
mod tests;
pub mod text;
mod tree;
mod windows;
mod yaml;

use ratatui::buffer::Buffer;

use crate::app::Model;
use crate::app::screens::Screen;
use crate::app::shape::{Area, NARROW};
use crate::theme::Theme;
use paint::Canvas;

/// Draws the whole console.
///
/// ```text
/// DRIFT  5 groups / 214 resources / 61 clusters      ✓ 118  ≠ 14  ✗ 3  ◌ 5  ⊘ 3   ro  02:14Z   header
/// / manager=kubectl*                                          impact   1-5 of 5  ▼   [2]       status
///   ...                                                                                         body
/// fleet › edge-ber-017 drift                                                                    crumb (from 30 rows)
/// enter open  d diff  s revert…  ? help                                                         footer, or a message
/// ```
pub fn draw(model: &Model, theme: &Theme, buf: &mut Buffer) {
    let all = Area {
        x: buf.area.x,
        y: buf.area.y,
        w: buf.area.width,
        h: buf.area.height,
    };
    let mut canvas = Canvas::new(buf, theme);
    canvas.fill(all, "background");
    let Some(screen) = model.screen() else {
        return;
    };
    if all.w < NARROW / 3 || all.h < 4 {
        canvas.line(
            all,
            0,
            &[canvas.fixed("text", "driftdeck needs a larger terminal.")],
        );
        return;
    }
    let ctx = model.ctx();
    let shape = ctx.shape(screen.face().place());
    chrome::header(&mut canvas, model, shape.header);
    chrome::status(&mut canvas, model, &shape);
    match screen {
        Screen::Fleet(s) => screens::fleet::draw(&mut canvas, s, &ctx, &shape),
        Screen::Drift(s) => screens::drift::draw(&mut canvas, s, &ctx, &shape),
        Screen::Apps(s) => screens::apps::draw(&mut canvas, s, &ctx, &shape),
        Screen::App(s) => screens::app::draw(&mut canvas, s, &ctx, &shape),
        Screen::Diff(s) => screens::diff::draw(&mut canvas, s, &ctx, shape.main),
        Screen::Plan(s) => screens::plan::draw(&mut canvas, s, model.write, &ctx, &shape),
        Screen::Run(s) => screens::run::draw(&mut canvas, s, &ctx, &shape),
        Screen::Matrix(s) => screens::matrix::draw(&mut canvas, s, &ctx, &shape),
        Screen::Activity(s) => screens::activity::draw(&mut canvas, s, &ctx, &shape),
        Screen::Cluster(s) => screens::cluster::draw(&mut canvas, s, &ctx, &shape),
    }
    chrome::crumb(&mut canvas, model, &shape);
    chrome::footer(&mut canvas, model, &shape);
    if let Some(modal) = &model.modal {
        modals::draw(&mut canvas, model, modal, &shape, all);
    }
}

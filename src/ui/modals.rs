//! Windows over the screen: centred, the screen behind them dim, the safe answer the default one.

use super::paint::{Canvas, Piece};
use super::text;
use super::windows;
use crate::app::Model;
use crate::app::complete;
use crate::app::help;
use crate::app::modal::{Confirm, LineFor, Modal, Then};
use crate::app::palette::Palette;
use crate::app::shape::{Area, Shape};
use crate::domain::Safe;

/// Draws what is open; the filter stands in the status line and has no window.
pub(super) fn draw(canvas: &mut Canvas<'_>, model: &Model, open: &Modal, shape: &Shape, all: Area) {
    match open {
        Modal::Filter(input, _) => filter_hint(canvas, model, input.value(), shape),
        Modal::Line(purpose, input) => draw_line(canvas, model, (purpose, input.value()), all),
        Modal::Palette(palette) => draw_palette(canvas, palette, all),
        Modal::Help(top) => draw_help(canvas, model, *top, all),
        Modal::Note(input) => {
            let body = window(canvas, all, 70, 5, &Safe::fixed("note for the journal"));
            canvas.line(
                body,
                0,
                &[
                    canvas.piece("input", input.value()),
                    canvas.fixed("selection", " "),
                ],
            );
            canvas.line(
                body,
                2,
                &[canvas.fixed("text.dim", "enter keeps it, esc leaves it as it was")],
            );
        }
        Modal::Confirm(confirm) => draw_confirm(canvas, confirm, all),
        Modal::Menu(menu) => windows::draw_menu(canvas, menu, all),
        Modal::Links(links) => windows::draw_links(canvas, links, all),
        Modal::Columns(pick) => windows::draw_columns(canvas, pick, all),
        Modal::GroupBy(pick) => windows::draw_groupings(canvas, pick, all),
        Modal::Window(open) => windows::draw_window(canvas, open, model.now, all),
    }
}

/// One line of text, what it is for, and what it could go on as.
fn draw_line(
    canvas: &mut Canvas<'_>,
    model: &Model,
    (purpose, typed): (&LineFor, &str),
    all: Area,
) {
    let (title, words) = purpose.words();
    let offers = complete::line_offers(model, purpose, typed);
    let height = 7 + u16::try_from(offers.len()).unwrap_or(0);
    let body = window(canvas, all, 70, height, &Safe::fixed(title));
    let line = [canvas.piece("input", typed), canvas.fixed("selection", " ")];
    canvas.line(body, 0, &line);
    let wrapped = text::wrap(&Safe::fixed(words), usize::from(body.w)).into_iter();
    let wrapped = wrapped.map(|words| canvas.piece("text.dim", words));
    let offered = offers.into_iter().map(|offer| canvas.piece("text", offer));
    let below: Vec<Piece> = offered.chain(wrapped).collect();
    for (row, piece) in (2..).zip(below) {
        canvas.line(body, row, &[piece]);
    }
}

/// How a filter is written, or what the last word could go on as.
fn filter_hint(canvas: &mut Canvas<'_>, model: &Model, typed: &str, shape: &Shape) {
    let Some(area) = shape.footer else {
        return;
    };
    canvas.fill(area, "background");
    let screen = model
        .screen()
        .filter(|_| !typed.is_empty() && !typed.ends_with(' '));
    let offers = screen.map_or_else(Vec::new, |s| complete::offers(s, typed, &model.ctx()));
    if !offers.is_empty() {
        let pieces = [
            canvas.fixed("footer.key", " tab "),
            canvas.piece("footer", offers.join("  ")),
        ];
        canvas.line(area, 0, &pieces);
        return;
    }
    let words = " words, or field=value, field>number, age>1h, not …   enter keeps it, esc does not, tab completes, up brings earlier ones";
    canvas.line(area, 0, &[canvas.fixed("footer", words)]);
}

/// Opens a window of at most this size in the middle and returns its inside.
pub(super) fn window(canvas: &mut Canvas<'_>, all: Area, w: u16, h: u16, title: &Safe) -> Area {
    canvas.tint(all, "shadow");
    let (w, h) = (w.min(all.w), h.min(all.h));
    let area = Area {
        x: all.x + (all.w - w) / 2,
        y: all.y + (all.h - h) / 3,
        w,
        h,
    };
    canvas.fill(area, "popup");
    let g = canvas.glyphs();
    let [top_left, top_right, bottom_left, bottom_right] = g.corners;
    let middle = g.horizontal.repeat(usize::from(w.saturating_sub(2)));
    let edge = |canvas: &Canvas<'_>, l: &'static str, r: &'static str| {
        vec![
            canvas.fixed("popup.border", l),
            canvas.piece("popup.border", middle.clone()),
            canvas.fixed("popup.border", r),
        ]
    };
    let (first, last) = (
        edge(canvas, top_left, top_right),
        edge(canvas, bottom_left, bottom_right),
    );
    canvas.line(area, 0, &first);
    canvas.line(area, h.saturating_sub(1), &last);
    for row in 1..h.saturating_sub(1) {
        let side = [canvas.fixed("popup.border", g.vertical)];
        canvas.line(area, row, &side);
        canvas.line_right(area, row, &side);
    }
    let name = Area {
        x: area.x + 2,
        w: area.w.saturating_sub(4),
        ..area
    };
    canvas.line(
        name,
        0,
        &[canvas.piece("popup.border", format!(" {title} "))],
    );
    Area {
        x: area.x + 2,
        y: area.y + 1,
        w: w.saturating_sub(4),
        h: h.saturating_sub(2),
    }
}

/// ```text
/// ┌ actions ───────────────────────────────────────────────┐
/// │ : rev                                                  │
/// │ > drift.revert   Put back what Git says: opens the plan│
/// └────────────────────────────────────────────────────────┘
/// ```
fn draw_palette(canvas: &mut Canvas<'_>, palette: &Palette, all: Area) {
    let body = window(
        canvas,
        all,
        90,
        all.h.saturating_sub(4).min(24),
        &Safe::fixed("actions"),
    );
    canvas.line(
        body,
        0,
        &[
            canvas.fixed("input", ": "),
            canvas.piece("input", palette.input.value()),
            canvas.fixed("selection", " "),
        ],
    );
    let (_, list) = body.top(1);
    if palette.is_empty() {
        let words = format!(
            "Nothing is called `{}`; esc closes, backspace widens the search.",
            palette.input.value()
        );
        canvas.line(list, 0, &[canvas.piece("notice.warning", words)]);
        return;
    }
    let from = palette
        .cursor
        .saturating_sub(usize::from(list.h.saturating_sub(1)));
    for (row, (i, entry)) in (0..list.h).zip(palette.lines().enumerate().skip(from)) {
        let sign = if i == palette.cursor {
            canvas.glyphs().selected
        } else {
            " "
        };
        let name = format!(" {:<20} ", entry.name.as_str());
        let pieces = [
            canvas.fixed("mark", sign),
            canvas.piece("text.strong", name),
            canvas.piece("text.dim", entry.about.clone()),
        ];
        canvas.line(list, row, &pieces);
        if i == palette.cursor {
            canvas.tint(
                Area {
                    y: list.y + row,
                    h: 1,
                    ..list
                },
                "selection",
            );
        }
    }
}

fn draw_help(canvas: &mut Canvas<'_>, model: &Model, top: usize, all: Area) {
    let place = model.place();
    let lines = help::lines(&model.keymap, place);
    let height = u16::try_from(lines.len() + 3)
        .unwrap_or(u16::MAX)
        .min(all.h.saturating_sub(2));
    let body = window(canvas, all, 100, height, &Safe::fixed("keys"));
    let (foot, list) = body.bottom(1);
    for (row, line) in (0..list.h).zip(lines.iter().skip(top)) {
        let keys = text::cut_end(line.keys.as_str(), 20, canvas.glyphs().ellipsis);
        let pieces: [Piece; 3] = [
            canvas.piece("footer.key", format!("{keys:<21}")),
            canvas.piece("text", line.sentence.clone()),
            canvas.piece("text.dim", format!("  {}", line.id)),
        ];
        canvas.line(list, row, &pieces);
    }
    let more = lines.len().saturating_sub(top + usize::from(list.h));
    let words = if more > 0 {
        format!(
            "{more} more: j or space; any other key closes. Keymap {}.",
            model.keymap.name()
        )
    } else {
        format!("any other key closes. Keymap {}.", model.keymap.name())
    };
    canvas.line(foot, 0, &[canvas.piece("text.dim", words)]);
}

fn draw_confirm(canvas: &mut Canvas<'_>, confirm: &Confirm, all: Area) {
    let width = 72_u16.min(all.w);
    let inner = usize::from(width.saturating_sub(4));
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let wrapped = |canvas: &Canvas<'_>, scope: &str, words: &Safe| -> Vec<Vec<Piece>> {
        text::wrap(words, inner)
            .into_iter()
            .map(|line| vec![canvas.piece(scope, line)])
            .collect()
    };
    lines.extend(wrapped(canvas, "text.strong", &confirm.question));
    for fact in &confirm.facts {
        lines.extend(wrapped(canvas, "notice.warning", fact));
    }
    lines.push(Vec::new());
    match (&confirm.needs, confirm.then) {
        (Some(name), _) => {
            lines.push(vec![
                canvas.fixed("text", "Type "),
                canvas.piece("text.strong", name.clone()),
                canvas.fixed("text", " and press enter; esc leaves everything as it is."),
            ]);
            lines.push(vec![
                canvas.fixed("input", "> "),
                canvas.piece("input", confirm.input.value()),
                canvas.fixed("selection", " "),
            ]);
        }
        (None, Then::Run) => lines.push(vec![
            canvas.fixed("footer.key", "y"),
            canvas.fixed(
                "text",
                " runs it; any of enter, n, esc leaves everything as it is",
            ),
        ]),
        (None, Then::Quit) => lines.push(vec![
            canvas.fixed("footer.key", "y"),
            canvas.fixed("text", " or enter quits; n or esc stays"),
        ]),
    }
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let title = match confirm.then {
        Then::Quit => "quit",
        Then::Run => "run the plan",
    };
    let body = window(canvas, all, width, height, &Safe::fixed(title));
    canvas.lines(body, &lines);
}

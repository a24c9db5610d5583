//! The actions menu, and windows with long text.

use jiff::Timestamp;

use super::modals::window;
use super::paint::{Canvas, Piece};
use super::sheet::{self, Look};
use super::text;
use super::tree::{self, Columns};
use crate::app::links::{Link, Links};
use crate::app::menu::{Menu, MenuLine};
use crate::app::pick::{ColumnLine, ColumnPick, GroupPick};
use crate::app::shape::Area;
use crate::app::sheet::{SheetLine, Tone};
use crate::app::window::Window;
use crate::domain::Safe;

/// ```text
/// ┌ what now ────────────────────────────────────────────────┐
/// │> s   revert…   Put back what Git says: opens the plan     │
/// │  l   logs      edge-par-031 does not answer: …            │
/// └───────────────────────────────────────────────────────────┘
/// ```
pub(super) fn draw_menu(canvas: &mut Canvas<'_>, menu: &Menu, all: Area) {
    let row = |canvas: &Canvas<'_>, line: &MenuLine| {
        let info = line.action.info();
        let keys = text::cut_end(line.keys.as_str(), 14, canvas.glyphs().ellipsis);
        let (scope, about) = match &line.why_not {
            None => ("text", Safe::fixed(info.sentence)),
            Some(why) => ("text.dim", format!("off: {why}").into()),
        };
        vec![
            canvas.piece("footer.key", format!("{keys:<15}")),
            canvas.piece(scope, format!("{:<12}", info.hint)),
            canvas.piece(scope, about),
        ]
    };
    let lines = menu.lines.iter().map(|line| row(canvas, line)).collect();
    choices(canvas, all, (100, "what now"), lines, menu.cursor);
}

/// ```text
/// ┌ links: enter copies ─────────────────────────────────────────┐
/// │ > Git commit  https://git.example/fleet/commit/9f31c02aa     │
/// └──────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn draw_links(canvas: &mut Canvas<'_>, links: &Links, all: Area) {
    let row = |canvas: &Canvas<'_>, page: &Link| {
        vec![
            canvas.piece("text", format!("{:<12}", page.name.as_str())),
            canvas.piece("text.dim", page.url.clone()),
        ]
    };
    let rows = links.lines.iter().map(|page| row(canvas, page)).collect();
    choices(
        canvas,
        all,
        (156, "links: enter copies"),
        rows,
        links.cursor,
    );
}

/// ```text
/// ┌ columns of fleet: space shows or hides, J K move, enter keeps, 0 as before ┐
/// │ > [x] cluster   always  the cluster's name                                 │
/// │   [ ] cert              days until the kubeconfig's certificate ends       │
/// └────────────────────────────────────────────────────────────────────────────┘
/// ```
pub(super) fn draw_columns(canvas: &mut Canvas<'_>, pick: &ColumnPick, all: Area) {
    let row = |canvas: &Canvas<'_>, line: &ColumnLine| {
        let (sign, scope) = match (line.shown, line.fixed) {
            (true, true) => ("[=] ", "text.dim"),
            (true, false) => ("[x] ", "text"),
            (false, _) => ("[ ] ", "text.dim"),
        };
        let name = text::cut_middle(&line.name, 22, canvas.glyphs().ellipsis);
        vec![
            canvas.fixed(scope, sign),
            canvas.piece(scope, format!("{name:<23}")),
            canvas.piece("text.dim", line.about.clone()),
        ]
    };
    let rows = pick.lines.iter().map(|line| row(canvas, line)).collect();
    let title = "columns: space shows, J K move, enter keeps, 0 resets";
    choices(canvas, all, (76, title), rows, pick.cursor);
}

/// ```text
/// ┌ group by: enter keeps, 0 as configured ───────────────────┐
/// │ > none      one list                                      │
/// │   site      the group in the configuration                │
/// └───────────────────────────────────────────────────────────┘
/// ```
pub(super) fn draw_groupings(canvas: &mut Canvas<'_>, pick: &GroupPick, all: Area) {
    let row = |canvas: &Canvas<'_>, (name, about): &(String, Safe)| {
        let name = text::cut_middle(name, 22, canvas.glyphs().ellipsis);
        vec![
            canvas.piece("text", format!("{name:<23}")),
            canvas.piece("text.dim", about.clone()),
        ]
    };
    let rows = pick.lines.iter().map(|line| row(canvas, line)).collect();
    let title = "group by: enter keeps, 0 resets";
    choices(canvas, all, (76, title), rows, pick.cursor);
}

/// A window of lines to choose from, at most this wide and under this title.
fn choices(
    canvas: &mut Canvas<'_>,
    all: Area,
    (width, title): (u16, &'static str),
    lines: Vec<Vec<Piece>>,
    cursor: usize,
) {
    let height = u16::try_from(lines.len() + 2).unwrap_or(u16::MAX);
    let room = all.h.saturating_sub(2).max(3);
    let body = window(canvas, all, width, height.min(room), &Safe::fixed(title));
    let visible = usize::from(body.h).max(1);
    let first = (cursor + 1).saturating_sub(visible);
    for (y, (i, line)) in (0..body.h).zip(lines.into_iter().enumerate().skip(first)) {
        let row = Area {
            y: body.y + y,
            h: 1,
            ..body
        };
        let chosen = i == cursor;
        let sign = if chosen {
            canvas.glyphs().selected
        } else {
            " "
        };
        let mut pieces = vec![canvas.fixed("mark", sign), canvas.gap(1)];
        pieces.extend(line);
        canvas.line(row, 0, &pieces);
        if chosen {
            canvas.tint(row, "selection");
        }
    }
}

/// ```text
/// ┌ events: Deployment edge/gateway on edge-ber-017 ──────────┐
/// │ 41m  ScalingReplicaSet  Deployment gateway: Scaled down…  │
/// └ 1-20 of 44 ───────────────────────────────────────────────┘
/// ```
pub(super) fn draw_window(canvas: &mut Canvas<'_>, open: &Window, now: Timestamp, all: Area) {
    let width = all.w.saturating_sub(4).min(156);
    let title = title(open);
    let body = window(canvas, all, width, all.h.saturating_sub(2).max(3), &title);
    let (below, body) = body.bottom(2);
    let height = usize::from(body.h);
    let lines = open.lines();
    if lines.is_empty() {
        let words = if open.waits {
            Safe::fixed("Asking the cluster…")
        } else {
            open.empty.clone()
        };
        canvas.line(body, 0, &[canvas.piece("text.dim", words)]);
    }
    let first = open.first(height);
    let wanted = open.wanted();
    let look = Look {
        shift: open.shift,
        wanted: wanted.as_deref(),
    };
    let columns = Columns::of(open.nodes(), body.w.saturating_sub(2));
    for (y, (i, line)) in (0..body.h).zip(lines.iter().enumerate().skip(first)) {
        let mut pieces = match open.node(i) {
            Some(node) => tree::row(canvas, node, &columns, now, look, false),
            None => sheet::pieces(canvas, line, look),
        };
        let chosen = open.picks() && i == open.cursor;
        if open.picks() {
            let sign = if chosen {
                canvas.glyphs().selected
            } else {
                " "
            };
            pieces.splice(0..0, [canvas.fixed("mark", sign), canvas.gap(1)]);
        }
        canvas.line(body, y, &pieces);
        if chosen {
            let row = Area {
                y: body.y + y,
                h: 1,
                ..body
            };
            canvas.tint(row, "selection");
        }
    }
    foot(canvas, open, first, height, below);
}

fn title(open: &Window) -> Safe {
    let names: Vec<String> = open
        .leaves
        .iter()
        .enumerate()
        .filter(|(_, leaf)| !leaf.name.is_empty())
        .map(|(i, leaf)| {
            if i == open.leaf {
                format!("[{}]", leaf.name)
            } else {
                leaf.name.to_string()
            }
        })
        .collect();
    if names.is_empty() {
        return open.title.clone();
    }
    format!("{}   {}", open.title, names.join("  ")).into()
}

fn foot(canvas: &mut Canvas<'_>, open: &Window, first: usize, height: usize, area: Area) {
    let len = open.lines().len();
    let last = (first + height).min(len);
    let follows = if open.follows { "following  " } else { "" };
    let place = if len == 0 {
        String::new()
    } else {
        format!("{follows}{}-{last} of {len}", first + 1)
    };
    let used = canvas.line_right(area, 1, &[canvas.piece("text.dim", place)]);
    let room = Area {
        w: area.w.saturating_sub(used + 1),
        ..area
    };
    if let Some(search) = open.search.as_ref().filter(|_| open.typing) {
        let pieces = [
            canvas.fixed("input", "/ "),
            canvas.piece("input", search.value()),
            canvas.fixed("selection", " "),
        ];
        canvas.line(room, 1, &pieces);
        return;
    }
    let tab = if open.leaves.len() > 1 {
        "tab other view  "
    } else {
        ""
    };
    let again = if open.question.is_some() {
        if open.picks() {
            "r again  "
        } else {
            "r again  f follow  "
        }
    } else {
        ""
    };
    let closer = if open.picks() {
        "e events  l logs  y yaml  "
    } else {
        ""
    };
    let words = format!("esc close  {closer}{tab}{again}/ search  n N  c copy line");
    let line = SheetLine {
        text: words.into(),
        tone: Tone::Dim,
        ..SheetLine::default()
    };
    canvas.line(room, 1, &sheet::pieces(canvas, &line, Look::default()));
}

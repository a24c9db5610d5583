//! One application: what there is to know at once, its tree, and the detail of the selected node in tabs.

mod strip;

use super::{diff, empty};
use crate::app::inquiry::Inquiry;
use crate::app::screens::Ctx;
use crate::app::screens::app::{AppScreen, Pane, Tab};
use crate::app::shape::{Area, Shape};
use crate::app::tree::Node;
use crate::app::{Action, Place};
use crate::domain::Safe;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::sheet::{self, Look};
use crate::ui::signs;
use crate::ui::text::cut_middle;
use crate::ui::tree::{self, Columns};

/// Draws the body: tree and detail side by side where there is room, else the one that has the keys.
///
/// ```text
///  ≠ OutOfSync   ✗ Degraded   auto-sync off   hub-1 says ✓ Synced, compared 52m ago
///   OBJECT                   DRIFT     HEALTH      │ Deployment edge/gateway                 1-9 of 9
/// > ▾ Application ingress    ≠ …       ✗ Degraded  │ [summary] diff  events  history  metrics  live …
///   ├ ▾ Deployment gateway   ≠ edited  ✗ Degraded  │ sync        ≠ edited  compared by us
///   │ └ ReplicaSet …         -         ● Healthy   │ health      ✗ Degraded  by Argo CD's own check
///   what hangs below: read 02:14Z, t reads again   │             1 of 3 ready
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &AppScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if let Some(area) = shape.second {
        strip::draw(canvas, screen, ctx, area);
    }
    if let Some(area) = screen.tree_area(ctx) {
        draw_tree(canvas, screen, ctx, area);
    }
    if let Some(fenced) = shape.detail {
        canvas.fence(fenced);
    }
    if let Some(area) = screen.detail_area(ctx) {
        detail(canvas, screen, ctx, area);
    }
}

fn draw_tree(canvas: &mut Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>, area: Area) {
    if screen.nodes.is_empty() {
        nothing(canvas, screen, ctx, area);
        return;
    }
    let (head, rest) = area.top(1);
    let (foot, body) = rest.bottom(1);
    let columns = Columns::of(screen.nodes.iter(), area.w.saturating_sub(3));
    let pieces = columns.titles(canvas);
    canvas.line(head.left(2).1, 0, &pieces);
    let wanted = screen.tree_words();
    let look = Look {
        shift: 0,
        wanted: wanted.as_deref(),
    };
    let stale = screen.dark(ctx).is_some();
    let visible = screen.list.keys().iter().enumerate();
    let visible = visible.skip(screen.list.offset()).take(usize::from(body.h));
    for (y, (i, object)) in (0..).zip(visible) {
        let Some(node) = screen.nodes.iter().find(|n| n.object == *object) else {
            continue;
        };
        let line = Area {
            y: body.y + y,
            h: 1,
            ..body
        };
        let pieces = tree::row(canvas, node, &columns, ctx.now, look, stale);
        canvas.line(line.left(2).1, 0, &pieces);
        if stale {
            canvas.tint(line, "stale");
        }
        if i == screen.list.cursor() {
            mark(canvas, line, screen.pane == Pane::Tree);
        }
    }
    let pieces = told(canvas, screen, ctx);
    canvas.line(foot, 0, &pieces);
}

/// The selected row; the sign stays when the keys are elsewhere.
fn mark(canvas: &mut Canvas<'_>, line: Area, focus: bool) {
    let scope = if focus { "mark" } else { "text.dim" };
    canvas.line(line, 0, &[canvas.fixed(scope, canvas.glyphs().selected)]);
    if focus {
        canvas.tint(line, "selection");
    }
}

fn nothing(canvas: &mut Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>, area: Area) {
    let keys = |action| ctx.keys(Place::App, action);
    let words = match screen.tree_words() {
        Some(words) => Safe::from(format!("Nothing of it is called `{words}`.")),
        None => Safe::fixed("This application is not known any more."),
    };
    let hint = format!(
        "{} goes back, {} lists the applications",
        keys(Action::Back),
        keys(Action::GoApps)
    );
    empty(canvas, area, &words, hint);
}

/// How far the reading of what hangs under the managed objects is.
fn told(canvas: &Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>) -> Vec<Piece> {
    let keys = ctx.keys(Place::App, Action::Tree);
    let (scope, words) = match &screen.grown {
        _ if let Some(why) = screen.dark(ctx) => ("notice.error", why),
        Inquiry::Asking(_) => ("text.dim", Safe::fixed("Reading what its workloads run…")),
        Inquiry::Failed(why) => ("notice.error", format!("{why} {keys} reads again.").into()),
        Inquiry::Idle => ("text.dim", Safe::fixed("No workload of it is known.")),
        Inquiry::Here(tree) => {
            let at = screen.grown_at;
            let at = at.map_or(String::new(), |at| {
                format!(" {}", signs::moment(at, ctx.now))
            });
            let remarks: Vec<&str> = tree.remarks.iter().map(Safe::as_str).collect();
            let words = format!("pods read{at}, {keys} reads again. {}", remarks.join(" "));
            ("text.dim", words.into())
        }
    };
    vec![canvas.gap(2), canvas.piece(scope, words)]
}

fn detail(canvas: &mut Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>, area: Area) {
    let focus = screen.pane == Pane::Detail;
    let lines = screen.lines(ctx);
    let text = screen.text_area(ctx);
    head(canvas, screen, focus, area, lines.len());
    tabs(canvas, screen.detail.tab, focus, area.top(1).1);
    if let Some(diff) = screen
        .detail
        .diff
        .as_ref()
        .filter(|_| screen.detail.tab == Tab::Diff)
    {
        diff::draw(canvas, diff, ctx, text);
        return;
    }
    let wanted = screen.detail.wanted();
    let look = Look {
        shift: screen.detail.shift,
        wanted: wanted.as_deref(),
    };
    let top = first(screen, lines.len(), text.h);
    sheet::draw_look(canvas, text, &lines, top, look);
}

/// The first line that is seen.
fn first(screen: &AppScreen, lines: usize, height: u16) -> usize {
    screen
        .detail
        .top
        .min(lines.saturating_sub(usize::from(height)))
}

/// What is selected, and how much of its detail is seen.
fn head(canvas: &mut Canvas<'_>, screen: &AppScreen, focus: bool, area: Area, lines: usize) {
    let height = area.h.saturating_sub(2);
    let top = first(screen, lines, height);
    let last = (top + usize::from(height)).min(lines);
    // Where the detail has the keys, the status line says it.
    let place = if !focus && last < lines {
        let below = canvas.glyphs().below;
        format!(" {}-{last} of {lines} {below} ", top + 1)
    } else {
        String::new()
    };
    let used = canvas.line_right(area, 0, &[canvas.piece("text.dim", place)]);
    let room = area.w.saturating_sub(used + 1);
    let name = screen
        .node()
        .map_or(String::new(), |node: &Node| node.object.to_string());
    let name = cut_middle(&name, usize::from(room), canvas.glyphs().ellipsis);
    let scope = if focus { "text.strong" } else { "text.dim" };
    canvas.put(area.x, area.y, room, &[canvas.piece(scope, name)]);
}

/// The tabs; the one that is seen stands in brackets. Where there is no room for all, those around it are shown.
fn tabs(canvas: &mut Canvas<'_>, seen: Tab, focus: bool, area: Area) {
    let named = |tab: &Tab| {
        if *tab == seen {
            format!("[{}]", tab.title())
        } else {
            tab.title().to_owned()
        }
    };
    let titles: Vec<String> = Tab::ALL.iter().map(named).collect();
    let here = Tab::ALL.iter().position(|tab| *tab == seen).unwrap_or(0);
    let shown = around(&titles, here, usize::from(area.w));
    let scope = if focus { "border.focus" } else { "text.strong" };
    let mut pieces = Vec::new();
    if shown.start > 0 {
        pieces.push(canvas.fixed("text.dim", "‹ "));
    }
    for i in shown.clone() {
        let scope = if i == here { scope } else { "text.dim" };
        let title = titles.get(i).map_or("", String::as_str);
        pieces.extend([canvas.piece(scope, title), canvas.gap(1)]);
    }
    if shown.end < titles.len() {
        pieces.push(canvas.fixed("text.dim", canvas.glyphs().crumb));
    } else {
        pieces.pop();
    }
    canvas.line(area, 0, &pieces);
}

/// Which of the titles are shown in so many columns: all, else as many as fit to the left of this one, and then to its right.
fn around(titles: &[String], here: usize, room: usize) -> std::ops::Range<usize> {
    let columns = |range: std::ops::Range<usize>| {
        let shown = titles.get(range).unwrap_or_default();
        shown.iter().map(|title| title.len() + 1).sum::<usize>()
    };
    if columns(0..titles.len()) <= room + 1 {
        return 0..titles.len();
    }
    // A sign at each end says that there are more.
    let room = room.saturating_sub(3);
    let fits = |range: &std::ops::Range<usize>| columns(range.clone()) <= room;
    let from = (0..=here)
        .find(|from| fits(&(*from..here + 1)))
        .unwrap_or(here);
    let to = (here + 1..=titles.len())
        .rev()
        .find(|to| fits(&(from..*to)));
    from..to.unwrap_or(here + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tab_that_is_seen_is_always_among_those_shown() {
        let titles: Vec<String> = Tab::ALL.iter().map(|t| t.title().to_owned()).collect();
        for room in 1..80 {
            for here in 0..titles.len() {
                let shown = around(&titles, here, room);
                assert!(shown.contains(&here), "{room} {here}: {shown:?}");
            }
        }
        assert_eq!(around(&titles, 3, 56), 0..8);
        assert_eq!(around(&titles, 0, 55), 0..7);
        assert_eq!(around(&titles, 7, 30), 5..8);
    }
}

//! The matrix: applications down, groups of clusters across, the odd one out in every row.

use std::collections::BTreeMap;

use super::empty;
use crate::app::screens::matrix::{CELL, CellValue, Column, MatrixScreen, NAMES};
use crate::app::screens::{Ctx, drift::plural};
use crate::app::shape::{Area, Shape};
use crate::app::{Action, Place};
use crate::domain::{Health, Safe, SyncState};
use crate::fleet::Placement;
use crate::ui::detail;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;
use crate::ui::text::{cut_end, cut_middle};

/// Draws the body.
///
/// ```text
///                        eu-de 31           eu-fr 28           ap 18
/// > ingress              ≠ 21               ≠ 9                ✓ 16 ⊘ 2
///   edge-config          ✓ 31               ≠ 12               ✓ 18
/// ── ingress in eu-de ───────────────────────────────────────────────────
///  9f31c02a on 29   77ab0134 on edge-ber-017, edge-ber-018
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &MatrixScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if screen.list.is_empty() {
        nothing(canvas, screen, ctx, shape.main);
        return;
    }
    titles(canvas, screen, ctx, shape.main);
    let (_, body) = shape.main.top(1);
    let offset = screen.list.offset();
    let rows = screen.list.keys().iter().enumerate().skip(offset);
    for (y, (i, family)) in (0..body.h).zip(rows) {
        let line = Area {
            y: body.y + y,
            h: 1,
            ..body
        };
        draw_row(canvas, screen, family, i == screen.list.cursor(), ctx, line);
    }
    if let Some(area) = shape.detail {
        about(canvas, screen, ctx, area);
    }
}

fn nothing(canvas: &mut Canvas<'_>, screen: &MatrixScreen, ctx: &Ctx<'_>, area: Area) {
    let words = if screen.sieve.text().is_empty() {
        Safe::fixed("No application deploys to a cluster of the kubeconfig, as far as is known.")
    } else {
        Safe::from(format!("No application matches `{}`.", screen.sieve.text()))
    };
    let keys = |action| ctx.keys(Place::Matrix, action);
    let hint = format!(
        "{} shows the applications, {} goes back",
        keys(Action::GoApps),
        keys(Action::Back)
    );
    empty(canvas, area, &words, hint);
}

/// Where the cell of a column stands.
fn slot(line: Area, screen: &MatrixScreen, column: usize) -> Option<Area> {
    let at = u16::try_from(column.checked_sub(screen.first)?).ok()?;
    let x = (NAMES + 2).checked_add(at.checked_mul(CELL)?)?;
    let w = line.w.checked_sub(x)?.min(CELL - 1);
    let fits = w >= CELL / 2 || at == 0;
    fits.then_some(Area {
        x: line.x + x,
        w,
        ..line
    })
}

fn titles(canvas: &mut Canvas<'_>, screen: &MatrixScreen, ctx: &Ctx<'_>, area: Area) {
    let wide = MatrixScreen::wide(ctx);
    let count = screen.columns.len();
    let more = if count > wide {
        format!(
            "columns {}-{} of {count}",
            screen.first + 1,
            (screen.first + wide).min(count)
        )
    } else {
        "APPLICATION".to_owned()
    };
    let (head, _) = area.left(NAMES);
    canvas.line(head, 0, &[canvas.gap(2), canvas.piece("column", more)]);
    for (i, column) in screen
        .columns
        .iter()
        .enumerate()
        .skip(screen.first)
        .take(wide)
    {
        let Some(slot) = slot(area, screen, i) else {
            continue;
        };
        let name = match column {
            Column::Group(group) if group.is_empty() => Safe::fixed("no group"),
            Column::Group(group) => group.clone(),
            Column::Cluster(_, id) => Safe::new(id.as_str()),
        };
        let room = usize::from(slot.w);
        let name = cut_middle(name.as_str(), room, canvas.glyphs().ellipsis);
        let scope = if i == screen.column {
            "text.strong"
        } else {
            "column"
        };
        canvas.line(slot, 0, &[canvas.piece(scope, name)]);
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    screen: &MatrixScreen,
    family: &Safe,
    selected: bool,
    ctx: &Ctx<'_>,
    line: Area,
) {
    let usual = screen.usual(family, ctx.now);
    let (head, _) = line.left(NAMES);
    let name = cut_middle(
        family.as_str(),
        usize::from(NAMES - 2),
        canvas.glyphs().ellipsis,
    );
    let sign = if selected {
        canvas.fixed("mark", canvas.glyphs().selected)
    } else {
        canvas.gap(1)
    };
    canvas.line(head, 0, &[sign, canvas.gap(1), canvas.piece("text", name)]);
    let wide = MatrixScreen::wide(ctx);
    for (i, column) in screen
        .columns
        .iter()
        .enumerate()
        .skip(screen.first)
        .take(wide)
    {
        let Some(slot) = slot(line, screen, i) else {
            continue;
        };
        let cell = screen.cell(family, column);
        let pieces = cell_pieces(canvas, screen, &cell, usual.as_ref(), ctx);
        canvas.line(slot, 0, &pieces);
        if selected && i == screen.column {
            canvas.tint(slot, "selection");
        }
    }
}

fn cell_pieces(
    canvas: &Canvas<'_>,
    screen: &MatrixScreen,
    cell: &[&Placement],
    usual: Option<&Safe>,
    ctx: &Ctx<'_>,
) -> Vec<Piece> {
    if cell.is_empty() {
        return vec![canvas.fixed("text.dim", "-")];
    }
    let mut pieces = match screen.value {
        CellValue::State => states(canvas, cell),
        CellValue::Health => healths(canvas, cell),
        CellValue::Age => ages(canvas, cell, ctx),
        _ => values(canvas, screen, cell, usual, ctx),
    };
    let old = cell.iter().filter(|p| !p.current).count();
    if old > 0 {
        pieces.push(canvas.fixed("stale", canvas.glyphs().stale));
        pieces.push(canvas.piece("stale", format!(" {old} ")));
    }
    pieces
}

fn tally(canvas: &Canvas<'_>, counts: [(&'static str, &'static str, usize); 5]) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for (sign, scope, count) in counts {
        if count > 0 {
            pieces.push(canvas.fixed(scope, sign));
            pieces.push(canvas.piece("text", format!(" {count} ")));
        }
    }
    pieces
}

/// What is not current is counted apart, never as good.
fn states(canvas: &Canvas<'_>, cell: &[&Placement]) -> Vec<Piece> {
    let g = canvas.glyphs();
    let now: Vec<_> = cell.iter().filter(|p| p.current).collect();
    let degraded = |p: &&&&Placement| p.health == Health::Degraded;
    let of = |s: SyncState| now.iter().filter(|p| p.sync == s && !degraded(p)).count();
    tally(
        canvas,
        [
            (
                g.degraded,
                "health.degraded",
                now.iter().filter(degraded).count(),
            ),
            (g.out_of_sync, "sync.outofsync", of(SyncState::OutOfSync)),
            (g.unknown, "sync.unknown", of(SyncState::Unknown)),
            (g.synced, "sync.synced", of(SyncState::Synced)),
            ("", "text", 0),
        ],
    )
}

fn healths(canvas: &Canvas<'_>, cell: &[&Placement]) -> Vec<Piece> {
    let g = canvas.glyphs();
    let of = |wanted: &[Health]| {
        cell.iter()
            .filter(|p| p.current && wanted.contains(&p.health))
            .count()
    };
    tally(
        canvas,
        [
            (g.degraded, "health.degraded", of(&[Health::Degraded])),
            (g.missing, "health.missing", of(&[Health::Missing])),
            (
                g.progressing,
                "health.progressing",
                of(&[Health::Progressing, Health::Suspended]),
            ),
            (g.unknown, "health.unknown", of(&[Health::Unknown])),
            (g.healthy, "health.healthy", of(&[Health::Healthy])),
        ],
    )
}

/// The oldest and the newest deployment.
fn ages(canvas: &Canvas<'_>, cell: &[&Placement], ctx: &Ctx<'_>) -> Vec<Piece> {
    let current = || cell.iter().filter(|p| p.current);
    let times = || current().filter_map(|p| p.deployed_at);
    let never = current().filter(|p| p.deployed_at.is_none()).count();
    let words = |at| crate::app::age::age(ctx.now, at).unwrap_or(Safe::fixed("now"));
    let mut pieces = Vec::new();
    if let (Some(old), Some(new)) = (times().min(), times().max()) {
        let (old, new) = (words(old), words(new));
        let text = if old == new {
            format!("{old} ")
        } else {
            format!("{new} to {old} ")
        };
        pieces.push(canvas.piece("text", text));
    }
    if never > 0 {
        pieces.push(canvas.piece("notice.warning", format!("never {never} ")));
    }
    pieces
}

/// The values with their counts: the usual one plain, every other one marked.
fn values(
    canvas: &Canvas<'_>,
    screen: &MatrixScreen,
    cell: &[&Placement],
    usual: Option<&Safe>,
    ctx: &Ctx<'_>,
) -> Vec<Piece> {
    let mut counts: BTreeMap<Safe, usize> = BTreeMap::new();
    let mut unread = BTreeMap::new();
    for placement in cell.iter().filter(|p| p.current) {
        let value = screen.shown(placement, ctx.now);
        let counts = if screen.is_read(placement) {
            &mut counts
        } else {
            &mut unread
        };
        *counts.entry(value).or_default() += 1;
    }
    let distinct = counts.len();
    let mut pieces = Vec::new();
    let mut sorted: Vec<_> = counts.into_iter().collect();
    // What differs comes first: it must survive a narrow cell.
    sorted.sort_by_key(|(value, n)| (Some(value) == usual, usize::MAX - n));
    for (value, n) in sorted {
        let odd = Some(&value) != usual;
        if odd {
            pieces.push(canvas.fixed("sync.outofsync", canvas.glyphs().out_of_sync));
            pieces.push(canvas.gap(1));
        }
        let count = if distinct > 1 {
            format!(" ({n}) ")
        } else {
            " ".to_owned()
        };
        let scope = if odd { "sync.outofsync" } else { "text.dim" };
        let text = cut_end(value.as_str(), 14, canvas.glyphs().ellipsis);
        pieces.push(canvas.piece(scope, format!("{text}{count}")));
    }
    let unread = unread
        .into_iter()
        .map(|(value, n): (Safe, usize)| canvas.piece("sync.unknown", format!("{value} {n} ")));
    pieces.extend(unread);
    pieces
}

/// What is under the cursor: every value with the clusters that have it, the rarest first.
fn about(canvas: &mut Canvas<'_>, screen: &MatrixScreen, ctx: &Ctx<'_>, area: Area) {
    let family = screen.list.selected().cloned().unwrap_or_default();
    let place = match screen.columns.get(screen.column) {
        Some(Column::Cluster(_, id)) => format!("on {id}"),
        Some(Column::Group(group)) if !group.is_empty() => format!("in {group}"),
        _ => "without a group".to_owned(),
    };
    let cell = screen.selected();
    let title = [
        canvas.piece("text.strong", family.clone()),
        canvas.piece(
            "text.dim",
            format!(" {place}, {}", plural(cell.len(), "cluster")),
        ),
    ];
    let usual = screen.usual(&family, ctx.now);
    detail::framed(canvas, area, &title, false, |canvas, _| {
        if cell.is_empty() {
            return vec![vec![canvas.fixed("text.dim", "Not deployed here.")]];
        }
        let mut by_value: BTreeMap<(bool, Safe), Vec<&Placement>> = BTreeMap::new();
        for placement in &cell {
            let value = screen.told(placement, ctx.now);
            by_value
                .entry((!placement.current, value))
                .or_default()
                .push(placement);
        }
        let mut sorted: Vec<_> = by_value.into_iter().collect();
        sorted.sort_by_key(|((old, _), list)| (*old, list.len()));
        sorted
            .into_iter()
            .map(|((old, value), list)| {
                value_line(canvas, screen, old, &value, &list, usual.as_ref(), ctx)
            })
            .collect()
    });
}

fn value_line(
    canvas: &Canvas<'_>,
    screen: &MatrixScreen,
    old: bool,
    value: &Safe,
    list: &[&Placement],
    usual: Option<&Safe>,
    ctx: &Ctx<'_>,
) -> Vec<Piece> {
    let names: Vec<&str> = list.iter().map(|p| p.cluster.as_str()).collect();
    let odd = list
        .first()
        .is_some_and(|p| screen.is_odd(p, usual, ctx.now));
    let mut pieces = if old {
        let known = list.first().is_some_and(|p| screen.is_read(p));
        let words = if known {
            format!(" last known: {value}")
        } else {
            " not asked, it does not answer".to_owned()
        };
        vec![
            canvas.fixed("stale", canvas.glyphs().stale),
            canvas.piece("stale", words),
        ]
    } else if odd {
        vec![
            canvas.fixed("sync.outofsync", canvas.glyphs().out_of_sync),
            canvas.piece("sync.outofsync", format!(" {value}")),
        ]
    } else if screen.value == CellValue::State {
        let sync = list.first().map_or(SyncState::Unknown, |p| p.sync);
        signs::sync(canvas, sync)
    } else {
        vec![canvas.piece("text", format!("  {value}"))]
    };
    pieces.push(canvas.piece(
        "text.dim",
        format!("  on {}: {}", list.len(), names.join(", ")),
    ));
    pieces
}

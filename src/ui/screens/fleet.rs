//! The fleet: a table of clusters, a rail of groups, the detail of the selected one.

mod cells;

use std::collections::BTreeMap;

use super::empty;
use crate::app::grouped::Line;
use crate::app::screens::{Ctx, FleetScreen};
use crate::app::shape::{Area, BESIDE, Shape};
use crate::app::{Action, Place};
use crate::domain::{ClusterId, Engine, Health, LinkState, Safe};
use crate::fleet::ClusterRow;
use crate::ui::columns::{Laid, Specs};
use crate::ui::detail;
use crate::ui::groups;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};

/// The columns, in the order in which the list offers them.
pub(in crate::ui) const COLUMNS: &Specs = &[
    ("cluster", Column::new("CLUSTER", 18).names().grow(4)),
    ("site", Column::new("GROUP", 10).grow(1).rank(5)),
    ("seen", Column::new("LINK", 10)),
    ("apps", Column::new("APPS", 7).right().rank(2)),
    ("drift", Column::new("DRIFT", 5)),
    ("health", Column::new("HEALTH", 13)),
    ("op", Column::new("OP", 9).rank(7)),
    ("figures", Column::new("FIGURES", 20).rank(4)),
    ("more", Column::new("", 20).rank(8)),
    ("version", Column::new("VERSION", 9).rank(3)),
    ("engine", Column::new("ENGINE", 9).rank(6)),
    ("cpu", Column::new("CPU", 5).right().rank(4)),
    ("mem", Column::new("MEM", 5).right().rank(4)),
    ("cert", Column::new("CERT", 5).right().rank(4)),
    ("region", Column::new("REGION", 10).grow(1).rank(5)),
    ("hub", Column::new("HUB", 10).grow(1).rank(6)),
    ("role", Column::new("ROLE", 8).rank(6)),
    ("server", Column::new("SERVER", 24).grow(2).rank(8)),
    ("message", Column::new("MESSAGE", 24).grow(4).rank(8)),
];

/// Draws the body.
///
/// ```text
///   CLUSTER            GROUP   LINK         APPS  DRIFT  HEALTH         VERSION
/// > edge-ber-017       eu      ●            9/11  ≠   4  ✗ Degraded     v1.31.2
///   edge-muc-009       eu      ◌ (14m)      9/11  ◌   1  ◌ stale        v1.30.1
///   edge-par-031       eu      ⊘ dark 2h      -   ?      ⊘ unreachable
/// ── edge-ber-017 ──────────────────────────────────────────────────────────────
///  ≠ Deployment ingress/ingress  spec.replicas 3→1  ×37
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &FleetScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if let Some(area) = shape.rail {
        rail(canvas, ctx, area);
    }
    if screen.list.is_empty() {
        nothing(canvas, screen, ctx, shape.main);
    } else {
        let laid = Laid::of(Place::Fleet, COLUMNS, ctx);
        table::draw(
            canvas,
            shape.main,
            &laid.columns(),
            screen.list.lines(),
            true,
            |canvas, line| match line {
                Line::Row(id) => row(canvas, id, &laid, ctx),
                Line::Head(name) => {
                    let counts = groups::clusters(canvas, &screen.counts(name));
                    groups::head(canvas, name, screen.list.is_folded(name), counts)
                }
            },
        );
    }
    let selected = screen.list.selected().and_then(|id| ctx.rows.cluster(id));
    match (shape.detail, selected, screen.list.head()) {
        (Some(area), Some(row), _) => selected_detail(canvas, row, ctx, area),
        (Some(area), None, Some(group)) => group_detail(canvas, (screen, group), ctx, area),
        _ => {}
    }
}

/// What the clusters of a group need, in words.
fn group_detail(
    canvas: &mut Canvas<'_>,
    (screen, group): (&FleetScreen, &Safe),
    ctx: &Ctx<'_>,
    area: Area,
) {
    let title = vec![canvas.piece("text.strong", groups::named(group))];
    let counts = screen.counts(group);
    let beside = ctx.size.cols >= BESIDE;
    detail::framed(canvas, area, &title, beside, |canvas, _| {
        groups::in_words(canvas, &counts)
    });
}

fn selected_detail(canvas: &mut Canvas<'_>, row: &ClusterRow, ctx: &Ctx<'_>, area: Area) {
    let title = vec![canvas.piece("text.strong", Safe::new(row.id.as_str()))];
    let strip = area.h <= 3;
    let beside = ctx.size.cols >= BESIDE;
    detail::framed(canvas, area, &title, beside, |canvas, width| {
        let lines = detail::cluster(canvas, row, ctx, width);
        if strip { brief(lines, row) } else { lines }
    });
}

/// A strip of two lines shows what matters most: the link's words when there are any, else what drifted, else the figures.
fn brief(lines: detail::Lines, row: &ClusterRow) -> detail::Lines {
    let skip = if row.words().is_none() {
        lines
            .len()
            .saturating_sub(if row.drift > 0 { row.drift } else { 2 })
    } else {
        1
    };
    lines.into_iter().skip(skip).collect()
}

fn nothing(canvas: &mut Canvas<'_>, screen: &FleetScreen, ctx: &Ctx<'_>, area: Area) {
    if ctx.rows.clusters.is_empty() {
        let words = Safe::fixed("No cluster: the kubeconfig names no context that can be used.");
        empty(
            canvas,
            area,
            &words,
            "driftdeck doctor says why; driftdeck demo shows a fleet without any.",
        );
        return;
    }
    let words = if screen.sieve.text().is_empty() {
        Safe::fixed("Nobody is needed: every cluster answers, and nothing has drifted.")
    } else {
        Safe::from(format!("No cluster matches `{}`.", screen.sieve.text()))
    };
    let hint = format!(
        "{} shows all clusters again",
        ctx.keys(Place::Fleet, Action::Back)
    );
    empty(canvas, area, &words, hint);
}

fn row(canvas: &Canvas<'_>, id: &ClusterId, laid: &Laid, ctx: &Ctx<'_>) -> RowCells {
    let Some(row) = ctx.rows.cluster(id) else {
        return RowCells::gone();
    };
    let cells = laid.names().map(|name| cell(canvas, name, row, ctx));
    RowCells::of(cells.collect(), row.state == LinkState::Stale)
}

fn cell(canvas: &Canvas<'_>, name: &str, row: &ClusterRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let since = row.since.filter(|_| !row.state.is_current());
    match name {
        "cluster" => vec![canvas.piece("text", Safe::new(row.id.as_str()))],
        "site" => vec![canvas.group("text.dim", &row.group)],
        "seen" => signs::link(canvas, row.state, since, ctx.now),
        "apps" => apps(canvas, row),
        "drift" => drift(canvas, row),
        "health" => health(canvas, row),
        "op" => operation(canvas, row),
        "figures" => figure(canvas, row, 0),
        "more" => figure(canvas, row, 1),
        "version" => vec![canvas.piece("text.dim", row.version.clone())],
        "engine" => engines(canvas, row),
        other => cells::extra(canvas, other, row, ctx),
    }
}

fn apps(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    if row.apps == 0 {
        return vec![canvas.fixed("text.dim", "-")];
    }
    if !row.state.is_current() {
        return vec![canvas.piece("stale", format!("?/{}", row.apps))];
    }
    let scope = if row.synced == row.apps {
        "text.dim"
    } else {
        "text"
    };
    vec![canvas.piece(scope, format!("{}/{}", row.synced, row.apps))]
}

fn drift(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    if row.apps == 0 && row.drift == 0 && row.state.is_current() {
        return vec![canvas.fixed("text.dim", "-")];
    }
    signs::drift_count(canvas, row.drift, row.state.is_current(), row.unknown == 0)
}

/// Health of what runs there; a row that is not current shows its link instead, and never green. An engine that does not work comes first: many
/// other rows hang on it.
fn health(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    if !row.state.is_current() {
        return signs::link_long(canvas, row.state);
    }
    if let Some(warning) = &row.warning {
        return signs::engine(canvas, warning);
    }
    match row.health.worst() {
        Some(Health::Degraded) => {
            let mut pieces = signs::health(canvas, Health::Degraded);
            if row.health.degraded > 1 {
                pieces.push(canvas.piece("health.degraded", format!(" {}", row.health.degraded)));
            }
            pieces
        }
        Some(worst) => signs::health(canvas, worst),
        None => vec![canvas.fixed("text.dim", "-")],
    }
}

fn operation(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    if row.operating {
        return vec![
            canvas.fixed("sync.running", canvas.glyphs().syncing),
            canvas.fixed("sync.running", " syncing"),
        ];
    }
    Vec::new()
}

/// One of the cluster's figures: name, value, course.
fn figure(canvas: &Canvas<'_>, row: &ClusterRow, number: usize) -> Vec<Piece> {
    let metrics = row.metrics.as_ref().filter(|_| row.state.is_current());
    let Some(figure) = metrics.and_then(|m| m.figures.get(number)) else {
        return vec![canvas.fixed("text.dim", "-")];
    };
    vec![
        canvas.piece("text.dim", format!("{} ", figure.name)),
        canvas.piece("text", signs::figure(figure)),
        canvas.gap(1),
        signs::sparkline(canvas, &figure.course, 6),
    ]
}

fn engines(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    let words: Vec<&str> = row
        .engines
        .iter()
        .map(|e| match e {
            Engine::Argo => "argo",
            Engine::Flux => "flux",
        })
        .collect();
    vec![canvas.piece("text.dim", words.join("+"))]
}

/// Groups with their clusters, and how many of them need somebody.
fn rail(canvas: &mut Canvas<'_>, ctx: &Ctx<'_>, area: Area) {
    let (inner, _) = area.left(area.w.saturating_sub(2));
    let mut groups: BTreeMap<&Safe, (usize, usize, usize)> = BTreeMap::new();
    for row in &ctx.rows.clusters {
        let (all, drifted, dark) = groups.entry(&row.group).or_default();
        *all += 1;
        *drifted += usize::from(row.state.is_current() && row.drift > 0);
        *dark += usize::from(!row.state.is_current());
    }
    let mut lines = vec![vec![canvas.fixed("column", " GROUP")]];
    for (group, (all, drifted, dark)) in groups {
        let name = if group.is_empty() {
            Safe::fixed("(none)")
        } else {
            group.clone()
        };
        let name = crate::ui::text::cut_middle(name.as_str(), 10, canvas.glyphs().ellipsis);
        let left = 10_usize.saturating_sub(crate::ui::text::width(&name));
        let shown = Piece {
            text: Safe::from(name),
            ..canvas.group("text", group)
        };
        let mut pieces = vec![
            canvas.gap(1),
            shown,
            canvas.gap(left),
            canvas.piece("text", format!(" {all:>3}")),
        ];
        if drifted > 0 {
            pieces.push(canvas.piece(
                "drift.edited",
                format!(" {}{drifted}", canvas.glyphs().out_of_sync),
            ));
        }
        if dark > 0 {
            pieces.push(canvas.piece(
                "unreachable",
                format!(" {}{dark}", canvas.glyphs().unreachable),
            ));
        }
        lines.push(pieces);
    }
    canvas.lines(inner, &lines);
    let (edge, _) = area.right(1);
    for row in 0..edge.h {
        canvas.line(
            edge,
            row,
            &[canvas.fixed("border", canvas.glyphs().vertical)],
        );
    }
}

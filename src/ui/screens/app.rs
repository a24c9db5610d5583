//! One application: its objects as a tree, the selected one in detail.

use super::{apps, empty};
use crate::app::screens::Ctx;
use crate::app::screens::app::{AppScreen, ObjectRow};
use crate::app::shape::{Area, SPLIT, Shape};
use crate::app::{Action, Place};
use crate::domain::{ObjectRef, Safe, SyncState};
use crate::ui::changes;
use crate::ui::detail::{self, fact};
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};

const COLUMNS: [Column; 4] = [
    Column::new("OBJECT", 24).grow(1),
    Column::new("DRIFT", 9),
    Column::new("HEALTH", 13),
    Column::new("ENGINE", 11).rank(1),
];

/// Draws the body.
///
/// ```text
///   OBJECT                        DRIFT      HEALTH       │ Deployment edge/ingress
/// > ├ Deployment edge/ingress     ≠ edited   ✗ Degraded   │  ≠ spec.replicas  3 → 1
///   └ ConfigMap edge/ingress-conf ✓                       │      kubectl-scale 01:33Z
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &AppScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    let rows = screen.rows(ctx);
    if rows.is_empty() {
        let words =
            Safe::fixed("No object yet: nothing was deployed, or the cluster has not been read.");
        let hint = format!("{} goes back", ctx.keys(Place::App, Action::Back));
        empty(canvas, shape.main, &words, hint);
    }
    let last = screen.list.keys().last().cloned();
    table::draw(
        canvas,
        shape.main,
        &COLUMNS,
        &screen.list,
        true,
        |canvas, object| {
            let found = rows.iter().find(|r| r.object == *object);
            found.map_or(
                RowCells {
                    cells: Vec::new(),
                    stale: true,
                },
                |r| row(canvas, r, last.as_ref(), ctx),
            )
        },
    );
    if let Some(area) = shape.detail {
        let selected = rows
            .iter()
            .find(|r| Some(&r.object) == screen.list.selected());
        about(canvas, screen, selected, ctx, area);
    }
}

fn row(canvas: &Canvas<'_>, row: &ObjectRow, last: Option<&ObjectRef>, _ctx: &Ctx<'_>) -> RowCells {
    let [branch, end] = canvas.glyphs().branch;
    let is_last = last == Some(&row.object);
    let verdict = row.ours.as_ref().map(|r| &r.verdict);
    let drift = match verdict.map(|v| v.main_state()) {
        Some(Some(state)) => signs::drift(canvas, state),
        Some(None) => vec![canvas.fixed("sync.synced", canvas.glyphs().synced)],
        None => vec![canvas.fixed("drift.unknown", canvas.glyphs().unknown)],
    };
    let health = row
        .ours
        .as_ref()
        .and_then(|r| r.health.as_ref().map(|(h, _)| *h));
    let health = health.or(row.engine.as_ref().and_then(|e| e.health));
    let engine = row.engine.as_ref().and_then(|e| e.sync);
    let cells = vec![
        vec![
            canvas.fixed("border", if is_last { end } else { branch }),
            canvas.piece("text", format!(" {}", row.object)),
        ],
        drift,
        health.map_or_else(
            || vec![canvas.fixed("text.dim", "-")],
            |h| signs::health(canvas, h),
        ),
        engine
            .filter(|s| *s != SyncState::Synced)
            .map_or_else(Vec::new, |s| signs::sync(canvas, s)),
    ];
    RowCells {
        cells,
        stale: false,
    }
}

fn about(
    canvas: &mut Canvas<'_>,
    screen: &AppScreen,
    selected: Option<&ObjectRow>,
    ctx: &Ctx<'_>,
    area: Area,
) {
    let title = vec![selected.map_or_else(
        || canvas.piece("text.strong", Safe::new(&screen.app.name)),
        |row| canvas.piece("text.strong", row.object.to_string()),
    )];
    let app = ctx.fleet.app_row(&screen.app);
    let beside = ctx.size.cols >= SPLIT;
    detail::framed(canvas, area, &title, beside, |canvas, width| {
        let mut lines = selected.map_or_else(Vec::new, |row| object(canvas, row, ctx));
        if let Some(app) = &app {
            lines.push(Vec::new());
            lines.push(vec![canvas.fixed("text.strong", "application")]);
            lines.extend(apps::about(canvas, app, ctx, width));
            lines.extend(history(canvas, screen, ctx));
        }
        lines
    });
}

fn object(canvas: &Canvas<'_>, row: &ObjectRow, ctx: &Ctx<'_>) -> detail::Lines {
    let Some(ours) = &row.ours else {
        let words = "Not judged by us: the engine names it, and we have not read it.";
        return vec![vec![canvas.fixed("notice.warning", words)]];
    };
    let mut lines: detail::Lines = Vec::new();
    if let Some((health, words)) = &ours.health {
        let mut pieces = signs::health(canvas, *health);
        pieces.push(canvas.piece("text.dim", format!("  {words}")));
        lines.push(fact(canvas, "health", pieces));
    }
    lines.extend(changes::changes(canvas, &ours.verdict, ctx.now));
    if ours.verdict.states.is_empty() {
        lines.push(vec![canvas.fixed("text", "As Git wants it.")]);
    }
    let (_, revision, path) = &ours.desired;
    if !path.is_empty() {
        lines.push(fact(
            canvas,
            "git",
            vec![canvas.piece("text", format!("{} {path}", signs::revision(revision)))],
        ));
    }
    lines
}

/// Deployments, newest first.
fn history(canvas: &Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>) -> detail::Lines {
    let Some(app) = ctx.fleet.app(&screen.app) else {
        return Vec::new();
    };
    let mut lines = vec![vec![canvas.fixed("text.strong", "history")]];
    for (i, entry) in app.history.iter().rev().take(8).enumerate() {
        let when = entry
            .deployed_at
            .map_or(String::new(), |at| signs::moment(at, ctx.now));
        let mut pieces: Vec<Piece> = vec![
            canvas.piece("text.dim", format!(" #{:<4}", entry.id)),
            canvas.piece("text", signs::revision(&entry.revision)),
            canvas.piece("text.dim", format!("  {when}")),
        ];
        if i == 0 {
            pieces.push(canvas.fixed("sync.synced", "  current"));
        }
        lines.push(pieces);
    }
    lines
}

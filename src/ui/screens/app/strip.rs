//! What there is to know of an application at once, in one line or two above its tree.

use crate::app::age::age;
use crate::app::screens::Ctx;
use crate::app::screens::app::AppScreen;
use crate::app::shape::Area;
use crate::app::words::says;
use crate::domain::{Application, Safe, VerdictSource};
use crate::fleet::AppRow;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;

/// ```text
///  ≠ OutOfSync   ✗ Degraded   auto-sync off   hub-1 says ✓ Synced, compared 52m ago
///  git 9f31c02a microserviceA at main   3 commits behind   last sync ✓ 11-20 02:00Z by ci
/// ```
pub(super) fn draw(canvas: &mut Canvas<'_>, screen: &AppScreen, ctx: &Ctx<'_>, area: Area) {
    let Some(row) = ctx.fleet.app_row(&screen.app) else {
        return;
    };
    let old = screen.dark(ctx).is_some();
    let verdict = verdict(canvas, &row, old, ctx);
    canvas.line(area, 0, &verdict);
    if area.h > 1 {
        let origin = origin(canvas, &row, ctx);
        canvas.line(area, 1, &origin);
    }
    if old {
        canvas.tint(area, "stale");
    }
}

fn verdict(canvas: &Canvas<'_>, row: &AppRow, old: bool, ctx: &Ctx<'_>) -> Vec<Piece> {
    let app = &row.app;
    let mut pieces = vec![canvas.gap(1)];
    let shown = |state| {
        if old {
            signs::old(canvas, state)
        } else {
            state
        }
    };
    pieces.extend(shown(signs::sync(canvas, row.verdict.state)));
    if row.verdict.source != VerdictSource::Computed {
        let says = format!("  {}", says(row.verdict.source));
        pieces.push(canvas.piece("text.dim", says));
    }
    pieces.push(canvas.gap(3));
    pieces.extend(shown(signs::health(canvas, row.health)));
    pieces.push(canvas.piece("text.dim", format!("   auto-sync {}", auto(app))));
    pieces.extend(hub(canvas, row, ctx));
    pieces
}

fn auto(app: &Application) -> &'static str {
    match (app.auto_sync.enabled, app.auto_sync.self_heal) {
        (false, _) => "off",
        (true, false) => "on",
        (true, true) => "on, heals",
    }
}

/// The hub's word, and how old it is.
fn hub(canvas: &Canvas<'_>, row: &AppRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let app = &row.app;
    let scope = if app.sync == row.verdict.state {
        "text.dim"
    } else {
        "notice.warning"
    };
    let mut pieces = vec![canvas.piece(scope, format!("   {} says ", app.id.hub))];
    pieces.extend(signs::sync(canvas, app.sync));
    if let Some(age) = app.reconciled_at.and_then(|at| age(ctx.now, at)) {
        pieces.push(canvas.piece("text.dim", format!(", compared {age} ago")));
    }
    pieces
}

fn origin(canvas: &Canvas<'_>, row: &AppRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let app = &row.app;
    let deployed = app
        .deployed_revision()
        .map_or(Safe::fixed("never deployed"), |d| {
            signs::revision(&d.revision)
        });
    let mut pieces = vec![
        canvas.fixed("text.dim", " git "),
        canvas.piece("text", deployed),
    ];
    if let Some(source) = app.sources.first() {
        let place = if source.chart.is_empty() {
            &source.path
        } else {
            &source.chart
        };
        let target = if source.target_revision.is_empty() {
            "HEAD"
        } else {
            &source.target_revision
        };
        pieces.push(canvas.piece("text.dim", format!("  {place} at {target}")));
    }
    if let Some(newest) = row.newest.as_deref().filter(|n| n.is_behind()) {
        let words = format!("   {} ahead in Git", newest.count.max(1));
        pieces.push(canvas.piece("drift.behind", words));
    }
    if let Some(operation) = &app.operation {
        pieces.push(canvas.fixed("text.dim", "   last sync "));
        pieces.extend(signs::operation(canvas, operation.phase));
        let at = operation.finished_at.or(operation.started_at);
        let at = at.map_or(String::new(), |at| {
            format!(" {}", signs::moment(at, ctx.now))
        });
        let by = if operation.initiated_by.is_empty() {
            String::new()
        } else {
            format!(" by {}", operation.initiated_by)
        };
        pieces.push(canvas.piece("text.dim", format!("{at}{by}")));
    }
    pieces
}

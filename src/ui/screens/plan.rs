//! The plan: what will be done, target by target, before anything is.

use super::empty;
use crate::app::screens::drift::plural;
use crate::app::screens::plan::Planned;
use crate::app::screens::{Ctx, PLAN_ABOVE, PlanScreen, plan_below};
use crate::app::shape::{Area, Shape};
use crate::app::{Action, Place};
use crate::domain::Safe;
use crate::ops::{DryRun, Plan, PlanTarget, Route};
use crate::ui::detail::Lines;
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};
use crate::ui::text::wrap;

const COLUMNS: [Column<'_>; 7] = [
    Column::new("", 3),
    Column::new("CLUSTER", 16).names().grow(2),
    Column::new("LINK", 9).rank(2),
    Column::new("OBJECT", 14).grow(2).rank(1),
    Column::new("EFFECT", 17).grow(3),
    Column::new("ROUTE", 6).rank(3),
    Column::new("DRY RUN", 14).grow(1),
];

/// Draws the body.
///
/// ```text
///  2 of 3 will change · dry run accepts 2 · route best · waves 1→1 · restarts 0 pods
///  lose fields to Git: kubectl-scale (2 objects)
/// ────────────────────────────────────────────────────────────────────────────────────
///        CLUSTER        LINK       OBJECT                      EFFECT             DRY RUN
/// > [x]  edge-ber-017   ●          Deployment ingress/ingress  spec.replicas 1→3  ✓ ok
///   [ ]  edge-muc-009   ◌ (14m)    Deployment ingress/ingress  skipped: stale
/// ── Deployment ingress/ingress on edge-ber-017 ──────────────────────────────────────
///  kubectl-scale (Update, 01:33Z) loses spec.replicas
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &PlanScreen,
    write: bool,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    let keys = |action| ctx.keys(Place::Plan, action);
    match &screen.planned {
        Planned::Building => {
            let n = screen.wish.targets.len();
            let words = Safe::from(format!(
                "Building the plan for {n} objects: reading what Git wants and asking each server with a dry run…"
            ));
            empty(
                canvas,
                shape.main,
                &words,
                format!(
                    "{} goes back; nothing is changed by building a plan",
                    keys(Action::Back)
                ),
            );
        }
        Planned::Failed(why) => {
            let hint = format!(
                "{} tries again, {} goes back",
                keys(Action::Rebuild),
                keys(Action::Back)
            );
            empty(canvas, shape.main, why, hint);
        }
        Planned::Ready(plan) => {
            let (above, rest) = shape.main.top(PLAN_ABOVE - 1);
            let (below, list) = rest.bottom(plan_below(shape.main.h));
            summary(canvas, screen, plan, write, ctx, above);
            targets(canvas, screen, plan, ctx, list);
            selected(canvas, screen, ctx, below);
        }
    }
}

fn summary(
    canvas: &mut Canvas<'_>,
    screen: &PlanScreen,
    plan: &Plan,
    write: bool,
    ctx: &Ctx<'_>,
    area: Area,
) {
    let sent = plan.sendable();
    let accepted = plan.targets.iter().filter(|t| t.dry_run.ok()).count();
    let waves: Vec<String> = plan
        .waves
        .iter()
        .map(|w| w.targets.len().to_string())
        .collect();
    let route = match screen.wish.via {
        None => "best",
        Some(Route::Argo) => "argo",
        Some(Route::Flux) => "flux",
        Some(Route::Direct) => "direct",
    };
    let (arrow, dot) = (canvas.glyphs().arrow, canvas.glyphs().dot);
    let waves = waves.join(arrow);
    let restarts = plural(
        usize::try_from(plan.restarts()).unwrap_or(usize::MAX),
        "pod",
    );
    let facts = if sent == 0 {
        " and each row says why".to_owned()
    } else {
        format!(
            " {dot} dry run accepts {accepted} {dot} route {route} {dot} waves {waves} {dot} restarts {restarts}"
        )
    };
    let title = match sent {
        0 => "Nothing will change".to_owned(),
        _ => format!("{sent} of {} will change", plan.targets.len()),
    };
    let first = [
        canvas.gap(1),
        canvas.piece("text.strong", title),
        canvas.piece("text", facts),
    ];
    canvas.line(area, 0, &first);
    let mut second = vec![canvas.gap(1)];
    second.extend(second_line(ctx, canvas, screen, plan, write));
    canvas.line(area, 1, &second);
    canvas.rule(area, 2, &[], false);
}

/// What the operator must know first: read-only, what was left out, the guardrail, the note, who loses fields.
fn second_line(
    ctx: &Ctx<'_>,
    canvas: &Canvas<'_>,
    screen: &PlanScreen,
    plan: &Plan,
    write: bool,
) -> Vec<Piece> {
    let mut pieces = Vec::new();
    if !write {
        pieces.push(canvas.fixed(
            "notice.warning",
            "read-only: the plan can be looked at and copied, not run   ",
        ));
    }
    if !screen.left_out.is_empty() {
        let n = screen.left_out.len();
        pieces.push(canvas.piece(
            "notice.warning",
            format!(
                "{n} left out: {} builds the plan again   ",
                ctx.keys(Place::Plan, Action::RunPlan)
            ),
        ));
    }
    if let Some(guardrail) = &plan.guardrail {
        pieces.push(canvas.piece(
            "notice.warning",
            format!("guardrail {}: its name must be typed   ", guardrail.name),
        ));
    }
    if screen.wish.prune {
        pieces.push(canvas.fixed(
            "notice.warning",
            "prune is on: what Git does not have is deleted   ",
        ));
    }
    if let Some(note) = &screen.wish.note {
        pieces.push(canvas.piece("text", format!("note: {note}   ")));
    }
    let losers: usize = plan.targets.iter().filter(|t| !t.losers.is_empty()).count();
    if losers > 0 {
        let mut names: Vec<&str> = plan
            .targets
            .iter()
            .flat_map(|t| &t.losers)
            .map(|l| l.manager.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        pieces.push(canvas.piece(
            "diff.owner",
            format!(
                "lose fields to Git: {} ({})",
                names.join(", "),
                plural(losers, "object")
            ),
        ));
    }
    pieces
}

fn targets(canvas: &mut Canvas<'_>, screen: &PlanScreen, plan: &Plan, ctx: &Ctx<'_>, area: Area) {
    table::draw(canvas, area, &COLUMNS, &screen.list, true, |canvas, i| {
        let left_out = screen.left_out.contains(i);
        let found = plan.targets.get(*i);
        found.map_or(RowCells::gone(), |t| row(canvas, t, left_out, ctx))
    });
}

fn row(canvas: &Canvas<'_>, target: &PlanTarget, left_out: bool, ctx: &Ctx<'_>) -> RowCells {
    let included = target.order.is_some() && !left_out;
    let effect = match &target.skipped {
        Some(why) => canvas.piece("text.dim", format!("skipped: {why}")),
        None => canvas.piece("drift.edited", target.effect.clone()),
    };
    let since = ctx.rows.cluster(&target.cluster).and_then(|r| r.since);
    let cells = vec![
        vec![canvas.fixed("mark", if included { "[x]" } else { "[ ]" })],
        vec![canvas.piece("text", Safe::new(target.cluster.as_str()))],
        signs::link(canvas, target.link, since, ctx.now),
        vec![canvas.piece("text", signs::object(&target.object, ctx.size.cols / 6))],
        sentence(effect),
        vec![canvas.piece("text.dim", target.route.to_string())],
        dry_run(canvas, target),
    ];
    RowCells::of(cells, !included)
}

fn dry_run(canvas: &Canvas<'_>, target: &PlanTarget) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope, word) = match &target.dry_run {
        DryRun::Accepted(_) => (g.synced, "outcome.good", "accepted"),
        DryRun::NotPermitted(_) => (g.unknown, "outcome.unknown", "not permitted"),
        DryRun::Rejected(_) => (g.degraded, "outcome.failed", "rejected"),
        DryRun::NotRun(_) => ("-", "text.dim", "not run"),
    };
    let mut pieces = vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(scope, word),
    ];
    if !target.warnings.is_empty() || target.danger.is_some() {
        pieces.push(canvas.fixed("notice.error", " !"));
    }
    pieces
}

fn selected(canvas: &mut Canvas<'_>, screen: &PlanScreen, ctx: &Ctx<'_>, area: Area) {
    let Some(target) = screen.target().filter(|_| area.h > 1) else {
        return;
    };
    let title = vec![canvas.piece("text.strong", target.name().to_string())];
    crate::ui::detail::framed(canvas, area, &title, false, |canvas, width| {
        about(canvas, target, ctx, width)
    });
}

/// Everything the plan says of one target, the gravest first.
fn about(canvas: &Canvas<'_>, target: &PlanTarget, ctx: &Ctx<'_>, width: u16) -> Lines {
    let mut lines: Lines = Vec::new();
    let mut say = |scope: &str, words: &Safe| {
        let wrapped = wrap(words, usize::from(width.saturating_sub(1)));
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| vec![canvas.piece(scope, line)]),
        );
    };
    if let Some(danger) = &target.danger {
        say("notice.error", danger);
    }
    if let Some(skipped) = &target.skipped {
        say("notice.warning", &Safe::from(format!("skipped: {skipped}")));
    }
    for warning in &target.warnings {
        say("notice.warning", warning);
    }
    let message = target.dry_run.message();
    if !message.is_empty() {
        say("text", &Safe::from(format!("dry run: {message}")));
    }
    for loser in &target.losers {
        let time = loser.time.map_or(String::new(), |at| {
            format!(", {}", signs::moment(at, ctx.now))
        });
        let fields: Vec<&str> = loser.fields.iter().map(Safe::as_str).collect();
        let text = format!(
            "{} ({}{time}) loses {}",
            loser.manager,
            loser.operation,
            fields.join(", ")
        );
        say("diff.owner", &Safe::from(text));
    }
    for pruned in &target.prunes {
        say("notice.error", &Safe::from(format!("deletes {pruned}")));
    }
    let revision = signs::revision(&target.revision);
    let restarts = plural(
        usize::try_from(target.restarts).unwrap_or(usize::MAX),
        "pod",
    );
    say(
        "text.dim",
        &Safe::from(format!(
            "puts back {revision} by way of {}; restarts {}",
            target.route, restarts
        )),
    );
    lines
}

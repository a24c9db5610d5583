//! The details beside or below a list: the facts of a cluster, and the frame around any detail.

use jiff::Timestamp;

use super::paint::{Canvas, Piece};
use super::signs;
use super::text::wrap;
use crate::app::screens::Ctx;
use crate::app::shape::Area;
use crate::app::{Action, Place};
use crate::domain::{DriftState, LinkState, MetricFigure, Resource, Safe, Verdict, Warning};
use crate::fleet::ClusterRow;

/// Lines of a detail.
pub type Lines = Vec<Vec<Piece>>;

/// A label and what it says.
pub fn fact(canvas: &Canvas<'_>, label: &'static str, mut what: Vec<Piece>) -> Vec<Piece> {
    let mut pieces = vec![canvas.piece("text.dim", format!("{label:<9}"))];
    pieces.append(&mut what);
    pieces
}

/// What there is to know of a cluster.
pub fn cluster(canvas: &Canvas<'_>, row: &ClusterRow, ctx: &Ctx<'_>, width: u16) -> Lines {
    let mut lines = vec![fact(canvas, "link", link_words(canvas, row, ctx.now))];
    lines.extend(message(canvas, row, ctx, width));
    lines.extend(warning(canvas, row, width));
    lines.push(fact(
        canvas,
        "server",
        vec![canvas.piece("text", row.server.clone())],
    ));
    if let Some(facts) = ctx.fleet.cluster(&row.id).and_then(|c| c.facts.as_ref()) {
        let version =
            vec![canvas.piece("text", format!("{}  as {}", facts.version, facts.identity))];
        lines.push(fact(canvas, "version", version));
    }
    if row.contexts.len() > 1 {
        let names: Vec<&str> = row.contexts.iter().map(Safe::as_str).collect();
        lines.push(fact(
            canvas,
            "contexts",
            vec![canvas.piece("text", names.join(", "))],
        ));
    }
    lines.push(fact(canvas, "apps", apps(canvas, row)));
    lines.extend(denied(canvas, row, ctx));
    lines.extend(metrics(canvas, row, width));
    lines.extend(drift_lines(canvas, row, ctx));
    lines
}

fn link_words(canvas: &Canvas<'_>, row: &ClusterRow, now: Timestamp) -> Vec<Piece> {
    let mut pieces = signs::link_long(canvas, row.state);
    if let Some(seen) = row.seen_at.filter(|_| !row.state.is_current()) {
        pieces.push(canvas.piece(
            "text.dim",
            format!("  last seen {}", signs::moment(seen, now)),
        ));
    }
    pieces
}

/// The link's words and the key that helps.
fn message(canvas: &Canvas<'_>, row: &ClusterRow, ctx: &Ctx<'_>, width: u16) -> Lines {
    let keys = |action| ctx.keys(Place::Fleet, action);
    let help = match row.state {
        LinkState::Auth => Some(format!("Press {} to log in.", keys(Action::Login))),
        LinkState::Stale | LinkState::Unreachable | LinkState::Denied => {
            Some(format!("Press {} to connect again.", keys(Action::Retry)))
        }
        LinkState::Live | LinkState::Slow | LinkState::Connecting => None,
    };
    let scope = if row.state.is_current() {
        "notice.warning"
    } else {
        "notice.error"
    };
    let mut lines: Lines = Vec::new();
    if let Some(words) = &row.message {
        lines.extend(sentence(canvas, scope, words, width));
    }
    lines.extend(help.map(|help| vec![canvas.piece("notice.info", help)]));
    lines
}

/// What is the matter with the engines that the cluster holds, and the next step.
fn warning(canvas: &Canvas<'_>, row: &ClusterRow, width: u16) -> Lines {
    let said = row.warning.as_ref().map(Warning::sentence);
    said.map_or_else(Lines::new, |words| {
        sentence(canvas, "health.degraded", &words, width)
    })
}

fn sentence(canvas: &Canvas<'_>, scope: &'static str, words: &Safe, width: u16) -> Lines {
    let wrapped = wrap(words, usize::from(width.saturating_sub(1))).into_iter();
    wrapped
        .map(|line| vec![canvas.piece(scope, line)])
        .collect()
}

fn apps(canvas: &Canvas<'_>, row: &ClusterRow) -> Vec<Piece> {
    let mut pieces = vec![canvas.piece("text", format!("{} ", row.apps))];
    let g = canvas.glyphs();
    for (sign, scope, count) in [
        (g.synced, "sync.synced", row.synced),
        (g.out_of_sync, "sync.outofsync", row.out_of_sync),
        (g.unknown, "sync.unknown", row.unknown),
    ] {
        if count > 0 {
            pieces.extend([
                canvas.gap(1),
                canvas.fixed(scope, sign),
                canvas.piece("text", format!(" {count}")),
            ]);
        }
    }
    pieces
}

fn denied(canvas: &Canvas<'_>, row: &ClusterRow, ctx: &Ctx<'_>) -> Lines {
    let Some(cluster) = ctx.fleet.cluster(&row.id) else {
        return Vec::new();
    };
    let refused: Vec<&str> = cluster
        .permissions
        .iter()
        .filter(|p| !p.allowed)
        .map(|p| p.what.as_str())
        .collect();
    if refused.is_empty() {
        return Vec::new();
    }
    vec![fact(
        canvas,
        "may not",
        vec![canvas.piece("notice.warning", refused.join(", "))],
    )]
}

fn metrics(canvas: &Canvas<'_>, row: &ClusterRow, width: u16) -> Lines {
    let Some(metrics) = &row.metrics else {
        return Vec::new();
    };
    let mut lines: Lines = Vec::new();
    if let Some(message) = metrics
        .message
        .as_ref()
        .filter(|_| metrics.figures.is_empty())
    {
        lines.push(fact(
            canvas,
            "metrics",
            vec![canvas.piece("text.dim", message.clone())],
        ));
    }
    lines.extend(
        metrics
            .figures
            .iter()
            .take(6)
            .map(|f| figure_line(canvas, f, width)),
    );
    if metrics.dropped_families > 0 {
        let text = format!(
            "{} metric families did not parse and are left out",
            metrics.dropped_families
        );
        lines.push(vec![canvas.piece("notice.warning", text)]);
    }
    lines
}

/// A figure with its course.
pub fn figure_line(canvas: &Canvas<'_>, figure: &MetricFigure, width: u16) -> Vec<Piece> {
    let room = usize::from(width.saturating_sub(24)).min(40);
    vec![
        canvas.piece("text.dim", format!("{:<12} ", figure.name.as_str())),
        canvas.piece("text", format!("{:>7}  ", signs::figure(figure).as_str())),
        signs::sparkline(canvas, &figure.course, room),
    ]
}

/// The drifted objects of a cluster, and on how many clusters each change is.
fn drift_lines(canvas: &Canvas<'_>, row: &ClusterRow, ctx: &Ctx<'_>) -> Lines {
    let mut lines: Lines = Vec::new();
    if row.drift > 0 {
        lines.push(vec![
            canvas.piece("text.strong", format!("drifted {}", row.drift)),
        ]);
    }
    for drifted in ctx.fleet.drift_of(&row.id).take(50) {
        let resource = &drifted.resource;
        let mut pieces = vec![canvas.gap(1)];
        pieces.extend(state(canvas, &resource.verdict));
        pieces.push(canvas.piece("text", format!(" {}", resource.object)));
        pieces.push(canvas.piece("drift.edited", format!("  {}", resource.verdict.summary)));
        pieces.extend(spread(canvas, resource, ctx));
        lines.push(pieces);
    }
    lines
}

fn state(canvas: &Canvas<'_>, verdict: &Verdict) -> Vec<Piece> {
    let state = verdict.main_state().unwrap_or(DriftState::Unknown);
    signs::drift(canvas, state).into_iter().take(1).collect()
}

fn spread(canvas: &Canvas<'_>, resource: &Resource, ctx: &Ctx<'_>) -> Option<Piece> {
    let group = resource
        .verdict
        .fingerprint
        .and_then(|print| ctx.rows.group(print))?;
    let clusters = group.sites;
    (clusters > 1).then(|| canvas.piece("text.dim", format!("  ×{clusters}")))
}

/// Writes a titled detail: a rule above it, or a fence at its left.
pub fn framed(
    canvas: &mut Canvas<'_>,
    area: Area,
    title: &[Piece],
    beside: bool,
    lines: impl FnOnce(&Canvas<'_>, u16) -> Lines,
) {
    if beside {
        let inner = canvas.fence(area);
        let (head, body) = inner.top(1);
        canvas.line(head, 0, title);
        let lines = lines(canvas, body.w);
        overflow(canvas, body, &lines);
    } else {
        canvas.rule(area, 0, title, false);
        let (_, body) = area.top(1);
        let (_, body) = body.left(1);
        let lines = lines(canvas, body.w);
        overflow(canvas, body, &lines);
    }
}

/// Writes lines, and says at the end of the last one how many more there are.
fn overflow(canvas: &mut Canvas<'_>, area: Area, lines: &Lines) {
    let shown = canvas.lines(area, lines);
    let more = lines.len().saturating_sub(usize::from(shown));
    if more > 0 && area.h > 1 {
        let hint = vec![canvas.piece(
            "text.dim",
            format!(" {} {more} more ", canvas.glyphs().below),
        )];
        canvas.line_right(area, area.h - 1, &hint);
    }
}

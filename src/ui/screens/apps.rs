//! The applications: a table, and the detail of the selected one.

mod cells;

use super::empty;
use crate::app::age::age;
use crate::app::grouped::Line;
use crate::app::screens::{AppsScreen, Ctx};
use crate::app::shape::{Area, BESIDE, Shape};
use crate::app::words;
use crate::app::{Action, Place};
use crate::domain::{AppRef, Application, Newest, Safe, VerdictSource};
use crate::fleet::AppRow;
use crate::ui::columns::{Laid, Specs};
use crate::ui::detail::{self, fact};
use crate::ui::groups;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};
use crate::ui::text::wrap;

/// The columns, in the order in which the list offers them.
pub(in crate::ui) const COLUMNS: &Specs = &[
    ("app", Column::new("APPLICATION", 18).names().grow(3)),
    ("cluster", Column::new("CLUSTER", 16).grow(2)),
    ("sync", Column::new("SYNC", 13)),
    ("drift", Column::new("DRIFT", 5)),
    ("health", Column::new("HEALTH", 13).rank(1)),
    ("op", Column::new("OP", 9).rank(6)),
    ("revision", Column::new("REVISION", 9).rank(4)),
    ("auto", Column::new("AUTO", 6).rank(3)),
    ("compared", Column::new("COMPARED", 8).right().rank(5)),
    ("hub", Column::new("HUB", 8).grow(1).rank(2)),
    ("kind", Column::new("KIND", 13).rank(6)),
    ("namespace", Column::new("NAMESPACE", 12).grow(1).rank(6)),
    ("project", Column::new("PROJECT", 10).grow(1).rank(6)),
    ("site", Column::new("GROUP", 10).grow(1).rank(6)),
    ("behind", Column::new("BEHIND", 6).right().rank(5)),
    ("target", Column::new("TARGET", 10).grow(1).rank(6)),
    ("path", Column::new("PATH", 18).grow(2).rank(7)),
    ("objects", Column::new("OBJECTS", 7).right().rank(6)),
    ("message", Column::new("MESSAGE", 24).grow(4).rank(8)),
];

/// Commits between what is deployed and the newest that a detail has room for.
const COMMITS: usize = 5;

/// Draws the body.
///
/// ```text
///   APPLICATION        CLUSTER        SYNC          DRIFT  HEALTH       HUB    AUTO    REVISION
/// > ingress            edge-ber-017   ≠ OutOfSync   ≠   1  ✗ Degraded   hub-1  manual  9f31c02a
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &AppsScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if screen.list.is_empty() {
        nothing(canvas, screen, ctx, shape.main);
        return;
    }
    let laid = Laid::of(Place::Apps, COLUMNS, ctx);
    table::draw(
        canvas,
        shape.main,
        &laid.columns(),
        screen.list.lines(),
        true,
        |canvas, line| match line {
            Line::Row(id) => row(canvas, screen, id, (&laid, ctx)),
            Line::Head(name) => {
                let counts = groups::apps(canvas, &screen.tally(name));
                groups::head(canvas, name, screen.list.is_folded(name), counts)
            }
        },
    );
    let selected = screen.list.selected().and_then(|id| screen.row(id));
    if let (Some(area), Some(row)) = (shape.detail, selected) {
        let title = vec![canvas.piece("text.strong", Safe::new(&row.app.id.name))];
        let beside = ctx.size.cols >= BESIDE;
        detail::framed(canvas, area, &title, beside, |canvas, width| {
            about(canvas, row, ctx, width)
        });
    }
}

fn nothing(canvas: &mut Canvas<'_>, screen: &AppsScreen, ctx: &Ctx<'_>, area: Area) {
    if screen.sieve.is_open() {
        let counts = &ctx.rows.counts;
        let words = match &screen.only {
            Some(cluster) => Safe::from(format!(
                "No application deploys to {cluster} or is held by it."
            )),
            None if counts.connecting > 0 => Safe::from(format!(
                "No application yet: {} clusters are still connecting.",
                counts.connecting
            )),
            None => Safe::fixed(
                "No cluster that answers holds an Argo CD Application that may be read.",
            ),
        };
        let keys = |action| ctx.keys(Place::Apps, action);
        let hint = format!(
            "{} shows the clusters, {} goes back",
            keys(Action::GoFleet),
            keys(Action::Back)
        );
        empty(canvas, area, &words, hint);
        return;
    }
    let words = Safe::from(format!("No application matches `{}`.", screen.sieve.text()));
    let hint = format!(
        "{} shows all applications again",
        ctx.keys(Place::Apps, Action::Back)
    );
    empty(canvas, area, &words, hint);
}

fn row(
    canvas: &Canvas<'_>,
    screen: &AppsScreen,
    id: &AppRef,
    (laid, ctx): (&Laid, &Ctx<'_>),
) -> RowCells {
    let Some(row) = screen.row(id) else {
        return RowCells::gone();
    };
    let cells = laid.names().map(|name| cell(canvas, name, row, ctx));
    RowCells::of(cells.collect(), !row.current)
}

fn cell(canvas: &Canvas<'_>, name: &str, row: &AppRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let app = &row.app;
    let judged = row.unjudged.is_none() && row.cluster.is_some();
    match name {
        "app" => vec![canvas.piece("text", Safe::new(&app.id.name))],
        "cluster" => cluster(canvas, row),
        "sync" => sync(canvas, row),
        "drift" => signs::drift_count(canvas, row.drift, row.current, judged),
        "health" => health(canvas, row),
        "op" => {
            let operation = app.operation.as_ref();
            operation.map_or_else(Vec::new, |op| signs::operation(canvas, op.phase))
        }
        "revision" => vec![canvas.piece("text.dim", deployed(app))],
        "auto" => vec![canvas.fixed("text.dim", auto(app))],
        "compared" => {
            let age = app.reconciled_at.and_then(|at| age(ctx.now, at));
            vec![canvas.piece("text.dim", age.unwrap_or_default())]
        }
        "hub" => vec![canvas.piece("text.dim", Safe::new(app.id.hub.as_str()))],
        other => cells::extra(canvas, other, row, ctx),
    }
}

fn cluster(canvas: &Canvas<'_>, row: &AppRow) -> Vec<Piece> {
    match &row.cluster {
        Some(id) => vec![canvas.piece("text", Safe::new(id.as_str()))],
        None => vec![canvas.fixed("notice.warning", "unmatched")],
    }
}

/// Health of what is current; what was read long ago, or is only the hub's word, is not shown as well.
fn health(canvas: &Canvas<'_>, row: &AppRow) -> Vec<Piece> {
    if row.current {
        return signs::health(canvas, row.health);
    }
    vec![
        canvas.fixed("stale", canvas.glyphs().stale),
        canvas.fixed("stale", " not read"),
    ]
}

/// The verdict that counts; a verdict of the engine's own says so.
fn sync(canvas: &Canvas<'_>, row: &AppRow) -> Vec<Piece> {
    let mut pieces = signs::sync(canvas, row.verdict.state);
    match row.verdict.source {
        VerdictSource::Argo => pieces.push(canvas.fixed("text.dim", " A")),
        VerdictSource::Flux => pieces.push(canvas.fixed("text.dim", " F")),
        VerdictSource::ArgoApi => pieces.push(canvas.fixed("text.dim", " a")),
        VerdictSource::LastApplied => pieces.push(canvas.fixed("text.dim", " l")),
        VerdictSource::Computed | VerdictSource::Server => {}
    }
    pieces
}

fn deployed(app: &Application) -> Safe {
    app.deployed_revision()
        .map_or(Safe::fixed("never"), |d| signs::revision(&d.revision))
}

fn auto(app: &Application) -> &'static str {
    match (app.auto_sync.enabled, app.auto_sync.self_heal) {
        (false, _) => "manual",
        (true, false) => "auto",
        (true, true) => "heal",
    }
}

/// What there is to know of an application.
pub(super) fn about(canvas: &Canvas<'_>, row: &AppRow, ctx: &Ctx<'_>, width: u16) -> detail::Lines {
    let app = &row.app;
    let who = words::says(row.verdict.source);
    let mut verdict = signs::sync(canvas, row.verdict.state);
    verdict.push(canvas.piece("text.dim", format!("  {who}")));
    let mut health = signs::health(canvas, row.health);
    health.push(canvas.fixed(
        "text.dim",
        if row.health_is_ours {
            "  seen by us"
        } else {
            "  says the engine"
        },
    ));
    let mut lines = vec![
        fact(canvas, "sync", verdict),
        fact(canvas, "health", health),
    ];
    let warnings = ctx.fleet.warnings(&app.id, ctx.now);
    let said = warnings.iter().map(crate::domain::Warning::sentence);
    let repeats = |words: &&Safe| {
        !warnings
            .iter()
            .any(|w| w.text.as_str().contains(words.as_str()))
    };
    let own = [row.unjudged.as_ref(), app.message.as_ref()];
    let all = row
        .disagreement
        .clone()
        .into_iter()
        .chain(said)
        .chain(own.into_iter().flatten().filter(repeats).cloned());
    for words in &all.collect::<Vec<_>>() {
        let wrapped = wrap(words, usize::from(width));
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| vec![canvas.piece("notice.warning", line)]),
        );
    }
    lines.extend(origin(canvas, row, ctx));
    lines.extend(operation(canvas, app, ctx));
    lines.extend(figures(canvas, row, ctx, width));
    lines
}

fn origin(canvas: &Canvas<'_>, row: &AppRow, ctx: &Ctx<'_>) -> detail::Lines {
    let app = &row.app;
    let mut lines: detail::Lines = Vec::new();
    for source in app.sources.iter().take(3) {
        let target = if source.target_revision.is_empty() {
            "HEAD"
        } else {
            &source.target_revision
        };
        let text = format!("{} {} at {target}", source.repo_url, source.path);
        lines.push(fact(canvas, "git", vec![canvas.piece("text", text)]));
    }
    lines.push(fact(
        canvas,
        "deployed",
        vec![canvas.piece("text", deployed(app))],
    ));
    if let Some(newest) = row.newest.as_deref().filter(|n| n.is_behind()) {
        lines.extend(behind(canvas, newest, ctx));
    }
    let auto = match (
        app.auto_sync.enabled,
        app.auto_sync.self_heal,
        app.auto_sync.prune,
    ) {
        (false, ..) => "manual: nobody syncs it",
        (true, false, false) => "on, without self-heal and prune",
        (true, true, false) => "on, with self-heal",
        (true, false, true) => "on, with prune",
        (true, true, true) => "on, with self-heal and prune",
    };
    lines.push(fact(canvas, "auto", vec![canvas.fixed("text", auto)]));
    lines
}

/// The newest revision, and the commits that are not deployed.
fn behind(canvas: &Canvas<'_>, newest: &Newest, ctx: &Ctx<'_>) -> detail::Lines {
    let count = match newest.count {
        0 => String::new(),
        1 => "  1 commit ahead".to_owned(),
        count => format!("  {count} commits ahead"),
    };
    let mut lines = vec![fact(
        canvas,
        "newest",
        vec![
            canvas.piece("text", signs::revision(&newest.revision)),
            canvas.piece("text.dim", count),
        ],
    )];
    lines.extend(newest.commits.iter().take(COMMITS).map(|commit| {
        let age = commit.time.and_then(|then| age(ctx.now, then));
        let who = format!("{:<4} {}  ", age.unwrap_or_default(), commit.author);
        let what = vec![
            canvas.piece("text", signs::revision(&commit.id)),
            canvas.piece("text.dim", format!(" {who}")),
            canvas.piece("text", commit.subject.clone()),
        ];
        fact(canvas, "", what)
    }));
    lines
}

fn operation(canvas: &Canvas<'_>, app: &Application, ctx: &Ctx<'_>) -> Option<Vec<Piece>> {
    let operation = app.operation.as_ref()?;
    let mut pieces = signs::operation(canvas, operation.phase);
    if let Some(at) = operation.finished_at.or(operation.started_at) {
        pieces.push(canvas.piece("text.dim", format!(" {}", signs::moment(at, ctx.now))));
    }
    pieces.push(canvas.piece("text", format!("  {}", operation.message)));
    Some(fact(canvas, "last op", pieces))
}

fn figures(canvas: &Canvas<'_>, row: &AppRow, ctx: &Ctx<'_>, width: u16) -> detail::Lines {
    let metrics = row
        .cluster
        .as_ref()
        .and_then(|id| ctx.rows.cluster(id))
        .and_then(|c| c.metrics.as_ref());
    let Some(metrics) = metrics else {
        return Vec::new();
    };
    let own = metrics
        .by_app
        .iter()
        .find(|(name, _)| *name == Safe::new(&row.app.id.name));
    own.map_or_else(Vec::new, |(_, figures)| {
        figures
            .iter()
            .take(6)
            .map(|f| detail::figure_line(canvas, f, width))
            .collect()
    })
}

//! What happened: a density bar, the stream, the selected event.

use super::empty;
use crate::app::screens::Ctx;
use crate::app::screens::activity::{self, ActivityScreen};
use crate::app::shape::{Area, Shape};
use crate::app::{Action, Place};
use crate::domain::Safe;
use crate::fleet::{Story, StoryKind, Tenor};
use crate::ui::detail::{self, fact};
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};
use crate::ui::text::wrap;

const COLUMNS: [Column<'_>; 4] = [
    Column::new("TIME", 12),
    Column::new("KIND", 9),
    Column::new("CLUSTER", 18).grow(1),
    Column::new("WHAT", 24).names().grow(6),
];

/// Draws the body.
///
/// ```text
///  ▁▁▂▁▁▁▁▇▁▁▂  last 6 hours
///   TIME    KIND      CLUSTER        WHAT
/// > 02:06Z  ✗ health  edge-ber-017   Deployment edge/ingress Progressing → Degraded
///   01:33Z  ≠ drift   37 clusters    Deployment edge/ingress spec.replicas 3→1 by kubectl-scale
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &ActivityScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if let Some(area) = shape.second {
        density(canvas, screen, ctx, area);
    }
    if screen.list.is_empty() {
        nothing(canvas, screen, ctx, shape.main);
        return;
    }
    table::draw(
        canvas,
        shape.main,
        &COLUMNS,
        &screen.list,
        true,
        |canvas, id| row(canvas, *id, ctx),
    );
    if let (Some(area), Some(story)) = (shape.detail, screen.story(ctx)) {
        about(canvas, story, ctx, area);
    }
}

fn nothing(canvas: &mut Canvas<'_>, screen: &ActivityScreen, ctx: &Ctx<'_>, area: Area) {
    let words = if screen.sieve.is_open() {
        Safe::fixed("Nothing has happened yet: what clusters tell from now on stands here.")
    } else if screen.sieve.problems && screen.sieve.text().is_empty() {
        Safe::fixed("No bad news.")
    } else {
        Safe::from(format!("No event matches `{}`.", screen.sieve.text()))
    };
    let hint = format!(
        "{} shows everything again; filter with kind=drift, sync, health, conn or me",
        ctx.keys(Place::Activity, Action::Back)
    );
    empty(canvas, area, &words, hint);
}

fn density(canvas: &mut Canvas<'_>, screen: &ActivityScreen, ctx: &Ctx<'_>, area: Area) {
    let parts = usize::from(area.w.saturating_sub(24)).clamp(1, 120);
    let density = screen.density(ctx, parts);
    let course: Vec<f64> = density
        .counts
        .iter()
        .map(|n| u32::try_from(*n).map_or(f64::MAX, f64::from))
        .collect();
    let line = [
        canvas.gap(1),
        signs::sparkline(canvas, &course, parts),
        canvas.piece(
            "text.dim",
            format!("  last {}", activity::span_words(density.minutes)),
        ),
    ];
    canvas.line(area, 0, &line);
}

fn row(canvas: &Canvas<'_>, id: u64, ctx: &Ctx<'_>) -> RowCells {
    let Some(story) = ctx.fleet.story(id) else {
        return RowCells::gone();
    };
    let scope = match story.tenor {
        Tenor::Bad => "text.strong",
        Tenor::Plain | Tenor::Good => "text",
    };
    let cells = vec![
        vec![canvas.piece("text.dim", activity::when(story, ctx.now))],
        kind(canvas, story),
        vec![canvas.piece("text", place(story))],
        sentence(canvas.piece(scope, story.what.clone())),
    ];
    RowCells::of(cells, false)
}

fn place(story: &Story) -> Safe {
    let mut clusters = story.clusters.iter();
    match (clusters.next(), clusters.len()) {
        (None, _) => Safe::default(),
        (Some(one), 0) => Safe::new(one.as_str()),
        (Some(_), rest) => format!("{} clusters", rest + 1).into(),
    }
}

/// The kind as sign and word: what got better has another sign than what got worse.
fn kind(canvas: &Canvas<'_>, story: &Story) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope) = match (story.kind, story.tenor) {
        (StoryKind::DriftBegan, _) => (g.out_of_sync, "drift.edited"),
        (StoryKind::DriftEnded, _) => (g.synced, "sync.synced"),
        (StoryKind::Sync, Tenor::Good) => (g.synced, "sync.synced"),
        (StoryKind::Sync | StoryKind::Health | StoryKind::Own, Tenor::Bad) => {
            (g.degraded, "health.degraded")
        }
        (StoryKind::Sync, Tenor::Plain) => (g.syncing, "sync.running"),
        (StoryKind::Health, Tenor::Good) => (g.healthy, "health.healthy"),
        (StoryKind::Health, Tenor::Plain) => (g.progressing, "health.progressing"),
        (StoryKind::Link, Tenor::Bad) => (g.unreachable, "unreachable"),
        (StoryKind::Link, _) => (g.healthy, "live"),
        (StoryKind::Own, _) => (g.marked, "mark"),
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed("text", story.kind.word()),
    ]
}

fn about(canvas: &mut Canvas<'_>, story: &Story, ctx: &Ctx<'_>, area: Area) {
    let mut title = kind(canvas, story);
    let first = activity_time(story.at, ctx);
    let last = activity_time(story.until, ctx);
    let time = if first == last {
        first
    } else {
        format!("{first} to {last}")
    };
    title.push(canvas.piece("text.dim", format!("  {time}")));
    detail::framed(canvas, area, &title, false, |canvas, width| {
        let mut lines: detail::Lines = wrap(&story.what, usize::from(width))
            .into_iter()
            .map(|line| vec![canvas.piece("text", line)])
            .collect();
        if let Some(words) = activity::spread_words(story) {
            lines.push(vec![canvas.piece("notice.warning", words)]);
        }
        let names: Vec<&str> = story.clusters.iter().map(|c| c.as_str()).collect();
        let names = Safe::new(&names.join(", "));
        let room = usize::from(width.saturating_sub(9));
        for (i, line) in wrap(&names, room).into_iter().enumerate() {
            let label = if i == 0 { "where" } else { "" };
            lines.push(fact(canvas, label, vec![canvas.piece("text", line)]));
        }
        lines
    });
}

fn activity_time(at: jiff::Timestamp, ctx: &Ctx<'_>) -> String {
    signs::moment(at, ctx.now)
}

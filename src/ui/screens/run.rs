//! The run: how far it is, and what became of each target.

use crate::app::screens::drift::plural;
use crate::app::screens::run::{Progress, RunScreen};
use crate::app::screens::{Ctx, PLAN_ABOVE, plan_below};
use crate::app::shape::{Area, Shape};
use crate::domain::Safe;
use crate::ops::{Outcome, PlanTarget};
use crate::ui::detail::{self, Lines};
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};
use crate::ui::text::wrap;

const COLUMNS: [Column<'_>; 4] = [
    Column::new("OUTCOME", 11),
    Column::new("CLUSTER", 16).names().grow(1),
    Column::new("OBJECT", 14).grow(1).rank(1),
    Column::new("WHAT HAPPENED", 24).grow(3),
];

/// Draws the body.
///
/// ```text
///  wave 2 of 3  ██████████████░░░░░░░░  21/35   reverted 20  failed 1   in flight 5   waiting 9
///  stopped: two targets failed
/// ──────────────────────────────────────────────────────────────────────────────────────────────
///   OUTCOME      CLUSTER        OBJECT                      WHAT HAPPENED
/// > ✗ failed     edge-lyo-003   Deployment ingress/ingress  admission webhook denied: quota exceeded
///   ✓ reverted   edge-ber-017   Deployment ingress/ingress  the cluster shows it after 14 s
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &RunScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    let (above, rest) = shape.main.top(PLAN_ABOVE - 1);
    let (below, list) = rest.bottom(plan_below(shape.main.h));
    summary(canvas, screen, above);
    table::draw(
        canvas,
        list,
        &COLUMNS,
        &screen.list,
        true,
        |canvas, i| match (screen.plan.targets.get(*i), screen.progress.get(*i)) {
            (Some(target), Some(progress)) => row(canvas, target, progress, ctx),
            _ => RowCells::gone(),
        },
    );
    selected(canvas, screen, ctx, below);
}

fn summary(canvas: &mut Canvas<'_>, screen: &RunScreen, area: Area) {
    let (all, ended) = (screen.progress.len(), screen.ended());
    let mut first = vec![
        canvas.gap(1),
        canvas.piece("text.strong", title(screen)),
        canvas.gap(2),
    ];
    first.extend(bar(canvas, ended, all, usize::from(area.w / 8).min(24)));
    first.push(canvas.piece("text", format!("  {ended}/{all}  ")));
    for outcome in [
        Outcome::Reverted,
        Outcome::Unchanged,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Unknown,
    ] {
        let n = screen.count(outcome);
        if n > 0 {
            first.push(canvas.gap(1));
            first.extend(signs::outcome(canvas, outcome));
            first.push(canvas.piece("text", format!(" {n} ")));
        }
    }
    if !screen.is_over() {
        let waiting = all - ended - screen.in_flight();
        first.push(canvas.piece(
            "text.dim",
            format!("  in flight {}  waiting {waiting}", screen.in_flight()),
        ));
    }
    canvas.line(area, 0, &first);
    if let Some(why) = &screen.stopped {
        canvas.line(
            area,
            1,
            &[canvas.gap(1), canvas.piece("notice.error", why.clone())],
        );
    } else if screen.is_over() {
        let words = "The journal has every line of it: driftdeck journal.";
        canvas.line(area, 1, &[canvas.gap(1), canvas.fixed("text.dim", words)]);
    }
    canvas.rule(area, 2, &[], false);
}

fn title(screen: &RunScreen) -> Safe {
    match (screen.is_over(), &screen.stopped, screen.wave) {
        (true, ..) => Safe::fixed("done"),
        (false, Some(_), _) => Safe::fixed("stopped"),
        (false, None, Some(wave)) => {
            format!("wave {} of {}", wave + 1, screen.plan.waves.len()).into()
        }
        (false, None, None) => Safe::fixed("starting"),
    }
}

fn bar(canvas: &Canvas<'_>, ended: usize, all: usize, cells: usize) -> [Piece; 2] {
    let full = (ended * cells).checked_div(all).unwrap_or(cells).min(cells);
    [
        canvas.piece("progress", canvas.glyphs().bar_full.repeat(full)),
        canvas.piece("text.dim", canvas.glyphs().bar_empty.repeat(cells - full)),
    ]
}

fn row(canvas: &Canvas<'_>, target: &PlanTarget, progress: &Progress, ctx: &Ctx<'_>) -> RowCells {
    let g = canvas.glyphs();
    let (state, words) = match progress {
        Progress::Waiting => {
            let words = target.skipped.clone().unwrap_or_default();
            (vec![canvas.fixed("text.dim", "waiting")], words)
        }
        Progress::Sent => (
            vec![
                canvas.fixed("sync.running", g.syncing),
                canvas.fixed("sync.running", " sent"),
            ],
            target.effect.clone(),
        ),
        Progress::Accepted(words) => (
            vec![
                canvas.fixed("sync.running", g.progressing),
                canvas.fixed("sync.running", " accepted"),
            ],
            words.clone(),
        ),
        Progress::Ended(outcome) => (
            signs::outcome(canvas, outcome.outcome),
            outcome.message.clone(),
        ),
    };
    let cells = vec![
        state,
        vec![canvas.piece("text", Safe::new(target.cluster.as_str()))],
        vec![canvas.piece("text", signs::object(&target.object, ctx.size.cols / 6))],
        sentence(canvas.piece("text", words)),
    ];
    RowCells::of(cells, false)
}

fn selected(canvas: &mut Canvas<'_>, screen: &RunScreen, _ctx: &Ctx<'_>, area: Area) {
    let index = screen.list.selected().copied();
    let found = index.and_then(|i| screen.plan.targets.get(i).zip(screen.progress.get(i)));
    let Some((target, progress)) = found.filter(|_| area.h > 1) else {
        return;
    };
    let title = vec![canvas.piece("text.strong", target.name().to_string())];
    detail::framed(canvas, area, &title, false, |canvas, width| {
        about(canvas, target, progress, width)
    });
}

fn about(canvas: &Canvas<'_>, target: &PlanTarget, progress: &Progress, width: u16) -> Lines {
    let mut lines: Lines = vec![vec![canvas.piece("text", target.effect.clone())]];
    let words = match progress {
        Progress::Waiting | Progress::Sent => None,
        Progress::Accepted(words) => Some(words),
        Progress::Ended(outcome) => Some(&outcome.message),
    };
    // What was never sent ends with the reason it was left out for.
    let skipped = target.skipped.as_ref().filter(|why| Some(*why) != words);
    for words in words.into_iter().chain(skipped) {
        let wrapped = wrap(words, usize::from(width.saturating_sub(1)));
        lines.extend(
            wrapped
                .into_iter()
                .map(|line| vec![canvas.piece("text", line)]),
        );
    }
    if let Progress::Ended(outcome) = progress {
        let version = |seen: &Option<crate::ops::Seen>| {
            seen.as_ref().map_or("not looked at".to_owned(), |s| {
                if s.resource_version.is_empty() {
                    "not in the cluster".to_owned()
                } else {
                    format!(
                        "version {}, {} from Git",
                        s.resource_version,
                        plural(s.differs, "difference")
                    )
                }
            })
        };
        let text = format!(
            "before: {}   after: {}",
            version(&outcome.before),
            version(&outcome.after)
        );
        lines.push(vec![canvas.piece("text.dim", text)]);
    }
    lines
}

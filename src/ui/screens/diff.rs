//! The difference of one object: side by side where there is room, one above the other elsewhere, with the owner of each field.

use super::empty;
use crate::app::diff::{Mark, Row, ViewLine, Whose};
use crate::app::screens::Ctx;
use crate::app::screens::diff::{DIFF_ABOVE, DIFF_BELOW, DiffScreen, Documents};
use crate::app::screens::drift::plural;
use crate::app::shape::Area;
use crate::app::words::{self, overrules};
use crate::app::{Action, Place};
use crate::domain::Safe;
use crate::ui::paint::{Canvas, Piece};
use crate::ui::signs;
use crate::ui::text;

/// Columns of the owner's name.
const OWNER: u16 = 26;

/// Where the columns of a difference stand.
#[derive(Clone, Copy)]
struct Columns {
    left: Area,
    right: Option<Area>,
    owner: Option<Area>,
}

/// Draws the body.
///
/// ```text
///  1 change counts · 2 ignored · 14 not set by Git                                       change 1 of 1
///  desired (Git 9f31c02a deploy.yaml)   │ live (edge-ber-017, version 881204)   │ owner
///    ... 12 lines  spec
///    paused: false                      │   paused: false                       │
///  - replicas: 3                        │ + replicas: 1                         │ kubectl-scale 01:33Z
/// ───────────────────────────────────────────────────────────────────────────────────────────────────
///  live differs in 1 field; auto-sync is off: nobody puts it back
///  hub-1 says ✓ Synced (compared 52m ago)
/// ```
pub(in crate::ui) fn draw(canvas: &mut Canvas<'_>, screen: &DiffScreen, ctx: &Ctx<'_>, area: Area) {
    let (above, rest) = area.top(DIFF_ABOVE);
    let (below, body) = rest.bottom(if rest.h > DIFF_BELOW + 3 {
        DIFF_BELOW
    } else {
        0
    });
    let columns = columns(screen, ctx, body);
    let keys = |action| ctx.keys(Place::Diff, action);
    match &screen.documents {
        Documents::Reading => {
            empty(
                canvas,
                area,
                &Safe::fixed("Reading both documents…"),
                format!("{} goes back", keys(Action::Back)),
            );
            return;
        }
        Documents::Failed(why) => {
            let hint = format!(
                "{} goes back; {} tries again",
                keys(Action::Back),
                keys(Action::GoDiff)
            );
            empty(canvas, area, why, hint);
            return;
        }
        Documents::Here(_) => {}
    }
    totals(canvas, screen, ctx, above);
    titles(canvas, screen, ctx, above, &columns);
    if screen.lines.is_empty() {
        empty(
            canvas,
            body,
            &Safe::fixed("Nothing differs that counts."),
            format!(
                "{} shows what differs and does not count",
                keys(Action::Noise)
            ),
        );
    }
    lines(canvas, screen, ctx, &columns, body.h);
    if below.h > 0 {
        canvas.rule(below, 0, &[], false);
        why(canvas, screen, ctx, below);
    }
}

fn columns(screen: &DiffScreen, ctx: &Ctx<'_>, body: Area) -> Columns {
    let wide = body.w >= if screen.is_split(ctx) { 120 } else { 72 };
    let (owner, body) = if screen.owners && wide {
        let (owner, rest) = body.right(OWNER);
        (Some(owner), rest)
    } else {
        (None, body)
    };
    if screen.is_split(ctx) {
        let (left, right) = body.left(body.w / 2);
        return Columns {
            left,
            right: Some(right),
            owner,
        };
    }
    Columns {
        left: body,
        right: None,
        owner,
    }
}

/// How many differences count, how many do not, and which change is at the top.
fn totals(canvas: &mut Canvas<'_>, screen: &DiffScreen, ctx: &Ctx<'_>, area: Area) {
    let unset = screen
        .rows
        .iter()
        .filter(|r| r.whose == Whose::Unset)
        .count();
    let dot = canvas.glyphs().dot;
    let changes = screen.verdict.changes.len();
    let counted = format!("{} counted", plural(changes, "change"));
    let ignored = screen.verdict.ignored.len();
    let rest = format!(
        " {dot} {ignored} ignored {dot} {} not set by Git",
        plural(unset, "line")
    );
    let verb = if screen.noise { "hides" } else { "shows" };
    let key = format!(" ({} {verb} them)", ctx.keys(Place::Diff, Action::Noise));
    let resource = screen.resource(ctx);
    let word = resource.and_then(|r| ctx.words.of(&screen.target.cluster, r));
    let word = word.map_or(String::new(), |word| {
        let wins = if overrules(word) { ", and counts" } else { "" };
        format!(
            " {dot} server: {}{wins}",
            word.opinion.word().replace('-', " ")
        )
    });
    let left = [
        canvas.gap(1),
        canvas.piece(if changes > 0 { "drift.edited" } else { "text" }, counted),
        canvas.piece("notice.info", word),
        canvas.piece("text.dim", rest),
        canvas.piece("text.dim", key),
    ];
    let hunks = screen.hunks(ctx);
    let seen = hunks
        .iter()
        .filter(|at| **at <= screen.top + 2)
        .count()
        .max(1);
    let right = [canvas.piece("text.dim", format!("  change {seen} of {} ", hunks.len()))];
    let used = if hunks.len() > 1 {
        canvas.line_right(area, 0, &right)
    } else {
        0
    };
    canvas.line(
        Area {
            w: area.w - used,
            ..area
        },
        0,
        &left,
    );
}

fn titles(
    canvas: &mut Canvas<'_>,
    screen: &DiffScreen,
    ctx: &Ctx<'_>,
    area: Area,
    columns: &Columns,
) {
    let resource = screen.resource(ctx);
    let (git, live) = match resource {
        Some(r) => (
            format!("Git {} {}", signs::revision(&r.desired.1), r.desired.2),
            format!("{}, version {}", screen.target.cluster, r.resource_version),
        ),
        None => ("Git".to_owned(), screen.target.cluster.to_string()),
    };
    let at = |a: Area| Area {
        y: area.y + 1,
        h: 1,
        ..a
    };
    let fence = canvas.fixed("border", canvas.glyphs().vertical);
    if let Some(right) = columns.right {
        canvas.line(
            at(columns.left),
            0,
            &[canvas.piece("column", format!("   {git}"))],
        );
        canvas.line(
            at(right),
            0,
            &[fence.clone(), canvas.piece("column", format!("  {live}"))],
        );
    } else {
        let title = format!("   - {git}  {}  + {live}", canvas.glyphs().versus);
        canvas.line(at(columns.left), 0, &[canvas.piece("column", title)]);
    }
    if let Some(owner) = columns.owner {
        canvas.line(at(owner), 0, &[fence, canvas.fixed("column", " owner")]);
    }
}

/// The visible lines only.
fn lines(
    canvas: &mut Canvas<'_>,
    screen: &DiffScreen,
    ctx: &Ctx<'_>,
    columns: &Columns,
    height: u16,
) {
    for area in [columns.right, columns.owner].into_iter().flatten() {
        for y in 0..height {
            canvas.line(area, y, &[canvas.fixed("border", canvas.glyphs().vertical)]);
        }
    }
    let split = columns.right.is_some();
    let mut at = 0_usize;
    for line in &screen.lines {
        let row = match line {
            ViewLine::Row(i) => screen.rows.get(*i),
            ViewLine::Fold(_) => None,
        };
        let two = !split && row.is_some_and(|r| r.mark == Mark::Changed);
        for half in 0..=usize::from(two) {
            if let Some(y) = at
                .checked_sub(screen.top)
                .and_then(|y| u16::try_from(y).ok())
            {
                if y >= height {
                    return;
                }
                draw_line(canvas, screen, ctx, columns, y, (line, row, half));
            }
            at += 1;
        }
    }
}

fn draw_line(
    canvas: &mut Canvas<'_>,
    screen: &DiffScreen,
    ctx: &Ctx<'_>,
    columns: &Columns,
    y: u16,
    (line, row, half): (&ViewLine, Option<&Row>, usize),
) {
    if let ViewLine::Fold(fold) = line {
        let path = if fold.path.is_empty() {
            Safe::default()
        } else {
            format!("  {}", fold.path).into()
        };
        let dots = canvas.glyphs().ellipsis;
        let lines = if fold.lines == 1 { "line" } else { "lines" };
        let pieces = [
            canvas.piece("diff.fold", format!(" {dots} {} {lines}", fold.lines)),
            canvas.piece("diff.path", path),
        ];
        canvas.line(columns.left, y, &pieces);
    }
    // The owner stands beside the live value, and once for each difference.
    let beside =
        columns.right.is_some() || half == 1 || row.is_some_and(|r| r.mark != Mark::Changed);
    let first = |r: &&Row| screen.owners && beside && !continues(screen, line, r);
    let who = row
        .filter(first)
        .and_then(|r| owner(canvas, screen, r, ctx));
    // Without a column of its own it follows the text.
    let tail = who
        .clone()
        .filter(|_| columns.owner.is_none())
        .map(|who| [canvas.gap(3), who]);
    if let (Some(row), Some(right)) = (row, columns.right) {
        canvas.line(columns.left, y, &side(canvas, screen, row, true));
        let mut pieces = vec![canvas.fixed("border", canvas.glyphs().vertical)];
        pieces.extend(side(canvas, screen, row, false));
        pieces.extend(tail.into_iter().flatten());
        canvas.line(right, y, &pieces);
    } else if let Some(row) = row {
        let left = row.mark == Mark::Removed || row.mark == Mark::Changed && half == 0;
        let mut pieces = side(canvas, screen, row, left);
        pieces.extend(tail.into_iter().flatten());
        canvas.line(columns.left, y, &pieces);
    }
    if let Some(area) = columns.owner {
        let mut pieces = vec![
            canvas.fixed("border", canvas.glyphs().vertical),
            canvas.gap(1),
        ];
        pieces.extend(who);
        canvas.line(area, y, &pieces);
    }
}

/// One side of a row: its sign, indentation, and the text with the part that changed marked.
fn side(canvas: &Canvas<'_>, screen: &DiffScreen, row: &Row, left: bool) -> Vec<Piece> {
    let (text, other) = if left {
        (&row.left, &row.right)
    } else {
        (&row.right, &row.left)
    };
    let Some(text) = text else {
        return Vec::new();
    };
    let counts = row.counts();
    let (sign, scope) = match (row.mark, left) {
        (Mark::Same, _) => (" ", "diff.context"),
        (_, _) if !counts => ("~", "diff.ignored"),
        (_, true) => ("-", "diff.removed"),
        (_, false) => ("+", "diff.added"),
    };
    let indent = "  ".repeat(usize::from(row.depth));
    let mut pieces = vec![canvas.fixed(scope, sign), canvas.gap(1)];
    let shift = screen.shift;
    match other
        .as_ref()
        .filter(|_| row.mark == Mark::Changed && counts && shift == 0)
    {
        Some(other) => {
            let (before, changed, after) = changed_part(text.as_str(), other.as_str());
            pieces.push(canvas.piece(scope, format!("{indent}{before}")));
            pieces.push(canvas.piece("diff.word", changed));
            pieces.push(canvas.piece(scope, after));
        }
        None => pieces.push(canvas.piece(scope, text::skip(&format!("{indent}{text}"), shift))),
    }
    let wanted = screen.wanted();
    let holds = wanted.is_some_and(|wanted| text.as_str().to_lowercase().contains(&wanted));
    if holds && let Some(sign) = pieces.first_mut() {
        // A line that holds what is searched for is found by its sign too, not by its look alone.
        *sign = canvas.fixed("match", "/");
    }
    pieces
}

/// Splits a text at what it has in common with the other at both ends.
fn changed_part<'t>(text: &'t str, other: &str) -> (&'t str, &'t str, &'t str) {
    let same = |(a, b): &(char, char)| a == b;
    let start: usize = text
        .chars()
        .zip(other.chars())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    // The key stays outside the mark even where values begin alike.
    let (rest, other_rest) = (
        text.get(start..).unwrap_or_default(),
        other.get(start..).unwrap_or_default(),
    );
    let end: usize = rest
        .chars()
        .rev()
        .zip(other_rest.chars().rev())
        .take_while(same)
        .map(|(c, _)| c.len_utf8())
        .sum();
    let stop = text.len() - end;
    (
        text.get(..start).unwrap_or_default(),
        text.get(start..stop).unwrap_or_default(),
        text.get(stop..).unwrap_or_default(),
    )
}

/// Whether the line above belongs to the same difference; its owner is then said once.
fn continues(screen: &DiffScreen, line: &ViewLine, row: &Row) -> bool {
    let ViewLine::Row(i) = line else {
        return false;
    };
    let above = i.checked_sub(1).and_then(|i| screen.rows.get(i));
    above.is_some_and(|above| above.whose == row.whose)
}

fn owner(canvas: &Canvas<'_>, screen: &DiffScreen, row: &Row, ctx: &Ctx<'_>) -> Option<Piece> {
    match row.whose {
        Whose::Equal => None,
        Whose::Unset => Some(canvas.fixed("diff.ignored", "not set by Git")),
        Whose::Change(i) => screen.verdict.changes.get(i).map(|change| {
            let name = signs::owner(change.owner.as_ref(), change.owner_inferred, ctx.now);
            canvas.piece("diff.owner", name)
        }),
        Whose::Ignored(i) => screen.verdict.ignored.get(i).map(|ignored| {
            let manager = ignored
                .owner
                .as_ref()
                .map_or(Safe::default(), |o| format!("{}: ", o.manager).into());
            canvas.piece("diff.ignored", format!("{manager}{}", ignored.reason))
        }),
    }
}

/// Why it is drift and who will do what about it.
fn why(canvas: &mut Canvas<'_>, screen: &DiffScreen, ctx: &Ctx<'_>, area: Area) {
    let app = ctx.fleet.app(&screen.target.app);
    let heals = match app.map(|a| (a.auto_sync.enabled, a.auto_sync.self_heal)) {
        Some((true, true)) => "self-heal is on: the engine puts it back",
        Some((true, false)) => {
            "auto-sync is on without self-heal: nobody puts it back until Git changes"
        }
        Some((false, _)) => "auto-sync is off: nobody puts it back",
        None => "no application manages it",
    };
    let says = words::says(screen.verdict.source);
    let summary = if screen.verdict.is_drift() {
        screen.verdict.summary.clone()
    } else {
        Safe::fixed("as Git wants it")
    };
    let state = screen
        .verdict
        .main_state()
        .map_or_else(Vec::new, |s| signs::drift(canvas, s));
    let mut first = vec![canvas.gap(1)];
    first.extend(state);
    first.push(canvas.piece("text", format!("  {summary} ({says}); {heals}")));
    canvas.line(area, 1, &first);
    if let Some(app) = app {
        let mut second = vec![
            canvas.gap(1),
            canvas.piece("text.dim", format!("{} says ", app.id.hub)),
        ];
        second.extend(signs::sync(canvas, app.sync));
        if let Some(age) = app
            .reconciled_at
            .and_then(|at| crate::app::age::age(ctx.now, at))
        {
            second.push(canvas.piece("text.dim", format!("  compared {age} ago")));
        }
        let current = ctx
            .rows
            .cluster(&screen.target.cluster)
            .is_some_and(|r| r.state.is_current());
        if !current {
            second.push(canvas.piece(
                "notice.warning",
                format!(
                    "  {} does not answer: what is shown as live is old",
                    screen.target.cluster
                ),
            ));
        }
        canvas.line(area, 2, &second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_part_that_changed_is_marked() {
        assert_eq!(
            changed_part("image: a:v1.8.1", "image: a:v1.8.0"),
            ("image: a:v1.8.", "1", "")
        );
        assert_eq!(
            changed_part("replicas: 3", "replicas: 13"),
            ("replicas: ", "", "3")
        );
        assert_eq!(changed_part("größe: ä", "größe: ö"), ("größe: ", "ä", ""));
    }
}

//! The drift inbox: groups of equal changes, the members of the selected one, a preview.

mod cells;

use super::empty;
use crate::app::age::age;
use crate::app::grouped::Line;
use crate::app::screens::drift::{MemberKey, Pane};
use crate::app::screens::{Ctx, DriftScreen};
use crate::app::shape::{Area, Shape};
use crate::app::{Action, Place};
use crate::domain::{DriftState, Safe, SyncState};
use crate::fleet::{DriftGroup, DriftRow};
use crate::ops::{Opinion, ServerWord};
use crate::ui::changes;
use crate::ui::columns::{Laid, Specs};
use crate::ui::detail;
use crate::ui::groups;
use crate::ui::paint::{Canvas, Piece, sentence};
use crate::ui::signs;
use crate::ui::table::{self, Column, RowCells};

/// The columns, in the order in which the list offers them.
pub(in crate::ui) const GROUPS: &Specs = &[
    ("impact", Column::new("IMPACT", 6).rank(3)),
    ("sites", Column::new("SITES", 5).right()),
    ("object", Column::new("OBJECT", 18).names().grow(2)),
    ("change", Column::new("CHANGE", 16).grow(5)),
    ("since", Column::new("SINCE", 5).right()),
    ("how", Column::new("HOW", 9).rank(1)),
    ("by", Column::new("BY", 13).grow(1).rank(2)),
    ("objects", Column::new("OBJECTS", 7).right().rank(4)),
    ("old", Column::new("OLD", 4).right().rank(4)),
    ("kind", Column::new("KIND", 14).rank(5)),
    ("namespace", Column::new("NAMESPACE", 10).grow(1).rank(5)),
    ("app", Column::new("APP", 14).grow(1).rank(5)),
    ("auto", Column::new("AUTO", 6).rank(4)),
    ("groups", Column::new("GROUPS", 12).grow(1).rank(6)),
];

const MEMBERS: [Column<'_>; 6] = [
    Column::new("CLUSTER", 18).names().grow(2),
    Column::new("LINK", 10),
    Column::new("CHANGE", 16).grow(3),
    Column::new("SINCE", 5).right(),
    Column::new("BY", 13).grow(1).rank(1),
    Column::new("HUB SAYS", 10).rank(2),
];

/// Draws the body: both lists and the preview where there is room, else the list that has the keys and a strip.
///
/// ```text
///   IMPACT  SITES  OBJECT                      CHANGE             SINCE  HOW       BY
/// > ██████     37  Deployment ingress/ingress  spec.replicas 3→1    41m  ≠ edited  kubectl-scale
///   ██         12  ConfigMap app/edge-config   data.LOG_LEVEL        2h  ≠ edited  kubectl-edit
/// ── members 37 ─────────────────────────────────────────────────────────────────────────────────────
///   CLUSTER           LINK       CHANGE             SINCE  BY             HUB SAYS
///   edge-ber-017      ●          spec.replicas 3→1    41m  kubectl-scale  ✓ Synced
///   edge-muc-009      ◌ (14m)    spec.replicas 3→1    41m  kubectl-scale
/// ── Deployment ingress/ingress @ edge-ber-017 ──────────────────────────────────────────────────────
///  ≠ spec.replicas  3 → 1
///      kubectl-scale 01:33Z
/// ```
pub(in crate::ui) fn draw(
    canvas: &mut Canvas<'_>,
    screen: &DriftScreen,
    ctx: &Ctx<'_>,
    shape: &Shape,
) {
    if screen.groups.is_empty() {
        nothing(canvas, screen, ctx, shape.main);
        return;
    }
    match shape.second {
        Some(area) => {
            groups(canvas, screen, ctx, shape.main);
            titled_members(canvas, screen, ctx, area);
        }
        None if screen.pane == Pane::Members => members(canvas, screen, ctx, shape.main),
        None => groups(canvas, screen, ctx, shape.main),
    }
    if let (Some(area), Some(member)) = (shape.detail, screen.member(ctx)) {
        preview(canvas, member, ctx, area, shape);
    }
}

fn nothing(canvas: &mut Canvas<'_>, screen: &DriftScreen, ctx: &Ctx<'_>, area: Area) {
    let counts = &ctx.rows.counts;
    let unread = counts.clusters - counts.good - counts.drifted - counts.degraded - counts.unknown;
    let words = if !screen.sieve.is_open() {
        Safe::from(format!("No drift matches `{}`.", screen.sieve.text()))
    } else if unread > 0 {
        Safe::from(format!(
            "Nothing has drifted on what can be read; {unread} of {} clusters are not read.",
            counts.clusters
        ))
    } else {
        Safe::fixed("Nothing has drifted: every object is as Git wants it.")
    };
    let keys = |action| ctx.keys(Place::Drift, action);
    let hint = format!(
        "{} shows the clusters, {} the applications, {} goes back",
        keys(Action::GoFleet),
        keys(Action::GoApps),
        keys(Action::Back)
    );
    empty(canvas, area, &words, hint);
}

fn groups(canvas: &mut Canvas<'_>, screen: &DriftScreen, ctx: &Ctx<'_>, area: Area) {
    let widest = screen.widest(ctx);
    let focus = screen.pane == Pane::Groups;
    let laid = Laid::of(Place::Drift, GROUPS, ctx);
    table::draw(
        canvas,
        area,
        &laid.columns(),
        screen.groups.lines(),
        focus,
        |canvas, line| match line {
            Line::Row(slice) => match screen.row(slice, ctx) {
                Some(group) => group_row(canvas, group, &laid, (widest, ctx)),
                None => RowCells::gone(),
            },
            Line::Head(name) => {
                let counts = groups::drift(canvas, &screen.tally(name));
                groups::head(canvas, name, screen.groups.is_folded(name), counts)
            }
        },
    );
}

fn group_row(
    canvas: &Canvas<'_>,
    group: &DriftGroup,
    laid: &Laid,
    (widest, ctx): (usize, &Ctx<'_>),
) -> RowCells {
    let cell = |name: &str| match name {
        "impact" => impact(canvas, group.members.len(), widest),
        other => cell(canvas, other, group, ctx),
    };
    RowCells::of(
        laid.names().map(cell).collect(),
        !group.members.iter().any(|m| m.current),
    )
}

fn cell(canvas: &Canvas<'_>, name: &str, group: &DriftGroup, ctx: &Ctx<'_>) -> Vec<Piece> {
    match name {
        "sites" => vec![canvas.piece("text.strong", group.sites.to_string())],
        "object" => {
            let first = group.members.first();
            let object = first.map(|m| signs::object(&m.resource.object, ctx.size.cols / 4));
            vec![canvas.piece("text", object.unwrap_or_else(|| group.object.clone()))]
        }
        "change" => change(canvas, group, ctx),
        "since" => {
            let since = age(ctx.now, group.since).unwrap_or(Safe::fixed("now"));
            vec![canvas.piece("text", since)]
        }
        "how" => how(canvas, &group.states),
        "by" => vec![canvas.piece("diff.owner", by(group))],
        other => cells::extra(canvas, other, group, ctx),
    }
}

/// The change; one that somebody has taken on says so first.
fn change(canvas: &Canvas<'_>, group: &DriftGroup, ctx: &Ctx<'_>) -> Vec<Piece> {
    let summary = canvas.piece("drift.edited", signs::beside_state(&group.summary));
    match ctx.kept.ack(group.fingerprint, ctx.now) {
        Some(_) => vec![canvas.fixed("notice.info", "ack "), summary],
        None => sentence(summary),
    }
}

/// A bar of six cells: how many objects, beside the widest group.
fn impact(canvas: &Canvas<'_>, count: usize, widest: usize) -> Vec<Piece> {
    let filled = (count * 6).div_ceil(widest.max(1)).clamp(1, 6);
    let bar: String = canvas.glyphs().bar_full.repeat(filled);
    vec![canvas.piece("drift.impact", bar)]
}

fn how(canvas: &Canvas<'_>, states: &[DriftState]) -> Vec<Piece> {
    let mut pieces = states
        .first()
        .map_or_else(Vec::new, |s| signs::drift(canvas, *s));
    if states.len() > 1 {
        pieces.push(canvas.piece("text.dim", format!(" +{}", states.len() - 1)));
    }
    pieces
}

fn by(group: &DriftGroup) -> Safe {
    match group.managers.as_slice() {
        [] if group.states.first() == Some(&DriftState::Behind) => Safe::fixed("Git"),
        [] => Safe::fixed("not recorded"),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()).into(),
    }
}

fn titled_members(canvas: &mut Canvas<'_>, screen: &DriftScreen, ctx: &Ctx<'_>, area: Area) {
    let title = vec![canvas.piece("text.strong", format!("members {}", screen.members.len()))];
    let focus = screen.pane == Pane::Members;
    canvas.rule(area, 0, &title, focus);
    let (_, rest) = area.top(1);
    members(canvas, screen, ctx, rest);
}

fn members(canvas: &mut Canvas<'_>, screen: &DriftScreen, ctx: &Ctx<'_>, area: Area) {
    let Some(group) = screen.group(ctx) else {
        return;
    };
    let focus = screen.pane == Pane::Members;
    table::draw(
        canvas,
        area,
        &MEMBERS,
        &screen.members,
        focus,
        |canvas, key| member_row(canvas, key, group, ctx),
    );
}

fn member_row(canvas: &Canvas<'_>, key: &MemberKey, group: &DriftGroup, ctx: &Ctx<'_>) -> RowCells {
    let found = group
        .members
        .iter()
        .find(|m| m.cluster == key.0 && m.resource.object == key.1);
    let Some(member) = found else {
        return RowCells::gone();
    };
    let verdict = &member.resource.verdict;
    let owner = verdict.changes.iter().find_map(|c| c.owner.as_ref());
    let row = ctx.rows.cluster(&member.cluster);
    let link = row.map_or_else(Vec::new, |r| {
        signs::link(
            canvas,
            r.state,
            r.since.filter(|_| !r.state.is_current()),
            ctx.now,
        )
    });
    let cells = vec![
        vec![canvas.piece("text", Safe::new(member.cluster.as_str()))],
        link,
        told(canvas, member, ctx),
        vec![canvas.piece(
            "text",
            age(ctx.now, member.first_seen).unwrap_or(Safe::fixed("now")),
        )],
        vec![canvas.piece(
            "diff.owner",
            owner.map_or(Safe::default(), |o| o.manager.clone()),
        )],
        hub_says(canvas, member, ctx),
    ];
    RowCells::of(cells, !member.current)
}

/// The change; where its server was asked and does not say the same, the server's word.
fn told(canvas: &Canvas<'_>, member: &DriftRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    let ours = signs::beside_state(&member.resource.verdict.summary);
    match ctx.words.of(&member.cluster, &member.resource) {
        None => sentence(canvas.piece("drift.edited", ours)),
        Some(word) if word.opinion == Opinion::Agrees => {
            vec![
                canvas.piece("drift.edited", ours),
                canvas.fixed("text.dim", " (server agrees)"),
            ]
        }
        Some(word) => sentence(canvas.piece("notice.info", server(word))),
    }
}

/// `server: changes nothing: The server's dry run changes nothing …`
fn server(word: &ServerWord) -> String {
    let short = word.opinion.word().replace('-', " ");
    format!("server: {short}. {}", word.opinion.message())
}

/// The hub's word, where it contradicts ours.
fn hub_says(canvas: &Canvas<'_>, member: &DriftRow, ctx: &Ctx<'_>) -> Vec<Piece> {
    match ctx.fleet.app(&member.resource.app) {
        Some(app) if app.sync == SyncState::Synced => signs::sync(canvas, SyncState::Synced),
        _ => Vec::new(),
    }
}

fn preview(canvas: &mut Canvas<'_>, member: &DriftRow, ctx: &Ctx<'_>, area: Area, shape: &Shape) {
    let resource = &member.resource;
    let title = vec![
        canvas.piece("text.strong", resource.object.to_string()),
        canvas.piece("text.dim", format!(" @ {}", member.cluster)),
    ];
    let beside = area.x > shape.main.x;
    detail::framed(canvas, area, &title, beside, |canvas, _| {
        let print = resource.verdict.fingerprint;
        let ack = print.and_then(|print| ctx.kept.ack(print, ctx.now));
        let mut lines: detail::Lines = ack
            .map(|ack| {
                let until = signs::moment(ack.until, ctx.now);
                let colon = if ack.note.is_empty() { "" } else { ": " };
                let text = format!("acknowledged until {until}{colon}{}", ack.note());
                vec![canvas.piece("notice.info", text)]
            })
            .into_iter()
            .collect();
        let word = ctx.words.of(&member.cluster, resource);
        lines.extend(word.map(|word| vec![canvas.piece("notice.info", server(word))]));
        lines.extend(changes::changes(canvas, &resource.verdict, ctx.now));
        let (repo, revision, path) = &resource.desired;
        if !repo.is_empty() {
            let text = format!("Git {} {path} in {repo}", signs::revision(revision));
            lines.push(vec![canvas.piece("text.dim", text)]);
        }
        lines.extend(hub_line(canvas, member, ctx));
        lines
    });
}

/// What the hub says of the application, and whether it heals by itself.
fn hub_line(canvas: &Canvas<'_>, member: &DriftRow, ctx: &Ctx<'_>) -> Option<Vec<Piece>> {
    let app = ctx.fleet.app(&member.resource.app)?;
    let heals = match (app.auto_sync.enabled, app.auto_sync.self_heal) {
        (false, _) => "auto-sync is off: nobody puts it back",
        (true, false) => "auto-sync is on, self-heal is off: nobody puts it back until Git changes",
        (true, true) => "self-heal is on: the engine puts it back",
    };
    let mut pieces = vec![canvas.piece("text.dim", format!("{} says ", app.id.hub))];
    pieces.extend(signs::sync(canvas, app.sync));
    pieces.push(canvas.piece("text.dim", format!("; {heals}")));
    Some(pieces)
}

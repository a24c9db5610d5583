//! States as sign, word and colour: never colour alone.

use jiff::Timestamp;

use super::paint::{Canvas, Piece};
use super::text::width;
use crate::app::age::age;
pub use crate::app::age::moment;
use crate::app::asked::link_word;
pub use crate::app::words::{owner, revision};
use crate::domain::{
    ChangeOp, DriftState, Health, LinkState, MetricFigure, ObjectRef, OperationPhase, Safe,
    SyncState, Warning,
};
use crate::ops::Outcome;

/// Sign and scope of a link.
fn link_sign(canvas: &Canvas<'_>, state: LinkState) -> (&'static str, &'static str) {
    let g = canvas.glyphs();
    match state {
        LinkState::Live => (g.healthy, "live"),
        LinkState::Slow => (g.progressing, "slow"),
        LinkState::Stale => (g.stale, "stale"),
        LinkState::Unreachable => (g.unreachable, "unreachable"),
        LinkState::Auth => (g.auth, "auth"),
        LinkState::Denied => (g.unreachable, "denied"),
        LinkState::Connecting => (g.syncing, "connecting"),
    }
}

/// A link in one narrow cell: a live row has no age, an old one stands in brackets.
pub fn link(
    canvas: &Canvas<'_>,
    state: LinkState,
    since: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Piece> {
    let (sign, scope) = link_sign(canvas, state);
    let mut pieces = vec![canvas.fixed(scope, sign), canvas.gap(1)];
    let age = since.and_then(|then| age(now, then));
    match (state, age) {
        (LinkState::Live, _) => {
            pieces.pop();
        }
        (LinkState::Stale, Some(age)) => pieces.push(canvas.piece(scope, format!("({age})"))),
        (LinkState::Unreachable | LinkState::Denied | LinkState::Auth, Some(age)) => {
            pieces.push(canvas.piece(scope, format!("{} {age}", link_short(state))));
        }
        _ => pieces.push(canvas.fixed(scope, link_short(state))),
    }
    pieces
}

fn link_short(state: LinkState) -> &'static str {
    match state {
        LinkState::Unreachable => "dark",
        LinkState::Connecting => "…",
        other => link_word(other),
    }
}

/// A link as sign and word.
pub fn link_long(canvas: &Canvas<'_>, state: LinkState) -> Vec<Piece> {
    let (sign, scope) = link_sign(canvas, state);
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(scope, link_word(state)),
    ]
}

/// Health as sign and word.
pub fn health(canvas: &Canvas<'_>, health: Health) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope, word) = match health {
        Health::Healthy => (g.healthy, "health.healthy", "Healthy"),
        Health::Suspended => (g.paused, "health.suspended", "Suspended"),
        Health::Progressing => (g.progressing, "health.progressing", "Progressing"),
        Health::Missing => (g.missing, "health.missing", "Missing"),
        Health::Degraded => (g.degraded, "health.degraded", "Degraded"),
        Health::Unknown => (g.unknown, "health.unknown", "Unknown"),
    };
    // What is well shows green on its sign only.
    let word_scope = if health == Health::Healthy {
        "text"
    } else {
        scope
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(word_scope, word),
    ]
}

/// An engine that does not work, as sign and word.
pub fn engine(canvas: &Canvas<'_>, warning: &Warning) -> Vec<Piece> {
    let word = match warning.kind {
        "controller-lagging" => "engine lags",
        _ => "engine down",
    };
    vec![
        canvas.fixed("health.degraded", canvas.glyphs().degraded),
        canvas.gap(1),
        canvas.fixed("health.degraded", word),
    ]
}

/// Sync as sign and word.
pub fn sync(canvas: &Canvas<'_>, state: SyncState) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope, word) = match state {
        SyncState::Synced => (g.synced, "sync.synced", "Synced"),
        SyncState::OutOfSync => (g.out_of_sync, "sync.outofsync", "OutOfSync"),
        SyncState::Unknown => (g.unknown, "sync.unknown", "Unknown"),
    };
    let word_scope = if state == SyncState::Synced {
        "text"
    } else {
        scope
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(word_scope, word),
    ]
}

/// A drift state as sign and word.
pub fn drift(canvas: &Canvas<'_>, state: DriftState) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope, word) = match state {
        DriftState::Edited => (g.out_of_sync, "drift.edited", "edited"),
        DriftState::Missing => (g.missing, "drift.missing", "missing"),
        DriftState::Extra => ("+", "drift.extra", "extra"),
        DriftState::Behind => (g.arrow, "drift.behind", "behind"),
        DriftState::Unknown => (g.unknown, "drift.unknown", "unknown"),
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(scope, word),
    ]
}

/// A state of which nobody knows whether it still holds: what was good does not look good.
pub fn old(canvas: &Canvas<'_>, mut state: Vec<Piece>) -> Vec<Piece> {
    let g = canvas.glyphs();
    if let Some(sign) = state.first_mut()
        && [g.synced, g.healthy].contains(&sign.text.as_str())
    {
        *sign = canvas.fixed("stale", g.stale);
    }
    state
}

/// A verdict on an object as sign and word.
pub fn verdict(canvas: &Canvas<'_>, state: Option<DriftState>) -> Vec<Piece> {
    match state {
        Some(state) => drift(canvas, state),
        None => vec![
            canvas.fixed("sync.synced", canvas.glyphs().synced),
            canvas.gap(1),
            canvas.fixed("text", "in sync"),
        ],
    }
}

/// A count of drifted objects: its sign says good or bad; a number that is not current is not called good.
pub fn drift_count(canvas: &Canvas<'_>, count: usize, current: bool, judged: bool) -> Vec<Piece> {
    let g = canvas.glyphs();
    match (count, current, judged) {
        (0, true, true) => vec![
            canvas.fixed("sync.synced", g.synced),
            canvas.piece("text.dim", format!("{count:>3}")),
        ],
        (0, _, _) => vec![canvas.fixed("drift.unknown", g.unknown), canvas.gap(3)],
        (n, true, _) => vec![
            canvas.fixed("drift.edited", g.out_of_sync),
            canvas.piece("drift.edited", format!("{n:>3}")),
        ],
        (n, false, _) => vec![
            canvas.fixed("stale", g.stale),
            canvas.piece("stale", format!("{n:>3}")),
        ],
    }
}

/// The phase of an operation.
pub fn operation(canvas: &Canvas<'_>, phase: OperationPhase) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope, word) = match phase {
        OperationPhase::Running => (g.syncing, "sync.running", "syncing"),
        OperationPhase::Terminating => (g.terminating, "sync.running", "stopping"),
        OperationPhase::Failed | OperationPhase::Error => (g.degraded, "health.degraded", "failed"),
        OperationPhase::Succeeded => (g.synced, "text.dim", "done"),
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(scope, word),
    ]
}

/// The end of a target of a run.
pub fn outcome(canvas: &Canvas<'_>, outcome: Outcome) -> Vec<Piece> {
    let g = canvas.glyphs();
    let (sign, scope) = match outcome {
        Outcome::Reverted => (g.synced, "outcome.good"),
        Outcome::Unchanged => ("=", "outcome.good"),
        Outcome::Refused => (g.unreachable, "outcome.refused"),
        Outcome::Failed => (g.degraded, "outcome.failed"),
        Outcome::Unknown => (g.unknown, "outcome.unknown"),
    };
    vec![
        canvas.fixed(scope, sign),
        canvas.gap(1),
        canvas.fixed(scope, outcome.word()),
    ]
}

/// Sign and scope of what happened to a field.
pub fn change(canvas: &Canvas<'_>, op: ChangeOp) -> (&'static str, &'static str) {
    match op {
        ChangeOp::Changed => (canvas.glyphs().out_of_sync, "drift.edited"),
        ChangeOp::Added => ("+", "diff.added"),
        ChangeOp::Removed => ("-", "diff.removed"),
    }
}

/// What changed, where another column already says that Git moved on.
pub fn beside_state(summary: &Safe) -> Safe {
    let rest = summary.as_str().strip_prefix("behind: ");
    rest.map_or_else(|| summary.clone(), Safe::new)
}

/// A figure in few characters: `71%`, `1.2k/s`, `340ms`.
pub fn figure(figure: &MetricFigure) -> Safe {
    let v = figure.value;
    let text = match figure.unit {
        "%" => format!("{v:.0}%"),
        "s" if v.abs() < 1.0 => format!("{:.0}ms", v * 1_000.0),
        "s" => format!("{v:.1}s"),
        "B" => scaled(v, 1_024.0, &["B", "Ki", "Mi", "Gi", "Ti"]),
        unit => format!("{}{unit}", scaled(v, 1_000.0, &["", "k", "M", "G", "T"])),
    };
    text.into()
}

fn scaled(mut v: f64, step: f64, units: &[&'static str]) -> String {
    let mut unit = units.iter();
    let mut name = unit.next().copied().unwrap_or_default();
    while v.abs() >= step {
        let Some(next) = unit.next() else {
            break;
        };
        v /= step;
        name = next;
    }
    if v.abs() < 10.0 && v.fract().abs() > 0.05 {
        format!("{v:.1}{name}")
    } else {
        format!("{v:.0}{name}")
    }
}

/// What is usual stands so far below a full level: in the middle of a step, so that the smallest change of a calm course shows no other one.
const HEADROOM: f64 = 2.33;

/// What a full level stands for. The scale begins at zero, so that a small change looks small; what is usual is below half height, so
/// that a calm course is no wall.
fn top(shown: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = shown.iter().copied().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    sorted.last().copied().unwrap_or(0.0).max(HEADROOM * usual)
}

/// The course of a figure as a row of levels, newest at the right.
pub fn sparkline(canvas: &Canvas<'_>, course: &[f64], columns: usize) -> Piece {
    let from = course.len().saturating_sub(columns);
    let shown = course.get(from..).unwrap_or_default();
    let high = top(shown);
    let levels = canvas.glyphs().levels;
    let level = |v: &f64| {
        let share = if high > 0.0 {
            (v / high).clamp(0.0, 1.0)
        } else {
            0.0
        };
        // 0 to 7, as the share is 0 to 1 and never negative.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the share is between 0 and 1"
        )]
        let index = (share * 7.0).round() as usize;
        levels.get(index).copied().unwrap_or(" ")
    };
    let text: String = shown.iter().filter(|v| v.is_finite()).map(level).collect();
    canvas.piece("metric", text)
}

/// An object in a list: with kind and namespace where that fits into `room` columns, else as people type it (`deploy/gateway`).
pub fn object(object: &ObjectRef, room: u16) -> Safe {
    let full = Safe::from(object.to_string());
    if width(full.as_str()) <= usize::from(room) {
        return full;
    }
    format!("{}/{}", short_kind(&object.gvk.kind), object.name).into()
}

/// The short names that kubectl knows.
fn short_kind(kind: &str) -> String {
    match kind {
        "Deployment" => "deploy",
        "ConfigMap" => "cm",
        "Service" => "svc",
        "DaemonSet" => "ds",
        "StatefulSet" => "sts",
        "ServiceAccount" => "sa",
        "Namespace" => "ns",
        "Ingress" => "ing",
        "NetworkPolicy" => "netpol",
        "CronJob" => "cj",
        "HorizontalPodAutoscaler" => "hpa",
        "PodDisruptionBudget" => "pdb",
        "PersistentVolumeClaim" => "pvc",
        other => return other.to_lowercase(),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let shown = |value: f64, unit: &'static str| {
            figure(&MetricFigure {
                name: "x".into(),
                value,
                unit,
                course: vec![],
            })
            .to_string()
        };
        assert_eq!(shown(71.4, "%"), "71%");
        assert_eq!(shown(1_234.0, "/s"), "1.2k/s");
        assert_eq!(shown(0.34, "s"), "340ms");
        assert_eq!(shown(3.0 * 1024.0 * 1024.0, "B"), "3Mi");
        assert_eq!(shown(12.0, ""), "12");
    }

    #[test]
    fn a_calm_course_is_low_and_a_burst_stands_out() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(near(top(&[40.0, 40.0, 40.0]), 40.0 * HEADROOM));
        assert!(near(top(&[1.0, 1.0, 1.0, 50.0]), 50.0));
        assert!(near(top(&[]), 0.0));
        assert!(near(top(&[f64::NAN, 3.0]), 3.0 * HEADROOM));
    }
}

//! What Flux found of drift and what it did about it: its `Drifted` condition, else the events of its controllers.

use super::super::{Warner, moment};
use super::full_stop;
use crate::domain::{AppKind, Application, NoticeKind, Safe, Warning};
use crate::fleet::notices::Corrections;

/// The drift that stands, as far as Flux knows.
pub(super) fn found(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let open = Corrections::of(app, warner.fleet.notices(&app.id)).open;
    if let Some(failed) = open.filter(|n| n.kind == NoticeKind::CorrectionFailed) {
        return Some(Warning::new(
            "drift-correction-failed",
            format!(
                "Flux could not correct the drift that it found, last at {}: {}",
                moment(failed.last),
                full_stop(&failed.list().into())
            ),
            "Mend what it names; Flux tries again at its next interval.",
        ));
    }
    let words = match (condition(app), open) {
        (Some(words), _) => full_stop(words),
        (None, Some(notice)) => {
            let list = full_stop(&notice.list().into());
            format!("{list} It said so last at {}.", moment(notice.last))
        }
        (None, None) => return None,
    };
    Some(Warning::new(
        "drifted",
        format!("Flux found that the cluster differs from the release: {words}"),
        if app.auto_sync.self_heal {
            "Flux corrects it by itself; if it comes back, find who changes it."
        } else {
            "Correct it with: flux reconcile helmrelease --force, or set driftDetection.mode to enabled."
        },
    ))
}

fn condition(app: &Application) -> Option<&Safe> {
    let drifted = app.report.condition("Drifted")?;
    (&*drifted.status == "True").then_some(&drifted.message)
}

/// The drift that Flux took back, as long as the cluster keeps the events.
pub(super) fn corrected(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let done = Corrections::of(app, warner.fleet.notices(&app.id)).done;
    let newest = done.last()?;
    let times = match app.id.kind {
        // Equal events are one, counted from the first apply on: only that there was one is sure.
        AppKind::Kustomization => done.len() as u64,
        _ => done.iter().map(|n| n.count).sum(),
    };
    let times = match times {
        1 => String::new(),
        times => format!(" {times} times, the last time"),
    };
    Some(Warning::new(
        "drift-corrected",
        format!(
            "Flux corrected drift{times} at {}: {}",
            moment(newest.last),
            full_stop(&newest.list().into())
        ),
        "Bring the change to Git if it is wanted; if it comes back, find who makes it.",
    ))
}

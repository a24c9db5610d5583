//! Own actions as stories of the activity screen: what a run began with and how it ended.

use std::collections::BTreeSet;

use super::model::Model;
use super::screens::Screen;
use crate::domain::{ClusterId, Safe};
use crate::fleet::Tenor;
use crate::ops::{Outcome, Plan, Run, RunEvent, Verb};

/// Tells of the beginning and of the end of a run.
pub(super) fn tell(model: &mut Model, plan: &str, event: &RunEvent) {
    let (tenor, end) = match event {
        RunEvent::WaveStarted(0) => (Tenor::Plain, None),
        RunEvent::Finished(run) => (tenor_of(run), Some(&**run)),
        _ => return,
    };
    let (mut screens, _) = model.screens();
    let found = screens.find_map(|s| match s {
        Screen::Run(run) if run.plan.id == plan => Some(std::sync::Arc::clone(&run.plan)),
        _ => None,
    });
    drop(screens);
    let Some(plan) = found else {
        return;
    };
    let now = model.now;
    let told = story(&plan, end);
    model.fleet.tell_own(now, clusters(&plan), tenor, told);
    model.follow();
}

fn clusters(plan: &Plan) -> Vec<ClusterId> {
    let sent = plan.targets.iter().filter(|t| t.order.is_some());
    let unique: BTreeSet<&ClusterId> = sent.map(|t| &t.cluster).collect();
    unique.into_iter().cloned().collect()
}

fn tenor_of(run: &Run) -> Tenor {
    let bad = |o: &Outcome| matches!(o, Outcome::Failed | Outcome::Unknown | Outcome::Refused);
    if run.outcomes.iter().any(|t| bad(&t.outcome)) || run.stopped.is_some() {
        Tenor::Bad
    } else {
        Tenor::Good
    }
}

fn story(plan: &Plan, end: Option<&Run>) -> Safe {
    let verb = match plan.verb {
        Verb::Revert => "revert",
        Verb::Undo => "undo",
    };
    let Some(run) = end else {
        let n = super::screens::drift::plural(plan.sendable(), "object");
        return format!("{verb} {} began on {n}", plan.reason).into();
    };
    let all = [
        Outcome::Reverted,
        Outcome::Unchanged,
        Outcome::Refused,
        Outcome::Failed,
        Outcome::Unknown,
    ];
    let counts: Vec<String> = all
        .into_iter()
        .map(|o| (o, run.outcomes.iter().filter(|t| t.outcome == o).count()))
        .filter(|(_, n)| *n > 0)
        .map(|(o, n)| format!("{n} {}", o.word()))
        .collect();
    format!("{verb} {}: {}", plan.reason, counts.join(", ")).into()
}

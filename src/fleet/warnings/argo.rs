//! Argo CD's states that a sync word hides: conditions, operations, windows, rollouts, hydration, age.

use jiff::SignedDuration;

use super::{Warner, moment, span};
use crate::domain::windows::{SyncStart, Window};
use crate::domain::{
    AppKind, Application, Condition, Operation, OperationPhase, Safe, SyncState, Warning,
};

/// A left-over operation is given this long to be cleared.
const CLEARING: SignedDuration = SignedDuration::from_secs(60);
/// An operation that runs longer is probably stuck.
const LONG: SignedDuration = SignedDuration::from_secs(1_800);
/// A deletion that takes longer waits for something.
const BLOCKED: &str = "Sync operation blocked by sync window";

pub(super) fn warnings(warner: &Warner<'_>, app: &Application) -> Vec<Warning> {
    if app.id.kind == AppKind::ApplicationSet {
        return set(app);
    }
    let mut found: Vec<Warning> = [
        frozen(warner, app),
        deleting(app),
        operation(warner, app),
        gave_up(app),
        unhealed(app),
        switched_off(app),
        window(warner, app),
        rollout(warner, app),
        hydration(app),
        confirmation(app),
        stale(warner, app),
        warner.lost_edge(app),
    ]
    .into_iter()
    .flatten()
    .collect();
    found.extend(app.report.conditions.iter().map(condition));
    if app.sync == SyncState::Unknown && app.report.conditions.is_empty() {
        found.push(uncompared(app));
    }
    found
}

fn frozen(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let whose = if app.skip_reconcile {
        "It"
    } else {
        "Its cluster's Secret"
    };
    warner.is_frozen(app).then(|| {
        Warning::new(
            "frozen",
            format!("{whose} is annotated skip-reconcile: the hub's word is frozen as it was, and operations are ignored."),
            "Remove the annotation argocd.argoproj.io/skip-reconcile to have it compared again.",
        )
    })
}

fn deleting(app: &Application) -> Option<Warning> {
    app.deleting.then(|| {
        let left: Vec<&str> = app.report.finalizers.iter().map(|f| &**f).collect();
        let text = if left.is_empty() {
            "It is being deleted.".to_owned()
        } else {
            format!("It is being deleted and waits for {}.", left.join(", "))
        };
        Warning::new(
            "deleting",
            text,
            "Nothing more can be synced; if it does not end, see the DeletionError and the destination's link.",
        )
    })
}

/// The one thing that is the matter with the operation asked for, running or last ended.
fn operation(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let now = warner.now;
    let Some(operation) = &app.operation else {
        return app.operation_requested.then(|| waiting(app));
    };
    let since = |at: Option<jiff::Timestamp>| at.map(|at| now.duration_since(at));
    match operation.phase {
        OperationPhase::Running if !app.operation_requested => Some(Warning::new(
            "operation-orphaned",
            "Its status says that an operation runs, but none is asked for: it can neither end nor be terminated.",
            "Refresh it; if that does not help, clear status.operationState.",
        )),
        OperationPhase::Running if operation.message.as_str().contains(BLOCKED) => {
            Some(Warning::new(
                "operation-blocked",
                "Its operation waits for a sync window and holds back every other one.",
                "Wait for the window, or terminate the operation.",
            ))
        }
        OperationPhase::Running if operation.finished_at.is_some() => {
            Some(retrying(app, operation))
        }
        OperationPhase::Running if since(operation.started_at).is_some_and(|age| age > LONG) => {
            Some(Warning::new(
                "operation-stuck",
                format!(
                    "Its operation runs for {} now: {}",
                    span(since(operation.started_at)?),
                    full_stop(&operation.message)
                ),
                "See which resource it waits for; terminate it if nothing moves.",
            ))
        }
        OperationPhase::Terminating => Some(Warning::new(
            "operation-terminating",
            "Its operation is being terminated.",
            "Wait for it to end; a hook that hangs has to be deleted by hand.",
        )),
        OperationPhase::Succeeded | OperationPhase::Failed | OperationPhase::Error
            if app.report.operation_left_over
                && since(operation.finished_at).is_some_and(|age| age > CLEARING) =>
        {
            Some(Warning::new(
                "operation-stuck",
                "Its operation has ended, but is still asked for: the controller does not clear it, and no other can begin.",
                "Restart the application controller (Argo CD 3.5.3 does this), or remove .operation from the Application.",
            ))
        }
        OperationPhase::Failed | OperationPhase::Error => Some(Warning::new(
            "operation-failed",
            format!(
                "Its last operation failed: {}",
                full_stop(&operation.message)
            ),
            "Mend what it names and sync again.",
        )),
        _ => None,
    }
}

fn waiting(app: &Application) -> Warning {
    if app.skip_reconcile {
        return Warning::new(
            "operation-ignored",
            "An operation is asked for, and skip-reconcile keeps it from ever beginning.",
            "Remove the annotation argocd.argoproj.io/skip-reconcile, or remove .operation.",
        );
    }
    Warning::new(
        "operation-waiting",
        "An operation is asked for and has not begun.",
        "If it does not begin, look at the application controller.",
    )
}

/// `Running` with an end is the time between two tries.
fn retrying(app: &Application, operation: &Operation) -> Warning {
    let tries = match app.report.retry_limit {
        Some(limit) if limit >= 0 => format!("try {} of {limit}", app.report.retries + 1),
        _ => format!("try {}", app.report.retries + 1),
    };
    Warning::new(
        "operation-retrying",
        format!(
            "Its operation failed and is tried again ({tries} is next): {}",
            full_stop(&operation.message)
        ),
        "Mend what it names, or terminate the operation.",
    )
}

/// Auto-sync tries a revision once: what failed is not tried again before Git moves on.
fn gave_up(app: &Application) -> Option<Warning> {
    let told = app.report.conditions.iter().any(|c| {
        &*c.kind == "SyncError" && c.message.as_str().starts_with("Failed last sync attempt")
    });
    let failed = app.operation.as_ref().is_some_and(|o| {
        matches!(o.phase, OperationPhase::Failed | OperationPhase::Error)
            && !o.selective
            && o.revision == app.compared_revision
    });
    let stands = app.auto_sync.enabled && app.sync == SyncState::OutOfSync;
    (stands && (told || failed) && !app.operation_requested).then(|| {
        Warning::new(
            "auto-sync-gave-up",
            "Auto-sync failed at this revision and will not try it again, whatever selfHeal says.",
            "Mend the cause and sync by hand, or push a new commit.",
        )
    })
}

/// Auto-sync alone follows Git, not the cluster.
fn unhealed(app: &Application) -> Option<Warning> {
    let out: Vec<_> = app
        .resources
        .iter()
        .filter(|r| r.sync == Some(SyncState::OutOfSync))
        .collect();
    let stands = app.auto_sync.enabled && app.sync == SyncState::OutOfSync;
    if !stands || app.operation_requested {
        return None;
    }
    if !app.auto_sync.prune && !out.is_empty() && out.iter().all(|r| r.requires_pruning) {
        return Some(Warning::new(
            "prune-off",
            format!(
                "{} resource(s) are no longer in Git, and auto-sync may not prune them.",
                out.len()
            ),
            "Sync with prune after looking at them, or set automated.prune.",
        ));
    }
    let deployed = app.deployed_revision().map(|h| &h.revision);
    let same_revision = deployed == Some(&app.compared_revision);
    (!app.auto_sync.self_heal && same_revision).then(|| {
        Warning::new(
            "self-heal-off",
            "Auto-sync is on without selfHeal: what differs stays until a new commit or a manual sync.",
            "Revert or sync it by hand, or set automated.selfHeal.",
        )
    })
}

fn switched_off(app: &Application) -> Option<Warning> {
    (app.report.auto_switched_off && app.sync == SyncState::OutOfSync).then(|| {
        Warning::new(
            "auto-sync-off",
            "Auto-sync is switched off by automated.enabled: false, whatever else stands there.",
            "Sync by hand, or set automated.enabled to true.",
        )
    })
}

fn window(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let Window::Closed { why, until } = warner.window(app, SyncStart::Automatic) else {
        return None;
    };
    let manual = warner.window(app, SyncStart::Manual) == Window::Open;
    let until = until.map_or(String::new(), |at| format!(" until {}", moment(at)));
    Some(Warning::new(
        "window-closed",
        format!("Nothing is synced by itself now{until}: {why}."),
        if manual {
            "A manual sync is let through."
        } else {
            "A manual sync would be held back too; wait, or change the AppProject."
        },
    ))
}

/// Where it stands in the rolling strategy of its set.
fn rollout(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let set = app.report.owner.clone()?;
    let name = set.name.clone();
    let step = warner.steps.get(&(set, &*app.id.name))?;
    let text = match &*step.status {
        "Waiting" => format!(
            "ApplicationSet {name} holds it back in step {}: earlier steps are not healthy yet.",
            step.step
        ),
        "Pending" => format!(
            "ApplicationSet {name} is about to sync it in step {}.",
            step.step
        ),
        "Progressing" => format!("ApplicationSet {name} syncs it now in step {}.", step.step),
        _ => return None,
    };
    Some(Warning::new(
        "rollout",
        text,
        "See the set's other applications; a manual sync goes past the order.",
    ))
}

fn hydration(app: &Application) -> Option<Warning> {
    let hydration = app.report.hydration.as_ref()?;
    match &*hydration.phase {
        "Failed" => Some(Warning::new(
            "hydration-failed",
            format!(
                "Its manifests could not be hydrated: {}",
                full_stop(&hydration.message)
            ),
            "Mend the dry source; what is deployed is from the last hydration that succeeded.",
        )),
        "Hydrating" => Some(Warning::new(
            "hydrating",
            "Its manifests are being hydrated: what is compared is from the hydration before.",
            "Wait for the new commit on the sync branch.",
        )),
        _ => None,
    }
}

fn confirmation(app: &Application) -> Option<Warning> {
    (app.report.to_confirm > 0).then(|| {
        Warning::new(
            "confirm-deletion",
            format!(
                "{} resource(s) wait for somebody to confirm that they may be deleted.",
                app.report.to_confirm
            ),
            "Confirm with the annotation argocd.argoproj.io/deletion-approved on the Application.",
        )
    })
}

/// `reconciledAt` is the last comparison with the newest Git; beyond timeout and jitter it is old.
fn stale(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    if let Some(told) = warner.of_controller(&app.id) {
        return Some(told);
    }
    let hub = warner.hub(&app.id.hub)?;
    let limit = hub.pace.limit()?;
    let age = warner.now.duration_since(app.reconciled_at?);
    (age > limit && hub.state.is_current() && !warner.is_frozen(app)).then(|| {
        Warning::new(
            "hub-stale",
            format!(
                "The hub last compared it with Git {} ago, and every {} is due: its view of Git is old.",
                span(age),
                span(limit)
            ),
            "Refresh it; if that changes nothing, look at the application controller's load.",
        )
    })
}

fn uncompared(app: &Application) -> Warning {
    if app.reconciled_at.is_none() {
        return Warning::new(
            "never-compared",
            "No controller has looked at it yet.",
            "See whether its namespace is among application.namespaces and the controller runs.",
        );
    }
    Warning::new(
        "comparison-failed",
        "The hub could not compare it, so its sync status is not known.",
        "Refresh it, and look at the application controller's log.",
    )
}

fn condition(condition: &Condition) -> Warning {
    let (kind, next) = match &*condition.kind {
        "ComparisonError" => (
            "comparison-error",
            "Mend the source or the destination it names, then refresh.",
        ),
        "InvalidSpecError" => (
            "invalid-spec",
            "Correct the Application's spec or its AppProject.",
        ),
        "SyncError" => ("sync-error", "Mend what it names and sync by hand."),
        "DeletionError" => (
            "deletion-error",
            "Mend what keeps it, or remove its finalizers knowing that objects stay.",
        ),
        "SharedResourceWarning" => (
            "shared-resource",
            "Let only one application have the resource.",
        ),
        "RepeatedResourceWarning" => ("repeated-resource", "Remove the second manifest from Git."),
        "ExcludedResourceWarning" => (
            "excluded-resource",
            "Take it out of Git, or out of resource.exclusions in argocd-cm.",
        ),
        "OrphanedResourceWarning" => (
            "orphaned-resources",
            "Adopt or delete them, or list them as ignored in the AppProject.",
        ),
        _ => ("condition", "See the application controller's log."),
    };
    Warning::new(
        kind,
        format!("{}: {}", condition.kind, full_stop(&condition.message)),
        next,
    )
}

/// What an ApplicationSet says of itself.
fn set(app: &Application) -> Vec<Warning> {
    let mut found = Vec::new();
    for condition in &app.report.conditions {
        match (&*condition.kind, &*condition.status) {
            ("ErrorOccurred", "True") => found.push(Warning::new(
                "set-error",
                format!(
                    "The set cannot make its applications: {}",
                    full_stop(&condition.message)
                ),
                "Mend its generators or template; the applications stay as they are until then.",
            )),
            ("RolloutProgressing", "True") => found.push(Warning::new(
                "rollout",
                rolling(app),
                "Open the applications of the step that is under way.",
            )),
            _ => {}
        }
    }
    if app.deleting {
        found.extend(deleting(app));
    }
    found
}

fn rolling(app: &Application) -> String {
    let of = |status: &str| {
        app.report
            .steps
            .iter()
            .filter(|s| &*s.status == status)
            .count()
    };
    format!(
        "Its rollout is under way: {} healthy, {} progressing, {} pending, {} waiting.",
        of("Healthy"),
        of("Progressing"),
        of("Pending"),
        of("Waiting")
    )
}

/// The words as a sentence.
pub(super) fn full_stop(words: &Safe) -> String {
    let words = words.as_str().trim();
    if words.is_empty() {
        "it gives no reason.".to_owned()
    } else if words.ends_with(['.', '!', '?']) {
        words.to_owned()
    } else {
        format!("{words}.")
    }
}

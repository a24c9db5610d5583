//! Flux's states that a ready word hides: suspended, stalled, waiting for others, drifted, failing sources.

mod drift;

use super::Warner;
use super::argo::full_stop;
use crate::domain::{AppRef, Application, Health, Safe, Warning};

pub(super) fn warnings(warner: &Warner<'_>, app: &Application) -> Vec<Warning> {
    let found = [
        deleting(app),
        suspended(app),
        stalled(app),
        waits(warner, app),
        source(warner, app),
        not_ready(app),
        unobserved(app),
        behind(app),
        drift::found(warner, app),
        drift::corrected(warner, app),
        remote(app),
        requested(app),
        warner.of_controller(&app.id),
    ];
    found.into_iter().flatten().collect()
}

fn deleting(app: &Application) -> Option<Warning> {
    app.deleting.then(|| {
        Warning::new(
            "deleting",
            "It is being deleted, and what it brought with it.",
            "If it does not end, look at its controller and at the finalizers of its objects.",
        )
    })
}

fn suspended(app: &Application) -> Option<Warning> {
    let text = if app.id.kind.applies() {
        "Flux is told to leave it alone: nothing is applied and no drift is corrected."
    } else {
        "Flux is told to leave it alone: no newer artifact is fetched."
    };
    app.report.suspended.then(|| {
        let resume = format!("Resume it with: flux resume {} {}.", verb(app), app.id.name);
        Warning::new("suspended", Safe::fixed(text), resume)
    })
}

/// The kind as the `flux` program spells it.
fn verb(app: &Application) -> String {
    app.id.kind.word().to_lowercase()
}

fn stalled(app: &Application) -> Option<Warning> {
    let stalled = app.report.condition("Stalled")?;
    (&*stalled.status == "True").then(|| {
        Warning::new(
            "stalled",
            format!(
                "Flux gave up on it ({}): {}",
                stalled.reason,
                full_stop(&stalled.message)
            ),
            "Correct its spec; it is not tried again before that.",
        )
    })
}

/// What it waits for: those of its dependencies that are not there or not ready.
fn waits(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let ready = app.report.condition("Ready");
    let says_so = ready.is_some_and(|r| r.reason.as_str() == "DependencyNotReady");
    let open: Vec<String> = app
        .report
        .depends_on
        .iter()
        .filter_map(|id| lacking(warner, id))
        .collect();
    if open.is_empty() && !says_so {
        return None;
    }
    let what = if open.is_empty() {
        ready.map_or_else(String::new, |r| full_stop(&r.message))
    } else {
        format!("{}.", open.join(", "))
    };
    says_so.then(|| {
        Warning::new(
            "dependency",
            format!("It waits for what it depends on: {what}"),
            "Look at the last one in that chain first.",
        )
    })
}

/// What is the matter with a dependency, followed down to where the chain begins.
fn lacking(warner: &Warner<'_>, id: &AppRef) -> Option<String> {
    let mut chain = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next {
        let Some(app) = warner.fleet.app(id) else {
            chain.push(format!("{} (not there)", short(id)));
            break;
        };
        let state = match app.health {
            Health::Healthy => break,
            Health::Suspended => "suspended",
            Health::Progressing => "not ready yet",
            _ => "failing",
        };
        chain.push(format!("{} ({state})", short(id)));
        // A circle ends where it began.
        if chain.len() > 16 {
            break;
        }
        let worse = |id: &&AppRef| {
            warner
                .fleet
                .app(id)
                .is_none_or(|app| app.health != Health::Healthy)
        };
        next = app.report.depends_on.iter().find(worse);
    }
    (!chain.is_empty()).then(|| chain.join(", which waits for "))
}

fn short(id: &AppRef) -> String {
    format!("{} {}/{}", id.kind.word(), id.namespace, id.name)
}

fn source(warner: &Warner<'_>, app: &Application) -> Option<Warning> {
    let id = app.report.source.as_ref()?;
    let Some(source) = warner.fleet.app(id) else {
        let listed = warner
            .fleet
            .apps
            .keys()
            .any(|known| known.hub == id.hub && known.kind == id.kind);
        return listed.then(|| {
            Warning::new(
                "source-missing",
                format!("Its source {} is not there.", short(id)),
                "Create the source, or correct the reference.",
            )
        });
    };
    match source.health {
        Health::Degraded => {
            let why = source.message.clone().unwrap_or_default();
            Some(Warning::new(
                "source-failing",
                format!(
                    "Its source {} fails, so no newer revision arrives: {}",
                    short(id),
                    full_stop(&why)
                ),
                "Mend the source first.",
            ))
        }
        Health::Suspended => Some(Warning::new(
            "source-suspended",
            format!(
                "Its source {} is suspended, so no newer revision arrives.",
                short(id)
            ),
            "Resume the source.",
        )),
        _ => None,
    }
}

fn not_ready(app: &Application) -> Option<Warning> {
    let ready = app.report.condition("Ready")?;
    let told = app.report.is_true("Stalled") || ready.reason.as_str() == "DependencyNotReady";
    if &*ready.status != "False" || told || app.report.suspended || app.report.unobserved {
        return None;
    }
    let retried = app
        .report
        .condition("Reconciling")
        .is_some_and(|c| &*c.status == "True" && c.reason.as_str() == "ProgressingWithRetry");
    let next = match ready.reason.as_str() {
        "BuildFailed" => "Mend the manifests in Git.",
        "ArtifactFailed" => "Look at its source.",
        "HealthCheckFailed" | "HealthCheckCanceled" => {
            "Look at the objects it names: they were applied and are not healthy."
        }
        "PruneFailed" => "See what keeps the objects that have left Git.",
        "InstallFailed" | "UpgradeFailed" | "TestFailed" | "RollbackFailed" | "UninstallFailed" => {
            "Mend the release's values or chart; when its retries are used up, reset it with: flux reconcile helmrelease --reset."
        }
        _ => "Mend what it names; Flux tries again by itself.",
    };
    let again = if retried { " and is tried again" } else { "" };
    Some(Warning::new(
        "not-ready",
        format!(
            "It is not ready{again} ({}): {}",
            ready.reason,
            full_stop(&ready.message)
        ),
        next,
    ))
}

fn unobserved(app: &Application) -> Option<Warning> {
    (app.report.unobserved && !app.report.suspended).then(|| {
        Warning::new(
            "unobserved",
            "Its controller has not seen the newest spec yet: what its status says is of the one before.",
            "Wait; if it stays, look at the controller.",
        )
    })
}

fn behind(app: &Application) -> Option<Warning> {
    let tried = &app.report.attempted;
    if tried.is_empty() || !app.id.kind.applies() {
        return None;
    }
    let applied = app.deployed_revision().map_or("nothing", |h| &h.revision);
    Some(Warning::new(
        "attempted",
        format!(
            "{} was tried and is not applied; applied is {}.",
            cut(tried),
            cut(applied)
        ),
        "See why it is not ready.",
    ))
}

/// The first twelve characters of a revision.
fn cut(revision: &str) -> String {
    revision.chars().take(12).collect()
}

fn remote(app: &Application) -> Option<Warning> {
    let unmatched = !app.report.remote.is_empty();
    unmatched.then(|| {
        Warning::new(
            "remote",
            format!(
                "Flux applies it to another cluster, by the kubeconfig in `{}`.",
                app.report.remote
            ),
            "If no row is named for it, add an alias from that name to the context.",
        )
    })
}

fn requested(app: &Application) -> Option<Warning> {
    (app.operation_requested && !app.report.suspended).then(|| {
        Warning::new(
            "requested",
            "A reconciliation is asked for and not handled yet.",
            "If it stays, look at the controller.",
        )
    })
}

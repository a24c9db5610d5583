//! Why something is as it is, from what is known: the verdict, who says it, whose field it is, and what helps.

use super::age::{age, moment};
use super::asked::{link_word, sync_word};
use super::msg::WishTarget;
use super::screens::app::{AppScreen, summary};
use super::screens::{Ctx, drift::plural};
use super::sheet::{Page, SheetLine, Tone};
use super::tree::{Node, Part};
use super::{Action, Place};
use crate::domain::{
    AppRef, Application, ClusterId, DriftState, Health, Resource, Safe, SyncState, VerdictSource,
};

/// Why an object is as it is.
pub(super) fn object(target: &WishTarget, ctx: &Ctx<'_>, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    link(&mut page, &target.cluster, ctx);
    match ctx.fleet.resource(&target.cluster, &target.object) {
        Some(resource) => {
            states(&mut page, resource);
            changes(&mut page, resource, ctx);
            health(&mut page, resource);
            ignored(&mut page, resource);
        }
        None => {
            page.title("verdict");
            page.line(
                "We have not read this object: the engine names it, and its kind cannot be watched here or was not read yet.",
                Tone::Warn,
            );
        }
    }
    if let Some(app) = ctx.fleet.app(&target.app) {
        engine(&mut page, app, ctx);
        heals(&mut page, app);
    }
    page.lines()
}

/// What an object is that Git does not hold, because an owner made it in the cluster: whose it is, how it is, and which rule says so. `owners` are
/// those above it, the nearest first.
pub(super) fn owned(
    screen: &AppScreen,
    node: &Node,
    owners: &[&Node],
    ctx: &Ctx<'_>,
    width: usize,
) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    if let Some(cluster) = ctx.fleet.cluster_of(&screen.app) {
        link(&mut page, cluster, ctx);
    }
    page.title("what it is");
    page.line(
        "Git does not hold it: an owner made it in the cluster.",
        Tone::Plain,
    );
    page.line(
        "It cannot drift, and it changes with its owner.",
        Tone::Plain,
    );
    let made = owners
        .iter()
        .filter(|owner| !matches!(owner.part, Part::App(_)));
    for (above, owner) in made.enumerate() {
        let label = if above == 0 { "made by" } else { "itself by" };
        page.fact(label, owner.object.to_string(), Tone::Plain);
    }
    page.fact("part of", screen.app.name.to_string(), Tone::Plain);
    if let Some(at) = node.created {
        page.fact("made", moment(at, ctx.now), Tone::Plain);
    }
    if !node.fact.is_empty() {
        page.fact("state", node.fact.clone(), Tone::Plain);
    }
    summary::health_of(&mut page, node);
    page.lines()
}

/// Why an application is as it is.
pub(super) fn app(id: &AppRef, ctx: &Ctx<'_>, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    let Some(row) = ctx.fleet.app_row(id) else {
        page.line("This application is not known any more.", Tone::Warn);
        return page.lines();
    };
    match &row.cluster {
        Some(cluster) => link(&mut page, cluster, ctx),
        None => {
            page.title("destination");
            page.line(
                "Its destination is no cluster of the kubeconfig: add a context, or an [[alias]] in config.toml.",
                Tone::Bad,
            );
        }
    }
    page.title("verdict");
    let who = match row.verdict.source {
        VerdictSource::Computed => "we compared Git with every object ourselves",
        VerdictSource::Server => "the server's dry run",
        VerdictSource::Argo => "Argo CD's word: we have no verdict of our own",
        VerdictSource::Flux => "Flux's word: we have no verdict of our own",
        VerdictSource::ArgoApi => "we compared what Argo CD's API says is wanted with every object",
        VerdictSource::LastApplied => "we compared what was last applied with the object",
    };
    let tone = match row.verdict.state {
        SyncState::Synced => Tone::Good,
        SyncState::OutOfSync => Tone::Bad,
        SyncState::Unknown => Tone::Warn,
    };
    page.fact("sync", sync_word(row.verdict.state), tone);
    page.fact("who says so", who, Tone::Plain);
    if let Some(at) = row.verdict.at {
        page.fact("compared", moment(at, ctx.now), Tone::Plain);
    }
    for words in [&row.unjudged, &row.disagreement].into_iter().flatten() {
        page.fact("", words.clone(), Tone::Warn);
    }
    for resource in ctx.fleet.resources_of(id) {
        if resource.verdict.is_drift() {
            let text = format!("{}  {}", resource.object, resource.verdict.summary);
            page.fact("drifted", text, Tone::Bad);
        }
    }
    page.title("health");
    let words = if row.health_is_ours {
        "the worst of its objects, seen by us"
    } else {
        "the engine's word"
    };
    let tone = match row.health {
        Health::Degraded | Health::Missing => Tone::Bad,
        Health::Healthy => Tone::Good,
        _ => Tone::Plain,
    };
    page.fact(format!("{:?}", row.health), words, tone);
    for resource in ctx.fleet.resources_of(id) {
        if let Some((health @ (Health::Degraded | Health::Missing), words)) = &resource.health {
            page.fact(
                "",
                format!("{} {health:?}: {words}", resource.object),
                Tone::Bad,
            );
        }
    }
    engine(&mut page, &row.app, ctx);
    heals(&mut page, &row.app);
    page.lines()
}

/// Why a cluster is as it is.
pub(super) fn cluster(id: &ClusterId, ctx: &Ctx<'_>, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    link(&mut page, id, ctx);
    let Some(row) = ctx.rows.cluster(id) else {
        return page.lines();
    };
    page.title("what needs somebody");
    let mut calm = row.warning.is_none();
    if let Some(warning) = &row.warning {
        page.line(warning.sentence(), Tone::Bad);
    }
    for (n, words) in [
        (row.health.degraded, "have failed"),
        (row.health.missing, "are missing"),
        (row.drift, "differ from Git"),
    ] {
        if n > 0 {
            calm = false;
            page.line(format!("{} {words}", plural(n, "object")), Tone::Bad);
        }
    }
    for (n, words) in [
        (row.out_of_sync, "are out of sync"),
        (row.unknown, "could not be judged"),
    ] {
        if n > 0 {
            calm = false;
            page.line(format!("{} {words}", plural(n, "application")), Tone::Warn);
        }
    }
    if calm && row.state.is_current() {
        page.line("Nothing.", Tone::Good);
    } else if !row.state.is_current() {
        page.line(
            "What is known is old: nothing of it counts as good.",
            Tone::Warn,
        );
    }
    if let Some(cluster) = ctx.fleet.cluster(id) {
        for permission in cluster.permissions.iter().filter(|p| !p.allowed) {
            page.fact("may not", permission.what.clone(), Tone::Warn);
        }
        for (gvk, why) in &cluster.unread_kinds {
            page.fact(Safe::new(&gvk.kind), why.clone(), Tone::Warn);
        }
    }
    page.lines()
}

fn link(page: &mut Page, id: &ClusterId, ctx: &Ctx<'_>) {
    page.title(format!("link to {id}"));
    let Some(row) = ctx.rows.cluster(id) else {
        page.line("This row is carried by another one now.", Tone::Warn);
        return;
    };
    if row.state.is_current() {
        page.line("It answers: what is shown is current.", Tone::Good);
        return;
    }
    let since = row.since.and_then(|at| age(ctx.now, at));
    let since = since.map_or(String::new(), |age| format!(" for {age}"));
    page.line(format!("{}{since}", link_word(row.state)), Tone::Bad);
    if let Some(why) = row.why_not_current() {
        page.line(why, Tone::Bad);
    }
    let keys = ctx.keys(Place::Cluster, Action::Retry);
    page.line(
        format!("What is shown of it is old. {keys} on its own screen connects again now."),
        Tone::Info,
    );
}

fn states(page: &mut Page, resource: &Resource) {
    page.title("verdict");
    if resource.verdict.states.is_empty() {
        page.line("It is as Git wants it.", Tone::Good);
    }
    for state in &resource.verdict.states {
        let words = match state {
            DriftState::Edited => {
                "edited: live differs from the deployed revision; somebody or something changed it"
            }
            DriftState::Missing => {
                "missing: the deployed revision has it, and the cluster does not"
            }
            DriftState::Extra => {
                "extra: it claims to belong to the application, and Git does not have it"
            }
            DriftState::Behind => "behind: Git moved on, and the new revision is not deployed yet",
            DriftState::Unknown => "unknown: it could not be judged",
        };
        page.line(words, Tone::Bad);
    }
    if let Some(words) = &resource.verdict.message {
        page.line(words.clone(), Tone::Warn);
    }
    let (repo, revision, path) = &resource.desired;
    if !repo.is_empty() {
        let short: String = revision.chars().take(8).collect();
        page.fact("Git", format!("{path} at {short} in {repo}"), Tone::Plain);
    }
}

fn changes(page: &mut Page, resource: &Resource, ctx: &Ctx<'_>) {
    if resource.verdict.changes.is_empty() {
        return;
    }
    page.title("who changed it");
    for change in &resource.verdict.changes {
        let path = if change.path.is_empty() {
            "the whole object"
        } else {
            &change.path
        };
        page.line(path.to_owned(), Tone::Plain);
        let Some(owner) = &change.owner else {
            page.line("  nobody is recorded for it", Tone::Dim);
            continue;
        };
        let when = owner
            .time
            .map_or(String::new(), |at| format!(" at {}", moment(at, ctx.now)));
        let guess = if change.owner_inferred {
            "likely, as the newest writer: "
        } else {
            ""
        };
        page.line(
            format!(
                "  {guess}{} ({}){when}: a tool's name, not a person's",
                owner.manager, owner.operation
            ),
            Tone::Dim,
        );
    }
}

fn health(page: &mut Page, resource: &Resource) {
    let Some((health, words)) = &resource.health else {
        return;
    };
    page.title("health");
    let tone = match health {
        Health::Degraded | Health::Missing => Tone::Bad,
        Health::Healthy => Tone::Good,
        _ => Tone::Plain,
    };
    let words = if words.is_empty() {
        Safe::fixed("by its own status")
    } else {
        words.clone()
    };
    page.fact(format!("{health:?}"), words, tone);
}

fn ignored(page: &mut Page, resource: &Resource) {
    if resource.verdict.ignored.is_empty() {
        return;
    }
    page.title("what differs and does not count");
    for ignored in &resource.verdict.ignored {
        page.line(ignored.path.clone(), Tone::Plain);
        page.line(format!("  {}", ignored.reason), Tone::Dim);
    }
}

fn engine(page: &mut Page, app: &Application, ctx: &Ctx<'_>) {
    page.title(format!("what {} says", app.id.hub));
    let compared = app
        .reconciled_at
        .and_then(|at| age(ctx.now, at))
        .map_or(String::new(), |age| format!(", compared {age} ago"));
    page.fact(
        "sync",
        format!("{}{compared}", sync_word(app.sync)),
        Tone::Plain,
    );
    page.fact("health", format!("{:?}", app.health), Tone::Plain);
    if let Some(words) = &app.message {
        page.fact("", words.clone(), Tone::Warn);
    }
    if let Some(operation) = &app.operation {
        let text = format!("{:?}: {}", operation.phase, operation.message);
        page.fact("last sync", text, Tone::Plain);
    }
    if app.skip_reconcile {
        page.line(
            "skip-reconcile is set: its word is frozen and operations are ignored.",
            Tone::Warn,
        );
    }
}

/// Whether anybody puts it back without being asked, and what then helps.
fn heals(page: &mut Page, app: &Application) {
    page.title("what happens next");
    let words = match (app.auto_sync.enabled, app.auto_sync.self_heal) {
        (false, _) => "Auto-sync is off: nobody puts it back until somebody reverts or syncs it.",
        (true, false) => {
            "Auto-sync is on and self-heal is off: it stays so until Git changes, or somebody reverts it."
        }
        (true, true) => {
            "Self-heal is on: the engine puts it back by itself. When it comes back again and again, something else writes these fields."
        }
    };
    page.line(words, Tone::Plain);
}

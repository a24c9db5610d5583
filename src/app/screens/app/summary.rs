//! The summary of a node: verdict and whose word it is, health and whose rule it is, what changed and who did it, where it comes from.

use jiff::Timestamp;
use serde_json::Value;

use super::AppScreen;
use crate::app::age::{age, moment};
use crate::app::asked::sync_word;
use crate::app::screens::Ctx;
use crate::app::screens::drift::plural;
use crate::app::sheet::{Page, SheetLine, Sign, Tone};
use crate::app::tree::{Node, Part};
use crate::app::words::{owner, revision as short_revision, says};
use crate::domain::{Application, Change, Health, Resource, Safe, Verdict, Warning};
use crate::fleet::AppRow;

/// Changes that are written out.
const CHANGES: usize = 12;
/// Characters of a value.
const VALUE: usize = 60;
/// Objects that are named.
const NAMED: usize = 12;

pub(super) fn lines(screen: &AppScreen, ctx: &Ctx<'_>, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    let dark = screen.dark(ctx);
    if let Some(why) = &dark {
        page.line(why.clone(), Tone::Bad);
        page.line("What is shown of it is old.", Tone::Warn);
    }
    let row = ctx.fleet.app_row(&screen.app);
    match (screen.node(), &row) {
        (Some(node), Some(row)) if matches!(node.part, Part::App(_)) => {
            application(&mut page, row, ctx);
            figures(&mut page, row, ctx);
        }
        (Some(node), Some(row)) => object(&mut page, screen, node, row, ctx),
        _ => page.line("This application is not known any more.", Tone::Warn),
    }
    let mut lines = page.lines();
    if dark.is_some() {
        for line in &mut lines {
            line.sign = line.sign.take().map(Sign::aged);
        }
    }
    lines
}

fn object(page: &mut Page, screen: &AppScreen, node: &Node, row: &AppRow, ctx: &Ctx<'_>) {
    let cluster = ctx.fleet.cluster_of(&screen.app);
    let ours = cluster.and_then(|id| ctx.fleet.resource(id, &node.object));
    verdict(page, node, ours.map(|r| &**r));
    hub(page, node, &row.app, ctx);
    health_of(page, node);
    if let Some(ours) = ours {
        if let Some(words) = &ours.verdict.message {
            page.line(words.clone(), Tone::Warn);
        }
        if !ours.verdict.changes.is_empty() {
            page.title("what changed");
        }
        changes(page, &ours.verdict, ctx.now);
        origin(page, ours);
    }
    owned(page, screen, node, ctx);
}

/// Our verdict, and who says it.
fn verdict(page: &mut Page, node: &Node, ours: Option<&Resource>) {
    match (node.part, ours) {
        (Part::Judged(state), Some(ours)) => {
            let words = says(ours.verdict.source);
            page.state("sync", Sign::Drift(state), words);
        }
        (Part::Named(Some(state)), _) => {
            let words = "the engine says so; we have not judged it";
            page.state("sync", Sign::Sync(state), words);
        }
        (Part::Named(None), _) => page.fact(
            "sync",
            "the engine names it and says nothing of it; we have not judged it",
            Tone::Dim,
        ),
        _ => page.fact("sync", "Git does not hold it: its owner made it", Tone::Dim),
    }
}

/// The hub's word, where it is another.
fn hub(page: &mut Page, node: &Node, app: &Application, ctx: &Ctx<'_>) {
    let Some(word) = node.hub else {
        return;
    };
    let compared = app.reconciled_at.and_then(|at| age(ctx.now, at));
    let compared = compared.map_or(String::new(), |age| format!(" (compared {age} ago)"));
    let words = format!(
        "{} says {}{compared}: not what we see",
        app.id.hub,
        sync_word(word)
    );
    page.fact("hub", words, Tone::Warn);
}

/// The health, the rule that told it, and its words.
pub(in crate::app) fn health_of(page: &mut Page, node: &Node) {
    let Some((health, words)) = &node.health else {
        page.fact("health", "its kind has none", Tone::Dim);
        return;
    };
    let by = match (&node.health_by, node.part) {
        (Some(rule), _) => format!("by {rule}"),
        (None, Part::Named(_)) => "the engine says so".to_owned(),
        (None, _) if *health == Health::Missing => "seen by us".to_owned(),
        (None, _) => "by Argo CD's own check".to_owned(),
    };
    page.state("health", Sign::Health(*health), by);
    if !words.is_empty() {
        let tone = match health {
            Health::Degraded | Health::Missing => Tone::Bad,
            Health::Healthy => Tone::Dim,
            _ => Tone::Warn,
        };
        page.fact("", words.clone(), tone);
    }
}

/// The counted changes with who made them, what a sync would bring, how much does not count.
pub(super) fn changes(page: &mut Page, verdict: &Verdict, now: Timestamp) {
    for change in verdict.changes.iter().take(CHANGES) {
        page.line(said(change), Tone::Warn);
        let by = owner(change.owner.as_ref(), change.owner_inferred, now);
        page.line(format!("  {by}"), Tone::Dim);
    }
    let rest = verdict.changes.len().saturating_sub(CHANGES);
    if rest > 0 {
        page.line(format!("and {} more", plural(rest, "change")), Tone::Dim);
    }
    if !verdict.behind.is_empty() {
        let changes = plural(verdict.behind.len(), "change");
        page.line(
            format!("Git moved on: {changes} not deployed yet"),
            Tone::Info,
        );
    }
    if !verdict.ignored.is_empty() {
        let words = format!("{} more differ and do not count", verdict.ignored.len());
        page.line(words, Tone::Dim);
    }
}

/// `spec.replicas  3 → 1`
fn said(change: &Change) -> String {
    let path = if change.path.is_empty() {
        "the whole object"
    } else {
        &change.path
    };
    match (&change.desired, &change.live) {
        (Some(_), None) if change.path.is_empty() => format!("{path} is missing"),
        (None, Some(_)) if change.path.is_empty() => format!("{path} is not in Git"),
        (desired, live) => format!(
            "{path}  {} → {}",
            short(desired.as_ref()),
            short(live.as_ref())
        ),
    }
}

fn short(value: Option<&Value>) -> String {
    let text = match value {
        None => return "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut cut: String = text.chars().take(VALUE).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

/// Where it comes from.
fn origin(page: &mut Page, ours: &Resource) {
    let (repo, revision, path) = &ours.desired;
    page.title("where it comes from");
    if repo.is_empty() {
        page.line("Git does not have it at the deployed revision.", Tone::Dim);
    } else {
        page.fact(
            "git",
            format!("{path} at {}", short_revision(revision)),
            Tone::Plain,
        );
        page.fact("", repo.to_string(), Tone::Dim);
    }
    if !ours.resource_version.is_empty() {
        page.fact("version", ours.resource_version.to_string(), Tone::Plain);
    }
}

/// Its owner, what it says of itself, its age, and what hangs under it.
fn owned(page: &mut Page, screen: &AppScreen, node: &Node, ctx: &Ctx<'_>) {
    let above = screen.nodes.iter().take_while(|n| n.object != node.object);
    let owner = above.filter(|n| n.depth < node.depth).last();
    if let Some(owner) = owner.filter(|_| node.part == Part::Owned) {
        page.fact("owner", owner.name(), Tone::Plain);
    }
    if !node.fact.is_empty() {
        page.fact("state", node.fact.clone(), Tone::Plain);
    }
    if let Some(at) = node.created {
        let old = age(ctx.now, at).map_or(String::new(), |age| format!(", {age} ago"));
        page.fact("made", format!("{}{old}", moment(at, ctx.now)), Tone::Plain);
    }
    if node.below > 0 {
        page.fact("below", plural(node.below, "object"), Tone::Plain);
    }
}

fn application(page: &mut Page, row: &AppRow, ctx: &Ctx<'_>) {
    let app = &row.app;
    page.state(
        "sync",
        Sign::Sync(row.verdict.state),
        says(row.verdict.source),
    );
    if app.sync != row.verdict.state {
        let words = format!("{} says {}", app.id.hub, sync_word(app.sync));
        page.fact("hub", words, Tone::Warn);
    }
    let by = if row.health_is_ours {
        "the worst of its objects, seen by us"
    } else {
        "the engine says so"
    };
    page.state("health", Sign::Health(row.health), by);
    warnings(page, row, ctx);
    source(page, row);
    last_operation(page, app, ctx.now);
    needing(page, row, ctx);
}

/// What somebody should know of it, each thing once.
fn warnings(page: &mut Page, row: &AppRow, ctx: &Ctx<'_>) {
    let warnings = ctx.fleet.warnings(&row.app.id, ctx.now);
    for words in [&row.disagreement, &row.unjudged, &row.app.message]
        .into_iter()
        .flatten()
    {
        let repeated = |w: &Warning| w.text.as_str().contains(words.as_str());
        if !warnings.iter().any(repeated) {
            page.line(words.clone(), Tone::Warn);
        }
    }
    for warning in &warnings {
        page.line(warning.sentence(), Tone::Warn);
    }
}

fn source(page: &mut Page, row: &AppRow) {
    let app = &row.app;
    page.title("where it comes from");
    for source in app.sources.iter().take(3) {
        let target = if source.target_revision.is_empty() {
            "HEAD"
        } else {
            &source.target_revision
        };
        let place = if source.chart.is_empty() {
            &source.path
        } else {
            &source.chart
        };
        page.fact("git", format!("{place} at {target}"), Tone::Plain);
        page.fact("", source.repo_url.to_string(), Tone::Dim);
    }
    let deployed = app
        .deployed_revision()
        .map_or(Safe::fixed("never"), |d| short_revision(&d.revision));
    let behind = row.newest.as_deref().filter(|n| n.is_behind());
    let behind = behind.map_or(String::new(), |newest| {
        format!(", {} behind", plural(newest.count.max(1), "commit"))
    });
    page.fact("deployed", format!("{deployed}{behind}"), Tone::Plain);
    let auto = match (app.auto_sync.enabled, app.auto_sync.self_heal) {
        (false, _) => "manual: nobody syncs it by itself",
        (true, false) => "on, without self-heal",
        (true, true) => "on, with self-heal",
    };
    page.fact("auto-sync", auto, Tone::Plain);
}

fn last_operation(page: &mut Page, app: &Application, now: Timestamp) {
    let Some(operation) = &app.operation else {
        return;
    };
    let at = operation.finished_at.or(operation.started_at);
    let when = at.map_or(String::new(), |at| format!("  {}", moment(at, now)));
    let by = if operation.initiated_by.is_empty() {
        String::new()
    } else {
        format!(" by {}", operation.initiated_by)
    };
    page.fact(
        "last sync",
        format!("{:?}{when}{by}", operation.phase),
        Tone::Plain,
    );
    if !operation.message.is_empty() {
        page.fact("", operation.message.clone(), Tone::Dim);
    }
}

/// The objects that need somebody, with why.
fn needing(page: &mut Page, row: &AppRow, ctx: &Ctx<'_>) {
    let resources = ctx.fleet.resources_of(&row.app.id);
    let failing = |r: &Resource| matches!(&r.health, Some((Health::Degraded | Health::Missing, _)));
    let needing: Vec<_> = resources
        .iter()
        .filter(|r| r.verdict.is_drift() || failing(r))
        .collect();
    page.title(format!(
        "{}, {} somebody",
        plural(resources.len(), "object"),
        match needing.len() {
            0 => "none needs".to_owned(),
            1 => "1 needs".to_owned(),
            n => format!("{n} need"),
        }
    ));
    for resource in needing.iter().take(NAMED) {
        let words = resource.health.as_ref().filter(|_| failing(resource));
        let words = words.map_or(Safe::default(), |(health, words)| {
            format!("  {health:?} {words}").into()
        });
        let summary = &resource.verdict.summary;
        page.line(format!("{}  {summary}{words}", resource.object), Tone::Warn);
    }
}

/// What was scraped of it.
fn figures(page: &mut Page, row: &AppRow, ctx: &Ctx<'_>) {
    let cluster = row.cluster.as_ref().and_then(|id| ctx.rows.cluster(id));
    let Some(metrics) = cluster.and_then(|cluster| cluster.metrics.as_deref()) else {
        return;
    };
    let name = Safe::new(&row.app.id.name);
    let own = metrics.by_app.iter().find(|(app, _)| *app == name);
    if let Some((_, figures)) = own.filter(|(_, figures)| !figures.is_empty()) {
        page.title("metrics");
        figures.iter().for_each(|figure| page.figure(figure));
    }
}

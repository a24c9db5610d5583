//! The tabs as lines: what there is, what is still being read, why something cannot be, and which key helps.

use super::{AppScreen, Tab, summary};
use crate::app::action::Action;
use crate::app::age::age;
use crate::app::inquiry::Inquiry;
use crate::app::screens::Ctx;
use crate::app::screens::drift::plural;
use crate::app::sheet::{Page, SheetLine, Sign, Tone};
use crate::app::tell;
use crate::app::tree::Part;
use crate::app::words::says;
use crate::domain::{ClusterMetrics, Safe};
use crate::view::place::Place;

/// The lines of the tab that is seen.
pub(super) fn lines(screen: &AppScreen, ctx: &Ctx<'_>, width: usize) -> Vec<SheetLine> {
    let mut page = Page::new(width);
    match screen.detail.tab {
        Tab::Summary => return summary::lines(screen, ctx, width),
        Tab::Diff if screen.detail.diff.is_some() => {}
        Tab::Diff => differences(&mut page, screen, ctx),
        Tab::Events => return events(screen, ctx, page, width),
        Tab::History => return history(screen, ctx, page, width),
        Tab::Metrics => metrics(&mut page, screen, ctx),
        Tab::Live | Tab::Desired | Tab::Applied => return document(screen, ctx, page),
    }
    page.lines()
}

/// What the difference of an object that has none says: everything of the application that drifted.
fn differences(page: &mut Page, screen: &AppScreen, ctx: &Ctx<'_>) {
    if screen.node().is_some_and(|n| n.part == Part::Owned) {
        page.line(
            "Git does not hold it: its owner made it in the cluster.",
            Tone::Dim,
        );
        return;
    }
    let resources = ctx.fleet.resources_of(&screen.app);
    let drifted: Vec<_> = resources.iter().filter(|r| r.verdict.is_drift()).collect();
    if drifted.is_empty() {
        page.line(
            "Nothing of it has drifted, as far as it is judged.",
            Tone::Dim,
        );
        return;
    }
    for resource in &drifted {
        page.title(resource.object.to_string());
        let state = Sign::Drift(resource.verdict.main_state());
        page.state("sync", state, says(resource.verdict.source));
        summary::changes(page, &resource.verdict, ctx.now);
    }
    let keys = ctx.keys(Place::App, Action::PreviousPane);
    page.line("", Tone::Plain);
    page.line(
        format!("Choose one of them in the tree ({keys}) for the whole difference."),
        Tone::Info,
    );
}

fn events(screen: &AppScreen, ctx: &Ctx<'_>, mut page: Page, width: usize) -> Vec<SheetLine> {
    match &screen.detail.events {
        Inquiry::Here(events) if !events.is_empty() => {
            return tell::event_lines(events, width, ctx.now);
        }
        Inquiry::Here(_) => page.line(
            "No event is kept of it: clusters keep them for an hour or so.",
            Tone::Dim,
        ),
        Inquiry::Asking(_) => page.line("Reading its events…", Tone::Dim),
        Inquiry::Failed(why) => refused(&mut page, why, Action::Events, ctx),
        Inquiry::Idle => unasked(&mut page, screen.dark(ctx), ctx),
    }
    page.lines()
}

/// Deployments with the commits behind them, what is not deployed yet, and what was committed before.
fn history(screen: &AppScreen, ctx: &Ctx<'_>, mut page: Page, width: usize) -> Vec<SheetLine> {
    let Some(row) = ctx.fleet.app_row(&screen.app) else {
        page.line("This application is not known any more.", Tone::Warn);
        return page.lines();
    };
    let commits = match &screen.detail.commits {
        Inquiry::Here(commits) => commits.as_slice(),
        _ => &[],
    };
    let mut lines = tell::history(&row.app, commits, ctx.now, width);
    if let Some(newest) = row.newest.as_deref().filter(|n| n.is_behind()) {
        page.title(format!(
            "not deployed yet: {}",
            plural(newest.count.max(1), "commit")
        ));
        tell::commits(&mut page, &newest.commits, ctx.now);
    }
    match &screen.detail.commits {
        Inquiry::Here(_) => {
            page.title("commits up to what is deployed");
            tell::commits(&mut page, commits, ctx.now);
        }
        Inquiry::Asking(_) => page.line("Reading the commits…", Tone::Dim),
        Inquiry::Failed(why) => refused(&mut page, why, Action::History, ctx),
        Inquiry::Idle => {}
    }
    lines.push(SheetLine::default());
    lines.extend(page.lines());
    lines
}

/// What the scrapes gave for the application, and for its cluster.
fn metrics(page: &mut Page, screen: &AppScreen, ctx: &Ctx<'_>) {
    let cluster = ctx.fleet.cluster_of(&screen.app);
    let row = cluster.and_then(|id| ctx.rows.cluster(id));
    let Some(metrics) = row.and_then(|row| row.metrics.as_deref()) else {
        page.line(
            "Nothing was scraped on its cluster: no ServiceMonitor or PodMonitor was found, or none was read yet.",
            Tone::Dim,
        );
        return;
    };
    if let Some(why) = screen.dark(ctx) {
        page.line(format!("{why} These figures are old."), Tone::Warn);
    }
    scraped(page, metrics, ctx);
    let name = Safe::new(&screen.app.name);
    let own = metrics.by_app.iter().find(|(app, _)| *app == name);
    page.title(name.clone());
    match own.filter(|(_, figures)| !figures.is_empty()) {
        Some((_, figures)) => figures.iter().for_each(|figure| page.figure(figure)),
        None => page.line(
            "No endpoint that was scraped names this application.",
            Tone::Dim,
        ),
    }
    if let Some(cluster) = cluster.filter(|_| !metrics.figures.is_empty()) {
        page.title(format!("all of {cluster}"));
        metrics
            .figures
            .iter()
            .for_each(|figure| page.figure(figure));
    }
}

/// `2 of 3 endpoints answered, 41s ago`
fn scraped(page: &mut Page, metrics: &ClusterMetrics, ctx: &Ctx<'_>) {
    let ago = metrics.scraped_at.and_then(|at| age(ctx.now, at));
    let ago = ago.map_or(String::new(), |age| format!(", {age} ago"));
    let endpoints = plural(metrics.targets, "endpoint");
    let tone = if metrics.targets_up < metrics.targets {
        Tone::Warn
    } else {
        Tone::Dim
    };
    let words = format!("{} of {endpoints} answered{ago}", metrics.targets_up);
    page.line(words, tone);
    if let Some(message) = &metrics.message {
        page.line(message.clone(), Tone::Warn);
    }
}

fn document(screen: &AppScreen, ctx: &Ctx<'_>, mut page: Page) -> Vec<SheetLine> {
    match (&screen.detail.yaml, screen.detail.tab) {
        (Inquiry::Here(yaml), Tab::Desired) => return tell::document(&yaml.desired),
        (Inquiry::Here(yaml), Tab::Applied) => return tell::applied(yaml),
        (Inquiry::Here(yaml), _) => return tell::document(&yaml.live),
        (Inquiry::Asking(_), _) => {
            page.line("Reading it from its cluster and from Git…", Tone::Dim)
        }
        (Inquiry::Failed(why), _) => refused(&mut page, why, Action::Yaml, ctx),
        (Inquiry::Idle, _) => unasked(&mut page, screen.silent_document(ctx), ctx),
    }
    page.lines()
}

/// Why an answer did not come, and what asks again.
fn refused(page: &mut Page, why: &Safe, again: Action, ctx: &Ctx<'_>) {
    page.line(why.clone(), Tone::Bad);
    let keys = ctx.keys(Place::App, again);
    page.line(format!("{keys} asks again."), Tone::Info);
}

/// Why nobody was asked.
fn unasked(page: &mut Page, silent: Option<Safe>, ctx: &Ctx<'_>) {
    match silent {
        Some(why) => {
            page.line(why, Tone::Bad);
            let keys = ctx.keys(Place::App, Action::GoCluster);
            let words = format!("It is not read until the cluster answers; {keys} shows its link.");
            page.line(words, Tone::Info);
        }
        None => page.line("It is read in a moment.", Tone::Dim),
    }
}

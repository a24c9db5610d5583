//! One cluster: its link and credentials, its nodes and controllers, what may be done there, and what the link went through.

use jiff::Timestamp;

use super::{AppsScreen, Ctx, DriftScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::age::{age, moment};
use crate::app::asked::link_word;
use crate::app::inquiry::{Answer, ClusterDetail, Inquiry, Question};
use crate::app::list::Step;
use crate::app::msg::{Effect, Notice, PlanWish, WishTarget};
use crate::app::sheet::{Page, SheetLine, Tone};
use crate::domain::{ClusterId, ConnectionFacts, Engine, LinkState, Safe};
use crate::fleet::{Cluster, ClusterRow, Story, StoryKind, Tenor};
use crate::view::place::Place;

/// A certificate or token that ends within this many days is worth a look.
const SOON: i64 = 30;
/// A clock that is off by more than this many seconds spoils tokens and times.
const SKEW: i64 = 5;

/// State of the screen of one cluster.
#[derive(Debug)]
pub struct ClusterScreen {
    /// Which one.
    pub id: ClusterId,
    /// What was asked of it.
    pub detail: Inquiry<Box<ClusterDetail>>,
    /// The first visible line.
    pub top: usize,
}

impl ClusterScreen {
    /// The screen of one cluster.
    pub fn new(id: ClusterId) -> Self {
        Self {
            id,
            detail: Inquiry::Idle,
            top: 0,
        }
    }

    /// The order for what the watches do not bring; nothing while the cluster does not answer.
    pub fn opened(&mut self, ask: u64, ctx: &Ctx<'_>) -> Vec<Effect> {
        let answers = ctx
            .rows
            .cluster(&self.id)
            .is_some_and(|r| r.state.is_current());
        if !answers || matches!(self.detail, Inquiry::Asking(_)) {
            return Vec::new();
        }
        self.detail = Inquiry::Asking(ask);
        vec![Effect::Ask {
            ask,
            question: Question::Cluster(self.id.clone()),
        }]
    }

    /// Takes an answer; one to another question is dropped.
    pub fn answer(&mut self, ask: u64, result: &Result<Answer, Safe>) {
        if !self.detail.waits_for(ask) {
            return;
        }
        self.detail = match result {
            Ok(Answer::Cluster(detail)) => Inquiry::Here(detail.clone()),
            Ok(_) => Inquiry::Idle,
            Err(why) => Inquiry::Failed(why.clone()),
        };
    }

    /// Both columns, or all in the first one where there is room for one only.
    pub fn pages(&self, ctx: &Ctx<'_>) -> [Vec<SheetLine>; 2] {
        let shape = ctx.shape(Place::Cluster);
        let mut left = Page::new(usize::from(shape.main.w.saturating_sub(3)));
        let Some((row, cluster)) = ctx.rows.cluster(&self.id).zip(ctx.fleet.cluster(&self.id))
        else {
            left.line("This cluster is carried by another row now.", Tone::Warn);
            return [left.lines(), Vec::new()];
        };
        link(&mut left, row, cluster, ctx);
        self.asked(&mut left, row);
        self.credentials(&mut left, ctx.now);
        server(&mut left, row, cluster.facts.as_ref());
        self.nodes(&mut left);
        self.controllers(&mut left);
        match shape.detail {
            Some(area) => {
                let mut right = Page::new(usize::from(area.w.saturating_sub(4)));
                rights(&mut right, cluster);
                log(&mut right, &self.id, ctx);
                [left.lines(), right.lines()]
            }
            None => {
                rights(&mut left, cluster);
                log(&mut left, &self.id, ctx);
                [left.lines(), Vec::new()]
            }
        }
    }

    /// How many lines the longer column has.
    pub fn drawn(&self, ctx: &Ctx<'_>) -> usize {
        self.pages(ctx).iter().map(Vec::len).max().unwrap_or(0)
    }

    fn asked(&self, page: &mut Page, row: &ClusterRow) {
        match &self.detail {
            Inquiry::Idle if !row.state.is_current() => {
                page.line(
                    "Nodes, controllers and clock are not read while the cluster does not answer.",
                    Tone::Dim,
                );
            }
            Inquiry::Asking(_) => page.line("Reading nodes, controllers and clock…", Tone::Dim),
            Inquiry::Failed(why) => page.line(why.clone(), Tone::Bad),
            Inquiry::Idle | Inquiry::Here(_) => {}
        }
    }

    fn here(&self) -> Option<&ClusterDetail> {
        match &self.detail {
            Inquiry::Here(detail) => Some(detail),
            _ => None,
        }
    }

    fn credentials(&self, page: &mut Page, now: Timestamp) {
        let Some(detail) = self.here() else {
            return;
        };
        page.title("credentials and clock");
        page.fact("proof", detail.credential.clone(), Tone::Plain);
        for (label, ends) in [
            ("certificate", detail.certificate_ends),
            ("token", detail.token_ends),
        ] {
            if let Some(ends) = ends {
                let (words, tone) = until(ends, now);
                page.fact(label, words, tone);
            }
        }
        if detail.insecure {
            page.fact(
                "trust",
                "the server's certificate is not checked: anybody on the way can read and answer",
                Tone::Bad,
            );
        }
        let (words, tone) = skew(detail);
        page.fact("clock", words, tone);
        let trip = format!(
            "{} ms, {} open",
            detail.round_trip.as_millis(),
            super::drift::plural(detail.connections, "connection")
        );
        page.fact("round trip", trip, Tone::Plain);
    }

    fn nodes(&self, page: &mut Page) {
        let Some(detail) = self.here() else {
            return;
        };
        match &detail.nodes {
            Err(why) => {
                page.title("nodes");
                page.line(why.clone(), Tone::Warn);
            }
            Ok(nodes) => {
                let down = nodes.iter().filter(|n| !n.ready).count();
                page.title(match down {
                    0 => format!("nodes {}", nodes.len()),
                    n => format!("nodes {}, {n} not ready", nodes.len()),
                });
                for node in nodes {
                    let remarks: Vec<&str> = node.remarks.iter().map(Safe::as_str).collect();
                    let (word, tone) = match (node.ready, remarks.is_empty()) {
                        (false, _) => ("not ready", Tone::Bad),
                        (true, false) => ("ready", Tone::Warn),
                        (true, true) => ("ready", Tone::Plain),
                    };
                    let text = format!(
                        "{}  {word}  {}  {}",
                        node.name,
                        node.version,
                        remarks.join(", ")
                    );
                    page.line(Safe::from(text.trim_end().to_owned()), tone);
                }
            }
        }
    }

    fn controllers(&self, page: &mut Page) {
        let Some(detail) = self.here() else {
            return;
        };
        page.title("controllers");
        match &detail.controllers {
            Err(why) => page.line(why.clone(), Tone::Warn),
            Ok(list) if list.is_empty() => {
                page.line("No controller of Argo CD or Flux runs here.", Tone::Dim);
            }
            Ok(list) => {
                for one in list {
                    let tone = if one.ready < one.wanted {
                        Tone::Bad
                    } else {
                        Tone::Plain
                    };
                    page.line(
                        format!("{}  {}/{}  {}", one.name, one.ready, one.wanted, one.image),
                        tone,
                    );
                }
            }
        }
    }
}

fn link(page: &mut Page, row: &ClusterRow, cluster: &Cluster, ctx: &Ctx<'_>) {
    page.title("link");
    let tone = match row.state {
        LinkState::Live => Tone::Good,
        LinkState::Slow => Tone::Warn,
        LinkState::Connecting => Tone::Dim,
        _ => Tone::Bad,
    };
    let since = row.since.and_then(|then| age(ctx.now, then));
    let since = since.map_or(String::new(), |age| format!(" for {age}"));
    let since = if row.state == LinkState::Live {
        String::new()
    } else {
        since
    };
    page.fact("state", format!("{}{since}", link_word(row.state)), tone);
    if let Some(words) = &row.message {
        page.fact(
            "",
            words.clone(),
            if row.state.is_current() {
                Tone::Warn
            } else {
                Tone::Bad
            },
        );
    }
    if let Some(warning) = &row.warning {
        page.fact("engine", warning.sentence(), Tone::Bad);
    }
    if let Some(seen) = row.seen_at.filter(|_| !row.state.is_current()) {
        page.fact("last seen", moment(seen, ctx.now), Tone::Plain);
    }
    let help = match row.state {
        LinkState::Auth => Some((Action::Login, "logs in")),
        LinkState::Live | LinkState::Slow | LinkState::Connecting => None,
        _ => Some((Action::Retry, "connects again now")),
    };
    if let Some((action, does)) = help {
        let keys = ctx.keys(Place::Cluster, action);
        page.fact("", format!("{keys} {does}"), Tone::Info);
    }
    page.fact("server", row.server.clone(), Tone::Plain);
    let names: Vec<&str> = row.contexts.iter().map(Safe::as_str).collect();
    page.fact("contexts", names.join(", "), Tone::Plain);
    if !row.group.is_empty() {
        page.fact("group", row.group.clone(), Tone::Plain);
    }
    if cluster.dropped_events > 0 {
        let text = format!(
            "{} events were joined because the console was slower than the cluster",
            cluster.dropped_events
        );
        page.fact("dropped", text, Tone::Warn);
    }
}

fn server(page: &mut Page, row: &ClusterRow, facts: Option<&ConnectionFacts>) {
    page.title("server");
    let Some(facts) = facts else {
        page.line("Not known: it never answered.", Tone::Dim);
        return;
    };
    page.fact("version", facts.version.clone(), Tone::Plain);
    page.fact("acting as", facts.identity.clone(), Tone::Plain);
    let scope = if facts.namespace_scope.is_empty() {
        Safe::fixed("the whole cluster")
    } else {
        format!("namespace {} only", facts.namespace_scope).into()
    };
    page.fact("scope", scope, Tone::Plain);
    let engines: Vec<&str> = facts
        .engines
        .iter()
        .map(|e| match e {
            Engine::Argo => "Argo CD",
            Engine::Flux => "Flux",
        })
        .collect();
    let engines = if engines.is_empty() {
        "none; applications come from a hub".to_owned()
    } else {
        engines.join(", ")
    };
    page.fact("engines", engines, Tone::Plain);
    if !facts.uid.is_empty() {
        page.fact("identity", facts.uid.clone(), Tone::Dim);
    }
    let apps = format!(
        "{}, {} out of sync, {} not known; {} drifted",
        row.apps,
        row.out_of_sync,
        row.unknown,
        super::drift::plural(row.drift, "object")
    );
    let tone = if row.state.is_current() {
        Tone::Plain
    } else {
        Tone::Dim
    };
    page.fact("apps", apps, tone);
}

fn rights(page: &mut Page, cluster: &Cluster) {
    page.title("permissions");
    if cluster.permissions.is_empty() {
        page.line("Not known: the server was not asked yet.", Tone::Dim);
    }
    for permission in &cluster.permissions {
        if permission.allowed {
            page.fact("may", permission.what.clone(), Tone::Plain);
        } else {
            let words = format!("{}: {}", permission.what, permission.without);
            page.fact("may not", words, Tone::Warn);
        }
    }
    if !cluster.unread_kinds.is_empty() {
        page.title("kinds that cannot be read");
        for (gvk, why) in &cluster.unread_kinds {
            page.fact(Safe::new(&gvk.kind), why.clone(), Tone::Warn);
        }
    }
}

fn log(page: &mut Page, id: &ClusterId, ctx: &Ctx<'_>) {
    page.title("connection log");
    let mine = |s: &&Story| s.kind == StoryKind::Link && s.clusters.contains(id);
    let mut any = false;
    for story in ctx.fleet.stories().rev().filter(mine).take(50) {
        any = true;
        let tone = match story.tenor {
            Tenor::Bad => Tone::Bad,
            Tenor::Plain => Tone::Plain,
            Tenor::Good => Tone::Good,
        };
        page.fact(moment(story.at, ctx.now), story.what.clone(), tone);
    }
    if !any {
        page.line("No change yet.", Tone::Dim);
    }
}

fn skew(detail: &ClusterDetail) -> (Safe, Tone) {
    let Some(skew) = detail.skew else {
        return (Safe::fixed("the server sent no date"), Tone::Dim);
    };
    // A date has whole seconds, and the answer took its time: less than two seconds say nothing.
    let seconds = skew.as_secs();
    match seconds.abs() {
        0..2 => (Safe::fixed("agrees with ours"), Tone::Plain),
        off => {
            let side = if seconds > 0 { "ahead of" } else { "behind" };
            let tone = if off > SKEW { Tone::Bad } else { Tone::Plain };
            (format!("{off} s {side} ours").into(), tone)
        }
    }
}

fn until(ends: Timestamp, now: Timestamp) -> (Safe, Tone) {
    let hours = ends.duration_since(now).as_hours();
    let date = ends.strftime("%Y-%m-%d %H:%MZ");
    match hours {
        ..0 => (format!("ended {date}").into(), Tone::Bad),
        0..48 => (format!("ends in {hours} h, {date}").into(), Tone::Bad),
        _ => {
            let days = hours / 24;
            let tone = if days <= SOON {
                Tone::Warn
            } else {
                Tone::Plain
            };
            (format!("ends in {days} d, {date}").into(), tone)
        }
    }
}

impl Face for ClusterScreen {
    fn place(&self) -> Place {
        Place::Cluster
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, _at_once: bool) {
        self.top = self.top.min(self.drawn(ctx).saturating_sub(self.page(ctx)));
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        let end = self.drawn(ctx).saturating_sub(self.page(ctx));
        self.top = match step {
            Step::By(rows) => self.top.saturating_add_signed(rows).min(end),
            Step::First => 0,
            Step::Last => end,
        };
    }

    fn page(&self, ctx: &Ctx<'_>) -> usize {
        usize::from(ctx.shape(Place::Cluster).main.h).max(1)
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open => Next::Push(Box::new(Screen::Apps(AppsScreen::of(self.id.clone())))),
            Action::Diff => Next::Push(Box::new(Screen::Drift(DriftScreen::of(self.id.clone())))),
            Action::Retry
                if ctx
                    .rows
                    .cluster(&self.id)
                    .is_some_and(|r| r.state.is_current()) =>
            {
                Next::AskAgain
            }
            Action::Retry => Next::Order(vec![Effect::Retry(self.id.clone())]),
            Action::Login => super::fleet::login(&self.id, ctx),
            _ => Next::Ignored,
        }
    }

    fn crumb(&self) -> Safe {
        Safe::new(self.id.as_str())
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let group = ctx.rows.cluster(&self.id).map(|r| r.group.clone());
        match group.filter(|g| !g.is_empty()) {
            Some(group) => format!("{}  {group}", self.id).into(),
            None => Safe::new(self.id.as_str()),
        }
    }

    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let targets: Vec<WishTarget> = ctx
            .fleet
            .drift_of(&self.id)
            .map(|d| WishTarget {
                cluster: self.id.clone(),
                app: d.resource.app.clone(),
                object: d.resource.object.clone(),
            })
            .collect();
        if targets.is_empty() {
            return Err(Notice::info("Nothing has drifted there."));
        }
        Ok(PlanWish {
            targets,
            reason: format!("everything that drifted on {}", self.id).into(),
            ..PlanWish::default()
        })
    }

    fn cluster(&self, _ctx: &Ctx<'_>) -> Option<ClusterId> {
        Some(self.id.clone())
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        Some(Safe::new(self.id.as_str()))
    }
}

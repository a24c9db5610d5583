//! The applications: one row each, whoever holds them.

use std::collections::BTreeMap;

use super::{AppScreen, Ctx, DriftScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::asked::Asked;
use crate::app::buckets;
use crate::app::grouped::{Grouped, Wanted, When, in_groups};
use crate::app::list::Step;
use crate::app::mouse::{Part, Spot};
use crate::app::msg::{Notice, PlanWish, WishTarget};
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Health, Safe, SyncState};
use crate::fleet::AppRow;
use crate::view::place::Place;

const SORTS: [&str; 4] = ["problems first", "name", "cluster", "drift"];

/// State of the applications screen.
#[derive(Debug, Default)]
pub struct AppsScreen {
    /// Only those that deploy to this cluster or are held by it, when one was opened.
    pub only: Option<ClusterId>,
    /// The rows.
    pub list: Grouped<AppRef>,
    /// Filter and sort.
    pub sieve: Sieve,
    rows: BTreeMap<AppRef, AppRow>,
    /// The version of the fleet that the rows are of.
    version: Option<u64>,
    /// How the applications of each group are, while rows stand in groups.
    tallies: BTreeMap<Safe, AppTally>,
}

/// How the applications of a group are. What is not current counts as old and as nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AppTally {
    /// All of them.
    pub all: usize,
    /// Current, in sync and not degraded.
    pub good: usize,
    /// Current and out of sync; one that is degraded as well counts there.
    pub out_of_sync: usize,
    /// Current and degraded.
    pub degraded: usize,
    /// Current, but nobody knows.
    pub unknown: usize,
    /// Not current.
    pub old: usize,
}

impl AppTally {
    fn add(&mut self, row: &AppRow) {
        self.all += 1;
        *match (row.health, row.verdict.state) {
            _ if !row.current => &mut self.old,
            (Health::Degraded, _) => &mut self.degraded,
            (_, SyncState::OutOfSync) => &mut self.out_of_sync,
            (_, SyncState::Unknown) => &mut self.unknown,
            (_, SyncState::Synced) => &mut self.good,
        } += 1;
    }
}

impl AppsScreen {
    /// The applications of one cluster.
    pub fn of(cluster: ClusterId) -> Self {
        Self {
            only: Some(cluster),
            ..Self::default()
        }
    }

    /// One row.
    pub fn row(&self, id: &AppRef) -> Option<&AppRow> {
        self.rows.get(id)
    }

    /// Every application that is known.
    pub fn rows(&self) -> impl Iterator<Item = &AppRow> {
        self.rows.values()
    }

    /// Makes the rows anew that read differently since the last time.
    fn follow(&mut self, ctx: &Ctx<'_>) {
        let fleet = ctx.fleet;
        let before = self.version.replace(fleet.version());
        if before == self.version {
            return;
        }
        self.rows.retain(|id, _| fleet.app(id).is_some());
        for id in fleet.app_ids() {
            let as_before = before.is_some_and(|version| fleet.is_app_as_of(id, version));
            if as_before && self.rows.contains_key(id) {
                continue;
            }
            if let Some(row) = fleet.app_row(id) {
                self.rows.insert(id.clone(), row);
            }
        }
    }

    fn is_shown(&self, row: &AppRow) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| row.cluster.as_ref() == Some(only) || row.app.id.hub == *only)
    }

    /// How the applications of a group are.
    pub fn tally(&self, group: &Safe) -> AppTally {
        self.tallies.get(group).copied().unwrap_or_default()
    }

    fn sorted(&self, ctx: &Ctx<'_>) -> Vec<&AppRow> {
        let passes = |row: &&AppRow| {
            let asked = Asked {
                row: *row,
                now: ctx.now,
            };
            self.is_shown(row) && self.sieve.passes(&asked, urgency(row) < CALM)
        };
        let mut rows: Vec<&AppRow> = self.rows.values().filter(passes).collect();
        match self.sieve.sort {
            0 => rows.sort_by_key(|r| (urgency(r), usize::MAX - r.drift)),
            1 => rows.sort_by(|a, b| a.app.id.name.cmp(&b.app.id.name)),
            2 => rows.sort_by(|a, b| a.cluster.cmp(&b.cluster)),
            _ => rows.sort_by_key(|r| usize::MAX - r.drift),
        }
        rows
    }

    fn wanted(&mut self, ctx: &Ctx<'_>) -> Wanted<AppRef> {
        let rows = self.sorted(ctx).into_iter();
        let Some(by) = ctx.layouts.grouping(Place::Apps) else {
            return Wanted::Flat(rows.map(|row| row.app.id.clone()).collect());
        };
        let bucket = |row: &AppRow| buckets::of_app(&by, row, ctx.rows);
        let (groups, tallies) = in_groups(rows, bucket, |row| row.app.id.clone(), AppTally::add);
        self.tallies = tallies;
        Wanted::Groups(groups)
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::Apps).main_rows()
    }
}

/// From here on nobody is needed.
const CALM: u8 = 6;

/// The order of "which application needs me"; smaller is more urgent.
fn urgency(row: &AppRow) -> u8 {
    match (row.health, row.verdict.state) {
        (Health::Degraded, _) => 0,
        (_, SyncState::OutOfSync) if row.drift > 0 => 1,
        (_, SyncState::OutOfSync) => 2,
        _ if row.cluster.is_none() => 3,
        _ if !row.current => 4,
        (Health::Missing, _) => 5,
        (_, SyncState::Unknown) | (Health::Unknown, _) => 6,
        (Health::Progressing, _) => 7,
        _ => 8,
    }
}

impl Face for AppsScreen {
    fn place(&self) -> Place {
        Place::Apps
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        self.follow(ctx);
        let wanted = self.wanted(ctx);
        let when = When {
            now: ctx.now,
            height: Self::height(ctx),
            at_once,
        };
        self.list.set(wanted, when);
    }

    fn followers(&self, ctx: &Ctx<'_>) -> Vec<Area> {
        Vec::from_iter(ctx.shape(self.place()).detail)
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        self.list.step(step, ctx.now, Self::height(ctx));
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        let line = self.list.lines().offset() + spot.line;
        spot.part == Part::Main && self.list.select_line(line, ctx.now, Self::height(ctx))
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open if self.list.head().is_none() => match self.list.selected() {
                Some(id) => Next::Push(Box::new(Screen::App(Box::new(AppScreen::new(id.clone()))))),
                None => Next::Ignored,
            },
            Action::Diff => match self.cluster(ctx) {
                Some(cluster) => Next::Push(Box::new(Screen::Drift(DriftScreen::of(cluster)))),
                None => Next::Say(Notice::info(
                    "Its destination is no cluster of the kubeconfig; nothing can be compared.",
                )),
            },
            Action::Sort => {
                self.sieve.sort = (self.sieve.sort + 1) % SORTS.len();
                self.refresh(ctx, true);
                Next::Done
            }
            Action::Problems => {
                self.sieve.problems = !self.sieve.problems;
                self.refresh(ctx, true);
                Next::Done
            }
            other => super::group_act(&mut self.list, other, ctx.now, Self::height(ctx)),
        }
    }

    fn crumb(&self) -> Safe {
        match &self.only {
            Some(cluster) => Safe::new(cluster.as_str()),
            None => Safe::fixed("apps"),
        }
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let shown = self.list.len();
        match &self.only {
            Some(cluster) => format!("{cluster}  {shown} applications").into(),
            None if shown == ctx.rows.counts.apps => format!("{shown} applications").into(),
            None => format!("{shown} of {} applications", ctx.rows.counts.apps).into(),
        }
    }

    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
        let did = self.sieve.clear() || self.list.clear_marks();
        self.refresh(ctx, true);
        did
    }

    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let chosen = self.list.chosen();
        let targets: Vec<WishTarget> = chosen
            .iter()
            .flat_map(|id| super::app::drifted(id, ctx))
            .collect();
        if targets.is_empty() {
            return Err(Notice::info("Nothing of it has drifted."));
        }
        let reason = match chosen.as_slice() {
            [one] => format!("everything of {} that drifted", one.name),
            many => format!("everything of {} applications that drifted", many.len()),
        };
        Ok(PlanWish {
            targets,
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn app(&self, _ctx: &Ctx<'_>) -> Option<AppRef> {
        self.list.selected().cloned()
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.list
            .selected()
            .and_then(|id| ctx.fleet.cluster_of(id))
            .cloned()
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        let group = self.list.head().cloned();
        group.or_else(|| self.list.selected().map(|id| Safe::new(&id.name)))
    }

    fn sieve(&self) -> Option<&Sieve> {
        Some(&self.sieve)
    }

    fn sieve_mut(&mut self) -> Option<&mut Sieve> {
        Some(&mut self.sieve)
    }

    fn mark_by(&mut self, text: &str, ctx: &Ctx<'_>) -> Result<usize, String> {
        super::mark_matching(
            &mut self.list,
            text,
            self.rows.iter().map(|(id, row)| (id.clone(), row)),
            ctx.now,
        )
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set::<Asked<'_, AppRow>>(text);
        self.refresh(ctx, true);
    }

    fn sort_name(&self) -> Option<&'static str> {
        SORTS.get(self.sieve.sort).copied()
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }
}

//! The fleet: "which sites need me?"

use std::collections::BTreeMap;

use super::{AppsScreen, Ctx, DriftScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::asked::Asked;
use crate::app::buckets;
use crate::app::grouped::{Grouped, Wanted, When, in_groups};
use crate::app::list::Step;
use crate::app::mouse::{Part, Spot};
use crate::app::msg::{Effect, Notice, PlanWish, WishTarget};
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{ClusterId, LinkState, Safe};
use crate::fleet::{ClusterRow, Counts};
use crate::view::place::Place;

const SORTS: [&str; 4] = ["problems first", "name", "drift", "version"];

/// State of the fleet screen.
#[derive(Debug, Default)]
pub struct FleetScreen {
    /// The rows.
    pub list: Grouped<ClusterId>,
    /// Filter and sort.
    pub sieve: Sieve,
    /// What the clusters of each group need, while rows stand in groups.
    counts: BTreeMap<Safe, Counts>,
}

/// Whether a row needs somebody: not answering, drifted, out of sync, degraded, or with an engine that does not work.
fn needs_somebody(row: &ClusterRow) -> bool {
    !matches!(
        row.state,
        LinkState::Live | LinkState::Slow | LinkState::Connecting
    ) || row.drift > 0
        || row.out_of_sync > 0
        || row.health.degraded > 0
        || row.warning.is_some()
}

impl FleetScreen {
    /// What the clusters of a group need.
    pub fn counts(&self, group: &Safe) -> Counts {
        self.counts.get(group).copied().unwrap_or_default()
    }

    fn rows<'r>(&self, ctx: &Ctx<'r>) -> Vec<&'r ClusterRow> {
        let passes = |row: &&ClusterRow| {
            let asked = Asked {
                row: *row,
                now: ctx.now,
            };
            self.sieve.passes(&asked, needs_somebody(row))
        };
        let mut rows: Vec<&ClusterRow> = ctx.rows.clusters.iter().filter(passes).collect();
        match self.sieve.sort {
            0 => rows.sort_by(|a, b| a.urgency().cmp(&b.urgency())),
            2 => rows.sort_by(|a, b| b.drift.cmp(&a.drift).then_with(|| a.id.cmp(&b.id))),
            3 => rows.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.id.cmp(&b.id))),
            _ => {}
        }
        rows
    }

    fn wanted(&mut self, ctx: &Ctx<'_>) -> Wanted<ClusterId> {
        let rows = self.rows(ctx).into_iter();
        let Some(by) = ctx.layouts.grouping(Place::Fleet) else {
            return Wanted::Flat(rows.map(|row| row.id.clone()).collect());
        };
        let bucket = |row: &ClusterRow| buckets::of_cluster(&by, row);
        let (groups, counts) = in_groups(rows, bucket, |row| row.id.clone(), Counts::add);
        self.counts = counts;
        Wanted::Groups(groups)
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::Fleet).main_rows()
    }
}

/// Logs in where a login is asked for.
pub(super) fn login(id: &ClusterId, ctx: &Ctx<'_>) -> Next {
    let Some(row) = ctx.rows.cluster(id) else {
        return Next::Ignored;
    };
    if row.state == LinkState::Auth {
        return Next::Order(vec![Effect::Login(row.id.clone())]);
    }
    let text = format!("{} does not ask for credentials.", row.id);
    Next::Say(Notice::info(text))
}

impl Face for FleetScreen {
    fn place(&self) -> Place {
        Place::Fleet
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
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
                Some(id) => Next::Push(Box::new(Screen::Apps(AppsScreen::of(id.clone())))),
                None => Next::Ignored,
            },
            Action::Diff => match self.list.selected() {
                Some(id) => Next::Push(Box::new(Screen::Drift(DriftScreen::of(id.clone())))),
                None => Next::Ignored,
            },
            Action::Retry => {
                Next::Order(self.list.chosen().into_iter().map(Effect::Retry).collect())
            }
            Action::Login => match self.list.selected() {
                Some(id) => login(id, ctx),
                None => Next::Ignored,
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
        Safe::fixed("fleet")
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let all = ctx.rows.clusters.len();
        let shown = self.list.len();
        if shown == all {
            return format!("{all} clusters").into();
        }
        format!("{shown} of {all} clusters").into()
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
            .flat_map(|id| ctx.fleet.drift_of(id).map(move |d| (id, d)))
            .map(|(id, d)| WishTarget {
                cluster: id.clone(),
                app: d.resource.app.clone(),
                object: d.resource.object.clone(),
            })
            .collect();
        if targets.is_empty() {
            return Err(Notice::info("Nothing has drifted there."));
        }
        let reason = match chosen.as_slice() {
            [one] => format!("everything that drifted on {one}"),
            many => format!("everything that drifted on {} clusters", many.len()),
        };
        Ok(PlanWish {
            targets,
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn cluster(&self, _ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.list.selected().cloned()
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        let group = self.list.head().cloned();
        group.or_else(|| self.list.selected().map(|id| Safe::new(id.as_str())))
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
            ctx.rows.clusters.iter().map(|r| (r.id.clone(), r)),
            ctx.now,
        )
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set::<Asked<'_, ClusterRow>>(text);
        self.refresh(ctx, true);
    }

    fn sort_name(&self) -> Option<&'static str> {
        SORTS.get(self.sieve.sort).copied()
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }
}

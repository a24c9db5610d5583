//! The drift inbox: "what changed, how many, by whom, since when?"

mod slices;

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use slices::Slices;
pub use slices::{DriftTally, Slice};

use super::{Ctx, DiffScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::asked::Asked;
use crate::app::grouped::{Bucket, Group, Grouped, Wanted, When, in_groups};
use crate::app::list::{List, Step};
use crate::app::mouse::{Part, Spot};
use crate::app::msg::{Notice, PlanWish, WishTarget};
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Fingerprint, ObjectRef, Safe};
use crate::fleet::{DriftGroup, DriftRow};
use crate::view::place::Place;

const SORTS: [&str; 3] = ["impact", "newest", "object"];

/// Which list the keys move in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The groups of equal changes.
    #[default]
    Groups,
    /// The members of the selected group.
    Members,
}

/// One member: where and what.
pub type MemberKey = (ClusterId, ObjectRef);

/// State of the drift screen.
#[derive(Debug, Default)]
pub struct DriftScreen {
    /// Only this cluster, when one was opened.
    pub only: Option<ClusterId>,
    /// The groups of equal changes; where the inbox is grouped otherwise, cut by that.
    pub groups: Grouped<Slice>,
    /// The members of the selected group.
    pub members: List<MemberKey>,
    /// Which of both has the keys.
    pub pane: Pane,
    /// Filter and sort of the groups.
    pub sieve: Sieve,
    /// The row whose members are shown.
    shown: Option<Slice>,
    slices: Box<Slices>,
}

impl DriftScreen {
    /// The drift of one cluster.
    pub fn of(cluster: ClusterId) -> Self {
        Self {
            only: Some(cluster),
            ..Self::default()
        }
    }

    /// The selected group.
    pub fn group<'a>(&'a self, ctx: &Ctx<'a>) -> Option<&'a DriftGroup> {
        self.groups
            .selected()
            .and_then(|slice| self.row(slice, ctx))
    }

    /// One row.
    pub fn row<'a>(&'a self, slice: &Slice, ctx: &Ctx<'a>) -> Option<&'a DriftGroup> {
        match self.slices.by() {
            Some(_) => self.slices.get(slice),
            None => ctx.rows.group(slice.print),
        }
    }

    /// How many members the widest row has.
    pub fn widest(&self, ctx: &Ctx<'_>) -> usize {
        let cut = self.slices.all().map(|(_, group)| group.members.len());
        let whole = ctx.rows.groups.iter().map(|group| group.members.len());
        match self.slices.by() {
            Some(_) => cut.max(),
            None => whole.max(),
        }
        .unwrap_or(1)
    }

    /// What stands on the line of a group.
    pub fn tally(&self, group: &Safe) -> DriftTally {
        self.slices.tallies.get(group).cloned().unwrap_or_default()
    }

    /// The member under the cursor, or the first one that is current while the groups have the keys.
    pub fn member<'a>(&'a self, ctx: &Ctx<'a>) -> Option<&'a DriftRow> {
        let group = self.group(ctx)?;
        if let Some((cluster, object)) = self
            .members
            .selected()
            .filter(|_| self.pane == Pane::Members)
        {
            let found = |m: &&DriftRow| m.cluster == *cluster && m.resource.object == *object;
            return group.members.iter().find(found);
        }
        let mut shown = group.members.iter().filter(|m| self.is_shown(m));
        shown.clone().find(|m| m.current).or_else(|| shown.next())
    }

    /// Puts the cursor on a group before the screen is seen; whether there is such a group.
    pub fn choose(&mut self, print: Option<Fingerprint>, ctx: &Ctx<'_>) -> bool {
        let Some(print) = print.filter(|print| ctx.rows.group(*print).is_some()) else {
            return false;
        };
        self.refresh(ctx, true);
        self.go_to(print, ctx);
        self.follow_members(ctx);
        true
    }

    fn is_shown(&self, member: &DriftRow) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| member.cluster == *only)
    }

    /// Puts the cursor on the first row of a change.
    fn go_to(&mut self, print: Fingerprint, ctx: &Ctx<'_>) {
        let found = self.groups.keys().find(|slice| slice.print == print);
        if let Some(slice) = found.cloned() {
            self.groups.select(&slice, ctx.now, Self::height(ctx));
        }
    }

    fn passes(&self, group: &DriftGroup, ctx: &Ctx<'_>) -> bool {
        let asked = Asked {
            row: group,
            now: ctx.now,
        };
        let taken = ctx.kept.ack(group.fingerprint, ctx.now).is_some();
        let current = group.members.iter().any(|m| m.current);
        group.members.iter().any(|m| self.is_shown(m))
            && self.sieve.passes(&asked, current && !taken)
    }

    fn order(&self, a: &DriftGroup, b: &DriftGroup, ctx: &Ctx<'_>) -> Ordering {
        let taken = |g: &DriftGroup| ctx.kept.ack(g.fingerprint, ctx.now).is_some();
        match self.sieve.sort {
            1 => b.since.cmp(&a.since),
            2 => a.object.cmp(&b.object),
            // What somebody has taken on comes last.
            _ => taken(a).cmp(&taken(b)),
        }
    }

    fn wanted(&mut self, ctx: &Ctx<'_>) -> Wanted<Slice> {
        if self.slices.by().is_none() {
            let shown = ctx.rows.groups.iter().filter(|g| self.passes(g, ctx));
            let mut groups: Vec<&DriftGroup> = shown.collect();
            groups.sort_by(|a, b| self.order(a, b, ctx));
            let slice = |group: &DriftGroup| Slice {
                print: group.fingerprint,
                group: Safe::default(),
            };
            return Wanted::Flat(groups.into_iter().map(slice).collect());
        }
        let (groups, tallies) = self.cut(ctx);
        self.slices.tallies = tallies;
        Wanted::Groups(groups)
    }

    /// The rows below the lines of their groups, the widest change of each first.
    fn cut(&self, ctx: &Ctx<'_>) -> (Vec<Group<Slice>>, BTreeMap<Safe, DriftTally>) {
        let shown = self.slices.all().filter(|(_, g)| self.passes(g, ctx));
        let mut rows: Vec<&(Bucket, DriftGroup)> = shown.collect();
        rows.sort_by_key(|(_, g)| (usize::MAX - g.members.len(), g.since, g.fingerprint));
        rows.sort_by(|(_, a), (_, b)| self.order(a, b, ctx));
        in_groups(
            rows.into_iter(),
            |(bucket, _)| bucket.clone(),
            |(bucket, group)| Slice {
                print: group.fingerprint,
                group: bucket.name.clone(),
            },
            |tally: &mut DriftTally, (_, group)| tally.add(group),
        )
    }

    /// Members that are current come first; the others are listed, never assumed.
    fn wanted_members(&self, ctx: &Ctx<'_>) -> Vec<MemberKey> {
        let Some(group) = self.group(ctx) else {
            return Vec::new();
        };
        let mut members: Vec<&DriftRow> =
            group.members.iter().filter(|m| self.is_shown(m)).collect();
        members.sort_by_key(|m| !m.current);
        members
            .into_iter()
            .map(|m| (m.cluster.clone(), m.resource.object.clone()))
            .collect()
    }

    fn follow_members(&mut self, ctx: &Ctx<'_>) {
        let wanted = self.wanted_members(ctx);
        let height = ctx.shape(Place::Drift).second_rows();
        let selected = self.groups.selected().cloned();
        if self.shown == selected {
            self.members.set(wanted, ctx.now, height);
        } else {
            self.shown = selected;
            self.members = List::default();
            self.members.set_now(wanted, height);
        }
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::Drift).main_rows()
    }

    fn open(&mut self, ctx: &Ctx<'_>) -> Next {
        if self.pane == Pane::Groups && self.members.len() > 1 {
            self.pane = Pane::Members;
            return Next::Done;
        }
        self.diff(ctx)
    }

    fn diff(&self, ctx: &Ctx<'_>) -> Next {
        match self.object(ctx) {
            Some(target) => Next::Push(Box::new(Screen::Diff(DiffScreen::new(target)))),
            None => Next::Ignored,
        }
    }
}

fn target(member: &DriftRow) -> WishTarget {
    WishTarget {
        cluster: member.cluster.clone(),
        app: member.resource.app.clone(),
        object: member.resource.object.clone(),
    }
}

impl Face for DriftScreen {
    fn place(&self) -> Place {
        Place::Drift
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        let here = self.groups.selected().map(|slice| slice.print);
        let regrouped = self.slices.follow(ctx);
        let wanted = self.wanted(ctx);
        let when = When {
            now: ctx.now,
            height: Self::height(ctx),
            at_once,
        };
        self.groups.set(wanted, when);
        if let Some(print) = here.filter(|_| regrouped) {
            self.go_to(print, ctx);
        }
        self.follow_members(ctx);
        if self.members.is_empty() {
            self.pane = Pane::Groups;
        }
    }

    fn followers(&self, ctx: &Ctx<'_>) -> Vec<Area> {
        let shape = ctx.shape(Place::Drift);
        let members = shape.second.filter(|_| self.pane == Pane::Groups);
        members.into_iter().chain(shape.detail).collect()
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        match self.pane {
            Pane::Groups => {
                self.groups.step(step, ctx.now, Self::height(ctx));
                self.follow_members(ctx);
            }
            Pane::Members => {
                self.members
                    .step(step, ctx.now, ctx.shape(Place::Drift).second_rows());
            }
        }
    }

    fn page(&self, ctx: &Ctx<'_>) -> usize {
        match self.pane {
            Pane::Groups => Self::height(ctx),
            Pane::Members => ctx.shape(Place::Drift).second_rows(),
        }
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        let shape = ctx.shape(Place::Drift);
        let both = shape.second.is_some();
        let (pane, titles) = match (spot.part, self.pane) {
            (Part::Main, Pane::Members) if !both => (Pane::Members, 0),
            (Part::Main, _) => (Pane::Groups, 0),
            // The members have a line with their number above their titles.
            (Part::Second, _) => (Pane::Members, 1),
            (Part::Detail, _) => return false,
        };
        let Some(line) = spot.line.checked_sub(titles) else {
            return false;
        };
        self.pane = pane;
        if pane == Pane::Members {
            let line = self.members.offset() + line;
            return self.members.select_line(line, ctx.now, shape.second_rows());
        }
        let line = self.groups.lines().offset() + line;
        let found = self.groups.select_line(line, ctx.now, Self::height(ctx));
        self.follow_members(ctx);
        found
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open if self.pane == Pane::Members || self.groups.head().is_none() => {
                self.open(ctx)
            }
            Action::Diff => self.diff(ctx),
            Action::NextPane | Action::PreviousPane => {
                self.pane = match self.pane {
                    Pane::Groups if !self.members.is_empty() => Pane::Members,
                    _ => Pane::Groups,
                };
                Next::Done
            }
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
            other => match self.pane {
                Pane::Groups => {
                    super::group_act(&mut self.groups, other, ctx.now, Self::height(ctx))
                }
                Pane::Members => super::mark(&mut self.members, other),
            },
        }
    }

    fn crumb(&self) -> Safe {
        match &self.only {
            Some(cluster) => format!("{cluster} drift").into(),
            None => Safe::fixed("drift"),
        }
    }

    fn scope(&self, ctx: &Ctx<'_>) -> Safe {
        let shown: Vec<&DriftGroup> = self
            .groups
            .keys()
            .filter_map(|slice| self.row(slice, ctx))
            .collect();
        let members = shown
            .iter()
            .flat_map(|g| &g.members)
            .filter(|m| self.is_shown(m));
        let (mut objects, mut clusters) = (0, std::collections::BTreeSet::new());
        for member in members {
            objects += 1;
            clusters.insert(&member.cluster);
        }
        let prints: BTreeSet<Fingerprint> = shown.iter().map(|g| g.fingerprint).collect();
        let acked = prints
            .iter()
            .filter(|print| ctx.kept.ack(**print, ctx.now).is_some())
            .count();
        let acked = match acked {
            0 => String::new(),
            n => format!(" ({n} acknowledged)"),
        };
        let groups = format!("{}{acked}", plural(prints.len(), "group"));
        match &self.only {
            Some(cluster) => {
                format!("{cluster}  {groups} / {}", plural(objects, "resource")).into()
            }
            None => format!(
                "{groups} / {} / {}",
                plural(objects, "resource"),
                plural(clusters.len(), "cluster")
            )
            .into(),
        }
    }

    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
        if self.pane == Pane::Members {
            if !self.members.clear_marks() {
                self.pane = Pane::Groups;
            }
            return true;
        }
        let did = self.sieve.clear() || self.groups.clear_marks();
        self.refresh(ctx, true);
        did
    }

    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let (targets, reason) = match self.pane {
            Pane::Groups => {
                let groups: Vec<&DriftGroup> = self
                    .groups
                    .chosen()
                    .iter()
                    .filter_map(|slice| self.row(slice, ctx))
                    .collect();
                let members = groups
                    .iter()
                    .flat_map(|g| &g.members)
                    .filter(|m| self.is_shown(m));
                let reason = match groups.as_slice() {
                    [one] => format!("{} {}", one.object, one.summary),
                    many => format!("{} groups of changes", many.len()),
                };
                (members.map(target).collect::<Vec<_>>(), reason)
            }
            Pane::Members => {
                let chosen = self.members.chosen();
                let group = self.group(ctx);
                let is_chosen = |m: &&DriftRow| {
                    chosen
                        .iter()
                        .any(|(c, o)| m.cluster == *c && m.resource.object == *o)
                };
                let members = group.into_iter().flat_map(|g| &g.members).filter(is_chosen);
                let reason = group.map_or(String::new(), |g| format!("{} {}", g.object, g.summary));
                (members.map(target).collect(), reason)
            }
        };
        if targets.is_empty() {
            return Err(Notice::info("Nothing has drifted here."));
        }
        Ok(PlanWish {
            targets,
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn object(&self, ctx: &Ctx<'_>) -> Option<WishTarget> {
        self.member(ctx).map(target)
    }

    fn app(&self, ctx: &Ctx<'_>) -> Option<AppRef> {
        self.member(ctx).map(|m| m.resource.app.clone())
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.member(ctx).map(|m| m.cluster.clone())
    }

    fn name(&self, ctx: &Ctx<'_>) -> Option<Safe> {
        match self.pane {
            Pane::Groups => self.group(ctx).map(|g| g.object.clone()),
            Pane::Members => self.member(ctx).map(|m| Safe::new(m.cluster.as_str())),
        }
    }

    fn sieve(&self) -> Option<&Sieve> {
        Some(&self.sieve)
    }

    fn sieve_mut(&mut self) -> Option<&mut Sieve> {
        Some(&mut self.sieve)
    }

    fn mark_by(&mut self, text: &str, ctx: &Ctx<'_>) -> Result<usize, String> {
        let cut = self
            .slices
            .all()
            .map(|(bucket, group)| (bucket.name.clone(), group));
        let whole = ctx
            .rows
            .groups
            .iter()
            .filter(|_| self.slices.by().is_none());
        let rows = cut.chain(whole.map(|group| (Safe::default(), group)));
        let keyed = rows.map(|(name, row)| {
            let print = row.fingerprint;
            (Slice { print, group: name }, row)
        });
        super::mark_matching(&mut self.groups, text, keyed, ctx.now)
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.pane = Pane::Groups;
        self.sieve.set::<Asked<'_, DriftGroup>>(text);
        self.refresh(ctx, true);
    }

    fn sort_name(&self) -> Option<&'static str> {
        SORTS.get(self.sieve.sort).copied()
    }

    fn is_unsettled(&self) -> bool {
        self.groups.is_unsettled() || self.members.is_unsettled()
    }
}

/// `1 group`, `5 groups`.
pub fn plural(n: usize, word: &'static str) -> String {
    if n == 1 {
        format!("1 {word}")
    } else {
        format!("{n} {word}s")
    }
}

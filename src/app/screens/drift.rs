//! The drift inbox: "what changed, how many, by whom, since when?"

use super::{Ctx, DiffScreen, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::asked::Asked;
use crate::app::list::{List, Step};
use crate::app::msg::{Notice, PlanWish, WishTarget};
use crate::app::place::Place;
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Fingerprint, ObjectRef, Safe};
use crate::fleet::{DriftGroup, DriftRow};

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
    /// The groups.
    pub groups: List<Fingerprint>,
    /// The members of the selected group.
    pub members: List<MemberKey>,
    /// Which of both has the keys.
    pub pane: Pane,
    /// Filter and sort of the groups.
    pub sieve: Sieve,
    /// The group whose members are shown.
    shown: Option<Fingerprint>,
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
    pub fn group<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a DriftGroup> {
        self.groups
            .selected()
            .and_then(|print| ctx.rows.group(*print))
    }

    /// The member under the cursor, or the first one that is current while the groups have the keys.
    pub fn member<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a DriftRow> {
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
        self.groups.select(&print, ctx.now, Self::height(ctx));
        self.follow_members(ctx);
        true
    }

    fn is_shown(&self, member: &DriftRow) -> bool {
        self.only
            .as_ref()
            .is_none_or(|only| member.cluster == *only)
    }

    fn wanted(&self, ctx: &Ctx<'_>) -> Vec<Fingerprint> {
        let shown = |g: &&DriftGroup| {
            g.members.iter().any(|m| self.is_shown(m))
                && self.sieve.passes(
                    &Asked {
                        row: *g,
                        now: ctx.now,
                    },
                    g.members.iter().any(|m| m.current)
                        && ctx.kept.ack(g.fingerprint, ctx.now).is_none(),
                )
        };
        let mut groups: Vec<&DriftGroup> = ctx.rows.groups.iter().filter(shown).collect();
        match self.sieve.sort {
            1 => groups.sort_by_key(|g| std::cmp::Reverse(g.since)),
            2 => groups.sort_by(|a, b| a.object.cmp(&b.object)),
            // What somebody has taken on comes last.
            _ => groups.sort_by_key(|g| ctx.kept.ack(g.fingerprint, ctx.now).is_some()),
        }
        groups.into_iter().map(|g| g.fingerprint).collect()
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
        let selected = self.groups.selected().copied();
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
        let wanted = self.wanted(ctx);
        if at_once {
            self.groups.set_now(wanted, Self::height(ctx));
        } else {
            self.groups.set(wanted, ctx.now, Self::height(ctx));
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

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Open => self.open(ctx),
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
                Pane::Groups => super::mark(&mut self.groups, other),
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
            .iter()
            .filter_map(|p| ctx.rows.group(*p))
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
        let acked = shown
            .iter()
            .filter(|g| ctx.kept.ack(g.fingerprint, ctx.now).is_some())
            .count();
        let acked = match acked {
            0 => String::new(),
            n => format!(" ({n} acknowledged)"),
        };
        let groups = format!("{}{acked}", plural(shown.len(), "group"));
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
                    .filter_map(|p| ctx.rows.group(*p))
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
        super::mark_matching(
            &mut self.groups,
            text,
            ctx.rows.groups.iter().map(|g| (g.fingerprint, g)),
            ctx.now,
        )
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

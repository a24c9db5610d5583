//! The screens: one state each, and what every screen can be asked.

pub mod activity;
pub mod app;
pub mod apps;
pub mod cluster;
pub mod diff;
pub mod drift;
pub mod fleet;
pub mod matrix;
pub mod plan;
pub mod run;

use jiff::Timestamp;

use super::action::Action;
use super::asked::Asked;
use super::grouped::{Fold, Grouped};
use super::kept::Kept;
use super::list::{List, Step};
use super::mouse::Spot;
use super::msg::{Effect, Notice, PlanWish, WishTarget};
use super::rows::Rows;
use super::shape::{Area, Shape, Size};
use super::sieve::Sieve;
use super::words::Words;
use crate::domain::link::LinkTemplate;
use crate::domain::{AppRef, ClusterId, Safe};
use crate::fleet::Fleet;
use crate::fleet::query::{Query, Queryable};
use crate::keymap::Keymap;
use crate::view::layout::Layouts;
use crate::view::place::Place;

pub use activity::ActivityScreen;
pub use app::AppScreen;
pub use apps::AppsScreen;
pub use cluster::ClusterScreen;
pub use diff::DiffScreen;
pub use drift::DriftScreen;
pub use fleet::FleetScreen;
pub use matrix::MatrixScreen;
pub use plan::PlanScreen;
pub use run::RunScreen;

/// What a screen may look at while it decides.
#[derive(Clone, Copy, Debug)]
pub struct Ctx<'a> {
    /// The fleet.
    pub fleet: &'a Fleet,
    /// Its rows.
    pub rows: &'a Rows,
    /// Now.
    pub now: Timestamp,
    /// The terminal.
    pub size: Size,
    /// The keys, for sentences that name one.
    pub keymap: &'a Keymap,
    /// What is remembered between sittings.
    pub kept: &'a Kept,
    /// What servers said when they were asked.
    pub words: &'a Words,
    /// Pages that the configuration names.
    pub links: &'a [LinkTemplate],
    /// How lists are laid out.
    pub layouts: &'a Layouts,
}

impl Ctx<'_> {
    /// The keys of an action on a screen, for a sentence; an action without keys is named as the palette takes it.
    pub fn keys(&self, place: Place, action: Action) -> String {
        let keys = self.keymap.keys_of(place, action);
        keys.unwrap_or_else(|| format!(":{}", action.info().id))
    }

    /// Where everything of a screen stands.
    pub fn shape(&self, place: Place) -> Shape {
        let rail = place == Place::Fleet && self.rows.clusters.iter().any(|c| !c.group.is_empty());
        Shape::of(place, self.size, rail)
    }
}

/// What follows from an action on a screen.
#[derive(Debug)]
pub enum Next {
    /// The screen knows nothing of it.
    Ignored,
    /// It is done.
    Done,
    /// Another screen opens on top.
    Push(Box<Screen>),
    /// The operator is told something.
    Say(Notice),
    /// Something is ordered.
    Order(Vec<Effect>),
    /// What the screen asked for is to be asked again.
    AskAgain,
}

/// What every screen can be asked.
pub trait Face {
    /// Which screen it is.
    fn place(&self) -> Place;

    /// Follows the fleet. `at_once` takes a new order even while the operator moves.
    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool);

    /// Moves the cursor or scrolls.
    fn step(&mut self, step: Step, ctx: &Ctx<'_>);

    /// Puts the cursor where the mouse clicked; whether there is a row.
    fn click(&mut self, _spot: Spot, _ctx: &Ctx<'_>) -> bool {
        false
    }

    /// How many rows a page is.
    fn page(&self, ctx: &Ctx<'_>) -> usize {
        ctx.shape(self.place()).main_rows()
    }

    /// The parts that show what is under the cursor, and may come a moment later while a key is held. Never the part that has the keys.
    fn followers(&self, _ctx: &Ctx<'_>) -> Vec<Area> {
        Vec::new()
    }

    /// Carries out an action that belongs to the screen.
    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next;

    /// What the way back calls it.
    fn crumb(&self) -> Safe;

    /// What stands behind the title.
    fn scope(&self, ctx: &Ctx<'_>) -> Safe;

    /// What `esc` does before it leaves the screen; whether it did anything.
    fn back(&mut self, _ctx: &Ctx<'_>) -> bool {
        false
    }

    /// What a revert from here would put back.
    ///
    /// # Errors
    /// Why there is nothing to put back.
    fn wish(&self, _ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        Err(Notice::info("There is nothing to revert on this screen."))
    }

    /// The object under the cursor.
    fn object(&self, _ctx: &Ctx<'_>) -> Option<WishTarget> {
        None
    }

    /// The application under the cursor.
    fn app(&self, _ctx: &Ctx<'_>) -> Option<AppRef> {
        None
    }

    /// The cluster under the cursor.
    fn cluster(&self, _ctx: &Ctx<'_>) -> Option<ClusterId> {
        None
    }

    /// The name to copy.
    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        None
    }

    /// Filter and sort, where the screen has them.
    fn sieve(&self) -> Option<&Sieve> {
        None
    }

    /// Filter and sort, to be set.
    fn sieve_mut(&mut self) -> Option<&mut Sieve> {
        None
    }

    /// Marks every row that a filter finds; how many.
    ///
    /// # Errors
    /// Why the filter does not read, or that there are no marks here.
    fn mark_by(&mut self, _text: &str, _ctx: &Ctx<'_>) -> Result<usize, String> {
        Err("There are no rows to mark on this screen.".to_owned())
    }

    /// Takes a filter text.
    fn filter(&mut self, _text: &str, _ctx: &Ctx<'_>) {}

    /// The name of the sort order in force.
    fn sort_name(&self) -> Option<&'static str> {
        None
    }

    /// Whether a better order waits until the fingers rest.
    fn is_unsettled(&self) -> bool {
        false
    }

    /// When the screen wants to ask something, if nobody moves until then.
    fn wakes_at(&self, _ctx: &Ctx<'_>) -> Option<Timestamp> {
        None
    }
}

/// One screen with its state.
#[derive(Debug)]
pub enum Screen {
    /// One row a cluster.
    Fleet(FleetScreen),
    /// Equal changes as one row.
    Drift(DriftScreen),
    /// One row an application.
    Apps(AppsScreen),
    /// One application.
    App(Box<AppScreen>),
    /// One object, Git against the cluster.
    Diff(DiffScreen),
    /// What a revert would do.
    Plan(PlanScreen),
    /// What a revert does.
    Run(RunScreen),
    /// Applications beside groups of clusters.
    Matrix(MatrixScreen),
    /// What happened.
    Activity(ActivityScreen),
    /// One cluster.
    Cluster(ClusterScreen),
}

impl Screen {
    /// The screen, to be asked.
    pub fn face(&self) -> &dyn Face {
        match self {
            Self::Fleet(s) => s,
            Self::Drift(s) => s,
            Self::Apps(s) => s,
            Self::App(s) => &**s,
            Self::Diff(s) => s,
            Self::Plan(s) => s,
            Self::Run(s) => s,
            Self::Matrix(s) => s,
            Self::Activity(s) => s,
            Self::Cluster(s) => s,
        }
    }

    /// The screen, to be changed.
    pub fn face_mut(&mut self) -> &mut dyn Face {
        match self {
            Self::Fleet(s) => s,
            Self::Drift(s) => s,
            Self::Apps(s) => s,
            Self::App(s) => &mut **s,
            Self::Diff(s) => s,
            Self::Plan(s) => s,
            Self::Run(s) => s,
            Self::Matrix(s) => s,
            Self::Activity(s) => s,
            Self::Cluster(s) => s,
        }
    }
}

/// The marking actions, the same on every list.
fn mark<K: Ord + Clone>(list: &mut List<K>, action: Action) -> Next {
    match action {
        Action::Mark => list.toggle_mark(),
        Action::MarkRange => list.mark_range(),
        Action::MarkInvert => list.invert_marks(),
        Action::MarkClear => {
            list.clear_marks();
        }
        _ => return Next::Ignored,
    }
    Next::Done
}

/// The actions of a list whose rows can stand in groups: folding and marking.
fn group_act<K: Ord + Clone>(
    list: &mut Grouped<K>,
    action: Action,
    now: Timestamp,
    height: usize,
) -> Next {
    let fold = match action {
        Action::Left => Some(Fold::Close),
        Action::Right => Some(Fold::Open),
        Action::Open if list.head().is_some() => Some(Fold::Turn),
        _ => None,
    };
    if let Some(fold) = fold {
        list.fold(fold, now, height);
        return Next::Done;
    }
    match action {
        Action::FoldAll if list.fold_all(now, height) => {}
        Action::FoldAll => return Next::Say(Notice::info("The rows stand in no groups.")),
        Action::Mark => list.toggle_mark(),
        Action::MarkRange => list.mark_range(),
        Action::MarkInvert => list.invert_marks(),
        Action::MarkClear => {
            list.clear_marks();
        }
        _ => return Next::Ignored,
    }
    Next::Done
}

/// Marks the rows of a list that a query finds.
fn mark_matching<'r, K: Ord + Clone, R: 'r>(
    list: &mut Grouped<K>,
    text: &str,
    rows: impl Iterator<Item = (K, &'r R)>,
    now: Timestamp,
) -> Result<usize, String>
where
    Asked<'r, R>: Queryable,
{
    let query = Query::parse::<Asked<'r, R>>(text)?;
    let found = rows.filter(|(_, row)| query.matches(&Asked { row: *row, now }));
    Ok(list.mark_all(found.map(|(key, _)| key)))
}

/// Rows of the target list on the plan and run screens, between the lines above and the detail below.
pub fn plan_rows(ctx: &Ctx<'_>) -> usize {
    let body = ctx.shape(Place::Plan).main;
    let chrome = PLAN_ABOVE + plan_below(body.h);
    usize::from(body.h.saturating_sub(chrome)).max(1)
}

/// Selects the target that was clicked on the plan and run screens; whether there is one.
fn click_target<K: Ord + Clone>(list: &mut List<K>, spot: Spot, ctx: &Ctx<'_>) -> bool {
    // The first line below the top stands for the titles of a list; here there are more lines above it.
    let above = usize::from(PLAN_ABOVE) - 1;
    let rows = plan_rows(ctx);
    let line = spot.line.checked_sub(above).filter(|line| *line < rows);
    line.is_some_and(|line| list.select_line(list.offset() + line, ctx.now, rows))
}

/// Lines above the targets: what is done, the totals, a rule, column titles.
pub const PLAN_ABOVE: u16 = 4;

/// Lines below the targets: more where there is room.
pub fn plan_below(body: u16) -> u16 {
    match body {
        ..12 => 0,
        12..26 => 6,
        _ => 10,
    }
}

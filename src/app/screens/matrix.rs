//! The matrix: one row an application, one column a group of clusters; what differs from the rest of its row stands out.

mod readings;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use readings::{Reading, Readings};

use super::{AppScreen, Ctx, Face, Next, Screen};
use crate::app::action::Action;
use crate::app::age::age;
use crate::app::field::Field;
use crate::app::list::{List, Step};
use crate::app::mouse::{Part, Spot};
use crate::app::msg::{Effect, Notice, PlanWish, WishTarget};
use crate::app::shape::Area;
use crate::app::sieve::Sieve;
use crate::domain::{AppRef, ClusterId, Health, Safe, SyncState};
use crate::fleet::Placement;
use crate::view::place::Place;

/// What the cells show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CellValue {
    /// Drift, health and what is not known.
    #[default]
    State,
    /// The deployed revision.
    Revision,
    /// The images.
    Image,
    /// Health alone.
    Health,
    /// How long ago it was deployed.
    Age,
    /// The cluster's version.
    Kubernetes,
    /// A field of configuration, read where somebody looks.
    Field,
}

impl CellValue {
    const ALL: [Self; 7] = [
        Self::State,
        Self::Revision,
        Self::Image,
        Self::Health,
        Self::Age,
        Self::Kubernetes,
        Self::Field,
    ];

    /// Its name in the title.
    pub fn word(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Revision => "revision",
            Self::Image => "image",
            Self::Health => "health",
            Self::Age => "age",
            Self::Kubernetes => "Kubernetes version",
            Self::Field => "configuration value",
        }
    }

    /// The one after it.
    fn next(self) -> Self {
        let at = Self::ALL.iter().position(|v| *v == self).unwrap_or(0);
        Self::ALL
            .get((at + 1) % Self::ALL.len())
            .copied()
            .unwrap_or_default()
    }

    /// Whether differing from the rest of the row means anything for it.
    fn compares(self) -> bool {
        matches!(
            self,
            Self::Revision | Self::Image | Self::Kubernetes | Self::Field
        )
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Column {
    /// All clusters of a group; the empty group holds those without one.
    Group(Safe),
    /// One cluster of a group that was opened.
    Cluster(Safe, ClusterId),
}

impl Column {
    /// Its group.
    pub fn group(&self) -> &Safe {
        match self {
            Self::Group(group) | Self::Cluster(group, _) => group,
        }
    }
}

/// State of the matrix.
#[derive(Debug, Default)]
pub struct MatrixScreen {
    /// The applications, by what they are called everywhere.
    pub list: List<Safe>,
    /// Columns, groups in order, opened ones as their clusters.
    pub columns: Vec<Column>,
    /// The column under the cursor.
    pub column: usize,
    /// The first column that is seen.
    pub first: usize,
    /// What the cells show.
    pub value: CellValue,
    /// The filter: words of application names.
    pub sieve: Sieve,
    /// The field of configuration, and what was read of it.
    pub readings: Readings,
    open: BTreeSet<Safe>,
    placements: BTreeMap<Safe, Vec<Placement>>,
}

/// Columns that a cell takes with the gap behind it.
pub const CELL: u16 = 19;
/// Columns that the names of applications take.
pub const NAMES: u16 = 22;

impl MatrixScreen {
    /// The placements of one application in one column.
    pub fn cell(&self, family: &Safe, column: &Column) -> Vec<&Placement> {
        let all = self.placements.get(family).map_or(&[][..], Vec::as_slice);
        let here = |p: &&Placement| match column {
            Column::Group(group) => p.group == *group,
            Column::Cluster(_, id) => p.cluster == *id,
        };
        all.iter().filter(here).collect()
    }

    /// What most current placements of an application have; ties go to the value that sorts last, which is the newest version.
    pub fn usual(&self, family: &Safe, now: Timestamp) -> Option<Safe> {
        let mut counts: BTreeMap<Safe, usize> = BTreeMap::new();
        let all = self.placements.get(family)?;
        for placement in all.iter().filter(|p| p.current && self.is_read(p)) {
            let value = self.shown(placement, now);
            *counts.entry(value).or_default() += 1;
        }
        counts.into_iter().max_by_key(|(_, n)| *n).map(|(v, _)| v)
    }

    /// Whether a placement is the odd one: it is not well, or differs from the rest of its row.
    pub fn is_odd(&self, placement: &Placement, usual: Option<&Safe>, now: Timestamp) -> bool {
        if self.value.compares() {
            let differs = usual != Some(&self.shown(placement, now));
            return placement.current && self.is_read(placement) && differs;
        }
        placement.current
            && (placement.sync == SyncState::OutOfSync || placement.health == Health::Degraded)
    }

    /// Whether what the cells show is known of a placement: a field of configuration may not be read yet, or not be readable.
    pub fn is_read(&self, placement: &Placement) -> bool {
        self.value != CellValue::Field
            || matches!(
                self.readings.of(&placement.app),
                Some(Reading::Here(_) | Reading::Nothing)
            )
    }

    /// What a placement has of the value that is shown.
    pub fn shown(&self, placement: &Placement, now: Timestamp) -> Safe {
        if self.value != CellValue::Field {
            return shown(self.value, placement, now);
        }
        match self.readings.of(&placement.app) {
            Some(Reading::Here(value)) => value.clone(),
            Some(Reading::Nothing) => Safe::fixed("-"),
            Some(Reading::Silent(_)) => Safe::fixed("?"),
            None if placement.current => Safe::fixed("…"),
            None => Safe::fixed("not read"),
        }
    }

    /// The same, and why it is not known.
    pub fn told(&self, placement: &Placement, now: Timestamp) -> Safe {
        match self.readings.of(&placement.app) {
            Some(Reading::Silent(why)) if self.value == CellValue::Field => {
                format!("? {why}").into()
            }
            _ => self.shown(placement, now),
        }
    }

    /// Every placement.
    pub fn placed(&self) -> impl Iterator<Item = &Placement> {
        self.placements.values().flatten()
    }

    /// Shows a field of configuration in the cells.
    pub fn choose(&mut self, field: Field) {
        self.value = CellValue::Field;
        self.readings.choose(field);
    }

    /// Orders what the cells that are seen show and nobody read yet.
    pub fn owed(&mut self, ask: u64, ctx: &Ctx<'_>) -> Vec<Effect> {
        if self.value != CellValue::Field {
            return Vec::new();
        }
        let mut readings = std::mem::take(&mut self.readings);
        let effects = readings.owed(ask, self.seen(ctx).into_iter(), ctx);
        self.readings = readings;
        effects
    }

    /// The placements in the cells that are seen.
    fn seen(&self, ctx: &Ctx<'_>) -> Vec<&Placement> {
        let rows = self.list.keys().iter().skip(self.list.offset());
        let columns = self.columns.iter().skip(self.first).take(Self::wide(ctx));
        let mut seen = Vec::new();
        for family in rows.take(Self::height(ctx)) {
            for column in columns.clone() {
                seen.extend(self.cell(family, column));
            }
        }
        seen
    }

    /// Reads the values again.
    fn again(&mut self, ctx: &Ctx<'_>) -> Next {
        if self.value != CellValue::Field {
            return Next::Say(Notice::info(format!(
                "Only configuration values are read when they are looked at: {} chooses one.",
                ctx.keys(Place::Matrix, Action::CellField)
            )));
        }
        self.readings.forget();
        Next::AskAgain
    }

    /// Shows the next value; a field of configuration only once one was chosen.
    fn next_value(&mut self) -> Next {
        self.value = self.value.next();
        if self.value == CellValue::Field && self.readings.field().is_none() {
            self.value = self.value.next();
        }
        self.readings.look_again();
        Next::AskAgain
    }

    /// The placements under the cursor.
    pub fn selected(&self) -> Vec<&Placement> {
        match (self.list.selected(), self.columns.get(self.column)) {
            (Some(family), Some(column)) => self.cell(family, column),
            _ => Vec::new(),
        }
    }

    /// The placement under the cursor that needs somebody most.
    pub fn worst(&self, ctx: &Ctx<'_>) -> Option<&Placement> {
        let usual = self.list.selected().and_then(|f| self.usual(f, ctx.now));
        let rank = |p: &&Placement| {
            let odd = self.is_odd(p, usual.as_ref(), ctx.now);
            (!odd, !p.current, usize::MAX - p.drift)
        };
        self.selected().into_iter().min_by_key(rank)
    }

    /// How many columns are seen at once.
    pub fn wide(ctx: &Ctx<'_>) -> usize {
        let main = ctx.shape(Place::Matrix).main;
        usize::from(main.w.saturating_sub(NAMES + 2) / CELL).max(1)
    }

    fn height(ctx: &Ctx<'_>) -> usize {
        ctx.shape(Place::Matrix).main_rows()
    }

    fn lay_out(&mut self, ctx: &Ctx<'_>) {
        let here = self.columns.get(self.column).cloned();
        let mut columns = BTreeSet::new();
        for placement in self.placements.values().flatten() {
            let group = placement.group.clone();
            columns.insert(if self.open.contains(&group) {
                Column::Cluster(group, placement.cluster.clone())
            } else {
                Column::Group(group)
            });
        }
        self.columns = columns.into_iter().collect();
        self.columns.sort_by(|a, b| {
            // Those without a group come last.
            let key = |c: &Column| (c.group().is_empty(), c.group().clone());
            key(a).cmp(&key(b)).then_with(|| a.cmp(b))
        });
        let kept = here.and_then(|here| {
            let same = self.columns.iter().position(|c| *c == here);
            same.or_else(|| self.columns.iter().position(|c| c.group() == here.group()))
        });
        self.column = kept.unwrap_or(0);
        self.show(ctx);
    }

    fn show(&mut self, ctx: &Ctx<'_>) {
        let wide = Self::wide(ctx);
        if self.column < self.first {
            self.first = self.column;
        } else if self.column >= self.first + wide {
            self.first = self.column + 1 - wide;
        }
        self.first = self.first.min(self.columns.len().saturating_sub(wide));
        self.readings.look_again();
    }

    fn aside(&mut self, by: isize, ctx: &Ctx<'_>) {
        let last = self.columns.len().saturating_sub(1);
        self.column = self.column.saturating_add_signed(by).min(last);
        self.show(ctx);
    }

    fn enter(&mut self, ctx: &Ctx<'_>) -> Next {
        match self.columns.get(self.column) {
            Some(Column::Group(group)) => {
                self.open.insert(group.clone());
                self.lay_out(ctx);
                Next::Done
            }
            Some(Column::Cluster(..)) => self.worst_app(ctx),
            None => Next::Ignored,
        }
    }

    fn worst_app(&self, ctx: &Ctx<'_>) -> Next {
        match self.worst(ctx) {
            Some(placement) => Next::Push(Box::new(Screen::App(Box::new(AppScreen::new(
                placement.app.clone(),
            ))))),
            None => Next::Say(Notice::info("This application is not deployed there.")),
        }
    }

    /// Goes to the next cell, row by row, that has an odd one.
    fn next_odd(&mut self, ctx: &Ctx<'_>) -> Next {
        let wide = self.columns.len();
        let cells = self.list.len() * wide;
        let from = self.list.cursor() * wide + self.column;
        let found = (1..=cells).map(|i| (from + i) % cells.max(1)).find(|at| {
            let family = self.list.keys().get(at / wide);
            let column = self.columns.get(at % wide);
            family.zip(column).is_some_and(|(family, column)| {
                let usual = self.usual(family, ctx.now);
                let cell = self.cell(family, column);
                cell.iter().any(|p| self.is_odd(p, usual.as_ref(), ctx.now))
            })
        });
        let Some(at) = found else {
            return Next::Say(Notice::info(format!(
                "No odd one: by {} every application is the same everywhere.",
                self.value.word()
            )));
        };
        if let Some(family) = self.list.keys().get(at / wide).cloned() {
            self.list.select(&family, ctx.now, Self::height(ctx));
        }
        self.column = at % wide;
        self.show(ctx);
        Next::Done
    }
}

/// What a placement has of a value.
pub fn shown(value: CellValue, placement: &Placement, now: Timestamp) -> Safe {
    let none = || Safe::fixed("-");
    match value {
        CellValue::State => format!("{:?}", placement.sync).into(),
        CellValue::Field => none(),
        CellValue::Revision if placement.revision.is_empty() => none(),
        CellValue::Revision => Safe::new(short(&placement.revision)),
        CellValue::Image => match placement.images.as_slice() {
            [] => none(),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} +{}", rest.len()).into(),
        },
        CellValue::Health => format!("{:?}", placement.health).into(),
        CellValue::Age => placement
            .deployed_at
            .map_or_else(none, |at| age(now, at).unwrap_or(Safe::fixed("now"))),
        CellValue::Kubernetes if placement.version.is_empty() => none(),
        CellValue::Kubernetes => placement.version.clone(),
    }
}

fn short(revision: &str) -> &str {
    let hex = revision.len() >= 12 && revision.bytes().all(|b| b.is_ascii_hexdigit());
    revision.get(..8).filter(|_| hex).unwrap_or(revision)
}

impl Face for MatrixScreen {
    fn place(&self) -> Place {
        Place::Matrix
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        self.placements.clear();
        for placement in ctx.fleet.placements() {
            let row = self.placements.entry(placement.family.clone());
            row.or_default().push(placement);
        }
        let words = self.sieve.text().to_lowercase();
        let passes = |family: &&Safe| {
            let name = family.as_str().to_lowercase();
            words.split_whitespace().all(|word| name.contains(word))
        };
        let wanted: Vec<Safe> = self.placements.keys().filter(passes).cloned().collect();
        if at_once {
            self.list.set_now(wanted, Self::height(ctx));
        } else {
            self.list.set(wanted, ctx.now, Self::height(ctx));
        }
        self.lay_out(ctx);
    }

    fn followers(&self, ctx: &Ctx<'_>) -> Vec<Area> {
        Vec::from_iter(ctx.shape(self.place()).detail)
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        self.list.step(step, ctx.now, Self::height(ctx));
        self.readings.look_again();
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        let line = self.list.offset() + spot.line;
        let found =
            spot.part == Part::Main && self.list.select_line(line, ctx.now, Self::height(ctx));
        let column = spot
            .x
            .checked_sub(NAMES + 2)
            .map(|x| self.first + usize::from(x / CELL));
        if let Some(column) = column.filter(|c| found && *c < self.columns.len()) {
            self.column = column;
            self.show(ctx);
        }
        found
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Left | Action::PreviousPane => self.aside(-1, ctx),
            Action::Right | Action::NextPane => self.aside(1, ctx),
            Action::Open => return self.enter(ctx),
            Action::Diff => return self.worst_app(ctx),
            Action::CellValue => return self.next_value(),
            Action::CellAgain => return self.again(ctx),
            Action::NextOdd => return self.next_odd(ctx),
            _ => return Next::Ignored,
        }
        Next::Done
    }

    fn crumb(&self) -> Safe {
        Safe::fixed("matrix")
    }

    fn scope(&self, _ctx: &Ctx<'_>) -> Safe {
        let clusters: BTreeSet<&ClusterId> = self
            .placements
            .values()
            .flatten()
            .map(|p| &p.cluster)
            .collect();
        let field = self.readings.field();
        // A field's name is as long as the line has room for.
        if let Some(field) = field.filter(|_| self.value == CellValue::Field) {
            return field.to_string().into();
        }
        format!(
            "{}  {} x {}",
            self.value.word(),
            super::drift::plural(self.placements.len(), "application"),
            super::drift::plural(clusters.len(), "cluster")
        )
        .into()
    }

    /// Closes the group under the cursor, then clears the filter.
    fn back(&mut self, ctx: &Ctx<'_>) -> bool {
        if let Some(Column::Cluster(group, _)) = self.columns.get(self.column).cloned() {
            self.open.remove(&group);
            self.lay_out(ctx);
            return true;
        }
        let did = self.sieve.clear();
        self.refresh(ctx, true);
        did
    }

    /// Everything that drifted in the cell.
    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let cell = self.selected();
        let targets: Vec<WishTarget> = cell
            .iter()
            .flat_map(|p| super::app::drifted(&p.app, ctx))
            .collect();
        if targets.is_empty() {
            return Err(Notice::info("Nothing in this cell has drifted."));
        }
        let family = self.list.selected().cloned().unwrap_or_default();
        let reason = match self.columns.get(self.column) {
            Some(Column::Cluster(_, id)) => format!("everything of {family} that drifted on {id}"),
            Some(Column::Group(group)) if !group.is_empty() => {
                format!("everything of {family} that drifted in {group}")
            }
            _ => format!("everything of {family} that drifted"),
        };
        Ok(PlanWish {
            targets,
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn app(&self, ctx: &Ctx<'_>) -> Option<AppRef> {
        self.worst(ctx).map(|p| p.app.clone())
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        match self.columns.get(self.column) {
            Some(Column::Cluster(_, id)) => Some(id.clone()),
            _ => self.worst(ctx).map(|p| p.cluster.clone()),
        }
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        self.list.selected().cloned()
    }

    fn sieve(&self) -> Option<&Sieve> {
        Some(&self.sieve)
    }

    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set_words(text);
        self.refresh(ctx, true);
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }

    fn wakes_at(&self, ctx: &Ctx<'_>) -> Option<Timestamp> {
        let wants = self.value == CellValue::Field && self.readings.wants();
        wants.then_some(ctx.now)
    }
}

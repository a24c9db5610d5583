//! The difference of one object: "desired against live, and who did it".

use std::sync::Arc;

use super::{Ctx, Face, Next};
use crate::app::action::Action;
use crate::app::diff::{Mark, Row, ViewLine, rows, view};
use crate::app::list::Step;
use crate::app::msg::Notice;
use crate::app::msg::{Effect, PlanWish, WishTarget};
use crate::app::shape::{Area, SPLIT};
use crate::app::sieve::Sieve;
use crate::domain::event::Bodies;
use crate::domain::{AppRef, ClusterId, DriftState, Resource, Safe, Verdict};
use crate::view::place::Place;

/// Equal lines around a change at first.
const CONTEXT: usize = 3;

/// The documents, as far as they are known.
#[derive(Clone, Debug)]
pub enum Documents {
    /// Being read.
    Reading,
    /// They cannot be shown, and why.
    Failed(Safe),
    /// Here they are.
    Here(Arc<Bodies>),
}

/// State of the diff screen.
#[derive(Debug)]
pub struct DiffScreen {
    /// Which object.
    pub target: WishTarget,
    /// Number of the question for the documents, when they had to be asked for.
    pub ask: u64,
    /// The documents.
    pub documents: Documents,
    /// The verdict that the rows were marked with.
    pub verdict: Arc<Verdict>,
    /// Every line of both documents.
    pub rows: Vec<Row>,
    /// The lines shown.
    pub lines: Vec<ViewLine>,
    /// The first visible line.
    pub top: usize,
    /// Columns scrolled to the right.
    pub shift: usize,
    /// Side by side or not; `None` follows the width of the terminal.
    pub split: Option<bool>,
    /// Whether what does not count is shown.
    pub noise: bool,
    /// Whether the owners of fields are shown.
    pub owners: bool,
    /// What is searched for.
    pub sieve: Sieve,
    /// The part of another screen that it stands in; none when it has a screen of its own.
    pub pane: Option<Area>,
    context: usize,
}

impl DiffScreen {
    /// The screen of one object.
    pub fn new(target: WishTarget) -> Self {
        Self {
            target,
            ask: 0,
            documents: Documents::Reading,
            verdict: Arc::default(),
            rows: Vec::new(),
            lines: Vec::new(),
            top: 0,
            shift: 0,
            split: None,
            noise: false,
            owners: true,
            sieve: Sieve::default(),
            pane: None,
            context: CONTEXT,
        }
    }

    /// Where it stands.
    pub fn area(&self, ctx: &Ctx<'_>) -> Area {
        self.pane.unwrap_or(ctx.shape(Place::Diff).main)
    }

    /// Whether both sides stand beside each other.
    pub fn is_split(&self, ctx: &Ctx<'_>) -> bool {
        self.area(ctx).w >= SPLIT && self.split.unwrap_or(true)
    }

    /// The object's newest state.
    pub fn resource<'a>(&self, ctx: &Ctx<'a>) -> Option<&'a Arc<Resource>> {
        ctx.fleet
            .resource(&self.target.cluster, &self.target.object)
    }

    /// The order for the documents, when the fleet does not hold them.
    pub fn opened(&mut self, ask: u64, ctx: &Ctx<'_>) -> Vec<Effect> {
        self.refresh(ctx, true);
        if !matches!(self.documents, Documents::Reading) {
            return Vec::new();
        }
        self.ask = ask;
        let WishTarget {
            cluster,
            app,
            object,
        } = self.target.clone();
        vec![Effect::FetchBodies {
            ask,
            cluster,
            app,
            object,
        }]
    }

    /// Asks again for documents that could not be read.
    pub fn again(&mut self, ask: u64, ctx: &Ctx<'_>) -> Vec<Effect> {
        if !matches!(self.documents, Documents::Failed(_)) {
            return Vec::new();
        }
        self.documents = Documents::Reading;
        self.opened(ask, ctx)
    }

    /// Takes the documents; an answer to another question is dropped.
    pub fn answer(&mut self, ask: u64, result: Result<Arc<Bodies>, Safe>, ctx: &Ctx<'_>) {
        if ask != self.ask || !matches!(self.documents, Documents::Reading) {
            return;
        }
        match result {
            Ok(bodies) => self.take(bodies, ctx),
            Err(why) => self.documents = Documents::Failed(why),
        }
    }

    fn take(&mut self, bodies: Arc<Bodies>, ctx: &Ctx<'_>) {
        if let Some(resource) = self.resource(ctx) {
            self.verdict = Arc::clone(&resource.verdict);
        }
        self.rows = rows(&bodies, &self.verdict);
        self.documents = Documents::Here(bodies);
        self.choose(ctx);
    }

    fn choose(&mut self, ctx: &Ctx<'_>) {
        self.lines = view(&self.rows, self.context, self.noise);
        self.clamp(ctx);
    }

    fn clamp(&mut self, ctx: &Ctx<'_>) {
        self.top = self.top.min(self.drawn(ctx).saturating_sub(self.page(ctx)));
    }

    /// How many lines the view takes on the screen: a changed row takes two where the sides stand below each other.
    pub fn drawn(&self, ctx: &Ctx<'_>) -> usize {
        let split = self.is_split(ctx);
        self.lines.iter().map(|line| self.height(line, split)).sum()
    }

    fn height(&self, line: &ViewLine, split: bool) -> usize {
        match line {
            ViewLine::Row(i)
                if !split && self.rows.get(*i).is_some_and(|r| r.mark == Mark::Changed) =>
            {
                2
            }
            _ => 1,
        }
    }

    /// Where each change begins, in drawn lines.
    pub fn hunks(&self, ctx: &Ctx<'_>) -> Vec<usize> {
        let split = self.is_split(ctx);
        let (mut hunks, mut at, mut inside) = (Vec::new(), 0, false);
        for line in &self.lines {
            let differs = matches!(line, ViewLine::Row(i) if self.rows.get(*i).is_some_and(|r| r.mark != Mark::Same));
            if differs && !inside {
                hunks.push(at);
            }
            inside = differs;
            at += self.height(line, split);
        }
        hunks
    }

    /// What is searched for, in lower case; none when nothing is.
    pub fn wanted(&self) -> Option<String> {
        let text = self.sieve.text().trim().to_lowercase();
        (!text.is_empty()).then_some(text)
    }

    /// The drawn lines that hold what is searched for.
    fn found(&self, wanted: &str, ctx: &Ctx<'_>) -> Vec<usize> {
        let split = self.is_split(ctx);
        let holds = |text: &Option<Safe>| {
            text.as_ref()
                .is_some_and(|t| t.as_str().to_lowercase().contains(wanted))
        };
        let (mut found, mut at) = (Vec::new(), 0);
        for line in &self.lines {
            let row = match line {
                ViewLine::Row(i) => self.rows.get(*i),
                ViewLine::Fold(_) => None,
            };
            if row.is_some_and(|r| holds(&r.left) || holds(&r.right)) {
                found.push(at);
            }
            at += self.height(line, split);
        }
        found
    }

    /// Goes to the next or previous change; while something is searched for, to the next or previous place that holds it.
    fn jump(&mut self, forward: bool, ctx: &Ctx<'_>) {
        // A change is brought to the third line, so that what stands above it is still seen.
        let target = |hunk: &usize| hunk.saturating_sub(2);
        let end = self.drawn(ctx).saturating_sub(self.page(ctx));
        let hunks = match self.wanted() {
            Some(wanted) => self.found(&wanted, ctx),
            None => self.hunks(ctx),
        };
        let next = if forward {
            hunks.iter().map(target).find(|at| *at > self.top)
        } else {
            hunks.iter().rev().map(target).find(|at| *at < self.top)
        };
        if let Some(at) = next {
            self.top = at.min(end);
        }
    }

    fn set_context(&mut self, context: usize, ctx: &Ctx<'_>) {
        self.context = context;
        self.choose(ctx);
    }
}

impl Face for DiffScreen {
    fn place(&self) -> Place {
        Place::Diff
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, _at_once: bool) {
        let Some(resource) = self.resource(ctx) else {
            return;
        };
        let known = matches!(&self.documents, Documents::Here(_))
            && Arc::ptr_eq(&self.verdict, &resource.verdict);
        if let Some(bodies) = resource.bodies.clone().filter(|_| !known) {
            self.take(bodies, ctx);
        }
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        let end = self.drawn(ctx).saturating_sub(self.page(ctx));
        self.top = match step {
            Step::By(rows) => self.top.saturating_add_signed(rows).min(end),
            Step::First => 0,
            Step::Last => end,
        };
    }

    /// The body without the lines above it: what is compared, the totals, the titles of both sides.
    fn page(&self, ctx: &Ctx<'_>) -> usize {
        let body = self.area(ctx);
        usize::from(body.h.saturating_sub(DIFF_ABOVE + DIFF_BELOW)).max(1)
    }

    fn act(&mut self, action: Action, ctx: &Ctx<'_>) -> Next {
        match action {
            Action::NextHunk => self.jump(true, ctx),
            Action::PreviousHunk => self.jump(false, ctx),
            Action::Split if self.area(ctx).w < SPLIT => {
                return Next::Say(Notice::info(
                    "Side by side needs a terminal of 100 columns.",
                ));
            }
            Action::Split => {
                self.split = Some(!self.is_split(ctx));
                self.clamp(ctx);
            }
            Action::Noise => {
                self.noise = !self.noise;
                self.choose(ctx);
            }
            Action::Owners => self.owners = !self.owners,
            Action::MoreContext => self.set_context((self.context * 2).clamp(1, 10_000), ctx),
            Action::LessContext => self.set_context(self.context / 2, ctx),
            Action::Left => self.shift = self.shift.saturating_sub(8),
            Action::Right => self.shift = (self.shift + 8).min(10_000),
            _ => return Next::Ignored,
        }
        Next::Done
    }

    fn crumb(&self) -> Safe {
        format!("{} diff", self.target.object.name).into()
    }

    fn scope(&self, _ctx: &Ctx<'_>) -> Safe {
        format!("{} @ {}", self.target.object, self.target.cluster).into()
    }

    fn wish(&self, ctx: &Ctx<'_>) -> Result<PlanWish, Notice> {
        let drifted = self.resource(ctx).is_some_and(|r| r.verdict.is_drift());
        let missing = self.verdict.states.contains(&DriftState::Missing);
        if !drifted && !missing {
            return Err(Notice::info("This object is as Git wants it."));
        }
        let reason = format!("{} {}", self.target.object, self.verdict.summary);
        Ok(PlanWish {
            targets: vec![self.target.clone()],
            reason: reason.into(),
            ..PlanWish::default()
        })
    }

    fn back(&mut self, _ctx: &Ctx<'_>) -> bool {
        self.sieve.clear()
    }

    fn sieve(&self) -> Option<&Sieve> {
        Some(&self.sieve)
    }

    /// Searches both sides; everything is shown while something is searched for that stands in a fold.
    fn filter(&mut self, text: &str, ctx: &Ctx<'_>) {
        self.sieve.set_words(text);
        let Some(wanted) = self.wanted() else {
            return;
        };
        if self.found(&wanted, ctx).is_empty() {
            self.set_context(10_000, ctx);
        }
        if let Some(first) = self.found(&wanted, ctx).first() {
            let end = self.drawn(ctx).saturating_sub(self.page(ctx));
            self.top = first.saturating_sub(2).min(end);
        }
    }

    fn object(&self, _ctx: &Ctx<'_>) -> Option<WishTarget> {
        Some(self.target.clone())
    }

    fn app(&self, _ctx: &Ctx<'_>) -> Option<AppRef> {
        Some(self.target.app.clone())
    }

    fn cluster(&self, _ctx: &Ctx<'_>) -> Option<ClusterId> {
        Some(self.target.cluster.clone())
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        Some(self.target.object.to_string().into())
    }
}

/// Lines above the difference: the totals and the titles of both sides.
pub const DIFF_ABOVE: u16 = 2;

/// Lines below it: why it is drift, what the hub says.
pub const DIFF_BELOW: u16 = 3;

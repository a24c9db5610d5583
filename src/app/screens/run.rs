//! The run: "what is happening, what became of each target".

use std::sync::Arc;

use super::{Ctx, Face, Next};
use crate::app::action::Action;
use crate::app::list::{List, Step};
use crate::app::mouse::Spot;
use crate::app::msg::{Effect, Notice, WishTarget};
use crate::domain::{AppRef, ClusterId, Safe};
use crate::ops::{Outcome, Plan, Run, RunEvent, TargetOutcome};
use crate::view::place::Place;

/// Where one target stands.
#[derive(Clone, Debug)]
pub enum Progress {
    /// Not sent yet.
    Waiting,
    /// Its write is being sent; the intent is on disk.
    Sent,
    /// Accepted; the cluster is watched until it shows it.
    Accepted(Safe),
    /// Ended.
    Ended(Box<TargetOutcome>),
}

/// State of the run screen.
#[derive(Debug)]
pub struct RunScreen {
    /// What is carried out.
    pub plan: Arc<Plan>,
    /// One entry a target of the plan.
    pub progress: Vec<Progress>,
    /// The wave that is being sent, from 0.
    pub wave: Option<usize>,
    /// The end.
    pub finished: Option<Box<Run>>,
    /// Why it stopped, or could not begin.
    pub stopped: Option<Safe>,
    /// The targets, by their number in the plan.
    pub list: List<usize>,
    stop_asked: bool,
}

impl RunScreen {
    /// A run that was just ordered.
    pub fn new(plan: Arc<Plan>) -> Self {
        let progress = plan.targets.iter().map(|_| Progress::Waiting).collect();
        Self {
            plan,
            progress,
            wave: None,
            finished: None,
            stopped: None,
            list: List::default(),
            stop_asked: false,
        }
    }

    /// Whether nothing more will happen.
    pub fn is_over(&self) -> bool {
        self.finished.is_some()
    }

    /// Takes news of the run; news of another run are dropped.
    pub fn hear(&mut self, plan: &str, event: RunEvent) {
        if plan != self.plan.id {
            return;
        }
        match event {
            RunEvent::WaveStarted(wave) => self.wave = Some(wave),
            RunEvent::Started(i) => self.put(i, Progress::Sent),
            RunEvent::Accepted(i, words) => self.put(i, Progress::Accepted(words)),
            RunEvent::Ended(i, outcome) => self.put(i, Progress::Ended(outcome)),
            RunEvent::Stopped(why) => self.stopped = Some(why),
            RunEvent::Finished(run) => self.finish(run),
        }
    }

    /// The run could not begin.
    pub fn refuse(&mut self, plan: &str, why: Safe) {
        if plan == self.plan.id {
            self.stopped = Some(why);
        }
    }

    fn put(&mut self, index: usize, progress: Progress) {
        if let Some(slot) = self.progress.get_mut(index) {
            *slot = progress;
        }
    }

    fn finish(&mut self, run: Box<Run>) {
        for (i, outcome) in run.outcomes.iter().enumerate() {
            self.put(i, Progress::Ended(Box::new(outcome.clone())));
        }
        self.stopped = run.stopped.clone().or(self.stopped.take());
        self.finished = Some(run);
    }

    /// How many targets ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        let ended = |p: &&Progress| matches!(p, Progress::Ended(o) if o.outcome == outcome);
        self.progress.iter().filter(ended).count()
    }

    /// How many targets ended at all.
    pub fn ended(&self) -> usize {
        self.progress
            .iter()
            .filter(|p| matches!(p, Progress::Ended(_)))
            .count()
    }

    /// How many are sent and not ended.
    pub fn in_flight(&self) -> usize {
        let flying = |p: &&Progress| matches!(p, Progress::Sent | Progress::Accepted(_));
        self.progress.iter().filter(flying).count()
    }

    /// What is bad comes first, then what moves, then what waits, then what is good.
    fn rank(&self, index: usize) -> u8 {
        match self.progress.get(index) {
            Some(Progress::Ended(o)) if !o.outcome.is_good() => 0,
            Some(Progress::Sent | Progress::Accepted(_)) => 1,
            Some(Progress::Waiting) | None => 2,
            Some(Progress::Ended(_)) => 3,
        }
    }

    fn stop(&mut self) -> Next {
        if self.is_over() {
            return Next::Say(Notice::info("The run is over."));
        }
        if std::mem::replace(&mut self.stop_asked, true) {
            return Next::Say(Notice::info("The run stops after the targets in flight."));
        }
        Next::Order(vec![Effect::StopRun {
            plan: self.plan.id.clone(),
        }])
    }
}

impl Face for RunScreen {
    fn place(&self) -> Place {
        Place::Run
    }

    fn refresh(&mut self, ctx: &Ctx<'_>, at_once: bool) {
        let mut order: Vec<usize> = (0..self.plan.targets.len()).collect();
        order.sort_by_key(|i| self.rank(*i));
        let height = self.page(ctx);
        if at_once {
            self.list.set_now(order, height);
        } else {
            self.list.set(order, ctx.now, height);
        }
    }

    fn step(&mut self, step: Step, ctx: &Ctx<'_>) {
        self.list.step(step, ctx.now, self.page(ctx));
    }

    fn page(&self, ctx: &Ctx<'_>) -> usize {
        super::plan_rows(ctx)
    }

    fn click(&mut self, spot: Spot, ctx: &Ctx<'_>) -> bool {
        super::click_target(&mut self.list, spot, ctx)
    }

    fn act(&mut self, action: Action, _ctx: &Ctx<'_>) -> Next {
        match action {
            Action::Stop => self.stop(),
            _ => Next::Ignored,
        }
    }

    fn crumb(&self) -> Safe {
        Safe::fixed("run")
    }

    fn scope(&self, _ctx: &Ctx<'_>) -> Safe {
        format!("{} {}", self.plan.verb, self.plan.reason).into()
    }

    fn object(&self, _ctx: &Ctx<'_>) -> Option<WishTarget> {
        let target = self.plan.targets.get(*self.list.selected()?)?;
        Some(WishTarget {
            cluster: target.cluster.clone(),
            app: target.app.clone(),
            object: target.object.clone(),
        })
    }

    fn app(&self, ctx: &Ctx<'_>) -> Option<AppRef> {
        self.object(ctx).map(|t| t.app)
    }

    fn cluster(&self, ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.object(ctx).map(|t| t.cluster)
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        let target = self.plan.targets.get(*self.list.selected()?)?;
        Some(target.name().to_string().into())
    }

    fn is_unsettled(&self) -> bool {
        self.list.is_unsettled()
    }
}

//! The plan: "exactly what will happen".

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Ctx, Face, Next};
use crate::app::action::Action;
use crate::app::list::{List, Step};
use crate::app::mouse::Spot;
use crate::app::msg::{Effect, Notice, PlanWish, WishTarget};
use crate::domain::{AppRef, ClusterId, Engine, Safe};
use crate::ops::{Plan, PlanTarget, Route};
use crate::view::place::Place;

/// How far the plan is.
#[derive(Clone, Debug)]
pub enum Planned {
    /// Being built: targets are read and the servers asked.
    Building,
    /// There is none, and why.
    Failed(Safe),
    /// Here it is.
    Ready(Arc<Plan>),
}

/// State of the plan screen.
#[derive(Debug)]
pub struct PlanScreen {
    /// What was asked for; kept to ask again.
    pub wish: PlanWish,
    /// Number of the question that is open, or was answered last.
    pub ask: u64,
    /// The plan.
    pub planned: Planned,
    /// The targets, by their number in the plan.
    pub list: List<usize>,
    /// Targets that the operator left out since the plan was built.
    pub left_out: BTreeSet<usize>,
}

impl PlanScreen {
    /// A plan that is being asked for.
    pub fn new(ask: u64, wish: PlanWish) -> Self {
        Self {
            wish,
            ask,
            planned: Planned::Building,
            list: List::default(),
            left_out: BTreeSet::new(),
        }
    }

    /// The plan, once it is there.
    pub fn plan(&self) -> Option<&Arc<Plan>> {
        match &self.planned {
            Planned::Ready(plan) => Some(plan),
            Planned::Building | Planned::Failed(_) => None,
        }
    }

    /// The target under the cursor.
    pub fn target(&self) -> Option<&PlanTarget> {
        self.plan()?.targets.get(*self.list.selected()?)
    }

    /// Takes the answer to the open question; an answer to another one is dropped.
    pub fn answer(&mut self, ask: u64, result: Result<Arc<Plan>, Safe>, ctx: &Ctx<'_>) {
        if ask != self.ask {
            return;
        }
        self.left_out.clear();
        self.planned = match result {
            Ok(plan) => Planned::Ready(plan),
            Err(why) => Planned::Failed(why),
        };
        self.refresh(ctx, true);
    }

    /// The wish without what the operator left out, asked again under a new number.
    pub fn ask_again(&mut self, ask: u64) -> Effect {
        if let Planned::Ready(plan) = &self.planned {
            let keep = |t: &WishTarget| {
                let left_out = |i: &usize| plan.targets.get(*i).is_some_and(|p| is_same(p, t));
                !self.left_out.iter().any(left_out)
            };
            self.wish.targets.retain(keep);
        }
        self.ask = ask;
        self.left_out.clear();
        self.planned = Planned::Building;
        Effect::BuildPlan {
            ask,
            wish: self.wish.clone(),
        }
    }

    /// Changes the route: as the planner thinks best, through the engines that carry the targets, directly.
    pub fn next_route(&mut self) {
        let carries = |engine| {
            let mut targets = self.wish.targets.iter();
            targets.any(|t| t.app.kind.engine() == engine)
        };
        let routes = [
            (true, None),
            (carries(Engine::Argo), Some(Route::Argo)),
            (carries(Engine::Flux), Some(Route::Flux)),
            (true, Some(Route::Direct)),
        ];
        let offered = routes.iter().filter(|(offered, _)| *offered);
        let mut after = offered.skip_while(|(_, route)| *route != self.wish.via);
        // After the last one it begins again with the best.
        self.wish.via = after.nth(1).and_then(|(_, route)| *route);
    }

    fn toggle(&mut self) {
        let Some(index) = self.list.selected().copied() else {
            return;
        };
        if !self.left_out.remove(&index) {
            self.left_out.insert(index);
        }
    }

    fn toggle_all(&mut self) {
        if self.left_out.is_empty() {
            self.left_out = self.list.keys().iter().copied().collect();
        } else {
            self.left_out.clear();
        }
    }

    /// The plan as commands that do the same.
    fn commands(&self) -> Option<Safe> {
        let plan = self.plan()?;
        let commands: Vec<String> = plan
            .targets
            .iter()
            .filter(|t| t.order.is_some())
            .map(|t| {
                let (kind, ns, name) = (&t.object.gvk.kind, &t.object.namespace, &t.object.name);
                let namespace = if ns.is_empty() { String::new() } else { format!(" -n {}", quoted(ns)) };
                let (cluster, name) = (quoted(t.cluster.as_str()), quoted(name));
                format!(
                    "driftdeck revert --cluster {cluster} --app {} --kind {}{namespace} --name {name} --via {} --write",
                    quoted(&t.app.name),
                    quoted(kind),
                    t.route
                )
            })
            .collect();
        Some(Safe::from(commands.join("; ")))
    }
}

/// A word as a shell takes it unchanged.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/@".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn is_same(planned: &PlanTarget, wished: &WishTarget) -> bool {
    planned.cluster == wished.cluster
        && planned.app == wished.app
        && planned.object == wished.object
}

impl Face for PlanScreen {
    fn place(&self) -> Place {
        Place::Plan
    }

    /// Targets that will be sent come first, then those that will not; the order within is the plan's.
    fn refresh(&mut self, ctx: &Ctx<'_>, _at_once: bool) {
        let order = match self.plan() {
            Some(plan) => {
                let mut order: Vec<usize> = (0..plan.targets.len()).collect();
                order.sort_by_key(|i| plan.targets.get(*i).is_some_and(|t| t.order.is_none()));
                order
            }
            None => Vec::new(),
        };
        self.list.set_now(order, self.page(ctx));
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
            Action::Toggle => self.toggle(),
            Action::ToggleAll => self.toggle_all(),
            Action::CopyCommands => {
                return match self.commands() {
                    Some(text) => Next::Order(vec![Effect::Copy(text)]),
                    None => Next::Say(Notice::info("There is no plan to copy yet.")),
                };
            }
            _ => return Next::Ignored,
        }
        Next::Done
    }

    fn crumb(&self) -> Safe {
        Safe::fixed("plan")
    }

    fn scope(&self, _ctx: &Ctx<'_>) -> Safe {
        format!("revert {}", self.wish.reason).into()
    }

    fn back(&mut self, _ctx: &Ctx<'_>) -> bool {
        let had = !self.left_out.is_empty();
        self.left_out.clear();
        had
    }

    fn object(&self, _ctx: &Ctx<'_>) -> Option<WishTarget> {
        let target = self.target()?;
        Some(WishTarget {
            cluster: target.cluster.clone(),
            app: target.app.clone(),
            object: target.object.clone(),
        })
    }

    fn app(&self, _ctx: &Ctx<'_>) -> Option<AppRef> {
        self.target().map(|t| t.app.clone())
    }

    fn cluster(&self, _ctx: &Ctx<'_>) -> Option<ClusterId> {
        self.target().map(|t| t.cluster.clone())
    }

    fn name(&self, _ctx: &Ctx<'_>) -> Option<Safe> {
        self.target().map(|t| t.name().to_string().into())
    }
}

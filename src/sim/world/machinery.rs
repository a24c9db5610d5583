//! The clockwork: lets happen what is due, then lets the controllers react until nothing moves any more.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use super::argo::{Argo, Ground, Renderer};
use super::clock::SimClock;
use super::cluster::Cluster;
use super::happen::Scene;
use super::plan::Plan;
use super::repository::{CommitFacts, FleetRepository, TextChange};
use super::scenario::Action;
use super::schedule::Planned;
use super::workload::Workloads;

/// Rounds after which whatever still moves has to wait for the next step.
const ROUNDS: usize = 32;
/// The shortest wait between two steps, for a world that will not come to rest.
const PAUSE: SignedDuration = SignedDuration::from_millis(50);
/// How long after a scenario's commit the webhook reaches Argo CD.
const WEBHOOK: SignedDuration = SignedDuration::from_secs(2);

/// One edge with its workload controllers.
#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) workloads: Arc<Mutex<Workloads>>,
    /// The version up to which everybody has reacted.
    seen: u64,
    reachable: bool,
    next: Option<Timestamp>,
}

impl Site {
    pub(crate) fn new(workloads: Arc<Mutex<Workloads>>) -> Self {
        Self {
            workloads,
            seen: 0,
            reachable: true,
            next: None,
        }
    }

    /// One at which nothing is left to react to.
    pub(crate) fn rested(workloads: Arc<Mutex<Workloads>>, edge: &Cluster) -> Self {
        Self {
            seen: edge.store.resource_version(),
            reachable: edge.reachable(),
            ..Self::new(workloads)
        }
    }
}

/// Everything that moves.
#[derive(Debug)]
pub(crate) struct Machinery {
    pub(crate) clock: SimClock,
    pub(crate) plan: Plan,
    pub(crate) edges: Vec<Cluster>,
    pub(crate) sites: Vec<Site>,
    pub(crate) controllers: Vec<Argo>,
    pub(crate) repository: FleetRepository,
    pub(crate) renderer: Renderer,
    /// What will happen, in order of time.
    pub(crate) story: VecDeque<Planned>,
    /// Files of commits whose webhook is under way.
    pub(crate) hooks: VecDeque<(Timestamp, String)>,
}

impl Machinery {
    /// Does everything that is due; answers when something will be due next.
    pub(crate) fn step(&mut self) -> Option<Timestamp> {
        let now = self.clock.now();
        self.tell_story(now);
        let mut next = None;
        for _ in 0..ROUNDS {
            let moved = self.react(now);
            next = self.settle_controllers(now);
            if !moved && next.is_none_or(|at| at > now) {
                break;
            }
        }
        let sites = self.sites.iter().filter_map(|s| s.next).min();
        let story = self.story.front().map(|p| self.clock.started() + p.at);
        let hook = self.hooks.front().map(|(at, _)| *at);
        [next, sites, story, hook]
            .into_iter()
            .flatten()
            .min()
            .map(|at| at.max(now + PAUSE))
    }

    /// Whether no story is left to tell and no controller looks at Git by itself.
    pub(crate) fn is_calm(&self) -> bool {
        self.story.is_empty()
            && self.hooks.is_empty()
            && self.controllers.iter().all(Argo::waits_for_others)
    }

    /// Moves a manual clock on, stopping at everything that is due on the way.
    pub(crate) fn advance(&mut self, by: SignedDuration) {
        let until = self.clock.now() + by;
        while let Some(next) = self.step() {
            if next >= until {
                break;
            }
            self.clock.set(next);
        }
        self.clock.set(until);
        self.step();
    }

    fn tell_story(&mut self, now: Timestamp) {
        while let Some(planned) = self.story.pop_front() {
            if self.clock.started() + planned.at > now {
                self.story.push_front(planned);
                break;
            }
            self.play(&planned, now);
        }
        while let Some((at, file)) = self.hooks.pop_front() {
            if at > now {
                self.hooks.push_front((at, file));
                break;
            }
            self.wake_by_path(&file);
            for controller in &mut self.controllers {
                controller.git_changed(&file);
            }
        }
    }

    /// Makes the controllers look after the applications whose folder holds a file.
    fn wake_by_path(&mut self, file: &str) {
        for plan in &self.plan.edges {
            if let Some(controller) = self.controllers.get_mut(plan.hub) {
                let apps = plan.apps.iter().filter(|app| file.starts_with(&app.path));
                controller.look_after(apps.map(|app| app.name.as_str()));
            }
        }
    }

    fn play(&mut self, planned: &Planned, now: Timestamp) {
        let Some(index) = planned.edge else {
            self.commit(&planned.action, now);
            return;
        };
        let (Some(edge), Some(site), Some(plan)) = (
            self.edges.get(index),
            self.sites.get_mut(index),
            self.plan.edges.get(index),
        ) else {
            return;
        };
        let played = Scene {
            edge,
            workloads: &mut site.workloads.lock(),
            app: plan.app(&planned.app),
            now,
        }
        .play(&planned.action);
        // Crashing pods are no write that anybody could notice.
        site.next = Some(now);
        if let Err(status) = played {
            tracing::warn!(edge = %edge.name, %status, "a scenario's event did not come about");
        }
    }

    fn commit(&mut self, action: &Action, now: Timestamp) {
        let Action::Commit {
            author,
            message,
            file,
            before,
            after,
        } = action
        else {
            return;
        };
        let change = TextChange {
            file,
            before,
            after,
        };
        let facts = CommitFacts {
            author: author.clone(),
            message: message.clone(),
            at: now,
        };
        match self.repository.commit(&change, &facts) {
            Ok(_) => self.hooks.push_back((now + WEBHOOK, file.clone())),
            Err(error) => tracing::warn!(%error, "a scenario's commit did not come about"),
        }
    }

    /// Lets the workload controllers react; answers whether anything changed on any edge.
    fn react(&mut self, now: Timestamp) -> bool {
        let mut moved = false;
        let plans = self.edges.iter().zip(&self.plan.edges);
        for ((edge, plan), site) in plans.zip(&mut self.sites) {
            let reachable = edge.reachable();
            let due = site.next.is_some_and(|at| at <= now);
            if edge.store.resource_version() == site.seen && reachable == site.reachable && !due {
                continue;
            }
            moved = true;
            site.reachable = reachable;
            // Read first: what is written while it settles is news for the next round.
            site.seen = edge.store.resource_version();
            site.next = site.workloads.lock().settle(now);
            if let Some(controller) = self.controllers.get_mut(plan.hub) {
                controller.look_after(plan.apps.iter().map(|app| app.name.as_str()));
            }
            for controller in &mut self.controllers {
                controller.cluster_changed(edge);
            }
        }
        moved
    }

    fn settle_controllers(&mut self, now: Timestamp) -> Option<Timestamp> {
        let mut ground = Ground {
            edges: &self.edges,
            repository: &self.repository,
            renderer: &mut self.renderer,
        };
        self.controllers
            .iter_mut()
            .filter_map(|controller| controller.settle(&mut ground, now))
            .min()
    }
}

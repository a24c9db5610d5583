//! The run: approved writes in waves, a bounded number at a time, each sent once; stops after too many failures.

mod argo_sync;
mod carry;
mod look;
mod reconcile;

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;
use parking_lot::Mutex;
use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use super::gate::ApprovedOrder;
use super::journal::Journal;
use super::{ApprovedPlan, Clusters, Outcome, Plan, Run, RunEvent, TargetOutcome};
use crate::domain::{Name, Safe};

/// How long each part of a verification may take.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// One answer of an API server.
    pub answer: Duration,
    /// Until a written object shows what was written.
    pub show: Duration,
    /// Until Argo CD's controller takes up an operation.
    pub take_up: Duration,
    /// Until an operation that was taken up ends.
    pub finish: Duration,
    /// Between two looks.
    pub poll: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            answer: Duration::from_secs(10),
            show: Duration::from_secs(15),
            take_up: Duration::from_secs(30),
            finish: Duration::from_secs(300),
            poll: Duration::from_millis(500),
        }
    }
}

/// What a run works with.
#[derive(Clone)]
pub struct RunContext {
    /// The connections.
    pub clusters: Arc<dyn Clusters>,
    /// The journal; a run without one does not exist.
    pub journal: Arc<Journal>,
    /// The person, as `user@host`.
    pub operator: Name,
    /// The clock of the journal's lines.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Writes in flight at a time; 0 reads as 1.
    pub max_in_flight: usize,
    /// Targets that may end badly before nothing more is sent; `None` for no bound.
    pub stop_after: Option<usize>,
    /// Time limits.
    pub patience: Patience,
    /// Ends the run early: nothing more is sent, and what is in flight is no longer watched.
    pub cancel: CancellationToken,
    /// Where the run tells how it goes. At most four messages a target and a wave are sent.
    pub events: UnboundedSender<RunEvent>,
}

/// Carries an approved plan out and tells how every target ended. Also sent as [`RunEvent::Finished`].
pub async fn run(approved: ApprovedPlan, context: RunContext) -> Run {
    let runner = Runner {
        progress: Mutex::new(Progress::new(&approved.plan)),
        plan: approved.plan,
        context,
    };
    runner.settle_skipped();
    runner.waves(&approved.orders).await;
    let run = runner.finish();
    runner.tell(RunEvent::Finished(Box::new(run.clone())));
    run
}

struct Progress {
    outcomes: Vec<Option<TargetOutcome>>,
    /// Targets that were sent, or tried, and did not end well.
    bad: usize,
    sent: bool,
    stopped: Option<Safe>,
}

impl Progress {
    fn new(plan: &Plan) -> Self {
        Self {
            outcomes: plan.targets.iter().map(|_| None).collect(),
            bad: 0,
            sent: false,
            stopped: None,
        }
    }
}

struct Runner {
    plan: Plan,
    context: RunContext,
    progress: Mutex<Progress>,
}

impl Runner {
    fn tell(&self, event: RunEvent) {
        // Nobody listening is no reason to stop: the journal listens.
        let _ = self.context.events.send(event);
    }

    /// Ends what the plan or the gate skipped.
    fn settle_skipped(&self) {
        for (index, target) in self.plan.targets.iter().enumerate() {
            if let Some(why) = &target.skipped {
                let outcome = if target.unchanged {
                    Outcome::Unchanged
                } else {
                    Outcome::Refused
                };
                self.end(index, Ending::new(outcome, why.clone()));
            }
        }
    }

    async fn waves(&self, orders: &[ApprovedOrder]) {
        for (number, wave) in self.plan.waves.iter().enumerate() {
            let of_wave = orders
                .iter()
                .filter(|o| o.targets.first().is_some_and(|t| wave.targets.contains(t)));
            let of_wave: Vec<&ApprovedOrder> = of_wave.collect();
            if of_wave.is_empty() || self.must_stop() {
                continue;
            }
            self.tell(RunEvent::WaveStarted(number));
            let sends: Vec<BoxFuture<'_, ()>> = of_wave
                .iter()
                .map(|order| self.order(order).boxed())
                .collect();
            stream::iter(sends)
                .for_each_concurrent(self.context.max_in_flight.max(1), |send| send)
                .await;
            self.judge_wave(number, &of_wave);
        }
    }

    async fn order(&self, order: &ApprovedOrder) {
        if !self.must_stop() {
            self.carry(order).await;
        }
    }

    /// Whether nothing more may be sent; remembers and tells why.
    fn must_stop(&self) -> bool {
        let bad = self.progress.lock().bad;
        if self.context.cancel.is_cancelled() {
            self.stop(Safe::fixed("it was cancelled"));
        } else if self.context.stop_after.is_some_and(|n| bad >= n.max(1)) {
            self.stop(format!("{bad} target(s) ended badly").into());
        }
        self.progress.lock().stopped.is_some()
    }

    fn stop(&self, why: Safe) {
        let mut progress = self.progress.lock();
        if progress.stopped.is_none() {
            progress.stopped = Some(why.clone());
            drop(progress);
            self.tell(RunEvent::Stopped(why));
        }
    }

    /// A wave in which nothing went well is the last one: the first wave is there to find that out.
    fn judge_wave(&self, number: usize, orders: &[&ApprovedOrder]) {
        let targets = orders.iter().flat_map(|o| &o.targets);
        let progress = self.progress.lock();
        let good = targets
            .filter_map(|t| progress.outcomes.get(*t))
            .flatten()
            .any(|o| o.outcome.is_good());
        drop(progress);
        if !good && number + 1 < self.plan.waves.len() {
            self.stop(format!("nothing in wave {} went well", number + 1).into());
        }
    }

    /// Records how a target ended, once.
    fn end(&self, index: usize, ending: Ending) {
        let Some(target) = self.plan.targets.get(index) else {
            return;
        };
        let outcome = TargetOutcome {
            target: target.name(),
            outcome: ending.outcome,
            message: ending.message,
            before: ending.before,
            after: ending.after,
        };
        let mut progress = self.progress.lock();
        if target.skipped.is_none() && !outcome.outcome.is_good() {
            progress.bad += 1;
        }
        if let Some(slot) = progress.outcomes.get_mut(index) {
            *slot = Some(outcome.clone());
        }
        drop(progress);
        self.tell(RunEvent::Ended(index, Box::new(outcome)));
    }

    /// Gives every target that was not reached its outcome, and sums up.
    fn finish(&self) -> Run {
        let open: Vec<usize> = {
            let progress = self.progress.lock();
            progress
                .outcomes
                .iter()
                .enumerate()
                .filter(|(_, o)| o.is_none())
                .map(|(i, _)| i)
                .collect()
        };
        let why = self.progress.lock().stopped.clone().unwrap_or_default();
        for index in open {
            self.end(
                index,
                Ending::new(
                    Outcome::Refused,
                    format!("not sent: the run was stopped because {why}"),
                ),
            );
        }
        let progress = self.progress.lock();
        Run {
            id: self.plan.id.clone(),
            verb: self.plan.verb,
            outcomes: progress.outcomes.iter().flatten().cloned().collect(),
            sent: progress.sent,
            stopped: progress.stopped.clone(),
        }
    }
}

/// How one target ends.
#[derive(Clone, Debug)]
struct Ending {
    outcome: Outcome,
    message: Safe,
    before: Option<super::Seen>,
    after: Option<super::Seen>,
}

impl Ending {
    fn new(outcome: Outcome, message: impl Into<Safe>) -> Self {
        Self {
            outcome,
            message: message.into(),
            before: None,
            after: None,
        }
    }

    fn after(mut self, after: Option<super::Seen>) -> Self {
        self.after = after;
        self
    }
}

#[cfg(test)]
mod tests;

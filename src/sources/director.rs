//! The director: joins what hubs say to clusters and to Git, and tells each edge what it has to judge.
//!
//! It runs in a task of its own. Inputs are folded into a [`book::Book`] that does no I/O; whatever needs Git runs beside it, and what an edge
//! has to judge goes out through one `watch` channel a cluster, only when it changed.

mod book;
mod entry;
mod judge;
mod wish;

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::assignment::{ClusterAssignments, DirectorInput};
use crate::connect::WallClock;
use crate::desired::{DesiredHandle, RepoChanged};
use crate::domain::{Alias, ClusterEvent, ClusterId};
use book::Book;
use judge::{Done, judge};

/// Inputs that come in a burst are worked off together; an edge hears of them after this time at most.
const GATHER: Duration = Duration::from_millis(50);

/// What the director needs.
pub struct DirectorParts {
    /// What it is told.
    pub inputs: mpsc::UnboundedReceiver<DirectorInput>,
    /// Git.
    pub desired: DesiredHandle,
    /// The alias table of the configuration.
    pub aliases: Vec<Alias>,
    /// Where events about unjudged applications go: the loop's channel. Must not block.
    pub events: Box<dyn Fn(ClusterEvent) + Send + Sync>,
    /// The clock.
    pub time: WallClock,
}

type Board = Arc<Mutex<HashMap<ClusterId, watch::Sender<Arc<ClusterAssignments>>>>>;

/// The edges' side of the director. Clones share it; the director ends when its inputs do.
#[derive(Clone, Default)]
pub struct Director {
    board: Board,
}

impl fmt::Debug for Director {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Director").finish_non_exhaustive()
    }
}

impl Director {
    /// Starts the director in a task of its own. Needs a tokio runtime.
    pub fn start(parts: DirectorParts) -> Self {
        let director = Self::default();
        tokio::spawn(run(parts, director.clone()));
        director
    }

    /// What a cluster has to judge, now and from now on; empty until the director knows better.
    pub fn assignments(&self, cluster: &ClusterId) -> watch::Receiver<Arc<ClusterAssignments>> {
        self.sender(cluster).subscribe()
    }

    fn sender(&self, cluster: &ClusterId) -> watch::Sender<Arc<ClusterAssignments>> {
        let mut board = self.board.lock();
        let sender = board
            .entry(cluster.clone())
            .or_insert_with(|| watch::channel(Arc::default()).0);
        sender.clone()
    }

    fn publish(&self, cluster: &ClusterId, assignments: ClusterAssignments) {
        self.sender(cluster).send_replace(Arc::new(assignments));
    }
}

async fn run(mut parts: DirectorParts, director: Director) {
    let mut changes = parts.desired.changes();
    let mut book = Book::new(std::mem::take(&mut parts.aliases));
    let mut jobs: JoinSet<Done> = JoinSet::new();
    let mut due: Option<Instant> = None;
    loop {
        tokio::select! {
            input = parts.inputs.recv() => match input {
                Some(input) => take_in(&mut book, input, &mut parts.inputs, &parts.desired),
                None => return,
            },
            change = changes.recv() => take_change(&mut book, change, &parts.desired),
            Some(done) = jobs.join_next() => {
                take_done(&mut book, done);
                while let Some(done) = jobs.try_join_next() {
                    take_done(&mut book, done);
                }
            }
            () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                due = None;
                go_round(&mut book, &mut jobs, &parts, &director);
                continue;
            }
        }
        if due.is_none() && book.has_work() {
            due = Some(Instant::now() + GATHER);
        }
    }
}

/// Takes one input and whatever else is waiting.
fn take_in(
    book: &mut Book,
    first: DirectorInput,
    inputs: &mut mpsc::UnboundedReceiver<DirectorInput>,
    desired: &DesiredHandle,
) {
    let mut next = Some(first);
    while let Some(input) = next {
        // Whoever renders for a write asks the service, and must be told the same.
        if let DirectorInput::Served { cluster, served } = &input {
            desired.learn(cluster, served.clone());
        }
        match &input {
            DirectorInput::Given { to, stamp, given } => {
                desired.give(to, stamp.clone(), Arc::clone(given));
            }
            DirectorInput::AppGone(app) => desired.take_back(&app.to_string().into()),
            _ => {}
        }
        book.take(input);
        next = inputs.try_recv().ok();
    }
}

fn take_change(
    book: &mut Book,
    change: Result<RepoChanged, broadcast::error::RecvError>,
    desired: &DesiredHandle,
) {
    match change {
        Ok(change) => {
            book.repo_changed(|source| desired.url_of(source).as_ref() == Some(&change.url));
        }
        // Something was missed: everything is asked again.
        Err(broadcast::error::RecvError::Lagged(_)) => book.repo_changed(|_| true),
        // The handle in our hands keeps the channel open.
        Err(broadcast::error::RecvError::Closed) => {}
    }
}

fn take_done(book: &mut Book, done: Result<Done, tokio::task::JoinError>) {
    match done {
        Ok(done) => book.done(done),
        Err(error) => tracing::error!(%error, "judging an application's desired state ended early"),
    }
}

/// Starts what must be asked of Git, and tells what is known.
fn go_round(book: &mut Book, jobs: &mut JoinSet<Done>, parts: &DirectorParts, director: &Director) {
    for job in book.jobs() {
        jobs.spawn(judge(parts.desired.clone(), job));
    }
    for (source, commit) in book.hints() {
        let desired = parts.desired.clone();
        tokio::spawn(async move { desired.expect(&source, &commit).await });
    }
    // First why not, then what: an edge never judges what the loop still believes unjudged.
    for (hub, generation, fact) in book.facts() {
        (parts.events)(ClusterEvent {
            cluster: hub,
            generation,
            at: parts.time.now(),
            fact,
        });
    }
    for (cluster, assignments) in book.assignments() {
        director.publish(&cluster, assignments);
    }
}

#[cfg(test)]
mod tests;

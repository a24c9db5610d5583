//! Starts one actor a row, lends out their connections, and stops them.

#[cfg(test)]
#[cfg(feature = "demo")]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio::task::JoinSet;

use super::actor::{self, Parts};
use super::assignment::DirectorInput;
use super::director::{Director, DirectorParts};
use super::health::HealthRules;
use super::merge::Claims;
use super::metric::direct::Direct;
use super::schemas::Pool;
use super::tell::{Ears, Teller};
use crate::connect::{Connection, Connector, Fault, FaultKind, FleetPlan, RowPlan, WallClock};
use crate::desired::DesiredHandle;
use crate::domain::{Alias, ClusterEvent, ClusterId, Fact, LinkState, Safe};
use crate::drift::SealKey;

/// Events that may wait for the loop before the actors wait for it.
const QUEUE: usize = 4096;
/// First lists under way at a time over the whole fleet.
const LISTS: usize = 8;

/// What the supervisor starts with.
pub struct SourcesOptions {
    /// The rows.
    pub plan: FleetPlan,
    /// Makes the connections.
    pub connector: Arc<Connector>,
    /// Git.
    pub desired: DesiredHandle,
    /// The alias table of the configuration.
    pub aliases: Vec<Alias>,
    /// The process's own key for Secret values; never leaves it.
    pub seal: Arc<SealKey>,
    /// Metrics URLs of the configuration, by row.
    pub metrics: HashMap<ClusterId, Direct>,
    /// Health rules.
    pub health: HealthRules,
    /// When events happened.
    pub time: WallClock,
}

/// An actor that failed by a fault of our own is started again after this.
const RESTART: Duration = Duration::from_secs(5);

/// The running actors. Dropping it stops them.
pub struct Sources {
    rows: HashMap<ClusterId, Row>,
    time: WallClock,
    tasks: Mutex<JoinSet<()>>,
    health: HealthRules,
    types: Arc<Pool>,
}

struct Row {
    plan: RowPlan,
    connection: Option<Connection>,
    kick: watch::Sender<u64>,
}

/// Starts an actor for every row that can be connected to. Must be called on the runtime.
///
/// Events of one cluster come in the order in which they were true. A row whose context is broken gets its one event at once.
pub fn start(options: SourcesOptions) -> (Arc<Sources>, mpsc::Receiver<ClusterEvent>) {
    let (events, receiver) = mpsc::channel(QUEUE);
    let (director_inputs, inputs) = mpsc::unbounded_channel();
    let director = Director::start(DirectorParts {
        inputs,
        desired: options.desired,
        aliases: options.aliases,
        events: forward(events.clone()),
        time: options.time.clone(),
    });
    let mut starter = Starter {
        events,
        director_inputs,
        director,
        connector: options.connector,
        lists: Arc::new(Semaphore::new(LISTS)),
        work: Arc::new(Semaphore::new(cores())),
        claims: Arc::new(Claims::default()),
        types: Arc::new(Pool::default()),
        seal: options.seal,
        metrics: options.metrics,
        health: options.health.clone(),
        time: options.time.clone(),
        tasks: JoinSet::new(),
    };
    let rows = options
        .plan
        .rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| (row.cluster.clone(), starter.row(index, row)))
        .collect();
    let sources = Sources {
        types: starter.types,
        rows,
        time: options.time,
        tasks: Mutex::new(starter.tasks),
        health: options.health,
    };
    (Arc::new(sources), receiver)
}

/// The director must not wait: its events pass through a queue of their own.
fn forward(events: mpsc::Sender<ClusterEvent>) -> Box<dyn Fn(ClusterEvent) + Send + Sync> {
    let (tell, mut waiting) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(event) = waiting.recv().await {
            if events.send(event).await.is_err() {
                return;
            }
        }
    });
    Box::new(move |event| {
        // Without a loop nobody needs the event.
        let _ = tell.send(event);
    })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

struct Starter {
    events: mpsc::Sender<ClusterEvent>,
    director_inputs: mpsc::UnboundedSender<DirectorInput>,
    director: Director,
    connector: Arc<Connector>,
    lists: Arc<Semaphore>,
    /// Turns at judging, as many as there are processors: whoever waits for one stands in nobody's way who answers a server.
    work: Arc<Semaphore>,
    claims: Arc<Claims>,
    types: Arc<Pool>,
    seal: Arc<SealKey>,
    metrics: HashMap<ClusterId, Direct>,
    health: HealthRules,
    time: WallClock,
    tasks: JoinSet<()>,
}

impl Starter {
    fn row(&mut self, index: usize, row: RowPlan) -> Row {
        let (kick, kicks) = watch::channel(0);
        let voice = Voice {
            cluster: row.cluster.clone(),
            events: self.events.clone(),
            director: self.director_inputs.clone(),
            time: self.time.clone(),
        };
        voice.teller(1).direct(DirectorInput::Row(row.candidate()));
        let connection = match self.connector.connection(&row) {
            Ok(connection) => connection,
            Err(fault) => {
                voice.teller(1).tell(Fact::Link {
                    state: LinkState::Unreachable,
                    message: Some(fault.sentence),
                });
                return Row {
                    plan: row,
                    connection: None,
                    kick,
                };
            }
        };
        let parts = Parts {
            index,
            connection: connection.clone(),
            assignments: self.director.assignments(&row.cluster),
            lists: Arc::clone(&self.lists),
            work: Arc::clone(&self.work),
            claims: Arc::clone(&self.claims),
            types: Arc::clone(&self.types),
            seal: Arc::clone(&self.seal),
            metrics: self.metrics.remove(&row.cluster),
            kicks,
            health: self.health.clone(),
            row: row.clone(),
        };
        self.tasks.spawn(live_for_ever(parts, voice));
        Row {
            plan: row,
            connection: Some(connection),
            kick,
        }
    }
}

/// What tellers of one row are made of.
struct Voice {
    cluster: ClusterId,
    events: mpsc::Sender<ClusterEvent>,
    director: mpsc::UnboundedSender<DirectorInput>,
    time: WallClock,
}

impl Voice {
    fn teller(&self, generation: u64) -> Teller {
        let ears = Ears {
            events: self.events.clone(),
            director: self.director.clone(),
            time: self.time.clone(),
        };
        Teller::new(self.cluster.clone(), generation, ears)
    }
}

/// Runs the actor, and starts it anew in the next generation when it fails by a fault of our own: no row takes the console with it.
async fn live_for_ever(parts: Parts, voice: Voice) {
    for generation in 1.. {
        let teller = voice.teller(generation);
        let actor = actor::live(parts.clone(), teller.clone());
        let ended = Stopping(tokio::spawn(actor)).await;
        if ended {
            return;
        }
        teller.tell(Fact::Link {
            state: LinkState::Stale,
            message: Some(Safe::fixed(
                "driftdeck failed while reading this cluster and starts again; the log says where.",
            )),
        });
        tokio::time::sleep(RESTART).await;
    }
}

/// A task that is stopped when its owner is.
struct Stopping(tokio::task::JoinHandle<()>);

impl Future for Stopping {
    /// Whether it came to its end, rather than failing.
    type Output = bool;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<bool> {
        std::pin::Pin::new(&mut self.0)
            .poll(cx)
            .map(|ended| ended.is_ok())
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Sources {
    /// The rows, by name.
    pub fn rows(&self) -> impl Iterator<Item = &RowPlan> {
        self.rows.values().map(|row| &row.plan)
    }

    /// What health is told by.
    pub fn health(&self) -> &HealthRules {
        &self.health
    }

    /// The types of custom kinds, as the clusters publish them.
    pub fn types(&self) -> &Arc<Pool> {
        &self.types
    }

    /// The connection of a row; `None` for a row whose context cannot be used.
    pub fn connection(&self, cluster: &ClusterId) -> Option<&Connection> {
        self.rows.get(cluster)?.connection.as_ref()
    }

    /// The time of day that the rows' events carry.
    pub fn time(&self) -> &WallClock {
        &self.time
    }

    /// Reads the metrics of every row again now.
    pub fn measure(&self) {
        for row in self.rows.values() {
            row.kick.send_modify(|kicks| *kicks += 1);
        }
    }

    /// Tries a row again now, whatever its back-off says, and forgets refused credentials.
    pub async fn retry(&self, cluster: &ClusterId) {
        if let Some(row) = self.rows.get(cluster) {
            if let Some(connection) = &row.connection {
                connection.forgive().await;
            }
            row.kick.send_modify(|kicks| *kicks += 1);
        }
    }

    /// Runs the row's credential plugin on the operator's terminal; the caller has left the screen.
    ///
    /// # Errors
    /// The plugin failed, or there is none, or the row's context cannot be used.
    pub async fn login(&self, cluster: &ClusterId) -> Result<(), Fault> {
        let Some(connection) = self.connection(cluster) else {
            let sentence =
                format!("{cluster} has no usable context to log in with; correct the kubeconfig.");
            return Err(Fault::new(FaultKind::Config, sentence));
        };
        connection.login().await?;
        self.retry(cluster).await;
        Ok(())
    }

    /// Stops all actors and waits until they are gone.
    pub async fn shutdown(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock());
        tasks.shutdown().await;
    }
}

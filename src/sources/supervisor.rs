//! Starts one actor a row, lends out their connections, and stops them.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::JoinHandle;

use super::actor::{self, Parts, Teller};
use super::assignment::DirectorInput;
use super::director::{Director, DirectorParts};
use super::merge::Claims;
use crate::connect::{Connection, Connector, Fault, FleetPlan, RowPlan};
use crate::desired::DesiredHandle;
use crate::domain::{Alias, ClusterEvent, ClusterId, Fact, LinkState};
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
}

/// The running actors. Dropping it stops them.
pub struct Sources {
    rows: HashMap<ClusterId, Row>,
}

struct Row {
    connection: Option<Connection>,
    now: Arc<Notify>,
    task: Option<JoinHandle<()>>,
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
        now: Timestamp::now,
    });
    let starter = Starter {
        events,
        director_inputs,
        director,
        connector: options.connector,
        lists: Arc::new(Semaphore::new(LISTS)),
        claims: Arc::new(Claims::default()),
        seal: options.seal,
    };
    let rows = options
        .plan
        .rows
        .into_iter()
        .enumerate()
        .map(|(index, row)| (row.cluster.clone(), starter.row(index, row)))
        .collect();
    (Arc::new(Sources { rows }), receiver)
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

struct Starter {
    events: mpsc::Sender<ClusterEvent>,
    director_inputs: mpsc::UnboundedSender<DirectorInput>,
    director: Director,
    connector: Arc<Connector>,
    lists: Arc<Semaphore>,
    claims: Arc<Claims>,
    seal: Arc<SealKey>,
}

impl Starter {
    fn row(&self, index: usize, row: RowPlan) -> Row {
        let now = Arc::new(Notify::new());
        let teller = Teller {
            cluster: row.cluster.clone(),
            generation: 1,
            events: self.events.clone(),
            director: self.director_inputs.clone(),
        };
        teller.direct(DirectorInput::Row(row.candidate()));
        let connection = match self.connector.connection(&row) {
            Ok(connection) => connection,
            Err(fault) => {
                let fact = Fact::Link {
                    state: LinkState::Unreachable,
                    message: Some(fault.sentence),
                };
                let task = tokio::spawn(async move { teller.tell(fact).await });
                return Row {
                    connection: None,
                    now,
                    task: Some(task),
                };
            }
        };
        let parts = Parts {
            index,
            connection: connection.clone(),
            teller,
            assignments: self.director.assignments(&row.cluster),
            lists: Arc::clone(&self.lists),
            claims: Arc::clone(&self.claims),
            seal: Arc::clone(&self.seal),
            now: Arc::clone(&now),
            row,
        };
        let task = tokio::spawn(actor::live(parts));
        Row {
            connection: Some(connection),
            now,
            task: Some(task),
        }
    }
}

impl Sources {
    /// The connection of a row; `None` for a row whose context cannot be used.
    pub fn connection(&self, cluster: &ClusterId) -> Option<&Connection> {
        self.rows.get(cluster)?.connection.as_ref()
    }

    /// Tries a row again now, whatever its back-off says, and forgets refused credentials.
    pub async fn retry(&self, cluster: &ClusterId) {
        if let Some(row) = self.rows.get(cluster) {
            if let Some(connection) = &row.connection {
                connection.forgive().await;
            }
            row.now.notify_one();
        }
    }

    /// Runs the row's credential plugin on the operator's terminal; the caller has left the screen.
    ///
    /// # Errors
    /// The plugin failed, or there is none.
    pub async fn login(&self, cluster: &ClusterId) -> Result<(), Fault> {
        let Some(connection) = self.connection(cluster) else {
            return Ok(());
        };
        connection.login().await?;
        self.retry(cluster).await;
        Ok(())
    }
}

impl Drop for Sources {
    fn drop(&mut self) {
        self.rows
            .values()
            .filter_map(|row| row.task.as_ref())
            .for_each(JoinHandle::abort);
    }
}

//! One row's life: makes contact, tells who the cluster is, follows what its hub says and judges what its edge shows.
//!
//! An actor never fails outward: whatever goes wrong is a fact about the link, and it goes on trying.

mod hub;
mod kinds;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::assignment::{ClusterAssignments, DirectorInput};
use super::contact::{Introduction, introduce};
use super::judge::Judge;
use super::merge::{Bid, Claim, Claims};
use super::watch::WatchContext;
use crate::connect::{Connection, Fault, Lane, RowPlan, Slowness, state_of};
use crate::domain::{
    ClusterEvent, ClusterId, ConnectionFacts, Engine, Fact, JoinCandidate, LinkState, Safe,
};
use crate::drift::SealKey;
use kinds::{Follow, Kinds, News, Scope};

/// How often the link's clock is looked at. Nothing is sent for it and nothing is drawn unless the state changed.
const LOOK: Duration = Duration::from_secs(1);
/// An engine may be installed later: discovery is asked again after this time.
const REDISCOVER: Duration = Duration::from_secs(300);

/// What an actor is made of.
pub(super) struct Parts {
    pub(super) row: RowPlan,
    pub(super) index: usize,
    pub(super) connection: Connection,
    pub(super) teller: Teller,
    pub(super) assignments: watch::Receiver<Arc<ClusterAssignments>>,
    pub(super) lists: Arc<Semaphore>,
    pub(super) claims: Arc<Claims>,
    pub(super) seal: Arc<SealKey>,
    pub(super) now: Arc<Notify>,
}

/// Tells the loop and the director, in one actor's name.
#[derive(Clone)]
pub(super) struct Teller {
    pub(super) cluster: ClusterId,
    pub(super) generation: u64,
    pub(super) events: mpsc::Sender<ClusterEvent>,
    pub(super) director: mpsc::UnboundedSender<DirectorInput>,
}

impl Teller {
    pub(super) fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Sends a fact to the loop; waits while the loop is behind. When the loop is gone nobody needs it.
    pub(super) async fn tell(&self, fact: Fact) {
        let event = ClusterEvent {
            cluster: self.cluster.clone(),
            generation: self.generation,
            at: Timestamp::now(),
            fact,
        };
        let _ = self.events.send(event).await;
    }

    /// Sends to the director; when it is gone the program is ending.
    pub(super) fn direct(&self, input: DirectorInput) {
        let _ = self.director.send(input);
    }
}

/// Lives until dropped, or until another row carries the cluster.
pub(super) async fn live(parts: Parts) {
    let clock = tokio::spawn(follow_link(
        parts.connection.clone(),
        parts.teller.clone(),
        Contact::default(),
    ));
    let _clock = Stop(vec![clock]);
    let introduction = make_contact(&parts).await;
    let mut claim = parts.claims.bid(Bid {
        // A cluster whose UID may not be read is told apart by its server and CA.
        uid: if introduction.uid.is_empty() {
            parts.row.place()
        } else {
            introduction.uid.clone()
        },
        scope: parts.row.namespace_scope.clone(),
        row: parts.row.cluster.clone(),
        index: parts.index,
        contexts: parts.row.contexts.clone(),
    });
    let mut work: Option<Work> = None;
    loop {
        let now = claim.borrow_and_update().clone();
        match now {
            Claim::Yields(other) => {
                drop(work.take());
                parts
                    .teller
                    .direct(DirectorInput::RowGone(parts.row.cluster.clone()));
                parts.teller.tell(Fact::MergedInto(other)).await;
                return;
            }
            Claim::Holds(extra) => {
                tell_facts(&parts, &introduction, &extra).await;
                work.get_or_insert_with(|| Work::begin(&parts, &introduction));
            }
        }
        if claim.changed().await.is_err() {
            // Nobody can bid any more: what this row holds it keeps.
            std::future::pending::<()>().await;
        }
    }
}

/// Tasks that end with their owner.
struct Stop(Vec<JoinHandle<()>>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.iter().for_each(JoinHandle::abort);
    }
}

/// What goes on once contact is made.
struct Work(#[expect(dead_code, reason = "held so that the tasks end with it")] Stop);

impl Work {
    fn begin(parts: &Parts, introduction: &Introduction) -> Self {
        let context = WatchContext {
            client: parts.connection.client(Lane::Watch),
            lists: Arc::clone(&parts.lists),
            seed: fastrand::u64(..),
        };
        let hub = hub::Hub {
            teller: parts.teller.clone(),
            context: context.clone(),
            confined: parts.row.namespace_scope.clone(),
        };
        let is_hub = introduction.engines.contains(&Engine::Argo);
        let edge = Edge {
            judge: Judge::new(Arc::clone(&parts.seal)),
            teller: parts.teller.clone(),
            assignments: parts.assignments.clone(),
            confined: parts.row.namespace_scope.clone(),
        };
        let connection = parts.connection.clone();
        Self(Stop(vec![
            tokio::spawn(serve_hub(hub, connection.clone(), is_hub)),
            tokio::spawn(edge.serve(connection, context)),
        ]))
    }
}

/// Follows the hub once there is one: an Argo CD that is installed later is found.
async fn serve_hub(hub: hub::Hub, connection: Connection, mut is_hub: bool) {
    while !is_hub {
        tokio::time::sleep(REDISCOVER).await;
        is_hub = introduce(&connection)
            .await
            .is_ok_and(|i| i.engines.contains(&Engine::Argo));
    }
    hub::follow_hub(hub).await;
}

/// Introduces itself until it is answered; what stands in the way is told as the link's state.
async fn make_contact(parts: &Parts) -> Introduction {
    let mut backoff = crate::connect::Backoff::link();
    loop {
        match introduce(&parts.connection).await {
            Ok(introduction) => return introduction,
            Err(fault) => {
                parts.teller.tell(refusal(&fault)).await;
                let wait = fault
                    .wait()
                    .unwrap_or_else(|| backoff.next(fastrand::f64()));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    // The operator asked for it now.
                    () = parts.now.notified() => backoff.reset(),
                }
            }
        }
    }
}

fn refusal(fault: &Fault) -> Fact {
    Fact::Link {
        state: fault.link_state(false),
        message: Some(fault.sentence.clone()),
    }
}

async fn tell_facts(parts: &Parts, introduction: &Introduction, extra: &[crate::domain::Name]) {
    let mut contexts: Vec<Safe> = Vec::new();
    for context in parts.row.contexts.iter().chain(extra) {
        let shown = Safe::new(context);
        if !contexts.contains(&shown) {
            contexts.push(shown);
        }
    }
    let candidate = JoinCandidate {
        contexts: contexts.iter().map(|c| c.as_str().into()).collect(),
        ..parts.row.candidate()
    };
    parts.teller.direct(DirectorInput::Row(candidate));
    let facts = ConnectionFacts {
        server: Safe::new(&parts.row.server),
        ca: Safe::new(&parts.row.ca),
        version: Safe::new(&introduction.version),
        uid: Safe::new(&introduction.uid),
        identity: Safe::new(&parts.row.identity),
        contexts,
        namespace_scope: Safe::new(&parts.row.namespace_scope),
        engines: introduction.engines.clone(),
    };
    parts.teller.tell(Fact::Facts(Box::new(facts))).await;
}

/// What was last told of the link.
#[derive(Default)]
struct Contact {
    told: Option<(LinkState, Option<Safe>)>,
    heard: u64,
}

/// Tells the link's state whenever it changes, and that the cluster was heard of at most once a second.
async fn follow_link(connection: Connection, teller: Teller, mut contact: Contact) {
    let mut link = connection.link();
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = look.tick() => {}
            changed = link.changed() => if changed.is_err() { return },
        }
        let clock = connection.clock();
        let now = clock.link();
        let state = state_of(&now, clock.silence(), clock.latency(), &Slowness::default());
        // A first attempt that is still under way has nothing to tell.
        if state != LinkState::Connecting {
            let told = (state, message(state, now.fault.as_ref()));
            if contact.told.as_ref() != Some(&told) {
                teller
                    .tell(Fact::Link {
                        state: told.0,
                        message: told.1.clone(),
                    })
                    .await;
                contact.told = Some(told);
            }
        }
        if clock.heard() != contact.heard {
            contact.heard = clock.heard();
            teller.tell(Fact::Seen).await;
        }
        if connection.needs_heartbeat().await
            && clock
                .silence()
                .is_some_and(|s| s >= connection.timings().ping)
        {
            // HTTP/1.1 knows no ping; the answer itself is of no interest.
            let _ = connection
                .get(Lane::Interactive, "/version", 64 << 10)
                .await;
        }
    }
}

fn message(state: LinkState, fault: Option<&Fault>) -> Option<Safe> {
    match (state, fault) {
        (LinkState::Live, _) => None,
        (_, Some(fault)) => Some(fault.sentence.clone()),
        (LinkState::Slow, None) => Some(Safe::fixed("Answers are slow; what is shown is current.")),
        (_, None) => Some(Safe::fixed("No answer to pings; what is shown is old.")),
    }
}

/// Judges what the edge shows by what the director assigns.
struct Edge {
    judge: Judge,
    teller: Teller,
    assignments: watch::Receiver<Arc<ClusterAssignments>>,
    confined: crate::domain::Name,
}

impl Edge {
    async fn serve(mut self, connection: Connection, context: WatchContext) {
        let (tell, mut news) = mpsc::channel(64);
        let mut kinds = Kinds::new(Follow {
            connection,
            context,
            tell,
        });
        self.assign(&mut kinds).await;
        loop {
            tokio::select! {
                changed = self.assignments.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    self.assign(&mut kinds).await;
                }
                Some(one) = news.recv() => self.take(one).await,
            }
        }
    }

    async fn assign(&mut self, kinds: &mut Kinds) {
        let assigned = self.assignments.borrow_and_update().clone();
        let scope = self.scope(&assigned);
        let answer = self.judge.assign(assigned);
        kinds.set(&answer.kinds, &scope, &answer.relist);
        self.tell(answer.facts).await;
    }

    fn scope(&self, assigned: &ClusterAssignments) -> Scope {
        let wanted = assigned
            .apps
            .iter()
            .flat_map(|a| a.deployed.iter().chain(&a.target))
            .map(|d| &d.object.namespace);
        let managed = assigned
            .apps
            .iter()
            .flat_map(|a| &a.resources)
            .map(|r| &r.object.namespace);
        let namespaces: BTreeSet<_> = wanted
            .chain(managed)
            .filter(|n| !n.is_empty())
            .cloned()
            .collect();
        Scope {
            confined: Some(self.confined.clone()).filter(|c| !c.is_empty()),
            namespaces,
        }
    }

    async fn take(&mut self, news: News) {
        let facts = match news {
            News::Listed(gvk, part, objects) => self.judge.listed(&gvk, &part, objects),
            News::Changed(gvk, object) => self.judge.changed(&gvk, object),
            News::Gone(gvk, object) => self.judge.gone(&gvk, &object),
            News::Unread(gvk, why) => self.judge.unread(&gvk, &why),
        };
        self.tell(facts).await;
    }

    async fn tell(&self, facts: Vec<Fact>) {
        for fact in facts {
            self.teller.tell(fact).await;
        }
    }
}

//! One row's life: makes contact, tells who the cluster is, follows what its hub says and judges what its edge shows.
//!
//! An actor never fails outward: whatever goes wrong is a fact about the link, and it goes on trying.

mod edge;
mod flux;
mod hub;
mod kinds;
mod link;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::assignment::{ClusterAssignments, DirectorInput};
use super::contact::{Introduction, introduce};
use super::health::HealthRules;
use super::merge::{Bid, Claim, Claims};
use super::metric::MetricSource;
use super::metric::direct::Direct;
use super::permissions;
use super::schemas::Pool;
use super::tell::Teller;
use super::watch::WatchContext;
use crate::connect::{Backoff, Connection, Lane, RowPlan};
use crate::desired::Served;
use crate::domain::{ConnectionFacts, Engine, Fact, JoinCandidate, Name, Safe};
use crate::drift::SealKey;
use link::{Contact, Keeper};

/// An engine may be installed later: discovery is asked again after this time.
const REDISCOVER: Duration = Duration::from_secs(300);

/// What an actor is made of.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) row: RowPlan,
    /// Its place in the kubeconfig.
    pub(super) index: usize,
    pub(super) connection: Connection,
    pub(super) assignments: watch::Receiver<Arc<ClusterAssignments>>,
    pub(super) lists: Arc<Semaphore>,
    /// Turns at judging.
    pub(super) work: Arc<Semaphore>,
    pub(super) claims: Arc<Claims>,
    /// The types of custom kinds, shared by all rows.
    pub(super) types: Arc<Pool>,
    pub(super) seal: Arc<SealKey>,
    /// A metrics URL of the configuration.
    pub(super) metrics: Option<Direct>,
    /// Changes when the operator wants the row tried again now.
    pub(super) kicks: watch::Receiver<u64>,
    pub(super) health: HealthRules,
}

/// Lives until dropped, or until another row carries the cluster.
pub(super) async fn live(parts: Parts, teller: Teller) {
    let (contact, contacts) = watch::channel(Contact::Trying);
    let mut tasks = JoinSet::new();
    tasks.spawn(link::keep(Keeper {
        connection: parts.connection.clone(),
        teller: teller.clone(),
        contact: contacts,
        kicks: parts.kicks.clone(),
    }));
    let introduction = make_contact(&parts, &contact).await;
    let mut claim = parts.claims.bid(Bid {
        uid: introduction.uid.clone(),
        place: parts.row.place(),
        scope: parts.row.namespace_scope.clone(),
        row: parts.row.cluster.clone(),
        index: parts.index,
        contexts: parts.row.contexts.clone(),
    });
    let mut working = false;
    loop {
        let now = claim.borrow_and_update().clone();
        match now {
            Claim::Yields(other) => {
                tasks.shutdown().await;
                teller.direct(DirectorInput::RowGone(parts.row.cluster.clone()));
                return teller.tell(Fact::MergedInto(other));
            }
            Claim::Holds(extra) => tell_facts(&parts, &teller, &introduction, &extra),
        }
        if !working {
            working = true;
            work(&parts, &teller, &introduction, &mut tasks);
        }
        changed(&mut claim, &mut tasks).await;
    }
}

/// Waits until the claim stands differently, with an eye on the tasks.
async fn changed(claim: &mut watch::Receiver<Claim>, tasks: &mut JoinSet<()>) {
    loop {
        tokio::select! {
            // Nobody bidding any more is no reason to end.
            Ok(()) = claim.changed() => return,
            Some(ended) = tasks.join_next() => pass_on_panic(ended),
        }
    }
}

/// A task's panic is this actor's: the supervisor starts it anew.
fn pass_on_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        && let Ok(panic) = error.try_into_panic()
    {
        std::panic::resume_unwind(panic);
    }
}

/// Starts what goes on once contact is made.
fn work(parts: &Parts, teller: &Teller, introduction: &Introduction, tasks: &mut JoinSet<()>) {
    let context = WatchContext::new(
        parts.connection.client(Lane::Watch),
        Arc::clone(&parts.lists),
        fastrand::u64(..),
    )
    .waking_with(parts.connection.link());
    let streaming = introduction.streams_lists();
    let hub = hub::Hub {
        teller: teller.clone(),
        context: context.clone(),
        confined: parts.row.namespace_scope.clone(),
        default_namespace: parts.row.namespace.clone(),
        streaming,
        health: parts.health.clone(),
    };
    let is_hub = introduction.engines.contains(&Engine::Argo);
    tasks.spawn(serve_flux(
        hub.clone().looking_into(flux::USUAL),
        parts.connection.clone(),
        introduction.engines.contains(&Engine::Flux),
    ));
    tasks.spawn(serve_hub(hub, parts.connection.clone(), is_hub));
    tasks.spawn(edge::serve(edge::Parts {
        connection: parts.connection.clone(),
        context,
        teller: teller.clone(),
        assignments: parts.assignments.clone(),
        confined: parts.row.namespace_scope.clone(),
        seal: Arc::clone(&parts.seal),
        streaming,
        health: parts.health.clone(),
        types: Arc::clone(&parts.types),
        work: Arc::clone(&parts.work),
    }));
    let asking = ask_permissions(
        parts.clone(),
        teller.clone(),
        is_hub,
        served_groups(introduction),
    );
    tasks.spawn(asking);
    tasks.spawn(measure(parts.clone(), teller.clone()));
}

/// Follows Flux once it is there.
async fn serve_flux(hub: hub::Hub, connection: Connection, mut is_there: bool) {
    while !is_there {
        tokio::time::sleep(REDISCOVER.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        is_there = introduce(&connection)
            .await
            .is_ok_and(|i| i.engines.contains(&Engine::Flux));
    }
    Box::pin(flux::follow_flux(hub, connection, REDISCOVER)).await;
}

/// Follows the hub once there is one: an Argo CD that is installed later is found.
async fn serve_hub(hub: hub::Hub, connection: Connection, mut is_hub: bool) {
    while !is_hub {
        tokio::time::sleep(REDISCOVER.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
        is_hub = introduce(&connection)
            .await
            .is_ok_and(|i| i.engines.contains(&Engine::Argo));
    }
    Box::pin(hub::follow_hub(hub)).await;
}

/// The API groups that a server has.
fn served_groups(introduction: &Introduction) -> Vec<Name> {
    let versions = introduction.api_versions.iter();
    let groups = versions.filter_map(|version| version.split_once('/'));
    groups.map(|(group, _)| group.into()).collect()
}

async fn ask_permissions(parts: Parts, teller: Teller, is_hub: bool, groups: Vec<Name>) {
    let scope = &parts.row.namespace_scope;
    let scene = permissions::Scene {
        namespace: scope,
        is_hub,
        groups: &groups.iter().map(|group| &**group).collect::<Vec<_>>(),
    };
    let mut questions = scene.questions();
    questions.retain(|question| question.is_shown);
    // A server that does not answer reviews leaves them unknown; nothing depends on them but what is shown.
    if let Ok(answers) = permissions::permissions(&parts.connection, scope, &questions).await {
        teller.tell(Fact::Permissions(answers));
    }
}

async fn measure(parts: Parts, teller: Teller) {
    let mut source = MetricSource::new(parts.row.namespace_scope.clone(), parts.metrics);
    let client = parts.connection.client(Lane::Watch);
    let tell = |metrics| teller.tell(Fact::Metrics(Box::new(metrics)));
    let kicks = parts.kicks.clone();
    source.run(&client, teller.time(), kicks, tell).await;
}

/// Introduces itself until it is answered; what stands in the way is told as the link's state.
async fn make_contact(parts: &Parts, contact: &watch::Sender<Contact>) -> Introduction {
    let mut backoff = Backoff::link();
    let mut kicks = parts.kicks.clone();
    loop {
        match introduce(&parts.connection).await {
            Ok(introduction) => {
                contact.send_replace(Contact::Made);
                return introduction;
            }
            Err(fault) => {
                let wait = fault
                    .wait()
                    .unwrap_or_else(|| backoff.next(fastrand::f64()));
                contact.send_replace(Contact::Failed(fault));
                tokio::select! {
                    () = tokio::time::sleep(wait) => {}
                    // The operator asked for it now.
                    Ok(()) = kicks.changed() => backoff.reset(),
                }
            }
        }
    }
}

fn tell_facts(parts: &Parts, teller: &Teller, introduction: &Introduction, extra: &[Name]) {
    let mut contexts: Vec<Safe> = Vec::new();
    for context in parts.row.contexts.iter().chain(extra) {
        let shown = Safe::new(context);
        if !contexts.contains(&shown) {
            contexts.push(shown);
        }
    }
    teller.direct(DirectorInput::Row(JoinCandidate {
        contexts: contexts.iter().map(|c| c.as_str().into()).collect(),
        ..parts.row.candidate()
    }));
    teller.direct(DirectorInput::Served {
        cluster: parts.row.cluster.clone(),
        served: Served {
            kube_version: introduction.version.as_str().into(),
            api_versions: introduction.api_versions.clone().into(),
        },
    });
    teller.tell(Fact::Facts(Box::new(ConnectionFacts {
        server: Safe::new(&parts.row.server),
        ca: Safe::new(&parts.row.ca),
        version: Safe::new(&introduction.version),
        uid: Safe::new(&introduction.uid),
        identity: Safe::new(&parts.row.identity),
        contexts,
        namespace_scope: Safe::new(&parts.row.namespace_scope),
        engines: introduction.engines.clone(),
    })));
}

//! What Flux says: every kind of it that the cluster serves, as rows. Kinds that appear later are found.
//!
//! The events in which controllers tell of drift are followed beside the documents.
//!
//! Rows of what can be rendered go to the director too, once their sources have been heard of, with what ConfigMaps and Secrets give to them.
//! Those are read again whenever their reader's document changes: Flux reads them when it reconciles, and says so in the status.

mod desk;
mod gifts;
mod notices;

use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use serde_json::Value;
use tokio::sync::{Semaphore, mpsc};

use super::hub::{Hub, follow_first};
use crate::connect::Connection;
use crate::domain::{AppKind, AppRef, Application, Engine, Fact, Gvk, Unjudged, UnjudgedReason};
use crate::sources::assignment::DirectorInput;
use crate::sources::contact::{Route, served};
use crate::sources::tell::Teller;
use crate::sources::watch::{Step, WatchSpec};
use desk::{Desk, Errand, Topic};
use gifts::Gifts;
use notices::Notices;

/// The namespace that Flux is usually installed in.
pub(super) const USUAL: &str = "flux-system";

/// How long a failed discovery waits before it is tried again.
const AGAIN: Duration = Duration::from_secs(10);

/// ConfigMaps and Secrets read at a time.
const READERS: usize = 4;

type Served = Vec<(AppKind, Gvk, Route)>;
type Tell = mpsc::UnboundedSender<(Topic, Step<Value>)>;

/// Follows Flux until dropped; discovery is asked again every `rediscover`.
pub(super) async fn follow_flux(hub: Hub, connection: Connection, rediscover: Duration) {
    let mut kinds = discover(&connection).await;
    loop {
        let newer = async {
            loop {
                tokio::time::sleep(rediscover.mul_f64(0.75 + fastrand::f64() / 2.0)).await;
                let found = discover(&connection).await;
                if found != kinds {
                    return found;
                }
            }
        };
        tokio::select! {
            () = follow_all(&hub, &connection, &kinds) => return,
            found = newer => kinds = found,
        }
    }
}

async fn discover(connection: &Connection) -> Served {
    loop {
        match served(connection, &AppKind::FLUX).await {
            Ok(kinds) => return kinds,
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

async fn follow_all(hub: &Hub, connection: &Connection, kinds: &Served) {
    let (tell, mut steps) = mpsc::unbounded_channel();
    let following = kinds
        .iter()
        .map(|(kind, gvk, route)| follow_kind(hub, *kind, gvk, route, tell.clone()));
    let told_of = || {
        kinds
            .iter()
            .filter(|(kind, ..)| notices::KINDS.contains(kind))
    };
    let listening = told_of().map(|(kind, ..)| follow_events(hub, *kind, tell.clone()));
    let telling = async {
        let readers = Semaphore::new(READERS);
        let mut errands = FuturesUnordered::new();
        let mut clerk = Clerk {
            teller: hub.teller.clone(),
            desk: Desk::new(hub.teller.cluster().clone()),
            notices: Notices::default(),
            topics: kinds.len() + told_of().count(),
            errands: Vec::new(),
        };
        loop {
            tokio::select! {
                Some((topic, step)) = steps.recv() => clerk.take(topic, step),
                Some((app, gifts)) = errands.next() => clerk.receive(&app, gifts),
            }
            let new = clerk.errands.drain(..);
            errands.extend(new.map(|errand| run_errand(connection, &readers, errand)));
        }
    };
    futures::join!(
        futures::future::join_all(following),
        futures::future::join_all(listening),
        telling
    );
}

async fn run_errand(
    connection: &Connection,
    readers: &Semaphore,
    errand: Errand,
) -> (AppRef, Result<Gifts, Unjudged>) {
    // A semaphore that nobody closes only waits.
    let _permit = readers.acquire().await;
    let read = gifts::read(connection, &errand.app.namespace, &errand.references).await;
    (errand.app, read)
}

async fn follow_kind(hub: &Hub, kind: AppKind, gvk: &Gvk, route: &Route, tell: Tell) {
    let base = format!("/apis/{}/{}", gvk.group, gvk.version);
    let paths = hub.paths(&base, &route.plural);
    let specs = paths.into_iter().map(WatchSpec::all).collect();
    follow_first::<Value>(hub, specs, |step| {
        // The receiver lives as long as the watches.
        let _ = tell.send((Topic::Documents(kind), step));
    })
    .await;
}

/// The events about documents of a kind. Whoever may not read them is told nothing, and misses nothing else.
async fn follow_events(hub: &Hub, kind: AppKind, tell: Tell) {
    let paths = hub.paths("/api/v1", "events").into_iter();
    let specs = paths.map(|path| WatchSpec {
        fields: format!("involvedObject.kind={}", kind.word()),
        ..WatchSpec::all(path)
    });
    follow_first::<Value>(hub, specs.collect(), |step| {
        // The receiver lives as long as the watches.
        let _ = tell.send((Topic::Events(kind), step));
    })
    .await;
}

/// Keeps the desk, and tells loop and director what it says.
struct Clerk {
    teller: Teller,
    desk: Desk,
    notices: Notices,
    /// How many topics are followed.
    topics: usize,
    /// What is to be read next.
    errands: Vec<Errand>,
}

impl Clerk {
    fn take(&mut self, topic: Topic, step: Step<Value>) {
        match topic {
            Topic::Documents(kind) => self.take_document(kind, step),
            Topic::Events(kind) => {
                let told = self.notices.take(kind, step, self.teller.cluster());
                told.into_iter().for_each(|fact| self.teller.tell(fact));
            }
        }
        if self.desk.hear(topic) && self.desk.heard() == self.topics {
            self.all_heard();
        }
    }

    fn take_document(&mut self, kind: AppKind, step: Step<Value>) {
        match step {
            Step::Listed(all) => self.list(kind, &all),
            Step::Changed(one) => {
                let (row, others) = self.desk.take(kind, &one);
                self.errands.extend(self.desk.errand(&row.id));
                self.tell(row);
                others.into_iter().for_each(|row| self.tell(row));
            }
            Step::Gone(one) => {
                let id = crate::sources::engine::flux::id(kind, &one, self.teller.cluster());
                self.drop(&id);
                self.teller.tell(Fact::AppGone(id));
            }
            Step::Trouble(_) => {}
        }
    }

    fn list(&mut self, kind: AppKind, all: &[Value]) {
        let mut rows = Vec::with_capacity(all.len());
        let mut moved = Vec::new();
        for object in all {
            let (row, others) = self.desk.take(kind, object);
            self.errands.extend(self.desk.errand(&row.id));
            rows.push(row);
            moved.extend(others);
        }
        for id in self.desk.missing(kind, &rows) {
            self.drop(&id);
        }
        let apps = rows.clone();
        self.teller.tell(Fact::AppsOf { kind, apps });
        rows.into_iter().for_each(|row| self.direct(row));
        moved.into_iter().for_each(|row| self.tell(row));
    }

    /// Nothing is judged before its source can have been heard of.
    fn all_heard(&mut self) {
        for row in self.desk.rows() {
            self.tell(row);
        }
        self.teller.tell(Fact::EngineListed(Engine::Flux));
    }

    fn drop(&mut self, id: &AppRef) {
        for row in self.desk.drop(id) {
            self.tell(row);
        }
        if id.kind.applies() {
            self.teller.direct(DirectorInput::AppGone(id.clone()));
        }
    }

    fn receive(&mut self, app: &AppRef, gifts: Result<Gifts, Unjudged>) {
        let given = gifts
            .as_ref()
            .ok()
            .map(|g| (g.stamp.clone(), g.given.clone()));
        let Some((to, row)) = self.desk.receive(app, gifts) else {
            return;
        };
        if let Some((stamp, given)) = given {
            self.teller
                .direct(DirectorInput::Given { to, stamp, given });
        }
        self.tell(row);
    }

    /// Tells the loop, then the director.
    fn tell(&self, row: Application) {
        self.teller.tell(Fact::App(Box::new(row.clone())));
        self.direct(row);
    }

    /// What is still being read is no obstacle yet: the director hears of the row when it is there. What is not rendered waits for nothing.
    fn direct(&self, row: Application) {
        let hindrance = row.report.hindrance.as_ref();
        let waits = hindrance.is_some_and(|h| h.reason == UnjudgedReason::Pending);
        let complete = self.desk.heard() >= self.topics || !row.id.kind.is_rendered();
        if row.id.kind.applies() && !waits && complete {
            self.teller.direct(DirectorInput::App {
                generation: self.teller.generation(),
                app: Box::new(row),
            });
        }
    }
}

//! One actor's voice: facts to the loop without ever waiting for it, inputs to the director.
//!
//! While the loop keeps up, facts go straight into its bounded queue. When the queue is full they wait here by what they are about: a newer
//! fact takes the place of an older one about the same thing, so that what waits is bounded by the size of the cluster and never stale.

use std::sync::Arc;
use std::time::Duration;

use indexmap::IndexMap;
use parking_lot::Mutex;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, watch};

use super::assignment::DirectorInput;
use crate::connect::WallClock;
use crate::domain::{AppKind, AppRef, ClusterEvent, ClusterId, Engine, Fact, Name};

/// Tells the loop and the director, in one actor's name. Clones speak for the same actor.
#[derive(Clone)]
pub(super) struct Teller {
    cluster: ClusterId,
    generation: u64,
    outbox: Arc<Outbox>,
    director: mpsc::UnboundedSender<DirectorInput>,
    time: WallClock,
}

/// Who hears what is told, and what time it is then.
pub(super) struct Ears {
    pub(super) events: mpsc::Sender<ClusterEvent>,
    pub(super) director: mpsc::UnboundedSender<DirectorInput>,
    pub(super) time: WallClock,
}

impl Teller {
    pub(super) fn new(cluster: ClusterId, generation: u64, ears: Ears) -> Self {
        let outbox = Arc::new(Outbox {
            events: ears.events,
            waiting: Mutex::default(),
            is_empty: watch::Sender::new(true),
        });
        Self {
            cluster,
            generation,
            outbox,
            director: ears.director,
            time: ears.time,
        }
    }

    pub(super) fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// The time of day that its events carry.
    pub(super) fn time(&self) -> &WallClock {
        &self.time
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Tells the loop. Never waits; when the loop is gone nobody needs the fact. Must be called on the runtime.
    pub(super) fn tell(&self, fact: Fact) {
        self.outbox.put(self.event(fact));
    }

    /// Tells the loop that the cluster was heard of so long ago. A clock that goes by hand has not moved meanwhile.
    pub(super) fn tell_heard(&self, ago: Duration) {
        let mut event = self.event(Fact::Seen);
        if !self.time.is_by_hand() {
            event.at = event.at.checked_sub(ago).unwrap_or(event.at);
        }
        self.outbox.put(event);
    }

    /// Waits until the loop's queue holds everything told so far.
    pub(super) async fn flushed(&self) {
        let mut is_empty = self.outbox.is_empty.subscribe();
        // The sender lives as long as this teller.
        let _ = is_empty.wait_for(|empty| *empty).await;
    }

    /// Sends to the director; when it is gone the program is ending.
    pub(super) fn direct(&self, input: DirectorInput) {
        let _ = self.director.send(input);
    }

    fn event(&self, fact: Fact) -> ClusterEvent {
        ClusterEvent {
            cluster: self.cluster.clone(),
            generation: self.generation,
            at: self.time.now(),
            fact,
        }
    }
}

struct Outbox {
    events: mpsc::Sender<ClusterEvent>,
    waiting: Mutex<Waiting>,
    is_empty: watch::Sender<bool>,
}

#[derive(Default)]
struct Waiting {
    /// In the order in which they were first told.
    facts: IndexMap<About, ClusterEvent>,
    /// Facts that a newer one took the place of.
    replaced: u64,
    /// Whether a task is carrying them over.
    carried: bool,
}

impl Outbox {
    fn put(self: &Arc<Self>, event: ClusterEvent) {
        let mut waiting = self.waiting.lock();
        if !waiting.carried {
            match self.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(back)) => {
                    waiting.put(back);
                    waiting.carried = true;
                    self.is_empty.send_replace(false);
                    tokio::spawn(carry(Arc::clone(self)));
                    return;
                }
            }
        }
        waiting.put(event);
    }

    /// The next fact to carry; at the end, how many were replaced; then nothing, and whoever asked stops.
    fn next(&self) -> Option<ClusterEvent> {
        let mut waiting = self.waiting.lock();
        let (_, event) = waiting.facts.shift_remove_index(0).or_else(|| {
            waiting.carried = false;
            self.is_empty.send_replace(true);
            None
        })?;
        if waiting.facts.is_empty() && waiting.replaced > 0 {
            let dropped = ClusterEvent {
                fact: Fact::Dropped(std::mem::take(&mut waiting.replaced)),
                ..event.clone()
            };
            waiting.facts.insert(About::Dropped, dropped);
        }
        Some(event)
    }
}

impl Outbox {
    /// The loop is gone: nobody needs what waits.
    fn give_up(&self) {
        let mut waiting = self.waiting.lock();
        *waiting = Waiting::default();
        self.is_empty.send_replace(true);
    }
}

async fn carry(outbox: Arc<Outbox>) {
    loop {
        let Ok(place) = outbox.events.reserve().await else {
            return outbox.give_up();
        };
        match outbox.next() {
            Some(event) => place.send(event),
            None => return,
        }
    }
}

impl Waiting {
    fn put(&mut self, event: ClusterEvent) {
        self.forget_what_it_replaces(&event.fact);
        let about = About::of(&event.fact);
        if self.facts.insert(about, event).is_some() {
            self.replaced += 1;
        }
    }

    fn forget_apps(&mut self, kind: AppKind) {
        self.facts
            .retain(|about, _| !matches!(about, About::App(app) if app.kind == kind));
    }

    /// A whole list takes the place of everything told of its parts.
    fn forget_what_it_replaces(&mut self, fact: &Fact) {
        let before = self.facts.len();
        match fact {
            Fact::Apps(_) => self.forget_apps(AppKind::Application),
            Fact::AppsOf { kind, .. } => self.forget_apps(*kind),
            Fact::NoticesOf { kind, .. } => self
                .facts
                .retain(|about, _| !matches!(about, About::Notices(app) if app.kind == *kind)),
            Fact::Kind { gvk, .. } => self.facts.retain(|about, _| {
                !matches!(about, About::Object(group, kind, ..) if *group == gvk.group && *kind == gvk.kind)
            }),
            _ => {}
        }
        let gone = before - self.facts.len();
        self.replaced += u64::try_from(gone).unwrap_or(u64::MAX);
    }
}

/// What a fact is about: of two facts about the same thing only the newer matters.
#[derive(PartialEq, Eq, Hash)]
enum About {
    Link,
    Seen,
    Facts,
    Permissions,
    Tracking,
    HubClusters,
    Merged,
    Apps(AppKind),
    EngineListed(Engine),
    NoticesOf(AppKind),
    Notices(AppRef),
    Projects,
    Pace,
    App(AppRef),
    Kind(Name, Name),
    Unread(Name, Name),
    Object(Name, Name, Name, Name),
    Unjudged(AppRef),
    Judged(AppRef),
    Newest(AppRef),
    StandIn(AppRef),
    Metrics,
    Dropped,
    Gone,
}

impl About {
    fn of(fact: &Fact) -> Self {
        let object = |o: &crate::domain::ObjectRef| {
            Self::Object(
                o.gvk.group.clone(),
                o.gvk.kind.clone(),
                o.namespace.clone(),
                o.name.clone(),
            )
        };
        match fact {
            Fact::Link { .. } => Self::Link,
            Fact::Seen => Self::Seen,
            Fact::Facts(_) => Self::Facts,
            Fact::Permissions(_) => Self::Permissions,
            Fact::Tracking(_) => Self::Tracking,
            Fact::HubClusters(_) => Self::HubClusters,
            Fact::MergedInto(_) => Self::Merged,
            Fact::Apps(_) => Self::Apps(AppKind::Application),
            Fact::AppsOf { kind, .. } => Self::Apps(*kind),
            Fact::EngineListed(engine) => Self::EngineListed(*engine),
            Fact::NoticesOf { kind, .. } => Self::NoticesOf(*kind),
            Fact::Notices { app, .. } => Self::Notices(app.clone()),
            Fact::Projects(_) => Self::Projects,
            Fact::Pace(_) => Self::Pace,
            Fact::App(app) => Self::App(app.id.clone()),
            Fact::AppGone(app) => Self::App(app.clone()),
            Fact::Kind { gvk, .. } => Self::Kind(gvk.group.clone(), gvk.kind.clone()),
            Fact::KindUnread { gvk, .. } => Self::Unread(gvk.group.clone(), gvk.kind.clone()),
            Fact::Resource(resource) => object(&resource.object),
            Fact::ResourceGone(gone) => object(gone),
            Fact::AppUnjudged { app, .. } => Self::Unjudged(app.clone()),
            Fact::AppJudged { app, .. } => Self::Judged(app.clone()),
            Fact::AppStandIn { app, .. } => Self::StandIn(app.clone()),
            Fact::AppNewest { app, .. } => Self::Newest(app.clone()),
            Fact::Metrics(_) => Self::Metrics,
            Fact::Dropped(_) => Self::Dropped,
            Fact::Gone => Self::Gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Gvk, LinkState, ObjectRef};

    fn teller(room: usize) -> (Teller, mpsc::Receiver<ClusterEvent>) {
        let (events, receiver) = mpsc::channel(room);
        let (director, _) = mpsc::unbounded_channel();
        let ears = Ears {
            events,
            director,
            time: WallClock::Machine,
        };
        (Teller::new("edge-oslo-003".into(), 3, ears), receiver)
    }

    fn gone(name: &str) -> Fact {
        let gvk = Gvk::new("apps", "v1", "Deployment");
        Fact::ResourceGone(ObjectRef::new(gvk, "edge", name))
    }

    fn link(state: LinkState) -> Fact {
        Fact::Link {
            state,
            message: None,
        }
    }

    fn words(fact: &Fact) -> String {
        match fact {
            Fact::ResourceGone(object) => object.name.to_string(),
            Fact::Link { state, .. } => state.word().to_owned(),
            Fact::Kind { gvk, .. } => format!("all {}", gvk.kind),
            Fact::Dropped(n) => format!("dropped {n}"),
            other => format!("{other:?}"),
        }
    }

    async fn read(receiver: &mut mpsc::Receiver<ClusterEvent>, count: usize) -> Vec<String> {
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(words(&receiver.recv().await.unwrap().fact));
        }
        seen
    }

    #[tokio::test]
    async fn a_loop_that_keeps_up_hears_everything_in_order() {
        let (teller, mut receiver) = teller(10);
        for name in ["a", "b", "a"] {
            teller.tell(gone(name));
        }
        assert_eq!(read(&mut receiver, 3).await, ["a", "b", "a"]);
        assert!(receiver.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_slow_loop_hears_the_newest_of_each_thing_and_how_much_it_missed() {
        let (teller, mut receiver) = teller(1);
        teller.tell(gone("first"));
        for state in [LinkState::Live, LinkState::Slow, LinkState::Stale] {
            teller.tell(gone("a"));
            teller.tell(link(state));
        }
        teller.tell(gone("b"));
        let seen = read(&mut receiver, 5).await;
        assert_eq!(seen, ["first", "a", "stale", "b", "dropped 4"]);
        teller.tell(gone("after"));
        assert_eq!(read(&mut receiver, 1).await, ["after"]);
    }

    #[tokio::test]
    async fn a_whole_kind_takes_the_place_of_its_objects() {
        let (teller, mut receiver) = teller(1);
        teller.tell(link(LinkState::Live));
        teller.tell(gone("a"));
        teller.tell(gone("b"));
        let gvk = Gvk::new("apps", "v1", "Deployment");
        teller.tell(Fact::Kind {
            gvk,
            resources: Vec::new(),
        });
        let seen = read(&mut receiver, 3).await;
        assert_eq!(seen, ["live", "all Deployment", "dropped 2"]);
    }

    #[tokio::test]
    async fn flushing_waits_for_the_queue_and_only_then_returns() {
        let (teller, mut receiver) = teller(1);
        teller.flushed().await;
        teller.tell(gone("a"));
        teller.tell(gone("b"));
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), teller.flushed());
        assert!(waiting.await.is_err());
        assert_eq!(read(&mut receiver, 2).await, ["a", "b"]);
        teller.flushed().await;
    }

    #[tokio::test]
    async fn a_gone_loop_is_no_trouble() {
        let (teller, receiver) = teller(1);
        drop(receiver);
        teller.tell(gone("a"));
        teller.tell(gone("b"));
        teller.flushed().await;
    }
}

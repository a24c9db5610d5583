//! Judges what the edge shows by what the director assigns.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::kinds::{Follow, Kinds, News, Scope};
use crate::connect::Connection;
use crate::domain::{Fact, Name};
use crate::drift::SealKey;
use crate::health::lua::Answer;
use crate::sources::assignment::ClusterAssignments;
use crate::sources::health::{HealthRules, HubRules};
use crate::sources::judge::{Asked, Judge};
use crate::sources::lua::LuaDesk;
use crate::sources::schemas::{self, Pool, Schemas};
use crate::sources::tell::Teller;
use crate::sources::watch::WatchContext;

/// News that may wait for the judge before the watches wait for it.
const QUEUE: usize = 64;

/// How long the first verdicts of a custom kind wait for the kind's type.
const PATIENCE: Duration = Duration::from_secs(3);

/// What judging an edge needs.
pub(super) struct Parts {
    pub(super) connection: Connection,
    pub(super) context: WatchContext,
    pub(super) teller: Teller,
    pub(super) assignments: watch::Receiver<Arc<ClusterAssignments>>,
    /// The namespace the row is confined to, empty for the whole cluster.
    pub(super) confined: Name,
    pub(super) seal: Arc<SealKey>,
    pub(super) streaming: bool,
    pub(super) health: HealthRules,
    /// The types of custom kinds, shared by all rows.
    pub(super) types: Arc<Pool>,
    /// Turns at judging.
    pub(super) work: Arc<Semaphore>,
}

struct Edge {
    judge: Judge,
    desk: LuaDesk,
    /// Where the rules of argocd-cm answer.
    answers: mpsc::UnboundedSender<(Asked, Answer)>,
    teller: Teller,
    confined: Name,
    schemas: Schemas,
    /// Until when kinds wait for their types.
    patience: Option<Instant>,
}

/// Judges until dropped.
pub(super) async fn serve(parts: Parts) {
    let (tell, mut news) = mpsc::channel(QUEUE);
    let (publish, mut published) = mpsc::channel(QUEUE);
    let schemas = Schemas::start(schemas::Parts {
        cluster: parts.teller.cluster().clone(),
        connection: parts.connection.clone(),
        context: parts.context.clone(),
        pool: parts.types,
        tell: publish,
    });
    let mut kinds = Kinds::new(Follow::new(
        parts.connection,
        parts.context,
        parts.streaming,
        tell,
    ));
    let (answers, mut answered) = mpsc::unbounded_channel();
    let mut hubs = parts.health.hubs();
    let mut edge = Edge {
        judge: Judge::new(parts.seal).with_checks(parts.health.checks.clone()),
        desk: parts.health.desk,
        answers,
        teller: parts.teller,
        confined: parts.confined,
        schemas,
        patience: None,
    };
    let mut assignments = parts.assignments;
    let first = assignments.borrow_and_update().clone();
    edge.rules(hubs.borrow_and_update().clone());
    let turns = parts.work;
    let turn = turns.acquire().await;
    edge.assign(first, &mut kinds);
    drop(turn);
    loop {
        tokio::select! {
            // The director outlives its actors; if it did not, what is assigned would stay.
            Ok(()) = assignments.changed() => {
                let assigned = assignments.borrow_and_update().clone();
                let _turn = turns.acquire().await;
                edge.assign(assigned, &mut kinds);
            }
            Ok(()) = hubs.changed() => {
                let now = hubs.borrow_and_update().clone();
                edge.rules(now);
            }
            Some((asked, answer)) = answered.recv() => {
                let facts = edge.judge.answered(asked, answer);
                edge.tell(facts);
            }
            Some((gvk, ty)) = published.recv() => {
                let facts = edge.judge.published(&gvk, ty);
                edge.tell(facts);
            }
            () = edge.out_of_patience() => edge.wait_no_longer(),
            Some(one) = news.recv() => {
                let _turn = turns.acquire().await;
                edge.take(one);
            }
        }
    }
}

impl Edge {
    fn assign(&mut self, assigned: Arc<ClusterAssignments>, kinds: &mut Kinds) {
        let scope = self.scope(&assigned);
        let answer = self.judge.assign(assigned);
        kinds.set(&answer.kinds, scope, &answer.relist);
        self.schemas.want(self.judge.custom_kinds());
        self.patience = self
            .judge
            .awaits_types()
            .then(|| self.patience.unwrap_or_else(|| Instant::now() + PATIENCE));
        self.tell(answer.facts);
    }

    async fn out_of_patience(&self) {
        match self.patience {
            Some(until) => sleep_until(until).await,
            None => std::future::pending().await,
        }
    }

    fn wait_no_longer(&mut self) {
        self.patience = None;
        let facts = self.judge.wait_no_longer();
        self.tell(facts);
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
        let namespaces: BTreeSet<Name> = wanted
            .chain(managed)
            .filter(|n| !n.is_empty())
            .cloned()
            .collect();
        Scope {
            confined: Some(self.confined.clone()).filter(|c| !c.is_empty()),
            namespaces,
        }
    }

    fn take(&mut self, news: News) {
        if news.is_of_definitions() {
            self.schemas.poke();
        }
        let facts = match news {
            News::Listed(gvk, part, objects) => self.judge.listed(&gvk, &part, objects),
            News::Changed(gvk, object) => self.judge.changed(&gvk, object),
            News::Gone(gvk, object) => self.judge.gone(&gvk, &object),
            News::Unread(gvk, why) => self.judge.unread(&gvk, &why),
            News::Blind(gvk, part, why) => self.judge.blind(&gvk, &part, &why),
        };
        self.tell(facts);
    }

    fn rules(&mut self, hubs: HubRules) {
        let facts = self.judge.rules(hubs);
        self.tell(facts);
    }

    /// Tells facts, and asks what the judge could not tell by itself.
    fn tell(&mut self, facts: Vec<Fact>) {
        for fact in facts {
            self.teller.tell(fact);
        }
        for question in self.judge.questions() {
            let (answers, about) = (self.answers.clone(), question.about);
            let script = Arc::clone(&about.script);
            self.desk.ask(script, question.object, move |answer| {
                // An edge that is gone needs no answer.
                let _ = answers.send((about, answer));
            });
        }
    }
}

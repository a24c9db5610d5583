//! One application in the director's book: what is asked for it, what Git answered, what its edge and the loop were told.

use std::sync::Arc;

use super::judge::Answer;
use super::wish::Wish;
use crate::desired::Lease;
use crate::desired::argo_api::Asked;
use crate::desired::prepare::instance;
use crate::domain::{
    Application, ClusterId, DesiredObject, Destination, Engine, Fact, HubCluster, Name, Newest,
    Tracking, Unjudged, UnjudgedReason,
};
use crate::sources::assignment::AppAssignment;

/// How it stands with judging an application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Git has not answered yet.
    Open,
    /// There is desired state.
    Judged,
    /// There is none, for this reason.
    Hindered(Unjudged),
}

/// What the loop believes to be an application's newest revision.
#[derive(Debug, PartialEq)]
enum ToldNewest {
    /// What was told may not have been believed.
    Uncertain,
    /// This, or that it is not known.
    As(Option<Arc<Newest>>),
}

/// What the loop believes of what stands in for Git.
#[derive(Debug, PartialEq)]
enum ToldStandIn {
    /// What was told may not have been believed.
    Uncertain,
    /// Nothing, or something for this reason.
    As(Option<Unjudged>),
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) app: Application,
    pub(super) cluster: Option<ClusterId>,
    pub(super) wish: Option<Result<Wish, Unjudged>>,
    /// The asking under way or last answered.
    pub(super) turn: u64,
    pub(super) answer: Option<Result<Answer, Unjudged>>,
    /// What the loop believes of it: at first that nothing hinders; open when that is uncertain.
    told: Standing,
    told_newest: ToldNewest,
    told_stand_in: ToldStandIn,
    /// What Argo CD's API was last asked.
    pub(super) last_asked: Option<Asked>,
    /// What keeps its repositories polled.
    pub(super) leases: Vec<Lease>,
    pub(super) assignment: Option<Arc<AppAssignment>>,
}

impl Entry {
    pub(super) fn new(app: Application) -> Self {
        Self {
            app,
            cluster: None,
            wish: None,
            turn: 0,
            answer: None,
            told: Standing::Judged,
            told_newest: ToldNewest::As(None),
            told_stand_in: ToldStandIn::As(None),
            last_asked: None,
            leases: Vec::new(),
            assignment: None,
        }
    }

    /// How it stands with judging it.
    fn standing(&self) -> Standing {
        match (self.wish.as_ref(), self.answer.as_ref()) {
            (Some(_), Some(Ok(_))) => Standing::Judged,
            (Some(_), Some(Err(why))) => Standing::Hindered(why.clone()),
            (Some(Err(why)), None) if !self.may_stand_in(why) => Standing::Hindered(why.clone()),
            // Git, or Argo CD's API in its place, has not answered yet.
            (None, _) | (Some(_), None) => Standing::Open,
        }
    }

    /// What was told may not have been believed: all of it is told again.
    pub(super) fn tell_again(&mut self) {
        self.told = Standing::Open;
        self.told_newest = ToldNewest::Uncertain;
        self.told_stand_in = ToldStandIn::Uncertain;
    }

    /// What Argo CD's API would be asked.
    pub(super) fn asked(&self) -> Asked {
        let deployed = self.app.deployed_revision();
        Asked {
            app: self.app.id.clone(),
            project: self.app.project.clone(),
            compared: self.app.compared_revision.clone(),
            deployed: deployed.map(|d| d.revision.clone()).unwrap_or_default(),
        }
    }

    /// Whether the last answer is not Git's: then it may be another once Argo CD has compared again.
    pub(super) fn is_second_hand(&self) -> bool {
        match &self.answer {
            Some(Ok(answer)) => answer.stand_in.is_some(),
            Some(Err(why)) => self.may_stand_in(why),
            None => false,
        }
    }

    /// Whether Argo CD's API may be asked in place of Git: it knows nothing of what Flux carries.
    pub(super) fn may_stand_in(&self, why: &Unjudged) -> bool {
        self.app.engine == Engine::Argo && why.reason.may_stand_in()
    }

    fn stand_in(&self) -> Option<&Unjudged> {
        let answer = self.answer.as_ref()?.as_ref().ok()?;
        answer.stand_in.as_ref()
    }

    /// What the loop must hear, each once: whether it can be judged, and what its newest revision is.
    pub(super) fn news(&mut self) -> impl Iterator<Item = Fact> + use<> {
        // What stands in before that it can be judged: it must never look as if Git had been compared.
        [
            self.stand_in_news(),
            self.standing_news(),
            self.newest_news(),
        ]
        .into_iter()
        .flatten()
    }

    fn stand_in_news(&mut self) -> Option<Fact> {
        let because = self.stand_in().cloned();
        let word = ToldStandIn::As(because.clone());
        if self.told_stand_in == word {
            return None;
        }
        self.told_stand_in = word;
        let app = self.app.id.clone();
        Some(Fact::AppStandIn { app, because })
    }

    fn newest_news(&mut self) -> Option<Fact> {
        let answer = self.answer.as_ref().and_then(|a| a.as_ref().ok());
        let newest = answer.and_then(|a| a.newest.clone());
        let word = ToldNewest::As(newest.clone());
        if self.told_newest == word {
            return None;
        }
        self.told_newest = word;
        let app = self.app.id.clone();
        Some(Fact::AppNewest { app, newest })
    }

    fn standing_news(&mut self) -> Option<Fact> {
        let standing = self.standing();
        let reason = match &standing {
            Standing::Open => return None,
            Standing::Judged => None,
            Standing::Hindered(why) => Some(why.clone()),
        };
        if standing == self.told {
            return None;
        }
        self.told = standing;
        let app = self.app.id.clone();
        Some(Fact::AppUnjudged { app, reason })
    }

    /// Makes the application's assignment anew; `false` when it says what it said before.
    ///
    /// `clusters` are those that its hub knows.
    pub(super) fn refresh(&mut self, tracking: &Tracking, clusters: &[HubCluster]) -> bool {
        let fresh = self.assign(tracking.clone(), clusters);
        let known = self.assignment.as_ref();
        let same = known.is_some_and(|known| says_the_same(known, &fresh));
        if !same {
            self.assignment = Some(Arc::new(fresh));
        }
        !same
    }

    fn assign(&self, tracking: Tracking, clusters: &[HubCluster]) -> AppAssignment {
        let app = &self.app;
        let mut made = AppAssignment {
            app: app.id.clone(),
            ignore_differences: tracking
                .of(&app.id)
                .ignoring(app.ignore_differences.as_ref()),
            health_checks: app.report.health_checks.clone(),
            tracking: tracking.of(&app.id),
            instance: instance(app),
            namespace: app.destination.namespace.clone(),
            deployed_revision: app
                .deployed_revision()
                .map(|h| h.revision.clone())
                .unwrap_or_default(),
            target_revision: Name::default(),
            deployed: Vec::new(),
            target: Vec::new(),
            resources: app.resources.clone(),
            server: server(&app.destination, clusters),
            sync_options: app.sync_options.clone(),
            compare_options: app.compare_options.clone(),
            stand_in: self.stand_in().is_some(),
            unjudged: match self.standing() {
                Standing::Judged => None,
                Standing::Hindered(why) => Some(why),
                Standing::Open => Some(pending()),
            },
        };
        if let (None, Some(Ok(answer))) = (&made.unjudged, &self.answer) {
            (made.deployed_revision, made.target_revision) = answer.revisions();
            made.deployed = answer.deployed.objects.to_vec();
            // Without a target nothing is known to be behind: the deployed objects stand in for it, under no revision.
            let target = answer.target.as_ref();
            made.target = target.unwrap_or(&answer.deployed).objects.to_vec();
        }
        made
    }
}

/// The URL of a destination that may be named instead.
fn server(destination: &Destination, clusters: &[HubCluster]) -> Name {
    let named = || clusters.iter().find(|c| c.name == destination.name);
    if destination.server.is_empty() {
        named().map(|c| c.server.clone()).unwrap_or_default()
    } else {
        destination.server.clone()
    }
}

fn pending() -> Unjudged {
    Unjudged {
        reason: UnjudgedReason::Pending,
        message: "The desired state is still being fetched.".into(),
    }
}

/// Whether both would make an edge do the same. Objects are compared by allocation: equal ones are shared.
fn says_the_same(a: &AppAssignment, b: &AppAssignment) -> bool {
    let shared = |a: &[Arc<DesiredObject>], b: &[Arc<DesiredObject>]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
    };
    a.tracking == b.tracking
        && a.instance == b.instance
        && a.namespace == b.namespace
        && a.deployed_revision == b.deployed_revision
        && a.target_revision == b.target_revision
        && shared(&a.deployed, &b.deployed)
        && shared(&a.target, &b.target)
        && a.resources == b.resources
        && a.ignore_differences == b.ignore_differences
        && a.health_checks == b.health_checks
        && a.server == b.server
        && a.sync_options == b.sync_options
        && a.compare_options == b.compare_options
        && a.stand_in == b.stand_in
        && a.unjudged == b.unjudged
}

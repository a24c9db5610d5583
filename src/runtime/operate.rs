//! From what is on the screen to a plan and a run: gathers what planning needs, and carries confirmed plans through the gate.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio_util::sync::CancellationToken;

use crate::config::Config;
use crate::connect::WallClock;
use crate::desired::{Ask, DesiredHandle, Recipe};
use crate::domain::{
    Application, Commit, DriftState, Engine, LinkState, Name, Resource, Safe, Source, Tracking,
    Unjudged, UnjudgedReason,
};
use crate::drift::seal::holds_token;
use crate::fleet::Fleet;
use crate::ops::{
    self, Clusters, Confirmation, Guardrail, Opinion, Patience, Plan, PlanContext, RevertRequest,
    RevertTarget, Route, Run, RunContext, RunEvent, ServerWord, Unsealed, WaveSpec, WriteMode,
};
use crate::sources::schemas::Pool;

/// Commits of a history that are read at once.
const COMMITS: usize = 50;

/// What is wanted: objects by name, and how.
#[derive(Clone, Debug)]
pub struct Wish {
    /// The objects.
    pub targets: Vec<crate::app::msg::WishTarget>,
    /// The route asked for; `None` leaves it to the planner.
    pub via: Option<Route>,
    /// Whether objects that Git does not have may be deleted.
    pub prune: bool,
    /// The operator's note.
    pub note: Option<Safe>,
    /// What it is for, in the words of the screen.
    pub reason: Safe,
    /// How the targets are split over time.
    pub waves: WaveSpec,
}

/// A wish with what the fleet knows of each target. Made at once, so that later events cannot mix into it.
#[derive(Clone, Debug)]
pub struct Gathered {
    wish: Wish,
    targets: Vec<Known>,
    guardrail: Option<Guardrail>,
}

#[derive(Clone, Debug)]
struct Known {
    resource: Arc<Resource>,
    cluster: crate::domain::ClusterId,
    app: Arc<Application>,
    target_commit: Option<Name>,
    tracking: Tracking,
    link: LinkState,
    hub_link: LinkState,
}

/// Gathers what the fleet knows of the wished targets.
///
/// # Errors
/// A sentence that names the first target the fleet knows nothing of.
pub fn gather(fleet: &Fleet, wish: Wish, config: &Config) -> Result<Gathered, Safe> {
    let link = |id: &crate::domain::ClusterId| {
        fleet
            .cluster(id)
            .map_or(LinkState::Unreachable, |c| c.state)
    };
    let mut targets = Vec::with_capacity(wish.targets.len());
    for target in &wish.targets {
        let gone = || {
            Safe::from(format!(
                "{} on {} is not known any more; look again and choose anew.",
                target.object, target.cluster
            ))
        };
        targets.push(Known {
            resource: Arc::clone(
                fleet
                    .resource(&target.cluster, &target.object)
                    .ok_or_else(gone)?,
            ),
            cluster: target.cluster.clone(),
            app: Arc::clone(fleet.app(&target.app).ok_or_else(gone)?),
            target_commit: fleet.target_commit(&target.app).cloned(),
            tracking: fleet
                .cluster(&target.app.hub)
                .map(|hub| hub.tracking.clone())
                .unwrap_or_default()
                .of(&target.app),
            link: link(&target.cluster),
            hub_link: link(&target.app.hub),
        });
    }
    let guardrail = guardrail(&wish, config);
    Ok(Gathered {
        wish,
        targets,
        guardrail,
    })
}

/// The first guarded group that any target belongs to.
fn guardrail(wish: &Wish, config: &Config) -> Option<Guardrail> {
    let mut groups = wish
        .targets
        .iter()
        .filter_map(|t| config.group_of(t.cluster.as_str()));
    let group = groups.find(|group| group.guarded)?;
    Some(Guardrail {
        name: Safe::new(&group.name),
        confirm: Safe::new(&group.name),
    })
}

/// What planning and running need of the program.
#[derive(Clone)]
pub struct Operate {
    /// The connections.
    pub clusters: Arc<dyn Clusters>,
    /// Git.
    pub desired: DesiredHandle,
    /// The types of custom kinds, as the clusters publish them.
    pub types: Arc<Pool>,
    /// The state folder with journal and undo.
    pub state: PathBuf,
    /// The person, as `user@host`.
    pub operator: Name,
    /// Whether approved plans are sent.
    pub mode: WriteMode,
    /// Longest time for one answer.
    pub timeout: Duration,
    /// The time of plans, words and runs.
    pub time: WallClock,
}

/// How a run goes about it.
#[derive(Clone, Debug)]
pub struct Knobs {
    /// Writes in flight at a time.
    pub max_in_flight: usize,
    /// Targets that may end badly before nothing more is sent.
    pub stop_after: Option<usize>,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            max_in_flight: 5,
            stop_after: Some(2),
        }
    }
}

impl Operate {
    /// Makes the plan, dry runs included.
    ///
    /// # Errors
    /// A sentence, when the desired state of a target cannot be read from Git.
    pub async fn plan(&self, gathered: Gathered) -> Result<Plan, Safe> {
        let mut targets = Vec::with_capacity(gathered.targets.len());
        for known in gathered.targets {
            targets.push(self.target(known).await?);
        }
        let Wish {
            via,
            prune,
            note,
            reason,
            waves,
            ..
        } = gathered.wish;
        let request = RevertRequest {
            targets,
            via,
            prune,
            note,
            reason,
            waves,
            guardrail: gathered.guardrail,
        };
        let context = self.context();
        Ok(ops::plan(&request, &*self.clusters, &context).await)
    }

    /// Asks the servers for their word on each target; the answers in the order of the targets. Changes nothing.
    pub async fn words(&self, gathered: Gathered) -> Vec<ServerWord> {
        let mut targets = Vec::with_capacity(gathered.targets.len());
        // Where a target's desired state cannot be read, that is the answer.
        let mut words: Vec<Option<ServerWord>> = Vec::with_capacity(gathered.targets.len());
        for known in gathered.targets {
            match self.target(known).await {
                Ok(target) => {
                    targets.push(target);
                    words.push(None);
                }
                Err(why) => words.push(Some(ServerWord {
                    at: self.time.now(),
                    opinion: Opinion::NotAsked(why),
                })),
            }
        }
        let asked = ops::ask(&targets, &*self.clusters, &self.context()).await;
        let mut asked = asked.into_iter();
        words
            .into_iter()
            .filter_map(|word| word.or_else(|| asked.next()))
            .collect()
    }

    fn context(&self) -> PlanContext {
        let now = self.time.now();
        // Where time stands nothing is sent, and the same plan has the same name.
        let lot = if self.time.is_by_hand() {
            0
        } else {
            fastrand::u32(..)
        };
        PlanContext {
            id: ops::plan_id(now, lot),
            now,
            operator: self.operator.clone(),
            timeout: self.timeout,
            parallel: 16,
        }
    }

    /// The manifest of the only target as the deployed revision wants it.
    ///
    /// # Errors
    /// Why it is not known, or that Git does not hold the object.
    pub async fn manifest(&self, gathered: Gathered) -> Result<Unsealed, Safe> {
        let known = gathered.targets.into_iter().next();
        let wanted = match &known {
            Some(known) if self.is_secretive(known).await => {
                return Err(Safe::fixed(
                    "Flux writes values of Secrets into it, so its manifest is not shown.",
                ));
            }
            Some(known) => self.wanted(known).await.map_err(|why| why.message)?,
            None => None,
        };
        wanted.ok_or_else(|| Safe::fixed("Nothing of it was deployed yet."))
    }

    /// The newest commits up to a revision.
    ///
    /// # Errors
    /// Why the repository does not tell.
    pub async fn commits(&self, source: &Source, revision: &str) -> Result<Vec<Commit>, Safe> {
        let log = self.desired.log(source, revision, COMMITS).await;
        log.map_err(|why| why.message)
    }

    async fn target(&self, known: Known) -> Result<RevertTarget, Safe> {
        let desired = self.body(&known).await?;
        let secretive = self.is_secretive(&known).await;
        let revision = known
            .app
            .deployed_revision()
            .map(|h| h.revision.clone())
            .unwrap_or_default();
        let object = &known.resource.object;
        Ok(RevertTarget {
            custom: self.types.of(&known.cluster, &object.gvk),
            cluster: known.cluster,
            object: known.resource.object.clone(),
            uid: known.resource.uid.clone(),
            resource_version: known.resource.resource_version.clone(),
            verdict: Arc::clone(&known.resource.verdict),
            desired,
            secretive,
            desired_revision: revision,
            target_commit: known.target_commit,
            tracking: known.tracking,
            link: known.link,
            hub_link: known.hub_link,
            app: known.app,
        })
    }

    /// The manifest at the deployed revision; none for an object that Git does not have there.
    async fn body(&self, known: &Known) -> Result<Option<Unsealed>, Safe> {
        let extra = known.resource.verdict.states.contains(&DriftState::Extra);
        match self.wanted(known).await {
            Ok(body) => Ok(body),
            // Only what the verdict calls extra may be planned without a body: it is what a prune would delete.
            Err(why) if why.reason == UnjudgedReason::NotFound && extra => Ok(None),
            Err(why) => Err(Safe::from(format!(
                "There is no plan: the desired state of {} cannot be read. {}",
                known.resource.object, why.message
            ))),
        }
    }

    /// The manifest at the deployed revision; none when nothing was ever deployed.
    async fn wanted(&self, known: &Known) -> Result<Option<Unsealed>, Unjudged> {
        let Some(entry) = known.app.deployed_revision() else {
            return Ok(None);
        };
        let asks = Ask::deployed(&known.app, entry)?;
        if asks.is_empty() {
            return Ok(None);
        }
        let recipe =
            Recipe::of(&known.app, &known.tracking).on(self.desired.served(&known.cluster));
        let raw = self.desired.raw(&asks, &recipe, &known.resource.object);
        let found = raw.await?;
        Ok(Some(Unsealed::new(Arc::new(found.body.document()))))
    }

    /// Whether Flux wrote values of Secrets into the object, which is none itself.
    async fn is_secretive(&self, known: &Known) -> bool {
        let object = &known.resource.object;
        let is_secret = object.gvk.group.is_empty() && &*object.gvk.kind == "Secret";
        let Some(entry) = known.app.deployed_revision().filter(|_| !is_secret) else {
            return false;
        };
        let recipe =
            Recipe::of(&known.app, &known.tracking).on(self.desired.served(&known.cluster));
        let asks = Ask::deployed(&known.app, entry).unwrap_or_default();
        for ask in asks.iter().filter(|_| known.app.engine == Engine::Flux) {
            let Ok(located) = self.desired.locate(ask, &recipe.purpose).await else {
                continue;
            };
            let sealed = self.desired.prepared(&located, &recipe.placement()).await;
            let mut objects = sealed.iter().flat_map(|p| &p.objects);
            if objects.any(|o| o.object.same_object(object) && holds_token(&o.body)) {
                return true;
            }
        }
        false
    }

    /// Carries a plan through gate and journal and runs it. `typed` is what the operator typed where the plan asks for a name.
    ///
    /// # Errors
    /// Why nothing was sent.
    pub async fn run(
        &self,
        plan: Plan,
        typed: Option<&str>,
        knobs: &Knobs,
        events: UnboundedSender<RunEvent>,
        cancel: CancellationToken,
    ) -> Result<Run, Safe> {
        let confirmation = Confirmation::of(&plan, typed);
        let refused = |why: &dyn std::fmt::Display| Safe::from(why.to_string());
        let approved = ops::approve(
            plan,
            Some(&confirmation),
            self.mode,
            &*self.clusters,
            self.timeout,
        )
        .await
        .map_err(|why| refused(&why))?;
        let journal =
            ops::journal::Journal::open(&self.state, super::random).map_err(|why| refused(&why))?;
        let time = self.time.clone();
        let context = RunContext {
            clusters: Arc::clone(&self.clusters),
            journal: Arc::new(journal),
            operator: self.operator.clone(),
            clock: Arc::new(move || time.now()),
            max_in_flight: knobs.max_in_flight,
            stop_after: knobs.stop_after,
            patience: Patience {
                answer: self.timeout,
                ..Patience::default()
            },
            cancel,
            events,
        };
        Ok(ops::run(approved, context).await)
    }
}

/// The person at the keyboard, as `user@host`; parts that are not known read as `unknown`.
pub fn operator() -> Name {
    let user = std::env::var("USER")
        .or_else(|_| std::env::var("LOGNAME"))
        .unwrap_or_else(|_| "unknown".to_owned());
    let host = rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned();
    format!("{user}@{}", if host.is_empty() { "unknown" } else { &host }).into()
}

//! Carries out what the console orders: plans, runs, documents. Whatever takes time runs beside the loop and answers with a message.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::inquire;
use super::operate::{Knobs, Operate, Wish, gather};
use crate::app::inquiry::{Answer, CommitWish, Question};
use crate::app::kept::Kept;
use crate::app::msg::WishTarget;
use crate::app::{Done, Effect, Notice, PlanWish, tree};
use crate::config::Config;
use crate::domain::{ClusterId, ObjectRef, Safe};
use crate::drift::SealKey;
use crate::fleet::Fleet;
use crate::ops::{Plan, WaveSpec};
use crate::sources::Sources;

/// Orders that only the holder of the terminal can carry out.
#[derive(Clone, Debug, PartialEq)]
pub enum OnTerminal {
    /// Leave the screen for this row's credential plugin.
    Login(ClusterId),
    /// Put text on the clipboard.
    Copy(Safe),
    /// Ring, and tell the desktop.
    Alert(Safe),
    /// Load a theme.
    Theme(String),
    /// Load a keymap.
    Keymap(String),
    /// Draw everything.
    Redraw,
    /// Stop like `ctrl-z`.
    Suspend,
    /// End.
    Quit,
}

/// Carries out effects; answers come through the channel it was made with.
pub struct Carrier {
    operate: Operate,
    sources: Arc<Sources>,
    config: Config,
    done: mpsc::UnboundedSender<Done>,
    plans: Arc<parking_lot::Mutex<HashMap<String, Arc<Plan>>>>,
    runs: HashMap<String, CancellationToken>,
    /// Questions that are being answered, by number.
    asked: HashMap<u64, CancellationToken>,
    /// One writer of the remembered things at a time, in the order of the orders.
    keeping: Arc<tokio::sync::Mutex<()>>,
    /// Masks what is read for people to look at; other than the judge's, so that masks cannot be matched beyond one question.
    key: Arc<SealKey>,
}

impl Carrier {
    /// A carrier of one sitting, and where its answers come.
    pub fn new(
        operate: Operate,
        sources: Arc<Sources>,
        config: Config,
    ) -> (Self, mpsc::UnboundedReceiver<Done>) {
        let (done, answers) = mpsc::unbounded_channel();
        let mut key = [0_u8; 32];
        super::random(&mut key);
        let carrier = Self {
            operate,
            sources,
            config,
            done,
            plans: Arc::default(),
            runs: HashMap::new(),
            asked: HashMap::new(),
            keeping: Arc::default(),
            key: Arc::new(SealKey::new(key)),
        };
        (carrier, answers)
    }

    /// Carries out one effect, or hands back what needs the terminal. Must be called on the runtime.
    pub fn carry(&mut self, effect: Effect, fleet: &Fleet) -> Option<OnTerminal> {
        match effect {
            Effect::BuildPlan { ask, wish } => self.build(ask, wish, fleet),
            Effect::RunPlan { plan, confirmation } => self.run(plan, confirmation),
            Effect::StopRun { plan } => {
                if let Some(cancel) = self.runs.get(&plan) {
                    cancel.cancel();
                }
            }
            Effect::FetchBodies {
                ask,
                cluster,
                object,
                ..
            } => self.bodies(ask, fleet, &cluster, &object),
            Effect::Ask { ask, question } => self.ask(ask, question, fleet),
            Effect::Hush { ask } => {
                if let Some(cancel) = self.asked.remove(&ask) {
                    cancel.cancel();
                }
            }
            Effect::Retry(cluster) => {
                let sources = Arc::clone(&self.sources);
                tokio::spawn(async move { sources.retry(&cluster).await });
            }
            Effect::Login(cluster) => return Some(OnTerminal::Login(cluster)),
            Effect::Keep(kept) => self.keep(*kept),
            Effect::Alert(text) => return Some(OnTerminal::Alert(text)),
            Effect::Copy(text) => return Some(OnTerminal::Copy(text)),
            Effect::LoadTheme(name) => return Some(OnTerminal::Theme(name)),
            Effect::LoadKeymap(name) => return Some(OnTerminal::Keymap(name)),
            Effect::Redraw => return Some(OnTerminal::Redraw),
            Effect::Suspend => return Some(OnTerminal::Suspend),
            Effect::Quit => return Some(OnTerminal::Quit),
        }
        None
    }

    fn build(&self, ask: u64, wish: PlanWish, fleet: &Fleet) {
        let wish = Wish {
            targets: wish.targets,
            via: wish.via,
            prune: wish.prune,
            note: wish.note,
            reason: wish.reason,
            waves: WaveSpec::default(),
        };
        let gathered = gather(fleet, wish, &self.config);
        let (operate, done, plans) = (
            self.operate.clone(),
            self.done.clone(),
            Arc::clone(&self.plans),
        );
        tokio::spawn(async move {
            let result = match gathered {
                Ok(gathered) => operate.plan(gathered).await.map(Arc::new),
                Err(why) => Err(why),
            };
            if let Ok(plan) = &result {
                plans.lock().insert(plan.id.clone(), Arc::clone(plan));
            }
            // Without a console nobody waits for the answer.
            let _ = done.send(Done::Planned { ask, result });
        });
    }

    /// Asks beside the loop, until the answer is there or nobody waits for it any more.
    fn ask(&mut self, ask: u64, question: Question, fleet: &Fleet) {
        match question {
            Question::Word(targets) => self.word(ask, targets, fleet),
            Question::Yaml(target) => self.yaml(ask, target, fleet),
            Question::Commits(wish) => self.commits(ask, wish),
            Question::Logs(targets) => self.logs(ask, targets),
            other => {
                let asking = inquire::ask(Arc::clone(&self.sources), other, Arc::clone(&self.key));
                self.answer(ask, asking);
            }
        }
    }

    /// Tells the answer once it is there, unless the question is hushed before.
    fn answer(
        &mut self,
        ask: u64,
        asking: impl Future<Output = Result<Answer, Safe>> + Send + 'static,
    ) {
        let cancel = self.listen(ask);
        let done = self.done.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = cancel.cancelled() => {}
                result = asking => {
                    let _ = done.send(Done::Answered { ask, result });
                }
            }
        });
    }

    /// What hushes a question.
    fn listen(&mut self, ask: u64) -> CancellationToken {
        // Questions that were answered long ago need no hushing.
        self.asked.retain(|known, _| known + 64 > ask);
        let cancel = CancellationToken::new();
        self.asked.insert(ask, cancel.clone());
        cancel
    }

    /// Asks the servers for their word on verdicts.
    fn word(&mut self, ask: u64, targets: Vec<WishTarget>, fleet: &Fleet) {
        let gathered = gather(fleet, looking(targets.clone()), &self.config);
        let operate = self.operate.clone();
        self.answer(ask, async move {
            let words = operate.words(gathered?).await;
            Ok(Answer::Word(targets.into_iter().zip(words).collect()))
        });
    }

    /// Reads an object from its cluster and from Git.
    fn yaml(&mut self, ask: u64, target: WishTarget, fleet: &Fleet) {
        let gathered = gather(fleet, looking(vec![target.clone()]), &self.config);
        let (operate, sources) = (self.operate.clone(), Arc::clone(&self.sources));
        let key = Arc::clone(&self.key);
        let is_own = tree::root(&target.app).same_object(&target.object);
        let apart = if is_own {
            "No application that is seen here deploys it: it was made by hand, or by a set."
        } else {
            "Git does not hold it: it was made in the cluster, by its owner or by hand."
        };
        self.answer(ask, async move {
            let wanted = match gathered {
                Ok(gathered) => operate.manifest(gathered).await,
                Err(_) => Err(Safe::fixed(apart)),
            };
            let yaml = inquire::yaml::read(&sources, &target, wanted, &key).await;
            Ok(Answer::Yaml(Box::new(yaml)))
        });
    }

    /// Reads what was committed up to a revision.
    fn commits(&mut self, ask: u64, wish: CommitWish) {
        let operate = self.operate.clone();
        self.answer(ask, async move {
            let commits = operate.commits(&wish.source, &wish.revision).await?;
            Ok(Answer::Commits(commits))
        });
    }

    /// Follows logs until nobody waits for them any more.
    fn logs(&mut self, ask: u64, targets: Vec<WishTarget>) {
        let (sources, done) = (Arc::clone(&self.sources), self.done.clone());
        let cancel = self.listen(ask);
        tokio::spawn(async move {
            let (tell, mut lines) = mpsc::unbounded_channel();
            let follow = inquire::logs::follow(&sources, &targets, tell, cancel);
            let forward = async {
                while let Some(batch) = lines.recv().await {
                    let result = batch.map(Answer::Logs);
                    let _ = done.send(Done::Answered { ask, result });
                }
            };
            tokio::join!(follow, forward);
        });
    }

    /// Writes beside the loop what is to be remembered, one after the other.
    fn keep(&self, kept: Kept) {
        let (state, done) = (self.operate.state.clone(), self.done.clone());
        let order = Arc::clone(&self.keeping);
        tokio::spawn(async move {
            let _turn = order.lock().await;
            let written = tokio::task::spawn_blocking(move || super::keep::write(&state, &kept));
            if let Ok(Err(why)) = written.await {
                let _ = done.send(Done::Say(Notice::error(why)));
            }
        });
    }

    fn run(&mut self, id: String, typed: Option<Safe>) {
        let done = self.done.clone();
        let Some(plan) = self.plans.lock().remove(&id) else {
            let why = Safe::fixed("This plan was run already or is gone; plan again.");
            let _ = done.send(Done::RunRefused { plan: id, why });
            return;
        };
        let plan = (*plan).clone();
        let cancel = CancellationToken::new();
        self.runs.insert(id.clone(), cancel.clone());
        let operate = self.operate.clone();
        tokio::spawn(async move {
            let (tell, mut events) = mpsc::unbounded_channel();
            let (name, news) = (id.clone(), done.clone());
            let forward = tokio::spawn(async move {
                while let Some(event) = events.recv().await {
                    let _ = news.send(Done::Run {
                        plan: name.clone(),
                        event,
                    });
                }
            });
            let typed = typed.as_ref().map(Safe::as_str);
            if let Err(why) = operate
                .run(plan, typed, &Knobs::default(), tell, cancel)
                .await
            {
                let _ = done.send(Done::RunRefused { plan: id, why });
            }
            // The run has ended and with it the channel; a failed forwarder has nothing left to tell.
            let _ = forward.await;
        });
    }

    /// Documents are kept while an object is drifted; of any other there is no difference to show.
    fn bodies(&self, ask: u64, fleet: &Fleet, cluster: &ClusterId, object: &ObjectRef) {
        let kept = fleet
            .resource(cluster, object)
            .and_then(|r| r.bodies.clone());
        let result = kept.ok_or(Safe::fixed(
            "The object is as Git wants it: there is no difference to show.",
        ));
        let _ = self.done.send(Done::Bodies { ask, result });
    }
}

/// A wish that only looks at its targets.
fn looking(targets: Vec<WishTarget>) -> Wish {
    Wish {
        targets,
        via: None,
        prune: false,
        note: None,
        reason: Safe::fixed("look"),
        waves: WaveSpec::default(),
    }
}

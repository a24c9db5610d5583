//! One approved write from the look before it to its outcome line: look, save, intent, send once, verify, outcome.

use std::sync::Arc;

use serde_json::Value;

use super::look::{Subject, writer};
use super::{Ending, Runner};
use crate::domain::{ClusterId, Safe};
use crate::ops::api::ApiError;
use crate::ops::content::{ContentHash, text};
use crate::ops::direct::{self, Mode, Precondition};
use crate::ops::gate::{Approved, ApprovedOrder};
use crate::ops::journal::{Ended, Intent, Operator, Record};
use crate::ops::undo::{self, Saved, Was};
use crate::ops::{Effect, Outcome, PlanTarget, Route, RunEvent, Seen};

/// How often a write is repeated that met a newer version of what it changes, in which only the status is another.
pub(super) const AGAIN: usize = 4;

/// A target that is about to be written, as it was found.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) index: usize,
    pub(super) cluster: ClusterId,
    /// What is saved of it.
    pub(super) was: Was,
    pub(super) seen: Option<Seen>,
}

/// A target whose intent is on disk.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) index: usize,
    /// The line of its intent.
    pub(super) intent: u64,
    pub(super) before: Option<Seen>,
}

impl Runner {
    pub(super) async fn carry(&self, order: &ApprovedOrder) {
        match order.effect.get() {
            Effect::ArgoSync(sync) => self.carry_sync(order, sync).await,
            Effect::FluxReconcile(reconcile) => self.carry_reconcile(order, reconcile).await,
            Effect::Apply(_) | Effect::Create(_) | Effect::Delete(_) | Effect::Merge(_) => {
                if let Some(index) = order.targets.first() {
                    self.carry_direct(*index, &order.effect).await;
                }
            }
        }
    }

    async fn carry_direct(&self, index: usize, effect: &Approved<Effect>) {
        let Some(subject) = subject(effect.get()) else {
            return;
        };
        let live = match self.live(subject).await {
            Ok(live) => live,
            Err(error) => {
                let why = error.say(subject.is_secret());
                return self
                    .end_unsent(
                        index,
                        Ending::new(
                            Outcome::Failed,
                            format!("not sent: the object cannot be read: {why}"),
                        ),
                    )
                    .await;
            }
        };
        let before = self.seen(subject, live.as_ref());
        if let Some(mut ending) = changed_since(effect.get(), live.as_ref(), before.differs) {
            ending.before = Some(before.clone());
            return self.end_unsent(index, ending.after(Some(before))).await;
        }
        let found = Found {
            index,
            cluster: subject.cluster.clone(),
            was: Was::of(live.as_ref()),
            seen: Some(before),
        };
        let Some(begun) = self.begin(vec![found]).await else {
            return;
        };
        let Some(begun) = begun.into_iter().next() else {
            return;
        };
        let ending = self
            .send_direct(&begun, subject, effect, live.as_ref())
            .await;
        self.end_begun(&begun, ending).await;
    }

    /// Sends the write, once, and settles what became of it.
    async fn send_direct(
        &self,
        begun: &Begun,
        subject: Subject<'_>,
        effect: &Approved<Effect>,
        live: Option<&Value>,
    ) -> Ending {
        let answer = self.write_to_same_object(subject, effect, live).await;
        self.note_sent(&answer);
        match answer {
            Ok(_) => {
                self.tell(RunEvent::Accepted(
                    begun.index,
                    Safe::fixed("accepted; watching"),
                ));
                self.until_shown(subject).await
            }
            Err(ApiError::NotSent(why)) => Ending::new(Outcome::Failed, why),
            Err(ApiError::Refused(answer)) if answer.is_conflict() || answer.is_not_found() => {
                self.lost_the_race(subject, effect.get()).await
            }
            Err(ApiError::Refused(answer)) => Ending::new(
                Outcome::Refused,
                format!("the server refused it: {}", answer.say(subject.is_secret())),
            ),
            Err(error @ (ApiError::Faulted(_) | ApiError::Lost(_))) => {
                self.ambiguous(subject, &error, begun.before.as_ref()).await
            }
        }
    }

    /// Controllers write an object's status while it rolls out, and each write makes the version that we read an old one. The server changed
    /// nothing then: while the object reads as planned for, the write is repeated on its newest version.
    async fn write_to_same_object(
        &self,
        subject: Subject<'_>,
        effect: &Approved<Effect>,
        live: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let mut answer = self.direct_write(effect, live).await;
        for _ in 0..AGAIN {
            let lost = matches!(&answer, Err(ApiError::Refused(refusal)) if refusal.is_conflict());
            if !lost || self.context.cancel.is_cancelled() {
                break;
            }
            let Ok(live) = self.live(subject).await else {
                break;
            };
            let differs = subject.yardstick.differs(live.as_ref());
            if changed_since(effect.get(), live.as_ref(), differs).is_some() {
                break;
            }
            answer = self.direct_write(effect, live.as_ref()).await;
        }
        answer
    }

    async fn direct_write(
        &self,
        effect: &Approved<Effect>,
        live: Option<&Value>,
    ) -> Result<Value, ApiError> {
        let mode = Mode::ForReal(effect.permit());
        let api = self.api(effect.get().receiver())?;
        let resource_version = live
            .map(|l| text(l, "/metadata/resourceVersion"))
            .unwrap_or_default();
        let held = |uid| Precondition {
            uid,
            resource_version,
        };
        match effect.get() {
            Effect::Apply(e) => {
                direct::apply(
                    &api,
                    &e.place,
                    e.manager,
                    e.body.expose(),
                    held(&e.uid),
                    mode,
                )
                .await
            }
            Effect::Create(e) => {
                direct::create(&api, &e.place, e.manager, e.body.expose(), mode).await
            }
            Effect::Delete(e) => direct::delete(&api, &e.place, held(&e.uid), mode).await,
            Effect::Merge(e) => {
                let (place, patch) = (&e.place, e.patch.expose());
                direct::merge(&api, place, e.manager, patch, held(&e.uid), mode).await
            }
            Effect::ArgoSync(_) | Effect::FluxReconcile(_) => Err(ApiError::NotSent(Safe::fixed(
                "What is asked of an engine is not a direct write.",
            ))),
        }
    }

    pub(super) fn note_sent<T>(&self, answer: &Result<T, ApiError>) {
        if !matches!(answer, Err(ApiError::NotSent(_))) {
            self.progress.lock().sent = true;
        }
    }

    /// A precondition failed: says who changed the object.
    async fn lost_the_race(&self, subject: Subject<'_>, effect: &Effect) -> Ending {
        let Ok(live) = self.live(subject).await else {
            return Ending::new(
                Outcome::Refused,
                "somebody was faster, and the object cannot be read now; plan again",
            );
        };
        let after = self.seen(subject, live.as_ref());
        let who = live
            .as_ref()
            .map_or(Safe::fixed("the object is gone"), writer);
        let ending = if live.is_some()
            && changed_since(effect, live.as_ref(), after.differs).is_none()
        {
            Ending::new(
                Outcome::Refused,
                "its status changes faster than it can be written, and nothing was changed; plan again when it has come to rest",
            )
        } else if after.differs == 0 {
            Ending::new(
                Outcome::Unchanged,
                format!("somebody was faster and left it as wanted: {who}"),
            )
        } else {
            Ending::new(
                Outcome::Refused,
                format!("somebody was faster: {who}; plan again"),
            )
        };
        ending.after(Some(after))
    }

    /// No clear answer: the write is not repeated; the object is read again and compared.
    async fn ambiguous(
        &self,
        subject: Subject<'_>,
        error: &ApiError,
        before: Option<&Seen>,
    ) -> Ending {
        let why = error.say(subject.is_secret());
        let Ok(live) = self.live(subject).await else {
            return Ending::new(
                Outcome::Unknown,
                format!("{why} The object cannot be read since: look again before you repeat it."),
            );
        };
        let after = self.seen(subject, live.as_ref());
        let untouched = before.is_some_and(|b| b.resource_version == after.resource_version);
        let faulted =
            matches!(error, ApiError::Faulted(answer) if answer.code != 504 && answer.code != 408);
        let ending = if untouched && faulted {
            Ending::new(
                Outcome::Failed,
                format!("the server failed and changed nothing: {why}"),
            )
        } else if after.differs == 0 {
            Ending::new(
                Outcome::Unknown,
                format!(
                    "{why} Read again, the object is as wanted; whether by this write is not known."
                ),
            )
        } else {
            let words = if untouched {
                "has not changed so far"
            } else {
                "has changed and is not as wanted"
            };
            Ending::new(
                Outcome::Unknown,
                format!("{why} Read again, the object {words}: look again before you repeat it."),
            )
        };
        ending.after(Some(after))
    }

    /// Saves what is live and writes the intents, both to disk; `None` when that failed, and then nothing may be sent and the run is stopped.
    pub(super) async fn begin(&self, targets: Vec<Found>) -> Option<Vec<Begun>> {
        let mut records = Vec::new();
        let mut begun = Vec::new();
        for Found {
            index,
            cluster,
            was,
            seen,
        } in targets
        {
            match self.save(index, &cluster, was).await {
                Ok(undo) => records.push(self.intent(index, &cluster, seen.clone(), undo)?),
                Err(why) => return self.cannot_begin(&begun, index, &why),
            }
            begun.push(Begun {
                index,
                intent: 0,
                before: seen,
            });
        }
        let first = begun.first().map(|b| b.index)?;
        match self.journal(records).await {
            Ok(line) => {
                for (offset, begun) in (0..).zip(&mut begun) {
                    begun.intent = line + offset;
                    self.tell(RunEvent::Started(begun.index));
                }
                Some(begun)
            }
            Err(why) => self.cannot_begin(begun.get(1..).unwrap_or_default(), first, &why),
        }
    }

    fn cannot_begin<T>(&self, others: &[Begun], index: usize, why: &Safe) -> Option<T> {
        self.stop(why.clone());
        for index in others.iter().map(|b| b.index).chain([index]) {
            self.end(index, Ending::new(Outcome::Refused, why.clone()));
        }
        None
    }

    async fn save(&self, index: usize, cluster: &ClusterId, state: Was) -> Result<String, Safe> {
        let Some(target) = self.plan.targets.get(index) else {
            return Err(Safe::fixed("the target is not in the plan"));
        };
        let saved = Saved {
            run: self.plan.id.clone(),
            index,
            at: (self.context.clock)(),
            cluster_uid: self.context.clusters.uid(cluster).to_string(),
            target: (&target.name()).into(),
            state,
        };
        let folder = self.context.journal.state().to_owned();
        let save = tokio::task::spawn_blocking(move || undo::save(&folder, &saved));
        match save.await {
            Ok(words) => words.map_err(|e| {
                format!("Nothing was sent, because the live object could not be saved first: {e}")
                    .into()
            }),
            Err(_) => Err(Safe::fixed(
                "Nothing was sent, because saving the live object was interrupted.",
            )),
        }
    }

    /// Brings lines to disk, off the runtime's own threads.
    async fn journal(&self, records: Vec<Record>) -> Result<u64, Safe> {
        let journal = Arc::clone(&self.context.journal);
        let now = (self.context.clock)();
        match tokio::task::spawn_blocking(move || journal.append(now, records)).await {
            Ok(line) => line.map_err(|e| e.to_string().into()),
            Err(_) => Err(Safe::fixed(
                "The journal was interrupted, so nothing is sent.",
            )),
        }
    }

    fn intent(
        &self,
        index: usize,
        cluster: &ClusterId,
        before: Option<Seen>,
        undo: String,
    ) -> Option<Record> {
        let target = self.plan.targets.get(index)?;
        Some(Record::Intent(Box::new(Intent {
            run: self.plan.id.clone(),
            verb: self.plan.verb,
            who: self.who(Self::receiver(target)),
            cluster_uid: self.context.clusters.uid(cluster).to_string(),
            target: (&target.name()).into(),
            route: target.route,
            effect: target.effect.to_string(),
            before,
            undo,
            note: self.plan.note.as_ref().map(Safe::to_string),
        })))
    }

    /// Who acts, and as whom at the API server that receives the write.
    fn who(&self, receiver: &ClusterId) -> Operator {
        Operator {
            operator: self.context.operator.to_string(),
            identity: self.context.clusters.identity(receiver).to_string(),
        }
    }

    /// The cluster whose API server receives the write of a target.
    fn receiver(target: &PlanTarget) -> &ClusterId {
        match target.route {
            Route::Argo | Route::Flux => &target.app.hub,
            Route::Direct => &target.cluster,
        }
    }

    /// Ends a target whose write was sent or tried.
    pub(super) async fn end_begun(&self, begun: &Begun, mut ending: Ending) {
        ending.before = begun.before.clone();
        self.write_outcome(begun.index, Some(begun.intent), ending)
            .await;
    }

    /// Ends a target for which nothing was sent.
    pub(super) async fn end_unsent(&self, index: usize, ending: Ending) {
        self.write_outcome(index, None, ending).await;
    }

    async fn write_outcome(&self, index: usize, intent: Option<u64>, mut ending: Ending) {
        let Some(target) = self.plan.targets.get(index) else {
            return;
        };
        let record = Record::Outcome(Box::new(Ended {
            run: self.plan.id.clone(),
            intent,
            who: self.who(Self::receiver(target)),
            target: (&target.name()).into(),
            outcome: ending.outcome,
            message: ending.message.to_string(),
            before: ending.before.clone(),
            after: ending.after.clone(),
        }));
        if let Err(why) = self.journal(vec![record]).await {
            self.stop(why);
            ending.message =
                format!("{} (this outcome could not be journaled)", ending.message).into();
        }
        self.end(index, ending);
    }
}

/// The object of a direct effect.
fn subject(effect: &Effect) -> Option<Subject<'_>> {
    let (cluster, place, yardstick) = match effect {
        Effect::Apply(e) => (&e.cluster, &e.place, &e.yardstick),
        Effect::Create(e) => (&e.cluster, &e.place, &e.yardstick),
        Effect::Delete(e) => (&e.cluster, &e.place, &e.yardstick),
        Effect::Merge(e) => (&e.cluster, &e.place, &e.yardstick),
        Effect::ArgoSync(_) | Effect::FluxReconcile(_) => return None,
    };
    Some(Subject {
        cluster,
        place,
        yardstick,
    })
}

/// Why a write that was planned is not sent: the object is no longer the one that the plan showed.
fn changed_since(effect: &Effect, live: Option<&Value>, differs: usize) -> Option<Ending> {
    if differs == 0 {
        return Some(Ending::new(Outcome::Unchanged, "it is as wanted already"));
    }
    let (uid, seen) = match effect {
        Effect::Apply(e) => (&e.uid, &e.seen),
        Effect::Delete(e) => (&e.uid, &e.seen),
        Effect::Merge(e) => (&e.uid, &e.seen),
        Effect::Create(_) => {
            return live.map(|l| {
                Ending::new(
                    Outcome::Refused,
                    format!(
                        "not sent: the object was made since the plan by {}; plan again",
                        writer(l)
                    ),
                )
            });
        }
        Effect::ArgoSync(_) | Effect::FluxReconcile(_) => return None,
    };
    match live {
        None => Some(Ending::new(
            Outcome::Refused,
            "not sent: the object is gone since the plan; plan again",
        )),
        Some(live) if text(live, "/metadata/uid") != &**uid || ContentHash::of(live) != *seen => {
            Some(Ending::new(
                Outcome::Refused,
                format!(
                    "not sent: the object was changed since the plan by {}; plan again",
                    writer(live)
                ),
            ))
        }
        Some(_) => None,
    }
}

//! One approved Argo CD operation: written once, followed to its end, and then judged by what the cluster shows.

use http::Method;
use serde_json::Value;
use tokio::time::{Duration, Instant};

use super::carry::{AGAIN, Begun, Found};
use super::look::{Subject, writer};
use super::{Ending, Runner};
use crate::domain::Safe;
use crate::ops::api::ApiError;
use crate::ops::argo;
use crate::ops::content::{ContentHash, text};
use crate::ops::effect::Member;
use crate::ops::gate::{Approved, ApprovedOrder, Permit};
use crate::ops::undo::Was;
use crate::ops::{ArgoSync, Effect, Outcome, RunEvent};

/// How long an ended operation may stand in the spec before it counts as stuck.
const STUCK_AFTER: Duration = Duration::from_secs(10);

/// How an operation ended for the application as a whole.
enum Followed {
    /// It ended; the state is the application's `status.operationState`, the note tells of something odd.
    Ended {
        state: Value,
        note: Option<&'static str>,
    },
    /// Nobody knows how it ends, and why.
    Open(Safe),
}

impl Runner {
    pub(super) async fn carry_sync(&self, order: &ApprovedOrder, sync: &ArgoSync) {
        let app = match self.fresh_app(sync).await {
            Ok(app) => app,
            Err(ending) => return self.end_all_unsent(&order.targets, &ending).await,
        };
        let mut targets = Vec::new();
        for (index, member) in order.targets.iter().zip(&sync.members) {
            match self.found(*index, member).await {
                Ok(found) => targets.push(found),
                Err(ending) => return self.end_all_unsent(&order.targets, &ending).await,
            }
        }
        let Some(begun) = self.begin(targets).await else {
            return;
        };
        self.ask(&begun, sync, &order.effect, &app).await;
    }

    /// A member as it is now, when it still is what the plan showed.
    ///
    /// An edge that cannot be read is no obstacle to asking the hub; there is then nothing to save or compare.
    pub(super) async fn found(&self, index: usize, member: &Member) -> Result<Found, Ending> {
        let cluster = member.cluster.clone();
        let Ok(live) = self.live(subject(member)).await else {
            let reason = "it could not be read before the write".to_owned();
            return Ok(Found {
                index,
                cluster,
                was: Was::Withheld { reason },
                seen: None,
            });
        };
        let seen = self.seen(subject(member), live.as_ref());
        if seen.differs > 0 && live.as_ref().map(ContentHash::of) != member.seen {
            let who = live
                .as_ref()
                .map_or(Safe::fixed("somebody, who deleted it"), writer);
            let what = format!(
                "not sent: {} was changed since the plan by {who}; plan again",
                member.object
            );
            return Err(Ending::new(Outcome::Refused, what));
        }
        Ok(Found {
            index,
            cluster,
            was: Was::of(live.as_ref()),
            seen: Some(seen),
        })
    }

    /// The Application as it is now, when it still is what the plan was made for.
    async fn fresh_app(&self, sync: &ArgoSync) -> Result<Value, Ending> {
        let unread = |why: Safe| {
            Ending::new(
                Outcome::Failed,
                format!("not sent: the application cannot be read: {why}"),
            )
        };
        let api = self.api(&sync.app.hub).map_err(|e| unread(e.say(false)))?;
        let app = api
            .get(&argo::place(&sync.app).path())
            .await
            .map_err(|e| unread(e.say(false)))?;
        let refused =
            |why: &str| Ending::new(Outcome::Refused, format!("not sent: {why}; plan again"));
        let app = app.ok_or_else(|| refused("the application is gone since the plan"))?;
        if text(&app, "/metadata/uid") != &*sync.app_uid
            || app.pointer("/metadata/deletionTimestamp").is_some()
        {
            return Err(refused("the application was deleted since the plan"));
        }
        if argo::is_busy(&app) {
            return Err(refused(
                "another operation of the application is in progress",
            ));
        }
        if argo::spec_hash(&app) != sync.spec_hash {
            return Err(refused(&format!(
                "the application's spec was changed since the plan by {}",
                writer(&app)
            )));
        }
        Ok(app)
    }

    async fn ask(&self, begun: &[Begun], sync: &ArgoSync, effect: &Approved<Effect>, app: &Value) {
        let answer = self.write_to_same(sync, effect, app).await;
        self.note_sent(&answer);
        let ending = match answer {
            Ok(_) => return self.follow_and_settle(begun, sync).await,
            Err(ApiError::NotSent(why)) => Ending::new(Outcome::Failed, why),
            Err(ApiError::Refused(answer)) if answer.is_conflict() => self.app_changed(sync).await,
            Err(ApiError::Refused(answer)) => Ending::new(
                Outcome::Refused,
                format!("the hub refused it: {}", answer.say(false)),
            ),
            // The operation carries the run's name, so a look tells whether it arrived.
            Err(error) => match self.arrived(sync).await {
                Ok(true) => return self.follow_and_settle(begun, sync).await,
                Ok(false) => Ending::new(
                    Outcome::Unknown,
                    format!(
                        "{} Read again, the application does not show the operation so far: look again before you repeat it.",
                        error.say(false)
                    ),
                ),
                Err(_) => Ending::new(
                    Outcome::Unknown,
                    format!(
                        "{} The application cannot be read since: look again before you repeat it.",
                        error.say(false)
                    ),
                ),
            },
        };
        for begun in begun {
            self.end_begun(begun, ending.clone()).await;
        }
    }

    /// The controller writes the application's status all the time, and each write makes the version that we read an old one. The server
    /// changed nothing then: while the application reads as planned for and idle, the write is repeated on its newest version.
    async fn write_to_same(
        &self,
        sync: &ArgoSync,
        effect: &Approved<Effect>,
        app: &Value,
    ) -> Result<Value, ApiError> {
        let mut answer = self.write_operation(sync, app, effect.permit()).await;
        for _ in 0..AGAIN {
            let Err(ApiError::Refused(refusal)) = &answer else {
                break;
            };
            if !refusal.is_conflict() {
                break;
            }
            let Ok(app) = self.fresh_app(sync).await else {
                break;
            };
            answer = self.write_operation(sync, &app, effect.permit()).await;
        }
        answer
    }

    async fn write_operation(
        &self,
        sync: &ArgoSync,
        app: &Value,
        _permit: Permit<'_>,
    ) -> Result<Value, ApiError> {
        let api = self.api(&sync.app.hub)?;
        let body = argo::patch(text(app, "/metadata/resourceVersion"), &sync.operation);
        let path = format!("{}?fieldManager=driftdeck", argo::place(&sync.app).path());
        api.write(Method::PATCH, &path, "application/merge-patch+json", &body)
            .await
    }

    async fn app_changed(&self, sync: &ArgoSync) -> Ending {
        let who = match self.app(sync).await {
            Ok(Some(app)) if argo::is_busy(&app) => {
                "another operation of the application began".into()
            }
            Ok(Some(app)) => writer(&app),
            Ok(None) => Safe::fixed("the application is gone"),
            Err(_) => Safe::fixed("it cannot be read now"),
        };
        Ending::new(
            Outcome::Refused,
            format!("somebody was faster with the application: {who}; plan again"),
        )
    }

    async fn app(&self, sync: &ArgoSync) -> Result<Option<Value>, ApiError> {
        self.api(&sync.app.hub)?
            .get(&argo::place(&sync.app).path())
            .await
    }

    async fn arrived(&self, sync: &ArgoSync) -> Result<bool, ApiError> {
        let app = self.app(sync).await?;
        Ok(app.is_some_and(|app| is_asked(&app, &self.plan.id) || is_taken(&app, &self.plan.id)))
    }

    async fn follow_and_settle(&self, begun: &[Begun], sync: &ArgoSync) {
        for begun in begun {
            self.tell(RunEvent::Accepted(
                begun.index,
                Safe::fixed("asked for; waiting for Argo CD"),
            ));
        }
        let followed = self.follow(sync).await;
        for (begun, member) in begun.iter().zip(&sync.members) {
            let ending = match &followed {
                Followed::Open(why) => self.open(member, why).await,
                Followed::Ended { state, note } => {
                    self.settle(member, state, *note, sync.members.iter().any(secretive))
                        .await
                }
            };
            self.end_begun(begun, ending).await;
        }
    }

    /// Follows the operation until it ends or the patience does.
    async fn follow(&self, sync: &ArgoSync) -> Followed {
        let run = &self.plan.id;
        let patience = self.context.patience;
        let (take_up, finish) = (
            Instant::now() + patience.take_up,
            Instant::now() + patience.finish,
        );
        let mut ended_at = None;
        loop {
            let looked = self.app(sync).await;
            let now = Instant::now();
            if let Ok(app) = &looked {
                let Some(app) = app else {
                    return Followed::Open(Safe::fixed(
                        "the application was deleted before the operation ended",
                    ));
                };
                let stage = stage(app, run);
                if let Some(open) = stage.open(now >= take_up, now >= finish) {
                    return Followed::Open(open);
                }
                if let Stage::Ended { stands } = stage {
                    let since = *ended_at.get_or_insert(now);
                    if !stands || now >= since + STUCK_AFTER {
                        return Followed::Ended {
                            state: state_of(app).clone(),
                            note: note(app, sync, stands),
                        };
                    }
                }
            } else if now >= finish {
                return Followed::Open(Safe::fixed(
                    "the hub cannot be read since the operation was asked for",
                ));
            }
            if !self.pause().await {
                return Followed::Open(Safe::fixed(
                    "nobody watched on because the run was cancelled",
                ));
            }
        }
    }

    /// The operation's end is not known; says what the cluster shows.
    pub(super) async fn open(&self, member: &Member, why: &Safe) -> Ending {
        let after = self
            .live(subject(member))
            .await
            .ok()
            .map(|l| self.seen(subject(member), l.as_ref()));
        Ending::new(
            Outcome::Unknown,
            format!("accepted but not carried out so far: {why}"),
        )
        .after(after)
    }

    /// The operation ended; the object has the last word.
    async fn settle(
        &self,
        member: &Member,
        state: &Value,
        note: Option<&'static str>,
        secretive: bool,
    ) -> Ending {
        let result = result_of(state, member);
        let status = result.map(|r| text(r, "/status")).unwrap_or_default();
        let said = |raw: &str| {
            if secretive {
                "its words are withheld: they may quote the Secret".into()
            } else {
                Safe::new(raw)
            }
        };
        let mut ending = match (text(state, "/phase"), status) {
            (_, "SyncFailed" | "PruneSkipped") => {
                let why = said(result.map(|r| text(r, "/message")).unwrap_or_default());
                Ending::new(
                    Outcome::Failed,
                    format!("Argo CD could not sync it ({status}): {why}"),
                )
            }
            ("Succeeded", _) => self.succeeded(member).await,
            (phase, _) => Ending::new(
                Outcome::Failed,
                format!(
                    "Argo CD's operation ended as {phase}: {}",
                    said(text(state, "/message"))
                ),
            ),
        };
        if let Some(note) = note {
            ending.message = format!("{}; {note}", ending.message).into();
        }
        ending
    }

    async fn succeeded(&self, member: &Member) -> Ending {
        let shown = self.until_shown(subject(member)).await;
        match shown.outcome {
            Outcome::Reverted => shown,
            _ => Ending {
                outcome: Outcome::Unknown,
                message: format!(
                    "Argo CD reports success, and the cluster does not show it: {}",
                    shown.message
                )
                .into(),
                ..shown
            },
        }
    }

    pub(super) async fn end_all_unsent(&self, targets: &[usize], ending: &Ending) {
        for index in targets {
            self.end_unsent(*index, ending.clone()).await;
        }
    }
}

pub(super) fn subject(member: &Member) -> Subject<'_> {
    Subject {
        cluster: &member.cluster,
        place: &member.place,
        yardstick: &member.yardstick,
    }
}

/// Whether an engine's words on the object may quote a Secret.
pub(super) fn secretive(member: &Member) -> bool {
    subject(member).is_secret()
}

/// Where an operation of ours stands.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// Written, and nobody took it up.
    Asked,
    /// Taken up; with Argo CD's words.
    Running { message: Safe, blocked: bool },
    /// Ended; `stands` while `operation` is still set.
    Ended { stands: bool },
    /// It is not there any more and never ended: another one took its place.
    Gone,
}

impl Stage {
    /// Why it makes no sense to wait any longer, when it makes none.
    fn open(&self, take_up_over: bool, finish_over: bool) -> Option<Safe> {
        match self {
            Self::Asked if take_up_over => Some(Safe::fixed(
                "nobody took the operation up: is argocd-application-controller running? It will be carried out once the controller is back, unless it is terminated",
            )),
            Self::Running { blocked: true, message } => {
                Some(format!("Argo CD holds it back: {message}; it blocks every other operation until the window opens or it is terminated").into())
            }
            Self::Running { message, .. } if finish_over => Some(format!("Argo CD is still at it: {message}").into()),
            Self::Gone => Some(Safe::fixed("the operation is gone from the application without a result: another one took its place")),
            _ => None,
        }
    }
}

fn state_of(app: &Value) -> &Value {
    app.pointer("/status/operationState")
        .unwrap_or(&Value::Null)
}

fn is_asked(app: &Value, run: &str) -> bool {
    app.get("operation")
        .is_some_and(|o| argo::is_of_run(o, run))
}

fn is_taken(app: &Value, run: &str) -> bool {
    state_of(app)
        .get("operation")
        .is_some_and(|o| argo::is_of_run(o, run))
}

fn stage(app: &Value, run: &str) -> Stage {
    let asked = is_asked(app, run);
    if !is_taken(app, run) {
        return if asked { Stage::Asked } else { Stage::Gone };
    }
    let state = state_of(app);
    match text(state, "/phase") {
        "Succeeded" | "Failed" | "Error" => Stage::Ended { stands: asked },
        _ => {
            let message = text(state, "/message");
            Stage::Running {
                message: message.into(),
                blocked: message.contains("blocked by sync window"),
            }
        }
    }
}

/// Something odd about an ended operation.
fn note(app: &Value, sync: &ArgoSync, stands: bool) -> Option<&'static str> {
    if stands {
        return Some(
            "the operation stays in the application although it ended, as in Argo CD v3.5.3 (argoproj/argo-cd#29741): no other operation can start until the controller is upgraded or the field is removed",
        );
    }
    let part = |operation: Option<&Value>, pointer: &str| {
        operation.and_then(|o| o.pointer(pointer)).cloned()
    };
    let ran = state_of(app).get("operation");
    let merged = ["/sync/resources", "/sync/revision"]
        .iter()
        .any(|p| part(ran, p) != part(Some(&sync.operation), p));
    merged.then_some("the controller ran something else than was asked for: an older operation leaked into this one (argoproj/argo-cd#28701)")
}

fn result_of<'a>(state: &'a Value, member: &Member) -> Option<&'a Value> {
    let results = state
        .pointer("/syncResult/resources")
        .and_then(Value::as_array)?;
    let object = &member.object;
    results.iter().find(|r| {
        text(r, "/kind") == &*object.gvk.kind
            && text(r, "/group") == &*object.gvk.group
            && text(r, "/name") == &*object.name
            && text(r, "/namespace") == &*object.namespace
    })
}

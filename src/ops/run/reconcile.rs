//! One approved reconciliation by Flux: asked for once, followed until Flux has handled it, and then judged by what the cluster shows.

use http::Method;
use serde_json::Value;
use tokio::time::Instant;

use super::argo_sync::{secretive, subject};
use super::carry::Begun;
use super::look::writer;
use super::{Ending, Runner};
use crate::domain::Safe;
use crate::ops::api::ApiError;
use crate::ops::content::text;
use crate::ops::effect::Member;
use crate::ops::gate::{Approved, ApprovedOrder, Permit};
use crate::ops::{Effect, FluxReconcile, Outcome, RunEvent, argo, flux};

/// How a reconciliation ended.
enum Followed {
    /// Flux has handled it; the document as it is then.
    Handled(Value),
    /// Nobody knows how it ends, and why.
    Open(Safe),
}

impl Runner {
    pub(super) async fn carry_reconcile(&self, order: &ApprovedOrder, wish: &FluxReconcile) {
        if let Err(ending) = self.fresh_document(wish).await {
            return self.end_all_unsent(&order.targets, &ending).await;
        }
        let mut targets = Vec::new();
        for (index, member) in order.targets.iter().zip(&wish.members) {
            match self.found(*index, member).await {
                Ok(found) => targets.push(found),
                Err(ending) => return self.end_all_unsent(&order.targets, &ending).await,
            }
        }
        let Some(begun) = self.begin(targets).await else {
            return;
        };
        self.request(&begun, wish, &order.effect).await;
    }

    /// The document as it is now, when it still is what the plan was made for.
    async fn fresh_document(&self, wish: &FluxReconcile) -> Result<Value, Ending> {
        let kind = wish.app.kind.word();
        let refused =
            |why: String| Ending::new(Outcome::Refused, format!("not sent: {why}; plan again"));
        let document = self.document(wish).await.map_err(|e| {
            let why = e.say(false);
            Ending::new(
                Outcome::Failed,
                format!("not sent: the {kind} cannot be read: {why}"),
            )
        })?;
        let document =
            document.ok_or_else(|| refused(format!("the {kind} is gone since the plan")))?;
        if text(&document, "/metadata/uid") != &*wish.app_uid
            || document.pointer("/metadata/deletionTimestamp").is_some()
        {
            return Err(refused(format!("the {kind} was deleted since the plan")));
        }
        if argo::spec_hash(&document) != wish.spec_hash {
            let who = writer(&document);
            return Err(refused(format!(
                "the {kind}'s spec was changed since the plan by {who}"
            )));
        }
        Ok(document)
    }

    async fn document(&self, wish: &FluxReconcile) -> Result<Option<Value>, ApiError> {
        self.api(&wish.app.hub)?
            .get(&flux::place(&wish.app).path())
            .await
    }

    async fn request(&self, begun: &[Begun], wish: &FluxReconcile, effect: &Approved<Effect>) {
        let answer = self.annotate(wish, effect.permit()).await;
        self.note_sent(&answer);
        let ending = match answer {
            Ok(_) => return self.await_flux(begun, wish).await,
            Err(ApiError::NotSent(why)) => Ending::new(Outcome::Failed, why),
            Err(ApiError::Refused(answer)) => Ending::new(
                Outcome::Refused,
                format!("the cluster refused it: {}", answer.say(false)),
            ),
            // The value is this run's own, so a look tells whether it arrived.
            Err(error) => match self.document(wish).await {
                Ok(Some(document)) if flux::is_asked(&document, value(wish)) => {
                    return self.await_flux(begun, wish).await;
                }
                _ => Ending::new(
                    Outcome::Unknown,
                    format!(
                        "{} Whether Flux was asked is not known: look again before you repeat it.",
                        error.say(false)
                    ),
                ),
            },
        };
        for begun in begun {
            self.end_begun(begun, ending.clone()).await;
        }
    }

    async fn annotate(&self, wish: &FluxReconcile, _permit: Permit<'_>) -> Result<Value, ApiError> {
        let api = self.api(&wish.app.hub)?;
        let body = flux::patch(&wish.app_uid, &wish.annotations);
        let path = format!("{}?fieldManager=driftdeck", flux::place(&wish.app).path());
        api.write(Method::PATCH, &path, "application/merge-patch+json", &body)
            .await
    }

    async fn await_flux(&self, begun: &[Begun], wish: &FluxReconcile) {
        for begun in begun {
            self.tell(RunEvent::Accepted(
                begun.index,
                Safe::fixed("asked for; waiting for Flux"),
            ));
        }
        let followed = self.follow_flux(wish).await;
        let withheld = wish.members.iter().any(secretive);
        for (begun, member) in begun.iter().zip(&wish.members) {
            let ending = match &followed {
                Followed::Open(why) => self.open(member, why).await,
                Followed::Handled(document) => self.handled(member, document, withheld).await,
            };
            self.end_begun(begun, ending).await;
        }
    }

    /// Follows the request until Flux has handled it or the patience is at its end.
    async fn follow_flux(&self, wish: &FluxReconcile) -> Followed {
        let patience = self.context.patience;
        let now = Instant::now();
        let (take_up, finish) = (now + patience.take_up, now + patience.finish);
        let mut at_it = false;
        loop {
            if let Ok(Some(document)) = self.document(wish).await {
                if flux::is_handled(&document, value(wish)) {
                    return Followed::Handled(document);
                }
                if !flux::is_asked(&document, value(wish)) {
                    return Followed::Open(Safe::fixed(
                        "somebody asked for another reconciliation since, which takes its place",
                    ));
                }
                at_it = flux::is_reconciling(&document);
            }
            let now = Instant::now();
            if now >= finish {
                return Followed::Open(Safe::fixed("Flux is still at it"));
            }
            if now >= take_up && !at_it {
                return Followed::Open(Safe::fixed(
                    "nobody took the request up: is the controller running? It is carried out once the controller is back",
                ));
            }
            if !self.pause().await {
                return Followed::Open(Safe::fixed(
                    "nobody watched on because the run was cancelled",
                ));
            }
        }
    }

    /// Flux has handled the request; the object has the last word.
    async fn handled(&self, member: &Member, document: &Value, withheld: bool) -> Ending {
        let shown = self.until_shown(subject(member)).await;
        if shown.outcome == Outcome::Reverted {
            return shown;
        }
        let (outcome, words) = match flux::failure(document) {
            Some((reason, _)) if withheld => (
                Outcome::Failed,
                format!(
                    "Flux reconciled and is not ready ({reason}); its words are withheld: they may quote the Secret"
                ),
            ),
            Some((reason, why)) => (
                Outcome::Failed,
                format!(
                    "Flux reconciled and is not ready ({reason}): {}",
                    Safe::new(why)
                ),
            ),
            None => (
                Outcome::Unknown,
                format!(
                    "Flux has reconciled, and the cluster does not show it: {}",
                    shown.message
                ),
            ),
        };
        Ending {
            outcome,
            message: words.into(),
            ..shown
        }
    }
}

fn value(wish: &FluxReconcile) -> &str {
    flux::value(&wish.annotations)
}

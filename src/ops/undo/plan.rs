//! The plan of an undo: what a run changed, put back to what was saved before it. It passes the same gate, journal and run as every plan.

use std::collections::BTreeMap;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::{Saved, Was};
use crate::domain::{AppRef, Gvk, LinkState, Name, ObjectRef, Safe};
use crate::ops::api::Api;
use crate::ops::catalog::{Catalog, Place};
use crate::ops::content::{ContentHash, content, hash, text};
use crate::ops::direct::{self, Mode, Precondition};
use crate::ops::effect::{Create, Delete, Effect, Merge, field_manager};
use crate::ops::journal::Target;
use crate::ops::judge::Measure;
use crate::ops::planner::{self, Decision, Frame, Part, PlanContext, Rehearsal};
use crate::ops::survey::{is_secret, rehearsal};
use crate::ops::{
    Clusters, DryRun, Guardrail, Plan, PlanTarget, Route, Seen, Unsealed, Verb, WaveSpec,
    Yardstick, clusters, difference, owners, strip,
};

/// The field manager of an undo: what it puts back is not the engine's.
const UNDO_MANAGER: &str = "driftdeck-undo";

/// What the operator wants undone.
#[derive(Clone, Debug)]
pub struct UndoRequest {
    /// The run.
    pub run: String,
    /// What it saved: [`super::load`].
    pub saved: Vec<Saved>,
    /// What each target looked like after the run, by the target's place in its plan, as the journal tells.
    pub after: BTreeMap<usize, Seen>,
    /// The operator's note.
    pub note: Option<Safe>,
    /// How the targets are split over time.
    pub waves: WaveSpec,
    /// The guardrail of the widest group that the targets belong to.
    pub guardrail: Option<Guardrail>,
}

/// Makes the plan of an undo. It never fails as a whole: what stands in the way of a target is said on its row.
pub async fn plan_undo(
    request: &UndoRequest,
    clusters: &dyn Clusters,
    context: &PlanContext,
) -> Plan {
    let survey = Survey {
        request,
        clusters,
        context,
        catalog: Catalog::default(),
    };
    let decisions: Vec<BoxFuture<'_, Decision>> = request
        .saved
        .iter()
        .map(|saved| survey.decide(saved).boxed())
        .collect();
    let decisions = stream::iter(decisions)
        .buffered(context.parallel.max(1))
        .collect()
        .await;
    let reason = Safe::from(format!("run {}", request.run));
    let frame = Frame {
        verb: Verb::Undo,
        reason: &reason,
        note: request.note.as_ref(),
        waves: &request.waves,
        guardrail: request.guardrail.as_ref(),
    };
    planner::assembled(&frame, context, decisions, &BTreeMap::new())
}

struct Survey<'a> {
    request: &'a UndoRequest,
    clusters: &'a dyn Clusters,
    context: &'a PlanContext,
    catalog: Catalog,
}

/// One saved object with its API server and what is there now.
struct Now<'a> {
    saved: &'a Saved,
    api: Api,
    place: Place,
    object: ObjectRef,
    live: Option<Value>,
}

impl Survey<'_> {
    async fn decide(&self, saved: &Saved) -> Decision {
        let mut row = blank(
            saved,
            self.clusters.link(&saved.target.cluster.as_str().into()),
        );
        let decided = match self.now(saved, &row).await {
            Ok(now) => self.effect(&now, &mut row).await,
            Err(why) => Err(Stop::Refused(why)),
        };
        let part = match decided {
            Ok(effect) => Some(Part::Direct(effect)),
            Err(Stop::Refused(why)) => {
                row.skip(why);
                None
            }
            Err(Stop::Unchanged(why)) => {
                row.skip_unchanged(why);
                None
            }
        };
        Decision { row, part }
    }

    async fn now<'s>(&self, saved: &'s Saved, row: &PlanTarget) -> Result<Now<'s>, Safe> {
        if !row.link.is_current() {
            return Err(format!(
                "the cluster is {}: what it shows is not assumed",
                row.link.word()
            )
            .into());
        }
        let uid = self.clusters.uid(&row.cluster);
        if !saved.cluster_uid.is_empty() && *uid != *saved.cluster_uid {
            return Err(format!(
                "{} is not the cluster that the run changed (its UID is another)",
                row.cluster
            )
            .into());
        }
        let api = clusters::api(self.clusters, &row.cluster, self.context.timeout)
            .ok_or_else(|| Safe::from(format!("there is no connection to {}", row.cluster)))?;
        let place = self.catalog.place(&api, &row.cluster, &row.object).await?;
        let live = api.get(&place.path()).await.map_err(|e| {
            Safe::from(format!(
                "it cannot be read: {}",
                e.say(is_secret(&row.object))
            ))
        })?;
        Ok(Now {
            saved,
            api,
            place,
            object: row.object.clone(),
            live,
        })
    }

    async fn effect(&self, now: &Now<'_>, row: &mut PlanTarget) -> Result<Effect, Stop> {
        row.resource_version = now.version().into();
        match (&now.saved.state, &now.live) {
            (Was::Withheld { reason }, _) => Err(Stop::Refused(
                format!("{reason}; revert it to Git instead").into(),
            )),
            (Was::Missing, None) => Err(Stop::Unchanged(Safe::fixed("it is gone already"))),
            (Was::Missing, Some(live)) => self.delete(now, live, row).await,
            (Was::Present { object }, None) => create(now, object, row).await,
            (Was::Present { object }, Some(live)) => self.restore(now, object, live, row).await,
        }
    }

    /// The run made the object: it goes again, unless somebody changed it since.
    async fn delete(
        &self,
        now: &Now<'_>,
        live: &Value,
        row: &mut PlanTarget,
    ) -> Result<Effect, Stop> {
        if self.changed_since(now, live) {
            let who = owners::last_writer(live).unwrap_or_default();
            return Err(Stop::Refused(
                format!("it was changed since the run by {who}; delete it by hand").into(),
            ));
        }
        row.effect = Safe::fixed("delete: made by the run");
        row.prunes = vec![now.object.clone()];
        accepted(
            direct::delete(&now.api, &now.place, now.held(), Mode::DryRun).await,
            now,
            row,
        )?;
        Ok(Effect::Delete(Box::new(Delete {
            cluster: row.cluster.clone(),
            place: now.place.clone(),
            uid: text(live, "/metadata/uid").into(),
            seen: ContentHash::of(live),
            yardstick: Yardstick::gone(),
        })))
    }

    async fn restore(
        &self,
        now: &Now<'_>,
        saved: &Value,
        live: &Value,
        row: &mut PlanTarget,
    ) -> Result<Effect, Stop> {
        let patch = strip::merge_patch(&content(live), saved);
        if patch.as_object().is_some_and(serde_json::Map::is_empty) {
            return Err(Stop::Unchanged(Safe::fixed(
                "it is as it was before the run",
            )));
        }
        if self.changed_since(now, live) {
            let who = owners::last_writer(live).unwrap_or_default();
            row.warnings.push(
                format!("it was changed since the run by {who}; that change is undone too").into(),
            );
        }
        let answer = direct::merge(
            &now.api,
            &now.place,
            UNDO_MANAGER,
            &patch,
            now.held(),
            Mode::DryRun,
        )
        .await;
        let predicted = accepted(answer, now, row)?;
        row.effect = difference::summary(&difference::between(live, &predicted));
        row.losers = owners::losers(live, &predicted, field_manager(now.saved.target.app_kind));
        Ok(Effect::Merge(Box::new(Merge {
            cluster: row.cluster.clone(),
            place: now.place.clone(),
            uid: text(live, "/metadata/uid").into(),
            seen: ContentHash::of(live),
            manager: UNDO_MANAGER,
            patch: Unsealed::new(patch),
            yardstick: Yardstick::equal_to(Unsealed::new(saved.clone()), Measure::default()),
        })))
    }

    /// Whether the live object is not what the run left behind, as far as the journal knows.
    fn changed_since(&self, now: &Now<'_>, live: &Value) -> bool {
        let left = self
            .request
            .after
            .get(&now.saved.index)
            .filter(|seen| !seen.hash.is_empty());
        left.is_some_and(|seen| seen.hash != hash(&content(live)))
    }
}

async fn create(now: &Now<'_>, saved: &Value, row: &mut PlanTarget) -> Result<Effect, Stop> {
    let body = direct::manifest(saved);
    let manager = field_manager(now.saved.target.app_kind);
    row.effect = Safe::fixed("create: deleted by the run");
    accepted(
        direct::create(&now.api, &now.place, manager, &body, Mode::DryRun).await,
        now,
        row,
    )?;
    let body = Unsealed::new(body);
    let yardstick = Yardstick::equal_to(body.clone(), Measure::default());
    Ok(Effect::Create(Box::new(Create {
        cluster: row.cluster.clone(),
        place: now.place.clone(),
        manager,
        body,
        yardstick,
    })))
}

impl Now<'_> {
    fn version(&self) -> &str {
        self.live
            .as_ref()
            .map(|l| text(l, "/metadata/resourceVersion"))
            .unwrap_or_default()
    }

    fn held(&self) -> Precondition<'_> {
        let uid = self
            .live
            .as_ref()
            .map(|l| text(l, "/metadata/uid"))
            .unwrap_or_default();
        Precondition {
            uid,
            resource_version: self.version(),
        }
    }
}

enum Stop {
    Unchanged(Safe),
    Refused(Safe),
}

/// The object as the server would have it, or why it would not.
fn accepted(
    answer: Result<Value, crate::ops::api::ApiError>,
    now: &Now<'_>,
    row: &mut PlanTarget,
) -> Result<Value, Stop> {
    let (dry_run, outcome) = match rehearsal(answer, is_secret(&now.object)) {
        Rehearsal::Accepted(predicted) => (DryRun::Accepted(Safe::fixed("ok")), Ok(predicted)),
        Rehearsal::NotPermitted(why) => (
            DryRun::NotPermitted(why.clone()),
            Err(format!("not permitted: {why}")),
        ),
        Rehearsal::Rejected(why) => (
            DryRun::Rejected(why.clone()),
            Err(format!("the server's dry run refused it: {why}")),
        ),
        Rehearsal::NoAnswer(why) => (
            DryRun::NotRun(why.clone()),
            Err(format!("the server's dry run gave no answer: {why}")),
        ),
    };
    row.dry_run = dry_run;
    outcome.map_err(|why| Stop::Refused(why.into()))
}

fn blank(saved: &Saved, link: LinkState) -> PlanTarget {
    let Target {
        cluster,
        hub,
        app_kind,
        app_namespace,
        app,
        group,
        version,
        object_kind,
        namespace,
        name,
    } = &saved.target;
    let name_of = |text: &String| Name::from(text.as_str());
    PlanTarget {
        cluster: cluster.as_str().into(),
        app: AppRef {
            kind: *app_kind,
            hub: hub.as_str().into(),
            namespace: name_of(app_namespace),
            name: name_of(app),
        },
        object: ObjectRef::new(Gvk::new(group, version, object_kind), namespace, name),
        route: Route::Direct,
        link,
        effect: Safe::fixed("-"),
        revision: "".into(),
        resource_version: "".into(),
        dry_run: DryRun::NotRun(Safe::fixed("not asked")),
        skipped: None,
        unchanged: false,
        restarts: 0,
        prunes: Vec::new(),
        losers: Vec::new(),
        warnings: vec![Safe::fixed(
            "Git stays the truth: the next sync puts its state in place again",
        )],
        danger: None,
        order: None,
    }
}

#[cfg(test)]
mod tests;

//! The reads behind a plan: live objects, dry runs, applications, projects. Nothing here changes a cluster.

mod word;

use std::collections::BTreeMap;

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use serde_json::Value;

use super::api::{Api, ApiError};
use super::catalog::{Catalog, Place};
use super::clusters::api;
use super::content::{content, text};
use super::direct::{self, Mode, Precondition};
use super::planner::{self, Act, AppReading, Decision, PlanContext, Reading, Rehearsal};
use super::windows::Window;
use super::{
    Clusters, Plan, RevertRequest, RevertTarget, Route, Unsealed, argo, flux, permission, strip,
    windows,
};
use crate::domain::{AppRef, Application, Engine, ObjectRef, Safe};
use crate::drift::ssa::{self, Applied};

pub use word::{Opinion, ServerWord, ask};

/// Makes the plan of a revert: reads every target and its application afresh, lets the servers rehearse, and decides.
///
/// It never fails as a whole: what stands in the way of a target is said on its row.
pub async fn plan(request: &RevertRequest, clusters: &dyn Clusters, context: &PlanContext) -> Plan {
    let survey = Survey {
        request,
        clusters,
        context,
        catalog: Catalog::default(),
    };
    let apps = survey.apps().await;
    // Boxed first: a stream over borrowing futures is not Send.
    let decisions: Vec<BoxFuture<'_, Decision>> = request
        .targets
        .iter()
        .map(|t| survey.target(t, apps.get(&t.app.id)).boxed())
        .collect();
    let decisions: Vec<Decision> = stream::iter(decisions)
        .buffered(context.parallel.max(1))
        .collect()
        .await;
    planner::assemble(request, context, decisions, &apps)
}

struct Survey<'a> {
    request: &'a RevertRequest,
    clusters: &'a dyn Clusters,
    context: &'a PlanContext,
    catalog: Catalog,
}

impl Survey<'_> {
    fn api(&self, cluster: &crate::domain::ClusterId) -> Option<Api> {
        api(self.clusters, cluster, self.context.timeout)
    }

    /// Reads each application that its engine may be asked about, once.
    async fn apps(&self) -> BTreeMap<AppRef, AppReading> {
        let mut wanted: BTreeMap<&AppRef, &RevertTarget> = BTreeMap::new();
        let asked = self.request.targets.iter().filter(|t| {
            t.hub_link.is_current() && planner::settled_early(self.request, t).is_none()
        });
        for target in asked.filter(|_| self.request.via != Some(Route::Direct)) {
            wanted.entry(&target.app.id).or_insert(target);
        }
        let read: Vec<BoxFuture<'_, (AppRef, AppReading)>> = wanted
            .into_iter()
            .map(|(id, target)| self.app(&target.app).map(|read| (id.clone(), read)).boxed())
            .collect();
        stream::iter(read)
            .buffer_unordered(self.context.parallel.max(1))
            .collect()
            .await
    }

    async fn app(&self, app: &Application) -> AppReading {
        let Some(api) = self.api(&app.id.hub) else {
            let why = || Safe::from(format!("there is no connection to {}", app.id.hub));
            return AppReading {
                fresh: Err(why()),
                window: Err(why()),
                may_patch: None,
            };
        };
        if app.engine == Engine::Flux {
            let place = flux::place(&app.id);
            let may = permission::may(&api, "patch", &place);
            let (fresh, may_patch) = futures::join!(found(&api, &place), may);
            return AppReading {
                fresh,
                window: Ok(Window::Open),
                may_patch: may_patch.ok(),
            };
        }
        let place = argo::place(&app.id);
        let project = argo::project_place(app);
        let (fresh, project, may_patch) = futures::join!(
            found(&api, &place),
            found(&api, &project),
            permission::may(&api, "patch", &place)
        );
        AppReading {
            fresh,
            window: project.map(|p| windows::evaluate(&p, app, self.context.now)),
            may_patch: may_patch.ok(),
        }
    }

    async fn target(&self, target: &RevertTarget, app: Option<&AppReading>) -> Decision {
        if let Some(row) = planner::settled_early(self.request, target) {
            return Decision { row, part: None };
        }
        match self.reading(target, app).await {
            Ok(reading) => planner::Case::new(self.request, target, &reading, app).decide(),
            Err(why) => {
                let mut row = planner::blank(self.request, target);
                row.skip(why);
                Decision { row, part: None }
            }
        }
    }

    async fn reading(
        &self,
        target: &RevertTarget,
        app: Option<&AppReading>,
    ) -> Result<Reading, Safe> {
        let api = self
            .api(&target.cluster)
            .ok_or_else(|| Safe::from(format!("there is no connection to {}", target.cluster)))?;
        let place = self
            .catalog
            .place(&api, &target.cluster, &target.object)
            .await?;
        let live = api.get(&place.path()).await.map_err(|e| {
            Safe::from(format!(
                "it cannot be read: {}",
                e.say(is_secret(&target.object))
            ))
        })?;
        let rehearsal = rehearse(&api, &place, target, live.as_ref()).await;
        let mut reading = Reading {
            place,
            live,
            rehearsal,
            left: Vec::new(),
            patch: None,
            refused: None,
        };
        // Without a wish for a route the one that takes everything out is the better one.
        let may_go_direct =
            self.request.via.is_none() || planner::goes_direct(self.request, target, app);
        let refused = matches!(reading.rehearsal, Rehearsal::Rejected(_));
        if let Some(applied) = applied(target, &reading).filter(|_| may_go_direct || !refused) {
            reading.left = left_by_apply(target, &applied);
            if !reading.left.is_empty() && may_go_direct {
                take_out(&api, target, &mut reading, &applied).await;
            }
        }
        Ok(reading)
    }
}

/// The live object as the apply would leave it: the server's word, or what the rules of server-side apply come to where the server refuses.
///
/// It refuses an apply too because of what the apply leaves: a Service with two ports of one name, when somebody gave the port another number.
fn applied(target: &RevertTarget, reading: &Reading) -> Option<Value> {
    let live = reading.live.as_ref()?;
    match &reading.rehearsal {
        Rehearsal::Accepted(predicted) => Some(predicted.clone()),
        Rehearsal::Rejected(_) => {
            let manifest = target.manifest(Some(live))?;
            let schema = ssa::schema_of(live, None);
            match ssa::apply(&manifest, live, schema, target.manager()) {
                Ok(Applied::Changed(applied)) => Some(applied),
                Ok(Applied::Unchanged) | Err(_) => None,
            }
        }
        Rehearsal::NotPermitted(_) | Rehearsal::NoAnswer(_) => None,
    }
}

/// List entries that others added, that count, and that an apply leaves in place.
fn left_by_apply(target: &RevertTarget, applied: &Value) -> Vec<String> {
    let left = target.yardstick().additions(applied);
    left.into_iter().map(|c| c.path).collect()
}

/// Rehearses a merge patch in the apply's place: to what the apply would make, without the entries that it leaves.
async fn take_out(api: &Api, target: &RevertTarget, reading: &mut Reading, applied: &Value) {
    let Some(live) = &reading.live else {
        return;
    };
    let Some(wanted) = strip::without(&content(applied), &reading.left) else {
        return;
    };
    let patch = strip::merge_patch(&content(live), &wanted);
    let precondition = Precondition {
        uid: text(live, "/metadata/uid"),
        resource_version: text(live, "/metadata/resourceVersion"),
    };
    let (place, manager) = (&reading.place, target.manager());
    let answer = direct::merge(api, place, manager, &patch, precondition, Mode::DryRun).await;
    let rehearsed = rehearsal(answer, is_secret(&target.object));
    if let Rehearsal::Rejected(why) = &reading.rehearsal {
        if !matches!(rehearsed, Rehearsal::Accepted(_)) {
            // What the server said to the apply is what people know how to look for.
            return reading.left.clear();
        }
        reading.refused = Some(why.clone());
    }
    reading.rehearsal = rehearsed;
    reading.patch = Some(Unsealed::new(patch));
}

/// Whether the object is a core Secret.
pub(super) fn is_secret(object: &ObjectRef) -> bool {
    object.gvk.group.is_empty() && &*object.gvk.kind == "Secret"
}

async fn found(api: &Api, place: &Place) -> Result<Value, Safe> {
    match api.get(&place.path()).await {
        Ok(Some(object)) => Ok(object),
        Ok(None) => Err(format!("{} {} is not there", place.resource, place.name).into()),
        Err(error) => Err(error.say(false)),
    }
}

/// Lets the server rehearse the direct write, whatever route is taken in the end.
async fn rehearse(
    api: &Api,
    place: &Place,
    target: &RevertTarget,
    live: Option<&Value>,
) -> Rehearsal {
    let manifest = target.manifest(live).unwrap_or_default();
    let manager = target.manager();
    let live_of = |pointer| live.map(|l| text(l, pointer)).unwrap_or_default();
    let precondition = Precondition {
        uid: live_of("/metadata/uid"),
        resource_version: live_of("/metadata/resourceVersion"),
    };
    let answer = match Act::of(target, live) {
        Act::Apply => {
            direct::apply(api, place, manager, &manifest, precondition, Mode::DryRun).await
        }
        Act::Create => direct::create(api, place, manager, &manifest, Mode::DryRun).await,
        Act::Delete => direct::delete(api, place, precondition, Mode::DryRun).await,
        Act::Nothing => Ok(Value::Null),
    };
    rehearsal(answer, is_secret(&target.object))
}

pub(super) fn rehearsal(answer: Result<Value, ApiError>, secret: bool) -> Rehearsal {
    let error = match answer {
        Ok(predicted) => return Rehearsal::Accepted(predicted),
        Err(error) => error,
    };
    let why = error.say(secret);
    match error {
        ApiError::Refused(answer) if answer.is_forbidden() => Rehearsal::NotPermitted(why),
        ApiError::Refused(_) => Rehearsal::Rejected(why),
        // An apply that does not fit the schema, or a webhook that fails, is answered with 500.
        ApiError::Faulted(answer) if answer.code == 500 => Rehearsal::Rejected(why),
        ApiError::Faulted(_) | ApiError::NotSent(_) | ApiError::Lost(_) => Rehearsal::NoAnswer(why),
    }
}

#[cfg(test)]
mod tests;

//! Planning without I/O: from what was read of a target to what will be done about it, or why nothing will.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::catalog::Place;
use super::difference::{self, Difference};
use super::effect::{Effect, Member};
use super::flux;
use super::windows::Window;
use super::{DryRun, Plan, PlanTarget, RevertRequest, RevertTarget, Route, Unsealed, Verb};
use crate::domain::{AppKind, AppRef, DriftState, Engine, Name, Safe};

mod assemble;
mod describe;
mod route;

pub(super) use assemble::{Frame, plan as assembled};
pub(super) use route::goes_direct;

/// What a plan is made with, beside the wish.
#[derive(Clone, Debug)]
pub struct PlanContext {
    /// Names the plan: see [`plan_id`].
    pub id: String,
    /// The time of the plan.
    pub now: Timestamp,
    /// Who asks, as `user@host`.
    pub operator: Name,
    /// Longest time for one answer.
    pub timeout: std::time::Duration,
    /// Clusters asked at a time.
    pub parallel: usize,
}

/// A plan's name: when it was made, and a random part. Sorts by time and is a safe file name.
pub fn plan_id(now: Timestamp, random: u32) -> String {
    format!("{}-{random:08x}", now.strftime("%Y%m%dT%H%M%SZ"))
}

/// What the server said to the dry run. Not printable: it may hold Secret values.
pub(super) enum Rehearsal {
    /// It would accept it; the object as it would then be.
    Accepted(Value),
    NotPermitted(Safe),
    Rejected(Safe),
    NoAnswer(Safe),
}

/// What was read of one target on its cluster. Not printable: it may hold Secret values.
pub(super) struct Reading {
    pub(super) place: Place,
    pub(super) live: Option<Value>,
    pub(super) rehearsal: Rehearsal,
    /// List entries that others added and that an apply leaves in place.
    pub(super) left: Vec<String>,
    /// The merge patch that was rehearsed in the apply's place, because it takes them out.
    pub(super) patch: Option<Unsealed>,
    /// What the server said to the apply that the patch stands in for, if it refused it.
    pub(super) refused: Option<Safe>,
}

/// What was read of an application on its hub.
#[derive(Debug)]
pub(super) struct AppReading {
    /// The Application, or why it could not be read.
    pub(super) fresh: Result<Value, Safe>,
    /// What the project's sync windows say, or why they could not be read.
    pub(super) window: Result<Window, Safe>,
    /// Whether the Application may be patched; `None` when the server did not say.
    pub(super) may_patch: Option<bool>,
}

/// One row of the plan with its part of an effect.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) row: PlanTarget,
    pub(super) part: Option<Part>,
}

#[derive(Debug)]
pub(super) enum Part {
    Direct(Effect),
    Engine(Box<Member>),
}

/// What has to happen to the object, whoever does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Apply,
    Create,
    Delete,
    Nothing,
}

impl Act {
    pub(super) fn of(target: &RevertTarget, live: Option<&Value>) -> Self {
        match (&target.desired, live) {
            (Some(_), Some(_)) => Self::Apply,
            (Some(_), None) => Self::Create,
            (None, Some(_)) => Self::Delete,
            (None, None) => Self::Nothing,
        }
    }
}

/// A row about which nothing is known yet but the wish.
pub(super) fn blank(request: &RevertRequest, target: &RevertTarget) -> PlanTarget {
    PlanTarget {
        cluster: target.cluster.clone(),
        app: target.app.id.clone(),
        object: target.object.clone(),
        route: request.via.unwrap_or(target.through_engine()),
        link: target.link,
        effect: ours(target),
        revision: target.desired_revision.clone(),
        resource_version: target.resource_version.clone(),
        dry_run: DryRun::NotRun(Safe::fixed("not asked")),
        skipped: None,
        unchanged: false,
        restarts: 0,
        prunes: Vec::new(),
        losers: Vec::new(),
        warnings: Vec::new(),
        danger: None,
        order: None,
    }
}

/// The effect by our own verdict: what is live becomes what is wanted. Values of Secrets are marks there already.
fn ours(target: &RevertTarget) -> Safe {
    let changes = target.verdict.changes.iter().cloned();
    let differences: Vec<Difference> = changes.map(Difference::from).collect();
    if differences.is_empty() {
        target.verdict.summary.clone()
    } else {
        difference::summary(&differences)
    }
}

/// A row that is settled before anything is read.
pub(super) fn settled_early(request: &RevertRequest, target: &RevertTarget) -> Option<PlanTarget> {
    let mut row = blank(request, target);
    let has = |state| target.verdict.states.contains(&state);
    if !target.link.is_current() {
        row.skip(format!(
            "the cluster is {}: what it shows is not assumed",
            target.link.word()
        ));
    } else if let Some(why) = not_coverable(request, target) {
        row.skip(why);
    } else if target.app.deleting {
        row.skip("the application is being deleted");
    } else if has(DriftState::Unknown) {
        let why = target
            .verdict
            .message
            .as_ref()
            .map_or("nobody knows why", Safe::as_str);
        row.skip(format!("it could not be judged: {why}"));
    } else if has(DriftState::Extra) && !request.prune {
        row.skip("Git does not have it; --prune deletes it");
    } else if (has(DriftState::Edited) || has(DriftState::Missing)) && target.desired.is_none() {
        row.skip(format!(
            "its desired state at {} is not at hand",
            target.desired_revision
        ));
    } else if target.verdict.states.is_empty() {
        row.skip_unchanged("it is as deployed");
    } else if target
        .verdict
        .states
        .iter()
        .all(|s| *s == DriftState::Behind)
    {
        row.skip_unchanged(
            "it is as deployed; Git has moved on, which a sync puts in place and a revert does not",
        );
    } else {
        return None;
    }
    Some(row)
}

/// What no plan covers: another engine's route, kinds of Flux that are not rendered, values of Secrets in plain sight.
fn not_coverable(request: &RevertRequest, target: &RevertTarget) -> Option<Safe> {
    let app = &target.app.id;
    let engine = target.through_engine();
    if request
        .via
        .is_some_and(|via| via != Route::Direct && via != engine)
    {
        return Some(match engine {
            Route::Flux => Safe::fixed("Flux applies it, not Argo CD: --via flux asks it"),
            _ => Safe::fixed("Argo CD applies it, not Flux: --via argo asks it"),
        });
    }
    if target.app.engine == Engine::Flux && !app.kind.is_rendered() {
        return Some(
            format!(
                "a {} is not rendered here: reconcile it with Flux",
                app.kind.word()
            )
            .into(),
        );
    }
    target.secretive.then(|| secrets_in_it(app))
}

/// Values of Secrets come from `postBuild.substituteFrom` of a Kustomization and `valuesFrom` of a HelmRelease; a HelmRelease that has nothing new
/// to deploy is upgraded only when it is forced to be.
fn secrets_in_it(app: &AppRef) -> Safe {
    let (field, force) = match app.kind {
        AppKind::HelmRelease => ("valuesFrom", " --force"),
        _ => ("postBuild.substituteFrom", ""),
    };
    format!(
        "values of Secrets stand in it ({field}), which no plan may show: let Flux put it back with `flux reconcile {} {} -n {}{force}`",
        app.kind.word().to_lowercase(),
        app.name,
        app.namespace
    )
    .into()
}

/// One target with everything that was read of it.
pub(super) struct Case<'a> {
    pub(super) request: &'a RevertRequest,
    pub(super) target: &'a RevertTarget,
    pub(super) reading: &'a Reading,
    pub(super) app: Option<&'a AppReading>,
    act: Act,
}

impl<'a> Case<'a> {
    pub(super) fn new(
        request: &'a RevertRequest,
        target: &'a RevertTarget,
        reading: &'a Reading,
        app: Option<&'a AppReading>,
    ) -> Self {
        Self {
            request,
            target,
            reading,
            app,
            act: Act::of(target, reading.live.as_ref()),
        }
    }

    /// Decides about the target.
    pub(super) fn decide(&self) -> Decision {
        let mut row = blank(self.request, self.target);
        self.describe(&mut row);
        let part = match self.obstacle() {
            Some(Stop::Unchanged(why)) => {
                row.skip_unchanged(why);
                None
            }
            Some(Stop::Refused(why)) => {
                row.skip(why);
                None
            }
            None => self.part(&mut row),
        };
        Decision { row, part }
    }

    /// What stands in the way whatever the route.
    fn obstacle(&self) -> Option<Stop> {
        let live = self.reading.live.as_ref();
        if live.is_some_and(|l| l.pointer("/metadata/deletionTimestamp").is_some()) {
            return Some(Stop::Refused(Safe::fixed(
                "it is being deleted; look again once it is gone",
            )));
        }
        match (self.act, &self.reading.rehearsal) {
            (Act::Nothing, _) => Some(Stop::Unchanged(Safe::fixed("it is gone already"))),
            (Act::Delete, _) if !live.is_some_and(|l| is_claimed(self.target, l)) => {
                Some(Stop::Refused(Safe::fixed(
                    "it does not carry the application's tracking mark any more, or is marked as not to be pruned",
                )))
            }
            (Act::Apply, Rehearsal::Accepted(predicted))
                if live.is_some_and(|l| difference::between(l, predicted).is_empty()) =>
            {
                Some(Stop::Unchanged(nothing_to_change(self.target)))
            }
            (_, Rehearsal::Rejected(why)) => Some(Stop::Refused(
                format!("the server's dry run refused it: {why}").into(),
            )),
            (_, Rehearsal::NoAnswer(why)) => Some(Stop::Refused(
                format!("the server's dry run gave no answer: {why}").into(),
            )),
            _ => None,
        }
    }
}

/// Puts decided rows together to a plan.
pub(super) fn assemble(
    request: &RevertRequest,
    context: &PlanContext,
    decisions: Vec<Decision>,
    apps: &BTreeMap<AppRef, AppReading>,
) -> Plan {
    let frame = Frame {
        verb: Verb::Revert,
        reason: &request.reason,
        note: request.note.as_ref(),
        waves: &request.waves,
        guardrail: request.guardrail.as_ref(),
    };
    assemble::plan(&frame, context, decisions, apps)
}

enum Stop {
    Unchanged(Safe),
    Refused(Safe),
}

fn nothing_to_change(target: &RevertTarget) -> Safe {
    match target.verdict.changes.len() {
        0 => Safe::fixed("it is as deployed"),
        n => format!("the server's dry run changes nothing: {n} differing field(s) of our verdict do not count for the server, whose word stands").into(),
    }
}

/// Whether the live object still says that the application manages it, and lets itself be pruned.
fn is_claimed(target: &RevertTarget, live: &Value) -> bool {
    if target.app.engine == Engine::Flux {
        return flux::is_claimed(&target.app.id, live);
    }
    let metadata = |kind: &str, key: &str| {
        live.pointer(&format!("/metadata/{kind}"))
            .and_then(|m| m.get(key))
            .and_then(Value::as_str)
    };
    let id = &target.app.id;
    let names = [id.name.to_string(), format!("{}_{}", id.namespace, id.name)];
    let by_annotation =
        metadata("annotations", "argocd.argoproj.io/tracking-id").and_then(|t| t.split(':').next());
    let claimed = by_annotation.or_else(|| metadata("labels", &target.tracking.label_key));
    let kept = metadata("annotations", "argocd.argoproj.io/sync-options")
        .is_some_and(|o| o.split(',').any(|o| o.trim() == "Prune=false"));
    claimed.is_some_and(|claim| names.iter().any(|n| n == claim)) && !kept
}

#[cfg(test)]
mod tests;

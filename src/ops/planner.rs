//! Planning without I/O: from what was read of a target to what will be done about it, or why nothing will.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::argo::{self, Operation, Wish};
use super::catalog::Place;
use super::content::{ContentHash, text};
use super::difference::{self, Difference};
use super::effect::{Apply, ArgoSync, Create, Delete, Effect, Member};
use super::windows::Window;
use super::{
    DryRun, Guardrail, Order, Plan, PlanTarget, RevertRequest, RevertTarget, Route, Unsealed, Verb,
    direct, owners,
};
use crate::domain::{AppRef, DriftState, Engine, Name, Safe};

/// Kinds whose deletion can destroy data.
const DANGEROUS_KINDS: [&str; 5] = [
    "PersistentVolumeClaim",
    "PersistentVolume",
    "StatefulSet",
    "Namespace",
    "CustomResourceDefinition",
];

/// Kinds that run pods from `spec.template`.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "DaemonSet"];

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

/// What the server said to the dry run.
#[derive(Debug)]
pub(super) enum Rehearsal {
    /// It would accept it; the object as it would then be.
    Accepted(Value),
    NotPermitted(Safe),
    Rejected(Safe),
    NoAnswer(Safe),
}

/// What was read of one target on its cluster.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) place: Place,
    pub(super) live: Option<Value>,
    pub(super) rehearsal: Rehearsal,
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
    Argo(Member),
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
        route: request.via.unwrap_or(Route::Argo),
        link: target.link,
        effect: target.verdict.summary.clone(),
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

/// A row that is settled before anything is read.
pub(super) fn settled_early(request: &RevertRequest, target: &RevertTarget) -> Option<PlanTarget> {
    let mut row = blank(request, target);
    let has = |state| target.verdict.states.contains(&state);
    if !target.link.is_current() {
        row.skip(format!(
            "the cluster is {}: what it shows is not assumed",
            target.link.word()
        ));
    } else if target.app.engine == Engine::Flux {
        row.skip(
            "Flux applies it; reverts of Flux objects are not covered yet: reconcile it with Flux",
        );
    } else if target.app.deleting {
        row.skip("the application is being deleted");
    } else if has(DriftState::Unknown) {
        let why = target
            .verdict
            .message
            .as_ref()
            .map(Safe::as_str)
            .unwrap_or("nobody knows why");
        row.skip(format!("it could not be judged: {why}"));
    } else if has(DriftState::Extra) && !request.prune {
        row.skip("Git does not have it; --prune deletes it");
    } else if (has(DriftState::Edited) || has(DriftState::Missing)) && target.desired.is_none() {
        row.skip(format!(
            "its desired state at {} is not at hand",
            target.desired_revision
        ));
    } else if has(DriftState::Behind) && target.verdict.changes.is_empty() {
        row.skip_unchanged(
            "it is as deployed; Git has moved on, which a sync puts in place and a revert does not",
        );
    } else if target.verdict.states.is_empty() {
        row.skip_unchanged("it is as deployed");
    } else {
        return None;
    }
    Some(row)
}

/// Decides about one target that was read.
pub(super) fn decide(
    request: &RevertRequest,
    target: &RevertTarget,
    reading: &Reading,
    app: Option<&AppReading>,
) -> Decision {
    let act = Act::of(target, reading.live.as_ref());
    let mut row = blank(request, target);
    describe(&mut row, target, reading, act);
    let part = match obstacle(target, reading, act) {
        Some(Stop::Unchanged(why)) => {
            row.skip_unchanged(why);
            None
        }
        Some(Stop::Refused(why)) => {
            row.skip(why);
            None
        }
        None => part(request, target, reading, app, act, &mut row),
    };
    Decision { row, part }
}

enum Stop {
    Unchanged(Safe),
    Refused(Safe),
}

/// What stands in the way whatever the route.
fn obstacle(target: &RevertTarget, reading: &Reading, act: Act) -> Option<Stop> {
    let live = reading.live.as_ref();
    if live.is_some_and(|l| l.pointer("/metadata/deletionTimestamp").is_some()) {
        return Some(Stop::Refused(Safe::fixed(
            "it is being deleted; look again once it is gone",
        )));
    }
    match (act, &reading.rehearsal) {
        (Act::Nothing, _) => Some(Stop::Unchanged(Safe::fixed("it is gone already"))),
        (Act::Delete, _) if !live.is_some_and(|l| is_claimed(target, l)) => {
            Some(Stop::Refused(Safe::fixed(
                "it does not carry the application's tracking mark any more, or is marked Prune=false",
            )))
        }
        (Act::Apply, Rehearsal::Accepted(predicted))
            if live.is_some_and(|l| difference::between(l, predicted).is_empty()) =>
        {
            Some(Stop::Unchanged(nothing_to_change(target)))
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

fn nothing_to_change(target: &RevertTarget) -> Safe {
    match target.verdict.changes.len() {
        0 => Safe::fixed("it is as deployed"),
        n => format!("the server's dry run changes nothing: {n} differing field(s) of our verdict do not count for the server, whose word stands").into(),
    }
}

/// Whether the live object still says that the application manages it, and lets itself be pruned.
fn is_claimed(target: &RevertTarget, live: &Value) -> bool {
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

/// Fills in what the row shows: effect, dry run, restarts, losers, warnings, danger.
fn describe(row: &mut PlanTarget, target: &RevertTarget, reading: &Reading, act: Act) {
    row.resource_version = reading
        .live
        .as_ref()
        .map(|l| text(l, "/metadata/resourceVersion"))
        .unwrap_or_default()
        .into();
    row.dry_run = dry_run(&reading.rehearsal);
    row.warnings = warnings(target, reading);
    match act {
        Act::Create => row.effect = Safe::fixed("create: missing in the cluster"),
        Act::Delete => describe_delete(row, target),
        Act::Apply | Act::Nothing => {}
    }
    if let (Act::Apply, Some(live), Rehearsal::Accepted(predicted)) =
        (act, &reading.live, &reading.rehearsal)
    {
        let differences = difference::between(live, predicted);
        describe_apply(row, target, live, &differences);
        row.losers = owners::losers(live, predicted);
        row.warnings.extend(automatic_losers(&row.losers));
    }
}

fn describe_delete(row: &mut PlanTarget, target: &RevertTarget) {
    row.effect = Safe::fixed("delete: not in Git");
    row.prunes = vec![target.object.clone()];
    if DANGEROUS_KINDS.contains(&&*target.object.gvk.kind) {
        row.danger = Some(format!("deleting a {} can destroy data", target.object.gvk.kind).into());
    }
}

fn describe_apply(
    row: &mut PlanTarget,
    target: &RevertTarget,
    live: &Value,
    differences: &[Difference],
) {
    row.effect = difference::summary(differences);
    row.restarts = restarts(target, live, differences);
    row.warnings.extend(disagreement(target, differences));
}

fn dry_run(rehearsal: &Rehearsal) -> DryRun {
    match rehearsal {
        Rehearsal::Accepted(_) => DryRun::Accepted(Safe::fixed("ok")),
        Rehearsal::NotPermitted(why) => {
            DryRun::NotPermitted(format!("not permitted: {why}").into())
        }
        Rehearsal::Rejected(why) => DryRun::Rejected(why.clone()),
        Rehearsal::NoAnswer(why) => DryRun::NotRun(why.clone()),
    }
}

fn warnings(target: &RevertTarget, reading: &Reading) -> Vec<Safe> {
    let mut warnings = Vec::new();
    let uid = reading
        .live
        .as_ref()
        .map(|l| text(l, "/metadata/uid"))
        .unwrap_or_default();
    if !target.uid.is_empty() && !uid.is_empty() && *target.uid != *uid {
        warnings.push(Safe::fixed(
            "the object was deleted and made again since the verdict",
        ));
    }
    if matches!(reading.rehearsal, Rehearsal::NotPermitted(_)) {
        warnings.push(Safe::fixed(
            "the server's dry run is not permitted: the effect is our own verdict",
        ));
    }
    if target.app.auto_sync.enabled && target.app.auto_sync.self_heal {
        warnings.push(Safe::fixed(
            "auto-sync with self-heal is on: Argo CD may be faster",
        ));
    }
    warnings
}

/// Where the server's dry run and our verdict name different fields. The server's word stands.
fn disagreement(target: &RevertTarget, differences: &[Difference]) -> Option<Safe> {
    let near = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let ours: Vec<&str> = target
        .verdict
        .changes
        .iter()
        .map(|c| c.path.as_str())
        .collect();
    let more: Vec<&str> = differences
        .iter()
        .map(|d| d.path.as_str())
        .filter(|d| !ours.iter().any(|o| near(o, d)))
        .collect();
    let fewer: Vec<&str> = ours
        .iter()
        .copied()
        .filter(|o| !differences.iter().any(|d| near(o, &d.path)))
        .collect();
    match (more.is_empty(), fewer.is_empty()) {
        (true, true) => None,
        (false, _) => Some(format!("the server's dry run also changes {}", more.join(", ")).into()),
        (true, false) => {
            Some(format!("the server's dry run leaves {} as it is", fewer.join(", ")).into())
        }
    }
}

fn automatic_losers(losers: &[super::Loser]) -> Vec<Safe> {
    let automatic = |name: &str| {
        name == "kube-controller-manager"
            || ["-controller", "-operator", "-autoscaler", "-updater"]
                .iter()
                .any(|s| name.ends_with(s))
    };
    let losers = losers.iter().filter(|l| automatic(l.manager.as_str()));
    losers
        .map(|l| format!("{} loses fields and may well set them again", l.manager).into())
        .collect()
}

/// Pods that a changed pod template restarts.
fn restarts(target: &RevertTarget, live: &Value, differences: &[Difference]) -> u32 {
    let restarts = WORKLOADS.contains(&&*target.object.gvk.kind)
        && differences
            .iter()
            .any(|d| d.path.starts_with("spec.template"));
    let count = |pointer: &str| live.pointer(pointer).and_then(Value::as_u64);
    let pods = count("/status/replicas")
        .or_else(|| count("/status/desiredNumberScheduled"))
        .or_else(|| count("/spec/replicas"));
    if restarts {
        pods.and_then(|p| u32::try_from(p).ok()).unwrap_or(1)
    } else {
        0
    }
}

/// Chooses the route and makes the target's part of an effect, or skips the row.
fn part(
    request: &RevertRequest,
    target: &RevertTarget,
    reading: &Reading,
    app: Option<&AppReading>,
    act: Act,
    row: &mut PlanTarget,
) -> Option<Part> {
    match route(request, target, app, row) {
        Ok(Route::Argo) => Some(Part::Argo(Member {
            cluster: target.cluster.clone(),
            object: target.object.clone(),
            place: reading.place.clone(),
            desired: target.desired.clone(),
        })),
        Ok(Route::Direct) => direct_part(target, reading, act, row),
        Err(why) => {
            row.skip(why);
            None
        }
    }
}

fn direct_part(
    target: &RevertTarget,
    reading: &Reading,
    act: Act,
    row: &mut PlanTarget,
) -> Option<Part> {
    row.route = Route::Direct;
    if let Rehearsal::NotPermitted(why) = &reading.rehearsal {
        row.skip(format!("not permitted: {why}"));
        return None;
    }
    direct_effect(target, reading, act).map(Part::Direct)
}

fn direct_effect(target: &RevertTarget, reading: &Reading, act: Act) -> Option<Effect> {
    let (cluster, place) = (target.cluster.clone(), reading.place.clone());
    let manifest = || {
        target
            .desired
            .as_ref()
            .map(|d| Unsealed::new(direct::manifest(d.expose())))
    };
    let uid = |live: &Value| Name::from(text(live, "/metadata/uid"));
    Some(match (act, &reading.live) {
        (Act::Apply, Some(live)) => Effect::Apply(Box::new(Apply {
            cluster,
            place,
            uid: uid(live),
            seen: ContentHash::of(live),
            body: manifest()?,
        })),
        (Act::Create, _) => Effect::Create(Box::new(Create {
            cluster,
            place,
            body: manifest()?,
        })),
        (Act::Delete, Some(live)) => Effect::Delete(Box::new(Delete {
            cluster,
            place,
            uid: uid(live),
            seen: ContentHash::of(live),
        })),
        _ => return None,
    })
}

/// The route of a target: the one asked for, else `argo` where Argo CD can be asked now, else `direct` with the reason as a warning.
fn route(
    request: &RevertRequest,
    target: &RevertTarget,
    app: Option<&AppReading>,
    row: &mut PlanTarget,
) -> Result<Route, Safe> {
    if request.via == Some(Route::Direct) {
        return Ok(Route::Direct);
    }
    let fresh = app.and_then(|a| a.fresh.as_ref().ok());
    match (
        argo::obstacle(target.hub_link, &target.app, fresh),
        request.via,
    ) {
        (Some(why), Some(Route::Argo)) => return Err(why),
        (Some(why), _) => {
            row.warnings.push(format!("direct, because {why}").into());
            return Ok(Route::Direct);
        }
        (None, _) => {}
    }
    let app = app.ok_or(Safe::fixed("the application was not read"))?;
    ask_argo(target, app, row).map(|()| Route::Argo)
}

fn ask_argo(target: &RevertTarget, app: &AppReading, row: &mut PlanTarget) -> Result<(), Safe> {
    let fresh = app
        .fresh
        .as_ref()
        .map_err(|why| Safe::from(format!("the application cannot be read: {why}")))?;
    if app.may_patch == Some(false) {
        return Err(format!("not permitted: patch applications.argoproj.io on {}; --via direct puts it back on the edge itself", target.app.id.hub).into());
    }
    let wish = Wish {
        revision: &target.desired_revision,
        target_commit: target.target_commit.as_deref(),
    };
    if let Some(why) = argo::refusal(fresh, &target.app, &wish) {
        return Err(why);
    }
    match &app.window {
        Ok(Window::Closed(why)) => Err(format!(
            "{why}: Argo CD would hold the sync back and block every other operation"
        )
        .into()),
        Ok(Window::Open) => Ok(()),
        Err(why) => {
            row.warnings.push(format!("the sync windows are not known ({why}); outside of them Argo CD holds the sync back").into());
            Ok(())
        }
    }
}

/// Puts the rows together: dangerous ones out of bulk, one order a write, waves over the orders.
pub(super) fn assemble(
    request: &RevertRequest,
    context: &PlanContext,
    mut decisions: Vec<Decision>,
    apps: &BTreeMap<AppRef, AppReading>,
) -> Plan {
    keep_danger_out_of_bulk(&mut decisions);
    let (mut targets, parts): (Vec<_>, Vec<_>) =
        decisions.into_iter().map(|d| (d.row, d.part)).unzip();
    let orders = orders(request, context, &mut targets, parts, apps);
    let indexes: Vec<usize> = (0..orders.len()).collect();
    let mut waves = request.waves.split(&indexes);
    for wave in &mut waves {
        wave.targets = wave
            .targets
            .iter()
            .filter_map(|o| orders.get(*o))
            .flat_map(|o| o.targets.clone())
            .collect();
    }
    Plan {
        id: context.id.clone(),
        verb: Verb::Revert,
        made_at: context.now,
        reason: request.reason.clone(),
        note: request.note.clone(),
        guardrail: guardrail(request, &targets),
        targets,
        waves,
        orders,
    }
}

fn keep_danger_out_of_bulk(decisions: &mut [Decision]) {
    let sendable = decisions.iter().filter(|d| d.part.is_some()).count();
    for decision in decisions
        .iter_mut()
        .filter(|d| sendable > 1 && d.part.is_some())
    {
        if let Some(danger) = &decision.row.danger {
            let why = format!("{danger}: it is never part of a bulk change; plan it alone");
            decision.part = None;
            decision.row.skip(why);
        }
    }
}

fn orders(
    request: &RevertRequest,
    context: &PlanContext,
    targets: &mut [PlanTarget],
    parts: Vec<Option<Part>>,
    apps: &BTreeMap<AppRef, AppReading>,
) -> Vec<Order> {
    let mut orders: Vec<Order> = Vec::new();
    let mut by_app: BTreeMap<AppRef, usize> = BTreeMap::new();
    for (index, part) in parts.into_iter().enumerate() {
        let Some(row) = targets.get_mut(index) else {
            continue;
        };
        let order = match part {
            None => continue,
            Some(Part::Direct(effect)) => push(&mut orders, effect),
            Some(Part::Argo(member)) => {
                let known = by_app.get(&row.app).copied();
                let order = known.unwrap_or_else(|| push(&mut orders, sync(row, apps)));
                by_app.insert(row.app.clone(), order);
                join(&mut orders, order, member);
                order
            }
        };
        row.order = Some(order);
        if let Some(order) = orders.get_mut(order) {
            order.targets.push(index);
        }
    }
    for order in &mut orders {
        if let Effect::ArgoSync(sync) = &mut order.effect {
            sync.operation = operation(
                request,
                context,
                sync,
                order.targets.first().and_then(|t| targets.get(*t)),
                apps,
            );
        }
    }
    orders
}

fn push(orders: &mut Vec<Order>, effect: Effect) -> usize {
    orders.push(Order {
        targets: Vec::new(),
        effect,
    });
    orders.len() - 1
}

fn join(orders: &mut [Order], order: usize, member: Member) {
    if let Some(Order {
        effect: Effect::ArgoSync(sync),
        ..
    }) = orders.get_mut(order)
    {
        sync.members.push(member);
    }
}

fn sync(row: &PlanTarget, apps: &BTreeMap<AppRef, AppReading>) -> Effect {
    let fresh = apps
        .get(&row.app)
        .and_then(|a| a.fresh.as_ref().ok())
        .unwrap_or(&Value::Null);
    Effect::ArgoSync(Box::new(ArgoSync {
        app: row.app.clone(),
        app_uid: text(fresh, "/metadata/uid").into(),
        spec_hash: argo::spec_hash(fresh),
        operation: Value::Null,
        members: Vec::new(),
    }))
}

fn operation(
    request: &RevertRequest,
    context: &PlanContext,
    sync: &ArgoSync,
    row: Option<&PlanTarget>,
    apps: &BTreeMap<AppRef, AppReading>,
) -> Value {
    let fresh = apps
        .get(&sync.app)
        .and_then(|a| a.fresh.as_ref().ok())
        .unwrap_or(&Value::Null);
    let objects: Vec<_> = sync.members.iter().map(|m| m.object.clone()).collect();
    let reason = request.note.as_ref().map_or_else(
        || format!("revert {}", request.reason),
        |note| format!("{note} revert {}", request.reason),
    );
    argo::operation(
        fresh,
        &Operation {
            username: &context.operator,
            reason: &reason,
            run: &context.id,
            revision: row.map_or("", |r| &r.revision),
            prune: sync.members.iter().any(|m| m.desired.is_none()),
            objects: &objects,
        },
    )
}

fn guardrail(request: &RevertRequest, targets: &[PlanTarget]) -> Option<Guardrail> {
    let danger = targets
        .iter()
        .find(|t| t.order.is_some() && t.danger.is_some());
    match (danger, &request.guardrail) {
        (None, group) => group.clone(),
        (Some(target), None) => Some(Guardrail {
            name: Safe::new(&target.object.to_string()),
            confirm: Safe::new(&target.object.name),
        }),
        (Some(target), Some(group)) => Some(Guardrail {
            name: format!("{} · {}", group.name, target.object).into(),
            confirm: format!("{} {}", group.confirm, target.object.name).into(),
        }),
    }
}

#[cfg(test)]
mod tests;

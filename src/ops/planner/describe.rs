//! What a row of the plan shows: effect, dry run, restarts, losers, warnings, danger.

use serde_json::Value;

use super::{Act, Case, Rehearsal, goes_direct};
use crate::domain::{ChangeOp, Engine, Safe};
use crate::drift::managers::{ManagerClass, class_of};
use crate::ops::content::text;
use crate::ops::difference::{self, Difference};
use crate::ops::judge::Measure;
use crate::ops::{DryRun, Loser, PlanTarget, RevertTarget, owners};

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

impl Case<'_> {
    /// Fills in what the row shows.
    pub(super) fn describe(&self, row: &mut PlanTarget) {
        let live = self.reading.live.as_ref();
        row.resource_version = live
            .map(|l| text(l, "/metadata/resourceVersion"))
            .unwrap_or_default()
            .into();
        row.dry_run = dry_run(&self.reading.rehearsal);
        row.warnings = self.warnings();
        match (self.act, live, &self.reading.rehearsal) {
            (Act::Create, ..) => row.effect = Safe::fixed("create: missing in the cluster"),
            (Act::Delete, ..) => describe_delete(row, self.target),
            (Act::Apply, Some(live), Rehearsal::Accepted(predicted)) => {
                describe_apply(row, self.target, live, predicted);
            }
            _ => {}
        }
    }

    fn warnings(&self) -> Vec<Safe> {
        let mut warnings = Vec::new();
        let uid = self
            .reading
            .live
            .as_ref()
            .map(|l| text(l, "/metadata/uid"))
            .unwrap_or_default();
        if !self.target.uid.is_empty() && !uid.is_empty() && *self.target.uid != *uid {
            warnings.push(Safe::fixed(
                "the object was deleted and made again since the verdict",
            ));
        }
        if matches!(self.reading.rehearsal, Rehearsal::NotPermitted(_)) {
            warnings.push(Safe::fixed(
                "the server's dry run is not permitted: the effect is our own verdict",
            ));
        }
        if self.target.app.auto_sync.enabled && self.target.app.auto_sync.self_heal {
            warnings.push(Safe::fixed(match self.target.app.engine {
                Engine::Argo => "auto-sync with self-heal is on: Argo CD may be faster",
                Engine::Flux => "Flux corrects drift at its next interval: it may be faster",
            }));
        }
        warnings.extend(self.left_in_place());
        warnings
    }

    /// What the write leaves as it is although it counts as drift.
    fn left_in_place(&self) -> Option<Safe> {
        if self.reading.left.is_empty() || self.reading.patch.is_some() {
            return None;
        }
        let left = self.reading.left.join(", ");
        // Flux takes out what kubectl added; what else is left shows when the run looks.
        if self.target.app.engine == Engine::Flux
            && !goes_direct(self.request, self.target, self.app)
        {
            return None;
        }
        let words = if goes_direct(self.request, self.target, self.app) {
            "the apply leaves what others added"
        } else {
            "Argo CD's apply leaves what others added (--via direct takes it out)"
        };
        Some(format!("{words}: {left}").into())
    }
}

fn describe_delete(row: &mut PlanTarget, target: &RevertTarget) {
    row.effect = Safe::fixed("delete: not in Git");
    row.prunes = vec![target.object.clone()];
    if DANGEROUS_KINDS.contains(&&*target.object.gvk.kind) {
        row.danger = Some(format!("deleting a {} can destroy data", target.object.gvk.kind).into());
    }
}

fn describe_apply(row: &mut PlanTarget, target: &RevertTarget, live: &Value, predicted: &Value) {
    let differences = account(&target.measure().without_rules(), live, predicted);
    row.effect = difference::summary(&differences);
    row.restarts = restarts(target, live, &differences);
    row.losers = owners::losers(live, predicted, target.manager());
    row.warnings.extend(disagreement(target, &differences));
    row.warnings.extend(automatic(&row.losers));
}

/// What the server's dry run changes, in the words of the judge, so that its paths compare with those of the verdict.
fn account(measure: &Measure, live: &Value, predicted: &Value) -> Vec<Difference> {
    let judged: Vec<Difference> = measure
        .changes(predicted, live)
        .into_iter()
        .map(Difference::from)
        .collect();
    if judged.is_empty() {
        difference::between(live, predicted)
    } else {
        judged
    }
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

/// Where the server's dry run and our verdict name different fields. The server's word stands. What an apply cannot take out is said elsewhere.
fn disagreement(target: &RevertTarget, differences: &[Difference]) -> Option<Safe> {
    let near = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let ours = &target.verdict.changes;
    let more = differences.iter().map(|d| d.path.as_str());
    let more: Vec<&str> = more
        .filter(|d| !ours.iter().any(|o| near(&o.path, d)))
        .collect();
    let fewer = ours
        .iter()
        .filter(|o| o.op != ChangeOp::Added)
        .map(|o| o.path.as_str());
    let fewer: Vec<&str> = fewer
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

/// Losers that are programs which may set their fields again.
fn automatic(losers: &[Loser]) -> Vec<Safe> {
    let machine = |l: &&Loser| {
        matches!(
            class_of(l.manager.as_str(), ""),
            ManagerClass::Kubernetes | ManagerClass::Autoscaler | ManagerClass::Operator
        )
    };
    let words = |l: &Loser| {
        Safe::from(format!(
            "{} loses fields and may well set them again",
            l.manager
        ))
    };
    losers.iter().filter(machine).map(words).collect()
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

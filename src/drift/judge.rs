//! The verdict on one object: what counts as drift, what does not and why, and by which tool.

mod caught_up;
mod counted;
mod filler;
mod pruned;
mod reasons;

use serde_json::Value;

use super::compare::{self, Difference, Type};
use super::fingerprint;
use super::flux::{self, LeftAlone};
use super::ignore::{IgnoreRules, ObjectRules};
use super::openapi::CustomSchema;
use super::owners::Owners;
use super::seal::Marks;
use super::sops;
#[cfg(test)]
use crate::domain::Ignored;
use crate::domain::{Change, DriftState, Gvk, ObjectRef, Safe, Verdict, VerdictSource};
use counted::Sorted;
use filler::Filler;
use pruned::Pruned;

/// The versions of one object that are compared. `deployed` and `target` carry the destination's namespace and the tracking mark already;
/// Secrets are sealed.
#[derive(Clone, Copy, Debug)]
pub struct Comparison<'a> {
    /// What the deployed revision says.
    pub deployed: Option<&'a Value>,
    /// What the target revision says.
    pub target: Option<&'a Value>,
    /// What the cluster has.
    pub live: Option<&'a Value>,
    /// What the application's owner declared not to be drift.
    pub rules: &'a IgnoreRules,
    /// The type of a custom kind, when the cluster told it.
    pub custom: Option<&'a CustomSchema>,
}

impl<'a> Comparison<'a> {
    /// The versions there are, Git's first: the order in which marks are numbered.
    fn versions(&self) -> Vec<&'a Value> {
        [self.deployed, self.live, self.target]
            .into_iter()
            .flatten()
            .collect()
    }
}

/// Judges one object.
pub fn judge(comparison: &Comparison<'_>) -> Verdict {
    let versions = comparison.versions();
    let Some(first) = versions.first() else {
        return unknown("There is no version of the object to compare.");
    };
    let object = identity(first);
    if comparison.live.is_some() && versions.iter().any(|v| sops::is_encrypted(v)) {
        return unknown(ENCRYPTED);
    }
    let rules = comparison.rules.for_document(&object, first);
    let Some(pruned) = Pruned::of(comparison, &object.gvk) else {
        return respelled(comparison, &object, &rules);
    };
    let mut verdict = respelled(&pruned.of_stored(comparison), &object, &rules);
    pruned.tell(&mut verdict);
    verdict
}

/// Judges the versions in the spelling of the types that the installation named for their fields.
fn respelled(comparison: &Comparison<'_>, object: &ObjectRef, rules: &ObjectRules<'_>) -> Verdict {
    if !rules.has_known() {
        return judged(comparison, object, rules);
    }
    let retyped = |version: Option<&Value>| {
        let mut version = version?.clone();
        rules.retype(&mut version);
        Some(version)
    };
    let (deployed, target, live) = (
        retyped(comparison.deployed),
        retyped(comparison.target),
        retyped(comparison.live),
    );
    let spelled = Comparison {
        deployed: deployed.as_ref(),
        target: target.as_ref(),
        live: live.as_ref(),
        ..*comparison
    };
    judged(&spelled, object, rules)
}

fn judged(comparison: &Comparison<'_>, object: &ObjectRef, rules: &ObjectRules<'_>) -> Verdict {
    let marks = Marks::of(comparison.versions());
    let ty = Type::of(&object.gvk, comparison.custom);
    let mut verdict = match (comparison.deployed, comparison.live) {
        (Some(deployed), Some(live)) => edited(deployed, live, ty, rules, &marks),
        _ => Verdict::default(),
    };
    if let (Some(deployed), Some(target)) = (comparison.deployed, comparison.target) {
        verdict.behind = behind(target, deployed, ty, rules, &marks);
    }
    match (comparison.deployed, comparison.target, comparison.live) {
        (Some(_), Some(target), Some(live)) if verdict.states.is_empty() => {
            caught_up::settle(&mut verdict, target, live, ty);
        }
        // There before Git wanted it: a sync changes what differs, which may be nothing.
        (None, Some(target), Some(live)) => {
            verdict.behind = edited(target, live, ty, rules, &marks).changes;
        }
        _ => {}
    }
    let alone = left_alone(comparison);
    if let Some(why) = alone {
        counted::let_be(&mut verdict, why);
    }
    if alone.is_some_and(|why| why.covers(comparison.live.is_some())) {
        verdict.behind = Vec::new();
    } else {
        verdict.states.extend(states(comparison, &verdict));
    }
    finish(verdict, object)
}

/// What nobody but the holder of the key can judge.
const ENCRYPTED: &str = "Git holds it encrypted with SOPS, and only the engine holds the key: that it is there is all that can be told.";

/// Why Flux leaves an object of its own alone; on objects that others brought its annotations mean nothing.
fn left_alone(comparison: &Comparison<'_>) -> Option<LeftAlone> {
    let wanted = comparison.deployed.or(comparison.target)?;
    if !flux::is_owned(wanted) {
        return None;
    }
    flux::left_alone(wanted).or_else(|| flux::left_alone(comparison.live?))
}

/// What the object says it is; a file may leave out its name.
fn identity(object: &Value) -> ObjectRef {
    ObjectRef::of(object).unwrap_or_else(|| {
        let text = |pointer: &str| {
            object
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let gvk = Gvk::from_api_version(text("/apiVersion"), text("/kind"));
        ObjectRef::new(gvk, text("/metadata/namespace"), text("/metadata/name"))
    })
}

/// A verdict that says why there is none.
fn unknown(why: &'static str) -> Verdict {
    Verdict {
        states: vec![DriftState::Unknown],
        message: Some(Safe::fixed(why)),
        summary: Safe::fixed("could not be judged"),
        ..Verdict::default()
    }
}

/// How the live object is compared with Git's.
struct Way<'a> {
    ty: Type<'a>,
    owners: &'a Owners<'a>,
    with_status: bool,
}

impl Way<'_> {
    fn differences<'v>(&self, desired: &'v Value, live: &'v Value) -> Vec<Difference<'v>> {
        let mut found = compare::objects(desired, live, self.ty, self.owners);
        if self.with_status {
            found.extend(compare::status(desired, live, self.ty, self.owners));
        }
        found
    }
}

/// Live against deployed.
fn edited(
    deployed: &Value,
    live: &Value,
    ty: Type<'_>,
    rules: &ObjectRules<'_>,
    marks: &Marks,
) -> Verdict {
    let owners = Owners::of(live);
    let way = Way {
        ty,
        owners: &owners,
        with_status: rules.counts_status,
    };
    let differences = way.differences(deployed, live);
    let mut sorted = counted::sort(&differences, &owners, &Filler::of(deployed, ty), marks);
    counted::apply_options(&mut sorted, rules, deployed, live);
    counted::apply_rules(&mut sorted, rules, deployed, live, &way);
    let Sorted {
        changes,
        mut ignored,
        shadow,
        problems,
    } = sorted;
    if !rules.counts_status && live.get("status").is_some_and(|s| !s.is_null()) {
        ignored.push(reasons::status());
    }
    let mut verdict = Verdict {
        changes,
        ignored,
        shadow,
        source: VerdictSource::Computed,
        message: remark(rules, &problems),
        ..Verdict::default()
    };
    if !verdict.changes.is_empty() && deployed.get("apiVersion") != live.get("apiVersion") {
        verdict = other_version(verdict, deployed, live);
    }
    verdict
}

/// Rules that were not carried out, named: what they are about still counts.
fn remark(rules: &ObjectRules<'_>, problems: &[String]) -> Option<Safe> {
    let all = rules.refused().chain(problems.iter().map(String::as_str));
    let all: Vec<&str> = all.collect();
    (!all.is_empty()).then(|| Safe::from(format!("ignoreDifferences: {}.", all.join("; "))))
}

/// Two API versions of one kind can state the same thing in different fields: differences between them prove nothing.
fn other_version(verdict: Verdict, deployed: &Value, live: &Value) -> Verdict {
    let version = |object: &Value| {
        let text = object.get("apiVersion").and_then(Value::as_str);
        text.unwrap_or("none").to_owned()
    };
    Verdict {
        states: vec![DriftState::Unknown],
        changes: Vec::new(),
        message: Some(Safe::new(&format!(
            "Git states apiVersion {}, the live object was read as {}; read it in Git's version to compare.",
            version(deployed),
            version(live)
        ))),
        summary: Safe::fixed("read in another API version"),
        ..verdict
    }
}

/// Deployed against target: everything counts, both are Git's word.
fn behind(
    target: &Value,
    deployed: &Value,
    ty: Type<'_>,
    rules: &ObjectRules<'_>,
    marks: &Marks,
) -> Vec<Change> {
    let mut target_kept = target.clone();
    let mut deployed_kept = deployed.clone();
    rules.strip(&mut target_kept);
    rules.strip(&mut deployed_kept);
    compare::objects(&target_kept, &deployed_kept, ty, &Owners::default())
        .iter()
        .map(|difference| counted::change(difference, None, marks))
        .collect()
}

fn states(comparison: &Comparison<'_>, verdict: &Verdict) -> Vec<DriftState> {
    let mut states = Vec::new();
    let (deployed, target, live) = (
        comparison.deployed.is_some(),
        comparison.target.is_some(),
        comparison.live.is_some(),
    );
    if !verdict.changes.is_empty() {
        states.push(DriftState::Edited);
    }
    // Gone from the cluster and no longer wanted by Git is as it should be.
    if deployed && target && !live {
        states.push(DriftState::Missing);
    }
    if live && !deployed && !target {
        states.push(DriftState::Extra);
    }
    let moved_on = match (deployed, target) {
        (true, true) => !verdict.behind.is_empty(),
        (true, false) => live,
        (false, new) => new && (!live || !verdict.behind.is_empty()),
    };
    if moved_on {
        states.push(DriftState::Behind);
    }
    states
}

fn finish(mut verdict: Verdict, object: &ObjectRef) -> Verdict {
    if verdict.summary.is_empty() {
        verdict.summary = fingerprint::summary(&verdict);
    }
    if verdict.is_drift() {
        verdict.fingerprint = Some(fingerprint::of(object, &verdict));
    }
    verdict
}

/// Only for the tests of this room: the paths of the counted changes.
#[cfg(test)]
pub(super) fn paths(changes: &[Change]) -> Vec<&str> {
    changes.iter().map(|c| c.path.as_str()).collect()
}

/// As [`paths`], for what does not count.
#[cfg(test)]
pub(super) fn ignored_paths(ignored: &[Ignored]) -> Vec<&str> {
    ignored.iter().map(|i| i.path.as_str()).collect()
}

#[cfg(test)]
mod tests;

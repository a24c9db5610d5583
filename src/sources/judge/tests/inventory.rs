//! Inventories of Flux whose desired state is not known: health without a comparison.

use super::*;
use crate::domain::{AppKind, Unjudged};
use pretty_assertions::assert_eq;

const WHY: &str = "Its verdict is Flux's.";

/// A HelmRelease with these objects in its inventory.
fn release(inventory: &[Value], reason: UnjudgedReason) -> AppAssignment {
    let mut app = assignment(Vec::new(), Vec::new());
    app.app.kind = AppKind::HelmRelease;
    app.unjudged = Some(Unjudged {
        reason,
        message: WHY.into(),
    });
    let entry = |object: &Value| ManagedResource {
        object: ObjectRef::of(object).unwrap(),
        sync: None,
        health: None,
        hook: false,
        requires_pruning: false,
    };
    app.resources = inventory.iter().map(entry).collect();
    app
}

fn followed(app: AppAssignment) -> Judge {
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![app]));
    judge
}

fn available(replicas: i64, available: i64) -> Value {
    let mut object = live(deployment(replicas), "5");
    object["status"] = json!({"replicas": replicas, "readyReplicas": available, "updatedReplicas": replicas, "availableReplicas": available,
        "conditions": [{"type": "Available", "status": "True"}, {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]});
    object
}

fn map() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "site", "namespace": NS}})
}

fn health(facts: &[Fact]) -> Vec<Health> {
    let told = resources(facts).into_iter();
    told.filter_map(|r| r.health.as_ref().map(|(health, _)| *health))
        .collect()
}

#[test]
fn every_object_of_an_inventory_has_a_health_and_is_not_compared() {
    let mut judge = followed(release(&[deployment(2), map()], UnjudgedReason::BadSource));
    let mut other = available(2, 2);
    other["metadata"]["name"] = json!("somebody-elses");
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![available(2, 1), other],
    );
    assert_eq!(health(&facts), [Health::Degraded], "the deadline is over");
    assert!(!is_judged(&facts), "ConfigMaps have not been heard of");
    let resource = resources(&facts)[0].clone();
    assert_eq!(resource.verdict.states, [DriftState::Unknown]);
    assert_eq!(resource.verdict.source, VerdictSource::Flux);
    assert_eq!(resource.verdict.message, Some(WHY.into()));
    assert_eq!((&*resource.uid, resource.bodies), ("u-1", None));

    let facts = judge.listed(
        &gvk("", "ConfigMap"),
        &Part::whole(),
        vec![live(map(), "6")],
    );
    assert_eq!(
        health(&facts),
        [Health::Healthy],
        "kstatus knows every kind"
    );
    assert!(
        is_judged(&facts),
        "whoever waits hears that everything is told"
    );
    let facts = judge.gone(&gvk("", "ConfigMap"), &live(map(), "6"));
    assert_eq!(health(&facts), [Health::Missing]);
}

#[test]
fn what_joins_an_inventory_later_is_listed_and_what_leaves_it_is_forgotten() {
    let maps = gvk("", "ConfigMap");
    let mut judge = followed(release(&[deployment(2)], UnjudgedReason::BadSource));
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![available(2, 2)],
    );
    let grown = release(&[deployment(2), map()], UnjudgedReason::BadSource);
    assert_eq!(judge.assign(assigned(vec![grown])).kinds.len(), 2);
    let mut second = map();
    second["metadata"]["name"] = json!("second");
    judge.listed(
        &maps,
        &Part::whole(),
        vec![live(map(), "6"), live(second.clone(), "6")],
    );
    let grown = assigned(vec![release(
        &[deployment(2), map(), second],
        UnjudgedReason::BadSource,
    )]);
    assert_eq!(
        judge.assign(grown.clone()).relist,
        std::slice::from_ref(&maps)
    );
    assert!(judge.assign(grown).relist.is_empty(), "once is enough");
    let shrunk = assigned(vec![release(&[map()], UnjudgedReason::BadSource)]);
    let facts = judge.assign(shrunk).facts;
    assert!(facts.iter().any(|f| matches!(f, Fact::Kind { gvk, resources } if &*gvk.kind == "Deployment" && resources.is_empty())));
}

#[test]
fn what_is_still_being_fetched_is_kept_and_not_told() {
    let deployments = gvk("apps", "Deployment");
    let mut judge = followed(release(&[deployment(2)], UnjudgedReason::Pending));
    let facts = judge.listed(&deployments, &Part::whole(), vec![available(5, 5)]);
    assert!(resources(&facts).is_empty() && !is_judged(&facts));
    let mut judged = assignment(vec![deployment(2)], vec![deployment(2)]);
    judged.app.kind = AppKind::Kustomization;
    let answer = judge.assign(assigned(vec![judged]));
    assert!(answer.relist.is_empty(), "it was kept");
    assert_eq!(states(&answer.facts), [vec![DriftState::Edited]]);
    assert!(is_judged(&answer.facts));
}

#[test]
fn a_kind_that_cannot_be_read_leaves_its_objects_unknown() {
    let mut judge = followed(release(&[map()], UnjudgedReason::BadSource));
    let facts = judge.unread(
        &gvk("", "ConfigMap"),
        &"ConfigMaps may not be listed.".into(),
    );
    assert_eq!(states(&facts), [vec![DriftState::Unknown]]);
    assert!(health(&facts).is_empty());
}

//! Health of what a Kustomization applies, by its own expressions.

use super::*;
use crate::domain::AppKind;

fn site(phase: &str) -> Value {
    json!({"apiVersion": "edge.example/v1", "kind": "Site",
        "metadata": {"name": "oslo-003", "namespace": NS, "labels": {
            "kustomize.toolkit.fluxcd.io/name": "edge-microservice", "kustomize.toolkit.fluxcd.io/namespace": "argocd"}},
        "status": {"phase": phase}})
}

fn kustomization(checks: Value) -> AppAssignment {
    let mut assignment = assignment(vec![site("Up")], Vec::new());
    assignment.app.kind = AppKind::Kustomization;
    assignment.health_checks = Some(checks);
    assignment
}

/// Health of the live object and who told it, under some expressions.
fn told(judge: &mut Judge, checks: Value, phase: &str) -> Option<(Health, Option<String>)> {
    judge.assign(assigned(vec![kustomization(checks)]));
    let gvk = Gvk::new("edge.example", "v1", "Site");
    let mut facts = judge.listed(&gvk, &Part::whole(), vec![site(phase)]);
    facts.extend(judge.wait_no_longer());
    let resources = facts.into_iter().find_map(|fact| match fact {
        Fact::Kind { resources, .. } => resources.into_iter().next(),
        _ => None,
    });
    let resource = resources.unwrap();
    let (health, _) = resource.health?;
    Some((health, resource.health_by.map(|by| by.to_string())))
}

#[test]
fn the_expressions_of_a_kustomization_tell_the_health_of_its_rows() {
    let mut judge = Judge::new(key());
    let checks = json!([{"apiVersion": "edge.example/v1", "kind": "Site",
        "failed": "status.phase == 'Broken'", "current": "status.phase == 'Up'"}]);
    let by = Some("the Kustomization's healthCheckExprs".to_owned());
    for (phase, health) in [
        ("Up", Health::Healthy),
        ("Broken", Health::Degraded),
        ("Starting", Health::Progressing),
    ] {
        let told = told(&mut judge, checks.clone(), phase).unwrap();
        assert_eq!(told, (health, by.clone()), "{phase}");
    }
    let others = json!([{"apiVersion": "edge.example/v1", "kind": "Gate", "current": "false"}]);
    let told = told(&mut judge, others, "Starting").unwrap();
    assert_eq!(told, (Health::Healthy, Some("kstatus".to_owned())));
}

#[test]
fn expressions_that_change_tell_anew_and_those_that_cannot_be_read_leave_it_to_argo_cd() {
    let mut judge = Judge::new(key());
    let current = |current: &str| json!([{"apiVersion": "edge.example/v1", "kind": "Site", "current": current}]);
    let health = |told: Option<(Health, Option<String>)>| told.map(|(health, _)| health);
    let up = told(&mut judge, current("true"), "Up");
    assert_eq!(health(up), Some(Health::Healthy));
    let waits = told(&mut judge, current("status.phase == 'Done'"), "Up");
    assert_eq!(health(waits), Some(Health::Progressing));
    let unknown = told(&mut judge, current("status.("), "Up");
    assert_eq!(health(unknown), Some(Health::Unknown));
    // kstatus would call what it does not know healthy.
    assert_eq!(told(&mut judge, json!([{"kind": "Site"}]), "Up"), None);
}

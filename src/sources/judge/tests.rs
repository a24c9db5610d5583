//! Assignments and objects in, facts out.

use serde_json::json;

use super::*;
use crate::domain::{
    ChangeOp, DesiredObject, DriftState, Health, ManagedResource, Tracking, UnjudgedReason,
    VerdictSource,
};

const NS: &str = "edge-microservice-namespace";

fn app_ref(name: &str) -> AppRef {
    AppRef {
        kind: crate::domain::AppKind::Application,
        hub: "hub-1".into(),
        namespace: "argocd".into(),
        name: name.into(),
    }
}

fn id_of(kind: &str, name: &str) -> String {
    format!("edge-microservice:{kind}:{NS}/{name}")
}

fn deployment(replicas: i64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "edge-microservice", "namespace": NS, "annotations": {"argocd.argoproj.io/tracking-id": id_of("apps/Deployment", "edge-microservice")}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "edge-microservice"}}}})
}

fn secret(value: &str) -> Value {
    use base64::Engine as _;
    let encoded = base64::engine::general_purpose::STANDARD.encode(value);
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vault-secret", "namespace": NS}, "data": {"db_password": encoded}})
}

fn key() -> Arc<SealKey> {
    Arc::new(SealKey::new([7; 32]))
}

fn wanted_object(mut body: Value) -> Arc<DesiredObject> {
    drift::seal(&mut body, &key());
    Arc::new(DesiredObject {
        object: ObjectRef::of(&body).unwrap(),
        body: body.into(),
        repo: "https://git.example/fleet.git".into(),
        revision: "9f31c02".into(),
        path: "microserviceA/all.yaml".into(),
    })
}

fn assignment(deployed: Vec<Value>, target: Vec<Value>) -> AppAssignment {
    AppAssignment {
        app: app_ref("edge-microservice"),
        tracking: Tracking::default(),
        instance: "edge-microservice".into(),
        namespace: NS.into(),
        deployed_revision: "9f31c02".into(),
        target_revision: "9f31c02".into(),
        deployed: deployed.into_iter().map(wanted_object).collect(),
        target: target.into_iter().map(wanted_object).collect(),
        resources: Vec::new(),
        ignore_differences: None,
        health_checks: None,
        server: "https://edge-oslo-003:6443".into(),
        sync_options: Vec::new(),
        compare_options: "".into(),
        stand_in: false,
        unjudged: None,
    }
}

fn assigned(apps: Vec<AppAssignment>) -> Arc<ClusterAssignments> {
    Arc::new(ClusterAssignments {
        apps: apps.into_iter().map(Arc::new).collect(),
    })
}

fn judge_of(bodies: Vec<Value>) -> Judge {
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![assignment(bodies.clone(), bodies)]));
    judge
}

fn gvk(group: &str, kind: &str) -> Gvk {
    Gvk::new(group, "v1", kind)
}

fn live(mut object: Value, version: &str) -> Value {
    object["metadata"]["resourceVersion"] = json!(version);
    object["metadata"]["uid"] = json!("u-1");
    object
}

fn resources(facts: &[Fact]) -> Vec<&Resource> {
    facts
        .iter()
        .flat_map(|f| match f {
            Fact::Kind { resources, .. } => resources.iter().collect(),
            Fact::Resource(r) => vec![&**r],
            _ => Vec::new(),
        })
        .collect()
}

fn states(facts: &[Fact]) -> Vec<Vec<DriftState>> {
    resources(facts)
        .iter()
        .map(|r| r.verdict.states.clone())
        .collect()
}

fn is_judged(facts: &[Fact]) -> bool {
    facts.iter().any(|f| matches!(f, Fact::AppJudged { .. }))
}

#[test]
fn an_object_as_git_wants_it_is_no_drift_and_completes_the_application() {
    let mut judge = judge_of(vec![deployment(2)]);
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    assert_eq!(states(&facts), [[]; 1]);
    assert!(is_judged(&facts));
    assert_eq!(&*resources(&facts)[0].resource_version, "5");
    assert!(resources(&facts)[0].bodies.is_none());
}

#[test]
fn an_edit_is_told_with_its_field_and_both_documents() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    let facts = judge.changed(&gvk("apps", "Deployment"), live(deployment(5), "6"));
    let found = resources(&facts)[0];
    assert_eq!(found.verdict.changes[0].path, "spec.replicas");
    assert_eq!(found.verdict.changes[0].op, ChangeOp::Changed);
    let bodies = found.bodies.as_ref().unwrap();
    assert_eq!(bodies.live.as_ref().unwrap()["spec"]["replicas"], 5);
    assert_eq!(bodies.desired.as_ref().unwrap()["spec"]["replicas"], 2);
}

#[test]
fn the_same_bytes_again_tell_nothing() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    assert!(
        judge
            .changed(&gvk("apps", "Deployment"), live(deployment(2), "5"))
            .is_empty()
    );
}

#[test]
fn a_deleted_object_is_missing_and_a_list_without_it_too() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    let facts = judge.gone(&gvk("apps", "Deployment"), &live(deployment(2), "6"));
    assert_eq!(states(&facts), [[DriftState::Missing]]);
    let facts = judge.listed(&gvk("apps", "Deployment"), &Part::whole(), Vec::new());
    assert_eq!(states(&facts), [[DriftState::Missing]]);
}

#[test]
fn an_object_with_our_mark_that_git_lacks_is_extra_and_others_pass_by() {
    let mut judge = judge_of(vec![deployment(2)]);
    let mut extra = deployment(1);
    extra["metadata"]["name"] = json!("leftover");
    extra["metadata"]["annotations"] =
        json!({"argocd.argoproj.io/tracking-id": id_of("apps/Deployment", "leftover")});
    let mut foreign = deployment(1);
    foreign["metadata"]["name"] = json!("foreign");
    foreign["metadata"]["annotations"] = json!({});
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![
            live(deployment(2), "5"),
            live(extra.clone(), "6"),
            live(foreign, "7"),
        ],
    );
    let names: Vec<&str> = resources(&facts).iter().map(|r| &*r.object.name).collect();
    assert_eq!(names, ["edge-microservice", "leftover"]);
    assert_eq!(states(&facts)[1], [DriftState::Extra]);
    let gone = judge.gone(&gvk("apps", "Deployment"), &extra);
    assert!(matches!(&gone[..], [Fact::ResourceGone(object)] if &*object.name == "leftover"));
}

#[test]
fn a_copy_with_somebody_elses_mark_and_an_owned_object_claim_nothing() {
    let mut judge = judge_of(vec![deployment(2)]);
    let mut copy = deployment(1);
    copy["metadata"]["name"] = json!("copy");
    let mut owned = copy.clone();
    owned["metadata"]["name"] = json!("owned");
    owned["metadata"]["annotations"] =
        json!({"argocd.argoproj.io/tracking-id": id_of("apps/Deployment", "owned")});
    owned["metadata"]["ownerReferences"] = json!([{"kind": "Rollout", "name": "x"}]);
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![copy, owned],
    );
    assert_eq!(resources(&facts).len(), 1, "only the missing one");
}

#[test]
fn secret_values_never_stay_and_a_change_is_seen_as_marks() {
    let mut judge = judge_of(vec![secret("hunter2-canary")]);
    let facts = judge.listed(
        &gvk("", "Secret"),
        &Part::whole(),
        vec![live(secret("changed-canary"), "5")],
    );
    let found = resources(&facts)[0];
    assert_eq!(found.verdict.states, [DriftState::Edited]);
    assert_eq!(found.verdict.changes[0].live, Some(json!("••• 2")));
    let everything = format!("{facts:?}");
    for part in ["canary", "aHVudGVy", "Y2hhbmdl"] {
        assert!(!everything.contains(part), "{part} leaked");
    }
    assert_eq!(
        found.bodies.as_ref().unwrap().desired.as_ref().unwrap()["data"]["db_password"],
        "••• 1"
    );
}

#[test]
fn an_equal_secret_is_no_drift() {
    let mut judge = judge_of(vec![secret("same")]);
    let facts = judge.listed(
        &gvk("", "Secret"),
        &Part::whole(),
        vec![live(secret("same"), "5")],
    );
    assert_eq!(states(&facts), [[]; 1]);
}

#[test]
fn a_kind_that_cannot_be_read_is_unknown_and_neither_synced_nor_missing() {
    let mut judge = judge_of(vec![deployment(2)]);
    let facts = judge.unread(
        &gvk("apps", "Deployment"),
        &Safe::fixed("Not permitted: list deployments."),
    );
    assert_eq!(states(&facts), [[DriftState::Unknown]]);
    assert!(facts.iter().any(|f| matches!(f, Fact::KindUnread { .. })));
    assert!(is_judged(&facts));
}

#[test]
fn a_new_commit_is_judged_without_asking_the_cluster_again() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    let mut next = assignment(vec![deployment(2)], vec![deployment(3)]);
    next.target_revision = "abc".into();
    let answer = judge.assign(assigned(vec![next]));
    assert_eq!(states(&answer.facts), [[DriftState::Behind]]);
    assert!(answer.relist.is_empty());
    assert!(is_judged(&answer.facts));
}

#[test]
fn an_object_wanted_only_now_makes_its_kind_be_listed_again_and_is_not_missing_meanwhile() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    let mut second = deployment(1);
    second["metadata"]["name"] = json!("second");
    let mut grown = assignment(
        vec![deployment(2), second.clone()],
        vec![deployment(2), second.clone()],
    );
    grown.target_revision = "abc".into();
    let answer = judge.assign(assigned(vec![grown]));
    assert_eq!(answer.relist, [gvk("apps", "Deployment")]);
    assert!(states(&answer.facts).is_empty() && !is_judged(&answer.facts));
    let both = vec![live(deployment(2), "5"), live(second, "6")];
    let facts = judge.listed(&gvk("apps", "Deployment"), &Part::whole(), both);
    assert_eq!(states(&facts), [[], []] as [[DriftState; 0]; 2]);
    assert!(is_judged(&facts));
}

#[test]
fn a_kind_that_nobody_names_any_more_is_emptied() {
    let mut judge = judge_of(vec![deployment(2), secret("x")]);
    judge.listed(&gvk("", "Secret"), &Part::whole(), vec![secret("x")]);
    let answer = judge.assign(assigned(vec![assignment(
        vec![deployment(2)],
        vec![deployment(2)],
    )]));
    assert!(answer.facts.iter().any(|f| matches!(f, Fact::Kind { gvk, resources } if &*gvk.kind == "Secret" && resources.is_empty())));
    assert_eq!(answer.kinds, [gvk("apps", "Deployment")]);
}

#[test]
fn objects_of_an_unjudged_application_are_never_extra() {
    let mut judge = Judge::new(key());
    let mut unjudged = assignment(Vec::new(), Vec::new());
    unjudged.unjudged = Some(crate::domain::Unjudged {
        reason: crate::domain::UnjudgedReason::NeedsHelm,
        message: Safe::default(),
    });
    unjudged.resources = vec![crate::domain::ManagedResource {
        object: ObjectRef::of(&deployment(2)).unwrap(),
        sync: None,
        health: None,
        hook: false,
        requires_pruning: false,
    }];
    judge.assign(assigned(vec![unjudged]));
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(2), "5")],
    );
    assert!(resources(&facts).is_empty());
    assert!(
        is_judged(&facts),
        "whoever waits hears that no more will come"
    );
}

#[test]
fn an_application_that_turns_out_unjudged_has_its_kinds_listed_again() {
    let deployments = gvk("apps", "Deployment");
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![unjudged(UnjudgedReason::Pending)]));
    judge.listed(&deployments, &Part::whole(), vec![edited(5, Some(2))]);
    let hindered = assigned(vec![unjudged(UnjudgedReason::NeedsPlugin)]);
    let relist = judge.assign(hindered.clone()).relist;
    assert_eq!(relist, std::slice::from_ref(&deployments));
    let facts = judge.listed(&deployments, &Part::whole(), vec![edited(5, Some(2))]);
    assert_eq!(states(&facts), [vec![DriftState::Edited]]);
    let told = facts.iter().find_map(|fact| match fact {
        Fact::AppJudged { hindered, .. } => Some(hindered.clone()),
        _ => None,
    });
    let why = told.flatten().map(|why| why.reason);
    assert_eq!(why, Some(UnjudgedReason::NeedsPlugin), "it says so itself");
    assert!(judge.assign(hindered).relist.is_empty(), "once is enough");
}

#[test]
fn events_of_a_kind_that_is_not_watched_are_dropped() {
    let mut judge = judge_of(vec![deployment(2)]);
    assert!(
        judge
            .changed(&gvk("", "ConfigMap"), json!({"metadata": {"name": "x"}}))
            .is_empty()
    );
}

#[test]
fn namespaces_that_are_read_one_by_one_are_told_once_all_are_heard() {
    let mut judge = judge_of(vec![deployment(2)]);
    let part = |namespace: &str, complete| Part {
        namespace: Some(namespace.into()),
        complete,
    };
    let deployments = gvk("apps", "Deployment");
    assert!(
        judge
            .listed(&deployments, &part("other", false), Vec::new())
            .is_empty()
    );
    let facts = judge.listed(
        &deployments,
        &part(NS, true),
        vec![live(deployment(2), "5")],
    );
    assert_eq!(states(&facts), [[]; 1]);
    let facts = judge.listed(&deployments, &part("other", true), Vec::new());
    assert_eq!(
        states(&facts),
        [[]; 1],
        "the other namespace's list leaves this one's objects"
    );
}

fn hub_rules(script: &str) -> HubRules {
    let map = json!({"data": {"resource.customizations.health.apps_Deployment": script}});
    let overrides = crate::health::Overrides::of(&map).0;
    Arc::new(HashMap::from([("hub-1".into(), Arc::new(overrides))]))
}

fn health_of(facts: &[Fact]) -> Option<(Health, String)> {
    let (health, message) = resources(facts)[0].health.clone()?;
    Some((health, message.to_string()))
}

#[test]
fn a_lua_rule_of_the_hub_is_asked_once_a_version_and_its_answer_is_the_health() {
    let mut judge = judge_of(vec![deployment(2)]);
    judge.rules(hub_rules("first"));
    let kind = gvk("apps", "Deployment");
    let listed = judge.listed(&kind, &Part::whole(), vec![live(deployment(2), "5")]);
    assert_eq!(health_of(&listed), None);
    let questions = judge.questions();
    assert_eq!(questions.len(), 1);
    assert_eq!(&*questions[0].about.script, "first");
    assert_eq!(questions[0].object["spec"]["replicas"], 2);
    assert!(judge.questions().is_empty());
    let said = |text: &str| Ok(Some((Health::Degraded, text.to_owned())));
    let facts = judge.answered(questions[0].about.clone(), said("by lua"));
    assert_eq!(
        health_of(&facts),
        Some((Health::Degraded, "by lua".to_owned()))
    );
    let by = resources(&facts)[0].health_by.clone();
    assert_eq!(by, Some("argocd-cm lua apps/Deployment".into()));

    // A newer version keeps the word about the older one until the rule has spoken again.
    let changed = judge.changed(&kind, live(deployment(3), "6"));
    assert_eq!(
        health_of(&changed),
        Some((Health::Degraded, "by lua".to_owned()))
    );
    let again = judge.questions();
    assert_eq!(again.len(), 1);
    assert!(
        judge
            .answered(questions[0].about.clone(), said("late"))
            .is_empty()
    );
    let facts = judge.answered(again[0].about.clone(), said("anew"));
    assert_eq!(
        health_of(&facts),
        Some((Health::Degraded, "anew".to_owned()))
    );
}

#[test]
fn another_rule_is_asked_anew_and_without_one_argo_speaks_again() {
    let mut judge = judge_of(vec![deployment(2)]);
    let kind = gvk("apps", "Deployment");
    judge.listed(&kind, &Part::whole(), vec![live(deployment(2), "5")]);
    assert!(judge.questions().is_empty());
    judge.rules(hub_rules("first"));
    let first = judge.questions().remove(0).about;
    judge.answered(first, Err(crate::health::lua::LuaFault::Time));
    let facts = judge.rules(hub_rules("second"));
    assert_eq!(health_of(&facts), None);
    assert_eq!(&*judge.questions()[0].about.script, "second");
    let facts = judge.rules(HubRules::default());
    assert_eq!(health_of(&facts).map(|h| h.0), Some(Health::Progressing));
}

mod expressions;
mod inventory;
mod settings;
mod types;

/// An application that cannot be judged for this reason, and that Argo CD says manages a Deployment.
fn unjudged(reason: UnjudgedReason) -> AppAssignment {
    let mut app = assignment(Vec::new(), Vec::new());
    app.unjudged = Some(crate::domain::Unjudged {
        reason,
        message: "It needs a plugin.".into(),
    });
    app.resources = vec![ManagedResource {
        object: ObjectRef::of(&deployment(2)).unwrap(),
        sync: None,
        health: None,
        hook: false,
        requires_pruning: false,
    }];
    app
}

/// The Deployment as it lives, and as it was last applied.
fn edited(live_replicas: i64, applied: Option<i64>) -> Value {
    let mut object = live(deployment(live_replicas), "5");
    if let Some(applied) = applied {
        let text = deployment(applied).to_string();
        object["metadata"]["annotations"][drift::seal::LAST_APPLIED] = json!(text);
    }
    object
}

#[test]
fn without_a_desired_state_what_was_last_applied_tells_edits_and_says_what_it_is() {
    let deployments = gvk("apps", "Deployment");
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![unjudged(UnjudgedReason::NeedsPlugin)]));
    let facts = judge.listed(&deployments, &Part::whole(), vec![edited(5, Some(2))]);
    let found = resources(&facts);
    assert_eq!(found.len(), 1);
    let verdict = &found[0].verdict;
    assert_eq!(verdict.states, [DriftState::Edited]);
    assert_eq!(verdict.source, VerdictSource::LastApplied);
    assert_eq!(verdict.changes[0].path, "spec.replicas");
    assert!(
        is_judged(&facts),
        "whoever waits hears that no more will come"
    );
    assert_eq!(
        states(&judge.changed(&deployments, edited(2, Some(2)))),
        [Vec::new()]
    );
    assert!(
        resources(&judge.changed(&deployments, edited(5, None))).is_empty(),
        "nothing is known of it"
    );
}

#[test]
fn a_reason_that_may_pass_is_no_reason_for_a_guess() {
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![unjudged(UnjudgedReason::Pending)]));
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![edited(5, Some(2))],
    );
    assert!(resources(&facts).is_empty());
}

#[test]
fn objects_judged_by_argo_cds_api_say_so() {
    let mut app = assignment(vec![deployment(2)], vec![deployment(2)]);
    app.stand_in = true;
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![app]));
    let facts = judge.listed(
        &gvk("apps", "Deployment"),
        &Part::whole(),
        vec![live(deployment(5), "5")],
    );
    assert_eq!(resources(&facts)[0].verdict.source, VerdictSource::ArgoApi);
}

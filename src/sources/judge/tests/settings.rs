//! What argocd-cm and annotations say does not count, and that it is listed all the same.

use super::*;
use crate::domain::{CompareMode, WHOLE};
use pretty_assertions::assert_eq;

/// An application whose hub's argocd-cm says this.
fn under(argocd_cm: Value, bodies: Vec<Value>) -> AppAssignment {
    let mut app = assignment(bodies.clone(), bodies);
    let texts = argocd_cm.as_object().unwrap().iter();
    let texts = texts.map(|(k, v)| (k.as_str().into(), v.as_str().unwrap().into()));
    app.tracking.comparing = Arc::new(texts.collect());
    app
}

fn judged(app: AppAssignment, kind: &Gvk, found: Vec<Value>) -> Vec<Resource> {
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![app]));
    let facts = judge.listed(kind, &Part::whole(), found);
    resources(&facts).into_iter().cloned().collect()
}

/// Paths and reasons of what does not count.
fn ignored(resource: &Resource) -> Vec<(&str, &str)> {
    let ignored = resource.verdict.ignored.iter();
    ignored.map(|i| (&*i.path, &*i.reason)).collect()
}

#[test]
fn an_excluded_kind_counts_nothing_and_lists_everything() {
    let exclusions = "- apiGroups: [apps]\n  kinds: [Deployment]\n  clusters: ['https://edge-*']\n";
    let app = under(
        json!({"resource.exclusions": exclusions}),
        vec![deployment(2)],
    );
    let kind = gvk("apps", "Deployment");
    let why = "resource.exclusions in argocd-cm names this kind, so Argo CD never looks at it";
    let found = judged(app.clone(), &kind, vec![live(deployment(5), "5")]);
    assert_eq!(found[0].verdict.states, []);
    assert_eq!(ignored(&found[0]), [("spec.replicas", why)]);
    let found = judged(app.clone(), &kind, Vec::new());
    assert_eq!(found[0].verdict.states, []);
    assert_eq!(ignored(&found[0]), [(WHOLE, why)]);
    let mut elsewhere = app;
    elsewhere.server = "https://hub:6443".into();
    let found = judged(elsewhere, &kind, vec![live(deployment(5), "5")]);
    assert_eq!(found[0].verdict.states, [DriftState::Edited]);
}

#[test]
fn an_extra_object_that_asks_not_to_count_and_a_hook_are_listed_with_the_reason() {
    let mut object = deployment(1);
    let with = |object: &mut Value, name: &str, key: &str, value: &str| {
        object["metadata"]["name"] = json!(name);
        object["metadata"]["annotations"] =
            json!({"argocd.argoproj.io/tracking-id": id_of("apps/Deployment", name), key: value});
        object.clone()
    };
    let extraneous = with(
        &mut object,
        "extraneous",
        "argocd.argoproj.io/compare-options",
        "ServerSideDiff=false, IgnoreExtraneous",
    );
    let hook = with(
        &mut object,
        "hook",
        "argocd.argoproj.io/hook",
        "PreSync,PostSync",
    );
    let kept = with(
        &mut object,
        "kept",
        "argocd.argoproj.io/sync-options",
        "Prune=false",
    );
    let app = assignment(Vec::new(), vec![deployment(2)]);
    let found = judged(
        app,
        &gvk("apps", "Deployment"),
        vec![extraneous, hook, kept],
    );
    let of = |name: &str| found.iter().find(|r| *r.object.name == *name).unwrap();
    assert_eq!(
        ignored(of("extraneous")),
        [(
            WHOLE,
            "not in Git, and its compare-options say IgnoreExtraneous"
        )]
    );
    assert!(!of("extraneous").verdict.is_drift());
    assert_eq!(
        ignored(of("hook")),
        [(
            WHOLE,
            "not compared: it is a hook, which comes and goes with a sync"
        )]
    );
    assert_eq!(of("hook").verdict.handling.hooks, ["PreSync", "PostSync"]);
    assert_eq!(of("kept").verdict.states, [DriftState::Extra]);
    assert_eq!(of("kept").verdict.handling.options, ["Prune=false".into()]);
}

#[test]
fn the_rules_of_roles_that_aggregate_others_count_unless_the_hub_says_otherwise() {
    let role = |verb: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "edge"},
            "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": [verb]}]})
    };
    let kind = gvk("rbac.authorization.k8s.io", "ClusterRole");
    let with = |options: &str| {
        let app = under(
            json!({"resource.compareoptions": options}),
            vec![role("get")],
        );
        judged(app, &kind, vec![role("list")]).remove(0)
    };
    assert_eq!(with("{}").verdict.states, [DriftState::Edited]);
    let found = with("ignoreAggregatedRoles: true");
    assert_eq!(found.verdict.states, []);
    assert_eq!(
        ignored(&found),
        [(
            "rules[0].verbs",
            "resource.compareoptions in argocd-cm ignores the rules of roles that aggregate others"
        )]
    );
}

#[test]
fn status_counts_only_where_the_hub_has_it_compared() {
    let mut wanted = deployment(2);
    wanted["status"] = json!({"phase": "Ready"});
    let mut found = deployment(2);
    found["status"] = json!({"phase": "Lost", "since": "today"});
    let with = |options: &str| {
        let app = under(
            json!({"resource.compareoptions": options}),
            vec![wanted.clone()],
        );
        judged(app, &gvk("apps", "Deployment"), vec![found.clone()]).remove(0)
    };
    for word in ["{}", "ignoreResourceStatusField: all"] {
        let found = with(word);
        assert_eq!(found.verdict.states, [], "{word}");
        assert_eq!(ignored(&found)[0].0, "status");
    }
    for word in ["crd", "off", "'off'", "none"] {
        let found = with(&format!("ignoreResourceStatusField: {word}"));
        let paths: Vec<&str> = found.verdict.changes.iter().map(|c| &*c.path).collect();
        assert_eq!(paths, ["status.phase"], "{word}");
    }
}

#[test]
fn known_types_and_sensitive_annotations_of_argocd_cm_are_heeded() {
    let app = under(
        json!({"resource.customizations.knownTypeFields.edge.example_Tunnel": "- field: spec.cpu\n  type: core/Quantity\n"}),
        vec![
            json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "up", "namespace": NS}, "spec": {"cpu": "1000m"}}),
        ],
    );
    let mut judge = Judge::new(key());
    judge.assign(assigned(vec![app]));
    let kind = gvk("edge.example", "Tunnel");
    judge.listed(&kind, &Part::whole(), vec![json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "up", "namespace": NS}, "spec": {"cpu": "1"}})]);
    assert_eq!(states(&judge.wait_no_longer()), [[]; 1]);
}

#[test]
fn annotations_that_are_called_sensitive_are_sealed_even_when_the_word_comes_late() {
    let noted = |text: &str| {
        let mut secret = secret("hunter2");
        secret["metadata"]["annotations"] = json!({"edge/api-key": text});
        secret
    };
    let mut judge = judge_of(vec![noted("canary-one")]);
    let kind = gvk("", "Secret");
    let plain = judge.listed(&kind, &Part::whole(), vec![live(noted("canary-two"), "5")]);
    assert!(format!("{plain:?}").contains("canary-two"));
    let app = under(
        json!({"resource.sensitive.mask.annotations": "edge/api-key"}),
        vec![noted("canary-one")],
    );
    let facts = judge.assign(assigned(vec![app])).facts;
    assert_eq!(
        resources(&facts)[0].verdict.changes[0].path,
        "metadata.annotations[\"edge/api-key\"]"
    );
    assert!(!format!("{facts:?}").contains("canary"), "{facts:?}");
}

#[test]
fn the_way_of_comparing_and_the_wave_are_told() {
    let mut wanted = deployment(2);
    wanted["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] = json!("3");
    let mut app = assignment(vec![wanted.clone()], vec![wanted.clone()]);
    app.tracking.server_side_diff = true;
    let found = judged(
        app.clone(),
        &gvk("apps", "Deployment"),
        vec![wanted.clone()],
    );
    let handling = &found[0].verdict.handling;
    assert_eq!((handling.wave, handling.mode), (3, CompareMode::ServerSide));
    app.compare_options = "ServerSideDiff=false".into();
    app.sync_options = vec!["ServerSideApply=true".into()];
    let found = judged(app, &gvk("apps", "Deployment"), vec![wanted]);
    assert_eq!(found[0].verdict.handling.mode, CompareMode::StructuredMerge);
}

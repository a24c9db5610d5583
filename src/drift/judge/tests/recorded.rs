//! What the server's record of owners settles: who removed a field, who filled one in, and how elements of custom kinds are matched.

use pretty_assertions::assert_eq;
use serde_json::json;

use super::{own, pair};
use crate::domain::Change;
use crate::drift::judge::{ignored_paths, paths};

const EARLY: &str = "2026-11-20T08:00:00Z";
const LATE: &str = "2026-11-20T09:00:00Z";

/// Path, manager, and whether it is inferred.
fn names(changes: &[Change]) -> Vec<(&str, Option<&str>, bool)> {
    changes
        .iter()
        .map(|c| {
            let (owner, inferred) = (
                c.owner.as_ref().map(|o| o.manager.as_str()),
                c.owner_inferred,
            );
            (c.path.as_str(), owner, inferred)
        })
        .collect()
}

/// A tool that applies `false` where the server keeps nothing for it still has the field on record.
#[test]
fn who_applied_a_field_as_nothing_has_removed_it_on_record() {
    let git = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "historian"}, "spec": {"publishNotReadyAddresses": true}});
    let mut live = git.clone();
    live["spec"] = json!({});
    own(&mut live, "argocd-controller", "Apply", EARLY, json!({}));
    own(
        &mut live,
        "edge-tuner",
        "Apply",
        LATE,
        json!({"f:spec": {"f:publishNotReadyAddresses": {}}}),
    );
    assert_eq!(
        names(&pair(&git, &live).changes),
        [("spec.publishNotReadyAddresses", Some("edge-tuner"), false)]
    );
}

#[test]
fn who_owns_the_whole_around_an_element_has_removed_it() {
    let rules =
        |verbs: &[&str]| json!([{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}]);
    let role = |verbs: &[&str]| json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "r"}, "rules": rules(verbs)});
    let git = role(&["get", "list"]);
    let mut live = role(&["get"]);
    own(&mut live, "argocd-controller", "Update", EARLY, json!({}));
    own(
        &mut live,
        "edge-tuner",
        "Apply",
        LATE,
        json!({"f:rules": {}}),
    );
    assert_eq!(
        names(&pair(&git, &live).changes),
        [("rules[0].verbs", Some("edge-tuner"), false)]
    );
}

#[test]
fn false_and_zero_are_words_of_gits_and_an_empty_text_is_a_blank() {
    let hook = |bundle: &str| {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"paused": false, "minReadySeconds": 0,
        "template": {"spec": {"hostname": bundle}}}})
    };
    let git = hook("");
    let mut live = hook("filled");
    live["spec"]["paused"] = json!(true);
    live["spec"]["minReadySeconds"] = json!(5);
    let fields = json!({"f:spec": {"f:paused": {}, "f:minReadySeconds": {}, "f:template": {"f:spec": {"f:hostname": {}}}}});
    own(&mut live, "config-sync-operator", "Update", LATE, fields);
    let verdict = pair(&git, &live);
    assert_eq!(
        paths(&verdict.changes),
        ["spec.minReadySeconds", "spec.paused"]
    );
    assert_eq!(
        ignored_paths(&verdict.ignored),
        ["spec.template.spec.hostname"]
    );
}

/// A volume's claim is taken apart field by field, references elsewhere are one value.
#[test]
fn a_reference_may_be_one_value_in_one_place_and_not_in_another() {
    let volume = |claim| json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"}, "spec": {"claimRef": claim}});
    let git = volume(json!({"namespace": "edge", "name": "data"}));
    let mut live = volume(json!({"namespace": "edge", "name": "data", "uid": "5b0e"}));
    own(
        &mut live,
        "kubectl-edit",
        "Update",
        LATE,
        json!({"f:spec": {"f:claimRef": {"f:uid": {}}}}),
    );
    let verdict = pair(&git, &live);
    assert_eq!(paths(&verdict.changes), Vec::<&str>::new());
    assert_eq!(ignored_paths(&verdict.ignored), ["spec.claimRef.uid"]);
}

/// A custom kind whose schema fills in a part of the key, as its field sets show.
fn widget(ports: serde_json::Value, steps: serde_json::Value) -> serde_json::Value {
    json!({"apiVersion": "edge.example/v1", "kind": "Widget", "metadata": {"name": "press"}, "spec": {"ports": ports, "steps": steps}})
}

#[test]
fn a_part_of_a_key_that_a_custom_schema_fills_in_does_not_make_another_element() {
    let git = widget(
        json!([{"port": 80, "name": "web"}, {"port": 81}]),
        json!([{"run": "start"}]),
    );
    let mut live = widget(
        json!([{"port": 80, "protocol": "TCP", "name": "www"}, {"port": 81, "protocol": "TCP"}]),
        json!([{"run": "start", "retries": 3}]),
    );
    let keys = json!({"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}}, "k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}}});
    own(
        &mut live,
        "kubectl-edit",
        "Update",
        LATE,
        json!({"f:spec": {"f:ports": keys, "f:steps": {}}}),
    );
    let verdict = pair(&git, &live);
    assert_eq!(
        paths(&verdict.changes),
        ["spec.ports[port=80,protocol=TCP].name"]
    );
    assert!(
        ignored_paths(&verdict.ignored).contains(&"spec.steps[0].retries"),
        "nobody can tell a default of a custom kind from an addition: {:?}",
        verdict.ignored
    );
}

#[test]
fn an_element_that_agrees_with_two_is_neither() {
    let git = widget(json!([{"port": 80}]), json!([]));
    let mut live = widget(
        json!([{"port": 80, "protocol": "TCP"}, {"port": 80, "protocol": "UDP"}]),
        json!([]),
    );
    let keys = json!({"k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}}, "k:{\"port\":80,\"protocol\":\"UDP\"}": {".": {}}});
    own(
        &mut live,
        "kubectl-edit",
        "Update",
        LATE,
        json!({"f:spec": {"f:ports": keys}}),
    );
    assert!(paths(&pair(&git, &live).changes).contains(&"spec.ports[port=80]"));
}

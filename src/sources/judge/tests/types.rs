//! Custom kinds and their types.

use super::*;
use crate::drift::openapi::CustomSchema;
use crate::sources::schemas::Published;
use pretty_assertions::assert_eq;

fn tunnel(routes: Value, extra: Value) -> Value {
    let mut object = json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "uplink", "namespace": NS},
        "spec": {"routes": routes}});
    json_patch::merge(&mut object, &extra);
    object
}

fn routes(hosts: &[&str]) -> Value {
    hosts
        .iter()
        .map(|host| json!({"host": host, "weight": 1}))
        .collect()
}

fn schema() -> Published {
    let definition = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "routes": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["host", "port"],
            "items": {"type": "object", "properties": {"host": {"type": "string"}, "port": {"type": "integer", "default": 443}, "weight": {"type": "integer"}}}},
        "mode": {"type": "string", "default": "auto"},
        "memory": {"x-kubernetes-int-or-string": true, "pattern": "^([0-9]+)([KMGTPE]i)?$"},
    }}}}}}]}});
    Published::Schema(Arc::new(CustomSchema::of_crd(&definition, "v1").unwrap()))
}

fn kind() -> Gvk {
    gvk("edge.example", "Tunnel")
}

fn listed(judge: &mut Judge, live_object: Value) -> Vec<Fact> {
    judge.listed(&kind(), &Part::whole(), vec![live(live_object, "5")])
}

#[test]
fn a_custom_kind_waits_for_its_type_and_is_compared_by_it() {
    let wanted = tunnel(routes(&["a", "b"]), json!({"spec": {"memory": "1024Mi"}}));
    let mut judge = judge_of(vec![wanted, deployment(1)]);
    assert_eq!(
        judge.custom_kinds().into_iter().collect::<Vec<_>>(),
        [kind()]
    );
    let mut found = tunnel(
        routes(&["b", "a"]),
        json!({"spec": {"mode": "auto", "memory": "1Gi"}}),
    );
    for route in found["spec"]["routes"].as_array_mut().unwrap() {
        route["port"] = json!(443);
    }
    assert!(listed(&mut judge, found.clone()).is_empty());
    assert!(judge.awaits_types());
    let facts = judge.published(&kind(), schema());
    assert_eq!(states(&facts), [[]; 1], "{facts:?}");
    let ignored = &resources(&facts)[0].verdict.ignored;
    assert_eq!(ignored[0].path, "spec.mode");
    assert_eq!(ignored[0].reason, "not set by Git: defaulted by the server");
    found["spec"]["routes"][0]["weight"] = json!(9);
    let facts = judge.changed(&kind(), live(found, "6"));
    assert_eq!(
        resources(&facts)[0].verdict.changes[0].path,
        "spec.routes[host=b,port=443].weight"
    );
}

#[test]
fn a_type_that_does_not_come_holds_nothing_up_and_counts_when_it_comes() {
    let mut judge = judge_of(vec![tunnel(json!([]), json!({"spec": {"memory": "1Gi"}}))]);
    let found = tunnel(json!([]), json!({"spec": {"memory": "1024Mi"}}));
    assert!(listed(&mut judge, found).is_empty());
    let facts = judge.wait_no_longer();
    assert_eq!(states(&facts), [[DriftState::Edited]]);
    assert!(is_judged(&facts));
    assert_eq!(states(&judge.published(&kind(), schema())), [[]; 1]);
    assert!(
        judge.published(&kind(), schema()).is_empty(),
        "the same type costs nothing"
    );
}

#[test]
fn a_kind_without_a_type_says_so_in_its_rows() {
    let wanted = tunnel(routes(&["a"]), json!({}));
    let mut judge = judge_of(vec![wanted.clone()]);
    listed(&mut judge, wanted);
    let why = Published::Nothing("edge-oslo-003 refuses /openapi/v3 to ola.".into());
    let facts = judge.published(&kind(), why);
    let verdict = &resources(&facts)[0].verdict;
    assert!(!verdict.is_drift());
    assert_eq!(
        verdict.message.as_ref().unwrap().as_str(),
        "Compared without the kind's type, by what its objects show: edge-oslo-003 refuses /openapi/v3 to ola."
    );
}

#[test]
fn another_version_of_a_kind_is_heard_and_typed_anew() {
    let mut wanted = tunnel(routes(&["a"]), json!({}));
    let mut judge = judge_of(vec![wanted.clone()]);
    listed(&mut judge, wanted.clone());
    judge.published(&kind(), schema());
    wanted["apiVersion"] = json!("edge.example/v2");
    judge.assign(assigned(vec![assignment(
        vec![wanted.clone()],
        vec![wanted],
    )]));
    let second = Gvk::new("edge.example", "v2", "Tunnel");
    assert!(judge.awaits_types());
    assert!(judge.published(&kind(), schema()).is_empty());
    assert!(judge.custom_kinds().contains(&second));
}

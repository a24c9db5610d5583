use serde_json::json;

use super::*;
use crate::drift::schema::Shape;

fn deployment() -> Shape {
    Shape::of_object(&json!({"apiVersion": "apps/v1", "kind": "Deployment"}))
}

fn containers(list: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": list}}}})
}

#[test]
fn containers_are_merged_by_name_and_others_stay() {
    let git = containers(json!([{"name": "app", "image": "app:2"}]));
    let live = containers(
        json!([{"name": "proxy", "image": "proxy:1"}, {"name": "app", "image": "app:1", "imagePullPolicy": "Always"}]),
    );
    let patch = three_way(&git, &git, &live, deployment(), true).unwrap();
    assert_eq!(
        patch,
        json!({"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "app"}], "containers": [{"name": "app", "image": "app:2"}]}}}})
    );
    assert_eq!(
        apply(&live, &patch, deployment()).unwrap(),
        containers(
            json!([{"name": "proxy", "image": "proxy:1"}, {"name": "app", "image": "app:2", "imagePullPolicy": "Always"}])
        )
    );
}

#[test]
fn what_the_last_applied_manifest_had_is_deleted_by_key() {
    let before =
        containers(json!([{"name": "app", "image": "app:1"}, {"name": "old", "image": "old:1"}]));
    let git = containers(json!([{"name": "app", "image": "app:1"}]));
    let patch = three_way(&before, &git, &before, deployment(), true).unwrap();
    assert_eq!(apply(&before, &patch, deployment()).unwrap(), git);
}

#[test]
fn a_strategy_keeps_only_the_keys_that_git_names() {
    let git = json!({"spec": {"strategy": {"type": "Recreate"}}});
    let live =
        json!({"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}});
    let patch = three_way(&git, &git, &live, deployment(), true).unwrap();
    assert_eq!(
        patch,
        json!({"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}})
    );
    assert_eq!(apply(&live, &patch, deployment()).unwrap(), git);
}

#[test]
fn lists_that_do_not_merge_are_replaced() {
    let git = containers(json!([{"name": "app", "args": ["b"]}]));
    let live = containers(json!([{"name": "app", "args": ["a", "b"]}]));
    let patch = three_way(&git, &git, &live, deployment(), true).unwrap();
    assert_eq!(apply(&live, &patch, deployment()).unwrap(), git);
}

#[test]
fn an_unknown_field_is_an_error_only_when_it_differs() {
    let a = json!({"spec": {"unheard": {"x": 1}}});
    let b = json!({"spec": {"unheard": {"x": 2}}});
    assert_eq!(two_way(&a, &a, deployment()), Ok(json!({})));
    assert_eq!(
        two_way(&a, &b, deployment()),
        Err(MergeError::UnknownField("unheard".into()))
    );
}

#[test]
fn both_sides_changing_a_field_is_a_conflict_without_overwrite() {
    let original = json!({"spec": {"replicas": 1}});
    let modified = json!({"spec": {"replicas": 2}});
    let current = json!({"spec": {"replicas": 3}});
    assert_eq!(
        three_way(&original, &modified, &current, deployment(), false),
        Err(MergeError::Conflict)
    );
    assert_eq!(
        three_way(&original, &modified, &current, deployment(), true),
        Ok(json!({"spec": {"replicas": 2}}))
    );
}

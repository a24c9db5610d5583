use serde_json::json;

use super::*;
use crate::drift::openapi::CustomSchema;

const MANAGER: &str = "argocd-controller";

fn service(ports: Value, fields: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "edge-microservice", "managedFields": fields}, "spec": {"ports": ports}})
}

fn entry(manager: &str, operation: &str, fields: Value) -> Value {
    json!({"apiVersion": "v1", "manager": manager, "operation": operation, "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn applied(config: &Value, live: &Value) -> Applied {
    apply(config, live, schema_of(config, None), MANAGER).unwrap()
}

fn changed(config: &Value, live: &Value) -> Value {
    match applied(config, live) {
        Applied::Changed(value) => value,
        Applied::Unchanged => panic!("nothing changed"),
    }
}

#[test]
fn an_element_is_found_by_its_keys_and_their_defaults() {
    let live = service(
        json!([{"port": 80, "protocol": "TCP", "nodePort": 30080}]),
        json!([]),
    );
    let same = service(json!([{"port": 80}]), Value::Null);
    let same = without_managed(same);
    assert_eq!(applied(&same, &live), Applied::Unchanged);
    let more = without_managed(service(
        json!([{"port": 80}, {"port": 80, "protocol": "UDP"}]),
        Value::Null,
    ));
    let ports = &changed(&more, &live)["spec"]["ports"];
    assert_eq!(
        ports,
        &json!([{"port": 80, "protocol": "TCP", "nodePort": 30080}, {"port": 80, "protocol": "UDP"}])
    );
}

fn without_managed(mut object: Value) -> Value {
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

#[test]
fn what_the_manager_gives_up_goes_unless_somebody_else_owns_it() {
    let owned = json!({"f:spec": {"f:ports": {"k:{\"port\":81,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}, "k:{\"protocol\":\"TCP\",\"port\":82}": {".": {}, "f:port": {}}}}});
    let other = json!({"f:spec": {"f:ports": {"k:{\"port\":82,\"protocol\":\"TCP\"}": {".": {}, "f:port": {}}}}});
    let live = service(
        json!([{"port": 80}, {"port": 81}, {"port": 82}]),
        json!([
            entry(MANAGER, "Apply", owned),
            entry("kubectl-edit", "Update", other)
        ]),
    );
    let config = without_managed(service(json!([{"port": 80}]), Value::Null));
    assert_eq!(
        changed(&config, &live)["spec"]["ports"],
        json!([{"port": 80}, {"port": 82}])
    );
}

#[test]
fn a_struct_that_nobody_owns_any_more_goes_with_its_defaults() {
    let deployment = |spec: Value| json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec});
    let mut live = deployment(
        json!({"replicas": 2, "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": "25%"}}}),
    );
    live["metadata"]["managedFields"] = json!([entry(
        MANAGER,
        "Apply",
        json!({"f:spec": {"f:replicas": {}, "f:strategy": {"f:rollingUpdate": {"f:maxSurge": {}}}}})
    )]);
    let after = changed(&deployment(json!({"replicas": 2})), &live);
    assert_eq!(after["spec"], json!({"replicas": 2}));
}

#[test]
fn the_last_label_leaves_null_behind() {
    let mut live = service(
        json!([{"port": 80}]),
        json!([entry(
            MANAGER,
            "Apply",
            json!({"f:metadata": {"f:labels": {"f:team": {}}}})
        )]),
    );
    live["metadata"]["labels"] = json!({"team": "edge"});
    let config = without_managed(service(json!([{"port": 80}]), Value::Null));
    assert_eq!(changed(&config, &live)["metadata"]["labels"], Value::Null);
}

#[test]
fn what_the_server_would_refuse_is_refused() {
    let live = service(json!([{"port": 80}]), json!([]));
    let schema = schema_of(&live, None);
    let refused = |ports: Value| apply(&service(ports, json!([])), &live, schema, MANAGER);
    assert_eq!(
        refused(json!([{"port": 80}, {"port": 80, "protocol": "TCP"}])),
        Err(MergeError::SameKeys(
            "k:{\"port\":80,\"protocol\":\"TCP\"}".to_owned()
        ))
    );
    assert_eq!(
        refused(json!([{"port": 80, "prot": 1}])),
        Err(MergeError::UnknownField("prot".to_owned()))
    );
}

#[test]
fn custom_kinds_are_merged_by_their_schema_and_else_as_whole_lists() {
    let tunnel = |peers: Value| json!({"apiVersion": "edge.example/v1", "kind": "Tunnel", "metadata": {"name": "t"}, "spec": {"peers": peers}});
    let live = tunnel(json!([{"id": "a", "up": true}, {"id": "b"}]));
    let config = tunnel(json!([{"id": "a"}]));
    let deduced = apply(&config, &live, schema_of(&config, None), MANAGER).unwrap();
    assert_eq!(deduced, Applied::Changed(config.clone()));
    let crd = json!({"spec": {"versions": [{"name": "v1", "schema": {"openAPIV3Schema": {"properties": {"spec": {"properties": {"peers":
        {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["id"], "items": {"type": "object"}}}}}}}}]}});
    let schema = CustomSchema::of_crd(&crd, "v1").unwrap();
    let keyed = apply(&config, &live, schema_of(&config, Some(&schema)), MANAGER).unwrap();
    assert_eq!(keyed, Applied::Unchanged);
}

#[test]
fn shared_elements_follow_the_upper_order_and_the_rest_keeps_its_place() {
    let list = |names: &[&str]| -> Value { names.iter().map(|n| json!({"name": n})).collect() };
    let containers = Schema::Known(Shape::of_type("core/v1.PodSpec")).field("containers");
    let merged = merge(
        &list(&["sidecar", "a", "b", "tail"]),
        &list(&["b", "new", "a"]),
        containers,
    );
    assert_eq!(merged.unwrap(), list(&["sidecar", "b", "new", "a", "tail"]));
}

#[test]
fn modified_names_the_leaves_that_both_have_and_that_differ() {
    let a = service(
        json!([{"port": 80, "targetPort": 1}, {"port": 81}]),
        json!([]),
    );
    let b = service(json!([{"port": 80, "targetPort": 2}]), json!([]));
    let set = modified(&a, &b, schema_of(&a, None)).unwrap();
    let want = json!({"f:spec": {"f:ports": {"k:{\"port\":80,\"protocol\":\"TCP\"}": {"f:targetPort": {}}}}});
    assert_eq!(set, FieldSet::of_fields_v1(want.as_object().unwrap()));
}

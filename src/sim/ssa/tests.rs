//! Who owns what, told in stories of a Deployment and a ConfigMap on one edge.
#![expect(
    clippy::needless_pass_by_value,
    reason = "literal documents read better where they are written"
)]

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::sim::store::{
    ApiStatus, Key, KindSet, Patch, Store, StoreOptions, WriteOptions, Written,
};

struct Edge {
    store: Store,
    now: Timestamp,
}

impl Edge {
    fn new() -> Self {
        let now = "2026-11-21T05:00:00Z".parse().unwrap();
        let kinds = KindSet::bare().with_argo();
        Self {
            store: Store::new(StoreOptions::new(kinds, 7, now)),
            now,
        }
    }

    fn later(&mut self) {
        self.now += SignedDuration::from_secs(60);
    }

    fn key(&self, document: &Value) -> Key {
        let text = |v: &Value| v.as_str().unwrap().to_owned();
        let kind = text(&document["kind"]);
        let version = text(&document["apiVersion"]);
        let name = text(&document["metadata"]["name"]);
        self.store.key(&version, &kind, "default", &name).unwrap()
    }

    fn apply(&self, manager: &str, config: &Value) -> Result<Written, ApiStatus> {
        let options = WriteOptions::new(manager, self.now);
        let patch = Patch::Apply(config.clone());
        self.store.patch(&self.key(config), &patch, &options)
    }

    fn force(&self, manager: &str, config: &Value) -> Value {
        let options = WriteOptions::new(manager, self.now).forced();
        let patch = Patch::Apply(config.clone());
        let written = self.store.patch(&self.key(config), &patch, &options);
        written.unwrap().object.value()
    }

    fn merge(&self, manager: &str, of: &Value, patch: Value) -> Value {
        let options = WriteOptions::new(manager, self.now);
        let patch = Patch::Merge(patch);
        let written = self.store.patch(&self.key(of), &patch, &options);
        written.unwrap().object.value()
    }
}

fn deployment(replicas: Value, env: Value) -> Value {
    let mut container = json!({"name": "web", "image": "web:1"});
    if !env.is_null() {
        container["env"] = env;
    }
    let mut document = json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "default"},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}},
        },
    });
    if !replicas.is_null() {
        document["spec"]["replicas"] = replicas;
    }
    document
}

fn settings(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": "default"}, "data": data})
}

/// The fields a manager owns, as FieldsV1.
fn owned<'a>(document: &'a Value, manager: &str) -> &'a Value {
    let entries = document["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries.iter().find(|e| e["manager"] == manager);
    entry.map_or(&Value::Null, |e| &e["fieldsV1"])
}

fn managers(document: &Value) -> Vec<String> {
    let entries = document["metadata"]["managedFields"].as_array();
    let entries = entries.into_iter().flatten();
    entries
        .map(|e| {
            format!(
                "{} {}",
                e["manager"].as_str().unwrap(),
                e["operation"].as_str().unwrap()
            )
        })
        .collect()
}

#[test]
fn an_applier_owns_what_it_applies_and_not_what_the_server_defaults() {
    let edge = Edge::new();
    let written = edge
        .apply("argocd-controller", &deployment(json!(3), Value::Null))
        .unwrap();
    let live = written.object.value();
    assert!(written.created);
    assert_eq!(live["spec"]["revisionHistoryLimit"], 10);
    let fields = owned(&live, "argocd-controller");
    assert_eq!(fields["f:spec"]["f:replicas"], json!({}));
    assert_eq!(fields["f:spec"].get("f:revisionHistoryLimit"), None);
    assert_eq!(
        fields["f:spec"]["f:selector"],
        json!({}),
        "a selector is owned as a whole"
    );
}

#[test]
fn a_creator_owns_the_defaults_too() {
    let edge = Edge::new();
    let options = WriteOptions::new("kubectl-create", edge.now);
    let written = edge
        .store
        .create(deployment(Value::Null, Value::Null), &options)
        .unwrap();
    let live = written.object.value();
    let fields = owned(&live, "kubectl-create");
    assert_eq!(fields["f:spec"]["f:replicas"], json!({}));
    assert_eq!(
        fields["f:spec"]["f:strategy"]["f:rollingUpdate"]["."],
        json!({})
    );
    assert_eq!(
        fields["f:spec"].get("."),
        None,
        "spec is there before anybody writes it"
    );
    assert_eq!(fields["f:metadata"], Value::Null);
}

#[test]
fn an_edit_takes_the_field_from_the_applier_and_the_next_apply_conflicts() {
    let mut edge = Edge::new();
    let config = deployment(json!(3), Value::Null);
    edge.apply("argocd-controller", &config).unwrap();
    edge.later();
    let live = edge.merge("kubectl-edit", &config, json!({"spec": {"replicas": 1}}));
    assert_eq!(
        owned(&live, "kubectl-edit"),
        &json!({"f:spec": {"f:replicas": {}}})
    );
    assert_eq!(
        owned(&live, "argocd-controller")["f:spec"].get("f:replicas"),
        None
    );
    let refused = edge.apply("argocd-controller", &config).unwrap_err();
    assert_eq!((refused.code, refused.reason), (409, "Conflict"));
    assert_eq!(
        refused.message,
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1: .spec.replicas"
    );
    assert_eq!(
        refused.details.unwrap()["causes"][0],
        json!({"reason": "FieldManagerConflict", "message": "conflict with \"kubectl-edit\" using apps/v1", "field": ".spec.replicas"})
    );
}

#[test]
fn force_takes_the_field_back_and_the_editor_loses_its_entry() {
    let edge = Edge::new();
    let config = deployment(json!(3), Value::Null);
    edge.apply("argocd-controller", &config).unwrap();
    edge.merge("kubectl-edit", &config, json!({"spec": {"replicas": 1}}));
    let live = edge.force("argocd-controller", &config);
    assert_eq!(live["spec"]["replicas"], 3);
    assert_eq!(managers(&live), ["argocd-controller Apply"]);
}

#[test]
fn an_apply_that_wants_the_same_value_shares_it() {
    let edge = Edge::new();
    edge.apply("a", &settings(json!({"level": "info"})))
        .unwrap();
    let live = edge
        .apply("b", &settings(json!({"level": "info"})))
        .unwrap()
        .object
        .value();
    assert_eq!(managers(&live), ["a Apply", "b Apply"]);
    // One leaves it, the other keeps it there.
    let live = edge
        .apply("a", &settings(json!({"other": "x"})))
        .unwrap()
        .object
        .value();
    assert_eq!(live["data"], json!({"level": "info", "other": "x"}));
    let live = edge
        .apply("b", &settings(json!({})))
        .unwrap()
        .object
        .value();
    assert_eq!(live["data"], json!({"other": "x"}));
}

#[test]
fn what_an_applier_no_longer_applies_goes() {
    let edge = Edge::new();
    let both = json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    edge.apply("argocd-controller", &deployment(json!(3), both))
        .unwrap();
    let less = deployment(Value::Null, json!([{"name": "B", "value": "2"}]));
    let live = edge
        .apply("argocd-controller", &less)
        .unwrap()
        .object
        .value();
    let container = &live["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["env"], json!([{"name": "B", "value": "2"}]));
    assert_eq!(live["spec"]["replicas"], 1, "the default takes its place");
}

#[test]
fn an_entry_added_by_hand_stays_when_the_applier_applies_again() {
    let edge = Edge::new();
    let config = deployment(json!(3), json!([{"name": "A", "value": "1"}]));
    edge.apply("argocd-controller", &config).unwrap();
    let patch = json!({"spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "HAND", "value": "x"}]}]}}}});
    let options = WriteOptions::new("kubectl-patch", edge.now);
    edge.store
        .patch(&edge.key(&config), &Patch::Strategic(patch), &options)
        .unwrap();
    let live = edge
        .apply("argocd-controller", &config)
        .unwrap()
        .object
        .value();
    let env = &live["spec"]["template"]["spec"]["containers"][0]["env"];
    assert_eq!(env.as_array().unwrap().len(), 2);
    let containers =
        &owned(&live, "kubectl-patch")["f:spec"]["f:template"]["f:spec"]["f:containers"];
    assert_eq!(
        containers["k:{\"name\":\"web\"}"]["f:env"],
        json!({"k:{\"name\":\"HAND\"}": {".": {}, "f:name": {}, "f:value": {}}})
    );
}

#[test]
fn an_apply_of_the_same_changes_nothing() {
    let mut edge = Edge::new();
    let config = deployment(json!(3), Value::Null);
    let first = edge.apply("argocd-controller", &config).unwrap().object;
    edge.later();
    let again = edge.apply("argocd-controller", &config).unwrap().object;
    assert_eq!(first, again);
}

#[test]
fn objects_without_owners_get_before_first_apply() {
    let edge = Edge::new();
    let config = settings(json!({"level": "info"}));
    edge.apply("a", &config).unwrap();
    let live = edge.merge("x", &config, json!({"metadata": {"managedFields": [{}]}}));
    assert_eq!(live["metadata"].get("managedFields"), None);
    let live = edge.merge("x", &config, json!({"data": {"level": "debug"}}));
    assert_eq!(
        live["metadata"].get("managedFields"),
        None,
        "nobody tracks it now"
    );
    let refused = edge.apply("a", &config).unwrap_err();
    assert!(
        refused
            .message
            .contains("\"before-first-apply\" using v1: .data.level"),
        "{refused}"
    );
}

#[test]
fn kubectl_may_take_over_what_its_client_side_apply_set() {
    let edge = Edge::new();
    let applied = settings(json!({"level": "info"}));
    let mut created = applied.clone();
    created["metadata"]["annotations"] =
        json!({"kubectl.kubernetes.io/last-applied-configuration": applied.to_string()});
    let options = WriteOptions::new("kubectl-client-side-apply", edge.now);
    edge.store.create(created, &options).unwrap();
    assert_eq!(
        edge.apply("other", &settings(json!({"level": "debug"})))
            .unwrap_err()
            .code,
        409
    );
    let live = edge
        .apply("kubectl", &settings(json!({"level": "debug"})))
        .unwrap()
        .object
        .value();
    assert_eq!(live["data"]["level"], "debug");
    let note = &live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
    assert!(note.as_str().unwrap().contains("debug"), "{note}");
}

#[test]
fn ports_without_a_protocol_are_the_tcp_ones() {
    let edge = Edge::new();
    let mut config = deployment(Value::Null, Value::Null);
    config["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080}]);
    edge.apply("a", &config).unwrap();
    config["spec"]["template"]["spec"]["containers"][0]["ports"] = json!([{"containerPort": 8080, "protocol": "TCP"}, {"containerPort": 8080, "protocol": "UDP"}]);
    let live = edge.apply("a", &config).unwrap().object.value();
    let ports = &live["spec"]["template"]["spec"]["containers"][0]["ports"];
    assert_eq!(ports.as_array().unwrap().len(), 2);
}

#[test]
fn elements_of_both_sides_stand_in_the_order_of_the_configuration() {
    let edge = Edge::new();
    let names = |v: &Value| -> Vec<String> {
        let env = v["spec"]["template"]["spec"]["containers"][0]["env"]
            .as_array()
            .unwrap();
        env.iter()
            .map(|e| e["name"].as_str().unwrap().to_owned())
            .collect()
    };
    let env = |names: &[&str]| {
        names
            .iter()
            .map(|n| json!({"name": n, "value": "1"}))
            .collect::<Value>()
    };
    edge.apply("one", &deployment(Value::Null, env(&["A", "X", "B"])))
        .unwrap();
    let live = edge
        .apply("two", &deployment(Value::Null, env(&["N", "B", "A"])))
        .unwrap();
    assert_eq!(names(&live.object.value()), ["X", "N", "B", "A"]);
}

#[test]
fn a_scale_is_recorded_with_its_door() {
    let edge = Edge::new();
    let config = deployment(json!(3), Value::Null);
    edge.apply("argocd-controller", &config).unwrap();
    let mut options = WriteOptions::new("kubectl-scale", edge.now);
    options.subresource = crate::sim::store::Subresource::Scale;
    let scale = Patch::Merge(json!({"spec": {"replicas": 5}}));
    let live = edge
        .store
        .patch(&edge.key(&config), &scale, &options)
        .unwrap()
        .object
        .value();
    let entries = live["metadata"]["managedFields"].as_array().unwrap();
    let entry = entries
        .iter()
        .find(|e| e["manager"] == "kubectl-scale")
        .unwrap();
    assert_eq!(entry["subresource"], "scale");
    assert_eq!(live["spec"]["replicas"], 5);
    let refused = edge.apply("argocd-controller", &config).unwrap_err();
    assert!(
        refused
            .message
            .contains("\"kubectl-scale\" with subresource \"scale\" using apps/v1: .spec.replicas")
    );
}

#[test]
fn the_eleventh_updater_melts_the_oldest_two_together() {
    let mut edge = Edge::new();
    let config = settings(json!({"a0": "0"}));
    edge.apply("argocd-controller", &config).unwrap();
    let mut live = Value::Null;
    for i in 0..12 {
        edge.later();
        live = edge.merge(
            &format!("hand-{i}"),
            &config,
            json!({"data": {format!("k{i}"): "x"}}),
        );
    }
    let names = managers(&live);
    assert_eq!(names.iter().filter(|n| n.ends_with("Update")).count(), 10);
    assert_eq!(
        owned(&live, "ancient-changes")["f:data"],
        json!({"f:k0": {}, "f:k1": {}, "f:k2": {}})
    );
}

#[test]
fn an_application_is_owned_field_by_field_from_its_spec_down() {
    let edge = Edge::new();
    let app = json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web", "namespace": "default"},
        "spec": {"project": "default", "destination": {"server": "https://edge"}}});
    let options = WriteOptions::new("kubectl-create", edge.now);
    let live = edge.store.create(app, &options).unwrap().object.value();
    assert_eq!(
        owned(&live, "kubectl-create"),
        &json!({"f:spec": {".": {}, "f:destination": {".": {}, "f:server": {}}, "f:project": {}}})
    );
}

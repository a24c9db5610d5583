//! Manifests in, an application's objects out.

use serde_json::json;

use super::*;
use crate::domain::Gvk;

fn content(bodies: Vec<Value>) -> Content {
    let manifests = bodies.into_iter().map(|body| Manifest {
        object: ObjectRef::of(&body).unwrap(),
        body: Arc::new(body),
        file: "edge/all.yaml".into(),
    });
    Content {
        manifests: manifests.collect(),
        ..Content::default()
    }
}

fn recipe() -> Recipe {
    Recipe {
        instance: "edge-microservice".into(),
        namespace: "edge".into(),
        ..Recipe::default()
    }
}

fn placement() -> Placement {
    recipe().placement()
}

/// The documents of an application at some commit.
fn documents(bodies: Vec<Value>) -> Vec<Value> {
    let prepared = prepare(&content(bodies), &placement());
    let objects = at_commit(&prepared, &recipe(), &"repo".into(), &"commit".into());
    objects.iter().map(|o| o.body.document()).collect()
}

fn manifest(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name}})
}

fn names(prepared: &Prepared) -> Vec<String> {
    prepared
        .objects
        .iter()
        .map(|o| o.object.to_string())
        .collect()
}

#[test]
fn namespaced_objects_get_the_destinations_namespace_and_others_lose_theirs() {
    let mut role = manifest("rbac.authorization.k8s.io/v1", "ClusterRole", "reader");
    role["metadata"]["namespace"] = json!("wrong");
    let mut own = manifest("v1", "ConfigMap", "own");
    own["metadata"]["namespace"] = json!("monitoring");
    let content = content(vec![manifest("apps/v1", "Deployment", "web"), role, own]);
    let prepared = prepare(&content, &placement());
    assert_eq!(
        names(&prepared),
        [
            "Deployment edge/web",
            "ClusterRole reader",
            "ConfigMap monitoring/own"
        ]
    );
    let namespaces: Vec<Option<&Value>> = prepared
        .objects
        .iter()
        .map(|o| o.body.pointer("/metadata/namespace"))
        .collect();
    assert_eq!(
        namespaces,
        [Some(&json!("edge")), None, Some(&json!("monitoring"))]
    );
}

#[test]
fn the_tracking_id_is_made_of_what_the_manifest_states() {
    let mut role = manifest("rbac.authorization.k8s.io/v1", "ClusterRole", "reader");
    let id = |role: &Value| {
        documents(vec![role.clone()])[0]["metadata"]["annotations"][tracking::TRACKING_ID].clone()
    };
    assert_eq!(
        id(&role),
        "edge-microservice:rbac.authorization.k8s.io/ClusterRole:edge/reader"
    );
    role["metadata"]["namespace"] = json!("wrong");
    assert_eq!(
        id(&role),
        "edge-microservice:rbac.authorization.k8s.io/ClusterRole:wrong/reader"
    );
}

#[test]
fn a_custom_kinds_scope_comes_from_its_crd_or_from_what_the_engine_saw() {
    let custom = || content(vec![manifest("edge.example/v1", "Site", "oslo")]);
    assert_eq!(names(&prepare(&custom(), &placement())), ["Site edge/oslo"]);
    let scope = || vec![("edge.example".into(), "Site".into(), false)];
    let mut by_crd = custom();
    by_crd.scopes = scope();
    assert_eq!(names(&prepare(&by_crd, &placement())), ["Site oslo"]);
    let by_engine = Placement {
        scopes: scope(),
        ..placement()
    };
    assert_eq!(names(&prepare(&custom(), &by_engine)), ["Site oslo"]);
}

#[test]
fn hooks_and_nameless_objects_are_left_out() {
    let mut hook = manifest("batch/v1", "Job", "migrate");
    hook["metadata"]["annotations"] = json!({"argocd.argoproj.io/hook": "PreSync"});
    let mut content = content(vec![hook, manifest("v1", "Service", "web")]);
    content.manifests.push(Manifest {
        object: ObjectRef::new(Gvk::new("batch", "v1", "Job"), "", ""),
        body: Arc::new(json!({"metadata": {"generateName": "seed-"}})),
        file: "seed.yaml".into(),
    });
    assert_eq!(
        names(&prepare(&content, &placement())),
        ["Service edge/web"]
    );
}

#[test]
fn of_repeated_objects_the_last_counts_and_they_are_reported_once() {
    let mut last = manifest("v1", "ConfigMap", "settings");
    last["data"] = json!({"mode": "last"});
    let mut spelled = manifest("v1", "ConfigMap", "settings");
    spelled["metadata"]["namespace"] = json!("edge");
    let bodies = vec![
        manifest("v1", "ConfigMap", "settings"),
        manifest("v1", "Service", "web"),
        spelled,
        last,
    ];
    let prepared = prepare(&content(bodies), &placement());
    assert_eq!(
        names(&prepared),
        ["ConfigMap edge/settings", "Service edge/web"]
    );
    assert_eq!(prepared.objects[0].body["data"]["mode"], "last");
    assert_eq!(prepared.repeated.len(), 1);
}

#[test]
fn the_prepared_manifest_is_otherwise_as_git_has_it() {
    let mut deployment = manifest("apps/v1", "Deployment", "web");
    deployment["metadata"]["annotations"] = json!({"team": "edge"});
    deployment["spec"] = json!({"replicas": 3});
    assert_eq!(
        documents(vec![deployment])[0],
        json!({
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "web",
                "namespace": "edge",
                "annotations": {
                    "team": "edge",
                    "argocd.argoproj.io/tracking-id": "edge-microservice:apps/Deployment:edge/web"
                }
            },
            "spec": {"replicas": 3}
        })
    );
}

#[test]
fn applications_of_one_path_share_their_manifests_whatever_their_marks() {
    let prepared = prepare(
        &content(vec![manifest("v1", "Service", "web")]),
        &placement(),
    );
    let of = |instance: &str| {
        let recipe = Recipe {
            instance: instance.into(),
            ..recipe()
        };
        at_commit(&prepared, &recipe, &"repo".into(), &"commit".into())[0].clone()
    };
    let (oslo, paris) = (of("web-oslo"), of("web-paris"));
    assert!(Arc::ptr_eq(oslo.body.unmarked(), paris.body.unmarked()));
    assert_ne!(oslo.body.document(), paris.body.document());
}

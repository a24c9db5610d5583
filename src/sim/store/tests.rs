//! Writing, reading, watching and deleting, as clients of one edge see it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::*;

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn edge() -> Store {
    let kinds = KindSet::bare().with_argo();
    let store = Store::new(StoreOptions::new(kinds, 7, now()));
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge"}});
    store.create(namespace, &by("setup")).unwrap();
    store
}

fn by(manager: &str) -> WriteOptions {
    WriteOptions::new(manager, now())
}

fn settings(name: &str, level: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "edge", "labels": {"tier": "edge"}}, "data": {"level": level}})
}

fn application() -> Value {
    json!({"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": {"name": "web", "namespace": "edge"},
        "spec": {"project": "default", "destination": {"server": "https://edge"}}})
}

fn key(store: &Store, kind: &str, name: &str) -> Key {
    let version = match kind {
        "Application" => "argoproj.io/v1alpha1",
        "Deployment" | "ReplicaSet" => "apps/v1",
        _ => "v1",
    };
    store.key(version, kind, "edge", name).unwrap()
}

#[test]
fn a_name_can_be_taken_once_and_only_in_a_namespace_that_is_there() {
    let store = edge();
    store
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    let again = store
        .create(settings("settings", "info"), &by("a"))
        .unwrap_err();
    assert_eq!(again.message, "configmaps \"settings\" already exists");
    let mut elsewhere = settings("settings", "info");
    elsewhere["metadata"]["namespace"] = "nowhere".into();
    let missing = store.create(elsewhere, &by("a")).unwrap_err();
    assert_eq!(
        (missing.code, &*missing.message),
        (404, "namespaces \"nowhere\" not found")
    );
}

#[test]
fn a_replacement_of_an_old_version_conflicts() {
    let store = edge();
    let first = store
        .create(settings("settings", "info"), &by("a"))
        .unwrap()
        .object;
    let key = key(&store, "ConfigMap", "settings");
    let patch = Patch::Merge(json!({"data": {"level": "debug"}}));
    store.patch(&key, &patch, &by("b")).unwrap();
    let stale = store.update(&key, first.value(), &by("a")).unwrap_err();
    assert_eq!((stale.code, stale.reason), (409, "Conflict"));
    assert!(stale.message.starts_with(
        "Operation cannot be fulfilled on configmaps \"settings\": the object has been modified"
    ));
}

#[test]
fn a_patch_can_demand_uid_and_version() {
    let store = edge();
    let live = store
        .create(settings("settings", "info"), &by("a"))
        .unwrap()
        .object;
    let key = key(&store, "ConfigMap", "settings");
    let demand = |uid: &str, version: &str| {
        Patch::Merge(
            json!({"metadata": {"uid": uid, "resourceVersion": version}, "data": {"level": "debug"}}),
        )
    };
    let version = live.resource_version.to_string();
    let foreign = store
        .patch(&key, &demand("other", &version), &by("b"))
        .unwrap_err();
    assert_eq!((foreign.code, foreign.reason), (422, "Invalid"));
    assert_eq!(
        store
            .patch(&key, &demand(&live.uid, "1"), &by("b"))
            .unwrap_err()
            .code,
        409
    );
    assert!(
        store
            .patch(&key, &demand(&live.uid, &version), &by("b"))
            .is_ok()
    );
}

#[test]
fn a_dry_run_shows_the_result_and_stores_nothing() {
    let store = edge();
    let before = store.resource_version();
    let written = store
        .create(settings("settings", "info"), &by("a").dry_run())
        .unwrap();
    assert_eq!(written.object.value()["data"]["level"], "info");
    assert_eq!(store.resource_version(), before);
    assert!(store.get(&key(&store, "ConfigMap", "settings")).is_none());
}

#[test]
fn a_write_that_changes_nothing_makes_no_new_version() {
    let store = edge();
    store
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    let before = store.resource_version();
    let key = key(&store, "ConfigMap", "settings");
    let same = Patch::Merge(json!({"data": {"level": "info"}}));
    store.patch(&key, &same, &by("b")).unwrap();
    assert_eq!(store.resource_version(), before);
}

#[test]
fn the_generation_of_an_application_counts_its_status_too_and_that_of_a_deployment_does_not() {
    let store = edge();
    store.create(application(), &by("a")).unwrap();
    let app = key(&store, "Application", "web");
    let status = Patch::Merge(json!({"status": {"sync": {"status": "Synced"}}}));
    let live = store
        .patch(&app, &status, &by("argocd-application-controller"))
        .unwrap();
    assert_eq!(live.object.value()["metadata"]["generation"], 2);
    store.create(deployment(), &by("a")).unwrap();
    let web = key(&store, "Deployment", "web");
    let status = Patch::Merge(json!({"status": {"readyReplicas": 1, "replicas": 1}}));
    let live = store
        .patch(&web, &status, &by("kube-controller-manager").status())
        .unwrap();
    assert_eq!(live.object.value()["metadata"]["generation"], 1);
    assert_eq!(live.object.value()["status"]["readyReplicas"], 1);
}

fn deployment() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "edge"},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}})
}

#[test]
fn the_main_door_leaves_the_status_alone_and_the_status_door_the_rest() {
    let store = edge();
    store.create(deployment(), &by("a")).unwrap();
    let web = key(&store, "Deployment", "web");
    let both = json!({"spec": {"replicas": 9}, "status": {"replicas": 9}});
    let live = store
        .patch(&web, &Patch::Merge(both.clone()), &by("a").status())
        .unwrap();
    let live = live.object.value();
    assert_eq!(
        (&live["spec"]["replicas"], &live["status"]["replicas"]),
        (&json!(2), &json!(9))
    );
    let live = store
        .patch(
            &web,
            &Patch::Merge(json!({"spec": {"replicas": 4}, "status": {"replicas": 0}})),
            &by("a"),
        )
        .unwrap();
    let live = live.object.value();
    assert_eq!(
        (&live["spec"]["replicas"], &live["status"]["replicas"]),
        (&json!(4), &json!(9))
    );
}

#[test]
fn finalizers_hold_an_object_until_the_last_is_taken_away() {
    let store = edge();
    let mut app = application();
    app["metadata"]["finalizers"] = json!(["resources-finalizer.argocd.argoproj.io"]);
    store.create(app, &by("a")).unwrap();
    let key = key(&store, "Application", "web");
    let deleted = store.delete(&key, &DeleteOptions::new(now())).unwrap();
    let Deleted::Waiting(object) = deleted else {
        panic!("gone at once");
    };
    assert_eq!(
        object.value()["metadata"]["deletionTimestamp"],
        "2026-11-21T05:00:00Z"
    );
    let free = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    store
        .patch(&key, &free, &by("argocd-application-controller"))
        .unwrap();
    assert!(store.get(&key).is_none());
}

#[test]
fn a_delete_with_a_foreign_uid_is_refused() {
    let store = edge();
    store
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    let key = key(&store, "ConfigMap", "settings");
    let mut options = DeleteOptions::new(now());
    options.uid = Some("other".into());
    assert_eq!(store.delete(&key, &options).unwrap_err().code, 409);
    assert!(store.get(&key).is_some());
}

#[test]
fn dependants_go_with_their_owner_unless_orphaned() {
    for (propagation, left) in [
        (Propagation::Background, false),
        (Propagation::Orphan, true),
    ] {
        let store = edge();
        let owner = store.create(deployment(), &by("a")).unwrap().object;
        let mut dependant = settings("owned", "x");
        dependant["metadata"]["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "uid": &*owner.uid}]);
        store.create(dependant, &by("a")).unwrap();
        let mut options = DeleteOptions::new(now());
        options.propagation = propagation;
        store.delete(&owner.key, &options).unwrap();
        let found = store.get(&key(&store, "ConfigMap", "owned")).is_some();
        assert_eq!(found, left, "{propagation:?}");
    }
}

#[test]
fn a_namespace_takes_its_content_along() {
    let store = edge();
    store
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    let namespace = store.key("v1", "Namespace", "", "edge").unwrap();
    store
        .delete(&namespace, &DeleteOptions::new(now()))
        .unwrap();
    assert!(store.get(&key(&store, "ConfigMap", "settings")).is_none());
}

#[test]
fn pages_are_of_one_moment_whatever_happens_between_them() {
    let store = edge();
    for name in ["a", "b", "c"] {
        store.create(settings(name, "info"), &by("x")).unwrap();
    }
    let kind = store.kind("v1", "ConfigMap").unwrap();
    let mut query = ListQuery::all(kind);
    query.limit = 2;
    let first = store.list(&query, |_| true).unwrap();
    assert_eq!((first.items.len(), first.remaining), (2, 1));
    store.create(settings("d", "info"), &by("x")).unwrap();
    store
        .delete(&key(&store, "ConfigMap", "c"), &DeleteOptions::new(now()))
        .unwrap();
    query.continue_token = first.continue_token;
    let second = store.list(&query, |_| true).unwrap();
    let names: Vec<&str> = second.items.iter().map(|o| &*o.key.name).collect();
    assert_eq!(
        names,
        ["c"],
        "the deleted one is still there, the new one not yet"
    );
    assert_eq!(second.resource_version, first.resource_version);
    assert_eq!(second.continue_token, None);
}

#[test]
fn an_expired_page_says_where_an_inconsistent_list_goes_on() {
    let store = edge();
    for name in ["a", "b"] {
        store.create(settings(name, "info"), &by("x")).unwrap();
    }
    let mut query = ListQuery::all(store.kind("v1", "ConfigMap").unwrap());
    query.limit = 1;
    query.continue_token = store.list(&query, |_| true).unwrap().continue_token;
    store.create(settings("c", "info"), &by("x")).unwrap();
    store.expire_history();
    let expired = store.list(&query, |_| true).unwrap_err();
    assert_eq!((expired.code, expired.reason), (410, "Expired"));
    query.continue_token = expired.continue_token;
    assert_eq!(
        &*store.list(&query, |_| true).unwrap().items[0].key.name,
        "b"
    );
}

#[test]
fn a_list_of_the_future_and_one_of_the_forgotten_past_fail() {
    let store = edge();
    let mut query = ListQuery::all(store.kind("v1", "ConfigMap").unwrap());
    query.version = VersionMatch::NotOlderThan(store.resource_version() + 10);
    assert_eq!(store.list(&query, |_| true).unwrap_err().code, 504);
    let old = store.resource_version();
    store.create(settings("a", "info"), &by("x")).unwrap();
    store.expire_history();
    query.version = VersionMatch::Exact(old);
    assert_eq!(store.list(&query, |_| true).unwrap_err().code, 410);
}

#[tokio::test]
async fn a_watch_sees_every_change_in_order() {
    let store = edge();
    let mut watch = store.watch(store.resource_version()).unwrap();
    let key = key(&store, "ConfigMap", "settings");
    store
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    store
        .patch(
            &key,
            &Patch::Merge(json!({"data": {"level": "debug"}})),
            &by("b"),
        )
        .unwrap();
    store.delete(&key, &DeleteOptions::new(now())).unwrap();
    let mut seen = Vec::new();
    for _ in 0..3 {
        let event = watch.next().await.unwrap();
        seen.push((event.change, event.object.value()["data"]["level"].clone()));
    }
    assert_eq!(
        seen,
        [
            (ChangeType::Added, json!("info")),
            (ChangeType::Modified, json!("debug")),
            (ChangeType::Deleted, json!("debug")),
        ]
    );
}

#[tokio::test]
async fn a_waiting_watch_wakes_for_the_next_change() {
    let store = edge();
    let mut watch = store.watch(store.resource_version()).unwrap();
    let writer = store.clone();
    let task = tokio::spawn(async move { watch.next().await });
    tokio::task::yield_now().await;
    writer
        .create(settings("settings", "info"), &by("a"))
        .unwrap();
    assert_eq!(&*task.await.unwrap().unwrap().object.key.name, "settings");
}

#[test]
fn a_watch_that_fell_behind_the_history_expires() {
    let kinds = KindSet::bare();
    let mut options = StoreOptions::new(kinds, 7, now());
    options.history = 3;
    let store = Store::new(options);
    let mut watch = store.watch(store.resource_version()).unwrap();
    for i in 0..5 {
        let mut document = settings(&format!("s{i}"), "info");
        document["metadata"]["namespace"] = "default".into();
        store.create(document, &by("a")).unwrap();
    }
    let expired = watch.drain().unwrap_err();
    assert_eq!((expired.code, expired.reason), (410, "Expired"));
    assert!(store.watch(1).is_err());
}

#[test]
fn the_same_seed_gives_the_same_uids_and_another_one_others() {
    let uid = |seed| {
        let store = Store::new(StoreOptions::new(KindSet::bare(), seed, now()));
        let default = store.key("v1", "Namespace", "", "default").unwrap();
        store.get(&default).unwrap().uid.clone()
    };
    assert_eq!(uid(1), uid(1));
    assert_ne!(uid(1), uid(2));
    assert_eq!(uid(1).len(), 36);
}

#[test]
fn a_definition_makes_its_kind_served_and_its_deletion_ends_that() {
    let store = Store::new(StoreOptions::new(KindSet::bare(), 1, now()));
    assert!(store.kind("argoproj.io/v1alpha1", "Application").is_none());
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "applications.argoproj.io"},
        "spec": {"group": "argoproj.io", "scope": "Namespaced", "names": {"kind": "Application", "plural": "applications"}, "versions": [{"name": "v1alpha1", "served": true, "storage": true}]}});
    let live = store.create(definition, &by("a")).unwrap().object;
    let conditions = live.value()["status"]["conditions"].clone();
    assert!(
        conditions
            .as_array()
            .unwrap()
            .iter()
            .any(|c| c["type"] == "Established" && c["status"] == "True")
    );
    assert!(store.kind("argoproj.io/v1alpha1", "Application").is_some());
    store.delete(&live.key, &DeleteOptions::new(now())).unwrap();
    assert!(store.kind("argoproj.io/v1alpha1", "Application").is_none());
}

#[test]
fn what_is_wrong_is_refused_by_field() {
    let store = edge();
    let refused = |edit: &dyn Fn(&mut Value)| {
        let mut document = deployment();
        edit(&mut document);
        store
            .create(document, &by("a").dry_run())
            .unwrap_err()
            .message
    };
    for (edit, words) in [
        (
            (&|d: &mut Value| d["spec"]["replicas"] = json!(-1)) as &dyn Fn(&mut Value),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            &|d| d["spec"]["template"]["metadata"]["labels"] = json!({"app": "api"}),
            "spec.template.metadata.labels: Invalid value: {\"app\":\"api\"}: `selector` does not match template `labels`",
        ),
        (
            &|d| d["spec"]["template"]["spec"]["containers"] = json!([]),
            "spec.template.spec.containers: Required value",
        ),
        (
            &|d| d["metadata"]["name"] = json!("Web_1"),
            "metadata.name: Invalid value: \"Web_1\": a lowercase RFC 1123 subdomain",
        ),
        (
            &|d| d["metadata"]["labels"] = json!({"app": "no spaces"}),
            "metadata.labels: Invalid value: \"no spaces\"",
        ),
    ] {
        let message = refused(edit);
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn what_cannot_change_does_not() {
    let store = edge();
    store.create(deployment(), &by("a")).unwrap();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "edge"}, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
    store.create(service, &by("a")).unwrap();
    let refused = |kind: &str, patch: Value| {
        let key = key(&store, kind, "web");
        store
            .patch(&key, &Patch::Merge(patch), &by("a"))
            .unwrap_err()
            .message
    };
    let selector = json!({"spec": {"selector": {"matchLabels": {"app": "web", "v": "2"}}, "template": {"metadata": {"labels": {"v": "2"}}}}});
    assert!(refused("Deployment", selector).contains("spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"web\",\"v\":\"2\"}}: field is immutable"));
    assert!(
        refused("Service", json!({"spec": {"clusterIP": "10.96.9.9"}}))
            .contains("may not change once set")
    );
}

#[test]
fn a_service_keeps_its_address_when_it_is_replaced_without_one() {
    let store = edge();
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "edge"}, "spec": {"ports": [{"port": 80}]}});
    let live = store
        .create(service.clone(), &by("a"))
        .unwrap()
        .object
        .value();
    let again = store
        .update(&key(&store, "Service", "web"), service, &by("a"))
        .unwrap()
        .object
        .value();
    assert_eq!(live["spec"]["clusterIP"], again["spec"]["clusterIP"]);
    assert_eq!(again["spec"]["ports"][0]["targetPort"], 80);
}

#[test]
fn an_old_object_is_as_old_as_the_clock_says() {
    let store = edge();
    let long_ago = now() - SignedDuration::from_hours(24 * 30);
    let written = store
        .create(settings("old", "info"), &WriteOptions::new("a", long_ago))
        .unwrap();
    assert_eq!(
        written.object.value()["metadata"]["creationTimestamp"],
        "2026-10-22T05:00:00Z"
    );
}

#[test]
fn a_restored_document_is_taken_as_it_is() {
    let store = edge();
    let mut document = settings("as-is", "info");
    document["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update", "apiVersion": "v1", "time": "2026-01-01T00:00:00Z", "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:level": {}}}}]);
    let object = store.restore(document.clone(), now()).unwrap();
    assert_eq!(
        object.value()["metadata"]["managedFields"],
        document["metadata"]["managedFields"]
    );
    assert_eq!(object.resource_version, store.resource_version());
}

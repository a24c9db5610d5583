//! A fleet too large to be built edge by edge.

use super::*;
use crate::sim::store::Object;

/// One edge more than are built one by one.
const LARGE: usize = 65;

/// An object's document without what every world makes anew: uids and times.
fn lasting(object: &Object) -> Value {
    let mut document = object.value();
    strip(&mut document);
    document
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["uid", "time", "resourceVersion"] {
                members.remove(name);
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::String(text) if text.parse::<Timestamp>().is_ok() => *text = "then".to_owned(),
        _ => {}
    }
}

fn everything(store: &Store) -> Vec<Value> {
    let kinds = store.kinds();
    let objects = kinds.iter().flat_map(|kind| store.all(kind, None));
    objects.map(|object| lasting(&object)).collect()
}

#[tokio::test]
async fn an_edge_of_a_large_fleet_holds_what_one_of_a_small_fleet_holds() {
    let (small, large) = (world("calm", LARGE - 1).await, world("calm", LARGE).await);
    for name in ["edge-oslo-002", "edge-paris-003", "edge-zurich-001"] {
        let of = |world: &World| {
            let url = world.cluster(name).unwrap().url.clone();
            let documents = everything(&world.cluster(name).unwrap().store);
            let plan = world.plan().edges.iter().find(|e| e.name == name).unwrap();
            let version = plan.version;
            let text = serde_json::to_string(&documents).unwrap();
            text.replace(&url, "URL").replace(version, "VERSION")
        };
        assert_eq!(of(&small), of(&large), "{name}");
    }
}

#[tokio::test]
async fn its_hubs_know_every_edge_and_every_application_as_synced() {
    let world = world("calm", LARGE).await;
    assert_eq!(world.unsynced(), Vec::<String>::new());
    assert_eq!(world.first_silent().await, None);
    let mut apps = 0;
    for hub in world.hubs() {
        let kind = hub
            .store
            .kind("argoproj.io/v1alpha1", "Application")
            .unwrap();
        let all = hub.store.all(kind, None);
        apps += all.len();
        for object in all {
            let document = object.value();
            let destination = &document["spec"]["destination"];
            let meant = world.edges().iter().find(|e| {
                destination["server"] == e.url.as_str() || destination["name"] == e.name.as_str()
            });
            let place = meant
                .unwrap()
                .name
                .strip_prefix("edge-")
                .unwrap()
                .to_owned();
            assert!(object.key.name.ends_with(&place), "{}", object.key);
        }
        let secrets = hub.store.kind("v1", "Secret").unwrap();
        assert!(!hub.store.all(secrets, None).is_empty());
    }
    assert_eq!(apps, LARGE * 5);
}

#[tokio::test]
async fn whoever_changes_one_edge_is_seen_by_its_hub_and_by_no_other() {
    let world = world("calm", LARGE).await;
    scale(&world, "edge-oslo-002", 1);
    world.advance(Duration::from_secs(5));
    assert_eq!(world.unsynced(), ["ingress-oslo-002"]);
    let edge = world.cluster("edge-oslo-002").unwrap();
    let pods = edge.store.kind("v1", "Pod").unwrap();
    let of_ingress = edge.store.all(pods, Some("ingress")).len();
    let other = world.cluster("edge-oslo-001").unwrap();
    assert!(of_ingress < other.store.all(pods, Some("ingress")).len());
}

#[tokio::test]
async fn a_commit_reaches_the_applications_of_its_folder() {
    let scenario = Scenario::named("shift").unwrap();
    let world = World::start(Options {
        clusters: Some(LARGE),
        time: Time::Manual(test_start()),
        ..Options::new(scenario)
    })
    .await
    .unwrap();
    world.advance(Duration::from_secs(50));
    let telemetry = |name: &&String| name.starts_with("telemetry-");
    let behind = world.unsynced();
    let behind = behind.iter().filter(telemetry).count();
    let manual = world.plan().edges.iter().flat_map(|e| &e.apps);
    let manual = manual.filter(|a| a.of.name == "telemetry" && a.auto == Auto::Manual);
    assert!(behind > 0 && behind <= manual.count(), "{behind}");
}

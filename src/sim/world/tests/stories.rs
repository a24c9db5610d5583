//! What the scenarios tell.

use super::*;

#[tokio::test]
async fn shift_drifts_heals_goes_dark_and_crashes_within_a_minute() {
    let world = world("shift", 12).await;
    world.advance(seconds(20));
    assert!(!world.unsynced().is_empty(), "drift");
    world.advance(seconds(42));
    let dark = world.edges().iter().filter(|e| !e.reachable()).count();
    assert_eq!(dark, 1);
    let hub = &world.hubs()[0];
    let kind = hub.store.kind("argoproj.io/v1alpha1", "Application");
    let apps: Vec<Value> = hub
        .store
        .all(kind.unwrap(), None)
        .iter()
        .map(|o| o.value())
        .collect();
    let degraded = apps
        .iter()
        .filter(|a| a["status"]["health"]["status"] == "Degraded");
    assert_eq!(degraded.count(), 1, "the crash loop");
    let healed = apps.iter().filter(|a| {
        a["status"]["operationState"]["operation"]["initiatedBy"]["automated"] == true
            && a["status"]["operationState"]["operation"]["sync"]["resources"].is_array()
    });
    assert!(healed.count() > 0, "self-heal took something back");
    world.advance(seconds(180));
    assert!(world.edges().iter().all(Cluster::reachable));
}

#[tokio::test]
async fn the_same_seed_tells_the_same_story_twice() {
    let (one, two) = (world("shift", 5).await, world("shift", 5).await);
    let versions = |world: &World| {
        world.advance(seconds(50));
        let all = world.hubs().iter().chain(world.edges());
        let versions: Vec<u64> = all.map(|c| c.store.resource_version()).collect();
        (versions, world.unsynced())
    };
    assert_eq!(versions(&one), versions(&two));
}

#[tokio::test]
async fn hands_edits_as_the_tools_people_use() {
    let world = world("hands", 12).await;
    world.advance(seconds(15));
    let mut managers = std::collections::BTreeSet::new();
    for edge in world.edges() {
        let kind = edge.store.kind("apps/v1", "Deployment").unwrap();
        for object in edge.store.all(kind, None) {
            let document = object.value();
            for entry in document["metadata"]["managedFields"].as_array().unwrap() {
                managers.insert(entry["manager"].as_str().unwrap().to_owned());
            }
        }
    }
    for manager in ["kubectl-edit", "kubectl-patch", "kubectl-scale"] {
        assert!(managers.contains(manager), "{managers:?}");
    }
    assert!(world.unsynced().len() >= 12, "{:?}", world.unsynced());
}

#[tokio::test]
async fn what_happens_in_the_dark_is_seen_when_the_link_returns() {
    let world = world("dark", 12).await;
    world.advance(seconds(50));
    assert_eq!(world.edges().iter().filter(|e| !e.reachable()).count(), 5);
    assert_eq!(
        world.unsynced(),
        Vec::<String>::new(),
        "nobody saw the edit"
    );
    world.advance(seconds(65));
    assert_eq!(world.unsynced().len(), 2, "{:?}", world.unsynced());
}

#[tokio::test]
async fn silent_edges_do_not_answer_and_all_others_do() {
    let scenario = Scenario::named("fifty").unwrap();
    let options = Options {
        clusters: Some(8),
        apps: Some(1),
        ..Options::new(scenario)
    };
    let world = World::start(options).await.unwrap();
    assert_eq!(world.first_silent().await, None);
    assert_eq!(world.unsynced(), Vec::<String>::new());
    let silent = world.plan().edges.iter().filter(|e| e.silence.is_some());
    assert_eq!(silent.count(), 5);
}

#[tokio::test]
async fn flux_runs_on_some_edges_of_shift_only() {
    let world = world("shift", 4).await;
    let with_flux = world.edges().iter().filter(|edge| {
        let kind = ("kustomize.toolkit.fluxcd.io/v1", "Kustomization");
        read(&edge.store, kind, "flux-system", "infra").is_some()
    });
    assert_eq!(with_flux.count(), 1);
}

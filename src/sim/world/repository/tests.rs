use super::*;
use crate::sim::world::history::past;
use crate::sim::world::plan::{Plan, Size};
use crate::sim::world::scenario::Scenario;

fn start() -> Timestamp {
    "2026-11-21T02:14:07.5Z".parse().unwrap()
}

fn create(dir: &tempfile::TempDir) -> FleetRepository {
    let size = Size {
        edges: 4,
        apps: 5,
        silent: 0,
        seed: 1,
    };
    let plan = Plan::draw(&Scenario::named("calm").unwrap(), size);
    FleetRepository::create(
        &dir.path().join("fleet.git"),
        &past(&plan).unwrap(),
        start(),
    )
    .unwrap()
}

fn kinds(manifests: &[Value]) -> Vec<&str> {
    let mut kinds: Vec<&str> = manifests
        .iter()
        .map(|m| m["kind"].as_str().unwrap())
        .collect();
    kinds.sort_unstable();
    kinds
}

#[test]
fn commits_of_the_same_day_have_the_same_ids() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (a, b) = (create(&a), create(&b));
    assert_eq!(a.log().unwrap(), b.log().unwrap());
    assert_eq!(a.log().unwrap().len(), 7);
}

#[test]
fn every_commit_lies_before_the_start() {
    let dir = tempfile::tempdir().unwrap();
    let log = create(&dir).log().unwrap();
    assert!(log.iter().all(|(_, at)| *at < start()));
    assert!(log.windows(2).all(|w| w[0].1 > w[1].1));
}

#[test]
fn a_folder_with_several_documents_a_file_is_read_whole() {
    let dir = tempfile::tempdir().unwrap();
    let repository = create(&dir);
    let head = repository.resolve("").unwrap();
    let manifests = repository.manifests(&head, "microserviceA", false).unwrap();
    assert_eq!(
        kinds(&manifests),
        [
            "ConfigMap",
            "Deployment",
            "Namespace",
            "Service",
            "ServiceMonitor"
        ]
    );
}

#[test]
fn subfolders_are_read_only_when_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let repository = create(&dir);
    let read = |recurse| repository.manifests("HEAD", "apps/telemetry", recurse);
    assert!(read(false).unwrap().is_empty());
    assert!(kinds(&read(true).unwrap()).contains(&"PrometheusRule"));
}

#[test]
fn an_older_commit_shows_its_own_state() {
    let dir = tempfile::tempdir().unwrap();
    let repository = create(&dir);
    let replicas = |revision: &str| {
        let all = repository.manifests(revision, "apps/ingress", false);
        let all = all.unwrap();
        let deployment = all.iter().find(|m| m["kind"] == "Deployment");
        deployment.unwrap()["spec"]["replicas"].clone()
    };
    assert_eq!(replicas("HEAD"), 3);
    assert_eq!(replicas("HEAD~1"), 2);
}

#[test]
fn a_new_commit_moves_the_branch() {
    let dir = tempfile::tempdir().unwrap();
    let repository = create(&dir);
    let before = repository.resolve("main").unwrap();
    let change = TextChange {
        file: "apps/ingress/ingress.yaml",
        before: "replicas: 3",
        after: "replicas: 4",
    };
    let facts = CommitFacts {
        author: "a.lee".into(),
        message: "ingress: 4 replicas".into(),
        at: start(),
    };
    let id = repository.commit(&change, &facts).unwrap();
    assert_ne!(id, before);
    assert_eq!(repository.resolve("").unwrap(), id);
    assert_eq!(repository.resolve("HEAD~1").unwrap(), before);
    assert!(
        repository.commit(&change, &facts).is_err(),
        "the text is gone"
    );
}

#[test]
fn a_folder_that_is_gone_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(
        create(&dir)
            .manifests("HEAD", "apps/nothing", false)
            .is_err()
    );
}

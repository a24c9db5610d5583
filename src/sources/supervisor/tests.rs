//! Whole actors against small API servers in this process: what the loop hears when clusters behave, and when they do not.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::connect::testing::{Cut, plan_of};
use crate::connect::{ConnectOptions, LoadOptions, Timings, WallClock};
use crate::desired::{RepoPolicy, Settings};
use crate::domain::{DriftState, Engine, Resource};
use crate::health::Checks;
use crate::sources::testing::{Cluster, application};

/// The sources of a plan, and everything they told so far.
struct Watched {
    sources: Arc<Sources>,
    events: mpsc::Receiver<ClusterEvent>,
    told: Vec<ClusterEvent>,
    _cache: tempfile::TempDir,
}

impl Watched {
    fn start(plan: FleetPlan) -> Self {
        Self::with_repositories(plan, None)
    }

    fn with_repositories(plan: FleetPlan, below: Option<&Path>) -> Self {
        let cache = tempfile::tempdir().unwrap();
        let seal = Arc::new(SealKey::new([7; 32]));
        let policy = RepoPolicy {
            file_prefixes: below.map(Path::to_owned).into_iter().collect(),
            ..RepoPolicy::default()
        };
        let settings = Settings {
            policy,
            ..Settings::new(cache.path(), SealKey::new([7; 32]))
        };
        let connector = Connector::new(ConnectOptions {
            timings: Timings {
                connect: Duration::from_secs(2),
                ping: Duration::from_millis(150),
                pong: Duration::from_millis(200),
                answer: Duration::from_secs(2),
            },
            ..ConnectOptions::default()
        });
        let (sources, events) = start(SourcesOptions {
            plan,
            connector,
            desired: DesiredHandle::new(settings),
            aliases: Vec::new(),
            seal,
            metrics: HashMap::new(),
            health: HealthRules::new(Checks::default(), None),
            time: WallClock::Machine,
        });
        Self {
            sources,
            events,
            told: Vec::new(),
            _cache: cache,
        }
    }

    /// Waits for an event, looking at those told before too; fails the test after ten seconds.
    async fn until(&mut self, what: &str, holds: impl Fn(&ClusterEvent) -> bool) -> ClusterEvent {
        if let Some(event) = self.told.iter().find(|e| holds(e)) {
            return event.clone();
        }
        let end = Instant::now() + Duration::from_secs(10);
        loop {
            let next = tokio::time::timeout_at(end, self.events.recv()).await;
            let Ok(Some(event)) = next else {
                panic!("never: {what}; told {:#?}", self.summary());
            };
            self.told.push(event.clone());
            if holds(&event) {
                return event;
            }
        }
    }

    /// Waits for an event that comes after now.
    async fn next(&mut self, what: &str, holds: impl Fn(&ClusterEvent) -> bool) -> ClusterEvent {
        while let Ok(event) = self.events.try_recv() {
            drop(event);
        }
        self.told.clear();
        self.until(what, holds).await
    }

    async fn until_link(&mut self, cluster: &str, state: LinkState) -> String {
        let event = self
            .until(&format!("{cluster} is {state:?}"), |e| {
                is_link(e, cluster, state)
            })
            .await;
        let Fact::Link { message, .. } = event.fact else {
            unreachable!("it is a link");
        };
        message.map(|m| m.to_string()).unwrap_or_default()
    }

    fn summary(&self) -> Vec<String> {
        let short = |e: &ClusterEvent| {
            let text = format!("{} {:?}", e.cluster, e.fact);
            text.chars().take(160).collect()
        };
        self.told.iter().map(short).collect()
    }
}

fn is_link(event: &ClusterEvent, cluster: &str, wanted: LinkState) -> bool {
    event.cluster.as_str() == cluster
        && matches!(event.fact, Fact::Link { state, .. } if state == wanted)
}

fn names(event: &ClusterEvent) -> Vec<String> {
    match &event.fact {
        Fact::Apps(apps) => apps.iter().map(|a| a.id.name.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// A kubeconfig with one context a cluster.
fn plan_for(clusters: &[(&str, &str, &str)]) -> FleetPlan {
    use base64::Engine as _;
    let mut text = String::from(
        "users: [{name: ola, user: {token: t}}, {name: kari, user: {token: k}}]\nclusters:\n",
    );
    let mut contexts = String::from("contexts:\n");
    for (name, url, ca) in clusters {
        let ca = base64::engine::general_purpose::STANDARD.encode(ca);
        text += &[
            "- {name: ",
            name,
            ", cluster: {server: '",
            url,
            "', certificate-authority-data: ",
            &ca,
            "}}\n",
        ]
        .concat();
        let user = if name.ends_with("too") { "kari" } else { "ola" };
        contexts += &[
            "- {name: ",
            name,
            ", context: {cluster: ",
            name,
            ", user: ",
            user,
            ", namespace: tools}}\n",
        ]
        .concat();
    }
    plan_of(&(text + &contexts), LoadOptions::default())
}

async fn one() -> (Cluster, Watched) {
    let cluster = Cluster::start("uid-1").await;
    cluster.put(application("argocd", "edge-microservice"));
    let plan = plan_for(&[("hub-1", &cluster.server.url(), &cluster.server.ca)]);
    (cluster, Watched::start(plan))
}

#[tokio::test]
async fn a_hub_tells_its_link_who_it_is_its_rights_and_its_applications() {
    let (cluster, mut watched) = one().await;
    watched.until_link("hub-1", LinkState::Live).await;
    let facts = watched
        .until("facts", |e| matches!(e.fact, Fact::Facts(_)))
        .await;
    let Fact::Facts(facts) = facts.fact else {
        unreachable!()
    };
    assert_eq!(
        (facts.version.as_str(), facts.uid.as_str()),
        ("v1.33.4", "uid-1")
    );
    assert_eq!(facts.engines, [Engine::Argo]);
    let apps = watched
        .until("applications", |e| matches!(e.fact, Fact::Apps(_)))
        .await;
    assert_eq!(names(&apps), ["edge-microservice"]);
    watched
        .until(
            "permissions",
            |e| matches!(&e.fact, Fact::Permissions(p) if p.iter().any(|right| right.allowed && right.what.as_str() == "patch applications.argoproj.io")),
        )
        .await;
    watched
        .until("tracking", |e| matches!(e.fact, Fact::Tracking(_)))
        .await;
    cluster.put(application("argocd", "edge-gateway"));
    watched
        .until(
            "a new application",
            |e| matches!(&e.fact, Fact::App(a) if &*a.id.name == "edge-gateway"),
        )
        .await;
    cluster.remove("Application", "edge-gateway");
    watched
        .until(
            "it is gone",
            |e| matches!(&e.fact, Fact::AppGone(a) if &*a.name == "edge-gateway"),
        )
        .await;
    assert_eq!(cluster.server.connections(), 1);
    assert_eq!(watched.sources.rows().count(), 1);
}

#[tokio::test]
async fn credentials_of_cluster_secrets_never_leave_the_decoder() {
    let cluster = Cluster::start("uid-1").await;
    cluster.put(json!({
        "apiVersion": "v1", "kind": "Secret",
        "metadata": {"namespace": "argocd", "name": "edge-oslo-003", "labels": {"argocd.argoproj.io/secret-type": "cluster"}},
        "data": {"name": "ZWRnZS1vc2xvLTAwMw==", "server": "aHR0cHM6Ly9vc2xvLmV4YW1wbGU=", "config": "eyJiZWFyZXJUb2tlbiI6ImNhbmFyeS1zM2NyZXQifQ=="}
    }));
    let mut watched = Watched::start(plan_for(&[(
        "hub-1",
        &cluster.server.url(),
        &cluster.server.ca,
    )]));
    let event = watched
        .until(
            "clusters",
            |e| matches!(&e.fact, Fact::HubClusters(c) if !c.is_empty()),
        )
        .await;
    let Fact::HubClusters(clusters) = &event.fact else {
        unreachable!()
    };
    assert_eq!(
        (&*clusters[0].name, &*clusters[0].server),
        ("edge-oslo-003", "https://oslo.example")
    );
    watched
        .until("applications", |e| matches!(e.fact, Fact::Apps(_)))
        .await;
    let all = format!("{:?}", watched.told);
    assert!(!all.contains("canary") && !all.contains("Y2FuYXJ5") && !all.contains("eyJiZWFyZXJ"));
}

#[tokio::test]
async fn two_contexts_of_one_cluster_become_one_row_that_the_first_carries() {
    let cluster = Cluster::start("uid-1").await;
    let (url, ca) = (cluster.server.url(), &cluster.server.ca);
    let mut watched = Watched::start(plan_for(&[
        ("edge-oslo-003", &url, ca),
        ("edge-oslo-003-too", &url, ca),
    ]));
    let merged = watched
        .until("merged", |e| matches!(e.fact, Fact::MergedInto(_)))
        .await;
    assert_eq!(merged.cluster.as_str(), "edge-oslo-003-too");
    let both = |e: &ClusterEvent| matches!(&e.fact, Fact::Facts(f) if f.contexts.len() == 2);
    let facts = watched.until("both contexts", both).await;
    assert_eq!(facts.cluster.as_str(), "edge-oslo-003");
    let Fact::Facts(facts) = facts.fact else {
        unreachable!()
    };
    assert_eq!(facts.identity.as_str(), "ola");
}

#[tokio::test]
async fn dead_and_broken_rows_tell_why_and_hold_up_nobody() {
    let (cluster, _) = one().await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let dead = format!("https://{}", free.local_addr().unwrap());
    drop(free);
    let (url, ca) = (cluster.server.url(), &cluster.server.ca);
    let mut watched = Watched::start(plan_for(&[
        ("edge-dark-001", &dead, ca),
        ("edge-bad-001", "no-url", ca),
        ("hub-1", &url, ca),
    ]));
    watched.until_link("hub-1", LinkState::Live).await;
    let why = watched
        .until_link("edge-dark-001", LinkState::Unreachable)
        .await;
    assert!(why.contains("refuses connections"), "{why}");
    let why = watched
        .until_link("edge-bad-001", LinkState::Unreachable)
        .await;
    assert!(why.contains("not an https URL"), "{why}");
    assert!(watched.sources.connection(&"edge-bad-001".into()).is_none());
    assert!(watched.sources.login(&"edge-bad-001".into()).await.is_err());
}

#[tokio::test]
async fn a_black_hole_reads_stale_and_the_row_returns_by_itself_without_a_new_list() {
    let (cluster, _) = one().await;
    let wire = Cut::before(cluster.server.address).await;
    let mut watched = Watched::start(plan_for(&[("hub-1", &wire.url(), &cluster.server.ca)]));
    watched
        .until("applications", |e| !names(e).is_empty())
        .await;
    watched.until_link("hub-1", LinkState::Live).await;
    let lists = cluster.asked("/applications?limit");
    wire.cut();
    watched
        .next("stale", |e| is_link(e, "hub-1", LinkState::Stale))
        .await;
    wire.mend();
    watched
        .next("live", |e| is_link(e, "hub-1", LinkState::Live))
        .await;
    cluster.put(application("argocd", "edge-gateway"));
    watched
        .until(
            "the watch goes on",
            |e| matches!(&e.fact, Fact::App(a) if &*a.id.name == "edge-gateway"),
        )
        .await;
    assert_eq!(cluster.asked("/applications?limit"), lists);
}

#[tokio::test]
async fn a_row_that_nobody_asks_anything_is_kept_live_and_made_again() {
    let cluster = Cluster::start("uid-1").await;
    cluster.hide("Application");
    let wire = Cut::before(cluster.server.address).await;
    let mut watched = Watched::start(plan_for(&[(
        "edge-oslo-003",
        &wire.url(),
        &cluster.server.ca,
    )]));
    watched.until_link("edge-oslo-003", LinkState::Live).await;
    wire.cut();
    watched
        .next("stale", |e| is_link(e, "edge-oslo-003", LinkState::Stale))
        .await;
    wire.mend();
    watched
        .next("live", |e| is_link(e, "edge-oslo-003", LinkState::Live))
        .await;
}

#[tokio::test]
async fn credentials_refused_in_mid_life_turn_the_row_to_auth_until_a_retry_finds_them_good() {
    let (cluster, mut watched) = one().await;
    watched
        .until("applications", |e| !names(e).is_empty())
        .await;
    watched.until_link("hub-1", LinkState::Live).await;
    cluster.accept(false);
    let refused = watched
        .next("auth", |e| is_link(e, "hub-1", LinkState::Auth))
        .await;
    assert!(format!("{:?}", refused.fact).contains("401"));
    cluster.accept(true);
    watched.sources.retry(&"hub-1".into()).await;
    watched
        .next("live", |e| is_link(e, "hub-1", LinkState::Live))
        .await;
}

#[tokio::test]
async fn a_plugin_that_asks_leaves_the_row_at_auth_until_the_operator_logs_in() {
    use std::os::unix::fs::PermissionsExt as _;
    let cluster = Cluster::start("uid-1").await;
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("plugin.sh");
    std::fs::write(
        &script,
        "#!/bin/sh\necho '{\"status\":{\"token\":\"t\"}}'\n",
    )
    .unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let user = format!(
        "{{exec: {{command: '{}', interactiveMode: Always}}}}",
        script.display()
    );
    let mut watched = Watched::start(cluster.server.plan(&user));
    let why = watched.until_link("edge-oslo-003", LinkState::Auth).await;
    assert!(why.contains("press L"), "{why}");
    assert!(cluster.server.seen().is_empty());
    watched
        .sources
        .login(&"edge-oslo-003".into())
        .await
        .unwrap();
    watched.until_link("edge-oslo-003", LinkState::Live).await;
}

#[tokio::test]
async fn a_server_that_answers_but_forbids_everything_is_denied_and_never_green() {
    let cluster = Cluster::start("uid-1").await;
    cluster.forbid("/apis");
    let mut watched = Watched::start(cluster.server.plan("{token: t}"));
    watched.until_link("edge-oslo-003", LinkState::Denied).await;
    let green = |e: &ClusterEvent| matches!(e.fact, Fact::Link { state, .. } if state.is_current());
    assert!(!watched.told.iter().any(green), "{:#?}", watched.summary());
}

#[tokio::test]
async fn applications_of_several_namespaces_are_one_list_where_the_cluster_may_not_be_read() {
    let cluster = Cluster::start("uid-1").await;
    cluster.put(application("argocd", "a"));
    cluster.put(application("tools", "b"));
    cluster.put(application("hidden", "c"));
    cluster.forbid("/apis/argoproj.io/v1alpha1/applications");
    cluster.forbid("/apis/argoproj.io/v1alpha1/namespaces/openshift-gitops/applications");
    let mut watched = Watched::start(plan_for(&[(
        "hub-1",
        &cluster.server.url(),
        &cluster.server.ca,
    )]));
    let apps = watched
        .until("applications", |e| matches!(e.fact, Fact::Apps(_)))
        .await;
    let mut found = names(&apps);
    found.sort();
    assert_eq!(found, ["a", "b"]);
    cluster.put(application("tools", "d"));
    watched
        .until(
            "a new one",
            |e| matches!(&e.fact, Fact::App(a) if &*a.id.name == "d"),
        )
        .await;
}

/// A repository with a Deployment of three replicas and a ConfigMap, and its commit.
fn repository(folder: &Path) -> String {
    let repo = git2::Repository::init(folder).unwrap();
    let deployment = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}});
    let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "web"}, "data": {"level": "info"}});
    std::fs::write(folder.join("deployment.json"), deployment.to_string()).unwrap();
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut index = repo.index().unwrap();
    index
        .add_all(["*"], git2::IndexAddOption::DEFAULT, None)
        .unwrap();
    let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
    let who = git2::Signature::now("ola", "ola@edge.example").unwrap();
    let commit = repo
        .commit(Some("refs/heads/main"), &who, &who, "first", &tree, &[])
        .unwrap();
    repo.set_head("refs/heads/main").unwrap();
    commit.to_string()
}

fn live(kind: &str, body: Value) -> Value {
    let mut object = body;
    let group = if kind == "Deployment" { "apps" } else { "" };
    object["apiVersion"] = json!(if kind == "Deployment" {
        "apps/v1"
    } else {
        "v1"
    });
    object["kind"] = json!(kind);
    object["metadata"] = json!({
        "name": "web", "namespace": "edge", "uid": format!("uid-{kind}"),
        "annotations": {"argocd.argoproj.io/tracking-id": format!("web:{group}/{kind}:edge/web")}
    });
    object
}

fn deployment(replicas: u32) -> Value {
    live(
        "Deployment",
        json!({"spec": {"replicas": replicas, "selector": {"matchLabels": {"app": "web"}}, "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}}}}),
    )
}

/// A cluster that is hub and edge, with an application deployed from a repository, and its sources.
async fn judged(prepare: impl FnOnce(&Cluster)) -> (Cluster, Watched, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let commit = repository(folder.path());
    let cluster = Cluster::start("uid-1").await;
    let mut app = application("argocd", "web");
    app["spec"]["source"]["repoURL"] = json!(format!("file://{}", folder.path().display()));
    app["status"]["history"] =
        json!([{"id": 1, "revision": commit, "deployedAt": "2026-11-20T10:00:00Z"}]);
    app["status"]["sync"]["revision"] = json!(commit);
    cluster.put(app);
    cluster.put(live("ConfigMap", json!({"data": {"level": "info"}})));
    cluster.put(deployment(3));
    prepare(&cluster);
    let plan = plan_for(&[("hub-1", &cluster.server.url(), &cluster.server.ca)]);
    let watched = Watched::with_repositories(plan, Some(folder.path()));
    (cluster, watched, folder)
}

fn resource<'a>(event: &'a ClusterEvent, kind: &str) -> Option<&'a Resource> {
    match &event.fact {
        Fact::Resource(r) if &*r.object.gvk.kind == kind => Some(r),
        Fact::Kind { gvk, resources } if &*gvk.kind == kind => resources.first(),
        _ => None,
    }
}

fn is_edited(event: &ClusterEvent) -> bool {
    resource(event, "Deployment").is_some_and(|r| r.verdict.states == [DriftState::Edited])
}

fn is_clean(event: &ClusterEvent, kind: &str) -> bool {
    resource(event, kind).is_some_and(|r| r.verdict.states.is_empty())
}

#[tokio::test]
async fn an_edit_on_the_edge_is_drift_within_the_next_event_and_its_undoing_ends_it() {
    let (cluster, mut watched, _folder) = judged(|_| {}).await;
    watched
        .until("judged", |e| matches!(e.fact, Fact::AppJudged { .. }))
        .await;
    watched.until("clean", |e| is_clean(e, "Deployment")).await;
    cluster.put(deployment(1));
    let event = watched.next("drift", is_edited).await;
    let drifted = resource(&event, "Deployment").unwrap();
    assert_eq!(drifted.verdict.changes[0].path, "spec.replicas");
    cluster.put(deployment(3));
    watched
        .next("clean again", |e| is_clean(e, "Deployment"))
        .await;
    cluster.remove("Deployment", "web");
    let missing = |e: &ClusterEvent| {
        resource(e, "Deployment").is_some_and(|r| r.verdict.states == [DriftState::Missing])
    };
    watched.next("missing", missing).await;
}

#[tokio::test]
async fn a_health_rule_in_the_hubs_argocd_cm_reaches_the_edge_and_its_end_too() {
    let (cluster, mut watched, _folder) = judged(|_| {}).await;
    watched.until("clean", |e| is_clean(e, "Deployment")).await;
    let map = |data: Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "argocd", "name": "argocd-cm"}, "data": data});
    cluster.put(map(
        json!({"resource.customizations.health.apps_Deployment": "return {status = 'Healthy'}"}),
    ));
    // There is no program here that could run it, which the health says.
    let cannot = |e: &ClusterEvent| {
        resource(e, "Deployment")
            .and_then(|r| r.health.clone())
            .is_some_and(|(_, message)| {
                message
                    .as_str()
                    .starts_with("The health rule cannot be run")
            })
    };
    watched.until("the rule was asked", cannot).await;
    cluster.put(map(json!({})));
    let argo = |e: &ClusterEvent| {
        resource(e, "Deployment")
            .and_then(|r| r.health.clone())
            .is_some_and(|(_, message)| message.as_str().starts_with("Waiting for rollout"))
    };
    watched.next("Argo CD's own word", argo).await;
}

#[tokio::test]
async fn a_kind_that_may_only_be_read_in_its_namespace_is_watched_there() {
    let (cluster, mut watched, _folder) = judged(|cluster| {
        cluster.forbid("/apis/apps/v1/deployments");
        cluster.put(deployment(1));
    })
    .await;
    watched.until("drift", is_edited).await;
    assert!(cluster.asked("/apis/apps/v1/namespaces/edge/deployments?") >= 1);
    cluster.put(deployment(3));
    watched.next("clean", |e| is_clean(e, "Deployment")).await;
}

#[tokio::test]
async fn a_kind_that_may_not_be_read_at_all_is_unknown_and_the_rest_is_judged() {
    let (_cluster, mut watched, _folder) = judged(|cluster| {
        cluster.forbid("/apis/apps/v1/deployments");
        cluster.forbid("/apis/apps/v1/namespaces/edge/deployments");
    })
    .await;
    watched.until("config", |e| is_clean(e, "ConfigMap")).await;
    let unknown = |e: &ClusterEvent| {
        resource(e, "Deployment").is_some_and(|r| r.verdict.states == [DriftState::Unknown])
    };
    let event = watched.until("unknown", unknown).await;
    let message = resource(&event, "Deployment")
        .unwrap()
        .verdict
        .message
        .clone()
        .unwrap();
    assert!(message.as_str().contains("cannot list"), "{message}");
}

#[tokio::test]
async fn a_kind_that_the_server_does_not_serve_says_so() {
    let (_cluster, mut watched, _folder) = judged(|cluster| cluster.hide("Deployment")).await;
    let unread = |e: &ClusterEvent| matches!(&e.fact, Fact::KindUnread { gvk, .. } if &*gvk.kind == "Deployment");
    let event = watched.until("unread", unread).await;
    assert!(format!("{:?}", event.fact).contains("install its definition"));
    watched.until("config", |e| is_clean(e, "ConfigMap")).await;
}

#[tokio::test]
async fn each_kind_is_listed_once_and_watched_on_one_connection() {
    let (cluster, mut watched, _folder) = judged(|_| {}).await;
    watched
        .until("judged", |e| matches!(e.fact, Fact::AppJudged { .. }))
        .await;
    for (collection, lists) in [
        ("/deployments?limit", 1),
        ("/applications?limit", 1),
        ("/apis/apps/v1 ", 0),
    ] {
        assert_eq!(
            cluster.asked(collection),
            lists,
            "{collection}: {:?}",
            cluster.server.seen()
        );
    }
    assert_eq!(cluster.server.connections(), 1);
}

#[tokio::test]
async fn shutting_down_ends_every_task_and_connection() {
    let (_cluster, mut watched, _folder) = judged(|_| {}).await;
    watched
        .until("judged", |e| matches!(e.fact, Fact::AppJudged { .. }))
        .await;
    watched.sources.shutdown().await;
    let mut told = 0;
    while let Some(_late) = watched.events.recv().await {
        told += 1;
    }
    assert!(
        told < 100,
        "the queue ends because nobody can tell any more"
    );
}

//! Hubs and rows in, assignments and facts out, with real repositories in between.

mod obstacles;
mod standing_in;

use tokio::time::timeout;

use jiff::Timestamp;

use super::*;
use crate::desired::testing::{Origin, config_map, deployment};
use crate::domain::{
    AppRef, Application, AutoSync, Destination, Engine, Fact, Gvk, Health, HistoryEntry,
    JoinCandidate, ManagedResource, ObjectRef, Source, SyncState, Tracking, TrackingMethod,
    UnjudgedReason,
};
use crate::sources::assignment::AppAssignment;

const LONG: Duration = Duration::from_secs(600);

/// A director with everything around it.
struct Stage {
    origin: Origin,
    inputs: mpsc::UnboundedSender<DirectorInput>,
    events: mpsc::UnboundedReceiver<ClusterEvent>,
    director: Director,
}

impl Stage {
    fn new() -> Self {
        Self::with_aliases(Vec::new())
    }

    fn with_aliases(aliases: Vec<Alias>) -> Self {
        Self::with(aliases, |_| {})
    }

    fn with(aliases: Vec<Alias>, change: impl FnOnce(&mut crate::desired::Settings)) -> Self {
        let origin = Origin::new();
        let mut settings = origin.settings();
        change(&mut settings);
        let (inputs, receiver) = mpsc::unbounded_channel();
        let (sender, events) = mpsc::unbounded_channel();
        let director = Director::start(DirectorParts {
            inputs: receiver,
            desired: DesiredHandle::new(settings),
            aliases,
            events: Box::new(move |event| drop(sender.send(event))),
            time: WallClock::at(Timestamp::UNIX_EPOCH),
        });
        Self {
            origin,
            inputs,
            events,
            director,
        }
    }

    fn send(&self, input: DirectorInput) {
        self.inputs.send(input).unwrap();
    }

    fn row(&self, cluster: &str) {
        self.send(DirectorInput::Row(JoinCandidate {
            cluster: Some(cluster.into()),
            contexts: vec![cluster.into()],
            server: format!("https://{cluster}.example").into(),
            ..JoinCandidate::default()
        }));
        self.send(DirectorInput::Served {
            cluster: cluster.into(),
            served: crate::desired::Served {
                kube_version: "v1.34.2".into(),
                ..crate::desired::Served::default()
            },
        });
    }

    fn app(&self, app: Application) {
        self.send(DirectorInput::App {
            generation: 1,
            app: Box::new(app),
        });
    }

    /// An application of `hub-1` that deploys the folder `edge` to a cluster.
    fn application(&self, name: &str, cluster: &str, deployed: Option<git2::Oid>) -> Application {
        let history = deployed.map(|commit| HistoryEntry {
            id: 1,
            revision: commit.to_string().into(),
            deployed_at: None,
            source: None,
            sources: Vec::new(),
            revisions: Vec::new(),
            by: crate::domain::Safe::default(),
        });
        Application {
            id: AppRef {
                kind: crate::domain::AppKind::Application,
                hub: "hub-1".into(),
                namespace: "argocd".into(),
                name: name.into(),
            },
            engine: Engine::Argo,
            uid: "u".into(),
            resource_version: "1".into(),
            created: None,
            project: "default".into(),
            destination: Destination {
                server: format!("https://{cluster}.example").into(),
                name: "".into(),
                namespace: "edge".into(),
            },
            sources: vec![self.origin.source("edge")],
            sync: SyncState::Synced,
            compared_revision: "".into(),
            health: Health::Healthy,
            message: None,
            history: history.into_iter().collect(),
            auto_sync: AutoSync::default(),
            sync_options: Vec::new(),
            retry: None,
            ignore_differences: None,
            compare_options: "".into(),
            resources: Vec::new(),
            operation: None,
            operation_requested: false,
            skip_reconcile: false,
            owned_by_set: false,
            deleting: false,
            reconciled_at: None,
            controller_namespace: "argocd".into(),
            images: Vec::new(),
            labels: Vec::new(),
            report: crate::domain::EngineReport::default(),
        }
    }

    /// Waits until what a cluster has to judge fits.
    async fn until(
        &self,
        cluster: &str,
        fits: impl Fn(&ClusterAssignments) -> bool,
    ) -> Arc<ClusterAssignments> {
        let mut receiver = self.director.assignments(&cluster.into());
        let seen = timeout(LONG, receiver.wait_for(|a| fits(a))).await;
        seen.expect("in time").expect("the director runs").clone()
    }

    async fn judged(&self, cluster: &str) -> Arc<AppAssignment> {
        let all = self
            .until(cluster, |a| {
                !a.apps.is_empty() && a.apps.iter().all(|app| app.unjudged.is_none())
            })
            .await;
        all.apps[0].clone()
    }

    /// The next word on an application.
    async fn told(&mut self) -> (String, u64, Option<UnjudgedReason>) {
        let mut event = timeout(LONG, self.events.recv()).await.unwrap().unwrap();
        while matches!(event.fact, Fact::AppNewest { .. } | Fact::AppStandIn { .. }) {
            event = timeout(LONG, self.events.recv()).await.unwrap().unwrap();
        }
        match event.fact {
            Fact::AppUnjudged { app, reason } => {
                assert_eq!(event.cluster, app.hub);
                (
                    app.name.to_string(),
                    event.generation,
                    reason.map(|r| r.reason),
                )
            }
            other => panic!("{other:?}"),
        }
    }
}

impl Stage {
    /// The next word on the newest revision of an application.
    async fn told_newest(&mut self) -> crate::domain::Newest {
        loop {
            let event = timeout(LONG, self.events.recv()).await.unwrap().unwrap();
            if let Fact::AppNewest {
                newest: Some(newest),
                ..
            } = event.fact
            {
                return (*newest).clone();
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_newest_revision_and_what_lies_between_is_told_and_told_again_when_it_moves() {
    let mut stage = Stage::new();
    let deployed = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(deployed)));
    let first = stage.told_newest().await;
    assert_eq!((first.is_behind(), first.count), (false, 0));
    let target = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 5))]);
    let moved = stage.told_newest().await;
    assert_eq!(*moved.revision, target.to_string());
    assert_eq!(*moved.deployed, deployed.to_string());
    assert_eq!((moved.count, moved.commits.len()), (1, 1));
    assert_eq!(moved.commits[0].subject.as_str(), "Set the replicas");
}

fn replicas(objects: &[Arc<crate::domain::DesiredObject>]) -> Vec<u64> {
    objects
        .iter()
        .filter_map(|o| o.body.document()["spec"]["replicas"].as_u64())
        .collect()
}

#[tokio::test(start_paused = true)]
async fn an_edge_is_told_the_deployed_and_the_target_objects_as_argo_would_apply_them() {
    let stage = Stage::new();
    let deployed = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    let target = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 5))]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(deployed)));
    let app = stage.judged("edge-oslo-003").await;
    assert_eq!(*app.deployed_revision, deployed.to_string());
    assert_eq!(*app.target_revision, target.to_string());
    assert_eq!(
        (replicas(&app.deployed), replicas(&app.target)),
        (vec![3], vec![5])
    );
    let object = &app.deployed[0];
    assert_eq!(object.object.to_string(), "Deployment edge/web");
    assert_eq!(*object.revision, deployed.to_string());
    assert_eq!(&*object.path, "edge/web.yaml");
    assert_eq!(
        object.body.document()["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
        "web-oslo:apps/Deployment:edge/web"
    );
}

#[tokio::test(start_paused = true)]
async fn at_equal_commits_deployed_and_target_are_the_same_allocations() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(commit)));
    let app = stage.judged("edge-oslo-003").await;
    assert!(Arc::ptr_eq(&app.deployed[0], &app.target[0]));
}

#[tokio::test(start_paused = true)]
async fn a_commit_elsewhere_moves_the_revision_and_shares_the_bodies() {
    let stage = Stage::new();
    let deployed = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    let target = stage.origin.commit(&[
        ("edge/web.yaml", &deployment("web", 3)),
        ("other/b.yaml", &config_map("b")),
    ]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(deployed)));
    let app = stage.judged("edge-oslo-003").await;
    assert_eq!(*app.target[0].revision, target.to_string());
    assert!(Arc::ptr_eq(
        app.deployed[0].body.unmarked(),
        app.target[0].body.unmarked()
    ));
}

#[tokio::test(start_paused = true)]
async fn a_push_reaches_the_edges_without_a_word_of_the_hub() {
    let stage = Stage::new();
    let deployed = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(deployed)));
    stage.judged("edge-oslo-003").await;
    stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 7))]);
    let seen = stage
        .until("edge-oslo-003", |a| replicas(&a.apps[0].target) == [7])
        .await;
    assert_eq!(replicas(&seen.apps[0].deployed), [3]);
}

#[tokio::test(start_paused = true)]
async fn a_new_deployment_moves_the_deployed_objects() {
    let stage = Stage::new();
    let first = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    let second = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 5))]);
    stage.row("edge-oslo-003");
    let mut app = stage.application("web-oslo", "edge-oslo-003", Some(first));
    stage.app(app.clone());
    stage.judged("edge-oslo-003").await;
    app.history.push(HistoryEntry {
        id: 2,
        revision: second.to_string().into(),
        deployed_at: None,
        source: Some(stage.origin.source("edge")),
        sources: Vec::new(),
        revisions: Vec::new(),
        by: crate::domain::Safe::default(),
    });
    stage.app(app);
    stage
        .until("edge-oslo-003", |a| replicas(&a.apps[0].deployed) == [5])
        .await;
}

#[tokio::test(start_paused = true)]
async fn only_clusters_for_which_something_changed_hear_of_it() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    for cluster in ["edge-oslo-003", "edge-paris-001"] {
        stage.row(cluster);
        stage.app(stage.application(cluster, cluster, Some(commit)));
        stage.judged(cluster).await;
    }
    let mut oslo = stage.director.assignments(&"edge-oslo-003".into());
    let mut paris = stage.director.assignments(&"edge-paris-001".into());
    oslo.mark_unchanged();
    paris.mark_unchanged();
    // The status of one moves on without consequence, the other is redirected.
    let mut app = stage.application("edge-oslo-003", "edge-oslo-003", Some(commit));
    app.resource_version = "2".into();
    app.reconciled_at = Some(Timestamp::UNIX_EPOCH);
    stage.app(app);
    let mut app = stage.application("edge-paris-001", "edge-paris-001", Some(commit));
    app.destination.namespace = "other".into();
    stage.app(app);
    timeout(
        LONG,
        paris.wait_for(|a| &*a.apps[0].deployed[0].object.namespace == "other"),
    )
    .await
    .unwrap()
    .unwrap();
    assert!(!oslo.has_changed().unwrap());
}

#[tokio::test(start_paused = true)]
async fn applications_outside_argo_cds_namespace_carry_it_in_their_mark() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    let mut app = stage.application("web", "edge-oslo-003", Some(commit));
    app.id.namespace = "team-north".into();
    stage.app(app);
    let app = stage.judged("edge-oslo-003").await;
    assert_eq!(&*app.instance, "team-north_web");
    assert_eq!(
        app.deployed[0].body.document()["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
        "team-north_web:apps/Deployment:edge/web"
    );
}

#[tokio::test(start_paused = true)]
async fn a_hubs_tracking_settings_remake_its_objects() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web", "edge-oslo-003", Some(commit)));
    stage.judged("edge-oslo-003").await;
    stage.send(DirectorInput::Tracking {
        hub: "hub-1".into(),
        tracking: Tracking {
            method: TrackingMethod::Label,
            ..Tracking::default()
        },
    });
    let label = |a: &ClusterAssignments| {
        a.apps[0].deployed[0].body.document()["metadata"]["labels"]["app.kubernetes.io/instance"]
            == "web"
    };
    stage.until("edge-oslo-003", label).await;
}

#[tokio::test(start_paused = true)]
async fn applications_that_go_one_by_one_or_in_a_new_list_leave_their_edges() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    let apps: Vec<Application> = ["a", "b", "c"]
        .iter()
        .map(|name| stage.application(name, "edge-oslo-003", Some(commit)))
        .collect();
    let list = |apps: &[Application]| DirectorInput::Apps {
        hub: "hub-1".into(),
        generation: 1,
        apps: apps.to_vec(),
    };
    stage.send(list(&apps));
    stage.until("edge-oslo-003", |a| a.apps.len() == 3).await;
    stage.send(DirectorInput::AppGone(apps[0].id.clone()));
    stage.until("edge-oslo-003", |a| a.apps.len() == 2).await;
    stage.send(list(&apps[2..]));
    let left = stage.until("edge-oslo-003", |a| a.apps.len() == 1).await;
    assert_eq!(&*left.apps[0].app.name, "c");
}

#[tokio::test(start_paused = true)]
async fn the_hubs_own_list_corrects_what_has_a_namespace() {
    let stage = Stage::new();
    let site = "apiVersion: edge.example/v1\nkind: Site\nmetadata: {name: oslo}\n";
    let commit = stage.origin.commit(&[("edge/site.yaml", site)]);
    stage.row("edge-oslo-003");
    let mut app = stage.application("web", "edge-oslo-003", Some(commit));
    app.resources = vec![ManagedResource {
        object: ObjectRef::new(Gvk::new("edge.example", "v1", "Site"), "", "oslo"),
        sync: None,
        health: None,
        hook: false,
        requires_pruning: false,
    }];
    stage.app(app);
    let app = stage.judged("edge-oslo-003").await;
    assert_eq!(app.deployed[0].object.to_string(), "Site oslo");
}

#[tokio::test(start_paused = true)]
async fn applications_of_one_path_share_their_manifests_across_hubs_and_names() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    for (hub, cluster) in [("hub-1", "edge-oslo-003"), ("hub-2", "edge-paris-001")] {
        stage.row(cluster);
        let mut app = stage.application(cluster, cluster, Some(commit));
        app.id.hub = hub.into();
        stage.app(app);
    }
    let oslo = stage.judged("edge-oslo-003").await;
    let paris = stage.judged("edge-paris-001").await;
    assert!(Arc::ptr_eq(
        oslo.deployed[0].body.unmarked(),
        paris.deployed[0].body.unmarked()
    ));
}

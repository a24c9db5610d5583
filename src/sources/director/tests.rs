//! Hubs and rows in, assignments and facts out, with real repositories in between.

use std::collections::BTreeMap;

use tokio::time::timeout;

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
        let origin = Origin::new();
        let (inputs, receiver) = mpsc::unbounded_channel();
        let (sender, events) = mpsc::unbounded_channel();
        let director = Director::start(DirectorParts {
            inputs: receiver,
            desired: origin.service(),
            aliases,
            events: Box::new(move |event| drop(sender.send(event))),
            now: || Timestamp::UNIX_EPOCH,
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
        });
        Application {
            id: AppRef {
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
            resources: Vec::new(),
            operation: None,
            operation_requested: false,
            skip_reconcile: false,
            owned_by_set: false,
            deleting: false,
            reconciled_at: None,
            controller_namespace: "argocd".into(),
            labels: Vec::new(),
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
        let event = timeout(LONG, self.events.recv()).await.unwrap().unwrap();
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

fn replicas(objects: &[Arc<crate::domain::DesiredObject>]) -> Vec<u64> {
    objects
        .iter()
        .filter_map(|o| o.body["spec"]["replicas"].as_u64())
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
        object.body["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
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
    assert!(Arc::ptr_eq(&app.deployed[0].body, &app.target[0].body));
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
async fn an_unmatched_destination_is_told_and_taken_back_when_its_row_appears() {
    let mut stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(commit)));
    assert_eq!(
        stage.told().await,
        ("web-oslo".to_owned(), 1, Some(UnjudgedReason::Unmatched))
    );
    stage.row("edge-oslo-003");
    stage.judged("edge-oslo-003").await;
    assert_eq!(stage.told().await, ("web-oslo".to_owned(), 1, None));
    stage.send(DirectorInput::RowGone("edge-oslo-003".into()));
    assert_eq!(stage.told().await.2, Some(UnjudgedReason::Unmatched));
    stage.until("edge-oslo-003", |a| a.apps.is_empty()).await;
}

#[tokio::test(start_paused = true)]
async fn an_alias_leads_a_destination_to_its_row() {
    let stage = Stage::with_aliases(vec![Alias {
        destination: "https://10.0.0.9".into(),
        context: "edge-oslo-003".into(),
    }]);
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage.row("edge-oslo-003");
    let mut app = stage.application("web-oslo", "", Some(commit));
    app.destination.server = "https://10.0.0.9".into();
    stage.app(app);
    stage.judged("edge-oslo-003").await;
}

#[tokio::test(start_paused = true)]
async fn each_obstacle_is_told_by_its_name() {
    let mut stage = Stage::new();
    let commit = stage.origin.commit(&[
        ("edge/web.yaml", &deployment("web", 3)),
        ("chart/Chart.yaml", "name: x\n"),
    ]);
    stage.row("edge-oslo-003");
    let of = |name: &str, change: &dyn Fn(&mut Application)| {
        let mut app = stage.application(name, "edge-oslo-003", Some(commit));
        change(&mut app);
        app
    };
    let chart = Source {
        chart: "redis".into(),
        ..Source::default()
    };
    let ssh = Source {
        repo_url: "git://git.example/edge".into(),
        ..Source::default()
    };
    let apps = vec![
        of("a-never", &|a| a.history.clear()),
        of("b-multi", &|a| a.sources.push(Source::default())),
        of("c-chart", &|a| a.sources = vec![chart.clone()]),
        of("d-folder", &|a| a.sources[0].path = "chart".into()),
        of("e-url", &|a| a.sources = vec![ssh.clone()]),
        of("f-path", &|a| a.sources[0].path = "gone".into()),
        of("g-flux", &|a| a.engine = Engine::Flux),
        of("h-commit", &|a| {
            a.history[0].revision = "0123456789012345678901234567890123456789".into()
        }),
    ];
    stage.send(DirectorInput::Apps {
        hub: "hub-1".into(),
        generation: 4,
        apps,
    });
    let mut told = BTreeMap::new();
    while told.len() < 8 {
        let (app, generation, reason) = stage.told().await;
        assert_eq!(generation, 4);
        told.insert(app, reason.unwrap());
    }
    let reasons: Vec<UnjudgedReason> = told.into_values().collect();
    use UnjudgedReason as R;
    assert_eq!(
        reasons,
        [
            R::NeverDeployed,
            R::MultiSource,
            R::NeedsHelm,
            R::NeedsHelm,
            R::ForbiddenUrl,
            R::NotFound,
            R::NeedsPlugin,
            R::NotFound
        ]
    );
    let all = stage.until("edge-oslo-003", |a| a.apps.len() == 8).await;
    assert!(
        all.apps
            .iter()
            .all(|a| a.unjudged.is_some() && a.deployed.is_empty())
    );
}

#[tokio::test(start_paused = true)]
async fn while_git_is_asked_the_edge_knows_already_which_kinds_to_watch() {
    let mut book = Book::new(Vec::new());
    let stage = Stage::new();
    let mut app = stage.application("web-oslo", "edge-oslo-003", Some(git2::Oid::ZERO_SHA1));
    app.resources = vec![ManagedResource {
        object: ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", "web"),
        sync: None,
        health: None,
        hook: false,
        requires_pruning: false,
    }];
    book.take(DirectorInput::Row(JoinCandidate {
        cluster: Some("edge-oslo-003".into()),
        server: "https://edge-oslo-003.example".into(),
        ..JoinCandidate::default()
    }));
    book.take(DirectorInput::App {
        generation: 1,
        app: Box::new(app),
    });
    assert_eq!(book.jobs().len(), 1);
    assert!(book.facts().is_empty(), "pending is no obstacle to tell");
    let (cluster, told) = book.assignments().pop().unwrap();
    assert_eq!(cluster.as_str(), "edge-oslo-003");
    assert_eq!(told.kinds(), [Gvk::new("apps", "v1", "Deployment")]);
    assert_eq!(
        told.apps[0].unjudged.as_ref().map(|u| u.reason),
        Some(UnjudgedReason::Pending)
    );
    assert!(!book.has_work());
}

#[tokio::test(start_paused = true)]
async fn a_broken_target_leaves_the_deployed_objects_to_be_judged() {
    let stage = Stage::new();
    let deployed = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    stage
        .origin
        .commit(&[("edge/web.yaml", "apiVersion: v1\nkind: [\nmetadata: {}\n")]);
    stage.row("edge-oslo-003");
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(deployed)));
    let app = stage.judged("edge-oslo-003").await;
    assert_eq!(&*app.target_revision, "");
    assert!(
        Arc::ptr_eq(&app.deployed[0], &app.target[0]),
        "nothing reads as behind"
    );
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
        app.deployed[0].body["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
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
        a.apps[0].deployed[0].body["metadata"]["labels"]["app.kubernetes.io/instance"] == "web"
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
async fn a_new_life_of_a_hubs_actor_hears_everything_again() {
    let mut stage = Stage::new();
    stage.row("edge-oslo-003");
    let app = stage.application("web", "edge-oslo-003", None);
    stage.app(app.clone());
    assert_eq!(
        stage.told().await,
        ("web".to_owned(), 1, Some(UnjudgedReason::NeverDeployed))
    );
    stage.send(DirectorInput::Apps {
        hub: "hub-1".into(),
        generation: 2,
        apps: vec![app],
    });
    assert_eq!(
        stage.told().await,
        ("web".to_owned(), 2, Some(UnjudgedReason::NeverDeployed))
    );
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
async fn equal_recipes_of_two_hubs_share_one_body() {
    let stage = Stage::new();
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 3))]);
    for (hub, cluster) in [("hub-1", "edge-oslo-003"), ("hub-2", "edge-paris-001")] {
        stage.row(cluster);
        let mut app = stage.application("web", cluster, Some(commit));
        app.id.hub = hub.into();
        stage.app(app);
    }
    let oslo = stage.judged("edge-oslo-003").await;
    let paris = stage.judged("edge-paris-001").await;
    assert!(Arc::ptr_eq(&oslo.deployed[0].body, &paris.deployed[0].body));
}

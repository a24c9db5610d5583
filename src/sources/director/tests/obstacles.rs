//! What hinders judging is told once, by its name, and taken back.

use std::collections::BTreeMap;

use super::*;
use UnjudgedReason as R;

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
        repo_url: "file:///srv/charts".into(),
        chart: "redis".into(),
        ..Source::default()
    };
    let ssh = Source {
        repo_url: "git://git.example/edge".into(),
        ..Source::default()
    };
    let apps = vec![
        of("a-never", &|a| a.history.clear()),
        of("b-multi", &|a| {
            a.sources.push(Source::default());
            a.history[0].revisions.clear();
        }),
        of("c-chart", &|a| a.sources = vec![chart.clone()]),
        of("d-folder", &|a| a.sources[0].path = "chart".into()),
        of("e-url", &|a| a.sources = vec![ssh.clone()]),
        of("f-path", &|a| a.sources[0].path = "gone".into()),
        of("g-flux", &|a| {
            a.report.hindrance = Some(crate::domain::Unjudged {
                reason: R::Encrypted,
                message: "Only Flux holds the key.".into(),
            });
        }),
        of("h-commit", &|a| {
            a.history[0].revision = "0123456789012345678901234567890123456789".into();
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
    assert_eq!(
        reasons,
        [
            R::NeverDeployed,
            R::NotFound,
            R::ForbiddenUrl,
            R::NeedsHelm,
            R::ForbiddenUrl,
            R::NotFound,
            R::Encrypted,
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

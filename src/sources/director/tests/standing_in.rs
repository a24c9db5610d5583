//! Applications that cannot be rendered here, with Argo CD's API to ask.

use serde_json::json;

use super::*;
use crate::connect::Reference;
use crate::desired::ArgoApi;
use crate::desired::testing::Site;

const PATH: &str =
    "/api/v1/applications/web-oslo/managed-resources?appNamespace=argocd&project=default";

/// A stage whose hub has an API, which wants this many replicas.
async fn stage(replicas: u32) -> (Stage, Site) {
    let site = Site::start().await;
    answer(&site, replicas);
    let api = ArgoApi {
        url: site.url.clone(),
        token: Reference::Env("CARGO_PKG_NAME".to_owned()),
        ca_file: None,
    };
    let stage = Stage::with(Vec::new(), |settings| {
        settings.policy.allow_http = true;
        settings.argo.insert("hub-1".into(), api);
    });
    stage.row("edge-oslo-003");
    (stage, site)
}

fn answer(site: &Site, replicas: u32) {
    let target = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "edge"}, "spec": {"replicas": replicas}});
    let body = json!({"items": [{"kind": "Deployment", "targetState": target.to_string()}]});
    site.put(PATH, body.to_string());
}

/// A plugin's application that was deployed at, and compared with, these revisions.
fn plugged(stage: &Stage, deployed: &str, compared: &str) -> Application {
    let mut app = stage.application("web-oslo", "edge-oslo-003", Some(git2::Oid::ZERO_SHA1));
    app.sources[0].plugin = true;
    app.history[0].revision = deployed.into();
    app.compared_revision = compared.into();
    app
}

/// The next word on what stands in for Git.
async fn told(stage: &mut Stage) -> Option<UnjudgedReason> {
    loop {
        let event = timeout(LONG, stage.events.recv()).await.unwrap().unwrap();
        if let Fact::AppStandIn { because, .. } = event.fact {
            return because.map(|why| why.reason);
        }
    }
}

#[tokio::test]
async fn the_api_stands_in_for_a_plugin_and_is_named_before_anything_is_judged() {
    let (mut stage, _site) = stage(3).await;
    stage.app(plugged(&stage, "abc", "abc"));
    assert_eq!(told(&mut stage).await, Some(UnjudgedReason::NeedsPlugin));
    let app = stage.judged("edge-oslo-003").await;
    assert!(app.stand_in);
    assert_eq!(
        (replicas(&app.deployed), replicas(&app.target)),
        (vec![3], vec![3])
    );
    assert_eq!(
        (&*app.deployed_revision, &*app.target_revision),
        ("abc", "abc")
    );
    assert_eq!(&*app.deployed[0].path, "managed-resources");
}

#[tokio::test]
async fn the_api_is_asked_again_once_argo_cd_has_compared_again() {
    let (stage, site) = stage(3).await;
    stage.app(plugged(&stage, "abc", "abc"));
    stage.judged("edge-oslo-003").await;
    answer(&site, 5);
    stage.app(plugged(&stage, "def", "def"));
    let seen = stage
        .until("edge-oslo-003", |a| replicas(&a.apps[0].deployed) == [5])
        .await;
    assert_eq!(&*seen.apps[0].deployed_revision, "def");
}

#[tokio::test]
async fn both_reasons_are_told_where_the_api_does_not_help() {
    let (mut stage, site) = stage(3).await;
    stage.app(plugged(&stage, "abc", "newer"));
    assert_eq!(stage.told().await.2, Some(UnjudgedReason::NeedsPlugin));
    let both = |a: &ClusterAssignments| {
        let why = a.apps.first().and_then(|app| app.unjudged.as_ref());
        let words = ["plugin", "not the one that is deployed"];
        why.is_some_and(|why| words.iter().all(|w| why.message.as_str().contains(w)))
    };
    stage.until("edge-oslo-003", both).await;
    assert_eq!(site.heard(), []);
}

#[tokio::test]
async fn what_git_can_tell_is_never_asked_of_the_api() {
    let (stage, site) = stage(3).await;
    let commit = stage
        .origin
        .commit(&[("edge/web.yaml", &deployment("web", 7))]);
    stage.app(stage.application("web-oslo", "edge-oslo-003", Some(commit)));
    let app = stage.judged("edge-oslo-003").await;
    assert!(!app.stand_in);
    assert_eq!(replicas(&app.deployed), [7]);
    assert_eq!(site.heard(), []);
}

//! Repositories that move, vanish and return while the service runs.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::*;

const LONG: Duration = Duration::from_secs(3600);

#[tokio::test(start_paused = true)]
async fn a_new_commit_is_seen_by_the_poll_and_told() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    let source = origin.source("");
    let mut changes = service.changes();
    service.resolve(&source).await.unwrap();
    let began = Instant::now();
    let new = origin.commit(&[("a.yaml", &config_map("b"))]);
    let change = timeout(LONG, changes.recv()).await.unwrap().unwrap();
    assert_eq!(&*change.url, origin.url());
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(*service.resolve(&source).await.unwrap(), new.to_string());
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_while_nothing_moves() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    let mut changes = service.changes();
    service.resolve(&origin.source("")).await.unwrap();
    assert!(
        timeout(Duration::from_secs(60), changes.recv())
            .await
            .is_err()
    );
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_a_hub_knows_and_the_mirror_does_not_is_fetched_at_once() {
    let origin = Origin::new();
    let old = origin.commit(&[("a.yaml", &config_map("a"))]);
    let mut settings = origin.settings();
    settings.local_poll = LONG;
    let service = DesiredHandle::new(settings);
    let source = origin.source("");
    let mut changes = service.changes();
    service.resolve(&source).await.unwrap();
    let began = Instant::now();
    service.expect(&source, &old.to_string()).await;
    let new = origin.commit(&[("a.yaml", &config_map("b"))]);
    service.expect(&source, &new.to_string()).await;
    timeout(LONG, changes.recv()).await.unwrap().unwrap();
    assert!(
        began.elapsed() < Duration::from_secs(10),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_is_gone_says_so_and_is_told_when_it_returns() {
    let origin = Origin::new();
    let service = origin.service();
    let url = format!("file://{}", origin.home.path().join("later.git").display());
    let source = Source {
        repo_url: url.as_str().into(),
        ..Source::default()
    };
    let mut changes = service.changes();
    let why = service.resolve(&source).await.unwrap_err();
    assert_eq!(why.reason, UnjudgedReason::NoAccess);
    assert!(why.message.as_str().contains(&url), "{}", why.message);
    assert!(matches!(
        &service.repositories()[..],
        [RepoStatus {
            last: Some(Err(_)),
            ..
        }]
    ));
    git2::build::RepoBuilder::new()
        .bare(true)
        .clone(&origin.url(), &origin.home.path().join("later.git"))
        .unwrap();
    timeout(LONG, changes.recv()).await.unwrap().unwrap();
    assert_eq!(
        service.resolve(&source).await.unwrap_err().reason,
        UnjudgedReason::NotFound
    );
}

#[tokio::test(start_paused = true)]
async fn access_lost_later_keeps_what_was_resolved_and_is_shown_in_the_status() {
    let origin = Origin::new();
    let tip = origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    let source = origin.source("");
    let mut changes = service.changes();
    service.resolve(&source).await.unwrap();
    let path = origin.home.path().join("origin.git");
    std::fs::rename(&path, origin.home.path().join("away.git")).unwrap();
    timeout(LONG, changes.recv()).await.unwrap().unwrap();
    assert!(matches!(
        &service.repositories()[..],
        [RepoStatus {
            last: Some(Err(_)),
            ..
        }]
    ));
    assert_eq!(*service.resolve(&source).await.unwrap(), tip.to_string());
}

#[tokio::test]
async fn a_forced_push_keeps_the_deployed_commit_readable() {
    let origin = Origin::new();
    let deployed = origin.commit(&[("a.yaml", &config_map("old"))]);
    let service = origin.service();
    let source = origin.source("");
    service.resolve(&source).await.unwrap();
    origin
        .repo
        .find_reference("refs/heads/main")
        .unwrap()
        .delete()
        .unwrap();
    origin.commit(&[("a.yaml", &config_map("new"))]);
    let again = origin.service();
    assert_eq!(names(&again, &source).await, ["new"]);
    let old = again.render(&source, &deployed.to_string()).await.unwrap();
    assert_eq!(&*old.content.manifests[0].object.name, "old");
}

#[tokio::test]
async fn a_branch_that_becomes_a_folder_of_branches_is_followed() {
    let origin = Origin::new();
    let tip = origin.commit(&[("a.yaml", &config_map("a"))]);
    origin
        .repo
        .reference("refs/heads/site", tip, true, "")
        .unwrap();
    let source = Source {
        target_revision: "site/oslo".into(),
        ..origin.source("")
    };
    assert!(origin.service().resolve(&source).await.is_err());
    origin
        .repo
        .find_reference("refs/heads/site")
        .unwrap()
        .delete()
        .unwrap();
    origin
        .repo
        .reference("refs/heads/site/oslo", tip, true, "")
        .unwrap();
    assert_eq!(
        *origin.service().resolve(&source).await.unwrap(),
        tip.to_string()
    );
}

#[tokio::test]
async fn a_damaged_mirror_is_made_anew() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let source = origin.source("");
    names(&origin.service(), &source).await;
    let cache = origin.home.path().join("cache");
    let mirror = std::fs::read_dir(&cache)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.is_dir())
        .unwrap();
    std::fs::remove_file(mirror.join("HEAD")).unwrap();
    assert_eq!(names(&origin.service(), &source).await, ["a"]);
}

#[tokio::test]
async fn many_who_ask_at_once_cause_one_fetch() {
    let origin = Origin::new();
    let script = origin.home.path().join("git");
    let text = "#!/bin/sh\necho run >> \"$(dirname \"$0\")/runs\"\n";
    std::fs::write(origin.home.path().join("new"), text).unwrap();
    std::fs::rename(origin.home.path().join("new"), &script).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut settings = origin.settings();
    settings.git = script;
    let service = DesiredHandle::new(settings);
    let source = Source {
        repo_url: "https://git.example/edge.git".into(),
        target_revision: "main".into(),
        ..Source::default()
    };
    let asked = futures::future::join_all((0..50).map(|_| service.resolve(&source))).await;
    assert!(asked.iter().all(Result::is_err));
    let runs = std::fs::read_to_string(origin.home.path().join("runs")).unwrap();
    assert_eq!(runs.lines().count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_repository_that_nobody_needs_is_left_alone_until_somebody_does() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    let source = origin.source("");
    let lease = service.lease(&source).unwrap();
    service.resolve(&source).await.unwrap();
    let mut changes = service.changes();
    tokio::time::advance(LONG).await;
    origin.commit(&[("a.yaml", &config_map("b"))]);
    timeout(LONG, changes.recv())
        .await
        .expect("a held one is polled")
        .unwrap();
    drop(lease);
    tokio::time::advance(LONG).await;
    origin.commit(&[("a.yaml", &config_map("c"))]);
    // The poll that was under way when the lease was dropped may still see it.
    let _ = timeout(Duration::from_secs(10), changes.recv()).await;
    origin.commit(&[("a.yaml", &config_map("d"))]);
    let idle = timeout(LONG, changes.recv()).await;
    assert!(idle.is_err(), "nobody needs it: {idle:?}");
    let _lease = service.lease(&source).unwrap();
    timeout(LONG, changes.recv())
        .await
        .expect("it is polled again")
        .unwrap();
}

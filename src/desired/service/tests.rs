//! The service against real repositories.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use serde_json::json;
use tokio::time::{Instant, timeout};

use super::*;
use crate::desired::testing::{
    FILE, FOLDER, LINK, Origin, SUBMODULE, below, config_map, deployment,
};
use crate::domain::Gvk;

const LONG: Duration = Duration::from_secs(3600);

async fn names(service: &DesiredHandle, source: &Source) -> Vec<String> {
    let rendered = service.render(source, "HEAD").await.unwrap();
    let manifests = rendered.content.manifests.iter();
    manifests.map(|m| m.object.name.to_string()).collect()
}

async fn refusal(service: &DesiredHandle, source: &Source) -> (UnjudgedReason, String) {
    let why = service.render(source, "HEAD").await.unwrap_err();
    (why.reason, why.message.to_string())
}

#[tokio::test]
async fn a_folder_is_read_file_by_file_in_the_order_of_names() {
    let origin = Origin::new();
    let two = format!("{}---\n{}", config_map("b1"), config_map("b2"));
    origin.commit(&[
        ("edge/b.yaml", &two),
        ("edge/a.yml", &deployment("a", 3)),
        (
            "edge/c.json",
            r#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}"#,
        ),
        ("edge/README.md", "not a manifest"),
        ("edge/deeper/d.yaml", &config_map("d")),
        ("other/e.yaml", &config_map("e")),
    ]);
    let service = origin.service();
    let source = origin.source("edge");
    assert_eq!(names(&service, &source).await, ["a", "b1", "b2", "c"]);
    let rendered = service.render(&source, "HEAD").await.unwrap();
    assert_eq!(&*rendered.repo, origin.url());
    assert_eq!(&*rendered.content.manifests[1].file, "edge/b.yaml");
}

#[tokio::test]
async fn directory_options_narrow_and_widen() {
    let origin = Origin::new();
    origin.commit(&[
        ("edge/a.yaml", &config_map("a")),
        ("edge/b.yaml", &config_map("b")),
        ("edge/oslo/c.yaml", &config_map("c")),
        ("edge/oslo/d.yml", &config_map("d")),
    ]);
    let service = origin.service();
    let with = |recurse, include: &str, exclude: &str| Source {
        recurse,
        include: include.into(),
        exclude: exclude.into(),
        ..origin.source("./edge/")
    };
    assert_eq!(
        names(&service, &with(true, "", "")).await,
        ["a", "b", "c", "d"]
    );
    assert_eq!(
        names(&service, &with(true, "*.yaml", "")).await,
        ["a", "b", "c"]
    );
    assert_eq!(names(&service, &with(true, "", "oslo/*")).await, ["a", "b"]);
    assert_eq!(
        names(&service, &with(true, "{a.yaml,oslo/d*}", "")).await,
        ["a", "d"]
    );
    assert_eq!(names(&service, &with(false, "", "{a,x}.yaml")).await, ["b"]);
    let (reason, message) = refusal(&service, &with(true, "{a", "")).await;
    assert_eq!(reason, UnjudgedReason::BadManifest);
    assert!(message.contains("directory.include"), "{message}");
}

#[tokio::test]
async fn the_root_can_be_the_path() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    for path in ["", ".", "./"] {
        assert_eq!(names(&service, &origin.source(path)).await, ["a"], "{path}");
    }
}

#[tokio::test]
async fn every_way_to_name_a_revision_finds_its_commit() {
    let origin = Origin::new();
    let first = origin.commit(&[("a.yaml", &config_map("a"))]);
    let commit = origin.repo.find_commit(first).unwrap();
    let who = commit.author();
    origin
        .repo
        .tag("v1.0.0", commit.as_object(), &who, "first", false)
        .unwrap();
    origin
        .repo
        .reference("refs/tags/light", first, true, "")
        .unwrap();
    origin
        .repo
        .reference("refs/heads/site/oslo", first, true, "")
        .unwrap();
    origin
        .repo
        .reference("refs/pull/7/head", first, true, "")
        .unwrap();
    let second = origin.commit(&[("a.yaml", &config_map("b"))]);
    let service = origin.service();
    let at = |revision: &str| Source {
        target_revision: revision.into(),
        ..origin.source("")
    };
    let full = first.to_string();
    for revision in [
        "v1.0.0",
        "light",
        "site/oslo",
        "refs/tags/v1.0.0",
        "refs/heads/site/oslo",
        &full,
        &full[..7],
        "refs/pull/7/head",
    ] {
        let found = service.resolve(&at(revision)).await;
        assert_eq!(
            found.as_deref().ok(),
            Some(full.as_str()),
            "{revision}: {found:?}"
        );
    }
    for revision in ["", "HEAD", "main"] {
        assert_eq!(
            *service.resolve(&at(revision)).await.unwrap(),
            second.to_string()
        );
    }
    for revision in [
        "gone",
        "0123456789012345678901234567890123456789",
        ">=1.0.0",
        "refs/../x",
        "-x",
    ] {
        let why = service.resolve(&at(revision)).await.unwrap_err();
        assert_eq!(why.reason, UnjudgedReason::NotFound, "{revision}");
        assert!(why.message.as_str().contains(revision), "{revision}");
    }
}

#[tokio::test]
async fn what_needs_a_program_says_which() {
    let origin = Origin::new();
    let kustomization = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";
    origin.commit(&[
        ("helm/Chart.yaml", "apiVersion: v2\nname: edge\n"),
        ("kustomize/kustomization.yml", kustomization),
        ("kustomize/Chart.yaml", "name: edge\n"),
        ("jsonnet/edge.jsonnet", "{}"),
        (
            "overridden/.argocd-source.yaml",
            "directory: {recurse: true}\n",
        ),
        ("overridden/a.yaml", &config_map("a")),
        ("plain/Chart.yaml", "name: edge\n"),
        ("plain/a.yaml", &config_map("a")),
    ]);
    let service = origin.service();
    for (path, expected) in [
        ("helm", UnjudgedReason::NeedsHelm),
        ("kustomize", UnjudgedReason::NeedsKustomize),
        ("jsonnet", UnjudgedReason::NeedsPlugin),
        ("overridden", UnjudgedReason::NeedsPlugin),
    ] {
        assert_eq!(
            refusal(&service, &origin.source(path)).await.0,
            expected,
            "{path}"
        );
    }
    let explicit = Source {
        recurse: true,
        ..origin.source("plain")
    };
    assert_eq!(
        names(&service, &explicit).await,
        ["a"],
        "an explicit directory is no chart"
    );
}

#[tokio::test]
async fn sources_of_another_kind_are_told_before_any_repository_is_asked() {
    let origin = Origin::new();
    let service = origin.service();
    let plain = || Source {
        repo_url: "https://charts.invalid".into(),
        ..Source::default()
    };
    for (source, expected) in [
        (
            Source {
                chart: "redis".into(),
                ..plain()
            },
            UnjudgedReason::NeedsHelm,
        ),
        (
            Source {
                helm: true,
                ..plain()
            },
            UnjudgedReason::NeedsHelm,
        ),
        (
            Source {
                kustomize: true,
                ..plain()
            },
            UnjudgedReason::NeedsKustomize,
        ),
        (
            Source {
                plugin: true,
                ..plain()
            },
            UnjudgedReason::NeedsPlugin,
        ),
        (
            Source {
                is_ref: true,
                ..plain()
            },
            UnjudgedReason::MultiSource,
        ),
    ] {
        assert_eq!(refusal(&service, &source).await.0, expected);
    }
    assert_eq!(service.repositories(), []);
}

#[tokio::test]
async fn a_missing_path_and_one_that_leaves_the_repository_are_not_found() {
    let origin = Origin::new();
    origin.commit(&[("edge/a.yaml", &config_map("a"))]);
    let service = origin.service();
    for path in [
        "nowhere",
        "edge/a.yaml",
        "../origin.git",
        "edge/../../x",
        "/etc",
    ] {
        let (reason, message) = refusal(&service, &origin.source(path)).await;
        assert_eq!(reason, UnjudgedReason::NotFound, "{path}");
        assert!(message.contains(path), "{message}");
    }
}

#[tokio::test]
async fn links_are_not_followed_and_submodules_not_entered() {
    let origin = Origin::new();
    let file = origin.blob(config_map("a").as_bytes());
    let link = origin.blob(b"/etc/passwd");
    let other = git2::Oid::from_str("1234567890123456789012345678901234567890").unwrap();
    let tree = origin.tree(&[
        ("linked/a.yaml", FILE, file),
        ("linked/passwd.yaml", LINK, link),
        ("linked/folder", LINK, link),
        ("modules/a.yaml", FILE, file),
        ("modules/sub.yaml", SUBMODULE, other),
        ("path", LINK, origin.blob(b"linked")),
    ]);
    origin.commit_tree("main", tree);
    let service = origin.service();
    let (reason, message) = refusal(&service, &origin.source("linked")).await;
    assert_eq!(reason, UnjudgedReason::BadManifest);
    assert!(
        message.contains("`linked/passwd.yaml` is a symbolic link"),
        "{message}"
    );
    let narrowed = Source {
        exclude: "passwd.yaml".into(),
        ..origin.source("linked")
    };
    assert_eq!(names(&service, &narrowed).await, ["a"]);
    assert_eq!(names(&service, &origin.source("modules")).await, ["a"]);
    assert_eq!(
        refusal(&service, &origin.source("path")).await.0,
        UnjudgedReason::NotFound
    );
}

#[tokio::test]
async fn names_that_git_would_not_check_out_are_refused_and_nothing_leaves_the_cache() {
    for name in ["..", ".git", ".GIT", "."] {
        let origin = Origin::new();
        let inner = origin.tree(&[(
            "evil.yaml",
            FILE,
            origin.blob(config_map("evil").as_bytes()),
        )]);
        let file = origin.blob(config_map("a").as_bytes());
        let tree = origin.raw_tree(vec![
            (name.to_owned(), FOLDER, inner),
            ("a.yaml".to_owned(), FILE, file),
        ]);
        origin.commit_tree("main", tree);
        let before = below(&origin.home.path().join("origin.git")).len();
        let service = origin.service();
        let recurse = Source {
            recurse: true,
            ..origin.source("")
        };
        let (reason, message) = refusal(&service, &recurse).await;
        assert_eq!(reason, UnjudgedReason::BadManifest, "{name}: {message}");
        assert_eq!(below(&origin.home.path().join("origin.git")).len(), before);
        let mut outside: Vec<String> = std::fs::read_dir(origin.home.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        outside.sort();
        assert_eq!(outside, ["cache", "origin.git"]);
    }
}

#[tokio::test]
async fn limits_on_bytes_files_entries_depth_and_objects_hold() {
    let origin = Origin::new();
    let many: Vec<(String, String)> = (0..30)
        .map(|n| (format!("many/{n:02}.yaml"), config_map(&format!("c{n}"))))
        .collect();
    let huge = format!("{}  pad: {}\n", config_map("huge"), "x".repeat(200_000));
    let deep = format!("{}deep.yaml", "deep/".repeat(12));
    let deep_text = config_map("deep");
    let mut files: Vec<(&str, &str)> = many.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
    files.extend([
        ("huge/a.yaml", huge.as_str()),
        ("huge/unrelated.bin", huge.as_str()),
        (deep.as_str(), deep_text.as_str()),
    ]);
    origin.commit(&files);
    let with = |change: fn(&mut RenderLimits)| {
        let mut settings = origin.settings();
        change(&mut settings.render);
        DesiredHandle::new(settings)
    };
    let recurse = |path: &str| Source {
        recurse: true,
        ..origin.source(path)
    };
    type Case<'a> = (fn(&mut RenderLimits), &'a str, &'a str);
    let cases: [Case<'_>; 5] = [
        (|l| l.bytes = 100_000, "huge", "`huge/a.yaml`"),
        (|l| l.files = 29, "many", "29 manifest files"),
        (|l| l.entries = 20, "many", "20 files and folders"),
        (|l| l.depth = 5, "deep", "5 folders inside each other"),
        (|l| l.objects = 10, "many", "10 objects"),
    ];
    for (change, path, expected) in cases {
        let (reason, message) = refusal(&with(change), &recurse(path)).await;
        assert_eq!(reason, UnjudgedReason::BadManifest);
        assert!(message.contains(expected), "{message}");
    }
    assert_eq!(names(&with(|_| {}), &recurse("many")).await.len(), 30);
}

#[tokio::test]
async fn a_broken_manifest_is_named_with_its_line_and_remembered() {
    let origin = Origin::new();
    let broken = format!("{}  labels: [a\n", deployment("web", 1));
    origin.commit(&[("edge/web.yaml", &broken)]);
    let service = origin.service();
    for _ in 0..2 {
        let (reason, message) = refusal(&service, &origin.source("edge")).await;
        assert_eq!(reason, UnjudgedReason::BadManifest);
        assert!(
            message.contains("`edge/web.yaml`") && message.contains("line "),
            "{message}"
        );
    }
}

#[tokio::test]
async fn secret_values_are_sealed_in_what_is_kept_and_clear_in_what_is_about_to_be_written() {
    let origin = Origin::new();
    let secret =
        "apiVersion: v1\nkind: Secret\nmetadata: {name: token}\nstringData: {key: hunter2}\n";
    let commit = origin.commit(&[("edge/secret.yaml", secret)]);
    let service = origin.service();
    let source = origin.source("edge");
    let rendered = service.render(&source, "HEAD").await.unwrap();
    let live = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "token"}, "data": {"key": "aHVudGVyMg=="}});
    let mut live_sealed = live;
    crate::drift::seal::seal(&mut live_sealed, &origin.settings().seal);
    assert_eq!(
        rendered.content.manifests[0].body["data"], live_sealed["data"],
        "equal to the live one sealed with the same key"
    );
    let kept = format!("{rendered:?}");
    assert!(
        !kept.contains("hunter2") && !kept.contains("aHVudGVyMg"),
        "{kept}"
    );
    let recipe = Recipe {
        instance: "edge-microservice".into(),
        namespace: "edge".into(),
        ..Recipe::default()
    };
    let object = ObjectRef::new(Gvk::new("", "v1", "Secret"), "edge", "token");
    let raw = service
        .raw(&source, &commit.to_string(), &recipe, &object)
        .await
        .unwrap();
    assert_eq!(raw.body["stringData"], json!({"key": "hunter2"}));
    assert_eq!(raw.body["metadata"]["namespace"], "edge");
    assert_eq!(
        raw.body["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
        "edge-microservice:/Secret:edge/token"
    );
    let gone = ObjectRef::new(Gvk::new("", "v1", "Secret"), "edge", "gone");
    let why = service
        .raw(&source, "HEAD", &recipe, &gone)
        .await
        .unwrap_err();
    assert_eq!(why.reason, UnjudgedReason::NotFound);
}

#[tokio::test]
async fn commits_that_leave_a_folder_alone_share_its_content() {
    let origin = Origin::new();
    let first = origin.commit(&[
        ("edge/a.yaml", &config_map("a")),
        ("other/b.yaml", "x: 1\n"),
    ]);
    let second = origin.commit(&[
        ("edge/a.yaml", &config_map("a")),
        ("other/b.yaml", "x: 2\n"),
    ]);
    let third = origin.commit(&[("edge/a.yaml", &config_map("c"))]);
    let service = origin.service();
    let source = origin.source("edge");
    let mut at = Vec::new();
    for commit in [first, second, third] {
        at.push(service.render(&source, &commit.to_string()).await.unwrap());
    }
    assert!(Arc::ptr_eq(&at[0].content, &at[1].content));
    assert_ne!(at[0].revision, at[1].revision);
    assert!(!Arc::ptr_eq(&at[1].content, &at[2].content));
}

#[tokio::test]
async fn the_log_tells_author_time_and_subject() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", "x: 1\n")]);
    let tip = origin.commit(&[("a.yaml", "x: 2\n")]);
    let log = origin
        .service()
        .log(&origin.source(""), "main", 5)
        .await
        .unwrap();
    assert_eq!(log.len(), 2);
    assert_eq!(*log[0].id, tip.to_string());
    assert_eq!(log[0].author.as_str(), "Ada");
    assert_eq!(log[0].subject.as_str(), "Set the replicas");
    assert_eq!(log[0].time.unwrap().as_second(), 1_790_000_000);
}

#[tokio::test]
async fn the_mirror_is_bare_private_and_has_no_hooks() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let service = origin.service();
    names(&service, &origin.source("")).await;
    let cache = origin.home.path().join("cache");
    let mirror = std::fs::read_dir(&cache)
        .unwrap()
        .map(|e| e.unwrap().path())
        .find(|p| p.is_dir())
        .unwrap();
    for folder in [&cache, &mirror] {
        let mode = std::fs::metadata(folder).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "{}", folder.display());
    }
    let files = below(&mirror);
    let hooks = files.iter().filter(|f| f.starts_with("hooks/"));
    assert!(hooks.clone().all(|f| f.ends_with(".sample")), "{files:?}");
    assert!(!files.iter().any(|f| f.ends_with("a.yaml")), "{files:?}");
}

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
async fn urls_outside_the_policy_never_become_repositories() {
    let origin = Origin::new();
    origin.commit(&[("a.yaml", &config_map("a"))]);
    let closed = DesiredHandle::new(Settings {
        policy: RepoPolicy::default(),
        ..origin.settings()
    });
    assert_eq!(
        refusal(&closed, &origin.source("")).await.0,
        UnjudgedReason::ForbiddenUrl
    );
    let option = Source {
        repo_url: "--upload-pack=touch /tmp/x".into(),
        ..Source::default()
    };
    assert_eq!(
        refusal(&closed, &option).await.0,
        UnjudgedReason::ForbiddenUrl
    );
    assert_eq!(closed.repositories(), []);
    assert!(!origin.home.path().join("cache").exists());
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

//! What a repository must not be able to do, and what must not leave it.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::*;
use crate::desired::testing::{FILE, FOLDER, LINK, SUBMODULE, below};
use crate::domain::Gvk;

/// A limit lowered, a path that passes it, and what the refusal says.
type Case<'a> = (fn(&mut RenderLimits), &'a str, &'a str);

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
async fn links_are_followed_inside_the_repository_only_and_submodules_not_entered() {
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
        ("path", LINK, origin.blob(b"modules")),
        ("modules/again.yaml", LINK, origin.blob(b"../linked/b.yaml")),
        ("modules/gone.yaml", LINK, origin.blob(b"nowhere.yaml")),
        (
            "linked/b.yaml",
            FILE,
            origin.blob(config_map("b").as_bytes()),
        ),
    ]);
    origin.commit_tree("main", tree);
    let service = origin.service();
    let (reason, message) = refusal(&service, &origin.source("linked")).await;
    assert_eq!(reason, UnjudgedReason::BadManifest);
    assert!(
        message.contains("`linked/passwd.yaml`") && message.contains("leaves the repository"),
        "{message}"
    );
    let narrowed = Source {
        exclude: "passwd.yaml".into(),
        ..origin.source("linked")
    };
    assert_eq!(names(&service, &narrowed).await, ["a", "b"]);
    assert_eq!(names(&service, &origin.source("modules")).await, ["a", "b"]);
    assert_eq!(names(&service, &origin.source("path")).await, ["a", "b"]);
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
        .raw(&[Ask::of(&source, &commit.to_string())], &recipe, &object)
        .await
        .unwrap();
    let raw = raw.body.document();
    assert_eq!(raw["stringData"], json!({"key": "hunter2"}));
    assert_eq!(raw["metadata"]["namespace"], "edge");
    assert_eq!(
        raw["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"],
        "edge-microservice:/Secret:edge/token"
    );
    let gone = ObjectRef::new(Gvk::new("", "v1", "Secret"), "edge", "gone");
    let why = service
        .raw(&[Ask::of(&source, "HEAD")], &recipe, &gone)
        .await
        .unwrap_err();
    assert_eq!(why.reason, UnjudgedReason::NotFound);
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

//! The service against real repositories.

mod flux;
mod hostile;
mod moving;
mod release;
mod rendering;

use super::*;
use crate::desired::testing::{Origin, config_map, deployment};
use crate::domain::Verbatim;

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
        ("overridden/deeper/a.yaml", &config_map("a")),
        ("plain/Chart.yaml", "name: edge\n"),
        ("plain/a.yaml", &config_map("a")),
    ]);
    let service = origin.service();
    for (path, expected) in [
        ("helm", UnjudgedReason::NeedsHelm),
        ("kustomize", UnjudgedReason::NeedsKustomize),
        ("jsonnet", UnjudgedReason::NeedsJsonnet),
    ] {
        assert_eq!(
            refusal(&service, &origin.source(path)).await.0,
            expected,
            "{path}"
        );
    }
    assert_eq!(names(&service, &origin.source("overridden")).await, ["a"]);
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
async fn plugins_and_contradictions_are_told_before_any_repository_is_asked() {
    let origin = Origin::new();
    let service = origin.service();
    let settings = || Verbatim::of(serde_json::json!({"namePrefix": "oslo-"}));
    let plugin = Source {
        plugin: true,
        ..origin.source("edge")
    };
    let both = Source {
        helm: settings(),
        kustomize: settings(),
        ..origin.source("edge")
    };
    assert_eq!(
        refusal(&service, &plugin).await.0,
        UnjudgedReason::NeedsPlugin
    );
    assert_eq!(refusal(&service, &both).await.0, UnjudgedReason::BadSource);
    assert_eq!(service.repositories(), []);
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
async fn a_range_of_versions_is_the_newest_tag_in_it() {
    let origin = Origin::new();
    for tag in ["v1.2.3", "v1.10.0", "v2.0.0"] {
        let commit = origin.commit(&[("a.yaml", &config_map(tag))]);
        let name = format!("refs/tags/{tag}");
        origin.repo.reference(&name, commit, true, "").unwrap();
    }
    let service = origin.service();
    let source = origin.source("");
    for (range, expected) in [("1.x", "v1.10.0"), ("~1.2", "v1.2.3"), ("*", "v2.0.0")] {
        let rendered = service.render(&source, range).await.unwrap();
        assert_eq!(
            &*rendered.content.manifests[0].object.name, expected,
            "{range}"
        );
    }
}

#[tokio::test]
async fn the_commits_between_what_is_deployed_and_the_newest_are_told() {
    let origin = Origin::new();
    let deployed = origin.commit(&[("a.yaml", &config_map("a"))]);
    for name in ["b", "c"] {
        origin.commit(&[("a.yaml", &config_map(name))]);
    }
    let newest = origin.commit(&[("a.yaml", &config_map("d"))]);
    let service = origin.service();
    let source = origin.source("");
    let at = async |revision: &str| {
        let ask = Ask::of(&source, revision);
        service.locate(&ask, &Purpose::default()).await.unwrap()
    };
    let (old, new) = (at(&deployed.to_string()).await, at("main").await);
    let told = service.newest(&old, &new).await.unwrap();
    assert_eq!((told.count, told.commits.len()), (3, 3));
    assert_eq!(*told.commits[0].id, newest.to_string());
    assert_eq!(told.commits[0].author.as_str(), "Ada");
    assert_eq!(
        (&*told.deployed, &*told.revision),
        (deployed.to_string().as_str(), newest.to_string().as_str())
    );
    let same = service.newest(&new, &new).await.unwrap();
    assert!(!same.is_behind() && same.commits.is_empty());
    let back = service.newest(&new, &old).await.unwrap();
    assert!(
        back.is_behind() && back.count == 0,
        "a target that went back has nothing that is not deployed"
    );
}

//! Chart repositories and registries on this machine, asked for what applications want.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use http::Response;

use super::registry::{CHART, digest_of};
use super::testing::{Site, packed};
use crate::connect::Reference;
use crate::desired::policy::Login;
use crate::desired::testing::{Origin, config_map};
use crate::desired::{Ask, DesiredHandle, Located, Purpose, Settings};
use crate::domain::{Source, Unjudged, UnjudgedReason, Verbatim};

/// A chart with one ConfigMap of this name.
fn chart(name: &str, version: &str, map: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    packed(&[
        (&format!("{name}/Chart.yaml"), &about),
        (&format!("{name}/templates/map.yaml"), &config_map(map)),
    ])
}

/// The entries of an index: version, path, digest.
fn index(chart: &str, versions: &[(&str, &str, &str)]) -> String {
    use std::fmt::Write as _;
    let mut text = format!("apiVersion: v1\nentries:\n  {chart}:\n");
    for (version, path, digest) in versions {
        let _ = writeln!(
            text,
            "  - {{version: {version}, urls: ['{path}'], digest: {digest}}}"
        );
    }
    text
}

struct Bench {
    origin: Origin,
    site: Site,
    settings: Settings,
}

impl Bench {
    async fn new() -> Self {
        let origin = Origin::new();
        let mut settings = origin.settings();
        settings.policy.allow_http = true;
        settings.programs.helm = helm(&origin);
        Self {
            site: Site::start().await,
            settings,
            origin,
        }
    }

    fn service(&self) -> DesiredHandle {
        DesiredHandle::new(self.settings.clone())
    }

    fn source(&self, chart: &str) -> Source {
        Source {
            repo_url: format!("{}/stable", self.site.url).into(),
            chart: chart.into(),
            ..Source::default()
        }
    }

    /// A chart repository with one chart in two versions.
    async fn with_redis() -> Self {
        let bench = Self::new().await;
        let (old, new) = (
            chart("redis", "18.1.2", "old"),
            chart("redis", "18.2.0", "new"),
        );
        let (old_digest, new_digest) = (digest_of(&old), digest_of(&new));
        let text = index(
            "redis",
            &[
                ("18.1.2", "redis-18.1.2.tgz", &old_digest),
                (
                    "18.2.0",
                    "/elsewhere/redis.tgz",
                    new_digest.trim_start_matches("sha256:"),
                ),
            ],
        );
        bench.site.put("/stable/index.yaml", text);
        bench.site.put("/stable/redis-18.1.2.tgz", old);
        bench.site.put("/elsewhere/redis.tgz", new);
        bench
    }
}

/// A program that prints a chart's templates as they are, and those of the charts that it carries.
fn helm(origin: &Origin) -> std::path::PathBuf {
    let path = origin.home.path().join("helm");
    let text = "#!/bin/sh\nfor f in \"$2\"/templates/*.yaml \"$2\"/charts/*/templates/*.yaml; do [ -f \"$f\" ] && echo --- && cat \"$f\"; done; exit 0\n";
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

async fn located(
    service: &DesiredHandle,
    source: &Source,
    revision: &str,
) -> Result<Located, Unjudged> {
    service
        .locate(&Ask::of(source, revision), &Purpose::default())
        .await
}

async fn names(service: &DesiredHandle, located: &Located) -> Vec<String> {
    let content = service.content(located).await.unwrap();
    content
        .manifests
        .iter()
        .map(|m| m.object.name.to_string())
        .collect()
}

async fn refusal(
    service: &DesiredHandle,
    source: &Source,
    revision: &str,
) -> (UnjudgedReason, String) {
    let why = located(service, source, revision).await.unwrap_err();
    (why.reason, why.message.to_string())
}

#[tokio::test]
async fn a_chart_is_pulled_from_its_repository_in_the_version_that_is_meant() {
    let bench = Bench::with_redis().await;
    let service = bench.service();
    let source = bench.source("redis");
    for (revision, version, map) in [
        ("18.1.2", "18.1.2", "old"),
        ("~18.1", "18.1.2", "old"),
        ("18.x", "18.2.0", "new"),
        ("*", "18.2.0", "new"),
        ("v18.2.0", "18.2.0", "new"),
    ] {
        let located = located(&service, &source, revision).await.unwrap();
        assert_eq!(&*located.revision, version, "{revision}");
        assert_eq!(&*located.repo, format!("{}/stable", bench.site.url));
        assert_eq!(names(&service, &located).await, [map], "{revision}");
    }
    assert_eq!(
        bench.site.count("/stable/index.yaml"),
        1,
        "the index is read once"
    );
    assert_eq!(
        bench.site.count("/elsewhere/redis.tgz"),
        1,
        "a chart is pulled once"
    );
}

#[tokio::test]
async fn a_version_that_was_pulled_in_an_earlier_run_needs_no_network() {
    let bench = Bench::with_redis().await;
    let first = located(&bench.service(), &bench.source("redis"), "18.1.2")
        .await
        .unwrap();
    let heard = bench.site.heard().len();
    let service = bench.service();
    let second = located(&service, &bench.source("redis"), "18.1.2")
        .await
        .unwrap();
    assert_eq!(first.key, second.key);
    assert_eq!(names(&service, &second).await, ["old"]);
    assert_eq!(bench.site.heard().len(), heard);
}

#[tokio::test]
async fn what_is_not_there_is_told_from_what_is_wrong() {
    let bench = Bench::with_redis().await;
    let service = bench.service();
    let source = bench.source("redis");
    let (reason, message) = refusal(&service, &source, "19.x").await;
    assert_eq!(reason, UnjudgedReason::NotFound, "{message}");
    assert!(message.contains("`redis` 19.x"), "{message}");
    let (reason, _) = refusal(&service, &bench.source("nginx"), "1.0.0").await;
    assert_eq!(reason, UnjudgedReason::NotFound);
    let (reason, message) = refusal(&service, &source, "").await;
    assert_eq!(reason, UnjudgedReason::BadSource, "{message}");
    let elsewhere = Source {
        repo_url: format!("{}/nowhere", bench.site.url).into(),
        ..source.clone()
    };
    let (reason, message) = refusal(&service, &elsewhere, "1.0.0").await;
    assert_eq!(reason, UnjudgedReason::NotFound);
    assert!(message.contains("index.yaml"), "{message}");
    let unreachable = Source {
        repo_url: "http://127.0.0.1:9/stable".into(),
        ..source
    };
    assert_eq!(
        refusal(&service, &unreachable, "1.0.0").await.0,
        UnjudgedReason::NoAccess
    );
}

#[tokio::test]
async fn an_archive_of_another_digest_is_not_used() {
    let bench = Bench::with_redis().await;
    bench.site.put(
        "/stable/redis-18.1.2.tgz",
        chart("redis", "18.1.2", "swapped"),
    );
    let (reason, message) = refusal(&bench.service(), &bench.source("redis"), "18.1.2").await;
    assert_eq!(reason, UnjudgedReason::BadManifest, "{message}");
    assert!(message.contains("digest"), "{message}");
}

#[tokio::test]
async fn a_bomb_and_a_link_are_refused_and_named() {
    let mut bench = Bench::with_redis().await;
    bench.settings.copy.bytes = 1 << 20;
    let big = "0".repeat(2 << 20);
    let bomb = packed(&[("redis/Chart.yaml", ""), ("redis/templates/a.yaml", &big)]);
    bench.site.put(
        "/stable/index.yaml",
        index("redis", &[("1.0.0", "bomb.tgz", "''")]),
    );
    bench.site.put("/stable/bomb.tgz", bomb);
    let (reason, message) = refusal(&bench.service(), &bench.source("redis"), "1.0.0").await;
    assert_eq!(reason, UnjudgedReason::BadManifest, "{message}");
    assert!(message.contains("more than 1048576 bytes"), "{message}");
}

#[tokio::test]
async fn a_private_repository_says_so_and_opens_with_the_credentials_of_the_configuration() {
    let mut bench = Bench::with_redis().await;
    // edge:hunter2
    bench
        .site
        .ask_for("Basic ZWRnZTpodW50ZXIy", "Basic realm=\"charts\"");
    let source = bench.source("redis");
    let (reason, message) = refusal(&bench.service(), &source, "18.1.2").await;
    assert_eq!(reason, UnjudgedReason::NoCredentials, "{message}");
    assert!(message.contains("[[repository]]"), "{message}");
    let file = bench.origin.home.path().join("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    bench.settings.policy.logins = vec![Login {
        url: bench.site.url.clone(),
        username: "edge".to_owned(),
        password: Reference::File(file.clone()),
    }];
    assert!(located(&bench.service(), &source, "18.1.2").await.is_ok());
    std::fs::remove_file(file).unwrap();
    let (reason, message) = refusal(&bench.service(), &source, "18.2.0").await;
    assert_eq!(reason, UnjudgedReason::NoCredentials, "{message}");
    assert!(message.contains("cannot be read"), "{message}");
}

#[tokio::test]
async fn credentials_in_the_url_open_it_and_are_never_shown() {
    let bench = Bench::with_redis().await;
    bench
        .site
        .ask_for("Basic ZWRnZTpodW50ZXIy", "Basic realm=\"charts\"");
    let with = |password: &str| Source {
        repo_url: format!("http://edge:{password}@{}/stable", bench.site.host()).into(),
        ..bench.source("redis")
    };
    let service = bench.service();
    let found = located(&service, &with("hunter2"), "18.1.2").await.unwrap();
    assert!(!found.repo.contains("hunter2"));
    let (reason, message) = refusal(&service, &with("hunter3"), "18.2.0").await;
    assert_eq!(reason, UnjudgedReason::NoCredentials);
    assert!(!message.contains("hunter3"), "{message}");
}

#[tokio::test]
async fn credentials_go_to_another_host_only_when_the_application_says_so() {
    let bench = Bench::with_redis().await;
    let other = Site::start().await;
    let archive = chart("redis", "1.0.0", "far");
    let url = format!("{}/redis.tgz", other.url);
    bench.site.put(
        "/stable/index.yaml",
        index("redis", &[("1.0.0", &url, "''")]),
    );
    other.put("/redis.tgz", archive);
    let with_login = Source {
        repo_url: format!("http://edge:hunter2@{}/stable", bench.site.host()).into(),
        ..bench.source("redis")
    };
    let passing = Source {
        helm: Verbatim::of(serde_json::json!({"passCredentials": true})),
        ..with_login.clone()
    };
    for (source, expected) in [(with_login, ""), (passing, "Basic ZWRnZTpodW50ZXIy")] {
        let mut settings = bench.settings.clone();
        settings.cache = tempfile::tempdir().unwrap().keep();
        located(&DesiredHandle::new(settings), &source, "1.0.0")
            .await
            .unwrap();
        let (_, sent) = other.heard().pop().unwrap();
        assert_eq!(sent, expected);
    }
}

#[tokio::test]
async fn a_chart_of_a_registry_is_pulled_by_tag_and_by_range() {
    let bench = Bench::new().await;
    let site = &bench.site;
    site.push("edge/web", "1.2.0", CHART, &chart("web", "1.2.0", "plain"));
    site.push(
        "edge/web",
        "1.3.0_build.7",
        CHART,
        &chart("web", "1.3.0+build.7", "built"),
    );
    site.tags(
        "edge/web",
        &["1.2.0", "1.3.0_build.7", "latest", "2.0.0-rc.1"],
    );
    let service = bench.service();
    for repo_url in [
        format!("{}/edge", site.host()),
        format!("oci://{}/edge", site.host()),
    ] {
        let source = Source {
            repo_url: repo_url.into(),
            chart: "web".into(),
            ..Source::default()
        };
        for (revision, version, map) in [
            ("1.2.0", "1.2.0", "plain"),
            ("1.x", "1.3.0+build.7", "built"),
            ("1.3.0+build.7", "1.3.0+build.7", "built"),
        ] {
            let located = located(&service, &source, revision).await.unwrap();
            assert_eq!(&*located.revision, version);
            assert_eq!(&*located.repo, format!("oci://{}/edge/web", site.host()));
            assert_eq!(names(&service, &located).await, [map]);
        }
        let (reason, message) = refusal(&service, &source, "3.0.0").await;
        assert_eq!(reason, UnjudgedReason::NotFound, "{message}");
    }
    let latest = Source {
        repo_url: format!("oci://{}/edge", site.host()).into(),
        chart: "web".into(),
        ..Source::default()
    };
    assert_eq!(
        &*located(&service, &latest, "*").await.unwrap().revision,
        "1.3.0+build.7"
    );
}

#[tokio::test]
async fn a_registrys_challenge_is_answered_with_a_token_for_reading() {
    let bench = Bench::new().await;
    let site = &bench.site;
    site.push("edge/web", "1.2.0", CHART, &chart("web", "1.2.0", "plain"));
    site.put(
        "/token?service=r.example&scope=repository%3Aedge%2Fweb%3Apull",
        r#"{"token":"t0ken"}"#,
    );
    let challenge = format!(
        "Bearer realm=\"{}/token\",service=\"r.example\",scope=\"repository:edge/web:pull,push\"",
        site.url
    );
    site.ask_for("Bearer t0ken", &challenge);
    let source = Source {
        repo_url: format!("{}/edge", site.host()).into(),
        chart: "web".into(),
        ..Source::default()
    };
    let located = located(&bench.service(), &source, "1.2.0").await.unwrap();
    assert_eq!(&*located.revision, "1.2.0");
    let tokens = site
        .heard()
        .iter()
        .filter(|(path, _)| path.starts_with("/token"))
        .count();
    assert_eq!(tokens, 1, "a token is used until it is refused");
}

#[tokio::test]
async fn a_registry_that_swaps_content_is_not_believed() {
    let bench = Bench::new().await;
    let site = &bench.site;
    let honest = chart("web", "1.2.0", "plain");
    site.push("edge/web", "1.2.0", CHART, &honest);
    let blob = format!("/v2/edge/web/blobs/{}", digest_of(&honest));
    site.put(&blob, chart("web", "1.2.0", "swapped"));
    let source = Source {
        repo_url: format!("{}/edge", site.host()).into(),
        chart: "web".into(),
        ..Source::default()
    };
    let (reason, message) = refusal(&bench.service(), &source, "1.2.0").await;
    assert_eq!(reason, UnjudgedReason::BadManifest, "{message}");
    assert!(message.contains("digest"), "{message}");
}

#[tokio::test]
async fn an_artifact_is_a_folder_whose_revision_is_its_digest() {
    let bench = Bench::new().await;
    let site = &bench.site;
    let folder = packed(&[
        ("oslo/map.yaml", &config_map("oslo")),
        ("paris/map.yaml", &config_map("paris")),
    ]);
    let digest = site.push(
        "edge/manifests",
        "1.0.0",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        &folder,
    );
    site.tags("edge/manifests", &["1.0.0"]);
    let source = Source {
        repo_url: format!("oci://{}/edge/manifests", site.host()).into(),
        path: "oslo".into(),
        ..Source::default()
    };
    let service = bench.service();
    for revision in ["1.0.0", "1.x", &digest] {
        let located = located(&service, &source, revision).await.unwrap();
        assert_eq!(&*located.revision, digest);
        assert_eq!(names(&service, &located).await, ["oslo"]);
    }
    let (reason, message) = refusal(&service, &source, &digest_of(b"other")).await;
    assert_eq!(reason, UnjudgedReason::NotFound, "{message}");
    let chart = site.push(
        "edge/chart",
        "2.0.0",
        CHART,
        &chart("web", "2.0.0", "chart"),
    );
    let source = Source {
        repo_url: format!("oci://{}/edge/chart", site.host()).into(),
        path: ".".into(),
        ..Source::default()
    };
    let located = located(&service, &source, "2.0.0").await.unwrap();
    assert_eq!(*located.revision, *chart);
    assert_eq!(names(&service, &located).await, ["chart"]);
}

#[tokio::test]
async fn a_dependency_is_pulled_only_from_where_it_is_allowed() {
    let mut bench = Bench::with_redis().await;
    let about = format!(
        "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- {{name: redis, version: 18.x, repository: '{}/stable'}}\n",
        bench.site.url
    );
    bench.origin.commit(&[
        ("web/Chart.yaml", &about),
        ("web/templates/a.yaml", &config_map("web")),
    ]);
    let source = bench.origin.source("web");
    let (reason, message) = refusal(&bench.service(), &source, "main").await;
    assert_eq!(reason, UnjudgedReason::ForbiddenUrl, "{message}");
    assert!(
        message.contains("`redis`") && message.contains("remote-bases"),
        "{message}"
    );
    assert_eq!(bench.site.heard(), [], "nothing is asked of it");
    bench.settings.policy.remote_bases = vec![format!("{}/", bench.site.url)];
    let service = bench.service();
    let newest = located(&service, &source, "main").await.unwrap();
    assert_eq!(names(&service, &newest).await, ["web", "new"]);
    let lock = format!(
        "dependencies:\n- {{name: redis, version: 18.1.2, repository: '{}/stable'}}\n",
        bench.site.url
    );
    bench.origin.commit(&[
        ("web/Chart.yaml", &about),
        ("web/Chart.lock", &lock),
        ("web/templates/a.yaml", &config_map("web")),
    ]);
    let service = bench.service();
    let locked = located(&service, &source, "main").await.unwrap();
    assert_eq!(names(&service, &locked).await, ["web", "old"]);
    assert_ne!(newest.key, locked.key);
}

#[tokio::test]
async fn a_new_version_in_range_is_told_and_a_whole_version_is_not_asked_for_again() {
    let mut bench = Bench::with_redis().await;
    bench.settings.chart_poll = Duration::from_millis(20);
    let service = bench.service();
    let mut changes = service.changes();
    let source = bench.source("redis");
    located(&service, &source, "18.1.2").await.unwrap();
    located(&service, &source, "18.x").await.unwrap();
    let newest = chart("redis", "18.3.0", "newest");
    let text = index(
        "redis",
        &[("18.3.0", "redis-18.3.0.tgz", &digest_of(&newest))],
    );
    bench.site.put("/stable/redis-18.3.0.tgz", newest);
    bench.site.put("/stable/index.yaml", text);
    let change = tokio::time::timeout(Duration::from_secs(20), changes.recv()).await;
    let url = change.expect("the change is told").unwrap().url;
    assert_eq!(Some(url), service.url_of(&source));
    let moved = located(&service, &source, "18.x").await.unwrap();
    assert_eq!(&*moved.revision, "18.3.0");
    assert_eq!(bench.site.count("/stable/redis-18.1.2.tgz"), 1);
}

#[tokio::test]
async fn an_index_that_did_not_change_is_not_sent_again() {
    let mut bench = Bench::with_redis().await;
    bench.settings.chart_poll = Duration::from_millis(20);
    let text = index("redis", &[("18.1.2", "redis-18.1.2.tgz", "''")]);
    let tagged = Response::builder()
        .header("etag", "\"one\"")
        .body(text.into())
        .unwrap();
    bench.site.respond("/stable/index.yaml", tagged);
    let service = bench.service();
    let source = bench.source("redis");
    located(&service, &source, "18.x").await.unwrap();
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while bench.site.count("/stable/index.yaml") < 3 {
        assert!(std::time::Instant::now() < deadline, "it is polled");
        tokio::task::yield_now().await;
    }
    assert_eq!(
        &*located(&service, &source, "18.x").await.unwrap().revision,
        "18.1.2"
    );
}

#[tokio::test]
async fn a_repository_that_goes_away_keeps_its_answers_and_one_that_comes_back_is_told() {
    let mut bench = Bench::with_redis().await;
    bench.settings.chart_poll = Duration::from_millis(20);
    let text = index("redis", &[("18.1.2", "redis-18.1.2.tgz", "''")]);
    let broken = || {
        Response::builder()
            .status(500)
            .body(bytes::Bytes::new())
            .unwrap()
    };
    bench.site.respond("/stable/index.yaml", broken());
    let service = bench.service();
    let mut changes = service.changes();
    let source = bench.source("redis");
    let (reason, message) = refusal(&service, &source, "18.x").await;
    assert_eq!(reason, UnjudgedReason::NoAccess, "{message}");
    bench.site.put("/stable/index.yaml", text);
    tokio::time::timeout(Duration::from_secs(20), changes.recv())
        .await
        .expect("it is told")
        .unwrap();
    assert!(located(&service, &source, "18.x").await.is_ok());
    bench.site.respond("/stable/index.yaml", broken());
    let asked = bench.site.count("/stable/index.yaml");
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while bench.site.count("/stable/index.yaml") < asked + 2 {
        assert!(std::time::Instant::now() < deadline, "it is polled");
        tokio::task::yield_now().await;
    }
    assert!(located(&service, &source, "18.x").await.is_ok());
    let status = service.repositories();
    assert!(
        status
            .iter()
            .any(|r| r.last.as_ref().is_some_and(Result::is_err)),
        "{status:?}"
    );
}

//! The product's Git mirror against a real repository over HTTPS: the git program, a private authority, a moving branch.

use std::path::Path;
use std::time::Duration;

use driftdeck::connect::Reference;
use driftdeck::desired::{DesiredHandle, Login, RepoPolicy, Settings};
use driftdeck::domain::{Source, UnjudgedReason};
use driftdeck::drift::SealKey;
use tempfile::TempDir;

use crate::bed::{Bed, bed};
use crate::story::{PASSWORD, manifests};

fn service(cache: &Path, ca: Option<&Path>) -> DesiredHandle {
    service_with(cache, ca, Vec::new())
}

fn service_with(cache: &Path, ca: Option<&Path>, logins: Vec<Login>) -> DesiredHandle {
    let policy = RepoPolicy {
        ca_file: ca.map(Path::to_owned),
        logins,
        ..RepoPolicy::default()
    };
    DesiredHandle::new(Settings {
        policy,
        poll: Duration::from_secs(1),
        ..Settings::new(cache, SealKey::new([7; 32]))
    })
}

fn source(url: &str) -> Source {
    Source {
        repo_url: url.into(),
        path: "microserviceA".into(),
        ..Source::default()
    }
}

fn cache(bed: &Bed) -> TempDir {
    TempDir::new_in(&bed.dir).unwrap()
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_repository_behind_a_private_authority_is_mirrored_and_rendered() {
    let bed = bed().await;
    let repository = bed.git.repository("mirrored");
    let commit = repository.commit("Deploy", &manifests("mirrored"));
    let cache = cache(bed);
    let service = service(cache.path(), Some(&bed.git.ca_file));
    let rendered = service
        .render(&source(&repository.url), "HEAD")
        .await
        .unwrap();
    assert_eq!(&*rendered.revision, commit);
    let mut kinds: Vec<&str> = rendered
        .content
        .manifests
        .iter()
        .map(|m| &*m.object.gvk.kind)
        .collect();
    kinds.sort_unstable();
    assert_eq!(
        kinds,
        [
            "ClusterRole",
            "ClusterRoleBinding",
            "ConfigMap",
            "Deployment",
            "NetworkPolicy",
            "PodDisruptionBudget",
            "Secret",
            "Secret",
            "Service",
            "ServiceAccount",
            "ServiceMonitor",
        ]
    );
    for manifest in &rendered.content.manifests {
        let text = manifest.body.to_string();
        assert!(
            PASSWORD.iter().all(|value| !text.contains(value)),
            "a Secret's value is kept: {}",
            manifest.object
        );
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_push_is_noticed_and_the_old_commit_stays_readable() {
    let bed = bed().await;
    let repository = bed.git.repository("pushed");
    let first = repository.commit("Deploy", &manifests("pushed"));
    let cache = cache(bed);
    let service = service(cache.path(), Some(&bed.git.ca_file));
    let source = source(&repository.url);
    assert_eq!(&*service.resolve(&source).await.unwrap(), first);
    let mut changes = service.changes();
    let second = repository.commit("Document", &[("README.md".into(), "More.\n".into())]);
    let change = tokio::time::timeout(Duration::from_secs(30), changes.recv()).await;
    change
        .expect("the push was not noticed within half a minute")
        .unwrap();
    assert_eq!(&*service.resolve(&source).await.unwrap(), second);
    let old = service.render(&source, &first).await.unwrap();
    assert_eq!(old.content.manifests.len(), 11);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_private_repository_is_read_with_the_password_that_the_configuration_names() {
    let bed = bed().await;
    let repository = bed.git.repository("private");
    let commit = repository.commit("Deploy", &manifests("private"));
    repository.lock("edge:k3y/of:n0t3");
    let password = bed.dir.join("git-password");
    std::fs::write(&password, "k3y/of:n0t3\n").unwrap();
    let login = |file: &Path| Login {
        url: repository.url.trim_end_matches("private.git").to_owned(),
        username: "edge".to_owned(),
        password: Reference::File(file.to_owned()),
    };
    let cache = cache(bed);
    let resolve = |logins: Vec<Login>| {
        let service = service_with(cache.path(), Some(&bed.git.ca_file), logins);
        let source = source(&repository.url);
        async move { service.resolve(&source).await }
    };
    let refused = resolve(Vec::new()).await.unwrap_err();
    assert_eq!(refused.reason, UnjudgedReason::NoCredentials, "{refused:?}");
    let lost = resolve(vec![login(&bed.dir.join("no-such-file"))]).await;
    let lost = lost.unwrap_err();
    assert!(lost.message.as_str().contains("[[repository]]"), "{lost:?}");
    let read = resolve(vec![login(&password)]).await.unwrap();
    assert_eq!(&*read, commit);
    let kept = std::fs::read_dir(cache.path()).unwrap().flatten();
    for folder in kept.filter(|f| f.path().join("config").exists()) {
        let config = std::fs::read_to_string(folder.path().join("config")).unwrap();
        assert!(!config.contains("k3y"), "{config}");
    }
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_repository_that_cannot_be_reached_is_named_with_its_reason() {
    let bed = bed().await;
    let repository = bed.git.repository("distrusted");
    repository.commit("Deploy", &manifests("distrusted"));
    let cache = cache(bed);
    let without_authority = service(cache.path(), None)
        .resolve(&source(&repository.url))
        .await
        .unwrap_err();
    assert_eq!(
        without_authority.reason,
        UnjudgedReason::NoAccess,
        "{without_authority:?}"
    );
    assert!(
        without_authority
            .message
            .to_string()
            .contains("certificate"),
        "{without_authority:?}"
    );
    let gone = repository.url.replace("distrusted", "never-there");
    let gone = service(cache.path(), Some(&bed.git.ca_file))
        .resolve(&source(&gone))
        .await
        .unwrap_err();
    assert_eq!(gone.reason, UnjudgedReason::NoAccess, "{gone:?}");
}

//! Rendering programs around the service, played by scripts: what they are given, what becomes of what they print. The real ones are tested elsewhere.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use super::*;
use crate::desired::testing::below;

/// A program that does as the script says.
pub(super) fn program(origin: &Origin, name: &str, script: &str) -> PathBuf {
    let path = origin.home.path().join(name);
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    path
}

fn overlay(origin: &Origin) {
    origin.commit(&[
        (
            "overlays/oslo/kustomization.yaml",
            "resources: [../../base]\n",
        ),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &deployment("web", 2)),
        ("other/secret.yaml", "a: 1\n"),
    ]);
}

#[tokio::test]
async fn kustomize_sees_a_copy_of_what_it_needs_and_nothing_stays() {
    let origin = Origin::new();
    overlay(&origin);
    let mut settings = origin.settings();
    settings.programs.kustomize = program(
        &origin,
        "kustomize",
        "[ \"$1\" = build ] && [ ! -e other ] && grep -q base \"$2/kustomization.yaml\" && cat \"$2/../../base/web.yaml\"",
    );
    let service = DesiredHandle::new(settings);
    assert_eq!(
        names(&service, &origin.source("overlays/oslo")).await,
        ["web"]
    );
    let left = below(&origin.home.path().join("cache/work"));
    assert_eq!(left, Vec::<String>::new());
}

#[tokio::test]
async fn kubectl_stands_in_for_kustomize_when_it_is_there() {
    let origin = Origin::new();
    overlay(&origin);
    let mut settings = origin.settings();
    settings.programs.kubectl = Some(program(
        &origin,
        "kubectl",
        "[ \"$1\" = kustomize ] && cat \"$2/../../base/web.yaml\"",
    ));
    let service = DesiredHandle::new(settings);
    assert_eq!(
        names(&service, &origin.source("overlays/oslo")).await,
        ["web"]
    );
}

#[tokio::test]
async fn a_program_that_refuses_or_prints_no_manifest_is_named_with_the_file() {
    let origin = Origin::new();
    overlay(&origin);
    let source = origin.source("overlays/oslo");
    for (script, reason, word) in [
        (
            "echo 'Error: accumulating resources' >&2; exit 1",
            UnjudgedReason::RenderFailed,
            "accumulating resources",
        ),
        ("echo just: text", UnjudgedReason::BadManifest, "no kind"),
    ] {
        let mut settings = origin.settings();
        settings.programs.kustomize = program(&origin, "kustomize", script);
        let (found, message) = refusal(&DesiredHandle::new(settings), &source).await;
        assert_eq!(found, reason, "{message}");
        assert!(message.contains(word), "{message}");
        assert!(
            message.contains("`overlays/oslo/kustomization.yaml`"),
            "{message}"
        );
    }
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named_with_the_next_step() {
    let origin = Origin::new();
    overlay(&origin);
    let (reason, message) = refusal(&origin.service(), &origin.source("overlays/oslo")).await;
    assert_eq!(reason, UnjudgedReason::NeedsKustomize);
    assert!(
        message.contains("install it") && message.contains("config.toml"),
        "{message}"
    );
}

#[tokio::test]
async fn what_lies_beside_a_kustomization_does_not_ask_for_a_new_build() {
    let origin = Origin::new();
    overlay(&origin);
    let mut settings = origin.settings();
    let count = origin.home.path().join("count");
    settings.programs.kustomize = program(
        &origin,
        "kustomize",
        "cat \"$2/../../base/web.yaml\"; touch \"$(dirname \"$0\")/count-$$\"",
    );
    let service = DesiredHandle::new(settings);
    let source = origin.source("overlays/oslo");
    let first = service.render(&source, "HEAD").await.unwrap();
    let second = origin.commit(&[
        (
            "overlays/oslo/kustomization.yaml",
            "resources: [../../base]\n",
        ),
        ("base/kustomization.yaml", "resources: [web.yaml]\n"),
        ("base/web.yaml", &deployment("web", 2)),
        ("README.md", "Changed.\n"),
    ]);
    let again = service.render(&source, &second.to_string()).await.unwrap();
    assert!(Arc::ptr_eq(&first.content, &again.content), "{count:?}");
}

#[tokio::test]
async fn helm_is_given_the_values_of_all_sources_in_order() {
    let origin = Origin::new();
    let commit = origin.commit(&[
        ("web/Chart.yaml", "name: web\nversion: 1.0.0\n"),
        ("web/values-oslo.yaml", "a: chart\n"),
        ("values/oslo.yaml", "a: reference\n"),
    ]);
    let mut settings = origin.settings();
    // Prints a ConfigMap of the arguments and the value files.
    settings.programs.helm = program(
        &origin,
        "helm",
        "echo 'apiVersion: v1'; echo 'kind: ConfigMap'; echo 'metadata: {name: told}'; echo 'data:'; echo '  args: |'; printf '    %s\\n' \"$@\"; echo '  values: |'; for f in 0 1 2; do sed 's/^/    /' ../values/$f; echo; done",
    );
    let service = DesiredHandle::new(settings);
    let helm = serde_json::json!({
        "releaseName": "web-oslo",
        "valueFiles": ["values-oslo.yaml", "$shared/values/oslo.yaml", "gone.yaml"],
        "ignoreMissingValueFiles": true,
        "values": "a: inline\n",
        "parameters": [{"name": "image.tag", "value": "1,2"}, {"name": "port", "value": "80", "forceString": true}],
        "skipCrds": true,
    });
    let sources = [
        Source {
            helm: Verbatim::of(helm),
            ..origin.source("web")
        },
        Source {
            reference: "shared".into(),
            path: "".into(),
            ..origin.source("")
        },
    ];
    let revision: crate::domain::Name = commit.to_string().into();
    let asks = Ask::all(&sources, &[revision.clone(), revision]);
    assert_eq!(asks.len(), 1);
    let purpose = Purpose {
        app: "web".into(),
        namespace: "edge".into(),
        served: Some(Served {
            kube_version: "v1.34.2+k3s1".into(),
            api_versions: vec!["apps/v1".into()].into(),
        }),
        ..Purpose::default()
    };
    let located = service.locate(&asks[0], &purpose).await.unwrap();
    let content = service.content(&located).await.unwrap();
    let told = &content.manifests[0].body["data"];
    let args: Vec<&str> = told["args"].as_str().unwrap().lines().collect();
    assert_eq!(args[0], "template");
    assert!(args[1].ends_with("/tree/web"), "{args:?}");
    assert_eq!(
        args[2..16],
        [
            "--name-template",
            "web-oslo",
            "--namespace",
            "edge",
            "--kube-version",
            "1.34.2",
            "--set",
            "image.tag=1\\,2",
            "--set-string",
            "port=80",
            "--api-versions",
            "apps/v1",
            "--values",
            args[15],
        ]
    );
    let values: Vec<&str> = told["values"]
        .as_str()
        .unwrap()
        .split_whitespace()
        .collect();
    assert_eq!(values, ["a:", "chart", "a:", "reference", "a:", "inline"]);
}

//! Kustomizations of Flux: what its source's artifact would hold, what needs no program, what the cluster gives to it.

use serde_json::{Value, json};

use super::*;
use crate::desired::GivenText;

use crate::drift::seal::is_token;

fn flux(origin: &Origin, path: &str, settings: Value) -> Source {
    Source {
        flux: Verbatim::of(settings),
        ..origin.source(path)
    }
}

async fn bodies(service: &DesiredHandle, source: &Source) -> Vec<Value> {
    let rendered = service.render(source, "main").await.unwrap();
    let manifests = rendered.content.manifests.iter();
    manifests.map(|m| (*m.body).clone()).collect()
}

fn edge(origin: &Origin) {
    origin.commit(&[
        ("clusters/oslo/web.yaml", &deployment("web", 2)),
        ("clusters/oslo/db/map.yml", &config_map("db")),
        ("clusters/oslo/draft.yaml", &config_map("draft")),
        ("clusters/oslo/.sops.yaml", "creation_rules: []\n"),
        ("clusters/oslo/values.json", "{}"),
        (
            "clusters/oslo/.argocd-source.yaml",
            "kind: no\napiVersion: v1\nmetadata: {name: never}\n",
        ),
        (".sourceignore", "draft.yaml\n.argocd*\n"),
    ]);
}

#[tokio::test]
async fn a_folder_without_a_kustomization_is_read_as_flux_would_generate_one() {
    let origin = Origin::new();
    edge(&origin);
    let settings = json!({"commonMetadata": {"labels": {"site": "oslo"}}});
    let source = flux(&origin, "./clusters/oslo", settings);
    let objects = bodies(&origin.service(), &source).await;
    let names: Vec<&Value> = objects
        .iter()
        .filter_map(|o| o.pointer("/metadata/name"))
        .collect();
    assert_eq!(names, ["db", "web"]);
    assert!(
        objects
            .iter()
            .all(|o| o.pointer("/metadata/labels/site") == Some(&json!("oslo")))
    );
}

#[tokio::test]
async fn what_the_source_takes_back_is_there_again() {
    let origin = Origin::new();
    edge(&origin);
    let settings = json!({"sourceIgnore": "!draft.yaml\n"});
    let source = flux(&origin, "/clusters/oslo", settings);
    assert_eq!(
        names(&origin.service(), &source).await,
        ["db", "draft", "web"]
    );
}

#[tokio::test]
async fn a_kustomization_or_a_variable_needs_the_program_and_says_so() {
    let origin = Origin::new();
    origin.commit(&[
        ("a/kustomization.yaml", "resources: [web.yaml]\n"),
        ("a/web.yaml", &deployment("web", 2)),
        ("b/web.yaml", &deployment("web-${site}", 2)),
        ("c/web.yaml", &deployment("web", 2)),
    ]);
    let service = origin.service();
    let variable = json!({"postBuild": {"substitute": {"site": "oslo"}}});
    for (path, settings, needs) in [
        ("a", json!({"prune": true}), true),
        ("b", variable.clone(), true),
        ("c", variable, false),
        ("c", json!({"namePrefix": "oslo-"}), true),
    ] {
        let source = flux(&origin, path, settings);
        let answer = service.render(&source, "main").await;
        let reason = answer.err().map(|why| why.reason);
        assert_eq!(
            reason,
            needs.then_some(UnjudgedReason::NeedsKustomize),
            "{path}"
        );
    }
}

/// A program in kustomize's place that prints the folder's manifests.
fn printing(origin: &Origin, script: &str) -> DesiredHandle {
    let mut settings = origin.settings();
    settings.programs.kustomize = rendering::program(origin, "kustomize", script);
    DesiredHandle::new(settings)
}

#[tokio::test]
async fn variables_come_from_the_cluster_and_a_secrets_value_is_sealed() {
    let origin = Origin::new();
    let map = config_map("web")
        .replace("edge", "${site}-${pin}")
        .replace("web", "web-${site}");
    origin.commit(&[("a/web.yaml", &map)]);
    let service = printing(&origin, "cat \"$3\"/web.yaml");
    let settings = json!({"given": {"to": "oslo/flux-system/web", "stamp": "7"}});
    let source = flux(&origin, "a", settings);
    let why = service.render(&source, "main").await.unwrap_err();
    assert_eq!(why.reason, UnjudgedReason::Pending);
    let text = |text: &str, secret| GivenText {
        text: text.to_owned(),
        secret,
    };
    let given = Given {
        variables: [
            ("site".to_owned(), text("oslo", false)),
            ("pin".to_owned(), text("hunter2", true)),
        ]
        .into(),
        ..Given::default()
    };
    let to = "oslo/flux-system/web".into();
    service.give(&to, "6".into(), Arc::default());
    assert!(service.render(&source, "main").await.is_err());
    service.give(&to, "7".into(), Arc::new(given));
    let objects = bodies(&service, &source).await;
    let map = objects.first().unwrap();
    assert_eq!(map.pointer("/metadata/name"), Some(&json!("web-oslo")));
    let mode = map.pointer("/data/mode").and_then(Value::as_str).unwrap();
    assert!(is_token(mode), "{mode}");
}

#[tokio::test]
async fn an_encrypted_secret_stays_shut_and_a_generated_one_shuts_the_whole() {
    let origin = Origin::new();
    let secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: pin\ndata:\n  pin: ENC[AES256_GCM,data:x]\nsops:\n  mac: ENC[AES256_GCM,data:y]\n";
    let generated = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: pin-5h2k\ndata:\n  pin: ENC[AES256_GCM,data:x]\n";
    origin.commit(&[("a/pin.yaml", secret), ("b/pin.yaml", generated)]);
    let service = origin.service();
    let decryption = json!({"decryption": {"provider": "sops"}});
    assert_eq!(
        names(&service, &flux(&origin, "a", decryption.clone())).await,
        ["pin"]
    );
    let (reason, message) = refusal(&service, &flux(&origin, "b", decryption)).await;
    assert_eq!(reason, UnjudgedReason::Encrypted);
    assert!(message.contains("`b/pin.yaml`"), "{message}");
}

#[tokio::test]
async fn what_flux_lets_a_kustomization_load_from_elsewhere_is_copied() {
    let origin = Origin::new();
    origin.commit(&[
        ("a/kustomization.yaml", "resources: [../common/web.yaml]\n"),
        ("common/web.yaml", &deployment("web", 2)),
        ("other/db.yaml", &deployment("db", 2)),
    ]);
    let script = "[ \"$2\" = --load-restrictor=LoadRestrictionsNone ] && [ ! -e \"$3\"/../other ] && cat \"$3\"/../common/web.yaml";
    let source = flux(&origin, "a", json!({"targetNamespace": "edge"}));
    assert_eq!(names(&printing(&origin, script), &source).await, ["web"]);
}

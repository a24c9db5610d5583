//! HelmReleases of Flux around the service, `helm` played by a script: which chart it is given, what becomes of what Secrets gave.

use serde_json::{Value, json};

use super::*;
use crate::desired::{GivenText, GivenValues};
use crate::drift::seal::is_token;

/// Prints one object: the chart's version, and two of the values that are handed to it.
const HELM: &str = r#"values=$(cat)
of() { printf %s "$values" | sed "s/.*\"$1\":\"\([^\"]*\)\".*/\1/"; }
version=$(sed -n 's/^version: //p' "$2/Chart.yaml")
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {version: "%s", site: "%s", pin: "%s"}\n' "$version" "$(of site)" "$(of pin)""#;

fn chart(origin: &Origin, version: &str) {
    let chart = format!("name: web\nversion: {version}\n");
    origin.commit(&[("charts/web/Chart.yaml", &chart)]);
}

fn release(origin: &Origin, packaged: &str) -> Source {
    let settings = json!({
        "release": {"name": "web", "namespace": "edge", "values": {"site": "oslo"}, "packaged": packaged},
        "given": {"to": "oslo/apps/web", "stamp": "7"},
    });
    Source {
        flux: Verbatim::of(settings),
        ..origin.source("./charts/web")
    }
}

fn service(origin: &Origin, script: &str) -> DesiredHandle {
    let mut settings = origin.settings();
    settings.programs.helm = rendering::program(origin, "helm", script);
    let service = DesiredHandle::new(settings);
    let given = Given {
        values: vec![GivenValues {
            given: GivenText {
                text: "hunter2".to_owned(),
                secret: true,
            },
            from: "the Secret apps/pins".to_owned(),
            target_path: "pin".to_owned(),
            literal: false,
        }],
        ..Given::default()
    };
    service.give(&"oslo/apps/web".into(), "7".into(), Arc::new(given));
    service
}

#[tokio::test]
async fn a_chart_in_git_is_rendered_at_the_version_that_flux_packaged_and_a_secrets_value_is_sealed()
 {
    let origin = Origin::new();
    chart(&origin, "1.0.0");
    chart(&origin, "1.1.0");
    let service = service(&origin, HELM);
    for version in ["1.0.0", "1.1.0"] {
        let rendered = service
            .render(&release(&origin, version), "main")
            .await
            .unwrap();
        let object = &rendered.content.manifests.first().unwrap().body;
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap();
        assert_eq!(
            (text("/data/version"), text("/data/site")),
            (version, "oslo")
        );
        assert!(is_token(text("/data/pin")), "{object}");
        assert_eq!(
            text("/metadata/labels/app.kubernetes.io~1managed-by"),
            "Helm"
        );
    }
}

#[tokio::test]
async fn what_a_program_says_of_values_of_secrets_is_not_repeated() {
    let origin = Origin::new();
    chart(&origin, "1.0.0");
    for script in ["echo \"Error: $(cat)\" >&2; exit 1", "cat"] {
        let service = service(&origin, script);
        let why = service
            .render(&release(&origin, "1.0.0"), "main")
            .await
            .unwrap_err();
        let message = why.message.to_string();
        assert!(message.contains("`charts/web/Chart.yaml`"), "{message}");
        assert!(
            !message.contains("hunter2") && !message.contains("pin"),
            "{message}"
        );
    }
}

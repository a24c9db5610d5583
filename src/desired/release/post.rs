//! A HelmRelease's post-renderers: kustomizations over what the templates gave.

use serde_json::{Map, Value, json};

use super::settings::Kustomize;

/// Where a program finds what it is handed: the manifests may hold values of Secrets, and are never written to a file.
const INPUT: &str = "/dev/stdin";

/// The kustomization of one post-renderer.
pub(super) fn kustomization(step: &Kustomize) -> Value {
    let mut fields = Map::new();
    fields.insert(
        "apiVersion".to_owned(),
        json!("kustomize.config.k8s.io/v1beta1"),
    );
    fields.insert("kind".to_owned(), json!("Kustomization"));
    fields.insert("resources".to_owned(), json!([INPUT]));
    for (field, entries) in [
        ("patches", &step.patches),
        ("patchesStrategicMerge", &step.patches_strategic_merge),
        ("patchesJson6902", &step.patches_json6902),
        ("images", &step.images),
    ] {
        if !entries.is_empty() {
            let entries = entries.iter().map(|entry| as_kustomize_reads(field, entry));
            fields.insert(field.to_owned(), Value::Array(entries.collect()));
        }
    }
    Value::Object(fields)
}

/// Flux's API has patches as objects where kustomize has texts.
fn as_kustomize_reads(field: &str, entry: &Value) -> Value {
    match (field, entry) {
        ("patchesStrategicMerge", Value::Object(_)) => json!(entry.to_string()),
        ("patchesJson6902", Value::Object(fields)) => {
            let mut fields = fields.clone();
            if let Some(Value::Array(patch)) = fields.get("patch") {
                let text = json!(Value::Array(patch.clone()).to_string());
                fields.insert("patch".to_owned(), text);
            }
            Value::Object(fields)
        }
        _ => entry.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_a_kustomization_over_what_it_is_handed() {
        let step = Kustomize {
            images: vec![json!({"name": "web", "newTag": "2"})],
            patches_json6902: vec![
                json!({"target": {"kind": "Pod"}, "patch": [{"op": "remove", "path": "/a"}]}),
            ],
            ..Kustomize::default()
        };
        assert_eq!(
            kustomization(&step),
            json!({
                "apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["/dev/stdin"],
                "images": [{"name": "web", "newTag": "2"}],
                "patchesJson6902": [{"target": {"kind": "Pod"}, "patch": "[{\"op\":\"remove\",\"path\":\"/a\"}]"}],
            })
        );
    }
}

//! `spec.source.kustomize` laid over a kustomization, as Argo CD does it with `kustomize edit`. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::desired::ask::Purpose;
use crate::desired::helm::plain_version;
use crate::desired::unjudged;
use crate::desired::vars::Vars;
use crate::desired::written;
use crate::domain::{Unjudged, UnjudgedReason, Verbatim};

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Settings {
    name_prefix: String,
    name_suffix: String,
    namespace: String,
    images: Vec<String>,
    replicas: Vec<Replicas>,
    common_labels: BTreeMap<String, String>,
    force_common_labels: bool,
    label_without_selector: bool,
    label_include_templates: bool,
    common_annotations: BTreeMap<String, String>,
    force_common_annotations: bool,
    common_annotations_envsubst: bool,
    patches: Vec<Value>,
    components: Vec<String>,
    ignore_missing_components: bool,
    kube_version: String,
    api_versions: Vec<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Replicas {
    name: String,
    count: Value,
}

fn read(settings: Option<&Verbatim>) -> Result<Settings, Unjudged> {
    written::read(
        settings,
        "`kustomize` of the application's source does not have the form that Argo CD's API gives it; correct the source.",
    )
}

/// What the settings load beside what the kustomization does.
pub(super) fn loads(settings: Option<&Verbatim>) -> Result<Vec<String>, Unjudged> {
    let settings = read(settings)?;
    let patches = settings
        .patches
        .iter()
        .filter_map(|p| p.get("path")?.as_str().map(str::to_owned));
    Ok(patches.chain(settings.components.iter().cloned()).collect())
}

/// The words that tell kustomize what its charts are rendered for: the source's own, else what the cluster serves.
///
/// # Errors
/// `Pending` until the cluster has said what it serves.
pub(super) fn served(
    settings: Option<&Verbatim>,
    purpose: &Purpose,
) -> Result<Vec<String>, Unjudged> {
    let settings = read(settings)?;
    purpose.require_served()?;
    let version = match settings.kube_version.as_str() {
        "" => purpose.kube_version().to_string(),
        own => own.to_owned(),
    };
    let mut words = Vec::new();
    if !version.is_empty() {
        words.extend(["--helm-kube-version".to_owned(), plain_version(&version)]);
    }
    let own = settings.api_versions.into_iter();
    let kinds: Vec<String> = if own.len() == 0 {
        purpose.api_versions().map(|v| v.to_string()).collect()
    } else {
        own.collect()
    };
    for kind in kinds {
        words.extend(["--helm-api-versions".to_owned(), kind]);
    }
    Ok(words)
}

/// Whether variables of the build environment are put into the settings.
pub(super) fn uses_vars(settings: Option<&Verbatim>) -> bool {
    settings.is_some_and(|s| s.value().get("commonAnnotationsEnvsubst") == Some(&Value::Bool(true)))
}

/// The kustomization with the settings; `there` tells whether a path beside it exists.
///
/// # Errors
/// A label, annotation or image that cannot be set; with the words that tell which.
pub(super) fn edited(
    mut kustomization: Value,
    settings: &Verbatim,
    vars: &Vars,
    there: &dyn Fn(&str) -> bool,
) -> Result<Value, Unjudged> {
    let settings = read(Some(settings))?;
    let Some(fields) = kustomization.as_object_mut() else {
        return Ok(kustomization);
    };
    for (field, value) in [
        ("namePrefix", &settings.name_prefix),
        ("nameSuffix", &settings.name_suffix),
        ("namespace", &settings.namespace),
    ] {
        if !value.is_empty() {
            fields.insert(field.to_owned(), json!(value));
        }
    }
    set_images(fields, &settings.images)?;
    set_replicas(fields, &settings.replicas);
    add_labels(fields, &settings)?;
    let annotations = settings.common_annotations.iter().map(|(key, value)| {
        let value = if settings.common_annotations_envsubst {
            vars.expand(value)
        } else {
            value.clone()
        };
        (key.clone(), value)
    });
    add_all(
        fields,
        "commonAnnotations",
        annotations,
        settings.force_common_annotations,
        "annotation",
    )?;
    change_list(fields, "patches", |patches| {
        patches.extend(settings.patches)
    });
    change_list(fields, "components", |components| {
        for component in settings.components {
            let wanted = !settings.ignore_missing_components || there(&component);
            if wanted && !components.contains(&json!(component)) {
                components.push(json!(component));
            }
        }
    });
    Ok(kustomization)
}

/// Changes the list of that name; it is made when it is not there, and goes when it is empty.
fn change_list(fields: &mut Map<String, Value>, name: &str, change: impl FnOnce(&mut Vec<Value>)) {
    let mut list = match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    change(&mut list);
    if !list.is_empty() {
        fields.insert(name.to_owned(), Value::Array(list));
    }
}

/// Puts pairs into the map of that name; one that is there already is an error unless forced.
fn add_all(
    fields: &mut Map<String, Value>,
    name: &str,
    pairs: impl Iterator<Item = (String, String)>,
    force: bool,
    what: &str,
) -> Result<(), Unjudged> {
    let mut into = match fields.remove(name) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    };
    for (key, value) in pairs {
        if into.contains_key(&key) && !force {
            return Err(unjudged(
                UnjudgedReason::RenderFailed,
                format!(
                    "The {what} `{key}` stands in the kustomization already, and the application sets it too without forcing it; Argo CD refuses that as well."
                ),
            ));
        }
        into.insert(key, json!(value));
    }
    if !into.is_empty() {
        fields.insert(name.to_owned(), Value::Object(into));
    }
    Ok(())
}

fn add_labels(fields: &mut Map<String, Value>, settings: &Settings) -> Result<(), Unjudged> {
    let pairs = settings.common_labels.clone().into_iter();
    let force = settings.force_common_labels;
    if settings.common_labels.is_empty() || !settings.label_without_selector {
        return add_all(fields, "commonLabels", pairs, force, "label");
    }
    let templates = settings.label_include_templates;
    let flag = |entry: &Value, name: &str| entry.get(name) == Some(&Value::Bool(true));
    let alike = |entry: &Value| {
        !flag(entry, "includeSelectors") && flag(entry, "includeTemplates") == templates
    };
    let mut outcome = Ok(());
    change_list(fields, "labels", |labels| {
        match labels.iter_mut().find(|entry| alike(entry)) {
            Some(Value::Object(entry)) => outcome = add_all(entry, "pairs", pairs, force, "label"),
            _ => {
                labels.push(json!({"pairs": settings.common_labels, "includeTemplates": templates}))
            }
        }
    });
    outcome
}

fn set_replicas(fields: &mut Map<String, Value>, replicas: &[Replicas]) {
    change_list(fields, "replicas", |known| {
        for Replicas { name, count } in replicas {
            // The API allows a number in quotes.
            let count = match count.as_str().and_then(|text| text.parse::<i64>().ok()) {
                Some(number) => json!(number),
                None => count.clone(),
            };
            known.retain(|entry| entry.get("name") != Some(&json!(name)));
            known.push(json!({"name": name, "count": count}));
        }
    });
}

/// Sets images as `kustomize edit set image` does: by name, `*` keeps what is there.
fn set_images(fields: &mut Map<String, Value>, images: &[String]) -> Result<(), Unjudged> {
    if images.is_empty() {
        return Ok(());
    }
    let mut by_name: BTreeMap<String, Value> = BTreeMap::new();
    for text in images {
        let image = image(text).ok_or_else(|| {
            unjudged(
                UnjudgedReason::BadSource,
                format!("`{text}` under `kustomize.images` is no image; write `name:tag`, `name=new-name:tag` or `name@digest`."),
            )
        })?;
        by_name.insert(word(&image, "name"), image);
    }
    change_list(fields, "images", |known| {
        for old in known.drain(..) {
            match by_name.get_mut(&word(&old, "name")) {
                Some(new) => keep_stars(new, &old),
                None => {
                    by_name.insert(word(&old, "name"), old);
                }
            }
        }
        known.extend(by_name.into_values().map(without_blanks));
    });
    Ok(())
}

fn without_blanks(mut image: Value) -> Value {
    if let Value::Object(image) = &mut image {
        image.retain(|_, value| value != "" && value != "*");
    }
    image
}

fn word(image: &Value, field: &str) -> String {
    let text = image.get(field).and_then(Value::as_str);
    text.unwrap_or_default().to_owned()
}

fn keep_stars(new: &mut Value, old: &Value) {
    let Some(fields) = new.as_object_mut() else {
        return;
    };
    if fields.get("newName") == Some(&json!("*")) {
        fields.insert("newName".to_owned(), json!(word(old, "newName")));
    }
    if fields.get("newTag") == Some(&json!("*")) {
        fields.insert("newTag".to_owned(), json!(word(old, "newTag")));
        fields.insert("digest".to_owned(), json!(word(old, "digest")));
    }
}

/// `name:tag`, `name@digest`, `name=new-name`, `name=new-name:tag`, `name=new-name@digest`.
fn image(text: &str) -> Option<Value> {
    let (name, new) = match text.split_once('=') {
        Some((name, new)) => (Some(name), new),
        None => (None, text),
    };
    let (base, tag, digest) = if let Some((base, digest)) = new.split_once('@') {
        (base, "", digest)
    } else {
        match new.rsplit_once(':') {
            // What follows a colon and holds a slash belongs to a registry's port.
            Some((base, tag)) if !tag.contains('/') => (base, tag, ""),
            _ => (new, "", ""),
        }
    };
    if base.is_empty() || name.is_some_and(str::is_empty) {
        return None;
    }
    match name {
        Some(name) => Some(json!({"name": name, "newName": base, "newTag": tag, "digest": digest})),
        None if tag.is_empty() && digest.is_empty() => None,
        None => Some(json!({"name": base, "newTag": tag, "digest": digest})),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(kustomization: Value, settings: Value) -> Result<Value, String> {
        let settings = Verbatim::of(settings).unwrap();
        let there = |path: &str| path != "gone";
        edited(kustomization, &settings, &Vars::default(), &there)
            .map_err(|why| why.message.to_string())
    }

    #[test]
    fn images_are_set_by_name_and_others_stay() {
        let known = json!({"images": [
            {"name": "web", "newName": "registry.example/web", "newTag": "1"},
            {"name": "db", "newTag": "9"},
        ]});
        let images = json!({"images": [
            "web=*:2",
            "reg.example:5000/app:3",
            "cache@sha256:0123",
            "old=reg.example:5000/new",
        ]});
        assert_eq!(
            edit(known, images).unwrap(),
            json!({"images": [
                {"name": "cache", "digest": "sha256:0123"},
                {"name": "db", "newTag": "9"},
                {"name": "old", "newName": "reg.example:5000/new"},
                {"name": "reg.example:5000/app", "newTag": "3"},
                {"name": "web", "newName": "registry.example/web", "newTag": "2"},
            ]})
        );
        assert!(edit(json!({}), json!({"images": ["web"]})).is_err());
    }

    #[test]
    fn names_namespace_replicas_patches_and_components_are_set() {
        let edited = edit(
            json!({"namePrefix": "a-", "replicas": [{"name": "web", "count": 1}], "components": ["tls"]}),
            json!({
                "namePrefix": "oslo-", "nameSuffix": "-1", "namespace": "edge",
                "replicas": [{"name": "web", "count": "3"}],
                "patches": [{"patch": "x", "target": {"kind": "Deployment"}}],
                "components": ["tls", "more", "gone"], "ignoreMissingComponents": true,
            }),
        );
        assert_eq!(
            edited.unwrap(),
            json!({
                "namePrefix": "oslo-", "nameSuffix": "-1", "namespace": "edge",
                "replicas": [{"name": "web", "count": 3}],
                "patches": [{"patch": "x", "target": {"kind": "Deployment"}}],
                "components": ["tls", "more"],
            })
        );
    }

    #[test]
    fn labels_and_annotations_are_added_and_replaced_only_by_force() {
        let known = json!({"commonLabels": {"team": "edge"}});
        let settings = json!({"commonLabels": {"team": "core"}});
        assert!(
            edit(known.clone(), settings)
                .unwrap_err()
                .contains("`team`")
        );
        let forced = json!({"commonLabels": {"team": "core"}, "forceCommonLabels": true, "commonAnnotations": {"a": "b"}});
        assert_eq!(
            edit(known, forced).unwrap(),
            json!({"commonLabels": {"team": "core"}, "commonAnnotations": {"a": "b"}})
        );
        let apart = json!({"commonLabels": {"team": "core"}, "labelWithoutSelector": true});
        assert_eq!(
            edit(json!({"labels": [{"pairs": {"x": "y"}}]}), apart.clone()).unwrap(),
            json!({"labels": [{"pairs": {"x": "y", "team": "core"}}]})
        );
        assert_eq!(
            edit(json!({}), apart).unwrap(),
            json!({"labels": [{"pairs": {"team": "core"}, "includeTemplates": false}]})
        );
    }
}

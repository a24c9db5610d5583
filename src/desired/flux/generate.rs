//! The kustomization that Flux builds: the folder's own, or one of everything in it, with what the Kustomization's spec adds.
//!
//! Source of the rules: fluxcd/pkg `kustomize` (generator).

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::settings::Settings;
use crate::desired::copy::unwritable;
use crate::desired::kind::KUSTOMIZATIONS;
use crate::domain::Unjudged;

/// What a folder without a kustomization holds, relative to it: manifests, and folders that are kustomizations themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scan {
    pub(super) files: Vec<PathBuf>,
    pub(super) kustomizations: Vec<PathBuf>,
}

/// The kustomization of a folder.
pub(super) fn file_of(folder: &Path) -> Option<PathBuf> {
    let files = KUSTOMIZATIONS.iter().map(|name| folder.join(name));
    files.into_iter().find(|file| file.is_file())
}

/// Collects what a generated kustomization lists, folder by folder in the order of names. A folder with a kustomization is listed itself.
///
/// # Errors
/// The copy cannot be read.
pub(super) fn scan(folder: &Path) -> Result<Scan, Unjudged> {
    let mut found = Scan::default();
    below(folder, Path::new(""), &mut found).map_err(|e| unwritable(&e))?;
    Ok(found)
}

fn below(folder: &Path, within: &Path, found: &mut Scan) -> std::io::Result<()> {
    let mut entries: Vec<_> = std::fs::read_dir(folder)?.collect::<Result<_, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let (path, relative) = (entry.path(), within.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            if file_of(&path).is_some() {
                found.kustomizations.push(relative);
            } else {
                below(&path, &relative, found)?;
            }
        } else if is_manifest(&path) {
            found.files.push(relative);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    path.extension()
        .is_some_and(|end| end == "yaml" || end == "yml")
}

/// A kustomization of everything that was collected.
pub(super) fn generated(scan: &Scan) -> Value {
    let all = scan.files.iter().chain(&scan.kustomizations);
    let mut resources: Vec<String> = all.map(|p| format!("./{}", p.display())).collect();
    resources.sort();
    json!({
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": resources,
    })
}

/// The kustomization with what the spec adds; `there` tells whether a path beside it exists.
pub(super) fn edited(
    mut kustomization: Value,
    settings: &Settings,
    there: &dyn Fn(&str) -> bool,
) -> Value {
    let Some(fields) = kustomization.as_object_mut() else {
        return kustomization;
    };
    for (field, value) in [
        ("namespace", &settings.target_namespace),
        ("namePrefix", &settings.name_prefix),
        ("nameSuffix", &settings.name_suffix),
    ] {
        if !value.is_empty() {
            fields.insert(field.to_owned(), json!(value));
        }
    }
    append(fields, "patches", settings.patches.iter().map(patch));
    append(
        fields,
        "patchesStrategicMerge",
        settings.patches_strategic_merge.iter().map(as_text),
    );
    append(
        fields,
        "patchesJson6902",
        settings.patches_json6902.iter().map(patch),
    );
    let components = settings
        .components
        .iter()
        .filter(|component| !settings.ignore_missing_components || there(component));
    append(fields, "components", components.map(|c| json!(c)));
    set_images(fields, &settings.images);
    kustomization
}

fn append(fields: &mut Map<String, Value>, name: &str, more: impl Iterator<Item = Value>) {
    let mut list = match fields.remove(name) {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    for one in more {
        if name != "components" || !list.contains(&one) {
            list.push(one);
        }
    }
    if !list.is_empty() {
        fields.insert(name.to_owned(), Value::Array(list));
    }
}

/// A patch and its target, as kustomize names them. Operations are one text there.
fn patch(written: &Value) -> Value {
    let mut patch = Map::new();
    if let Some(text) = written.get("patch") {
        patch.insert("patch".to_owned(), as_text(text));
    }
    if let Some(target) = written.get("target").filter(|t| !t.is_null()) {
        patch.insert("target".to_owned(), target.clone());
    }
    Value::Object(patch)
}

fn as_text(value: &Value) -> Value {
    match value {
        Value::String(_) => value.clone(),
        other => Value::String(other.to_string()),
    }
}

/// An image of the same name is replaced as a whole.
fn set_images(fields: &mut Map<String, Value>, images: &[Value]) {
    if images.is_empty() {
        return;
    }
    let mut list = match fields.remove("images") {
        Some(Value::Array(list)) => list,
        _ => Vec::new(),
    };
    for image in images {
        let same = |known: &&mut Value| known.get("name") == image.get("name");
        match list.iter_mut().find(same) {
            Some(known) => *known = image.clone(),
            None => list.push(image.clone()),
        }
    }
    fields.insert("images".to_owned(), Value::Array(list));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let home = tempfile::tempdir().unwrap();
        for file in files {
            let path = home.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "a: 1\n").unwrap();
        }
        home
    }

    #[test]
    fn everything_below_is_listed_and_a_kustomization_stands_for_its_folder() {
        let home = folder(&[
            "web.yaml",
            "notes.md",
            "values.json",
            "db/a.yml",
            "db/deep/b.yaml",
            "site/kustomization.yaml",
            "site/c.yaml",
            "site/deeper/d.yaml",
        ]);
        let scan = scan(home.path()).unwrap();
        assert_eq!(
            generated(&scan).get("resources").unwrap(),
            &json!(["./db/a.yml", "./db/deep/b.yaml", "./site", "./web.yaml"])
        );
        assert!(file_of(home.path()).is_none());
        assert!(file_of(&home.path().join("site")).is_some());
    }

    #[test]
    fn the_spec_is_laid_over_the_kustomization() {
        let settings: Settings = serde_json::from_value(json!({
            "targetNamespace": "edge",
            "namePrefix": "oslo-",
            "patches": [{"patch": "- op: remove\n  path: /spec", "target": {"kind": "Service"}}],
            "patchesJson6902": [{"patch": [{"op": "remove", "path": "/a"}], "target": {"kind": "X"}}],
            "images": [{"name": "web", "newTag": "2"}, {"name": "db", "newName": "pg"}],
            "components": ["../tls", "../gone"],
            "ignoreMissingComponents": true,
        }))
        .unwrap();
        let own = json!({"namespace": "old", "images": [{"name": "web", "newTag": "1", "newName": "x"}], "components": ["../tls"]});
        assert_eq!(
            edited(own, &settings, &|path| path == "../tls"),
            json!({
                "namespace": "edge",
                "namePrefix": "oslo-",
                "patches": [{"patch": "- op: remove\n  path: /spec", "target": {"kind": "Service"}}],
                "patchesJson6902": [{"patch": "[{\"op\":\"remove\",\"path\":\"/a\"}]", "target": {"kind": "X"}}],
                "images": [{"name": "web", "newTag": "2"}, {"name": "db", "newName": "pg"}],
                "components": ["../tls"],
            })
        );
    }
}

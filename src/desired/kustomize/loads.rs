//! What a kustomization loads: the strings in it that name files, folders or URLs. Pure.

use serde_json::Value;

/// Fields that are lists of names. An entry of several lines is a document in place, and names nothing.
const LISTS: [&str; 9] = [
    "resources",
    "bases",
    "components",
    "generators",
    "transformers",
    "validators",
    "crds",
    "configurations",
    "patchesStrategicMerge",
];

/// Fields that are lists of maps with a `path`.
const PATHS: [&str; 3] = ["patches", "patchesJson6902", "replacements"];

/// Everything that a kustomization loads, as it is written.
pub(super) fn of(kustomization: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for field in LISTS {
        found.extend(strings(kustomization.get(field)));
    }
    for field in PATHS {
        found.extend(
            items(kustomization.get(field))
                .filter_map(|i| i.get("path")?.as_str().map(str::to_owned)),
        );
    }
    for field in ["configMapGenerator", "secretGenerator"] {
        for generator in items(kustomization.get(field)) {
            // `key=path`, or a path.
            let files = strings(generator.get("files"));
            found.extend(files.map(|f| f.split_once('=').map_or(f.clone(), |(_, p)| p.to_owned())));
            found.extend(strings(generator.get("envs")));
            found.extend(
                generator
                    .get("env")
                    .and_then(Value::as_str)
                    .map(str::to_owned),
            );
        }
    }
    for chart in items(kustomization.get("helmCharts")) {
        found.extend(
            chart
                .get("valuesFile")
                .and_then(Value::as_str)
                .map(str::to_owned),
        );
        found.extend(strings(chart.get("additionalValuesFiles")));
    }
    let openapi = kustomization
        .pointer("/openapi/path")
        .and_then(Value::as_str);
    found.extend(openapi.map(str::to_owned));
    found.retain(|load| !load.is_empty() && !load.contains('\n'));
    found
}

/// Whether it is configured to run generators, transformers or validators: what those load is not known.
pub(super) fn is_open(kustomization: &Value) -> bool {
    ["generators", "transformers", "validators"]
        .iter()
        .any(|field| items(kustomization.get(*field)).next().is_some())
}

fn items(list: Option<&Value>) -> impl Iterator<Item = &Value> {
    list.and_then(Value::as_array).into_iter().flatten()
}

fn strings(list: Option<&Value>) -> impl Iterator<Item = String> {
    items(list).filter_map(|i| i.as_str().map(str::to_owned))
}

/// Whether kustomize would take a name that is no file for a URL: by its scheme, as ssh, or as a host with a path.
pub(super) fn is_remote(load: &str) -> bool {
    let host = load.split(['/', ':']).next().unwrap_or_default();
    let is_host = host.contains('.') && !host.starts_with('.') && load.contains('/');
    load.contains("://")
        || load.starts_with("git@")
        || load.contains("::")
        || load.contains("?ref=")
        || load.contains("?version=")
        || load.contains("_git/")
        || is_host
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_that_loads_is_looked_at() {
        let mut loads = of(&json!({
            "resources": ["a", "kind: ConfigMap\nmetadata: {}\n"],
            "components": ["b"],
            "patches": [{"path": "c"}, {"patch": "- op: add"}],
            "configMapGenerator": [{"files": ["key=d", "e"], "envs": ["f"], "literals": ["x=https://edge.example"]}],
            "secretGenerator": [{"env": "g"}],
            "openapi": {"path": "h"},
            "images": [{"name": "registry.example/web"}],
        }));
        loads.sort();
        assert_eq!(loads, ["a", "b", "c", "d", "e", "f", "g", "h"]);
    }

    #[test]
    fn urls_are_told_from_files_in_all_their_spellings() {
        for remote in [
            "https://github.com/edge/base",
            "https://raw.example/web.yaml",
            "http://git.example/x",
            "ssh://git@git.example/x",
            "file:///etc",
            "git@github.com:edge/base.git",
            "git::https://git.example/x",
            "github.com/edge/base?ref=v1",
            "gitlab.example/edge/base",
        ] {
            assert!(is_remote(remote), "{remote}");
        }
        for local in ["../base", "./base", "web.yaml", "base/web.yaml", "base"] {
            assert!(!is_remote(local), "{local}");
        }
    }
}

//! Charts that kustomizations name under `helmCharts`: pulled by us to where kustomize looks before it would pull them itself, so that it needs no network.

use std::path::Path;
use std::sync::Arc;

use git2::Oid;
use serde::Deserialize;
use serde_json::Value;

use crate::desired::bare::Bare;
use crate::desired::copy::{Copy, CopyLimits, make_folder, unwritable};
use crate::desired::helm::Dependency;
use crate::desired::key::KeyMaker;
use crate::desired::tree::{broken, join};
use crate::desired::unjudged;
use crate::desired::work::At;
use crate::domain::{Unjudged, UnjudgedReason};

/// One chart of one kustomization.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    dependency: Dependency,
    /// Where kustomize looks for it, from the root of the copy.
    to: String,
    pulled: Option<(Arc<Bare>, Oid)>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    version: String,
    repo: String,
}

impl Chart {
    /// The charts of a kustomization in this folder.
    ///
    /// # Errors
    /// `BadManifest` for a place out of the repository.
    pub(super) fn all(folder: &str, kustomization: &Value) -> Result<Vec<Self>, Unjudged> {
        let home = kustomization.pointer("/helmGlobals/chartHome");
        let home = join(folder, home.and_then(Value::as_str).unwrap_or("charts"));
        let charts = kustomization.get("helmCharts").and_then(Value::as_array);
        let named = charts.into_iter().flatten();
        named
            .filter_map(|chart| Named::deserialize(chart).ok())
            .filter(|chart| !chart.name.is_empty())
            .map(|chart| Self::of(&home, chart))
            .collect()
    }

    /// A pulled chart of a version lies in a folder of that version, as kustomize has it.
    fn of(home: &str, named: Named) -> Result<Self, Unjudged> {
        let Named {
            name,
            version,
            repo,
        } = named;
        let place = if version.is_empty() || repo.is_empty() {
            join(home, &name)
        } else {
            join(home, &format!("{name}-{version}/{name}"))
        };
        Ok(Self {
            to: flattened(&place)?,
            dependency: Dependency {
                name,
                version,
                repository: repo,
            },
            pulled: None,
        })
    }

    /// Where it has to stand.
    pub(super) fn place(&self) -> &str {
        &self.to
    }

    /// What has to be pulled for it, until it is.
    pub(super) fn dependency(&self) -> Option<&Dependency> {
        let open = self.pulled.is_none() && !self.dependency.repository.is_empty();
        open.then_some(&self.dependency)
    }

    /// Takes the pulled chart, when it is this one. Blocking.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn carry(&mut self, dependency: &Dependency, at: &At) -> Result<(), Unjudged> {
        if self.dependency == *dependency {
            let root = at
                .bare
                .with(|repo| crate::desired::tree::root(repo, at.commit));
            self.pulled = Some((at.bare.clone(), root.map_err(|e| broken(&e))??));
        }
        Ok(())
    }

    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        let key = key.text(&self.to);
        match &self.pulled {
            Some((_, root)) => key.id(*root),
            None => key,
        }
    }

    /// Copies it to its place. Blocking.
    ///
    /// # Errors
    /// A limit.
    pub(super) fn lay_out(&self, tree: &Path, limits: CopyLimits) -> Result<(), Unjudged> {
        let Some((bare, root)) = &self.pulled else {
            return Ok(());
        };
        let to = tree.join(&self.to);
        make_folder(&to).map_err(|e| unwritable(&e))?;
        let copied = bare.with(|repo| Copy::new(repo, *root, &to, limits).folder_to("", *root));
        copied.map_err(|e| broken(&e))?
    }
}

/// The path without dots.
fn flattened(path: &str) -> Result<String, Unjudged> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|p| !p.is_empty() && *p != ".") {
        if part != ".." {
            parts.push(part);
        } else if parts.pop().is_none() {
            return Err(unjudged(
                UnjudgedReason::BadManifest,
                format!(
                    "The kustomization's chart in `{path}` lies outside of the repository; correct `helmGlobals.chartHome`."
                ),
            ));
        }
    }
    Ok(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_chart_stands_where_kustomize_looks_for_it() {
        let kustomization = json!({
            "helmGlobals": {"chartHome": "../vendored"},
            "helmCharts": [
                {"name": "redis", "version": "18.1.2", "repo": "https://charts.example"},
                {"name": "newest", "repo": "https://charts.example"},
                {"name": "local"},
            ],
        });
        let places = |folder: &str, kustomization: &Value| -> Vec<String> {
            let all = Chart::all(folder, kustomization).unwrap();
            all.iter().map(|c| c.place().to_owned()).collect()
        };
        assert_eq!(
            places("overlays/oslo", &kustomization),
            [
                "overlays/vendored/redis-18.1.2/redis",
                "overlays/vendored/newest",
                "overlays/vendored/local"
            ]
        );
        assert!(
            Chart::all("", &kustomization).is_err(),
            "out of the repository"
        );
        let mut usual = kustomization;
        usual["helmGlobals"] = Value::Null;
        assert_eq!(places("", &usual)[0], "charts/redis-18.1.2/redis");
        let all = Chart::all("oslo", &usual).unwrap();
        assert_eq!(all[0].dependency().unwrap().version, "18.1.2");
        assert_eq!(all[2].dependency(), None, "a local chart is not pulled");
    }
}

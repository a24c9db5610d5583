//! A chart's dependencies that it does not carry: those of the same repository are copied in, those of others have to be pulled.

use std::path::Path;
use std::sync::Arc;

use git2::{Oid, Repository};
use serde::Deserialize;

use crate::desired::bare::Bare;
use crate::desired::charts::{Layers, Wanted};
use crate::desired::copy::{Copy, CopyLimits, make_folder, unwritable};
use crate::desired::key::KeyMaker;
use crate::desired::links::{self, Target};
use crate::desired::tree::{broken, join, too_much};
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{self, Limits};

/// Charts inside each other.
const DEPTH: usize = 8;

/// A chart of the same repository or a pulled one, to be copied to where the chart that needs it would carry it.
#[derive(Clone, Debug)]
pub(super) struct Vendored {
    /// Where in the chart, as `charts/common`.
    to: String,
    bare: Arc<Bare>,
    root: Oid,
    path: String,
    tree: Oid,
}

/// A chart of another repository, as a chart names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::desired) struct Dependency {
    /// Its name.
    pub(in crate::desired) name: String,
    /// The version, or the range.
    pub(in crate::desired) version: String,
    /// The repository's URL.
    pub(in crate::desired) repository: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Chart {
    dependencies: Vec<Named>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Named {
    name: String,
    version: String,
    repository: String,
}

impl Vendored {
    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        key.text(&self.to).id(self.tree)
    }

    /// A chart that was pulled: the root of its own tree.
    pub(super) fn pulled(name: &str, bare: &Arc<Bare>, root: Oid) -> Self {
        Self {
            to: format!("charts/{name}"),
            bare: bare.clone(),
            root,
            path: String::new(),
            tree: root,
        }
    }

    /// Copies it into a chart's copy. Blocking.
    pub(super) fn lay_out(&self, chart: &Path, limits: CopyLimits) -> Result<(), Unjudged> {
        let to = chart.join(&self.to);
        make_folder(&to).map_err(|e| unwritable(&e))?;
        super::with(&self.bare, |repo| {
            Copy::new(repo, self.root, &to, limits).folder_to(&self.path, self.tree)
        })
    }
}

impl Dependency {
    /// What is asked of its repository; no version is any version, as for Helm.
    pub(in crate::desired) fn wanted(&self) -> Wanted {
        let version = if self.version.is_empty() {
            "*"
        } else {
            &self.version
        };
        Wanted {
            chart: self.name.as_str().into(),
            revision: version.into(),
            pass_credentials: false,
            layers: Layers::default(),
        }
    }

    /// Its repository may not be asked.
    pub(in crate::desired) fn forbidden(&self, url: &str) -> Unjudged {
        unjudged(
            UnjudgedReason::ForbiddenUrl,
            format!(
                "The chart depends on `{}` of {url}, and charts of other repositories are not pulled; carry it in `charts/`, or allow its URL under `remote-bases` in [desired] of config.toml.",
                self.name
            ),
        )
    }

    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        key.text(&self.name)
            .text(&self.version)
            .text(&self.repository)
    }
}

/// What the chart depends on and does not carry. Blocking.
///
/// # Errors
/// `BadManifest` when a chart's own file does not parse, `NotFound` when a chart of the same repository is not there.
pub(super) fn dependencies(
    chart: &super::Chart,
) -> Result<(Vec<Vendored>, Vec<Dependency>), Unjudged> {
    super::with(&chart.bare, |repo| {
        let mut search = Search {
            bare: &chart.bare,
            repo,
            root: chart.root,
            vendored: Vec::new(),
            remote: Vec::new(),
        };
        search.chart(&chart.path, chart.folder, "", 0)?;
        Ok((search.vendored, search.remote))
    })
}

struct Search<'a> {
    bare: &'a Arc<Bare>,
    repo: &'a Repository,
    root: Oid,
    vendored: Vec<Vendored>,
    remote: Vec<Dependency>,
}

impl Search<'_> {
    fn chart(
        &mut self,
        path: &str,
        folder: Oid,
        within: &str,
        depth: usize,
    ) -> Result<(), Unjudged> {
        if depth > DEPTH {
            return Err(too_much("charts inside each other", DEPTH));
        }
        let mut wanted = self.named(folder, path, "Chart.yaml")?;
        wanted.extend(self.named(folder, path, "requirements.yaml")?);
        let mut locked = self.named(folder, path, "Chart.lock")?;
        locked.extend(self.named(folder, path, "requirements.lock")?);
        let carried = self.carried(folder)?;
        for mut dependency in wanted {
            let name = dependency.name.clone();
            let is_carried = |entry: &String| {
                *entry == name || entry.starts_with(&format!("{name}-")) && entry.ends_with(".tgz")
            };
            if name.is_empty() || dependency.repository.is_empty() || carried.iter().any(is_carried)
            {
                continue;
            }
            let to = join(within, &format!("charts/{name}"));
            if let Some(relative) = dependency.repository.strip_prefix("file://") {
                self.local(&join(path, relative), to, depth)?;
            } else if within.is_empty() {
                if let Some(lock) = locked.iter().find(|l| l.name == name) {
                    dependency.version.clone_from(&lock.version);
                }
                self.remote.push(Dependency {
                    name,
                    version: dependency.version,
                    repository: dependency.repository,
                });
            }
        }
        Ok(())
    }

    fn local(&mut self, path: &str, to: String, depth: usize) -> Result<(), Unjudged> {
        let Target::Folder(tree, path) = links::resolve(self.repo, self.root, path)? else {
            return Err(unjudged(
                UnjudgedReason::NotFound,
                format!(
                    "The chart depends on `{path}` of the same repository, which is not there; push it or correct Chart.yaml."
                ),
            ));
        };
        self.chart(&path, tree, &to, depth + 1)?;
        // The chart itself before those that go into it.
        let at = self
            .vendored
            .iter()
            .position(|v| v.to.starts_with(&format!("{to}/")));
        let place = at.unwrap_or(self.vendored.len());
        let vendored = Vendored {
            to,
            bare: self.bare.clone(),
            root: self.root,
            path,
            tree,
        };
        self.vendored.insert(place, vendored);
        Ok(())
    }

    fn carried(&self, folder: Oid) -> Result<Vec<String>, Unjudged> {
        let tree = self.repo.find_tree(folder).map_err(|e| broken(&e))?;
        let charts = tree.get_name("charts").map(|entry| entry.id());
        let charts = charts.and_then(|id| self.repo.find_tree(id).ok());
        Ok(charts
            .iter()
            .flat_map(|tree| tree.iter())
            .map(|entry| super::super::tree::name_of(&entry))
            .collect())
    }

    /// The dependencies that a file of a chart names; none when it is not there.
    fn named(&self, folder: Oid, path: &str, name: &str) -> Result<Vec<Named>, Unjudged> {
        let Target::File(blob, _) = links::resolve(self.repo, folder, name)? else {
            return Ok(Vec::new());
        };
        let blob = self.repo.find_blob(blob).map_err(|e| broken(&e))?;
        let limits = Limits {
            documents: 1,
            ..Limits::default()
        };
        let bad = |why: String| {
            let file = join(path, name);
            let message = format!("`{file}` cannot be read: {why}. Correct the file and push it.");
            unjudged(UnjudgedReason::BadManifest, message)
        };
        let documents =
            yaml::parse_values(blob.content(), &limits).map_err(|e| bad(e.to_string()))?;
        let Some(document) = documents.into_iter().next() else {
            return Ok(Vec::new());
        };
        let chart: Chart = serde_json::from_value(document).map_err(|_| {
            bad("its dependencies do not have the form that Helm gives them".to_owned())
        })?;
        Ok(chart.dependencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    #[test]
    fn what_is_not_carried_is_copied_from_the_repository_or_named_to_be_pulled() {
        let origin = Origin::new();
        let text = |text: &str| origin.blob(text.as_bytes());
        let root = origin.tree(&[
            (
                "web/Chart.yaml",
                FILE,
                text(
                    "name: web\ndependencies:\n- {name: common, version: 1.x, repository: 'file://../common'}\n- {name: redis, version: 18.x, repository: 'https://charts.example'}\n- {name: here, version: 1.x, repository: 'https://charts.example'}\n- {name: packed, version: 1.x, repository: 'https://charts.example'}\n",
                ),
            ),
            ("web/Chart.lock", FILE, text("dependencies:\n- {name: redis, version: 18.1.2, repository: 'https://charts.example'}\n")),
            ("web/charts/here/Chart.yaml", FILE, text("name: here\n")),
            ("web/charts/packed-1.2.3.tgz", FILE, text("x")),
            ("common/Chart.yaml", FILE, text("name: common\ndependencies:\n- {name: deep, version: 1.x, repository: 'file://../deep'}\n")),
            ("deep/Chart.yaml", FILE, text("name: deep\n")),
        ]);
        let web = links::resolve(&origin.repo, root, "web").unwrap();
        let Target::Folder(folder, _) = web else {
            panic!("web is a folder");
        };
        let (vendored, remote) = dependencies(&super::super::Chart {
            bare: Arc::new(Bare::new(origin.repo.path().to_owned())),
            root,
            path: "web".to_owned(),
            folder,
        })
        .unwrap();
        let to: Vec<&str> = vendored.iter().map(|v| v.to.as_str()).collect();
        assert_eq!(to, ["charts/common", "charts/common/charts/deep"]);
        assert_eq!(
            remote,
            [Dependency {
                name: "redis".into(),
                version: "18.1.2".into(),
                repository: "https://charts.example".into(),
            }]
        );
    }
}

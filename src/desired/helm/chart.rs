//! A chart's dependencies that it does not carry: those of the same repository are copied in, those of others have to be pulled.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository};
use serde::Deserialize;

use crate::desired::copy::{Copy, CopyLimits, make_folder, unwritable};
use crate::desired::key::KeyMaker;
use crate::desired::links::{self, Target};
use crate::desired::tree::{broken, join, too_much};
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};
use crate::drift::yaml::{self, Limits};

/// Charts inside each other.
const DEPTH: usize = 8;

/// A chart of the same repository, to be copied to where the chart that needs it would carry it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Vendored {
    /// Where in the chart, as `charts/common`.
    to: String,
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

/// A chart that was pulled and unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::desired) struct Pulled {
    /// The chart's folder, in the cache.
    pub(in crate::desired) folder: PathBuf,
    /// The version that it is.
    pub(in crate::desired) version: String,
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

    /// Copies it into a chart's copy.
    pub(super) fn lay_out(
        &self,
        repo: &Repository,
        root: Oid,
        chart: &Path,
        limits: CopyLimits,
    ) -> Result<(), Unjudged> {
        let to = chart.join(&self.to);
        make_folder(&to).map_err(|e| unwritable(&e))?;
        let mut copy = Copy::new(repo, root, &to, limits);
        copy.folder_to(&self.path, self.tree)
    }
}

impl Dependency {
    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        key.text(&self.name)
            .text(&self.version)
            .text(&self.repository)
    }
}

impl Pulled {
    pub(super) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        key.text(&self.folder.display().to_string())
            .text(&self.version)
    }

    /// A file of the chart; `None` when it is not there.
    ///
    /// # Errors
    /// `NotFound` for a path that leaves the chart.
    pub(super) fn file(&self, path: &str) -> Result<Option<PathBuf>, Unjudged> {
        let path = Path::new(path);
        if !super::is_inside(path) {
            return Err(unjudged(
                UnjudgedReason::NotFound,
                format!(
                    "The value file `{}` leaves the chart; correct `helm.valueFiles`.",
                    path.display()
                ),
            ));
        }
        let file = self.folder.join(path);
        Ok(std::fs::symlink_metadata(&file)
            .is_ok_and(|m| m.is_file())
            .then_some(file))
    }

    /// Copies it for a chart that depends on it.
    pub(super) fn copy_to(&self, to: &Path) -> Result<(), Unjudged> {
        copied(&self.folder, to, 0).map_err(|e| unwritable(&e))
    }
}

fn copied(from: &Path, to: &Path, depth: usize) -> std::io::Result<()> {
    if depth > DEPTH * 4 {
        return Err(std::io::Error::other("its folders lie too deep"));
    }
    make_folder(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let (kind, target) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copied(&entry.path(), &target, depth + 1)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What the chart at `path` depends on and does not carry.
///
/// # Errors
/// `BadManifest` when a chart's own file does not parse, `NotFound` when a chart of the same repository is not there.
pub(super) fn dependencies(
    repo: &Repository,
    root: Oid,
    path: &str,
    folder: Oid,
) -> Result<(Vec<Vendored>, Vec<Dependency>), Unjudged> {
    let mut search = Search {
        repo,
        root,
        vendored: Vec::new(),
        remote: Vec::new(),
    };
    search.chart(path, folder, "", 0)?;
    Ok((search.vendored, search.remote))
}

struct Search<'a> {
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
        self.vendored.insert(place, Vendored { to, path, tree });
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
        let (vendored, remote) = dependencies(&origin.repo, root, "web", folder).unwrap();
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

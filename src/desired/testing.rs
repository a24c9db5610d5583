//! Real repositories for the tests of this room, written with libgit2: honest ones and hostile ones.

use std::path::Path;

use git2::{ObjectType, Oid, Repository, Signature, Time};

use crate::domain::Source;
use crate::drift::seal::SealKey;

use super::service::{DesiredHandle, Settings};
use super::shop::Programs;

/// Modes of tree entries.
pub(crate) const FILE: i32 = 0o100_644;
pub(crate) const LINK: i32 = 0o120_000;
pub(crate) const SUBMODULE: i32 = 0o160_000;
pub(crate) const FOLDER: i32 = 0o040_000;

/// A repository that applications name, with a cache beside it.
pub(crate) struct Origin {
    pub(crate) home: tempfile::TempDir,
    pub(crate) repo: Repository,
}

impl Origin {
    pub(crate) fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let repo = Repository::init_bare(home.path().join("origin.git")).unwrap();
        repo.set_head("refs/heads/main").unwrap();
        Self { home, repo }
    }

    pub(crate) fn url(&self) -> String {
        format!("file://{}", self.home.path().join("origin.git").display())
    }

    /// Commits these files, and nothing else, on `main`.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> Oid {
        let entries: Vec<(&str, i32, Oid)> = files
            .iter()
            .map(|(path, text)| (*path, FILE, self.blob(text.as_bytes())))
            .collect();
        self.commit_tree("main", self.tree(&entries))
    }

    pub(crate) fn blob(&self, content: &[u8]) -> Oid {
        self.repo.blob(content).unwrap()
    }

    /// A tree of paths, folders made as needed.
    pub(crate) fn tree(&self, entries: &[(&str, i32, Oid)]) -> Oid {
        let mut here: Vec<(String, i32, Oid)> = Vec::new();
        let mut below: std::collections::BTreeMap<&str, Vec<(&str, i32, Oid)>> =
            std::collections::BTreeMap::new();
        for (path, mode, id) in entries {
            match path.split_once('/') {
                Some((folder, rest)) => below.entry(folder).or_default().push((rest, *mode, *id)),
                None => here.push(((*path).to_owned(), *mode, *id)),
            }
        }
        for (folder, entries) in below {
            here.push((folder.to_owned(), FOLDER, self.tree(&entries)));
        }
        self.raw_tree(here)
    }

    /// A tree object byte by byte, so that names which libgit2 refuses to write can be written.
    pub(crate) fn raw_tree(&self, mut entries: Vec<(String, i32, Oid)>) -> Oid {
        entries.sort_by_key(|(name, mode, _)| {
            if *mode == FOLDER {
                format!("{name}/")
            } else {
                name.clone()
            }
        });
        let mut bytes = Vec::new();
        for (name, mode, id) in entries {
            bytes.extend_from_slice(format!("{mode:o} {name}\0").as_bytes());
            bytes.extend_from_slice(id.as_bytes());
        }
        self.repo
            .odb()
            .unwrap()
            .write(ObjectType::Tree, &bytes)
            .unwrap()
    }

    pub(crate) fn commit_tree(&self, branch: &str, tree: Oid) -> Oid {
        let name = format!("refs/heads/{branch}");
        let tree = self.repo.find_tree(tree).unwrap();
        let parent = self
            .repo
            .find_reference(&name)
            .ok()
            .map(|r| r.peel_to_commit().unwrap());
        let parents: Vec<&git2::Commit<'_>> = parent.iter().collect();
        let who = Signature::new("Ada", "ada@edge.example", &Time::new(1_790_000_000, 0)).unwrap();
        self.repo
            .commit(
                Some(&name),
                &who,
                &who,
                "Set the replicas\n\nWhy.",
                &tree,
                &parents,
            )
            .unwrap()
    }

    pub(crate) fn settings(&self) -> Settings {
        let mut settings = Settings::new(self.home.path().join("cache"), SealKey::new([7; 32]));
        settings.policy.file_prefixes = vec![self.home.path().to_owned()];
        // Tests behave the same whatever is installed; those that want a program bring one.
        settings.programs = Programs {
            helm: "no-helm-here".into(),
            kustomize: "no-kustomize-here".into(),
            kubectl: None,
            jsonnet: "no-jsonnet-here".into(),
        };
        settings
    }

    pub(crate) fn service(&self) -> DesiredHandle {
        DesiredHandle::new(self.settings())
    }

    pub(crate) fn source(&self, path: &str) -> Source {
        Source {
            repo_url: self.url().into(),
            path: path.into(),
            ..Source::default()
        }
    }
}

pub(crate) use super::charts::testing::Site;

/// A manifest of a Deployment.
pub(crate) fn deployment(name: &str, replicas: u32) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n  replicas: {replicas}\n"
    )
}

/// A manifest of a ConfigMap.
pub(crate) fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\ndata:\n  mode: edge\n")
}

/// Names of everything below a folder, relative to it.
pub(crate) fn below(folder: &Path) -> Vec<String> {
    let mut all = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().unwrap().is_dir() {
                open.push(path.clone());
            }
            all.push(path.strip_prefix(folder).unwrap().display().to_string());
        }
    }
    all
}

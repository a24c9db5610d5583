//! Kustomizations: which folders one reads, whether it reaches out of the repository, and the run of `kustomize build` on a copy of them.

mod edit;
mod loads;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};
use serde_json::Value;

use crate::domain::{Source, Unjudged, UnjudgedReason, Verbatim};
use crate::drift::yaml::{self, Limits};

use super::copy::{Copy, CopyLimits, unwritable};
use super::key::KeyMaker;
use super::kind::KUSTOMIZATIONS;
use super::links::{self, Target};
use super::program::{Run, Workplace};
use super::tree::{broken, join, too_much};
use super::unjudged;
use super::vars::Vars;

/// Kustomizations that one may refer to, directly or not.
const FOLDERS: usize = 2_000;

/// A kustomization that was looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Kustomize {
    root: Oid,
    path: String,
    /// Every folder that the build reads, by its path; none lies inside another.
    folders: BTreeMap<String, Oid>,
    settings: Option<Verbatim>,
    vars: Vars,
    /// Whether it refers to something outside that the configuration allows.
    network: bool,
}

impl Kustomize {
    /// Looks through the kustomization at `path`, and those that it refers to.
    ///
    /// # Errors
    /// `ForbiddenUrl` for a remote base that is not among `allowed` (beginnings of URLs), `BadManifest` for what does not parse.
    pub(super) fn plan(
        repo: &Repository,
        root: Oid,
        path: &str,
        source: &Source,
        allowed: &[String],
        vars: Vars,
    ) -> Result<Self, Unjudged> {
        let mut closure = Closure {
            repo,
            root,
            allowed,
            found: BTreeMap::new(),
            network: false,
        };
        closure.folder(path)?;
        for load in edit::loads(source.kustomize.as_ref())? {
            closure.load(path, &load)?;
        }
        let Closure { found, network, .. } = closure;
        Ok(Self {
            root,
            path: path.to_owned(),
            folders: outermost(found),
            settings: source.kustomize.clone(),
            vars,
            network,
        })
    }

    /// What the result depends on.
    pub(super) fn key(&self) -> KeyMaker {
        let settings = self.settings.as_ref().map(|s| s.value().to_string());
        let mut key = KeyMaker::new("kustomize")
            .text(&self.path)
            .text(settings.as_deref().unwrap_or_default());
        if edit::uses_vars(self.settings.as_ref()) {
            key = self.vars.add_to(key);
        }
        self.folders
            .iter()
            .fold(key, |key, (path, tree)| key.text(path).id(*tree))
    }

    /// Copies what is read into a folder and lays the application's settings over the kustomization, as `kustomize edit` would.
    ///
    /// # Errors
    /// A limit, a link out of the repository, or settings that do not fit the kustomization.
    pub(super) fn lay_out(
        &self,
        repo: &Repository,
        into: &Path,
        limits: CopyLimits,
    ) -> Result<(), Unjudged> {
        let mut copy = Copy::new(repo, self.root, into, limits);
        for (path, tree) in &self.folders {
            copy.folder(path, *tree)?;
        }
        let Some(settings) = &self.settings else {
            return Ok(());
        };
        let folder = into.join(&self.path);
        let Some(file) = KUSTOMIZATIONS
            .iter()
            .map(|name| folder.join(name))
            .find(|f| f.is_file())
        else {
            // Explicit settings on a folder that is none: kustomize itself says so best.
            return Ok(());
        };
        let text = std::fs::read(&file).map_err(|e| unwritable(&e))?;
        let there = |path: &str| folder.join(path).exists();
        let edited = edit::edited(parsed(&self.file(), &text)?, settings, &self.vars, &there)?;
        std::fs::write(&file, edited.to_string()).map_err(|e| unwritable(&e))
    }

    /// The build of what was laid out in a workplace, by `kustomize`, or by `kubectl` when that is what there is.
    pub(super) fn run(&self, program: PathBuf, place: &Workplace, by_kubectl: bool) -> Run {
        let word = if by_kubectl { "kustomize" } else { "build" };
        Run {
            program,
            args: vec![word.into(), place.tree().join(&self.path).into()],
            work: place.path().to_owned(),
            network: self.network,
            env: Vec::new(),
        }
    }

    /// What messages and objects name as the file.
    pub(super) fn file(&self) -> String {
        join(&self.path, "kustomization.yaml")
    }
}

/// Without the folders that lie in another of them.
fn outermost(found: BTreeMap<String, Oid>) -> BTreeMap<String, Oid> {
    let paths: BTreeSet<String> = found.keys().cloned().collect();
    let inside = |path: &str| {
        let mut above = path;
        while let Some((parent, _)) = above.rsplit_once('/') {
            if paths.contains(parent) {
                return true;
            }
            above = parent;
        }
        !path.is_empty() && paths.contains("")
    };
    found
        .into_iter()
        .filter(|(path, _)| !inside(path))
        .collect()
}

fn parsed(file: &str, text: &[u8]) -> Result<Value, Unjudged> {
    let limits = Limits {
        documents: 1,
        ..Limits::default()
    };
    let bad = |why: String| {
        let message = format!("`{file}` cannot be read: {why}. Correct the file and push it.");
        unjudged(UnjudgedReason::BadManifest, message)
    };
    let documents = yaml::parse_values(text, &limits).map_err(|e| bad(e.to_string()))?;
    match documents.into_iter().next() {
        None => Ok(Value::Object(serde_json::Map::new())),
        Some(value) if value.is_object() => Ok(value),
        Some(_) => Err(bad("it is no map".to_owned())),
    }
}

struct Closure<'a> {
    repo: &'a Repository,
    root: Oid,
    allowed: &'a [String],
    found: BTreeMap<String, Oid>,
    network: bool,
}

impl Closure<'_> {
    /// Takes a folder in, and everything its kustomization refers to.
    fn folder(&mut self, path: &str) -> Result<(), Unjudged> {
        let mut open = vec![path.to_owned()];
        while let Some(path) = open.pop() {
            let Target::Folder(tree, real) = links::resolve(self.repo, self.root, &path)? else {
                continue;
            };
            if self.found.insert(path.clone(), tree).is_some() {
                continue;
            }
            if self.found.len() > FOLDERS {
                return Err(too_much("kustomizations", FOLDERS));
            }
            // A folder that a link leads to has neighbours of its own; they are looked for where it really is.
            for load in self.loads(tree, &real)? {
                open.extend(self.take(&path, &load, &real)?);
            }
        }
        Ok(())
    }

    fn load(&mut self, path: &str, load: &str) -> Result<(), Unjudged> {
        match self.take(path, load, path)? {
            Some(folder) => self.folder(&folder),
            None => Ok(()),
        }
    }

    /// What the folder's kustomization refers to.
    fn loads(&self, tree: Oid, path: &str) -> Result<Vec<String>, Unjudged> {
        let tree = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
        let Some(name) = KUSTOMIZATIONS
            .iter()
            .find(|name| tree.get_name(name).is_some())
        else {
            return Ok(Vec::new());
        };
        let file = join(path, name);
        let Target::File(blob, _) = links::resolve(self.repo, self.root, &file)? else {
            return Ok(Vec::new());
        };
        let blob = self.repo.find_blob(blob).map_err(|e| broken(&e))?;
        Ok(loads::of(&parsed(&file, blob.content())?))
    }

    /// The folder that a reference means, when it means one; a file lies in its folder and needs nothing more.
    fn take(&mut self, path: &str, load: &str, real: &str) -> Result<Option<String>, Unjudged> {
        if !load.contains("://") {
            for from in [path, real] {
                match links::resolve(self.repo, self.root, &join(from, load))? {
                    Target::Folder(_, to) => return Ok(Some(to)),
                    Target::File(..) => return Ok(None),
                    Target::Nothing => {}
                }
            }
        }
        if !loads::is_remote(load) {
            return Ok(None);
        }
        if self.allowed.iter().any(|start| load.starts_with(start)) {
            self.network = true;
            return Ok(None);
        }
        let shown = super::policy::redact(load);
        Err(unjudged(
            UnjudgedReason::ForbiddenUrl,
            format!(
                "The kustomization in `{}` refers to the remote base `{shown}`, and remote bases are not fetched; copy it into the repository, or allow its URL under `remote-bases` in [desired] of config.toml.",
                if path.is_empty() { "." } else { path },
            ),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    fn plan(files: &[(&str, &str)], allowed: &[&str]) -> Result<Kustomize, Unjudged> {
        let origin = Origin::new();
        let entries: Vec<(&str, i32, Oid)> = files
            .iter()
            .map(|(path, text)| (*path, FILE, origin.blob(text.as_bytes())))
            .collect();
        let root = origin.tree(&entries);
        let allowed: Vec<String> = allowed.iter().map(|s| (*s).to_owned()).collect();
        let source = Source::default();
        Kustomize::plan(
            &origin.repo,
            root,
            "overlays/oslo",
            &source,
            &allowed,
            Vars::default(),
        )
    }

    #[test]
    fn every_folder_that_is_referred_to_is_found_and_no_other() {
        let plan = plan(
            &[
                (
                    "overlays/oslo/kustomization.yaml",
                    "resources: [../../base, web.yaml]\ncomponents: [../../components/tls]\n",
                ),
                ("overlays/oslo/web.yaml", "a: 1"),
                ("overlays/bergen/kustomization.yaml", "resources: []"),
                ("base/kustomization.yml", "bases: [deeper]\n"),
                ("base/deeper/Kustomization", "resources: [x.yaml]\n"),
                ("components/tls/kustomization.yaml", "kind: Component\n"),
            ],
            &[],
        )
        .unwrap();
        let folders: Vec<&String> = plan.folders.keys().collect();
        assert_eq!(folders, ["base", "components/tls", "overlays/oslo"]);
        assert!(!plan.network);
    }

    #[test]
    fn a_remote_base_is_refused_wherever_it_stands_and_allowed_by_its_beginning() {
        let remote = "https://github.com/edge/base//web?ref=v1";
        let base = format!("resources: ['{remote}']\n");
        let files = [
            (
                "overlays/oslo/kustomization.yaml",
                "resources: [../../base]",
            ),
            ("base/kustomization.yaml", base.as_str()),
        ];
        let why = plan(&files, &["https://gitlab.com/"]).unwrap_err();
        assert_eq!(why.reason, UnjudgedReason::ForbiddenUrl);
        let message = why.message.to_string();
        assert!(
            message.contains("`base`") && message.contains(remote),
            "{message}"
        );
        assert!(message.contains("remote-bases"), "{message}");
        assert!(plan(&files, &["https://github.com/edge/"]).unwrap().network);
    }

    #[test]
    fn a_base_outside_of_the_repository_is_refused() {
        let files = [(
            "overlays/oslo/kustomization.yaml",
            "resources: [../../../secret]",
        )];
        let why = plan(&files, &[]).unwrap_err();
        assert_eq!(why.reason, UnjudgedReason::BadManifest);
    }
}

//! Kustomizations: which folders one reads, whether it reaches out of the repository, and the run of `kustomize build` on a copy of them.

mod charts;
mod edit;
mod loads;
mod options;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository};
use serde_json::Value;

use crate::domain::{Source, Unjudged, UnjudgedReason, Verbatim};
use crate::drift::yaml::{self, Limits};

use super::ask::Purpose;
use super::copy::{Copy, CopyLimits, unwritable};
use super::helm::Dependency;
use super::key::KeyMaker;
use super::kind::KUSTOMIZATIONS;
use super::links::{self, Target};
use super::program::{Run, Workplace};
use super::tree::{broken, join, name_of, too_much};
use super::unjudged;
use super::vars::Vars;
use super::work::At;
use charts::Chart;
use options::Options;
pub(super) use options::named as named_refusal;

/// Kustomizations that one may refer to, directly or not.
const FOLDERS: usize = 2_000;

/// A kustomization that was looked through.
#[derive(Clone, Debug)]
pub(super) struct Kustomize {
    root: Oid,
    path: String,
    /// Every folder that the build reads, by its path; none lies inside another.
    folders: BTreeMap<String, Oid>,
    settings: Option<Verbatim>,
    vars: Vars,
    /// Whether it refers to something outside that the configuration allows.
    network: bool,
    options: Options,
    /// Charts that its kustomizations name and the repository does not hold.
    charts: Vec<Chart>,
    /// What a chart is rendered for: a Kubernetes version, and kinds that are served.
    served: Vec<String>,
}

/// What a plan is made of.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) root: Oid,
    pub(super) path: &'a str,
    pub(super) source: &'a Source,
    /// Beginnings of URLs that may be fetched.
    pub(super) allowed: &'a [String],
    pub(super) purpose: &'a Purpose,
    pub(super) vars: Vars,
}

impl Kustomize {
    /// Looks through the kustomization at `path`, and those that it refers to.
    ///
    /// # Errors
    /// `ForbiddenUrl` for a remote base that is not among `allowed` (beginnings of URLs), `BadManifest` for what does not parse.
    pub(super) fn plan(repo: &Repository, parts: Parts<'_>) -> Result<Self, Unjudged> {
        let options = Options::read(&parts.purpose.kustomize_options)?;
        let settings = parts.source.kustomize.as_ref();
        let mut closure = Closure {
            repo,
            root: parts.root,
            allowed: parts.allowed,
            options: &options,
            descends: false,
            found: BTreeMap::new(),
            charts: Vec::new(),
            network: false,
        };
        closure.folder(parts.path)?;
        for load in edit::loads(settings)? {
            closure.load(parts.path, &load)?;
        }
        let Closure {
            found,
            charts,
            network,
            ..
        } = closure;
        let served = if options.helm {
            edit::served(settings, parts.purpose)?
        } else {
            Vec::new()
        };
        Ok(Self {
            root: parts.root,
            path: parts.path.to_owned(),
            folders: outermost(found),
            settings: parts.source.kustomize.clone(),
            vars: parts.vars,
            network,
            options,
            charts,
            served,
        })
    }

    /// Charts that have to be pulled before the build.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        let mut all: Vec<Dependency> = Vec::new();
        for wanted in self.charts.iter().filter_map(Chart::dependency) {
            if !all.contains(wanted) {
                all.push(wanted.clone());
            }
        }
        all
    }

    /// Carries one of them in. Blocking.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn carry(&mut self, dependency: &Dependency, at: &At) -> Result<(), Unjudged> {
        self.charts
            .iter_mut()
            .try_for_each(|chart| chart.carry(dependency, at))
    }

    /// Whether the build runs `helm`.
    pub(super) fn needs_helm(&self) -> bool {
        self.options.helm
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
        let words = self
            .options
            .args()
            .into_iter()
            .chain(self.served.iter().cloned());
        key = words.fold(key, |key, word| key.text(&word));
        key = self.charts.iter().fold(key, |key, chart| chart.add_to(key));
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
        self.charts
            .iter()
            .try_for_each(|chart| chart.lay_out(into, limits))?;
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

    /// The build of what was laid out in a workplace, by `kustomize`, or by `kubectl` when that is what there is; `helm` when charts may be named.
    pub(super) fn run(
        &self,
        (program, by_kubectl): (PathBuf, bool),
        helm: Option<PathBuf>,
        place: &Workplace,
    ) -> Run {
        let word = if by_kubectl { "kustomize" } else { "build" };
        let mut args: Vec<OsString> = vec![word.into(), place.tree().join(&self.path).into()];
        args.extend(self.options.args().into_iter().map(OsString::from));
        if let Some(helm) = helm {
            args.extend(["--helm-command".into(), helm.into()]);
            args.extend(self.served.iter().map(OsString::from));
        }
        Run {
            program,
            args,
            work: place.path().to_owned(),
            network: self.network,
            env: Vec::new(),
            input: None,
        }
    }

    /// What messages and objects name as the file.
    pub(super) fn file(&self) -> String {
        join(&self.path, "kustomization.yaml")
    }
}

/// Every folder that a build of Flux's reads at `path`, with the components that its spec adds; and whether it needs the network. Flux lets a
/// kustomization load files of the whole repository, and generates one where a folder has none.
///
/// # Errors
/// As [`Kustomize::plan`].
pub(super) fn closure_of_flux(
    repo: &Repository,
    root: Oid,
    path: &str,
    components: &[String],
    allowed: &[String],
) -> Result<(BTreeMap<String, Oid>, bool), Unjudged> {
    let options = Options::of_flux();
    let mut closure = Closure {
        repo,
        root,
        allowed,
        options: &options,
        descends: true,
        found: BTreeMap::new(),
        charts: Vec::new(),
        network: false,
    };
    closure.folder(path)?;
    for component in components {
        closure.load(path, component)?;
    }
    Ok((outermost(closure.found), closure.network))
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

/// The kustomization in a text; an empty one is an empty map.
///
/// # Errors
/// `BadManifest`, naming the file.
pub(super) fn parsed(file: &str, text: &[u8]) -> Result<Value, Unjudged> {
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
    options: &'a Options,
    /// Whether a folder without a kustomization stands for those below it.
    descends: bool,
    found: BTreeMap<String, Oid>,
    charts: Vec<Chart>,
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
            let Some(kustomization) = self.read(tree, &real)? else {
                open.extend(self.inner(tree, &path)?);
                continue;
            };
            self.check(&kustomization, &real)?;
            for load in loads::of(&kustomization) {
                open.extend(self.take(&path, &load, &real)?);
            }
            if self.options.helm {
                self.charts_of(&path, &kustomization)?;
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

    /// The folders in one, where it stands for them.
    fn inner(&self, tree: Oid, path: &str) -> Result<Vec<String>, Unjudged> {
        if !self.descends {
            return Ok(Vec::new());
        }
        let tree = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
        let folders = tree.iter().filter(|e| e.kind() == Some(ObjectType::Tree));
        Ok(folders.map(|e| join(path, &name_of(&e))).collect())
    }

    /// The folder's kustomization, if it has one.
    fn read(&self, tree: Oid, path: &str) -> Result<Option<Value>, Unjudged> {
        let tree = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
        let Some(name) = KUSTOMIZATIONS
            .iter()
            .find(|name| tree.get_name(name).is_some())
        else {
            return Ok(None);
        };
        let file = join(path, name);
        let Target::File(blob, _) = links::resolve(self.repo, self.root, &file)? else {
            return Ok(None);
        };
        let blob = self.repo.find_blob(blob).map_err(|e| broken(&e))?;
        parsed(&file, blob.content()).map(Some)
    }

    /// Where kustomize may read files anywhere, everything that it reads must be known beforehand: this machine has files too.
    fn check(&self, kustomization: &Value, path: &str) -> Result<(), Unjudged> {
        if self.options.anywhere && loads::is_open(kustomization) {
            return Err(options::needs_plugin(&format!(
                "in `{path}` has generators or transformers of its own, while the engine lets kustomize read files anywhere"
            )));
        }
        Ok(())
    }

    /// Takes in the charts that a kustomization names: those of the repository to be copied, others to be pulled.
    fn charts_of(&mut self, path: &str, kustomization: &Value) -> Result<(), Unjudged> {
        for chart in Chart::all(path, kustomization)? {
            match links::resolve(self.repo, self.root, chart.place())? {
                Target::Folder(tree, _) => drop(self.found.insert(chart.place().to_owned(), tree)),
                _ => self.charts.push(chart),
            }
        }
        Ok(())
    }

    /// The folder that a reference means, when it means one; a file lies in its folder and needs nothing more.
    fn take(&mut self, path: &str, load: &str, real: &str) -> Result<Option<String>, Unjudged> {
        if load.starts_with('/') {
            return Err(unjudged(
                UnjudgedReason::BadManifest,
                format!(
                    "The kustomization in `{path}` refers to `{load}`, a path of the machine that builds it; refer to files of the repository."
                ),
            ));
        }
        if !load.contains("://") {
            for from in [path, real] {
                match links::resolve(self.repo, self.root, &join(from, load))? {
                    Target::Folder(_, to) => return Ok(Some(to)),
                    // Its folder is copied as a whole, unless it lies elsewhere and may.
                    Target::File(_, file) if self.options.anywhere => return self.take_file(&file),
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

    /// Takes in the folder of a file that is read from elsewhere.
    fn take_file(&mut self, file: &str) -> Result<Option<String>, Unjudged> {
        let folder = file.rsplit_once('/').map_or("", |(folder, _)| folder);
        if let Target::Folder(tree, _) = links::resolve(self.repo, self.root, folder)? {
            self.found.entry(folder.to_owned()).or_insert(tree);
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    fn plan(files: &[(&str, &str)], allowed: &[&str]) -> Result<Kustomize, Unjudged> {
        plan_with(files, allowed, "")
    }

    fn plan_with(
        files: &[(&str, &str)],
        allowed: &[&str],
        options: &str,
    ) -> Result<Kustomize, Unjudged> {
        let origin = Origin::new();
        let entries: Vec<(&str, i32, Oid)> = files
            .iter()
            .map(|(path, text)| (*path, FILE, origin.blob(text.as_bytes())))
            .collect();
        let allowed: Vec<String> = allowed.iter().map(|s| (*s).to_owned()).collect();
        let purpose = Purpose {
            kustomize_options: options.into(),
            ..Purpose::default()
        };
        Kustomize::plan(
            &origin.repo,
            Parts {
                root: origin.tree(&entries),
                path: "overlays/oslo",
                source: &Source::default(),
                allowed: &allowed,
                purpose: &purpose,
                vars: Vars::default(),
            },
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

    const NONE: &str = "--load-restrictor LoadRestrictionsNone";

    #[test]
    fn without_restrictions_the_folders_of_files_elsewhere_are_copied_too() {
        let files = [
            (
                "overlays/oslo/kustomization.yaml",
                "configMapGenerator:\n- name: a\n  files: [../../shared/motd.txt]\n",
            ),
            ("shared/motd.txt", "stay warm"),
        ];
        let folders = |plan: Kustomize| plan.folders.into_keys().collect::<Vec<_>>();
        assert_eq!(folders(plan(&files, &[]).unwrap()), ["overlays/oslo"]);
        let free = plan_with(&files, &[], NONE).unwrap();
        assert_eq!(folders(free), ["overlays/oslo", "shared"]);
    }

    #[test]
    fn without_restrictions_nothing_of_this_machine_is_read() {
        let with = |text: &str| {
            plan_with(&[("overlays/oslo/kustomization.yaml", text)], &[], NONE)
                .unwrap_err()
                .reason
        };
        assert_eq!(
            with("resources: [/etc/passwd]"),
            UnjudgedReason::BadManifest
        );
        assert_eq!(
            with("resources: [../../../etc/passwd]"),
            UnjudgedReason::BadManifest
        );
        assert_eq!(with("generators: [any.yaml]"), UnjudgedReason::NeedsPlugin);
    }

    #[test]
    fn charts_are_named_to_be_pulled_only_where_they_are_enabled_and_not_there() {
        let text = "helmCharts:\n- {name: redis, version: 18.1.2, repo: 'https://charts.example'}\n- {name: here, repo: 'https://charts.example'}\n";
        let files = [
            ("overlays/oslo/kustomization.yaml", text),
            ("overlays/oslo/charts/here/Chart.yaml", "name: here"),
        ];
        assert!(plan(&files, &[]).unwrap().dependencies().is_empty());
        let plan = plan_with(&files, &[], "--enable-helm").unwrap();
        let names: Vec<String> = plan.dependencies().into_iter().map(|d| d.name).collect();
        assert_eq!(names, ["redis"]);
    }
}

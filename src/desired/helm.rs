//! Helm charts: which files `helm template` reads for an application, and its run on a copy of them with Argo CD's arguments.

mod chart;
mod defaults;
mod settings;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use git2::{Oid, Repository};

use crate::domain::{Name, Source, Unjudged, UnjudgedReason};

use super::ask::Purpose;
use super::bare::Bare;
use super::copy::{Copy, CopyLimits, make_folder, unwritable, write};
use super::key::KeyMaker;
use super::program::{Run, Workplace};
use super::tree::{broken, join};
use super::unjudged;
use super::vars::Vars;
use super::work::At;
pub(super) use chart::Dependency;
use chart::Vendored;
pub(super) use defaults::ValuesFiles;
pub(super) use settings::Settings;
use settings::escaped;

/// Bytes of one value file.
const VALUES: usize = 8 << 20;

/// A source that value files name as `$name/path`.
#[derive(Clone, Debug)]
pub(super) struct RefAt {
    pub(super) name: Name,
    pub(super) bare: Arc<Bare>,
    pub(super) root: Oid,
}

/// Where the chart stands: in a folder of a commit.
#[derive(Clone, Debug)]
pub(super) struct Chart {
    pub(super) bare: Arc<Bare>,
    pub(super) root: Oid,
    pub(super) path: String,
    pub(super) folder: Oid,
}

/// One run of `helm template`, planned.
#[derive(Clone, Debug)]
pub(super) struct Helm {
    chart: Chart,
    /// Charts that the chart depends on and does not carry: of the same repository, or pulled.
    vendored: Vec<Vendored>,
    /// Charts of other repositories that it depends on and does not carry, until they are pulled.
    dependencies: Vec<Dependency>,
    /// Files that stand in the place of the chart's own `values.yaml`, laid over each other; none leave it as it is.
    defaults: Vec<Blob>,
    /// Value files in the order in which they are laid over each other.
    values: Vec<Blob>,
    /// `--set-file`: key and content.
    files: Vec<(String, Blob)>,
    args: Vec<String>,
}

/// A file's content, named but not read.
#[derive(Clone, Debug)]
enum Blob {
    /// In a mirror, or in the store of charts.
    Git(Arc<Bare>, Oid),
    /// In the application itself.
    Inline(String),
}

/// A tree of a repository.
#[derive(Clone, Copy, Debug)]
struct Tree<'a> {
    bare: &'a Arc<Bare>,
    root: Oid,
}

/// What a plan is made of.
pub(super) struct Parts<'a> {
    pub(super) chart: Chart,
    pub(super) settings: &'a Settings,
    pub(super) refs: &'a [RefAt],
    pub(super) purpose: &'a Purpose,
    pub(super) vars: &'a Vars,
}

impl Helm {
    /// Finds everything that the run reads. Blocking.
    ///
    /// # Errors
    /// `NotFound` for a value file that is not there, `ForbiddenUrl` for one behind a URL, `BadManifest` for a chart that does not parse.
    pub(super) fn plan(parts: &Parts<'_>) -> Result<Self, Unjudged> {
        let settings = parts.settings;
        let purpose = parts.purpose;
        purpose.require_served()?;
        let (vendored, dependencies) = chart::dependencies(&parts.chart)?;
        let mut values = values::files(
            parts,
            &settings.value_files,
            settings.ignore_missing_value_files,
        )?;
        values.extend(settings.inline().map(Blob::Inline));
        let mut files = Vec::new();
        for parameter in &settings.file_parameters {
            let found = parts.find(&parameter.path)?;
            let (_, blob) = found.ok_or_else(|| missing(&parameter.path))?;
            files.push((parameter.name.clone(), blob));
        }
        Ok(Self {
            args: arguments(settings, parts),
            chart: parts.chart.clone(),
            vendored,
            dependencies,
            defaults: Vec::new(),
            values,
            files,
        })
    }

    /// The same with words that no settings lead to.
    #[must_use]
    pub(super) fn with_flags(mut self, flags: &[&str]) -> Self {
        self.args
            .extend(flags.iter().map(|flag| (*flag).to_owned()));
        self
    }

    /// What the result depends on.
    pub(super) fn key(&self) -> KeyMaker {
        let chart = &self.chart;
        let key = KeyMaker::new("helm").text(&chart.path).id(chart.folder);
        let key = self.vendored.iter().fold(key, |key, v| v.add_to(key));
        let key = self.dependencies.iter().fold(key, |key, d| d.add_to(key));
        let defaults = self.defaults.iter();
        let key = defaults.fold(key, |key, blob| blob.add_to(key.text("defaults")));
        let key = self.values.iter().fold(key, |key, blob| blob.add_to(key));
        let key = self
            .files
            .iter()
            .fold(key, |key, (name, blob)| blob.add_to(key.text(name)));
        self.args.iter().fold(key, |key, arg| key.text(arg))
    }

    /// Copies what is read into a workplace. Blocking.
    ///
    /// # Errors
    /// A limit, or a link out of the repository.
    pub(super) fn lay_out(&self, place: &Workplace, limits: CopyLimits) -> Result<(), Unjudged> {
        let Chart {
            bare,
            root,
            path,
            folder,
        } = &self.chart;
        let tree = place.tree();
        with(bare, |repo| {
            Copy::new(repo, *root, &tree, limits).folder(path, *folder)
        })?;
        let chart = tree.join(path);
        self.vendored
            .iter()
            .try_for_each(|v| v.lay_out(&chart, limits))?;
        defaults::lay_out(&chart, &self.defaults)?;
        let folder = place.path().join("values");
        make_folder(&folder).map_err(|e| unwritable(&e))?;
        let files = self.files.iter().map(|(_, blob)| blob);
        for (number, blob) in self.values.iter().chain(files).enumerate() {
            write(&folder.join(number.to_string()), &blob.read()?).map_err(|e| unwritable(&e))?;
        }
        Ok(())
    }

    /// The run on what was laid out.
    pub(super) fn run(&self, program: PathBuf, place: &Workplace) -> Run {
        let chart = place.tree().join(&self.chart.path);
        let mut args: Vec<OsString> = vec!["template".into(), chart.into()];
        args.extend(self.args.iter().map(OsString::from));
        let file = |number: usize| place.path().join("values").join(number.to_string());
        for number in 0..self.values.len() {
            args.extend(["--values".into(), file(number).into()]);
        }
        for (number, (name, _)) in self.files.iter().enumerate() {
            let path = file(self.values.len() + number);
            args.extend([
                "--set-file".into(),
                format!("{name}={}", path.display()).into(),
            ]);
        }
        Run {
            program,
            args,
            work: place.path().to_owned(),
            network: false,
            env: Vec::new(),
            input: None,
        }
    }

    /// What the paths in `# Source:` comments are relative to, in the repository; the chart's own name comes first in them.
    pub(super) fn folder(&self) -> &str {
        &self.chart.path
    }

    /// Charts of other repositories that have to be carried in before the run.
    pub(super) fn dependencies(&self) -> &[Dependency] {
        &self.dependencies
    }

    /// Carries one of them in. Blocking.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn carry(&mut self, dependency: &Dependency, at: &At) -> Result<(), Unjudged> {
        let root = with(&at.bare, |repo| super::tree::root(repo, at.commit))?;
        self.dependencies.retain(|d| d != dependency);
        self.vendored
            .push(Vendored::pulled(&dependency.name, &at.bare, root));
        Ok(())
    }
}

/// Whether a source lets credentials go to other hosts that its chart repository names.
pub(super) fn passes_credentials(source: &Source) -> bool {
    Settings::read(source.helm.as_ref()).is_ok_and(|s| s.pass_credentials)
}

/// The arguments that are no files. In Argo CD's order; of two for one key the last counts.
fn arguments(settings: &Settings, parts: &Parts<'_>) -> Vec<String> {
    let purpose = parts.purpose;
    let or = |own: &str, other: &Name| {
        if own.is_empty() {
            other.to_string()
        } else {
            own.to_owned()
        }
    };
    let mut args = Vec::new();
    let mut add = |flag: &str, value: String| {
        if !value.is_empty() {
            args.extend([flag.to_owned(), value]);
        }
    };
    add("--name-template", or(&settings.release_name, &purpose.app));
    add("--namespace", or(&settings.namespace, &purpose.namespace));
    let version = or(&settings.kube_version, &purpose.kube_version());
    add("--kube-version", plain_version(&version));
    for parameter in &settings.parameters {
        let flag = if parameter.force_string {
            "--set-string"
        } else {
            "--set"
        };
        let value = parts.vars.expand(&escaped(&parameter.value));
        add(flag, format!("{}={value}", parameter.name));
    }
    if settings.api_versions.is_empty() {
        for version in purpose.api_versions() {
            add("--api-versions", version.to_string());
        }
    }
    for version in &settings.api_versions {
        add("--api-versions", version.clone());
    }
    for (flag, set) in [
        ("--include-crds", !settings.skip_crds),
        ("--skip-tests", settings.skip_tests),
        ("--skip-schema-validation", settings.skip_schema_validation),
    ] {
        if set {
            args.push(flag.to_owned());
        }
    }
    args
}

/// `v1.34.2+k3s1` as `1.34.2`.
pub(super) fn plain_version(version: &str) -> String {
    let version = version.trim_start_matches('v');
    let end = version.find(['+', '-']).unwrap_or(version.len());
    version.get(..end).unwrap_or_default().to_owned()
}

fn missing(path: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::NotFound,
        format!(
            "The value file `{path}` of the application's source is not there; push it, or correct `helm.valueFiles`."
        ),
    )
}

/// Work on a repository; that it cannot be opened is an obstacle like any other.
fn with<T>(
    bare: &Bare,
    work: impl FnOnce(&Repository) -> Result<T, Unjudged>,
) -> Result<T, Unjudged> {
    bare.with(work).map_err(|e| broken(&e))?
}

impl Blob {
    fn add_to(&self, key: KeyMaker) -> KeyMaker {
        match self {
            Self::Git(_, blob) => key.id(*blob),
            Self::Inline(text) => key.text(text),
        }
    }

    fn read(&self) -> Result<Vec<u8>, Unjudged> {
        let content = match self {
            Self::Git(bare, blob) => with(bare, |repo| {
                let blob = repo.find_blob(*blob).map_err(|e| broken(&e))?;
                Ok(blob.content().to_vec())
            })?,
            Self::Inline(text) => text.clone().into_bytes(),
        };
        if content.len() > VALUES {
            return Err(super::tree::too_much("bytes in one value file", VALUES));
        }
        Ok(content)
    }
}

/// Splits what `helm template` prints at its document marks, each part with the template that it came from, as far as a comment tells.
pub(super) fn parts_of<'a>(printed: &'a str, folder: &str) -> Vec<(String, &'a str)> {
    let mut parts = Vec::new();
    let mut file = join(folder, "Chart.yaml");
    let mut start = 0;
    let mut at = 0;
    for line in printed.split_inclusive('\n') {
        if line.trim_end() == "---" {
            parts.push((start, at));
            start = at + line.len();
        }
        at += line.len();
    }
    parts.push((start, printed.len()));
    let texts = parts
        .into_iter()
        .filter_map(|(from, to)| printed.get(from..to));
    texts
        .filter(|text| !text.trim().is_empty())
        .map(|text| {
            let named = text
                .lines()
                .find_map(|line| line.strip_prefix("# Source: "));
            if let Some((_, template)) = named.and_then(|path| path.split_once('/')) {
                file = join(folder, template.trim());
            }
            (file.clone(), text)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_knows_the_template_it_came_from() {
        let printed = "---\n# Source: web/templates/a.yaml\nkind: A\n---\n# Source: web/charts/db/templates/b.yaml\nkind: B\nnote: |\n  ---\n---\nkind: C\n";
        let parts = parts_of(printed, "charts/web");
        let files: Vec<&str> = parts.iter().map(|(file, _)| file.as_str()).collect();
        assert_eq!(
            files,
            [
                "charts/web/templates/a.yaml",
                "charts/web/charts/db/templates/b.yaml",
                "charts/web/charts/db/templates/b.yaml"
            ]
        );
        assert!(parts[1].1.contains("  ---"));
    }

    #[test]
    fn versions_lose_what_helm_would_read_as_a_prerelease() {
        assert_eq!(plain_version("v1.34.2+k3s1"), "1.34.2");
        assert_eq!(plain_version("1.30"), "1.30");
        assert_eq!(plain_version("v1.27.3-gke.100"), "1.27.3");
    }
}

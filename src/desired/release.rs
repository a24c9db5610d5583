//! What a HelmRelease of Flux installs: its chart rendered as helm-controller would, and what that does to the objects afterwards.
//!
//! Source of the rules: helm-controller and source-controller, and Flux's documentation of HelmReleases and HelmCharts. Values of Secrets are
//! handed to the programs through their standard input and are nowhere written; what they gave is found by rendering the chart again with
//! their counterparts, and sealed.

mod counterpart;
mod digest;
pub(super) mod finish;
mod packaged;
mod plain;
mod post;
mod set;
mod settings;
mod values;
mod version;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::Oid;

use super::ask::Purpose;
use super::bare::Bare;
use super::copy::{CopyLimits, make_folder, unwritable, write};
use super::flux::Given;
use super::helm::{self, Chart, Dependency, Helm};
use super::key::KeyMaker;
use super::program::{Run, Workplace};
use super::tree;
use super::unjudged;
use super::vars::Vars;
use super::work::At;
use crate::domain::{Source, Unjudged, UnjudgedReason};
pub(super) use packaged::commit_of;
use settings::Settings;
use values::Values;

/// A release, planned.
#[derive(Clone, Debug)]
pub(super) struct Release {
    helm: Helm,
    settings: Settings,
    values: Arc<Values>,
}

/// What a plan is made of.
pub(super) struct Parts<'a> {
    /// Where the chart stands.
    pub(super) chart: Chart,
    pub(super) source: &'a Source,
    pub(super) purpose: &'a Purpose,
    pub(super) given: &'a Given,
}

/// Whether a source is a HelmRelease's.
pub(super) fn is_meant(source: &Source) -> bool {
    let flux = source.flux.as_ref();
    flux.is_some_and(|f| f.value().get("release").is_some())
}

/// The version of a chart in Git, where Flux tells nothing else of what it packaged.
pub(super) fn packaged(source: &Source) -> Option<&str> {
    let settings = source.flux.as_ref()?.value();
    let version = settings.pointer("/release/packaged")?.as_str()?;
    Some(version).filter(|version| !version.is_empty())
}

impl Release {
    /// Finds everything that the runs read. Blocking.
    ///
    /// # Errors
    /// As [`Helm::plan`]; `RenderFailed` for values that Flux cannot merge either.
    pub(super) fn plan(parts: Parts<'_>) -> Result<Self, Unjudged> {
        let settings = Settings::read(parts.source)?;
        let values = Values::merged(&settings.values, parts.given)?;
        require_deployed(&values, &settings.config_digest)?;
        let mut of_helm = helm::Settings::named(&settings.name, &settings.namespace);
        of_helm.skip_crds = !settings.replaces_crds;
        of_helm.skip_schema_validation = settings.skip_schema_validation;
        let helm = Helm::plan(&helm::Parts {
            chart: parts.chart,
            settings: &of_helm,
            refs: &[],
            purpose: parts.purpose,
            vars: &Vars::default(),
        })?;
        let from_root =
            parts.source.chart.is_empty() && !parts.source.repo_url.starts_with("oci://");
        let files = helm::ValuesFiles {
            paths: &settings.values_files,
            from_root,
            ignore_missing: settings.ignore_missing_values_files,
        };
        let flags: &[&str] = if settings.upgraded {
            // Hooks are no part of what a release manages, and tests are hooks.
            &["--no-hooks", "--is-upgrade"]
        } else {
            &["--no-hooks"]
        };
        Ok(Self {
            helm: helm.with_defaults(&files)?.with_flags(flags),
            settings,
            values: Arc::new(values),
        })
    }

    /// What the result depends on.
    pub(super) fn key(&self) -> KeyMaker {
        let key = self.helm.key().text("release");
        let settings = Settings {
            values: serde_json::Map::new(),
            packaged: String::new(),
            config_digest: String::new(),
            ..self.settings.clone()
        };
        self.values.add_to(key.text(&format!("{settings:?}")))
    }

    /// Charts of other repositories that have to be carried in before the runs.
    pub(super) fn dependencies(&self) -> &[Dependency] {
        self.helm.dependencies()
    }

    /// Carries one of them in. Blocking.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn carry(&mut self, dependency: &Dependency, at: &At) -> Result<(), Unjudged> {
        self.helm.carry(dependency, at)
    }

    /// The values of each run.
    pub(super) fn values(&self) -> &Values {
        &self.values
    }

    /// Copies what the runs read into a workplace; nothing of it came out of a Secret. Blocking.
    ///
    /// # Errors
    /// A limit, or a link out of the repository.
    pub(super) fn lay_out(&self, place: &Workplace, limits: CopyLimits) -> Result<(), Unjudged> {
        self.helm.lay_out(place, limits)?;
        version::mark(
            &place.tree().join(self.helm.folder()),
            &self.settings.version_metadata,
        )?;
        for (number, step) in self.steps().enumerate() {
            let folder = step_folder(place, number);
            make_folder(&folder).map_err(|e| unwritable(&e))?;
            let text = post::kustomization(step).to_string();
            write(&folder.join("kustomization.yaml"), text.as_bytes())
                .map_err(|e| unwritable(&e))?;
        }
        Ok(())
    }

    /// The run of the chart with these values.
    pub(super) fn run(
        &self,
        program: PathBuf,
        place: &Workplace,
        values: &serde_json::Value,
    ) -> Run {
        let mut run = self.helm.run(program, place);
        run.args.extend(["--values".into(), "-".into()]);
        run.input = Some(values.to_string().into_bytes());
        run
    }

    /// The runs of kustomize that follow, each on what the one before it gave.
    pub(super) fn post_run(
        &self,
        number: usize,
        (program, by_kubectl): (PathBuf, bool),
        place: &Workplace,
        input: Vec<u8>,
    ) -> Run {
        Run {
            program,
            args: vec![
                if by_kubectl { "kustomize" } else { "build" }.into(),
                "--load-restrictor=LoadRestrictionsNone".into(),
                step_folder(place, number).into(),
            ],
            work: place.path().to_owned(),
            network: false,
            env: Vec::new(),
            input: Some(input),
        }
    }

    /// How many runs of kustomize follow.
    pub(super) fn post_runs(&self) -> usize {
        self.steps().count()
    }

    fn steps(&self) -> impl Iterator<Item = &settings::Kustomize> {
        let steps = self.settings.post_renderers.iter();
        steps.filter_map(|step| step.kustomize.as_ref())
    }

    /// What may be said of a failure: nothing that a program said, where values of Secrets went into it.
    pub(super) fn said(&self, why: Unjudged) -> Unjudged {
        let repeats = matches!(
            why.reason,
            UnjudgedReason::RenderFailed | UnjudgedReason::BadManifest
        );
        if !repeats || !self.values.has_secrets() {
            return why;
        }
        unjudged(
            why.reason,
            format!(
                "The chart `{}` cannot be rendered with the values of the HelmRelease, or gives no manifests; more is not shown, because values of Secrets went into it. See the HelmRelease's own message.",
                self.file()
            ),
        )
    }

    /// What messages name as the file.
    pub(super) fn file(&self) -> String {
        tree::join(self.helm.folder(), "Chart.yaml")
    }
}

/// Nothing is told of a release by values that it was not deployed with.
fn require_deployed(values: &Values, config_digest: &str) -> Result<(), Unjudged> {
    if config_digest.is_empty() {
        return Ok(());
    }
    match digest::digest(&values.clear) {
        Some(digest) if digest != config_digest => Err(unjudged(
            UnjudgedReason::NeverDeployed,
            "The values of the HelmRelease, or what its ConfigMaps and Secrets give, are others than it was deployed with, and those are not known here; it is judged again when Flux has rolled them out.",
        )),
        _ => Ok(()),
    }
}

fn step_folder(place: &Workplace, number: usize) -> PathBuf {
    place
        .path()
        .join(Path::new("post"))
        .join(number.to_string())
}

/// The commit of a mirror that Flux has packaged a version of a chart from. Blocking.
///
/// # Errors
/// As [`commit_of`].
pub(super) fn packaged_at(
    bare: &Bare,
    from: Oid,
    source: &Source,
    version: &str,
) -> Result<Oid, Unjudged> {
    let path = tree::normal_path(source.path.trim_start_matches('/'))?;
    let found = bare.with(|repo| commit_of(repo, from, &path, version));
    found.map_err(|e| tree::broken(&e))?
}

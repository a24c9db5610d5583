//! What has to be done for one source at one commit: planned from the tree alone, told apart by its key, then done.

use std::sync::Arc;

use git2::Oid;

use crate::domain::{Name, Source, Unjudged};

use super::ask::{Ask, Purpose};
use super::bare::Bare;
use super::flux::{Flux, Given, Start};
use super::helm::{self, Chart, Dependency, Helm, RefAt};
use super::jsonnet::{self, Jsonnet};
use super::key::{ContentKey, KeyMaker};
use super::kind::{self, Kind};
use super::kustomize::{self, Kustomize};
use super::release::{self, Release};
use super::tree::{self, ManifestFile, RenderLimits, broken};
use super::vars::Vars;

/// A commit of a mirror, or of the store of charts.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) bare: Arc<Bare>,
    pub(super) commit: Oid,
    /// What the revision is called: the commit's name, or a chart's version.
    pub(super) revision: Name,
}

/// What has to be done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Read files.
    Plain(Plain),
    /// Run kustomize.
    Kustomize(Arc<Bare>, Kustomize),
    /// Build as Flux does.
    Flux(Arc<Bare>, Box<Flux>),
    /// Run helm.
    Helm(Box<Helm>),
    /// Install as Flux does.
    Release(Box<Release>),
}

/// A plain directory.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) mirror: Arc<Bare>,
    /// The commit's tree: what jsonnet files may import from.
    pub(super) root: Oid,
    pub(super) files: Vec<ManifestFile>,
    pub(super) jsonnet: Jsonnet,
}

/// What planning needs beside the commit.
#[derive(Clone, Debug)]
pub(super) struct Brief {
    pub(super) ask: Ask,
    pub(super) refs: Vec<RefAt>,
    pub(super) purpose: Purpose,
    pub(super) remote_bases: Vec<String>,
    pub(super) limits: RenderLimits,
    /// What the cluster gives to a rendering of Flux.
    pub(super) given: Arc<Given>,
}

impl Work {
    /// Looks at the tree and decides. Blocking.
    ///
    /// # Errors
    /// Why the source cannot be rendered, as far as the tree tells.
    pub(super) fn plan(at: &At, brief: &Brief) -> Result<Self, Unjudged> {
        let source = &brief.ask.source;
        // Nothing that lies beside its manifests changes what Flux builds.
        if source.flux.is_some() {
            return Self::flux(at, brief);
        }
        // The path of a chart's source says nothing: the chart is all that was pulled.
        let path = match &*source.chart {
            "" => tree::normal_path(&source.path)?,
            _ => String::new(),
        };
        let planned = at.bare.with(|repo| {
            let root = tree::root(repo, at.commit)?;
            let folder = tree::folder(repo, at.commit, root, &path)?;
            let source = kind::with_overrides(repo, root, &path, source, &brief.purpose.app)?;
            let listing = repo.find_tree(folder).map_err(|e| broken(&e))?;
            let kind = kind::by_settings(&source)?.unwrap_or_else(|| kind::by_files(&listing));
            let vars = Vars::of(&brief.purpose, &source, &at.revision);
            match kind {
                Kind::Directory => Ok(Self::Plain(Plain {
                    mirror: at.bare.clone(),
                    root,
                    files: tree::manifest_files(
                        repo,
                        root,
                        &listing,
                        &path,
                        &source,
                        &brief.limits,
                    )?,
                    jsonnet: Jsonnet::of(source.jsonnet.as_ref(), &vars)?,
                })),
                Kind::Kustomize => {
                    let parts = kustomize::Parts {
                        root,
                        path: &path,
                        source: &source,
                        allowed: &brief.remote_bases,
                        purpose: &brief.purpose,
                        vars,
                    };
                    let plan = Kustomize::plan(repo, parts)?;
                    Ok(Self::Kustomize(at.bare.clone(), plan))
                }
                // It was planned above.
                Kind::Flux => Self::flux(at, brief),
                Kind::Helm => Self::helm(
                    Chart {
                        bare: at.bare.clone(),
                        root,
                        path: path.clone(),
                        folder,
                    },
                    brief,
                    &source,
                    &vars,
                ),
            }
        });
        planned.map_err(|e| broken(&e))?
    }

    /// What Flux builds or installs.
    ///
    /// # Errors
    /// As [`Flux::plan`] and [`Release::plan`].
    fn flux(at: &At, brief: &Brief) -> Result<Self, Unjudged> {
        let source = &brief.ask.source;
        let path = tree::normal_path(source.path.trim_start_matches('/'))?;
        let planned = at.bare.with(|repo| {
            let root = tree::root(repo, at.commit)?;
            let folder = tree::folder(repo, at.commit, root, &path)?;
            if release::is_meant(source) {
                let chart = Chart {
                    bare: at.bare.clone(),
                    root,
                    path: path.clone(),
                    folder,
                };
                return Self::release(chart, brief);
            }
            let start = Start {
                repo,
                root,
                path: &path,
                allowed: &brief.remote_bases,
            };
            let plan = Flux::plan(&start, source.flux.as_ref(), &brief.given)?;
            Ok(Self::Flux(at.bare.clone(), Box::new(plan)))
        });
        planned.map_err(|e| broken(&e))?
    }

    fn release(chart: Chart, brief: &Brief) -> Result<Self, Unjudged> {
        let plan = Release::plan(release::Parts {
            chart,
            source: &brief.ask.source,
            purpose: &brief.purpose,
            given: &brief.given,
        })?;
        Ok(Self::Release(Box::new(plan)))
    }

    /// The run of a chart.
    ///
    /// # Errors
    /// As [`Helm::plan`].
    pub(super) fn helm(
        chart: Chart,
        brief: &Brief,
        source: &Source,
        vars: &Vars,
    ) -> Result<Self, Unjudged> {
        let plan = Helm::plan(&helm::Parts {
            chart,
            settings: &helm::Settings::read(source.helm.as_ref())?,
            refs: &brief.refs,
            purpose: &brief.purpose,
            vars,
        })?;
        Ok(Self::Helm(Box::new(plan)))
    }

    /// The charts of other repositories that have to be carried in before it is done.
    pub(super) fn dependencies(&self) -> Vec<Dependency> {
        match self {
            Self::Plain(_) | Self::Flux(..) => Vec::new(),
            Self::Kustomize(_, plan) => plan.dependencies(),
            Self::Helm(plan) => plan.dependencies().to_vec(),
            Self::Release(plan) => plan.dependencies().to_vec(),
        }
    }

    /// Carries one of them in, as it was pulled. Blocking.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn carry(&mut self, dependency: &Dependency, at: &At) -> Result<(), Unjudged> {
        match self {
            Self::Plain(_) | Self::Flux(..) => Ok(()),
            Self::Kustomize(_, plan) => plan.carry(dependency, at),
            Self::Helm(plan) => plan.carry(dependency, at),
            Self::Release(plan) => plan.carry(dependency, at),
        }
    }

    /// Equal for equal content, whatever the commit and the application.
    pub(super) fn key(&self) -> ContentKey {
        match self {
            Self::Plain(plain) => plain.key(),
            Self::Kustomize(_, plan) => plan.key().make(),
            Self::Flux(_, plan) => plan.key().make(),
            Self::Helm(plan) => plan.key().make(),
            Self::Release(plan) => plan.key().make(),
        }
    }
}

impl Plain {
    fn key(&self) -> ContentKey {
        let key = KeyMaker::new("plain");
        let key = if self.files.iter().any(|f| jsonnet::is_meant(&f.path)) {
            self.jsonnet.add_to(key.id(self.root))
        } else {
            key
        };
        let files = self.files.iter();
        files
            .fold(key, |key, file| key.text(&file.path).id(file.blob))
            .make()
    }
}

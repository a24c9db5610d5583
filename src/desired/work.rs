//! What has to be done for one source at one commit: planned from the tree alone, told apart by its key, then done.

use std::sync::Arc;

use git2::Oid;

use crate::domain::{Source, Unjudged};

use super::ask::{Ask, Purpose};
use super::helm::{self, ChartAt, Helm, RefAt};
use super::jsonnet::{self, Jsonnet};
use super::key::{ContentKey, KeyMaker};
use super::kind::{self, Kind};
use super::kustomize::Kustomize;
use super::mirror::Mirror;
use super::tree::{self, ManifestFile, RenderLimits, broken};
use super::vars::Vars;

/// A commit of a mirror.
#[derive(Clone, Debug)]
pub(super) struct At {
    pub(super) mirror: Arc<Mirror>,
    pub(super) commit: Oid,
}

/// What has to be done.
#[derive(Clone, Debug)]
pub(super) enum Work {
    /// Read files.
    Plain(Plain),
    /// Run kustomize.
    Kustomize(Arc<Mirror>, Kustomize),
    /// Run helm.
    Helm(Box<Helm>),
}

/// A plain directory.
#[derive(Clone, Debug)]
pub(super) struct Plain {
    pub(super) mirror: Arc<Mirror>,
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
}

impl Work {
    /// Looks at the tree and decides. Blocking.
    ///
    /// # Errors
    /// Why the source cannot be rendered, as far as the tree tells.
    pub(super) fn plan(at: &At, brief: &Brief) -> Result<Self, Unjudged> {
        let source = &brief.ask.source;
        let path = tree::normal_path(&source.path)?;
        let planned = at.mirror.with(|repo| {
            let root = tree::root(repo, at.commit)?;
            let folder = tree::folder(repo, at.commit, root, &path)?;
            let source = kind::with_overrides(repo, root, &path, source, &brief.purpose.app)?;
            let listing = repo.find_tree(folder).map_err(|e| broken(&e))?;
            let kind = kind::by_settings(&source)?.unwrap_or_else(|| kind::by_files(&listing));
            let vars = Vars::of(&brief.purpose, &source, &at.commit.to_string());
            match kind {
                Kind::Directory => Ok(Self::Plain(Plain {
                    mirror: at.mirror.clone(),
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
                    let bases = &brief.remote_bases;
                    let plan = Kustomize::plan(repo, root, &path, &source, bases, vars)?;
                    Ok(Self::Kustomize(at.mirror.clone(), plan))
                }
                Kind::Helm => Self::helm(
                    ChartAt::Tree {
                        mirror: at.mirror.clone(),
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

    /// The run of a chart.
    ///
    /// # Errors
    /// As [`Helm::plan`].
    pub(super) fn helm(
        chart: ChartAt,
        brief: &Brief,
        source: &Source,
        vars: &Vars,
    ) -> Result<Self, Unjudged> {
        let plan = Helm::plan(&helm::Parts {
            chart,
            source,
            refs: &brief.refs,
            purpose: &brief.purpose,
            vars,
        })?;
        Ok(Self::Helm(Box::new(plan)))
    }

    /// Equal for equal content, whatever the commit and the application.
    pub(super) fn key(&self) -> ContentKey {
        match self {
            Self::Plain(plain) => plain.key(),
            Self::Kustomize(_, plan) => plan.key().make(),
            Self::Helm(plan) => plan.key().make(),
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

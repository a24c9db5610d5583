//! One path of one commit into objects: which files, which documents, how they are scoped. Secrets leave here sealed.

use std::sync::Arc;

use git2::{Oid, Repository, Tree};
use serde_json::Value;

use crate::domain::{Gvk, Name, ObjectRef, Source, Unjudged, UnjudgedReason};
use crate::drift::seal::{SealKey, seal};
use crate::drift::yaml::Limits;

use super::tree::{self, RenderLimits};
use super::{manifest, unjudged};

/// One object of the tree, before namespace and marks of an application are set.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The identity that the manifest states; the name is empty when it only has `generateName`.
    pub object: ObjectRef,
    /// The manifest.
    pub body: Arc<Value>,
    /// The file it stands in, from the repository's root.
    pub file: Name,
}

/// What one folder holds, whatever commit it is looked at in.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Content {
    /// Its objects, hooks and repeated ones included, in the order in which Argo CD reads them.
    pub manifests: Vec<Manifest>,
    /// What the CRDs among them say: group, kind, and whether objects of it have a namespace.
    pub scopes: Vec<(Name, Name, bool)>,
    /// Bytes of its files.
    pub bytes: usize,
}

/// Everything one path of one commit wants.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rendered {
    /// The repository's URL, without credentials.
    pub repo: Name,
    /// The commit.
    pub revision: Name,
    /// What its folder holds; the same allocation for every commit that left the folder alone.
    pub content: Arc<Content>,
}

/// Which folder of which commit, found but not read.
pub(super) struct Place<'repo> {
    folder: Tree<'repo>,
    path: String,
}

impl Place<'_> {
    /// Equal for equal content, whatever the commit.
    pub(super) fn id(&self) -> Oid {
        self.folder.id()
    }
}

/// What becomes of Secret values.
#[derive(Clone, Debug)]
pub(super) enum Secrets {
    /// Replaced by tokens at once: for everything that is kept.
    Sealed(SealKey),
    /// Left in clear: for a write that is about to be made; never kept.
    Raw,
}

/// Refuses sources that are not a plain folder by their very form, before any repository is asked.
///
/// # Errors
/// `NeedsHelm`, `NeedsKustomize`, `NeedsPlugin`, `BadSource`.
pub fn require_plain_source(source: &Source) -> Result<(), Unjudged> {
    let needs = |reason, what: &str| {
        Err(unjudged(
            reason,
            format!("The application's source {what}; its verdict is Argo CD's."),
        ))
    };
    if !source.reference.is_empty() {
        return needs(UnjudgedReason::BadSource, "is a reference for others");
    }
    if !source.chart.is_empty() {
        return needs(
            UnjudgedReason::NeedsHelm,
            "is a Helm chart and needs `helm template`",
        );
    }
    if source.plugin {
        return needs(
            UnjudgedReason::NeedsPlugin,
            "needs a config management plugin",
        );
    }
    if source.helm.is_some() {
        return needs(
            UnjudgedReason::NeedsHelm,
            "has Helm settings and needs `helm template`",
        );
    }
    if source.kustomize.is_some() {
        return needs(
            UnjudgedReason::NeedsKustomize,
            "has kustomize settings and needs `kustomize build`",
        );
    }
    Ok(())
}

/// Finds the source's folder in a commit.
///
/// # Errors
/// `NotFound`, or why the folder is not plain.
pub(super) fn locate<'repo>(
    repo: &'repo Repository,
    commit: Oid,
    source: &Source,
) -> Result<Place<'repo>, Unjudged> {
    require_plain_source(source)?;
    let path = tree::normal_path(&source.path)?;
    let folder = tree::folder(repo, commit, &path)?;
    tree::require_plain(&folder, source)?;
    Ok(Place { folder, path })
}

/// Reads a folder. Blocking; run it off the loop.
///
/// # Errors
/// Why it cannot be read, in one sentence that names the file.
pub(super) fn read(
    repo: &Repository,
    place: &Place<'_>,
    source: &Source,
    limits: &RenderLimits,
    secrets: &Secrets,
) -> Result<Content, Unjudged> {
    let files = tree::manifest_files(repo, &place.folder, &place.path, source, limits)?;
    let mut content = Content::default();
    let mut budget = limits.bytes;
    for file in files {
        let bytes = tree::read(repo, &file, budget, limits)?;
        budget = budget.saturating_sub(bytes.len());
        content.bytes += bytes.len();
        let objects = manifest::objects(&file.path, &bytes, &parse_limits(limits))?;
        if content.manifests.len() + objects.len() > limits.objects {
            return Err(tree::too_much("objects", limits.objects));
        }
        let file: Name = file.path.into();
        for body in objects {
            content.add(body, &file, secrets);
        }
    }
    Ok(content)
}

fn parse_limits(limits: &RenderLimits) -> Limits {
    Limits {
        bytes: limits.bytes,
        documents: limits.objects,
        ..Limits::default()
    }
}

impl Content {
    fn add(&mut self, mut body: Value, file: &Name, secrets: &Secrets) {
        if let Some(scope) = crd_scope(&body) {
            self.scopes.push(scope);
        }
        let object = identity(&body);
        if let Secrets::Sealed(key) = secrets {
            seal(&mut body, key);
        }
        self.manifests.push(Manifest {
            object,
            body: Arc::new(body),
            file: file.clone(),
        });
    }
}

/// The identity of a manifest that passed [`manifest::objects`].
fn identity(body: &Value) -> ObjectRef {
    ObjectRef::of(body).unwrap_or_else(|| {
        let text = |pointer: &str| {
            body.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let gvk = Gvk::from_api_version(text("/apiVersion"), text("/kind"));
        ObjectRef::new(gvk, text("/metadata/namespace"), "")
    })
}

fn crd_scope(body: &Value) -> Option<(Name, Name, bool)> {
    let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str);
    if text("/kind")? != "CustomResourceDefinition" {
        return None;
    }
    Some((
        text("/spec/group")?.into(),
        text("/spec/names/kind")?.into(),
        text("/spec/scope")? != "Cluster",
    ))
}

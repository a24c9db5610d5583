//! Texts into objects: which documents, how they are scoped. Secrets leave here sealed.

use std::sync::Arc;

use serde_json::Value;

use crate::domain::{Gvk, Name, ObjectRef, Unjudged};
use crate::drift::seal::{SealKey, seal};
use crate::drift::yaml::Limits;

use super::flux::Finish;
use super::manifest;
use super::tree::{self, RenderLimits};

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

/// What becomes of Secret values.
#[derive(Clone, Debug)]
pub(super) enum Secrets {
    /// Replaced by tokens at once: for everything that is kept.
    Sealed(SealKey),
    /// Left in clear: for a write that is about to be made; never kept.
    Raw,
}

/// Content in the making.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    content: Content,
    limits: &'a RenderLimits,
    secrets: &'a Secrets,
}

impl<'a> Reading<'a> {
    pub(super) fn new(limits: &'a RenderLimits, secrets: &'a Secrets) -> Self {
        Self {
            content: Content::default(),
            limits,
            secrets,
        }
    }

    /// Bytes that may still be read.
    pub(super) fn budget(&self) -> usize {
        self.limits.bytes.saturating_sub(self.content.bytes)
    }

    /// Takes in a file as it stands in Git: some other YAML counts for nothing.
    ///
    /// # Errors
    /// `BadManifest`, naming the file.
    pub(super) fn file(&mut self, path: &str, text: &[u8]) -> Result<(), Unjudged> {
        let objects = manifest::objects(path, text, &parse_limits(self.limits))?;
        self.take(path, text.len(), objects)
    }

    /// Takes in what a program printed: all of it must be objects.
    ///
    /// # Errors
    /// `BadManifest`, naming the file that it came from.
    pub(super) fn printed(&mut self, path: &str, text: &[u8]) -> Result<(), Unjudged> {
        let objects = manifest::printed(path, text, &parse_limits(self.limits))?;
        self.take(path, text.len(), objects)
    }

    /// Takes in a text that Flux's last steps are done on; all of it must be objects.
    ///
    /// # Errors
    /// `BadManifest`, naming the file, and those of the steps.
    pub(super) fn finished(
        &mut self,
        path: &str,
        text: &str,
        finish: &Finish<'_>,
    ) -> Result<(), Unjudged> {
        let objects = manifest::printed(path, text.as_bytes(), &parse_limits(self.limits))?;
        let key = match self.secrets {
            Secrets::Sealed(key) => Some(key),
            Secrets::Raw => None,
        };
        let objects = finish.objects(path, objects, text, key)?;
        self.take(path, text.len(), objects)
    }

    /// Takes in objects that were made of so many bytes.
    ///
    /// # Errors
    /// When there are too many.
    pub(super) fn take(
        &mut self,
        path: &str,
        bytes: usize,
        objects: Vec<Value>,
    ) -> Result<(), Unjudged> {
        self.content.bytes += bytes;
        if self.content.manifests.len() + objects.len() > self.limits.objects {
            return Err(tree::too_much("objects", self.limits.objects));
        }
        let file: Name = path.into();
        for body in objects {
            self.content.add(body, &file, self.secrets);
        }
        Ok(())
    }

    pub(super) fn end(self) -> Content {
        self.content
    }
}

fn parse_limits(limits: &RenderLimits) -> Limits {
    Limits {
        // What a program prints is bounded by its own limit, and may be more than Git may hold.
        bytes: limits.bytes.max(PRINTED),
        documents: limits.objects,
        nodes: NODES,
        ..Limits::default()
    }
}

/// Bytes of one text that are parsed, whatever the limit on files in Git.
const PRINTED: usize = 64 << 20;
/// Maps, lists and scalars of one text: a program prints all objects as one.
const NODES: usize = 4_000_000;

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

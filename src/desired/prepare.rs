//! From a folder's manifests to the objects one application wants in its cluster: namespace, tracking marks, no hooks, nothing twice. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::{
    Application, DesiredBody, DesiredObject, Engine, Mark, Name, ObjectRef, Tracking,
};

use super::ask::{Purpose, Served};
use super::render::{Content, Manifest};
use super::{scope, tracking};

/// What an application adds to the manifests of its path.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// The name in the tracking mark.
    pub instance: Name,
    /// The destination's namespace.
    pub namespace: Name,
    /// What rendering programs are told.
    pub purpose: Purpose,
    /// Which marks are set.
    pub tracking: Tracking,
    /// Whose hooks are left out.
    pub engine: Engine,
    /// Kinds of which the engine's own list shows that they are scoped otherwise than their name suggests: group, kind, namespaced.
    pub scopes: Vec<(Name, Name, bool)>,
}

impl Recipe {
    /// The recipe of an application of a hub that marks as `tracking` says.
    pub fn of(app: &Application, tracking: &Tracking) -> Self {
        let tracking = tracking.of(&app.id);
        Self {
            instance: instance(app),
            namespace: app.destination.namespace.clone(),
            purpose: Purpose {
                kustomize_options: tracking.kustomize_options.clone(),
                ..Purpose::of(app)
            },
            tracking,
            engine: app.engine,
            scopes: observed_scopes(app),
        }
    }

    /// The same on a cluster that serves this, as far as that is known.
    pub fn on(mut self, served: Option<Served>) -> Self {
        self.purpose.served = served;
        self
    }
}

/// The part of a recipe by which applications of one path share their manifests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Placement {
    /// The destination's namespace.
    pub namespace: Name,
    /// As in [`Recipe::scopes`].
    pub scopes: Vec<(Name, Name, bool)>,
    /// Whose hooks are left out.
    pub engine: Engine,
}

impl Recipe {
    /// Where the recipe puts objects.
    pub fn placement(&self) -> Placement {
        Placement {
            namespace: self.namespace.clone(),
            scopes: self.scopes.clone(),
            engine: self.engine,
        }
    }
}

/// The name in the tracking mark: the application's, or `<namespace>_<name>` outside the namespace of Argo CD itself; with Flux
/// `<namespace>/<name>`.
pub fn instance(app: &Application) -> Name {
    if app.engine == Engine::Flux {
        format!("{}/{}", app.id.namespace, app.id.name).into()
    } else if app.controller_namespace.is_empty() || app.id.namespace == app.controller_namespace {
        app.id.name.clone()
    } else {
        format!("{}_{}", app.id.namespace, app.id.name).into()
    }
}

/// Argo CD asks the cluster which kinds have a namespace; its list of resources tells us what it learned. Only what corrects our table is kept.
fn observed_scopes(app: &Application) -> Vec<(Name, Name, bool)> {
    let mut scopes: Vec<(Name, Name, bool)> = app
        .resources
        .iter()
        .map(|r| (&r.object.gvk, !r.object.namespace.is_empty()))
        .filter(|(gvk, namespaced)| *namespaced == scope::is_cluster_scoped(&gvk.group, &gvk.kind))
        .map(|(gvk, namespaced)| (gvk.group.clone(), gvk.kind.clone(), namespaced))
        .collect();
    scopes.sort();
    scopes.dedup();
    scopes
}

/// An object in its place; neither application nor commit are part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedObject {
    /// Who it is, namespace filled in.
    pub object: ObjectRef,
    /// The namespace that the manifest states, empty when it states none: the tracking id is made of it.
    pub stated_namespace: Name,
    /// The manifest with its namespace.
    pub body: Arc<Value>,
    /// The file it stands in.
    pub file: Name,
}

/// All objects of a folder in their places, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// What is compared: no hooks, nothing twice.
    pub objects: Vec<PreparedObject>,
    /// Objects that stand in Git more than once; the last one counts, as in Argo CD.
    pub repeated: Vec<ObjectRef>,
}

/// Puts a folder's manifests in their places.
pub fn prepare(content: &Content, placement: &Placement) -> Prepared {
    let mut prepared = Prepared::default();
    let mut places: HashMap<(Name, Name, Name, Name), usize> = HashMap::new();
    let compared = content
        .manifests
        .iter()
        .filter(|m| !m.object.name.is_empty() && is_compared(m, placement));
    for manifest in compared {
        let object = prepare_one(manifest, content, placement);
        let key = key_of(&object.object);
        let earlier = places
            .get(&key)
            .and_then(|at| prepared.objects.get_mut(*at));
        if let Some(earlier) = earlier {
            if !prepared.repeated.contains(&object.object) {
                prepared.repeated.push(object.object.clone());
            }
            *earlier = object;
        } else {
            places.insert(key, prepared.objects.len());
            prepared.objects.push(object);
        }
    }
    prepared
}

/// Hooks of Argo CD mean nothing to Flux.
fn is_compared(manifest: &Manifest, placement: &Placement) -> bool {
    placement.engine == Engine::Flux || tracking::is_compared(&manifest.body)
}

/// Group, kind, namespace and name: what makes two manifests one object.
fn key_of(object: &ObjectRef) -> (Name, Name, Name, Name) {
    (
        object.gvk.group.clone(),
        object.gvk.kind.clone(),
        object.namespace.clone(),
        object.name.clone(),
    )
}

fn prepare_one(manifest: &Manifest, content: &Content, placement: &Placement) -> PreparedObject {
    let mut object = manifest.object.clone();
    let stated_namespace = object.namespace.clone();
    if !is_namespaced(&object, content, placement) {
        object.namespace = "".into();
    } else if object.namespace.is_empty() {
        object.namespace = placement.namespace.clone();
    }
    let body = if object.namespace == stated_namespace {
        manifest.body.clone()
    } else {
        Arc::new(with_namespace(&manifest.body, &object.namespace))
    };
    PreparedObject {
        object,
        stated_namespace,
        body,
        file: manifest.file.clone(),
    }
}

/// In order of trust: what the engine saw, the CRDs of the same tree, the table; an unknown kind has a namespace.
fn is_namespaced(object: &ObjectRef, content: &Content, placement: &Placement) -> bool {
    let gvk = &object.gvk;
    placement
        .scopes
        .iter()
        .chain(&content.scopes)
        .find(|(group, kind, _)| *group == gvk.group && *kind == gvk.kind)
        .map_or_else(
            || !scope::is_cluster_scoped(&gvk.group, &gvk.kind),
            |(_, _, namespaced)| *namespaced,
        )
}

fn with_namespace(body: &Value, namespace: &str) -> Value {
    let mut body = body.clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace".to_owned(), namespace.into());
        }
    }
    body
}

/// The prepared objects as one application wants them at one commit of a repository.
pub fn at_commit(
    prepared: &Prepared,
    recipe: &Recipe,
    repo: &Name,
    revision: &Name,
) -> Vec<Arc<DesiredObject>> {
    let at = |o: &PreparedObject| {
        Arc::new(DesiredObject {
            object: o.object.clone(),
            body: DesiredBody::new(o.body.clone(), marks(o, recipe)),
            repo: repo.clone(),
            revision: revision.clone(),
            path: o.file.clone(),
        })
    };
    prepared.objects.iter().map(at).collect()
}

/// Argo CD marks before it settles the namespace: one that a cluster-scoped manifest wrongly states stands in its tracking id.
fn marks(prepared: &PreparedObject, recipe: &Recipe) -> Vec<Mark> {
    let stated = ObjectRef {
        namespace: prepared.stated_namespace.clone(),
        ..prepared.object.clone()
    };
    tracking::marks(
        &stated,
        &recipe.instance,
        &recipe.namespace,
        &recipe.tracking,
    )
}

#[cfg(test)]
mod tests;

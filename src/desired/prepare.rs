//! From a folder's manifests to the objects one application wants in its cluster: namespace, tracking marks, no hooks, nothing twice. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::domain::{Application, DesiredObject, Name, ObjectRef, Tracking};

use super::render::{Content, Manifest};
use super::{scope, tracking};

/// What an application adds to the manifests of its path. Equal recipes make equal objects of equal content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Recipe {
    /// The name in the tracking mark.
    pub instance: Name,
    /// The destination's namespace.
    pub namespace: Name,
    /// Which marks are set.
    pub tracking: Tracking,
    /// Kinds of which the engine's own list shows that they are scoped otherwise than their name suggests: group, kind, namespaced.
    pub scopes: Vec<(Name, Name, bool)>,
}

impl Recipe {
    /// The recipe of an application of a hub that marks as `tracking` says.
    pub fn of(app: &Application, tracking: &Tracking) -> Self {
        Self {
            instance: instance(app),
            namespace: app.destination.namespace.clone(),
            tracking: tracking.clone(),
            scopes: observed_scopes(app),
        }
    }
}

/// The name in the tracking mark: the application's, or `<namespace>_<name>` outside the namespace of Argo CD itself.
pub fn instance(app: &Application) -> Name {
    if app.controller_namespace.is_empty() || app.id.namespace == app.controller_namespace {
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

/// An object as the application wants it; the commit is not part of it.
#[derive(Clone, Debug, PartialEq)]
pub struct PreparedObject {
    /// Who it is, namespace filled in.
    pub object: ObjectRef,
    /// The manifest with namespace and marks.
    pub body: Arc<Value>,
    /// The file it stands in.
    pub file: Name,
}

/// All objects of an application, in the order of the files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Prepared {
    /// What is compared: no hooks, nothing twice.
    pub objects: Vec<PreparedObject>,
    /// Objects that stand in Git more than once; the last one counts, as in Argo CD.
    pub repeated: Vec<ObjectRef>,
}

/// Prepares a folder's manifests for one application.
pub fn prepare(content: &Content, recipe: &Recipe) -> Prepared {
    let mut prepared = Prepared::default();
    let mut places: HashMap<(Name, Name, Name, Name), usize> = HashMap::new();
    let compared = content
        .manifests
        .iter()
        .filter(|m| !m.object.name.is_empty() && tracking::is_compared(&m.body));
    for manifest in compared {
        let object = prepare_one(manifest, content, recipe);
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

/// Group, kind, namespace and name: what makes two manifests one object.
fn key_of(object: &ObjectRef) -> (Name, Name, Name, Name) {
    (
        object.gvk.group.clone(),
        object.gvk.kind.clone(),
        object.namespace.clone(),
        object.name.clone(),
    )
}

fn prepare_one(manifest: &Manifest, content: &Content, recipe: &Recipe) -> PreparedObject {
    let mut object = manifest.object.clone();
    let mut body = (*manifest.body).clone();
    // The mark is made before the namespace is settled: a namespace that a cluster-scoped manifest wrongly states stands in its id.
    tracking::mark(
        &mut body,
        &manifest.object,
        &recipe.instance,
        &recipe.namespace,
        &recipe.tracking,
    );
    if !is_namespaced(&object, content, recipe) {
        object.namespace = "".into();
    } else if object.namespace.is_empty() {
        object.namespace = recipe.namespace.clone();
    }
    set_namespace(&mut body, &object.namespace);
    PreparedObject {
        object,
        body: Arc::new(body),
        file: manifest.file.clone(),
    }
}

/// In order of trust: what the engine saw, the CRDs of the same tree, the table; an unknown kind has a namespace.
fn is_namespaced(object: &ObjectRef, content: &Content, recipe: &Recipe) -> bool {
    let gvk = &object.gvk;
    recipe
        .scopes
        .iter()
        .chain(&content.scopes)
        .find(|(group, kind, _)| *group == gvk.group && *kind == gvk.kind)
        .map_or_else(
            || !scope::is_cluster_scoped(&gvk.group, &gvk.kind),
            |(_, _, namespaced)| *namespaced,
        )
}

fn set_namespace(body: &mut Value, namespace: &str) {
    let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    if namespace.is_empty() {
        metadata.remove("namespace");
    } else {
        metadata.insert("namespace".to_owned(), namespace.into());
    }
}

/// The prepared objects as those of one commit of a repository.
pub fn at_commit(prepared: &Prepared, repo: &Name, revision: &Name) -> Vec<Arc<DesiredObject>> {
    let at = |o: &PreparedObject| {
        Arc::new(DesiredObject {
            object: o.object.clone(),
            body: o.body.clone(),
            repo: repo.clone(),
            revision: revision.clone(),
            path: o.file.clone(),
        })
    };
    prepared.objects.iter().map(at).collect()
}

#[cfg(test)]
mod tests;

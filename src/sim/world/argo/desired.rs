//! What an Application wants on its cluster: manifests of a commit with the destination's namespace and the tracking annotation.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use crate::sim::store::{Key, Store};
use crate::sim::world::json::{flag, text};
use crate::sim::world::repository::FleetRepository;

/// The annotation by which Argo CD knows what it manages.
pub(crate) const TRACKING: &str = "argocd.argoproj.io/tracking-id";

type Folder = (String, String, bool);

/// Manifests by commit and folder, read once.
#[derive(Debug, Default)]
pub(crate) struct Renderer {
    cache: HashMap<Folder, Arc<Vec<Value>>>,
}

impl Renderer {
    /// The manifests of a source at a commit, as written.
    ///
    /// # Errors
    /// A sentence as Argo CD's repo server would word it.
    pub(crate) fn render(
        &mut self,
        repository: &FleetRepository,
        source: &Value,
        commit: &str,
    ) -> Result<Arc<Vec<Value>>, String> {
        if text(source, "/repoURL") != repository.url() {
            let url = text(source, "/repoURL");
            return Err(format!(
                "failed to list refs: repository not accessible: {url}"
            ));
        }
        let folder = (
            commit.to_owned(),
            text(source, "/path").to_owned(),
            flag(source, "/directory/recurse"),
        );
        if let Some(manifests) = self.cache.get(&folder) {
            return Ok(Arc::clone(manifests));
        }
        let manifests = repository
            .manifests(commit, &folder.1, folder.2)
            .map_err(|_| {
                format!(
                    "failed to generate manifest for source 1 of 1: {}: app path does not exist",
                    folder.1
                )
            })?;
        let manifests = Arc::new(manifests);
        self.cache.insert(folder, Arc::clone(&manifests));
        Ok(manifests)
    }
}

/// Who tracks: the Application's tracking name and its destination's namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tracker<'a> {
    pub(crate) app: &'a str,
    pub(crate) namespace: &'a str,
}

impl Tracker<'_> {
    /// Gives a manifest the namespace and tracking annotation it gets on the cluster. `None` for a kind the cluster does not serve.
    pub(crate) fn place(&self, store: &Store, manifest: &Value) -> Option<(Key, Value)> {
        let mut document = manifest.clone();
        let kind = store.kind(text(manifest, "/apiVersion"), text(manifest, "/kind"))?;
        let metadata = document.get_mut("metadata")?.as_object_mut()?;
        if kind.namespaced {
            metadata
                .entry("namespace")
                .or_insert_with(|| self.namespace.into());
        } else {
            metadata.remove("namespace");
        }
        let key = Key::new(
            kind,
            text(&document, "/metadata/namespace"),
            text(&document, "/metadata/name"),
        );
        let metadata = document.get_mut("metadata")?.as_object_mut()?;
        let annotations = metadata
            .entry("annotations")
            .or_insert_with(|| Value::Object(serde_json::Map::new()));
        annotations
            .as_object_mut()?
            .insert(TRACKING.to_owned(), self.id(&key).into());
        Some((key, document))
    }

    /// The tracking id of an object: `app:group/kind:namespace/name`; the destination's namespace stands in for cluster-scoped ones.
    pub(crate) fn id(&self, key: &Key) -> String {
        let namespace = if key.namespace.is_empty() {
            self.namespace
        } else {
            &key.namespace
        };
        format!(
            "{}:{}/{}:{namespace}/{}",
            self.app, key.kind.group, key.kind.kind, key.name
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::store::{KindSet, StoreOptions};
    use serde_json::json;

    const TRACKER: Tracker<'_> = Tracker {
        app: "ingress-oslo-001",
        namespace: "ingress",
    };

    fn store() -> Store {
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        Store::new(StoreOptions::new(KindSet::bare(), 1, now))
    }

    #[test]
    fn an_object_without_a_namespace_gets_the_destinations() {
        let manifest =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "ingress"}});
        let (key, document) = TRACKER.place(&store(), &manifest).unwrap();
        assert_eq!(&*key.namespace, "ingress");
        assert_eq!(
            document["metadata"]["annotations"][TRACKING],
            "ingress-oslo-001:apps/Deployment:ingress/ingress"
        );
    }

    #[test]
    fn a_stated_namespace_stays_and_the_core_group_is_empty() {
        let manifest = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "other"}});
        let (_, document) = TRACKER.place(&store(), &manifest).unwrap();
        assert_eq!(
            document["metadata"]["annotations"][TRACKING],
            "ingress-oslo-001:/Service:other/web"
        );
    }

    #[test]
    fn a_cluster_scoped_object_is_tracked_under_the_destinations_namespace() {
        let manifest = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "edge", "namespace": "wrong"}});
        let (key, document) = TRACKER.place(&store(), &manifest).unwrap();
        assert_eq!(&*key.namespace, "");
        assert_eq!(document["metadata"].get("namespace"), None);
        assert_eq!(
            document["metadata"]["annotations"][TRACKING],
            "ingress-oslo-001:/Namespace:ingress/edge"
        );
    }

    #[test]
    fn other_annotations_stay() {
        let manifest = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "annotations": {"a": "b"}}});
        let (_, document) = TRACKER.place(&store(), &manifest).unwrap();
        assert_eq!(document["metadata"]["annotations"]["a"], "b");
    }
}

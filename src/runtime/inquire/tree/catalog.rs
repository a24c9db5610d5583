//! Which kinds a cluster serves, and which of them may hang under an object.

use std::collections::BTreeSet;

use kube::api::ApiResource;
use kube::discovery::{Discovery, Scope, verbs};

use crate::connect::{Connection, Lane};
use crate::domain::{ObjectRef, Safe};
use crate::runtime::inquire::objects::path_of;

/// One kind that the cluster serves and lists.
pub(super) struct Kind {
    /// How it is called.
    pub(super) resource: ApiResource,
    /// Whether its objects have a namespace.
    pub(super) namespaced: bool,
}

/// The kinds of one cluster, each in the version that the server prefers.
pub(super) struct Catalog(Vec<Kind>);

/// What the controllers of Kubernetes itself make for these kinds, by group and kind.
const MADE: [((&str, &str), &[(&str, &str)]); 8] = [
    (("apps", "Deployment"), &[("apps", "ReplicaSet")]),
    (("apps", "ReplicaSet"), &[("", "Pod")]),
    (("apps", "StatefulSet"), &[("", "Pod")]),
    (("apps", "DaemonSet"), &[("", "Pod")]),
    (("", "ReplicationController"), &[("", "Pod")]),
    (("batch", "CronJob"), &[("batch", "Job")]),
    (("batch", "Job"), &[("", "Pod")]),
    (("", "Pod"), &[]),
];

impl Catalog {
    /// Asks the server.
    pub(super) async fn read(connection: &Connection) -> Result<Self, Safe> {
        let discovery = || Discovery::new(connection.client(Lane::Interactive));
        let found = match discovery().run_aggregated().await {
            Ok(found) => found,
            // Servers before 1.26 tell it group by group only.
            Err(_) => discovery()
                .run()
                .await
                .map_err(|e| connection.explain(&e).sentence)?,
        };
        let kinds = found
            .groups()
            .flat_map(kube::discovery::ApiGroup::recommended_resources)
            .filter(|(_, capabilities)| capabilities.supports_operation(verbs::LIST))
            .map(|(resource, capabilities)| Kind {
                resource,
                namespaced: capabilities.scope == Scope::Namespaced,
            });
        Ok(Self(kinds.collect()))
    }

    /// The path of an object.
    ///
    /// # Errors
    /// The server serves no such kind.
    pub(super) fn path(&self, object: &ObjectRef) -> Result<String, Safe> {
        let gvk = &object.gvk;
        let kind = self.0.iter().find(|k| is(k, &gvk.group, &gvk.kind));
        let kind = kind.ok_or_else(|| {
            Safe::from(format!(
                "This cluster serves no {} of {}.",
                gvk.kind,
                gvk.api_version()
            ))
        })?;
        Ok(path_of(&kind.resource, object))
    }

    /// The kinds that may hang under these objects: what Kubernetes makes for its own kinds, anything under any other.
    pub(super) fn below(&self, roots: &[ObjectRef]) -> Vec<&Kind> {
        // What has no namespace hangs under what has none.
        let is_cluster_wide = roots.iter().any(|root| root.namespace.is_empty());
        let mut wanted: BTreeSet<(&str, &str)> = BTreeSet::new();
        let mut open: Vec<(&str, &str)> = roots
            .iter()
            .map(|root| (&*root.gvk.group, &*root.gvk.kind))
            .collect();
        while let Some(owner) = open.pop() {
            let Some((_, made)) = MADE.iter().find(|(kind, _)| *kind == owner) else {
                let may = |k: &&Kind| may_be_owned(k) && (k.namespaced || is_cluster_wide);
                return self.0.iter().filter(may).collect();
            };
            open.extend(made.iter().filter(|kind| wanted.insert(**kind)));
        }
        let named = |k: &&Kind| wanted.iter().any(|(group, kind)| is(k, group, kind));
        self.0.iter().filter(named).collect()
    }
}

fn is(kind: &Kind, group: &str, name: &str) -> bool {
    kind.resource.group == group && kind.resource.kind == name
}

/// Events are many, and hang under nothing.
fn may_be_owned(kind: &Kind) -> bool {
    !matches!(kind.resource.kind.as_str(), "Event" | "ComponentStatus")
}

#[cfg(test)]
mod tests {
    use kube::core::GroupVersionKind;

    use super::*;
    use crate::domain::Gvk;

    fn catalog() -> Catalog {
        let kinds = [
            ("", "Pod"),
            ("", "Secret"),
            ("", "Event"),
            ("", "Node"),
            ("apps", "Deployment"),
            ("apps", "ReplicaSet"),
            ("batch", "Job"),
            ("batch", "CronJob"),
            ("edge.example", "Site"),
        ];
        let kind = |(group, kind): (&str, &str)| Kind {
            resource: ApiResource::from_gvk(&GroupVersionKind::gvk(group, "v1", kind)),
            namespaced: kind != "Node",
        };
        Catalog(kinds.map(kind).into())
    }

    fn below(group: &str, kind: &str) -> Vec<String> {
        below_in("edge", group, kind)
    }

    fn below_in(namespace: &str, group: &str, kind: &str) -> Vec<String> {
        let root = ObjectRef::new(Gvk::new(group, "v1", kind), namespace, "gateway");
        let catalog = catalog();
        let kinds = catalog.below(&[root]);
        kinds.iter().map(|k| k.resource.kind.clone()).collect()
    }

    #[test]
    fn only_what_kubernetes_makes_is_listed_for_its_own_kinds() {
        assert_eq!(below("apps", "Deployment"), ["Pod", "ReplicaSet"]);
        assert_eq!(below("batch", "CronJob"), ["Pod", "Job"]);
        assert_eq!(below("", "Pod"), [""; 0]);
    }

    #[test]
    fn anything_but_events_may_hang_under_a_custom_owner() {
        let kinds = below("edge.example", "Site");
        assert_eq!(kinds.len(), 7, "{kinds:?}");
        for never in ["Event", "Node"] {
            assert!(!kinds.contains(&never.to_owned()), "{kinds:?}");
        }
        assert_eq!(below_in("", "edge.example", "Site").len(), 8);
    }

    #[test]
    fn a_kind_that_is_not_served_is_named() {
        let root = ObjectRef::new(Gvk::new("edge.example", "v2", "Probe"), "edge", "gateway");
        let why = catalog().path(&root).unwrap_err();
        assert_eq!(
            why.as_str(),
            "This cluster serves no Probe of edge.example/v2."
        );
    }
}

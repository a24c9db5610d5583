//! What the hubs call the clusters: the labels of their cluster Secrets, found by URL or name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::{Cluster, Fleet};
use crate::domain::join::url_key;
use crate::domain::{ClusterId, HubCluster, Name, Safe};

/// The labels of one cluster Secret.
type Labels = Arc<[(Name, Name)]>;

/// The labels of every hub's cluster Secrets, in the forms in which rows are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Labelled {
    hubs: BTreeMap<ClusterId, Index>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    by_url: HashMap<String, Labels>,
    by_name: HashMap<Name, Labels>,
}

impl Labelled {
    /// Takes the cluster Secrets of a hub in place of what it had.
    pub(super) fn take(&mut self, hub: &ClusterId, secrets: &[HubCluster]) {
        let mut index = Index::default();
        for secret in secrets.iter().filter(|s| !s.labels.is_empty()) {
            let labels: Labels = secret.labels.clone().into();
            if !secret.server.is_empty() {
                let url = url_key(&secret.server);
                index.by_url.insert(url, Arc::clone(&labels));
            }
            index.by_name.insert(secret.name.clone(), labels);
        }
        self.hubs.insert(hub.clone(), index);
    }

    /// What a hub calls a row: by the server's URL, else by a context's name, as the join finds it.
    fn of<'l>(&'l self, cluster: &'l Cluster) -> impl Iterator<Item = &'l Labels> {
        let url = url_key(&cluster.candidate.server);
        self.hubs.values().filter_map(move |index| {
            let named = || {
                cluster
                    .candidate
                    .contexts
                    .iter()
                    .find_map(|c| index.by_name.get(c))
            };
            index.by_url.get(&url).or_else(named)
        })
    }
}

impl Fleet {
    /// The labels of a row: those of the configuration win, then those of the hub that comes first.
    pub(super) fn labels_of(&self, cluster: &Cluster) -> BTreeMap<Safe, Safe> {
        let mut labels = cluster.labels.clone();
        for (name, value) in self.labelled.of(cluster).flat_map(|labels| labels.iter()) {
            labels
                .entry(Safe::new(name))
                .or_insert_with(|| Safe::new(value));
        }
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Fact;
    use crate::fleet::testkit::{fleet, tell};

    fn secret(name: &str, server: &str, labels: &[(&str, &str)]) -> HubCluster {
        HubCluster {
            name: name.into(),
            server: server.into(),
            labels: labels
                .iter()
                .map(|(k, v)| ((*k).into(), (*v).into()))
                .collect(),
            ..HubCluster::default()
        }
    }

    fn label(fleet: &Fleet, edge: &str, name: &str) -> Option<String> {
        let rows = fleet.cluster_rows();
        let row = rows.iter().find(|row| row.id.as_str() == edge)?;
        row.labels.get(&Safe::new(name)).map(ToString::to_string)
    }

    #[test]
    fn a_row_has_the_labels_of_the_secret_that_names_its_server_or_its_context() {
        let mut fleet = fleet(&["hub-1", "edge-oslo-001", "edge-paris-001"]);
        let secrets = vec![
            secret(
                "oslo",
                "https://EDGE-oslo-001.example:6443/",
                &[("region", "eu-north")],
            ),
            secret(
                "edge-paris-001",
                "https://10.0.0.1",
                &[("region", "eu-west")],
            ),
        ];
        tell(&mut fleet, "hub-1", 0, Fact::HubClusters(secrets));
        assert_eq!(
            label(&fleet, "edge-oslo-001", "region").as_deref(),
            Some("eu-north")
        );
        assert_eq!(
            label(&fleet, "edge-paris-001", "region").as_deref(),
            Some("eu-west")
        );
        assert_eq!(label(&fleet, "hub-1", "region"), None);
        tell(&mut fleet, "hub-1", 1, Fact::HubClusters(Vec::new()));
        assert_eq!(label(&fleet, "edge-oslo-001", "region"), None);
    }

    #[test]
    fn what_the_configuration_says_wins() {
        let mut fleet = fleet(&["hub-1", "edge-oslo-001"]);
        let id = ClusterId::from("edge-oslo-001");
        if let Some(cluster) = fleet.clusters.get_mut(&id) {
            cluster.labels.insert("region".into(), "north".into());
        }
        let secrets = vec![secret(
            "edge-oslo-001",
            "",
            &[("region", "eu-north"), ("tier", "2")],
        )];
        tell(&mut fleet, "hub-1", 0, Fact::HubClusters(secrets));
        assert_eq!(
            label(&fleet, "edge-oslo-001", "region").as_deref(),
            Some("north")
        );
        assert_eq!(label(&fleet, "edge-oslo-001", "tier").as_deref(), Some("2"));
    }
}

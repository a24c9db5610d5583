//! The same application on every cluster: what is deployed where, side by side.

use std::sync::Arc;

use jiff::Timestamp;

use super::{AppState, Fleet};
use crate::domain::{AppRef, Application, ClusterId, Health, Name, Safe, SyncState};

/// One application on one cluster.
#[derive(Clone, Debug)]
pub struct Placement {
    /// What it is called everywhere: its name without the cluster's.
    pub family: Safe,
    /// The application.
    pub app: AppRef,
    /// The cluster it deploys to.
    pub cluster: ClusterId,
    /// That cluster's group; empty when it has none.
    pub group: Safe,
    /// Whether hub and edge are both current.
    pub current: bool,
    /// The deployed revision; empty when nothing was deployed.
    pub revision: Name,
    /// The target revision as the application names it.
    pub target: Name,
    /// When that was.
    pub deployed_at: Option<Timestamp>,
    /// The verdict that counts.
    pub sync: SyncState,
    /// Drifted objects.
    pub drift: usize,
    /// Health of its objects, or the engine's word.
    pub health: Health,
    /// The cluster's version; empty while unknown.
    pub version: Safe,
    /// The images it runs, without registry, as the engine lists them.
    pub images: Vec<Safe>,
}

impl Fleet {
    /// Every application that deploys to a known cluster, in the order of (hub, namespace, name).
    pub fn placements(&self) -> Vec<Placement> {
        self.apps
            .values()
            .filter_map(|state| self.placement(state))
            .collect()
    }

    fn placement(&self, state: &AppState) -> Option<Placement> {
        let id = state.cluster.as_ref()?;
        let cluster = self.clusters.get(id)?;
        let row = self.app_row(&state.app.id)?;
        let app: &Arc<Application> = &state.app;
        let deployed = app.deployed_revision();
        let version = cluster.facts.as_ref().map(|f| f.version.clone());
        let target = app.sources.first().map(|s| s.target_revision.clone());
        Some(Placement {
            family: Safe::new(family(&app.id.name, id.as_str())),
            app: app.id.clone(),
            cluster: id.clone(),
            group: cluster.group.clone(),
            current: row.current,
            revision: deployed.map(|d| d.revision.clone()).unwrap_or_default(),
            target: target.unwrap_or_default(),
            deployed_at: deployed.and_then(|d| d.deployed_at),
            sync: row.verdict.state,
            drift: row.drift,
            health: row.health,
            version: version.unwrap_or_default(),
            images: app.images.iter().map(|i| short_image(i)).collect(),
        })
    }
}

/// The part of an application's name that does not name its cluster: generated applications carry the cluster's name before or behind.
///
/// A shorter part of the cluster's name (`oslo-003` of `edge-oslo-003`) counts too, as long as something of the application is left.
pub fn family<'n>(name: &'n str, cluster: &str) -> &'n str {
    let dividers = ['-', '_', '.', '/'];
    if name == cluster {
        return name;
    }
    let mut part = cluster;
    loop {
        for rest in [name.strip_prefix(part), name.strip_suffix(part)] {
            let divided = rest.filter(|r| r.starts_with(dividers) || r.ends_with(dividers));
            let left = divided.map_or("", |r| r.trim_matches(dividers));
            if !left.is_empty() {
                return left;
            }
        }
        // A single word of the cluster's name is too little to go by: `edge` is part of many names.
        match part.split_once(dividers) {
            Some((_, rest)) if rest.contains(dividers) => part = rest,
            _ => return name,
        }
    }
}

/// An image without its registry and its digest: `gateway:2.4.1`.
fn short_image(image: &str) -> Safe {
    let last = image.rsplit('/').next().unwrap_or(image);
    let short = match last.split_once('@') {
        Some((name, digest)) if !name.contains(':') => {
            let digest: String = digest
                .trim_start_matches("sha256:")
                .chars()
                .take(12)
                .collect();
            format!("{name}@{digest}")
        }
        Some((name, _)) => name.to_owned(),
        None => last.to_owned(),
    };
    short.into()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::fleet::testkit::{deployment, in_sync, one_edge};

    #[rstest]
    #[case("edge-oslo-003-gateway", "edge-oslo-003", "gateway")]
    #[case("gateway-edge-oslo-003", "edge-oslo-003", "gateway")]
    #[case("gateway-oslo-003", "edge-oslo-003", "gateway")]
    #[case("gateway", "edge-oslo-003", "gateway")]
    #[case("edge-oslo-003", "edge-oslo-003", "edge-oslo-003")]
    #[case("edge-gateway", "edge-oslo-003", "edge-gateway")]
    #[case("gateway-003", "edge-oslo-003", "gateway-003")]
    fn the_clusters_name_is_taken_from_the_applications(
        #[case] name: &str,
        #[case] cluster: &str,
        #[case] left: &str,
    ) {
        assert_eq!(family(name, cluster), left);
    }

    #[rstest]
    #[case("registry.example:5000/edge/gateway:2.4.1", "gateway:2.4.1")]
    #[case("gateway@sha256:0123456789abcdef0123", "gateway@0123456789ab")]
    #[case("a/gateway:2@sha256:0123456789abcdef0123", "gateway:2")]
    fn images_are_shown_without_registry(#[case] image: &str, #[case] short: &str) {
        assert_eq!(short_image(image).as_str(), short);
    }

    #[test]
    fn every_matched_application_has_a_placement() {
        let fleet = one_edge(in_sync("edge-microservice", deployment("web")));
        let placements = fleet.placements();
        assert_eq!(placements.len(), 1);
        assert_eq!(placements[0].cluster.as_str(), "edge-oslo-001");
        assert!(placements[0].current);
        assert_eq!(placements[0].sync, SyncState::Synced);
    }
}

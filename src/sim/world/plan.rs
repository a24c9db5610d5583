//! What a fleet consists of, drawn from a seed: hubs, edges, their applications. Pure; the same options give the same plan.

use super::catalog::{self, CatalogApp};
use super::dice::{dice, pick, share_of};
use super::scenario::Scenario;
use super::sites::{self, SITES, Site};

/// Edges one hub carries.
const EDGES_A_HUB: usize = 50;

/// Kubelet versions of the field, oldest first: at most three minor versions behind the API servers.
const VERSIONS: &[&str] = &[
    "v1.33.8", "v1.34.5", "v1.35.3", "v1.35.3", "v1.36.1", "v1.36.2", "v1.36.2", "v1.36.2",
];

/// How big the fleet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Edge clusters.
    pub edges: usize,
    /// Applications an edge.
    pub apps: usize,
    /// Edges that never answer.
    pub silent: usize,
    /// What chance is drawn from.
    pub seed: u64,
}

/// The whole fleet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Names of the hubs: `hub-1` and so on.
    pub hubs: Vec<String>,
    /// The edges, by site and number.
    pub edges: Vec<EdgePlan>,
}

/// One edge cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgePlan {
    /// `edge-oslo-001`.
    pub name: String,
    /// Where it stands.
    pub site: &'static Site,
    /// Index of its hub.
    pub hub: usize,
    /// Its kubelet's version.
    pub version: &'static str,
    /// Whether it also runs Flux.
    pub flux: bool,
    /// In which way it never answers, if it never does.
    pub silence: Option<Silence>,
    /// What Argo CD brings to it.
    pub apps: Vec<AppPlan>,
}

/// The ways in which a cluster never answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// It takes the connection; the TLS handshake never ends.
    Stalled,
    /// Packets to it are lost: not even the connection comes about.
    Dropped,
    /// It refuses the connection.
    Refused,
    /// TLS comes about; requests are never answered.
    Mute,
    /// It answers 503, for ever.
    Unavailable,
}

impl Silence {
    const ALL: [Self; 5] = [
        Self::Stalled,
        Self::Dropped,
        Self::Refused,
        Self::Mute,
        Self::Unavailable,
    ];
}

/// One Application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppPlan {
    /// `metadata.name` on the hub: `ingress-oslo-001`.
    pub name: String,
    /// What it is an instance of.
    pub of: CatalogApp,
    /// Folder in the repository.
    pub path: String,
    /// What Argo CD does by itself.
    pub auto: Auto,
}

/// What Argo CD does with an application without being asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Auto {
    /// Nothing.
    Manual,
    /// It brings new commits.
    Sync,
    /// It brings new commits and takes changes back.
    Heal,
}

impl Plan {
    /// Draws the fleet of a scenario.
    pub fn draw(scenario: &Scenario, size: Size) -> Self {
        let hubs = size.edges.div_ceil(EDGES_A_HUB).max(1);
        let mut edges = places(size, hubs);
        apply_versions(&mut edges, size.seed);
        apply_flux(&mut edges, scenario.fleet.flux, size.seed);
        apply_silence(&mut edges, size);
        apply_auto(&mut edges, scenario, size.seed);
        Self {
            hubs: (1..=hubs).map(|n| format!("hub-{n}")).collect(),
            edges,
        }
    }

    /// The regions of the fleet, each once, sorted.
    pub fn regions(&self) -> Vec<&'static str> {
        let mut regions: Vec<_> = self.edges.iter().map(|e| e.site.region).collect();
        regions.sort_unstable();
        regions.dedup();
        regions
    }
}

impl EdgePlan {
    /// What follows `edge-`: `oslo-001`.
    pub fn place(&self) -> &str {
        self.name.strip_prefix("edge-").unwrap_or(&self.name)
    }

    /// The application of a short name.
    pub fn app(&self, short: &str) -> Option<&AppPlan> {
        self.apps.iter().find(|a| a.of.name == short)
    }
}

fn places(size: Size, hubs: usize) -> Vec<EdgePlan> {
    let sites = sites::spread(size.edges);
    let catalog = catalog::applications(size.apps);
    let mut edges: Vec<EdgePlan> = (0..size.edges)
        .filter_map(|i| Some((SITES.get(i % sites)?, i / sites + 1)))
        .map(|(site, number)| edge(site, number, &catalog))
        .collect();
    edges.sort_by(|a, b| a.name.cmp(&b.name));
    let total = edges.len().max(1);
    for (i, edge) in edges.iter_mut().enumerate() {
        edge.hub = i * hubs / total;
    }
    edges
}

fn edge(site: &'static Site, number: usize, catalog: &[CatalogApp]) -> EdgePlan {
    let place = format!("{}-{number:03}", site.name);
    let apps = catalog
        .iter()
        .map(|of| AppPlan {
            name: format!("{}-{place}", of.name),
            path: of.path.replace("REGION", site.region),
            of: of.clone(),
            auto: Auto::Manual,
        })
        .collect();
    EdgePlan {
        name: format!("edge-{place}"),
        site,
        hub: 0,
        version: "v1.36.2",
        flux: false,
        silence: None,
        apps,
    }
}

fn apply_versions(edges: &mut [EdgePlan], seed: u64) {
    let mut rng = dice(seed, "versions");
    for edge in edges {
        edge.version = rng.choice(VERSIONS).unwrap_or(&"v1.36.2");
    }
}

fn apply_flux(edges: &mut [EdgePlan], share: f64, seed: u64) {
    let count = share_of(edges.len(), share);
    for i in pick(&mut dice(seed, "flux"), edges.len(), count) {
        if let Some(edge) = edges.get_mut(i) {
            edge.flux = true;
        }
    }
}

fn apply_silence(edges: &mut [EdgePlan], size: Size) {
    let picked = pick(&mut dice(size.seed, "silence"), edges.len(), size.silent);
    for (i, silence) in picked.into_iter().zip(Silence::ALL.into_iter().cycle()) {
        if let Some(edge) = edges.get_mut(i) {
            edge.silence = Some(silence);
        }
    }
}

/// Auto-sync goes to whole applications of an edge by chance, healing to a share of those.
fn apply_auto(edges: &mut [EdgePlan], scenario: &Scenario, seed: u64) {
    let mut apps: Vec<&mut AppPlan> = edges.iter_mut().flat_map(|e| e.apps.iter_mut()).collect();
    let synced = share_of(apps.len(), scenario.fleet.auto_sync);
    let picked = pick(&mut dice(seed, "auto-sync"), apps.len(), synced);
    let healed = share_of(picked.len(), scenario.fleet.self_heal);
    let healing = pick(&mut dice(seed, "self-heal"), picked.len(), healed);
    for (n, i) in picked.into_iter().enumerate() {
        if let Some(app) = apps.get_mut(i) {
            app.auto = if healing.contains(&n) {
                Auto::Heal
            } else {
                Auto::Sync
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(name: &str, edges: usize, silent: usize, seed: u64) -> Plan {
        let scenario = Scenario::named(name).unwrap();
        Plan::draw(
            &scenario,
            Size {
                edges,
                apps: 5,
                silent,
                seed,
            },
        )
    }

    #[test]
    fn names_follow_the_contract_and_are_unique() {
        let plan = draw("calm", 12, 0, 1);
        assert_eq!(plan.hubs, ["hub-1"]);
        assert_eq!(plan.edges.len(), 12);
        assert!(plan.edges.iter().any(|e| e.name == "edge-oslo-003"));
        assert!(plan.edges.windows(2).all(|w| w[0].name < w[1].name));
    }

    #[test]
    fn a_hub_carries_fifty_edges_and_no_hub_is_idle() {
        let plan = draw("calm", 120, 0, 1);
        assert_eq!(plan.hubs, ["hub-1", "hub-2", "hub-3"]);
        for hub in 0..3 {
            let count = plan.edges.iter().filter(|e| e.hub == hub).count();
            assert!((1..=50).contains(&count), "hub {hub}: {count}");
        }
    }

    #[test]
    fn even_an_empty_fleet_has_a_hub() {
        let plan = draw("calm", 0, 0, 1);
        assert_eq!((plan.hubs.len(), plan.edges.len()), (1, 0));
    }

    #[test]
    fn the_same_seed_gives_the_same_fleet_and_another_seed_another() {
        assert_eq!(draw("shift", 12, 0, 4), draw("shift", 12, 0, 4));
        assert_ne!(draw("shift", 12, 0, 4), draw("shift", 12, 0, 5));
    }

    #[test]
    fn calm_has_no_flux_and_no_auto_sync() {
        for edge in draw("calm", 40, 0, 9).edges {
            assert!(!edge.flux && edge.silence.is_none());
            assert!(edge.apps.iter().all(|a| a.auto == Auto::Manual));
        }
    }

    #[test]
    fn shift_heals_a_part_of_the_applications_only() {
        let plan = draw("shift", 12, 0, 1);
        let apps: Vec<_> = plan.edges.iter().flat_map(|e| &e.apps).collect();
        let healing = apps.iter().filter(|a| a.auto == Auto::Heal).count();
        assert!(healing > 0 && healing < apps.len() / 2);
    }

    #[test]
    fn five_silent_edges_are_silent_in_five_ways() {
        let plan = draw("fifty", 50, 5, 1);
        let ways: Vec<Silence> = plan.edges.iter().filter_map(|e| e.silence).collect();
        assert_eq!(ways, Silence::ALL);
    }

    #[test]
    fn applications_carry_their_place_and_regional_folders() {
        let plan = draw("calm", 12, 0, 1);
        let edge = plan
            .edges
            .iter()
            .find(|e| e.name == "edge-paris-001")
            .unwrap();
        let config = edge.app("edge-config").unwrap();
        assert_eq!(config.name, "edge-config-paris-001");
        assert_eq!(config.path, "regions/eu-west/edge-config");
        assert_eq!(edge.place(), "paris-001");
    }
}

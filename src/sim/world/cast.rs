//! A large fleet is cast: one edge of each shape is built in full, with its share of a hub, and every other one is the same under its own names.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use parking_lot::Mutex;

use super::argo::{Argo, CLUSTER_LABEL, Ground, Renderer};
use super::assemble::{Blueprint, Deployed, Past, Servers, edge_kinds, is_named, quiet_times};
use super::cluster::Cluster;
use super::dice::hash;
use super::error::WorldError;
use super::plan::{AppPlan, Auto, EdgePlan};
use super::repository::FleetRepository;
use super::workload::Workloads;
use crate::sim::store::{Mold, Object, Store, StoreOptions, Words};

/// Stands for the kubelet's version in a mold.
const KUBELET: &str = "v0.0.0-mold";

/// What two edges must have in common to be cast from one mold.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Shape {
    region: &'static str,
    flux: bool,
    by_name: bool,
    /// What Argo CD does by itself, application by application.
    apps: Vec<(String, u8)>,
}

/// What is cast for one edge and its hub.
#[derive(Clone, Debug)]
struct Molds {
    edge: Arc<Mold>,
    /// Its Applications and its cluster Secret.
    share: Arc<Mold>,
    /// What a hub holds besides.
    hub: Arc<Mold>,
}

/// Gives every cluster of a fleet its past.
pub(crate) fn fill(
    blueprint: &Blueprint,
    servers: &Servers,
    repository: &FleetRepository,
) -> Result<(), WorldError> {
    let mut foundry = Foundry {
        blueprint,
        past: Past::of(repository, blueprint.clock.started())?,
        renderer: Renderer::default(),
        molds: BTreeMap::new(),
    };
    let mut shares: Vec<Vec<(Arc<Mold>, Words)>> = vec![Vec::new(); servers.hubs.len()];
    for (index, (plan, edge)) in blueprint.plan.edges.iter().zip(&servers.edges).enumerate() {
        let molds = foundry.molds(plan, is_named(index))?;
        let words = words(edge, plan);
        edge.store.cast(vec![(molds.edge, words.clone())]);
        if let Some(share) = shares.get_mut(plan.hub) {
            if share.is_empty() {
                share.push((molds.hub, Words::new()));
            }
            share.push((molds.share, words));
        }
    }
    for (hub, share) in servers.hubs.iter().zip(shares) {
        hub.store.cast(share);
    }
    Ok(())
}

/// Makes molds as they are needed.
struct Foundry<'a> {
    blueprint: &'a Blueprint,
    past: Past<'a>,
    renderer: Renderer,
    molds: BTreeMap<Shape, Molds>,
}

impl Foundry<'_> {
    fn molds(&mut self, plan: &EdgePlan, by_name: bool) -> Result<Molds, WorldError> {
        let shape = Shape::of(plan, by_name);
        if let Some(molds) = self.molds.get(&shape) {
            return Ok(molds.clone());
        }
        let molds = self.build(&model(plan), by_name)?;
        self.molds.insert(shape, molds.clone());
        Ok(molds)
    }

    /// Builds a fleet of one edge, as a small fleet is built, and takes the molds.
    fn build(&mut self, plan: &EdgePlan, by_name: bool) -> Result<Molds, WorldError> {
        let hub = self.cluster("hub-0", self.blueprint.hub_kinds());
        let edge = self.cluster(&plan.name, edge_kinds(plan));
        let polls = self.blueprint.scenario.fleet.poll;
        self.blueprint.furnish_hub(&hub, self.past.begun)?;
        let seed = self.blueprint.seed;
        let workloads = Mutex::new(Workloads::new(&plan.name, edge.store.clone(), seed));
        let site = Deployed {
            hub: &hub,
            edge: &edge,
            plan,
            by_name,
        };
        let rested =
            self.blueprint
                .deploy_edge(&site, &workloads, &self.past, &mut self.renderer)?;
        let mut controller = Argo::new(hub.clone(), polls, seed);
        for now in quiet_times(rested, self.blueprint.clock.started()) {
            let mut ground = Ground {
                edges: std::slice::from_ref(&edge),
                repository: self.past.repository,
                renderer: &mut self.renderer,
            };
            controller.look_at_git();
            controller.settle(&mut ground, now);
        }
        let words = words(&edge, plan);
        Ok(Molds {
            edge: Arc::new(edge.store.mold(&words, |_| true)),
            share: Arc::new(hub.store.mold(&words, is_share)),
            hub: Arc::new(hub.store.mold(&[], |object| !is_share(object))),
        })
    }

    /// A cluster that nobody serves.
    fn cluster(&self, name: &str, kinds: crate::sim::store::KindSet) -> Cluster {
        let seed = self.blueprint.seed ^ hash(name);
        let now = self.blueprint.clock.started();
        Cluster {
            name: name.to_owned(),
            url: format!("https://{name}.mold.invalid:6443"),
            address: None,
            store: Store::new(StoreOptions::new(kinds, seed, now)),
            faults: Arc::default(),
        }
    }
}

impl Shape {
    fn of(plan: &EdgePlan, by_name: bool) -> Self {
        let apps = plan.apps.iter().map(|app| {
            let auto = match app.auto {
                Auto::Manual => 0,
                Auto::Sync => 1,
                Auto::Heal => 2,
            };
            (app.path.clone(), auto)
        });
        Self {
            region: plan.site.region,
            flux: plan.flux,
            by_name,
            apps: apps.collect(),
        }
    }
}

/// The edge that stands for all of a shape: of the same site as the first one, under a number that no edge has.
fn model(plan: &EdgePlan) -> EdgePlan {
    let place = format!("{}-000", plan.site.name);
    let apps = plan.apps.iter().map(|app| AppPlan {
        name: format!("{}-{place}", app.of.name),
        ..app.clone()
    });
    EdgePlan {
        name: format!("edge-{place}"),
        version: KUBELET,
        hub: 0,
        silence: None,
        apps: apps.collect(),
        ..plan.clone()
    }
}

/// What differs between edges of a shape. The longer words come first, and the short ones are whole texts.
fn words(edge: &Cluster, plan: &EdgePlan) -> Words {
    let encoded = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    vec![
        edge.url.clone(),
        encoded(&edge.url),
        encoded(&edge.name),
        plan.place().to_owned(),
        format!("\"{}\"", plan.version),
        format!("\"{}\"", plan.site.name),
    ]
}

/// Whether an object of a hub is there for the sake of an edge.
fn is_share(object: &Object) -> bool {
    let mut labels = object.labels.iter();
    object.key.kind.kind == "Application" || labels.any(|(name, _)| &**name == CLUSTER_LABEL)
}

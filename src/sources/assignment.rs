//! What an edge actor is told to judge: for each application that deploys to it, the desired objects and the kinds to watch.

use std::sync::Arc;

use serde_json::Value;

use crate::desired::{Given, Served};
use crate::domain::{
    AppRef, Application, ClusterId, DesiredObject, Gvk, HubCluster, JoinCandidate, ManagedResource,
    Name, Tracking, Unjudged,
};

/// What the director is told, by the supervisor (rows) and by the actors of hubs (the rest), through an unbounded channel.
///
/// Of one hub the inputs arrive in the order in which they were true; between hubs there is no order. Whoever sends an application here sends
/// it to the loop first: the director answers with events about applications that the loop must know by then.
#[derive(Clone, Debug)]
pub enum DirectorInput {
    /// A row of the fleet appeared or what identifies it changed; `cluster` is set.
    Row(JoinCandidate),
    /// What a row's cluster serves: charts are rendered for it.
    Served {
        /// The row.
        cluster: ClusterId,
        /// Its version and its API versions.
        served: Served,
    },
    /// A row left the fleet: it was merged into another, or its context is gone.
    RowGone(ClusterId),
    /// The cluster Secrets of a hub that may be read; replaces what was known of the hub.
    HubClusters {
        /// The hub.
        hub: ClusterId,
        /// Its cluster Secrets, without credentials.
        clusters: Vec<HubCluster>,
    },
    /// How a hub marks what it manages.
    Tracking {
        /// The hub.
        hub: ClusterId,
        /// Its settings.
        tracking: Tracking,
    },
    /// All applications of a hub; replaces what was known of the hub.
    Apps {
        /// The hub.
        hub: ClusterId,
        /// The generation of the hub's actor: events about these applications carry it, so that none comes late or too early.
        generation: u64,
        /// Its applications.
        apps: Vec<Application>,
    },
    /// One application appeared or changed.
    App {
        /// The generation of the hub's actor.
        generation: u64,
        /// The application.
        app: Box<Application>,
    },
    /// One application is gone.
    AppGone(AppRef),
    /// What ConfigMaps and Secrets give to an application of Flux; sent before the application that names the stamp.
    Given {
        /// The name that the application's source knows it by.
        to: Name,
        /// Which objects in which versions.
        stamp: Name,
        /// Their values.
        given: Arc<Given>,
    },
}

/// Everything one cluster has to judge; replaced as a whole through a `tokio::sync::watch` channel.
#[derive(Clone, Debug, Default)]
pub struct ClusterAssignments {
    /// One entry an application, in the order of their ids.
    pub apps: Vec<Arc<AppAssignment>>,
}

/// One application on one cluster. Desired Secrets are sealed already (`drift::seal`), so no value is held here.
#[derive(Clone, Debug)]
pub struct AppAssignment {
    /// The application.
    pub app: AppRef,
    /// How its hub marks what it manages.
    pub tracking: Tracking,
    /// The name in the tracking mark: the application's name, or `<namespace>_<name>` outside the control plane's namespace.
    pub instance: Name,
    /// Namespace that namespaced objects without one get.
    pub namespace: Name,
    /// The deployed commit, empty when never deployed.
    pub deployed_revision: Name,
    /// The commit the target revision resolves to now, empty when unknown.
    pub target_revision: Name,
    /// Objects at the deployed commit.
    pub deployed: Vec<Arc<DesiredObject>>,
    /// Objects at the target commit; the same allocation as `deployed` when the commits are equal.
    pub target: Vec<Arc<DesiredObject>>,
    /// What the engine says it manages: kinds to watch beyond the desired ones, and candidates for `extra`.
    pub resources: Vec<ManagedResource>,
    /// `spec.ignoreDifferences`, verbatim.
    pub ignore_differences: Option<Value>,
    /// `spec.healthCheckExprs` of a Kustomization, verbatim.
    pub health_checks: Option<Value>,
    /// The destination's URL as the hub knows it; empty when it is not known.
    pub server: Name,
    /// `spec.syncPolicy.syncOptions`.
    pub sync_options: Vec<Name>,
    /// The application's annotation about comparing.
    pub compare_options: Name,
    /// Whether the objects are what Argo CD's API says, because Git could not be rendered.
    pub stand_in: bool,
    /// Why there is no desired state, when there is none; `deployed` and `target` are then empty and Argo's verdict stays.
    pub unjudged: Option<Unjudged>,
}

impl ClusterAssignments {
    /// The kinds to watch: the union of the desired objects' and the engine's, each once, newest version first named.
    pub fn kinds(&self) -> Vec<Gvk> {
        let mut kinds: Vec<Gvk> = Vec::new();
        for app in &self.apps {
            let named = app
                .target
                .iter()
                .chain(&app.deployed)
                .map(|d| &d.object.gvk);
            for gvk in named.chain(app.resources.iter().map(|r| &r.object.gvk)) {
                if !kinds.iter().any(|k| k.same_kind(gvk)) {
                    kinds.push(gvk.clone());
                }
            }
        }
        kinds
    }
}

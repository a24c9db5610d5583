//! What a hub says: its Applications, how it marks what it manages, and which clusters it knows.

mod apps;
mod extras;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::domain::{Fact, HubCluster, Name, Tracking};
use crate::health::Overrides;
use crate::sources::assignment::DirectorInput;
use crate::sources::engine::argo;
use crate::sources::health::HealthRules;
use crate::sources::tell::Teller;
use crate::sources::watch::{Step, TroubleKind, WatchContext, WatchSpec, follow};

/// Namespaces that Argo CD is usually installed in; looked into when the whole cluster may not be read.
const USUAL: [&str; 2] = ["argocd", "openshift-gitops"];

/// What following a hub needs.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) teller: Teller,
    pub(super) context: WatchContext,
    /// The namespace the row is confined to, empty for the whole cluster.
    pub(super) confined: Name,
    /// The namespace that the acting context names, empty when it names none.
    pub(super) default_namespace: Name,
    pub(super) streaming: bool,
    pub(super) health: HealthRules,
}

/// Follows everything a hub says, until dropped.
pub(super) async fn follow_hub(hub: Hub) {
    let heard = Heard::default();
    futures::join!(
        settings(&hub, &heard),
        clusters(&hub, &heard),
        extras::sets(&hub, &heard),
        extras::projects(&hub, &heard),
        async {
            heard.wait().await;
            apps::follow_apps(&hub).await;
        }
    );
}

/// What is said about applications is heard before the applications, so that a single look finds it there.
#[derive(Debug)]
struct Heard(tokio::sync::Semaphore);

/// What is heard first: the settings, the cluster Secrets, the sets and the projects.
const FIRST: u32 = 4;

/// The longest that the applications wait for it.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);

impl Default for Heard {
    fn default() -> Self {
        Self(tokio::sync::Semaphore::new(0))
    }
}

impl Heard {
    async fn wait(&self) {
        // Too late is no harm: it is told when it comes.
        let _ = tokio::time::timeout(PATIENCE, self.0.acquire_many(FIRST)).await;
    }

    /// One of them has spoken, or cannot.
    fn one(&self, done: &mut bool) {
        if !std::mem::replace(done, true) {
            self.0.add_permits(1);
        }
    }
}

impl Hub {
    /// The same hub with another usual namespace in place of its own.
    pub(super) fn looking_into(self, namespace: &str) -> Self {
        let default_namespace = if self.default_namespace.is_empty() {
            namespace.into()
        } else {
            self.default_namespace
        };
        Self {
            default_namespace,
            ..self
        }
    }

    /// Namespaces to look into when the whole cluster may not be read: the context's own first.
    fn namespaces(&self) -> Vec<Name> {
        if !self.confined.is_empty() {
            return vec![self.confined.clone()];
        }
        let own = Some(self.default_namespace.clone()).filter(|n| !n.is_empty());
        let mut names: Vec<Name> = own.into_iter().collect();
        for usual in USUAL {
            if names.iter().all(|n| **n != *usual) {
                names.push(usual.into());
            }
        }
        names
    }

    /// Collection paths to try in turn: the cluster, then the namespaces. A confined row tries its own namespace only.
    pub(super) fn paths(&self, base: &str, plural: &str) -> Vec<String> {
        let whole = self.confined.is_empty().then(|| format!("{base}/{plural}"));
        let parts = self
            .namespaces()
            .into_iter()
            .map(|n| format!("{base}/namespaces/{n}/{plural}"));
        whole.into_iter().chain(parts).collect()
    }
}

/// Follows the first of several collections that may be read. A refusal is told only of the last one.
pub(super) async fn follow_first<T: DeserializeOwned>(
    hub: &Hub,
    specs: Vec<WatchSpec>,
    mut tell: impl FnMut(Step<T>),
) {
    let last = specs.len();
    for (index, spec) in specs.into_iter().enumerate() {
        let (inner, mut steps) = mpsc::channel(16);
        let watching = follow::<T>(hub.context.clone(), spec, inner);
        let telling = async {
            while let Some(step) = steps.recv().await {
                let refused = matches!(&step, Step::Trouble(t) if t.kind == TroubleKind::Forbidden);
                if refused && index + 1 < last {
                    return;
                }
                tell(step);
            }
        };
        tokio::select! {
            () = watching => {}
            () = telling => {}
        }
    }
}

/// argocd-cm: the tracking method, the label's key, the installation's id, how objects are compared. Without it Argo CD's defaults hold.
/// Of argocd-cmd-params-cm only the default way of comparing is read; whoever may not read it is shown Argo CD's own default.
async fn settings(hub: &Hub, heard: &Heard) {
    let mut done = false;
    let known: Mutex<Tracking> = Mutex::default();
    let server_side = AtomicBool::new(false);
    let tell = || {
        let tracking = Tracking {
            server_side_diff: server_side.load(Ordering::Relaxed),
            ..known.lock().clone()
        };
        hub.teller.tell(Fact::Tracking(tracking.clone()));
        hub.teller.direct(DirectorInput::Tracking {
            hub: hub.teller.cluster().clone(),
            tracking,
        });
    };
    let own = config_map(hub, "argocd-cm", |map| {
        heard.one(&mut done);
        let Some(map) = map else { return };
        take_health_rules(hub, &map);
        hub.teller.tell(Fact::Pace(argo::settings_pace(&map)));
        *known.lock() = argo::tracking(&map);
        tell();
    });
    let parameters = config_map(hub, "argocd-cmd-params-cm", |map| {
        let now = map.is_some_and(|map| argo::server_side_diff(&map));
        if server_side.swap(now, Ordering::Relaxed) != now {
            tell();
        }
    });
    futures::join!(own, parameters);
}

/// Follows one ConfigMap of the hub: null while there is none, nothing while it cannot be read.
async fn config_map(hub: &Hub, name: &str, mut take: impl FnMut(Option<Value>)) {
    let paths = hub.paths("/api/v1", "configmaps").into_iter();
    let specs = paths.map(|path| WatchSpec {
        fields: format!("metadata.name={name}"),
        ..WatchSpec::all(path)
    });
    follow_first::<Value>(hub, specs.collect(), |step| {
        take(match step {
            Step::Listed(maps) => Some(maps.into_iter().next().unwrap_or_default()),
            Step::Changed(map) => Some(map),
            Step::Gone(_) => Some(Value::Null),
            Step::Trouble(_) => None,
        });
    })
    .await;
}

/// The health rules that argocd-cm holds reach the judges of all edges.
fn take_health_rules(hub: &Hub, map: &Value) {
    let (overrides, problems) = Overrides::of(map);
    for problem in problems {
        tracing::warn!(hub = %hub.teller.cluster(), problem, "health rules of argocd-cm");
    }
    hub.health.set(hub.teller.cluster(), overrides);
}

/// Cluster Secrets, for the join. Only name, server and CA are kept; the credentials are dropped where they are decoded.
async fn clusters(hub: &Hub, heard: &Heard) {
    let mut done = false;
    let specs = hub
        .paths("/api/v1", "secrets")
        .into_iter()
        .map(|path| WatchSpec {
            labels: "argocd.argoproj.io/secret-type=cluster".to_owned(),
            ..WatchSpec::all(path)
        })
        .collect();
    let mut known: BTreeMap<String, HubCluster> = BTreeMap::new();
    follow_first::<Known>(hub, specs, |step| {
        heard.one(&mut done);
        match step {
            Step::Listed(secrets) => known = secrets.into_iter().map(|s| (s.name, s.is)).collect(),
            Step::Changed(secret) => drop(known.insert(secret.name, secret.is)),
            Step::Gone(secret) => drop(known.remove(&secret.name)),
            Step::Trouble(_) => return,
        }
        let clusters: Vec<HubCluster> = known.values().cloned().collect();
        hub.teller.tell(Fact::HubClusters(clusters.clone()));
        hub.teller.direct(DirectorInput::HubClusters {
            hub: hub.teller.cluster().clone(),
            clusters,
        });
    })
    .await;
}

/// A cluster Secret, decoded straight into what may be kept of it.
struct Known {
    name: String,
    is: HubCluster,
}

impl<'de> serde::Deserialize<'de> for Known {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let secret = Value::deserialize(from)?;
        let name = secret
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned();
        Ok(Self {
            name,
            is: argo::hub_cluster(&secret),
        })
    }
}

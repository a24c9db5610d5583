//! What a hub says: its Applications, how it marks what it manages, and which clusters it knows.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::Teller;
use crate::domain::{Application, Fact, HubCluster, Permission, Safe};
use crate::sources::assignment::DirectorInput;
use crate::sources::engine::argo::{self, RawApplication};
use crate::sources::watch::{Step, TroubleKind, WatchContext, WatchSpec, follow};

/// Namespace that Argo CD is installed in by default, and where it is looked for when the whole cluster may not be read.
const ARGO_NAMESPACE: &str = "argocd";

/// What following a hub needs.
#[derive(Clone)]
pub(super) struct Hub {
    pub(super) teller: Teller,
    pub(super) context: WatchContext,
    /// The namespace the row is confined to, empty for the whole cluster.
    pub(super) confined: crate::domain::Name,
}

/// Follows everything a hub says, until dropped.
pub(super) async fn follow_hub(hub: Hub) {
    futures::join!(settings(&hub), clusters(&hub), applications(&hub));
}

/// Collection paths to try in turn: the cluster, then Argo CD's usual namespace. A confined row tries its own namespace only.
fn paths(hub: &Hub, base: &str, plural: &str) -> Vec<String> {
    if hub.confined.is_empty() {
        vec![
            format!("{base}/{plural}"),
            format!("{base}/namespaces/{ARGO_NAMESPACE}/{plural}"),
        ]
    } else {
        vec![format!("{base}/namespaces/{}/{plural}", hub.confined)]
    }
}

/// The steps of the first of several collections that may be read. A refusal is told only of the last one.
fn first_of<T: DeserializeOwned + Send + 'static>(hub: &Hub, specs: Vec<WatchSpec>) -> Steps<T> {
    let (tell, receiver) = mpsc::channel(16);
    let task = tokio::spawn(try_in_turn(hub.context.clone(), specs, tell));
    Steps { receiver, task }
}

/// Followed collections; dropping it ends the following.
struct Steps<T> {
    receiver: mpsc::Receiver<Step<T>>,
    task: JoinHandle<()>,
}

impl<T> Drop for Steps<T> {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn try_in_turn<T: DeserializeOwned + Send + 'static>(
    context: WatchContext,
    specs: Vec<WatchSpec>,
    tell: mpsc::Sender<Step<T>>,
) {
    let last = specs.len();
    for (index, spec) in specs.into_iter().enumerate() {
        let (inner, mut steps) = mpsc::channel(16);
        let watching = follow::<T>(context.clone(), spec, inner);
        let forwarding = async {
            while let Some(step) = steps.recv().await {
                let refused = matches!(&step, Step::Trouble(t) if t.kind == TroubleKind::Forbidden);
                if refused && index + 1 < last || tell.send(step).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = watching => {}
            () = forwarding => {}
        }
    }
}

/// Applications, as slim rows; the loop hears of each before the director does.
async fn applications(hub: &Hub) {
    let id = hub.teller.cluster();
    let generation = hub.teller.generation();
    let specs = paths(hub, "/apis/argoproj.io/v1alpha1", "applications")
        .into_iter()
        .map(WatchSpec::all)
        .collect();
    let mut steps = first_of::<RawApplication>(hub, specs);
    while let Some(step) = steps.receiver.recv().await {
        match step {
            Step::Listed(raw) => {
                let apps: Vec<Application> = raw.into_iter().map(|r| r.into_row(id)).collect();
                hub.teller.tell(Fact::Apps(apps.clone())).await;
                hub.teller.direct(DirectorInput::Apps {
                    hub: id.clone(),
                    generation,
                    apps,
                });
            }
            Step::Changed(raw) => {
                let app = Box::new(raw.into_row(id));
                hub.teller.tell(Fact::App(app.clone())).await;
                hub.teller.direct(DirectorInput::App { generation, app });
            }
            Step::Gone(raw) => {
                let app = raw.id(id);
                hub.teller.tell(Fact::AppGone(app.clone())).await;
                hub.teller.direct(DirectorInput::AppGone(app));
            }
            Step::Trouble(trouble) if trouble.kind == TroubleKind::Forbidden => {
                let what = Safe::from(format!(
                    "list applications.argoproj.io: {}",
                    trouble.message
                ));
                hub.teller
                    .tell(Fact::Permissions(vec![Permission {
                        what,
                        allowed: false,
                    }]))
                    .await;
                hub.teller.tell(Fact::Apps(Vec::new())).await;
            }
            Step::Trouble(_) => {}
        }
    }
}

/// argocd-cm: the tracking method, the label's key, the installation's id. Without it Argo CD's defaults hold.
async fn settings(hub: &Hub) {
    let specs = paths(hub, "/api/v1", "configmaps")
        .into_iter()
        .map(|path| WatchSpec {
            fields: "metadata.name=argocd-cm".to_owned(),
            ..WatchSpec::all(path)
        })
        .collect();
    let mut steps = first_of::<Value>(hub, specs);
    while let Some(step) = steps.receiver.recv().await {
        let map = match step {
            Step::Listed(maps) => maps.into_iter().next().unwrap_or_default(),
            Step::Changed(map) => map,
            Step::Gone(_) => Value::Null,
            Step::Trouble(_) => continue,
        };
        let tracking = argo::tracking(&map);
        hub.teller.tell(Fact::Tracking(tracking.clone())).await;
        hub.teller.direct(DirectorInput::Tracking {
            hub: hub.teller.cluster().clone(),
            tracking,
        });
    }
}

/// Cluster Secrets, for the join. Only name, server and CA are kept; the credentials are dropped where they are decoded.
async fn clusters(hub: &Hub) {
    let specs = paths(hub, "/api/v1", "secrets")
        .into_iter()
        .map(|path| WatchSpec {
            labels: "argocd.argoproj.io/secret-type=cluster".to_owned(),
            ..WatchSpec::all(path)
        })
        .collect();
    let mut steps = first_of::<Value>(hub, specs);
    let mut known = BTreeMap::new();
    while let Some(step) = steps.receiver.recv().await {
        match step {
            Step::Listed(secrets) => {
                known = secrets
                    .iter()
                    .map(|s| (name_of(s), argo::hub_cluster(s)))
                    .collect()
            }
            Step::Changed(secret) => {
                drop(known.insert(name_of(&secret), argo::hub_cluster(&secret)))
            }
            Step::Gone(secret) => drop(known.remove(&name_of(&secret))),
            Step::Trouble(_) => continue,
        }
        let clusters: Vec<HubCluster> = known.values().cloned().collect();
        hub.teller.tell(Fact::HubClusters(clusters.clone())).await;
        hub.teller.direct(DirectorInput::HubClusters {
            hub: hub.teller.cluster().clone(),
            clusters,
        });
    }
}

fn name_of(object: &Value) -> String {
    object
        .pointer("/metadata/name")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

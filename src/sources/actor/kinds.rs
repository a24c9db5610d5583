//! Follows the kinds that an edge has to judge: one watch a kind over the cluster, or one a namespace where only that may be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::connect::{Connection, Fault, FaultKind, Lane};
use crate::domain::{Gvk, Name, Safe};
use crate::sources::contact::{Route, collection, routes};
use crate::sources::judge::Part;
use crate::sources::watch::{Step, TroubleKind, WatchContext, WatchSpec, follow};

/// A kind that is not served is asked for again after this time: its definition may be installed later.
const REPROBE: Duration = Duration::from_secs(300);

/// News of a kind.
#[derive(Debug)]
pub(super) enum News {
    /// A whole collection.
    Listed(Gvk, Part, Vec<Value>),
    /// An object appeared or changed.
    Changed(Gvk, Value),
    /// An object is gone.
    Gone(Gvk, Value),
    /// The kind cannot be read.
    Unread(Gvk, Safe),
}

/// What following needs.
#[derive(Clone)]
pub(super) struct Follow {
    pub(super) connection: Connection,
    pub(super) context: WatchContext,
    pub(super) tell: mpsc::Sender<News>,
}

/// The kinds that are followed now; dropping it stops them all.
pub(super) struct Kinds {
    follow: Follow,
    running: BTreeMap<Gvk, (Scope, JoinHandle<()>)>,
}

/// Where a kind is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// Only this namespace, whatever else may be allowed.
    pub(super) confined: Option<Name>,
    /// Namespaces that matter, for when the whole cluster may not be read.
    pub(super) namespaces: BTreeSet<Name>,
}

impl Kinds {
    pub(super) fn new(follow: Follow) -> Self {
        Self {
            follow,
            running: BTreeMap::new(),
        }
    }

    /// Follows exactly these kinds from now on; those in `anew` are listed again.
    pub(super) fn set(&mut self, kinds: &[Gvk], scope: &Scope, anew: &[Gvk]) {
        self.running.retain(|gvk, (known, task)| {
            let keep = kinds.contains(gvk) && !anew.contains(gvk) && known == scope;
            if !keep {
                task.abort();
            }
            keep
        });
        for gvk in kinds {
            if !self.running.contains_key(gvk) {
                let task =
                    tokio::spawn(follow_kind(self.follow.clone(), gvk.clone(), scope.clone()));
                self.running.insert(gvk.clone(), (scope.clone(), task));
            }
        }
    }
}

impl Drop for Kinds {
    fn drop(&mut self) {
        self.running.values().for_each(|(_, task)| task.abort());
    }
}

async fn follow_kind(follow: Follow, gvk: Gvk, scope: Scope) {
    let Some(route) = find_route(&follow, &gvk).await else {
        return;
    };
    if !route.namespaced {
        return follow_whole(&follow, &gvk, &route, None).await;
    }
    if let Some(namespace) = &scope.confined {
        return follow_parts(&follow, &gvk, &route, std::slice::from_ref(namespace)).await;
    }
    let namespaces: Vec<Name> = scope.namespaces.into_iter().collect();
    if may_list(&follow, &collection(&gvk, &route, None)).await || namespaces.is_empty() {
        follow_whole(&follow, &gvk, &route, None).await;
    } else {
        follow_parts(&follow, &gvk, &route, &namespaces).await;
    }
}

/// Waits until the server serves the kind, and says that it does not as long as that is so.
async fn find_route(follow: &Follow, gvk: &Gvk) -> Option<Route> {
    let mut wait = Duration::from_millis(500);
    loop {
        match routes(&follow.connection, &gvk.group, &gvk.version).await {
            Ok(mut found) => {
                if let Some(route) = found.remove(&gvk.kind) {
                    return Some(route);
                }
                let sentence = format!(
                    "The server does not serve {} {}; install its definition.",
                    gvk.api_version(),
                    gvk.kind
                );
                follow
                    .tell
                    .send(News::Unread(gvk.clone(), sentence.into()))
                    .await
                    .ok()?;
                tokio::time::sleep(REPROBE).await;
            }
            Err(fault) => {
                if matches!(fault.kind, FaultKind::Forbidden) {
                    follow
                        .tell
                        .send(News::Unread(gvk.clone(), fault.sentence))
                        .await
                        .ok()?;
                    wait = REPROBE;
                }
                tokio::time::sleep(wait).await;
                wait = (wait * 2).min(REPROBE);
            }
        }
    }
}

/// Asks for one object of the collection: whether the whole cluster may be read. Trouble other than a refusal reads as yes: the watch meets it again.
async fn may_list(follow: &Follow, path: &str) -> bool {
    let asked = follow
        .connection
        .get(Lane::Watch, &format!("{path}?limit=1"), 32 << 20)
        .await;
    !matches!(
        asked,
        Err(Fault {
            kind: FaultKind::Forbidden,
            ..
        })
    )
}

async fn follow_whole(follow: &Follow, gvk: &Gvk, route: &Route, namespace: Option<&str>) {
    let spec = WatchSpec::all(collection(gvk, route, namespace));
    let part = PartOf {
        gvk: gvk.clone(),
        namespace: None,
        heard: Arc::default(),
        parts: 1,
    };
    follow_part(follow.clone(), spec, part).await;
}

async fn follow_parts(follow: &Follow, gvk: &Gvk, route: &Route, namespaces: &[Name]) {
    let heard = Arc::new(Mutex::new(BTreeSet::new()));
    let parts = namespaces.iter().map(|namespace| {
        let spec = WatchSpec::all(collection(gvk, route, Some(namespace)));
        let part = PartOf {
            gvk: gvk.clone(),
            namespace: Some(namespace.clone()),
            heard: Arc::clone(&heard),
            parts: namespaces.len(),
        };
        follow_part(follow.clone(), spec, part)
    });
    futures::future::join_all(parts).await;
}

/// One followed collection of a kind.
struct PartOf {
    gvk: Gvk,
    namespace: Option<Name>,
    heard: Arc<Mutex<BTreeSet<Option<Name>>>>,
    parts: usize,
}

impl PartOf {
    /// Notes that this part was listed.
    fn listed(&self) -> Part {
        let mut heard = self.heard.lock();
        heard.insert(self.namespace.clone());
        Part {
            namespace: self.namespace.clone(),
            complete: heard.len() == self.parts,
        }
    }
}

async fn follow_part(parts: Follow, spec: WatchSpec, part: PartOf) {
    let (tell, mut steps) = mpsc::channel(16);
    let watching = follow::<Value>(parts.context.clone(), spec, tell);
    let forwarding = async {
        while let Some(step) = steps.recv().await {
            let gvk = part.gvk.clone();
            let news = match step {
                Step::Listed(objects) => News::Listed(gvk, part.listed(), objects),
                Step::Changed(object) => News::Changed(gvk, object),
                Step::Gone(object) => News::Gone(gvk, object),
                Step::Trouble(trouble)
                    if matches!(trouble.kind, TroubleKind::Forbidden | TroubleKind::Absent) =>
                {
                    News::Unread(gvk, trouble.message)
                }
                // The link tells of itself; what was known stays.
                Step::Trouble(_) => continue,
            };
            if parts.tell.send(news).await.is_err() {
                return;
            }
        }
    };
    futures::join!(watching, forwarding);
}

//! Follows the kinds that an edge has to judge: one watch a kind over the cluster, or one a namespace where only that may be read.

mod route;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::connect::Connection;
use crate::domain::{Gvk, Name, Safe};
use crate::sources::contact::{Route, collection};
use crate::sources::judge::Part;
use crate::sources::watch::{Step, TroubleKind, WatchContext, WatchSpec, follow};
use route::Routes;

/// A refusal for the whole cluster is asked again after this time: rights may be given later.
const ASK_AGAIN: Duration = Duration::from_secs(600);

/// News of a kind. It holds objects as the server sent them, Secrets too, and has no `Debug` form.
pub(super) enum News {
    /// A whole collection.
    Listed(Gvk, Part, Vec<Value>),
    /// An object appeared or changed.
    Changed(Gvk, Value),
    /// An object is gone.
    Gone(Gvk, Value),
    /// The kind cannot be read.
    Unread(Gvk, Safe),
    /// The kind cannot be read in one namespace, while it can in others.
    Blind(Gvk, Part, Safe),
}

impl News {
    /// Whether the definition of a custom kind appeared, changed or went.
    pub(super) fn is_of_definitions(&self) -> bool {
        let (Self::Listed(gvk, ..)
        | Self::Changed(gvk, _)
        | Self::Gone(gvk, _)
        | Self::Unread(gvk, _)
        | Self::Blind(gvk, ..)) = self;
        &*gvk.kind == "CustomResourceDefinition"
    }
}

/// What following needs.
#[derive(Clone)]
pub(super) struct Follow {
    context: WatchContext,
    streaming: bool,
    routes: Arc<Routes>,
    tell: mpsc::Sender<News>,
}

impl Follow {
    pub(super) fn new(
        connection: Connection,
        context: WatchContext,
        streaming: bool,
        tell: mpsc::Sender<News>,
    ) -> Self {
        Self {
            context,
            streaming,
            routes: Arc::new(Routes::new(connection)),
            tell,
        }
    }

    /// Sends news; nobody listening any more means that this task is about to be stopped.
    async fn tell(&self, news: News) {
        let _ = self.tell.send(news).await;
    }
}

/// The kinds that are followed now; dropping it stops them all.
pub(super) struct Kinds {
    follow: Follow,
    scope: watch::Sender<Scope>,
    running: BTreeMap<Gvk, JoinHandle<()>>,
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
            scope: watch::Sender::new(Scope::default()),
            running: BTreeMap::new(),
        }
    }

    /// Follows exactly these kinds from now on; those in `anew` are listed again.
    pub(super) fn set(&mut self, kinds: &[Gvk], scope: Scope, anew: &[Gvk]) {
        self.scope.send_if_modified(|known| {
            let changed = *known != scope;
            *known = scope;
            changed
        });
        self.running.retain(|gvk, task| {
            let keep = kinds.contains(gvk) && !anew.contains(gvk);
            if !keep {
                task.abort();
            }
            keep
        });
        for gvk in kinds {
            let scope = &self.scope;
            let follow = &self.follow;
            self.running.entry(gvk.clone()).or_insert_with(|| {
                tokio::spawn(follow_kind(follow.clone(), gvk.clone(), scope.subscribe()))
            });
        }
    }
}

impl Drop for Kinds {
    fn drop(&mut self) {
        self.running.values().for_each(JoinHandle::abort);
    }
}

async fn follow_kind(follow: Follow, gvk: Gvk, mut scope: watch::Receiver<Scope>) {
    let route = Box::pin(route::find(&follow, &gvk)).await;
    let kind = Kind { follow, gvk, route };
    loop {
        let now = scope.borrow_and_update().clone();
        match now.confined {
            _ if !kind.route.namespaced => kind.whole(true).await,
            Some(namespace) => Box::pin(kind.parts(&[namespace])).await,
            None => {
                let namespaces: Vec<Name> = now.namespaces.into_iter().collect();
                kind.whole(namespaces.is_empty()).await;
                // Refused for the cluster: its namespaces one by one, until they change or it is time to ask again.
                tokio::select! {
                    () = Box::pin(kind.parts(&namespaces)) => {}
                    _ = scope.changed() => {}
                    () = tokio::time::sleep(ASK_AGAIN) => {}
                }
            }
        }
    }
}

/// One kind as it is followed.
struct Kind {
    follow: Follow,
    gvk: Gvk,
    route: Route,
}

impl Kind {
    /// Follows the whole cluster. Returns when that is refused, unless `only` says that there is no other way.
    async fn whole(&self, only: bool) {
        let (tell, mut steps) = mpsc::channel(16);
        let watching = follow::<Value>(self.follow.context.clone(), self.spec(None), tell);
        let telling = async {
            while let Some(step) = steps.recv().await {
                let refused = matches!(&step, Step::Trouble(t) if t.kind == TroubleKind::Forbidden);
                if refused && !only {
                    return;
                }
                let news = match step {
                    Step::Listed(objects) => News::Listed(self.gvk.clone(), Part::whole(), objects),
                    other => match self.news(other) {
                        Some(news) => news,
                        None => continue,
                    },
                };
                self.follow.tell(news).await;
            }
        };
        tokio::select! {
            () = watching => {}
            () = telling => {}
        }
    }

    /// Follows these namespaces, until dropped.
    async fn parts(&self, namespaces: &[Name]) {
        let heard = Mutex::new(BTreeSet::new());
        let parts = namespaces.iter().map(|namespace| {
            let note = || {
                let mut heard = heard.lock();
                heard.insert(namespace.clone());
                Part {
                    namespace: Some(namespace.clone()),
                    complete: heard.len() == namespaces.len(),
                }
            };
            self.part(namespace, note)
        });
        futures::future::join_all(parts).await;
    }

    async fn part(&self, namespace: &Name, heard: impl Fn() -> Part) {
        let (tell, mut steps) = mpsc::channel(16);
        let spec = self.spec(Some(namespace));
        let watching = follow::<Value>(self.follow.context.clone(), spec, tell);
        let telling = async {
            while let Some(step) = steps.recv().await {
                let gvk = self.gvk.clone();
                let news = match step {
                    Step::Listed(objects) => Some(News::Listed(gvk, heard(), objects)),
                    Step::Trouble(t) if t.kind == TroubleKind::Forbidden => {
                        Some(News::Blind(gvk, heard(), t.message))
                    }
                    other => self.news(other),
                };
                if let Some(news) = news {
                    self.follow.tell(news).await;
                }
            }
        };
        futures::join!(watching, telling);
    }

    /// News of a step that is no list; trouble of the link is told by the link, and what was known stays.
    fn news(&self, step: Step<Value>) -> Option<News> {
        let gvk = self.gvk.clone();
        match step {
            Step::Changed(object) => Some(News::Changed(gvk, object)),
            Step::Gone(object) => Some(News::Gone(gvk, object)),
            Step::Trouble(t) if matches!(t.kind, TroubleKind::Forbidden | TroubleKind::Absent) => {
                Some(News::Unread(gvk, t.message))
            }
            Step::Trouble(_) | Step::Listed(_) => None,
        }
    }

    fn spec(&self, namespace: Option<&str>) -> WatchSpec {
        WatchSpec {
            streaming: self.follow.streaming,
            ..WatchSpec::all(collection(&self.gvk, &self.route, namespace))
        }
    }
}

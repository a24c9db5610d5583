//! Applications as slim rows: of the whole cluster, or of the namespaces that may be read, as one list.

use std::collections::{BTreeMap, BTreeSet};

use tokio::sync::mpsc;

use super::Hub;
use crate::domain::{AppRef, Application, Fact, Name};
use crate::sources::assignment::DirectorInput;
use crate::sources::engine::argo::RawApplication;
use crate::sources::watch::{Step, TroubleKind, WatchSpec, follow};

const BASE: &str = "/apis/argoproj.io/v1alpha1";

/// Follows the Applications until dropped.
pub(super) async fn follow_apps(hub: &Hub) {
    let teller = Apps { hub };
    if hub.confined.is_empty() {
        teller.whole().await;
    }
    // Refused for the cluster, or confined to a namespace.
    teller.parts(&hub.namespaces()).await;
}

struct Apps<'a> {
    hub: &'a Hub,
}

impl Apps<'_> {
    fn spec(&self, path: String) -> WatchSpec {
        WatchSpec {
            streaming: self.hub.streaming,
            ..WatchSpec::all(path)
        }
    }

    /// Follows the whole cluster; returns when that is refused.
    async fn whole(&self) {
        let (tell, mut steps) = mpsc::channel(16);
        let spec = self.spec(format!("{BASE}/applications"));
        let watching = follow::<RawApplication>(self.hub.context.clone(), spec, tell);
        let telling = async {
            while let Some(step) = steps.recv().await {
                match step {
                    Step::Listed(raw) => self.tell_all(self.rows(raw)).await,
                    Step::Changed(raw) => self.tell_one(raw).await,
                    Step::Gone(raw) => self.tell_gone(raw.id(self.hub.teller.cluster())).await,
                    Step::Trouble(t) if t.kind == TroubleKind::Forbidden => return,
                    Step::Trouble(_) => {}
                }
            }
        };
        tokio::select! {
            () = watching => {}
            () = telling => {}
        }
    }

    /// Follows these namespaces; those that refuse are left out.
    async fn parts(&self, namespaces: &[Name]) {
        let (tell, mut steps) = mpsc::channel(16);
        let watching = namespaces.iter().map(|namespace| {
            let path = format!("{BASE}/namespaces/{namespace}/applications");
            let (inner, mut own) = mpsc::channel(16);
            let watching =
                follow::<RawApplication>(self.hub.context.clone(), self.spec(path), inner);
            let tell = tell.clone();
            let passing = async move {
                while let Some(step) = own.recv().await {
                    // Nobody listening any more means that all of this is being dropped.
                    let _ = tell.send((namespace.clone(), step)).await;
                }
            };
            async {
                futures::join!(watching, passing);
            }
        });
        let mut joined = Joined::new(namespaces);
        let telling = async {
            while let Some((namespace, step)) = steps.recv().await {
                self.take(&mut joined, &namespace, step).await;
            }
        };
        futures::join!(futures::future::join_all(watching), telling);
    }

    async fn take(&self, joined: &mut Joined, namespace: &Name, step: Step<RawApplication>) {
        match step {
            Step::Listed(raw) => match joined.listed(namespace, self.rows(raw)) {
                News::Nothing => {}
                News::All(apps) => self.tell_all(apps).await,
                News::Some { changed, gone } => {
                    for app in changed {
                        self.tell_app(Box::new(app)).await;
                    }
                    for app in gone {
                        self.tell_gone(app).await;
                    }
                }
            },
            Step::Changed(raw) => {
                joined
                    .known(namespace)
                    .insert(raw.id(self.hub.teller.cluster()));
                self.tell_one(raw).await;
            }
            Step::Gone(raw) => {
                let app = raw.id(self.hub.teller.cluster());
                joined.known(namespace).remove(&app);
                self.tell_gone(app).await;
            }
            Step::Trouble(t) if t.kind == TroubleKind::Forbidden => {
                if let News::All(apps) = joined.listed(namespace, Vec::new()) {
                    self.tell_all(apps).await;
                }
            }
            Step::Trouble(_) => {}
        }
    }

    fn rows(&self, raw: Vec<RawApplication>) -> Vec<Application> {
        let hub = self.hub.teller.cluster();
        raw.into_iter().map(|r| r.into_row(hub)).collect()
    }

    // The loop hears of each before the director does.

    async fn tell_all(&self, apps: Vec<Application>) {
        let teller = &self.hub.teller;
        teller.tell(Fact::Apps(apps.clone()));
        teller.flushed().await;
        teller.direct(DirectorInput::Apps {
            hub: teller.cluster().clone(),
            generation: teller.generation(),
            apps,
        });
    }

    async fn tell_one(&self, raw: RawApplication) {
        let app = Box::new(raw.into_row(self.hub.teller.cluster()));
        self.tell_app(app).await;
    }

    async fn tell_app(&self, app: Box<Application>) {
        let teller = &self.hub.teller;
        teller.tell(Fact::App(app.clone()));
        teller.flushed().await;
        teller.direct(DirectorInput::App {
            generation: teller.generation(),
            app,
        });
    }

    async fn tell_gone(&self, app: AppRef) {
        let teller = &self.hub.teller;
        teller.tell(Fact::AppGone(app.clone()));
        teller.flushed().await;
        teller.direct(DirectorInput::AppGone(app));
    }
}

/// The lists of several namespaces as one: nothing is told before each has answered or refused, so that nothing seems gone too early.
struct Joined {
    waiting: BTreeSet<Name>,
    first: Vec<Application>,
    known: BTreeMap<Name, BTreeSet<AppRef>>,
}

/// What a namespace's list changes.
enum News {
    Nothing,
    All(Vec<Application>),
    Some {
        changed: Vec<Application>,
        gone: Vec<AppRef>,
    },
}

impl Joined {
    fn new(namespaces: &[Name]) -> Self {
        Self {
            waiting: namespaces.iter().cloned().collect(),
            first: Vec::new(),
            known: BTreeMap::new(),
        }
    }

    fn known(&mut self, namespace: &Name) -> &mut BTreeSet<AppRef> {
        self.known.entry(namespace.clone()).or_default()
    }

    fn listed(&mut self, namespace: &Name, apps: Vec<Application>) -> News {
        let ids: BTreeSet<AppRef> = apps.iter().map(|a| a.id.clone()).collect();
        let before = self
            .known
            .insert(namespace.clone(), ids)
            .unwrap_or_default();
        if self.waiting.is_empty() {
            let now = self.known(namespace);
            let gone = before.into_iter().filter(|a| !now.contains(a)).collect();
            return News::Some {
                changed: apps,
                gone,
            };
        }
        self.waiting.remove(namespace);
        self.first.extend(apps);
        if self.waiting.is_empty() {
            return News::All(std::mem::take(&mut self.first));
        }
        News::Nothing
    }
}

//! Folds one event into the fleet. The only place where late events are dropped.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::reach::Reach;
use super::{AppState, Cluster, Drifted, Fleet, Judged};
use crate::domain::{
    AppKind, AppRef, Application, ClusterEvent, ClusterId, ConnectionFacts, DriftState, Fact, Gvk,
    JoinCandidate, LinkState, ObjectRef, Resource,
};

/// What a fold changed, so that only what shows it is drawn again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Something that a screen could show changed.
    pub visible: bool,
    /// The event came from an older generation and was dropped.
    pub late: bool,
}

impl Changes {
    const NONE: Self = Self {
        visible: false,
        late: false,
    };
    const LATE: Self = Self {
        visible: false,
        late: true,
    };
}

impl Fleet {
    /// Folds one event; returns what it changed.
    pub fn fold(&mut self, event: ClusterEvent) -> Changes {
        let ClusterEvent {
            cluster: id,
            generation,
            at,
            fact,
        } = event;
        let Some(cluster) = self.clusters.get_mut(&id) else {
            return Changes::NONE;
        };
        if generation < cluster.generation {
            return Changes::LATE;
        }
        cluster.generation = generation;
        let reach = self.reach(&id, &fact);
        let before = match &reach {
            Reach::App(app) => self.cluster_of(app).cloned(),
            _ => None,
        };
        let visible = self.fold_fact(&id, at, fact);
        if visible {
            self.touch();
            self.reached(&id, reach, before);
        }
        Changes {
            visible,
            late: false,
        }
    }

    fn fold_fact(&mut self, id: &ClusterId, at: Timestamp, fact: Fact) -> bool {
        match fact {
            Fact::Link { state, message } => {
                self.tell_link(id, state, message.as_ref(), at);
                self.reached_drift();
                self.with(id, |c| c.set_link(state, message, at))
            }
            Fact::Seen => {
                // A live row shows no age, so this alone draws nothing.
                self.with(id, |c| c.seen_at = Some(at));
                false
            }
            Fact::Facts(facts) => self.fold_facts(id, *facts),
            Fact::Permissions(list) => self.with(id, |c| c.permissions = list),
            Fact::Tracking(tracking) => self.with(id, |c| c.tracking = tracking),
            Fact::HubClusters(list) => {
                let known = self.clusters.get(id).map(|c| &c.hub_clusters);
                if known == Some(&list) {
                    return false;
                }
                self.labelled.take(id, &list);
                self.with(id, |c| c.hub_clusters = list);
                self.rejoin_hub(id);
                true
            }
            Fact::MergedInto(other) => {
                self.with(id, |c| c.merged_into = Some(other));
                self.forget_resources(id);
                self.rejoin();
                true
            }
            Fact::Apps(apps) => {
                self.fold_apps(id, AppKind::Application, apps, at);
                self.with(id, |c| c.apps_listed = true)
            }
            Fact::AppsOf { kind, apps } => {
                self.fold_apps(id, kind, apps, at);
                true
            }
            Fact::EngineListed(engine) => self.with(id, |c| {
                c.engines_listed.insert(engine);
            }),
            Fact::NoticesOf { kind, all } => self.fold_all_notices(id, kind, all, at),
            Fact::Notices { app, notices } => self.fold_notices(app, notices, at),
            Fact::Projects(list) => self.with(id, |c| c.projects = list),
            Fact::Pace(pace) => self.with(id, |c| c.pace = pace),
            Fact::App(app) => self.fold_app(*app, at),
            Fact::AppGone(app) => self.forget_app(&app),
            Fact::Kind { gvk, resources } => self.fold_kind(id, &gvk, resources, at),
            Fact::KindUnread { gvk, message } => self.with(id, |c| {
                c.unread_kinds.insert(gvk, message);
            }),
            Fact::Resource(resource) => self.fold_resource(id, Arc::new(*resource), at),
            Fact::ResourceGone(object) => self.forget_resource(id, &object),
            Fact::AppUnjudged { app, reason } => self.with_app(&app, |state| {
                let heard = state.judged.as_ref().and_then(|j| j.hindered.clone());
                // What was heard for this very reason stays heard, whichever of the two came first.
                let is_news = reason.is_some() && reason != state.unjudged;
                if heard != reason && (is_news || heard.is_some()) {
                    state.judged = None;
                }
                state.unjudged = reason;
            }),
            Fact::AppStandIn { app, because } => {
                self.with_app(&app, |state| state.stand_in = because)
            }
            Fact::AppNewest { app, newest } => self.with_app(&app, |state| state.newest = newest),
            Fact::AppJudged {
                app,
                deployed,
                target,
                hindered,
            } => self.with_app(&app, |state| {
                state.judged = Some(Judged {
                    deployed,
                    target,
                    at,
                    hindered,
                })
            }),
            Fact::Metrics(metrics) => self.with(id, |c| c.metrics = Some(Arc::new(*metrics))),
            Fact::Dropped(count) => self.with(id, |c| c.dropped_events += count),
            Fact::Gone => false,
        }
    }

    fn with(&mut self, id: &ClusterId, change: impl FnOnce(&mut Cluster)) -> bool {
        self.clusters.get_mut(id).map(change).is_some()
    }

    fn with_app(&mut self, id: &AppRef, change: impl FnOnce(&mut AppState)) -> bool {
        self.apps.get_mut(id).map(change).is_some()
    }

    fn fold_facts(&mut self, id: &ClusterId, facts: ConnectionFacts) -> bool {
        let Some(cluster) = self.clusters.get_mut(id) else {
            return false;
        };
        let candidate = JoinCandidate {
            cluster: Some(id.clone()),
            contexts: facts.contexts.iter().map(|c| c.as_str().into()).collect(),
            server: facts.server.as_str().into(),
            ca: facts.ca.as_str().into(),
            namespace_scope: facts.namespace_scope.as_str().into(),
        };
        let rejoin = cluster.candidate != candidate;
        cluster.candidate = candidate;
        cluster.facts = Some(facts);
        if rejoin {
            self.rejoin();
        }
        true
    }

    fn fold_apps(&mut self, hub: &ClusterId, kind: AppKind, apps: Vec<Application>, at: Timestamp) {
        let keep: std::collections::HashSet<AppRef> = apps.iter().map(|a| a.id.clone()).collect();
        let gone: Vec<AppRef> = self
            .apps_of_hub(hub)
            .filter(|id| id.kind == kind && !keep.contains(id))
            .cloned()
            .collect();
        for app in &gone {
            self.forget_app(app);
        }
        for app in apps {
            self.fold_app(app, at);
        }
    }

    fn forget_app(&mut self, id: &AppRef) -> bool {
        let gone = self.apps.remove(id);
        if let Some(state) = &gone {
            self.reached.moved(id, state.cluster.as_ref(), None);
        }
        gone.is_some()
    }

    fn fold_app(&mut self, app: Application, at: Timestamp) -> bool {
        let cluster = self.joined(&app);
        let old = self.apps.get(&app.id).map(|known| Arc::clone(&known.app));
        self.tell_app(old.as_deref(), &app, cluster.as_ref(), at);
        let id = app.id.clone();
        let told = self.told_of_drift(&id);
        let before = self.cluster_of(&id).cloned();
        self.reached.moved(&id, before.as_ref(), cluster.as_ref());
        let app = Arc::new(app);
        match self.apps.get_mut(&id) {
            Some(state) => {
                state.app = app;
                state.cluster = cluster;
            }
            None => {
                self.apps.insert(
                    id.clone(),
                    AppState {
                        app,
                        cluster,
                        unjudged: None,
                        judged: None,
                        newest: None,
                        stand_in: None,
                    },
                );
            }
        }
        self.tell_corrections(&id, &told, at);
        true
    }

    fn fold_kind(
        &mut self,
        id: &ClusterId,
        gvk: &Gvk,
        resources: Vec<Resource>,
        at: Timestamp,
    ) -> bool {
        let Some(cluster) = self.clusters.get_mut(id) else {
            return false;
        };
        cluster.unread_kinds.remove(gvk);
        let new: HashMap<ObjectRef, Arc<Resource>> = resources
            .into_iter()
            .map(|r| (r.object.clone(), Arc::new(r)))
            .collect();
        let gone: Vec<ObjectRef> = cluster
            .resources
            .keys()
            .filter(|o| o.gvk.same_kind(gvk) && !new.contains_key(*o))
            .cloned()
            .collect();
        for object in gone {
            self.forget_resource(id, &object);
        }
        for resource in new.into_values() {
            self.fold_resource(id, resource, at);
        }
        true
    }

    fn fold_resource(&mut self, id: &ClusterId, resource: Arc<Resource>, at: Timestamp) -> bool {
        let Some(cluster) = self.clusters.get_mut(id) else {
            return false;
        };
        let object = resource.object.clone();
        let key = (id.clone(), object.clone());
        let old = cluster.resources.insert(object, Arc::clone(&resource));
        self.tell_health(id, old.as_deref(), &resource, at);
        if resource.verdict.is_drift() {
            self.reached_drift();
            let first_seen = match self.drifted.get(&key) {
                Some(known)
                    if known.resource.verdict.fingerprint == resource.verdict.fingerprint =>
                {
                    known.first_seen
                }
                _ => {
                    let began = onset(&resource).unwrap_or(at);
                    self.tell_drift(id, &resource, began, at);
                    began
                }
            };
            self.drifted.insert(
                key,
                Drifted {
                    resource: Arc::clone(&resource),
                    first_seen,
                },
            );
        } else if let Some(was) = self.drifted.remove(&key) {
            self.reached_drift();
            if !resource.verdict.states.contains(&DriftState::Unknown) {
                self.tell_mended(id, &was.resource, at);
            }
        }
        true
    }

    fn forget_resource(&mut self, id: &ClusterId, object: &ObjectRef) -> bool {
        if self.drifted.remove(&(id.clone(), object.clone())).is_some() {
            self.reached_drift();
        }
        self.clusters
            .get_mut(id)
            .is_some_and(|c| c.resources.remove(object).is_some())
    }

    fn forget_resources(&mut self, id: &ClusterId) {
        self.drifted.retain(|(cluster, _), _| cluster != id);
        self.reached_drift();
        self.with(id, |c| c.resources.clear());
    }
}

/// When the drift began, as far as the field owners tell: the newest time at which one of the differing fields was written.
fn onset(resource: &Resource) -> Option<Timestamp> {
    resource
        .verdict
        .changes
        .iter()
        .filter_map(|c| c.owner.as_ref()?.time)
        .max()
}

impl Cluster {
    fn set_link(&mut self, state: LinkState, message: Option<crate::domain::Safe>, at: Timestamp) {
        if state != self.state || self.since.is_none() {
            self.since = Some(at);
        }
        if state.is_current() {
            self.seen_at = Some(at);
        }
        self.state = state;
        self.message = message;
    }
}

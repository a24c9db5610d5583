//! The desk of one cluster's Flux: puts documents that belong together side by side, and says which rows must be told anew. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::gifts::Gifts;
use crate::domain::{AppKind, AppRef, Application, ClusterId, Name, Unjudged};
use crate::sources::engine::flux;
use crate::sources::engine::flux::origin::{Origin, Origins};
use crate::sources::engine::flux::wants::{Reference, Wants};

/// What is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Topic {
    /// The documents of a kind.
    Documents(AppKind),
    /// The events about documents of a kind.
    Events(AppKind),
}

/// What the desk knows.
#[derive(Debug)]
pub(super) struct Desk {
    cluster: ClusterId,
    origins: Origins,
    wants: BTreeMap<AppRef, Wants>,
    /// What applies objects and is not rendered.
    unrendered: BTreeSet<AppRef>,
    gifts: BTreeMap<AppRef, Result<Gifts, Unjudged>>,
    /// What has been listed, or cannot be.
    heard: BTreeSet<Topic>,
}

/// What is read for a row.
#[derive(Clone, Debug)]
pub(super) struct Errand {
    pub(super) app: AppRef,
    pub(super) references: Vec<Reference>,
}

impl Desk {
    pub(super) fn new(cluster: ClusterId) -> Self {
        Self {
            cluster,
            origins: Origins::new(),
            wants: BTreeMap::new(),
            unrendered: BTreeSet::new(),
            gifts: BTreeMap::new(),
            heard: BTreeSet::new(),
        }
    }

    /// Notes that somebody has spoken of a topic; `true` the first time.
    pub(super) fn hear(&mut self, topic: Topic) -> bool {
        self.heard.insert(topic)
    }

    /// How many topics have been spoken of.
    pub(super) fn heard(&self) -> usize {
        self.heard.len()
    }

    /// Takes one document; gives its row, and the rows of those that build from it.
    pub(super) fn take(
        &mut self,
        kind: AppKind,
        object: &Value,
    ) -> (Application, Vec<Application>) {
        let row = flux::row(kind, object, &self.cluster);
        let id = row.id.clone();
        if let Some(origin) = Origin::of(kind, object, &self.cluster) {
            let known = self.origins.insert(id.clone(), origin.clone());
            let moved = known.as_ref() != Some(&origin);
            let others = if moved {
                self.builders(&id)
            } else {
                Vec::new()
            };
            return (row, others);
        }
        if let Some(wants) = Wants::of(kind, object, &row) {
            self.wants.insert(id.clone(), wants);
        } else if kind.applies() {
            self.unrendered.insert(id.clone());
        }
        (self.row(&id).unwrap_or(row), Vec::new())
    }

    /// A document is gone; gives the rows of those that built from it.
    pub(super) fn drop(&mut self, id: &AppRef) -> Vec<Application> {
        self.wants.remove(id);
        self.unrendered.remove(id);
        self.gifts.remove(id);
        match self.origins.remove(id) {
            Some(_) => self.builders(id),
            None => Vec::new(),
        }
    }

    /// Those of a kind that are not among these any more.
    pub(super) fn missing(&self, kind: AppKind, among: &[Application]) -> Vec<AppRef> {
        let ids: BTreeSet<&AppRef> = among.iter().map(|a| &a.id).collect();
        let known = self.origins.keys().chain(self.wants.keys());
        let known = known.chain(&self.unrendered);
        known
            .filter(|id| id.kind == kind && !ids.contains(id))
            .cloned()
            .collect()
    }

    /// What has to be read for a row, if anything.
    pub(super) fn errand(&self, id: &AppRef) -> Option<Errand> {
        let wants = self.wants.get(id)?;
        (!wants.references.is_empty()).then(|| Errand {
            app: id.clone(),
            references: wants.references.clone(),
        })
    }

    /// Takes what was read for a row; gives the row and the name that its gifts are known by, unless it is gone meanwhile.
    pub(super) fn receive(
        &mut self,
        id: &AppRef,
        gifts: Result<Gifts, Unjudged>,
    ) -> Option<(Name, Application)> {
        let receiver = self.wants.get(id)?.receiver();
        self.gifts.insert(id.clone(), gifts);
        Some((receiver, self.row(id)?))
    }

    /// The rows of everything that is rendered.
    pub(super) fn rows(&self) -> Vec<Application> {
        let ids = self.wants.keys();
        ids.filter_map(|id| self.row(id)).collect()
    }

    fn builders(&self, source: &AppRef) -> Vec<Application> {
        let of_it = |wants: &&Wants| wants.leans_on(source, &self.origins);
        let ids = self.wants.values().filter(of_it).map(|w| &w.row.id);
        ids.filter_map(|id| self.row(id)).collect()
    }

    /// A row with everything that is known for its rendering.
    fn row(&self, id: &AppRef) -> Option<Application> {
        let wants = self.wants.get(id)?;
        let gifts = self.gifts.get(id);
        let stamp = gifts.map(|g| g.as_ref().map(|g| g.stamp.clone()).map_err(Clone::clone));
        let mut row = wants.row(&self.origins, stamp.as_ref());
        let server = gifts.and_then(|g| g.as_ref().ok()?.server.clone());
        if let Some(server) = server {
            row.destination.server = server;
            row.destination.name = Name::default();
        }
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn repository(revision: &str) -> Value {
        json!({"metadata": {"name": "fleet", "namespace": "flux-system"}, "spec": {"url": "https://git.example/fleet"},
            "status": {"artifact": {"revision": format!("main@sha1:{revision}")}}})
    }

    fn kustomization() -> Value {
        json!({"metadata": {"name": "infra", "namespace": "flux-system"},
            "spec": {"path": "./infra", "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "kubeConfig": {"secretRef": {"name": "ber"}}},
            "status": {"lastAppliedRevision": "main@sha1:aaa"}})
    }

    #[test]
    fn a_source_that_moves_moves_those_that_build_from_it() {
        let mut desk = Desk::new("edge-oslo-003".into());
        let (row, _) = desk.take(AppKind::Kustomization, &kustomization());
        assert!(row.report.hindrance.is_some());
        let (source, moved) = desk.take(AppKind::GitRepository, &repository("bbb"));
        assert_eq!(moved.len(), 1);
        assert_eq!(&*moved[0].sources[0].target_revision, "bbb");
        assert_eq!(
            desk.take(AppKind::GitRepository, &repository("bbb"))
                .1
                .len(),
            0
        );
        assert!(desk.missing(AppKind::Kustomization, &[]).contains(&row.id));
        assert!(desk.drop(&source.id)[0].report.hindrance.is_some());
    }

    #[test]
    fn a_kubeconfig_that_may_be_read_names_the_cluster() {
        let mut desk = Desk::new("edge-oslo-003".into());
        desk.take(AppKind::GitRepository, &repository("bbb"));
        let (row, _) = desk.take(AppKind::Kustomization, &kustomization());
        assert_eq!(&*row.destination.name, "ber");
        assert_eq!(desk.errand(&row.id).unwrap().references.len(), 1);
        let gifts = Gifts {
            server: Some("https://ber.example".into()),
            ..Gifts::default()
        };
        let (_, row) = desk.receive(&row.id, Ok(gifts)).unwrap();
        assert_eq!(&*row.destination.server, "https://ber.example");
        assert!(row.destination.name.is_empty() && row.report.hindrance.is_none());
    }
}

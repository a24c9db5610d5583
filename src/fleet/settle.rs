//! What is still to be heard before an answer about the whole fleet is as complete as it can be.

use super::{AppState, Cluster, Fleet};
use crate::domain::{
    AppRef, ClusterId, DriftState, Engine, LinkState, Safe, Selector, SyncState, Unjudged,
    UnjudgedReason,
};

/// A cluster that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The row.
    pub cluster: ClusterId,
    /// Why, in one sentence.
    pub reason: Safe,
    /// Since when.
    pub since: Option<jiff::Timestamp>,
}

impl Fleet {
    /// How many rows and applications have not given their first full answer yet; 0 means settled.
    ///
    /// A row that is unreachable, stale, refused or denied has answered in its way.
    pub fn pending(&self) -> usize {
        let rows = self.clusters.values().filter(|c| is_pending(c)).count();
        let apps = self.apps.values().filter(|state| {
            let edge = state.cluster.as_ref().and_then(|id| self.clusters.get(id));
            let heard = state.judged.is_some()
                || state.hindrance().is_some_and(|why| is_final(state, why))
                || !state.app.id.kind.applies();
            edge.is_some_and(|c| c.state.is_current()) && !heard
        });
        rows + apps.count()
    }

    /// Whether a row that was live a moment ago has fallen silent: it may be back before an answer has to be given.
    pub fn is_faltering(&self) -> bool {
        let mut rows = self.clusters.values();
        rows.any(|c| c.merged_into.is_none() && c.state == LinkState::Stale)
    }

    /// Rows that the answer does not cover, in name order.
    pub fn unread(&self) -> Vec<Unread> {
        self.clusters
            .values()
            .filter(|c| c.merged_into.is_none() && !c.state.is_current())
            .map(|c| Unread {
                cluster: c.id.clone(),
                reason: c.message.clone().unwrap_or(Safe::fixed("No answer yet.")),
                since: c.since,
            })
            .collect()
    }

    /// Applications in the selection that we could not judge ourselves: hub row, namespace, name, reason.
    ///
    /// Those on unread clusters are not repeated here.
    pub fn unjudged(&self, selector: &Selector) -> Vec<(crate::domain::AppRef, Safe)> {
        self.apps
            .values()
            .filter(|state| state.app.id.kind.applies())
            .filter(|state| selector.matches_app(state.cluster.as_ref(), &state.app.id))
            .filter_map(|state| {
                let edge = state.cluster.as_ref().and_then(|id| self.clusters.get(id));
                if edge.is_some_and(|c| !c.state.is_current()) {
                    return None;
                }
                if let Some(unjudged) = state.hindrance() {
                    return Some((state.app.id.clone(), unjudged.message.clone()));
                }
                let message = match (&state.judged, edge) {
                    (_, None) => Safe::fixed("Its destination is no cluster of the kubeconfig; add a context or an alias."),
                    (None, Some(_)) => Safe::fixed("It has not been judged yet; try again with a longer --wait."),
                    (Some(_), Some(edge)) if self.app_verdict(state).state == SyncState::Unknown => unread(edge, &state.app.id),
                    _ => return None,
                };
                Some((state.app.id.clone(), message))
            })
            .collect()
    }
}

/// Why an object of the application is unknown, in its own words when it has some.
fn unread(edge: &Cluster, app: &AppRef) -> Safe {
    let of_it = edge.resources.values().filter(|r| r.app == *app);
    let mut unknown = of_it.filter(|r| r.verdict.states.contains(&DriftState::Unknown));
    let said = unknown.find_map(|r| {
        let message = r.verdict.message.as_ref()?;
        Some(Safe::from(format!("{}: {message}", r.object)))
    });
    said.unwrap_or_else(|| unread_kind(edge))
}

fn unread_kind(edge: &Cluster) -> Safe {
    edge.unread_kinds
        .values()
        .next()
        .cloned()
        .unwrap_or(Safe::fixed("Some of its kinds cannot be read on the edge."))
}

/// What is still being read is no answer yet; where what was last applied may stand in, or an inventory is followed, the edge is heard first.
fn is_final(state: &AppState, unjudged: &Unjudged) -> bool {
    let edge_speaks = state.app.engine == Engine::Flux || unjudged.reason.may_stand_in();
    unjudged.reason != UnjudgedReason::Pending && !edge_speaks
}

fn is_awaited(cluster: &Cluster, engines: &[Engine]) -> bool {
    engines.iter().any(|engine| match engine {
        Engine::Argo => !cluster.apps_listed,
        Engine::Flux => !cluster.engines_listed.contains(engine),
    })
}

fn is_pending(cluster: &Cluster) -> bool {
    if cluster.merged_into.is_some() {
        return false;
    }
    match cluster.state {
        LinkState::Connecting => true,
        LinkState::Live | LinkState::Slow => cluster
            .facts
            .as_ref()
            .is_none_or(|f| is_awaited(cluster, &f.engines)),
        _ => false,
    }
}

//! Whose verdict on an application counts: ours where every object was judged, else the engine's, and where the two differ.

use std::sync::Arc;

use jiff::Timestamp;

use super::{AppState, Cluster, Fleet};
use crate::domain::{
    AppRef, ClusterId, DriftState, Engine, Resource, Safe, SyncState, VerdictSource,
};

/// Our verdict on an application, or the engine's where we have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppVerdict {
    /// Who says it.
    pub source: VerdictSource,
    /// The verdict.
    pub state: SyncState,
    /// When it was made.
    pub at: Option<Timestamp>,
}

impl Fleet {
    /// Whether both its hub and its edge are.
    pub(super) fn is_current(&self, state: &AppState) -> bool {
        let current = |id: &ClusterId| self.clusters.get(id).is_some_and(|c| c.state.is_current());
        current(&state.app.id.hub) && state.cluster.as_ref().is_some_and(current)
    }

    /// Ours once every object was judged and the edge is current; unknown while the edge is not; else the engine's, labelled so.
    pub(crate) fn app_verdict(&self, state: &AppState) -> AppVerdict {
        self.verdict_by(state, |edge| self.marks(edge).word(&state.app.id))
    }

    /// The same, with our word from what is known about the edge's objects.
    pub(super) fn verdict_by(
        &self,
        state: &AppState,
        word: impl FnOnce(&Cluster) -> SyncState,
    ) -> AppVerdict {
        let engine = match state.app.engine {
            Engine::Argo => VerdictSource::Argo,
            Engine::Flux => VerdictSource::Flux,
        };
        let edge = state.cluster.as_ref().and_then(|id| self.clusters.get(id));
        if edge.is_some_and(|c| !c.state.is_current()) {
            return AppVerdict {
                source: VerdictSource::Computed,
                state: SyncState::Unknown,
                at: edge.and_then(|c| c.seen_at),
            };
        }
        let hub_current = self
            .clusters
            .get(&state.app.id.hub)
            .is_some_and(|c| c.state.is_current());
        match (&state.judged, edge) {
            (Some(judged), Some(edge)) if state.hindrance().is_none() => AppVerdict {
                source: match state.stand_in {
                    Some(_) => VerdictSource::ArgoApi,
                    None => VerdictSource::Computed,
                },
                state: word(edge),
                at: Some(judged.at),
            },
            _ if hub_current => AppVerdict {
                source: engine,
                state: state.app.sync,
                at: state.app.reconciled_at,
            },
            _ => AppVerdict {
                source: engine,
                state: SyncState::Unknown,
                at: state.app.reconciled_at,
            },
        }
    }

    /// What the objects of an edge say about the applications that they belong to.
    pub(super) fn marks<'a>(&'a self, edge: &'a Cluster) -> Marks<'a> {
        let unread = |r: &&Arc<Resource>| r.verdict.states.contains(&DriftState::Unknown);
        Marks {
            drifted: self.drift_of(&edge.id).map(|d| &d.resource.app).collect(),
            unread: edge
                .resources
                .values()
                .filter(unread)
                .map(|r| &r.app)
                .collect(),
        }
    }
}

/// The applications of one edge that have drifted objects, and those that have unread ones: few of many.
pub(super) struct Marks<'a> {
    drifted: Vec<&'a AppRef>,
    unread: Vec<&'a AppRef>,
}

impl Marks<'_> {
    pub(super) fn word(&self, app: &AppRef) -> SyncState {
        if self.drifted.contains(&app) {
            SyncState::OutOfSync
        } else if self.unread.contains(&app) {
            SyncState::Unknown
        } else {
            SyncState::Synced
        }
    }
}

/// The hub's word against ours, when they differ about what is deployed.
pub(super) fn disagreement(
    state: &AppState,
    verdict: &AppVerdict,
    edited: usize,
    seen: Option<Timestamp>,
) -> Option<Safe> {
    if !matches!(
        verdict.source,
        VerdictSource::Computed | VerdictSource::ArgoApi
    ) {
        return None;
    }
    let when = |at: Option<Timestamp>| match at {
        Some(at) => at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        None => "at an unknown time".to_owned(),
    };
    let (hub, edge) = (when(state.app.reconciled_at), when(seen.max(verdict.at)));
    match (state.app.sync, verdict.state) {
        (SyncState::Synced, SyncState::OutOfSync) if edited > 0 => Some(Safe::from(format!(
            "The hub says Synced (compared {hub}); {edited} resource(s) on the edge differ from Git (seen {edge})."
        ))),
        (SyncState::OutOfSync, SyncState::Synced) => Some(Safe::from(format!(
            "The hub says OutOfSync (compared {hub}); every resource on the edge equals Git (seen {edge})."
        ))),
        _ => None,
    }
}

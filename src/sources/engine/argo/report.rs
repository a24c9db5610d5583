//! What an Application says beyond sync and health: conditions, retries, the hydrator, leftovers.

use serde_json::Value;

use super::raw::{RawHydration, RawMeta, RawOperationState, RawSpec, RawStatus};
use crate::domain::{
    AppKind, AppRef, ClusterId, Condition, EngineReport, Hydration, Name, Safe, SyncState,
};

/// The report of one Application.
pub(super) fn of(
    metadata: &RawMeta,
    spec: &RawSpec,
    status: &RawStatus,
    operation: Option<&Value>,
    hub: &ClusterId,
) -> EngineReport {
    let state = status.operation_state.as_ref();
    let automated = spec.sync_policy.as_ref().and_then(|p| p.automated.as_ref());
    EngineReport {
        conditions: conditions(status),
        retries: state.map_or(0, |s| s.retry_count),
        retry_limit: state.and_then(|s| s.operation.as_ref()?.retry.limit),
        operation_left_over: left_over(operation, state),
        hydration: status
            .source_hydrator
            .as_ref()
            .and_then(|h| h.current_operation.as_ref())
            .map(hydration),
        owner: owner(metadata, hub),
        finalizers: metadata.finalizers.clone().unwrap_or_default(),
        to_confirm: status
            .resources
            .iter()
            .flatten()
            .filter(|r| r.requires_deletion_confirmation)
            .count(),
        auto_switched_off: automated.is_some_and(|a| a.enabled == Some(false)),
        ..EngineReport::default()
    }
}

fn conditions(status: &RawStatus) -> Vec<Condition> {
    let all = status.conditions.iter().flatten();
    all.map(|c| Condition {
        kind: c.kind.clone(),
        status: "True".into(),
        reason: Safe::default(),
        message: Safe::new(&c.message),
        since: c.last_transition_time,
    })
    .collect()
}

fn hydration(raw: &RawHydration) -> Hydration {
    Hydration {
        phase: raw.phase.clone(),
        message: Safe::new(&raw.message),
        started_at: raw.started_at,
    }
}

fn owner(metadata: &RawMeta, hub: &ClusterId) -> Option<AppRef> {
    let owner = metadata
        .owner_references
        .iter()
        .find(|o| &*o.kind == "ApplicationSet")?;
    Some(AppRef {
        hub: hub.clone(),
        kind: AppKind::ApplicationSet,
        namespace: metadata.namespace.clone(),
        name: owner.name.clone(),
    })
}

/// Whether what is asked for is what has ended: a controller that cannot clear the field leaves it so for ever.
fn left_over(asked: Option<&Value>, state: Option<&RawOperationState>) -> bool {
    let (Some(asked), Some(state)) = (asked, state) else {
        return false;
    };
    let ended = matches!(&*state.phase, "Succeeded" | "Failed" | "Error");
    let done = state.operation.as_ref();
    let revision = |v: &Value| {
        v.pointer("/sync/revision")
            .and_then(Value::as_str)
            .map(Name::from)
            .unwrap_or_default()
    };
    let by = |v: &Value| {
        v.pointer("/initiatedBy/username")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let selective = |v: &Value| {
        v.pointer("/sync/resources")
            .and_then(Value::as_array)
            .map_or(0, Vec::len)
    };
    ended
        && done.is_some_and(|done| {
            let sync = done.sync.clone().unwrap_or_default();
            let who = done.initiated_by.clone().unwrap_or_default().username;
            sync.revision == revision(asked)
                && sync.resources.map_or(0, |r| r.len()) == selective(asked)
                && who == by(asked)
        })
}

/// The engine's word by its conditions, for kinds without a sync status of their own.
pub(super) fn sync_by_conditions(report: &EngineReport) -> SyncState {
    match report.condition("ResourcesUpToDate") {
        Some(c) if &*c.status == "True" => SyncState::Synced,
        Some(c) if &*c.status == "False" => SyncState::OutOfSync,
        _ => SyncState::Unknown,
    }
}

//! An Application as it comes over the wire: only the fields that are used become values, the rest of 10 to 100 KB is skipped.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::domain::Name;

/// An Application as it comes over the wire, cut down to the fields that are used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RawApplication {
    pub(super) metadata: RawMeta,
    pub(super) spec: RawSpec,
    pub(super) status: RawStatus,
    pub(super) operation: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawMeta {
    pub(super) name: Name,
    pub(super) namespace: Name,
    pub(super) uid: Name,
    pub(super) resource_version: Name,
    pub(super) creation_timestamp: Option<Timestamp>,
    pub(super) deletion_timestamp: Option<Timestamp>,
    pub(super) labels: Option<std::collections::BTreeMap<Name, Name>>,
    pub(super) annotations: Option<Annotations>,
    pub(super) owner_references: Vec<RawOwner>,
    pub(super) finalizers: Option<Vec<Name>>,
}

/// The only annotations that are used; the rest, last-applied among it, is skipped while parsing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Annotations {
    #[serde(rename = "argocd.argoproj.io/skip-reconcile")]
    pub(super) skip_reconcile: Name,
    #[serde(rename = "argocd.argoproj.io/compare-options")]
    pub(super) compare_options: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawOwner {
    pub(super) kind: Name,
    pub(super) name: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawSpec {
    pub(super) source: Option<RawSource>,
    pub(super) sources: Option<Vec<RawSource>>,
    pub(super) source_hydrator: Option<serde::de::IgnoredAny>,
    pub(super) destination: Destination3,
    pub(super) project: Name,
    pub(super) sync_policy: Option<RawSyncPolicy>,
    pub(super) ignore_differences: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Destination3 {
    pub(super) server: Name,
    pub(super) name: Name,
    pub(super) namespace: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawSource {
    #[serde(rename = "repoURL")]
    pub(super) repo_url: Name,
    pub(super) path: Name,
    pub(super) target_revision: Name,
    pub(super) chart: Name,
    pub(super) helm: Option<Value>,
    pub(super) kustomize: Option<Value>,
    pub(super) plugin: Option<serde::de::IgnoredAny>,
    pub(super) directory: Option<RawDirectory>,
    #[serde(rename = "ref")]
    pub(super) reference: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawDirectory {
    pub(super) recurse: bool,
    pub(super) include: Name,
    pub(super) exclude: Name,
    pub(super) jsonnet: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawSyncPolicy {
    pub(super) automated: Option<RawAutomated>,
    pub(super) sync_options: Option<Vec<Name>>,
    pub(super) retry: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawAutomated {
    pub(super) prune: Option<bool>,
    pub(super) self_heal: Option<bool>,
    pub(super) enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawStatus {
    pub(super) sync: RawSync,
    pub(super) health: RawHealth,
    pub(super) resources: Option<Vec<RawResource>>,
    pub(super) history: Option<Vec<RawHistory>>,
    pub(super) conditions: Option<Vec<RawCondition>>,
    pub(super) reconciled_at: Option<Timestamp>,
    pub(super) operation_state: Option<RawOperationState>,
    pub(super) controller_namespace: Name,
    pub(super) summary: Option<RawSummary>,
    pub(super) source_hydrator: Option<RawHydrator>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawHydrator {
    pub(super) current_operation: Option<RawHydration>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawHydration {
    pub(super) phase: Name,
    pub(super) message: String,
    pub(super) started_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSummary {
    pub(super) images: Option<Vec<Name>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSync {
    pub(super) status: Name,
    pub(super) revision: Name,
    pub(super) revisions: Option<Vec<Name>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawHealth {
    pub(super) status: Name,
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawResource {
    pub(super) group: Name,
    pub(super) version: Name,
    pub(super) kind: Name,
    pub(super) namespace: Name,
    pub(super) name: Name,
    pub(super) status: Name,
    pub(super) health: Option<RawHealth>,
    pub(super) hook: bool,
    pub(super) requires_pruning: bool,
    pub(super) requires_deletion_confirmation: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawHistory {
    pub(super) id: i64,
    pub(super) revision: Name,
    pub(super) revisions: Option<Vec<Name>>,
    pub(super) deployed_at: Option<Timestamp>,
    pub(super) source: Option<RawSource>,
    pub(super) sources: Option<Vec<RawSource>>,
    pub(super) initiated_by: Option<RawInitiator>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawCondition {
    #[serde(rename = "type")]
    pub(super) kind: Name,
    pub(super) message: String,
    pub(super) last_transition_time: Option<Timestamp>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawOperationState {
    pub(super) phase: Name,
    pub(super) message: String,
    pub(super) started_at: Option<Timestamp>,
    pub(super) finished_at: Option<Timestamp>,
    pub(super) sync_result: Option<RawSync>,
    pub(super) operation: Option<RawOperation>,
    pub(super) retry_count: i64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawOperation {
    pub(super) sync: Option<RawSyncOperation>,
    pub(super) initiated_by: Option<RawInitiator>,
    pub(super) retry: RawRetry,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRetry {
    pub(super) limit: Option<i64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSyncOperation {
    pub(super) revision: Name,
    pub(super) resources: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawInitiator {
    pub(super) username: String,
    pub(super) automated: bool,
}

//! One GitOps application as a slim row: what the engine says of it, and what we need to judge it ourselves.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AppRef, Engine, EngineReport, Gvk, Health, Name, ObjectRef, Safe, SyncState};

/// A slim Application: the fields the fleet needs out of documents that weigh 10 to 100 KB each.
#[derive(Clone, Debug, PartialEq)]
pub struct Application {
    /// Who it is.
    pub id: AppRef,
    /// The engine that carries it.
    pub engine: Engine,
    /// `metadata.uid`.
    pub uid: Name,
    /// `metadata.resourceVersion` of this state.
    pub resource_version: Name,
    /// `metadata.creationTimestamp`.
    pub created: Option<Timestamp>,
    /// Argo CD project; empty reads as `default`.
    pub project: Name,
    /// Where it deploys to.
    pub destination: Destination,
    /// Its sources; more than one for multi-source applications.
    pub sources: Vec<Source>,
    /// The engine's sync verdict.
    pub sync: SyncState,
    /// The revision the engine compared with (`status.sync.revision`); not what is deployed.
    pub compared_revision: Name,
    /// The engine's health verdict.
    pub health: Health,
    /// The engine's words on the health or on its conditions.
    pub message: Option<Safe>,
    /// Deployments that ended well, oldest first.
    pub history: Vec<HistoryEntry>,
    /// What the engine does by itself.
    pub auto_sync: AutoSync,
    /// `spec.syncPolicy.syncOptions`; a manual operation must repeat them.
    pub sync_options: Vec<Name>,
    /// `spec.syncPolicy.retry`, verbatim; a manual operation must repeat it.
    pub retry: Option<serde_json::Value>,
    /// `spec.ignoreDifferences`, verbatim.
    pub ignore_differences: Option<serde_json::Value>,
    /// The application's own compare options, as its annotation writes them: `ServerSideDiff=true,IncludeMutationWebhook=true`.
    pub compare_options: Name,
    /// The resources the engine says it manages.
    pub resources: Vec<ManagedResource>,
    /// The running or last operation.
    pub operation: Option<Operation>,
    /// Whether `.operation` is set: an operation is asked for or running.
    pub operation_requested: bool,
    /// Whether the application or its cluster is annotated `skip-reconcile`: its status is frozen and operations are ignored.
    pub skip_reconcile: bool,
    /// Whether an ApplicationSet owns it.
    pub owned_by_set: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// When the engine last compared with the newest Git (`status.reconciledAt`).
    pub reconciled_at: Option<Timestamp>,
    /// The name of the namespace that Argo CD itself runs in, when the status says so; decides the tracking name.
    pub controller_namespace: Name,
    /// The images that its objects run, as the engine lists them (`status.summary.images`).
    pub images: Vec<Name>,
    /// Labels, for selectors.
    pub labels: Vec<(Name, Name)>,
    /// What the document says beyond this; warnings are made from it.
    pub report: EngineReport,
}

impl Application {
    /// The revision whose desired state is in the cluster: that of the newest full deployment in the history.
    pub fn deployed_revision(&self) -> Option<&HistoryEntry> {
        self.history.last()
    }
}

/// Where an application deploys to, as its spec says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Destination {
    /// API server URL, trailing slash trimmed; empty when a name is given.
    pub server: Name,
    /// Cluster name; empty when a URL is given.
    pub name: Name,
    /// Namespace that objects without one get.
    pub namespace: Name,
}

/// One source of desired state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    /// Repository URL as the cluster names it; not trusted.
    pub repo_url: Name,
    /// Path inside the repository; `.` or empty is its root.
    pub path: Name,
    /// Branch, tag, commit or range; empty reads as `HEAD`.
    pub target_revision: Name,
    /// Chart name, for Helm repositories; empty otherwise.
    pub chart: Name,
    /// `spec.source.helm`, when it says anything.
    pub helm: Option<Verbatim>,
    /// `spec.source.kustomize`, when it says anything.
    pub kustomize: Option<Verbatim>,
    /// What a Kustomization or HelmRelease of Flux says about rendering, when it is one.
    pub flux: Option<Verbatim>,
    /// Whether `spec.source.plugin` is set.
    pub plugin: bool,
    /// `spec.source.ref`: the name by which value files of other sources refer to it; empty for none.
    pub reference: Name,
    /// `directory.recurse`.
    pub recurse: bool,
    /// `directory.include`, a glob or `{a,b}`; empty takes all.
    pub include: Name,
    /// `directory.exclude`, a glob or `{a,b}`; empty leaves none out.
    pub exclude: Name,
    /// `directory.jsonnet`, when it says anything.
    pub jsonnet: Option<Verbatim>,
}

/// Settings of a rendering program as the cluster has them. They may hold a password, so the debug form shows nothing.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Verbatim(Arc<Value>);

impl Verbatim {
    /// Settings that say anything: none for null and for an empty map, as Argo CD reads them.
    pub fn of(value: Value) -> Option<Self> {
        let says_nothing = value.is_null() || value.as_object().is_some_and(|o| o.is_empty());
        (!says_nothing).then(|| Self(Arc::new(value)))
    }

    /// The settings.
    pub fn value(&self) -> &Value {
        &self.0
    }
}

impl fmt::Debug for Verbatim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verbatim(..)")
    }
}

/// One successful deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryEntry {
    /// Its number.
    pub id: i64,
    /// The commit; the first of several for multi-source applications.
    pub revision: Name,
    /// When it ended.
    pub deployed_at: Option<Timestamp>,
    /// The source it was made from, when recorded.
    pub source: Option<Source>,
    /// The sources it was made from, for multi-source applications; empty otherwise.
    pub sources: Vec<Source>,
    /// Their revisions, in the same order.
    pub revisions: Vec<Name>,
    /// Who began it: a person's name, or `auto-sync`; empty when it is not recorded.
    pub by: Safe,
}

/// What the engine does without being asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AutoSync {
    /// `automated` set and not `enabled: false`.
    pub enabled: bool,
    /// `automated.prune`.
    pub prune: bool,
    /// `automated.selfHeal`, meaningful only while enabled.
    pub self_heal: bool,
}

/// One entry of `status.resources`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedResource {
    /// The object.
    pub object: ObjectRef,
    /// The engine's verdict; hooks and ignored objects have none.
    pub sync: Option<SyncState>,
    /// The engine's health; Argo CD 3 keeps none here.
    pub health: Option<Health>,
    /// Whether it is a hook.
    pub hook: bool,
    /// Whether the engine would delete it.
    pub requires_pruning: bool,
}

/// Phase of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OperationPhase {
    /// In progress, or waiting for a retry when an end time is set.
    Running,
    /// Being stopped.
    Terminating,
    /// Ended: a resource failed.
    Failed,
    /// Ended: it could not be carried out.
    Error,
    /// Ended well.
    Succeeded,
}

/// The running or last operation of an application (`status.operationState`).
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Where it stands.
    pub phase: OperationPhase,
    /// The engine's words.
    pub message: Safe,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended, or the last try of a running one did.
    pub finished_at: Option<Timestamp>,
    /// The revision it synced.
    pub revision: Name,
    /// Whether it names single resources.
    pub selective: bool,
    /// Kinds it touched; only for display.
    pub initiated_by: Safe,
}

/// The kinds an application's status names, without repetition.
pub fn managed_kinds(app: &Application) -> Vec<Gvk> {
    let mut kinds: Vec<Gvk> = app.resources.iter().map(|r| r.object.gvk.clone()).collect();
    kinds.sort();
    kinds.dedup();
    kinds
}

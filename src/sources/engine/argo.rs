//! Argo CD: Applications as slim rows, the tracking settings of argocd-cm, the hub's cluster Secrets without their credentials.
//!
//! Field meanings follow Argo CD's `pkg/apis/application/v1alpha1/types.go`. Only what the fleet needs is read; the rest of a document of
//! 10 to 100 KB never becomes a value.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::domain::{
    AppRef, Application, AutoSync, ClusterId, Destination, Engine, Gvk, Health, HistoryEntry,
    HubCluster, ManagedResource, Name, ObjectRef, Operation, OperationPhase, Safe, Source,
    SyncState, Tracking, TrackingMethod,
};

/// Annotation that freezes an application or all applications of a cluster.
const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";

/// An Application as it comes over the wire, cut down to the fields that are used.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct RawApplication {
    metadata: RawMeta,
    spec: RawSpec,
    status: RawStatus,
    operation: Option<serde::de::IgnoredAny>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMeta {
    name: Name,
    namespace: Name,
    uid: Name,
    resource_version: Name,
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
    labels: Option<std::collections::BTreeMap<Name, Name>>,
    annotations: Option<Annotations>,
    owner_references: Vec<RawOwner>,
}

/// The only annotation that is used; the rest, last-applied among it, is skipped while parsing.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Annotations {
    #[serde(rename = "argocd.argoproj.io/skip-reconcile")]
    skip_reconcile: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawOwner {
    kind: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSpec {
    source: Option<RawSource>,
    sources: Option<Vec<RawSource>>,
    source_hydrator: Option<serde::de::IgnoredAny>,
    destination: Destination3,
    project: Name,
    sync_policy: Option<RawSyncPolicy>,
    ignore_differences: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Destination3 {
    server: Name,
    name: Name,
    namespace: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSource {
    #[serde(rename = "repoURL")]
    repo_url: Name,
    path: Name,
    target_revision: Name,
    chart: Name,
    helm: Option<serde::de::IgnoredAny>,
    kustomize: Option<serde::de::IgnoredAny>,
    plugin: Option<serde::de::IgnoredAny>,
    directory: Option<RawDirectory>,
    #[serde(rename = "ref")]
    reference: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawDirectory {
    recurse: bool,
    include: Name,
    exclude: Name,
    jsonnet: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawSyncPolicy {
    automated: Option<RawAutomated>,
    sync_options: Option<Vec<Name>>,
    retry: Option<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAutomated {
    prune: Option<bool>,
    self_heal: Option<bool>,
    enabled: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawStatus {
    sync: RawSync,
    health: RawHealth,
    resources: Option<Vec<RawResource>>,
    history: Option<Vec<RawHistory>>,
    conditions: Option<Vec<RawCondition>>,
    reconciled_at: Option<Timestamp>,
    operation_state: Option<RawOperationState>,
    controller_namespace: Name,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawSync {
    status: Name,
    revision: Name,
    revisions: Option<Vec<Name>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawHealth {
    status: Name,
    message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawResource {
    group: Name,
    version: Name,
    kind: Name,
    namespace: Name,
    name: Name,
    status: Name,
    health: Option<RawHealth>,
    hook: bool,
    requires_pruning: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawHistory {
    id: i64,
    revision: Name,
    revisions: Option<Vec<Name>>,
    deployed_at: Option<Timestamp>,
    source: Option<RawSource>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawCondition {
    #[serde(rename = "type")]
    kind: String,
    message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawOperationState {
    phase: Name,
    message: String,
    started_at: Option<Timestamp>,
    finished_at: Option<Timestamp>,
    sync_result: Option<RawSync>,
    operation: Option<RawOperation>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawOperation {
    sync: Option<RawSyncOperation>,
    initiated_by: Option<RawInitiator>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawSyncOperation {
    revision: Name,
    resources: Option<Vec<serde::de::IgnoredAny>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct RawInitiator {
    username: String,
    automated: bool,
}

impl RawApplication {
    /// The slim row of an application that a hub holds.
    pub fn into_row(self, hub: &ClusterId) -> Application {
        let Self {
            metadata,
            spec,
            status,
            operation,
        } = self;
        let policy = spec.sync_policy.unwrap_or_default();
        let message = message(&status);
        Application {
            id: AppRef {
                hub: hub.clone(),
                namespace: metadata.namespace,
                name: metadata.name,
            },
            engine: Engine::Argo,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            created: metadata.creation_timestamp,
            project: if spec.project.is_empty() {
                "default".into()
            } else {
                spec.project
            },
            destination: Destination {
                server: spec.destination.server.trim_end_matches('/').into(),
                name: spec.destination.name,
                namespace: spec.destination.namespace,
            },
            sources: sources(spec.sources, spec.source, spec.source_hydrator.is_some()),
            sync: sync_state(&status.sync.status),
            compared_revision: first_revision(status.sync.revision, status.sync.revisions),
            health: health(&status.health.status),
            message,
            history: status
                .history
                .unwrap_or_default()
                .into_iter()
                .map(history)
                .collect(),
            auto_sync: auto_sync(policy.automated.as_ref()),
            sync_options: policy.sync_options.unwrap_or_default(),
            retry: policy.retry,
            ignore_differences: spec.ignore_differences,
            resources: status
                .resources
                .unwrap_or_default()
                .into_iter()
                .map(managed)
                .collect(),
            operation: status.operation_state.and_then(operation_state),
            operation_requested: operation.is_some(),
            skip_reconcile: metadata
                .annotations
                .is_some_and(|a| go_bool(&a.skip_reconcile)),
            owned_by_set: metadata
                .owner_references
                .iter()
                .any(|o| &*o.kind == "ApplicationSet"),
            deleting: metadata.deletion_timestamp.is_some(),
            reconciled_at: status.reconciled_at,
            controller_namespace: status.controller_namespace,
            labels: metadata.labels.unwrap_or_default().into_iter().collect(),
        }
    }

    /// Namespace and name, for deletions.
    pub fn id(&self, hub: &ClusterId) -> AppRef {
        AppRef {
            hub: hub.clone(),
            namespace: self.metadata.namespace.clone(),
            name: self.metadata.name.clone(),
        }
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        &self.metadata.resource_version
    }
}

/// Multi-source if and only if `sources` is not empty. A hydrated source reads as one that needs a plugin: its manifests come from elsewhere.
fn sources(many: Option<Vec<RawSource>>, one: Option<RawSource>, hydrated: bool) -> Vec<Source> {
    let many = many.unwrap_or_default();
    if many.is_empty() {
        let mut found: Vec<Source> = one.into_iter().map(source).collect();
        if hydrated {
            found = vec![Source {
                plugin: true,
                ..found.pop().unwrap_or_default()
            }];
        }
        return found;
    }
    many.into_iter().map(source).collect()
}

fn source(raw: RawSource) -> Source {
    let directory = raw.directory.unwrap_or_default();
    Source {
        repo_url: raw.repo_url,
        path: raw.path,
        target_revision: raw.target_revision,
        chart: raw.chart,
        helm: raw.helm.is_some(),
        kustomize: raw.kustomize.is_some(),
        plugin: raw.plugin.is_some(),
        is_ref: !raw.reference.is_empty(),
        recurse: directory.recurse,
        include: directory.include,
        exclude: directory.exclude,
        jsonnet: directory
            .jsonnet
            .is_some_and(|j| j.as_object().is_some_and(|o| !o.is_empty())),
    }
}

/// On if and only if `automated` is set and `enabled` is not false (types.go, `IsAutomatedSyncEnabled`).
fn auto_sync(automated: Option<&RawAutomated>) -> AutoSync {
    let Some(automated) = automated else {
        return AutoSync::default();
    };
    AutoSync {
        enabled: automated.enabled != Some(false),
        prune: automated.prune == Some(true),
        self_heal: automated.self_heal == Some(true),
    }
}

fn sync_state(word: &str) -> SyncState {
    match word {
        "Synced" => SyncState::Synced,
        "OutOfSync" => SyncState::OutOfSync,
        _ => SyncState::Unknown,
    }
}

/// A health word; an empty or unknown one reads as Unknown.
fn health(word: &str) -> Health {
    match word {
        "Healthy" => Health::Healthy,
        "Suspended" => Health::Suspended,
        "Progressing" => Health::Progressing,
        "Missing" => Health::Missing,
        "Degraded" => Health::Degraded,
        _ => Health::Unknown,
    }
}

fn first_revision(one: Name, many: Option<Vec<Name>>) -> Name {
    if one.is_empty() {
        many.and_then(|m| m.into_iter().next()).unwrap_or_default()
    } else {
        one
    }
}

fn history(raw: RawHistory) -> HistoryEntry {
    HistoryEntry {
        id: raw.id,
        revision: first_revision(raw.revision, raw.revisions),
        deployed_at: raw.deployed_at,
        source: raw.source.map(source),
    }
}

fn managed(raw: RawResource) -> ManagedResource {
    let gvk = Gvk {
        group: raw.group,
        version: raw.version,
        kind: raw.kind,
    };
    ManagedResource {
        object: ObjectRef {
            gvk,
            namespace: raw.namespace,
            name: raw.name,
        },
        // Hooks, ignored objects and copies have no sync status at all.
        sync: (!raw.status.is_empty()).then(|| sync_state(&raw.status)),
        health: raw
            .health
            .filter(|h| !h.status.is_empty())
            .map(|h| health(&h.status)),
        hook: raw.hook,
        requires_pruning: raw.requires_pruning,
    }
}

fn operation_state(raw: RawOperationState) -> Option<Operation> {
    let phase = match &*raw.phase {
        "Running" => OperationPhase::Running,
        "Terminating" => OperationPhase::Terminating,
        "Failed" => OperationPhase::Failed,
        "Error" => OperationPhase::Error,
        "Succeeded" => OperationPhase::Succeeded,
        _ => return None,
    };
    let asked = raw.operation.unwrap_or_default();
    let sync = asked.sync.unwrap_or_default();
    let by = asked.initiated_by.unwrap_or_default();
    let result = raw.sync_result.unwrap_or_default();
    let revision = first_revision(result.revision, result.revisions);
    Some(Operation {
        phase,
        message: Safe::new(&raw.message),
        started_at: raw.started_at,
        finished_at: raw.finished_at,
        revision: if revision.is_empty() {
            sync.revision
        } else {
            revision
        },
        selective: sync.resources.is_some_and(|r| !r.is_empty()),
        initiated_by: if by.automated {
            Safe::fixed("auto-sync")
        } else {
            Safe::new(&by.username)
        },
    })
}

/// The first error among the conditions, else the health's own words.
fn message(status: &RawStatus) -> Option<Safe> {
    let conditions = status.conditions.iter().flatten();
    let error = conditions
        .filter(|c| c.kind.ends_with("Error"))
        .map(|c| &c.message)
        .next();
    error
        .or(Some(&status.health.message))
        .filter(|m| !m.is_empty())
        .map(|m| Safe::new(m))
}

/// Go's `strconv.ParseBool`, which Argo CD reads its annotations with.
fn go_bool(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

/// The tracking settings in argocd-cm's `data`.
pub fn tracking(config_map: &Value) -> Tracking {
    let data = |key: &str| {
        config_map
            .get("data")
            .and_then(|d| d.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let default = Tracking::default();
    let key = data("application.instanceLabelKey");
    Tracking {
        method: match data("application.resourceTrackingMethod") {
            "label" => TrackingMethod::Label,
            "annotation+label" => TrackingMethod::AnnotationAndLabel,
            _ => TrackingMethod::Annotation,
        },
        label_key: if key.is_empty() {
            default.label_key
        } else {
            key.into()
        },
        installation_id: data("installationID").into(),
    }
}

/// What a cluster Secret says of a destination. Its credentials are read past and never kept.
pub fn hub_cluster(secret: &Value) -> HubCluster {
    let field = |key: &str| decoded(secret.get("data").and_then(|d| d.get(key)));
    let config: Value = serde_json::from_str(&field("config")).unwrap_or_default();
    let ca = decoded(config.pointer("/tlsClientConfig/caData"));
    let annotation = secret
        .pointer("/metadata/annotations")
        .and_then(|a| a.get(SKIP_RECONCILE));
    HubCluster {
        name: field("name").into(),
        server: field("server").trim_end_matches('/').into(),
        ca: if ca.is_empty() {
            "".into()
        } else {
            ca_key(ca.as_bytes()).into()
        },
        skip_reconcile: annotation.and_then(Value::as_str).is_some_and(go_bool),
    }
}

/// The text behind a base64 value; empty when it is none.
fn decoded(value: Option<&Value>) -> String {
    use base64::Engine as _;
    let bytes = value
        .and_then(Value::as_str)
        .and_then(|t| base64::engine::general_purpose::STANDARD.decode(t).ok());
    bytes
        .and_then(|b| String::from_utf8(b).ok())
        .unwrap_or_default()
}

/// The key under which equal CA bundles are found: SHA-256 of the PEM without surrounding white space, 16 hex digits.
pub fn ca_key(pem: &[u8]) -> String {
    let digest = Sha256::digest(pem.trim_ascii());
    digest.iter().take(8).map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(value: Value) -> Application {
        serde_json::from_value::<RawApplication>(value)
            .unwrap()
            .into_row(&"hub-1".into())
    }

    fn seed() -> Value {
        json!({
            "metadata": {"name": "edge-microservice", "namespace": "argocd", "uid": "u", "resourceVersion": "42",
                "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}, "labels": {"region": "eu"}},
            "spec": {"project": "", "source": {"repoURL": "https://git.example/fleet.git", "path": "microserviceA", "targetRevision": "HEAD", "directory": {"recurse": true}},
                "destination": {"server": "https://oslo.example/", "namespace": "edge-namespace"},
                "syncPolicy": {"automated": {"prune": true, "selfHeal": true}, "syncOptions": ["CreateNamespace=true"]}},
            "status": {"sync": {"status": "Synced", "revision": "9f31c02"}, "health": {"status": "Healthy"},
                "history": [{"id": 1, "revision": "77ab013"}, {"id": 2, "revision": "9f31c02", "deployedAt": "2026-11-20T02:00:00Z"}],
                "resources": [{"version": "v1", "kind": "Service", "namespace": "edge-namespace", "name": "web", "status": "Synced"},
                    {"group": "batch", "version": "v1", "kind": "Job", "name": "migrate", "hook": true}]}
        })
    }

    #[test]
    fn the_seed_application_becomes_a_slim_row() {
        let app = row(seed());
        assert_eq!(app.id.to_string(), "hub-1/argocd/edge-microservice");
        assert_eq!(&*app.destination.server, "https://oslo.example");
        assert_eq!(&*app.project, "default");
        assert_eq!(
            app.auto_sync,
            AutoSync {
                enabled: true,
                prune: true,
                self_heal: true
            }
        );
        assert_eq!(&*app.deployed_revision().unwrap().revision, "9f31c02");
        assert!(app.sources[0].recurse);
        assert_eq!(app.resources[0].sync, Some(SyncState::Synced));
        assert_eq!((app.resources[1].sync, app.resources[1].hook), (None, true));
        assert!(!app.operation_requested);
    }

    #[test]
    fn automated_with_enabled_false_is_off_even_with_self_heal() {
        let mut value = seed();
        value["spec"]["syncPolicy"]["automated"] = json!({"enabled": false, "selfHeal": true});
        assert!(!row(value).auto_sync.enabled);
        let mut value = seed();
        value["spec"]["syncPolicy"]["automated"] = json!({});
        assert!(row(value).auto_sync.enabled);
    }

    #[test]
    fn an_application_without_status_is_unknown_not_fine() {
        let mut value = seed();
        value["status"] = json!({});
        let app = row(value);
        assert_eq!(
            (app.sync, app.health),
            (SyncState::Unknown, Health::Unknown)
        );
        assert!(app.deployed_revision().is_none());
    }

    #[test]
    fn a_running_operation_waiting_for_a_retry_is_still_running() {
        let mut value = seed();
        value["operation"] = json!({"sync": {"revision": "9f31c02"}});
        value["status"]["operationState"] = json!({"phase": "Running", "message": "Retrying", "finishedAt": "2026-11-20T02:00:00Z",
            "operation": {"sync": {"revision": "9f31c02", "resources": [{"kind": "Service", "name": "web"}]}, "initiatedBy": {"username": "on-call"}}});
        let app = row(value);
        let operation = app.operation.unwrap();
        assert_eq!(operation.phase, OperationPhase::Running);
        assert!(operation.finished_at.is_some() && operation.selective && app.operation_requested);
        assert_eq!(operation.initiated_by.as_str(), "on-call");
    }

    #[test]
    fn multi_source_uses_sources_and_revisions() {
        let mut value = seed();
        value["spec"]["sources"] = json!([{"repoURL": "a", "ref": "values"}, {"repoURL": "b", "chart": "nginx", "helm": {}}]);
        value["status"]["sync"] = json!({"status": "OutOfSync", "revisions": ["r1", "r2"]});
        let app = row(value);
        assert_eq!(app.sources.len(), 2);
        assert!(app.sources[0].is_ref && app.sources[1].helm);
        assert_eq!(&*app.compared_revision, "r1");
    }

    #[test]
    fn skip_reconcile_reads_booleans_as_go_does() {
        for (text, frozen) in [
            ("true", true),
            ("1", true),
            ("T", true),
            ("yes", false),
            ("false", false),
        ] {
            let mut value = seed();
            value["metadata"]["annotations"][SKIP_RECONCILE] = json!(text);
            assert_eq!(row(value).skip_reconcile, frozen, "{text}");
        }
    }

    #[test]
    fn the_first_error_condition_is_the_message() {
        let mut value = seed();
        value["status"]["conditions"] = json!([{"type": "OrphanedResourceWarning", "message": "w"}, {"type": "ComparisonError", "message": "repo \u{1b}[31mgone"}]);
        assert_eq!(row(value).message.unwrap().as_str(), "repo ␛[31mgone");
    }

    #[test]
    fn tracking_follows_argocd_cm_and_defaults_to_annotation() {
        assert_eq!(tracking(&json!({})), Tracking::default());
        let cm = json!({"data": {"application.resourceTrackingMethod": "annotation+label", "application.instanceLabelKey": "team/app", "installationID": "eu-1"}});
        let t = tracking(&cm);
        assert_eq!(
            (t.method, &*t.label_key, &*t.installation_id),
            (TrackingMethod::AnnotationAndLabel, "team/app", "eu-1")
        );
    }

    #[test]
    fn a_cluster_secret_gives_name_server_and_ca_but_no_token() {
        use base64::Engine as _;
        let b64 = |t: &str| base64::engine::general_purpose::STANDARD.encode(t);
        let config = json!({"bearerToken": "s3cr3t", "tlsClientConfig": {"caData": b64("PEM\n")}})
            .to_string();
        let secret = json!({"data": {"name": b64("edge-oslo-001"), "server": b64("https://oslo.example/"), "config": b64(&config)}});
        let found = hub_cluster(&secret);
        assert_eq!(
            (&*found.name, &*found.server),
            ("edge-oslo-001", "https://oslo.example")
        );
        assert_eq!(&*found.ca, ca_key(b"PEM"));
        assert!(!format!("{found:?}").contains("s3cr3t"));
    }
}

//! Argo CD: Applications as slim rows, the tracking settings of argocd-cm, the hub's cluster Secrets without their credentials.
//!
//! Field meanings follow Argo CD's `pkg/apis/application/v1alpha1/types.go`. Only what the fleet needs is read; the rest of a document of
//! 10 to 100 KB never becomes a value.

mod raw;
mod report;
mod set;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::connect::ca_hash;
use crate::drift::argo::Settings;

use crate::domain::{
    AppKind, AppRef, Application, AutoSync, ClusterId, Destination, Engine, Gvk, Health,
    HistoryEntry, HubCluster, ManagedResource, Name, ObjectRef, Operation, OperationPhase, Safe,
    Source, SyncState, Tracking, TrackingMethod, Verbatim,
};

pub use raw::RawApplication;
use raw::{
    RawAutomated, RawHistory, RawInitiator, RawOperationState, RawResource, RawSource, RawStatus,
};
pub use set::{project, set, settings_pace};

/// Annotation that freezes an application or all applications of a cluster.
const SKIP_RECONCILE: &str = "argocd.argoproj.io/skip-reconcile";

impl RawApplication {
    /// The slim row of an application that a hub holds.
    pub fn into_row(self, hub: &ClusterId) -> Application {
        let Self {
            metadata,
            spec,
            status,
            operation,
        } = self;
        let report = report::of(&metadata, &spec, &status, operation.as_ref(), hub);
        let policy = spec.sync_policy.unwrap_or_default();
        let message = message(&status);
        Application {
            report,
            id: AppRef {
                kind: AppKind::Application,
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
            compare_options: metadata
                .annotations
                .as_ref()
                .map(|a| a.compare_options.clone())
                .unwrap_or_default(),
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
            images: status.summary.and_then(|s| s.images).unwrap_or_default(),
            labels: metadata.labels.unwrap_or_default().into_iter().collect(),
        }
    }

    /// Namespace and name, for deletions.
    pub fn id(&self, hub: &ClusterId) -> AppRef {
        AppRef {
            kind: AppKind::Application,
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
        helm: raw.helm.and_then(Verbatim::of),
        kustomize: raw.kustomize.and_then(Verbatim::of),
        flux: None,
        plugin: raw.plugin.is_some(),
        reference: raw.reference,
        recurse: directory.recurse,
        include: directory.include,
        exclude: directory.exclude,
        jsonnet: directory.jsonnet.and_then(Verbatim::of),
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
        revision: first_revision(raw.revision, raw.revisions.clone()),
        deployed_at: raw.deployed_at,
        source: raw.source.filter(|s| !s.repo_url.is_empty()).map(source),
        sources: raw
            .sources
            .unwrap_or_default()
            .into_iter()
            .map(source)
            .collect(),
        revisions: raw.revisions.unwrap_or_default(),
        by: initiator(&raw.initiated_by.unwrap_or_default()),
    }
}

/// Who began an operation: the engine by itself, or a person by name.
fn initiator(by: &RawInitiator) -> Safe {
    if by.automated {
        Safe::fixed("auto-sync")
    } else {
        Safe::new(&by.username)
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
        initiated_by: initiator(&by),
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
        kustomize_options: data("kustomize.buildOptions").into(),
        ignore_differences: config_map
            .get("data")
            .and_then(Value::as_object)
            .map(Settings::of_config_map)
            .map(|settings| settings.ignore_differences().to_vec())
            .unwrap_or_default(),
        comparing: comparing(config_map),
        page: data("url").into(),
        server_side_diff: false,
    }
}

/// Keys of argocd-cm about comparing; of the keys for single kinds those that end in a dot.
const COMPARING: [&str; 7] = [
    "resource.customizations",
    "resource.compareoptions",
    "resource.exclusions",
    "resource.inclusions",
    "resource.sensitive.mask.annotations",
    "resource.customizations.ignoreDifferences.",
    "resource.customizations.knownTypeFields.",
];

fn comparing(config_map: &Value) -> Arc<BTreeMap<Name, Name>> {
    let is_about = |key: &str| {
        COMPARING
            .iter()
            .any(|k| key == *k || (k.ends_with('.') && key.starts_with(k)))
    };
    let data = config_map.get("data").and_then(Value::as_object);
    let about = data.into_iter().flatten().filter(|(key, _)| is_about(key));
    let texts =
        about.filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into())));
    Arc::new(texts.collect())
}

/// Whether argocd-cmd-params-cm makes the server's own dry run the way of comparing (`controller.diff.server.side`).
pub fn server_side_diff(params: &Value) -> bool {
    let data = params.get("data");
    let text = data.and_then(|d| d.get("controller.diff.server.side"));
    text.and_then(Value::as_str).is_some_and(go_bool)
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
        // The same hash that the rows of the kubeconfig have: equal bundles must be found equal.
        ca: ca_hash(ca.as_bytes()),
        skip_reconcile: annotation.and_then(Value::as_str).is_some_and(go_bool),
        labels: labels(secret),
    }
}

/// The labels that people set; Argo CD's own say nothing of the cluster.
fn labels(secret: &Value) -> Vec<(Name, Name)> {
    let labels = secret
        .pointer("/metadata/labels")
        .and_then(Value::as_object);
    let own =
        |key: &str| key.starts_with("argocd.argoproj.io/") || key.starts_with("app.kubernetes.io/");
    let set = labels.into_iter().flatten().filter(|(key, _)| !own(key));
    set.filter_map(|(key, value)| Some((key.as_str().into(), value.as_str()?.into())))
        .collect()
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

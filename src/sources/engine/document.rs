//! What all documents of engines have in common: metadata and conditions, read from plain JSON.

use jiff::Timestamp;
use serde_json::Value;

use crate::domain::{
    AppKind, AppRef, Application, AutoSync, ClusterId, Condition, Destination, Engine,
    EngineReport, Health, Name, Safe, SyncState,
};

/// The text at a pointer, empty when there is none.
pub(crate) fn text<'v>(object: &'v Value, pointer: &str) -> &'v str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The moment at a pointer.
pub(crate) fn moment(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// The elements of the list at a pointer.
pub(crate) fn items<'v>(object: &'v Value, pointer: &str) -> impl Iterator<Item = &'v Value> {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.into_iter().flatten()
}

/// A whole document of an engine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document<'v>(pub(crate) &'v Value);

impl<'v> Document<'v> {
    /// Who it is.
    pub(crate) fn id(self, holder: &ClusterId, kind: AppKind) -> AppRef {
        AppRef {
            hub: holder.clone(),
            kind,
            namespace: text(self.0, "/metadata/namespace").into(),
            name: text(self.0, "/metadata/name").into(),
        }
    }

    /// An annotation, empty when there is none.
    pub(crate) fn annotation(self, key: &str) -> &'v str {
        let annotations = self.0.pointer("/metadata/annotations");
        annotations
            .and_then(|a| a.get(key))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// `status.conditions`.
    pub(crate) fn conditions(self) -> Vec<Condition> {
        let one = |c: &Value| Condition {
            kind: text(c, "/type").into(),
            status: text(c, "/status").into(),
            reason: Safe::new(text(c, "/reason")),
            message: Safe::new(text(c, "/message")),
            since: moment(c, "/lastTransitionTime"),
        };
        items(self.0, "/status/conditions").map(one).collect()
    }

    /// `metadata.finalizers`.
    pub(crate) fn finalizers(self) -> Vec<Name> {
        items(self.0, "/metadata/finalizers")
            .filter_map(Value::as_str)
            .map(Name::from)
            .collect()
    }

    /// A row that knows no more than the metadata: nothing is said of sync and health.
    pub(crate) fn row(self, holder: &ClusterId, kind: AppKind, engine: Engine) -> Application {
        let labels = self
            .0
            .pointer("/metadata/labels")
            .and_then(Value::as_object);
        Application {
            id: self.id(holder, kind),
            engine,
            uid: text(self.0, "/metadata/uid").into(),
            resource_version: text(self.0, "/metadata/resourceVersion").into(),
            created: moment(self.0, "/metadata/creationTimestamp"),
            project: Name::default(),
            destination: Destination {
                server: "https://kubernetes.default.svc".into(),
                name: Name::default(),
                namespace: text(self.0, "/metadata/namespace").into(),
            },
            sources: Vec::new(),
            sync: SyncState::Unknown,
            compared_revision: Name::default(),
            health: Health::Unknown,
            message: None,
            history: Vec::new(),
            auto_sync: AutoSync::default(),
            sync_options: Vec::new(),
            retry: None,
            ignore_differences: None,
            compare_options: "".into(),
            resources: Vec::new(),
            operation: None,
            operation_requested: false,
            skip_reconcile: false,
            owned_by_set: false,
            deleting: self.0.pointer("/metadata/deletionTimestamp").is_some(),
            reconciled_at: None,
            controller_namespace: Name::default(),
            labels: labels
                .into_iter()
                .flatten()
                .map(|(k, v)| (k.as_str().into(), v.as_str().unwrap_or_default().into()))
                .collect(),
            report: EngineReport::default(),
            images: Vec::new(),
        }
    }
}

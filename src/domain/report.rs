//! What an engine's documents say beyond sync and health: conditions, waits, retries, dependencies. Warnings are made from it in `fleet`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::windows::SyncWindow;
use super::{AppRef, Name, Safe, Unjudged};

/// What one document says of itself, slim.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EngineReport {
    /// `status.conditions`.
    pub conditions: Vec<Condition>,
    /// Whether the engine is told to leave it alone.
    pub suspended: bool,
    /// Whether the controller has not seen the newest generation yet (Flux).
    pub unobserved: bool,
    /// Tries of the running operation after the first (`status.operationState.retryCount`).
    pub retries: i64,
    /// Tries that the operation may have, when it says so; negative is without end.
    pub retry_limit: Option<i64>,
    /// Whether `.operation` still asks for exactly what `status.operationState` says has ended.
    pub operation_left_over: bool,
    /// The source hydrator's last operation.
    pub hydration: Option<Hydration>,
    /// What has to be ready first (Flux `spec.dependsOn`).
    pub depends_on: Vec<AppRef>,
    /// The object it takes its source from (Flux `spec.sourceRef`, `spec.chartRef`).
    pub source: Option<AppRef>,
    /// The revision last tried, when it differs from what is applied.
    pub attempted: Name,
    /// The ApplicationSet that owns it, or the ResourceSet.
    pub owner: Option<AppRef>,
    /// Progressive sync of an ApplicationSet, one entry an application.
    pub steps: Vec<SetStep>,
    /// Finalizers that keep a deleted document.
    pub finalizers: Vec<Name>,
    /// Resources that wait for somebody to confirm their deletion.
    pub to_confirm: usize,
    /// When one and the same build stood in the cluster whole, from the end of its first apply to the end of its last (Flux); newest first.
    pub standing: Vec<(Timestamp, Timestamp)>,
    /// The Secret or ConfigMap through which Flux reaches another cluster.
    pub remote: Name,
    /// Why its documents alone do not tell what it deploys: a source of a kind that is not read here, variables that may not be read (Flux).
    pub hindrance: Option<Unjudged>,
    /// `spec.healthCheckExprs`, verbatim: expressions that tell the health of what a Kustomization applies (Flux).
    pub health_checks: Option<serde_json::Value>,
    /// Whether `automated` is switched off by `enabled: false`.
    pub auto_switched_off: bool,
}

impl EngineReport {
    /// The condition of a type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| &*c.kind == kind)
    }

    /// Whether the condition of a type is `True`.
    pub fn is_true(&self, kind: &str) -> bool {
        self.condition(kind).is_some_and(|c| &*c.status == "True")
    }
}

/// One condition. Argo CD's have no status and hold while they are there: they read as `True`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Condition {
    /// Its type, such as `SyncError` or `Ready`.
    pub kind: Name,
    /// `True`, `False` or `Unknown`.
    pub status: Name,
    /// One word.
    pub reason: Safe,
    /// The engine's words.
    pub message: Safe,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// Where the source hydrator stands (`status.sourceHydrator.currentOperation`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hydration {
    /// `Hydrating`, `Hydrated` or `Failed`.
    pub phase: Name,
    /// The engine's words.
    pub message: Safe,
    /// When it began.
    pub started_at: Option<Timestamp>,
}

/// One application of an ApplicationSet with a rolling strategy (`status.applicationStatus`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetStep {
    /// The application's name.
    pub application: Name,
    /// `Waiting`, `Pending`, `Progressing` or `Healthy`.
    pub status: Name,
    /// Its step, from 1.
    pub step: Name,
    /// The engine's words.
    pub message: Safe,
}

/// An AppProject, as far as it decides when something may be synced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Project {
    /// Its namespace.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
    /// `spec.syncWindows`; `None` when they do not read, which makes Argo CD refuse every sync.
    pub windows: Option<Vec<SyncWindow>>,
}

/// How often a hub compares with Git (argocd-cm `timeout.reconciliation` and its jitter).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReconcilePace {
    /// Between two comparisons; zero when polling is off.
    pub timeout: SignedDuration,
    /// What may come on top.
    pub jitter: SignedDuration,
}

impl Default for ReconcilePace {
    /// Argo CD 3: two minutes and up to one more.
    fn default() -> Self {
        Self {
            timeout: SignedDuration::from_secs(120),
            jitter: SignedDuration::from_secs(60),
        }
    }
}

impl ReconcilePace {
    /// The age beyond which a comparison is stale; `None` when polling is off.
    pub fn limit(&self) -> Option<SignedDuration> {
        self.timeout
            .is_positive()
            .then(|| self.timeout.saturating_add(self.jitter))
    }
}

/// Something about an application that somebody should know: one plain sentence and the next step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// A stable word for scripts.
    pub kind: &'static str,
    /// What is the matter.
    pub text: Safe,
    /// What to do.
    pub next: Safe,
}

impl Warning {
    /// Makes one.
    pub fn new(kind: &'static str, text: impl Into<Safe>, next: impl Into<Safe>) -> Self {
        Self {
            kind,
            text: text.into(),
            next: next.into(),
        }
    }

    /// Both sentences.
    pub fn sentence(&self) -> Safe {
        if self.next.is_empty() {
            self.text.clone()
        } else {
            Safe::from(format!("{} {}", self.text, self.next))
        }
    }
}

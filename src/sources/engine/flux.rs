//! Flux and its operator: every kind as a slim row in the vocabulary of the list.
//!
//! Flux has no word for "synced": a row reads `Synced` when the controller has seen the newest generation, is ready and has applied what it
//! tried last, `OutOfSync` when it says that live or applied differs from what is wanted, and `Unknown` when nobody looks (suspended) or it is
//! still at it. Rules of readiness: `Ready` of the newest generation, then `Stalled` and `Reconciling`, as in Flux's runtime.

pub mod notice;
pub mod origin;
mod release;
#[cfg(test)]
mod tests;
pub mod wants;

use jiff::Timestamp;
use serde_json::Value;

use super::document::{Document, items, moment, text};
use super::inventory;
use crate::domain::{
    AppKind, AppRef, Application, AutoSync, ClusterId, Destination, Engine, EngineReport, Health,
    HistoryEntry, ManagedResource, Name, Safe, Source, SyncState, Unjudged, UnjudgedReason,
};

/// Asks the controllers of Flux to reconcile now.
const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";
/// flux-operator's way to suspend.
const OPERATOR_RECONCILE: &str = "fluxcd.controlplane.io/reconcile";

/// Who an object is.
pub fn id(kind: AppKind, object: &Value, holder: &ClusterId) -> AppRef {
    Document(object).id(holder, kind)
}

/// The row of an object of one of [`AppKind::FLUX`].
pub fn row(kind: AppKind, object: &Value, holder: &ClusterId) -> Application {
    let document = Document(object);
    let report = report(kind, object, holder);
    let applied = applied(kind, object);
    let mut row = document.row(holder, kind, Engine::Flux);
    row.destination = destination(object, &report);
    row.sources = vec![source(kind, object, &report)];
    row.health = health(kind, object, &report);
    row.sync = sync(kind, object, &report, row.health);
    row.compared_revision = commit(text(object, "/status/lastAttemptedRevision"));
    row.message = words(&report);
    row.history = deployed(object, applied);
    row.auto_sync = auto_sync(kind, object, &report);
    row.resources = inventory_of(object);
    row.ignore_differences = ignore_rules(object);
    let asked = document.annotation(REQUESTED);
    row.operation_requested =
        !asked.is_empty() && asked != text(object, "/status/lastHandledReconcileAt");
    row.reconciled_at = moment(object, "/status/history/0/lastReconciled");
    row.report = report;
    row
}

fn report(kind: AppKind, object: &Value, holder: &ClusterId) -> EngineReport {
    let document = Document(object);
    let conditions = document.conditions();
    let disabled = document.annotation(OPERATOR_RECONCILE) == "disabled";
    let suspended = flag(object, "/spec/suspend") || disabled;
    EngineReport {
        hindrance: unrendered(kind),
        unobserved: is_unobserved(object) && !is_address(kind, object),
        suspended,
        depends_on: depends_on(kind, object, holder),
        source: source_ref(kind, object, holder),
        attempted: attempted(object, &applied(kind, object)),
        owner: owner(object, holder),
        finalizers: document.finalizers(),
        remote: remote(object),
        health_checks: health_checks(kind, object),
        standing: standing(object),
        conditions,
        ..EngineReport::default()
    }
}

/// Kinds that apply objects by rules that are not followed here.
fn unrendered(kind: AppKind) -> Option<Unjudged> {
    (kind.applies() && !kind.is_rendered()).then(|| Unjudged {
        reason: UnjudgedReason::BadSource,
        message: Safe::fixed(
            "Flux carries it, and what it applies is not rendered here: the verdict is Flux's own.",
        ),
    })
}

/// The expressions by which a Kustomization wants the health of what it applies told.
fn health_checks(kind: AppKind, object: &Value) -> Option<Value> {
    let told = object.pointer("/spec/healthCheckExprs");
    let told = told.filter(|_| kind == AppKind::Kustomization);
    told.filter(|checks| !checks.is_null()).cloned()
}

fn flag(object: &Value, pointer: &str) -> bool {
    object
        .pointer(pointer)
        .and_then(Value::as_bool)
        .unwrap_or_default()
}

/// An OCI HelmRepository is a mere address: no controller writes it a status.
fn is_address(kind: AppKind, object: &Value) -> bool {
    kind == AppKind::HelmRepository && text(object, "/spec/type") == "oci"
}

/// Whether what the status says is of an older generation; the CRDs begin with -1.
fn is_unobserved(object: &Value) -> bool {
    let number = |v: &Value, p: &str| v.pointer(p).and_then(Value::as_i64);
    let Some(generation) = number(object, "/metadata/generation") else {
        return false;
    };
    let ready = items(object, "/status/conditions").find(|c| text(c, "/type") == "Ready");
    let seen = number(object, "/status/observedGeneration");
    let told = ready.and_then(|r| number(r, "/observedGeneration"));
    [seen, told].into_iter().flatten().any(|g| g != generation)
}

/// The Secret or ConfigMap with another cluster's kubeconfig.
fn remote(object: &Value) -> Name {
    let secret = text(object, "/spec/kubeConfig/secretRef/name");
    if secret.is_empty() {
        text(object, "/spec/kubeConfig/configMapRef/name").into()
    } else {
        secret.into()
    }
}

/// When what was built stood in the cluster whole: from the end of its first apply to the end of its last (`status.history`, Flux 2.7 and newer).
fn standing(object: &Value) -> Vec<(Timestamp, Timestamp)> {
    // Whatever health checks said, everything had been applied.
    let whole = [
        "ReconciliationSucceeded",
        "HealthCheckFailed",
        "HealthCheckCanceled",
    ];
    items(object, "/status/history")
        .filter(|entry| whole.contains(&text(entry, "/lastReconciledStatus")))
        .filter_map(|entry| {
            Some((
                moment(entry, "/firstReconciled")?,
                moment(entry, "/lastReconciled")?,
            ))
        })
        .collect()
}

fn destination(object: &Value, report: &EngineReport) -> Destination {
    let own = text(object, "/metadata/namespace");
    let target = text(object, "/spec/targetNamespace");
    let here = report.remote.is_empty();
    Destination {
        server: if here {
            "https://kubernetes.default.svc".into()
        } else {
            Name::default()
        },
        name: report.remote.clone(),
        namespace: if target.is_empty() { own } else { target }.into(),
    }
}

fn reference(value: &Value, kind: AppKind, namespace: &str, holder: &ClusterId) -> AppRef {
    let other = text(value, "/namespace");
    AppRef {
        hub: holder.clone(),
        kind,
        namespace: if other.is_empty() { namespace } else { other }.into(),
        name: text(value, "/name").into(),
    }
}

fn depends_on(kind: AppKind, object: &Value, holder: &ClusterId) -> Vec<AppRef> {
    let own = text(object, "/metadata/namespace");
    items(object, "/spec/dependsOn")
        .map(|d| {
            let kind = AppKind::parse(text(d, "/kind")).unwrap_or(kind);
            reference(d, kind, own, holder)
        })
        .collect()
}

fn source_ref(kind: AppKind, object: &Value, holder: &ClusterId) -> Option<AppRef> {
    let pointers = match kind {
        AppKind::Kustomization | AppKind::HelmChart => ["/spec/sourceRef", ""],
        AppKind::HelmRelease => ["/spec/chartRef", "/spec/chart/spec/sourceRef"],
        _ => return None,
    };
    let found = pointers
        .iter()
        .filter(|p| !p.is_empty())
        .find_map(|p| object.pointer(p))?;
    let kind = AppKind::parse(text(found, "/kind"))?;
    Some(reference(
        found,
        kind,
        text(object, "/metadata/namespace"),
        holder,
    ))
}

/// A ResourceSet or Kustomization brought it; its labels say so.
fn owner(object: &Value, holder: &ClusterId) -> Option<AppRef> {
    let labels = object.pointer("/metadata/labels")?;
    let label = |key: &str| labels.get(key).and_then(Value::as_str);
    let kinds = [
        (AppKind::ResourceSet, "resourceset.fluxcd.controlplane.io"),
        (AppKind::Kustomization, "kustomize.toolkit.fluxcd.io"),
    ];
    kinds.into_iter().find_map(|(kind, group)| {
        Some(AppRef {
            hub: holder.clone(),
            kind,
            namespace: label(&format!("{group}/namespace"))?.into(),
            name: label(&format!("{group}/name"))?.into(),
        })
    })
}

/// The commit in a revision: `main@sha1:9f31c02`, `sha1:9f31c02`, or `main/9f31c02` as older versions wrote it; else the revision itself.
fn commit(revision: &str) -> Name {
    let is_hash = |text: &&str| text.len() >= 40 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let named = revision.rsplit_once("sha1:").map(|(_, hash)| hash);
    let old = || {
        let hash = revision.rsplit_once('/').map(|(_, hash)| hash);
        hash.filter(is_hash)
    };
    named.or_else(old).unwrap_or(revision).into()
}

fn applied(kind: AppKind, object: &Value) -> Name {
    let own = text(object, "/status/lastAppliedRevision");
    let release = || {
        let newest = object.pointer("/status/history/0")?;
        (text(newest, "/status") == "deployed").then(|| text(newest, "/chartVersion"))
    };
    commit(match kind {
        AppKind::HelmRelease if own.is_empty() => release().unwrap_or_default(),
        kind if kind.applies() => own,
        _ => text(object, "/status/artifact/revision"),
    })
}

/// What was tried last, when it is not what is applied.
fn attempted(object: &Value, applied: &Name) -> Name {
    let tried = commit(text(object, "/status/lastAttemptedRevision"));
    if tried == *applied {
        Name::default()
    } else {
        tried
    }
}

fn deployed(object: &Value, revision: Name) -> Vec<HistoryEntry> {
    if revision.is_empty() {
        return Vec::new();
    }
    let at = moment(object, "/status/history/0/lastDeployed");
    vec![HistoryEntry {
        id: 0,
        revision,
        deployed_at: at.or_else(|| moment(object, "/status/artifact/lastUpdateTime")),
        ..HistoryEntry::default()
    }]
}

fn source(kind: AppKind, object: &Value, report: &EngineReport) -> Source {
    let url = match (&report.source, kind) {
        (Some(source), _) => format!(
            "{}/{}/{}",
            source.kind.word(),
            source.namespace,
            source.name
        ),
        (None, AppKind::Bucket) => format!(
            "{}/{}",
            text(object, "/spec/endpoint"),
            text(object, "/spec/bucketName")
        ),
        (None, _) => text(object, "/spec/url").to_owned(),
    };
    let reference = reference_of(object);
    let chart = text(object, "/spec/chart/spec/chart");
    let version = text(object, "/spec/chart/spec/version");
    Source {
        repo_url: url.into(),
        path: text(object, "/spec/path").into(),
        target_revision: if reference.is_empty() {
            version
        } else {
            reference
        }
        .into(),
        chart: chart.into(),
        ..Source::default()
    }
}

/// What a source follows: Flux takes the first of these that is set.
fn reference_of(object: &Value) -> &str {
    let keys = ["commit", "name", "semver", "tag", "branch", "digest"];
    let mut references = keys
        .iter()
        .filter_map(|key| object.pointer("/spec/ref")?.get(key)?.as_str());
    references.find(|r| !r.is_empty()).unwrap_or_default()
}

/// Readiness in Argo CD's words.
fn health(kind: AppKind, object: &Value, report: &EngineReport) -> Health {
    let ready = report.condition("Ready");
    let status = ready.map(|r| &*r.status);
    let waits = ready.is_some_and(|r| r.reason.as_str() == "DependencyNotReady");
    let retries = report
        .condition("Reconciling")
        .is_some_and(|r| &*r.status == "True" && r.reason.as_str() == "ProgressingWithRetry");
    if Document(object)
        .0
        .pointer("/metadata/deletionTimestamp")
        .is_some()
    {
        Health::Progressing
    } else if report.suspended {
        Health::Suspended
    } else if report.unobserved {
        Health::Progressing
    } else if report.is_true("Stalled") {
        Health::Degraded
    } else if status == Some("False") && (retries || !report.is_true("Reconciling")) {
        if waits {
            Health::Progressing
        } else {
            Health::Degraded
        }
    } else if report.is_true("Reconciling") {
        Health::Progressing
    } else {
        match status {
            Some("True") => Health::Healthy,
            Some(_) => Health::Progressing,
            None if is_address(kind, object) => Health::Healthy,
            None => Health::Unknown,
        }
    }
}

fn sync(kind: AppKind, object: &Value, report: &EngineReport, health: Health) -> SyncState {
    let ready = report.condition("Ready");
    let reason = ready.map_or("", |r| r.reason.as_str());
    let outdated = report.is_true("ArtifactOutdated") || report.is_true("Drifted");
    // What was applied is applied, even when its objects are not healthy.
    let applied_but_ill = matches!(reason, "HealthCheckFailed" | "HealthCheckCanceled");
    if report.suspended || report.unobserved {
        SyncState::Unknown
    } else if outdated {
        SyncState::OutOfSync
    } else if !kind.applies() {
        if health == Health::Healthy && !is_address(kind, object) {
            SyncState::Synced
        } else {
            SyncState::Unknown
        }
    } else if !report.attempted.is_empty() {
        SyncState::OutOfSync
    } else {
        match ready.map(|r| &*r.status) {
            Some("True") => SyncState::Synced,
            Some("False") if applied_but_ill => SyncState::Synced,
            Some("False") => SyncState::OutOfSync,
            _ => SyncState::Unknown,
        }
    }
}

/// Flux's own words, unless all is well.
fn words(report: &EngineReport) -> Option<Safe> {
    let stalled = report.condition("Stalled").filter(|c| &*c.status == "True");
    let drifted = report.condition("Drifted").filter(|c| &*c.status == "True");
    let ready = report.condition("Ready").filter(|c| &*c.status != "True");
    let found = stalled.or(ready).or(drifted)?;
    (!found.message.is_empty()).then(|| found.message.clone())
}

/// Flux always applies by itself; a Kustomization also corrects drift at every interval, a HelmRelease only when it is told to.
fn auto_sync(kind: AppKind, object: &Value, report: &EngineReport) -> AutoSync {
    let corrects = match kind {
        AppKind::HelmRelease => text(object, "/spec/driftDetection/mode") == "enabled",
        kind => kind.applies(),
    };
    AutoSync {
        enabled: !report.suspended && kind.applies(),
        prune: kind != AppKind::Kustomization || flag(object, "/spec/prune"),
        self_heal: corrects,
    }
}

/// Flux's own rules of what is no drift, where the installed version has them.
fn ignore_rules(object: &Value) -> Option<Value> {
    let rules = crate::drift::flux::ignore_rules(object);
    (!rules.is_empty()).then(|| Value::Array(rules.to_vec()))
}

fn inventory_of(object: &Value) -> Vec<ManagedResource> {
    items(object, "/status/inventory/entries")
        .filter_map(|e| inventory::parse(text(e, "/id"), text(e, "/v")))
        .map(|object| ManagedResource {
            object,
            sync: None,
            health: None,
            hook: false,
            requires_pruning: false,
        })
        .collect()
}

//! Flux's Kubernetes events, as far as they are about drift. Pure.
//!
//! helm-controller tells what its drift detection found under the reasons `DriftDetected`, `DriftCorrected` and `DriftCorrectionFailed`. kustomize-
//! controller has no word for drift: it tells of every server-side apply that changed something, one object a line, under whatever reason `Ready`
//! has then, with the revision in an annotation.

use jiff::Timestamp;
use serde_json::Value;

use super::super::document::{moment, text};
use super::commit;
use crate::domain::{AppKind, AppRef, ClusterId, Name, Notice, NoticeKind, Safe};

/// Lines of an event that are kept.
const KEPT: usize = 4;
/// What client-go puts before the message when it folds many like events into one.
const COMBINED: &str = "(combined from similar events): ";

/// Whose event it is and what it tells; `None` when it is about something else.
pub fn read(kind: AppKind, event: &Value, holder: &ClusterId) -> Option<(AppRef, Notice)> {
    let object = |field: &str| text(event, &format!("/involvedObject/{field}"));
    let group = object("apiVersion").split('/').next().unwrap_or_default();
    if object("kind") != kind.word() || group != kind.group() {
        return None;
    }
    let message = text(event, "/message");
    let message = message.strip_prefix(COMBINED).unwrap_or(message);
    let told = told(kind, text(event, "/reason"), message)?;
    let lines = listed(message);
    let notice = Notice {
        kind: told,
        last: last(event)?,
        count: count(event),
        revision: revision(kind, event),
        lines: lines.clone().take(KEPT).map(Safe::new).collect(),
        more: lines.count().saturating_sub(KEPT),
    };
    let app = AppRef {
        hub: holder.clone(),
        kind,
        namespace: object("namespace").into(),
        name: object("name").into(),
    };
    Some((app, notice))
}

fn told(kind: AppKind, reason: &str, message: &str) -> Option<NoticeKind> {
    match (kind, reason) {
        (AppKind::HelmRelease, "DriftDetected") => Some(NoticeKind::DriftFound),
        (AppKind::HelmRelease, "DriftCorrected") => Some(NoticeKind::DriftCorrected),
        (AppKind::HelmRelease, "DriftCorrectionFailed") => Some(NoticeKind::CorrectionFailed),
        (AppKind::HelmRelease, "InstallSucceeded" | "UpgradeSucceeded" | "RollbackSucceeded") => {
            Some(NoticeKind::Deployed)
        }
        (AppKind::Kustomization, _) if is_change_log(message) => Some(NoticeKind::Applied),
        (AppKind::Kustomization, "ReconciliationSucceeded") => Some(NoticeKind::Deployed),
        _ => None,
    }
}

/// Whether every line is an object and what the apply did to it: `Deployment/edge/web configured`.
fn is_change_log(message: &str) -> bool {
    let mut lines = message.lines().peekable();
    lines.peek().is_some()
        && lines.all(|line| {
            let parts = line.rsplit_once(' ');
            parts.is_some_and(|(subject, action)| {
                let is_object = subject.contains('/') && !subject.contains(' ');
                is_object && matches!(action, "created" | "configured")
            })
        })
}

/// What stands below the headlines.
fn listed(message: &str) -> impl Iterator<Item = &str> + Clone {
    let lines = message.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.ends_with(':'))
}

/// The newest of the times that the two generations of the events API know.
fn last(event: &Value) -> Option<Timestamp> {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/eventTime",
        "/firstTimestamp",
        "/metadata/creationTimestamp",
    ]
    .iter()
    .find_map(|pointer| moment(event, pointer))
}

fn count(event: &Value) -> u64 {
    let number = |pointer: &str| event.pointer(pointer).and_then(Value::as_u64);
    let told = number("/series/count").or_else(|| number("/count"));
    told.unwrap_or_default().max(1)
}

fn revision(kind: AppKind, event: &Value) -> Name {
    let key = format!("{}/revision", kind.group());
    let annotations = event.pointer("/metadata/annotations");
    let named = annotations.and_then(|a| a.get(key)?.as_str());
    commit(named.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(kind: AppKind, reason: &str, message: &str) -> Value {
        json!({
            "metadata": {"name": "infra.18", "namespace": "flux-system",
                "annotations": {"kustomize.toolkit.fluxcd.io/revision": "main@sha1:9f31c02aa"}},
            "involvedObject": {"kind": kind.word(), "apiVersion": format!("{}/v2", kind.group()), "namespace": "flux-system", "name": "infra"},
            "reason": reason, "message": message, "count": 3,
            "firstTimestamp": "2026-11-21T02:00:00Z", "lastTimestamp": "2026-11-21T02:20:00Z",
        })
    }

    fn told_by(kind: AppKind, reason: &str, message: &str) -> Option<Notice> {
        let read = read(kind, &event(kind, reason, message), &"edge-oslo-003".into());
        read.map(|(_, notice)| notice)
    }

    #[test]
    fn a_helm_releases_drift_is_listed_object_by_object() {
        let message = "Cluster state of release edge/web.v3 has drifted from the desired state:\nDeployment/edge/web changed (0 additions, 1 changes, 0 removals)\nConfigMap/edge/web removed";
        let notice = told_by(AppKind::HelmRelease, "DriftDetected", message).unwrap();
        assert_eq!(notice.kind, NoticeKind::DriftFound);
        assert_eq!(
            notice.list(),
            "Deployment/edge/web changed (0 additions, 1 changes, 0 removals), ConfigMap/edge/web removed"
        );
        assert_eq!(
            (notice.count, notice.last.to_string().as_str()),
            (3, "2026-11-21T02:20:00Z")
        );
    }

    #[test]
    fn an_apply_of_a_kustomization_is_known_by_its_lines_whatever_the_reason() {
        let lines = "Deployment/edge/web configured\nNamespace/edge created";
        let notice = told_by(AppKind::Kustomization, "Progressing", lines).unwrap();
        assert_eq!(
            (notice.kind, &*notice.revision),
            (NoticeKind::Applied, "9f31c02aa")
        );
        let combined = format!("{COMBINED}{lines}");
        assert!(told_by(AppKind::Kustomization, "Progressing", &combined).is_some());
        for other in [
            "Health check passed in 3s",
            "Deployment/edge/web deleted",
            "Deployment/edge/web configured\nsomething else happened",
            "",
        ] {
            assert_eq!(
                told_by(AppKind::Kustomization, "Progressing", other),
                None,
                "{other}"
            );
        }
    }

    #[test]
    fn long_lists_are_cut_and_counted() {
        let lines: Vec<String> = (0..9)
            .map(|n| format!("ConfigMap/edge/c{n} created"))
            .collect();
        let notice = told_by(AppKind::Kustomization, "Progressing", &lines.join("\n")).unwrap();
        assert_eq!((notice.lines.len(), notice.more), (4, 5));
        assert!(notice.list().ends_with("c3 created and 5 more"));
    }

    #[test]
    fn another_groups_kind_of_the_same_name_is_not_flux() {
        let mut other = event(AppKind::Kustomization, "Progressing", "A/b created");
        other["involvedObject"]["apiVersion"] = json!("kustomize.config.k8s.io/v1beta1");
        assert_eq!(
            read(AppKind::Kustomization, &other, &"edge-oslo-003".into()),
            None
        );
    }
}

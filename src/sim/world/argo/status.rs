//! The status an application controller writes, in the shapes of Argo CD 3: no health per resource, an appTree source, a Directory.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::app::App;
use super::comparison::Comparison;
use super::health;
use crate::sim::world::json::{list, stamp, text};

/// How far a comparison went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Live objects against the revision known from before; `reconciledAt` stays.
    Live,
    /// Against what the target revision means now; `reconciledAt` moves.
    Git,
}

/// The members of the status that a comparison sets, as a merge patch. `None` when nothing changes.
pub(crate) fn after(
    app: App<'_>,
    revision: &str,
    found: &Result<Comparison, String>,
    level: Level,
    now: Timestamp,
) -> Option<Value> {
    let mut status = match found {
        Ok(comparison) => compared(app, revision, comparison, now),
        Err(message) => failed(app, message, now),
    };
    if level == Level::Git {
        status.insert("reconciledAt".to_owned(), stamp(now).into());
    }
    let old = app.0.get("status").cloned().unwrap_or_else(|| json!({}));
    status.retain(|name, value| match old.get(name) {
        Some(old) => old != value,
        None => !value.is_null(),
    });
    (!status.is_empty()).then_some(Value::Object(status))
}

fn compared(
    app: App<'_>,
    revision: &str,
    comparison: &Comparison,
    now: Timestamp,
) -> Map<String, Value> {
    let sync = if comparison.is_synced() {
        "Synced"
    } else {
        "OutOfSync"
    };
    let mut status = Map::new();
    let mut set = |name: &str, value: Value| status.insert(name.to_owned(), value);
    set("sync", sync_of(app, sync, revision));
    set(
        "health",
        health_of(app, health::word(comparison.health), now),
    );
    set("resources", comparison.resources.clone().into());
    set("summary", summary(&comparison.images));
    set("sourceType", "Directory".into());
    set("controllerNamespace", "argocd".into());
    set("resourceHealthSource", "appTree".into());
    set("conditions", kept_conditions(app, revision));
    status
}

/// A failed automatic sync stays said while its revision is the wanted one; every other condition is over.
fn kept_conditions(app: App<'_>, revision: &str) -> Value {
    let failed = matches!(app.phase(), "Failed" | "Error")
        && text(app.0, "/status/operationState/syncResult/revision") == revision;
    let kept: Vec<Value> = list(app.0, "/status/conditions")
        .iter()
        .filter(|c| failed && text(c, "/type") == "SyncError")
        .cloned()
        .collect();
    if kept.is_empty() {
        Value::Null
    } else {
        kept.into()
    }
}

/// The comparison itself failed: everything reads Unknown and a condition says why.
fn failed(app: App<'_>, message: &str, now: Timestamp) -> Map<String, Value> {
    let revision = text(app.0, "/status/sync/revision");
    let resources: Vec<Value> = list(app.0, "/status/resources")
        .iter()
        .map(|r| {
            let mut resource = r.clone();
            resource["status"] = "Unknown".into();
            resource
        })
        .collect();
    let mut status = Map::new();
    let mut set = |name: &str, value: Value| status.insert(name.to_owned(), value);
    set("sync", sync_of(app, "Unknown", revision));
    set("health", health_of(app, "Unknown", now));
    set("resources", resources.into());
    set(
        "conditions",
        conditions(app, "ComparisonError", message, now),
    );
    status
}

fn sync_of(app: App<'_>, status: &str, revision: &str) -> Value {
    let mut compared_to = json!({"source": app.source(), "destination": app.destination()});
    if let Some(ignored) = app.0.pointer("/spec/ignoreDifferences") {
        compared_to["ignoreDifferences"] = ignored.clone();
    }
    json!({"status": status, "comparedTo": compared_to, "revision": revision})
}

/// Health with the time of its last change.
fn health_of(app: App<'_>, health: &str, now: Timestamp) -> Value {
    let old = &app.0["status"]["health"];
    if text(old, "/status") == health {
        return old.clone();
    }
    json!({"status": health, "lastTransitionTime": stamp(now)})
}

/// One condition, with the time of its first appearance.
pub(crate) fn conditions(app: App<'_>, kind: &str, message: &str, now: Timestamp) -> Value {
    let since = list(app.0, "/status/conditions")
        .iter()
        .find(|c| text(c, "/type") == kind && text(c, "/message") == message)
        .map_or_else(|| stamp(now), |c| text(c, "/lastTransitionTime").to_owned());
    json!([{"type": kind, "message": message, "lastTransitionTime": since}])
}

fn summary(images: &[String]) -> Value {
    if images.is_empty() {
        json!({})
    } else {
        json!({ "images": images })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Health;

    const LATER: &str = "2026-11-21T02:10:00Z";

    fn comparison(status: &str) -> Comparison {
        Comparison {
            resources: vec![json!({"kind": "ConfigMap", "name": "c", "status": status})],
            health: Health::Healthy,
            images: vec!["proxy:1".into()],
        }
    }

    fn app_with(status: &Value) -> Value {
        json!({"spec": {"source": {"path": "p"}, "destination": {"name": "edge"}}, "status": status})
    }

    fn settled() -> Value {
        let bare = app_with(&json!({}));
        let found = Ok(comparison("Synced"));
        let now = "2026-11-21T02:00:00Z".parse().unwrap();
        app_with(&after(App(&bare), "abc", &found, Level::Git, now).unwrap())
    }

    #[test]
    fn the_first_comparison_writes_the_whole_status() {
        let status = &settled()["status"];
        assert_eq!(status["sync"]["status"], "Synced");
        assert_eq!(status["sync"]["comparedTo"]["source"]["path"], "p");
        assert_eq!(status["reconciledAt"], "2026-11-21T02:00:00Z");
        assert_eq!(status["resourceHealthSource"], "appTree");
        assert_eq!(status.get("conditions"), None);
    }

    #[test]
    fn nothing_new_writes_nothing() {
        let app = settled();
        let found = Ok(comparison("Synced"));
        let now = LATER.parse().unwrap();
        assert_eq!(after(App(&app), "abc", &found, Level::Live, now), None);
    }

    #[test]
    fn a_live_change_leaves_the_time_of_reconciliation_alone() {
        let app = settled();
        let found = Ok(comparison("OutOfSync"));
        let now = LATER.parse().unwrap();
        let patch = after(App(&app), "abc", &found, Level::Live, now).unwrap();
        assert_eq!(patch["sync"]["status"], "OutOfSync");
        assert_eq!(patch.get("reconciledAt"), None);
        assert_eq!(patch.get("health"), None);
    }

    #[test]
    fn a_failed_comparison_reads_unknown_and_says_why() {
        let app = settled();
        let now = LATER.parse().unwrap();
        let found = Err("app path does not exist".to_owned());
        let patch = after(App(&app), "abc", &found, Level::Git, now).unwrap();
        assert_eq!(patch["sync"]["status"], "Unknown");
        assert_eq!(patch["resources"][0]["status"], "Unknown");
        assert_eq!(patch["conditions"][0]["type"], "ComparisonError");
        let mut failing = app;
        json_patch::merge(&mut failing["status"], &patch);
        let healed = after(
            App(&failing),
            "abc",
            &Ok(comparison("Synced")),
            Level::Live,
            now,
        );
        assert_eq!(healed.unwrap()["conditions"], Value::Null);
    }
}

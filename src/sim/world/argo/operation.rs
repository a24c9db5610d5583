//! Carrying out an operation: what is applied, pruned or left, and what the status then says. As controllers up to 3.5.1 do it.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::app::{APPLIER, App};
use super::apply::{apply, resource_name};
use super::comparison::extras;
use crate::sim::store::Key;
use crate::sim::world::cluster::{Cluster, Pen};
use crate::sim::world::json::{flag, list, number, stamp, text};

/// Kinds that go before the others, first to last; the rest follow.
const FIRST: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "ServiceAccount",
    "Secret",
    "ConfigMap",
    "ClusterRole",
    "Role",
    "ClusterRoleBinding",
    "RoleBinding",
    "Service",
];

/// The patch that begins an operation.
///
/// It merges over an operation state that was not cleared: what the new operation does not say, the old one goes on saying.
pub(crate) fn begin(operation: &Value, now: Timestamp) -> Value {
    let state = json!({
        "operation": operation,
        "phase": "Running",
        "startedAt": stamp(now),
        "finishedAt": null,
    });
    json!({"status": {"operationState": state}})
}

/// What one attempt needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempt<'a> {
    pub(crate) app: App<'a>,
    /// The operation as the status has it.
    pub(crate) operation: &'a Value,
    pub(crate) cluster: &'a Cluster,
    /// The commit.
    pub(crate) revision: &'a str,
    /// Its manifests, or why there are none.
    pub(crate) manifests: Result<&'a [Value], &'a str>,
    pub(crate) now: Timestamp,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Outcome {
    /// `Succeeded`, `Failed` or `Error`.
    pub(crate) phase: &'static str,
    pub(crate) message: String,
    pub(crate) results: Vec<Value>,
}

impl Outcome {
    fn ended(phase: &'static str, message: impl Into<String>) -> Self {
        Self {
            phase,
            message: message.into(),
            results: Vec::new(),
        }
    }

    /// Somebody asked for its end.
    pub(crate) fn terminated() -> Self {
        Self::ended("Failed", "Operation terminated")
    }
}

impl Attempt<'_> {
    /// Applies what the operation names.
    pub(crate) fn run(&self) -> Outcome {
        let manifests = match self.manifests {
            Ok(manifests) => manifests,
            Err(why) => {
                return Outcome::ended(
                    "Error",
                    format!("ComparisonError: Failed to load target state: {why}"),
                );
            }
        };
        if !self.cluster.reachable() {
            let url = &self.cluster.url;
            return Outcome::ended(
                "Failed",
                format!(
                    "one or more synchronization tasks are not valid. Get \"{url}/version?timeout=32s\": dial tcp: i/o timeout"
                ),
            );
        }
        let mut results = Vec::new();
        let targets = self.targets(manifests);
        self.apply_all(&targets, &mut results);
        self.prune(&targets, &mut results);
        let failed = results
            .iter()
            .filter(|r| text(r, "/status") == "SyncFailed");
        match failed.count() {
            0 => Outcome {
                phase: "Succeeded",
                message: success(&results).to_owned(),
                results,
            },
            _ => Outcome {
                phase: "Failed",
                message: "one or more objects failed to apply".to_owned(),
                results,
            },
        }
    }

    fn targets(&self, manifests: &[Value]) -> Vec<(Key, Value)> {
        let tracker = self.app.tracker();
        let mut targets: Vec<(Key, Value)> = manifests
            .iter()
            .filter_map(|m| tracker.place(&self.cluster.store, m))
            .collect();
        targets.sort_by_key(|(key, _)| rank(key));
        targets
    }

    fn pen(&self) -> Pen<'_> {
        Pen {
            dry_run: flag(self.operation, "/sync/dryRun"),
            ..self.cluster.pen(APPLIER, self.now)
        }
    }

    fn option(&self, option: &str) -> bool {
        list(self.operation, "/sync/syncOptions")
            .iter()
            .any(|o| o.as_str() == Some(option))
    }

    fn apply_all(&self, targets: &[(Key, Value)], results: &mut Vec<Value>) {
        let server_side = self.option("ServerSideApply=true");
        let selected = targets.iter().filter(|(key, _)| self.selects(key));
        for (n, (key, document)) in selected.enumerate() {
            if n == 0 && self.option("CreateNamespace=true") {
                self.create_namespace();
            }
            let (status, message) = match apply(self.pen(), key, document, server_side) {
                Ok(message) => ("Synced", message),
                Err(status) => ("SyncFailed", status.message),
            };
            results.push(result(key, status, &message));
        }
    }

    fn create_namespace(&self) {
        let name = text(self.app.destination(), "/namespace");
        let document = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        // It is there already, most of the time; if it cannot be made, the objects say so.
        let _ = self.pen().create(document);
    }

    fn prune(&self, targets: &[(Key, Value)], results: &mut Vec<Value>) {
        let known = list(self.app.0, "/status/resources");
        let store = &self.cluster.store;
        for object in extras(store, self.app.tracker(), targets, known) {
            let key = &object.key;
            if !self.selects(key) {
                continue;
            }
            let (status, message) = if !flag(self.operation, "/sync/prune") {
                ("PruneSkipped", "ignored (requires pruning)".to_owned())
            } else if let Err(status) = self.pen().delete(key) {
                ("SyncFailed", status.message)
            } else {
                ("Pruned", format!("{} pruned", resource_name(key)))
            };
            results.push(result(key, status, &message));
        }
    }

    /// Whether the operation is about this object: about everything when it names nothing.
    fn selects(&self, key: &Key) -> bool {
        let named = list(self.operation, "/sync/resources");
        named.is_empty()
            || named.iter().any(|r| {
                let namespace = text(r, "/namespace");
                text(r, "/kind") == key.kind.kind
                    && text(r, "/group") == key.kind.group
                    && text(r, "/name") == &*key.name
                    && (namespace.is_empty() || namespace == &*key.namespace)
            })
    }

    /// The patch that ends the operation, with a line of history for a full sync that succeeded.
    pub(crate) fn end(&self, outcome: &Outcome, retries: u32) -> Value {
        let mut state = self.state(outcome, retries);
        state["phase"] = outcome.phase.into();
        state["message"] = outcome.message.clone().into();
        let mut status = json!({ "operationState": state });
        let full = list(self.operation, "/sync/resources").is_empty();
        let dry = flag(self.operation, "/sync/dryRun");
        if outcome.phase == "Succeeded" && full && !dry {
            status["history"] = self.history();
        }
        json!({"status": status, "operation": null})
    }

    /// The patch that puts a failed attempt off to the next one.
    pub(crate) fn retry(&self, outcome: &Outcome, retries: u32, next: Timestamp) -> Value {
        let mut state = self.state(outcome, retries);
        state["phase"] = "Running".into();
        state["message"] = format!(
            "{}. Retrying attempt #{retries} at {}.",
            outcome.message,
            next.strftime("%-I:%M%p")
        )
        .into();
        json!({"status": {"operationState": state}})
    }

    fn state(&self, outcome: &Outcome, retries: u32) -> Value {
        let mut state = json!({
            "finishedAt": stamp(self.now),
            "syncResult": {
                "revision": self.revision,
                "source": self.source(),
                "resources": outcome.results,
            },
        });
        if retries > 0 {
            state["retryCount"] = retries.into();
        }
        state
    }

    fn source(&self) -> &Value {
        self.operation
            .pointer("/sync/source")
            .unwrap_or(self.app.source())
    }

    fn history(&self) -> Value {
        let mut history = list(self.app.0, "/status/history").to_vec();
        let id = history.last().map_or(0, |h| number(h, "/id") + 1);
        let mut entry = json!({
            "id": id,
            "revision": self.revision,
            "source": self.source(),
            "deployedAt": stamp(self.now),
            "deployStartedAt": text(self.app.0, "/status/operationState/startedAt"),
        });
        if let Some(by) = self.operation.get("initiatedBy") {
            entry["initiatedBy"] = by.clone();
        }
        history.push(entry);
        let limit = self.app.0.pointer("/spec/revisionHistoryLimit");
        let limit = limit.and_then(Value::as_u64).unwrap_or(10);
        let excess = history
            .len()
            .saturating_sub(usize::try_from(limit).unwrap_or(10));
        history.drain(..excess);
        history.into()
    }
}

/// How long to wait before the attempt after `failures` failures; `None` when there is none.
pub(crate) fn backoff(operation: &Value, failures: u32) -> Option<SignedDuration> {
    let limit = number(operation, "/retry/limit");
    if limit >= 0 && i64::from(failures) > limit {
        return None;
    }
    let time = |member: &str, default: i64| {
        let written = text(operation, &format!("/retry/backoff/{member}"));
        written
            .parse::<SignedDuration>()
            .unwrap_or(SignedDuration::from_secs(default))
    };
    let factor = match number(operation, "/retry/backoff/factor") {
        0 => 2_i32,
        factor => i32::try_from(factor).unwrap_or(2),
    };
    let wait = time("duration", 5) * factor.saturating_pow(failures.saturating_sub(1).min(8));
    Some(wait.min(time("maxDuration", 180)))
}

fn rank(key: &Key) -> (usize, String) {
    let rank = FIRST.iter().position(|k| *k == key.kind.kind);
    (rank.unwrap_or(FIRST.len()), key.to_string())
}

fn success(results: &[Value]) -> &'static str {
    if results.is_empty() {
        "successfully synced (no more tasks)"
    } else {
        "successfully synced (all tasks run)"
    }
}

fn result(key: &Key, status: &str, message: &str) -> Value {
    json!({
        "group": key.kind.group,
        "version": key.kind.version,
        "kind": key.kind.kind,
        "namespace": &*key.namespace,
        "name": &*key.name,
        "status": status,
        "message": message,
        "hookPhase": if status == "SyncFailed" { "Failed" } else { "Running" },
        "syncPhase": "Sync",
    })
}

#[cfg(test)]
mod tests;

//! Columns of custom kinds, as their definitions name them.

use jiff::Timestamp;
use serde_json::Value;

use super::age::age;
use super::{Column, read};
use crate::sim::store::Kind;
use crate::sim::store::value::at;

/// The columns after the name and where their values stand; `?Ready.status` is a member of a condition, `@` marks an age, `+` a column that is only shown on request.
#[rustfmt::skip]
fn printed(kind: &Kind) -> &'static [(&'static str, &'static str)] {
    const AGE: (&str, &str) = ("@Age", "metadata.creationTimestamp");
    const READY: (&str, &str) = ("Ready", "?Ready.status");
    const STATUS: (&str, &str) = ("Status", "?Ready.message");
    const URL: (&str, &str) = ("URL", "spec.url");
    match kind.kind {
        "Application" => &[
            ("Sync Status", "status.sync.status"), ("Health Status", "status.health.status"),
            ("+Revision", "status.sync.revision"), ("+Project", "spec.project"),
        ],
        "Kustomization" | "HelmRelease" => &[AGE, READY, STATUS],
        "Bucket" => &[("Endpoint", "spec.endpoint"), AGE, READY, STATUS],
        "GitRepository" | "HelmRepository" => &[URL, AGE, READY, STATUS],
        "OCIRepository" => &[URL, READY, STATUS, AGE],
        "HelmChart" => &[
            ("Chart", "spec.chart"), ("Version", "spec.version"), ("Source Kind", "spec.sourceRef.kind"),
            ("Source Name", "spec.sourceRef.name"), AGE, READY, STATUS,
        ],
        _ => &[AGE],
    }
}

pub(super) fn columns(kind: &Kind) -> Vec<Column> {
    let mut columns = read("Name");
    for (name, _) in printed(kind) {
        match name.strip_prefix('+') {
            Some(name) => columns.push(Column {
                name,
                ty: "string",
                priority: 10,
            }),
            None => columns.extend(read(name)),
        }
    }
    columns
}

pub(super) fn cells(kind: &Kind, document: &Value, now: Timestamp) -> Vec<Value> {
    let mut cells = vec![document["metadata"]["name"].clone()];
    for (name, path) in printed(kind) {
        let value = found(document, path);
        cells.push(if name.starts_with('@') {
            age(&value, now).into()
        } else {
            value
        });
    }
    cells
}

fn found(document: &Value, path: &str) -> Value {
    if let Some((kind, member)) = path.strip_prefix('?').and_then(|p| p.split_once('.')) {
        let conditions = at(document, &["status", "conditions"]).and_then(Value::as_array);
        let condition = conditions.into_iter().flatten().find(|c| c["type"] == kind);
        return condition.map_or(Value::Null, |c| c[member].clone());
    }
    let parts: Vec<&str> = path.split('.').collect();
    at(document, &parts).cloned().unwrap_or_default()
}

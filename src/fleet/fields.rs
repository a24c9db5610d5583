//! Which fields the rows of each list have for queries.

use super::query::{FieldValue, Queryable};
use super::{AppRow, ClusterRow, DriftGroup, DriftRow};
use crate::domain::{ClusterId, Engine, Safe, SyncState};

fn text(value: impl ToString) -> Option<FieldValue> {
    let text = value.to_string();
    (!text.is_empty()).then_some(FieldValue::Text(text))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows stay far below 2^52"
)]
fn number(value: usize) -> Option<FieldValue> {
    Some(FieldValue::Number(value as f64))
}

fn words<'a>(list: impl IntoIterator<Item = &'a Safe>) -> Option<FieldValue> {
    Some(FieldValue::Any(
        list.into_iter().map(|s| s.as_str().to_owned()).collect(),
    ))
}

fn engine(engine: Engine) -> &'static str {
    match engine {
        Engine::Argo => "argo",
        Engine::Flux => "flux",
    }
}

impl Queryable for ClusterRow {
    const FIELDS: &'static [&'static str] = &[
        "cluster",
        "group",
        "region",
        "state",
        "version",
        "drift",
        "apps",
        "outofsync",
        "degraded",
        "health",
        "engine",
        "context",
        "message",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "cluster" => text(&self.id),
            "group" | "region" => text(&self.group),
            "state" => text(self.state.word()),
            "version" => text(&self.version),
            "drift" => self
                .state
                .is_current()
                .then(|| number(self.drift))
                .flatten(),
            "apps" => number(self.apps),
            "outofsync" => self
                .state
                .is_current()
                .then(|| number(self.out_of_sync))
                .flatten(),
            "degraded" => self
                .state
                .is_current()
                .then(|| number(self.health.degraded))
                .flatten(),
            "health" => self.health.worst().and_then(|h| text(format!("{h:?}"))),
            "engine" => Some(FieldValue::Any(
                self.engines.iter().map(|e| engine(*e).to_owned()).collect(),
            )),
            "context" => words(&self.contexts),
            "message" => self.message.as_ref().and_then(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!(
            "{} {} {} {}",
            self.id,
            self.group,
            self.state.word(),
            self.version
        )
    }
}

impl Queryable for AppRow {
    const FIELDS: &'static [&'static str] = &[
        "app",
        "hub",
        "cluster",
        "namespace",
        "project",
        "sync",
        "verdict",
        "health",
        "auto",
        "drift",
        "revision",
        "engine",
        "kind",
        "message",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "kind" => text(self.app.id.kind.word()),
            "app" => text(&self.app.id.name),
            "hub" => text(&self.app.id.hub),
            "cluster" => self.cluster.as_ref().and_then(text),
            "namespace" => text(&self.app.id.namespace),
            "project" => text(&self.app.project),
            "sync" => text(format!("{:?}", self.app.sync)),
            "verdict" => text(format!("{:?}", self.verdict.state)),
            "health" => text(format!("{:?}", self.health)),
            "auto" => text(if self.app.auto_sync.enabled {
                "auto"
            } else {
                "manual"
            }),
            "drift" => number(self.drift),
            "revision" => self.app.deployed_revision().and_then(|h| text(&h.revision)),
            "engine" => text(engine(self.app.engine)),
            "message" => self.app.message.as_ref().and_then(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let cluster = self.cluster.as_ref().map_or("unmatched", ClusterId::as_str);
        let out = if self.verdict.state == SyncState::OutOfSync {
            "outofsync"
        } else {
            ""
        };
        format!("{} {cluster} {out}", self.app.id)
    }
}

impl Queryable for DriftRow {
    const FIELDS: &'static [&'static str] = &[
        "cluster",
        "app",
        "hub",
        "kind",
        "namespace",
        "name",
        "state",
        "manager",
        "path",
        "fingerprint",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        let resource = &self.resource;
        match name {
            "cluster" => text(&self.cluster),
            "app" => text(&resource.app.name),
            "hub" => text(&resource.app.hub),
            "kind" => text(&resource.object.gvk.kind),
            "namespace" => text(&resource.object.namespace),
            "name" => text(&resource.object.name),
            "state" => Some(FieldValue::Any(
                resource
                    .verdict
                    .states
                    .iter()
                    .map(|s| s.word().to_owned())
                    .collect(),
            )),
            "manager" => words(
                resource
                    .verdict
                    .changes
                    .iter()
                    .filter_map(|c| c.owner.as_ref())
                    .map(|o| &o.manager),
            ),
            "path" => Some(FieldValue::Any(
                resource
                    .verdict
                    .changes
                    .iter()
                    .map(|c| c.path.clone())
                    .collect(),
            )),
            "fingerprint" => resource.verdict.fingerprint.and_then(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!(
            "{} {} {} {}",
            self.cluster,
            self.resource.app.name,
            self.resource.object,
            self.resource.verdict.summary
        )
    }
}

impl Queryable for DriftGroup {
    const FIELDS: &'static [&'static str] = &[
        "kind",
        "object",
        "count",
        "clusters",
        "cluster",
        "state",
        "manager",
        "fingerprint",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        match name {
            "kind" => text(&self.gvk.kind),
            "object" => text(&self.object),
            "count" => number(self.members.len()),
            "clusters" => number(self.clusters().len()),
            "cluster" => Some(FieldValue::Any(
                self.clusters().iter().map(ToString::to_string).collect(),
            )),
            "state" => Some(FieldValue::Any(
                self.states.iter().map(|s| s.word().to_owned()).collect(),
            )),
            "manager" => words(&self.managers),
            "fingerprint" => text(self.fingerprint),
            _ => None,
        }
    }

    fn text(&self) -> String {
        format!("{} {}", self.object, self.summary)
    }
}

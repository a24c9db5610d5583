//! The fields that the filter line can ask each kind of row for.

use jiff::Timestamp;

use crate::domain::{DriftState, LinkState, Role, Safe, SyncState};
use crate::fleet::query::{FieldValue, Queryable};
use crate::fleet::{AppRow, ClusterRow, DriftGroup, Story, Tenor};

/// A row together with the time that its ages are counted to.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a, R> {
    /// The row.
    pub row: &'a R,
    /// Now.
    pub now: Timestamp,
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "every field of a row is an option"
)]
fn text(word: &(impl ToString + ?Sized)) -> Option<FieldValue> {
    Some(FieldValue::Text(word.to_string()))
}

fn count(n: usize) -> Option<FieldValue> {
    u32::try_from(n).ok().map(|n| FieldValue::Number(n.into()))
}

fn since(now: Timestamp, then: Timestamp) -> FieldValue {
    FieldValue::Seconds(now.duration_since(then).as_secs_f64())
}

/// The word for a sync state.
pub fn sync_word(state: SyncState) -> &'static str {
    match state {
        SyncState::Synced => "Synced",
        SyncState::OutOfSync => "OutOfSync",
        SyncState::Unknown => "Unknown",
    }
}

impl Queryable for Asked<'_, ClusterRow> {
    const FIELDS: &'static [&'static str] = &[
        "name",
        "cluster",
        "group",
        "region",
        "state",
        "drift",
        "apps",
        "outofsync",
        "unknown",
        "degraded",
        "health",
        "version",
        "role",
        "server",
        "age",
        "message",
        "warning",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        let row = self.row;
        match name {
            "name" | "cluster" => text(&row.id),
            "group" | "region" => Some(&row.group).filter(|g| !g.is_empty()).and_then(text),
            "state" => text(link_word(row.state)),
            "drift" => count(row.drift),
            "apps" => count(row.apps),
            "outofsync" => count(row.out_of_sync),
            "unknown" => count(row.unknown),
            "degraded" => count(row.health.degraded),
            "health" => row.health.worst().and_then(|h| text(&format!("{h:?}"))),
            "version" => Some(&row.version).filter(|v| !v.is_empty()).and_then(text),
            "role" => Some(FieldValue::Any(
                row.roles.iter().map(|r| role_word(*r)).collect(),
            )),
            "server" => text(&row.server),
            "age" => row.since.map(|then| since(self.now, then)),
            "message" => row.words().as_ref().and_then(text),
            "warning" => row.warning.as_ref().and_then(|w| text(w.kind)),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let row = self.row;
        let words = row.words();
        let message = words.as_ref().map_or("", Safe::as_str);
        let state = link_word(row.state);
        format!("{} {} {} {state} {message}", row.id, row.group, row.version)
    }
}

fn role_word(role: Role) -> String {
    match role {
        Role::Hub => "hub",
        Role::Edge => "edge",
    }
    .to_owned()
}

/// The word for a link: as in the JSON contract, but a first attempt is called what it is.
pub fn link_word(state: LinkState) -> &'static str {
    match state {
        LinkState::Connecting => "connecting",
        other => other.word(),
    }
}

impl Queryable for Asked<'_, DriftGroup> {
    const FIELDS: &'static [&'static str] = &[
        "kind",
        "name",
        "namespace",
        "object",
        "state",
        "clusters",
        "cluster",
        "manager",
        "age",
        "summary",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        let row = self.row;
        let first = &row.members.first()?.resource.object;
        match name {
            "kind" => text(&row.gvk.kind),
            "name" => text(&first.name),
            "namespace" => text(&first.namespace),
            "object" => text(&row.object),
            "state" => Some(FieldValue::Any(
                row.states
                    .iter()
                    .map(|s: &DriftState| s.word().to_owned())
                    .collect(),
            )),
            "clusters" => count(row.sites),
            "cluster" => Some(FieldValue::Any(
                row.members.iter().map(|m| m.cluster.to_string()).collect(),
            )),
            "manager" => Some(FieldValue::Any(
                row.managers.iter().map(ToString::to_string).collect(),
            )),
            "age" => Some(since(self.now, row.since)),
            "summary" => text(&row.summary),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let managers: Vec<&str> = self.row.managers.iter().map(Safe::as_str).collect();
        format!(
            "{} {} {}",
            self.row.object,
            self.row.summary,
            managers.join(" ")
        )
    }
}

impl Queryable for Asked<'_, Story> {
    const FIELDS: &'static [&'static str] = &[
        "kind", "cluster", "clusters", "app", "object", "news", "age", "what",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        let row = self.row;
        match name {
            "kind" => text(row.kind.word()),
            "cluster" => Some(FieldValue::Any(
                row.clusters.iter().map(ToString::to_string).collect(),
            )),
            "clusters" => count(row.clusters.len()),
            "app" => row.app.as_ref().and_then(|a| text(&a.name)),
            "object" => row.object.as_ref().and_then(text),
            "news" => text(match row.tenor {
                Tenor::Bad => "bad",
                Tenor::Plain => "plain",
                Tenor::Good => "good",
            }),
            "age" => Some(since(self.now, row.until)),
            "what" => text(&row.what),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let row = self.row;
        let clusters: Vec<&str> = row.clusters.iter().map(|c| c.as_str()).collect();
        format!("{} {} {}", row.kind.word(), row.what, clusters.join(" "))
    }
}

impl Queryable for Asked<'_, AppRow> {
    const FIELDS: &'static [&'static str] = &[
        "name",
        "app",
        "cluster",
        "hub",
        "namespace",
        "project",
        "sync",
        "health",
        "drift",
        "resources",
        "auto",
        "revision",
        "age",
        "message",
    ];

    fn field(&self, name: &str) -> Option<FieldValue> {
        let (row, app) = (self.row, &self.row.app);
        match name {
            "name" | "app" => text(&app.id.name),
            "cluster" => row.cluster.as_ref().and_then(text),
            "hub" => text(&app.id.hub),
            "namespace" => text(&app.id.namespace),
            "project" => text(&app.project),
            "sync" => text(sync_word(row.verdict.state)),
            "health" => text(&format!("{:?}", row.health)),
            "drift" => count(row.drift),
            "resources" => count(row.resources),
            "auto" => text(if app.auto_sync.enabled { "on" } else { "off" }),
            "revision" => app.deployed_revision().and_then(|d| text(&d.revision)),
            "age" => app.reconciled_at.map(|then| since(self.now, then)),
            "message" => app.message.as_ref().and_then(text),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let (row, app) = (self.row, &self.row.app);
        let cluster = row.cluster.as_ref().map_or("unmatched", |c| c.as_str());
        format!(
            "{} {cluster} {} {}",
            app.id,
            sync_word(row.verdict.state),
            app.project
        )
    }
}

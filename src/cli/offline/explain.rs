//! Why an object in a file is as it is: its health and the rule that said so, how it is synced, and who wrote it.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::{identity, read, text, written};
use crate::cli::args::Form;
use crate::cli::lists::Listed;
use crate::desired::tracking::{TRACKING_ID, parse_tracking_id};
use crate::domain::{Health, Safe};
use crate::drift::SealKey;
use crate::drift::hooks;
use crate::drift::managers::class_of;
use crate::health::lua::Answer;
use crate::health::{Checks, Overrides, Verdict, kstatus};

/// One item of `ExplanationList`.
#[derive(Debug, Serialize)]
pub(super) struct ExplanationItem {
    group: Safe,
    pub(super) kind: Safe,
    pub(super) namespace: Safe,
    pub(super) name: Safe,
    /// Null for a kind that has none.
    health: Option<HealthItem>,
    /// What kstatus, which Flux and `kubectl wait` use, says.
    kstatus: KstatusItem,
    sync: SyncItem,
    pub(super) reasons: Vec<String>,
}

#[derive(Debug, Serialize)]
struct HealthItem {
    status: Health,
    message: String,
    /// Which rule spoke.
    source: String,
}

/// What health is told by.
pub(crate) struct HealthBy<'a> {
    /// The person's rules and ours.
    pub(crate) checks: Checks,
    /// The Lua rules of argocd-cm.
    pub(crate) overrides: Overrides,
    /// Runs a Lua rule.
    pub(crate) lua: &'a mut dyn FnMut(&Arc<str>, &Value) -> Answer,
}

impl HealthBy<'_> {
    fn judge(&mut self, object: &Value) -> Option<Verdict> {
        let Some(rule) = self.checks.asks(&self.overrides, object) else {
            return self.checks.judge(object, None);
        };
        let answer = (self.lua)(&rule.script, object);
        self.checks.judge(object, Some((&rule.key, &answer)))
    }
}

#[derive(Debug, Serialize)]
struct KstatusItem {
    status: &'static str,
    message: Safe,
}

/// What a tracking id says; null when there is none or it is malformed.
#[derive(Debug, Serialize)]
struct TrackingItem {
    app: Safe,
    group: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
}

/// How the engine would sync the object, as far as the object itself says it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SyncItem {
    /// The application that its tracking mark names.
    app: Option<Safe>,
    tracking: Option<TrackingItem>,
    hook: bool,
    /// The hook annotation says `Skip` and nothing else.
    skip: bool,
    hook_types: Vec<&'static str>,
    /// A hook of no known type: it is neither synced nor judged.
    ignored: bool,
    phases: Vec<&'static str>,
    wave: i64,
}

impl ExplanationItem {
    fn new(object: &Value, by: &mut HealthBy<'_>, now: Timestamp) -> Self {
        let id = identity(object);
        let health = by.judge(object);
        let computed = kstatus::compute(object, now);
        let reasons = reasons(object, health.as_ref(), &computed);
        Self {
            group: Safe::new(&id.gvk.group),
            kind: Safe::new(&id.gvk.kind),
            namespace: Safe::new(&id.namespace),
            name: Safe::new(&id.name),
            health: health.map(|verdict| HealthItem {
                status: verdict.health,
                message: verdict.message,
                source: verdict.source.to_string(),
            }),
            kstatus: KstatusItem {
                status: computed.status.word(),
                message: Safe::new(&computed.message),
            },
            sync: sync(object),
            reasons,
        }
    }

    pub(super) fn health_word(&self) -> String {
        match &self.health {
            None => "has no health".to_owned(),
            Some(health) if health.message.is_empty() => format!("{:?}", health.status),
            Some(health) => format!("{:?}: {}", health.status, Safe::new(&health.message)),
        }
    }
}

/// Explains every object of a file, in order.
///
/// # Errors
/// The file does not parse or holds no object, or the form is one that only pictures have.
pub(crate) fn explain(
    bytes: &[u8],
    key: &SealKey,
    by: &mut HealthBy<'_>,
    at: Timestamp,
    form: Form,
) -> Result<Listed, String> {
    let objects = read("given", bytes, key)?;
    if objects.is_empty() {
        return Err(
            "The file holds no object. Give it as kubectl prints it with -o yaml.".to_owned(),
        );
    }
    let items: Vec<ExplanationItem> = objects
        .iter()
        .map(|object| ExplanationItem::new(object, by, at))
        .collect();
    Ok(Listed {
        text: written("ExplanationList", at, items, form, text::explanations)?,
        status: 0,
    })
}

fn annotation<'v>(object: &'v Value, key: &str) -> Option<&'v str> {
    object
        .get("metadata")?
        .get("annotations")?
        .get(key)?
        .as_str()
}

fn sync(object: &Value) -> SyncItem {
    let id = annotation(object, TRACKING_ID).and_then(parse_tracking_id);
    SyncItem {
        app: id.as_ref().map(|id| Safe::new(&id.instance)),
        tracking: id.map(|id| TrackingItem {
            app: Safe::new(&id.instance),
            group: Safe::new(&id.group),
            kind: Safe::new(&id.kind),
            namespace: Safe::new(&id.namespace),
            name: Safe::new(&id.name),
        }),
        hook: hooks::is_hook(object),
        skip: hooks::is_skipped(object),
        hook_types: hooks::types(object)
            .into_iter()
            .map(hooks::Hook::word)
            .collect(),
        ignored: hooks::is_ignored(object),
        phases: hooks::phases(object)
            .into_iter()
            .map(hooks::Hook::word)
            .collect(),
        wave: hooks::wave(object),
    }
}

fn reasons(object: &Value, health: Option<&Verdict>, computed: &kstatus::Outcome) -> Vec<String> {
    let mut reasons = Vec::new();
    match health {
        Some(verdict) if verdict.health == Health::Healthy => {
            reasons.push(format!("health is told by {}", verdict.source));
        }
        Some(verdict) if verdict.message.is_empty() => reasons.push(format!(
            "health is {:?}, by {}",
            verdict.health, verdict.source
        )),
        Some(verdict) => reasons.push(format!(
            "health is {:?}: {} (by {})",
            verdict.health, verdict.message, verdict.source
        )),
        None => reasons.push("no health rule knows this kind".to_owned()),
    }
    if computed.status != kstatus::Status::Current {
        reasons.push(format!(
            "kstatus is {}: {}",
            computed.status.word(),
            computed.message
        ));
    }
    if hooks::is_skipped(object) {
        reasons.push("its hook annotation says Skip: it is never synced".to_owned());
    } else if hooks::is_ignored(object) {
        reasons.push(
            "its hook annotation names no known hook: it has no sync status and no health"
                .to_owned(),
        );
    }
    reasons.extend(writers(object));
    reasons
}

/// Who wrote which part of the object, newest last.
fn writers(object: &Value) -> Vec<String> {
    let entries = object
        .pointer("/metadata/managedFields")
        .and_then(Value::as_array);
    let mut lines: Vec<(&str, String)> = entries
        .into_iter()
        .flatten()
        .map(|entry| {
            let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let class = class_of(text("manager"), text("subresource")).words();
            let part = match text("subresource") {
                "" => String::new(),
                subresource => format!(" the {subresource} of"),
            };
            let line = format!(
                "{} ({class}) wrote{part} the object by {} at {}",
                text("manager"),
                text("operation"),
                text("time")
            );
            (text("time"), line)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, line)| line).collect()
}

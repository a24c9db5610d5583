//! Why an object in a file is as it is: its health by Argo CD's built-in checks, how it is synced, and who wrote it.

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
use crate::health::{self, kstatus};

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
    source: &'static str,
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
    fn new(object: &Value, now: Timestamp) -> Self {
        let id = identity(object);
        let health = health::check(object);
        let computed = kstatus::compute(object, now);
        let reasons = reasons(object, health.as_ref(), &computed);
        Self {
            group: Safe::new(&id.gvk.group),
            kind: Safe::new(&id.gvk.kind),
            namespace: Safe::new(&id.namespace),
            name: Safe::new(&id.name),
            health: health.map(|(status, message)| HealthItem {
                status,
                message,
                source: "argo built-in",
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
/// The file does not parse, or the form is one that only pictures have.
pub(crate) fn explain(
    bytes: &[u8],
    key: &SealKey,
    at: Timestamp,
    form: Form,
) -> Result<Listed, String> {
    let objects = read("given", bytes, key)?;
    let items: Vec<ExplanationItem> = objects
        .iter()
        .map(|object| ExplanationItem::new(object, at))
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

fn reasons(
    object: &Value,
    health: Option<&health::Report>,
    computed: &kstatus::Outcome,
) -> Vec<String> {
    let mut reasons = Vec::new();
    match health {
        Some((Health::Healthy, _)) => {}
        Some((status, message)) if message.is_empty() => {
            reasons.push(format!("health is {status:?}"))
        }
        Some((status, message)) => reasons.push(format!("health is {status:?}: {message}")),
        None => reasons.push("Argo CD has no built-in health check for this kind".to_owned()),
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

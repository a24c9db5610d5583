//! `diff` and `explain` of files: no cluster, the same verdicts. Pure: bytes in, text and exit status out.

mod declared;
mod explain;
pub(crate) mod files;
mod text;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::args::Form;
use super::document::{Document, Scope, exit_status};
use super::items::{ChangeItem, IgnoredItem};
use super::lists::Listed;
use super::print;
use crate::domain::{
    DriftState, Fingerprint, Gvk, ObjectRef, Safe, Selector, SyncState, Verdict, VerdictSource,
};
use crate::drift::argo::structured::MANAGER;
use crate::drift::argo::{self, Ask, DryRun, Method, Normalizer};
use crate::drift::ssa::entries;
use crate::drift::yaml::{Limits, parse_documents};
use crate::drift::{Comparison, Marks, SealKey, diff_text, judge, seal};
use crate::fleet::Fleet;

use declared::Declared;
pub(crate) use explain::{HealthBy, explain};

/// The files of an offline `diff`, read.
pub(crate) struct DiffFiles<'a> {
    /// What Git wants.
    pub(crate) desired: &'a [u8],
    /// What is live.
    pub(crate) live: &'a [u8],
    /// Rules: a list in the form of `spec.ignoreDifferences`, an Application, argocd-cm.
    pub(crate) ignore: Option<&'a [u8]>,
    /// What the API server answered to a dry run of a server-side apply.
    pub(crate) dry_run: Option<&'a [u8]>,
    /// Whether shadow drift counts for the exit status.
    pub(crate) shadow: bool,
    /// The key of this run, for the masks.
    pub(crate) key: SealKey,
    /// Now.
    pub(crate) at: Timestamp,
}

/// Compares two files, object by object.
///
/// # Errors
/// A file that does not parse, or a rule that cannot be used: one sentence that names it.
pub(crate) fn diff(files: &DiffFiles<'_>, form: Form) -> Result<Listed, String> {
    let declared = files.ignore.map(Declared::read).transpose()?;
    let declared = declared.unwrap_or_default();
    let key = declared.key(&files.key);
    let rules = declared.rules()?;
    let desired = read("desired", files.desired, &key)?;
    let live = read("live", files.live, &key)?;
    let answers = files.dry_run.map(|bytes| read("dry run's", bytes, &key));
    let against = Against {
        normalizer: declared.settings.normalizer(rules),
        declared,
        answers: answers.transpose()?.unwrap_or_default(),
    };
    let items: Vec<DiffItem> = pairs(&desired, &live)
        .into_iter()
        .map(|(desired, live)| DiffItem::new(desired, live, &against))
        .collect();
    let shadow = files.shadow && items.iter().any(|item| !item.shadow.is_empty());
    let drift = shadow || items.iter().any(|item| item.drifts());
    let unknown = items
        .iter()
        .any(|item| item.states.contains(&DriftState::Unknown));
    let text = written("Diff", files.at, items, form, text::diff)?;
    Ok(Listed {
        text,
        status: exit_status(drift, unknown),
    })
}

/// The document in the form that was asked for; `table` makes the text for people.
fn written<T: Serialize>(
    kind: &'static str,
    at: Timestamp,
    items: Vec<T>,
    form: Form,
    table: fn(&[T]) -> String,
) -> Result<String, String> {
    let (fleet, selector) = (Fleet::default(), Selector::default());
    let scope = Scope {
        fleet: &fleet,
        selector: &selector,
        at,
    };
    let document = Document::new(kind, scope, items);
    match form {
        Form::Json => print::json(&document),
        Form::Yaml => print::yaml(&document),
        Form::Table | Form::Wide | Form::Text => Ok(table(&document.items)),
        _ => Err("An answer about files has no such form; use -o table, json or yaml.".to_owned()),
    }
}

/// The objects of a file, Secrets sealed.
fn read(which: &str, bytes: &[u8], key: &SealKey) -> Result<Vec<Value>, String> {
    let mut objects = parse_documents(bytes, &Limits::default())
        .map_err(|e| format!("The {which} file cannot be read: {e}."))?;
    objects.iter_mut().for_each(|object| seal(object, key));
    Ok(objects)
}

/// What every pair is compared with.
struct Against {
    normalizer: Normalizer,
    declared: Declared,
    /// The API server's answers to dry runs.
    answers: Vec<Value>,
}

impl Against {
    /// How Argo CD would compare the pair: by the dry run when there is one, by structured merge when the application, the manifest
    /// or the live object's own field sets show server-side apply, else by three-way merge.
    fn method(&self, desired: Option<&Value>, live: Option<&Value>) -> Method<'_> {
        let answer = match (self.answers.as_slice(), desired) {
            ([only], _) => Some(only),
            (answers, Some(desired)) => answers.iter().find(|other| is_same(desired, other)),
            _ => None,
        };
        if let Some(result) = answer {
            return Method::ServerSide(DryRun {
                result,
                keep_webhooks: self.declared.keep_webhooks,
            });
        }
        if self.declared.server_side_apply || live.is_some_and(applied_by_argo) {
            return Method::Structured;
        }
        Method::Ordinary
    }
}

/// Whether Argo CD applied the object on the server's side.
fn applied_by_argo(live: &Value) -> bool {
    entries(live).any(|entry| {
        let text = |key: &str| entry.get(key).and_then(Value::as_str);
        text("manager") == Some(MANAGER) && text("operation") == Some("Apply")
    })
}

/// A pair of versions of one object, either of which may be missing.
type Pair<'v> = (Option<&'v Value>, Option<&'v Value>);

/// One document on each side is always a pair; otherwise objects are paired by group, kind, name, and namespace where both give one.
fn pairs<'v>(desired: &'v [Value], live: &'v [Value]) -> Vec<Pair<'v>> {
    if let ([desired], [live]) = (desired, live) {
        return vec![(Some(desired), Some(live))];
    }
    let mut left: Vec<&Value> = live.iter().collect();
    let mut pairs: Vec<Pair<'v>> = desired
        .iter()
        .map(|object| {
            let found = left.iter().position(|other| is_same(object, other));
            (Some(object), found.map(|i| left.remove(i)))
        })
        .collect();
    pairs.extend(left.into_iter().map(|object| (None, Some(object))));
    pairs
}

fn is_same(a: &Value, b: &Value) -> bool {
    let (a, b) = (identity(a), identity(b));
    let namespaces = a.namespace == b.namespace || a.namespace.is_empty() || b.namespace.is_empty();
    a.gvk.same_kind(&b.gvk) && a.name == b.name && namespaces
}

/// What an object says it is; parts that are missing are empty.
fn identity(object: &Value) -> ObjectRef {
    let text = |pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let gvk = Gvk::from_api_version(text("/apiVersion"), text("/kind"));
    ObjectRef::new(gvk, text("/metadata/namespace"), text("/metadata/name"))
}

/// One item of an offline `Diff`. Secret values are marks everywhere.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DiffItem {
    group: Safe,
    version: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
    /// The state that stands in one column; null when live is as desired.
    state: Option<&'static str>,
    states: Vec<DriftState>,
    verdict: VerdictItem,
    message: Option<Safe>,
    summary: Safe,
    fingerprint: Option<Fingerprint>,
    changes: Vec<ChangeItem>,
    ignored: Vec<IgnoredItem>,
    /// What Git does not set and a person's tool did; it is among `ignored` too.
    shadow: Vec<ChangeItem>,
    unified: String,
    /// Whether Argo CD would call the object out of sync; null when it would report an error.
    modified: Option<bool>,
    /// The live object as Argo CD predicts it after a sync.
    predicted_live: Value,
    /// The live object as Argo CD compares it.
    normalized_live: Value,
    target_state: Value,
    live_state: Value,
}

#[derive(Debug, Serialize)]
struct VerdictItem {
    source: VerdictSource,
    state: SyncState,
}

impl DiffItem {
    fn new(desired: Option<&Value>, live: Option<&Value>, against: &Against) -> Self {
        let verdict = judge(&Comparison {
            deployed: desired,
            target: desired,
            live,
            rules: &against.normalizer.rules,
            custom: None,
        });
        let marks = Marks::of(desired.into_iter().chain(live).collect::<Vec<_>>());
        let shown = |value: &Value| marks.shown(value, "");
        let (target_state, live_state) = (desired.map(shown), live.map(shown));
        let object = desired
            .or(live)
            .map_or_else(|| identity(&Value::Null), identity);
        let argo = argo(desired, live, against);
        let outcome = argo.as_ref().ok();
        Self {
            group: Safe::new(&object.gvk.group),
            version: Safe::new(&object.gvk.version),
            kind: Safe::new(&object.gvk.kind),
            namespace: Safe::new(&object.namespace),
            name: Safe::new(&object.name),
            state: verdict.main_state().map(DriftState::word),
            verdict: word(&verdict),
            message: verdict
                .message
                .clone()
                .or_else(|| argo.as_ref().err().map(|e| Safe::new(e))),
            summary: verdict.summary.clone(),
            fingerprint: verdict.fingerprint,
            changes: verdict.changes.iter().map(ChangeItem::from).collect(),
            ignored: verdict.ignored.iter().map(IgnoredItem::from).collect(),
            shadow: verdict.shadow.iter().map(ChangeItem::from).collect(),
            unified: diff_text::unified(target_state.as_ref(), live_state.as_ref()),
            modified: outcome.map(|o| o.modified),
            predicted_live: outcome.map_or(Value::Null, |o| shown(&o.predicted_live)),
            normalized_live: outcome.map_or(Value::Null, |o| shown(&o.normalized_live)),
            target_state: target_state.unwrap_or_default(),
            live_state: live_state.unwrap_or_default(),
            states: verdict.states,
        }
    }

    fn drifts(&self) -> bool {
        self.states.iter().any(|s| *s != DriftState::Unknown)
    }
}

fn word(verdict: &Verdict) -> VerdictItem {
    let state = if verdict.is_drift() {
        SyncState::OutOfSync
    } else if verdict.states.is_empty() {
        SyncState::Synced
    } else {
        SyncState::Unknown
    };
    VerdictItem {
        source: verdict.source,
        state,
    }
}

/// Argo CD's own comparison of the pair.
fn argo(
    desired: Option<&Value>,
    live: Option<&Value>,
    against: &Against,
) -> Result<argo::Outcome, String> {
    let ask = Ask {
        method: against.method(desired, live),
        ..Ask::ordinary(&against.normalizer)
    };
    let asked = against.declared.server_side_apply;
    argo::diff(desired, live, &ask)
        .or_else(|error| match ask.method {
            // Only the field sets spoke for structured merge: the ordinary way is as likely.
            Method::Structured if !asked => {
                argo::diff(desired, live, &Ask::ordinary(&against.normalizer))
            }
            _ => Err(error),
        })
        .map_err(|e| format!("Argo CD would report a comparison error: {e}."))
}

#[cfg(test)]
mod tests;

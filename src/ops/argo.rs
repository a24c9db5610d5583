//! Route `argo`: what may be asked of Argo CD, and the exact `operation` that asks for it.
//!
//! Argo CD's API server checks a good deal before it writes an operation; whoever writes the Application directly has to check the same, because
//! the application controller re-checks nothing but the sync windows.

use serde_json::{Map, Value, json};

use super::catalog::Place;
use super::content::{hash, text};
use crate::domain::{AppRef, Application, Gvk, LinkState, ObjectRef, Safe};

/// Where an Application lives on its hub.
pub(super) fn place(app: &AppRef) -> Place {
    let object = ObjectRef::new(
        Gvk::new("argoproj.io", "v1alpha1", "Application"),
        &app.namespace,
        &app.name,
    );
    Place::new(&object, "applications")
}

/// Where the AppProject of an application lives: beside the controller, not beside the application.
pub(super) fn project_place(app: &Application) -> Place {
    let namespace = if app.controller_namespace.is_empty() {
        &app.id.namespace
    } else {
        &app.controller_namespace
    };
    let project = if app.project.is_empty() {
        "default"
    } else {
        &app.project
    };
    Place::new(
        &ObjectRef::new(
            Gvk::new("argoproj.io", "v1alpha1", "AppProject"),
            namespace,
            project,
        ),
        "appprojects",
    )
}

/// Why Argo CD cannot be asked now although nothing is wrong with the wish: then `direct` is the default. `fresh` is the Application as just read.
pub(super) fn obstacle(
    hub_link: LinkState,
    slim: &Application,
    fresh: Option<&Value>,
) -> Option<Safe> {
    if !hub_link.is_current() {
        return Some(format!("the hub {} is {}", slim.id.hub, hub_link.word()).into());
    }
    if slim.skip_reconcile || fresh.is_some_and(skips_reconcile) {
        return Some(Safe::fixed(
            "the application or its cluster is annotated skip-reconcile, so Argo CD ignores operations",
        ));
    }
    let busy = fresh.map_or(slim.operation_requested, is_busy);
    busy.then(|| {
        Safe::fixed(
            "another operation of the application is in progress; wait for it or terminate it",
        )
    })
}

/// Whether an operation is asked for or runs.
pub(super) fn is_busy(app: &Value) -> bool {
    let phase = text(app, "/status/operationState/phase");
    app.get("operation").is_some_and(|o| !o.is_null()) || matches!(phase, "Running" | "Terminating")
}

fn skips_reconcile(app: &Value) -> bool {
    let value = app
        .pointer("/metadata/annotations")
        .and_then(|a| a.get("argocd.argoproj.io/skip-reconcile"));
    // Go's strconv.ParseBool.
    value
        .and_then(Value::as_str)
        .is_some_and(|v| matches!(v, "1" | "t" | "T" | "true" | "TRUE" | "True"))
}

/// What a selective sync is about.
#[derive(Clone, Debug)]
pub(super) struct Wish<'a> {
    /// The commit whose desired state the plan showed.
    pub(super) revision: &'a str,
    /// The commit that the target revision resolves to now.
    pub(super) target_commit: Option<&'a str>,
}

/// Why Argo CD must not be asked, as its own API server would refuse it; `None` when it may be. `app` is the Application as just read.
pub(super) fn refusal(app: &Value, slim: &Application, wish: &Wish<'_>) -> Option<Safe> {
    let spec = app.get("spec").unwrap_or(&Value::Null);
    if text(app, "/metadata/uid") != &*slim.uid {
        return Some(Safe::fixed(
            "the application was deleted and made again since it was looked at; look again",
        ));
    }
    if app.pointer("/metadata/deletionTimestamp").is_some() {
        return Some(Safe::fixed("the application is being deleted"));
    }
    if spec
        .get("sources")
        .and_then(Value::as_array)
        .is_some_and(|s| !s.is_empty())
    {
        return Some(Safe::fixed(
            "the application has several sources, which reverts by Argo CD do not cover yet; sync it in Argo CD",
        ));
    }
    if spec.get("sourceHydrator").is_some_and(|h| !h.is_null()) {
        return Some(Safe::fixed(
            "the application's source is hydrated, which reverts by Argo CD do not cover yet; sync it in Argo CD",
        ));
    }
    another_rollout(app, spec, wish.revision).or_else(|| auto_sync_elsewhere(spec, wish))
}

/// A sync to `revision` that would put something else in place than the plan showed.
fn another_rollout(app: &Value, spec: &Value, revision: &str) -> Option<Safe> {
    let deployed = app
        .pointer("/status/history")
        .and_then(Value::as_array)
        .and_then(|h| h.last())?;
    let now = text(deployed, "/revision");
    if now != revision {
        return Some(
            format!(
                "revision {} has been deployed since; look again",
                short(now)
            )
            .into(),
        );
    }
    let (then, now) = (deployed.get("source")?, spec.get("source")?);
    (without_target(then) != without_target(now)).then(|| {
        Safe::fixed("the application's source was changed after the deployed revision, so a sync would roll out something else; sync it in Argo CD")
    })
}

fn without_target(source: &Value) -> Value {
    let mut source = source.clone();
    if let Some(map) = source.as_object_mut() {
        map.remove("targetRevision");
    }
    source
}

/// With auto-sync on, a sync to anything but the target revision is undone at once; Argo CD's API server refuses it for the same reason.
fn auto_sync_elsewhere(spec: &Value, wish: &Wish<'_>) -> Option<Safe> {
    if !auto_syncs(spec) || wish.target_commit == Some(wish.revision) {
        return None;
    }
    let target = match text(spec, "/source/targetRevision") {
        "" => "HEAD",
        target => target,
    };
    let moved = match wish.target_commit {
        Some(commit) => format!("{target} is at {} now", short(commit)),
        None => format!("it is not known where {target} is now"),
    };
    Some(format!("auto-sync is on and {moved}: Argo CD would not stay at {}; pause auto-sync or sync to {target}", short(wish.revision)).into())
}

/// Whether auto-sync is on: `automated` is set and not `enabled: false`.
pub(super) fn auto_syncs(spec: &Value) -> bool {
    spec.pointer("/syncPolicy/automated")
        .is_some_and(|a| !a.is_null() && a.get("enabled") != Some(&Value::Bool(false)))
}

fn short(commit: &str) -> &str {
    commit.get(..8).unwrap_or(commit)
}

/// Hash of an Application's spec: the operation was made for this spec and for no other.
pub(super) fn spec_hash(app: &Value) -> String {
    hash(app.get("spec").unwrap_or(&Value::Null))
}

/// What an operation says beyond the Application's own spec.
#[derive(Clone, Debug)]
pub(super) struct Operation<'a> {
    /// Who asks, as `user@host`.
    pub(super) username: &'a str,
    /// Why, in one line.
    pub(super) reason: &'a str,
    /// The run, by which the operation is found again.
    pub(super) run: &'a str,
    /// The commit to sync to.
    pub(super) revision: &'a str,
    /// Whether objects that Git does not have are deleted.
    pub(super) prune: bool,
    /// The objects, and no others.
    pub(super) objects: &'a [ObjectRef],
}

/// The value of `operation` for a selective sync.
///
/// Sync options and retry are copied from the spec: the controller reads them from the operation only, so a sync without them would behave otherwise
/// than auto-sync. `operation.sync.resources` makes it selective: hooks are skipped and the history is not touched.
pub(super) fn operation(app: &Value, wish: &Operation<'_>) -> Value {
    let policy = app.pointer("/spec/syncPolicy");
    let mut sync = Map::new();
    sync.insert("revision".to_owned(), json!(wish.revision));
    sync.insert("prune".to_owned(), json!(wish.prune));
    sync.insert("dryRun".to_owned(), json!(false));
    sync.insert("syncStrategy".to_owned(), json!({"hook": {"force": false}}));
    sync.insert(
        "resources".to_owned(),
        wish.objects.iter().map(resource).collect(),
    );
    if let Some(options) = policy
        .and_then(|p| p.get("syncOptions"))
        .filter(|o| o.is_array())
    {
        sync.insert("syncOptions".to_owned(), options.clone());
    }
    let mut operation = json!({
        "initiatedBy": {"username": wish.username},
        "info": [{"name": "Reason", "value": reason(wish)}],
        "sync": sync
    });
    if let Some(retry) = policy
        .and_then(|p| p.get("retry"))
        .filter(|r| r.is_object())
        && let Some(map) = operation.as_object_mut()
    {
        map.insert("retry".to_owned(), retry.clone());
    }
    operation
}

/// The reason with the run's name at its end, by which [`is_of_run`] finds the operation again.
fn reason(wish: &Operation<'_>) -> String {
    format!("{} ({})", wish.reason, mark(wish.run))
}

fn mark(run: &str) -> String {
    format!("driftdeck {run}")
}

/// Whether an operation is the one that a run asked for.
pub(super) fn is_of_run(operation: &Value, run: &str) -> bool {
    let info = operation.get("info").and_then(Value::as_array);
    info.into_iter()
        .flatten()
        .any(|i| text(i, "/value").ends_with(&format!("({})", mark(run))))
}

fn resource(object: &ObjectRef) -> Value {
    let mut resource =
        json!({"group": object.gvk.group, "kind": object.gvk.kind, "name": object.name});
    // An empty namespace means "any" to Argo CD.
    if !object.namespace.is_empty()
        && let Some(map) = resource.as_object_mut()
    {
        map.insert("namespace".to_owned(), json!(object.namespace));
    }
    resource
}

/// The merge patch that asks for an operation.
///
/// `status.operationState` is cleared in the same request: left in place, controllers up to at least v3.5.1 merge the new operation over the old
/// one, and its resources, prune and revision leak into the new one (argoproj/argo-cd#28701).
pub(super) fn patch(resource_version: &str, operation: &Value) -> Value {
    json!({
        "metadata": {"resourceVersion": resource_version},
        "operation": operation,
        "status": {"operationState": null}
    })
}

#[cfg(test)]
mod tests;

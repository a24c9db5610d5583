//! Route `flux`: what may be asked of Flux, and the exact annotations that ask for it.
//!
//! Flux reconciles when the annotation `reconcile.fluxcd.io/requestedAt` has a value that it has not handled, and then says in
//! `status.lastHandledReconcileAt` which one it has. It applies the whole of the object, at the revision that its source has now.

use serde_json::{Value, json};

use super::catalog::Place;
use super::content::text;
use crate::domain::{AppKind, AppRef, Application, Gvk, LinkState, ObjectRef, Safe};

/// Asks for a reconciliation.
const REQUESTED: &str = "reconcile.fluxcd.io/requestedAt";
/// Asks helm-controller for an upgrade although nothing is new; needs the same value as the request.
const FORCED: &str = "reconcile.fluxcd.io/forceAt";
/// Asks helm-controller to forget its failures; needs the same value as the request.
const RESET: &str = "reconcile.fluxcd.io/resetAt";

/// Where the document of an application of Flux lives, in the versions that Flux 2.3 and newer serve.
pub(super) fn place(app: &AppRef) -> Place {
    let (version, plural) = match app.kind {
        AppKind::HelmRelease => ("v2", "helmreleases"),
        _ => ("v1", "kustomizations"),
    };
    let gvk = Gvk::new(app.kind.group(), version, app.kind.word());
    Place::new(&ObjectRef::new(gvk, &app.namespace, &app.name), plural)
}

/// Why Flux cannot be asked now although nothing is wrong with the wish: then `direct` is the default. `fresh` is the document as just read.
pub(super) fn obstacle(
    holder: LinkState,
    slim: &Application,
    fresh: Option<&Value>,
) -> Option<Safe> {
    if !holder.is_current() {
        return Some(format!("the cluster {} is {}", slim.id.hub, holder.word()).into());
    }
    let Some(fresh) = fresh else {
        return slim.report.suspended.then(|| suspended(&slim.id));
    };
    if fresh.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return Some(suspended(&slim.id));
    }
    if let Some(why) = stuck(fresh) {
        return Some(why);
    }
    needs_force(&slim.id, fresh).then(|| {
        Safe::fixed(
            "the HelmRelease does not correct drift by itself (driftDetection.mode is not enabled): only a forced upgrade would, which --via flux asks for",
        )
    })
}

/// Whether helm-controller would leave drift alone unless it is told to force an upgrade.
fn needs_force(app: &AppRef, document: &Value) -> bool {
    app.kind == AppKind::HelmRelease && !corrects(document)
}

/// Whether nothing but that stands in the way.
pub(super) fn only_lacks_force(holder: LinkState, slim: &Application, fresh: &Value) -> bool {
    let suspended = fresh.pointer("/spec/suspend") == Some(&Value::Bool(true));
    holder.is_current() && !suspended && stuck(fresh).is_none() && needs_force(&slim.id, fresh)
}

fn suspended(app: &AppRef) -> Safe {
    let kind = app.kind.word();
    format!(
        "the {kind} is suspended, so Flux leaves it alone: resume it with `flux resume {} {} -n {}`, or put it back with --via direct",
        kind.to_lowercase(),
        app.name,
        app.namespace
    )
    .into()
}

/// Why Flux would not get as far as applying anything.
fn stuck(document: &Value) -> Option<Safe> {
    let conditions = document.pointer("/status/conditions")?.as_array()?;
    let ready = conditions.iter().find(|c| text(c, "/type") == "Ready")?;
    let before_apply = [
        "ArtifactFailed",
        "BuildFailed",
        "DependencyNotReady",
        "InvalidPath",
        "AccessDenied",
    ];
    let reason = text(ready, "/reason");
    (text(ready, "/status") == "False" && before_apply.contains(&reason))
        .then(|| format!("Flux cannot apply it now ({reason}): see why it is not ready").into())
}

/// Whether helm-controller corrects drift whenever it reconciles.
fn corrects(release: &Value) -> bool {
    text(release, "/spec/driftDetection/mode") == "enabled"
}

/// What a reconciliation is about.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish<'a> {
    /// The revision whose desired state the plan showed.
    pub(super) revision: &'a str,
    /// The revision that the source has now.
    pub(super) target_commit: Option<&'a str>,
    /// Whether the object is to go.
    pub(super) prune: bool,
}

/// Why Flux must not be asked; `None` when it may be. `fresh` is the document as just read.
pub(super) fn refusal(fresh: &Value, slim: &Application, wish: &Wish<'_>) -> Option<Safe> {
    if text(fresh, "/metadata/uid") != &*slim.uid {
        return Some(Safe::fixed(
            "it was deleted and made again since it was looked at; look again",
        ));
    }
    if fresh.pointer("/metadata/deletionTimestamp").is_some() {
        return Some(Safe::fixed("it is being deleted"));
    }
    if wish
        .target_commit
        .is_some_and(|newest| newest != wish.revision)
    {
        return Some(
            format!(
                "its source has moved on to {:.10}: Flux would deploy that instead of putting {:.10} back; --via direct puts it back",
                wish.target_commit.unwrap_or_default(),
                wish.revision
            )
            .into(),
        );
    }
    let prunes = fresh.pointer("/spec/prune") == Some(&Value::Bool(true));
    (wish.prune && slim.id.kind == AppKind::Kustomization && !prunes).then(|| {
        Safe::fixed("its spec.prune is false, so Flux deletes nothing; --via direct deletes it")
    })
}

/// What the operator should know of a reconciliation.
pub(super) fn warnings(fresh: &Value, app: &AppRef) -> Vec<Safe> {
    let mut warnings = vec![Safe::from(format!(
        "Flux applies all of the {} {}, not this object alone",
        app.kind.word(),
        app.name
    ))];
    if needs_force(app, fresh) {
        warnings.push(Safe::fixed(
            "a forced upgrade is asked for: hooks run, and the release gets a new revision",
        ));
    }
    warnings
}

/// The annotations that ask, all with this value.
pub(super) fn annotations(fresh: &Value, app: &AppRef, value: &str) -> Value {
    let mut annotations = json!({ REQUESTED: value });
    if app.kind == AppKind::HelmRelease {
        let add = |annotations: &mut Value, key: &str| annotations[key] = value.into();
        if needs_force(app, fresh) {
            add(&mut annotations, FORCED);
        }
        if has_given_up(fresh) {
            add(&mut annotations, RESET);
        }
    }
    annotations
}

/// Whether helm-controller has used up its retries.
fn has_given_up(release: &Value) -> bool {
    let conditions = release
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    conditions.into_iter().flatten().any(|c| {
        text(c, "/type") == "Stalled"
            && text(c, "/status") == "True"
            && text(c, "/reason") == "RetriesExceeded"
    })
}

/// The merge patch that asks. The UID in it makes the server refuse another object of the name.
pub(super) fn patch(uid: &str, annotations: &Value) -> Value {
    json!({ "metadata": { "uid": uid, "annotations": annotations } })
}

/// Whether Flux says that it has handled the request.
pub(super) fn is_handled(document: &Value, value: &str) -> bool {
    text(document, "/status/lastHandledReconcileAt") == value
}

/// Whether the request stands in the document.
pub(super) fn is_asked(document: &Value, value: &str) -> bool {
    let annotations = document.pointer("/metadata/annotations");
    annotations.and_then(|a| a.get(REQUESTED)?.as_str()) == Some(value)
}

/// Whether a controller is at it.
pub(super) fn is_reconciling(document: &Value) -> bool {
    let conditions = document
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let mut conditions = conditions.into_iter().flatten();
    conditions.any(|c| text(c, "/type") == "Reconciling" && text(c, "/status") == "True")
}

/// Why it is not ready, in Flux's words; `None` when it is.
pub(super) fn failure(document: &Value) -> Option<(&str, &str)> {
    let conditions = document.pointer("/status/conditions")?.as_array()?;
    let ready = conditions.iter().find(|c| text(c, "/type") == "Ready")?;
    (text(ready, "/status") == "False").then(|| (text(ready, "/reason"), text(ready, "/message")))
}

/// The value that the request carries.
pub(super) fn value(annotations: &Value) -> &str {
    annotations
        .get(REQUESTED)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether the live object still says that this application applied it, and lets itself be pruned.
pub(super) fn is_claimed(app: &AppRef, live: &Value) -> bool {
    let of = |map: &str, key: &str| {
        let map = live.pointer(&format!("/metadata/{map}"));
        map.and_then(|m| m.get(format!("{}/{key}", app.kind.group()))?.as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let kept = [of("annotations", "prune"), of("labels", "prune")];
    of("labels", "name") == *app.name
        && of("labels", "namespace") == *app.namespace
        && !kept.iter().any(|k| k == "disabled")
}

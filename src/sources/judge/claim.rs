//! Which application a live object says it belongs to.

use serde_json::Value;

use super::Place;
use crate::domain::{AppKind, Gvk, TrackingMethod};
use crate::sources::assignment::AppAssignment;

/// Whether a live object belongs to another one.
pub(super) fn is_follower(object: &Value) -> bool {
    object
        .pointer("/metadata/ownerReferences")
        .and_then(Value::as_array)
        .is_some_and(|o| !o.is_empty())
}

/// Flux deletes and corrects what stands in its inventory; a copy that somebody made carries the labels and is nobody's.
fn is_in_inventory(app: &AppAssignment, gvk: &Gvk, place: &Place) -> bool {
    app.resources.iter().any(|r| {
        r.object.gvk.same_kind(gvk) && r.object.namespace == place.0 && r.object.name == place.1
    })
}

/// CRDs of a chart's `crds` folder are made and left behind: a HelmRelease lists them, and takes none away that its chart has no more.
fn is_left_behind(app: &AppAssignment, gvk: &Gvk) -> bool {
    app.app.kind == AppKind::HelmRelease
        && &*gvk.group == "apiextensions.k8s.io"
        && &*gvk.kind == "CustomResourceDefinition"
}

/// Whether the object carries the application's mark. An annotation that names another object is a copy's, and claims nothing.
pub(super) fn claims(app: &AppAssignment, object: &Value, gvk: &Gvk, place: &Place) -> bool {
    let metadata = object.get("metadata");
    let text = |map: &str, key: &str| {
        metadata
            .and_then(|m| m.get(map))
            .and_then(|m| m.get(key))
            .and_then(Value::as_str)
    };
    if app.tracking.method == TrackingMethod::Flux {
        let label = |key: &str| text("labels", &format!("{}/{key}", app.tracking.label_key));
        let owner = label("namespace").zip(label("name"));
        return owner
            .is_some_and(|(namespace, name)| *app.instance == *format!("{namespace}/{name}"))
            && is_in_inventory(app, gvk, place)
            && !is_left_behind(app, gvk);
    }
    if app.tracking.method == TrackingMethod::Label {
        return text("labels", &app.tracking.label_key) == Some(&*app.instance);
    }
    let Some(id) = text("annotations", "argocd.argoproj.io/tracking-id") else {
        return false;
    };
    // A cluster-scoped object carries the destination's namespace in its id.
    let namespace = if place.0.is_empty() {
        &app.namespace
    } else {
        &place.0
    };
    let own = format!(
        "{}:{}/{}:{namespace}/{}",
        app.instance, gvk.group, gvk.kind, place.1
    );
    let installation =
        text("annotations", "argocd.argoproj.io/installation-id").unwrap_or_default();
    id == own
        && (app.tracking.installation_id.is_empty()
            || *app.tracking.installation_id == *installation)
}

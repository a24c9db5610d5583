//! The marks by which Argo CD knows its own: tracking annotation, instance label, installation id; and which objects are hooks.
//!
//! Source of the rules: argo-cd util/argo/resource_tracking.go and gitops-engine/pkg/sync/hook.

use std::sync::LazyLock;

use serde_json::Value;

use crate::domain::{Mark, MarkPlace, Name, ObjectRef, Tracking, TrackingMethod};

/// The annotation that names application and object.
pub const TRACKING_ID: &str = "argocd.argoproj.io/tracking-id";
/// The annotation that tells two Argo CD installations on one cluster apart.
pub const INSTALLATION_ID: &str = "argocd.argoproj.io/installation-id";

/// [`TRACKING_ID`], shared by all marks.
static ID_KEY: LazyLock<Name> = LazyLock::new(|| TRACKING_ID.into());

/// What a tracking id says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackingId {
    /// The application's instance name.
    pub instance: Name,
    /// API group, empty for core.
    pub group: Name,
    /// Kind.
    pub kind: Name,
    /// Namespace; the destination's for cluster-scoped objects.
    pub namespace: Name,
    /// Name.
    pub name: Name,
}

/// Writes the tracking id of an object: `<instance>:<group>/<kind>:<namespace>/<name>`.
///
/// Objects without a namespace carry the destination's there.
pub fn tracking_id(instance: &str, object: &ObjectRef, namespace: &str) -> String {
    let namespace = if object.namespace.is_empty() {
        namespace
    } else {
        &object.namespace
    };
    let gvk = &object.gvk;
    format!(
        "{instance}:{}/{}:{namespace}/{}",
        gvk.group, gvk.kind, object.name
    )
}

/// Reads a tracking id; names may hold colons, instance and kind may not. `None` for anything else.
pub fn parse_tracking_id(id: &str) -> Option<TrackingId> {
    let mut parts = id.splitn(3, ':');
    let (instance, kind, object) = (parts.next()?, parts.next()?, parts.next()?);
    let (group, kind) = two(kind)?;
    let (namespace, name) = two(object)?;
    Some(TrackingId {
        instance: instance.into(),
        group: group.into(),
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
    })
}

/// Exactly two parts around a slash.
fn two(text: &str) -> Option<(&str, &str)> {
    text.split_once('/').filter(|(_, rest)| !rest.contains('/'))
}

/// The marks that the hub prescribes for an object as its manifest states it. CRDs get none, as in Argo CD.
pub(super) fn marks(
    object: &ObjectRef,
    instance: &Name,
    namespace: &str,
    tracking: &Tracking,
) -> Vec<Mark> {
    if tracking.method == TrackingMethod::Flux {
        return flux_marks(instance, &tracking.label_key);
    }
    let mut marks = Vec::new();
    if is_crd(object) {
        return marks;
    }
    let mut push = |place, key: Name, value: Name| marks.push(Mark { place, key, value });
    if tracking.method != TrackingMethod::Label {
        let id = tracking_id(instance, object, namespace);
        push(MarkPlace::Annotation, ID_KEY.clone(), id.into());
        if !tracking.installation_id.is_empty() {
            let id = tracking.installation_id.clone();
            push(MarkPlace::Annotation, INSTALLATION_ID.into(), id);
        }
    }
    let label = tracking.label_key.clone();
    match tracking.method {
        TrackingMethod::Annotation | TrackingMethod::Flux => {}
        TrackingMethod::Label => push(MarkPlace::Label, label, instance.clone()),
        TrackingMethod::AnnotationAndLabel => {
            push(MarkPlace::Label, label, label_value(instance).into());
        }
    }
    marks
}

/// The labels that Flux sets on everything, CRDs included (fluxcd/pkg `ssa`, owner labels).
fn flux_marks(instance: &Name, group: &str) -> Vec<Mark> {
    let (namespace, name) = instance.split_once('/').unwrap_or(("", instance));
    let label = |key: &str, value: &str| Mark {
        place: MarkPlace::Label,
        key: format!("{group}/{key}").into(),
        value: value.into(),
    };
    vec![label("name", name), label("namespace", namespace)]
}

fn is_crd(object: &ObjectRef) -> bool {
    &*object.gvk.group == "apiextensions.k8s.io" && &*object.gvk.kind == "CustomResourceDefinition"
}

/// At most 63 bytes, and not ending in what a label must not end in.
fn label_value(instance: &str) -> &str {
    let mut end = instance.len().min(63);
    while !instance.is_char_boundary(end) {
        end -= 1;
    }
    instance
        .get(..end)
        .unwrap_or_default()
        .trim_end_matches(['.', '-', '_'])
}

/// Whether Argo CD compares the object at all: hooks, `Skip` and objects with an unknown hook word have no sync status.
///
/// `helm.sh/hook: crd-install` makes no hook: Argo CD applies such CRDs like any other object.
pub(super) fn is_compared(body: &Value) -> bool {
    annotation(body, "argocd.argoproj.io/hook").is_none()
        && annotation(body, "helm.sh/hook").is_none_or(|word| word == "crd-install")
}

fn annotation<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get("metadata")?.get("annotations")?.get(key)?.as_str()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use crate::domain::{DesiredBody, Gvk};

    fn service() -> ObjectRef {
        ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", "web")
    }

    fn marked(tracking: &Tracking, instance: &str) -> Value {
        let body = json!({"metadata": {"name": "web", "annotations": null}});
        let marks = marks(&service(), &instance.into(), "edge", tracking);
        let marked = DesiredBody::new(Arc::new(body), marks).document();
        marked.pointer("/metadata").cloned().unwrap()
    }

    #[test]
    fn the_id_of_a_core_object_has_an_empty_group() {
        assert_eq!(
            tracking_id("edge-oslo-003", &service(), "other"),
            "edge-oslo-003:/Service:edge/web"
        );
    }

    #[test]
    fn the_id_of_a_cluster_scoped_object_carries_the_destinations_namespace() {
        let role = ObjectRef::new(
            Gvk::new("rbac.authorization.k8s.io", "v1", "ClusterRole"),
            "",
            "reader",
        );
        assert_eq!(
            tracking_id("edge-oslo-003", &role, "edge"),
            "edge-oslo-003:rbac.authorization.k8s.io/ClusterRole:edge/reader"
        );
    }

    #[test]
    fn ids_are_read_back_and_others_refused() {
        let id = parse_tracking_id("app:apps/Deployment:edge/system:web").unwrap();
        assert_eq!((&*id.kind, &*id.name), ("Deployment", "system:web"));
        for other in [
            "app",
            "app;group/kind/ns",
            "app:Deployment:edge/web",
            "app:a/b/c:edge/web",
            "app:a/b:web",
        ] {
            assert_eq!(parse_tracking_id(other), None, "{other}");
        }
    }

    #[test]
    fn each_method_sets_its_own_marks() {
        let by = |method| Tracking {
            method,
            ..Tracking::default()
        };
        let id = "edge-oslo-003:/Service:edge/web";
        assert_eq!(
            marked(&by(TrackingMethod::Annotation), "edge-oslo-003"),
            json!({"name": "web", "annotations": {TRACKING_ID: id}})
        );
        assert_eq!(
            marked(&by(TrackingMethod::Label), "edge-oslo-003"),
            json!({"name": "web", "annotations": null, "labels": {"app.kubernetes.io/instance": "edge-oslo-003"}})
        );
        assert_eq!(
            marked(&by(TrackingMethod::AnnotationAndLabel), "edge-oslo-003"),
            json!({"name": "web", "annotations": {TRACKING_ID: id}, "labels": {"app.kubernetes.io/instance": "edge-oslo-003"}})
        );
    }

    #[test]
    fn only_the_double_method_cuts_the_label_and_leaves_it_valid() {
        let long = format!("{}-{}", "a".repeat(62), "b".repeat(20));
        let label = |method| {
            let tracking = Tracking {
                method,
                label_key: "team".into(),
                ..Tracking::default()
            };
            marked(&tracking, &long)
                .pointer("/labels/team")
                .cloned()
                .unwrap()
        };
        assert_eq!(
            label(TrackingMethod::AnnotationAndLabel),
            json!("a".repeat(62))
        );
        assert_eq!(label(TrackingMethod::Label), json!(long));
    }

    #[test]
    fn an_installation_id_is_an_annotation_of_its_own() {
        let tracking = Tracking {
            installation_id: "north".into(),
            ..Tracking::default()
        };
        assert_eq!(
            marked(&tracking, "app").pointer("/annotations/argocd.argoproj.io~1installation-id"),
            Some(&json!("north"))
        );
    }

    #[test]
    fn crds_get_no_mark() {
        let crd = ObjectRef::new(
            Gvk::new("apiextensions.k8s.io", "v1", "CustomResourceDefinition"),
            "",
            "edges.example",
        );
        assert_eq!(marks(&crd, &"app".into(), "edge", &Tracking::default()), []);
    }

    #[test]
    fn hooks_skips_and_unknown_hook_words_are_not_compared() {
        let with =
            |key: &str, word: &str| is_compared(&json!({"metadata": {"annotations": {key: word}}}));
        for word in ["PreSync", "PreSync,PostSync", "Skip", "garbage"] {
            assert!(!with("argocd.argoproj.io/hook", word), "{word}");
        }
        assert!(!with("helm.sh/hook", "pre-install"));
        assert!(with("helm.sh/hook", "crd-install"));
        assert!(with("helm.sh/hook-weight", "1"));
        assert!(is_compared(&json!({"metadata": {}})));
    }
}

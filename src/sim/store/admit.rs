//! What the server adds to an object between reading and storing it, in nobody's name: addresses, selectors, first status.

use serde_json::{Map, Value, json};

use super::kinds::lookup;
use super::state::State;
use super::value::{at, child, members, text};
use super::{Kind, defaults};

/// Completes a new object.
pub(crate) fn new(state: &mut State, kind: &Kind, document: &mut Value) {
    match (kind.group, kind.kind) {
        ("", "Service") => {
            child(document, "status").insert("loadBalancer".to_owned(), json!({}));
            let number = state.next_address();
            defaults::allocate(document, None, number);
        }
        ("", "Namespace") => {
            let finalizers = json!(["kubernetes"]);
            child(document, "spec").insert("finalizers".to_owned(), finalizers);
            child(document, "status").insert("phase".to_owned(), "Active".into());
        }
        ("", "Pod") => pod(document),
        ("", "PersistentVolumeClaim") => {
            let protection = json!(["kubernetes.io/pvc-protection"]);
            child(document, "metadata").insert("finalizers".to_owned(), protection);
            child(document, "status").insert("phase".to_owned(), "Pending".into());
        }
        ("networking.k8s.io", "Ingress") => {
            child(document, "status").insert("loadBalancer".to_owned(), json!({}));
        }
        ("batch", "Job") => defaults::select_own_pods(document),
        ("apiextensions.k8s.io", _) => establish(document),
        _ => {}
    }
}

/// Completes a changed object.
pub(crate) fn changed(state: &mut State, kind: &Kind, old: &Value, document: &mut Value) {
    match (kind.group, kind.kind) {
        ("", "Service") => {
            let number = state.next_address();
            defaults::allocate(document, Some(old), number);
        }
        ("apps", "DaemonSet") => count_template(old, document),
        // A manager that takes its hands off these must not empty them.
        ("", "Namespace") => {
            let finalizers = at(old, &["spec", "finalizers"])
                .cloned()
                .unwrap_or_default();
            child(document, "spec").insert("finalizers".to_owned(), finalizers);
        }
        ("apiextensions.k8s.io", _) => establish(document),
        _ => {}
    }
}

fn default(map: &mut Map<String, Value>, name: &str, value: Value) {
    map.entry(name).or_insert(value);
}

fn pod(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "serviceAccountName", "default".into());
    let account = spec.get("serviceAccountName").cloned().unwrap_or_default();
    default(spec, "serviceAccount", account);
    default(spec, "preemptionPolicy", "PreemptLowerPriority".into());
    default(spec, "priority", 0.into());
    let patience = |key: &str| json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300});
    let keys = [
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    ];
    default(
        spec,
        "tolerations",
        keys.map(patience).into_iter().collect(),
    );
    let quality = quality(spec);
    let status = child(document, "status");
    status.insert("phase".to_owned(), "Pending".into());
    status.insert("qosClass".to_owned(), quality.into());
}

/// The old counter of a DaemonSet's templates goes on in an annotation.
fn count_template(old: &Value, document: &mut Value) {
    const COUNTER: &str = "deprecated.daemonset.template.generation";
    if old["spec"]["template"] == document["spec"]["template"] {
        return;
    }
    let before = at(old, &["metadata", "annotations", COUNTER]).and_then(Value::as_str);
    let next = before.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) + 1;
    let metadata = document.pointer_mut("/metadata/annotations");
    if let Some(notes) = metadata.and_then(Value::as_object_mut) {
        notes.insert(COUNTER.to_owned(), next.to_string().into());
    }
}

/// The quality-of-service class of a pod's containers.
fn quality(spec: &Map<String, Value>) -> &'static str {
    let lists = ["containers", "initContainers"].map(|name| spec.get(name));
    let containers = lists.into_iter().flatten().filter_map(Value::as_array);
    let resources = containers.flatten().map(|c| &c["resources"]);
    let (mut any, mut all) = (false, true);
    for resource in resources {
        let (requests, limits) = (&resource["requests"], &resource["limits"]);
        any |= !requests.is_null() || !limits.is_null();
        let both = ["cpu", "memory"];
        all &= both
            .iter()
            .all(|r| !limits[r].is_null() && limits[r] == requests[r]);
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

/// A definition of a kind that is built in is established at once.
fn establish(document: &mut Value) {
    let names = at(document, &["spec", "names"])
        .cloned()
        .unwrap_or_default();
    let versions = at(document, &["spec", "versions"]).and_then(Value::as_array);
    let versions = versions.into_iter().flatten();
    let stored: Value = versions
        .filter(|v| v["storage"] == true)
        .map(|v| v["name"].clone())
        .collect();
    let since = at(document, &["metadata", "creationTimestamp"]).cloned();
    let known = defined(document).is_some();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": if known { "True" } else { "False" }, "reason": reason, "message": message, "lastTransitionTime": since});
    let conditions = json!([
        condition("NamesAccepted", "NoConflicts", "no conflicts found"),
        condition(
            "Established",
            "InitialNamesAccepted",
            "the initial names have been accepted"
        ),
    ]);
    let status =
        json!({"acceptedNames": names, "storedVersions": stored, "conditions": conditions});
    members(document).insert("status".to_owned(), status);
}

/// The kind of the table that a definition defines.
fn defined(document: &Value) -> Option<&'static Kind> {
    let spec = document.get("spec")?;
    let kind = text(spec.get("names")?, "kind");
    let versions = spec.get("versions")?.as_array()?;
    versions.iter().find_map(|version| {
        lookup(
            &format!("{}/{}", text(spec, "group"), text(version, "name")),
            kind,
        )
    })
}

/// A definition makes its kind served from now on.
pub(crate) fn installed(state: &mut State, document: &Value) {
    if text(document, "kind") == "CustomResourceDefinition"
        && let Some(kind) = defined(document)
    {
        state.kinds.insert(kind);
    }
}

/// A kind is no longer served, and its objects are gone, once its definition is.
pub(crate) fn uninstalled(state: &mut State, document: &Value) {
    if text(document, "kind") == "CustomResourceDefinition"
        && let Some(kind) = defined(document)
    {
        state.drop_kind(kind);
    }
}

//! What the server fills in where a document of a built-in kind says nothing.

mod pod;
mod service;
mod workload;

use serde_json::{Map, Value, json};

use super::Kind;
pub(crate) use service::allocate;
pub(crate) use workload::select_own_pods;

use super::value::{child, text};

/// Fills in a decoded document.
pub(crate) fn fill(kind: &Kind, document: &mut Value) {
    match (kind.group, kind.kind) {
        ("", "Pod") => pod::pod(document),
        ("", "Service") => service::service(document),
        ("", "Secret") => secret(document),
        ("", "Namespace") => namespace(document),
        ("", "PersistentVolumeClaim") => claim(document),
        ("", "Endpoints") => endpoints(document),
        ("apps", "Deployment") => workload::deployment(document),
        ("apps", "ReplicaSet") => workload::replica_set(document),
        ("apps", "StatefulSet") => workload::stateful_set(document),
        ("apps", "DaemonSet") => workload::daemon_set(document),
        ("batch", "Job") => workload::job(document),
        ("batch", "CronJob") => workload::cron_job(document),
        ("autoscaling", _) => workload::autoscaler(document),
        ("networking.k8s.io", "NetworkPolicy") => service::network_policy(document),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => binding(document),
        ("apiextensions.k8s.io", _) => definition(document),
        _ => {}
    }
}

/// Sets a member that is absent or null.
fn default(map: &mut Map<String, Value>, name: &str, value: impl Into<Value>) {
    let member = map.entry(name).or_insert(Value::Null);
    if member.is_null() {
        *member = value.into();
    }
}

/// The elements of a list that are objects.
fn each<'a>(
    map: &'a mut Map<String, Value>,
    name: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    let list = map.get_mut(name).and_then(Value::as_array_mut);
    list.into_iter().flatten().filter_map(Value::as_object_mut)
}

/// A member that is an object.
fn object<'a>(map: &'a mut Map<String, Value>, name: &str) -> Option<&'a mut Map<String, Value>> {
    map.get_mut(name).and_then(Value::as_object_mut)
}

/// The text of a member, empty when absent.
fn word<'a>(map: &'a Map<String, Value>, name: &str) -> &'a str {
    map.get(name).and_then(Value::as_str).unwrap_or("")
}

fn secret(document: &mut Value) {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let Some(secret) = document.as_object_mut() else {
        return;
    };
    default(secret, "type", "Opaque");
    // Plain text is for writing only: it is kept encoded with the rest.
    if let Some(Value::Object(plain)) = secret.remove("stringData") {
        for (name, value) in plain {
            let encoded = engine.encode(value.as_str().unwrap_or_default());
            child(document, "data").insert(name, encoded.into());
        }
    }
}

fn namespace(document: &mut Value) {
    let name = text(&document["metadata"], "name").to_owned();
    let metadata = child(document, "metadata");
    default(metadata, "labels", json!({}));
    if let Some(labels) = object(metadata, "labels") {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
}

fn claim(document: &mut Value) {
    default(child(document, "spec"), "volumeMode", "Filesystem");
    default(child(document, "status"), "phase", "Pending");
}

fn endpoints(document: &mut Value) {
    let Some(endpoints) = document.as_object_mut() else {
        return;
    };
    for subset in each(endpoints, "subsets") {
        each(subset, "ports").for_each(|port| default(port, "protocol", "TCP"));
    }
}

fn binding(document: &mut Value) {
    const GROUP: &str = "rbac.authorization.k8s.io";
    let role = child(document, "roleRef");
    if word(role, "apiGroup").is_empty() {
        role.insert("apiGroup".to_owned(), GROUP.into());
    }
    let Some(binding) = document.as_object_mut() else {
        return;
    };
    for subject in each(binding, "subjects") {
        if matches!(word(subject, "kind"), "User" | "Group") {
            default(subject, "apiGroup", GROUP);
        }
    }
}

/// A definition is established at once: the kinds it can name are built in.
fn definition(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "conversion", json!({"strategy": "None"}));
    if let Some(names) = object(spec, "names") {
        let kind = word(names, "kind").to_owned();
        default(names, "singular", kind.to_lowercase());
        default(names, "listKind", format!("{kind}List"));
    }
}

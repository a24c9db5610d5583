//! What the server refuses: wrong names, missing parts, fields that cannot change. The rules a person meets, in the server's words.

use serde_json::Value;

use super::value::{at, text};
use super::{ApiStatus, Cause, Key, Kind};

mod names;
mod workload;

/// 422 unless a new object is right.
pub(crate) fn new(key: &Key, document: &Value) -> Result<(), ApiStatus> {
    let mut causes = names::name(key);
    causes.extend(names::labels(document));
    causes.extend(content(key.kind, document));
    refuse(key, &causes)
}

/// 422 unless a change is right.
pub(crate) fn changed(key: &Key, old: &Value, document: &Value) -> Result<(), ApiStatus> {
    let mut causes = names::labels(document);
    causes.extend(content(key.kind, document));
    causes.extend(immutable(key.kind, old, document));
    refuse(key, &causes)
}

/// 422 unless a replacement of a custom object says which version it replaces.
pub(crate) fn versioned(key: &Key, document: &Value) -> Result<(), ApiStatus> {
    let version = at(document, &["metadata", "resourceVersion"]).and_then(Value::as_str);
    if key.kind.custom && version.unwrap_or("").is_empty() {
        return Err(ApiStatus::unversioned(key.kind, &key.name));
    }
    Ok(())
}

/// 400 or 409 unless an applied configuration fits the URL and the object there is.
pub(crate) fn applied(key: &Key, config: &Value, exists: bool) -> Result<(), ApiStatus> {
    let kind = key.kind;
    let (version, word) = (text(config, "apiVersion"), text(config, "kind"));
    if version != kind.api_version() || word != kind.kind {
        return Err(ApiStatus::bad_request(format!(
            "invalid object type: {version}, Kind={word}"
        )));
    }
    let metadata = &config["metadata"];
    if metadata.get("managedFields").is_some_and(|m| !m.is_null()) {
        return Err(ApiStatus::bad_request("metadata.managedFields must be nil"));
    }
    placed(key, config)?;
    let uid = text(metadata, "uid");
    if !exists && !uid.is_empty() {
        let why = format!(
            "uid mismatch: the provided object specified uid {uid}, and no existing object was found"
        );
        return Err(ApiStatus::conflict(kind, &key.name, &why));
    }
    Ok(())
}

/// 400 unless a document stands where the URL says, or says nothing of it.
pub(crate) fn placed(key: &Key, document: &Value) -> Result<(), ApiStatus> {
    let metadata = &document["metadata"];
    let (name, namespace) = (text(metadata, "name"), text(metadata, "namespace"));
    if !name.is_empty() && *name != *key.name {
        return Err(ApiStatus::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            key.name
        )));
    }
    if !namespace.is_empty() && *namespace != *key.namespace {
        return Err(ApiStatus::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        ));
    }
    Ok(())
}

/// What the server warns of without refusing it.
pub(crate) fn doubts(kind: &Kind, document: &Value) -> Vec<String> {
    let finalizers = at(document, &["metadata", "finalizers"]).and_then(Value::as_array);
    let names = finalizers.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| kind.custom && !name.contains('/') && *name != "foregroundDeletion")
        .map(|name| {
            format!("metadata.finalizers: \"{name}\": prefer a domain-qualified finalizer name including a path (/) to avoid accidental conflicts with other finalizer writers")
        })
        .collect()
}

/// 500: the configuration does not fit the kind's table. The real server gives no reason code here.
///
/// `namespace` is the one the configuration gives.
pub(crate) fn untyped(key: &Key, namespace: &str, why: &[String]) -> ApiStatus {
    let why = match why {
        [only] => only.clone(),
        several => format!("errors:\n  {}", several.join("\n  ")),
    };
    ApiStatus::unknown_failure(format!(
        "failed to create typed patch object ({}/{}; {}, Kind={}): {why}",
        namespace,
        key.name,
        key.kind.api_version(),
        key.kind.kind
    ))
}

fn refuse(key: &Key, causes: &[Cause]) -> Result<(), ApiStatus> {
    if causes.is_empty() {
        return Ok(());
    }
    Err(ApiStatus::invalid(key.kind, &key.name, causes))
}

fn content(kind: &Kind, document: &Value) -> Vec<Cause> {
    match (kind.group, kind.kind) {
        ("", "Pod") => workload::pod(&document["spec"], "spec"),
        ("", "Service") => workload::service(&document["spec"]),
        ("apps", _) => workload::workload(&document["spec"]),
        ("batch", "Job") => workload::template(&document["spec"], "spec"),
        ("batch", "CronJob") => workload::cron_job(&document["spec"]),
        _ => Vec::new(),
    }
}

/// What cannot change once it is set.
fn immutable(kind: &Kind, old: &Value, new: &Value) -> Vec<Cause> {
    let differs = |path: &[&str]| at(old, path) != at(new, path);
    let frozen = |path: &[&str]| {
        let shown = at(new, path).cloned().unwrap_or_default().to_string();
        let changed = differs(path) && at(old, path).is_some_and(|v| !v.is_null());
        changed.then(|| Cause::invalid(&path.join("."), &shown, "field is immutable"))
    };
    match (kind.group, kind.kind) {
        ("apps", "StatefulSet") => workload::stateful_set_change(old, new),
        ("apps", _) => frozen(&["spec", "selector"]).into_iter().collect(),
        ("", "Pod") => workload::pod_change(old, new),
        ("batch", "Job") => ["selector", "template", "completions"]
            .iter()
            .filter_map(|field| frozen(&["spec", field]))
            .collect(),
        ("", "Service") => workload::service_change(old, new),
        ("", "Secret") if differs(&["type"]) => frozen(&["type"]).into_iter().collect(),
        ("", "Secret" | "ConfigMap") if old["immutable"] == true => ["data", "binaryData"]
            .iter()
            .filter(|field| differs(&[field]))
            .map(|field| Cause::forbidden(field, "field is immutable when `immutable` is set"))
            .collect(),
        (_, "RoleBinding" | "ClusterRoleBinding") if differs(&["roleRef"]) => {
            let shown = new["roleRef"].to_string();
            vec![Cause::invalid("roleRef", &shown, "cannot change roleRef")]
        }
        _ => Vec::new(),
    }
}

//! The scale subresource: replicas of a workload, seen and written without the rest.

use serde_json::{Value, json};

use super::value::{at, child};
use super::{ApiStatus, Kind};

/// The Scale of a workload.
pub(crate) fn view(kind: &Kind, document: &Value) -> Result<Value, ApiStatus> {
    if !kind.scale {
        return Err(ApiStatus::no_such_resource());
    }
    let meta = |name: &str| {
        at(document, &["metadata", name])
            .cloned()
            .unwrap_or_default()
    };
    let replicas = |part: &str| {
        at(document, &[part, "replicas"])
            .cloned()
            .unwrap_or(json!(0))
    };
    Ok(json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": meta("name"),
            "namespace": meta("namespace"),
            "uid": meta("uid"),
            "resourceVersion": meta("resourceVersion"),
            "creationTimestamp": meta("creationTimestamp"),
        },
        "spec": {"replicas": replicas("spec")},
        "status": {"replicas": replicas("status"), "selector": selector(document)},
    }))
}

/// The selector as a client passes it to a list.
fn selector(document: &Value) -> String {
    let labels = at(document, &["spec", "selector", "matchLabels"]).and_then(Value::as_object);
    let pairs = labels.into_iter().flatten();
    let pairs: Vec<String> = pairs
        .map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or_default()))
        .collect();
    pairs.join(",")
}

/// The workload with the replicas of a Scale.
pub(crate) fn written(kind: &Kind, old: &Value, scale: &Value) -> Result<Value, ApiStatus> {
    let view = view(kind, old)?;
    let sent = at(scale, &["metadata", "resourceVersion"]).and_then(Value::as_str);
    let is_stale = sent.is_some_and(|v| !v.is_empty() && view["metadata"]["resourceVersion"] != v);
    if is_stale {
        let name = view["metadata"]["name"].as_str().unwrap_or_default();
        return Err(ApiStatus::stale(kind, name));
    }
    let mut document = old.clone();
    let replicas = at(scale, &["spec", "replicas"])
        .cloned()
        .unwrap_or(json!(0));
    child(&mut document, "spec").insert("replicas".to_owned(), replicas);
    Ok(document)
}

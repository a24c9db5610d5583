//! How Flux writes an object before it applies it, and a dry run's answer before it compares.

use base64::Engine as _;
use serde_json::{Map, Value, json};

use super::fill::as_written;
use crate::domain::Gvk;
use crate::drift::schema::{Shape, is_scheme_kind};
use crate::drift::typed::{Strictness, round_trip};

/// An object as Flux applies it: through its Go type, ports with their protocol, Secrets with `data` only, no status.
pub fn desired(object: &mut Value) {
    let kind = text(object, "kind").to_owned();
    if is_secret(object) {
        plain_into_data(object);
    }
    if let Some(mut typed) = through_type(object) {
        for pointer in port_lists(&kind) {
            protocols(&mut typed, pointer);
        }
        *object = typed;
    }
    if let Some(map) = object.as_object_mut() {
        let metadata = map.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("creationTimestamp".to_owned(), Value::Null);
        }
        if kind != "CustomResourceDefinition" {
            map.remove("status");
        }
    }
}

/// A dry run's answer: old API servers answer for an autoscaler with its first metric twice and an empty one at the end.
pub fn dry_run(object: &mut Value) {
    if text(object, "kind") != "HorizontalPodAutoscaler" {
        return;
    }
    let Some(mut typed) = through_type(object) else {
        return;
    };
    if let Some(Value::Array(metrics)) = typed.pointer_mut("/spec/metrics") {
        let mut kept: Vec<Value> = Vec::with_capacity(metrics.len());
        for metric in metrics.drain(..) {
            if !text(&metric, "type").is_empty() && !kept.contains(&metric) {
                kept.push(metric);
            }
        }
        *metrics = kept;
    }
    if let Some(map) = typed.as_object_mut() {
        map.insert("status".to_owned(), autoscaler_status(object));
    }
    *object = typed;
}

/// The status as its type writes it; the table of types has no status.
fn autoscaler_status(object: &Value) -> Value {
    let mut status = json!({"currentMetrics": null, "desiredReplicas": 0});
    if text(object, "apiVersion") == "autoscaling/v2beta2" {
        status = json!({"conditions": null, "currentMetrics": null, "currentReplicas": 0, "desiredReplicas": 0});
    }
    if let (Some(all), Some(Value::Object(own))) = (status.as_object_mut(), object.get("status")) {
        all.extend(own.clone());
    }
    status
}

/// The object as Go would write it; `None` when it has no Go type or does not fit it.
fn through_type(object: &Value) -> Option<Value> {
    let gvk = Gvk::from_api_version(text(object, "apiVersion"), text(object, "kind"));
    if !is_scheme_kind(&gvk) {
        return None;
    }
    let shape = Shape::of_object(object);
    let mut typed = round_trip(object, shape, Strictness::Lenient)?;
    for key in ["apiVersion", "kind"] {
        typed
            .as_object_mut()?
            .insert(key.to_owned(), object.get(key)?.clone());
    }
    as_written(&mut typed, shape);
    Some(typed)
}

fn text<'v>(object: &'v Value, key: &str) -> &'v str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_secret(object: &Value) -> bool {
    text(object, "kind") == "Secret" && text(object, "apiVersion") == "v1"
}

fn plain_into_data(object: &mut Value) {
    let Some(secret) = object.as_object_mut() else {
        return;
    };
    let Some(Value::Object(plain)) = secret.remove("stringData") else {
        return;
    };
    let data = secret.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = Value::Object(Map::new());
    }
    for (key, value) in plain {
        let encoded = value
            .as_str()
            .map(|text| base64::engine::general_purpose::STANDARD.encode(text));
        if let (Some(data), Some(encoded)) = (data.as_object_mut(), encoded) {
            data.insert(key, json!(encoded));
        }
    }
}

/// Where a kind lists containers or, for a Service, ports.
fn port_lists(kind: &str) -> &'static [&'static str] {
    match kind {
        "Pod" => &["/spec/containers"],
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job" => {
            &["/spec/template/spec/containers"]
        }
        "CronJob" => &["/spec/jobTemplate/spec/template/spec/containers"],
        "Service" => &["/spec"],
        _ => &[],
    }
}

/// A protocol that is left out is TCP.
fn protocols(object: &mut Value, pointer: &str) {
    let Some(holder) = object.pointer_mut(pointer) else {
        return;
    };
    let holders: Vec<&mut Value> = match holder {
        Value::Array(items) => items.iter_mut().collect(),
        one => vec![one],
    };
    for holder in holders {
        let ports = holder.get_mut("ports").and_then(Value::as_array_mut);
        for port in ports.into_iter().flatten() {
            let unset = text(port, "protocol").is_empty();
            if let Some(port) = port.as_object_mut().filter(|_| unset) {
                port.insert("protocol".to_owned(), json!("TCP"));
            }
        }
    }
}

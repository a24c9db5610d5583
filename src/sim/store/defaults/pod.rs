//! Defaults of pods and of the pod templates of workloads.

use serde_json::{Map, Value, json};

use super::super::value::child;
use super::{default, each, object, word};

/// A pod.
pub(super) fn pod(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "enableServiceLinks", true);
    for list in ["containers", "initContainers"] {
        each(spec, list).for_each(requests_from_limits);
    }
    pod_spec(spec);
    // The old name of the field is kept in step with the new one.
    let status = child(document, "status");
    if !word(status, "podIP").is_empty() && !status.contains_key("podIPs") {
        let ip = json!([{"ip": word(status, "podIP")}]);
        status.insert("podIPs".to_owned(), ip);
    }
}

fn requests_from_limits(container: &mut Map<String, Value>) {
    let Some(resources) = object(container, "resources") else {
        return;
    };
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else {
        return;
    };
    default(resources, "requests", json!({}));
    if let Some(requests) = object(resources, "requests") {
        limits
            .into_iter()
            .for_each(|(name, limit)| default(requests, &name, limit));
    }
}

/// The template of a workload.
pub(super) fn template(spec: &mut Map<String, Value>) {
    default(spec, "template", json!({}));
    if let Some(template) = object(spec, "template") {
        default(template, "metadata", json!({}));
        default(template, "spec", json!({}));
        if let Some(spec) = object(template, "spec") {
            pod_spec(spec);
        }
    }
}

pub(super) fn pod_spec(spec: &mut Map<String, Value>) {
    default(spec, "restartPolicy", "Always");
    default(spec, "dnsPolicy", "ClusterFirst");
    default(spec, "terminationGracePeriodSeconds", 30);
    default(spec, "schedulerName", "default-scheduler");
    default(spec, "securityContext", json!({}));
    // The old name of the field is kept in step with the new one.
    let account = match (
        word(spec, "serviceAccountName"),
        word(spec, "serviceAccount"),
    ) {
        ("", old) => old.to_owned(),
        (new, _) => new.to_owned(),
    };
    if !account.is_empty() {
        spec.insert("serviceAccount".to_owned(), account.clone().into());
        spec.insert("serviceAccountName".to_owned(), account.into());
    }
    let on_host = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["containers", "initContainers", "ephemeralContainers"] {
        each(spec, list).for_each(|c| container(c, on_host));
    }
    each(spec, "volumes").for_each(volume);
}

fn container(container: &mut Map<String, Value>, on_host: bool) {
    let policy = pull_policy(word(container, "image"));
    default(container, "imagePullPolicy", policy);
    default(container, "terminationMessagePath", "/dev/termination-log");
    default(container, "terminationMessagePolicy", "File");
    for port in each(container, "ports") {
        default(port, "protocol", "TCP");
        if on_host && let Some(number) = port.get("containerPort").cloned() {
            default(port, "hostPort", number);
        }
    }
    for variable in each(container, "env") {
        let source = object(variable, "valueFrom");
        if let Some(field) = source.and_then(|s| object(s, "fieldRef")) {
            default(field, "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        object(container, name).into_iter().for_each(probe);
    }
    if let Some(lifecycle) = object(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            object(lifecycle, hook).into_iter().for_each(http_get);
        }
    }
}

/// Always for `latest` and untagged images.
fn pull_policy(image: &str) -> &'static str {
    if image.contains('@') {
        return "IfNotPresent";
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    match name.split_once(':') {
        None | Some((_, "latest")) => "Always",
        Some(_) => "IfNotPresent",
    }
}

fn probe(probe: &mut Map<String, Value>) {
    default(probe, "timeoutSeconds", 1);
    default(probe, "periodSeconds", 10);
    default(probe, "successThreshold", 1);
    default(probe, "failureThreshold", 3);
    if let Some(grpc) = object(probe, "grpc") {
        default(grpc, "service", "");
    }
    http_get(probe);
}

fn http_get(handler: &mut Map<String, Value>) {
    if let Some(get) = object(handler, "httpGet") {
        default(get, "path", "/");
        default(get, "scheme", "HTTP");
    }
}

fn volume(volume: &mut Map<String, Value>) {
    if volume.keys().all(|name| name == "name") {
        default(volume, "emptyDir", json!({}));
    }
    for name in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = object(volume, name) {
            default(source, "defaultMode", 0o644);
        }
    }
    if let Some(host) = object(volume, "hostPath") {
        default(host, "type", "");
    }
    if let Some(projected) = object(volume, "projected") {
        for source in each(projected, "sources") {
            if let Some(token) = object(source, "serviceAccountToken") {
                default(token, "expirationSeconds", 3600);
            }
            object(source, "downwardAPI").into_iter().for_each(downward);
        }
    }
    object(volume, "downwardAPI").into_iter().for_each(downward);
}

fn downward(source: &mut Map<String, Value>) {
    for item in each(source, "items") {
        if let Some(field) = object(item, "fieldRef") {
            default(field, "apiVersion", "v1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_latest_and_untagged_images_are_always_pulled() {
        assert_eq!(pull_policy("registry.edge:5000/web"), "Always");
        assert_eq!(pull_policy("web:latest"), "Always");
        assert_eq!(pull_policy("registry.edge:5000/web:1.4"), "IfNotPresent");
        assert_eq!(pull_policy("web@sha256:abc"), "IfNotPresent");
    }
}

//! Pods, workloads and Services: what must be there and what must fit.

use serde_json::Value;

use super::super::Cause;
use super::super::value::text;
use super::names::is_label;

const STATEFUL_SET: &str = "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// A Deployment, StatefulSet, DaemonSet or ReplicaSet.
pub(super) fn workload(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if let Some(replicas) = spec["replicas"].as_i64().filter(|n| *n < 0) {
        let why = "must be greater than or equal to 0";
        causes.push(Cause::invalid("spec.replicas", &replicas.to_string(), why));
    }
    let selector = &spec["selector"];
    let labels = &spec["template"]["metadata"]["labels"];
    if selector.is_null() {
        causes.push(Cause::required("spec.selector", ""));
    }
    if selector.is_null() || !selects(selector, labels) {
        causes.push(Cause::invalid(
            "spec.template.metadata.labels",
            &labels.to_string(),
            "`selector` does not match template `labels`",
        ));
    }
    causes.extend(template(spec, "spec"));
    causes
}

fn selects(selector: &Value, labels: &Value) -> bool {
    let wanted = selector["matchLabels"].as_object().into_iter().flatten();
    wanted
        .into_iter()
        .all(|(name, value)| labels[name] == *value)
}

pub(super) fn cron_job(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    if text(spec, "schedule").is_empty() {
        causes.push(Cause::required("spec.schedule", ""));
    }
    causes.extend(template(
        &spec["jobTemplate"]["spec"],
        "spec.jobTemplate.spec",
    ));
    causes
}

/// The template below `path`.
pub(super) fn template(spec: &Value, path: &str) -> Vec<Cause> {
    pod(&spec["template"]["spec"], &format!("{path}.template.spec"))
}

/// A pod's spec.
pub(super) fn pod(spec: &Value, path: &str) -> Vec<Cause> {
    let containers = list(spec, "containers");
    let path = format!("{path}.containers");
    if containers.is_empty() {
        return vec![Cause::required(&path, "")];
    }
    let mut causes = Vec::new();
    for (i, container) in containers.iter().enumerate() {
        let at = format!("{path}[{i}]");
        causes.extend(container_name(container, &containers[..i], &at));
        if text(container, "image").is_empty() {
            causes.push(Cause::required(&format!("{at}.image"), ""));
        }
        for (j, port) in list(container, "ports").iter().enumerate() {
            let field = format!("{at}.ports[{j}].containerPort");
            causes.extend(port_number(&port["containerPort"], &field));
        }
    }
    causes
}

fn container_name(container: &Value, before: &[Value], at: &str) -> Option<Cause> {
    let name = text(container, "name");
    let field = format!("{at}.name");
    if name.is_empty() {
        return Some(Cause::required(&field, ""));
    }
    if before.iter().any(|other| text(other, "name") == name) {
        return Some(Cause {
            reason: "FieldValueDuplicate",
            message: format!("Duplicate value: \"{name}\""),
            field,
        });
    }
    let why = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    (!is_label(name)).then(|| Cause::invalid(&field, &format!("{name:?}"), why))
}

fn port_number(port: &Value, field: &str) -> Option<Cause> {
    let number = port.as_i64().unwrap_or(0);
    let wrong = !(1..=65535).contains(&number);
    wrong.then(|| {
        Cause::invalid(
            field,
            &number.to_string(),
            "must be between 1 and 65535, inclusive",
        )
    })
}

/// A Service's spec.
pub(super) fn service(spec: &Value) -> Vec<Cause> {
    let ports = list(spec, "ports");
    let portless = text(spec, "type") == "ExternalName" || text(spec, "clusterIP") == "None";
    if ports.is_empty() && !portless {
        return vec![Cause::required("spec.ports", "")];
    }
    let mut causes = Vec::new();
    for (i, port) in ports.iter().enumerate() {
        let at = format!("spec.ports[{i}]");
        if ports.len() > 1 && text(port, "name").is_empty() {
            causes.push(Cause::required(&format!("{at}.name"), ""));
        }
        causes.extend(port_number(&port["port"], &format!("{at}.port")));
        if port["targetPort"].is_number() {
            causes.extend(port_number(
                &port["targetPort"],
                &format!("{at}.targetPort"),
            ));
        }
    }
    causes
}

/// An address stays once it is given.
pub(super) fn service_change(old: &Value, new: &Value) -> Vec<Cause> {
    let (before, after) = (&old["spec"]["clusterIP"], &new["spec"]["clusterIP"]);
    let named = text(&new["spec"], "type") == "ExternalName";
    if before == after || before.is_null() || named || before == "" {
        return Vec::new();
    }
    let shown = new["spec"]["clusterIPs"].to_string();
    vec![Cause::invalid(
        "spec.clusterIPs[0]",
        &shown,
        "may not change once set",
    )]
}

/// Little of a pod can change.
pub(super) fn pod_change(old: &Value, new: &Value) -> Vec<Cause> {
    let fixed = |document: &Value| {
        let mut spec = document["spec"].clone();
        let Some(members) = spec.as_object_mut() else {
            return spec;
        };
        for name in [
            "activeDeadlineSeconds",
            "tolerations",
            "terminationGracePeriodSeconds",
            "nodeName",
            "ephemeralContainers",
        ] {
            members.remove(name);
        }
        for list in ["containers", "initContainers"] {
            let containers = members.get_mut(list).and_then(Value::as_array_mut);
            for container in containers.into_iter().flatten() {
                container["image"] = Value::Null;
            }
        }
        spec
    };
    if fixed(old) == fixed(new) {
        return Vec::new();
    }
    vec![Cause::forbidden(
        "spec",
        "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)",
    )]
}

/// Most of a StatefulSet stays as it was made.
pub(super) fn stateful_set_change(old: &Value, new: &Value) -> Vec<Cause> {
    let fixed = |document: &Value| {
        let mut spec = document["spec"].clone();
        for name in [
            "replicas",
            "ordinals",
            "template",
            "updateStrategy",
            "revisionHistoryLimit",
            "persistentVolumeClaimRetentionPolicy",
            "minReadySeconds",
        ] {
            if let Some(spec) = spec.as_object_mut() {
                spec.remove(name);
            }
        }
        spec
    };
    if fixed(old) == fixed(new) {
        return Vec::new();
    }
    vec![Cause::forbidden("spec", STATEFUL_SET)]
}

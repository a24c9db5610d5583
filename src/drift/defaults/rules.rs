//! Defaults that depend on other fields.

use serde_json::{Map, Value, json};

use super::set;

type Fields = Map<String, Value>;

/// Fills in what a rule says for the struct of that name (`apps/v1.DeploymentSpec`).
pub(super) fn fill(map: &mut Fields, name: &str) {
    match name {
        "core/v1.Container" | "core/v1.EphemeralContainer" => pull_policy(map),
        "core/v1.Volume" => volume(map),
        "core/v1.ServiceSpec" => service(map),
        "core/v1.ServicePort" => service_port(map),
        "core/v1.Pod" => pod(map),
        "core/v1.Namespace" => namespace(map),
        "core/v1.LimitRangeItem" => limit_range(map),
        "core/v1.PersistentVolumeClaim" => phase(map),
        "core/v1.ReplicationController" => labels_from_template(map, true),
        "apps/v1.DeploymentSpec"
        | "apps/v1beta1.DeploymentSpec"
        | "apps/v1beta2.DeploymentSpec" => {
            rollout(map, "strategy", &json!("25%"), &json!("25%"));
        }
        "extensions/v1beta1.DeploymentSpec" => rollout(map, "strategy", &json!(1), &json!(1)),
        "apps/v1.DaemonSetSpec" | "apps/v1beta2.DaemonSetSpec" => {
            rollout(map, "updateStrategy", &json!(1), &json!(0));
        }
        "apps/v1.StatefulSetSpec" | "apps/v1beta2.StatefulSetSpec" => {
            stateful_set(map, "RollingUpdate")
        }
        "apps/v1beta1.StatefulSetSpec" => stateful_set(map, "OnDelete"),
        "batch/v1.Job" => {
            job(map);
            labels_from_template(map, false);
        }
        "apps/v1beta1.Deployment"
        | "apps/v1beta1.StatefulSet"
        | "extensions/v1beta1.Deployment"
        | "extensions/v1beta1.DaemonSet"
        | "extensions/v1beta1.ReplicaSet" => selector_from_template(map),
        "autoscaling/v2.HorizontalPodAutoscalerSpec" => autoscaler(map),
        "networking/v1.NetworkPolicySpec" | "extensions/v1beta1.NetworkPolicySpec" => {
            policy_types(map)
        }
        name if name.starts_with("rbac/") && name.ends_with(".Subject") => subject(map),
        name if name.ends_with(".CustomResourceDefinitionNames") => names(map),
        _ => {}
    }
}

fn text<'v>(map: &'v Fields, key: &str) -> &'v str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_set(map: &Fields, key: &str) -> bool {
    map.get(key).is_some_and(|v| match v {
        Value::Null => false,
        Value::Array(items) => !items.is_empty(),
        Value::Object(inner) => !inner.is_empty(),
        Value::String(text) => !text.is_empty(),
        _ => true,
    })
}

fn inner<'m>(map: &'m mut Fields, key: &str) -> Option<&'m mut Fields> {
    map.get_mut(key).and_then(Value::as_object_mut)
}

/// `latest`, or no tag at all, is pulled every time.
fn pull_policy(container: &mut Fields) {
    let image = text(container, "image");
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest = match name.split_once(':') {
        _ if image.is_empty() => false,
        _ if name.contains('@') => name
            .split('@')
            .next()
            .is_some_and(|n| n.ends_with(":latest")),
        None => true,
        Some((_, tag)) => tag == "latest",
    };
    let policy = if latest { "Always" } else { "IfNotPresent" };
    set(container, "imagePullPolicy", json!(policy));
}

fn volume(map: &mut Fields) {
    if map
        .iter()
        .all(|(key, value)| key == "name" || value.is_null())
    {
        set(map, "emptyDir", json!({}));
    }
}

fn service(spec: &mut Fields) {
    let kind = text(spec, "type").to_owned();
    match text(spec, "sessionAffinity") {
        "None" => {
            spec.remove("sessionAffinityConfig");
        }
        "ClientIP" => {
            let timeout = spec
                .get("sessionAffinityConfig")
                .and_then(|c| c.pointer("/clientIP/timeoutSeconds"));
            if timeout.is_none_or(Value::is_null) {
                spec.insert(
                    "sessionAffinityConfig".into(),
                    json!({"clientIP": {"timeoutSeconds": 10800}}),
                );
            }
        }
        _ => {}
    }
    let outside = matches!(kind.as_str(), "NodePort" | "LoadBalancer")
        || (kind == "ClusterIP" && is_set(spec, "externalIPs"));
    if outside {
        set(spec, "externalTrafficPolicy", json!("Cluster"));
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer" | "ClusterIP") {
        set(spec, "internalTrafficPolicy", json!("Cluster"));
    }
    if kind == "LoadBalancer" {
        set(spec, "allocateLoadBalancerNodePorts", json!(true));
    }
}

fn service_port(port: &mut Fields) {
    let unset = port
        .get("targetPort")
        .is_none_or(|t| t.is_null() || t == &json!(0) || t == &json!(""));
    if let (true, Some(number)) = (unset, port.get("port").cloned()) {
        port.insert("targetPort".into(), number);
    }
}

/// Requests follow limits, and ports of the host's network are the host's; in Pods only, not in templates.
fn pod(map: &mut Fields) {
    let Some(spec) = inner(map, "spec") else {
        return;
    };
    set(spec, "enableServiceLinks", json!(true));
    let host_network = spec.get("hostNetwork") == Some(&json!(true));
    for list in ["containers", "initContainers"] {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
        {
            requests_from_limits(container);
            if host_network {
                host_ports(container);
            }
        }
    }
}

fn requests_from_limits(container: &mut Fields) {
    let Some(resources) = inner(container, "resources") else {
        return;
    };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else {
        return;
    };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    if let Some(requests) = requests.as_object_mut() {
        for (name, limit) in limits {
            requests.entry(name).or_insert(limit);
        }
    }
}

fn host_ports(container: &mut Fields) {
    let ports = container.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten().filter_map(Value::as_object_mut) {
        if let (false, Some(number)) =
            (is_set(port, "hostPort"), port.get("containerPort").cloned())
        {
            port.insert("hostPort".into(), number);
        }
    }
}

fn namespace(map: &mut Fields) {
    let Some(metadata) = inner(map, "metadata") else {
        return;
    };
    let name = text(metadata, "name").to_owned();
    if !name.is_empty() {
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        if let Some(labels) = labels.as_object_mut() {
            labels.insert("kubernetes.io/metadata.name".into(), json!(name));
        }
    }
}

/// For containers: defaults from maxima, default requests from defaults and minima.
fn limit_range(item: &mut Fields) {
    if text(item, "type") != "Container" {
        return;
    }
    for (from, to) in [
        ("max", "default"),
        ("default", "defaultRequest"),
        ("min", "defaultRequest"),
    ] {
        let Some(given) = item.get(from).and_then(Value::as_object).cloned() else {
            continue;
        };
        let wanted = item.entry(to).or_insert_with(|| json!({}));
        if let Some(wanted) = wanted.as_object_mut() {
            for (name, quantity) in given {
                wanted.entry(name).or_insert(quantity);
            }
        }
    }
}

fn phase(map: &mut Fields) {
    let status = map.entry("status").or_insert_with(|| json!({}));
    if let Some(status) = status.as_object_mut() {
        set(status, "phase", json!("Pending"));
    }
}

fn template_labels(map: &Fields) -> Option<Value> {
    let labels = map.get("spec")?.pointer("/template/metadata/labels")?;
    labels.is_object().then(|| labels.clone())
}

/// The labels of the template, for objects without labels; a controller's plain selector likewise.
fn labels_from_template(map: &mut Fields, selector: bool) {
    let Some(labels) = template_labels(map) else {
        return;
    };
    if let Some(spec) = inner(map, "spec").filter(|spec| selector && !is_set(spec, "selector")) {
        spec.insert("selector".into(), labels.clone());
    }
    let metadata = map.entry("metadata").or_insert_with(|| json!({}));
    if let Some(metadata) = metadata.as_object_mut().filter(|m| !is_set(m, "labels")) {
        metadata.insert("labels".into(), labels);
    }
}

fn selector_from_template(map: &mut Fields) {
    let Some(labels) = template_labels(map) else {
        return;
    };
    if let Some(spec) = inner(map, "spec").filter(|spec| !spec.contains_key("selector")) {
        spec.insert("selector".into(), json!({ "matchLabels": labels }));
    }
    labels_from_template(map, false);
}

/// Rolling updates and their two bounds.
fn rollout(spec: &mut Fields, field: &str, unavailable: &Value, surge: &Value) {
    let strategy = spec.entry(field).or_insert_with(|| json!({}));
    let Some(strategy) = strategy.as_object_mut() else {
        return;
    };
    set(strategy, "type", json!("RollingUpdate"));
    if text(strategy, "type") != "RollingUpdate" {
        return;
    }
    set(strategy, "rollingUpdate", json!({}));
    if let Some(bounds) = inner(strategy, "rollingUpdate") {
        set(bounds, "maxUnavailable", unavailable.clone());
        set(bounds, "maxSurge", surge.clone());
    }
}

fn stateful_set(spec: &mut Fields, default: &str) {
    let strategy = spec.entry("updateStrategy").or_insert_with(|| json!({}));
    let Some(strategy) = strategy.as_object_mut() else {
        return;
    };
    if !is_set(strategy, "type") {
        strategy.insert("type".into(), json!(default));
        if default == "RollingUpdate" {
            set(strategy, "rollingUpdate", json!({}));
        }
    }
    if text(strategy, "type") == "RollingUpdate"
        && let Some(rolling) = inner(strategy, "rollingUpdate")
    {
        set(rolling, "partition", json!(0));
        set(rolling, "maxUnavailable", json!(1));
    }
}

fn job(map: &mut Fields) {
    let Some(spec) = inner(map, "spec") else {
        return;
    };
    if !is_set(spec, "completions") && !is_set(spec, "parallelism") {
        set(spec, "completions", json!(1));
    }
    set(spec, "parallelism", json!(1));
    let retries = if is_set(spec, "backoffLimitPerIndex") {
        i32::MAX
    } else {
        6
    };
    set(spec, "backoffLimit", json!(retries));
    set(spec, "completionMode", json!("NonIndexed"));
    set(spec, "suspend", json!(false));
    let replace = if is_set(spec, "podFailurePolicy") {
        "Failed"
    } else {
        "TerminatingOrFailed"
    };
    set(spec, "podReplacementPolicy", json!(replace));
    set(spec, "manualSelector", json!(false));
}

fn autoscaler(spec: &mut Fields) {
    if !is_set(spec, "metrics") {
        let target = json!({"type": "Utilization", "averageUtilization": 80});
        spec.insert(
            "metrics".into(),
            json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]),
        );
    }
    let Some(behavior) = inner(spec, "behavior") else {
        return;
    };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    scaling(behavior, "scaleUp", Some(json!(0)), json!([pods, percent]));
    scaling(behavior, "scaleDown", None, json!([percent]));
}

fn scaling(behavior: &mut Fields, direction: &str, window: Option<Value>, policies: Value) {
    set(behavior, direction, json!({}));
    let Some(rules) = inner(behavior, direction) else {
        return;
    };
    set(rules, "selectPolicy", json!("Max"));
    if let Some(window) = window {
        set(rules, "stabilizationWindowSeconds", window);
    }
    set(rules, "policies", policies);
}

fn policy_types(spec: &mut Fields) {
    if !is_set(spec, "policyTypes") {
        let mut types = vec!["Ingress"];
        if is_set(spec, "egress") {
            types.push("Egress");
        }
        spec.insert("policyTypes".into(), json!(types));
    }
}

fn subject(map: &mut Fields) {
    if matches!(text(map, "kind"), "User" | "Group") {
        set(map, "apiGroup", json!("rbac.authorization.k8s.io"));
    }
}

fn names(map: &mut Fields) {
    let kind = text(map, "kind").to_owned();
    if !kind.is_empty() {
        set(map, "singular", json!(kind.to_lowercase()));
        set(map, "listKind", json!(format!("{kind}List")));
    }
}

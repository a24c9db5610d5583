//! The cells of built-in kinds, in the order of their columns.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::age::{age, span};
use super::pods;
use crate::sim::store::Kind;
use crate::sim::store::value::text;

pub(super) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

pub(super) fn or(text: &str, otherwise: &str) -> Value {
    if text.is_empty() { otherwise } else { text }.into()
}

fn count(value: &Value, name: &str) -> i64 {
    value[name].as_i64().unwrap_or(0)
}

/// The row of an object.
pub(super) fn cells(kind: &Kind, o: &Value, now: Timestamp) -> Vec<Value> {
    let name = || o["metadata"]["name"].clone();
    let aged = || Value::from(age(&o["metadata"]["creationTimestamp"], now));
    let (spec, status) = (&o["spec"], &o["status"]);
    match kind.plural {
        "pods" => pods::cells(o, now),
        "configmaps" => vec![
            name(),
            (size(o, "data") + size(o, "binaryData")).into(),
            aged(),
        ],
        "secrets" => vec![name(), o["type"].clone(), size(o, "data").into(), aged()],
        "services" => service(o, name(), aged()),
        "endpoints" => vec![name(), endpoints(o).into(), aged()],
        "events" => event(o, now),
        "namespaces" => vec![name(), status["phase"].clone(), aged()],
        "nodes" => node(o, name(), aged()),
        "persistentvolumeclaims" => claim(o, name(), aged()),
        "deployments" => {
            let ready = format!(
                "{}/{}",
                count(status, "readyReplicas"),
                count(spec, "replicas")
            );
            let counts = ["updatedReplicas", "availableReplicas"].map(|n| count(status, n).into());
            let head = vec![name(), ready.into()];
            [
                head,
                counts.to_vec(),
                vec![aged()],
                template(spec),
                vec![selector(spec)],
            ]
            .concat()
        }
        "replicasets" => {
            let counts = [
                count(spec, "replicas").into(),
                count(status, "replicas").into(),
                count(status, "readyReplicas").into(),
            ];
            [
                vec![name()],
                counts.to_vec(),
                vec![aged()],
                template(spec),
                vec![selector(spec)],
            ]
            .concat()
        }
        "statefulsets" => {
            let ready = format!(
                "{}/{}",
                count(status, "readyReplicas"),
                count(spec, "replicas")
            );
            [vec![name(), ready.into(), aged()], template(spec)].concat()
        }
        "daemonsets" => daemon_set(o, name(), aged()),
        "jobs" => job(o, name(), aged(), now),
        "cronjobs" => cron_job(o, name(), aged(), now),
        "horizontalpodautoscalers" => autoscaler(o, name(), aged()),
        "ingresses" => ingress(o, name(), aged()),
        "networkpolicies" => vec![name(), labels(&spec["podSelector"]["matchLabels"]), aged()],
        "poddisruptionbudgets" => {
            let shown = |n: &str| or(&plain(&spec[n]), "N/A");
            let allowed = count(status, "disruptionsAllowed").into();
            vec![
                name(),
                shown("minAvailable"),
                shown("maxUnavailable"),
                allowed,
                aged(),
            ]
        }
        "rolebindings" | "clusterrolebindings" => binding(o, name(), aged()),
        "roles" | "clusterroles" | "customresourcedefinitions" => {
            vec![name(), o["metadata"]["creationTimestamp"].clone()]
        }
        "leases" => vec![name(), text(spec, "holderIdentity").into(), aged()],
        _ => vec![name(), aged()],
    }
}

fn size(value: &Value, name: &str) -> usize {
    value[name].as_object().map_or(0, serde_json::Map::len)
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// `app=web,tier=edge`.
fn labels(map: &Value) -> Value {
    let pairs = map.as_object().into_iter().flatten();
    let pairs: Vec<String> = pairs.map(|(k, v)| format!("{k}={}", plain(v))).collect();
    or(&pairs.join(","), "<none>")
}

fn selector(spec: &Value) -> Value {
    labels(&spec["selector"]["matchLabels"])
}

/// Names and images of a template's containers.
fn template(spec: &Value) -> Vec<Value> {
    let containers = list(&spec["template"]["spec"], "containers");
    ["name", "image"]
        .map(|part| {
            let parts: Vec<&str> = containers.iter().map(|c| text(c, part)).collect();
            parts.join(",").into()
        })
        .to_vec()
}

fn service(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let spec = &o["spec"];
    let ports: Vec<String> = list(spec, "ports").iter().map(port).collect();
    vec![
        name,
        spec["type"].clone(),
        or(text(spec, "clusterIP"), "<none>"),
        external(o),
        or(&ports.join(","), "<none>"),
        aged,
        labels(&spec["selector"]),
    ]
}

fn port(port: &Value) -> String {
    let protocol = text(port, "protocol");
    match port["nodePort"].as_i64() {
        Some(node) if node > 0 => format!("{}:{node}/{protocol}", port["port"]),
        _ => format!("{}/{protocol}", port["port"]),
    }
}

fn external(service: &Value) -> Value {
    let spec = &service["spec"];
    match text(spec, "type") {
        "ExternalName" => spec["externalName"].clone(),
        "LoadBalancer" => or(&addresses(&service["status"]["loadBalancer"]), "<pending>"),
        _ => {
            let ips: Vec<&str> = list(spec, "externalIPs")
                .iter()
                .filter_map(Value::as_str)
                .collect();
            or(&ips.join(","), "<none>")
        }
    }
}

fn addresses(balancer: &Value) -> String {
    let points = list(balancer, "ingress").iter();
    let points: Vec<&str> = points
        .map(|i| {
            if text(i, "ip").is_empty() {
                text(i, "hostname")
            } else {
                text(i, "ip")
            }
        })
        .collect();
    points.join(",")
}

fn endpoints(o: &Value) -> String {
    let mut all = Vec::new();
    for subset in list(o, "subsets") {
        for port in list(subset, "ports") {
            let ips = list(subset, "addresses").iter().map(|a| text(a, "ip"));
            all.extend(ips.map(|ip| format!("{ip}:{}", port["port"])));
        }
    }
    match all.len() {
        0 => "<none>".to_owned(),
        n if n > 3 => format!("{} + {} more...", all[..3].join(","), n - 3),
        _ => all.join(","),
    }
}

fn event(o: &Value, now: Timestamp) -> Vec<Value> {
    let about = &o["involvedObject"];
    let object = format!(
        "{}/{}",
        text(about, "kind").to_lowercase(),
        text(about, "name")
    );
    let first = [&o["firstTimestamp"], &o["eventTime"]];
    let first = first
        .into_iter()
        .find(|t| t.is_string())
        .unwrap_or(&Value::Null);
    let last = if o["lastTimestamp"].is_string() {
        &o["lastTimestamp"]
    } else {
        first
    };
    let times = o["count"].as_i64().unwrap_or(1);
    vec![
        age(last, now).into(),
        text(o, "type").into(),
        text(o, "reason").into(),
        object.into(),
        text(about, "fieldPath").into(),
        or(
            text(&o["source"], "component"),
            text(o, "reportingComponent"),
        ),
        text(o, "message").trim().into(),
        age(first, now).into(),
        times.into(),
        o["metadata"]["name"].clone(),
    ]
}

fn node(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let status = &o["status"];
    let ready = list(status, "conditions")
        .iter()
        .find(|c| c["type"] == "Ready");
    let mut word = match ready.map(|c| text(c, "status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if o["spec"]["unschedulable"] == true {
        word.push_str(",SchedulingDisabled");
    }
    let labels = o["metadata"]["labels"].as_object().into_iter().flatten();
    let roles: Vec<&str> = labels
        .filter_map(|(k, _)| k.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    let address = |kind: &str| {
        let found = list(status, "addresses").iter().find(|a| a["type"] == kind);
        or(found.map_or("", |a| text(a, "address")), "<none>")
    };
    let info = |part: &str| or(text(&status["nodeInfo"], part), "<unknown>");
    vec![
        name,
        word.into(),
        or(&roles.join(","), "<none>"),
        aged,
        text(&status["nodeInfo"], "kubeletVersion").into(),
        address("InternalIP"),
        address("ExternalIP"),
        info("osImage"),
        info("kernelVersion"),
        info("containerRuntimeVersion"),
    ]
}

fn claim(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let short = |mode: &Value| match mode.as_str() {
        Some("ReadWriteOnce") => "RWO",
        Some("ReadOnlyMany") => "ROX",
        Some("ReadWriteMany") => "RWX",
        _ => "RWOP",
    };
    let bound = !text(spec, "volumeName").is_empty();
    let modes: Vec<&str> = list(status, "accessModes").iter().map(short).collect();
    let capacity = if bound {
        plain(&status["capacity"]["storage"])
    } else {
        String::new()
    };
    vec![
        name,
        text(status, "phase").into(),
        text(spec, "volumeName").into(),
        capacity.into(),
        if bound {
            modes.join(",").into()
        } else {
            json!("")
        },
        text(spec, "storageClassName").into(),
        or(text(spec, "volumeAttributesClassName"), "<unset>"),
        aged,
        or(text(spec, "volumeMode"), "<unset>"),
    ]
}

fn daemon_set(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let counts = [
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    ]
    .map(|n| Value::from(count(status, n)));
    let nodes = labels(&spec["template"]["spec"]["nodeSelector"]);
    [
        vec![name],
        counts.to_vec(),
        vec![nodes, aged],
        template(spec),
        vec![selector(spec)],
    ]
    .concat()
}

fn job(o: &Value, name: Value, aged: Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let holds = |kind: &str| {
        let conditions = list(status, "conditions").iter();
        conditions
            .clone()
            .any(|c| c["type"] == kind && c["status"] == "True")
    };
    let words = ["Complete", "Failed", "Suspended"];
    let word = words.into_iter().find(|w| holds(w)).unwrap_or("Running");
    let done = format!(
        "{}/{}",
        count(status, "succeeded"),
        spec["completions"].as_i64().unwrap_or(1)
    );
    let start: Option<Timestamp> = text(status, "startTime").parse().ok();
    let end: Timestamp = text(status, "completionTime").parse().unwrap_or(now);
    let took = start.map_or_else(String::new, |s| span(end.duration_since(s).as_secs()));
    let head = vec![name, word.into(), done.into(), took.into(), aged];
    [head, template(spec), vec![selector(spec)]].concat()
}

fn cron_job(o: &Value, name: Value, aged: Value, now: Timestamp) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let last = &status["lastScheduleTime"];
    let last = if last.is_null() {
        "<none>".to_owned()
    } else {
        age(last, now)
    };
    let head = vec![
        name,
        text(spec, "schedule").into(),
        or(text(spec, "timeZone"), "<none>"),
        (spec["suspend"] == true).into(),
        list(status, "active").len().into(),
        last.into(),
        aged,
    ];
    let job = &spec["jobTemplate"]["spec"];
    [head, template(job), vec![selector(job)]].concat()
}

fn autoscaler(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let (spec, status) = (&o["spec"], &o["status"]);
    let target = &spec["scaleTargetRef"];
    let metrics: Vec<String> = list(spec, "metrics")
        .iter()
        .enumerate()
        .map(|(i, m)| metric(m, list(status, "currentMetrics").get(i)))
        .collect();
    vec![
        name,
        format!("{}/{}", text(target, "kind"), text(target, "name")).into(),
        or(&metrics.join(", "), "<none>"),
        plain(&spec["minReplicas"]).into(),
        count(spec, "maxReplicas").into(),
        count(status, "currentReplicas").into(),
        aged,
    ]
}

fn metric(wanted: &Value, current: Option<&Value>) -> String {
    let resource = &wanted["resource"];
    let now = current.map_or(&Value::Null, |c| &c["resource"]["current"]);
    let name = text(resource, "name");
    if let Some(target) = resource["target"]["averageUtilization"].as_i64() {
        let now = now["averageUtilization"].as_i64();
        let now = now.map_or_else(|| "<unknown>".to_owned(), |n| format!("{n}%"));
        return format!("{name}: {now}/{target}%");
    }
    let now = or(&plain(&now["averageValue"]), "<unknown>");
    format!(
        "{}/{}",
        plain(&now),
        plain(&resource["target"]["averageValue"])
    )
}

fn ingress(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let spec = &o["spec"];
    let rules = list(spec, "rules").iter().map(|r| text(r, "host"));
    let hosts: Vec<&str> = rules.filter(|h| !h.is_empty()).collect();
    let ports = if list(spec, "tls").is_empty() {
        "80"
    } else {
        "80, 443"
    };
    vec![
        name,
        or(text(spec, "ingressClassName"), "<none>"),
        or(&hosts.join(","), "*"),
        addresses(&o["status"]["loadBalancer"]).into(),
        ports.into(),
        aged,
    ]
}

fn binding(o: &Value, name: Value, aged: Value) -> Vec<Value> {
    let role = &o["roleRef"];
    let of = |kind: &str| {
        let subjects = list(o, "subjects").iter().filter(|s| s["kind"] == kind);
        let names: Vec<String> = subjects
            .map(|s| match text(s, "namespace") {
                "" => text(s, "name").to_owned(),
                namespace => format!("{namespace}/{}", text(s, "name")),
            })
            .collect();
        Value::from(names.join(", "))
    };
    vec![
        name,
        format!("{}/{}", text(role, "kind"), text(role, "name")).into(),
        aged,
        of("User"),
        of("Group"),
        of("ServiceAccount"),
    ]
}

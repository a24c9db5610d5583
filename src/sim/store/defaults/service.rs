//! Defaults of Services and NetworkPolicies.

use serde_json::{Map, Value, json};

use super::super::value::child;
use super::{default, each, word};

pub(super) fn service(document: &mut Value) {
    let spec = child(document, "spec");
    default(spec, "type", "ClusterIP");
    default(spec, "sessionAffinity", "None");
    let kind = word(spec, "type").to_owned();
    for port in each(spec, "ports") {
        default(port, "protocol", "TCP");
        if let Some(number) = port.get("port").cloned() {
            default(port, "targetPort", number);
        }
    }
    if word(spec, "sessionAffinity") == "ClientIP" {
        default(
            spec,
            "sessionAffinityConfig",
            json!({"clientIP": {"timeoutSeconds": 10800}}),
        );
    }
    if matches!(&*kind, "NodePort" | "LoadBalancer") {
        default(spec, "externalTrafficPolicy", "Cluster");
    }
    if kind == "LoadBalancer" {
        default(spec, "allocateLoadBalancerNodePorts", true);
    }
    if kind != "ExternalName" {
        default(spec, "internalTrafficPolicy", "Cluster");
    }
    default(child(document, "status"), "loadBalancer", json!({}));
}

/// Gives a Service its addresses: the one it had, or one made from its number.
pub(crate) fn allocate(document: &mut Value, old: Option<&Value>, number: u64) {
    let spec = child(document, "spec");
    let kind = word(spec, "type").to_owned();
    if kind == "ExternalName" {
        spec.remove("clusterIP");
        spec.remove("clusterIPs");
        return;
    }
    default(spec, "ipFamilies", json!(["IPv4"]));
    default(spec, "ipFamilyPolicy", "SingleStack");
    if word(spec, "clusterIP").is_empty() {
        let kept = old.map(|o| o["spec"]["clusterIP"].clone());
        let fresh = || format!("10.96.{}.{}", number / 250 % 256, number % 250 + 2).into();
        let address = kept.filter(|k| !k.is_null()).unwrap_or_else(fresh);
        spec.insert("clusterIP".to_owned(), address);
    }
    let address = spec.get("clusterIP").cloned().unwrap_or_default();
    spec.insert("clusterIPs".to_owned(), json!([address]));
    if matches!(&*kind, "NodePort" | "LoadBalancer") {
        node_ports(spec, old, number);
    } else if old.is_some_and(|o| o["spec"]["type"] != *kind) {
        // What only the type before could have goes with it.
        spec.remove("externalTrafficPolicy");
        each(spec, "ports").for_each(|port| drop(port.remove("nodePort")));
    }
}

fn node_ports(spec: &mut Map<String, Value>, old: Option<&Value>, number: u64) {
    let before = old.and_then(|o| o["spec"]["ports"].as_array());
    let before: Vec<Value> = before.cloned().unwrap_or_default();
    for (i, port) in each(spec, "ports").enumerate() {
        let same = |p: &&Value| {
            p.get("port") == port.get("port") && p.get("protocol") == port.get("protocol")
        };
        let kept = before.iter().find(same).map(|p| p["nodePort"].clone());
        let fresh = 30_000 + (number * 7 + i as u64) % 2_768;
        let chosen = kept
            .filter(|k| !k.is_null())
            .unwrap_or_else(|| fresh.into());
        default(port, "nodePort", chosen);
    }
}

pub(super) fn network_policy(document: &mut Value) {
    let spec = child(document, "spec");
    let egress = spec
        .get("egress")
        .and_then(Value::as_array)
        .is_some_and(|e| !e.is_empty());
    let types = if egress {
        json!(["Ingress", "Egress"])
    } else {
        json!(["Ingress"])
    };
    default(spec, "policyTypes", types);
    for side in ["ingress", "egress"] {
        for rule in each(spec, side) {
            each(rule, "ports").for_each(|port| default(port, "protocol", "TCP"));
        }
    }
}

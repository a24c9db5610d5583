//! Aggregated discovery: everything below `/api` or `/apis` in one document.

use serde_json::{Value, json};

use super::{Group, grouped, subresources};
use crate::sim::store::{Kind, KindSet};

/// Which version of the aggregated form an `Accept` header asks for, if any.
pub(crate) fn asks_for_aggregated(accept: &str) -> Option<&'static str> {
    let wants = |part: &str, version: &str| {
        let words: Vec<&str> = part.split(';').map(str::trim).collect();
        words.contains(&"application/json")
            && words.contains(&"as=APIGroupDiscoveryList")
            && words.contains(&"g=apidiscovery.k8s.io")
            && words.contains(&version)
    };
    // The first acceptable form wins, so plain JSON before it means plain JSON.
    for part in accept.split(',') {
        if wants(part, "v=v2") {
            return Some("v2");
        }
        if wants(part, "v=v2beta1") {
            return Some("v2beta1");
        }
        if matches!(part.trim(), "application/json" | "*/*") {
            return None;
        }
    }
    None
}

/// The document for `/apis`, or for `/api` when `core`.
pub(crate) fn aggregated(kinds: &KindSet, core: bool, version: &str) -> Value {
    let groups = grouped(kinds)
        .into_iter()
        .filter(|g| g.name.is_empty() == core);
    let items: Vec<Value> = groups.map(|g| item(&g)).collect();
    json!({
        "kind": "APIGroupDiscoveryList",
        "apiVersion": format!("apidiscovery.k8s.io/{version}"),
        "metadata": {},
        "items": items,
    })
}

fn item(group: &Group) -> Value {
    let resources: Vec<Value> = group.kinds.iter().map(|kind| resource(kind)).collect();
    let mut metadata = json!({"creationTimestamp": null});
    if !group.name.is_empty() {
        metadata["name"] = group.name.into();
    }
    json!({
        "metadata": metadata,
        "versions": [{"version": group.version, "resources": resources, "freshness": "Current"}],
    })
}

fn resource(kind: &Kind) -> Value {
    let speaks = |group: &str, version: &str, kind: &str| json!({"group": group, "version": version, "kind": kind});
    let mut entry = json!({
        "resource": kind.plural,
        "responseKind": speaks(kind.group, kind.version, kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs(),
    });
    if !kind.short_names.is_empty() {
        entry["shortNames"] = kind.short_names.into();
    }
    if !kind.categories.is_empty() {
        entry["categories"] = kind.categories.into();
    }
    let subs: Vec<Value> = subresources(kind)
        .iter()
        .map(|sub| {
            json!({
                "subresource": sub.word,
                "responseKind": speaks(sub.group, sub.version, sub.kind),
                "verbs": sub.verbs,
            })
        })
        .collect();
    if !subs.is_empty() {
        entry["subresources"] = subs.into();
    }
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_accept_header_of_kubectl_asks_for_v2() {
        let accept = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";
        assert_eq!(asks_for_aggregated(accept), Some("v2"));
        assert_eq!(asks_for_aggregated("application/json"), None);
        assert_eq!(asks_for_aggregated("*/*"), None);
        assert_eq!(
            asks_for_aggregated(
                "application/json;v=v2beta1;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"
            ),
            Some("v2beta1")
        );
    }

    #[test]
    fn deployments_speak_scale_of_autoscaling() {
        let document = aggregated(&KindSet::bare(), false, "v2");
        let text = document.to_string();
        assert!(text.contains(r#""kind":"Scale""#), "{text}");
        assert_eq!(document["items"][0]["metadata"]["name"], "apps");
    }

    #[test]
    fn core_stands_below_api_only() {
        let core = aggregated(&KindSet::bare(), true, "v2");
        assert_eq!(core["items"].as_array().map(Vec::len), Some(1));
        assert!(core["items"][0]["metadata"].get("name").is_none());
    }
}

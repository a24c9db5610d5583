//! The old discovery documents, one for each group and version.

use serde_json::{Value, json};

use super::{Group, grouped, subresources};
use crate::sim::store::{Kind, KindSet};

/// `/api`.
pub(crate) fn roots(address: &str) -> Value {
    json!({
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}],
    })
}

/// `/apis`.
pub(crate) fn groups(kinds: &KindSet) -> Value {
    let named = grouped(kinds).into_iter().filter(|g| !g.name.is_empty());
    let groups: Vec<Value> = named.map(|g| body(&g)).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(crate) fn group(kinds: &KindSet, name: &str) -> Option<Value> {
    let group = grouped(kinds).into_iter().find(|g| g.name == name)?;
    let mut document = body(&group);
    document["kind"] = "APIGroup".into();
    document["apiVersion"] = "v1".into();
    Some(document)
}

fn body(group: &Group) -> Value {
    let version = json!({
        "groupVersion": format!("{}/{}", group.name, group.version),
        "version": group.version,
    });
    json!({"name": group.name, "versions": [version], "preferredVersion": version})
}

/// `/api/v1` and `/apis/GROUP/VERSION`.
pub(crate) fn resources(kinds: &KindSet, group: &str, version: &str) -> Option<Value> {
    let found = grouped(kinds)
        .into_iter()
        .find(|g| g.name == group && g.version == version)?;
    let group_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    let resources: Vec<Value> = found.kinds.iter().flat_map(|kind| entries(kind)).collect();
    Some(json!({
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }))
}

fn entries(kind: &Kind) -> Vec<Value> {
    let mut main = json!({
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": kind.verbs(),
    });
    if !kind.short_names.is_empty() {
        main["shortNames"] = kind.short_names.into();
    }
    if !kind.categories.is_empty() {
        main["categories"] = kind.categories.into();
    }
    let mut entries = vec![main];
    for sub in subresources(kind) {
        let mut entry = json!({
            "name": format!("{}/{}", kind.plural, sub.word),
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": sub.kind,
            "verbs": sub.verbs,
        });
        if (sub.group, sub.version) != (kind.group, kind.version) {
            entry["group"] = sub.group.into();
            entry["version"] = sub.version.into();
        }
        entries.push(entry);
    }
    entries
}

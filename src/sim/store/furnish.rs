//! What a server has from its start: its namespaces and the definitions of the custom kinds it serves.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::prepare::stamp;
use super::{Kind, Store};

impl Store {
    pub(crate) fn furnish(&self, now: Timestamp) {
        let spaces = ["default", "kube-system", "kube-public", "kube-node-lease"];
        let mut documents: Vec<Value> = spaces.iter().map(|name| namespace(name)).collect();
        let kinds = self.kinds();
        documents.extend(
            kinds
                .iter()
                .filter(|k| k.custom)
                .map(|k| definition(k, now)),
        );
        for document in documents {
            // Both kinds are in every set.
            let _ = self.restore(document, now);
        }
    }
}

/// A namespace as the server makes it.
fn namespace(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    })
}

/// The definition of a custom kind, established.
fn definition(kind: &Kind, now: Timestamp) -> Value {
    let names = json!({
        "plural": kind.plural,
        "singular": kind.singular,
        "kind": kind.kind,
        "listKind": kind.list_kind(),
        "shortNames": kind.short_names,
    });
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": stamp(now)});
    let subresources = if kind.status {
        json!({"status": {}})
    } else {
        json!({})
    };
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{}.{}", kind.plural, kind.group), "generation": 1},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
            "versions": [{
                "name": kind.version,
                "served": true,
                "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": true}},
                "subresources": subresources,
            }],
            "conversion": {"strategy": "None"},
        },
        "status": {
            "acceptedNames": names,
            "storedVersions": [kind.version],
            "conditions": [
                condition("NamesAccepted", "NoConflicts", "no conflicts found"),
                condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
            ],
        },
    })
}

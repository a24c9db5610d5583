//! Discovery: which groups, versions and resources a server has, in the old form and the aggregated one.

mod aggregated;
mod legacy;
mod made;
mod openapi;
pub(crate) mod openapi_v2;

use serde_json::{Value, json};

pub(crate) use aggregated::{aggregated, asks_for_aggregated};
pub(crate) use legacy::{group, groups, resources, roots};
pub(crate) use made::once;
pub(crate) use openapi::{index, specification};

use super::store::{Kind, KindRef, KindSet};

/// The version all simulated servers claim to be.
pub const SERVER_VERSION: &str = "v1.36.2";

/// A group with its one version and its kinds.
struct Group {
    name: &'static str,
    version: &'static str,
    kinds: Vec<KindRef>,
}

/// The groups of a set of kinds in the order the kinds are listed.
fn grouped(kinds: &KindSet) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for kind in kinds.iter() {
        match groups.iter_mut().find(|g| g.name == kind.group) {
            Some(group) => group.kinds.push(kind),
            None => groups.push(Group {
                name: kind.group,
                version: kind.version,
                kinds: vec![kind],
            }),
        }
    }
    groups
}

/// A subresource of a kind: its word, the kind it speaks and its verbs.
struct Sub {
    word: &'static str,
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    verbs: &'static [&'static str],
}

/// The subresources discovery names for a kind.
fn subresources(kind: &Kind) -> Vec<Sub> {
    let mut subs = Vec::new();
    let own = |word, verbs| Sub {
        word,
        group: kind.group,
        version: kind.version,
        kind: kind.kind,
        verbs,
    };
    match (kind.group, kind.kind) {
        ("", "Pod") => {
            subs.push(own("log", &["get"]));
            subs.push(proxy("PodProxyOptions"));
        }
        ("", "Service") => subs.push(proxy("ServiceProxyOptions")),
        _ => {}
    }
    if kind.scale {
        subs.push(Sub {
            word: "scale",
            group: "autoscaling",
            version: "v1",
            kind: "Scale",
            verbs: &["get", "patch", "update"],
        });
    }
    if kind.status {
        subs.push(own("status", &["get", "patch", "update"]));
    }
    subs
}

fn proxy(kind: &'static str) -> Sub {
    Sub {
        word: "proxy",
        group: "",
        version: "v1",
        kind,
        verbs: &["create", "delete", "get", "patch", "update"],
    }
}

/// `/version`.
pub(crate) fn version() -> Value {
    json!({
        "major": "1",
        "minor": "36",
        "emulationMajor": "1",
        "emulationMinor": "36",
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": "35",
        "gitVersion": SERVER_VERSION,
        "gitCommit": "0000000000000000000000000000000000000000",
        "gitTreeState": "clean",
        "buildDate": "2026-06-10T00:00:00Z",
        "goVersion": "go1.26.4",
        "compiler": "gc",
        "platform": "linux/amd64",
    })
}

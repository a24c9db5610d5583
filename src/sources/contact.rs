//! The first words with a cluster: its version, its identity, which engines it serves, and how its kinds are called in paths.

use std::collections::HashMap;

use serde::Deserialize;

use crate::connect::{Connection, Fault, FaultKind, Lane};
use crate::domain::{AppKind, Engine, Gvk, Name};

/// Bytes that an answer of discovery may have.
const LIMIT: usize = 16 << 20;

/// What a cluster says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Introduction {
    /// Git version, such as `v1.34.2`.
    pub(super) version: String,
    /// UID of the namespace kube-system, empty when it may not be read.
    pub(super) uid: Name,
    /// Engines whose kinds it serves.
    pub(super) engines: Vec<Engine>,
    /// The versions of groups that it serves, as `group/version`, sorted.
    pub(super) api_versions: Vec<Name>,
}

impl Introduction {
    /// Whether its version streams lists without being asked to: from 1.34 on. Older ones, and such whose version is no version, are listed.
    pub(super) fn streams_lists(&self) -> bool {
        let mut parts = self.version.trim_start_matches('v').split('.');
        let mut number = || parts.next().and_then(|p| p.parse::<u32>().ok());
        match (number(), number()) {
            (Some(1), Some(minor)) => minor >= 34,
            (Some(major), Some(_)) => major > 1,
            _ => false,
        }
    }
}

/// How a kind is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Route {
    /// Plural name in paths.
    pub(super) plural: Name,
    /// Whether its objects have a namespace.
    pub(super) namespaced: bool,
}

/// Asks a cluster who it is.
///
/// # Errors
/// No answer, or one that says this identity may not even look.
pub(super) async fn introduce(connection: &Connection) -> Result<Introduction, Fault> {
    let version: Version = json(connection, "/version").await?;
    let groups: Groups = json(connection, "/apis").await?;
    let uid = match json::<Object>(connection, "/api/v1/namespaces/kube-system").await {
        Ok(namespace) => namespace.metadata.uid,
        Err(fault) if matches!(fault.kind, FaultKind::Forbidden | FaultKind::NotFound) => "".into(),
        Err(fault) => return Err(fault),
    };
    let serves = |name: &str| groups.groups.iter().any(|g| &*g.name == name);
    let mut engines = Vec::new();
    if serves("argoproj.io")
        && routes(connection, "argoproj.io", "v1alpha1")
            .await?
            .contains_key("Application")
    {
        engines.push(Engine::Argo);
    }
    if AppKind::FLUX.iter().any(|kind| serves(kind.group())) {
        engines.push(Engine::Flux);
    }
    Ok(Introduction {
        version: version.git_version,
        uid,
        engines,
        api_versions: api_versions(&groups),
    })
}

fn api_versions(groups: &Groups) -> Vec<Name> {
    let versions = groups.groups.iter().flat_map(|g| &g.versions);
    let named = versions.map(|v| v.group_version.clone());
    let mut all: Vec<Name> = named.chain(["v1".into()]).collect();
    all.sort();
    all.dedup();
    all
}

/// The kinds of a group's version by name; empty when the server does not serve it.
///
/// # Errors
/// No answer, or a refusal.
pub(super) async fn routes(
    connection: &Connection,
    group: &str,
    version: &str,
) -> Result<HashMap<Name, Route>, Fault> {
    let list: Resources = match json(connection, &group_path(group, version)).await {
        Ok(list) => list,
        Err(fault) if fault.kind == FaultKind::NotFound => return Ok(HashMap::new()),
        Err(fault) => return Err(fault),
    };
    let whole = list.resources.into_iter().filter(|r| !r.name.contains('/'));
    Ok(whole
        .map(|r| {
            (
                r.kind,
                Route {
                    plural: r.name,
                    namespaced: r.namespaced,
                },
            )
        })
        .collect())
}

/// Where each of these kinds is served, in the version that the server prefers; a kind that it does not serve is left out.
///
/// # Errors
/// No answer, or a refusal.
pub(super) async fn served(
    connection: &Connection,
    kinds: &[AppKind],
) -> Result<Vec<(AppKind, Gvk, Route)>, Fault> {
    let groups: Groups = json(connection, "/apis").await?;
    let mut found: Vec<(AppKind, Gvk, Route)> = Vec::new();
    for group in &groups.groups {
        let wanted: Vec<AppKind> = kinds
            .iter()
            .copied()
            .filter(|k| k.group() == &*group.name)
            .collect();
        if wanted.is_empty() {
            continue;
        }
        for version in &group.versions {
            let served = routes(connection, &group.name, &version.version).await?;
            for kind in &wanted {
                if let Some(route) = served.get(kind.word())
                    && !found.iter().any(|(known, ..)| known == kind)
                {
                    let gvk = Gvk::new(&group.name, &version.version, kind.word());
                    found.push((*kind, gvk, route.clone()));
                }
            }
        }
    }
    Ok(found)
}

/// The collection path of a kind, of the whole cluster or of one namespace.
pub(super) fn collection(gvk: &Gvk, route: &Route, namespace: Option<&str>) -> String {
    let base = group_path(&gvk.group, &gvk.version);
    match namespace {
        Some(namespace) if route.namespaced => {
            format!("{base}/namespaces/{namespace}/{}", route.plural)
        }
        _ => format!("{base}/{}", route.plural),
    }
}

fn group_path(group: &str, version: &str) -> String {
    if group.is_empty() {
        format!("/api/{version}")
    } else {
        format!("/apis/{group}/{version}")
    }
}

async fn json<T: for<'de> Deserialize<'de>>(
    connection: &Connection,
    path: &str,
) -> Result<T, Fault> {
    let bytes = connection.get(Lane::Interactive, path, LIMIT).await?;
    serde_json::from_slice(&bytes).map_err(|e| {
        let sentence = format!("{} answered {path} with something that is not of the Kubernetes API ({e}); check the server's URL.", connection.place());
        Fault::new(FaultKind::Garbage, sentence)
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Version {
    git_version: String,
}

#[derive(Deserialize)]
struct Groups {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: Name,
    /// In the server's order of preference.
    #[serde(default)]
    versions: Vec<GroupVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GroupVersion {
    group_version: Name,
    version: Name,
}

#[derive(Deserialize)]
struct Object {
    metadata: Meta,
}

#[derive(Deserialize)]
struct Meta {
    uid: Name,
}

#[derive(Deserialize)]
struct Resources {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    name: Name,
    kind: Name,
    namespaced: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_streamed_from_version_1_34_on() {
        let streams = |version: &str| {
            let version = version.to_owned();
            Introduction {
                version,
                ..Introduction::default()
            }
            .streams_lists()
        };
        for version in ["v1.34.0", "v1.36.2+k3s1", "v2.0.0"] {
            assert!(streams(version), "{version}");
        }
        for version in ["v1.33.9", "v1.9.1", "", "v1.x", "dev"] {
            assert!(!streams(version), "{version}");
        }
    }

    #[test]
    fn paths_of_collections_follow_group_and_scope() {
        let deployments = Route {
            plural: "deployments".into(),
            namespaced: true,
        };
        let gvk = Gvk::new("apps", "v1", "Deployment");
        assert_eq!(
            collection(&gvk, &deployments, None),
            "/apis/apps/v1/deployments"
        );
        assert_eq!(
            collection(&gvk, &deployments, Some("edge")),
            "/apis/apps/v1/namespaces/edge/deployments"
        );
        let nodes = Route {
            plural: "nodes".into(),
            namespaced: false,
        };
        assert_eq!(
            collection(&Gvk::new("", "v1", "Node"), &nodes, Some("edge")),
            "/api/v1/nodes"
        );
    }
}

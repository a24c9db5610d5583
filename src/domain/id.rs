//! Names of things: clusters, applications, kinds and objects. An application is (hub, namespace, name), never a name alone.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::AppKind;

/// A shared, immutable piece of text that the API server gave us as an identifier.
///
/// It is raw: pass it through [`crate::domain::Safe`] before it is shown.
pub type Name = Arc<str>;

/// The name of one fleet row: the config's alias, else the first context's name. It is what `--cluster` matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClusterId(Name);

impl ClusterId {
    /// Makes an id from the row's name.
    pub fn new(name: impl Into<Name>) -> Self {
        Self(name.into())
    }

    /// The name as text, raw.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for ClusterId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl fmt::Display for ClusterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One GitOps application: the hub that holds it, its namespace there and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct AppRef {
    /// The cluster that holds the Application (or the Flux object).
    pub hub: ClusterId,
    /// Its kind: a Kustomization and its GitRepository often share a name.
    #[serde(default, skip_serializing_if = "AppKind::is_application")]
    pub kind: AppKind,
    /// Its namespace there.
    pub namespace: Name,
    /// Its name.
    #[serde(rename = "app")]
    pub name: Name,
}

impl fmt::Display for AppRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/", self.hub, self.namespace)?;
        if !self.kind.is_application() {
            write!(f, "{}/", self.kind.word())?;
        }
        f.write_str(&self.name)
    }
}

/// Group, version and kind. The core group is the empty string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Gvk {
    /// API group, empty for core.
    pub group: Name,
    /// API version without the group, such as `v1`.
    pub version: Name,
    /// Kind, such as `Deployment`.
    pub kind: Name,
}

impl Gvk {
    /// Makes one from its three parts.
    pub fn new(group: &str, version: &str, kind: &str) -> Self {
        Self {
            group: group.into(),
            version: version.into(),
            kind: kind.into(),
        }
    }

    /// Reads `apiVersion` and `kind` as they stand in a manifest: `apps/v1` or `v1`.
    pub fn from_api_version(api_version: &str, kind: &str) -> Self {
        match api_version.split_once('/') {
            Some((group, version)) => Self::new(group, version, kind),
            None => Self::new("", api_version, kind),
        }
    }

    /// `apiVersion` as it stands in a manifest.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_string()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// Whether both name the same group and kind, whatever the version: Argo CD's identity of a kind.
    pub fn same_kind(&self, other: &Self) -> bool {
        self.group == other.group && self.kind == other.kind
    }
}

/// One object of one cluster. `namespace` is empty for cluster-scoped objects.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectRef {
    /// What kind of object it is.
    #[serde(flatten)]
    pub gvk: Gvk,
    /// Its namespace, empty when it has none.
    pub namespace: Name,
    /// Its name.
    pub name: Name,
}

impl ObjectRef {
    /// Makes one from its parts.
    pub fn new(gvk: Gvk, namespace: &str, name: &str) -> Self {
        Self {
            gvk,
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// Reads the identity that a manifest or a live object states; `None` when kind or name is missing.
    pub fn of(object: &serde_json::Value) -> Option<Self> {
        let text = |pointer: &str| object.pointer(pointer).and_then(serde_json::Value::as_str);
        let gvk = Gvk::from_api_version(text("/apiVersion")?, text("/kind")?);
        Some(Self::new(
            gvk,
            text("/metadata/namespace").unwrap_or_default(),
            text("/metadata/name")?,
        ))
    }

    /// Whether both name the same object, whatever API version it was read in.
    pub fn same_object(&self, other: &Self) -> bool {
        self.gvk.same_kind(&other.gvk)
            && self.namespace == other.namespace
            && self.name == other.name
    }
}

impl fmt::Display for ObjectRef {
    /// `Deployment edge/web`, or `ClusterRole reader` without a namespace.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            write!(f, "{} {}", self.gvk.kind, self.name)
        } else {
            write!(f, "{} {}/{}", self.gvk.kind, self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_version_round_trips_with_and_without_a_group() {
        assert_eq!(
            Gvk::from_api_version("apps/v1", "Deployment").api_version(),
            "apps/v1"
        );
        assert_eq!(
            Gvk::from_api_version("v1", "Service"),
            Gvk::new("", "v1", "Service")
        );
        assert_eq!(Gvk::from_api_version("v1", "Service").api_version(), "v1");
    }

    #[test]
    fn identity_is_read_from_a_manifest_and_missing_name_is_none() {
        let object = serde_json::json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "edge-microservice", "namespace": "edge"}});
        assert_eq!(
            ObjectRef::of(&object).map(|o| o.to_string()).as_deref(),
            Some("Deployment edge/edge-microservice")
        );
        assert!(ObjectRef::of(&serde_json::json!({"apiVersion": "v1", "kind": "List"})).is_none());
    }

    #[test]
    fn same_object_ignores_the_version_only() {
        let a = ObjectRef::new(
            Gvk::new("autoscaling", "v1", "HorizontalPodAutoscaler"),
            "edge",
            "web",
        );
        let b = ObjectRef::new(
            Gvk::new("autoscaling", "v2", "HorizontalPodAutoscaler"),
            "edge",
            "web",
        );
        assert!(a.same_object(&b));
        assert!(!a.same_object(&ObjectRef::new(b.gvk.clone(), "other", "web")));
    }
}

//! What a kind is: its names, its scope and the subresources the real server has for it.

use std::fmt;

/// One served kind at its one served version.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts about a kind, each named where it is used"
)]
#[derive(Debug)]
pub struct Kind {
    /// API group, empty for core.
    pub group: &'static str,
    /// Version without the group.
    pub version: &'static str,
    /// Such as `Deployment`.
    pub kind: &'static str,
    /// Such as `deployments`; the word of the URL.
    pub plural: &'static str,
    /// Such as `deployment`.
    pub singular: &'static str,
    /// Such as `deploy`.
    pub short_names: &'static [&'static str],
    /// Such as `all`.
    pub categories: &'static [&'static str],
    /// Whether its objects live in a namespace.
    pub namespaced: bool,
    /// Whether it has the status subresource.
    pub status: bool,
    /// Whether it has the scale subresource.
    pub scale: bool,
    /// Whether a CustomResourceDefinition defines it.
    pub custom: bool,
    /// Whether it is only ever created and answered, never stored (reviews).
    pub review: bool,
}

impl Kind {
    /// `apiVersion` as it stands in a manifest.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `deployments.apps`, as messages name a resource.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `Deployment.apps`, as messages name a kind.
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.to_owned()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// Name of its list: `DeploymentList`.
    pub fn list_kind(&self) -> String {
        format!("{}List", self.kind)
    }

    /// `/v1, Resource=pods`, as messages about lists name a resource.
    pub fn list_resource(&self) -> String {
        let group = if self.group.is_empty() { "/" } else { "" };
        format!("{group}{}, Resource={}", self.api_version(), self.plural)
    }

    /// The verbs discovery names for it.
    pub fn verbs(&self) -> &'static [&'static str] {
        if self.review {
            &["create"]
        } else {
            &[
                "create",
                "delete",
                "deletecollection",
                "get",
                "list",
                "patch",
                "update",
                "watch",
            ]
        }
    }

    /// Path of its collection in a namespace, or of the whole cluster.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() {
            format!("/api/{}", self.version)
        } else {
            format!("/apis/{}/{}", self.group, self.version)
        };
        match namespace {
            Some(ns) => format!("{root}/namespaces/{ns}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        (self.group, self.plural) == (other.group, other.plural)
    }
}

impl Eq for Kind {}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.group_resource())
    }
}

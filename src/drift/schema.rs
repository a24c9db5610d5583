//! The shape of built-in kinds: what type a field has, how a list is keyed, what the API treats as one indivisible value.
//!
//! The facts stand in `schema/builtin.txt`, one line a field, generated from the API's own Go types by `tools/builtin-schema`.
//! Kinds that are not in it (custom resources) have the shape [`Shape::UNKNOWN`] all the way down.

mod table;

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::domain::Gvk;
use table::Table;

/// The type of one field or element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// A whole number.
    Integer,
    /// A number with a fraction.
    Float,
    /// A `resource.Quantity`: `1000m` equals `1`.
    Quantity,
    /// A number or a string, such as a port.
    IntOrString,
    /// A point in time, to the second.
    Time,
    /// A point in time, to the microsecond.
    MicroTime,
    /// A duration such as `1h30m`.
    Duration,
    /// Base64 text.
    Bytes,
    /// Any JSON; nothing is known of what is inside.
    Any,
    /// A struct, by its number in the table.
    Struct(u16),
    /// A list.
    List(Box<ListKind>),
    /// A map with text keys.
    Map(Box<MapKind>),
}

/// What is known of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListKind {
    /// How elements are told apart.
    pub by: Elements,
    /// The type of an element.
    pub item: Kind,
}

/// What is known of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapKind {
    /// Whether the API treats the whole map as one value.
    pub atomic: bool,
    /// The type of a value.
    pub item: Kind,
}

/// How elements of a list are told apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Elements {
    /// Not at all: the list is one value and its order counts.
    Atomic,
    /// By their own value.
    Set,
    /// By the values of these fields.
    Keyed(Vec<&'static str>),
}

/// How a strategic merge patch treats a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PatchRule {
    /// Lists are merged by key (maps always are).
    pub merge: bool,
    /// The patch names the keys that stay.
    pub retain_keys: bool,
    /// The patch replaces the whole value.
    pub replace: bool,
    /// The key lists are merged by; `None` for lists of plain values.
    pub merge_key: Option<&'static str>,
}

/// One field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in JSON.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// Whether absent differs from zero (a pointer in Go).
    pub pointer: bool,
    /// Whether it is written even when zero.
    pub always: bool,
    /// Whether a struct is taken apart here although the API treats its type as one value elsewhere.
    pub granular: bool,
    /// The value that the schema itself defaults to.
    pub default: Option<&'static str>,
    /// How patches treat it.
    pub patch: PatchRule,
}

/// One struct type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StructKind {
    /// Its name, such as `core/v1.Container`.
    pub name: &'static str,
    /// Whether the API treats it as one value.
    pub atomic: bool,
    /// Its fields, sorted by name.
    pub fields: Vec<Field>,
}

impl StructKind {
    /// The field of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .binary_search_by(|f| f.name.cmp(name))
            .ok()
            .and_then(|i| self.fields.get(i))
    }
}

/// Where a walk through an object stands in the schema. Cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    kind: Option<&'static Kind>,
    field: Option<&'static Field>,
}

impl Shape {
    /// Nothing is known here nor below.
    pub const UNKNOWN: Self = Self {
        kind: None,
        field: None,
    };

    /// The shape of a kind's objects; another version of the same kind serves when this one is not in the table.
    pub fn of(gvk: &Gvk) -> Self {
        Self::at(table().kind(&gvk.group, &gvk.version, &gvk.kind))
    }

    /// The shape of the objects that a manifest states by `apiVersion` and `kind`.
    pub fn of_object(object: &serde_json::Value) -> Self {
        let text = |key: &str| object.get(key).and_then(serde_json::Value::as_str);
        match (text("apiVersion"), text("kind")) {
            (Some(version), Some(kind)) => Self::of(&Gvk::from_api_version(version, kind)),
            _ => Self::UNKNOWN,
        }
    }

    /// The shape of a named type, such as `core/v1.PodSpec`, or of a scalar by its Go name.
    pub fn of_type(name: &str) -> Self {
        Self::at(table().type_named(name))
    }

    /// The shape of a value of a scalar type.
    pub const fn scalar(kind: &'static Kind) -> Self {
        Self {
            kind: Some(kind),
            field: None,
        }
    }

    fn at(kind: Option<&'static Kind>) -> Self {
        Self { kind, field: None }
    }

    /// Whether anything is known.
    pub fn is_known(self) -> bool {
        self.kind.is_some()
    }

    /// The type, when known.
    pub fn kind(self) -> Option<&'static Kind> {
        self.kind
    }

    /// The field that leads here, when this is a struct's field.
    pub fn as_field(self) -> Option<&'static Field> {
        self.field
    }

    /// The struct, when this is one.
    pub fn structure(self) -> Option<&'static StructKind> {
        match self.kind {
            Some(Kind::Struct(id)) => table().structure(*id),
            _ => None,
        }
    }

    /// The list, when this is one.
    pub fn list(self) -> Option<&'static ListKind> {
        match self.kind {
            Some(Kind::List(list)) => Some(list),
            _ => None,
        }
    }

    /// The map, when this is one.
    pub fn map(self) -> Option<&'static MapKind> {
        match self.kind {
            Some(Kind::Map(map)) => Some(map),
            _ => None,
        }
    }

    /// The shape of a field of a struct, or of a value of a map.
    pub fn field(self, name: &str) -> Self {
        if let Some(map) = self.map() {
            return Self::at(Some(&map.item));
        }
        let field = self.structure().and_then(|s| s.field(name));
        Self {
            kind: field.map(|f| &f.kind),
            field,
        }
    }

    /// The shape of an element of a list.
    pub fn item(self) -> Self {
        Self::at(self.list().map(|l| &l.item))
    }

    /// Whether the API treats what stands here as one value: changes inside are changes of the whole.
    pub fn is_atomic(self) -> bool {
        match self.kind {
            Some(Kind::List(list)) => list.by == Elements::Atomic,
            Some(Kind::Map(map)) => map.atomic,
            Some(Kind::Struct(_)) => {
                !self.field.is_some_and(|f| f.granular)
                    && self.structure().is_some_and(|s| s.atomic)
            }
            _ => false,
        }
    }

    /// Whether a struct's field is unknown to the API here: the struct is known, the field is not.
    pub fn lacks(self, name: &str) -> bool {
        self.structure().is_some_and(|s| s.field(name).is_none())
    }
}

/// Whether Argo CD and client-go know the kind as a Go type: what they compare by strategic merge and defaulting.
pub fn is_scheme_kind(gvk: &Gvk) -> bool {
    table().is_scheme_kind(gvk)
}

/// Kinds of the built-in groups that have no namespace.
const CLUSTER_SCOPED: [&str; 34] = [
    "APIService",
    "CSIDriver",
    "CSINode",
    "CertificateSigningRequest",
    "ClusterRole",
    "ClusterRoleBinding",
    "ClusterTrustBundle",
    "ComponentStatus",
    "CustomResourceDefinition",
    "DeviceClass",
    "DeviceTaintRule",
    "FlowSchema",
    "IPAddress",
    "IngressClass",
    "MutatingAdmissionPolicy",
    "MutatingAdmissionPolicyBinding",
    "MutatingWebhookConfiguration",
    "Namespace",
    "Node",
    "PersistentVolume",
    "PodSecurityPolicy",
    "PriorityClass",
    "PriorityLevelConfiguration",
    "ResourceSlice",
    "RuntimeClass",
    "ServiceCIDR",
    "StorageClass",
    "StorageVersion",
    "StorageVersionMigration",
    "ValidatingAdmissionPolicy",
    "ValidatingAdmissionPolicyBinding",
    "ValidatingWebhookConfiguration",
    "VolumeAttachment",
    "VolumeAttributesClass",
];

/// Whether objects of a built-in kind live in namespaces; `None` for kinds that only the cluster's discovery can tell.
pub fn is_namespaced(gvk: &Gvk) -> Option<bool> {
    let foreign = matches!(
        (&*gvk.group, &*gvk.kind),
        ("apiextensions.k8s.io", "CustomResourceDefinition")
            | ("apiregistration.k8s.io", "APIService")
            | ("policy", "PodSecurityPolicy")
    );
    (foreign || table().has_group_kind(&gvk.group, &gvk.kind))
        .then(|| CLUSTER_SCOPED.binary_search(&&*gvk.kind).is_err())
}

fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| Table::parse(include_str!("schema/builtin.txt")))
}

/// Group, then kind, to the versions the table has, newest first.
type Versions = HashMap<&'static str, HashMap<&'static str, Vec<(&'static str, u16)>>>;

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(api_version: &str, kind: &str, path: &[&str]) -> Shape {
        let mut shape = Shape::of(&Gvk::from_api_version(api_version, kind));
        for step in path {
            shape = if *step == "[]" {
                shape.item()
            } else {
                shape.field(step)
            };
        }
        shape
    }

    #[test]
    fn containers_are_keyed_by_name_and_their_ports_by_number_and_protocol() {
        let containers = walk(
            "apps/v1",
            "Deployment",
            &["spec", "template", "spec", "containers"],
        );
        assert_eq!(
            containers.list().map(|l| l.by.clone()),
            Some(Elements::Keyed(vec!["name"]))
        );
        let ports = containers.item().field("ports");
        assert_eq!(
            ports.list().map(|l| l.by.clone()),
            Some(Elements::Keyed(vec!["containerPort", "protocol"]))
        );
        assert_eq!(
            ports
                .item()
                .field("protocol")
                .as_field()
                .and_then(|f| f.default),
            Some("TCP")
        );
    }

    #[test]
    fn quantities_selectors_and_rules_are_what_the_api_says() {
        let limits = walk(
            "apps/v1",
            "Deployment",
            &[
                "spec",
                "template",
                "spec",
                "containers",
                "[]",
                "resources",
                "limits",
                "cpu",
            ],
        );
        assert_eq!(limits.kind(), Some(&Kind::Quantity));
        assert!(walk("v1", "Service", &["spec", "selector"]).is_atomic());
        assert!(walk("apps/v1", "Deployment", &["spec", "selector"]).is_atomic());
        assert!(walk("rbac.authorization.k8s.io/v1", "Role", &["rules"]).is_atomic());
        assert!(!walk("v1", "ConfigMap", &["data"]).is_atomic());
    }

    #[test]
    fn patch_rules_come_from_the_struct_tags() {
        let ports = walk("v1", "Service", &["spec", "ports"])
            .as_field()
            .unwrap();
        assert!(ports.patch.merge);
        assert_eq!(ports.patch.merge_key, Some("port"));
        let strategy = walk("apps/v1", "Deployment", &["spec", "strategy"])
            .as_field()
            .unwrap();
        assert!(strategy.patch.retain_keys && !strategy.patch.merge);
        let volumes = walk("v1", "Pod", &["spec", "volumes"]).as_field().unwrap();
        assert!(volumes.patch.retain_keys && volumes.patch.merge);
    }

    #[test]
    fn another_version_serves_when_one_is_gone_and_custom_kinds_are_unknown() {
        assert!(
            walk(
                "autoscaling/v2beta2",
                "HorizontalPodAutoscaler",
                &["spec", "metrics"]
            )
            .is_known()
        );
        assert!(walk("extensions/v1beta1", "Deployment", &["spec", "replicas"]).is_known());
        assert!(!walk("cert-manager.io/v1", "Certificate", &["spec"]).is_known());
        assert!(walk("v1", "Service", &["spec"]).lacks("sesionAffinity"));
    }

    #[test]
    fn scope_is_told_for_built_in_kinds_only() {
        assert!(CLUSTER_SCOPED.is_sorted());
        assert_eq!(is_namespaced(&Gvk::new("", "v1", "Namespace")), Some(false));
        assert_eq!(
            is_namespaced(&Gvk::new("apps", "v1", "Deployment")),
            Some(true)
        );
        assert_eq!(
            is_namespaced(&Gvk::new(
                "apiextensions.k8s.io",
                "v1",
                "CustomResourceDefinition"
            )),
            Some(false)
        );
        assert_eq!(
            is_namespaced(&Gvk::new("argoproj.io", "v1alpha1", "Rollout")),
            None
        );
    }
}

//! Inventory ids: `NAMESPACE_NAME_GROUP_KIND`, as Flux and cli-utils list what they manage.

/// One object of an inventory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InventoryId {
    /// Empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// API group, empty for core.
    pub group: String,
    /// Kind.
    pub kind: String,
}

/// Reads an id; `None` when it has not four fields.
///
/// Names of RBAC objects may hold colons, which stand as `__`; that is why fields are cut off at both ends and the name is what is left.
pub fn parse(id: &str) -> Option<InventoryId> {
    let (namespace, rest) = id.split_once('_')?;
    let (rest, kind) = rest.rsplit_once('_')?;
    let (name, group) = rest.rsplit_once('_')?;
    let name = name.replace("__", ":");
    if name.contains('_') {
        return None;
    }
    Some(InventoryId {
        namespace: namespace.to_owned(),
        name,
        group: group.to_owned(),
        kind: kind.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_cut_off_at_both_ends() {
        let id = parse("edge_web__admin_rbac.authorization.k8s.io_Role").unwrap();
        assert_eq!(
            (id.namespace.as_str(), id.name.as_str(), id.group.as_str()),
            ("edge", "web:admin", "rbac.authorization.k8s.io")
        );
        assert_eq!(parse("edge_web_admin_apps_Deployment"), None);
    }
}

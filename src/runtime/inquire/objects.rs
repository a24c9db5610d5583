//! One live object: where it is in the API, reading it, masking it.

use kube::api::ApiResource;
use kube::core::GroupVersionKind;
use serde_json::Value;

use super::json;
use crate::connect::{Connection, Lane};
use crate::domain::{ObjectRef, Safe};
use crate::drift::seal::{SealKey, seal};

/// The path of an object.
pub(super) async fn path(connection: &Connection, object: &ObjectRef) -> Result<String, Safe> {
    let client = connection.client(Lane::Interactive);
    let found = resource(&client, object).await;
    let resource = found.map_err(|e| connection.explain(&e).sentence)?;
    let resource = resource.ok_or_else(|| {
        Safe::from(format!(
            "The server has no kind {} any more; look again.",
            object.gvk.kind
        ))
    })?;
    Ok(path_of(&resource, object))
}

/// How an object's kind is served; one that names no version is served in the version that the server prefers.
async fn resource(
    client: &kube::Client,
    object: &ObjectRef,
) -> Result<Option<ApiResource>, kube::Error> {
    let kind = &object.gvk;
    if kind.version.is_empty() {
        let group = kube::discovery::oneshot::group(client, &kind.group).await?;
        return Ok(group.recommended_kind(&kind.kind).map(|(found, _)| found));
    }
    let gvk = GroupVersionKind::gvk(&kind.group, &kind.version, &kind.kind);
    let (found, _) = kube::discovery::oneshot::pinned_kind(client, &gvk).await?;
    Ok(Some(found))
}

pub(super) fn path_of(resource: &ApiResource, object: &ObjectRef) -> String {
    let base = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    let (plural, name) = (&resource.plural, &object.name);
    if object.namespace.is_empty() {
        format!("{base}/{plural}/{name}")
    } else {
        format!("{base}/namespaces/{}/{plural}/{name}", object.namespace)
    }
}

/// Reads an object and masks every secret value before anybody else sees it.
pub(super) async fn read(
    connection: &Connection,
    object: &ObjectRef,
    key: &SealKey,
) -> Result<Value, Safe> {
    let path = path(connection, object).await?;
    let mut live = json(connection, &path).await.map_err(|f| f.sentence)?;
    seal(&mut live, key);
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Gvk;

    #[test]
    fn paths_are_those_of_the_api() {
        let gvk = GroupVersionKind::gvk("apps", "v1", "Deployment");
        let resource = ApiResource::from_gvk(&gvk);
        let object = ObjectRef::new(Gvk::new("apps", "v1", "Deployment"), "edge", "gateway");
        assert_eq!(
            path_of(&resource, &object),
            "/apis/apps/v1/namespaces/edge/deployments/gateway"
        );
        let core = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Namespace"));
        let object = ObjectRef::new(Gvk::new("", "v1", "Namespace"), "", "edge");
        assert_eq!(path_of(&core, &object), "/api/v1/namespaces/edge");
    }
}

//! Where an object lives on its API server: the resource behind a kind, and the paths of a collection and of one object.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::api::{Api, ApiError};
use super::content::text;
use crate::domain::{ClusterId, Gvk, ObjectRef, Safe};

/// The URL paths of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// API group, empty for core.
    pub group: String,
    /// Resource, such as `deployments`.
    pub resource: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Path of the collection: `/apis/apps/v1/namespaces/edge/deployments`.
    pub collection: String,
}

impl Place {
    /// The place of an object whose resource is known.
    pub fn new(object: &ObjectRef, resource: &str) -> Self {
        let version = format!("{}/{}", root(&object.gvk), object.gvk.api_version());
        let scope = if object.namespace.is_empty() {
            String::new()
        } else {
            format!("/namespaces/{}", encoded(&object.namespace))
        };
        Self {
            group: object.gvk.group.to_string(),
            resource: resource.to_owned(),
            namespace: object.namespace.to_string(),
            name: object.name.to_string(),
            collection: format!("{version}{scope}/{}", encoded(resource)),
        }
    }

    /// Path of the object.
    pub fn path(&self) -> String {
        format!("{}/{}", self.collection, encoded(&self.name))
    }
}

fn root(gvk: &Gvk) -> &'static str {
    if gvk.group.is_empty() {
        "/api"
    } else {
        "/apis"
    }
}

/// Percent-encodes what may not stand in a path segment; RBAC names hold colons, which may.
fn encoded(segment: &str) -> String {
    use std::fmt::Write;
    segment.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

/// Resource by kind.
type Kinds = Arc<HashMap<String, String>>;

/// What one cluster serves of one API version, asked for once.
type Asked = Arc<OnceCell<Kinds>>;

/// What each cluster serves, asked once per cluster and API version.
#[derive(Default)]
pub(super) struct Catalog {
    known: Mutex<HashMap<(ClusterId, String), Asked>>,
}

impl Catalog {
    /// Finds the place of an object.
    ///
    /// # Errors
    /// A sentence: the kind is not served there, or the server did not say.
    pub(super) async fn place(
        &self,
        api: &Api,
        cluster: &ClusterId,
        object: &ObjectRef,
    ) -> Result<Place, Safe> {
        let kinds = self.kinds(api, cluster, &object.gvk).await?;
        match kinds.get(&*object.gvk.kind) {
            Some(resource) => Ok(Place::new(object, resource)),
            None => Err(format!(
                "{} {} is not served there: is its CRD installed?",
                object.gvk.api_version(),
                object.gvk.kind
            )
            .into()),
        }
    }

    async fn kinds(&self, api: &Api, cluster: &ClusterId, gvk: &Gvk) -> Result<Kinds, Safe> {
        let key = (cluster.clone(), gvk.api_version());
        let cell = Arc::clone(self.known.lock().entry(key).or_default());
        let ask = async || {
            let path = format!("{}/{}", root(gvk), gvk.api_version());
            let list = api.get(&path).await.map_err(|e: ApiError| e.say(false))?;
            Ok(Arc::new(list.as_ref().map(kinds_of).unwrap_or_default()))
        };
        cell.get_or_try_init(ask).await.map(Arc::clone)
    }
}

/// Kind to resource, out of an `APIResourceList`; subresources hold a slash.
fn kinds_of(list: &Value) -> HashMap<String, String> {
    let resources = list.get("resources").and_then(Value::as_array);
    let main = resources
        .into_iter()
        .flatten()
        .filter(|r| !text(r, "/name").contains('/'));
    main.map(|r| (text(r, "/kind").to_owned(), text(r, "/name").to_owned()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::deployment;
    use serde_json::json;

    #[test]
    fn paths_are_those_of_the_api_server() {
        assert_eq!(
            Place::new(&deployment(), "deployments").path(),
            "/apis/apps/v1/namespaces/edge/deployments/edge-microservice"
        );
        let service = ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", "api");
        assert_eq!(
            Place::new(&service, "services").path(),
            "/api/v1/namespaces/edge/services/api"
        );
        let role = ObjectRef::new(
            Gvk::new("rbac.authorization.k8s.io", "v1", "ClusterRole"),
            "",
            "edge:reader",
        );
        assert_eq!(
            Place::new(&role, "clusterroles").path(),
            "/apis/rbac.authorization.k8s.io/v1/clusterroles/edge:reader"
        );
    }

    #[test]
    fn a_hostile_name_cannot_leave_its_segment() {
        let object = ObjectRef::new(Gvk::new("", "v1", "Service"), "edge", "../../x?dryRun=All#");
        assert_eq!(
            Place::new(&object, "services").path(),
            "/api/v1/namespaces/edge/services/..%2F..%2Fx%3FdryRun=All%23"
        );
    }

    #[test]
    fn subresources_are_no_kinds() {
        let list = json!({"resources": [{"name": "deployments", "kind": "Deployment"}, {"name": "deployments/scale", "kind": "Scale"}]});
        let kinds = kinds_of(&list);
        assert_eq!(
            kinds.get("Deployment").map(String::as_str),
            Some("deployments")
        );
        assert_eq!(kinds.get("Scale"), None);
    }
}

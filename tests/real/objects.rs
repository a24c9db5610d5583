//! Objects of any kind, written and read as plain JSON.

use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::{GroupVersionKind, TypeMeta};
use kube::discovery::{Scope, pinned_kind};
use serde_json::Value;

/// The API that serves objects like this one, in its namespace.
pub(crate) async fn api_of(client: &kube::Client, object: &Value) -> Api<DynamicObject> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let types = TypeMeta {
        api_version: text(&object["apiVersion"]),
        kind: text(&object["kind"]),
    };
    let kind = GroupVersionKind::try_from(&types).unwrap();
    let (resource, capabilities): (ApiResource, _) = pinned_kind(client, &kind).await.unwrap();
    match capabilities.scope {
        Scope::Cluster => Api::all_with(client.clone(), &resource),
        Scope::Namespaced => {
            let namespace = object["metadata"]["namespace"]
                .as_str()
                .expect("a namespaced object without a namespace");
            Api::namespaced_with(client.clone(), namespace, &resource)
        }
    }
}

/// Applies the object on the server's side as `manager`, taking what is in the way; what the server then holds.
pub(crate) async fn apply(client: &kube::Client, manager: &str, object: &Value) -> DynamicObject {
    let name = name_of(object);
    let api = api_of(client, object).await;
    api.patch(
        &name,
        &PatchParams::apply(manager).force(),
        &Patch::Apply(object),
    )
    .await
    .unwrap_or_else(|e| panic!("{} {name} was not applied: {e}", object["kind"]))
}

/// The live state of the object, if it is there.
pub(crate) async fn live(client: &kube::Client, object: &Value) -> Option<Value> {
    let found = api_of(client, object)
        .await
        .get_opt(&name_of(object))
        .await
        .unwrap()?;
    Some(serde_json::to_value(&found).unwrap())
}

/// Makes sure that the namespace is there.
pub(crate) async fn namespace(client: &kube::Client, name: &str) {
    let object = serde_json::json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": name } });
    apply(client, "kubectl", &object).await;
}

/// `metadata.name`.
pub(crate) fn name_of(object: &Value) -> String {
    object["metadata"]["name"]
        .as_str()
        .expect("an object without a name")
        .to_owned()
}

//! What somebody with kubectl does to a cluster of the demo.

use kube::api::{Api, DeleteParams, DynamicObject, Patch, PatchParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Client, Config};
use serde_json::Value;

use crate::program::Demo;

/// A foreign client on one cluster.
pub(crate) struct Hand {
    client: Client,
    manager: &'static str,
}

impl Hand {
    /// On this context, writing as this field manager.
    pub(crate) async fn on(demo: &Demo, context: &str, manager: &'static str) -> Self {
        let kubeconfig = Kubeconfig::read_from(&demo.kubeconfig).unwrap();
        let options = KubeConfigOptions {
            context: Some(context.to_owned()),
            ..KubeConfigOptions::default()
        };
        let config = Config::from_custom_kubeconfig(kubeconfig, &options)
            .await
            .unwrap();
        Self {
            client: Client::try_from(config).unwrap(),
            manager,
        }
    }

    fn api(&self, group_version_kind: &str, namespace: &str) -> Api<DynamicObject> {
        let parts: Vec<&str> = group_version_kind.split('/').collect();
        let gvk = match parts[..] {
            [version, kind] => GroupVersionKind::gvk("", version, kind),
            [group, version, kind] => GroupVersionKind::gvk(group, version, kind),
            _ => panic!("{group_version_kind} is no kind"),
        };
        Api::namespaced_with(self.client.clone(), namespace, &ApiResource::from_gvk(&gvk))
    }

    /// The object as the server has it.
    pub(crate) async fn get(&self, kind: &str, namespace: &str, name: &str) -> Option<Value> {
        let object = self.api(kind, namespace).get_opt(name).await.unwrap()?;
        Some(serde_json::to_value(object).unwrap())
    }

    /// As `kubectl patch --type merge` does.
    pub(crate) async fn merge(&self, kind: &str, namespace: &str, name: &str, patch: Value) {
        self.patch(kind, namespace, name, &Patch::Merge(patch))
            .await;
    }

    /// As `kubectl patch --type strategic` does, and `kubectl set`.
    pub(crate) async fn strategic(&self, kind: &str, namespace: &str, name: &str, patch: Value) {
        self.patch(kind, namespace, name, &Patch::Strategic(patch))
            .await;
    }

    /// As `kubectl apply --server-side --force-conflicts` does; makes the object when it is not there.
    pub(crate) async fn apply(&self, kind: &str, namespace: &str, name: &str, object: Value) {
        let force = PatchParams::apply(self.manager).force();
        let api = self.api(kind, namespace);
        api.patch(name, &force, &Patch::Apply(object))
            .await
            .unwrap();
    }

    async fn patch(&self, kind: &str, namespace: &str, name: &str, patch: &Patch<Value>) {
        let as_manager = PatchParams {
            field_manager: Some(self.manager.to_owned()),
            ..PatchParams::default()
        };
        let api = self.api(kind, namespace);
        api.patch(name, &as_manager, patch).await.unwrap();
    }

    /// As `kubectl delete` does.
    pub(crate) async fn delete(&self, kind: &str, namespace: &str, name: &str) {
        let api = self.api(kind, namespace);
        api.delete(name, &DeleteParams::default()).await.unwrap();
    }
}

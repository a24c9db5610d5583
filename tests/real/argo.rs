//! Plays the Argo CD application controller for one Application: what 3.x does, as far as a client can see it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams};
use kube::core::GroupVersionKind;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::bed::Bed;
use crate::git_server::Repository;
use crate::kubectl::Kubectl;
use crate::objects::apply;
use crate::servers::{Cluster, User};

/// The manager of everything Argo CD applies.
pub(crate) const MANAGER: &str = "argocd-controller";

/// One Application and what its controller needs.
pub(crate) struct Controller {
    /// The shared stage.
    pub(crate) bed: &'static Bed,
    /// Where it deploys to.
    pub(crate) edge: &'static Cluster,
    /// What it deploys.
    pub(crate) repository: Arc<Repository>,
    /// The Application's name, in namespace `argocd` of the hub.
    pub(crate) app: String,
    /// The destination's namespace.
    pub(crate) namespace: String,
    /// The path in the repository.
    pub(crate) path: String,
}

impl Controller {
    /// The Application as the hub holds it now.
    pub(crate) async fn application(&self) -> Value {
        serde_json::to_value(self.applications().await.get(&self.app).await.unwrap()).unwrap()
    }

    /// The API of Applications on the hub, as the controller's own identity.
    pub(crate) async fn applications(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let client = self.bed.hub.client(User::Admin).await;
        Api::namespaced_with(client, "argocd", &ApiResource::from_gvk(&kind))
    }

    /// What Git at `commit` wants, with the destination's namespace and the tracking mark.
    pub(crate) fn render(&self, commit: &str) -> Vec<Value> {
        let texts = self.repository.files(commit, &self.path);
        let documents = texts
            .iter()
            .flat_map(|text| serde_yaml::Deserializer::from_str(text));
        let objects = documents
            .map(|document| Value::deserialize(document).unwrap())
            .filter(|v| !v.is_null());
        objects.map(|object| self.marked(object)).collect()
    }

    fn marked(&self, mut object: Value) -> Value {
        let meta = &mut object["metadata"];
        if meta.get("namespace").is_none() {
            meta["namespace"] = json!(self.namespace);
        }
        let identity = identity(&object);
        let text = |key: &str| identity[key].as_str().unwrap().to_owned();
        let (group, kind, namespace, name) =
            (text("group"), text("kind"), text("namespace"), text("name"));
        let id = format!("{}:{group}/{kind}:{namespace}/{name}", self.app);
        object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"] = json!(id);
        if kind.starts_with("Cluster") {
            // A cluster-scoped object names the destination's namespace in its mark, and has none itself.
            object["metadata"]
                .as_object_mut()
                .unwrap()
                .remove("namespace");
        }
        object
    }

    /// Waits for an operation, carries it out, and ends it. The Application as it was when the operation was found.
    ///
    /// Like the controllers up to 3.5.1 it *merges* the new operation into what `status.operationState` still holds:
    /// whoever asks without clearing that field gets the fields of the operation before, here as there.
    pub(crate) async fn play(&self) -> Value {
        let asked = self.await_operation().await;
        let begun = json!({ "status": { "operationState": {
            "operation": asked["operation"], "phase": "Running", "startedAt": now(), "message": "",
        } } });
        let running = self.patch(&begun).await;
        let sync = running["status"]["operationState"]["operation"]["sync"].clone();
        let commit = self.repository.resolve(
            sync["revision"]
                .as_str()
                .filter(|r| !r.is_empty())
                .unwrap_or("HEAD"),
        );
        let results = self.carry_out(&commit, &sync).await;
        self.finish(&commit, &sync, results).await;
        asked
    }

    async fn await_operation(&self) -> Value {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let application = self.application().await;
            if !application["operation"].is_null() {
                return application;
            }
            assert!(
                Instant::now() < deadline,
                "no operation was written to {} within a minute",
                self.app
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Applies what the operation names: all objects, or those of `resources`.
    async fn carry_out(&self, commit: &str, sync: &Value) -> Vec<Value> {
        let options = options(sync);
        let mut results = Vec::new();
        for object in self
            .render(commit)
            .iter()
            .filter(|object| wanted(sync, object))
        {
            self.put(object, &options).await;
            let mut result = identity(object);
            result["version"] = json!(version(object));
            result["status"] = json!("Synced");
            result["message"] = json!(format!(
                "{} serverside-applied",
                result["name"].as_str().unwrap()
            ));
            result["syncPhase"] = json!("Sync");
            results.push(result);
        }
        results
    }

    async fn put(&self, object: &Value, options: &[String]) {
        let has = |option: &str| options.iter().any(|o| o == option);
        if has("ServerSideApply=true") {
            apply(&self.edge.client(User::Admin).await, MANAGER, object).await;
        } else {
            let kubectl = Kubectl::on(self.bed, self.edge, User::Admin);
            let manager = format!("--field-manager={MANAGER}");
            let validate = format!("--validate={}", !has("Validate=false"));
            kubectl
                .try_run(
                    &["apply", &manager, &validate, "-f", "-"],
                    &object.to_string(),
                )
                .unwrap();
        }
    }

    async fn finish(&self, commit: &str, sync: &Value, results: Vec<Value>) {
        let before = self.application().await;
        let source = before["spec"]["source"].clone();
        let mut status = json!({ "operationState": {
            "phase": "Succeeded", "finishedAt": now(), "message": "successfully synced (all tasks run)",
            "syncResult": { "revision": commit, "source": source, "resources": results },
        } });
        // A selective sync is not a deployment: it leaves no line in the history.
        if sync["resources"].as_array().is_none_or(Vec::is_empty) {
            let mut history = before["status"]["history"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            let id = history
                .last()
                .map_or(0, |entry| entry["id"].as_i64().unwrap() + 1);
            history.push(
                json!({ "id": id, "revision": commit, "deployedAt": now(), "source": source }),
            );
            status["history"] = json!(history);
        }
        self.patch(&json!({ "operation": null, "status": status }))
            .await;
        self.report(&[]).await;
    }

    /// Writes what a comparison finds: these kinds and names are out of sync, all else is in sync.
    pub(crate) async fn report(&self, out_of_sync: &[(&str, &str)]) {
        let head = self.repository.resolve("HEAD");
        let application = self.application().await;
        let resources: Vec<Value> = self
            .render(&head)
            .iter()
            .map(|object| {
                let mut row = identity(object);
                let out = out_of_sync
                    .iter()
                    .any(|(kind, name)| row["kind"] == *kind && row["name"] == *name);
                row["version"] = json!(version(object));
                row["status"] = json!(if out { "OutOfSync" } else { "Synced" });
                // Empty strings are left out, as Go does it: no group for core, no namespace for cluster-scoped objects.
                row.as_object_mut().unwrap().retain(|_, value| value != "");
                row
            })
            .collect();
        let sync = if out_of_sync.is_empty() {
            "Synced"
        } else {
            "OutOfSync"
        };
        let compared = json!({ "source": application["spec"]["source"], "destination": application["spec"]["destination"] });
        self.patch(&json!({ "status": {
            "sync": { "status": sync, "revision": head, "comparedTo": compared },
            "health": { "status": "Healthy", "lastTransitionTime": now() },
            "resources": resources, "reconciledAt": now(), "sourceType": "Directory",
            "resourceHealthSource": "appTree", "controllerNamespace": "argocd",
        } }))
        .await;
    }

    /// The controller writes its status with plain merge patches: the kind has no status subresource.
    async fn patch(&self, patch: &Value) -> Value {
        let params = PatchParams {
            field_manager: Some("argocd-application-controller".into()),
            ..Default::default()
        };
        let applied = self
            .applications()
            .await
            .patch(&self.app, &params, &Patch::Merge(patch))
            .await;
        serde_json::to_value(applied.unwrap()).unwrap()
    }
}

fn now() -> String {
    Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn version(object: &Value) -> String {
    let text = object["apiVersion"].as_str().unwrap();
    text.rsplit('/').next().unwrap().to_owned()
}

/// Group, kind, namespace and name, as Argo CD names a resource.
fn identity(object: &Value) -> Value {
    let group = object["apiVersion"]
        .as_str()
        .unwrap()
        .rsplit_once('/')
        .map_or("", |(group, _)| group);
    let meta = &object["metadata"];
    json!({ "group": group, "kind": object["kind"], "namespace": meta["namespace"].as_str().unwrap_or(""), "name": meta["name"] })
}

fn options(sync: &Value) -> Vec<String> {
    let list = sync["syncOptions"].as_array().cloned().unwrap_or_default();
    list.iter()
        .filter_map(|option| option.as_str().map(str::to_owned))
        .collect()
}

/// Whether a selective operation names this object: name, kind and group must match, an empty namespace matches any.
fn wanted(sync: &Value, object: &Value) -> bool {
    let Some(list) = sync["resources"].as_array().filter(|list| !list.is_empty()) else {
        return true;
    };
    let own = identity(object);
    let text = |value: &Value| value.as_str().unwrap_or("").to_owned();
    list.iter().any(|entry| {
        ["group", "kind", "name"]
            .iter()
            .all(|key| text(&entry[*key]) == text(&own[*key]))
            && (text(&entry["namespace"]).is_empty()
                || text(&entry["namespace"]) == text(&own["namespace"]))
    })
}

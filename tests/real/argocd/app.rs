//! One Application of the real Argo CD: created, synced, compared, and read.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use kube::Api;
use kube::api::{ApiResource, DynamicObject, Patch, PatchParams, PostParams};
use kube::core::GroupVersionKind;
use serde_json::{Value, json};

use super::engine::{Engine, NAMESPACE};
use crate::git_server::Repository;
use crate::gitops_states::merge;
use crate::objects::{name_of, namespace};
use crate::servers::{Cluster, User};

/// Longest wait for Argo CD; generous, because dozens of Applications start at once on a small machine.
const LIMIT: Duration = Duration::from_secs(240);
const REFRESH: &str = "argocd.argoproj.io/refresh";

/// One Application and where it deploys to.
pub(crate) struct App {
    /// Argo CD.
    pub(crate) engine: &'static Engine,
    /// The edge it deploys to.
    pub(crate) edge: &'static Cluster,
    /// Its name, which is also its namespace on the edge.
    pub(crate) name: String,
    /// Whether Argo CD syncs it by itself; such Applications are applied on the server's side, the others on the client's.
    pub(crate) automated: bool,
}

/// An object that somebody has touched.
#[derive(Debug)]
pub(crate) struct Touched {
    /// Its kind.
    pub(crate) kind: String,
    /// Its name.
    pub(crate) name: String,
    /// The version it has now; none when it is gone.
    pub(crate) version: Option<String>,
}

impl Touched {
    /// This object, at this version.
    pub(crate) fn new(object: &Value, version: Option<String>) -> Self {
        Self {
            kind: object["kind"].as_str().unwrap().to_owned(),
            name: name_of(object),
            version,
        }
    }

    /// What the controller has compared it as.
    fn row<'r>(&self, rows: &'r [Value]) -> Option<&'r Value> {
        rows.iter()
            .find(|row| row["kind"] == self.kind.as_str() && row["name"] == self.name.as_str())
    }

    /// Whether the controller has compared this version.
    fn is_in(&self, rows: &[Value]) -> bool {
        let live = self
            .row(rows)
            .and_then(|row| serde_json::from_str::<Value>(row["liveState"].as_str()?).ok());
        let version = live
            .as_ref()
            .map(|live| &live["metadata"]["resourceVersion"]);
        version.and_then(Value::as_str) == self.version.as_deref()
    }
}

impl App {
    /// Creates it for `path` of the repository, with `change` merged over the document.
    pub(crate) async fn create(&self, repository: &Repository, path: &str, change: &Value) {
        namespace(&self.edge.client(User::Admin).await, &self.name).await;
        let mut document = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Application",
            "metadata": { "name": self.name, "namespace": NAMESPACE },
            "spec": {
                "project": "default",
                "source": { "repoURL": repository.url, "path": path, "targetRevision": "main" },
                "destination": { "server": self.edge.url, "namespace": self.name },
                "syncPolicy": { "syncOptions": self.options() },
            },
        });
        if self.automated {
            document["spec"]["syncPolicy"]["automated"] =
                json!({ "prune": false, "selfHeal": false });
        } else {
            let sync = json!({ "syncOptions": self.options() });
            document["operation"] = json!({ "initiatedBy": { "username": "admin" }, "sync": sync });
        }
        merge(&mut document, change);
        let document = serde_json::from_value(document).unwrap();
        let api = self.api().await;
        api.create(&PostParams::default(), &document).await.unwrap();
    }

    /// Pruned in the background, because nobody collects what waits for its dependents here: no controller manager runs.
    fn options(&self) -> Vec<&'static str> {
        let mut options = vec!["CreateNamespace=true", "PrunePropagationPolicy=background"];
        if self.automated {
            options.push("ServerSideApply=true");
        }
        options
    }

    async fn api(&self) -> Api<DynamicObject> {
        let kind = GroupVersionKind::gvk("argoproj.io", "v1alpha1", "Application");
        let client = self.engine.hub.client(User::Admin).await;
        Api::namespaced_with(client, NAMESPACE, &ApiResource::from_gvk(&kind))
    }

    /// The Application as the hub holds it now.
    pub(crate) async fn document(&self) -> Value {
        serde_json::to_value(self.api().await.get(&self.name).await.unwrap()).unwrap()
    }

    /// Waits until a sync has ended well and its comparison is written.
    pub(crate) async fn deployed(&self) -> Value {
        self.until("is deployed", |app| {
            let state = &app["status"]["operationState"];
            assert!(
                !["Failed", "Error"].contains(&state["phase"].as_str().unwrap_or_default()),
                "{} was not synced: {state:#}",
                self.name
            );
            state["phase"] == "Succeeded"
                && app["operation"].is_null()
                && app["status"]["history"].is_array()
        })
        .await
    }

    /// Waits until Argo CD has synced the newest commit by itself, if it wants anything that was not there.
    pub(crate) async fn synced_to_the_newest(&self) {
        self.refreshed().await;
        self.until("is synced to the newest commit", |app| {
            let newest = &app["status"]["sync"]["revision"];
            let rows = app["status"]["resources"].as_array();
            let only_prunes = rows
                .into_iter()
                .flatten()
                .all(|row| row["status"] != "OutOfSync" || row["requiresPruning"] == true);
            only_prunes
                || (app["status"]["operationState"]["syncResult"]["revision"] == *newest
                    && app["status"]["operationState"]["phase"] == "Succeeded")
        })
        .await;
    }

    /// Lets Argo CD sync, prune and heal by itself from now on, and waits until all is Synced but what is `kept`, by `Kind/name`.
    ///
    /// Or until it has tried twice and what it applies changes nothing. The server may refuse what Argo CD sends; then what it said.
    pub(crate) async fn healed(&self, kept: &[String]) -> Result<(), String> {
        let automated = json!({ "prune": true, "selfHeal": true });
        let policy = json!({ "spec": { "syncPolicy": { "automated": automated } } });
        let (api, params) = (self.api().await, PatchParams::default());
        api.patch(&self.name, &params, &Patch::Merge(&policy))
            .await
            .unwrap();
        let document = self
            .until("is healed", |app| {
                let open = |(title, word): (&String, &String)| {
                    word == "OutOfSync" && !kept.contains(title)
                };
                let settled = app["operation"].is_null() && !statuses(app).iter().any(open);
                settled || refusal(app).is_some() || changes_nothing(app)
            })
            .await;
        refusal(&document).map_or(Ok(()), Err)
    }

    /// Asks Argo CD to compare with the newest Git, and waits until it has.
    ///
    /// The controller takes the annotation off in the same write that brings the new status.
    pub(crate) async fn refreshed(&self) -> Value {
        let ask = json!({ "metadata": { "annotations": { REFRESH: "normal" } } });
        let api = self.api().await;
        let params = PatchParams::default();
        api.patch(&self.name, &params, &Patch::Merge(&ask))
            .await
            .unwrap();
        self.until("is refreshed", |app| {
            app["metadata"]["annotations"][REFRESH].is_null()
        })
        .await
    }

    /// Asks Argo CD to compare until it has done so with these versions of its objects: the Application as it then stands.
    ///
    /// Asked again and again, because it does not compare by itself when only what it ignores has changed. A comparison that fails is an answer.
    pub(crate) async fn compared(&self, touched: &[Touched]) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let document = self.refreshed().await;
            if failure(&document).is_some() {
                return document;
            }
            let rows = self.engine.compared(&self.name);
            let Some(unseen) = touched.iter().find(|touched| !touched.is_in(&rows)) else {
                return document;
            };
            assert!(
                Instant::now() < deadline,
                "{}: Argo CD did not compare {unseen:?} within {LIMIT:?}, but {:#?}",
                self.name,
                unseen.row(&rows)
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    async fn until(&self, what: &str, done: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + LIMIT;
        loop {
            let document = self.document().await;
            if done(&document) {
                return document;
            }
            assert!(
                Instant::now() < deadline,
                "{} {what} after {LIMIT:?}? It is {document:#}",
                self.name
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

/// Why it could not be compared: with server-side diff the server refuses the dry run of what it would refuse for good.
pub(crate) fn failure(document: &Value) -> Option<&str> {
    let conditions = document["status"]["conditions"].as_array();
    let failure = conditions?
        .iter()
        .find(|c| c["type"] == "ComparisonError")?;
    failure["message"].as_str()
}

/// Whether the second or a later try to heal changed nothing.
fn changes_nothing(document: &Value) -> bool {
    let state = &document["status"]["operationState"];
    let tries = &state["operation"]["sync"]["autoHealAttemptsCount"];
    let rows = state["syncResult"]["resources"].as_array();
    let unchanged = |row: &Value| {
        let message = row["message"].as_str();
        message.is_some_and(|m| m.ends_with(" unchanged"))
    };
    state["phase"] == "Succeeded"
        && tries.as_u64() >= Some(2)
        && rows.is_some_and(|rows| rows.iter().all(unchanged))
}

/// What the server said to the part of the last sync that it refused.
fn refusal(document: &Value) -> Option<String> {
    let rows = document["status"]["operationState"]["syncResult"]["resources"].as_array();
    let failed = rows?.iter().find(|row| row["status"] == "SyncFailed")?;
    Some(failed["message"].as_str()?.to_owned())
}

/// The sync status of each resource that has one, by `Kind/name`.
pub(crate) fn statuses(document: &Value) -> BTreeMap<String, String> {
    let rows = document["status"]["resources"].as_array();
    rows.into_iter()
        .flatten()
        .filter_map(|row| {
            let text = |key: &str| row[key].as_str();
            let title = format!("{}/{}", text("kind")?, text("name")?);
            Some((title, text("status")?.to_owned()))
        })
        .collect()
}

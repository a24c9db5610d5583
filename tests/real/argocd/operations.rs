//! driftdeck's operations carried out by the real Argo CD, and its verdict where Argo CD has not looked yet.

use serde_json::{Value, json};

use super::app::{App, Touched};
use super::changes::BASE;
use super::engine::{Engine, engine};
use crate::answers::{assert_clean, item};
use crate::git_server::Repository;
use crate::objects::{api_of, live};
use crate::program::{Answer, Driftdeck};
use crate::servers::User;
use kube::api::{DeleteParams, Patch, PatchParams};

/// A deployed Application with a repository of its own.
struct Deployed {
    app: App,
    repository: Repository,
    driftdeck: Driftdeck,
}

impl Deployed {
    async fn new(engine: &'static Engine, name: &str, automated: bool) -> Self {
        let repository = engine.bed.git.repository(name);
        let files = BASE.map(|(file, text)| (format!("edge/{file}"), text.to_owned()));
        repository.commit("Deploy the reader", &files);
        let app = App {
            engine,
            edge: engine.edges()[usize::from(automated)],
            name: name.to_owned(),
            automated,
        };
        app.create(&repository, "edge", &json!({})).await;
        app.deployed().await;
        let driftdeck = engine.driftdeck();
        Self {
            app,
            repository,
            driftdeck,
        }
    }

    /// Somebody scales the Deployment, and deletes the Service.
    async fn disturb(&self) {
        self.scale(5).await;
        let service = self.object("v1", "Service", "reader");
        let api = api_of(&self.app.edge.client(User::Admin).await, &service).await;
        api.delete("reader", &DeleteParams::default())
            .await
            .unwrap();
    }

    async fn scale(&self, replicas: u32) -> Touched {
        let deployment = self.object("apps/v1", "Deployment", "reader");
        let api = api_of(&self.app.edge.client(User::Admin).await, &deployment).await;
        let params = PatchParams {
            field_manager: Some("kubectl-edit".to_owned()),
            ..PatchParams::default()
        };
        let patch = json!({ "spec": { "replicas": replicas } });
        let done = api.patch("reader", &params, &Patch::Merge(&patch)).await;
        Touched::new(&deployment, done.unwrap().metadata.resource_version)
    }

    fn object(&self, version: &str, kind: &str, name: &str) -> Value {
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": self.app.name } })
    }

    async fn live(&self, version: &str, kind: &str) -> Option<Value> {
        let object = self.object(version, kind, "reader");
        live(&self.app.edge.client(User::Admin).await, &object).await
    }

    async fn drift(&self) -> Answer {
        let line = format!("drift --app {} --wait 40s -o json", self.app.name);
        self.driftdeck.run(&line).await
    }

    /// The plan alone, then the run with a note: what the run answered.
    async fn revert(&self, how: &str) -> Answer {
        let line = format!("revert --app {} --wait 40s -o json {how}", self.app.name);
        let plan = self.driftdeck.run(&line).await;
        assert_eq!(plan.status, 2, "a plan alone sends nothing: {plan:#?}");
        self.driftdeck
            .run(&format!("{line} --write --yes --note INC-512"))
            .await
    }

    async fn assert_put_back(&self) {
        assert_clean(&self.drift().await);
        let deployment = self.live("apps/v1", "Deployment").await.unwrap();
        assert_eq!(deployment["spec"]["replicas"], 2);
        assert!(self.live("v1", "Service").await.is_some());
        let document = self.app.refreshed().await;
        assert_eq!(
            document["status"]["sync"]["status"], "Synced",
            "{document:#}"
        );
        assert_eq!(self.driftdeck.run("journal --verify").await.status, 0);
        let journal = self.driftdeck.run("journal -o json").await;
        assert!(journal.out.contains("INC-512"), "{}", journal.out);
    }
}

fn assert_reverted(run: &Answer, count: usize) {
    assert_eq!(run.status, 0, "{run:#?}");
    let outcomes = run.json()["outcomes"].as_array().unwrap().clone();
    assert_eq!(outcomes.len(), count, "{outcomes:#?}");
    assert!(
        outcomes.iter().all(|o| o["outcome"] == "reverted"),
        "{outcomes:#?}"
    );
}

/// Kind and name of what the operation named, in order.
fn named(state: &Value) -> Vec<String> {
    let resources = state["operation"]["sync"]["resources"].as_array();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut all: Vec<String> = resources
        .into_iter()
        .flatten()
        .map(|r| format!("{}/{}", text(&r["kind"]), text(&r["name"])))
        .collect();
    all.sort();
    all
}

#[tokio::test]
#[ignore = "needs real servers, Argo CD and redis: run .ci/run"]
async fn argo_cd_carries_out_a_revert_whether_it_syncs_by_itself_or_not() {
    for (name, automated) in [("revert-by-argo", false), ("revert-by-argo-auto", true)] {
        let deployed = Deployed::new(engine().await, name, automated).await;
        let before = deployed.app.document().await;
        deployed.disturb().await;
        assert_reverted(&deployed.revert("--via argo").await, 2);
        let after = deployed.app.document().await;
        let state = &after["status"]["operationState"];
        assert_eq!(state["phase"], "Succeeded", "{state:#}");
        assert_eq!(named(state), ["Deployment/reader", "Service/reader"]);
        assert_eq!(
            state["syncResult"]["revision"],
            *deployed.repository.resolve("HEAD")
        );
        assert!(
            state["operation"].to_string().contains("INC-512"),
            "{state:#}"
        );
        assert!(after["operation"].is_null(), "{after:#}");
        assert_eq!(
            after["status"]["history"], before["status"]["history"],
            "a selective sync is no deployment"
        );
        deployed.assert_put_back().await;

        // The next operation is its own: nothing of the one before leaks into it.
        deployed.scale(4).await;
        assert_reverted(&deployed.revert("--via argo").await, 1);
        let after = deployed.app.document().await;
        assert_eq!(
            named(&after["status"]["operationState"]),
            ["Deployment/reader"]
        );
        deployed.assert_put_back().await;
    }
}

#[tokio::test]
#[ignore = "needs real servers, Argo CD and redis: run .ci/run"]
async fn argo_cd_calls_synced_what_a_direct_revert_put_back() {
    for (name, automated) in [("revert-direct", false), ("revert-direct-auto", true)] {
        let deployed = Deployed::new(engine().await, name, automated).await;
        let before = deployed.app.document().await;
        deployed.disturb().await;
        assert_reverted(&deployed.revert("--via direct").await, 2);
        deployed.assert_put_back().await;
        let after = deployed.app.document().await;
        assert_eq!(
            after["status"]["operationState"]["startedAt"],
            before["status"]["operationState"]["startedAt"],
            "Argo CD had no part in it"
        );
    }
}

#[tokio::test]
#[ignore = "needs real servers, Argo CD and redis: run .ci/run"]
async fn while_the_controller_stands_still_the_hub_says_synced_and_the_edge_differs() {
    let engine = engine().await;
    let deployed = Deployed::new(engine, "standing-still", false).await;
    deployed.app.refreshed().await;
    let standstill = engine.standstill();
    let touched = deployed.scale(9).await;
    let drift = deployed.drift().await;
    let line = format!("apps --app {} --wait 40s -o json", deployed.app.name);
    let rows = deployed.driftdeck.run(&line).await.items();
    drop(standstill);
    assert_eq!(
        item(&drift.items(), "Deployment", "reader")["state"],
        "edited"
    );
    assert_eq!(rows[0]["sync"], "Synced", "{rows:#?}");
    assert_eq!(rows[0]["verdict"]["state"], "OutOfSync", "{rows:#?}");
    let disagreement = rows[0]["disagreement"].as_str().unwrap_or_default();
    assert!(disagreement.contains("hub says Synced"), "{rows:#?}");
    let caught_up = deployed.app.compared(&[touched]).await;
    assert_eq!(caught_up["status"]["sync"]["status"], "OutOfSync");
}

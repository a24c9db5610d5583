//! Argo CD's verdict beside ours, object by object and Application by Application, on a list of changes.

use std::collections::BTreeMap;
use std::time::Instant;

use futures::stream::{self, StreamExt};
use kube::api::{DeleteParams, DynamicObject, Patch, PatchParams, PostParams};
use serde_json::{Value, json};

use super::app::{App, Touched, statuses};
use super::changes::{Act, BASE, Change, all};
use super::engine::{Engine, engine};
use crate::git_server::Repository;
use crate::objects::{api_of, name_of};
use crate::program::Answer;
use crate::servers::User;

/// Applications worked on at a time.
const AT_ONCE: usize = 16;

/// One change to one Application.
struct Trial {
    change: Change,
    app: App,
    folder: String,
}

/// What both said of one Application.
struct Outcome {
    argo: BTreeMap<String, String>,
    argo_app: String,
    ours: BTreeMap<String, Vec<String>>,
    ours_app: String,
}

#[tokio::test]
#[ignore = "needs real servers, Argo CD and redis: run .ci/run"]
async fn argo_cd_and_driftdeck_agree_on_every_change() {
    let engine = engine().await;
    let began = Instant::now();
    let trials: Vec<Trial> = [false, true]
        .into_iter()
        .flat_map(|automated| {
            all()
                .into_iter()
                .map(move |c| Trial::new(c, automated, engine))
        })
        .collect();
    let documents = play(&trials, engine).await;
    let outcomes = outcomes(&trials, &documents).await;
    let pairs = || trials.iter().zip(&outcomes);
    let complaints: Vec<String> = pairs().filter_map(|(t, o)| t.complaint(o)).collect();
    let said = |t: &Trial| t.change.said(t.app.automated).apart.len();
    eprintln!(
        "argocd: {} changes, {} objects compared, {} drifted by its word, {} of ours differ on purpose, \
         {} Applications complained of, {:.1?}",
        trials.len(),
        outcomes.iter().map(|o| o.argo.len()).sum::<usize>(),
        outcomes.iter().map(Outcome::drifted).sum::<usize>(),
        trials.iter().map(said).sum::<usize>(),
        complaints.len(),
        began.elapsed()
    );
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
}

/// Deploys every Application, makes its change, and lets Argo CD compare: the Applications as they then stand.
async fn play(trials: &[Trial], engine: &Engine) -> Vec<Value> {
    // What Git moves for has a repository of its own: an Application that syncs itself heals its drift with a new commit.
    let still = engine.bed.git.repository("argo-edits");
    let moving = engine.bed.git.repository("argo-commits");
    let of = |trial: &Trial| {
        if trial.change.commits() {
            &moving
        } else {
            &still
        }
    };
    let files: Vec<_> = trials.iter().flat_map(Trial::files).collect();
    still.commit("Deploy all of it", &files);
    moving.commit("Deploy all of it", &files);
    at_once(trials.iter().map(|t| t.deploy(of(t)))).await;
    trials.iter().for_each(|t| t.commit(of(t)));
    let touched = at_once(trials.iter().map(Trial::disturb)).await;
    let compared = trials.iter().zip(&touched);
    at_once(compared.map(|(t, touched)| t.app.compared(touched))).await
}

/// Carries all of it out, some at a time; the results in order.
pub(crate) async fn at_once<T>(work: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    // Collected first, so that the stream borrows nothing of the iterator.
    let all: Vec<_> = work.collect();
    stream::iter(all).buffered(AT_ONCE).collect().await
}

impl Outcome {
    fn drifted(&self) -> usize {
        self.argo
            .values()
            .filter(|word| *word == "OutOfSync")
            .count()
    }
}

impl Trial {
    fn new(change: Change, automated: bool, engine: &'static Engine) -> Self {
        let policy = if automated { "auto" } else { "hand" };
        let name = format!("{policy}-{}", change.name);
        let app = App {
            engine,
            edge: engine.edges()[usize::from(automated)],
            name: name.clone(),
            automated,
        };
        Self {
            change,
            app,
            folder: name,
        }
    }

    fn files(&self) -> Vec<(String, String)> {
        let own = self.change.files.iter().chain(&BASE);
        own.map(|(name, text)| (format!("{}/{name}", self.folder), (*text).to_owned()))
            .collect()
    }

    async fn deploy(&self, repository: &Repository) {
        self.app
            .create(repository, &self.folder, &self.change.app)
            .await;
        self.app.deployed().await;
    }

    /// Git moves for all before anybody looks: each Application's newest commit is the same.
    fn commit(&self, repository: &Repository) {
        for act in &self.change.acts {
            if let Act::Commit(file, text) = act {
                let file = (format!("{}/{file}", self.folder), (*text).to_owned());
                repository.commit(&format!("Change {}", self.change.name), &[file]);
            }
        }
    }

    /// Does what the change says: the objects as they then are.
    async fn disturb(&self) -> Vec<Touched> {
        if self.app.automated && self.change.commits() {
            self.app.synced_to_the_newest().await;
        }
        let mut touched: Vec<Touched> = Vec::new();
        for act in &self.change.acts {
            if let Some(now) = self.act(act).await {
                touched.retain(|before| (&before.kind, &before.name) != (&now.kind, &now.name));
                touched.push(now);
            }
        }
        touched
    }

    /// Does it: the object that was touched, if Argo CD looks at it.
    async fn act(&self, act: &Act) -> Option<Touched> {
        match act {
            Act::Commit(..) => None,
            Act::Create(object) => self.create(object).await,
            Act::Delete(title) => Some(self.delete(title).await),
            Act::Merge(manager, title, change) => Some(
                self.send(manager, title, Patch::Merge(change.clone()))
                    .await,
            ),
            Act::Patch(title, operations) => {
                let operations = serde_json::from_value(operations.clone()).unwrap();
                Some(
                    self.send("kubectl-edit", title, Patch::Json(operations))
                        .await,
                )
            }
        }
    }

    async fn send(&self, manager: &str, title: &str, patch: Patch<Value>) -> Touched {
        let params = PatchParams {
            field_manager: Some(manager.to_owned()),
            ..PatchParams::default()
        };
        let object = self.named(title);
        let api = self.api_of(&object).await;
        let done = api.patch(&name_of(&object), &params, &patch).await;
        let done =
            done.unwrap_or_else(|e| panic!("{}: {object} was not changed: {e}", self.app.name));
        Touched::new(&object, done.metadata.resource_version)
    }

    async fn delete(&self, title: &str) -> Touched {
        let object = self.named(title);
        let api = self.api_of(&object).await;
        api.delete(&name_of(&object), &DeleteParams::default())
            .await
            .unwrap();
        Touched::new(&object, None)
    }

    async fn create(&self, object: &Value) -> Option<Touched> {
        let text = object.to_string().replace("APP", &self.app.name);
        let object: Value = serde_json::from_str(&text).unwrap();
        let params = PostParams {
            field_manager: Some("kubectl-create".to_owned()),
            ..PostParams::default()
        };
        let body = serde_json::from_value(object.clone()).unwrap();
        let done = self.api_of(&object).await.create(&params, &body).await;
        // Only what carries a mark of this Application's is compared at all.
        let mark = &object["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
        let own = format!("ConfigMap:{}/{}", self.app.name, name_of(&object));
        let tracked = mark.as_str().is_some_and(|mark| mark.ends_with(&own));
        let version = done.unwrap().metadata.resource_version;
        tracked.then(|| Touched::new(&object, version))
    }

    async fn api_of(&self, object: &Value) -> kube::Api<DynamicObject> {
        api_of(&self.app.edge.client(User::Admin).await, object).await
    }

    /// The identity of an object of the Application's folder, by `Kind/name`.
    fn named(&self, title: &str) -> Value {
        let (kind, name) = title.split_once('/').unwrap();
        let version = match kind {
            "Deployment" => "apps/v1",
            "PodDisruptionBudget" => "policy/v1",
            "NetworkPolicy" => "networking.k8s.io/v1",
            "ServiceMonitor" => "monitoring.coreos.com/v1",
            _ => "v1",
        };
        json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name, "namespace": self.app.name } })
    }

    /// What is not as it should be: Argo CD's word against the list, and ours against Argo CD's.
    fn complaint(&self, outcome: &Outcome) -> Option<String> {
        let said = self.change.said(self.app.automated);
        let mut complaints = Vec::new();
        for (title, word) in &outcome.argo {
            let out = word == "OutOfSync";
            if out != said.out.contains(&title.as_str()) {
                complaints.push(format!("  Argo CD says {word} of {title}"));
            }
            let apart = said.apart.iter().any(|(object, _)| object == title);
            let states = outcome.ours.get(title);
            if (out == states.is_some()) == apart {
                complaints.push(format!("  {title}: Argo CD {word}, driftdeck {states:?}"));
            }
        }
        for (title, states) in &outcome.ours {
            if !outcome.argo.contains_key(title) {
                complaints.push(format!(
                    "  {title}: Argo CD does not look at it, driftdeck {states:?}"
                ));
            }
        }
        if said.apart.is_empty() && outcome.argo_app != outcome.ours_app {
            let (argo, ours) = (&outcome.argo_app, &outcome.ours_app);
            complaints.push(format!(
                "  the Application: Argo CD {argo}, driftdeck {ours}"
            ));
        }
        (!complaints.is_empty()).then(|| format!("{}:\n{}", self.app.name, complaints.join("\n")))
    }
}

/// What both say of every Application; driftdeck is asked once for all of them.
async fn outcomes(trials: &[Trial], documents: &[Value]) -> Vec<Outcome> {
    let driftdeck = trials[0].app.engine.driftdeck();
    let apps = driftdeck.run("apps --wait 60s -o json").await;
    let drift = driftdeck.run("drift --wait 60s -o json").await;
    assert_judged(&drift, trials.iter().map(|t| &t.app));
    let (apps, drift) = (apps.items(), drift.items());
    trials
        .iter()
        .zip(documents)
        .map(|(trial, document)| {
            let row = apps
                .iter()
                .find(|row| row["name"] == trial.app.name.as_str());
            let row = row.unwrap_or_else(|| panic!("no row of {}", trial.app.name));
            Outcome {
                argo: statuses(document),
                argo_app: document["status"]["sync"]["status"]
                    .as_str()
                    .unwrap_or("-")
                    .to_owned(),
                ours: ours(&drift, &trial.app.name),
                ours_app: row["verdict"]["state"].as_str().unwrap_or("-").to_owned(),
            }
        })
        .collect()
}

/// All of these could be judged; the other Applications of the hub are other tests'.
pub(crate) fn assert_judged<'a>(drift: &Answer, apps: impl Iterator<Item = &'a App>) {
    let unjudged = drift.json()["unjudged"].as_array().unwrap().clone();
    let names: Vec<&str> = apps.map(|app| app.name.as_str()).collect();
    let of_these = |row: &Value| names.iter().any(|name| row["app"] == *name);
    let unjudged: Vec<&Value> = unjudged.iter().filter(|row| of_these(row)).collect();
    assert!(unjudged.is_empty(), "{unjudged:#?}");
}

/// The states of each drifted object of the Application.
fn ours(drift: &[Value], app: &str) -> BTreeMap<String, Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    drift
        .iter()
        .filter(|item| item["app"]["name"] == app)
        .map(|item| {
            let title = format!("{}/{}", text(&item["kind"]), text(&item["name"]));
            let states = item["states"]
                .as_array()
                .unwrap()
                .iter()
                .map(text)
                .collect();
            (title, states)
        })
        .collect()
}

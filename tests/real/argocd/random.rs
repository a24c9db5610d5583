//! Random edits of deployed Applications: what the real Argo CD says of each object beside what driftdeck says, and both after Argo CD has healed.
//!
//! Edits are drawn from a seed (`DRIFTDECK_SEED` sets another); one that the server refuses is drawn again. Where both say different things, the
//! edits themselves have to show why: see `classes`.

mod classes;
mod edits;
mod piece;
mod score;

use std::time::Instant;

use fastrand::Rng;
use serde_json::{Value, json};

use self::classes::Ours;
use self::edits::Place;
use self::piece::Piece;
use self::score::Score;
use super::app::{App, Touched};
use super::engine::{Engine, engine};
use super::verdicts::{assert_judged, at_once};
use crate::openapi::Schemas;
use crate::program::Driftdeck;
use crate::servers::User;
use crate::workshop::Desk;

const SEED: u64 = 20_261_121;
/// Applications of each flavour.
const OF_EACH: u64 = 5;
const FILES: [(&str, &str); 2] = [
    ("base.yaml", include_str!("base.yaml")),
    ("wide.yaml", include_str!("wide.yaml")),
];

/// How Argo CD applies and compares an Application.
#[derive(Clone, Copy)]
struct Flavour {
    name: &'static str,
    /// It syncs by itself and applies on the server's side.
    automated: bool,
    /// The server is asked what an apply would change.
    server_side_diff: bool,
}

const FLAVOURS: [Flavour; 4] = [
    Flavour {
        name: "random-hand",
        automated: false,
        server_side_diff: false,
    },
    Flavour {
        name: "random-auto",
        automated: true,
        server_side_diff: false,
    },
    Flavour {
        name: "random-hand-diff",
        automated: false,
        server_side_diff: true,
    },
    Flavour {
        name: "random-auto-diff",
        automated: true,
        server_side_diff: true,
    },
];

/// One Application and its objects.
struct Trial {
    flavour: Flavour,
    app: App,
    pieces: Vec<Piece>,
    rng: Rng,
}

/// What both said of one Application.
struct Outcome {
    argo: Value,
    ours: Ours,
    ours_app: String,
}

#[tokio::test]
#[ignore = "needs real servers, Argo CD and redis: run .ci/run"]
async fn argo_cd_and_driftdeck_agree_on_random_edits_and_on_what_was_healed() {
    let engine = engine().await;
    let seed = std::env::var("DRIFTDECK_SEED").map_or(SEED, |text| text.parse().unwrap());
    let begun = Instant::now();
    let driftdeck = engine.driftdeck();
    let mut trials = deploy(engine, seed).await;
    let schemas = schemas(&trials).await;
    let disturbed = at_once(trials.iter_mut().map(|trial| trial.disturb(&schemas))).await;
    let mut score = Score::default();
    for (trial, outcome) in trials
        .iter()
        .zip(outcomes(&driftdeck, &trials, disturbed).await)
    {
        score.judge(trial, &outcome, &schemas);
    }
    let healed = at_once(trials.iter_mut().map(Trial::heal)).await;
    score.judge_refusals(&trials, &healed);
    let healed = healed.into_iter().map(Result::unwrap_or_default).collect();
    for (trial, outcome) in trials
        .iter()
        .zip(outcomes(&driftdeck, &trials, healed).await)
    {
        if !outcome.argo.is_null() {
            score.judge_healed(trial, &outcome, &schemas);
        }
    }
    score.print(seed, &trials, begun);
    assert!(
        score.complaints.is_empty(),
        "{}",
        score.complaints.join("\n")
    );
}

/// All Applications, deployed by Argo CD.
async fn deploy(engine: &'static Engine, seed: u64) -> Vec<Trial> {
    let repository = engine.bed.git.repository("argo-random");
    let files = FILES.map(|(name, text)| (format!("edge/{name}"), text.to_owned()));
    repository.commit("Deploy the reader and all that is his", &files);
    let trials = FLAVOURS.into_iter().enumerate().flat_map(|(f, flavour)| {
        (0..OF_EACH).map(move |n| (flavour, n, seed ^ ((f as u64) << 48) ^ (n << 32)))
    });
    let deployed = trials.map(|(flavour, n, seed)| {
        let repository = &repository;
        async move {
            let app = App {
                engine,
                edge: engine.edges()[usize::from(flavour.automated)],
                name: format!("{}-{n}", flavour.name),
                automated: flavour.automated,
            };
            app.create(repository, "edge", &flavour.change()).await;
            app.deployed().await;
            Trial::new(flavour, app, Rng::with_seed(seed)).await
        }
    });
    at_once(deployed).await
}

/// The types of all objects, as one of the edges publishes them.
async fn schemas(trials: &[Trial]) -> Schemas {
    let objects = trials[0].pieces.iter().map(|piece| &piece.wanted);
    Schemas::of(&trials[0].desk().await, objects).await
}

impl Flavour {
    /// Whether Argo CD compares with a server-side apply and applies on the client's side: what is added inside of a value that the server holds for
    /// one is a difference then, and stays.
    fn is_of_two_minds(self) -> bool {
        self.server_side_diff && !self.automated
    }

    fn change(self) -> Value {
        let options = json!({ "argocd.argoproj.io/compare-options": "ServerSideDiff=true" });
        if self.server_side_diff {
            json!({ "metadata": { "annotations": options } })
        } else {
            json!({})
        }
    }
}

impl Trial {
    async fn new(flavour: Flavour, app: App, rng: Rng) -> Self {
        let desk = Desk::of(app.edge.client(User::Admin).await);
        let mut pieces = Vec::new();
        for mut object in manifests() {
            object["metadata"]["namespace"] = json!(app.name);
            let path = desk.path(&object).await;
            let mut piece = Piece::new(object, path).marked(&app.name);
            piece.deployed = desk.get(&piece.path).await.unwrap();
            piece.live = piece.deployed.clone();
            pieces.push(piece);
        }
        Self {
            flavour,
            app,
            pieces,
            rng,
        }
    }

    async fn desk(&self) -> Desk {
        Desk::of(self.app.edge.client(User::Admin).await)
    }

    /// Some objects are edited, most once; now and then one that Git does not have is created. The Application as Argo CD then compares it.
    async fn disturb(&mut self, schemas: &Schemas) -> Value {
        let desk = &self.desk().await;
        let place = Place {
            desk,
            cluster: self.app.edge,
            bed: self.app.engine.bed,
        };
        let mut order: Vec<usize> = (0..self.pieces.len()).collect();
        self.rng.shuffle(&mut order);
        order.truncate(self.rng.usize(1..=self.pieces.len()));
        let mut touched = Vec::new();
        for index in order {
            let piece = &mut self.pieces[index];
            let of = schemas.of_object(&piece.wanted);
            for _ in 0..self.rng.usize(4..8) / 3 {
                place.disturb(&mut self.rng, piece, of).await;
            }
            touched.push(piece.touched());
        }
        let model = self.rng.usize(..self.pieces.len());
        let extra = place
            .create(&mut self.rng, &self.pieces[model], &self.app.name)
            .await;
        if let Some(extra) = extra {
            if extra.tracked {
                touched.push(extra.piece.touched());
            }
            self.pieces.push(extra.piece);
        }
        self.app.compared(&touched).await
    }

    /// Argo CD puts back what it finds: the Application once it has, or what the server refused.
    async fn heal(&mut self) -> Result<Value, String> {
        let kept = self.pieces.iter().filter(|p| p.is_kept());
        let kept: Vec<String> = kept.map(|p| p.title.clone()).collect();
        self.app.healed(&kept).await?;
        let desk = self.desk().await;
        for piece in &mut self.pieces {
            piece.live = desk.get(&piece.path).await.unwrap_or(Value::Null);
        }
        let touched = self.pieces.iter().filter(|p| p.is_of_git());
        let touched: Vec<Touched> = touched.map(Piece::touched).collect();
        Ok(self.app.compared(&touched).await)
    }
}

/// What the folder of every Application has.
fn manifests() -> Vec<Value> {
    use serde::Deserialize;
    FILES
        .iter()
        .flat_map(|(_, text)| serde_yaml::Deserializer::from_str(text))
        .map(|document| Value::deserialize(document).unwrap())
        .collect()
}

/// What both say of every Application; driftdeck is asked once for all of them.
async fn outcomes(driftdeck: &Driftdeck, trials: &[Trial], documents: Vec<Value>) -> Vec<Outcome> {
    let apps = driftdeck.run("apps --wait 60s -o json").await.items();
    let drift = driftdeck.run("drift --wait 60s -o json").await;
    assert_judged(&drift, trials.iter().map(|t| &t.app));
    let shadow = driftdeck.run("drift --shadow --wait 60s -o json").await;
    let (drift, shadow) = (drift.items(), shadow.items());
    let row = |name: &str| apps.iter().find(|row| row["name"] == name).unwrap();
    trials
        .iter()
        .zip(documents)
        .map(|(trial, argo)| Outcome {
            argo,
            ours: Ours::of(&drift, &shadow, &trial.app.name),
            ours_app: row(&trial.app.name)["verdict"]["state"]
                .as_str()
                .unwrap_or("-")
                .to_owned(),
        })
        .collect()
}

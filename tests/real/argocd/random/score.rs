//! What the comparison amounts to: counts for one line, and a complaint wherever both differ without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use serde_json::Value;

use super::classes::Class;
use super::piece::Piece;
use super::{FLAVOURS, Outcome, Trial};
use crate::argocd::app::{failure, statuses};
use crate::hunting::ledger::{Entry, Standing};
use crate::hunting::tally;
use crate::openapi::Schemas;

/// Counts and complaints.
#[derive(Default)]
pub(super) struct Score {
    objects: usize,
    out: usize,
    agreed: usize,
    apart: BTreeMap<Class, usize>,
    healed: usize,
    /// Objects that Argo CD's way of applying leaves as its way of comparing does not want them.
    stuck: usize,
    /// Applications that Argo CD could not compare.
    uncompared: BTreeSet<String>,
    /// Applications of which the server refused a part.
    refused: usize,
    left: BTreeMap<Class, usize>,
    pub(super) complaints: Vec<String>,
}

impl Score {
    /// Both words about every object of an Application that was disturbed.
    pub(super) fn judge(&mut self, trial: &Trial, outcome: &Outcome, schemas: &Schemas) {
        if let Some(why) = failure(&outcome.argo) {
            return self.judge_failure(trial, outcome, why);
        }
        let apart = self.compare(trial, outcome, schemas, "disturbed");
        self.objects += trial.pieces.len();
        self.out += statuses(&outcome.argo)
            .values()
            .filter(|word| *word == "OutOfSync")
            .count();
        self.agreed += trial.pieces.len() - apart.values().sum::<usize>();
        for (class, count) in apart {
            *self.apart.entry(class).or_default() += count;
        }
    }

    /// Where Argo CD could not compare because the server refused its dry run, driftdeck has to say that the object is drifted.
    fn judge_failure(&mut self, trial: &Trial, outcome: &Outcome, why: &str) {
        self.uncompared.insert(trial.app.name.clone());
        let piece = trial
            .pieces
            .iter()
            .find(|p| why.contains(&format!(" {}: ", p.title)));
        let drifted = piece.is_some_and(|p| outcome.ours.drifted(&p.title).is_some());
        if !drifted || !is_of_the_server(why) {
            self.complaints
                .push(format!("{}: not compared: {why}", trial.app.name));
        }
    }

    /// Where the server refused what Argo CD sent: it has to be the server that did.
    pub(super) fn judge_refusals(&mut self, trials: &[Trial], healed: &[Result<Value, String>]) {
        for (trial, healed) in trials.iter().zip(healed) {
            if let Err(words) = healed {
                self.refused += 1;
                if !is_of_the_server(words) {
                    self.complaints
                        .push(format!("{}: not synced: {words}", trial.app.name));
                }
            }
        }
    }

    /// The same once Argo CD has put everything back; and it has.
    pub(super) fn judge_healed(&mut self, trial: &Trial, outcome: &Outcome, schemas: &Schemas) {
        if let Some(why) = failure(&outcome.argo) {
            return self.judge_failure(trial, outcome, why);
        }
        for (class, count) in self.compare(trial, outcome, schemas, "healed") {
            *self.left.entry(class).or_default() += count;
        }
        let argo = statuses(&outcome.argo);
        let of_git = trial.pieces.iter().filter(|p| p.is_of_git());
        for piece in of_git.filter(|p| !p.edits.is_empty()) {
            let entries = piece.entries(schemas.of_object(&piece.wanted));
            let set = |e: &&Entry| e.standing == Standing::Set && !is_ignored(piece, &e.path);
            let out = argo.get(&piece.title).is_none_or(|word| word != "Synced");
            if let Some(entry) = entries.iter().find(set) {
                self.complain(trial, piece, &format!("is not put back: {entry:?}"));
            } else if piece.live.is_null() {
                self.complain(trial, piece, "is still gone");
            } else if !out {
                self.healed += 1;
            } else if trial.flavour.is_of_two_minds() {
                self.stuck += 1;
            } else {
                self.complain(trial, piece, "is never Synced");
            }
        }
    }

    /// Where both differ, by reason; without one it is complained of.
    fn compare(
        &mut self,
        trial: &Trial,
        outcome: &Outcome,
        schemas: &Schemas,
        when: &str,
    ) -> BTreeMap<Class, usize> {
        let argo = statuses(&outcome.argo);
        let mut apart = BTreeMap::new();
        for piece in &trial.pieces {
            let word = argo.get(&piece.title);
            let out = word.is_some_and(|word| word == "OutOfSync");
            let ours = outcome.ours.drifted(&piece.title);
            if out == ours.is_some() {
                continue;
            }
            let of = schemas.of_object(&piece.wanted);
            let entries = piece.entries(of);
            match outcome.ours.class(piece, trial.flavour, &entries) {
                Some(class) => *apart.entry(class).or_default() += 1,
                None => self.complain(
                    trial,
                    piece,
                    &format!(
                        "{when}: Argo CD says {word:?}, driftdeck {}, the edits did {entries:?}",
                        brief(ours)
                    ),
                ),
            }
        }
        for title in argo.keys().chain(outcome.ours.titles()) {
            if !trial.pieces.iter().any(|piece| piece.title == *title) {
                self.complaints
                    .push(format!("{} {when}: {title} is nobody's", trial.app.name));
            }
        }
        let word = outcome.argo["status"]["sync"]["status"]
            .as_str()
            .unwrap_or("-");
        if apart.is_empty() && word != outcome.ours_app {
            self.complaints.push(format!(
                "{} {when}: Argo CD {word}, driftdeck {}",
                trial.app.name, outcome.ours_app
            ));
        }
        apart
    }

    fn complain(&mut self, trial: &Trial, piece: &Piece, words: &str) {
        self.complaints
            .push(format!("{} {}: {words}", trial.app.name, piece.story()));
    }

    pub(super) fn print(&self, seed: u64, trials: &[Trial], begun: Instant) {
        let edits = || trials.iter().flat_map(|t| &t.pieces).flat_map(|p| &p.edits);
        let kinds = tally(
            trials
                .iter()
                .flat_map(|t| &t.pieces)
                .filter(|p| !p.edits.is_empty())
                .map(|p| p.wanted["kind"].as_str().unwrap_or_default().to_owned()),
        );
        eprintln!(
            "argocd random: seed {seed}, {} Applications of {} flavours, {} edits {:?} by {:?} on objects {kinds:?}: \
             {} objects compared, {} OutOfSync, {} agreed, apart {:?}, {} Applications not compared; healed {}, left {:?}, {} stuck, {} Applications refused; {} complaints, {:.1?}",
            trials.len(),
            FLAVOURS.len(),
            edits().count(),
            tally(edits().map(|e| format!("{:?}", e.sort))),
            tally(edits().map(|e| e.manager.to_owned())),
            self.objects,
            self.out,
            self.agreed,
            self.apart,
            self.uncompared.len(),
            self.healed,
            self.left,
            self.stuck,
            self.refused,
            self.complaints.len(),
            begun.elapsed()
        );
    }
}

/// Whether it is the server that refuses.
fn is_of_the_server(words: &str) -> bool {
    words.contains(" is invalid: ") || words.contains(" is forbidden: ")
}

/// argocd-cm of the test bed says that this is no drift.
fn is_ignored(piece: &Piece, path: &str) -> bool {
    piece.title == "PodDisruptionBudget/reader" && path == "spec.maxUnavailable"
}

/// States and changes of an item.
fn brief(item: Option<&Value>) -> String {
    item.map_or_else(
        || "nothing".to_owned(),
        |item| format!("{} {}", item["states"], item["changes"]),
    )
}

//! Five hundred random edits on a real server: each found, at its exact path, with the manager that made it, and nothing else named.
//!
//! Edits are drawn from a seed (`DRIFTDECK_SEED` sets another). One that the server refuses, or that leaves nothing to find, is drawn
//! again. What an edit did is read off the server's own answers, not off what was meant: see `ledger`.

pub(crate) mod draw;
pub(crate) mod ledger;

use std::collections::BTreeMap;
use std::time::Instant;

use driftdeck::domain::{ChangeOp, DriftState, FieldOwner, Verdict};
use fastrand::Rng;
use futures::stream::{self, StreamExt};
use serde_json::Value;

use crate::argo::MANAGER;
use crate::catalogue::{self, Manifest, title, verdict};
use crate::kubectl::Kubectl;
use crate::objects::namespace;
use crate::openapi::Schemas;
use crate::workshop::{Body, Desk, Workshop, workshop};
use draw::{Draw, Editor};
use ledger::{Entry, Standing};

/// At least; `DRIFTDECK_EDITS` asks for more.
const EDITS: usize = 500;
/// Draws on one object before it is left alone for a round.
const TRIES: usize = 30;
const SEED: u64 = 20_261_121;
/// Objects worked on at a time.
const AT_ONCE: usize = 4;

/// One edit that the server took.
struct Catch {
    title: String,
    editor: Editor,
    words: String,
    expected: Vec<Entry>,
    /// What of it was meant: the rest is the server's own doing, and nobody's.
    meant: Vec<Entry>,
    after: Value,
    verdict: Verdict,
}

/// What the hunt amounts to.
#[derive(Default)]
struct Score {
    found: usize,
    missed: usize,
    wrong: usize,
    listed: usize,
    unlisted: usize,
    managers: usize,
    wrong_managers: usize,
    complaints: Vec<String>,
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn every_random_edit_is_found_and_nothing_else_is_named() {
    let asked = |name: &str| {
        std::env::var(name)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let seed = asked("DRIFTDECK_SEED").unwrap_or(SEED);
    let wanted = asked("DRIFTDECK_EDITS").map_or(EDITS, |n| usize::try_from(n).unwrap().max(EDITS));
    let workshop = workshop().await;
    let begun = Instant::now();
    let mut catches = Vec::new();
    for round in 0.. {
        catches.extend(hunt(workshop, seed, round).await);
        if catches.len() >= wanted {
            break;
        }
    }
    catches.truncate(wanted);
    let mut score = Score::default();
    catches.iter().for_each(|c| score.count(c));
    score.print(seed, &catches, begun);
    assert!(
        score.complaints.is_empty(),
        "{}",
        score.complaints.join("\n")
    );
}

/// The whole catalogue in a namespace of its own, one edit on each object.
async fn hunt(workshop: &Workshop, seed: u64, round: u64) -> Vec<Catch> {
    let desk = &workshop.desk().await;
    let place = format!("hunt-{round}");
    namespace(&desk.client, &place).await;
    let manifests = catalogue::manifests(&place, 30_080 - u16::try_from(round).unwrap());
    if round % 2 == 1 {
        apply_classic(workshop, &manifests);
    }
    let objects: Vec<Value> = manifests.iter().map(Manifest::object).collect();
    // All of them first: an edited LimitRange changes what is let in.
    let applied = manifests
        .iter()
        .zip(&objects)
        .map(|(manifest, desired)| apply(desk, manifest, desired, round % 2 == 1));
    let applied: Vec<(String, Value)> = at_once(applied.collect()).await;
    let schemas = &Schemas::of(desk, objects.iter()).await;
    let edits = objects.iter().zip(&applied).enumerate().map(
        |(index, (desired, (path, before)))| async move {
            let mut rng = Rng::with_seed(seed ^ (round << 32) ^ ((index as u64) << 16));
            try_edits(desk, path, &mut rng, before, desired, schemas).await
        },
    );
    at_once(edits.collect())
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// Carries all of it out, some at a time; the results in order.
async fn at_once<T, F: Future<Output = T>>(work: Vec<F>) -> Vec<T> {
    stream::iter(work).buffered(AT_ONCE).collect().await
}

/// Where the object is and what the server holds of it; applied on the server's side unless it is there already.
async fn apply(
    desk: &Desk,
    manifest: &Manifest,
    desired: &Value,
    is_there: bool,
) -> (String, Value) {
    let path = desk.path(desired).await;
    let held = if is_there {
        desk.get(&path).await
    } else {
        let body = Body::Apply(manifest.text.clone());
        desk.write(&path, MANAGER, &body, false).await
    };
    let held = held.unwrap_or_else(|e| panic!("{}: {e}", title(desired)));
    (path, held)
}

/// Argo CD's default: a client-side apply under its own manager.
fn apply_classic(workshop: &Workshop, manifests: &[Manifest]) {
    let texts: Vec<&str> = manifests.iter().map(|m| m.text.as_str()).collect();
    let manager = format!("--field-manager={MANAGER}");
    Kubectl::with(workshop.bed, &workshop.kubeconfig)
        .try_run(&["apply", &manager, "-f", "-"], &texts.join("---\n"))
        .unwrap_or_else(|e| panic!("kubectl apply failed: {e}"));
}

/// Draws until the server takes an edit that leaves something to find.
async fn try_edits(
    desk: &Desk,
    path: &str,
    rng: &mut Rng,
    before: &Value,
    desired: &Value,
    schemas: &Schemas,
) -> Option<Catch> {
    let of = schemas.of_object(desired);
    let wanted = wanted(desired);
    for _ in 0..TRIES {
        let Some(Draw {
            editor,
            body,
            meant,
            words,
        }) = draw::draw(rng, before, &wanted, of)
        else {
            continue;
        };
        // Rehearsed first: an apply that changes nothing would still leave its manager behind.
        let Ok(rehearsed) = desk.write(path, editor.manager(), &body, true).await else {
            continue;
        };
        if ledger::entries(before, &rehearsed, &wanted, of).is_empty() {
            continue;
        }
        let after = desk
            .write(path, editor.manager(), &body, false)
            .await
            .unwrap();
        return Some(Catch {
            title: title(desired),
            editor,
            words,
            expected: ledger::entries(before, &after, &wanted, of),
            meant: ledger::entries(before, &meant, &wanted, of),
            verdict: verdict(desired, &after),
            after,
        });
    }
    None
}

/// What Git says, a Secret's `stringData` where the server keeps it.
fn wanted(desired: &Value) -> Value {
    let mut wanted = desired.clone();
    if let Some(plain) = desired["stringData"].as_object() {
        for (key, value) in plain {
            wanted["data"][key] = value.clone();
        }
    }
    wanted
}

impl Catch {
    /// Whether a changed value counts: what Git sets does whoever changed it, an addition to it does unless a program made it.
    fn counts(&self, entry: &Entry) -> bool {
        match entry.standing {
            Standing::Set => true,
            Standing::Inside => self.editor != Editor::Program,
            Standing::Beyond => false,
        }
    }

    /// Whether the server has the editor on record at all: a pure removal leaves nothing behind.
    fn on_record(&self) -> bool {
        let entries = self.after["metadata"]["managedFields"].as_array();
        entries
            .into_iter()
            .flatten()
            .any(|e| e["manager"] == self.editor.manager())
    }
}

impl Score {
    fn count(&mut self, catch: &Catch) {
        let before = self.complaints.len();
        for entry in &catch.expected {
            if catch.counts(entry) {
                self.count_change(catch, entry);
            } else {
                self.count_listing(catch, entry);
            }
        }
        let expected = |path: &str, op: ChangeOp| {
            catch
                .expected
                .iter()
                .any(|e| e.path == path && e.op == op && catch.counts(e))
        };
        for change in catch
            .verdict
            .changes
            .iter()
            .filter(|c| !expected(&c.path, c.op))
        {
            self.wrong += 1;
            self.complaints.push(format!(
                "  named for nothing: {} {:?} {:?} -> {:?}",
                change.path, change.op, change.desired, change.live
            ));
        }
        let edited = catch.expected.iter().any(|e| catch.counts(e));
        if catch.verdict.states.contains(&DriftState::Edited) != edited {
            self.complaints
                .push(format!("  states {:?}", catch.verdict.states));
        }
        if self.complaints.len() > before {
            let head = format!(
                "{} by {}: {}",
                catch.title,
                catch.editor.manager(),
                catch.words
            );
            self.complaints.insert(before, head);
        }
    }

    fn count_change(&mut self, catch: &Catch, entry: &Entry) {
        let found = catch
            .verdict
            .changes
            .iter()
            .find(|c| c.path == entry.path && c.op == entry.op);
        let Some(found) = found else {
            self.missed += 1;
            self.complaints.push(format!("  missed: {entry:?}"));
            return;
        };
        self.found += 1;
        self.count_manager(catch, entry, found.owner.as_ref());
    }

    fn count_listing(&mut self, catch: &Catch, entry: &Entry) {
        let found = catch.verdict.ignored.iter().find(|i| i.path == entry.path);
        let Some(found) = found else {
            self.unlisted += 1;
            self.complaints.push(format!("  not listed: {entry:?}"));
            return;
        };
        self.listed += 1;
        self.count_manager(catch, entry, found.owner.as_ref());
    }

    fn count_manager(&mut self, catch: &Catch, entry: &Entry, owner: Option<&FieldOwner>) {
        if !catch.meant.iter().any(|m| m.path == entry.path) {
            return;
        }
        let named = owner.map(|o| o.manager.to_string());
        let nobody = entry.op == ChangeOp::Removed
            && (catch.editor == Editor::Program || !catch.on_record());
        if named.as_deref() == Some(catch.editor.manager()) || (nobody && named.is_none()) {
            self.managers += 1;
        } else {
            self.wrong_managers += 1;
            self.complaints
                .push(format!("  wrong manager: {entry:?} by {named:?}"));
        }
    }

    fn print(&self, seed: u64, catches: &[Catch], begun: Instant) {
        let count = |n: usize| f64::from(u32::try_from(n).unwrap());
        let ratio = |good, bad| count(good) / count(good + bad).max(1.0);
        let editors = tally(catches.iter().map(|c| c.editor.manager().to_owned()));
        let kinds = tally(
            catches
                .iter()
                .map(|c| c.title.split(' ').next().unwrap_or_default().to_owned()),
        );
        let all = || catches.iter().flat_map(|c| &c.expected);
        let sorts = tally(all().map(|e| format!("{:?} {:?}", e.standing, e.op)));
        let depths = tally(all().map(|e| format!("{:02}", e.path.matches(['.', '[']).count() + 1)));
        eprintln!(
            "hunting: seed {seed}, {} edits in {:.1?} on {} kinds by {editors:?}: {sorts:?}, by depth {depths:?}\n\
             hunting: precision {:.4} ({} right, {} wrong), recall {:.4} ({} found, {} missed), \
             listed {} of {}, managers {} of {}",
            catches.len(),
            begun.elapsed(),
            kinds.len(),
            ratio(self.found, self.wrong),
            self.found,
            self.wrong,
            ratio(self.found, self.missed),
            self.found,
            self.missed,
            self.listed,
            self.listed + self.unlisted,
            self.managers,
            self.managers + self.wrong_managers,
        );
    }
}

/// How often each comes.
pub(crate) fn tally(words: impl Iterator<Item = String>) -> BTreeMap<String, usize> {
    let mut tally = BTreeMap::new();
    words.for_each(|word| *tally.entry(word).or_default() += 1);
    tally
}

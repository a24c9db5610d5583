//! `--verify`: asks every server of the selection for its own word, a dry-run apply; where it differs from our verdict, it counts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use super::lists::Asked;
use crate::app::msg::WishTarget;
use crate::config::Config;
use crate::domain::{
    ClusterId, DriftState, Ignored, ObjectRef, Resource, Safe, Selector, Verdict, VerdictSource,
};
use crate::fleet::{DriftRow, Fleet};
use crate::ops::{Opinion, ServerWord, WaveSpec};
use crate::runtime::operate::{Operate, Wish, gather};

/// The servers' words by place.
pub(crate) type Words = BTreeMap<(ClusterId, ObjectRef), ServerWord>;

/// The server's word as documents have it.
#[derive(Debug, Serialize)]
pub(crate) struct WordItem {
    word: &'static str,
    message: Safe,
    at: jiff::Timestamp,
}

impl From<&ServerWord> for WordItem {
    fn from(said: &ServerWord) -> Self {
        Self {
            word: said.opinion.word(),
            message: said.opinion.message(),
            at: said.at,
        }
    }
}

/// Asks about every object of the selection, drifted or not.
///
/// # Errors
/// A sentence, when the fleet forgot a target meanwhile.
pub(crate) async fn ask(
    fleet: &Fleet,
    selector: &Selector,
    operate: &Operate,
    config: &Config,
) -> Result<Words, String> {
    let targets = targets(fleet, selector);
    let places: Vec<_> = targets
        .iter()
        .map(|t| (t.cluster.clone(), t.object.clone()))
        .collect();
    let wish = Wish {
        targets,
        via: None,
        prune: false,
        note: None,
        reason: Safe::fixed("verify"),
        waves: WaveSpec::default(),
    };
    let gathered = gather(fleet, wish, config).map_err(|e| e.to_string())?;
    let words: Words = places
        .into_iter()
        .zip(operate.words(gathered).await)
        .collect();
    super::say::complaint(&summary(&words));
    Ok(words)
}

fn targets(fleet: &Fleet, selector: &Selector) -> Vec<WishTarget> {
    let mut targets = Vec::new();
    for row in fleet.app_rows() {
        let Some(cluster) = &row.cluster else {
            continue;
        };
        let meant = fleet.resources_of(&row.app.id).into_iter();
        let meant = meant.filter(|r| selector.matches(cluster, &r.app, &r.object));
        targets.extend(meant.map(|r| WishTarget {
            cluster: cluster.clone(),
            app: r.app.clone(),
            object: r.object.clone(),
        }));
    }
    targets
}

/// `verified 12 objects by dry run: agrees 11, not-permitted 1`
fn summary(words: &Words) -> String {
    let mut tally: BTreeMap<&str, usize> = BTreeMap::new();
    for said in words.values() {
        *tally.entry(said.opinion.word()).or_default() += 1;
    }
    let parts: Vec<String> = tally.iter().map(|(w, n)| format!("{w} {n}")).collect();
    format!(
        "verified {} objects by dry run: {}",
        words.len(),
        parts.join(", ")
    )
}

/// The drifted rows of the selection, the servers' words put over our verdicts where they were asked for.
pub(crate) fn rows(asked: Asked<'_>) -> Vec<DriftRow> {
    let Asked { scope, words, .. } = asked;
    let mut rows = scope.fleet.drift(scope.selector);
    let Some(words) = words else {
        return rows;
    };
    for row in &mut rows {
        if let Some(said) = word_of(words, row) {
            row.resource = told(&row.resource, said);
        }
    }
    rows.extend(unseen(asked, words, &rows));
    rows.sort_by(|a, b| (&a.cluster, &a.resource.object).cmp(&(&b.cluster, &b.resource.object)));
    rows
}

/// The server's word on a row.
pub(crate) fn word_of<'w>(words: &'w Words, row: &DriftRow) -> Option<&'w ServerWord> {
    words.get(&(row.cluster.clone(), row.resource.object.clone()))
}

/// Whether a row is drift by the word that counts.
pub(crate) fn counts(row: &DriftRow) -> bool {
    row.current && row.resource.verdict.is_drift()
}

/// Objects that we call equal and the server would change.
fn unseen(asked: Asked<'_>, words: &Words, known: &[DriftRow]) -> Vec<DriftRow> {
    let others = words.iter().filter(|((cluster, object), said)| {
        let here = |row: &DriftRow| row.cluster == *cluster && row.resource.object == *object;
        matches!(said.opinion, Opinion::ChangesOthers { .. }) && !known.iter().any(here)
    });
    let row = |((cluster, object), said): (&(ClusterId, ObjectRef), &ServerWord)| {
        let resource = asked.scope.fleet.resource(cluster, object)?;
        Some(DriftRow {
            cluster: cluster.clone(),
            resource: told(resource, said),
            first_seen: said.at,
            current: true,
        })
    };
    others.filter_map(row).collect()
}

fn told(resource: &Arc<Resource>, said: &ServerWord) -> Arc<Resource> {
    let Some(verdict) = overrule(&resource.verdict, &said.opinion) else {
        return Arc::clone(resource);
    };
    Arc::new(Resource {
        verdict: Arc::new(verdict),
        ..Resource::clone(resource)
    })
}

/// Our verdict with the server's in its place; `None` where the server does not contradict.
fn overrule(ours: &Verdict, opinion: &Opinion) -> Option<Verdict> {
    let mut verdict = ours.clone();
    match opinion {
        Opinion::ChangesNothing(_) => {
            verdict.states.retain(|s| *s != DriftState::Edited);
            let gone = std::mem::take(&mut verdict.changes).into_iter();
            verdict.ignored.extend(gone.map(|c| Ignored {
                path: c.path,
                reason: "the server's dry run changes nothing here".to_owned(),
                owner: c.owner,
            }));
            verdict.fingerprint = None;
        }
        Opinion::ChangesOthers { changes, .. } => {
            let owner = |path: &str| ours.changes.iter().find(|c| c.path == path);
            verdict.changes.clone_from(changes);
            for change in &mut verdict.changes {
                if let Some(known) = owner(&change.path) {
                    change.owner.clone_from(&known.owner);
                    change.owner_inferred = known.owner_inferred;
                }
            }
            if !verdict.states.contains(&DriftState::Edited) {
                verdict.states.insert(0, DriftState::Edited);
            }
        }
        _ => return None,
    }
    verdict.source = VerdictSource::Server;
    verdict.summary = opinion.message();
    verdict.message = Some(opinion.message());
    Some(verdict)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::args::Form;
    use crate::cli::document::Scope;
    use crate::cli::lists;
    use crate::domain::{Change, ChangeOp};
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled};

    fn listed(fleet: &Fleet, opinion: Opinion) -> (serde_json::Value, u8) {
        let app = fleet.app_rows().remove(0);
        let place = (
            app.cluster.clone().unwrap(),
            fleet.resources_of(&app.app.id)[0].object.clone(),
        );
        let said = ServerWord {
            at: at(50),
            opinion,
        };
        let words = Words::from([(place, said)]);
        let selector = Selector::default();
        let asked = Asked {
            scope: Scope {
                fleet,
                selector: &selector,
                at: at(60),
            },
            query: None,
            form: Form::Json,
            words: Some(&words),
        };
        let listed = lists::drift(asked, &[crate::cli::args::FailOn::Drift]).unwrap();
        let json: serde_json::Value = serde_json::from_str(&listed.text).unwrap();
        (json["items"][0].clone(), listed.status)
    }

    fn edited() -> Fleet {
        let object = deployment("edge-microservice");
        one_edge(scaled("edge-microservice", object, 5, "kubectl-edit"))
    }

    #[test]
    fn a_server_that_agrees_is_named_beside_our_verdict() {
        let (item, status) = listed(&edited(), Opinion::Agrees);
        assert_eq!(item["server"]["word"], "agrees");
        assert_eq!((&item["source"], status), (&"computed".into(), 1));
    }

    #[test]
    fn a_server_that_would_change_nothing_wins_and_nothing_counts() {
        let (item, status) = listed(&edited(), Opinion::ChangesNothing(Safe::fixed("Nothing.")));
        assert_eq!((&item["state"], status), (&"synced".into(), 0));
        assert_eq!(item["source"], "server");
        assert_eq!(item["changes"], serde_json::json!([]));
        assert_eq!(
            item["ignored"][0]["reason"],
            "the server's dry run changes nothing here"
        );
    }

    #[test]
    fn what_only_the_server_would_change_is_drift_by_its_word() {
        let object = deployment("edge-microservice");
        let fleet = one_edge(in_sync("edge-microservice", object));
        let change = Change {
            path: "spec.paused".to_owned(),
            op: ChangeOp::Changed,
            desired: Some(false.into()),
            live: Some(true.into()),
            owner: None,
            owner_inferred: false,
        };
        let opinion = Opinion::ChangesOthers {
            message: Safe::fixed("The server's dry run also changes spec.paused."),
            changes: vec![change],
        };
        let (item, status) = listed(&fleet, opinion);
        assert_eq!((&item["state"], status), (&"edited".into(), 1));
        assert_eq!(item["changes"][0]["path"], "spec.paused");
        assert_eq!(item["server"]["word"], "changes-others");
    }

    #[test]
    fn a_dry_run_that_is_not_permitted_leaves_our_verdict_and_says_so() {
        let (item, status) = listed(
            &edited(),
            Opinion::NotPermitted(Safe::fixed("The server's dry run is not permitted.")),
        );
        assert_eq!((&item["state"], status), (&"edited".into(), 1));
        assert_eq!(item["server"]["word"], "not-permitted");
    }
}

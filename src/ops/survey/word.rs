//! The server's word on verdicts: a dry-run apply of what Git wants, compared with what we said. Changes nothing.

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{self, StreamExt};
use jiff::Timestamp;

use super::Survey;
use crate::domain::{Change, ChangeOp, DriftState, Safe};
use crate::ops::catalog::Catalog;
use crate::ops::planner::{Act, PlanContext, Reading, Rehearsal};
use crate::ops::{Clusters, RevertRequest, RevertTarget, Route, WaveSpec, difference};

/// What a server's dry run says about one verdict, and when it said so.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerWord {
    /// When the answer came.
    pub at: Timestamp,
    /// What it says.
    pub opinion: Opinion,
}

/// How the server's dry run stands to our verdict. Where they differ, the server's word counts.
#[derive(Clone, Debug, PartialEq)]
pub enum Opinion {
    /// It would change what we say is changed, or nothing where we say nothing.
    Agrees,
    /// We see drift, and the server would change nothing.
    ChangesNothing(Safe),
    /// The server would change other fields than we name.
    ChangesOthers {
        /// In words.
        message: Safe,
        /// What it would change; values of Secrets are marks.
        changes: Vec<Change>,
    },
    /// We may not ask for a dry run.
    NotPermitted(Safe),
    /// The server would refuse what Git wants.
    Refused(Safe),
    /// No answer came.
    NoAnswer(Safe),
    /// There was nothing to ask with.
    NotAsked(Safe),
}

impl Opinion {
    /// The word of the JSON contract.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::ChangesNothing(_) => "changes-nothing",
            Self::ChangesOthers { .. } => "changes-others",
            Self::NotPermitted(_) => "not-permitted",
            Self::Refused(_) => "refused",
            Self::NoAnswer(_) => "no-answer",
            Self::NotAsked(_) => "not-asked",
        }
    }

    /// One sentence for people.
    pub fn message(&self) -> Safe {
        match self {
            Self::Agrees => Safe::fixed("The server's dry run says the same."),
            Self::ChangesNothing(why)
            | Self::ChangesOthers { message: why, .. }
            | Self::NotPermitted(why)
            | Self::Refused(why)
            | Self::NoAnswer(why)
            | Self::NotAsked(why) => why.clone(),
        }
    }
}

/// Asks the servers about each target; the answers in the order of the targets.
pub async fn ask(
    targets: &[RevertTarget],
    clusters: &dyn Clusters,
    context: &PlanContext,
) -> Vec<ServerWord> {
    let request = RevertRequest {
        targets: Vec::new(),
        via: Some(Route::Direct),
        prune: true,
        note: None,
        reason: Safe::fixed("verify"),
        waves: WaveSpec::default(),
        guardrail: None,
    };
    let survey = Survey {
        request: &request,
        clusters,
        context,
        catalog: Catalog::default(),
    };
    // Boxed first: a stream over borrowing futures is not Send.
    let words: Vec<BoxFuture<'_, Opinion>> =
        targets.iter().map(|t| survey.opinion(t).boxed()).collect();
    stream::iter(words)
        .buffered(context.parallel.max(1))
        .map(|opinion| ServerWord {
            at: Timestamp::now(),
            opinion,
        })
        .collect()
        .await
}

impl Survey<'_> {
    async fn opinion(&self, target: &RevertTarget) -> Opinion {
        if !target.link.is_current() {
            let why = format!("The cluster is {}: it was not asked.", target.link.word());
            return Opinion::NotAsked(why.into());
        }
        let states = &target.verdict.states;
        if target.desired.is_none() && !states.contains(&DriftState::Extra) {
            return Opinion::NotAsked(Safe::fixed(
                "The desired state is not at hand: the server was not asked.",
            ));
        }
        match self.reading(target, None).await {
            Ok(reading) => opinion(target, &reading),
            Err(why) => Opinion::NoAnswer(why),
        }
    }
}

fn opinion(target: &RevertTarget, reading: &Reading) -> Opinion {
    let predicted = match &reading.rehearsal {
        Rehearsal::Accepted(predicted) => predicted,
        Rehearsal::NotPermitted(why) => {
            return Opinion::NotPermitted(
                format!("The server's dry run is not permitted: {why}").into(),
            );
        }
        Rehearsal::Rejected(why) => {
            return Opinion::Refused(
                format!("The server's dry run refuses what Git wants: {why}").into(),
            );
        }
        Rehearsal::NoAnswer(why) => return Opinion::NoAnswer(why.clone()),
    };
    match (Act::of(target, reading.live.as_ref()), &reading.live) {
        (Act::Apply, Some(live)) => {
            let found = would_change(target, live, predicted);
            compare(&target.verdict.changes, found)
        }
        _ => Opinion::Agrees,
    }
}

/// What the dry run changes, in the words of the judge, without what the application ignores.
fn would_change(
    target: &RevertTarget,
    live: &serde_json::Value,
    predicted: &serde_json::Value,
) -> Vec<Change> {
    let measure = target.measure();
    let judged = measure.changes(predicted, live);
    if !judged.is_empty() || measure.leaves_out() {
        return judged;
    }
    // What the judge does not count, such as a field that Git no longer sets and the apply takes away.
    let rest = difference::between(live, predicted);
    rest.into_iter().map(change).collect()
}

fn change(difference: difference::Difference) -> Change {
    let op = match (&difference.before, &difference.after) {
        (None, _) => ChangeOp::Removed,
        (_, None) => ChangeOp::Added,
        _ => ChangeOp::Changed,
    };
    Change {
        path: difference.path,
        op,
        desired: difference.after,
        live: difference.before,
        owner: None,
        owner_inferred: false,
    }
}

fn compare(ours: &[Change], found: Vec<Change>) -> Opinion {
    let near = |a: &str, b: &str| a.starts_with(b) || b.starts_with(a);
    let only = |these: &[Change], those: &[Change]| -> Vec<String> {
        let known = |c: &&Change| those.iter().any(|other| near(&c.path, &other.path));
        let new = these.iter().filter(|c| !known(c));
        new.map(|c| c.path.clone()).collect()
    };
    if found.is_empty() && !ours.is_empty() {
        return Opinion::ChangesNothing(
            format!(
                "The server's dry run changes nothing: {} differing field(s) of ours do not count for the server.",
                ours.len()
            )
            .into(),
        );
    }
    let (more, fewer) = (only(&found, ours), only(ours, &found));
    let mut parts = Vec::new();
    if !more.is_empty() {
        parts.push(format!("also changes {}", more.join(", ")));
    }
    if !fewer.is_empty() {
        parts.push(format!("leaves {} as it is", fewer.join(", ")));
    }
    if parts.is_empty() {
        return Opinion::Agrees;
    }
    Opinion::ChangesOthers {
        message: format!("The server's dry run {}.", parts.join(" and ")).into(),
        changes: found,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(paths: &[&str]) -> Vec<Change> {
        let change = |path: &&str| Change {
            path: (*path).to_owned(),
            op: ChangeOp::Changed,
            desired: None,
            live: None,
            owner: None,
            owner_inferred: false,
        };
        paths.iter().map(change).collect()
    }

    #[test]
    fn equal_accounts_agree_and_a_field_agrees_with_the_whole_around_it() {
        let word = |ours: &[&str], found: &[&str]| compare(&at(ours), at(found)).word();
        assert_eq!(word(&["spec.replicas"], &["spec.replicas"]), "agrees");
        assert_eq!(word(&[], &[]), "agrees");
        assert_eq!(word(&["spec.ports[port=80]"], &["spec.ports"]), "agrees");
    }

    #[test]
    fn where_the_server_would_change_nothing_it_overrules_us() {
        let word = compare(&at(&["data.SAMPLE_RATE"]), Vec::new());
        assert_eq!(word.word(), "changes-nothing");
        assert!(word.message().as_str().contains("1 differing field"));
    }

    #[test]
    fn more_and_fewer_fields_are_both_told() {
        let word = compare(&at(&["data.a", "data.b"]), at(&["data.b", "data.c"]));
        assert_eq!(
            word.message().as_str(),
            "The server's dry run also changes data.c and leaves data.a as it is."
        );
        assert_eq!(
            compare(&[], at(&["data.c"])).message().as_str(),
            "The server's dry run also changes data.c."
        );
    }
}

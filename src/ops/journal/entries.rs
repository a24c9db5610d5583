//! The journal as people read it: one entry a target, its intent joined with its outcome.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Ended, Line, Operator, Record, Target};
use crate::ops::{Outcome, Route, Seen, Verb};

/// What became of one target of one run.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The line that it begins with.
    pub seq: u64,
    /// When the intent was written; the outcome's time when nothing was sent.
    pub at: Timestamp,
    /// When it ended; `None` while it has no outcome.
    pub ended_at: Option<Timestamp>,
    /// The plan's id.
    pub run: String,
    /// Who did it.
    pub who: Operator,
    /// The object.
    pub target: Target,
    /// What was about to be sent; `None` when nothing was.
    pub sent: Option<Sent>,
    /// How it ended. An intent without an outcome is unknown: the program ended in between.
    pub outcome: Outcome,
    /// What happened, in one sentence.
    pub message: String,
    /// The object before the write.
    pub before: Option<Seen>,
    /// The object after the write.
    pub after: Option<Seen>,
}

/// The part of an entry that only a write has.
#[derive(Clone, Debug, PartialEq)]
pub struct Sent {
    /// What was done.
    pub verb: Verb,
    /// UID of the namespace kube-system of the cluster.
    pub cluster_uid: String,
    /// By which route.
    pub route: Route,
    /// The change in one line.
    pub effect: String,
    /// The saved live object, or why there is none.
    pub undo: String,
    /// The operator's note.
    pub note: Option<String>,
}

/// Joins intents with their outcomes, in the order in which they began.
pub fn entries(lines: &[Line]) -> Vec<Entry> {
    let mut entries: BTreeMap<u64, Entry> = BTreeMap::new();
    for line in lines {
        match &line.record {
            Record::Intent(_) => {
                entries.extend(begun(line).map(|entry| (line.seq, entry)));
            }
            Record::Outcome(ended) => end(&mut entries, line, ended),
            Record::Cut => {}
        }
    }
    entries.into_values().collect()
}

fn begun(line: &Line) -> Option<Entry> {
    let Record::Intent(intent) = &line.record else {
        return None;
    };
    Some(Entry {
        seq: line.seq,
        at: line.at,
        ended_at: None,
        run: intent.run.clone(),
        who: intent.who.clone(),
        target: intent.target.clone(),
        sent: Some(Sent {
            verb: intent.verb,
            cluster_uid: intent.cluster_uid.clone(),
            route: intent.route,
            effect: intent.effect.clone(),
            undo: intent.undo.clone(),
            note: intent.note.clone(),
        }),
        outcome: Outcome::Unknown,
        message: "unknown, verify: the program ended before it knew".to_owned(),
        before: intent.before.clone(),
        after: None,
    })
}

fn end(entries: &mut BTreeMap<u64, Entry>, line: &Line, ended: &Ended) {
    match ended.intent.and_then(|seq| entries.get_mut(&seq)) {
        Some(entry) => {
            entry.ended_at = Some(line.at);
            entry.outcome = ended.outcome;
            entry.message.clone_from(&ended.message);
            entry.after.clone_from(&ended.after);
        }
        None => {
            entries.insert(line.seq, unsent(line, ended));
        }
    }
}

fn unsent(line: &Line, ended: &Ended) -> Entry {
    Entry {
        seq: line.seq,
        at: line.at,
        ended_at: Some(line.at),
        run: ended.run.clone(),
        who: ended.who.clone(),
        target: ended.target.clone(),
        sent: None,
        outcome: ended.outcome,
        message: ended.message.clone(),
        before: ended.before.clone(),
        after: ended.after.clone(),
    }
}

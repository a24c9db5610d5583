//! `journal`: what was changed from this machine, and whether that record is what was written.

use std::fmt::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::args::Form;
use super::lists::Listed;
use super::print;
use super::table::Table;
use crate::domain::Safe;
use crate::ops::journal::{self, Entry, Read};
use crate::ops::{Outcome, Route, Seen, Verb};

/// What is said of writes without an outcome.
const UNFINISHED: &str = "write(s) have no outcome: the program ended in between. Look at the objects before you repeat anything.";

/// The journal as a document.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct JournalList {
    api_version: &'static str,
    kind: &'static str,
    generated_at: Timestamp,
    partial: bool,
    unreachable: [(); 0],
    unjudged: [(); 0],
    /// Where the journal is not what was written.
    tampered: Option<Safe>,
    items: Vec<Item>,
}

/// One target of one run.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    seq: u64,
    at: Timestamp,
    ended_at: Option<Timestamp>,
    run: Safe,
    operator: Safe,
    identity: Safe,
    cluster: Safe,
    app: App,
    group: Safe,
    version: Safe,
    kind: Safe,
    namespace: Safe,
    name: Safe,
    #[serde(flatten)]
    sent: Option<Sent>,
    outcome: Outcome,
    message: Safe,
    before: Option<Seen>,
    after: Option<Seen>,
}

#[derive(Debug, Serialize)]
struct App {
    hub: Safe,
    namespace: Safe,
    name: Safe,
}

/// What only a write has; absent when nothing was sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    verb: Verb,
    cluster_uid: Safe,
    route: Route,
    effect: Safe,
    undo: Safe,
    note: Option<Safe>,
}

impl From<Entry> for Item {
    fn from(entry: Entry) -> Self {
        let target = &entry.target;
        let safe = |text: &String| Safe::new(text);
        Self {
            seq: entry.seq,
            at: entry.at,
            ended_at: entry.ended_at,
            run: safe(&entry.run),
            operator: safe(&entry.who.operator),
            identity: safe(&entry.who.identity),
            cluster: safe(&target.cluster),
            app: App {
                hub: safe(&target.hub),
                namespace: safe(&target.app_namespace),
                name: safe(&target.app),
            },
            group: safe(&target.group),
            version: safe(&target.version),
            kind: safe(&target.object_kind),
            namespace: safe(&target.namespace),
            name: safe(&target.name),
            sent: entry.sent.as_ref().map(|sent| Sent {
                verb: sent.verb,
                cluster_uid: safe(&sent.cluster_uid),
                route: sent.route,
                effect: safe(&sent.effect),
                undo: safe(&sent.undo),
                note: sent.note.as_ref().map(safe),
            }),
            outcome: entry.outcome,
            message: safe(&entry.message),
            before: entry.before,
            after: entry.after,
        }
    }
}

/// `driftdeck journal`: status 0, or 2 when the journal is not what was written; it is printed all the same.
///
/// # Errors
/// The journal cannot be read, or the form is one that only pictures have.
pub(crate) fn list(state: &Path, form: Form, at: Timestamp) -> Result<Listed, String> {
    let Read { lines, tampered } = journal::read(state).map_err(|e| e.to_string())?;
    let list = JournalList {
        api_version: "driftdeck/v1",
        kind: "JournalList",
        generated_at: at,
        partial: false,
        unreachable: [],
        unjudged: [],
        tampered: tampered.map(|t| Safe::from(t.to_string())),
        items: journal::entries(&lines)
            .into_iter()
            .map(Item::from)
            .collect(),
    };
    Ok(Listed {
        text: list.text(form)?,
        status: if list.tampered.is_some() { 2 } else { 0 },
    })
}

/// `driftdeck journal --verify`.
///
/// # Errors
/// The journal cannot be read, or is not what was written: file, line and what is wrong.
pub(crate) fn verify(state: &Path) -> Result<String, String> {
    match journal::verify(state).map_err(|e| e.to_string())? {
        0 => Ok("The journal is empty.".to_owned()),
        lines => Ok(format!(
            "The journal is what was written: {lines} lines, each chained to the one before."
        )),
    }
}

impl JournalList {
    fn text(&self, form: Form) -> Result<String, String> {
        match form {
            Form::Json => print::json(self),
            Form::Yaml => print::yaml(self),
            Form::Csv => Ok(self.table(true).csv()),
            Form::Name => Ok(self
                .items
                .iter()
                .map(|i| i.run.to_string() + "\n")
                .collect()),
            Form::Table | Form::Text => Ok(self.columns(false)),
            Form::Wide => Ok(self.columns(true)),
            Form::Ansi | Form::Svg | Form::Png | Form::Cast => Err(
                "This form is for pictures; use -o table, wide, json, yaml, csv or name."
                    .to_owned(),
            ),
        }
    }

    fn columns(&self, wide: bool) -> String {
        let mut text = if self.items.is_empty() {
            "Nothing was changed from this machine.\n".to_owned()
        } else {
            self.table(wide).text()
        };
        let open = self.items.iter().filter(|i| i.ended_at.is_none()).count();
        // Writing to a String cannot fail.
        if open > 0 {
            let _ = writeln!(text, "{open} {UNFINISHED}");
        }
        if let Some(tampered) = &self.tampered {
            let _ = writeln!(text, "{tampered}");
        }
        text
    }

    fn table(&self, wide: bool) -> Table {
        let narrow = [
            "TIME", "RUN", "WHO", "CLUSTER", "OBJECT", "EFFECT", "OUTCOME",
        ];
        let more = ["ROUTE", "IDENTITY", "NOTE", "UNDO", "MESSAGE"];
        let heads: Vec<&'static str> = narrow
            .into_iter()
            .chain(more.into_iter().filter(|_| wide))
            .collect();
        let mut table = Table::new(&heads);
        for item in &self.items {
            let mut cells = item.narrow();
            if wide {
                cells.extend(item.more());
            }
            table.row(cells);
        }
        table
    }
}

impl Item {
    fn object(&self) -> Safe {
        if self.namespace.is_empty() {
            format!("{} {}", self.kind, self.name).into()
        } else {
            format!("{} {}/{}", self.kind, self.namespace, self.name).into()
        }
    }

    fn of_sent(&self, part: impl Fn(&Sent) -> Safe) -> Safe {
        self.sent.as_ref().map_or(Safe::fixed("-"), part)
    }

    fn narrow(&self) -> Vec<Safe> {
        vec![
            self.at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string().into(),
            self.run.clone(),
            self.operator.clone(),
            self.cluster.clone(),
            self.object(),
            self.of_sent(|s| s.effect.clone()),
            Safe::fixed(self.outcome.word()),
        ]
    }

    fn more(&self) -> Vec<Safe> {
        vec![
            self.of_sent(|s| s.route.to_string().into()),
            self.identity.clone(),
            self.of_sent(|s| s.note.clone().unwrap_or(Safe::fixed("-"))),
            self.of_sent(|s| s.undo.clone()),
            self.message.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::journal::{Ended, Intent, Journal, Operator, Record, Target};

    fn at() -> Timestamp {
        "2026-11-21T02:14:07Z".parse().unwrap()
    }

    fn target() -> Target {
        let text = str::to_owned;
        Target {
            cluster: text("edge-oslo-003"),
            hub: text("hub-1"),
            app_kind: crate::domain::AppKind::Application,
            app_namespace: text("argocd"),
            app: text("edge-microservice"),
            group: text("apps"),
            version: text("v1"),
            object_kind: text("Deployment"),
            namespace: text("edge"),
            name: text("edge-microservice"),
        }
    }

    fn who() -> Operator {
        Operator {
            operator: "alice@jumphost".to_owned(),
            identity: "edge-admin".to_owned(),
        }
    }

    fn intent(effect: &str) -> Record {
        Record::Intent(Box::new(Intent {
            run: "20261121T021407Z-0000002a".to_owned(),
            verb: Verb::Revert,
            who: who(),
            cluster_uid: "uid".to_owned(),
            target: target(),
            route: Route::Direct,
            effect: effect.to_owned(),
            before: None,
            undo: "undo/20261121T021407Z-0000002a/0.json".to_owned(),
            note: Some("INC-4711".to_owned()),
        }))
    }

    fn outcome(intent: Option<u64>, outcome: Outcome) -> Record {
        Record::Outcome(Box::new(Ended {
            run: "20261121T021407Z-0000002a".to_owned(),
            intent,
            who: who(),
            target: target(),
            outcome,
            message: "the cluster shows the wanted state".to_owned(),
            before: None,
            after: None,
        }))
    }

    fn written(records: Vec<Record>) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        Journal::open(dir.path(), |key| key.fill(7))
            .unwrap()
            .append(at(), records)
            .unwrap();
        dir
    }

    #[test]
    fn an_intent_and_its_outcome_are_one_row() {
        let dir = written(vec![
            intent("spec.replicas 1→3"),
            outcome(Some(1), Outcome::Reverted),
        ]);
        let listed = list(dir.path(), Form::Table, at()).unwrap();
        assert_eq!(listed.status, 0);
        assert_eq!(
            listed.text,
            "TIME                  RUN                        WHO             CLUSTER        OBJECT                             EFFECT             OUTCOME\n\
             2026-11-21T02:14:07Z  20261121T021407Z-0000002a  alice@jumphost  edge-oslo-003  Deployment edge/edge-microservice  spec.replicas 1→3  reverted\n"
        );
    }

    #[test]
    fn a_write_without_an_outcome_is_unknown_and_said() {
        let dir = written(vec![intent("spec.replicas 1→3")]);
        let text = list(dir.path(), Form::Wide, at()).unwrap().text;
        assert!(text.contains("unknown, verify"), "{text}");
        assert!(text.contains("1 write(s) have no outcome"), "{text}");
    }

    #[test]
    fn the_document_names_run_target_and_both_ends() {
        let dir = written(vec![
            intent("spec.replicas 1→3"),
            outcome(Some(1), Outcome::Reverted),
            outcome(None, Outcome::Refused),
        ]);
        let json: serde_json::Value =
            serde_json::from_str(&list(dir.path(), Form::Json, at()).unwrap().text).unwrap();
        assert_eq!(
            (&json["kind"], &json["tampered"]),
            (&"JournalList".into(), &serde_json::Value::Null)
        );
        let [sent, unsent] = &json["items"].as_array().unwrap()[..] else {
            panic!("{json}")
        };
        assert_eq!(
            (
                &sent["route"],
                &sent["outcome"],
                &sent["kind"],
                &sent["app"]["name"]
            ),
            (
                &"direct".into(),
                &"reverted".into(),
                &"Deployment".into(),
                &"edge-microservice".into()
            )
        );
        assert_eq!(
            (unsent.get("route"), &unsent["outcome"]),
            (None, &"refused".into())
        );
    }

    #[test]
    fn hostile_text_is_made_visible() {
        let dir = written(vec![intent("data.x a→\u{1b}[31mred")]);
        assert!(
            !list(dir.path(), Form::Table, at())
                .unwrap()
                .text
                .contains('\u{1b}')
        );
    }

    #[test]
    fn a_tampered_journal_is_printed_with_status_2_and_fails_verification() {
        let dir = written(vec![
            intent("spec.replicas 1→3"),
            outcome(Some(1), Outcome::Reverted),
        ]);
        let file = dir.path().join("journal/2026-11.jsonl");
        std::fs::write(
            &file,
            std::fs::read_to_string(&file)
                .unwrap()
                .replace("alice", "mallory"),
        )
        .unwrap();
        let listed = list(dir.path(), Form::Table, at()).unwrap();
        assert_eq!(listed.status, 2);
        assert!(
            listed
                .text
                .contains("The journal was changed or damaged: 2026-11.jsonl, line 2"),
            "{}",
            listed.text
        );
        assert!(
            verify(dir.path())
                .unwrap_err()
                .contains("changed or damaged")
        );
    }

    #[test]
    fn an_empty_journal_says_so() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(
            list(dir.path(), Form::Table, at()).unwrap().text,
            "Nothing was changed from this machine.\n"
        );
        assert_eq!(verify(dir.path()).unwrap(), "The journal is empty.");
    }
}

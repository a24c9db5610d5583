//! The journal against crashes, full disks, hostile files and tampering.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;

use super::*;
use crate::ops::fixtures::target;
use serde_json::json;

fn now() -> Timestamp {
    "2026-11-21T02:14:07Z".parse().unwrap()
}

fn open(state: &Path) -> Journal {
    Journal::open(state, |key| key.fill(7)).unwrap()
}

fn name() -> Target {
    let target = target();
    (&TargetName {
        cluster: target.cluster,
        app: target.app.id.clone(),
        object: target.object,
    })
        .into()
}

fn who() -> Operator {
    Operator {
        operator: "alice@jumphost".to_owned(),
        identity: "edge-admin".to_owned(),
    }
}

fn intent(run: &str) -> Record {
    Record::Intent(Box::new(Intent {
        run: run.to_owned(),
        verb: Verb::Revert,
        who: who(),
        cluster_uid: "kube-system-uid".to_owned(),
        target: name(),
        route: Route::Direct,
        effect: "spec.replicas 1→3".to_owned(),
        before: Some(Seen {
            resource_version: "881204".to_owned(),
            hash: "ab".to_owned(),
            differs: 1,
        }),
        undo: "undo/r1/0.json".to_owned(),
        note: Some("INC-4711".to_owned()),
    }))
}

fn outcome(run: &str, intent: Option<u64>) -> Record {
    Record::Outcome(Box::new(Ended {
        run: run.to_owned(),
        intent,
        who: who(),
        target: name(),
        outcome: Outcome::Reverted,
        message: "ok".to_owned(),
        before: None,
        after: None,
    }))
}

fn file(state: &Path) -> PathBuf {
    state.join("journal/2026-11.jsonl")
}

#[test]
fn lines_come_back_as_they_were_written() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let first = journal.append(now(), vec![intent("r1")]).unwrap();
    assert_eq!(first, 1);
    journal
        .append(now(), vec![outcome("r1", Some(first))])
        .unwrap();
    let read = read(dir.path()).unwrap();
    assert_eq!(read.tampered, None);
    assert_eq!(
        read.lines
            .iter()
            .map(|l| l.record.clone())
            .collect::<Vec<_>>(),
        [intent("r1"), outcome("r1", Some(1))]
    );
    assert_eq!(verify(dir.path()).unwrap(), 2);
}

#[test]
fn a_line_names_who_when_where_what_and_both_hashes() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(now(), vec![intent("r1")]).unwrap();
    let line: serde_json::Value =
        serde_json::from_slice(fs::read(file(dir.path())).unwrap().trim_ascii_end()).unwrap();
    assert_eq!(line["kind"], "intent");
    assert_eq!(line["operator"], "alice@jumphost");
    assert_eq!(line["identity"], "edge-admin");
    assert_eq!(line["at"], "2026-11-21T02:14:07Z");
    assert_eq!(line["clusterUid"], "kube-system-uid");
    assert_eq!(
        (&line["cluster"], &line["objectKind"]),
        (&json!("edge-oslo-003"), &json!("Deployment"))
    );
    assert_eq!(line["before"]["hash"], "ab");
    assert_eq!(line["prev"], chain::GENESIS);
}

#[test]
fn files_are_for_their_owner_only() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(now(), vec![intent("r1")]).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(&dir.path().join("journal")), 0o700);
    for name in ["2026-11.jsonl", "head", "key", "lock"] {
        assert_eq!(
            mode(&dir.path().join("journal").join(name)),
            0o600,
            "{name}"
        );
    }
}

#[test]
fn the_chain_goes_on_across_processes_and_months() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).append(now(), vec![intent("r1")]).unwrap();
    let december = "2026-12-01T00:00:00Z".parse().unwrap();
    open(dir.path())
        .append(december, vec![intent("r2")])
        .unwrap();
    // The clock goes back: the line still comes after the newest one.
    open(dir.path()).append(now(), vec![intent("r3")]).unwrap();
    assert_eq!(verify(dir.path()).unwrap(), 3);
    assert_eq!(chain::files(&dir.path().join("journal")).unwrap().len(), 2);
}

#[test]
fn two_at_once_take_turns() {
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path();
    std::thread::scope(|threads| {
        for run in ["a", "b", "c", "d"] {
            threads.spawn(move || {
                let journal = open(state);
                for _ in 0..10 {
                    journal
                        .append(now(), vec![intent(run), outcome(run, None)])
                        .unwrap();
                }
            });
        }
    });
    assert_eq!(verify(state).unwrap(), 80);
}

#[test]
fn every_changed_byte_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    for run in ["r1", "r2", "r3"] {
        journal.append(now(), vec![intent(run)]).unwrap();
    }
    let whole = fs::read(file(dir.path())).unwrap();
    for at in 0..whole.len() {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        fs::write(file(dir.path()), &changed).unwrap();
        assert!(
            verify(dir.path()).is_err(),
            "byte {at}: {}",
            String::from_utf8_lossy(&changed)
        );
    }
    fs::write(file(dir.path()), &whole).unwrap();
    assert_eq!(verify(dir.path()).unwrap(), 3);
}

#[test]
fn removed_swapped_and_cut_off_lines_are_found() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    for run in ["r1", "r2", "r3"] {
        journal.append(now(), vec![intent(run)]).unwrap();
    }
    let whole = fs::read_to_string(file(dir.path())).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    for kept in [&[0, 2][..], &[1, 2], &[0, 1], &[0, 2, 1], &[]] {
        let text: String = kept.iter().flat_map(|i| [lines[*i], "\n"]).collect();
        fs::write(file(dir.path()), text).unwrap();
        assert!(verify(dir.path()).is_err(), "{kept:?}");
    }
    fs::remove_file(file(dir.path())).unwrap();
    assert!(
        verify(dir.path())
            .unwrap_err()
            .to_string()
            .contains("lines are missing")
    );
}

#[test]
fn a_tampered_line_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal
        .append(now(), vec![intent("r1"), intent("r2"), intent("r3")])
        .unwrap();
    let changed = fs::read_to_string(file(dir.path()))
        .unwrap()
        .replacen("r2", "rX", 1);
    fs::write(file(dir.path()), changed).unwrap();
    let error = verify(dir.path()).unwrap_err().to_string();
    assert!(error.contains("2026-11.jsonl, line 3"), "{error}");
}

#[test]
fn a_line_cut_by_a_crash_is_no_accusation_and_the_chain_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append(now(), vec![intent("r1")]).unwrap();
    let mut torn = fs::OpenOptions::new()
        .append(true)
        .open(file(dir.path()))
        .unwrap();
    torn.write_all(br#"{"seq":2,"prev":"ab"#).unwrap();
    assert_eq!(verify(dir.path()).unwrap(), 1);
    let seq = journal.append(now(), vec![intent("r2")]).unwrap();
    assert_eq!(seq, 3, "line 2 tells of the cut");
    assert_eq!(verify(dir.path()).unwrap(), 3);
    assert_eq!(read(dir.path()).unwrap().lines[1].record, Record::Cut);
}

#[test]
fn a_cut_line_at_the_start_of_a_month_keeps_the_count() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    journal.append(now(), vec![intent("r1")]).unwrap();
    fs::write(dir.path().join("journal/2026-12.jsonl"), b"{\"se").unwrap();
    assert_eq!(journal.append(now(), vec![intent("r2")]).unwrap(), 3);
    assert_eq!(verify(dir.path()).unwrap(), 3);
}

#[test]
fn an_intent_without_an_outcome_is_unfinished() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let done = journal.append(now(), vec![intent("r1")]).unwrap();
    let killed = journal.append(now(), vec![intent("r1")]).unwrap();
    journal
        .append(now(), vec![outcome("r1", Some(done)), outcome("r1", None)])
        .unwrap();
    let lines = read(dir.path()).unwrap().lines;
    assert_eq!(
        unfinished(&lines).iter().map(|l| l.seq).collect::<Vec<_>>(),
        [killed]
    );
}

#[test]
fn a_journal_that_was_never_written_is_empty_and_sound() {
    let dir = tempfile::tempdir().unwrap();
    assert!(read(dir.path()).unwrap().lines.is_empty());
    open(dir.path());
    assert_eq!(verify(dir.path()).unwrap(), 0);
}

#[test]
fn a_full_disk_is_an_error() {
    let mut full = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap();
    assert!(chain::write_whole(&mut full, b"{}\n").is_err());
}

#[test]
fn a_journal_that_cannot_be_written_says_so_in_one_sentence_with_the_next_step() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("journal"), "").unwrap();
    let error = Journal::open(dir.path(), |_| ()).unwrap_err().to_string();
    assert!(
        error.starts_with("The journal cannot be written, so nothing is sent:"),
        "{error}"
    );
    assert!(
        error.contains("/journal:") && error.ends_with("then plan again."),
        "{error}"
    );
}

#[test]
fn a_month_file_that_is_a_symlink_or_a_folder_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    std::os::unix::fs::symlink("/dev/full", file(dir.path())).unwrap();
    assert!(journal.append(now(), vec![intent("r1")]).is_err());
    fs::remove_file(file(dir.path())).unwrap();
    fs::create_dir(file(dir.path())).unwrap();
    assert!(journal.append(now(), vec![intent("r1")]).is_err());
}

#[test]
fn nothing_is_chained_to_a_newest_line_that_is_not_ours() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    fs::write(file(dir.path()), "not a line\n").unwrap();
    let error = journal.append(now(), vec![intent("r1")]).unwrap_err();
    assert!(matches!(error, JournalError::Tampered(_)), "{error}");
}

#[test]
fn the_hash_of_a_secret_is_keyed_and_that_of_anything_else_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let journal = open(dir.path());
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg=="}});
    assert_ne!(
        journal.hash(&secret),
        content::hash(&content::content(&secret))
    );
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"LOG_LEVEL": "info"}});
    assert_eq!(journal.hash(&map), content::hash(&content::content(&map)));
}

#[test]
fn the_key_stays_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let secret =
        json!({"apiVersion": "v1", "kind": "Secret", "data": {"password": "aHVudGVyMg=="}});
    let first = open(dir.path()).hash(&secret);
    let again = Journal::open(dir.path(), |key| key.fill(9))
        .unwrap()
        .hash(&secret);
    assert_eq!(first, again);
}

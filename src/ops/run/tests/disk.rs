//! What is on disk when: intents before writes, saved objects, outcomes; and that nothing is sent without.

use super::*;
use crate::ops::undo;
use pretty_assertions::assert_eq;

#[tokio::test]
async fn the_journal_tells_who_what_and_how_it_ended() {
    let bench = bench();
    bench.run_direct(|_| ()).await;
    let lines = bench.lines();
    let [Record::Intent(intent), Record::Outcome(ended)] =
        &lines.iter().map(|l| l.record.clone()).collect::<Vec<_>>()[..]
    else {
        panic!("{lines:?}")
    };
    assert_eq!(
        (intent.who.operator.as_str(), intent.who.identity.as_str()),
        ("alice@jumphost", "admin-of-edge-oslo-003")
    );
    assert_eq!(
        (
            intent.cluster_uid.as_str(),
            intent.route,
            intent.effect.as_str()
        ),
        ("uid-of-edge-oslo-003", Route::Direct, "spec.replicas 1→3")
    );
    assert_eq!(
        (intent.note.as_deref(), intent.undo.as_str()),
        (Some("INC-4711"), "undo/20261121T021407Z-0000002a/0.json")
    );
    assert_eq!((ended.intent, ended.outcome), (Some(1), Outcome::Reverted));
    assert_eq!(intent.before, ended.before);
    assert!(journal::unfinished(&lines).is_empty());
}

#[tokio::test]
async fn intent_and_saved_object_are_on_disk_before_the_write_leaves() {
    let bench = bench();
    let state = bench.state.path().to_owned();
    let seen = Arc::new(Mutex::new(None));
    let noted = Arc::clone(&seen);
    let watch = is_patch(DEPLOYMENT);
    bench.edge.fault(
        move |r| {
            if watch(r) {
                let lines = journal::read(&state).unwrap().lines.len();
                *noted.lock() = Some((
                    lines,
                    undo::load(&state, "20261121T021407Z-0000002a").unwrap(),
                ));
            }
            false
        },
        Fault::LostBefore,
    );
    bench.run_direct(|_| ()).await;
    let (lines, saved) = seen.lock().take().unwrap();
    assert_eq!(lines, 1);
    let undo::Was::Present { object } = &saved[0].state else {
        panic!()
    };
    assert_eq!(object["spec"]["replicas"], 1);
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_sends_nothing() {
    let bench = bench();
    let month = bench.state.path().join("journal/2026-11.jsonl");
    let run = bench
        .run_direct(|_| std::fs::create_dir(&month).unwrap())
        .await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Refused);
    assert!(
        message.starts_with("The journal cannot be written, so nothing is sent:"),
        "{message}"
    );
    assert_eq!((bench.edge.writes(), exit_status(&run)), (vec![], 2));
    assert!(run.stopped.is_some());
}

#[tokio::test]
async fn a_live_object_that_cannot_be_saved_sends_nothing() {
    let bench = bench();
    std::fs::write(bench.state.path().join("undo"), "").unwrap();
    let run = bench.run_direct(|_| ()).await;
    assert!(
        only(&run).1.contains("could not be saved first"),
        "{}",
        only(&run).1
    );
    assert_eq!((bench.edge.writes(), exit_status(&run)), (vec![], 2));
}

#[tokio::test]
async fn an_outcome_that_cannot_be_journaled_is_said_and_stays_open_in_the_journal() {
    let bench = bench();
    let file = bench.state.path().join("journal/2026-11.jsonl");
    let patch = is_patch(DEPLOYMENT);
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let lines = file.clone();
    bench.edge.fault(
        move |r| {
            if patch(r) {
                *keep.lock() = Some(std::fs::read(&lines).unwrap());
                std::fs::remove_file(&lines).unwrap();
                std::fs::create_dir(&lines).unwrap();
            }
            false
        },
        Fault::LostBefore,
    );
    let run = bench.run_direct(|_| ()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Reverted,
            "the cluster shows the wanted state (this outcome could not be journaled)"
        )
    );
    std::fs::remove_dir(&file).unwrap();
    std::fs::write(&file, kept.lock().take().unwrap()).unwrap();
    assert_eq!(journal::unfinished(&bench.lines()).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_between_intent_and_outcome_is_found_at_the_next_start() {
    let mut bench = bench();
    let approved = bench.approved(&direct(vec![target()])).await;
    let context = bench.context.clone();
    {
        let running = run(approved, context);
        tokio::pin!(running);
        loop {
            tokio::select! {
                biased;
                event = bench.events.recv() => if matches!(event, Some(RunEvent::Started(_))) { break },
                _ = &mut running => panic!("it ended before it was killed"),
            }
        }
    }
    let lines = bench.lines();
    assert_eq!(
        journal::unfinished(&lines)
            .iter()
            .map(|l| l.seq)
            .collect::<Vec<_>>(),
        [1]
    );
}

#[tokio::test]
async fn a_run_is_undone_from_what_it_saved() {
    let bench = bench();
    let run = bench.run(&direct(vec![target()])).await;
    let after = run
        .outcomes
        .iter()
        .enumerate()
        .filter_map(|(i, o)| Some((i, o.after.clone()?)))
        .collect();
    let saved = undo::load(bench.state.path(), &run.id).unwrap();
    let request = undo::UndoRequest {
        run: run.id,
        saved,
        after,
        note: None,
        waves: crate::ops::WaveSpec::default(),
        guardrail: None,
    };
    let again = crate::ops::PlanContext {
        id: "20261121T021500Z-0000002b".to_owned(),
        ..crate::ops::fixtures::context()
    };
    let plan = undo::plan_undo(&request, &bench.fleet, &again).await;
    let yes = Confirmation::of(&plan, None);
    let approved = approve(
        plan,
        Some(&yes),
        WriteMode::Write,
        &bench.fleet,
        Duration::from_secs(5),
    )
    .await
    .unwrap();
    let undone = crate::ops::run(approved, bench.context.clone()).await;
    assert_eq!(
        (only(&undone).0, undone.verb),
        (Outcome::Reverted, crate::ops::Verb::Undo)
    );
    assert_eq!(
        bench.edge.object(DEPLOYMENT).unwrap()["spec"]["replicas"],
        1
    );
    assert_eq!(bench.lines().len(), 4);
}

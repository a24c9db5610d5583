//! Many targets: waves, how many at a time, and when it stops.

use super::*;
use crate::ops::RevertTarget;

struct Many {
    bench: Bench,
    servers: Vec<FakeServer>,
    request: RevertRequest,
}

fn many(count: usize, waves: &str) -> Many {
    let mut bench = bench();
    let mut targets = Vec::new();
    let mut servers = Vec::new();
    for n in 0..count {
        let name = format!("edge-oslo-{n:03}");
        let server = FakeServer::with(&[(DEPLOYMENT, live_deployment())]);
        bench
            .fleet
            .servers
            .insert(name.as_str().into(), server.clone());
        servers.push(server);
        targets.push(RevertTarget {
            cluster: name.as_str().into(),
            ..target()
        });
    }
    bench.context.clusters = Arc::new(bench.fleet.clone());
    let request = RevertRequest {
        waves: waves.parse().unwrap(),
        ..direct(targets)
    };
    Many {
        bench,
        servers,
        request,
    }
}

fn words(run: &Run) -> Vec<&str> {
    run.outcomes.iter().map(|o| o.outcome.word()).collect()
}

fn break_writes(server: &FakeServer) {
    server.fault(
        is_patch(DEPLOYMENT),
        Fault::Status(403, "Forbidden", "no".to_owned()),
    );
}

#[tokio::test]
async fn every_target_is_written_once_and_ends_once() {
    let many = many(12, "1,25%,rest");
    let run = many.bench.run(&many.request).await;
    assert_eq!((run.count(Outcome::Reverted), exit_status(&run)), (12, 0));
    assert!(many.servers.iter().all(|s| s.writes().len() == 1));
    assert_eq!(many.bench.lines().len(), 24);
}

#[tokio::test]
async fn a_wave_begins_only_when_the_one_before_it_ended() {
    let mut many = many(4, "1,1,rest");
    many.bench.run(&many.request).await;
    let mut story = Vec::new();
    while let Ok(event) = many.bench.events.try_recv() {
        match event {
            RunEvent::WaveStarted(n) => story.push(format!("w{n}")),
            RunEvent::Ended(n, _) => story.push(format!("e{n}")),
            _ => {}
        }
    }
    assert_eq!(story[..5], ["w0", "e0", "w1", "e1", "w2"]);
}

#[tokio::test]
async fn a_first_wave_that_fails_is_the_last() {
    let many = many(3, "1,rest");
    let approved = many.bench.approved(&many.request).await;
    break_writes(&many.servers[0]);
    let run = run(approved, many.bench.context.clone()).await;
    assert_eq!(words(&run), ["refused", "refused", "refused"]);
    assert_eq!(
        run.stopped.as_ref().unwrap().as_str(),
        "nothing in wave 1 went well"
    );
    assert_eq!(
        run.outcomes[1].message.as_str(),
        "not sent: the run was stopped because nothing in wave 1 went well"
    );
    assert_eq!((many.servers[1].writes(), exit_status(&run)), (vec![], 3));
}

#[tokio::test]
async fn it_stops_after_the_given_number_of_bad_endings() {
    let mut many = many(6, "rest");
    many.bench.context.max_in_flight = 1;
    many.bench.context.stop_after = Some(2);
    let approved = many.bench.approved(&many.request).await;
    break_writes(&many.servers[1]);
    break_writes(&many.servers[2]);
    let run = run(approved, many.bench.context.clone()).await;
    assert_eq!(run.count(Outcome::Reverted), 1);
    assert_eq!(
        run.stopped.as_ref().unwrap().as_str(),
        "2 target(s) ended badly"
    );
    assert!(many.servers[3..].iter().all(|s| s.writes().is_empty()));
    assert_eq!(run.outcomes.len(), 6, "every target has its outcome");
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_given_number_is_in_flight() {
    let mut many = many(9, "rest");
    for server in &many.servers {
        server.world(|w| w.delay = Duration::from_secs(1));
    }
    many.bench.context.max_in_flight = 3;
    let approved = many.bench.approved(&many.request).await;
    let _ = run(approved, many.bench.context.clone()).await;
    let (mut flying, mut most) = (0_i32, 0);
    while let Ok(event) = many.bench.events.try_recv() {
        match event {
            RunEvent::Started(_) => flying += 1,
            RunEvent::Ended(..) => flying -= 1,
            _ => {}
        }
        most = most.max(flying);
    }
    assert_eq!(most, 3);
}

#[tokio::test]
async fn skipped_targets_are_refused_or_unchanged_and_never_written() {
    let many = many(3, "rest");
    let mut request = many.request.clone();
    request.targets[1].link = crate::domain::LinkState::Stale;
    let settled = crate::domain::Verdict::default();
    request.targets[2].verdict = Arc::new(settled);
    let run = many.bench.run(&request).await;
    assert_eq!(words(&run), ["reverted", "refused", "unchanged"]);
    assert_eq!(exit_status(&run), 3);
    assert!(many.servers[1].writes().is_empty() && many.servers[2].writes().is_empty());
}

#[tokio::test]
async fn a_cancelled_run_sends_nothing_more() {
    let mut many = many(3, "1,rest");
    many.bench.context.max_in_flight = 1;
    let cancel = many.bench.context.cancel.clone();
    let approved = many.bench.approved(&many.request).await;
    let patch = is_patch(DEPLOYMENT);
    many.servers[0].fault(
        move |r| {
            if patch(r) {
                cancel.cancel();
            }
            false
        },
        Fault::LostBefore,
    );
    let run = run(approved, many.bench.context.clone()).await;
    assert_eq!(words(&run), ["reverted", "refused", "refused"]);
    assert_eq!(
        run.outcomes[2].message.as_str(),
        "not sent: the run was stopped because it was cancelled"
    );
}

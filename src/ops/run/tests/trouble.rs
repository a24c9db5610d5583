//! Direct writes that meet somebody else, a lost answer or a failing server: sent once, and told as it is.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;
use crate::domain::Safe;
use pretty_assertions::assert_eq;

#[tokio::test]
async fn an_object_edited_since_the_plan_is_not_touched_and_the_editor_is_named() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.world(|w| {
                edit(
                    w.objects.get_mut(DEPLOYMENT).unwrap(),
                    "kubectl-edit",
                    7,
                    "881300",
                );
            });
        })
        .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "not sent: the object was changed since the plan by kubectl-edit (Update) at 2026-11-21T02:14:08Z; plan again"
        )
    );
    assert_eq!((bench.edge.writes(), exit_status(&run)), (vec![], 2));
    assert!(matches!(&bench.lines()[0].record, Record::Outcome(e) if e.intent.is_none()));
}

#[tokio::test]
async fn a_change_of_the_status_only_does_not_stop_the_revert() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.world(|w| {
                let live = w.objects.get_mut(DEPLOYMENT).unwrap();
                live["status"]["readyReplicas"] = json!(0);
                live["metadata"]["resourceVersion"] = json!("881400");
            });
        })
        .await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    assert_eq!(
        bench.edge.writes()[0].body["metadata"]["resourceVersion"],
        "881400"
    );
}

#[tokio::test]
async fn an_object_made_anew_is_not_touched() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.world(|w| {
                w.objects.get_mut(DEPLOYMENT).unwrap()["metadata"]["uid"] = json!("deploy-uid-2");
            });
        })
        .await;
    assert_eq!(
        (only(&run).0, bench.edge.writes()),
        (Outcome::Refused, vec![])
    );
}

#[tokio::test]
async fn an_object_put_back_by_somebody_else_is_unchanged() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.world(|w| {
                edit(
                    w.objects.get_mut(DEPLOYMENT).unwrap(),
                    "argocd-controller",
                    3,
                    "881300",
                );
            });
        })
        .await;
    assert_eq!(only(&run), (Outcome::Unchanged, "it is as wanted already"));
    assert_eq!((bench.edge.writes(), exit_status(&run)), (vec![], 0));
}

#[tokio::test]
async fn losing_the_race_at_the_server_is_refused_and_the_winner_is_named() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            // The edit lands between our last look and our write.
            b.edge.fault(
                is_patch(DEPLOYMENT),
                Fault::Status(409, "Conflict", "the object has been modified".to_owned()),
            );
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, |w| {
                edit(
                    w.objects.get_mut(DEPLOYMENT).unwrap(),
                    "kubectl-edit",
                    7,
                    "881300",
                );
            });
        })
        .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "somebody was faster: kubectl-edit (Update) at 2026-11-21T02:14:08Z; plan again"
        )
    );
    assert_eq!((bench.edge.writes().len(), exit_status(&run)), (1, 3));
}

/// A conflict for the first so many patches of the Deployment, as from a controller that wrote its status a moment before each.
fn a_moving_status(bench: &Bench, times: usize) {
    let met = AtomicUsize::new(0);
    bench.edge.fault(
        move |seen| is_patch(DEPLOYMENT)(seen) && met.fetch_add(1, Ordering::Relaxed) < times,
        Fault::Status(409, "Conflict", "the object has been modified".to_owned()),
    );
}

#[tokio::test]
async fn a_status_written_meanwhile_does_not_lose_the_race() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            a_moving_status(b, 2);
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, |w| {
                let live = w.objects.get_mut(DEPLOYMENT).unwrap();
                live["metadata"]["resourceVersion"] = json!("881300");
                live["status"]["readyReplicas"] = json!(1);
            });
        })
        .await;
    assert_eq!(only(&run).0, Outcome::Reverted, "{run:#?}");
    let versions: Vec<Value> = bench.edge.writes().into_iter().map(version_held).collect();
    assert_eq!(versions.len(), 3);
    assert_ne!(versions[0], versions[1]);
    assert_eq!(versions[1..], [json!("881300"), json!("881300")]);
}

fn version_held(write: crate::ops::fake::Seen) -> Value {
    write.body["metadata"]["resourceVersion"].clone()
}

#[tokio::test]
async fn a_status_that_never_rests_is_refused_and_nobody_is_blamed() {
    let bench = bench();
    let run = bench.run_direct(|b| a_moving_status(b, usize::MAX)).await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Refused);
    assert!(
        message.starts_with("its status changes faster"),
        "{message}"
    );
    assert_eq!((bench.edge.writes().len(), exit_status(&run)), (5, 3));
}

#[tokio::test]
async fn a_lost_answer_is_unknown_read_again_and_never_sent_twice() {
    let bench = bench();
    let run = bench
        .run_direct(|b| b.edge.fault(is_patch(DEPLOYMENT), Fault::LostAfter))
        .await;
    let (outcome, message) = only(&run);
    assert_eq!(outcome, Outcome::Unknown);
    assert!(
        message
            .contains("Read again, the object is as wanted; whether by this write is not known."),
        "{message}"
    );
    assert_eq!((bench.edge.writes().len(), exit_status(&run)), (1, 3));
    assert_eq!(run.outcomes[0].after.as_ref().unwrap().differs, 0);
}

#[tokio::test]
async fn a_lost_request_is_unknown_and_says_that_nothing_changed_so_far() {
    let bench = bench();
    let run = bench
        .run_direct(|b| b.edge.fault(is_patch(DEPLOYMENT), Fault::LostBefore))
        .await;
    assert_eq!(only(&run).0, Outcome::Unknown);
    assert!(
        only(&run).1.contains("the object has not changed so far"),
        "{}",
        only(&run).1
    );
    assert_eq!(bench.edge.writes().len(), 1);
}

#[tokio::test]
async fn a_cluster_that_goes_dark_after_the_write_is_unknown() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.fault(is_patch(DEPLOYMENT), Fault::LostAfter);
            let dark = Arc::new(Mutex::new(false));
            let patch = is_patch(DEPLOYMENT);
            b.edge.fault(
                move |r| {
                    let mut dark = dark.lock();
                    *dark |= patch(r);
                    *dark && r.method == http::Method::GET
                },
                Fault::LostBefore,
            );
        })
        .await;
    assert_eq!(only(&run).0, Outcome::Unknown);
}

#[tokio::test]
async fn a_failing_server_that_changed_nothing_failed_and_a_timed_out_one_is_unknown() {
    for (code, outcome) in [
        (500, Outcome::Failed),
        (503, Outcome::Failed),
        (504, Outcome::Unknown),
    ] {
        let bench = bench();
        let run = bench
            .run_direct(|b| {
                b.edge.fault(
                    is_patch(DEPLOYMENT),
                    Fault::Status(code, "InternalError", "etcd is busy".to_owned()),
                );
            })
            .await;
        assert_eq!(only(&run).0, outcome, "{code}: {}", only(&run).1);
        assert_eq!(bench.edge.writes().len(), 1, "{code}");
    }
}

#[tokio::test]
async fn a_server_that_says_no_is_a_refusal() {
    for code in [400, 403, 422, 429] {
        let bench = bench();
        let run = bench
            .run_direct(|b| {
                b.edge.fault(
                    is_patch(DEPLOYMENT),
                    Fault::Status(code, "No", "quota exceeded".to_owned()),
                );
            })
            .await;
        assert_eq!(
            only(&run),
            (Outcome::Refused, "the server refused it: quota exceeded"),
            "{code}"
        );
        assert_eq!(
            bench.edge.writes().len(),
            1,
            "not even a throttled write is repeated"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_controller_that_fights_back_is_named() {
    let bench = bench();
    let fight = |w: &mut crate::ops::fake::World| {
        edit(
            w.objects.get_mut(DEPLOYMENT).unwrap(),
            "vpa-updater",
            1,
            "882000",
        );
    };
    let run = bench
        .run_direct(|b| {
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, fight);
        })
        .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Failed,
            "it was accepted, and 1 field(s) differ again; last written by vpa-updater (Update) at 2026-11-21T02:14:08Z"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_stops_watching_and_says_so() {
    let bench = bench();
    let cancel = bench.context.cancel.clone();
    let run = bench
        .run_direct(|b| {
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, move |w| {
                edit(
                    w.objects.get_mut(DEPLOYMENT).unwrap(),
                    "vpa-updater",
                    1,
                    "882000",
                );
                cancel.cancel();
            });
        })
        .await;
    assert_eq!(only(&run).0, Outcome::Unknown);
    assert!(only(&run).1.contains("cancelled"));
}

#[tokio::test]
async fn a_run_whose_screen_is_gone_goes_on() {
    let mut bench = bench();
    bench.events.close();
    let run = bench.run_direct(|_| ()).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    assert_eq!(run.stopped, None::<Safe>);
}

#[tokio::test]
async fn losing_the_race_to_somebody_who_did_the_same_is_no_harm() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.fault(
                is_patch(DEPLOYMENT),
                Fault::Status(409, "Conflict", "the object has been modified".to_owned()),
            );
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, |w| {
                edit(
                    w.objects.get_mut(DEPLOYMENT).unwrap(),
                    "argocd-controller",
                    3,
                    "881300",
                );
            });
        })
        .await;
    assert_eq!(only(&run).0, Outcome::Unchanged);
    assert!(
        only(&run)
            .1
            .starts_with("somebody was faster and left it as wanted: argocd-controller")
    );
}

#[tokio::test]
async fn an_object_that_vanishes_at_the_last_moment_is_refused() {
    let bench = bench();
    let run = bench
        .run_direct(|b| {
            b.edge.fault(
                is_patch(DEPLOYMENT),
                Fault::Status(404, "NotFound", "not found".to_owned()),
            );
            b.edge.before_read(DEPLOYMENT, |_| ());
            b.edge.before_read(DEPLOYMENT, |w| w.objects.clear());
        })
        .await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "somebody was faster: the object is gone; plan again"
        )
    );
}

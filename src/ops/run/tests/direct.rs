//! The direct route: one forced apply with preconditions, or a create, or a delete.

use super::*;
use crate::domain::{DriftState, Safe, Verdict};
use crate::ops::RevertTarget;
use crate::ops::undo;
use pretty_assertions::assert_eq;

#[tokio::test]
async fn a_scaled_deployment_is_put_back_with_one_request() {
    let bench = bench();
    let run = bench.run_direct(|_| ()).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    assert_eq!(exit_status(&run), 0);
    let writes = bench.edge.writes();
    assert_eq!(writes.len(), 1);
    assert_eq!(
        (writes[0].path.as_str(), writes[0].query.as_str()),
        (DEPLOYMENT, "fieldManager=argocd-controller&force=true")
    );
    assert_eq!(writes[0].content_type, "application/apply-patch+yaml");
    let mut body = desired_deployment();
    body["metadata"]["uid"] = json!("deploy-uid-1");
    body["metadata"]["resourceVersion"] = json!("881204");
    assert_eq!(writes[0].body, body);
    assert_eq!(
        bench.edge.object(DEPLOYMENT).unwrap()["spec"]["replicas"],
        3
    );
    assert_eq!(bench.hub.requests(), []);
}

#[tokio::test]
async fn before_and_after_are_told() {
    let bench = bench();
    let run = bench.run_direct(|_| ()).await;
    let (before, after) = (
        run.outcomes[0].before.clone().unwrap(),
        run.outcomes[0].after.clone().unwrap(),
    );
    assert_eq!(
        (before.resource_version.as_str(), before.differs),
        ("881204", 1)
    );
    assert_eq!(
        (after.resource_version.as_str(), after.differs),
        ("900002", 0),
        "the dry run used up a version"
    );
    assert_ne!(before.hash, after.hash);
}

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
        ("alice@jumphost", "edge-admin")
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
async fn the_events_tell_the_story_in_order() {
    let mut bench = bench();
    bench.run_direct(|_| ()).await;
    let mut told = Vec::new();
    while let Ok(event) = bench.events.try_recv() {
        told.push(match event {
            RunEvent::WaveStarted(n) => format!("wave {n}"),
            RunEvent::Started(n) => format!("started {n}"),
            RunEvent::Accepted(n, _) => format!("accepted {n}"),
            RunEvent::Ended(n, end) => format!("ended {n} {}", end.outcome.word()),
            RunEvent::Stopped(why) => format!("stopped {why}"),
            RunEvent::Finished(_) => "finished".to_owned(),
        });
    }
    assert_eq!(
        told,
        [
            "wave 0",
            "started 0",
            "accepted 0",
            "ended 0 reverted",
            "finished"
        ]
    );
}

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
                )
            })
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
                w.objects.get_mut(DEPLOYMENT).unwrap()["metadata"]["uid"] = json!("deploy-uid-2")
            })
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
                )
            })
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
                )
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
                )
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
                )
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
        )
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

fn missing() -> RevertTarget {
    RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Missing],
            ..Verdict::default()
        }),
        uid: "".into(),
        ..target()
    }
}

#[tokio::test]
async fn a_missing_object_is_created_and_saved_as_missing() {
    let bench = bench();
    bench.edge.world(|w| w.objects.clear());
    let run = bench.run(&direct(vec![missing()])).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].method.as_str(),
            writes[0].query.as_str()
        ),
        (1, "POST", "fieldManager=argocd-controller")
    );
    assert_eq!(writes[0].body, desired_deployment());
    assert_eq!(
        undo::load(bench.state.path(), &run.id).unwrap()[0].state,
        undo::Was::Missing
    );
}

#[tokio::test]
async fn an_object_made_by_somebody_else_in_the_meantime_is_not_taken_over() {
    let bench = bench();
    bench.edge.world(|w| w.objects.clear());
    let approved = bench.approved(&direct(vec![missing()])).await;
    bench.edge.before_read(DEPLOYMENT, |_| ());
    bench.edge.fault(
        |r| r.is_write() && r.method == http::Method::POST && r.path.ends_with("deployments"),
        Fault::Status(409, "AlreadyExists", "it exists already".to_owned()),
    );
    bench.edge.before_read(DEPLOYMENT, |w| {
        let mut live = live_deployment();
        edit(&mut live, "kubectl-create", 1, "5");
        w.objects.insert(DEPLOYMENT.to_owned(), live);
    });
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Refused,
            "somebody was faster: kubectl-create (Update) at 2026-11-21T02:14:08Z; plan again"
        )
    );
    assert_eq!(
        bench.edge.object(DEPLOYMENT).unwrap()["spec"]["replicas"],
        1
    );
}

fn pruning() -> RevertRequest {
    let extra = RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Extra],
            ..Verdict::default()
        }),
        desired: None,
        ..target()
    };
    RevertRequest {
        prune: true,
        ..direct(vec![extra])
    }
}

#[tokio::test]
async fn an_extra_object_is_deleted_with_preconditions() {
    let bench = bench();
    let run = bench.run(&pruning()).await;
    assert_eq!(only(&run).0, Outcome::Reverted);
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].method.as_str(),
            writes[0].path.as_str()
        ),
        (1, "DELETE", DEPLOYMENT)
    );
    assert_eq!(
        writes[0].body,
        json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": "Background", "preconditions": {"uid": "deploy-uid-1", "resourceVersion": "881204"}})
    );
    assert_eq!(bench.edge.object(DEPLOYMENT), None);
}

#[tokio::test(start_paused = true)]
async fn a_delete_that_waits_for_finalizers_is_unknown_and_names_them() {
    let bench = bench();
    bench.edge.world(|w| {
        w.objects.get_mut(DEPLOYMENT).unwrap()["metadata"]["finalizers"] = json!(["edge/hold"])
    });
    let approved = bench.approved(&pruning()).await;
    bench.edge.fault(
        |r| r.is_write() && r.method == http::Method::DELETE,
        Fault::Status(200, "", String::new()),
    );
    let run = run(approved, bench.context.clone()).await;
    assert_eq!(
        only(&run),
        (
            Outcome::Unknown,
            "the delete was accepted, and the object waits for its finalizers: edge/hold"
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

/// The Deployment with one environment variable more than Git has, added by hand.
fn with_added_env(bench: &Bench) -> RevertTarget {
    let env = |names: &[&str]| {
        json!({"containers": [{"name": "app", "image": "registry.example/edge-microservice:1.4.2",
        "env": names.iter().map(|n| json!({"name": n, "value": "1"})).collect::<Vec<_>>()}]})
    };
    let mut desired = desired_deployment();
    desired["spec"]["template"]["spec"] = env(&["LOG_LEVEL"]);
    bench.edge.world(|w| {
        let live = w.objects.get_mut(DEPLOYMENT).unwrap();
        live["spec"]["template"]["spec"] = env(&["LOG_LEVEL", "DEBUG"]);
        live["metadata"]["managedFields"] = json!([{"manager": "kubectl-edit", "operation": "Update", "time": "2026-11-21T01:33:10Z", "fieldsV1":
            {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:env": {"k:{\"name\":\"DEBUG\"}": {".": {}, "f:name": {}, "f:value": {}}}}}}}}}}]);
        // An apply removes nothing that another manager added.
        w.predictions.insert(DEPLOYMENT.to_owned(), json!({"spec": {"template": {"spec": env(&["LOG_LEVEL", "DEBUG"])}}}));
    });
    RevertTarget {
        desired: Some(crate::ops::Unsealed::new(desired)),
        ..target()
    }
}

#[tokio::test]
async fn a_list_entry_that_somebody_added_is_taken_out_in_one_write() {
    let bench = bench();
    let run = bench.run(&direct(vec![with_added_env(&bench)])).await;
    assert_eq!(
        only(&run),
        (Outcome::Reverted, "the cluster shows the wanted state")
    );
    let writes = bench.edge.writes();
    assert_eq!(
        (
            writes.len(),
            writes[0].query.as_str(),
            writes[0].content_type.as_str()
        ),
        (
            1,
            "fieldManager=argocd-controller",
            "application/merge-patch+json"
        )
    );
    assert_eq!(
        writes[0].body,
        json!({
            "metadata": {"uid": "deploy-uid-1", "resourceVersion": "881204"},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "app", "image": "registry.example/edge-microservice:1.4.2", "env": [{"name": "LOG_LEVEL", "value": "1"}]}
            ]}}}
        })
    );
}

#[tokio::test]
async fn what_argo_cd_leaves_in_place_is_said_in_the_plan() {
    let bench = bench();
    let plan = plan(
        &request(vec![with_added_env(&bench)]),
        &bench.fleet,
        &crate::ops::fixtures::context(),
    )
    .await;
    assert_eq!(plan.targets[0].route, Route::Argo);
    assert_eq!(
        plan.targets[0]
            .warnings
            .iter()
            .map(Safe::as_str)
            .collect::<Vec<_>>(),
        [
            "Argo CD's apply leaves what others added (--via direct takes it out): spec.template.spec.containers[name=app].env[name=DEBUG]"
        ]
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

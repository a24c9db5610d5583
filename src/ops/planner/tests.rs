//! Deciding without I/O: what settles a target early, which route it takes, and what the row says.

mod flux;

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::domain::{AutoSync, LinkState, Verdict};
use crate::ops::Guardrail;
use crate::ops::fixtures::*;

fn judged(states: &[DriftState]) -> RevertTarget {
    RevertTarget {
        verdict: Arc::new(Verdict {
            states: states.to_vec(),
            ..verdict()
        }),
        ..target()
    }
}

fn reading() -> Reading {
    Reading {
        place: Place::new(&deployment(), "deployments"),
        live: Some(live_deployment()),
        rehearsal: Rehearsal::Accepted(predicted_deployment()),
        left: Vec::new(),
        patch: None,
        refused: None,
    }
}

fn app_reading() -> AppReading {
    AppReading {
        fresh: Ok(application_json()),
        window: Ok(Window::Open),
        may_patch: Some(true),
    }
}

fn decided(target: &RevertTarget, reading: &Reading, app: &AppReading) -> PlanTarget {
    Case::new(&request(Vec::new()), target, reading, Some(app))
        .decide()
        .row
}

fn why(row: &PlanTarget) -> &str {
    row.skipped.as_ref().map(Safe::as_str).unwrap_or_default()
}

#[test]
fn edited_and_behind_at_once_is_put_back_to_the_deployed_revision() {
    let row = settled_early(
        &request(Vec::new()),
        &judged(&[DriftState::Edited, DriftState::Behind]),
    );
    assert!(row.is_none());
}

#[test]
fn missing_and_behind_at_once_is_not_taken_for_deployed() {
    let missing = RevertTarget {
        verdict: Arc::new(Verdict {
            states: vec![DriftState::Missing, DriftState::Behind],
            ..Verdict::default()
        }),
        ..target()
    };
    assert!(settled_early(&request(Vec::new()), &missing).is_none());
}

#[test]
fn an_application_that_is_being_deleted_is_left_alone() {
    let mut app = application();
    app.deleting = true;
    let target = RevertTarget {
        app: Arc::new(app),
        ..target()
    };
    let row = settled_early(&request(Vec::new()), &target).unwrap();
    assert_eq!(why(&row), "the application is being deleted");
}

#[test]
fn a_frozen_application_and_a_running_operation_go_direct_by_default() {
    let mut frozen = application();
    frozen.skip_reconcile = true;
    let row = decided(
        &RevertTarget {
            app: Arc::new(frozen),
            ..target()
        },
        &reading(),
        &app_reading(),
    );
    assert_eq!(row.route, Route::Direct);
    assert!(
        row.warnings[0].as_str().starts_with(
            "direct, because the application or its cluster is annotated skip-reconcile"
        )
    );
    let mut busy = application_json();
    busy["operation"] = json!({"sync": {}});
    let row = decided(
        &target(),
        &reading(),
        &AppReading {
            fresh: Ok(busy),
            ..app_reading()
        },
    );
    assert_eq!((row.route, row.skipped.is_none()), (Route::Direct, true));
}

#[test]
fn auto_sync_on_a_newer_commit_is_refused_and_not_sent_another_way() {
    let mut app = application_json();
    app["spec"]["syncPolicy"]["automated"] = json!({});
    let moved = RevertTarget {
        target_commit: Some("4c1a9e2f00".into()),
        ..target()
    };
    let row = decided(
        &moved,
        &reading(),
        &AppReading {
            fresh: Ok(app),
            ..app_reading()
        },
    );
    assert!(
        why(&row).starts_with("auto-sync is on and main is at 4c1a9e2f now"),
        "{}",
        why(&row)
    );
}

#[test]
fn an_unreadable_application_is_said() {
    let row = decided(
        &target(),
        &reading(),
        &AppReading {
            fresh: Err(Safe::fixed("may not get applications")),
            ..app_reading()
        },
    );
    assert_eq!(
        why(&row),
        "the application cannot be read: may not get applications"
    );
}

#[test]
fn self_heal_an_object_made_anew_and_a_controller_that_loses_are_warned_of() {
    let mut app = application();
    app.auto_sync = AutoSync {
        enabled: true,
        prune: false,
        self_heal: true,
    };
    let mut reading = reading();
    let live = reading.live.as_mut().unwrap();
    live["metadata"]["uid"] = json!("deploy-uid-2");
    live["metadata"]["managedFields"][1]["manager"] = json!("vpa-updater");
    let row = decided(
        &RevertTarget {
            app: Arc::new(app),
            ..target()
        },
        &reading,
        &app_reading(),
    );
    let said: Vec<&str> = row.warnings.iter().map(Safe::as_str).collect();
    assert_eq!(
        said,
        [
            "the object was deleted and made again since the verdict",
            "auto-sync with self-heal is on: Argo CD may be faster",
            "vpa-updater loses fields and may well set them again"
        ]
    );
}

#[test]
fn an_object_that_is_being_deleted_is_left_alone() {
    let mut reading = reading();
    reading.live.as_mut().unwrap()["metadata"]["deletionTimestamp"] = json!("2026-11-21T02:00:00Z");
    assert!(why(&decided(&target(), &reading, &app_reading())).starts_with("it is being deleted"));
}

fn claimed(metadata: &serde_json::Value) -> bool {
    is_claimed(&target(), &json!({ "metadata": metadata }))
}

#[test]
fn an_extra_object_is_claimed_by_annotation_or_label_unless_it_says_prune_false() {
    let id = |app: &str| json!({"argocd.argoproj.io/tracking-id": format!("{app}:apps/Deployment:edge/x")});
    assert!(claimed(
        &json!({"annotations": id("edge-microservice-oslo-003")})
    ));
    assert!(claimed(
        &json!({"annotations": id("argocd_edge-microservice-oslo-003")})
    ));
    assert!(!claimed(&json!({"annotations": id("another")})));
    assert!(claimed(
        &json!({"labels": {"app.kubernetes.io/instance": "edge-microservice-oslo-003"}})
    ));
    assert!(!claimed(&json!({})));
    let mut kept = id("edge-microservice-oslo-003");
    kept["argocd.argoproj.io/sync-options"] = json!("Validate=false, Prune=false");
    assert!(!claimed(&json!({"annotations": kept})));
}

#[test]
fn a_plans_name_sorts_by_time_and_is_a_file_name() {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let id = plan_id(at("2026-11-21T02:14:07.5Z"), 42);
    assert_eq!(id, "20261121T021407Z-0000002a");
    assert!(id < plan_id(at("2026-11-21T02:14:08Z"), 0));
    assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
}

#[test]
fn a_group_and_a_danger_are_both_asked_for() {
    let request = RevertRequest {
        guardrail: Some(Guardrail {
            name: Safe::fixed("prod-eu"),
            confirm: Safe::fixed("prod-eu"),
        }),
        ..request(Vec::new())
    };
    let row = PlanTarget {
        danger: Some(Safe::fixed("can destroy data")),
        ..blank(&request, &target())
    };
    let effect = crate::ops::Delete {
        cluster: "edge-oslo-003".into(),
        place: Place::new(&deployment(), "deployments"),
        uid: "u".into(),
        seen: crate::ops::ContentHash::of(&json!({})),
        yardstick: crate::ops::Yardstick::gone(),
    };
    let part = Some(Part::Direct(Effect::Delete(Box::new(effect))));
    let plan = assemble(
        &request,
        &context(),
        vec![Decision { row, part }],
        &BTreeMap::new(),
    );
    assert_eq!(
        plan.guardrail.unwrap().confirm.as_str(),
        "prod-eu edge-microservice"
    );
}

#[test]
fn links_are_current_or_the_target_is_not_read() {
    for (link, skipped) in [
        (LinkState::Live, false),
        (LinkState::Slow, false),
        (LinkState::Stale, true),
    ] {
        assert_eq!(
            settled_early(&request(Vec::new()), &RevertTarget { link, ..target() }).is_some(),
            skipped,
            "{link:?}"
        );
    }
}

/// Parts of a plan by letters: `-` nothing is sent, `d` goes direct, a digit is an object of that application.
fn decisions(letters: &str) -> Vec<Decision> {
    let member = || {
        Box::new(Member {
            cluster: "edge-oslo-003".into(),
            object: deployment(),
            place: Place::new(&deployment(), "deployments"),
            seen: None,
            yardstick: crate::ops::Yardstick::gone(),
        })
    };
    let direct = || {
        let (cluster, place, body) = (
            "edge-oslo-003".into(),
            Place::new(&deployment(), "deployments"),
            Unsealed::new(json!({})),
        );
        Effect::Create(Box::new(crate::ops::Create {
            cluster,
            place,
            manager: "argocd-controller",
            body,
            yardstick: crate::ops::Yardstick::gone(),
        }))
    };
    let of = |letter: char| {
        let mut row = blank(&request(Vec::new()), &target());
        row.app.name = letter.to_string().as_str().into();
        let part = match letter {
            '-' => None,
            'd' => Some(Part::Direct(direct())),
            _ => Some(Part::Engine(member())),
        };
        Decision { row, part }
    };
    letters.chars().map(of).collect()
}

proptest::proptest! {
    #[test]
    fn waves_hold_every_sent_target_once_and_never_split_a_write(letters in "[-d0-3]{0,40}", waves in "[1-9],[1-9]0%(,rest)?") {
        let request = RevertRequest { waves: waves.parse().unwrap(), ..request(Vec::new()) };
        let plan = assemble(&request, &context(), decisions(&letters), &BTreeMap::new());
        let mut in_waves: Vec<usize> = plan.waves.iter().flat_map(|w| w.targets.clone()).collect();
        in_waves.sort_unstable();
        let sent: Vec<usize> = letters.chars().enumerate().filter(|(_, l)| *l != '-').map(|(i, _)| i).collect();
        proptest::prop_assert_eq!(in_waves, sent);
        for order in &plan.orders {
            let homes = plan.waves.iter().filter(|w| order.targets.iter().any(|t| w.targets.contains(t))).count();
            proptest::prop_assert_eq!(homes, 1);
        }
        let applications: std::collections::BTreeSet<char> = letters.chars().filter(char::is_ascii_digit).collect();
        let direct = letters.chars().filter(|l| *l == 'd').count();
        proptest::prop_assert_eq!(plan.orders.len(), applications.len() + direct, "one operation an application");
    }
}

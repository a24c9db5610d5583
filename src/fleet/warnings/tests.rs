//! States in, sentences out.

use super::*;
use crate::domain::{
    AppKind, Condition, Destination, EngineReport, Fact, Gvk, Health, HistoryEntry, Hydration,
    ManagedResource, ObjectRef, Operation, OperationPhase, ReconcilePace, SyncState,
};
use crate::fleet::testkit::{app, app_ref, at, fleet, live, tell};

const NAME: &str = "edge-microservice";
const EDGE: &str = "edge-oslo-001";

/// A hub with what the caller makes of one application, an edge, and a second application that was compared just now.
fn with(change: impl FnOnce(&mut Application)) -> Fleet {
    let mut fleet = fleet(&["hub-1", EDGE]);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    live(&mut fleet, EDGE, &[]);
    let mut one = app(NAME, EDGE);
    change(&mut one);
    tell(
        &mut fleet,
        "hub-1",
        1,
        Fact::Apps(vec![one, app("other", EDGE)]),
    );
    fleet
}

fn kinds(fleet: &Fleet, seconds: i64) -> Vec<&'static str> {
    let found = fleet.warnings(&app_ref(NAME), at(seconds));
    found.iter().map(|w| w.kind).collect()
}

fn operation(phase: OperationPhase) -> Operation {
    Operation {
        phase,
        message: "one or more objects failed to apply".into(),
        started_at: Some(at(-100)),
        finished_at: None,
        revision: "9f31c02aa".into(),
        selective: false,
        initiated_by: "auto-sync".into(),
    }
}

#[test]
fn an_application_in_order_has_nothing_to_be_said_of() {
    assert!(kinds(&with(|_| ()), 0).is_empty());
}

#[test]
fn every_condition_becomes_a_sentence_with_a_next_step() {
    let fleet = with(|a| {
        a.report.conditions = vec![Condition {
            kind: "SharedResourceWarning".into(),
            status: "True".into(),
            message: "ConfigMap/web is part of applications a and b".into(),
            ..Condition::default()
        }];
    });
    let found = fleet.warnings(&app_ref(NAME), at(0));
    assert_eq!(found[0].kind, "shared-resource");
    assert!(found[0].text.as_str().ends_with("a and b."));
    assert!(found.iter().all(|w| !w.next.is_empty()));
}

#[test]
fn operations_are_told_apart() {
    let of = |asked: bool, change: &dyn Fn(&mut Operation)| {
        let mut operation = operation(OperationPhase::Running);
        change(&mut operation);
        kinds(
            &with(|a| {
                a.operation_requested = asked;
                a.operation = Some(operation.clone());
            }),
            0,
        )
    };
    assert_eq!(of(true, &|_| ()), Vec::<&str>::new());
    assert_eq!(of(false, &|_| ()), ["operation-orphaned"]);
    assert_eq!(
        of(true, &|o| o.finished_at = Some(at(-5))),
        ["operation-retrying"]
    );
    assert_eq!(
        of(true, &|o| o.started_at = Some(at(-7_200))),
        ["operation-stuck"]
    );
    assert_eq!(
        of(true, &|o| o.message =
            "Sync operation blocked by sync window".into()),
        ["operation-blocked"]
    );
    assert_eq!(
        of(true, &|o| o.phase = OperationPhase::Terminating),
        ["operation-terminating"]
    );
    assert_eq!(
        of(false, &|o| o.phase = OperationPhase::Failed),
        ["operation-failed"]
    );
}

#[test]
fn an_ended_operation_that_is_still_asked_for_is_stuck_after_a_minute() {
    let stuck = |ended: i64| {
        let fleet = with(|a| {
            a.operation_requested = true;
            a.report.operation_left_over = true;
            a.operation = Some(Operation {
                finished_at: Some(at(ended)),
                ..operation(OperationPhase::Succeeded)
            });
        });
        kinds(&fleet, 0)
    };
    assert_eq!(stuck(-61), ["operation-stuck"]);
    assert!(stuck(-30).is_empty());
}

#[test]
fn auto_sync_that_gave_up_is_not_mistaken_for_one_without_self_heal() {
    let failed = with(|a| {
        a.auto_sync.enabled = true;
        a.auto_sync.self_heal = true;
        a.sync = SyncState::OutOfSync;
        a.operation = Some(operation(OperationPhase::Failed));
    });
    assert_eq!(kinds(&failed, 0), ["operation-failed", "auto-sync-gave-up"]);
    let unhealed = with(|a| {
        a.auto_sync.enabled = true;
        a.sync = SyncState::OutOfSync;
        a.history = vec![HistoryEntry {
            revision: a.compared_revision.clone(),
            ..HistoryEntry::default()
        }];
    });
    assert_eq!(kinds(&unhealed, 0), ["self-heal-off"]);
}

#[test]
fn a_comparison_older_than_timeout_and_jitter_is_stale_and_a_whole_hub_of_them_a_dead_controller() {
    let mut fleet = with(|a| a.reconciled_at = Some(at(-200)));
    assert_eq!(kinds(&fleet, 0), ["hub-stale"]);
    assert_eq!(kinds(&fleet, -21), Vec::<&str>::new());
    assert_eq!(kinds(&fleet, 600), ["controller-down"]);
    assert!(fleet.warner(at(600)).of_hub(&"hub-1".into()).is_some());
    let off = ReconcilePace {
        timeout: SignedDuration::ZERO,
        ..ReconcilePace::default()
    };
    tell(&mut fleet, "hub-1", 2, Fact::Pace(off));
    assert!(
        kinds(&fleet, 600).is_empty(),
        "without polling nothing is due"
    );
}

#[test]
fn a_closed_window_pauses_and_says_until_when() {
    let mut fleet = with(|_| ());
    let project = serde_json::json!({"metadata": {"name": "default", "namespace": "argocd"}, "spec": {"syncWindows": [
        {"kind": "deny", "schedule": "0 2 * * *", "duration": "1h", "applications": ["*"], "manualSync": true}]}});
    let windows = crate::domain::windows::windows_of(&project);
    let project = Project {
        namespace: "argocd".into(),
        name: "default".into(),
        windows,
    };
    tell(&mut fleet, "hub-1", 2, Fact::Projects(vec![project]));
    let found = fleet.warnings(&app_ref(NAME), at(0));
    assert_eq!(found[0].kind, "window-closed");
    assert!(
        found[0].text.as_str().contains("until 2026-11-21 03:00Z"),
        "{}",
        found[0].text
    );
    assert_eq!(found[0].next.as_str(), "A manual sync is let through.");
    let pause = fleet.warner(at(0)).paused(&app_ref(NAME)).unwrap();
    assert_eq!(pause.by, Some("AppProject default".into()));
    assert_eq!(
        kinds(&fleet, 3_600),
        ["controller-down"],
        "the window is over"
    );
}

#[test]
fn two_hubs_on_one_edge_are_warned_of_on_both() {
    let mut fleet = fleet(&["hub-1", "hub-2", EDGE]);
    let mut ids = Vec::new();
    for hub in ["hub-1", "hub-2"] {
        live(&mut fleet, hub, &[Engine::Argo]);
        let mut one = app(NAME, EDGE);
        one.id.hub = hub.into();
        ids.push(one.id.clone());
        tell(&mut fleet, hub, 1, Fact::Apps(vec![one]));
    }
    for (id, other) in ids.iter().zip(["hub-2", "hub-1"]) {
        let found = fleet.warnings(id, at(0));
        assert_eq!(found[0].kind, "two-hubs");
        assert!(found[0].text.as_str().contains(other));
    }
}

#[test]
fn a_destination_that_nobody_has_is_unmatched_and_a_contradictory_one_invalid() {
    let of = |destination: Destination| kinds(&with(|a| a.destination = destination), 0);
    let elsewhere = Destination {
        server: "https://berlin.example".into(),
        ..Destination::default()
    };
    assert_eq!(of(elsewhere.clone()), ["unmatched"]);
    let both = Destination {
        name: "berlin".into(),
        ..elsewhere
    };
    assert_eq!(of(both), ["destination-invalid"]);
    assert_eq!(of(Destination::default()), ["destination-invalid"]);
}

#[test]
fn a_parent_tells_of_its_children_and_a_child_of_its_parent() {
    let fleet = with(|a| {
        a.resources = vec![ManagedResource {
            object: ObjectRef::new(
                Gvk::new("argoproj.io", "v1alpha1", "Application"),
                "argocd",
                "other",
            ),
            sync: Some(SyncState::Synced),
            health: None,
            hook: false,
            requires_pruning: false,
        }];
    });
    assert_eq!(
        fleet.warner(at(0)).deployed_by(&app_ref("other")),
        Some(app_ref(NAME))
    );
    assert!(kinds(&fleet, 0).is_empty());
    let mut fleet = fleet;
    let mut child = app("other", EDGE);
    child.health = Health::Degraded;
    tell(&mut fleet, "hub-1", 2, Fact::App(Box::new(child)));
    assert_eq!(kinds(&fleet, 0), ["children"]);
}

#[test]
fn a_failed_hydration_is_told() {
    let fleet = with(|a| {
        a.report.hydration = Some(Hydration {
            phase: "Failed".into(),
            message: "kustomize build failed".into(),
            started_at: None,
        });
    });
    assert_eq!(kinds(&fleet, 0), ["hydration-failed"]);
}

/// A Kustomization of a row.
fn flux(name: &str, report: EngineReport, health: Health) -> Application {
    let mut made = app(name, EDGE);
    made.id.hub = EDGE.into();
    made.id.kind = AppKind::Kustomization;
    made.engine = Engine::Flux;
    made.destination.server = "https://kubernetes.default.svc".into();
    made.health = health;
    made.report = report;
    made
}

#[test]
fn a_dependency_chain_is_followed_to_where_it_begins() {
    let mut fleet = with(|_| ());
    let id = |name: &str| flux(name, EngineReport::default(), Health::Healthy).id;
    let waits = |on: &str| EngineReport {
        depends_on: vec![id(on)],
        conditions: vec![Condition {
            kind: "Ready".into(),
            status: "False".into(),
            reason: "DependencyNotReady".into(),
            ..Condition::default()
        }],
        ..EngineReport::default()
    };
    let apps = vec![
        flux("apps", waits("infra"), Health::Progressing),
        flux("infra", waits("crds"), Health::Progressing),
        flux(
            "crds",
            EngineReport {
                suspended: true,
                ..EngineReport::default()
            },
            Health::Suspended,
        ),
    ];
    tell(
        &mut fleet,
        EDGE,
        1,
        Fact::AppsOf {
            kind: AppKind::Kustomization,
            apps,
        },
    );
    let found = fleet.warnings(&id("apps"), at(0));
    assert_eq!(found[0].kind, "dependency");
    assert!(
        found[0].text.as_str().ends_with(
            "infra (not ready yet), which waits for Kustomization argocd/crds (suspended)."
        ),
        "{}",
        found[0].text
    );
    assert_eq!(fleet.warnings(&id("crds"), at(0))[0].kind, "suspended");
}

#[test]
fn a_circle_of_dependencies_ends() {
    let mut fleet = with(|_| ());
    let id = |name: &str| flux(name, EngineReport::default(), Health::Healthy).id;
    let waits = |on: &str| EngineReport {
        depends_on: vec![id(on)],
        conditions: vec![Condition {
            kind: "Ready".into(),
            status: "False".into(),
            reason: "DependencyNotReady".into(),
            ..Condition::default()
        }],
        ..EngineReport::default()
    };
    let apps = vec![
        flux("a", waits("b"), Health::Progressing),
        flux("b", waits("a"), Health::Progressing),
    ];
    tell(
        &mut fleet,
        EDGE,
        1,
        Fact::AppsOf {
            kind: AppKind::Kustomization,
            apps,
        },
    );
    assert_eq!(fleet.warnings(&id("a"), at(0))[0].kind, "dependency");
}

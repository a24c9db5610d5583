//! Readings of controllers in, sentences out.

use crate::domain::{
    AppKind, AppRef, ClusterMetrics, ControllerReading, Engine, Fact, HubCluster, Safe, Warning,
};
use crate::fleet::Fleet;
use crate::fleet::testkit::{app, app_ref, at, fleet, live, tell};

const EDGE: &str = "edge-oslo-001";

fn reading(kind: AppKind) -> ControllerReading {
    ControllerReading {
        kind,
        silent_since: None,
        trouble: Safe::default(),
        waiting: 0,
        waiting_since: None,
        workers: None,
        lost: Vec::new(),
    }
}

/// A hub whose controller reads so, with an application that was compared `age` seconds before 0.
fn with(reading: ControllerReading, age: i64) -> Fleet {
    let mut fleet = fleet(&["hub-1", EDGE]);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    live(&mut fleet, EDGE, &[]);
    let mut old = app("edge-microservice", EDGE);
    old.reconciled_at = Some(at(-age));
    tell(
        &mut fleet,
        "hub-1",
        0,
        Fact::Apps(vec![old, app("other", EDGE)]),
    );
    let metrics = ClusterMetrics {
        controllers: vec![reading],
        ..ClusterMetrics::default()
    };
    tell(&mut fleet, "hub-1", 0, Fact::Metrics(Box::new(metrics)));
    fleet
}

fn of(fleet: &Fleet, name: &str, seconds: i64) -> Vec<Warning> {
    fleet.warnings(&app_ref(name), at(seconds))
}

#[test]
fn a_controller_without_a_ready_endpoint_is_down_for_the_hub_and_its_applications() {
    let silent = ControllerReading {
        silent_since: Some(at(-60)),
        trouble: "no endpoint of it is ready (503)".into(),
        ..reading(AppKind::Application)
    };
    let fleet = with(silent, 10);
    let found = fleet.warner(at(0)).of_hub(&"hub-1".into()).unwrap();
    assert_eq!(found.kind, "controller-down");
    assert_eq!(
        found.text.as_str(),
        "The application controller of hub-1 is down: its metrics do not answer since 2026-11-21 02:13Z (no endpoint of it is ready (503))."
    );
    assert_eq!(of(&fleet, "edge-microservice", 0), [found]);
    let replaced = fleet.warner(at(-20));
    assert!(
        replaced.of_hub(&"hub-1".into()).is_none(),
        "it may only be being replaced"
    );
}

#[test]
fn a_full_queue_is_a_lag_only_when_comparisons_are_late() {
    let busy = |age| {
        let busy = ControllerReading {
            waiting: 17,
            waiting_since: Some(at(-90)),
            ..reading(AppKind::Application)
        };
        with(busy, age)
    };
    assert!(of(&busy(100), "other", 0).is_empty(), "it keeps up");
    let found = of(&busy(600), "other", 0);
    assert_eq!(found[0].kind, "controller-lagging");
    assert_eq!(
        found[0].text.as_str(),
        "The application controller of hub-1 has 17 applications waiting and was never seen idle for 90s; its oldest comparison is 10m old."
    );
}

#[test]
fn a_flux_controller_is_told_for_its_own_kind_alone() {
    let clogged = ControllerReading {
        waiting: 3,
        waiting_since: Some(at(-400)),
        workers: Some((4, 4)),
        ..reading(AppKind::Kustomization)
    };
    let mut fleet = with(clogged, 10);
    for kind in [AppKind::Kustomization, AppKind::HelmRelease] {
        let mut row = app("infra", EDGE);
        row.engine = Engine::Flux;
        row.id = id(kind);
        tell(&mut fleet, "hub-1", 1, Fact::App(Box::new(row)));
    }
    let kinds = |kind| -> Vec<&'static str> {
        let found = fleet.warnings(&id(kind), at(0));
        found.iter().map(|w| w.kind).collect()
    };
    assert_eq!(kinds(AppKind::Kustomization), ["controller-lagging"]);
    assert!(kinds(AppKind::HelmRelease).is_empty());
    let found = fleet.warner(at(0)).of_hub(&"hub-1".into()).unwrap();
    assert!(
        found
            .text
            .as_str()
            .starts_with("The kustomize-controller of hub-1 has 3 Kustomizations waiting")
    );
    assert!(
        found
            .text
            .as_str()
            .ends_with("; 4 of its 4 workers are busy.")
    );
}

fn id(kind: AppKind) -> AppRef {
    AppRef {
        kind,
        ..app_ref("infra")
    }
}

#[test]
fn a_hub_that_lost_an_edge_says_so_on_that_edges_applications() {
    let lost = ControllerReading {
        lost: vec![format!("https://{EDGE}.example:6443/").into()],
        ..reading(AppKind::Application)
    };
    let mut fleet = with(lost, 10);
    let secret = |name: &str, server: String| HubCluster {
        name: name.into(),
        server: server.into(),
        ..HubCluster::default()
    };
    let clusters = vec![secret("oslo", format!("https://{EDGE}.example:6443"))];
    tell(&mut fleet, "hub-1", 1, Fact::HubClusters(clusters));
    let mut named = app("by-name", EDGE);
    named.destination.server = "".into();
    named.destination.name = "oslo".into();
    tell(&mut fleet, "hub-1", 2, Fact::App(Box::new(named)));
    let mut elsewhere = app("elsewhere", "edge-ber-001");
    elsewhere.reconciled_at = Some(at(-5));
    tell(&mut fleet, "hub-1", 3, Fact::App(Box::new(elsewhere)));
    for (name, expected) in [("other", true), ("by-name", true), ("elsewhere", false)] {
        let found = of(&fleet, name, 0)
            .iter()
            .any(|w| w.kind == "hub-lost-edge");
        assert_eq!(found, expected, "{name}");
    }
}

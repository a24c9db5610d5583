//! Trees of a small fleet in trouble.

use super::*;
use crate::app::testkit::{app_on, deployment, now, troubled_fleet};
use crate::domain::{AppKind, Fact};
use crate::fleet::testkit::{at, tell};

fn branch(depth: usize, kind: &str, name: &str, health: Option<(Health, &str)>) -> Branch {
    Branch {
        depth,
        object: ObjectRef::new(Gvk::new("", "v1", kind), "edge", name),
        health: health.map(|(health, message)| (health, Safe::new(message))),
        health_by: None,
        fact: Safe::fixed("1/1 ready"),
        created: Some(at(0)),
    }
}

/// What a cluster tells of the gateway: a roll-out in which one pod crashes.
fn gateway() -> ResourceTree {
    let healthy = Some((Health::Healthy, ""));
    let crashing = Some((Health::Degraded, "back-off restarting failed container"));
    let own = Branch {
        object: deployment("gateway"),
        ..branch(
            0,
            "Deployment",
            "gateway",
            Some((Health::Progressing, "waiting")),
        )
    };
    ResourceTree {
        branches: vec![
            own,
            branch(1, "ReplicaSet", "gateway-6f7d9b", healthy),
            branch(2, "Pod", "gateway-6f7d9b-q8z1c", crashing),
            branch(2, "Pod", "gateway-6f7d9b-x4k2m", healthy),
            branch(1, "ReplicaSet", "gateway-7c11aa", healthy),
            branch(2, "Pod", "gateway-7c11aa-11111", None),
        ],
        remarks: vec![Safe::fixed("ReplicaSets that run nothing are left out: 3.")],
    }
}

fn names(nodes: &[Node]) -> Vec<String> {
    nodes
        .iter()
        .map(|n| format!("{}{}", n.stem, n.name()))
        .collect()
}

fn tree_on(edge: &str, fleet: &Fleet, grown: Option<&ResourceTree>) -> Vec<Node> {
    let row = fleet.app_row(&app_on(edge)).unwrap();
    of_app(&row, fleet, grown)
}

#[test]
fn what_hangs_under_a_managed_object_stands_below_it_and_the_worst_comes_first() {
    let fleet = troubled_fleet();
    let nodes = tree_on("edge-madrid-001", &fleet, Some(&gateway()));
    assert_eq!(
        names(&seen(&nodes, &BTreeSet::new(), "")),
        [
            "Application gateway-madrid-001",
            "├ Deployment gateway",
            "│ ├ ReplicaSet gateway-6f7d9b",
            "│ │ ├ Pod gateway-6f7d9b-q8z1c",
            "│ │ └ Pod gateway-6f7d9b-x4k2m",
            "│ └ ReplicaSet gateway-7c11aa",
            "│   └ Pod gateway-7c11aa-11111",
            "├ ConfigMap edge-config",
            "└ Service gateway",
        ]
    );
}

#[test]
fn a_folded_node_counts_what_it_hides() {
    let fleet = troubled_fleet();
    let nodes = tree_on("edge-madrid-001", &fleet, Some(&gateway()));
    let folded = BTreeSet::from([deployment("gateway")]);
    let shown = seen(&nodes, &folded, "");
    assert_eq!(shown.len(), 4);
    assert_eq!((shown[1].below, shown[1].folded), (5, true));
    assert_eq!((shown[0].below, shown[0].folded), (8, false));
}

#[test]
fn a_filter_keeps_what_it_finds_and_its_owners_whatever_is_folded() {
    let fleet = troubled_fleet();
    let nodes = tree_on("edge-madrid-001", &fleet, Some(&gateway()));
    let folded = BTreeSet::from([deployment("gateway")]);
    assert_eq!(
        names(&seen(&nodes, &folded, "pod Q8Z1C")),
        [
            "Application gateway-madrid-001",
            "└ Deployment gateway",
            "  └ ReplicaSet gateway-6f7d9b",
            "    └ Pod gateway-6f7d9b-q8z1c",
        ]
    );
    assert!(seen(&nodes, &folded, "nothing-like-it").is_empty());
}

#[test]
fn nodes_that_are_called_alike_name_their_namespaces() {
    let pod = |namespace: &str| Branch {
        object: ObjectRef::new(Gvk::new("", "v1", "Pod"), namespace, "twin"),
        ..branch(0, "Pod", "twin", None)
    };
    let grown = ResourceTree {
        branches: vec![pod("edge"), pod("core")],
        remarks: Vec::new(),
    };
    let nodes = of_branches(&"edge-oslo-003".into(), &grown, &Fleet::default());
    assert_eq!(
        names(&seen(&nodes, &BTreeSet::new(), "")),
        ["Pod edge/twin", "Pod core/twin"]
    );
}

#[test]
fn the_hubs_word_stands_where_it_is_another_than_ours() {
    let mut fleet = troubled_fleet();
    let row = fleet.app_row(&app_on("edge-berlin-017")).unwrap();
    let managed = |object: ObjectRef, sync| ManagedResource {
        object,
        sync: Some(sync),
        health: None,
        hook: false,
        requires_pruning: false,
    };
    let mut app = (*row.app).clone();
    let job = ObjectRef::new(Gvk::new("batch", "v1", "Job"), "edge", "migrate");
    app.resources = vec![
        managed(deployment("gateway"), SyncState::Synced),
        managed(
            crate::app::testkit::config_map("edge-config"),
            SyncState::OutOfSync,
        ),
        managed(job, SyncState::OutOfSync),
    ];
    tell(&mut fleet, "hub-1", 5, Fact::App(Box::new(app)));
    let nodes = tree_on("edge-berlin-017", &fleet, None);
    let of = |kind: &str| nodes.iter().find(|n| &*n.object.gvk.kind == kind).unwrap();
    assert_eq!(
        of("Deployment").part,
        Part::Judged(Some(DriftState::Edited))
    );
    assert_eq!(of("Deployment").hub, Some(SyncState::Synced));
    assert_eq!(of("ConfigMap").hub, None, "both say that it differs");
    assert_eq!(of("Job").part, Part::Named(Some(SyncState::OutOfSync)));
    assert_eq!(of("Application").hub, Some(SyncState::Synced));
}

#[test]
fn a_window_names_messages_and_remarks_and_shows_our_verdicts() {
    let wish = TreeWish {
        cluster: "edge-berlin-017".into(),
        app: AppRef {
            hub: "hub-1".into(),
            kind: AppKind::Application,
            namespace: "argocd".into(),
            name: "gateway".into(),
        },
        roots: Vec::new(),
        namespaces: Vec::new(),
    };
    let leaf = leaf(&wish, &gateway(), &troubled_fleet());
    let shown: Vec<&str> = leaf.lines.iter().map(|l| l.text.as_str()).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    Deployment gateway  Progressing  1/1 ready
      waiting
    ├ ReplicaSet gateway-6f7d9b  Healthy  1/1 ready
    │ ├ Pod gateway-6f7d9b-q8z1c  Degraded  1/1 ready
    │ │   back-off restarting failed container
    │ └ Pod gateway-6f7d9b-x4k2m  Healthy  1/1 ready
    └ ReplicaSet gateway-7c11aa  Healthy  1/1 ready
      └ Pod gateway-7c11aa-11111  1/1 ready
    ReplicaSets that run nothing are left out: 3.
    ");
    let targets = leaf.targets.iter().flatten().count();
    assert_eq!(targets, 6, "messages and remarks stand for no object");
    let parts: Vec<Part> = leaf.nodes.iter().flatten().map(|n| n.part).collect();
    assert_eq!(parts[0], Part::Judged(Some(DriftState::Edited)));
    assert!(parts[1..].iter().all(|part| *part == Part::Owned));
    assert!(now() > at(0));
}

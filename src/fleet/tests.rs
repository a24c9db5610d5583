//! Events in, rows out.

use super::testkit::*;
use super::*;
use crate::domain::*;

#[test]
fn rows_start_connecting_and_are_never_good() {
    let fleet = fleet(&["edge-oslo-001", "edge-oslo-002"]);
    let counts = fleet.counts();
    assert_eq!((counts.clusters, counts.connecting, counts.good), (2, 2, 0));
    assert_eq!(fleet.pending(), 2);
}

#[test]
fn a_late_event_of_an_older_generation_is_dropped() {
    let mut fleet = fleet(&["edge-oslo-001"]);
    let event = |generation, state| ClusterEvent {
        cluster: id("edge-oslo-001"),
        generation,
        at: at(0),
        fact: Fact::Link {
            state,
            message: None,
        },
    };
    fleet.fold(event(2, LinkState::Live));
    assert!(fleet.fold(event(1, LinkState::Stale)).late);
    assert_eq!(
        fleet.cluster(&id("edge-oslo-001")).unwrap().state,
        LinkState::Live
    );
}

#[test]
fn an_event_of_an_unknown_cluster_changes_nothing() {
    let mut fleet = fleet(&["edge-oslo-001"]);
    assert!(!tell(&mut fleet, "edge-paris-009", 0, Fact::Seen).visible);
}

#[test]
fn seen_alone_draws_nothing_but_moves_the_clock() {
    let mut fleet = fleet(&["edge-oslo-001"]);
    let before = fleet.version();
    assert!(!tell(&mut fleet, "edge-oslo-001", 5, Fact::Seen).visible);
    assert_eq!(fleet.version(), before);
    assert_eq!(
        fleet.cluster(&id("edge-oslo-001")).unwrap().seen_at,
        Some(at(5))
    );
}

#[test]
fn an_application_is_joined_to_its_edge_and_judged_synced() {
    let fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(row.cluster, Some(id("edge-oslo-001")));
    assert_eq!(row.verdict.source, VerdictSource::Computed);
    assert_eq!(row.verdict.state, SyncState::Synced);
    assert!(row.disagreement.is_none());
    assert_eq!(fleet.pending(), 0);
    assert_eq!(fleet.counts().good, 2);
}

#[test]
fn an_edit_on_the_edge_contradicts_a_hub_that_says_synced() {
    let fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(row.verdict.state, SyncState::OutOfSync);
    let words = row.disagreement.unwrap();
    assert!(words.as_str().contains("hub says Synced (compared "));
    let seen = format!("(seen {})", at(3).strftime("%Y-%m-%dT%H:%M:%SZ"));
    assert!(words.as_str().contains(&seen), "{words}");
    assert_eq!(fleet.counts().drifted, 1);
}

#[test]
fn a_stale_edge_turns_its_applications_unknown_and_its_drift_old() {
    let mut fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    tell(
        &mut fleet,
        "edge-oslo-001",
        60,
        Fact::Link {
            state: LinkState::Stale,
            message: Some(Safe::fixed("No answer for 10 s.")),
        },
    );
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(row.verdict.state, SyncState::Unknown);
    assert!(!row.current);
    assert!(!fleet.drift(&Selector::default())[0].current);
    let counts = fleet.counts();
    assert_eq!((counts.stale, counts.drifted, counts.resources), (1, 0, 0));
    assert_eq!(fleet.unread()[0].reason.as_str(), "No answer for 10 s.");
    assert!(fleet.is_faltering(), "it may come back");
    let (state, message) = (LinkState::Unreachable, None);
    tell(
        &mut fleet,
        "edge-oslo-001",
        61,
        Fact::Link { state, message },
    );
    assert!(!fleet.is_faltering());
}

#[test]
fn an_unjudged_application_keeps_the_engines_word_labelled_so() {
    let mut fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    let reason = Unjudged {
        reason: UnjudgedReason::NeedsHelm,
        message: Safe::fixed("The path holds a Helm chart."),
    };
    tell(
        &mut fleet,
        "hub-1",
        9,
        Fact::AppUnjudged {
            app: app_ref("edge-microservice"),
            reason: Some(reason),
        },
    );
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(
        (row.verdict.source, row.verdict.state),
        (VerdictSource::Argo, SyncState::Synced)
    );
    assert_eq!(fleet.unjudged(&Selector::default()).len(), 1);
}

#[test]
fn what_was_only_heard_of_never_looks_judged_whoever_speaks_first() {
    let name = || app_ref("edge-microservice");
    let resource = in_sync("edge-microservice", deployment("edge-microservice"));
    let mut fleet = one_edge(resource);
    let reason = Some(Unjudged {
        reason: UnjudgedReason::NoCredentials,
        message: Safe::fixed("The Secret is not there."),
    });
    let heard = |hindered: &Option<Unjudged>| Fact::AppJudged {
        app: name(),
        deployed: "9f31c02aa".into(),
        target: "9f31c02aa".into(),
        hindered: hindered.clone(),
    };
    let told = |reason: &Option<Unjudged>| Fact::AppUnjudged {
        app: name(),
        reason: reason.clone(),
    };
    let judged = |fleet: &Fleet| {
        let row = fleet.app_row(&name()).unwrap();
        row.verdict.source == VerdictSource::Computed
    };
    assert!(judged(&fleet));
    // The edge was quicker than the director.
    tell(&mut fleet, "edge-oslo-001", 9, heard(&reason));
    assert!(!judged(&fleet));
    assert_eq!(fleet.unjudged(&Selector::default()).len(), 1);
    tell(&mut fleet, "hub-1", 9, told(&reason));
    let state = &fleet.apps[&name()];
    assert!(state.judged.is_some(), "it stays heard");
    // Now it can be judged, and has not been yet.
    tell(&mut fleet, "hub-1", 10, told(&None));
    assert_eq!(fleet.pending(), 1);
    assert_eq!(fleet.unjudged(&Selector::default()).len(), 1);
    tell(&mut fleet, "edge-oslo-001", 10, heard(&None));
    assert!(judged(&fleet));
    assert_eq!(fleet.pending(), 0);
    assert!(fleet.unjudged(&Selector::default()).is_empty());
    // And the other way round: judged first, then told that it can be.
    tell(&mut fleet, "hub-1", 11, told(&reason));
    tell(&mut fleet, "edge-oslo-001", 11, heard(&reason));
    tell(&mut fleet, "edge-oslo-001", 12, heard(&None));
    assert!(!judged(&fleet), "the director has not said so");
    tell(&mut fleet, "hub-1", 12, told(&None));
    assert!(judged(&fleet));
}

#[test]
fn an_unmatched_destination_is_shown_as_such() {
    let mut fleet = fleet(&["hub-1"]);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    tell(
        &mut fleet,
        "hub-1",
        1,
        Fact::Apps(vec![app("edge-microservice", "edge-nowhere-001")]),
    );
    assert!(
        fleet
            .app_row(&app_ref("edge-microservice"))
            .unwrap()
            .cluster
            .is_none()
    );
    assert!(
        fleet.unjudged(&Selector::default())[0]
            .1
            .as_str()
            .contains("no cluster of the kubeconfig")
    );
    assert_eq!(fleet.pending(), 0);
}

#[test]
fn equal_changes_on_many_clusters_are_one_group_with_its_managers() {
    let names = ["hub-1", "edge-oslo-001", "edge-oslo-002", "edge-oslo-003"];
    let mut fleet = fleet(&names);
    for (n, name) in names.iter().enumerate().skip(1) {
        live(&mut fleet, name, &[]);
        let replicas = if n == 3 { 9 } else { 1 };
        tell(
            &mut fleet,
            name,
            5,
            Fact::Resource(Box::new(scaled(
                "edge-microservice",
                deployment("ingress"),
                replicas,
                "kubectl-scale",
            ))),
        );
    }
    let groups = fleet.groups();
    assert_eq!(
        groups.iter().map(|g| g.members.len()).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(groups[0].managers[0].as_str(), "kubectl-scale");
    assert_eq!(
        groups[0].clusters(),
        [id("edge-oslo-001"), id("edge-oslo-002")]
    );
    assert_eq!(groups[0].since, at(-2460));
}

#[test]
fn a_healed_object_leaves_the_drift_list() {
    let mut fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    assert_eq!(fleet.drift(&Selector::default()).len(), 1);
    tell(
        &mut fleet,
        "edge-oslo-001",
        30,
        Fact::Resource(Box::new(in_sync(
            "edge-microservice",
            deployment("edge-microservice"),
        ))),
    );
    assert!(fleet.drift(&Selector::default()).is_empty());
}

#[test]
fn the_onset_survives_an_event_that_changes_nothing() {
    let mut fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    let mut drift = scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    );
    let mut verdict = (*drift.verdict).clone();
    verdict.changes[0].owner = None;
    drift.verdict = Arc::new(verdict);
    tell(
        &mut fleet,
        "edge-oslo-001",
        30,
        Fact::Resource(Box::new(drift.clone())),
    );
    tell(
        &mut fleet,
        "edge-oslo-001",
        90,
        Fact::Resource(Box::new(drift)),
    );
    assert_eq!(fleet.drift(&Selector::default())[0].first_seen, at(30));
}

#[test]
fn a_new_list_of_a_kind_replaces_the_old_one() {
    let mut fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    let gvk = deployment("x").gvk;
    tell(
        &mut fleet,
        "edge-oslo-001",
        9,
        Fact::Kind {
            gvk,
            resources: vec![in_sync("edge-microservice", deployment("ingress"))],
        },
    );
    let left = fleet.resources_of(&app_ref("edge-microservice"));
    assert_eq!(
        left.iter().map(|r| &*r.object.name).collect::<Vec<_>>(),
        ["ingress"]
    );
}

#[test]
fn applications_that_left_the_hubs_list_are_forgotten() {
    let mut fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    tell(&mut fleet, "hub-1", 9, Fact::Apps(Vec::new()));
    assert!(fleet.app_rows().is_empty());
}

#[test]
fn the_same_name_on_two_hubs_is_two_applications() {
    let mut fleet = fleet(&["hub-1", "hub-2", "edge-oslo-001"]);
    for hub in ["hub-1", "hub-2"] {
        live(&mut fleet, hub, &[Engine::Argo]);
        let mut one = app("edge-microservice", "edge-oslo-001");
        one.id.hub = id(hub);
        tell(&mut fleet, hub, 1, Fact::Apps(vec![one]));
    }
    assert_eq!(fleet.app_rows().len(), 2);
}

#[test]
fn a_merged_row_leaves_the_lists() {
    let mut fleet = fleet(&["edge-oslo-001", "edge-oslo-alias"]);
    live(&mut fleet, "edge-oslo-001", &[]);
    tell(
        &mut fleet,
        "edge-oslo-alias",
        1,
        Fact::MergedInto(id("edge-oslo-001")),
    );
    assert_eq!(fleet.cluster_rows().len(), 1);
    assert_eq!(fleet.counts().clusters, 1);
    assert_eq!(fleet.pending(), 0);
}

#[test]
fn failing_and_drifted_rows_come_before_dark_and_good_ones() {
    let mut fleet = fleet(&["edge-good", "edge-dark", "edge-drift", "edge-bad"]);
    for name in ["edge-good", "edge-drift", "edge-bad"] {
        live(&mut fleet, name, &[]);
    }
    tell(
        &mut fleet,
        "edge-dark",
        1,
        Fact::Link {
            state: LinkState::Unreachable,
            message: None,
        },
    );
    tell(
        &mut fleet,
        "edge-drift",
        1,
        Fact::Resource(Box::new(scaled("a", deployment("a"), 1, "kubectl-edit"))),
    );
    let mut bad = in_sync("a", deployment("a"));
    bad.health = Some((Health::Degraded, Safe::default()));
    tell(&mut fleet, "edge-bad", 1, Fact::Resource(Box::new(bad)));
    let mut rows = fleet.cluster_rows();
    rows.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    let order: Vec<_> = rows.iter().map(|r| r.id.as_str()).collect();
    assert_eq!(order, ["edge-bad", "edge-drift", "edge-dark", "edge-good"]);
    let good = rows.iter_mut().find(|r| r.id.as_str() == "edge-good");
    good.unwrap().warning = Some(Warning::new("controller-down", "It is down.", ""));
    rows.sort_by(|a, b| a.urgency().cmp(&b.urgency()));
    assert_eq!(rows[0].id.as_str(), "edge-good");
    assert_eq!(fleet.counts_of(&rows, 0).degraded, 2);
    assert_eq!(fleet.counts_of(&rows, 0).good, 0);
}

#[test]
fn an_object_that_cannot_be_read_makes_the_application_unknown_not_synced() {
    let mut unread = in_sync("edge-microservice", deployment("edge-microservice"));
    unread.verdict = Arc::new(Verdict {
        states: vec![DriftState::Unknown],
        ..Verdict::default()
    });
    let fleet = one_edge(unread);
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(row.verdict.state, SyncState::Unknown);
    assert_eq!(fleet.unjudged(&Selector::default()).len(), 1);
}

#[test]
fn a_broken_context_is_one_bad_row_from_the_start() {
    let seed = RowSeed {
        candidate: JoinCandidate {
            cluster: Some(id("edge-oslo-001")),
            ..JoinCandidate::default()
        },
        broken: Some(Safe::fixed("The context names a user that is not there.")),
        ..RowSeed::default()
    };
    let fleet = Fleet::new(vec![seed], Vec::new());
    assert_eq!(fleet.cluster_rows()[0].state, LinkState::Unreachable);
    assert_eq!(fleet.pending(), 0);
}

#[test]
fn what_argo_cds_api_stands_in_for_is_never_plainly_synced() {
    let mut fleet = fleet(&["hub-1", "edge-oslo-001"]);
    live(&mut fleet, "hub-1", &[Engine::Argo]);
    live(&mut fleet, "edge-oslo-001", &[]);
    let apps = vec![app("edge-microservice", "edge-oslo-001")];
    tell(&mut fleet, "hub-1", 1, Fact::Apps(apps));
    judged(&mut fleet, "edge-oslo-001", "edge-microservice");
    let because = |because| Fact::AppStandIn {
        app: app_ref("edge-microservice"),
        because,
    };
    let why = Unjudged {
        reason: UnjudgedReason::NeedsPlugin,
        message: "It needs a plugin.".into(),
    };
    tell(&mut fleet, "hub-1", 4, because(Some(why)));
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(
        (row.verdict.source, row.verdict.state),
        (VerdictSource::ArgoApi, SyncState::Synced)
    );
    assert_eq!(row.unjudged.unwrap().as_str(), "It needs a plugin.");
    assert!(
        fleet.unjudged(&Selector::default()).is_empty(),
        "it is judged"
    );
    tell(&mut fleet, "hub-1", 5, because(None));
    let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
    assert_eq!(row.verdict.source, VerdictSource::Computed);
}

#[test]
fn of_fluxs_word_on_a_document_and_ours_on_its_objects_the_worse_counts() {
    let of = |engine: Health, ours: Health| {
        let mut object = in_sync("edge-microservice", deployment("web"));
        object.health = Some((ours, Safe::default()));
        let mut fleet = one_edge(object);
        let mut infra = app("edge-microservice", "edge-oslo-001");
        infra.engine = Engine::Flux;
        infra.health = engine;
        tell(&mut fleet, "hub-1", 5, Fact::App(Box::new(infra)));
        let row = fleet.app_row(&app_ref("edge-microservice")).unwrap();
        (row.health, row.health_is_ours)
    };
    assert_eq!(
        of(Health::Degraded, Health::Healthy),
        (Health::Degraded, false)
    );
    assert_eq!(
        of(Health::Suspended, Health::Degraded),
        (Health::Degraded, true)
    );
    assert_eq!(
        of(Health::Unknown, Health::Healthy),
        (Health::Healthy, true)
    );
}

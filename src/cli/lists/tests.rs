//! The lists as they are printed, and their exit statuses.

use super::*;
use crate::cli::args::FailOn;
use crate::domain::{Fact, LinkState, Selector};
use crate::fleet::history::History;
use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled, tell};

fn asked<'a>(
    fleet: &'a Fleet,
    selector: &'a Selector,
    query: Option<&'a str>,
    form: Form,
) -> Asked<'a> {
    Asked {
        scope: Scope {
            fleet,
            selector,
            at: at(60),
        },
        query,
        form,
        words: None,
    }
}

#[test]
fn a_clean_fleet_exits_zero_and_says_no_drift() {
    let fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    let selector = Selector::default();
    let listed = drift(
        asked(&fleet, &selector, None, Form::Table),
        &[FailOn::Drift],
    )
    .unwrap();
    assert_eq!((listed.text.as_str(), listed.status), ("No drift.\n", 0));
}

#[test]
fn drift_exits_one_and_names_field_and_manager() {
    let fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    let selector = Selector::default();
    let listed = drift(
        asked(&fleet, &selector, None, Form::Table),
        &[FailOn::Drift],
    )
    .unwrap();
    assert_eq!(listed.status, 1);
    assert!(
        listed.text.contains("spec.replicas 2→5  kubectl-edit"),
        "{}",
        listed.text
    );
}

#[test]
fn old_drift_of_a_stale_cluster_is_partial_and_not_counted() {
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
            message: None,
        },
    );
    let selector = Selector::default();
    let listed = drift(
        asked(&fleet, &selector, None, Form::Table),
        &[FailOn::Drift],
    )
    .unwrap();
    assert_eq!(listed.status, 3);
    assert!(listed.text.contains("edited (old)"));
}

#[test]
fn status_never_shows_numbers_for_a_dark_cluster() {
    let mut fleet = one_edge(in_sync(
        "edge-microservice",
        deployment("edge-microservice"),
    ));
    tell(
        &mut fleet,
        "edge-oslo-001",
        60,
        Fact::Link {
            state: LinkState::Unreachable,
            message: Some("No route to host.".into()),
        },
    );
    let selector = Selector::default();
    let listed = status(asked(
        &fleet,
        &selector,
        Some("state=unreachable"),
        Form::Csv,
    ))
    .unwrap();
    assert!(
        listed
            .text
            .contains("edge-oslo-001,unreachable,?/1,?,-,v1.34.2,No route to host."),
        "{}",
        listed.text
    );
    assert_eq!(listed.status, 3);
}

#[test]
fn a_query_narrows_and_a_wrong_one_is_refused() {
    let fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    let selector = Selector::default();
    let names = status(asked(&fleet, &selector, Some("drift>0"), Form::Name)).unwrap();
    assert_eq!(names.text, "edge-oslo-001\n");
    assert!(status(asked(&fleet, &selector, Some("drifft>0"), Form::Name)).is_err());
}

#[test]
fn groups_carry_their_fingerprint_as_a_name() {
    let fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    let selector = Selector::default();
    let listed = groups(asked(&fleet, &selector, None, Form::Name), &History::new()).unwrap();
    assert_eq!(listed.text, "0000000000000005\n");
    assert_eq!(listed.status, 1);
}

#[test]
fn applications_show_both_words() {
    let fleet = one_edge(scaled(
        "edge-microservice",
        deployment("edge-microservice"),
        5,
        "kubectl-edit",
    ));
    let selector = Selector::default();
    let text = apps(asked(&fleet, &selector, None, Form::Table))
        .unwrap()
        .text;
    assert!(text.contains("Synced") && text.contains("OutOfSync") && text.contains("driftdeck"));
}

#[test]
fn ages_are_one_unit() {
    assert_eq!(
        [
            age(at(0), at(59)),
            age(at(0), at(3_599)),
            age(at(0), at(86_399)),
            age(at(0), at(864_000)),
            age(at(9), at(0))
        ],
        ["59s", "59m", "23h", "10d", "0s"]
    );
}

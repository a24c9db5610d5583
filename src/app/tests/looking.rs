//! Matrix, activity and cluster: what they show of a fleet in trouble, and where they lead.

use super::*;
use crate::app::inquiry::{Inquiry, Question};
use crate::app::screens::matrix::{CellValue, Column};
use crate::app::testkit::cluster_answered;
use crate::fleet::{StoryKind, Tenor};

fn matrix(model: &Model) -> &crate::app::screens::MatrixScreen {
    match model.screen() {
        Some(Screen::Matrix(s)) => s,
        other => panic!("{other:?} is not the matrix"),
    }
}

fn activity(model: &Model) -> &crate::app::screens::ActivityScreen {
    match model.screen() {
        Some(Screen::Activity(s)) => s,
        other => panic!("{other:?} is not the activity screen"),
    }
}

fn cluster(model: &Model) -> &crate::app::screens::ClusterScreen {
    match model.screen() {
        Some(Screen::Cluster(s)) => s,
        other => panic!("{other:?} is not the cluster screen"),
    }
}

#[test]
fn the_matrix_has_one_row_for_the_same_application_everywhere() {
    let mut model = reading();
    press(&mut model, "7");
    let screen = matrix(&model);
    assert_eq!(screen.list.keys(), [Safe::fixed("gateway")]);
    let names: Vec<_> = screen.columns.iter().map(Column::group).collect();
    assert_eq!(
        names,
        ["ap", "eu", "us"]
            .map(Safe::fixed)
            .iter()
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_group_opens_into_its_clusters_and_closes_again() {
    let mut model = reading();
    press(&mut model, "7 l enter");
    assert!(matches!(
        matrix(&model).columns.get(matrix(&model).column),
        Some(Column::Cluster(_, id)) if id.as_str() == "edge-berlin-017"
    ));
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::App);
    press(&mut model, "esc esc");
    assert_eq!(matrix(&model).columns.len(), 3);
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Fleet);
}

#[test]
fn the_next_odd_one_is_a_cell_that_needs_somebody() {
    let mut model = reading();
    press(&mut model, "7 n");
    let screen = matrix(&model);
    let worst = screen.worst(&model.ctx()).unwrap();
    assert!(worst.current && worst.drift > 0, "{worst:?}");
    press(&mut model, "v n");
    assert_eq!(matrix(&model).value, CellValue::Revision);
    assert_eq!(
        notice(&model),
        "No odd one: by revision every application is the same everywhere."
    );
}

#[test]
fn what_is_not_current_is_never_the_odd_one_nor_counted_as_usual() {
    let mut model = reading();
    press(&mut model, "7");
    let screen = matrix(&model);
    let family = Safe::fixed("gateway");
    for column in &screen.columns {
        for placement in screen.cell(&family, column) {
            if !placement.current {
                assert!(!screen.is_odd(placement, None, now()));
            }
        }
    }
}

#[test]
fn reverting_a_cell_plans_what_drifted_in_it() {
    let mut model = writing();
    press(&mut model, "7 l s");
    let wish = &plan(&model).wish;
    assert_eq!(
        wish.reason.as_str(),
        "everything of gateway that drifted in eu"
    );
    assert_eq!(wish.targets.len(), 5);
}

#[test]
fn equal_drift_on_many_clusters_is_one_event_that_leads_to_its_group() {
    let mut model = reading();
    press(&mut model, "8");
    type_filter(&mut model, "replicas kind=drift");
    let story = activity(&model).story(&model.ctx()).unwrap();
    assert_eq!(
        (story.kind, story.clusters.len()),
        (StoryKind::DriftBegan, 5)
    );
    press(&mut model, "enter");
    assert_eq!(selected(&model), "Deployment edge/gateway");
    assert_eq!(place(&model), Place::Drift);
}

fn type_filter(model: &mut Model, text: &str) {
    press(model, "/");
    type_text(model, text);
    press(model, "enter");
}

#[test]
fn a_link_that_changes_is_told_and_leads_to_its_cluster() {
    let mut model = reading();
    press(&mut model, "8");
    type_filter(&mut model, "kind=conn munich");
    let story = activity(&model).story(&model.ctx()).unwrap();
    assert_eq!(story.tenor, Tenor::Bad);
    assert!(story.what.as_str().starts_with("live → stale"), "{story:?}");
    press(&mut model, "enter");
    assert_eq!(cluster(&model).id.as_str(), "edge-munich-009");
}

#[test]
fn a_drift_that_ends_is_good_news() {
    let mut model = reading();
    let object = config_map("edge-config");
    let mended = crate::fleet::testkit::in_sync("gateway-osaka-001", object.clone());
    let gvk = object.gvk;
    let kind = Fact::Kind {
        gvk,
        resources: vec![mended],
    };
    update(&mut model, fact("edge-osaka-001", kind), now());
    press(&mut model, "8");
    type_filter(&mut model, "news=good kind=drift");
    let story = activity(&model).story(&model.ctx()).unwrap();
    assert_eq!(story.kind, StoryKind::DriftEnded);
    press(&mut model, "f f k");
    assert!(activity(&model).follows);
}

#[test]
fn the_stream_stays_on_the_newest_until_somebody_moves() {
    let mut model = reading();
    press(&mut model, "8");
    assert!(activity(&model).follows);
    press(&mut model, "j");
    let here = activity(&model).list.selected().copied();
    update(
        &mut model,
        link("edge-boston-001", LinkState::Stale),
        now().checked_add(SignedDuration::from_secs(5)).unwrap(),
    );
    assert_eq!(activity(&model).list.selected().copied(), here);
    press(&mut model, "g g");
    assert!(activity(&model).follows);
}

#[test]
fn a_finished_run_is_an_event_of_its_own() {
    let mut model = writing();
    let plan = planned(&mut model, "2 s", false);
    press(&mut model, "enter y");
    let event = RunEvent::WaveStarted(0);
    tell_model(
        &mut model,
        Done::Run {
            plan: plan.id.clone(),
            event,
        },
    );
    press(&mut model, "8");
    type_filter(&mut model, "kind=me");
    let story = activity(&model).story(&model.ctx()).unwrap();
    assert!(story.what.as_str().contains("began on"), "{story:?}");
    assert!(!story.clusters.is_empty());
}

#[test]
fn opening_a_cluster_asks_it_once_and_takes_the_answer() {
    let mut model = reading();
    cluster_answered(&mut model, "9");
    assert!(matches!(cluster(&model).detail, Inquiry::Here(_)));
    let effects = press(&mut model, "r");
    assert!(matches!(
        effects.as_slice(),
        [Effect::Ask {
            question: Question::Cluster(_),
            ..
        }]
    ));
    assert!(press(&mut model, "r").is_empty(), "it is asked already");
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::Apps);
}

#[test]
fn an_answer_to_an_older_question_is_dropped() {
    let mut model = reading();
    press(&mut model, "9");
    let result = Err(Safe::fixed("too late"));
    tell_model(&mut model, Done::Answered { ask: 9_999, result });
    assert!(matches!(cluster(&model).detail, Inquiry::Asking(_)));
}

#[test]
fn a_dark_cluster_is_not_asked_and_can_be_connected_again() {
    let mut model = reading();
    type_filter(&mut model, "paris-031");
    assert!(press(&mut model, "9").is_empty());
    assert_eq!(
        press(&mut model, "r"),
        [Effect::Retry("edge-paris-031".into())]
    );
}

#[test]
fn a_cluster_that_wants_a_login_gets_one() {
    let mut model = reading();
    type_filter(&mut model, "lyon");
    press(&mut model, "9");
    assert_eq!(
        press(&mut model, "a"),
        [Effect::Login("edge-lyon-001".into())]
    );
}

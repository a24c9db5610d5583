//! Configuration values in the matrix: chosen by object and path, read where somebody looks, honest about who did not answer.

use super::*;
use crate::app::inquiry::{Answer, Question};
use crate::app::screens::MatrixScreen;
use crate::app::screens::matrix::CellValue;

fn matrix(model: &Model) -> &MatrixScreen {
    match model.screen() {
        Some(Screen::Matrix(s)) => s,
        other => panic!("{other:?} is not the matrix"),
    }
}

/// Types a field and presses enter.
fn choose(model: &mut Model, field: &str) -> Vec<Effect> {
    press(model, "7 f");
    type_text(model, field);
    press(model, "enter")
}

fn asked(effects: &[Effect]) -> (u64, Vec<WishTarget>) {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::Ask {
            ask,
            question: Question::Field { targets, .. },
        } => Some((*ask, targets.clone())),
        _ => None,
    });
    found.expect("the values are asked for")
}

fn shown(model: &Model, cluster: &str) -> String {
    let screen = matrix(model);
    let mut placed = screen.placed();
    let found = placed.find(|p| p.cluster.as_str() == cluster);
    screen.told(found.unwrap(), model.now).to_string()
}

#[test]
fn only_clusters_that_answer_are_asked_and_each_has_its_value_or_the_reason() {
    let mut model = reading();
    let effects = choose(&mut model, "ConfigMap/edge-config data.LOG_LEVEL");
    let (ask, targets) = asked(&effects);
    let dark = ["edge-munich-009", "edge-paris-031", "edge-lyon-001"];
    assert!(targets.iter().all(|t| !dark.contains(&t.cluster.as_str())));
    assert!(targets.iter().all(|t| &*t.object.name == "edge-config"));
    assert_eq!(shown(&model, "edge-berlin-017"), "…");
    let reading = |t: &WishTarget| match t.cluster.as_str() {
        "edge-berlin-017" => Ok(Some(Safe::fixed("debug"))),
        "edge-austin-001" => Err(Safe::fixed("It does not answer.")),
        _ => Ok(Some(Safe::fixed("info"))),
    };
    let read = targets
        .into_iter()
        .map(|t| (t.clone(), reading(&t)))
        .collect();
    let result = Ok(Answer::Field(read));
    tell_model(&mut model, Done::Answered { ask, result });
    assert_eq!(shown(&model, "edge-berlin-017"), "debug");
    assert_eq!(shown(&model, "edge-austin-001"), "? It does not answer.");
    assert_eq!(shown(&model, "edge-munich-009"), "not read");
    let screen = matrix(&model);
    let usual = screen.usual(&Safe::fixed("gateway"), model.now);
    assert_eq!(usual, Some(Safe::fixed("info")));
    let odd: Vec<&str> = screen
        .placed()
        .filter(|p| screen.is_odd(p, usual.as_ref(), model.now))
        .map(|p| p.cluster.as_str())
        .collect();
    assert_eq!(odd, ["edge-berlin-017"]);
}

#[test]
fn what_was_read_is_not_asked_again_until_somebody_says_so() {
    let mut model = reading();
    let effects = choose(&mut model, "ConfigMap/* data.LOG_LEVEL");
    let (ask, targets) = asked(&effects);
    let count = targets.len();
    let read = targets.into_iter().map(|t| (t, Ok(None))).collect();
    let result = Ok(Answer::Field(read));
    tell_model(&mut model, Done::Answered { ask, result });
    assert!(press(&mut model, "l").is_empty());
    assert!(update(&mut model, Msg::Tick, now()).is_empty());
    let (_, again) = asked(&press(&mut model, "r"));
    assert_eq!(again.len(), count);
}

#[test]
fn a_secret_is_refused_and_nothing_is_asked() {
    let mut model = reading();
    let effects = choose(&mut model, "Secret/db data.password");
    assert!(effects.is_empty());
    assert!(notice(&model).contains("never shown"));
    assert_eq!(matrix(&model).value, CellValue::State);
}

#[test]
fn tab_completes_the_object_and_what_changed_in_it() {
    let mut model = reading();
    press(&mut model, "7 f");
    type_text(&mut model, "ConfigMap/e");
    press(&mut model, "tab");
    type_text(&mut model, "data.L");
    press(&mut model, "tab");
    match &model.modal {
        Some(Modal::Line(_, input)) => {
            assert_eq!(input.value(), "ConfigMap/edge-config data.LOG_LEVEL");
        }
        other => panic!("{other:?} is no line"),
    }
}

#[test]
fn without_a_field_the_values_go_round_without_it_and_there_is_nothing_to_read_again() {
    let mut model = reading();
    press(&mut model, "7");
    for _ in 0..6 {
        press(&mut model, "v");
        assert_ne!(matrix(&model).value, CellValue::Field);
    }
    assert!(press(&mut model, "r").is_empty());
    assert!(notice(&model).contains("chooses one"));
}

//! Columns: chosen in a window, kept for the list, part of a saved view.

use super::*;
use crate::app::kept::Kept;
use crate::view::layout::{ByScreen, Layout};

fn columns(model: &Model) -> Vec<String> {
    model.layouts.columns(place(model))
}

fn kept(effects: &[Effect]) -> Kept {
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::Keep(kept) => Some((**kept).clone()),
        _ => None,
    });
    kept.expect("it is kept")
}

/// The same console in a later sitting.
fn later(kept: Kept) -> Model {
    Model::new(Start {
        fleet: troubled_fleet(),
        keymap: Keymap::load("default", None).unwrap(),
        write: false,
        themes: Vec::new(),
        keymaps: Vec::new(),
        size: crate::app::shape::Size { cols: 80, rows: 24 },
        now: now(),
        kept,
        links: Vec::new(),
        layouts: ByScreen::default(),
    })
}

#[test]
fn a_column_that_was_hidden_and_a_label_that_was_shown_stay_so_in_later_sittings() {
    let mut model = reading();
    assert!(columns(&model).contains(&"site".to_owned()));
    let effects = press(&mut model, "v j space G space enter");
    assert!(!columns(&model).contains(&"site".to_owned()));
    assert_eq!(
        columns(&model).last().map(String::as_str),
        Some("label:tier")
    );
    let later = later(kept(&effects));
    assert_eq!(columns(&later), columns(&model));
}

#[test]
fn esc_drops_what_was_chosen_and_zero_forgets_it() {
    let mut model = reading();
    let before = columns(&model);
    assert!(press(&mut model, "v j space esc").is_empty());
    assert_eq!(columns(&model), before);
    press(&mut model, "v j space enter");
    assert_ne!(columns(&model), before);
    let effects = press(&mut model, "v 0");
    assert_eq!(columns(&model), before);
    assert_eq!(kept(&effects).layouts["fleet"], Layout::default());
}

#[test]
fn what_a_row_is_and_whether_it_is_current_stay() {
    let mut model = reading();
    press(&mut model, "v");
    for _ in 0..30 {
        press(&mut model, "space j");
    }
    press(&mut model, "enter");
    let left = columns(&model);
    assert!(left.contains(&"cluster".to_owned()) && left.contains(&"seen".to_owned()));
    assert!(!left.contains(&"health".to_owned()));
}

#[test]
fn a_saved_view_brings_its_columns_back_and_changes_nothing_that_is_kept() {
    let mut model = reading();
    press(&mut model, "3 v j space enter");
    let with = columns(&model);
    press(&mut model, "ctrl-s");
    type_text(&mut model, "night");
    press(&mut model, "enter v 0");
    assert_ne!(columns(&model), with);
    press(&mut model, ":");
    type_text(&mut model, "view night");
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::Apps);
    assert_eq!(columns(&model), with);
    assert_eq!(model.kept.layouts["apps"], Layout::default());
}

#[test]
fn a_view_that_was_saved_before_lists_could_be_laid_out_still_opens() {
    let text = r#"{"views": [{"name": "old", "screen": "fleet", "filter": "drift>0", "problems": false, "sort": 1}]}"#;
    let mut model = later(serde_json::from_str(text).unwrap());
    press(&mut model, ":");
    type_text(&mut model, "view old");
    press(&mut model, "enter");
    assert_eq!(model.layouts.chosen(Place::Fleet), Layout::default());
}

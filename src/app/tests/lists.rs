//! Filter, problems, sort and marks.

use super::*;

#[test]
fn typing_a_filter_narrows_at_each_key_and_escape_brings_everything_back() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "berlin");
    assert_eq!(fleet_list(&model), ["edge-berlin-017", "edge-berlin-018"]);
    press(&mut model, "esc");
    assert_eq!(fleet_list(&model).len(), 15);
}

#[test]
fn letters_typed_into_a_filter_are_text_and_never_actions() {
    let mut model = writing();
    press(&mut model, "/");
    assert!(type_text(&mut model, "sdq?:Q").is_empty());
    assert_eq!(place(&model), Place::Fleet);
    assert!(matches!(model.modal, Some(Modal::Filter(..))));
}

#[test]
fn a_filter_asks_fields() {
    let mut model = reading();
    press(&mut model, "/");
    type_text(&mut model, "group=us drift>0");
    press(&mut model, "enter");
    assert_eq!(fleet_list(&model), ["edge-austin-001", "edge-boston-001"]);
}

#[test]
fn a_filter_that_does_not_read_says_why_and_keeps_the_last_good_one() {
    let mut model = reading();
    press(&mut model, "/");
    update(&mut model, Msg::Paste("drift>0".into()), now());
    update(&mut model, Msg::Paste(" and drfit>1".into()), now());
    let error = model
        .face()
        .and_then(|f| f.sieve())
        .and_then(|s| s.error.clone())
        .unwrap();
    assert!(error.as_str().contains("`drift`"), "{error}");
    assert_eq!(fleet_list(&model).len(), 7);
}

#[test]
fn problems_shows_who_needs_somebody() {
    let mut model = reading();
    press(&mut model, "!");
    let list = fleet_list(&model);
    assert_eq!(list.len(), 9);
    assert!(!list.contains(&"edge-denver-001".to_owned()));
    assert!(list.contains(&"edge-paris-031".to_owned()));
    press(&mut model, "!");
    assert_eq!(fleet_list(&model).len(), 15);
}

#[test]
fn sort_goes_through_the_orders_and_keeps_the_selected_row() {
    let mut model = reading();
    press(&mut model, "j j");
    let before = selected(&model);
    press(&mut model, "S");
    assert_eq!(model.face().and_then(Face::sort_name), Some("name"));
    assert_eq!(fleet_list(&model)[0], "edge-austin-001");
    assert_eq!(selected(&model), before);
}

#[test]
fn marks_range_invert_and_clear() {
    let mut model = reading();
    press(&mut model, "space j j ctrl-space");
    assert_eq!(marks(&model), 3);
    press(&mut model, "*");
    assert_eq!(marks(&model), 12);
    press(&mut model, "ctrl-\\");
    assert_eq!(marks(&model), 0);
}

#[test]
fn rows_keep_their_places_while_somebody_moves() {
    let mut model = reading();
    press(&mut model, "j");
    let before = fleet_list(&model);
    update(
        &mut model,
        link("edge-madrid-001", LinkState::Unreachable),
        now(),
    );
    assert_eq!(fleet_list(&model), before);
    let later = now().checked_add(SignedDuration::from_secs(2)).unwrap();
    assert!(model.wake_at() <= later);
    update(&mut model, Msg::Tick, later);
    assert_ne!(fleet_list(&model), before);
    assert_eq!(selected(&model), before[1]);
}

#[test]
fn whoever_acts_on_the_first_row_without_moving_keeps_it_when_another_becomes_the_first() {
    let later = now() + SignedDuration::from_secs(5);
    let sinks = || link("edge-berlin-017", LinkState::Stale);
    let mut idle = reading();
    assert_eq!(selected(&idle), "edge-berlin-017");
    update(&mut idle, sinks(), later);
    assert_ne!(selected(&idle), "edge-berlin-017", "it has left the top");
    for keys in ["x esc", "X esc", ": esc", "d esc", "space"] {
        let mut model = reading();
        press(&mut model, keys);
        update(&mut model, sinks(), later);
        assert_eq!(selected(&model), "edge-berlin-017", "{keys}");
    }
}

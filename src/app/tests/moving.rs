//! Moving: what each motion does, and what it never does.

use super::*;

#[test]
fn the_most_urgent_cluster_is_first_and_the_calm_ones_last() {
    let model = reading();
    let list = fleet_list(&model);
    assert_eq!(list[0], "edge-berlin-017");
    assert_eq!(list.last().map(String::as_str), Some("hub-1"));
    assert_eq!(selected(&model), "edge-berlin-017");
}

#[test]
fn every_motion_moves_as_its_name_says() {
    let mut model = reading();
    let list = fleet_list(&model);
    let mut at = |keys: &str| {
        press(&mut model, keys);
        list.iter()
            .position(|name| *name == selected(&model))
            .unwrap()
    };
    assert_eq!(at("j"), 1);
    assert_eq!(at("down j"), 3);
    assert_eq!(at("k"), 2);
    assert_eq!(at("G"), 14);
    assert_eq!(at("g g"), 0);
    assert_eq!(at("ctrl-d"), 14);
    assert_eq!(at("ctrl-u"), 0);
    assert_eq!(at("end"), 14);
    assert_eq!(at("pageup"), 0);
    assert_eq!(at("ctrl-f"), 14);
    assert_eq!(at("home"), 0);
}

#[test]
fn holding_half_page_in_any_screen_orders_nothing() {
    for open in ["", "2", "3", "3 enter", "2 d", "2 s"] {
        let mut model = writing();
        press(&mut model, open);
        for _ in 0..50 {
            assert!(press(&mut model, "ctrl-d").is_empty(), "{open}");
        }
    }
}

#[test]
fn a_chord_that_is_not_finished_is_forgotten_with_escape() {
    let mut model = reading();
    press(&mut model, "j j g");
    assert_eq!(model.pressed.len(), 1);
    press(&mut model, "esc");
    assert!(model.pressed.is_empty());
    assert_eq!(selected(&model), fleet_list(&model)[2]);
}

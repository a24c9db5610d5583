//! The drift inbox.

use super::*;

#[test]
fn groups_open_into_members_and_members_into_the_difference() {
    let mut model = reading();
    press(&mut model, "2 enter");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "j enter");
    assert_eq!(diff(&model).target.object, deployment("gateway"));
    press(&mut model, "esc");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "esc");
    assert_eq!(drift(&model).pane, Pane::Groups);
}

#[test]
fn tab_goes_between_the_panes() {
    let mut model = reading();
    press(&mut model, "2 tab");
    assert_eq!(drift(&model).pane, Pane::Members);
    press(&mut model, "shift-tab");
    assert_eq!(drift(&model).pane, Pane::Groups);
}

#[test]
fn members_that_are_not_current_come_last() {
    let mut model = reading();
    press(&mut model, "2");
    let members: Vec<String> = drift(&model)
        .members
        .keys()
        .iter()
        .map(|(c, _)| c.to_string())
        .collect();
    assert_eq!(members.last().map(String::as_str), Some("edge-munich-009"));
    assert_eq!(members.len(), 5);
}

#[test]
fn the_other_sorts_of_the_inbox() {
    let mut model = reading();
    press(&mut model, "2 S");
    assert_eq!(model.face().and_then(Face::sort_name), Some("newest"));
    press(&mut model, "S");
    assert_eq!(selected(&model), "ConfigMap edge/edge-config".to_owned());
}

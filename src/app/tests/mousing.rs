//! The mouse: a click selects, a second one opens, the wheel moves, titles sort.

use super::*;
use crate::app::modal::Modal;
use crate::app::mouse::{How, Pointed};

fn point(model: &mut Model, how: How, x: u16, y: u16, millis: i64) -> Vec<Effect> {
    let at = now()
        .checked_add(SignedDuration::from_millis(millis))
        .unwrap();
    update(model, Msg::Mouse(Pointed { how, x, y }), at)
}

#[test]
fn a_click_selects_the_row_and_a_second_one_opens_it() {
    let mut model = reading();
    point(&mut model, How::Click, 5, 6, 0);
    assert_eq!(selected(&model), fleet_list(&model)[3]);
    assert_eq!(place(&model), Place::Fleet);
    point(&mut model, How::Click, 5, 6, 300);
    assert_eq!(place(&model), Place::Apps);
}

#[test]
fn two_clicks_far_apart_or_on_two_rows_open_nothing() {
    let mut model = reading();
    point(&mut model, How::Click, 5, 6, 0);
    point(&mut model, How::Click, 5, 6, 900);
    point(&mut model, How::Click, 5, 7, 1_000);
    assert_eq!(place(&model), Place::Fleet);
    assert_eq!(selected(&model), fleet_list(&model)[4]);
}

#[test]
fn a_click_below_the_last_row_and_beside_a_window_does_nothing() {
    let mut model = reading();
    let here = selected(&model);
    point(&mut model, How::Click, 5, 30, 0);
    assert_eq!(selected(&model), here);
    press(&mut model, ":");
    point(&mut model, How::Click, 5, 6, 0);
    assert!(matches!(model.modal, Some(Modal::Palette(_))));
    assert_eq!(selected(&model), here);
}

#[test]
fn the_wheel_moves_three_rows_in_a_list_and_in_a_window() {
    let mut model = reading();
    point(&mut model, How::Down, 5, 6, 0);
    assert_eq!(selected(&model), fleet_list(&model)[3]);
    point(&mut model, How::Up, 5, 6, 0);
    assert_eq!(selected(&model), fleet_list(&model)[0]);
    press(&mut model, ":");
    point(&mut model, How::Down, 5, 6, 0);
    match &model.modal {
        Some(Modal::Palette(palette)) => assert_eq!(palette.cursor, 3),
        other => panic!("{other:?} is not the palette"),
    }
}

#[test]
fn a_click_on_the_titles_sorts_and_one_on_the_way_back_leaves() {
    let mut model = reading();
    let before = model.face().unwrap().sort_name();
    point(&mut model, How::Click, 5, 2, 0);
    assert_ne!(model.face().unwrap().sort_name(), before);
    press(&mut model, "3");
    let crumb = model.ctx().shape(Place::Apps).crumb.unwrap();
    point(&mut model, How::Click, 5, crumb.y, 0);
    assert_eq!(place(&model), Place::Fleet);
}

#[test]
fn a_click_on_a_group_of_a_list_selects_its_line_and_a_second_one_folds_it() {
    let mut model = reading();
    press(&mut model, "% j enter");
    point(&mut model, How::Click, 5, 3, 0);
    let all = model.face().unwrap().page(&model.ctx());
    assert!(all > 4);
    let lines = |model: &Model| match model.screen() {
        Some(Screen::Fleet(fleet)) => fleet.list.lines().len(),
        _ => 0,
    };
    let before = lines(&model);
    point(&mut model, How::Click, 5, 3, 100);
    assert_eq!(lines(&model), before - 2);
}

#[test]
fn members_of_a_change_and_cells_of_the_matrix_are_clicked_where_they_stand() {
    let mut model = reading();
    press(&mut model, "2");
    let members = model.ctx().shape(Place::Drift).second.unwrap();
    point(&mut model, How::Click, 5, members.y + 3, 0);
    assert_eq!(drift(&model).pane, Pane::Members);
    assert_eq!(drift(&model).members.cursor(), 1);
    press(&mut model, "esc 7");
    point(&mut model, How::Click, 24 + 19 + 2, 3, 2_000);
    match model.screen() {
        Some(Screen::Matrix(matrix)) => assert_eq!(matrix.column, 1),
        other => panic!("{other:?} is not the matrix"),
    }
}

#[test]
fn a_click_on_a_tab_turns_to_it_and_one_on_the_tree_selects_there() {
    let mut model = reading();
    press(&mut model, "3 enter");
    let detail = model.ctx().shape(Place::App).detail.unwrap();
    point(&mut model, How::Click, detail.x + 11, detail.y + 1, 0);
    assert_eq!(
        application(&model).detail.tab,
        crate::app::screens::app::Tab::Diff
    );
    let main = model.ctx().shape(Place::App).main;
    point(&mut model, How::Click, 5, main.y + 2, 2_000);
    assert_eq!(application(&model).list.cursor(), 1);
}

#[test]
fn no_click_runs_a_plan() {
    let mut model = writing();
    planned(&mut model, "2 s", false);
    for millis in [0, 100] {
        let effects = point(&mut model, How::Click, 5, 7, millis);
        assert!(effects.is_empty());
    }
    assert_eq!(place(&model), Place::Plan);
    assert!(model.modal.is_none());
}

//! The difference of one object.

use super::*;

#[test]
fn the_difference_needs_no_question_while_the_fleet_has_the_documents() {
    let mut model = reading();
    assert!(press(&mut model, "2 d").is_empty());
    let counted = diff(&model).rows.iter().filter(|r| r.counts()).count();
    assert_eq!(counted, 1);
}

#[test]
fn documents_that_the_fleet_does_not_hold_are_asked_for_and_late_answers_dropped() {
    let mut model = reading();
    press(&mut model, "3 enter j j");
    let effects = press(&mut model, "d");
    let [
        Effect::FetchBodies {
            ask,
            cluster,
            object,
            ..
        },
    ] = effects.as_slice()
    else {
        panic!("{effects:?}");
    };
    assert_eq!(
        (cluster.as_str(), object.to_string().as_str()),
        ("edge-berlin-017", "Service edge/gateway")
    );
    let gone = Err(Safe::fixed("somebody else's answer"));
    tell_model(
        &mut model,
        Done::Bodies {
            ask: ask + 7,
            result: gone,
        },
    );
    assert!(matches!(
        diff(&model).documents,
        crate::app::screens::diff::Documents::Reading
    ));
    let why = Err(Safe::fixed("The object is forbidden."));
    tell_model(
        &mut model,
        Done::Bodies {
            ask: *ask,
            result: why,
        },
    );
    assert!(matches!(
        diff(&model).documents,
        crate::app::screens::diff::Documents::Failed(_)
    ));
    assert!(matches!(
        press(&mut model, "5").as_slice(),
        [Effect::FetchBodies { .. }]
    ));
}

#[test]
fn noise_owners_context_and_split_change_what_is_shown() {
    let mut model = reading();
    press(&mut model, "2 d");
    let lines = diff(&model).lines.len();
    press(&mut model, "z");
    assert!(diff(&model).noise && diff(&model).lines.len() > lines);
    press(&mut model, "z }");
    assert!(diff(&model).lines.len() > lines);
    press(&mut model, "{ { {");
    assert!(diff(&model).lines.len() < lines);
    press(&mut model, "b");
    assert!(!diff(&model).owners);
    assert!(diff(&model).is_split(&model.ctx()));
    press(&mut model, "+");
    assert!(!diff(&model).is_split(&model.ctx()));
}

#[test]
fn side_by_side_is_refused_below_a_hundred_columns() {
    let mut model = console(troubled_fleet(), 80, 24, false);
    press(&mut model, "2 d +");
    assert!(notice(&model).contains("100 columns"));
}

#[test]
fn brackets_go_from_change_to_change_and_columns_scroll() {
    let mut model = console(troubled_fleet(), 80, 10, false);
    press(&mut model, "2 d z");
    let hunks = diff(&model).hunks(&model.ctx());
    assert!(hunks.len() > 1, "{hunks:?}");
    press(&mut model, "]");
    let top = diff(&model).top;
    assert!(top > 0);
    press(&mut model, "n ] ]");
    assert!(diff(&model).top > top);
    press(&mut model, "[ N [ [ [");
    assert_eq!(diff(&model).top, hunks[0].saturating_sub(2));
    press(&mut model, "l l");
    assert_eq!(diff(&model).shift, 16);
    press(&mut model, "left h h");
    assert_eq!(diff(&model).shift, 0);
}

#[test]
fn a_search_goes_to_what_stands_in_a_fold_and_n_goes_on() {
    let mut model = reading();
    press(&mut model, "2 d {");
    press(&mut model, "{ {");
    press(&mut model, "/");
    type_text(&mut model, "containerPort");
    press(&mut model, "enter");
    let screen = diff(&model);
    let holds = |line: &crate::app::diff::ViewLine| match line {
        crate::app::diff::ViewLine::Row(i) => screen.rows[*i]
            .right
            .as_ref()
            .is_some_and(|t| t.as_str().contains("containerPort")),
        crate::app::diff::ViewLine::Fold(_) => false,
    };
    assert!(screen.lines.iter().any(holds));
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Diff);
    assert!(diff(&model).wanted().is_none());
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Drift);
}

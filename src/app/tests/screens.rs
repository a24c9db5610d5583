//! From screen to screen and back.

use super::*;

#[test]
fn numbers_lead_to_screens_and_back() {
    let mut model = reading();
    for (key, expected) in [
        ("2", Place::Drift),
        ("3", Place::Apps),
        ("2", Place::Drift),
        ("1", Place::Fleet),
    ] {
        press(&mut model, key);
        assert_eq!(place(&model), expected, "{key}");
    }
    assert_eq!(model.stack.len(), 1);
}

#[test]
fn enter_leads_from_a_cluster_to_its_applications_to_the_application_to_the_difference() {
    let mut model = reading();
    press(&mut model, "enter");
    assert_eq!(
        (place(&model), selected(&model).as_str()),
        (Place::Apps, "gateway-berlin-017")
    );
    press(&mut model, "enter");
    assert_eq!(
        (place(&model), selected(&model).as_str()),
        (Place::App, "Deployment edge/gateway")
    );
    press(&mut model, "enter enter");
    assert_eq!(
        diff(&model).target.cluster,
        ClusterId::from("edge-berlin-017")
    );
    let crumbs: Vec<String> = model.crumbs().iter().map(ToString::to_string).collect();
    assert_eq!(
        crumbs,
        [
            "fleet",
            "edge-berlin-017",
            "gateway-berlin-017",
            "gateway diff"
        ]
    );
    press(&mut model, "q q q");
    assert_eq!(place(&model), Place::Fleet);
}

#[test]
fn d_leads_from_a_cluster_to_its_drift_only() {
    let mut model = reading();
    press(&mut model, "d");
    assert_eq!(drift(&model).only, Some("edge-berlin-017".into()));
    assert_eq!(drift(&model).groups.len(), 2);
    // The number leads to the whole inbox, not back to the part.
    press(&mut model, "2");
    assert_eq!(drift(&model).only, None);
    assert_eq!(drift(&model).groups.len(), 3);
}

#[test]
fn a_screen_that_needs_a_selection_says_what_to_choose() {
    let mut model = reading();
    press(&mut model, "4");
    assert!(
        notice(&model).contains("3 lists them"),
        "{}",
        notice(&model)
    );
    press(&mut model, "5");
    assert!(
        notice(&model).contains("2 lists them"),
        "{}",
        notice(&model)
    );
    press(&mut model, "6");
    assert!(
        notice(&model).contains("s on a drifted row"),
        "{}",
        notice(&model)
    );
    press(&mut model, "2 4");
    assert_eq!(place(&model), Place::App);
}

#[test]
fn escape_closes_filter_then_marks_then_the_screen_and_never_quits() {
    let mut model = reading();
    press(&mut model, "3 / o s l o enter");
    press(&mut model, "esc");
    assert_eq!(place(&model), Place::Apps);
    press(&mut model, "esc esc esc esc");
    assert_eq!((place(&model), model.modal.is_none()), (Place::Fleet, true));
}

#[test]
fn leaving_the_first_screen_asks_and_the_answer_counts() {
    let mut model = reading();
    assert!(press(&mut model, "q").is_empty());
    assert!(matches!(model.modal, Some(Modal::Confirm(_))));
    assert!(press(&mut model, "n").is_empty());
    assert!(model.modal.is_none());
    assert_eq!(press(&mut model, "q y"), [Effect::Quit]);
    assert_eq!(press(&mut reading(), "Q enter"), [Effect::Quit]);
}

#[test]
fn ctrl_c_quits_only_twice_in_a_row() {
    let mut model = reading();
    assert!(press(&mut model, "ctrl-c").is_empty());
    assert!(notice(&model).contains("again"));
    assert!(press(&mut model, "j ctrl-c").is_empty());
    assert_eq!(press(&mut model, "ctrl-c"), [Effect::Quit]);
}

#[test]
fn ctrl_c_closes_a_window_first() {
    let mut model = reading();
    press(&mut model, "? ctrl-c");
    assert!(model.modal.is_none() && notice(&model).is_empty());
}

#[test]
fn suspend_redraw_and_copy_are_orders() {
    let mut model = reading();
    assert_eq!(press(&mut model, "ctrl-z"), [Effect::Suspend]);
    assert_eq!(press(&mut model, "ctrl-l"), [Effect::Redraw]);
    assert_eq!(
        press(&mut model, "c"),
        [Effect::Copy("edge-berlin-017".into())]
    );
}

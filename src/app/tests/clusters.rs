//! What can be asked of a cluster.

use super::*;

#[test]
fn r_reconnects_what_is_marked_or_selected() {
    let mut model = reading();
    assert_eq!(
        press(&mut model, "r"),
        [Effect::Retry("edge-berlin-017".into())]
    );
    assert_eq!(press(&mut model, "space j space r").len(), 2);
}

#[test]
fn login_is_offered_only_where_credentials_are_asked_for() {
    let mut model = reading();
    assert!(press(&mut model, "a").is_empty());
    assert!(notice(&model).contains("does not ask"));
    press(&mut model, "/");
    type_text(&mut model, "lyon");
    press(&mut model, "enter");
    assert_eq!(
        press(&mut model, "a"),
        [Effect::Login("edge-lyon-001".into())]
    );
    let result = Err(Safe::fixed("the plugin ended with status 1."));
    tell_model(
        &mut model,
        Done::LoggedIn {
            cluster: "edge-lyon-001".into(),
            result,
        },
    );
    assert!(notice(&model).contains("status 1"), "{}", notice(&model));
}

//! Help, palette and pasted text.

use super::*;

#[test]
fn help_lists_every_action_of_the_screen_with_its_keys() {
    let keymap = Keymap::load("default", None).unwrap();
    for place in Place::ALL {
        let lines = help::lines(&keymap, place);
        for row in ACTIONS
            .iter()
            .filter(|a| keymap.keys_of(place, a.action).is_some())
        {
            assert!(
                lines.iter().any(|l| l.id == row.id),
                "{} on {place:?}",
                row.id
            );
        }
    }
    let mut model = reading();
    press(&mut model, "? j j");
    assert!(matches!(model.modal, Some(Modal::Help(2))));
    press(&mut model, "x");
    assert!(model.modal.is_none());
}

#[test]
fn the_palette_runs_what_was_found() {
    let mut model = reading();
    press(&mut model, ":");
    type_text(&mut model, "go.apps");
    press(&mut model, "enter");
    assert_eq!(place(&model), Place::Apps);
    press(&mut model, ":");
    type_text(&mut model, "theme light");
    assert_eq!(
        press(&mut model, "enter"),
        [Effect::LoadTheme("light".into())]
    );
    press(&mut model, ":");
    type_text(&mut model, "keymap default");
    assert_eq!(
        press(&mut model, "enter"),
        [Effect::LoadKeymap("default".into())]
    );
}

#[test]
fn pasted_text_is_one_line_of_the_filter() {
    let mut model = reading();
    press(&mut model, "/");
    update(&mut model, Msg::Paste("berlin\n".into()), now());
    assert_eq!(fleet_list(&model).len(), 2);
}

//! Every key of every keymap on every screen: it asks for its action, and none does nothing without a word.

use std::collections::BTreeSet;

use rstest::rstest;

use super::*;
use crate::keymap::Lookup;
use crate::keymap::key::show_chord;

/// Each screen, in the middle of what is there.
fn at(place: Place) -> Model {
    let keys = match place {
        Place::Fleet => "j j space j",
        Place::Drift => "2 j space j",
        Place::Apps => "3 j j space j",
        Place::App => "3 enter",
        Place::Diff => "2 d",
        Place::Matrix => "7 j l",
        Place::Activity => "8 j j",
        Place::Plan | Place::Run | Place::Cluster => "",
    };
    let mut model = writing();
    match place {
        Place::Plan => {
            planned(&mut model, "2 s", false);
            press(&mut model, "j");
        }
        Place::Run => {
            planned(&mut model, "2 s", false);
            press(&mut model, "enter y");
        }
        Place::Cluster => crate::app::testkit::cluster_answered(&mut model, "9"),
        _ => {
            press(&mut model, keys);
        }
    }
    assert_eq!(model.place(), place);
    model
}

/// What there is after these keys of this keymap, and what was asked of the world.
fn pressed(place: Place, keymap: &Keymap, keys: &[crate::keymap::Key]) -> String {
    let mut model = at(place);
    model.keymap = keymap.clone();
    let effects: Vec<Effect> = keys
        .iter()
        .flat_map(|key| update(&mut model, Msg::Key((*key).into()), now()))
        .collect();
    let left = (&model.parked, &model.forward, &model.interrupted);
    let over = (&model.modal, &model.notice, &model.kept, &model.alerts);
    format!("{:?}\n{over:?}\n{left:?}\n{effects:?}", model.stack)
}

/// Whether there may be nowhere to go: no further row, column, pane or change, or the screen that is seen already.
fn may_be_silent(place: Place, action: Action) -> bool {
    let id = action.info().id;
    let here = match place {
        Place::Run => id == "go.plan",
        _ => id == format!("go.{}", place.id()),
    };
    here || ["move.", "pane.", "diff.next", "diff.previous"]
        .iter()
        .any(|beginning| id.starts_with(beginning))
}

#[rstest]
#[case("default")]
#[case("vim")]
#[case("k9s")]
#[case("lazygit")]
#[case("argonaut")]
fn every_key_asks_for_its_action_and_none_does_nothing_without_a_word(#[case] name: &str) {
    let keymap = Keymap::load(name, None).unwrap();
    let mut silent = BTreeSet::new();
    for place in Place::ALL {
        let before = pressed(place, &keymap, &[]);
        let mut known = BTreeSet::new();
        for binding in keymap.bindings(place) {
            let (action, chord) = (binding.action, show_chord(&binding.chord));
            let looked = keymap.look(place, &binding.chord);
            assert_eq!(looked, Lookup::Action(action), "{chord} on {}", place.id());
            if !known.insert(action) {
                continue;
            }
            let found = pressed(place, &keymap, &binding.chord);
            if found == before && !may_be_silent(place, action) {
                silent.insert(format!("{} {}", place.id(), action.info().id));
            }
        }
    }
    assert_eq!(silent, BTreeSet::new());
}

#[test]
fn the_five_are_all_there_are() {
    let names = Keymap::names(None);
    assert_eq!(names, ["argonaut", "default", "k9s", "lazygit", "vim"]);
}

#[test]
fn every_action_has_a_key_or_a_name_in_every_keymap_on_each_of_its_screens() {
    for name in Keymap::names(None) {
        let keymap = Keymap::load(&name, None).unwrap();
        for place in Place::ALL {
            let bound = |action| keymap.keys_of(place, action).is_some();
            assert!(
                bound(Action::Palette) && bound(Action::Help),
                "{name} {}: what has no key cannot be found",
                place.id()
            );
        }
    }
}

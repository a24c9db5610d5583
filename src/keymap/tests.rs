//! Keymaps as people write them: what loads, what is refused, and in which words.

use std::fs;

use super::*;

fn load(text: &str) -> Result<Keymap, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("mine.toml"), text).unwrap();
    let loaded = Keymap::load("mine", Some(folder.path().to_owned()));
    loaded.map_err(|e| {
        let dir = format!("{}/", folder.path().display());
        e.to_string().replace(&dir, "")
    })
}

fn keys(text: &str) -> Vec<Key> {
    key::parse_chord(text).unwrap()
}

#[test]
fn every_built_in_keymap_loads() {
    for name in Keymap::names(None) {
        Keymap::load(&name, None).unwrap();
    }
}

#[test]
fn the_default_binds_every_action_on_some_screen() {
    let keymap = Keymap::load("default", None).unwrap();
    for action in crate::app::ACTIONS {
        let bound = Place::ALL
            .into_iter()
            .any(|p| keymap.keys_of(p, action.action).is_some());
        assert!(bound, "{} has no key", action.id);
    }
}

#[test]
fn half_page_keys_never_do_anything_else_in_any_keymap() {
    for name in Keymap::names(None) {
        let keymap = Keymap::load(&name, None).unwrap();
        for place in Place::ALL {
            let meant = keymap.look(place, &keys("ctrl-d"));
            assert_eq!(meant, Lookup::Action(Action::HalfDown), "{name}");
        }
    }
}

#[test]
fn a_chord_waits_and_then_acts() {
    let keymap = Keymap::load("default", None).unwrap();
    assert_eq!(keymap.look(Place::Fleet, &keys("g")), Lookup::Pending);
    assert_eq!(
        keymap.look(Place::Fleet, &keys("g g")),
        Lookup::Action(Action::Top)
    );
    assert_eq!(keymap.look(Place::Fleet, &keys("g x")), Lookup::Nothing);
}

#[test]
fn the_screen_goes_before_the_global_layer() {
    let keymap = Keymap::load("default", None).unwrap();
    assert_eq!(
        keymap.look(Place::Plan, &keys("enter")),
        Lookup::Action(Action::RunPlan)
    );
    assert_eq!(
        keymap.look(Place::Fleet, &keys("enter")),
        Lookup::Action(Action::Open)
    );
}

#[test]
fn a_file_can_inherit_replace_and_take_away() {
    let keymap = load(
        "inherits = \"default\"\nglobal = [\n { on = \"j\", run = \"move.up\", desc = \"contrary\" },\n { on = \"Q\", run = \"none\" },\n]\n",
    )
    .unwrap();
    assert_eq!(
        keymap.look(Place::Apps, &keys("j")),
        Lookup::Action(Action::Up)
    );
    assert_eq!(keymap.look(Place::Apps, &keys("Q")), Lookup::Nothing);
    assert_eq!(
        keymap.look(Place::Apps, &keys("down")),
        Lookup::Action(Action::Down)
    );
}

#[test]
fn an_unknown_action_is_refused_with_the_nearest() {
    let refused = load("global = [\n { on = \"j\", run = \"move.dwon\" },\n]\n").unwrap_err();
    assert_eq!(
        refused,
        "mine.toml, line 2: unknown action `move.dwon`; the nearest is `move.down`."
    );
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    let refused = load("global = [ { on = \"entr\", run = \"nav.open\" } ]").unwrap_err();
    assert_eq!(
        refused,
        "mine.toml, line 1: unknown key `entr`; the nearest is `enter`."
    );
}

#[test]
fn an_unknown_layer_or_field_is_refused() {
    assert_eq!(
        load("flet = []").unwrap_err(),
        "mine.toml, line 1: unknown layer `flet`; the nearest is `fleet`."
    );
    let refused = load("global = [ { on = \"j\", runs = \"move.down\" } ]").unwrap_err();
    assert!(refused.contains("the nearest is `run`"), "{refused}");
}

#[test]
fn the_same_key_twice_is_refused_with_both_lines() {
    let refused = load(
        "global = [\n { on = \"j\", run = \"move.down\" },\n { on = \"j\", run = \"move.up\" },\n]",
    )
    .unwrap_err();
    assert_eq!(
        refused,
        "mine.toml, line 3: `j` is bound on line 2 already."
    );
}

#[test]
fn a_key_that_is_the_beginning_of_a_chord_is_refused() {
    let refused = load("global = [\n { on = \"g\", run = \"move.top\" },\n]\nfleet = [\n { on = \"g r\", run = \"link.retry\" },\n]").unwrap_err();
    assert!(
        refused.starts_with("mine.toml, line 5: `g r` can never be typed on the fleet screen"),
        "{refused}"
    );
}

#[test]
fn an_action_on_a_screen_where_it_does_nothing_is_refused() {
    let refused = load("fleet = [ { on = \"n\", run = \"diff.next\" } ]").unwrap_err();
    assert_eq!(
        refused,
        "mine.toml, line 1: `diff.next` does nothing on the fleet screen; it works on app, diff."
    );
}

#[test]
fn an_unknown_keymap_names_the_nearest_and_paths_are_no_names() {
    let unknown = Keymap::load("defualt", None).unwrap_err().to_string();
    assert_eq!(
        unknown,
        "Unknown keymap `defualt`; the nearest is `default`."
    );
    assert!(Keymap::load("../../etc/passwd", None).is_err());
}

#[test]
fn inheriting_oneself_is_refused() {
    let refused = load("inherits = \"mine\"").unwrap_err();
    assert!(refused.contains("circle"), "{refused}");
}

/// The page beside the keymap files: how they are written, and every action.
fn page() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "# Keymaps\n\n\
         A keymap is one TOML file here, or in `keymaps/` of the configuration folder, where a file of the same name goes before the built-in one.\n\
         Choose one with `--keymap NAME`, in `config.toml`, or in the console with `:keymap NAME`.\n\n\
         ```toml\n\
         about = \"what it is for\"\n\
         inherits = \"default\"            # its bindings are there already\n\n\
         global = [                       # every screen; a screen's own layer goes before it\n\
         \x20 { on = [\"j\", \"down\"], run = \"move.down\" },\n\
         \x20 { on = \"g g\", run = \"move.top\" },                 # one key after the other\n\
         \x20 { on = \"Q\", run = \"none\" },                       # takes an inherited key away\n\
         ]\n\
         fleet = [ { on = \"ctrl-r\", run = \"link.retry\", desc = \"my own words for the help page\" } ]\n\
         ```\n\n\
         Layers: `global`, and one for each screen: `fleet`, `drift`, `apps`, `app`, `diff`, `plan`, `run`, `matrix`, `activity`, `cluster`. An unknown\n\
         key, action or layer, a key that is bound twice, and a key that is the beginning of another are refused with file, line and the nearest right name.\n\n\
         ## Built in\n\n| name | what it is for |\n|---|---|\n",
    );
    let shelf = shelf(None);
    for name in Keymap::names(None) {
        let (_, text) = shelf.read(&name).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let _ = writeln!(page, "| `{name}` | {} |", table["about"].as_str().unwrap());
    }
    page.push_str(
        "\n## Actions\n\n| action | what it does | screens | default keys |\n|---|---|---|---|\n",
    );
    let keymap = Keymap::load("default", None).unwrap();
    for row in crate::app::ACTIONS {
        let all = row.places == crate::app::Places::ALL;
        let places: Vec<&str> = row.places.list().map(Place::id).collect();
        let places = if all {
            "all".to_owned()
        } else {
            places.join(", ")
        };
        let place = row.places.list().next().unwrap();
        let bound = keymap
            .bindings(place)
            .iter()
            .filter(|b| b.action == row.action);
        let keys: Vec<String> = bound
            .map(|b| format!("`{}`", key::show_chord(&b.chord)))
            .collect();
        let _ = writeln!(
            page,
            "| `{}` | {} | {places} | {} |",
            row.id,
            row.sentence,
            keys.join(" ")
        );
    }
    page
}

#[test]
fn the_page_beside_the_files_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/keymaps/README.md");
    if std::env::var_os("DRIFTDECK_WRITE_DOCS").is_some() {
        fs::write(path, page()).unwrap();
    }
    let written = fs::read_to_string(path).unwrap();
    assert!(
        written == page(),
        "keymaps/README.md is old; run `DRIFTDECK_WRITE_DOCS=1 cargo test the_page_beside`."
    );
}

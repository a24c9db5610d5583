//! The screen of one application of the embedded fleet: what the cluster, Git and the scrapes say of it stands in its tabs.

use std::process::Command;

/// The applications of the fleet after some keys, as text. A few edits were made by hand before.
fn screen(keys: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let answer = Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(["snapshot", "--demo", "hands", "--at", "14s"])
        .args(["--screen", "apps", "--size", "120x40", "--wait", "60s"])
        .args(["--keys", keys])
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{complaint}");
    String::from_utf8(answer.stdout).unwrap()
}

fn holds(screen: &str, words: &[&str]) {
    for word in words {
        assert!(screen.contains(word), "{word} is missing in\n{screen}");
    }
}

#[test]
fn live_and_desired_stand_beside_the_tree_down_to_the_pods() {
    let live = screen("enter y");
    holds(&live, &["[live]", "LOG_LEVEL: debug", "≠ edited", "└ Pod "]);
    let desired = screen("enter y ]");
    holds(&desired, &["[desired]", "LOG_LEVEL: warn"]);
}

#[test]
fn a_secret_shows_which_values_are_equal_and_none_of_them() {
    // Somebody edited it: the password is another than Git's, the name of the user is not.
    let keys = "/ t e l e m e t r y enter enter y";
    let live = screen(keys);
    holds(
        &live,
        &["Secret monitoring/remote-write", "≠ edited", "••• 2"],
    );
    let desired = screen(&format!("{keys} ]"));
    holds(&desired, &["password: ••• 1", "username: ••• 1"]);
    for text in [live, desired] {
        assert!(!text.contains("sealed"), "{text}");
    }
}

#[test]
fn history_names_who_deployed_and_what_was_committed() {
    let history = screen("enter h");
    holds(
        &history,
        &[
            "deployments",
            "by admin",
            "current",
            "commits up to",
            "a.lee",
        ],
    );
}

#[test]
fn the_figures_of_an_application_are_those_that_its_scrapes_gave() {
    let metrics = screen("/ i n g r e s s enter enter h ]");
    holds(&metrics, &["endpoints answered", "req/s"]);
}

//! A hub whose application controller is down: its row comes first, and its detail and screen say what is the matter and what to do.

use std::process::Command;

fn screen(name: &str) -> String {
    let home = tempfile::tempdir().unwrap();
    let answer = Command::new(env!("CARGO_BIN_EXE_driftdeck"))
        .args(["snapshot", "--demo", "hub", "--at", "90s"])
        .args(["--screen", name, "--size", "120x40", "--wait", "60s"])
        .env_clear()
        .env("HOME", home.path())
        .env("TMPDIR", home.path())
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&answer.stderr);
    assert!(answer.status.success(), "{complaint}");
    String::from_utf8(answer.stdout).unwrap()
}

#[test]
fn a_hub_whose_controller_is_down_comes_first_and_says_what_to_do() {
    let fleet = screen("fleet");
    let row = fleet.lines().find(|line| line.starts_with('>')).unwrap();
    assert!(
        row.contains("hub-1") && row.contains("engine down"),
        "{row}"
    );
    assert!(fleet.contains("✓ 6  ✗ 1"), "{fleet}");
    for screen in [fleet, screen("cluster")] {
        for words in ["its metrics do not answer since", "Look at the pods of"] {
            assert!(screen.contains(words), "{words} is missing in\n{screen}");
        }
    }
}

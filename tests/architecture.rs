//! Holds the walls between the rooms: reads every `use` and every path in the sources and fails on a forbidden arrow.
//!
//! A single package has no compiler walls between its modules; ARCHITECTURE.md draws the table that this file checks.

#![allow(
    clippy::unwrap_used,
    clippy::similar_names,
    reason = "a test program: it stops at the first source file it cannot read"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// What a room must not name: our own rooms as `crate::room`, foreign crates as `crate_name::`.
const WALLS: &[(&str, &[&str])] = &[
    (
        "domain",
        &[
            "crate::drift",
            "crate::health",
            "crate::metrics",
            "crate::fleet",
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "crate::sim",
            "kube::",
            "tokio::",
            "ratatui::",
            "reqwest::",
            "git2::",
        ],
    ),
    (
        "drift",
        &[
            "crate::fleet",
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "crate::sim",
            "kube::",
            "tokio::",
            "ratatui::",
            "Timestamp::now",
            "SystemTime::now",
            "Instant::now",
        ],
    ),
    (
        "health",
        &[
            "crate::fleet",
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "crate::sim",
            "kube::",
            "tokio::",
            "ratatui::",
            "Timestamp::now",
            "SystemTime::now",
            "Instant::now",
        ],
    ),
    (
        "metrics",
        &[
            "crate::fleet",
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "crate::sim",
            "kube::",
            "tokio::",
            "ratatui::",
            "Timestamp::now",
            "SystemTime::now",
            "Instant::now",
        ],
    ),
    (
        "fleet",
        &[
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "crate::sim",
            "kube::",
            "tokio::",
            "ratatui::",
            "Timestamp::now",
            "SystemTime::now",
            "Instant::now",
        ],
    ),
    (
        "connect",
        &[
            "crate::fleet",
            "crate::sources",
            "crate::desired",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "ratatui::",
        ],
    ),
    (
        "sources",
        &[
            "crate::fleet",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "ratatui::",
        ],
    ),
    (
        "desired",
        &[
            "crate::fleet",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "ratatui::",
        ],
    ),
    (
        "ops",
        &[
            "crate::fleet",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "ratatui::",
        ],
    ),
    (
        "app",
        &[
            "crate::connect",
            "crate::sources",
            "crate::ui",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
            "reqwest::",
            "git2::",
            "ratatui::widgets",
            "ratatui::Frame",
        ],
    ),
    (
        "ui",
        &[
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
            "reqwest::",
            "git2::",
        ],
    ),
    (
        "keymap",
        &[
            "crate::connect",
            "crate::sources",
            "crate::fleet",
            "crate::ops",
            "crate::ui",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
        ],
    ),
    (
        "theme",
        &[
            "crate::connect",
            "crate::sources",
            "crate::fleet",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
        ],
    ),
    (
        "view",
        &[
            "crate::connect",
            "crate::sources",
            "crate::fleet",
            "crate::ops",
            "crate::app",
            "crate::config",
            "crate::ui",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
        ],
    ),
    (
        "config",
        &[
            "crate::connect",
            "crate::sources",
            "crate::fleet",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::cli",
            "crate::sim",
            "tokio::",
            "kube::",
        ],
    ),
    (
        "sim",
        &[
            "crate::fleet",
            "crate::connect",
            "crate::sources",
            "crate::desired",
            "crate::drift",
            "crate::ops",
            "crate::app",
            "crate::ui",
            "crate::theme",
            "crate::keymap",
            "crate::cli",
            "ratatui::",
        ],
    ),
];

#[test]
fn no_room_reaches_through_a_wall() {
    let mut broken = Vec::new();
    for (room, forbidden) in WALLS {
        for file in files_of(room) {
            let text = fs::read_to_string(&file).unwrap();
            for (number, line) in product_lines(&text) {
                for name in *forbidden {
                    if names(line, name) {
                        broken.push(format!(
                            "{}:{number}: `{room}` must not use `{name}`: {}",
                            file.display(),
                            line.trim()
                        ));
                    }
                }
            }
        }
    }
    assert!(
        broken.is_empty(),
        "{} forbidden arrow(s):\n{}",
        broken.len(),
        broken.join("\n")
    );
}

#[test]
fn every_room_of_the_table_exists() {
    for (room, _) in WALLS {
        assert!(
            !files_of(room).is_empty(),
            "the table names `{room}`, and there is no src/{room}.rs"
        );
    }
}

#[test]
fn every_file_says_its_job_in_its_first_line() {
    let silent: Vec<String> = all_files(Path::new("src"))
        .into_iter()
        .filter(|file| !file.ends_with("tests.rs"))
        .filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "))
        .map(|file| file.display().to_string())
        .collect();
    assert!(
        silent.is_empty(),
        "no `//!` line at the top of: {}",
        silent.join(", ")
    );
}

#[test]
fn only_the_gate_makes_approved_effects() {
    for file in all_files(Path::new("src")) {
        let in_gate = file.starts_with("src/ops/gate") || file.ends_with("ops/gate.rs");
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in product_lines(&text) {
            let makes =
                line.contains("Approved {") && !line.contains("struct") && !line.contains("impl");
            assert!(
                in_gate || !makes,
                "{}:{number}: an approval is made outside the gate: {line}",
                file.display()
            );
        }
    }
}

#[test]
fn a_wall_is_found_in_a_use_group_and_not_in_a_longer_name() {
    assert!(names("use crate::fleet::Fleet;", "crate::fleet"));
    assert!(names("    kube::Client::new(service)", "kube::"));
    assert!(!names("use crate::fleets::X;", "crate::fleet"));
    assert!(!names("use my_kube::Client;", "kube::"));
    assert!(!names("// use crate::fleet::Fleet", "crate::fleet"));
}

/// Lines outside comments and before the file's test module.
fn product_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(n, line)| (n + 1, line))
        .take_while(|(_, line)| {
            !line.starts_with("mod tests {") && !line.starts_with("#[cfg(test)]\nmod tests")
        })
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether a line of code names a path: a whole word from its first character on.
fn names(line: &str, path: &str) -> bool {
    if line.trim_start().starts_with("//") {
        return false;
    }
    line.match_indices(path).any(|(at, found)| {
        let before = line[..at].chars().next_back();
        let after = line[at + found.len()..].chars().next();
        let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        !word(before) && before != Some(':') && (found.ends_with(':') || !word(after))
    })
}

fn files_of(room: &str) -> Vec<PathBuf> {
    let mut files = all_files(&Path::new("src").join(room));
    let root = PathBuf::from(format!("src/{room}.rs"));
    if root.exists() {
        files.push(root);
    }
    // Test helpers may reach further than the room itself.
    files.retain(|f| {
        !f.ends_with("tests.rs")
            && !f.components().any(|c| c.as_os_str() == "tests")
            && !f.ends_with("testkit.rs")
    });
    files
}

fn all_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(all_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
    files
}

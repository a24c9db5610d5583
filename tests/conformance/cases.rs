//! Reading case files, and scoring them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

/// One case.
pub struct Case {
    pub id: String,
    pub body: Value,
}

impl Case {
    /// The value at a top-level key, null when absent.
    pub fn get(&self, key: &str) -> &Value {
        self.body.get(key).unwrap_or(&Value::Null)
    }

    /// The text at a top-level key, empty when absent.
    pub fn text(&self, key: &str) -> &str {
        self.get(key).as_str().unwrap_or_default()
    }
}

/// The folder with the cases, when the environment names one.
fn folder() -> Option<PathBuf> {
    std::env::var_os("DRIFTDECK_CONFORMANCE").map(PathBuf::from)
}

/// Reads a whole file of the folder.
pub fn read(file: &str) -> Option<String> {
    let path = folder()?.join(file);
    Some(fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// Runs every case of a file that `about` selects, prints the score, names each case that fails, and fails if any does.
pub fn score(
    name: &str,
    file: &str,
    about: impl Fn(&Case) -> bool,
    check: impl Fn(&Case) -> Result<(), String>,
) {
    let Some((all, failing)) = run(name, file, about, check) else {
        return;
    };
    println!("{name} {}/{all}", all - failing.len());
    assert!(
        failing.is_empty(),
        "{name}: these cases fail\n  {}",
        failing.join("\n  ")
    );
}

/// The same where not every case passes yet: it prints and names them too, and fails below a floor, which only rises.
pub fn score_above(
    floor: usize,
    name: &str,
    file: &str,
    about: impl Fn(&Case) -> bool,
    check: impl Fn(&Case) -> Result<(), String>,
) {
    let Some((all, failing)) = run(name, file, about, check) else {
        return;
    };
    let passed = all - failing.len();
    println!("  {}\n{name} {passed}/{all}", failing.join("\n  "));
    assert!(
        passed >= floor,
        "{name}: {passed} of {all} pass, the floor is {floor}"
    );
}

/// How many cases there are, and those that fail with the reason; nothing without the folder.
fn run(
    name: &str,
    file: &str,
    about: impl Fn(&Case) -> bool,
    check: impl Fn(&Case) -> Result<(), String>,
) -> Option<(usize, Vec<String>)> {
    let Some(text) = read(file) else {
        println!("{name}: not run (DRIFTDECK_CONFORMANCE is not set)");
        return None;
    };
    let cases: Vec<Case> = text
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).expect("each line is a case"))
        .map(|body| Case {
            id: body["id"].as_str().unwrap_or("?").to_owned(),
            body,
        })
        .filter(|case| about(case))
        .collect();
    assert!(!cases.is_empty(), "{file} holds no case of this kind");
    let failing = cases
        .iter()
        .filter_map(|case| check(case).err().map(|why| format!("{}: {why}", case.id)))
        .collect();
    Some((cases.len(), failing))
}

/// Compares and tells both.
pub fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, want: &T) -> Result<(), String> {
    if got == want {
        Ok(())
    } else {
        Err(format!("{what}: got {got:?}, want {want:?}"))
    }
}

/// All cases of a file.
pub fn all(_: &Case) -> bool {
    true
}

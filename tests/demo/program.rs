//! `driftdeck demo --serve` as one process, and driftdeck as a person runs it beside it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_driftdeck");

/// A demo that serves until it is dropped.
pub(crate) struct Demo {
    child: Child,
    home: TempDir,
    pub(crate) kubeconfig: PathBuf,
}

impl Demo {
    /// Starts it and waits until it says that all servers answer.
    pub(crate) fn serve(arguments: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let kubeconfig = home.path().join("kubeconfig");
        let mut child = Command::new(PROGRAM)
            .args(["demo", "--serve", "--kubeconfig-out"])
            .arg(&kubeconfig)
            .args(arguments.split_whitespace())
            .env("HOME", home.path())
            .env("TMPDIR", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Vec<String> = lines
            .map_while(Result::ok)
            .take_while(|line| line != "ready")
            .collect();
        assert!(
            child.try_wait().unwrap().is_none(),
            "the demo ended: {said:?}"
        );
        Self {
            child,
            home,
            kubeconfig,
        }
    }

    /// An operator at this fleet, with a home of their own.
    pub(crate) fn operator(&self) -> Operator {
        let home = tempfile::tempdir_in(self.home.path()).unwrap();
        Operator {
            home,
            kubeconfig: self.kubeconfig.clone(),
        }
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One operator's machine.
pub(crate) struct Operator {
    pub(crate) home: TempDir,
    kubeconfig: PathBuf,
}

/// What one command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Operator {
    /// Runs a command given as words.
    pub(crate) fn run(&self, line: &str) -> Answer {
        let home = self.home.path();
        let output = Command::new(PROGRAM)
            .args(line.split_whitespace())
            .env("HOME", home)
            .env("USER", "operator")
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", self.state())
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("KUBECONFIG", &self.kubeconfig)
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Answer {
            status: output.status.code().expect("an exit status, not a signal"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Where the journal is kept.
    pub(crate) fn state(&self) -> PathBuf {
        self.home.path().join("state")
    }
}

impl Answer {
    /// Standard output as one JSON document.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("no JSON ({e}): {self:#?}"))
    }

    /// The items of the document.
    pub(crate) fn items(&self) -> Vec<Value> {
        let json = self.json();
        let items = json["items"].as_array();
        items
            .unwrap_or_else(|| panic!("no items: {self:#?}"))
            .clone()
    }
}

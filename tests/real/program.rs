//! The driftdeck binary as a person runs it: a kubeconfig, a home of its own, arguments, an answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::bed::Bed;
use crate::servers::User;

/// Longest run of one command; the product's own limits are far below it.
const LIMIT: Duration = Duration::from_secs(120);

/// One operator's machine: a home folder and a kubeconfig.
pub(crate) struct Driftdeck {
    home: TempDir,
    kubeconfig: PathBuf,
    git_ca: PathBuf,
}

/// What one command answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Exit status.
    pub(crate) status: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl Answer {
    /// Standard output as the JSON document it has to be.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|e| panic!("no JSON document ({e}): {self:#?}"))
    }

    /// The items of the document.
    pub(crate) fn items(&self) -> Vec<Value> {
        self.json()["items"]
            .as_array()
            .unwrap_or_else(|| panic!("no items: {self:#?}"))
            .clone()
    }
}

impl Driftdeck {
    /// With the whole fleet's kubeconfig of this user.
    pub(crate) fn of(bed: &Bed, user: User) -> Self {
        Self::with(bed, &bed.kubeconfig(user))
    }

    /// With this kubeconfig.
    pub(crate) fn with(bed: &Bed, kubeconfig: &Path) -> Self {
        let home = tempfile::Builder::new()
            .prefix("home-")
            .tempdir_in(&bed.dir)
            .unwrap();
        Self {
            home,
            kubeconfig: kubeconfig.to_owned(),
            git_ca: bed.git.ca_file.clone(),
        }
    }

    /// Writes config.toml.
    pub(crate) fn configure(&self, text: &str) {
        let folder = self.home.path().join("config/driftdeck");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("config.toml"), text).unwrap();
    }

    /// Writes a file into the home.
    pub(crate) fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A file of the program's state folder.
    pub(crate) fn state(&self, name: &str) -> String {
        let path = self.home.path().join("state/driftdeck").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Runs a command given as words.
    pub(crate) async fn run(&self, line: &str) -> Answer {
        let home = self.home.path();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_driftdeck"));
        command
            .args(line.split_whitespace())
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .env("HOME", home)
            .env("XDG_CONFIG_HOME", home.join("config"))
            .env("XDG_STATE_HOME", home.join("state"))
            .env("XDG_CACHE_HOME", home.join("cache"))
            .env("GIT_SSL_CAINFO", &self.git_ca)
            .env_remove("KUBECONFIG")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let output = tokio::time::timeout(LIMIT, command.output()).await;
        let output = output
            .unwrap_or_else(|_| panic!("driftdeck {line} did not end within {LIMIT:?}"))
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("output that is no UTF-8");
        let status = output
            .status
            .code()
            .expect("driftdeck was ended by a signal");
        Answer {
            status,
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    /// Every file below the home, one text: what must never hold a Secret's value.
    pub(crate) fn everything_on_disk(&self) -> String {
        let mut texts = Vec::new();
        let mut folders = vec![self.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    texts.push(String::from_utf8_lossy(&bytes).into_owned());
                }
            }
        }
        texts.join("\n")
    }
}

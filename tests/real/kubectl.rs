//! kubectl as a foreign client: what an operator at a terminal does to a cluster.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::bed::Bed;
use crate::servers::{Cluster, User};

/// kubectl on one cluster as one user.
pub(crate) struct Kubectl {
    program: PathBuf,
    home: PathBuf,
    arguments: Vec<String>,
}

impl Kubectl {
    /// On this cluster, as this user.
    pub(crate) fn on(bed: &Bed, cluster: &Cluster, user: User) -> Self {
        Self {
            program: bed.programs.path("kubectl"),
            home: bed.dir.clone(),
            arguments: vec![
                format!("--kubeconfig={}", bed.kubeconfig(user).display()),
                format!("--context={}", cluster.name),
            ],
        }
    }

    /// On the current context of this kubeconfig.
    pub(crate) fn with(bed: &Bed, kubeconfig: &Path) -> Self {
        Self {
            program: bed.programs.path("kubectl"),
            home: bed.dir.clone(),
            arguments: vec![format!("--kubeconfig={}", kubeconfig.display())],
        }
    }

    /// Runs it; what it printed, or what it complained of.
    pub(crate) fn try_run(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        self.call(arguments, input, &[])
    }

    fn call(
        &self,
        arguments: &[&str],
        input: &str,
        env: &[(&str, &str)],
    ) -> Result<String, String> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .args(arguments)
            // Its discovery cache goes with the test bed.
            .env("HOME", &self.home)
            .env_remove("KUBECONFIG")
            .envs(env.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(text(&output.stderr))
        }
    }

    /// Runs it; it has to succeed.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        self.try_run(arguments, "")
            .unwrap_or_else(|e| panic!("kubectl {arguments:?} failed: {e}"))
    }

    /// Merges this into an object with `kubectl patch`.
    pub(crate) fn patch(&self, namespace: &str, object: &str, change: &serde_json::Value) {
        let change = change.to_string();
        self.run(&[
            "patch",
            object,
            "-n",
            namespace,
            "--type=merge",
            "-p",
            &change,
        ]);
    }

    /// Changes an object with `kubectl edit`, the editor being `sed -i` with this script.
    pub(crate) fn edit(&self, namespace: &str, object: &str, script: &str) {
        let editor = self.home.join(format!("editor-{:x}", fastrand::u64(..)));
        std::fs::write(&editor, script).unwrap();
        let before = self.run(&[
            "get",
            "-n",
            namespace,
            object,
            "-o",
            "jsonpath={.metadata.resourceVersion}",
        ]);
        // kubectl hands the file to edit to the shell as the last word.
        let command = format!("sed -i -f {}", editor.display());
        self.call(
            &["edit", "-n", namespace, object],
            "",
            &[("KUBE_EDITOR", &command)],
        )
        .unwrap_or_else(|e| panic!("kubectl edit {object} failed: {e}"));
        let after = self.run(&[
            "get",
            "-n",
            namespace,
            object,
            "-o",
            "jsonpath={.metadata.resourceVersion}",
        ]);
        assert_ne!(
            before, after,
            "the script `{script}` changed nothing of {object}"
        );
    }
}

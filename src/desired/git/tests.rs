//! A script stands in for the `git` program and writes down what it was given.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use super::*;
use crate::desired::policy::admit;

struct Stand {
    home: tempfile::TempDir,
}

impl Stand {
    /// A folder with a `git` of ours that runs `body` under `sh`.
    fn new(body: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let script = home.path().join("git");
        // Written under another name first: a file that is still open for writing cannot be run.
        std::fs::write(home.path().join("git.new"), format!("#!/bin/sh\n{body}\n")).unwrap();
        std::fs::rename(home.path().join("git.new"), &script).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
        std::fs::create_dir(home.path().join("mirror")).unwrap();
        Self { home }
    }

    fn mirror(&self) -> PathBuf {
        self.home.path().join("mirror")
    }

    fn invocation(&self, url: &str, policy: &RepoPolicy) -> Invocation {
        let remote = admit(url, policy).unwrap();
        let refspecs = ["+refs/heads/*:refs/heads/*".to_owned()];
        fetch(
            &self.home.path().join("git"),
            &self.mirror(),
            &remote,
            &refspecs,
            policy,
        )
    }

    async fn run(&self, limits: FetchLimits) -> Result<(), GitError> {
        let invocation = self.invocation("https://git.example/edge.git", &RepoPolicy::default());
        run_when_free(&invocation, &self.mirror(), limits).await
    }
}

/// Another test's fork may hold the script open for an instant ("text file busy"); then it is tried again.
async fn run_when_free(
    invocation: &Invocation,
    mirror: &Path,
    limits: FetchLimits,
) -> Result<(), GitError> {
    loop {
        match run(invocation, mirror, limits).await {
            Err(GitError::Run(e)) if e.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                tokio::task::yield_now().await;
            }
            other => return other,
        }
    }
}

fn words(invocation: &Invocation) -> Vec<String> {
    invocation
        .args
        .iter()
        .map(|a| a.to_string_lossy().into_owned())
        .collect()
}

fn env<'a>(invocation: &'a Invocation, name: &str) -> Option<&'a str> {
    let found = invocation.env.iter().find(|(key, _)| *key == name);
    found.and_then(|(_, value)| value.to_str())
}

#[test]
fn the_url_stands_behind_the_end_of_options_and_only_its_transport_is_open() {
    let stand = Stand::new("exit 0");
    let policy = RepoPolicy::default();
    let words = words(&stand.invocation("https://git.example/edge.git", &policy));
    let at = words.iter().position(|w| w == "--").unwrap();
    assert_eq!(
        words.get(at + 1).map(String::as_str),
        Some("https://git.example/edge.git")
    );
    assert_eq!(
        words.get(at + 2).map(String::as_str),
        Some("+refs/heads/*:refs/heads/*")
    );
    for setting in [
        "protocol.allow=never",
        "protocol.https.allow=always",
        "core.hooksPath=/dev/null",
        "gc.auto=0",
    ] {
        assert!(words.iter().any(|w| w == setting), "{setting}");
    }
    assert!(!words.iter().any(|w| w == "protocol.http.allow=always"));
    assert!(
        !words
            .iter()
            .any(|w| w.starts_with("protocol.file") || w.starts_with("protocol.ext"))
    );
}

#[test]
fn nothing_can_ask() {
    let stand = Stand::new("exit 0");
    let invocation = stand.invocation("git@git.example:edge.git", &RepoPolicy::default());
    assert_eq!(env(&invocation, "GIT_TERMINAL_PROMPT"), Some("0"));
    assert_eq!(env(&invocation, "GIT_ASKPASS"), Some(""));
    assert_eq!(env(&invocation, "SSH_ASKPASS_REQUIRE"), Some("never"));
    assert!(
        env(&invocation, "GIT_SSH_COMMAND")
            .unwrap()
            .contains("BatchMode=yes")
    );
}

#[test]
fn a_password_never_stands_in_the_arguments() {
    let stand = Stand::new("exit 0");
    let invocation = stand.invocation(
        "https://bot:hunter2@git.example/edge.git",
        &RepoPolicy::default(),
    );
    assert!(!words(&invocation).iter().any(|w| w.contains("hunter2")));
    assert_eq!(
        env(&invocation, "GIT_CONFIG_KEY_0"),
        Some("url.https://bot:hunter2@git.example/edge.git.insteadOf")
    );
    assert_eq!(
        env(&invocation, "GIT_CONFIG_VALUE_0"),
        Some("https://git.example/edge.git")
    );
}

#[test]
fn the_configured_ca_and_ssh_command_are_passed_on() {
    let stand = Stand::new("exit 0");
    let policy = RepoPolicy {
        ca_file: Some("/etc/edge/ca.pem".into()),
        ssh_command: Some("vault-ssh".into()),
        ..RepoPolicy::default()
    };
    let invocation = stand.invocation("https://git.example/edge.git", &policy);
    assert_eq!(env(&invocation, "GIT_SSL_CAINFO"), Some("/etc/edge/ca.pem"));
    assert_eq!(env(&invocation, "GIT_SSH_COMMAND"), Some("vault-ssh"));
}

#[tokio::test]
async fn it_runs_in_a_session_of_its_own_without_input() {
    let stand = Stand::new(
        "echo $$ > \"$(dirname \"$0\")/pid\"; ps -o sid= -p $$ > \"$(dirname \"$0\")/sid\" 2>/dev/null || cut -d' ' -f6 /proc/$$/stat > \"$(dirname \"$0\")/sid\"; cat > \"$(dirname \"$0\")/input\"",
    );
    stand.run(FetchLimits::default()).await.unwrap();
    let read = |name: &str| std::fs::read_to_string(stand.home.path().join(name)).unwrap();
    assert_eq!(read("pid").trim(), read("sid").trim());
    assert_eq!(read("input"), "");
}

#[tokio::test]
async fn what_it_says_is_told_in_one_line_without_credentials() {
    let stand = Stand::new(
        "echo 'hint: something' >&2; echo \"fatal: unable to access 'https://bot:hunter2@git.example/edge.git/': Could not resolve host\" >&2; exit 128",
    );
    let error = stand
        .run(FetchLimits::default())
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "git says: unable to access 'https://***@git.example/edge.git/': Could not resolve host"
    );
}

#[test]
fn of_an_ssh_failure_the_line_that_tells_why_is_kept() {
    let said = "git@git.example: Permission denied (publickey).\nfatal: Could not read from remote repository.\n\nPlease make sure you have the correct access rights\nand the repository exists.\n";
    assert_eq!(
        reason(said),
        "git@git.example: Permission denied (publickey)"
    );
    assert_eq!(
        reason("fatal: Could not read from remote repository.\n"),
        "Could not read from remote repository"
    );
    assert_eq!(
        reason("Host key verification failed.\n"),
        "Host key verification failed"
    );
    assert_eq!(reason(""), "nothing");
}

#[tokio::test]
async fn a_hanging_fetch_is_killed_with_its_children() {
    let stand = Stand::new("sleep 600 & echo $! > \"$(dirname \"$0\")/child\"; wait");
    let limits = FetchLimits {
        time: Duration::from_millis(700),
        ..FetchLimits::default()
    };
    let error = stand.run(limits).await.unwrap_err();
    assert!(matches!(error, GitError::TimedOut(_)), "{error}");
    let child: i32 = std::fs::read_to_string(stand.home.path().join("child"))
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    assert!(ends_soon(child), "the grandchild lives on");
}

/// Whether a process ends within five seconds; a zombie that nobody reaps counts as ended.
fn ends_soon(pid: i32) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let alive =
            Pid::from_raw(pid).is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok());
        if !alive || stat.contains(") Z ") {
            return true;
        }
        std::thread::yield_now();
    }
    false
}

#[tokio::test]
async fn a_mirror_that_outgrows_its_limit_is_stopped() {
    let stand = Stand::new("head -c 300000 /dev/zero > \"$2/pack\"; sleep 600");
    let limits = FetchLimits {
        bytes: 100_000,
        time: Duration::from_secs(30),
    };
    let error = stand.run(limits).await.unwrap_err();
    assert!(matches!(error, GitError::TooLarge(_)), "{error}");
}

#[tokio::test]
async fn a_flood_of_messages_neither_blocks_nor_fills_memory() {
    let stand = Stand::new("head -c 2000000 /dev/zero | tr '\\0' 'x' >&2; exit 1");
    let error = stand
        .run(FetchLimits::default())
        .await
        .unwrap_err()
        .to_string();
    assert!(error.len() < 400, "{}", error.len());
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let stand = Stand::new("exit 0");
    let mut invocation = stand.invocation("https://git.example/edge.git", &RepoPolicy::default());
    invocation.program = "/nowhere/git".into();
    let error = run(&invocation, &stand.mirror(), FetchLimits::default())
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("`/nowhere/git` is not installed")
    );
}

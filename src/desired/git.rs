//! The `git` program, for the network only: what it is told, and how it is kept from asking, running or filling anything.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::AsyncReadExt as _;
use tokio::process::ChildStderr;

use super::policy::{Remote, RepoPolicy, redact};

/// Bytes of what `git` says that are kept.
const STDERR_KEPT: u64 = 64 << 10;

/// What one fetch may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FetchLimits {
    /// How long it may take; then it and its children are killed.
    pub time: Duration,
    /// How many bytes the mirror may have.
    pub bytes: u64,
}

impl Default for FetchLimits {
    /// One minute, 1 GiB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            bytes: 1 << 30,
        }
    }
}

/// Why a fetch failed.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The program is not there.
    #[error(
        "the program `{}` is not installed; install git to read repositories over the network",
        program.display()
    )]
    NotInstalled {
        /// What was looked for.
        program: PathBuf,
    },
    /// It could not be started or watched.
    #[error("git could not be run: {0}")]
    Run(#[from] std::io::Error),
    /// It took too long.
    #[error(
        "the repository did not answer within {} s; check that this machine reaches it without a prompt",
        .0.as_secs()
    )]
    TimedOut(Duration),
    /// The mirror grew past its limit.
    #[error("the repository is larger than {} MiB, which is the limit", .0 >> 20)]
    TooLarge(u64),
    /// It said no. The text is the last thing it said, without credentials.
    #[error("git says: {0}")]
    Refused(String),
}

/// One run of `git`: arguments and environment, as data, so that a test can read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// Variables set on top of the operator's own.
    pub env: Vec<(&'static str, OsString)>,
}

/// Variables of the operator's that would point `git` elsewhere or make it write what passes through it.
const CLEARED: [&str; 17] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_SSH",
    "GIT_PROXY_COMMAND",
    "GIT_TRACE",
    "GIT_TRACE_CURL",
    "GIT_TRACE_PACKET",
    "GIT_TRACE2",
    "GIT_CURL_VERBOSE",
    "GIT_CONFIG_PARAMETERS",
    "SSH_ASKPASS",
    "DISPLAY",
];

/// Builds the fetch of `refspecs` from `remote` into the bare repository at `mirror`.
///
/// No prompt, no askpass, no hooks, no submodules, no housekeeping, only the one transport; the URL stands behind `--` and holds no password:
/// that one goes by the environment, which other users cannot read.
pub fn fetch(
    program: &Path,
    mirror: &Path,
    remote: &Remote,
    refspecs: &[String],
    policy: &RepoPolicy,
) -> Invocation {
    let mut args: Vec<OsString> = vec!["--git-dir".into(), mirror.into()];
    let schemes: &[&str] = if policy.allow_http {
        &["https", "ssh", "http"]
    } else {
        &["https", "ssh"]
    };
    let allowed = schemes.iter().map(|s| format!("protocol.{s}.allow=always"));
    let fixed = [
        "protocol.allow=never",
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "credential.interactive=false",
        "fetch.recurseSubmodules=false",
        "fetch.writeCommitGraph=false",
        "gc.auto=0",
        "maintenance.auto=false",
        "transfer.unpackLimit=1",
        "transfer.bundleURI=false",
    ];
    for setting in fixed.into_iter().map(str::to_owned).chain(allowed) {
        args.extend(["-c".into(), setting.into()]);
    }
    args.extend(
        [
            "fetch",
            "--quiet",
            "--force",
            "--prune",
            "--no-tags",
            "--no-recurse-submodules",
            "--",
            &remote.url,
        ]
        .map(OsString::from),
    );
    args.extend(refspecs.iter().map(OsString::from));
    Invocation {
        program: program.to_owned(),
        args,
        env: environment(remote, policy),
    }
}

fn environment(remote: &Remote, policy: &RepoPolicy) -> Vec<(&'static str, OsString)> {
    let ssh = policy
        .ssh_command
        .clone()
        .unwrap_or_else(|| "ssh -oBatchMode=yes -oConnectTimeout=15".to_owned());
    let mut env: Vec<(&'static str, OsString)> = vec![
        ("GIT_TERMINAL_PROMPT", "0".into()),
        ("GIT_ASKPASS", OsString::new()),
        ("SSH_ASKPASS_REQUIRE", "never".into()),
        ("GCM_INTERACTIVE", "never".into()),
        ("GIT_SSH_COMMAND", ssh.into()),
        ("GIT_OPTIONAL_LOCKS", "0".into()),
        ("LC_ALL", "C".into()),
    ];
    if let Some(ca) = &policy.ca_file {
        env.push(("GIT_SSL_CAINFO", ca.into()));
    }
    match &remote.with_password {
        Some(full) => env.extend([
            ("GIT_CONFIG_COUNT", "1".into()),
            ("GIT_CONFIG_KEY_0", format!("url.{full}.insteadOf").into()),
            ("GIT_CONFIG_VALUE_0", remote.url.to_string().into()),
        ]),
        None => env.push(("GIT_CONFIG_COUNT", "0".into())),
    }
    env
}

/// Runs it in a session of its own, without input, within the limits; `mirror` is the folder whose size counts.
///
/// # Errors
/// [`GitError`]; whatever the end, nothing of it runs on.
pub async fn run(
    invocation: &Invocation,
    mirror: &Path,
    limits: FetchLimits,
) -> Result<(), GitError> {
    let mut child = spawn(invocation)?;
    let guard = GroupGuard::of(child.as_ref());
    let stderr = child.stderr().take();
    let outcome = tokio::select! {
        ended = end_of(child.as_mut(), stderr) => ended,
        () = tokio::time::sleep(limits.time) => Err(GitError::TimedOut(limits.time)),
        () = outgrown(mirror.to_owned(), limits.bytes) => Err(GitError::TooLarge(limits.bytes)),
    };
    drop(guard);
    if outcome.is_err() {
        // Reaps what was killed; a no-op when it ended by itself.
        let _ = tokio::time::timeout(Duration::from_secs(2), child.wait()).await;
    }
    let (status, said) = outcome?;
    if dir_size(mirror) > limits.bytes {
        return Err(GitError::TooLarge(limits.bytes));
    }
    if status.success() {
        Ok(())
    } else {
        Err(GitError::Refused(reason(&said)))
    }
}

fn spawn(invocation: &Invocation) -> Result<Box<dyn ChildWrapper>, GitError> {
    let mut command = CommandWrap::with_new(&invocation.program, |command| {
        command
            .args(&invocation.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        for name in CLEARED {
            command.env_remove(name);
        }
        command.envs(invocation.env.iter().cloned());
    });
    command
        .wrap(ProcessSession)
        .spawn()
        .map_err(|e| match e.kind() {
            std::io::ErrorKind::NotFound => GitError::NotInstalled {
                program: invocation.program.clone(),
            },
            _ => GitError::Run(e),
        })
}

/// Waits for the end and keeps the beginning of what was said; the rest is read and dropped, so that the child never blocks on a full pipe.
async fn end_of(
    child: &mut dyn ChildWrapper,
    stderr: Option<ChildStderr>,
) -> Result<(ExitStatus, String), GitError> {
    let mut said = Vec::new();
    if let Some(mut pipe) = stderr {
        (&mut pipe).take(STDERR_KEPT).read_to_end(&mut said).await?;
        tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await?;
    }
    let status = child.wait().await?;
    Ok((status, String::from_utf8_lossy(&said).into_owned()))
}

/// Returns once the folder is larger than allowed; a growing pack is seen while it grows.
async fn outgrown(folder: PathBuf, bytes: u64) {
    let mut pulse = tokio::time::interval(Duration::from_millis(500));
    loop {
        pulse.tick().await;
        let measured = folder.clone();
        let size = tokio::task::spawn_blocking(move || dir_size(&measured)).await;
        if size.unwrap_or(0) > bytes {
            return;
        }
    }
}

/// Bytes of all files below a folder; links are not followed.
pub(super) fn dir_size(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return 0;
    };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => dir_size(&entry.path()),
            Ok(meta) => meta.len(),
            Err(_) => 0,
        })
        .sum()
}

/// The line that tells most of what `git` said: the last `fatal:`, or what stands before it when it only says that ssh failed; else the last
/// line. Without credentials, at most 300 characters.
fn reason(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let fatal = lines.iter().rposition(|line| line.starts_with("fatal:"));
    let hollow = |line: &str| line.contains("Could not read from remote repository");
    let telling = match fatal.and_then(|at| Some((at, *lines.get(at)?))) {
        Some((at, line)) if hollow(line) => {
            let before = lines.get(..at).unwrap_or_default();
            before.iter().next_back().copied().unwrap_or(line)
        }
        Some((_, line)) => line,
        None => lines.last().copied().unwrap_or("nothing"),
    };
    let telling = telling
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ")
        .trim_end_matches('.');
    redact(telling).chars().take(300).collect()
}

/// Kills the whole process group when dropped: at the time limit, and when the caller goes away.
pub(super) struct GroupGuard(Option<Pid>);

impl GroupGuard {
    pub(super) fn of(child: &dyn ChildWrapper) -> Self {
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        Self(pid.and_then(Pid::from_raw))
    }
}

impl Drop for GroupGuard {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // No such group any more is the usual and wanted answer.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests;

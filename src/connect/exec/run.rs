//! One run of a plugin as a child process: a session of its own, nothing to read, a time limit, and its output cut.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, ProcessSession};
use secrecy::SecretSlice;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Command;

use super::{Manner, Plugin, answer, failed};
use crate::connect::fault::Fault;

/// What a plugin may cost.
#[derive(Clone, Copy, Debug)]
pub struct PluginLimits {
    /// Time for one silent run.
    pub time: Duration,
    /// Time for an interactive login.
    pub login_time: Duration,
    /// Runs at a time.
    pub at_once: usize,
    /// Bytes of standard output that are read.
    pub output: usize,
}

impl Default for PluginLimits {
    /// 15 seconds, 5 minutes for a login, 4 at a time, 1 MiB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(15),
            login_time: Duration::from_secs(300),
            at_once: 4,
            output: 1 << 20,
        }
    }
}

/// Bytes of standard error that are kept.
const MAX_COMPLAINT: usize = 8 << 10;

/// Runs the plugin to its end and gives its standard output.
pub(super) async fn run(
    plugin: &Plugin,
    manner: Manner,
    limits: &PluginLimits,
) -> Result<SecretSlice<u8>, Fault> {
    let program = find(&plugin.command).ok_or_else(|| not_found(plugin))?;
    let mut command = command(plugin, &program, manner);
    let spawned = match manner {
        Manner::Silent => wrapped(command),
        Manner::Asking => command.spawn().map(|child| Box::new(child) as _),
    };
    let mut child =
        spawned.map_err(|e| failed(plugin, &format!("cannot be started: {}", e.kind())))?;
    let time = match manner {
        Manner::Silent => limits.time,
        Manner::Asking => limits.login_time,
    };
    let finished = tokio::time::timeout(time, finish(child.as_mut(), limits.output)).await;
    // Whatever it left running in its session goes with it; a child that ended already makes this fail, which is fine.
    let _ = child.start_kill();
    let Ok(finished) = finished else {
        let _ = child.wait().await;
        let why = format!("did not end within {} s and was stopped", time.as_secs());
        return Err(failed(plugin, &why));
    };
    judge(plugin, finished)
}

fn wrapped(command: Command) -> std::io::Result<Box<dyn ChildWrapper>> {
    CommandWrap::from(command).wrap(ProcessSession).spawn()
}

fn command(plugin: &Plugin, program: &Path, manner: Manner) -> Command {
    let asking = manner == Manner::Asking;
    let mut command = Command::new(program);
    command
        .args(&plugin.args)
        .envs(plugin.env.iter().map(|(k, v)| (k, v)))
        .env("KUBERNETES_EXEC_INFO", answer::question(plugin, asking))
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    if asking {
        command.stdin(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        // A plugin that would open a browser must not find one.
        command
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .env("BROWSER", "false")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
    }
    command
}

/// The program as a shell would find it.
fn find(command: &str) -> Option<PathBuf> {
    if command.contains('/') {
        return Some(PathBuf::from(command)).filter(|p| p.is_file());
    }
    let path: OsString = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(command))
        .find(|candidate| candidate.is_file())
}

fn not_found(plugin: &Plugin) -> Fault {
    let hint = plugin.install_hint.lines().next().unwrap_or_default();
    let hint = if hint.is_empty() {
        "install it or correct the kubeconfig"
    } else {
        hint.trim_end_matches('.')
    };
    failed(plugin, &format!("is not installed; {hint}"))
}

/// What a run left behind.
struct Finished {
    status: std::io::Result<ExitStatus>,
    output: Vec<u8>,
    complaint: Vec<u8>,
    too_long: bool,
}

async fn finish(child: &mut dyn ChildWrapper, limit: usize) -> Finished {
    let (out, err) = (child.stdout().take(), child.stderr().take());
    let (output, complaint) = tokio::join!(read_up_to(out, limit), read_up_to(err, MAX_COMPLAINT));
    Finished {
        too_long: output.len() > limit,
        output,
        complaint,
        status: child.wait().await,
    }
}

/// Reads to the end but keeps little more than `limit` bytes, so that the child never blocks on a full pipe.
async fn read_up_to<R: AsyncRead + Unpin>(pipe: Option<R>, limit: usize) -> Vec<u8> {
    let Some(mut pipe) = pipe else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    let mut chunk = vec![0_u8; 8192];
    while let Ok(read) = pipe.read(&mut chunk).await {
        if read == 0 {
            break;
        }
        if kept.len() <= limit {
            kept.extend_from_slice(chunk.get(..read).unwrap_or_default());
        }
    }
    kept
}

fn judge(plugin: &Plugin, finished: Finished) -> Result<SecretSlice<u8>, Fault> {
    let output = SecretSlice::from(finished.output);
    let status = finished
        .status
        .map_err(|e| failed(plugin, &format!("could not be waited for: {}", e.kind())))?;
    if !status.success() {
        let said = answer::redacted(&finished.complaint);
        let code = status
            .code()
            .map_or_else(|| "a signal".to_owned(), |c| format!("status {c}"));
        let why = if said.is_empty() {
            format!("failed with {code}")
        } else {
            format!("failed with {code}: {said}")
        };
        return Err(failed(plugin, &why));
    }
    if finished.too_long {
        return Err(failed(plugin, "printed far more than a credential"));
    }
    Ok(output)
}

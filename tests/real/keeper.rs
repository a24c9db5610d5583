//! A process that outlives the tests by a moment and clears up after them, however they end.
//!
//! Servers are shared by all tests and therefore live in statics, which Rust never drops; and a test run can be killed.
//! So one small shell holds the reading end of a pipe: when the test process is gone it stops what was registered, each
//! by its own pid, waits until it has left, and removes the folders and network namespaces.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::{Mutex, OnceLock};

const SCRIPT: &str = r#"
pids= dirs= nets=
while read -r verb what; do
  case $verb in
    pid) pids="$what $pids" ;;
    gone) pids=$(for p in $pids; do [ "$p" = "$what" ] || printf '%s ' "$p"; done) ;;
    dir) dirs="$dirs $what" ;;
    netns) nets="$nets $what" ;;
  esac
done
running() { [ -r "/proc/$1/stat" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }
# Nothing they hold is worth a farewell, and an API server takes half a minute over it once etcd is gone.
for p in $pids; do kill -KILL "$p" 2>/dev/null; done
for p in $pids; do
  tries=0
  while running "$p" && [ "$tries" -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.05
  done
done
for n in $nets; do ip netns del "$n" 2>/dev/null; done
for d in $dirs; do rm -rf "$d"; done
exit 0
"#;

/// Stop the process `pid` when the tests are over.
pub(crate) fn stop_at_end(pid: u32) {
    tell(&format!("pid {pid}"));
}

/// The process `pid` has ended and been waited for.
pub(crate) fn has_ended(pid: u32) {
    tell(&format!("gone {pid}"));
}

/// Remove the folder when the tests are over.
pub(crate) fn remove_at_end(dir: &Path) {
    tell(&format!("dir {}", dir.display()));
}

/// Remove the network namespace when the tests are over.
pub(crate) fn delete_netns_at_end(name: &str) {
    tell(&format!("netns {name}"));
}

fn tell(line: &str) {
    static PIPE: OnceLock<Mutex<ChildStdin>> = OnceLock::new();
    let pipe = PIPE.get_or_init(|| Mutex::new(start()));
    writeln!(pipe.lock().unwrap(), "{line}").expect("the keeper process has died");
}

/// In a process group of its own, so that Ctrl-C in the terminal ends the tests and not their clearing up.
fn start() -> ChildStdin {
    Command::new("/bin/sh")
        .args(["-c", SCRIPT, "driftdeck-real-keeper"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("/bin/sh cannot be started")
        .stdin
        .take()
        .unwrap()
}

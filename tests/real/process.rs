//! One server process: started with its output in a file, watched for an early death, stopped by its own pid.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::keeper;

/// A running server. Dropping it stops it and waits for its end.
pub(crate) struct Process {
    child: Child,
    name: String,
    log: PathBuf,
}

impl Process {
    /// Starts `program`, with its output in `log`.
    pub(crate) fn start(name: &str, program: &Path, args: &[String], log: PathBuf) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        Self::spawn(name, command, log)
    }

    /// Starts what is prepared already, with its output in `log`.
    pub(crate) fn spawn(name: &str, mut command: Command, log: PathBuf) -> Self {
        let output = File::create(&log).unwrap();
        let child = command
            // A smaller heap for a little more CPU: many servers share one machine.
            .env("GOGC", "60")
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|e| panic!("{name} cannot be started by {command:?}: {e}"));
        keeper::stop_at_end(child.id());
        Self {
            child,
            name: name.to_owned(),
            log,
        }
    }

    /// Panics with the end of its log when the server has already left.
    pub(crate) fn assert_alive(&mut self) {
        if let Some(status) = self.child.try_wait().unwrap() {
            keeper::has_ended(self.child.id());
            panic!(
                "{} ended early ({status}):\n{}",
                self.name,
                self.last_words()
            );
        }
    }

    /// The last lines it wrote.
    pub(crate) fn last_words(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }

    /// Ends it the polite way, and the other way after three seconds: an API server waits long for its watches.
    fn stop(&mut self) {
        signal(Signal::TERM, self.child.id());
        let deadline = Instant::now() + Duration::from_secs(3);
        while self.child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                let _ = self.child.kill();
                let _ = self.child.wait();
                break;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        keeper::has_ended(self.child.id());
    }

    /// Stops it in its tracks: connections stay open and nothing answers, as on a link that went dark.
    pub(crate) fn freeze(&self) {
        signal(Signal::STOP, self.child.id());
    }

    /// Lets it run again.
    pub(crate) fn thaw(&self) {
        signal(Signal::CONT, self.child.id());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap_or(None).is_none() {
            self.thaw();
            self.stop();
        }
    }
}

fn signal(signal: Signal, pid: u32) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let _ = kill_process(pid, signal);
}

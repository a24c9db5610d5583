//! Notices the end of the terminal: a hang-up of its line, or a signal.
//!
//! When an SSH session drops, the reader of crossterm 0.29 spins for ever on the dead descriptor. So a thread of its own waits for the hang-up,
//! tells the loop, and ends the process a second later if the loop did not.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, poll};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

/// How long the loop has to end by itself after a hang-up.
const GRACE: Duration = Duration::from_millis(900);
/// The status of a process that a hang-up ended, as shells count it.
const HUNG_UP: i32 = 129;

/// Why the console must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The terminal is gone.
    HungUp,
    /// Somebody ended the process (`SIGTERM`).
    Terminated,
    /// Somebody interrupted it from outside (`SIGINT`); `ctrl-c` in the console is a key.
    Interrupted,
}

/// Watches signals and the line of the terminal; the receiver gets the first reason to end.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// The signals or the terminal cannot be watched.
pub fn watch() -> io::Result<mpsc::Receiver<Ending>> {
    let (tell, told) = mpsc::channel(4);
    for (kind, ending) in [
        (SignalKind::hangup(), Ending::HungUp),
        (SignalKind::terminate(), Ending::Terminated),
        (SignalKind::interrupt(), Ending::Interrupted),
    ] {
        let mut signals = signal(kind)?;
        let tell = tell.clone();
        tokio::spawn(async move {
            while signals.recv().await.is_some() {
                let _ = tell.send(ending).await;
            }
        });
    }
    let line = line()?;
    std::thread::Builder::new()
        .name("watchdog".to_owned())
        .spawn(move || {
            if hung_up(&line) {
                let _ = tell.blocking_send(Ending::HungUp);
                std::thread::sleep(GRACE);
                super::restore();
                std::process::exit(HUNG_UP);
            }
        })?;
    Ok(told)
}

/// The descriptor that keys come from.
fn line() -> io::Result<OwnedFd> {
    let stdin = rustix::stdio::stdin();
    if rustix::termios::isatty(stdin) {
        return stdin.try_clone_to_owned();
    }
    Ok(File::open("/dev/tty")?.into())
}

/// Waits, without using the processor, until the line is gone; false when it cannot be watched.
fn hung_up(line: &OwnedFd) -> bool {
    loop {
        // No events are asked for: a hang-up and an error are always told.
        let mut fds = [PollFd::new(line, PollFlags::empty())];
        match poll(&mut fds, None) {
            Ok(_) => {
                let seen = fds.first().map_or(PollFlags::empty(), PollFd::revents);
                if seen.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                    return true;
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use portable_pty::{PtySize, native_pty_system};

    use super::*;

    #[test]
    fn a_line_that_is_closed_at_the_other_end_is_noticed() {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let path = pair.master.tty_name().unwrap();
        let line: OwnedFd = File::open(path).unwrap().into();
        let (tell, told) = std::sync::mpsc::channel();
        let watcher = std::thread::spawn(move || tell.send(hung_up(&line)).unwrap());
        // While the line stands nothing is told.
        assert!(told.recv_timeout(Duration::from_millis(50)).is_err());
        drop(pair);
        assert_eq!(told.recv_timeout(Duration::from_secs(60)), Ok(true));
        watcher.join().unwrap();
    }
}

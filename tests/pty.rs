//! The whole program on a pseudo terminal, seen through a terminal emulator: first screen, keys, and every way it can end.
//!
//! Each wait polls for what must appear, with a deadline; nothing sleeps for a guessed time.
#![cfg(all(feature = "demo", unix))]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// The demo has to start its servers first; a debug build on a busy machine takes its time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The console on a pseudo terminal.
struct Console {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    keys: Option<Box<dyn Write + Send>>,
    seen: Arc<Mutex<Seen>>,
}

/// What the terminal received, and what it shows.
struct Seen {
    emulator: vt100::Parser,
    bytes: Vec<u8>,
}

impl Console {
    fn start(arguments: &[&str], rows: u16, cols: u16) -> Self {
        let pty = native_pty_system();
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let pair = pty.openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_driftdeck"));
        command.args(["demo", "--clusters", "3", "--scenario", "calm"]);
        command.args(arguments);
        let home = tempfile::tempdir().unwrap().keep();
        for (name, value) in [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
        ] {
            command.env(name, value);
        }
        for name in [
            "HOME",
            "XDG_CONFIG_HOME",
            "XDG_STATE_HOME",
            "XDG_CACHE_HOME",
        ] {
            command.env(name, &home);
        }
        command.env_remove("NO_COLOR");
        let child = pair.slave.spawn_command(command).unwrap();
        let emulator = vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0);
        let seen = Arc::new(Mutex::new(Seen {
            emulator,
            bytes: Vec::new(),
        }));
        let mut output = pair.master.try_clone_reader().unwrap();
        let theirs = Arc::clone(&seen);
        std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut chunk) {
                let mut seen = theirs.lock().unwrap();
                seen.emulator.process(&chunk[..n]);
                seen.bytes.extend(&chunk[..n]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self {
            child,
            master: Some(pair.master),
            keys: Some(keys),
            seen,
        }
    }

    fn screen(&self) -> String {
        self.seen.lock().unwrap().emulator.screen().contents()
    }

    /// Waits until the screen shows every text.
    fn until(&self, texts: &[&str]) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            let screen = self.screen();
            if texts.iter().all(|t| screen.contains(t)) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("{texts:?} did not appear on:\n{}", self.screen());
    }

    /// Waits until the screen shows a text no more.
    fn until_gone(&self, text: &str) {
        let begin = Instant::now();
        while self.screen().contains(text) {
            assert!(
                begin.elapsed() < PATIENCE,
                "{text:?} did not go from:\n{}",
                self.screen()
            );
            std::thread::yield_now();
        }
    }

    fn press(&mut self, keys: &str) {
        let line = self.keys.as_mut().unwrap();
        line.write_all(keys.as_bytes()).unwrap();
        line.flush().unwrap();
    }

    /// Waits for the end; how long it took, and the exit status.
    fn ended(&mut self) -> (Duration, u32) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (begin.elapsed(), status.exit_code());
            }
            std::thread::yield_now();
        }
        panic!("the program did not end; it shows:\n{}", self.screen());
    }

    /// Waits until the terminal was told to leave the alternate screen, show the cursor and take text as before.
    fn restored(&self) {
        let begin = Instant::now();
        let told =
            |bytes: &[u8], what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
        while begin.elapsed() < PATIENCE {
            let seen = self.seen.lock().unwrap();
            if ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l"]
                .iter()
                .all(|what| told(&seen.bytes, what))
            {
                return;
            }
            drop(seen);
            std::thread::yield_now();
        }
        panic!("the terminal was not given back");
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let pid = i32::try_from(self.child.process_id().unwrap()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Already ended in most tests; a failing one must not leave a program behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_demo_opens_the_console_and_keys_lead_through_it() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-", "ro"]);
    console.press("2");
    console.until(&["DRIFT"]);
    console.press("3");
    console.until(&["APPS", "> edge-config-"]);
    console.press("\r");
    console.until(&["APP  argocd/"]);
    console.press("?");
    console.until(&["keys", "Keymap default"]);
    console.press("\x1b");
    console.until_gone("Keymap default");
    for title in [" APPS  ", " DRIFT  ", " FLEET  "] {
        console.press("q");
        console.until(&[title]);
    }
    console.press("q");
    console.until(&["Quit driftdeck?"]);
    console.press("y");
    let (_, status) = console.ended();
    assert_eq!(status, 0);
    console.restored();
}

#[test]
fn a_signal_ends_it_within_a_second_and_the_terminal_is_given_back() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::HUP] {
        let mut console = Console::start(&[], 24, 80);
        console.until(&["FLEET", "edge-"]);
        console.signal(signal);
        let (after, _) = console.ended();
        assert!(after < Duration::from_secs(2), "{signal:?}: {after:?}");
        console.restored();
    }
}

#[test]
fn a_terminal_that_goes_away_ends_it_within_a_second() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    drop(console.keys.take());
    // The reader's copy of the master is closed by the end of the child only, so the hang-up is sent as the kernel would send it.
    drop(console.master.take());
    console.signal(rustix::process::Signal::HUP);
    let (after, _) = console.ended();
    assert!(after < Duration::from_secs(2), "{after:?}");
}

#[test]
fn a_resize_is_drawn_at_the_new_size() {
    let console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let size = PtySize {
        rows: 40,
        cols: 160,
        pixel_width: 0,
        pixel_height: 0,
    };
    console
        .seen
        .lock()
        .unwrap()
        .emulator
        .screen_mut()
        .set_size(40.try_into().unwrap(), 160.try_into().unwrap());
    console.master.as_ref().unwrap().resize(size).unwrap();
    console.until(&["server", "https://127.0.0.1"]);
}

#[test]
fn without_a_terminal_the_console_says_what_to_use_instead() {
    let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_driftdeck"));
    let home = tempfile::tempdir().unwrap();
    let assert = command
        .args(["demo", "--clusters", "1", "--scenario", "calm"])
        .env("HOME", home.path())
        .timeout(PATIENCE)
        .assert()
        .failure();
    let said = String::from_utf8(assert.get_output().stderr.clone()).unwrap();
    assert!(
        said.contains("needs a terminal") && said.contains("snapshot"),
        "{said}"
    );
}

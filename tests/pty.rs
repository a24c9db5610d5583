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
        Self::start_on(&[], arguments, rows, cols)
    }

    /// On a terminal with this environment in place of the usual one.
    fn start_on(environment: &[(&str, &str)], arguments: &[&str], rows: u16, cols: u16) -> Self {
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
        for (name, value) in environment {
            command.env(name, value);
        }
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

    /// Waits until something was written, wherever it stands.
    fn until_written(&self, bytes: &[u8]) {
        let begin = Instant::now();
        while !self.written().windows(bytes.len()).any(|w| w == bytes) {
            assert!(begin.elapsed() < PATIENCE, "{bytes:?} was not written");
            std::thread::yield_now();
        }
    }

    /// The colour behind the first cell.
    fn ground(&self) -> vt100::Color {
        let seen = self.seen.lock().unwrap();
        seen.emulator.screen().cell(0, 0).unwrap().bgcolor()
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

    /// Everything that was written so far.
    fn written(&self) -> Vec<u8> {
        self.seen.lock().unwrap().bytes.clone()
    }

    /// Everything that was written so far, as lines; waits until one of them holds a text.
    fn until_said(&self, text: &str) -> Vec<String> {
        let begin = Instant::now();
        loop {
            let said = String::from_utf8_lossy(&self.written()).into_owned();
            if said.contains(text) {
                return said.lines().map(|l| l.trim_end().to_owned()).collect();
            }
            assert!(begin.elapsed() < PATIENCE, "{text:?} was not said:\n{said}");
            std::thread::yield_now();
        }
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

#[test]
fn plain_is_read_out_line_by_line_and_sets_nothing_of_the_terminal() {
    let dumb = [("TERM", "dumb"), ("COLORTERM", "")];
    for (environment, arguments) in [(&[][..], &["--plain"][..]), (&dumb[..], &[][..])] {
        let mut console = Console::start_on(environment, arguments, 24, 200);
        console.until_said("edge-paris-001");
        console.press("j");
        console.until_said("HEALTH");
        console.press("2");
        console.until_said("DRIFT");
        console.press("q");
        console.press("q");
        console.until_said("Quit driftdeck?");
        console.press("y");
        let (_, status) = console.ended();
        assert_eq!(status, 0);
        let written = console.written();
        assert!(
            !written.contains(&0x1b),
            "{:?}",
            String::from_utf8_lossy(&written)
        );
        assert!(written.is_ascii());
    }
}

#[test]
fn poor_terminals_get_what_they_can_show() {
    let c = ("LANG", "C");
    for (term, colours) in [("vt100", false), ("linux", true), ("screen", true)] {
        let environment = [("TERM", term), ("COLORTERM", ""), c];
        let console = Console::start_on(&environment, &[], 24, 80);
        console.until(&["FLEET", "edge-"]);
        let written = console.written();
        assert!(written.is_ascii(), "{term}: {:?}", console.screen());
        let text = String::from_utf8_lossy(&written).into_owned();
        // Neither has a palette of 256, let alone 24 bits.
        assert!(!text.contains("38;") && !text.contains("48;"), "{term}");
        let coloured = ["\x1b[3", ";3", "\x1b[9", ";9"];
        let coloured = coloured.iter().any(|start| {
            text.split(start).skip(1).any(|rest| {
                rest.starts_with(|c: char| c.is_ascii_digit() && c != '9')
                    && rest[1..].starts_with(['m', ';'])
            })
        });
        assert_eq!(coloured, colours, "{term}");
    }
}

#[test]
fn a_storm_of_resizes_ends_at_the_last_size() {
    let console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let resize = |rows: u16, cols: u16| {
        let size = PtySize {
            rows,
            cols,
            pixel_width: 0,
            pixel_height: 0,
        };
        let (rows, cols) = (rows.try_into().unwrap(), cols.try_into().unwrap());
        let mut seen = console.seen.lock().unwrap();
        seen.emulator.screen_mut().set_size(rows, cols);
        console.master.as_ref().unwrap().resize(size).unwrap();
    };
    for step in 0..60 {
        resize(20 + step % 41, 60 + step * 7 % 150);
    }
    resize(40, 160);
    console.until(&["server", "https://127.0.0.1"]);
}

#[test]
fn stopping_gives_the_terminal_back_and_continuing_draws_everything_again() {
    let mut console = Console::start(&[], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let before = console.written().len();
    console.press("\x1a");
    let begin = Instant::now();
    // Nobody controls jobs here, so that the stop ends at once.
    let again = || {
        let written = console.written();
        let text = String::from_utf8_lossy(&written[before..]).into_owned();
        let (_, after) = text.split_once("\x1b[?1049l")?;
        let (_, entered) = after.split_once("\x1b[?1049h")?;
        Some(entered.contains("FLEET"))
    };
    while again() != Some(true) {
        assert!(begin.elapsed() < PATIENCE, "{}", console.screen());
        std::thread::yield_now();
    }
}

#[test]
fn an_idle_fleet_writes_nothing_and_a_key_is_answered_in_one_write() {
    let mut console = Console::start(&["--low-bandwidth"], 24, 80);
    console.until(&["FLEET", "edge-"]);
    let quiet = |console: &Console| {
        let begin = Instant::now();
        let (mut seen, mut since) = (console.written().len(), Instant::now());
        while since.elapsed() < Duration::from_secs(3) {
            assert!(begin.elapsed() < PATIENCE, "it does not come to rest");
            let now = console.written().len();
            if now != seen {
                (seen, since) = (now, Instant::now());
            }
            std::thread::yield_now();
        }
        seen
    };
    let before = quiet(&console);
    console.press("j");
    let begin = Instant::now();
    while console.written().len() == before {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    let after = quiet(&console);
    let written = console.written();
    let text = String::from_utf8_lossy(&written[before..after]).into_owned();
    assert_eq!(text.matches("\x1b[?2026h").count(), 1, "{text:?}");
}

#[test]
fn a_light_terminal_is_drawn_with_the_light_theme_unless_a_theme_is_named() {
    const WHITE: &str = "\x1b]10;rgb:0000/0000/0000\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\";
    const BLACK: &str = "\x1b]10;rgb:ffff/ffff/ffff\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\";
    let drawn = |ground: &str| {
        let mut console = Console::start(&[], 24, 80);
        console.until_written(b"\x1b]11;?");
        console.press(&format!("{ground}\x1b[?62;c"));
        console.until(&["FLEET"]);
        console.ground()
    };
    let named = |theme: &str| {
        let console = Console::start(&["--theme", theme], 24, 80);
        console.until(&["FLEET"]);
        assert!(!console.written().windows(5).any(|w| w == b"\x1b]11;"));
        console.ground()
    };
    let (light, dark) = (named("light"), named("dark"));
    assert_ne!(light, dark);
    assert_eq!((drawn(WHITE), drawn(BLACK)), (light, dark));
}

//! A program on a pseudo terminal: what it writes, in how many calls, how soon after a key, and every frame as a terminal shows it.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;
use ratatui::buffer::Buffer;

use super::fleet::{CONSOLE, Fleet};
use super::line::{self, Line};
use super::{REPEAT, stock};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(180);

/// What ends a frame of ours on the line.
const END: &[u8] = b"\x1b[?2026l";

/// What something cost.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) bytes: usize,
    pub(crate) writes: u64,
    /// From each key to the first byte of its answer.
    pub(crate) delays: Vec<Duration>,
}

/// What the terminal received.
struct Seen {
    emulator: vt100::Parser,
    bytes: usize,
    last: Instant,
    tail: Vec<u8>,
    frames: Option<Vec<Buffer>>,
}

/// A program on a pseudo terminal.
pub(crate) struct Program {
    line: Line,
    seen: Arc<Mutex<Seen>>,
    log: PathBuf,
    home: tempfile::TempDir,
}

impl Program {
    /// The console on a fleet.
    pub(crate) fn console(fleet: &Fleet, cols: u16, rows: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let log = home.path().join("log");
        let mut command = CommandBuilder::new("taskset");
        command.args(["-c", CONSOLE]);
        command.arg(&fleet.binary);
        command.arg("--kubeconfig");
        command.arg(&fleet.kubeconfig);
        command.arg("--log-file");
        command.arg(&log);
        command.env("DRIFTDECK_LOG", "frames=trace");
        Self::start(command, home, (cols, rows))
    }

    /// Any program.
    pub(crate) fn start(
        mut command: CommandBuilder,
        home: tempfile::TempDir,
        (cols, rows): (u16, u16),
    ) -> Self {
        line::furnish(&mut command, home.path());
        let seen = Arc::new(Mutex::new(Seen {
            emulator: line::emulator(rows, cols),
            bytes: 0,
            last: Instant::now(),
            tail: Vec::new(),
            frames: None,
        }));
        let theirs = Arc::clone(&seen);
        let take = move |bytes: &[u8]| theirs.lock().unwrap().take(bytes);
        Self {
            line: line::open(command, (rows, cols), take),
            seen,
            log: home.path().join("log"),
            home,
        }
    }

    pub(crate) fn screen(&self) -> String {
        self.seen.lock().unwrap().emulator.screen().contents()
    }

    /// The lines of the screen as text.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.screen().lines().map(str::to_owned).collect()
    }

    pub(crate) fn until(&self, what: &str, holds: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !holds(&self.screen()) {
            assert!(
                begun.elapsed() < PATIENCE,
                "{what} did not come:\n{}",
                self.screen()
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until nothing has come for so long; on a busy machine that may never be, and then for a while.
    pub(crate) fn rest(&self, quiet: Duration) {
        let begun = Instant::now();
        let limit = quiet * 3;
        while self.seen.lock().unwrap().last.elapsed() < quiet || begun.elapsed() < quiet {
            if begun.elapsed() > limit {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    pub(crate) fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn press(&mut self, key: &str) {
        self.line.keys.write_all(key.as_bytes()).unwrap();
        self.line.keys.flush().unwrap();
    }

    /// What something costs.
    pub(crate) fn cost(&mut self, act: impl FnOnce(&mut Self)) -> Cost {
        let (bytes, writes) = (self.bytes(), self.writes());
        act(self);
        Cost {
            bytes: self.bytes() - bytes,
            writes: self.writes() - writes,
            delays: Vec::new(),
        }
    }

    /// What keys cost, each pressed after the one before was answered.
    pub(crate) fn keys(&mut self, keys: &[&str], quiet: Duration) -> Cost {
        let mut delays = Vec::new();
        let cost = self.cost(|this| {
            for key in keys {
                delays.extend(this.answered(key, Duration::from_secs(1)));
                this.rest(quiet);
            }
        });
        Cost { delays, ..cost }
    }

    /// What one key costs that is held, until everything it changed is drawn.
    pub(crate) fn held(&mut self, key: &str, count: usize) -> Cost {
        let mut delays = Vec::new();
        let cost = self.cost(|this| {
            delays = this.keys_at(&vec![key; count], REPEAT).delays;
            this.rest(REPEAT * 10);
        });
        Cost { delays, ..cost }
    }

    /// What keys cost that are pressed at a pace, whatever else happens.
    pub(crate) fn keys_at(&mut self, keys: &[&str], every: Duration) -> Cost {
        let mut delays = Vec::new();
        let cost = self.cost(|this| {
            for key in keys {
                let begun = Instant::now();
                delays.extend(this.answered(key, every * 3));
                std::thread::sleep(every.saturating_sub(begun.elapsed()));
            }
        });
        Cost { delays, ..cost }
    }

    /// Presses a key; how long until the first byte after it, if one came.
    fn answered(&mut self, key: &str, patience: Duration) -> Option<Duration> {
        let before = self.bytes();
        let begun = Instant::now();
        self.press(key);
        while self.bytes() == before {
            if begun.elapsed() > patience {
                return None;
            }
            std::thread::yield_now();
        }
        Some(begun.elapsed())
    }

    fn bytes(&self) -> usize {
        self.seen.lock().unwrap().bytes
    }

    /// Write calls so far: of the thread that paints, where there is one, else of the program.
    fn writes(&self) -> u64 {
        let id = self.line.child.process_id().unwrap();
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        let painter = tasks.filter_map(Result::ok).find(|task| {
            std::fs::read_to_string(task.path().join("comm")).is_ok_and(|n| n.trim() == "painter")
        });
        let path = painter.map_or_else(|| format!("/proc/{id}/io").into(), |t| t.path().join("io"));
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let count = text.lines().find_map(|l| l.strip_prefix("syscw: "));
        count.and_then(|n| n.parse().ok()).unwrap_or(0)
    }

    /// Keeps every frame from now on.
    pub(crate) fn record(&self) {
        let mut seen = self.seen.lock().unwrap();
        let now = stock::buffer(seen.emulator.screen());
        seen.frames = Some(vec![now]);
    }

    /// The frames since the last time this was asked, the one before them first.
    pub(crate) fn frames(&self) -> Vec<Buffer> {
        let mut seen = self.seen.lock().unwrap();
        let frames = seen.frames.take().unwrap_or_default();
        seen.frames = frames.last().cloned().map(|last| vec![last]);
        frames
    }

    /// Memory in MiB and processor time in seconds.
    pub(crate) fn used(&self) -> (u64, f64) {
        let id = self.line.child.process_id().unwrap();
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap();
        let memory = status.lines().find_map(|l| l.strip_prefix("VmRSS:"));
        let memory = memory.and_then(|m| m.split_whitespace().next()?.parse::<u64>().ok());
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
        let fields: Vec<&str> = stat
            .rsplit(')')
            .next()
            .unwrap()
            .split_whitespace()
            .collect();
        let ticks: u64 = fields[11..13]
            .iter()
            .filter_map(|n| n.parse::<u64>().ok())
            .sum();
        (memory.unwrap_or(0) / 1024, ticks as f64 / 100.0)
    }

    /// Ends it; how long each frame took to draw, in microseconds, by its own log.
    pub(crate) fn end(mut self) -> Vec<u64> {
        let _ = self.line.child.kill();
        let _ = self.line.child.wait();
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        drop(self.home);
        let drawn = text.lines().filter_map(|l| l.split("micros=").nth(1));
        drawn.filter_map(|n| n.trim().parse().ok()).collect()
    }
}

impl Seen {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len();
        self.last = Instant::now();
        if self.frames.is_none() {
            return self.emulator.process(bytes);
        }
        self.tail.extend(bytes);
        while let Some(at) = self.tail.windows(END.len()).position(|w| w == END) {
            let frame: Vec<u8> = self.tail.drain(..at + END.len()).collect();
            self.emulator.process(&frame);
            let shown = stock::buffer(self.emulator.screen());
            if let Some(frames) = &mut self.frames {
                frames.push(shown);
            }
        }
    }
}

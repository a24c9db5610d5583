//! The console on a pseudo terminal, seen through a terminal emulator.

use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::CommandBuilder;

use super::line::{self, Line};

/// The demo has to start its servers first; a debug build on a busy machine takes its time.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The console on a pseudo terminal.
pub(crate) struct Console {
    pub(crate) line: Line,
    terminal: Arc<Terminal>,
}

/// What the terminal received, and what it shows.
pub(crate) struct Seen {
    emulator: vt100::Parser,
    pub(crate) bytes: Vec<u8>,
}

/// What was seen, and a bell that rings whenever something came.
struct Terminal {
    seen: Mutex<Seen>,
    came: Condvar,
}

impl Seen {
    pub(crate) fn screen(&self) -> String {
        self.emulator.screen().contents()
    }

    /// Everything that was written so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    fn has(&self, bytes: &[u8]) -> bool {
        self.bytes.windows(bytes.len()).any(|w| w == bytes)
    }
}

/// The demo with few clusters on which nobody does anything, run by this program with these arguments before it.
pub(crate) fn demo(program: &[&str], arguments: &[&str]) -> CommandBuilder {
    let mut command = CommandBuilder::new(program[0]);
    command.args(&program[1..]);
    command.args(["demo", "--clusters", "3", "--scenario", "calm"]);
    command.args(arguments);
    let home = tempfile::tempdir().unwrap().keep();
    line::furnish(&mut command, &home);
    command
}

impl Console {
    pub(crate) fn start(arguments: &[&str], rows: u16, cols: u16) -> Self {
        Self::start_on(&[], arguments, rows, cols)
    }

    /// On a terminal with this environment in place of the usual one.
    pub(crate) fn start_on(
        environment: &[(&str, &str)],
        arguments: &[&str],
        rows: u16,
        cols: u16,
    ) -> Self {
        let mut command = demo(&[env!("CARGO_BIN_EXE_driftdeck")], arguments);
        for (name, value) in environment {
            command.env(name, value);
        }
        Self::open(command, rows, cols)
    }

    /// Any program that comes to show the console.
    pub(crate) fn open(command: CommandBuilder, rows: u16, cols: u16) -> Self {
        let terminal = Arc::new(Terminal {
            seen: Mutex::new(Seen {
                emulator: line::emulator(rows, cols),
                bytes: Vec::new(),
            }),
            came: Condvar::new(),
        });
        let theirs = Arc::clone(&terminal);
        let line = line::open(command, (rows, cols), move |bytes| {
            let mut seen = theirs.seen.lock().unwrap();
            seen.emulator.process(bytes);
            seen.bytes.extend(bytes);
            theirs.came.notify_all();
        });
        Self { line, terminal }
    }

    /// Waits until what was seen gives an answer.
    pub(crate) fn wait<T>(&self, what: &str, answer: impl Fn(&Seen) -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.terminal.seen.lock().unwrap();
        loop {
            if let Some(answer) = answer(&seen) {
                return answer;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "waited in vain for {what}; the screen shows:\n{}",
                seen.screen()
            );
            seen = self.terminal.came.wait_timeout(seen, left).unwrap().0;
        }
    }

    /// Waits until nothing has come for this long; how much was written until then.
    pub(crate) fn quiet(&self, time: Duration) -> usize {
        let end = Instant::now() + PATIENCE;
        let mut seen = self.terminal.seen.lock().unwrap();
        loop {
            let before = seen.bytes.len();
            let came = &self.terminal.came;
            let begun = Instant::now();
            while seen.bytes.len() == before && begun.elapsed() < time {
                seen = came
                    .wait_timeout(seen, time.saturating_sub(begun.elapsed()))
                    .unwrap()
                    .0;
            }
            if seen.bytes.len() == before {
                return before;
            }
            assert!(Instant::now() < end, "it does not come to rest");
        }
    }

    /// Waits until something was written, wherever it stands.
    pub(crate) fn until_written(&self, bytes: &[u8]) {
        let what = String::from_utf8_lossy(bytes).into_owned();
        self.wait(&what, |seen| seen.has(bytes).then_some(()));
    }

    /// Waits until the screen shows every text.
    pub(crate) fn until(&self, texts: &[&str]) {
        self.wait(&format!("{texts:?}"), |seen| {
            let screen = seen.screen();
            texts.iter().all(|t| screen.contains(t)).then_some(())
        });
    }

    /// Waits until the screen shows a text no more.
    pub(crate) fn until_gone(&self, text: &str) {
        self.wait(&format!("the end of {text:?}"), |seen| {
            (!seen.screen().contains(text)).then_some(())
        });
    }

    /// Everything that was written so far, as lines; waits until it holds a text.
    pub(crate) fn until_said(&self, text: &str) -> Vec<String> {
        self.wait(text, |seen| {
            let said = seen.text();
            let lines = || said.lines().map(|l| l.trim_end().to_owned()).collect();
            said.contains(text).then(lines)
        })
    }

    /// Waits until the terminal was told to leave the alternate screen, show the cursor and take text as before.
    pub(crate) fn restored(&self) {
        for told in ["\x1b[?1049l", "\x1b[?25h", "\x1b[?2004l"] {
            self.until_written(told.as_bytes());
        }
    }

    pub(crate) fn press(&mut self, keys: &str) {
        self.line.keys.write_all(keys.as_bytes()).unwrap();
        self.line.keys.flush().unwrap();
    }

    /// Another size, for the program and for the emulator.
    pub(crate) fn resize(&self, rows: u16, cols: u16) {
        let mut seen = self.terminal.seen.lock().unwrap();
        let size = (rows.try_into().unwrap(), cols.try_into().unwrap());
        seen.emulator.screen_mut().set_size(size.0, size.1);
        let master = self.line.master.as_ref().unwrap();
        master.resize(line::size(rows, cols)).unwrap();
    }

    /// Everything that was written so far.
    pub(crate) fn written(&self) -> Vec<u8> {
        self.terminal.seen.lock().unwrap().bytes.clone()
    }

    pub(crate) fn screen(&self) -> String {
        self.terminal.seen.lock().unwrap().screen()
    }

    /// Every cell as it looks: of a blank only the ground is seen.
    pub(crate) fn picture(&self) -> Vec<String> {
        let seen = self.terminal.seen.lock().unwrap();
        let screen = seen.emulator.screen();
        let (rows, cols) = screen.size();
        let cells = (0..rows.get()).flat_map(|y| (0..cols.get()).map(move |x| (y, x)));
        cells
            .filter_map(|(y, x)| screen.cell(y, x))
            .map(look)
            .collect()
    }

    /// The colour behind the first cell.
    pub(crate) fn ground(&self) -> vt100::Color {
        let seen = self.terminal.seen.lock().unwrap();
        seen.emulator.screen().cell(0, 0).unwrap().bgcolor()
    }

    /// Waits for the end; how long it took, and the exit status.
    pub(crate) fn ended(&mut self) -> (Duration, u32) {
        let begin = Instant::now();
        while begin.elapsed() < PATIENCE {
            if let Some(status) = self.line.child.try_wait().unwrap() {
                return (begin.elapsed(), status.exit_code());
            }
            std::thread::yield_now();
        }
        panic!("the program did not end; it shows:\n{}", self.screen());
    }

    /// The program's process.
    pub(crate) fn process(&self) -> i32 {
        i32::try_from(self.line.child.process_id().unwrap()).unwrap()
    }

    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = self.process();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // Already ended in most tests; a failing one must not leave a program behind.
        let _ = self.line.child.kill();
        let _ = self.line.child.wait();
    }
}

fn look(cell: &vt100::Cell) -> String {
    let text = cell.contents();
    let seen = !text.trim().is_empty() || cell.inverse() || cell.underline();
    if !seen {
        return format!("{:?}", cell.bgcolor());
    }
    let modifiers = [
        cell.bold(),
        cell.dim(),
        cell.italic(),
        cell.underline(),
        cell.inverse(),
    ];
    format!(
        "{text} {:?} {:?} {modifiers:?}",
        cell.fgcolor(),
        cell.bgcolor()
    )
}

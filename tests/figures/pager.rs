//! `less` on the same text, the same terminal and the same core.

use std::io::Write as _;
use std::time::Duration;

use portable_pty::CommandBuilder;

use super::fleet::CONSOLE;
use super::program::{Cost, Program};

/// Lines of the text that is paged through.
const LINES: usize = 4_000;

/// The pager, showing its first page; none where `less` is not installed.
pub(crate) struct Pager(Option<Program>);

impl Pager {
    /// Opens it on lines as a screen shows them, over and over, each with its number so that no two are alike.
    pub(crate) fn open(screen: &[String], cols: u16, rows: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("text");
        let mut text = std::fs::File::create(&path).unwrap();
        let lines: Vec<&String> = screen.iter().filter(|l| !l.trim().is_empty()).collect();
        for (number, line) in (1..=LINES).zip(lines.iter().cycle()) {
            let width = usize::from(cols).saturating_sub(6);
            let line: String = line.chars().take(width).collect();
            writeln!(text, "{number:>5} {line}").unwrap();
        }
        if std::process::Command::new("less")
            .arg("-V")
            .output()
            .is_err()
        {
            return Self(None);
        }
        let mut command = CommandBuilder::new("taskset");
        command.args(["-c", CONSOLE, "less"]);
        command.arg(&path);
        let program = Program::start(command, home, (cols, rows));
        program.until("the first page", |screen| screen.contains("    1 "));
        program.rest(Duration::from_millis(200));
        Self(Some(program))
    }

    /// What keys cost it.
    pub(crate) fn keys(&mut self, key: &str, count: usize, quiet: Duration) -> Cost {
        match &mut self.0 {
            Some(program) => program.keys(&vec![key; count], quiet),
            None => Cost::default(),
        }
    }

    /// What a held key costs it.
    pub(crate) fn held(&mut self, key: &str, count: usize) -> Cost {
        match &mut self.0 {
            Some(program) => program.held(key, count),
            None => Cost::default(),
        }
    }
}

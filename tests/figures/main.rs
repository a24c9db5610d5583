//! What the console costs a terminal and a person, measured from outside on the scenario `giant`, beside `less` and ratatui's stock backend.
//!
//! `cargo test --test figures -- --ignored --nocapture` prints the figures, and writes `docs/figures.md` when `DRIFTDECK_WRITE_DOCS=1`. The
//! program measured is `DRIFTDECK_FIGURES_BIN` when that names one: an optimised build says more than the one under test.
#![cfg(all(feature = "demo", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a measuring program"
)]

mod fleet;
#[path = "../pty/line.rs"]
mod line;
mod pager;
mod program;
mod report;
mod stock;

use std::time::{Duration, Instant};

use fleet::{Fleet, INGRESS, MICROSERVICE};
use pager::Pager;
use program::{Cost, Program};
use report::{Report, Row, Sheet};

/// Sizes of terminal that the figures are for: columns and rows.
const SIZES: [(u16, u16); 2] = [(200, 50), (80, 24)];

/// Keys of one kind that are pressed.
const KEYS: usize = 50;

/// Pages that are turned: the fleet has more at either size.
const PAGES: usize = 20;

/// Lines that a difference is scrolled by: at the larger size it has so many more than fit.
const LINES: usize = 6;

/// How long nothing may come before a key counts as answered.
const QUIET: Duration = Duration::from_millis(150);

/// A held key comes again after so long.
const REPEAT: Duration = Duration::from_millis(33);

#[test]
#[ignore = "a measurement of minutes, for the machine alone"]
fn what_the_console_costs() {
    let fleet = Fleet::start();
    let sheets = SIZES.iter().map(|size| measure(&fleet, *size)).collect();
    let report = Report {
        binary: fleet.binary.clone(),
        ready: fleet.ready,
        sheets,
    };
    println!("{}", report.text());
    if std::env::var_os("DRIFTDECK_WRITE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/figures.md");
        std::fs::write(path, report.text()).unwrap();
    }
}

fn measure(fleet: &Fleet, size: (u16, u16)) -> Sheet {
    let mut session = Session::begin(fleet, size);
    let (first_rows, all_rows) = session.fill();
    session.idle();
    session.change();
    session.lists();
    session.filter();
    session.difference();
    let storm = session.storm();
    let used = session.console.used();
    Sheet {
        cols: size.0,
        rows: size.1,
        first_rows,
        all_rows,
        drawn: session.console.end(),
        steps: session.steps,
        used,
        storm,
    }
}

/// One sitting at one size of terminal.
struct Session<'a> {
    fleet: &'a Fleet,
    console: Program,
    size: (u16, u16),
    begun: Instant,
    steps: Vec<Row>,
}

impl<'a> Session<'a> {
    fn begin(fleet: &'a Fleet, size: (u16, u16)) -> Self {
        Self {
            fleet,
            console: Program::console(fleet, size.0, size.1),
            size,
            begun: Instant::now(),
            steps: Vec::new(),
        }
    }

    /// Waits for the first rows, for all rows, and for rest; how long the first two took.
    fn fill(&mut self) -> (Duration, Duration) {
        self.console
            .until("first rows", |screen| screen.contains(" edge-"));
        let first_rows = self.begun.elapsed();
        self.console.until("every row", |screen| {
            let title = screen.lines().next().unwrap_or_default();
            title.contains("1020") && !title.contains('↻')
        });
        let all_rows = self.begun.elapsed();
        self.console.rest(Duration::from_secs(15));
        self.console.record();
        (first_rows, all_rows)
    }

    fn step(&mut self, name: &'static str, count: usize, ours: Cost, less: Option<Cost>) {
        let row = Row::of(name, count, ours, self.console.frames(), less);
        self.steps.push(row);
    }

    fn idle(&mut self) {
        let idle = self
            .console
            .cost(|console| console.wait(Duration::from_secs(60)));
        self.step("idle minute", 1, idle, None);
    }

    /// The first live edge on the screen is scaled: its row, the counts and what the cursor's row says follow.
    fn change(&mut self) {
        let rows = self.console.rows();
        let live = rows
            .iter()
            .find(|row| row.contains('●') && row.contains("edge-"));
        let edge = live.and_then(|row| {
            row.split_whitespace()
                .find(|word| word.starts_with("edge-"))
        });
        let edge = edge.expect("a live edge on the first page").to_owned();
        self.console.press("/");
        self.console.press(&edge);
        self.console.press("\r");
        self.console
            .until("the row of one edge", |screen| screen.contains(&edge));
        self.console.rest(Duration::from_secs(2));
        self.console.frames();
        let fleet = self.fleet;
        // Another number at each size: the change must be one.
        let replicas = u32::from(self.size.1);
        let told = format!("→{replicas}");
        let change = self.console.cost(|console| {
            fleet.scale(&edge, &INGRESS, replicas);
            console.until("the drift", |screen| screen.contains(&told));
            console.rest(Duration::from_secs(3));
        });
        self.step("one change", 1, change, None);
        self.console.press("\x1b");
        self.console.rest(Duration::from_secs(1));
        self.console.frames();
    }

    /// A held key and pages, beside the pager on the same lines.
    fn lists(&mut self) {
        let text = self.console.rows();
        let mut pager = Pager::open(&text, self.size.0, self.size.1);
        let held = self.console.held("j", KEYS);
        let less = pager.held("j", KEYS);
        self.step("j held", KEYS, held, Some(less));
        let once = self.console.keys(&["j"; 20], QUIET);
        let less = pager.keys("j", 20, QUIET);
        self.step("j pressed", 20, once, Some(less));
        let page = self.console.keys(&["\x1b[6~"; PAGES], QUIET);
        let less = pager.keys(" ", PAGES, QUIET);
        self.step("page", PAGES, page, Some(less));
        self.console.press("\x1b[H");
        self.console.rest(QUIET);
        self.console.frames();
    }

    fn filter(&mut self) {
        let typed = ["/", "o", "s", "l", "o", "-", "0", "1"];
        let cost = self.console.keys(&typed, QUIET);
        self.step("filter typing", typed.len(), cost, None);
        self.console.press("\x1b");
        self.console.press("\x1b");
        self.console.rest(QUIET);
    }

    /// A difference with all of its document around it.
    fn difference(&mut self) {
        self.fleet.scale("edge-oslo-002", &MICROSERVICE, 9);
        self.console.press("2");
        self.console
            .until("drift", |screen| screen.contains(" DRIFT "));
        for key in ["/", "spec.replicas 2→9", "\r"] {
            self.console.press(key);
            self.console.rest(QUIET);
        }
        self.console
            .until("the drift", |screen| screen.contains("2→9"));
        self.console.press("d");
        self.console
            .until("the difference", |screen| screen.contains("DIFF"));
        for _ in 0..8 {
            self.console.press("}");
        }
        self.console.rest(Duration::from_secs(1));
        self.console.frames();
        let text = self.console.rows();
        let cost = self.console.held("j", LINES);
        let less = Pager::open(&text, self.size.0, self.size.1).held("j", LINES);
        self.step("diff scroll", LINES, cost, Some(less));
        self.console.press("1");
        self.console.rest(Duration::from_secs(1));
    }

    /// Keys during a storm; edits a second.
    fn storm(&mut self) -> f64 {
        let mut pager = Pager::open(&self.console.rows(), self.size.0, self.size.1);
        let storm = self.fleet.storm();
        let keys = ["j", "k"].repeat(150);
        let cost = self.console.keys_at(&keys, REPEAT);
        // On the console's core, while that takes the storm: what is as slow here is the machine and this program.
        let less = pager.held("j", keys.len());
        let edits = storm.end();
        self.console.frames();
        let step = "key in a storm";
        let row = Row::of(step, keys.len(), cost, Vec::new(), Some(less));
        self.steps.push(row);
        edits
    }
}

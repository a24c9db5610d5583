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
mod pager;
mod program;
mod report;
mod stock;

use std::time::{Duration, Instant};

use fleet::Fleet;
use pager::Pager;
use program::Program;
use report::{Report, Row, Sheet};

/// Sizes of terminal that the figures are for: columns and rows.
const SIZES: [(u16, u16); 2] = [(200, 50), (80, 24)];

/// Keys of one kind that are pressed.
const KEYS: usize = 50;

/// How long nothing may come before a key counts as answered.
const QUIET: Duration = Duration::from_millis(150);

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

fn measure(fleet: &Fleet, (cols, rows): (u16, u16)) -> Sheet {
    let begun = Instant::now();
    let mut console = Program::console(fleet, cols, rows);
    console.until("first rows", |screen| screen.contains(" edge-"));
    let first_rows = begun.elapsed();
    console.until("every row", |screen| {
        let title = screen.lines().next().unwrap_or_default();
        title.contains("1020 clusters") && !title.contains('↻') || narrow_is_settled(title)
    });
    let all_rows = begun.elapsed();
    console.rest(Duration::from_secs(15));
    let text = console.rows();
    let mut steps = Vec::new();
    console.record();
    let idle = console.cost(|console| console.wait(Duration::from_secs(60)));
    steps.push(Row::of("idle minute", 1, idle, console.frames(), None));
    let change = console.cost(|console| {
        fleet.scale("edge-oslo-002", 2);
        console.until("the change", |_| true);
        console.rest(Duration::from_secs(3));
    });
    steps.push(Row::of("one change", 1, change, console.frames(), None));
    let mut pager = Pager::open(&text, cols, rows);
    for (name, key) in [("j held", "j"), ("page", "\x1b[6~")] {
        let cost = console.keys(&[key].repeat(KEYS), QUIET);
        let frames = console.frames();
        let less = pager.keys(if key == "j" { "j" } else { " " }, KEYS, QUIET);
        steps.push(Row::of(name, KEYS, cost, frames, Some(less)));
    }
    console.press("\x1b[H");
    console.rest(QUIET);
    console.frames();
    let typed: Vec<&str> = vec!["/", "o", "s", "l", "o", "-", "0", "1"];
    let cost = console.keys(&typed, QUIET);
    steps.push(Row::of(
        "filter typing",
        typed.len(),
        cost,
        console.frames(),
        None,
    ));
    console.press("\x1b");
    console.press("\x1b");
    console.rest(QUIET);
    console.press("2");
    console.rest(Duration::from_secs(1));
    console.press("d");
    console.until("the difference", |screen| screen.contains("DIFF"));
    console.rest(Duration::from_secs(1));
    console.frames();
    let text = console.rows();
    let cost = console.keys(&["j"; 20], QUIET);
    let frames = console.frames();
    let less = Pager::open(&text, cols, rows).keys("j", 20, QUIET);
    steps.push(Row::of("diff scroll", 20, cost, frames, Some(less)));
    console.press("1");
    console.rest(Duration::from_secs(1));
    let storm = fleet.storm();
    let cost = console.keys_at(&["j", "k"].repeat(150), Duration::from_millis(33));
    let events = storm.end();
    console.frames();
    steps.push(Row::of("key in a storm", 300, cost, Vec::new(), None));
    let used = console.used();
    let drawn = console.end();
    Sheet {
        cols,
        rows,
        first_rows,
        all_rows,
        steps,
        drawn,
        used,
        storm: events,
    }
}

/// A narrow title has no room for every count: the word of rows that still connect is gone there too.
fn narrow_is_settled(title: &str) -> bool {
    title.contains("1020") && !title.contains('↻')
}

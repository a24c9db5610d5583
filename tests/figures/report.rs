//! The figures as a document.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use ratatui::buffer::Buffer;

use super::program::Cost;
use super::stock;

/// One step of a session.
pub(crate) struct Row {
    name: &'static str,
    count: usize,
    ours: Cost,
    stock: Option<Cost>,
    less: Option<Cost>,
}

impl Row {
    pub(crate) fn of(
        name: &'static str,
        count: usize,
        ours: Cost,
        frames: Vec<Buffer>,
        less: Option<Cost>,
    ) -> Self {
        Self {
            name,
            count,
            ours,
            stock: (frames.len() > 1).then(|| stock::cost(&frames)),
            less,
        }
    }

    fn line(&self) -> String {
        let each = |cost: &Cost| {
            format!(
                "{} / {}",
                per(cost.bytes, self.count),
                tenth(cost.writes, self.count)
            )
        };
        let other = |cost: &Option<Cost>| cost.as_ref().map_or_else(|| "-".to_owned(), each);
        let against = |cost: &Option<Cost>| match cost {
            Some(cost) if cost.bytes > 0 => {
                format!("{:.2}", self.ours.bytes as f64 / cost.bytes as f64)
            }
            _ => "-".to_owned(),
        };
        let times = |cost: &Cost| {
            format!(
                "{} / {}",
                quantile(&cost.delays, 50),
                quantile(&cost.delays, 99)
            )
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            self.name,
            each(&self.ours),
            other(&self.stock),
            against(&self.stock),
            other(&self.less),
            against(&self.less),
            times(&self.ours),
            self.less.as_ref().map_or_else(|| "-".to_owned(), times),
        )
    }
}

/// One size of terminal.
pub(crate) struct Sheet {
    pub(crate) cols: u16,
    pub(crate) rows: u16,
    pub(crate) first_rows: Duration,
    pub(crate) all_rows: Duration,
    pub(crate) steps: Vec<Row>,
    /// Microseconds that each frame took to draw.
    pub(crate) drawn: Vec<u64>,
    /// MiB of memory and seconds of processor time.
    pub(crate) used: (u64, f64),
    /// Edits a second in the storm.
    pub(crate) storm: f64,
}

/// All of it.
pub(crate) struct Report {
    pub(crate) binary: PathBuf,
    pub(crate) ready: Duration,
    pub(crate) sheets: Vec<Sheet>,
}

impl Report {
    pub(crate) fn text(&self) -> String {
        let mut text = String::from(HEAD);
        let build = if self.binary.to_string_lossy().contains("debug") {
            "an unoptimised build"
        } else {
            "an optimised build"
        };
        let _ = writeln!(
            text,
            "Machine: {}; the fleet has one core and the console another; {build}. `demo --serve --scenario giant` answered on every server after {:.1} s.\n",
            machine(),
            self.ready.as_secs_f64()
        );
        for sheet in &self.sheets {
            text.push_str(&sheet.text());
        }
        text
    }
}

impl Sheet {
    fn text(&self) -> String {
        let mut drawn = self.drawn.clone();
        drawn.sort_unstable();
        let at = |share: usize| {
            drawn.get((drawn.len() * share / 100).min(drawn.len().saturating_sub(1)))
        };
        let mut text = format!(
            "## {} columns, {} rows\n\nFirst rows after {:.1} s, all 1,020 rows answered for after {:.1} s. Frame time p50 {} µs, p99 {} µs over {} frames. Memory {} MiB, processor time of the session {:.1} s. The storm was {:.0} edits a second.\n\n",
            self.cols,
            self.rows,
            self.first_rows.as_secs_f64(),
            self.all_rows.as_secs_f64(),
            at(50).unwrap_or(&0),
            at(99).unwrap_or(&0),
            drawn.len(),
            self.used.0,
            self.used.1,
            self.storm,
        );
        text.push_str(TABLE);
        for row in &self.steps {
            text.push_str(&row.line());
            text.push('\n');
        }
        text.push('\n');
        text
    }
}

fn per(total: usize, count: usize) -> String {
    format!("{:.0}", total as f64 / count as f64)
}

fn tenth(total: u64, count: usize) -> String {
    format!("{:.1}", total as f64 / count as f64)
}

fn quantile(delays: &[Duration], share: usize) -> String {
    let mut sorted = delays.to_vec();
    sorted.sort_unstable();
    let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or_else(
        || "-".to_owned(),
        |d| format!("{:.1}", d.as_secs_f64() * 1e3),
    )
}

fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|l| l.strip_prefix("model name"));
    let model = model.map_or("unknown", |m| m.trim_start_matches([' ', '\t', ':']));
    let cores = info.lines().filter(|l| l.starts_with("processor")).count();
    format!("{model}, {cores} cores")
}

const HEAD: &str = "# Figures\n\nMade by `cargo test --test figures -- --ignored` with `DRIFTDECK_WRITE_DOCS=1` (and `DRIFTDECK_FIGURES_BIN` naming an optimised build) from the running program on the scenario `giant`: 1,000 edges, 20 hubs, 10,000 applications. Bytes and write calls are counted at the far end of a pseudo terminal, per key or step. *Stock* is ratatui's crossterm backend drawing the very same frames; *less* is `less` on a text of the same lines at the same size. A ratio below 1 means that driftdeck sends less. Times depend on the machine and on what else it does; bytes and writes do not.\n\n";

const TABLE: &str = "| step | bytes / writes | stock | ratio | less | ratio | key to glyph p50 / p99, ms | less, ms |\n|---|---|---|---|---|---|---|---|\n";

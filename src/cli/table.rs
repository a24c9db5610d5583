//! Columns of text, and the same as comma-separated values.

use unicode_width::UnicodeWidthStr as _;

use crate::domain::Safe;

/// Rows under headings. A cell is text that was made safe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    heads: Vec<&'static str>,
    rows: Vec<Vec<Safe>>,
}

impl Table {
    /// A table with these headings and no rows.
    pub(crate) fn new(heads: &[&'static str]) -> Self {
        Self {
            heads: heads.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; it must have a cell for each heading, and a missing one reads as empty.
    pub(crate) fn row(&mut self, cells: Vec<Safe>) {
        self.rows.push(cells);
    }

    /// The table as aligned text: no trailing spaces, two spaces between columns.
    pub(crate) fn text(&self) -> String {
        let widths: Vec<usize> = (0..self.heads.len()).map(|n| self.width(n)).collect();
        let mut out = line(self.heads.iter().copied(), &widths);
        for row in &self.rows {
            out.push_str(&line(row.iter().map(Safe::as_str), &widths));
        }
        out
    }

    /// The table as comma-separated values (RFC 4180), headings in lower case.
    pub(crate) fn csv(&self) -> String {
        let mut out = self
            .heads
            .iter()
            .map(|h| h.to_lowercase())
            .collect::<Vec<_>>()
            .join(",")
            + "\n";
        for row in &self.rows {
            let cells: Vec<String> = row.iter().map(|c| quoted(c.as_str())).collect();
            out.push_str(&cells.join(","));
            out.push('\n');
        }
        out
    }

    fn width(&self, column: usize) -> usize {
        let cells = self
            .rows
            .iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.as_str().width());
        cells
            .chain(self.heads.get(column).map(|h| h.width()))
            .max()
            .unwrap_or(0)
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let mut out = String::new();
    for (cell, width) in cells.zip(widths) {
        out.push_str(cell);
        out.extend(std::iter::repeat_n(
            ' ',
            width.saturating_sub(cell.width()) + 2,
        ));
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Table {
        let mut table = Table::new(&["CLUSTER", "DRIFT"]);
        table.row(vec!["edge-oslo-001".into(), "4".into()]);
        table.row(vec!["köln, 東京".into(), "say \"x\"".into()]);
        table
    }

    #[test]
    fn columns_align_by_display_width() {
        assert_eq!(
            sample().text(),
            "CLUSTER        DRIFT\nedge-oslo-001  4\nköln, 東京     say \"x\"\n"
        );
    }

    #[test]
    fn csv_quotes_what_needs_it() {
        assert_eq!(
            sample().csv(),
            "cluster,drift\nedge-oslo-001,4\n\"köln, 東京\",\"say \"\"x\"\"\"\n"
        );
    }
}

//! Tables: columns that go one by one as the terminal narrows, and only the visible rows are built.

use super::paint::{Canvas, Piece, width_of};
use super::text;
use crate::app::list::List;
use crate::app::shape::Area;

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column<'t> {
    /// Its title.
    pub title: &'t str,
    /// Columns of the terminal it needs at least.
    pub width: u16,
    /// Share of the width that is left over; 0 takes none.
    pub grow: u16,
    /// Whether its cells end at its right edge.
    pub right: bool,
    /// Columns with the highest rank go first when there is no room; rank 0 stays.
    pub rank: u8,
    /// Whether its cell names the row: the selection is drawn there.
    pub names: bool,
}

impl<'t> Column<'t> {
    /// A column of fixed width that is never left out.
    pub const fn new(title: &'t str, width: u16) -> Self {
        Self {
            title,
            width,
            grow: 0,
            right: false,
            rank: 0,
            names: false,
        }
    }

    /// Takes a share of what is left over.
    #[must_use]
    pub const fn grow(self, grow: u16) -> Self {
        Self { grow, ..self }
    }

    /// Ends at its right edge.
    #[must_use]
    pub const fn right(self) -> Self {
        Self {
            right: true,
            ..self
        }
    }

    /// Names the row. The selection tints this cell and the sign before the row, not the whole row: over a slow line a held key
    /// then costs what it costs in a pager.
    #[must_use]
    pub const fn names(self) -> Self {
        Self {
            names: true,
            ..self
        }
    }

    /// May be left out.
    #[must_use]
    pub const fn rank(self, rank: u8) -> Self {
        Self { rank, ..self }
    }
}

/// One row: a cell for each column, and how it stands.
#[derive(Clone, Debug)]
pub struct RowCells {
    /// A cell for each column, in order.
    pub cells: Vec<Vec<Piece>>,
    /// Whether what the row shows is no longer current: it is drawn dim.
    pub stale: bool,
    /// In place of cells, the name of a group and what stands behind it.
    pub head: Option<Vec<Piece>>,
}

impl RowCells {
    /// A row of cells.
    pub fn of(cells: Vec<Vec<Piece>>, stale: bool) -> Self {
        Self {
            cells,
            stale,
            head: None,
        }
    }

    /// A row of which nothing is known any more.
    pub fn gone() -> Self {
        Self::of(Vec::new(), true)
    }

    /// The line of a group; its first pieces name it.
    pub fn head(pieces: Vec<Piece>) -> Self {
        Self {
            cells: Vec::new(),
            stale: false,
            head: Some(pieces),
        }
    }
}

/// Where a column stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    column: usize,
    x: u16,
    w: u16,
}

/// Columns before the first cell: the sign of the selected row and that of a mark.
const MARGIN: u16 = 2;
const SPACE: u16 = 2;
/// Pieces of a group's line that name it: the sign of folding and the name.
const NAMED: usize = 2;

/// Draws titles and visible rows of a list.
pub fn draw<K: Ord + Clone>(
    canvas: &mut Canvas<'_>,
    area: Area,
    columns: &[Column<'_>],
    list: &List<K>,
    focus: bool,
    row: impl Fn(&Canvas<'_>, &K) -> RowCells,
) {
    let slots = slots(columns, area.w.saturating_sub(MARGIN));
    titles(canvas, area, columns, &slots);
    let (_, body) = area.top(1);
    let visible = list
        .keys()
        .iter()
        .enumerate()
        .skip(list.offset())
        .take(usize::from(body.h));
    for (y, (i, key)) in (0..).zip(visible) {
        let cells = row(canvas, key);
        let line = Area {
            y: body.y + y,
            h: 1,
            ..body
        };
        draw_row(canvas, line, columns, &slots, &cells);
        if list.is_marked(key) {
            let sign = canvas.fixed("mark", canvas.glyphs().marked);
            canvas.put(line.x + 1, line.y, 1, &[sign]);
        }
        if i == list.cursor() {
            let scope = if focus { "mark" } else { "text.dim" };
            canvas.line(line, 0, &[canvas.fixed(scope, canvas.glyphs().selected)]);
            if focus {
                select(canvas, line, columns, &slots, &cells);
            }
        }
    }
}

/// Tints the sign of the selected row and the cell that names it.
fn select(
    canvas: &mut Canvas<'_>,
    line: Area,
    columns: &[Column<'_>],
    slots: &[Slot],
    row: &RowCells,
) {
    let sign = Area { w: MARGIN, ..line };
    canvas.tint(sign, "selection");
    if let Some(pieces) = &row.head {
        let named = pieces.get(..NAMED).unwrap_or(pieces);
        let name = Area {
            x: line.x + MARGIN,
            w: u16::try_from(width_of(named))
                .unwrap_or(u16::MAX)
                .min(line.w.saturating_sub(MARGIN)),
            ..line
        };
        canvas.tint(name, "selection");
        canvas.embolden(name);
    }
    for slot in slots {
        if !columns.get(slot.column).is_some_and(|c| c.names) {
            continue;
        }
        let text = row.cells.get(slot.column).map_or(0, |c| width_of(c));
        let w = u16::try_from(text).unwrap_or(u16::MAX).min(slot.w);
        let name = Area {
            x: line.x + MARGIN + slot.x,
            w,
            ..line
        };
        canvas.tint(name, "selection");
        canvas.embolden(name);
    }
}

fn titles(canvas: &mut Canvas<'_>, area: Area, columns: &[Column<'_>], slots: &[Slot]) {
    for slot in slots {
        let Some(column) = columns.get(slot.column) else {
            continue;
        };
        let title = vec![canvas.piece("column", column.title)];
        let x = area.x + MARGIN + slot.x;
        put_cell(canvas, x, area.y, slot.w, column.right, &title);
    }
}

fn draw_row(
    canvas: &mut Canvas<'_>,
    line: Area,
    columns: &[Column<'_>],
    slots: &[Slot],
    row: &RowCells,
) {
    if let Some(pieces) = &row.head {
        let x = line.x + MARGIN;
        canvas.put(x, line.y, line.w.saturating_sub(MARGIN), pieces);
        return;
    }
    for slot in slots {
        let (Some(column), Some(cell)) = (columns.get(slot.column), row.cells.get(slot.column))
        else {
            continue;
        };
        put_cell(
            canvas,
            line.x + MARGIN + slot.x,
            line.y,
            slot.w,
            column.right,
            cell,
        );
    }
    if row.stale {
        canvas.tint(line, "stale");
    }
}

fn put_cell(canvas: &mut Canvas<'_>, x: u16, y: u16, w: u16, right: bool, cell: &[Piece]) {
    let used = u16::try_from(width_of(cell)).unwrap_or(u16::MAX);
    if right && used <= w {
        canvas.put(x + w - used, y, used, cell);
        return;
    }
    // A single name is cut in the middle, a mix of signs and words at its end.
    if let ([one], true) = (cell, used > w) {
        let shown = text::cut_middle(one.text.as_str(), usize::from(w), canvas.glyphs().ellipsis);
        let piece = Piece {
            text: shown.into(),
            style: one.style,
        };
        canvas.put(x, y, w, &[piece]);
        return;
    }
    canvas.put(x, y, w, cell);
}

/// Chooses the columns that fit and spreads what is left over.
fn slots(columns: &[Column<'_>], width: u16) -> Vec<Slot> {
    let mut kept: Vec<usize> = (0..columns.len()).collect();
    let needed = |kept: &[usize]| {
        let widths = kept
            .iter()
            .filter_map(|i| columns.get(*i))
            .map(|c| c.width + SPACE);
        widths.sum::<u16>().saturating_sub(SPACE)
    };
    while needed(&kept) > width {
        let rank = |i: &usize| columns.get(*i).map_or(0, |c| c.rank);
        let Some(least) = kept
            .iter()
            .copied()
            .filter(|i| rank(i) > 0)
            .max_by_key(|i| rank(i))
        else {
            break;
        };
        kept.retain(|i| *i != least);
    }
    let spare = width.saturating_sub(needed(&kept));
    let shares: u16 = kept
        .iter()
        .filter_map(|i| columns.get(*i))
        .map(|c| c.grow)
        .sum();
    let mut slots = Vec::new();
    let (mut x, mut given) = (0, 0);
    for i in kept {
        let Some(column) = columns.get(i) else {
            continue;
        };
        let extra = (u32::from(spare) * u32::from(column.grow))
            .checked_div(u32::from(shares))
            .unwrap_or(0);
        let extra = u16::try_from(extra).unwrap_or(0).min(spare - given);
        given += extra;
        let w = (column.width + extra).min(width.saturating_sub(x));
        slots.push(Slot { column: i, x, w });
        x += w + SPACE;
    }
    slots
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<'_>; 4] = [
        Column::new("CLUSTER", 10).grow(3),
        Column::new("DRIFT", 6),
        Column::new("CPU", 5).rank(2),
        Column::new("GROUP", 8).grow(1).rank(1),
    ];

    fn names(width: u16) -> Vec<&'static str> {
        slots(&COLUMNS, width)
            .iter()
            .map(|s| COLUMNS[s.column].title)
            .collect()
    }

    #[test]
    fn columns_go_by_rank_and_rank_zero_stays() {
        assert_eq!(names(80), ["CLUSTER", "DRIFT", "CPU", "GROUP"]);
        assert_eq!(names(30), ["CLUSTER", "DRIFT", "GROUP"]);
        assert_eq!(names(20), ["CLUSTER", "DRIFT"]);
        assert_eq!(names(5), ["CLUSTER", "DRIFT"]);
    }

    #[test]
    fn what_is_left_over_is_shared_and_nothing_passes_the_edge() {
        for width in 1..200 {
            let slots = slots(&COLUMNS, width);
            for slot in &slots {
                assert!(
                    slot.x.min(width) + slot.w <= width.max(slot.x),
                    "{width} {slot:?}"
                );
            }
        }
        let wide = slots(&COLUMNS, 75);
        assert_eq!(wide.iter().map(|s| s.w).collect::<Vec<_>>(), [40, 6, 5, 18]);
    }
}

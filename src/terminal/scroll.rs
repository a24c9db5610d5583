//! Finds out whether a frame is the last one with a band of rows moved up or down: a terminal moves rows by itself for a few bytes. Pure.

use std::hash::{BuildHasher as _, Hash as _, Hasher as _};

use foldhash::fast::FixedState;
use ratatui::buffer::{Buffer, Cell};

/// Fewer rows than this are drawn as quickly as they are moved.
const WORTH: usize = 3;

/// A band of rows that moves. Rows that move out of it are gone, and those that come in are blank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Scroll {
    /// Its first row.
    pub(super) top: u16,
    /// Its last row.
    pub(super) bottom: u16,
    /// Rows up, or down when negative.
    pub(super) up: i16,
}

/// The band that, moved, brings most rows to where the next frame has them; `None` when nothing moved.
pub(super) fn find(shown: &Buffer, next: &Buffer) -> Option<Scroll> {
    // Rows that only have the same number cost bytes, and never a wrong screen: what the band leaves is compared cell for cell.
    let numbers = FixedState::default();
    let (old, new) = (rows(shown, &numbers), rows(next, &numbers));
    let height = i16::try_from(new.len()).ok()?;
    let best = (1 - height..height)
        .filter(|up| *up != 0)
        .map(|up| (moved(&old, &new, up), up))
        .max_by_key(|(rows, up)| (rows.len(), -up.abs()))?;
    let (rows, up) = best;
    if rows.len() < WORTH {
        return None;
    }
    let (first, last) = (*rows.first()?, *rows.last()?);
    let (top, bottom) = if up > 0 {
        (first, last.checked_add_signed(up)?)
    } else {
        (first.checked_add_signed(up)?, last)
    };
    Some(Scroll { top, bottom, up })
}

/// Rows of the new frame that stood `up` rows lower in the old one and did not stay where they were.
fn moved(old: &[Option<u64>], new: &[Option<u64>], up: i16) -> Vec<u16> {
    let stood = |y: u16| *old.get(usize::from(y.checked_add_signed(up)?))?;
    let rows = (0_u16..).zip(new);
    rows.filter(|(y, row)| row.is_some() && stood(*y) == **row)
        .filter(|(y, row)| old.get(usize::from(*y)) != Some(row))
        .map(|(y, _)| y)
        .collect()
}

/// The cells of a row; none beyond the last.
pub(super) fn cells(buffer: &Buffer, y: u16) -> &[Cell] {
    let width = usize::from(buffer.area.width);
    let begin = width * usize::from(y);
    buffer
        .content()
        .get(begin..begin + width)
        .unwrap_or_default()
}

/// What stands in each row, as a number; nothing for rows that are blank.
fn rows(buffer: &Buffer, numbers: &FixedState) -> Vec<Option<u64>> {
    let rows = 0..buffer.area.height;
    rows.map(|y| row(cells(buffer, y), numbers)).collect()
}

fn row(cells: &[Cell], numbers: &FixedState) -> Option<u64> {
    if cells.iter().all(|cell| cell.symbol() == " ") {
        return None;
    }
    let mut hasher = numbers.build_hasher();
    for cell in cells {
        (cell.symbol(), cell.fg, cell.bg, cell.modifier).hash(&mut hasher);
    }
    Some(hasher.finish())
}

impl Scroll {
    /// What a terminal shows after it moved the band.
    pub(super) fn apply(self, shown: &Buffer) -> Buffer {
        let mut after = shown.clone();
        for y in self.top..=self.bottom {
            let from = y.checked_add_signed(self.up);
            let from = from.filter(|from| (self.top..=self.bottom).contains(from));
            for x in 0..shown.area.width {
                let cell = from.and_then(|from| shown.cell((x, from))).cloned();
                if let Some(target) = after.cell_mut((x, y)) {
                    *target = cell.unwrap_or_default();
                }
            }
        }
        after
    }

    /// The bytes that move it; the cursor is at the top left afterwards. Line feeds and reverse ones within margins: every terminal since the
    /// VT100 knows them, the kernel's console too.
    pub(super) fn bytes(self) -> String {
        let (top, bottom) = (self.top + 1, self.bottom + 1);
        let (from, step) = if self.up > 0 {
            (bottom, "\n")
        } else {
            (top, "\x1bM")
        };
        let steps = step.repeat(usize::from(self.up.unsigned_abs()));
        format!("\x1b[{top};{bottom}r\x1b[{from}H{steps}\x1b[r")
    }
}

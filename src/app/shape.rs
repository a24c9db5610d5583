//! How a screen is divided at each size of the terminal. Pure arithmetic: the model needs it for paging, the drawing for placing.

use crate::view::place::Place;

/// Below this many columns only lists are drawn.
pub const NARROW: u16 = 60;
/// From here a difference stands side by side.
pub const SPLIT: u16 = 100;
/// From here the detail stands to the right of the list.
pub const BESIDE: u16 = 120;
/// From here the fleet has a rail of groups.
pub const RAIL: u16 = 160;
/// From here the detail stands below the list when it cannot stand beside it.
pub const BELOW: u16 = 36;
/// Below this many rows there is no footer.
pub const FOOTED: u16 = 20;
/// From here the way back has a line of its own.
pub const CRUMBED: u16 = 30;

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Area {
    /// Columns from the left.
    pub x: u16,
    /// Rows from the top.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

/// The size of the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
}

/// Where everything of one screen stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Title bar.
    pub header: Area,
    /// Filter, sort, progress.
    pub status: Area,
    /// The rail of groups.
    pub rail: Option<Area>,
    /// The main list or text, with its column titles.
    pub main: Area,
    /// A second list.
    pub second: Option<Area>,
    /// The detail of the selected row.
    pub detail: Option<Area>,
    /// The way back.
    pub crumb: Option<Area>,
    /// Keys, or a message.
    pub footer: Option<Area>,
}

impl Area {
    /// Takes rows from the top: (taken, rest).
    pub fn top(self, h: u16) -> (Self, Self) {
        let h = h.min(self.h);
        let rest = Self {
            y: self.y + h,
            h: self.h - h,
            ..self
        };
        (Self { h, ..self }, rest)
    }

    /// Takes rows from the bottom: (taken, rest).
    pub fn bottom(self, h: u16) -> (Self, Self) {
        let (rest, taken) = self.top(self.h - h.min(self.h));
        (taken, rest)
    }

    /// Takes columns from the left: (taken, rest).
    pub fn left(self, w: u16) -> (Self, Self) {
        let w = w.min(self.w);
        let rest = Self {
            x: self.x + w,
            w: self.w - w,
            ..self
        };
        (Self { w, ..self }, rest)
    }

    /// Takes columns from the right: (taken, rest).
    pub fn right(self, w: u16) -> (Self, Self) {
        let (rest, taken) = self.left(self.w - w.min(self.w));
        (taken, rest)
    }
}

impl Shape {
    /// Divides the screen.
    pub fn of(place: Place, size: Size, rail: bool) -> Self {
        let all = Area {
            x: 0,
            y: 0,
            w: size.cols,
            h: size.rows,
        };
        let (header, rest) = all.top(1);
        let (status, rest) = rest.top(1);
        let (footer, rest) = take(size.rows >= FOOTED, rest);
        let (crumb, body) = take(size.rows >= CRUMBED, rest);
        let mut shape = Self {
            header,
            status,
            rail: None,
            main: body,
            second: None,
            detail: None,
            crumb,
            footer,
        };
        match place {
            Place::Fleet => shape.fleet(size, rail),
            Place::Apps => shape.list_and_detail(size),
            Place::Drift => shape.drift(size),
            Place::App => shape.app(size),
            Place::Matrix => shape.matrix(size),
            Place::Activity => shape.activity(size),
            Place::Cluster => shape.cluster(size),
            Place::Diff | Place::Plan | Place::Run => {}
        }
        shape
    }

    /// Rows of the main list below its column titles.
    pub fn main_rows(&self) -> usize {
        usize::from(self.main.h.saturating_sub(1)).max(1)
    }

    /// Rows of the second list below its title.
    pub fn second_rows(&self) -> usize {
        let h = self.second.map_or(self.main.h, |a| a.h);
        usize::from(h.saturating_sub(1)).max(1)
    }

    fn fleet(&mut self, size: Size, rail: bool) {
        if rail && size.cols >= RAIL {
            let (rail, rest) = self.main.left(24);
            self.rail = Some(rail);
            self.main = rest;
        }
        self.list_and_detail(size);
    }

    /// Beside from 120 columns, below from 36 rows, else a strip of three lines.
    fn list_and_detail(&mut self, size: Size) {
        let body = self.main;
        let (detail, main) = if size.cols >= BESIDE {
            body.right((size.cols * 2 / 5).clamp(44, 64))
        } else if size.rows >= BELOW {
            body.bottom(body.h / 3)
        } else if size.rows >= FOOTED {
            body.bottom(3)
        } else {
            return;
        };
        self.main = main;
        self.detail = Some(detail);
    }

    /// Groups, members and preview: three columns from 200, stacked from 30 rows, else one of the lists above the preview.
    fn drift(&mut self, size: Size) {
        let body = self.main;
        if size.cols >= 200 {
            let (preview, lists) = body.right(size.cols * 2 / 5);
            let (members, groups) = lists.bottom(lists.h * 3 / 5);
            (self.main, self.second, self.detail) = (groups, Some(members), Some(preview));
        } else if size.rows >= CRUMBED {
            let (groups, rest) = body.top((body.h * 3 / 10).max(6));
            let (members, preview) = rest.top((rest.h / 2).max(5));
            (self.main, self.second, self.detail) = (groups, Some(members), Some(preview));
        } else if size.rows >= FOOTED {
            let (preview, list) = body.bottom(body.h * 2 / 5);
            (self.main, self.detail) = (list, Some(preview));
        }
    }

    /// The cells, and what is under the cursor below them.
    fn matrix(&mut self, size: Size) {
        if size.rows >= FOOTED {
            let (detail, main) = self.main.bottom(if size.rows >= BELOW { 10 } else { 5 });
            (self.main, self.detail) = (main, Some(detail));
        }
    }

    /// The density bar above the stream where there are rows for it, the selected event below.
    fn activity(&mut self, size: Size) {
        if size.rows >= CRUMBED {
            let (bar, rest) = self.main.top(2);
            (self.second, self.main) = (Some(bar), rest);
        }
        if size.rows >= FOOTED {
            let (detail, main) = self.main.bottom(if size.rows >= BELOW { 8 } else { 4 });
            (self.main, self.detail) = (main, Some(detail));
        }
    }

    /// One column, from 120 columns on two.
    fn cluster(&mut self, size: Size) {
        if size.cols >= BESIDE {
            let (detail, main) = self.main.right(size.cols / 2);
            (self.main, self.detail) = (main, Some(detail));
        }
    }

    /// What there is to know at once above, the tree left and the detail right from 100 columns on, else one of them.
    fn app(&mut self, size: Size) {
        if size.rows >= FOOTED {
            let (strip, rest) = self.main.top(if size.rows >= CRUMBED { 2 } else { 1 });
            (self.second, self.main) = (Some(strip), rest);
        }
        if size.cols >= SPLIT {
            let (detail, main) = self.main.right(size.cols / 2);
            (self.main, self.detail) = (main, Some(detail));
        }
    }
}

/// Takes the last row when asked to.
fn take(wanted: bool, from: Area) -> (Option<Area>, Area) {
    if !wanted || from.h < 2 {
        return (None, from);
    }
    let (taken, rest) = from.bottom(1);
    (Some(taken), rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(s: &Shape) -> Vec<Area> {
        let fixed = [s.header, s.status, s.main];
        let rest = [s.rail, s.second, s.detail, s.crumb, s.footer];
        fixed
            .into_iter()
            .chain(rest.into_iter().flatten())
            .collect()
    }

    /// At every size the parts tile the screen exactly: no overlap, nothing outside, nothing left over.
    #[test]
    fn parts_tile_the_screen_at_every_size() {
        for place in Place::ALL {
            for cols in [1, 20, 59, 60, 80, 99, 100, 119, 120, 160, 200, 250, 500] {
                for rows in [2, 3, 10, 19, 20, 24, 30, 36, 50, 200] {
                    let shape = Shape::of(place, Size { cols, rows }, true);
                    let cells: u64 = parts(&shape)
                        .iter()
                        .map(|a| u64::from(a.w) * u64::from(a.h))
                        .sum();
                    assert_eq!(
                        cells,
                        u64::from(cols) * u64::from(rows),
                        "{place:?} {cols}x{rows}"
                    );
                    for a in parts(&shape) {
                        assert!(a.x + a.w <= cols && a.y + a.h <= rows, "{place:?} {a:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_classic_terminal_keeps_most_rows_for_the_list() {
        let shape = Shape::of(Place::Fleet, Size { cols: 80, rows: 24 }, false);
        assert_eq!(shape.main_rows(), 17);
        assert_eq!(shape.detail.map(|d| d.h), Some(3));
        assert_eq!(shape.crumb, None);
    }

    #[test]
    fn on_a_classic_terminal_the_inbox_has_room_for_what_changed_and_who_did_it() {
        let shape = Shape::of(Place::Drift, Size { cols: 80, rows: 24 }, false);
        assert_eq!(shape.detail.map(|d| d.h), Some(8));
        assert_eq!(shape.main_rows(), 12);
    }

    #[test]
    fn a_terminal_without_rows_is_survived() {
        for rows in [0, 1] {
            let shape = Shape::of(Place::Drift, Size { cols: 0, rows }, false);
            assert_eq!(shape.main_rows(), 1);
        }
    }
}

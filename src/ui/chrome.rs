//! What frames every screen: title bar, status line, way back, footer.

use super::groups;
use super::paint::{Canvas, Piece, width_of};
use super::text::{cut_middle, width};
use crate::app::age::{clock, date_clock};
use crate::app::help::hints;
use crate::app::modal::Modal;
use crate::app::screens::{Face, Screen};
use crate::app::shape::{Area, RAIL, Shape};
use crate::app::{Action, Model, Weight};
use crate::domain::Safe;
use crate::fleet::Counts;
use crate::keymap::key::show_chord;

/// Title bar: what is seen, the fleet in counts, the mode, the clock.
///
/// ```text
///  FLEET  143 clusters                       ✓ 118  ≠ 14  ✗ 3  ◌ 5  ⊘ 3   ro   02:14Z
/// ```
pub(super) fn header(canvas: &mut Canvas<'_>, model: &Model, area: Area) {
    canvas.fill(area, "header");
    let needs = groups::needs(canvas, &model.rows.counts);
    let mut right = groups::signs(canvas, &needs, "header");
    if area.w >= RAIL {
        right.extend(totals(canvas, &model.rows.counts));
    }
    right.push(canvas.gap(2));
    if let Some(band) = band(canvas, model) {
        right.extend([band, canvas.gap(1)]);
    }
    right.push(if model.write {
        canvas.fixed("header.write", " WRITE ")
    } else {
        canvas.fixed("header.readonly", "ro")
    });
    right.push(canvas.gap(2));
    let time = if area.w >= RAIL {
        date_clock(model.now)
    } else {
        clock(model.now)
    };
    right.push(canvas.piece("header", time));
    right.push(canvas.gap(1));
    let used = canvas.line_right(area, 0, &right);
    let room = Area {
        w: area.w.saturating_sub(used + 1),
        ..area
    };
    let Some(face) = model.face() else {
        return;
    };
    let title_width = face.place().title().len() + 4;
    let scope = face.scope(&model.ctx());
    let scope = fitted(
        scope.as_str(),
        usize::from(room.w).saturating_sub(title_width),
        canvas.glyphs().ellipsis,
    );
    let title = [
        canvas.gap(1),
        canvas.fixed("header.title", face.place().title()),
        canvas.gap(2),
        canvas.piece("header", scope),
    ];
    canvas.line(room, 0, &title);
}

/// The group of what is under the cursor on the colour that somebody gave it: nobody should take one group for another.
fn band(canvas: &Canvas<'_>, model: &Model) -> Option<Piece> {
    let cluster = model.face()?.cluster(&model.ctx())?;
    let group = &model.rows.cluster(&cluster)?.group;
    let written = Piece {
        text: format!(" {group} ").into(),
        ..canvas.group("header", group)
    };
    canvas.has_band(group).then_some(written)
}

/// A scope in the room there is: one that counts loses what stands after the count word by word (`4 of 15 clusters`, `4 of 15`, `4`), every other
/// one its middle.
fn fitted(scope: &str, room: usize, mark: &str) -> String {
    let counts = |text: &&str| text.starts_with(|c: char| c.is_ascii_digit());
    std::iter::successors(Some(scope).filter(counts), |text| shortened(text))
        .find(|text| width(text) <= room)
        .map_or_else(|| cut_middle(scope, room, mark), str::to_owned)
}

/// A count without its last words: what is left ends with a thing that was counted, or with a number that counts on its own.
fn shortened(text: &str) -> Option<&str> {
    let (rest, _) = text.trim_end().rsplit_once(' ')?;
    let rest = rest.trim_end();
    let mut back = rest.rsplit(' ');
    let (last, before) = (back.next()?, back.next());
    let is_number = last.bytes().all(|b| b.is_ascii_digit());
    let ends_well = match before {
        _ if is_number => before.is_none_or(|word| word == "of"),
        _ => last.chars().all(char::is_alphabetic) && last != "of",
    };
    if ends_well {
        Some(rest)
    } else {
        shortened(rest)
    }
}

fn totals(canvas: &Canvas<'_>, counts: &Counts) -> Vec<Piece> {
    let text = format!(
        "  drift {} resources / {} groups   apps {}",
        counts.resources, counts.groups, counts.apps
    );
    vec![canvas.piece("header", text)]
}

/// Status line: the filter or the way back at the left, order and position at the right.
///
/// ```text
///  / region=eu                                        problems first   1-16 of 143 ▼   [1]
/// ```
pub(super) fn status(canvas: &mut Canvas<'_>, model: &Model, shape: &Shape) {
    let (Some(face), Some(screen)) = (model.face(), model.screen()) else {
        return;
    };
    let mut right = Vec::new();
    if let Some(by) = model.layouts.grouping(face.place()) {
        right.push(canvas.piece("text.dim", format!("by {}", by.id())));
        right.push(canvas.gap(3));
    }
    if let Some(sort) = face.sort_name() {
        right.push(canvas.fixed("text.dim", sort));
        right.push(canvas.gap(3));
    }
    right.extend(position(canvas, model, screen));
    right.push(canvas.piece("text.dim", format!("[{}]", number(screen))));
    right.push(canvas.gap(1));
    let used = canvas.line_right(shape.status, 0, &right);
    let room = Area {
        w: shape.status.w.saturating_sub(used + 1),
        ..shape.status
    };
    let left = status_left(canvas, model, face, shape.crumb.is_none());
    canvas.line(room, 0, &left);
}

/// The number that leads to a screen.
fn number(screen: &Screen) -> u8 {
    match screen {
        Screen::Fleet(_) => 1,
        Screen::Drift(_) => 2,
        Screen::Apps(_) => 3,
        Screen::App(_) => 4,
        Screen::Diff(_) => 5,
        Screen::Plan(_) | Screen::Run(_) => 6,
        Screen::Matrix(_) => 7,
        Screen::Activity(_) => 8,
        Screen::Cluster(_) => 9,
    }
}

/// Which rows are seen, and whether there are more.
fn position(canvas: &Canvas<'_>, model: &Model, screen: &Screen) -> Vec<Piece> {
    let ctx = model.ctx();
    let (offset, len, height) = match screen {
        Screen::Fleet(s) => (s.list.lines().offset(), s.list.lines().len(), s.page(&ctx)),
        Screen::Drift(s) => (
            s.groups.lines().offset(),
            s.groups.lines().len(),
            ctx.shape(s.place()).main_rows(),
        ),
        Screen::Apps(s) => (s.list.lines().offset(), s.list.lines().len(), s.page(&ctx)),
        Screen::App(s) => s.position(&ctx),
        Screen::Diff(s) => (s.top, s.drawn(&ctx), s.page(&ctx)),
        Screen::Plan(s) => (s.list.offset(), s.list.len(), s.page(&ctx)),
        Screen::Run(s) => (s.list.offset(), s.list.len(), s.page(&ctx)),
        Screen::Matrix(s) => (s.list.offset(), s.list.len(), s.page(&ctx)),
        Screen::Activity(s) => (s.list.offset(), s.list.len(), s.page(&ctx)),
        Screen::Cluster(s) => (s.top, s.drawn(&ctx), s.page(&ctx)),
    };
    if len == 0 {
        return Vec::new();
    }
    let last = (offset + height).min(len);
    let mut pieces = vec![canvas.piece("text.dim", format!("{}-{last} of {len}", offset + 1))];
    let more = if last < len {
        canvas.glyphs().below
    } else {
        " "
    };
    pieces.push(canvas.gap(1));
    pieces.push(canvas.fixed("text", more));
    pieces.push(canvas.gap(1));
    pieces
}

fn status_left(canvas: &Canvas<'_>, model: &Model, face: &dyn Face, crumbs: bool) -> Vec<Piece> {
    let mut left = vec![canvas.gap(1)];
    if let Some(Modal::Filter(input, _)) = &model.modal {
        left.push(canvas.fixed("input", "/ "));
        left.push(canvas.piece("input", input.value()));
        left.push(canvas.fixed("selection", " "));
    } else if let Some(sieve) = face.sieve().filter(|s| !s.text().is_empty() || s.problems) {
        left.push(canvas.fixed("notice.info", "/ "));
        if sieve.problems {
            left.push(canvas.fixed("notice.info", "problems only  "));
        }
        left.push(canvas.piece("notice.info", sieve.text()));
    } else if crumbs && model.stack.len() > 1 {
        left.extend(way_back(canvas, model));
    }
    if let Some(error) = face.sieve().and_then(|s| s.error.as_ref()) {
        left.push(canvas.gap(2));
        left.push(canvas.piece("notice.error", error.clone()));
    }
    let counts = &model.rows.counts;
    if counts.connecting > 0 && left.len() == 1 {
        let heard = counts.clusters - counts.connecting;
        left.push(canvas.piece(
            "connecting",
            format!("connecting {heard}/{}", counts.clusters),
        ));
    }
    left
}

fn way_back(canvas: &Canvas<'_>, model: &Model) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let crumbs = model.crumbs();
    let last = crumbs.len().saturating_sub(1);
    for (i, crumb) in crumbs.into_iter().enumerate() {
        if i > 0 {
            let sign = canvas.glyphs().crumb;
            pieces.extend([canvas.gap(1), canvas.fixed("crumb", sign), canvas.gap(1)]);
        }
        pieces.push(canvas.piece(if i == last { "text" } else { "crumb" }, crumb));
    }
    pieces
}

/// The way back, on terminals with room for a line of its own.
pub(super) fn crumb(canvas: &mut Canvas<'_>, model: &Model, shape: &Shape) {
    let Some(area) = shape.crumb else {
        return;
    };
    let mut pieces = vec![canvas.gap(1)];
    pieces.extend(way_back(canvas, model));
    canvas.line(area, 0, &pieces);
}

/// The last line: a message, or the keys that matter here. A chord that is being typed stands at its right.
pub(super) fn footer(canvas: &mut Canvas<'_>, model: &Model, shape: &Shape) {
    let area = match (shape.footer, &model.notice) {
        (Some(area), _) => area,
        // Without a footer a message takes the status line: it must be seen.
        (None, Some(_)) => shape.status,
        (None, None) => return,
    };
    if let Some(notice) = &model.notice {
        let scope = match notice.weight {
            Weight::Info => "notice.info",
            Weight::Warning => "notice.warning",
            Weight::Error => "notice.error",
        };
        canvas.fill(area, "background");
        canvas.line(
            area,
            0,
            &[canvas.gap(1), canvas.piece(scope, notice.text.clone())],
        );
        return;
    }
    let pending = canvas.piece("input", format!("{} ", show_chord(&model.pressed)));
    let used = canvas.line_right(area, 0, &[pending]);
    let room = Area {
        w: area.w.saturating_sub(used),
        ..area
    };
    let pieces = hint_pieces(canvas, model, usize::from(room.w));
    canvas.line(room, 0, &pieces);
}

/// As many hints as fit whole.
fn hint_pieces(canvas: &Canvas<'_>, model: &Model, room: usize) -> Vec<Piece> {
    let place = model.place();
    let mut pieces = vec![canvas.gap(1)];
    let over = matches!(model.screen(), Some(Screen::Run(run)) if run.is_over());
    for action in hints(place) {
        if over && *action == Action::Stop {
            continue;
        }
        let Some(keys) = model.keymap.keys_of(place, *action) else {
            continue;
        };
        let hint = [
            canvas.piece("footer.key", Safe::from(keys)),
            canvas.piece("footer", format!(" {}", action.info().hint)),
            canvas.gap(2),
        ];
        if width_of(&pieces) + width_of(&hint) > room {
            break;
        }
        pieces.extend(hint);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("4 of 15 clusters", 16, "4 of 15 clusters")]
    #[case("4 of 15 clusters", 15, "4 of 15")]
    #[case("4 of 15 clusters", 6, "4")]
    #[case("15 clusters", 7, "15")]
    #[case(
        "3 groups (2 acknowledged) / 7 resources / 5 clusters",
        44,
        "3 groups (2 acknowledged) / 7 resources"
    )]
    #[case("3 groups (2 acknowledged) / 7 resources / 5 clusters", 30, "3 groups")]
    #[case("8 events  2 new since you looked  following", 20, "8 events  2 new")]
    #[case("edge-oslo-003  eu", 9, "edge…  eu")]
    fn a_scope_that_does_not_fit_still_reads(
        #[case] scope: &str,
        #[case] room: usize,
        #[case] reads: &str,
    ) {
        assert_eq!(fitted(scope, room, "…"), reads);
    }
}

//! Opens the windows of columns and groupings, and takes what was chosen there: for this list, now and in later sittings.

use std::collections::BTreeSet;

use super::action::Action;
use super::modal::Modal;
use super::model::Model;
use super::msg::{Effect, Notice};
use super::pick::{ColumnPick, GroupPick, Picked};
use super::screens::Screen;
use crate::domain::Safe;
use crate::keymap::Key;
use crate::view::layout::Layout;
use crate::view::place::Place;

/// Labels that are offered; more than anybody chooses from.
const LABELS: usize = 60;

/// Opens the window of one of these actions.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let place = model.place();
    let labels = labels(model).into_iter();
    model.modal = match action {
        Action::Columns => {
            let shown = model.layouts.columns(place);
            Some(Modal::Columns(ColumnPick::new(place, &shown, labels)))
        }
        Action::GroupBy => {
            let now = model.layouts.grouping(place).map(|by| by.id());
            let pick = GroupPick::new(place, now.as_deref(), labels);
            Some(Modal::GroupBy(pick))
        }
        _ => None,
    };
    Vec::new()
}

/// The labels that rows of the list have.
fn labels(model: &Model) -> BTreeSet<Safe> {
    let names: BTreeSet<Safe> = match model.screen() {
        Some(Screen::Fleet(_)) => {
            let rows = model.rows.clusters.iter();
            rows.flat_map(|row| row.labels.keys().cloned()).collect()
        }
        Some(Screen::Apps(apps)) => {
            let rows = apps.rows().flat_map(|row| &row.app.labels);
            rows.map(|(name, _)| Safe::new(name)).collect()
        }
        _ => BTreeSet::new(),
    };
    names.into_iter().take(LABELS).collect()
}

/// Takes a key in the window of columns.
pub(super) fn in_columns(model: &mut Model, mut pick: ColumnPick, key: Key) -> Vec<Effect> {
    let columns = match pick.press(key) {
        Picked::Going => {
            model.modal = Some(Modal::Columns(pick));
            return Vec::new();
        }
        Picked::Dropped => return Vec::new(),
        Picked::Kept => Some(pick.shown()),
        Picked::Reset => None,
    };
    let layout = Layout {
        columns,
        ..model.layouts.chosen(pick.place)
    };
    keep(model, pick.place, layout)
}

/// Takes a key in the window of groupings.
pub(super) fn in_groups(model: &mut Model, mut pick: GroupPick, key: Key) -> Vec<Effect> {
    let group_by = match pick.press(key) {
        Picked::Going => {
            model.modal = Some(Modal::GroupBy(pick));
            return Vec::new();
        }
        Picked::Dropped => return Vec::new(),
        Picked::Kept => pick.chosen().map(ToOwned::to_owned),
        Picked::Reset => None,
    };
    let layout = Layout {
        group_by,
        ..model.layouts.chosen(pick.place)
    };
    keep(model, pick.place, layout)
}

/// Takes a layout and remembers it beyond the sitting.
fn keep(model: &mut Model, place: Place, layout: Layout) -> Vec<Effect> {
    let screen = place.id().to_owned();
    model.kept.layouts.insert(screen, layout.clone());
    take(model, place, layout);
    let save = model.ctx().keys(place, Action::SaveView);
    let words = format!("Kept for this list; {save} saves it with the filter as a view.");
    model.notice = Some(Notice::info(words));
    vec![Effect::Keep(Box::new(model.kept.clone()))]
}

/// Takes a layout for this sitting.
pub(super) fn take(model: &mut Model, place: Place, layout: Layout) {
    model.layouts.choose(place, layout);
    model.refresh(true);
}

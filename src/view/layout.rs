//! How a list is laid out: which columns it shows in which order, and by what its rows are grouped.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::columns;
use super::grouping::{Grouping, NONE};
use super::place::Place;

/// What somebody chose for one list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Layout {
    /// The columns in their order; `None` leaves them as they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// By what rows are grouped, `none` for not at all; `None` leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group_by: Option<String>,
}

/// Layouts of lists by the name of their screen.
pub type ByScreen = BTreeMap<String, Layout>;

/// The layouts in force: what was chosen goes before what the configuration says.
#[derive(Clone, Debug, Default)]
pub struct Layouts {
    configured: ByScreen,
    chosen: ByScreen,
}

impl Layouts {
    /// Layouts as configured, and as chosen in earlier sittings.
    pub fn new(configured: ByScreen, chosen: ByScreen) -> Self {
        Self { configured, chosen }
    }

    /// The columns of a list, in order.
    pub fn columns(&self, place: Place) -> Vec<String> {
        match self.find(place, |layout| layout.columns.as_ref()) {
            Some(wanted) => columns::completed(place, wanted),
            None => columns::usual(place),
        }
    }

    /// By what the rows of a list are grouped.
    pub fn grouping(&self, place: Place) -> Option<Grouping> {
        let wanted = self.find(place, |layout| layout.group_by.as_ref())?;
        Grouping::by_id(place, wanted)
    }

    /// The layout of a list as it is seen, for a view that shows it so again.
    pub fn seen(&self, place: Place) -> Layout {
        if columns::offers(place).is_empty() {
            return Layout::default();
        }
        let group_by = self.grouping(place).map(|by| by.id());
        Layout {
            columns: Some(self.columns(place)),
            group_by: Some(group_by.unwrap_or_else(|| NONE.to_owned())),
        }
    }

    /// What was chosen for a list.
    pub fn chosen(&self, place: Place) -> Layout {
        self.chosen.get(place.id()).cloned().unwrap_or_default()
    }

    /// Takes what was chosen for a list.
    pub fn choose(&mut self, place: Place, layout: Layout) {
        self.chosen.insert(place.id().to_owned(), layout);
    }

    fn find<'l, T: ?Sized>(
        &'l self,
        place: Place,
        part: impl Fn(&'l Layout) -> Option<&'l T>,
    ) -> Option<&'l T> {
        let of = |from: &'l ByScreen| from.get(place.id());
        let chosen = of(&self.chosen).and_then(&part);
        chosen.or_else(|| of(&self.configured).and_then(&part))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(columns: &[&str], group_by: Option<&str>) -> ByScreen {
        let layout = Layout {
            columns: Some(columns.iter().map(ToString::to_string).collect()),
            group_by: group_by.map(ToOwned::to_owned),
        };
        ByScreen::from([("fleet".to_owned(), layout)])
    }

    #[test]
    fn without_a_choice_a_list_is_as_configured_and_else_as_usual() {
        let layouts = Layouts::default();
        assert_eq!(layouts.columns(Place::Apps)[0], "app");
        let layouts = Layouts::new(
            layout(&["cluster", "seen", "cert"], None),
            ByScreen::default(),
        );
        assert_eq!(layouts.columns(Place::Fleet), ["cluster", "seen", "cert"]);
    }

    #[test]
    fn a_choice_goes_before_the_configuration_and_can_undo_its_grouping() {
        let mut layouts = Layouts::new(
            layout(&["cluster", "seen", "cert"], Some("site")),
            layout(&["cluster", "seen", "mem"], None),
        );
        assert_eq!(layouts.columns(Place::Fleet)[2], "mem");
        assert_eq!(layouts.grouping(Place::Fleet).unwrap().id(), "site");
        let none = Layout {
            group_by: Some("none".to_owned()),
            ..Layout::default()
        };
        layouts.choose(Place::Fleet, none);
        assert_eq!(layouts.grouping(Place::Fleet), None);
        assert_eq!(layouts.columns(Place::Fleet)[2], "cert");
    }
}

//! The columns of a list as somebody laid them out: which there are, how wide, and which go first where there is no room.

use super::table::Column;
use crate::app::Place;
use crate::app::screens::Ctx;
use crate::view::columns::{Standing, label_of, offer};

/// Columns by the names that lists offer them under.
pub(super) type Specs = [(&'static str, Column<'static>)];

/// Columns of the terminal that a label takes.
const LABEL: Column<'static> = Column::new("", 12).grow(1);

/// A list's columns in their order.
#[derive(Debug)]
pub(super) struct Laid {
    /// Their names.
    names: Vec<String>,
    columns: Vec<Column<'static>>,
    /// Titles of those that show a label, empty for the others.
    titles: Vec<String>,
}

impl Laid {
    /// The columns of a list.
    pub(super) fn of(place: Place, specs: &Specs, ctx: &Ctx<'_>) -> Self {
        let mut laid = Self {
            names: Vec::new(),
            columns: Vec::new(),
            titles: Vec::new(),
        };
        for name in ctx.layouts.columns(place) {
            let Some(column) = column(specs, &name) else {
                continue;
            };
            let rank = rank(place, &name, column.rank, laid.columns.len());
            laid.columns.push(Column { rank, ..column });
            laid.titles
                .push(label_of(&name).map(title).unwrap_or_default());
            laid.names.push(name);
        }
        laid
    }

    /// Their names, in order: a row makes a cell for each.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// What the table draws.
    pub(super) fn columns(&self) -> Vec<Column<'_>> {
        let both = self.columns.iter().zip(&self.titles);
        both.map(|(column, title)| match title.as_str() {
            "" => *column,
            title => Column { title, ..*column },
        })
        .collect()
    }
}

fn column(specs: &Specs, name: &str) -> Option<Column<'static>> {
    let known = specs.iter().find(|(id, _)| *id == name);
    let known = known.map(|(_, column)| *column);
    known.or_else(|| label_of(name).map(|_| LABEL.rank(1)))
}

/// Which go first where there is no room: the usual ones as they matter less, then what somebody asked for, the last of it first.
fn rank(place: Place, name: &str, usual: u8, at: usize) -> u8 {
    const ASKED_FOR: u8 = 100;
    let is_usual = offer(place, name).is_some_and(|o| o.standing != Standing::Extra);
    match usual {
        0 => 0,
        _ if is_usual => ASKED_FOR.saturating_add(usual),
        _ => u8::try_from(at).unwrap_or(u8::MAX).clamp(1, ASKED_FOR),
    }
}

/// The last part of a label's name: `topology.kubernetes.io/zone` stands as `ZONE`.
fn title(label: &str) -> String {
    let last = label.rsplit('/').next().unwrap_or(label);
    last.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_asked_for_stays_longer_than_what_is_usual() {
        let of = |name, rank_of| rank(Place::Fleet, name, rank_of, 12);
        assert_eq!(of("drift", 0), 0);
        assert!(of("cert", 4) < of("apps", 2) && of("label:tier", 1) < of("apps", 2));
        assert!(of("apps", 2) < of("more", 8));
    }

    #[test]
    fn every_column_that_is_offered_can_be_drawn() {
        use crate::view::columns::offers;
        let drawn: [(Place, &Specs); 3] = [
            (Place::Fleet, crate::ui::screens::fleet::COLUMNS),
            (Place::Drift, crate::ui::screens::drift::GROUPS),
            (Place::Apps, crate::ui::screens::apps::COLUMNS),
        ];
        for (place, specs) in drawn {
            let offered: Vec<&str> = offers(place).iter().map(|o| o.id).collect();
            let known: Vec<&str> = specs.iter().map(|(id, _)| *id).collect();
            assert_eq!(known, offered, "{}", place.id());
        }
    }

    #[test]
    fn a_labels_title_is_the_last_part_of_its_name() {
        assert_eq!(title("topology.kubernetes.io/zone"), "ZONE");
        assert_eq!(title("region"), "REGION");
    }
}

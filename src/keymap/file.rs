//! Reads keymap files: layers of bindings, checked line by line.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Binding;
use super::key::{KEY_NAMES, Key, parse_chord, show_chord};
use crate::app::action::action_ids;
use crate::app::{Action, Place};
use crate::config::fault::{Fault, Span, Written, unknown};
use crate::config::shelf::{Shelf, ShelfError};
use crate::domain::Safe;

/// How deep `inherits` may go.
const MAX_PARENTS: usize = 8;

const TOP_KEYS: &[&str] = &[
    "inherits", "about", "global", "fleet", "drift", "apps", "app", "diff", "plan", "run",
    "matrix", "activity", "cluster",
];

/// One chord of one binding and where it was written, for complaints about pairs.
#[derive(Clone, Debug)]
struct Line {
    place: Option<Place>,
    chord: Vec<Key>,
    /// `None` takes the key away.
    action: Option<Action>,
    desc: Option<Safe>,
    file: String,
    /// Line in the file, from 1.
    row: usize,
}

/// The bindings of a file and of those it inherits from.
#[derive(Clone, Debug, Default)]
pub(super) struct Layers {
    lines: Vec<Line>,
}

/// Reads a keymap and the keymaps it inherits from.
pub(super) fn load(shelf: &Shelf, name: &str) -> Result<Layers, ShelfError> {
    load_at_depth(shelf, name, 0)
}

fn load_at_depth(shelf: &Shelf, name: &str, depth: usize) -> Result<Layers, ShelfError> {
    let (file, text) = shelf.read(name)?;
    let written = Written {
        name: &file,
        text: &text,
    };
    let table = written.parse()?;
    written.only(&table, "layer", TOP_KEYS)?;
    let mut layers = Layers::default();
    if let Some(parent) = table.get("inherits") {
        if depth == MAX_PARENTS {
            return Err(written
                .fault(&parent.span(), "`inherits` goes in a circle or too deep")
                .into());
        }
        layers = load_at_depth(shelf, written.text_of("inherits", parent)?, depth + 1)?;
    }
    layers.overlay(read_layers(&written, &table)?);
    Ok(layers)
}

fn read_layers(written: &Written<'_>, table: &DeTable<'_>) -> Result<Vec<Line>, Fault> {
    let mut read = Vec::new();
    let layers = std::iter::once(("global", None)).chain(Place::ALL.map(|p| (p.id(), Some(p))));
    for (name, place) in layers {
        let Some(value) = table.get(name) else {
            continue;
        };
        let rows = value.get_ref().as_array().ok_or_else(|| {
            written.fault(
                &value.span(),
                format!("`{name}` must be a list of bindings"),
            )
        })?;
        for row in rows {
            for line in read_row(written, place, row)? {
                refuse_twice(written, &row.span(), &read, &line)?;
                read.push(line);
            }
        }
    }
    Ok(read)
}

fn read_row(
    written: &Written<'_>,
    place: Option<Place>,
    row: &Spanned<DeValue<'_>>,
) -> Result<Vec<Line>, Fault> {
    let at = row.span();
    let table = row.get_ref().as_table().ok_or_else(|| {
        written.fault(
            &at,
            "a binding is a table: { on = \"j\", run = \"move.down\" }",
        )
    })?;
    written.only(table, "key of a binding", &["on", "run", "desc"])?;
    let desc = table
        .get("desc")
        .map(|d| written.text_of("desc", d))
        .transpose()?;
    let action = read_action(written, place, field(written, table, &at, "run")?)?;
    let fault = written.fault(&at, "");
    let lines = read_chords(written, field(written, table, &at, "on")?)?
        .into_iter()
        .map(|chord| Line {
            place,
            chord,
            action,
            desc: desc.map(Into::into),
            file: fault.file.clone(),
            row: fault.line,
        });
    Ok(lines.collect())
}

fn field<'t, 'a>(
    written: &Written<'a>,
    table: &'t DeTable<'a>,
    at: &Span,
    key: &str,
) -> Result<&'t Spanned<DeValue<'a>>, Fault> {
    table
        .get(key)
        .ok_or_else(|| written.fault(at, format!("the binding has no `{key}`")))
}

/// The action of a binding; `none` takes the key away.
fn read_action(
    written: &Written<'_>,
    place: Option<Place>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Option<Action>, Fault> {
    let id = written.text_of("run", value)?;
    if id == "none" {
        return Ok(None);
    }
    let action = Action::by_id(id)
        .ok_or_else(|| written.fault(&value.span(), unknown("action", id, &action_ids())))?;
    if let Some(place) = place.filter(|p| !action.info().places.has(*p)) {
        let works: Vec<&str> = action.info().places.list().map(Place::id).collect();
        let what = format!(
            "`{id}` does nothing on the {} screen; it works on {}",
            place.id(),
            works.join(", ")
        );
        return Err(written.fault(&value.span(), what));
    }
    Ok(Some(action))
}

/// `on` is one chord or a list of chords that mean the same.
fn read_chords(
    written: &Written<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Result<Vec<Vec<Key>>, Fault> {
    let chord = |value: &Spanned<DeValue<'_>>| {
        let text = written.text_of("on", value)?;
        parse_chord(text)
            .map_err(|word| written.fault(&value.span(), unknown("key", &word, KEY_NAMES)))
    };
    match value.get_ref().as_array() {
        Some(list) => list.iter().map(chord).collect(),
        None => Ok(vec![chord(value)?]),
    }
}

fn refuse_twice(written: &Written<'_>, at: &Span, read: &[Line], new: &Line) -> Result<(), Fault> {
    let same = |old: &&Line| old.place == new.place && old.chord == new.chord;
    match read.iter().find(same) {
        Some(old) => {
            let keys = show_chord(&new.chord);
            Err(written.fault(at, format!("`{keys}` is bound on line {} already", old.row)))
        }
        None => Ok(()),
    }
}

impl Layers {
    /// Puts a file's bindings over the inherited ones: the same keys in the same layer are replaced or taken away.
    fn overlay(&mut self, read: Vec<Line>) {
        for new in &read {
            self.lines
                .retain(|old| old.place != new.place || old.chord != new.chord);
        }
        self.lines
            .extend(read.into_iter().filter(|l| l.action.is_some()));
    }

    /// What works on one screen: its own layer, then the global one where its keys are still free.
    ///
    /// # Errors
    /// Two bindings of which one is the beginning of the other: the shorter would never wait for the rest.
    pub(super) fn effective(&self, place: Place) -> Result<Vec<Binding>, Fault> {
        let own = self.lines.iter().filter(|l| l.place == Some(place));
        let mut chosen: Vec<&Line> = own.collect();
        for line in self.lines.iter().filter(|l| l.place.is_none()) {
            let taken = chosen.iter().any(|c| c.chord == line.chord);
            if !taken && line.works_on(place) {
                chosen.push(line);
            }
        }
        for (i, a) in chosen.iter().enumerate() {
            for b in chosen.iter().skip(i + 1) {
                refuse_prefix(a, b, place)?;
            }
        }
        Ok(chosen.into_iter().filter_map(Line::binding).collect())
    }
}

impl Line {
    fn works_on(&self, place: Place) -> bool {
        self.action.is_some_and(|a| a.info().places.has(place))
    }

    fn binding(&self) -> Option<Binding> {
        Some(Binding {
            chord: self.chord.clone(),
            action: self.action?,
            desc: self.desc.clone(),
        })
    }
}

fn refuse_prefix(a: &Line, b: &Line, place: Place) -> Result<(), Fault> {
    let (short, long) = if a.chord.len() < b.chord.len() {
        (a, b)
    } else {
        (b, a)
    };
    if !long.chord.starts_with(&short.chord) {
        return Ok(());
    }
    Err(Fault {
        file: long.file.clone(),
        line: long.row,
        what: format!(
            "`{}` can never be typed on the {} screen, because `{}` (line {} of {}) already acts on its beginning",
            show_chord(&long.chord),
            place.id(),
            show_chord(&short.chord),
            short.row,
            short.file,
        ),
    })
}

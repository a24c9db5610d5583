//! Keys to actions, from the files in keymaps/.
//!
//! A keymap has one layer for all screens (`global`) and one for each screen. A key of the screen's layer goes before the same key of the global one.

mod file;
pub mod key;

use std::path::PathBuf;

use include_dir::{Dir, include_dir};

use crate::app::{Action, Place};
use crate::config::shelf::{Shelf, ShelfError};
use crate::domain::Safe;

pub use key::Key;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/keymaps");

/// One line of a keymap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The keys, pressed one after the other.
    pub chord: Vec<Key>,
    /// What they ask for.
    pub action: Action,
    /// The file's own words for it, when it has any.
    pub desc: Option<Safe>,
}

/// What the keys pressed so far mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// An action.
    Action(Action),
    /// The beginning of at least one chord.
    Pending,
    /// Nothing.
    Nothing,
}

/// A checked keymap: for every screen the keys that work there.
#[derive(Clone, Debug)]
pub struct Keymap {
    name: Safe,
    screens: Vec<(Place, Vec<Binding>)>,
}

impl Keymap {
    /// Loads a keymap by name, from the person's `keymaps/` folder or from the built-in ones.
    ///
    /// # Errors
    /// An unknown name, key, action or layer, or two bindings that exclude each other: file, line and the nearest right name.
    pub fn load(name: &str, folder: Option<PathBuf>) -> Result<Self, ShelfError> {
        let shelf = shelf(folder);
        let layers = file::load(&shelf, name)?;
        let screens = Place::ALL
            .into_iter()
            .map(|place| Ok((place, layers.effective(place)?)))
            .collect::<Result<_, ShelfError>>()?;
        Ok(Self {
            name: name.into(),
            screens,
        })
    }

    /// The names that can be loaded.
    pub fn names(folder: Option<PathBuf>) -> Vec<String> {
        shelf(folder).names()
    }

    /// Its name.
    pub fn name(&self) -> &Safe {
        &self.name
    }

    /// What the keys pressed so far mean on a screen.
    pub fn look(&self, place: Place, pressed: &[Key]) -> Lookup {
        let mut pending = false;
        for binding in self.bindings(place) {
            if binding.chord == pressed {
                return Lookup::Action(binding.action);
            }
            pending |= binding.chord.starts_with(pressed);
        }
        if pending {
            Lookup::Pending
        } else {
            Lookup::Nothing
        }
    }

    /// The bindings that work on a screen, the screen's own before the global ones, each in the order of the file.
    pub fn bindings(&self, place: Place) -> &[Binding] {
        self.screens
            .iter()
            .find(|(p, _)| *p == place)
            .map_or(&[], |(_, bindings)| bindings)
    }

    /// The first keys that ask for an action on a screen, as text: `g g`, `ctrl-d`.
    pub fn keys_of(&self, place: Place, action: Action) -> Option<String> {
        self.bindings(place)
            .iter()
            .find(|b| b.action == action)
            .map(|b| key::show_chord(&b.chord))
    }
}

fn shelf(folder: Option<PathBuf>) -> Shelf {
    Shelf {
        kind: "keymap",
        built_in: &BUILT_IN,
        folder,
    }
}

#[cfg(test)]
mod tests;

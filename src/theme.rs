//! Meanings to styles, from the files in themes/.
//!
//! The screens ask for a scope (`drift.edited`), never for a colour. A scope that a theme leaves out takes the style of the next shorter one
//! (`drift`), then of `text`.

pub mod bands;
pub mod color;
pub mod depth;
mod file;
pub mod glyphs;
pub mod scope;

use std::collections::HashMap;
use std::path::PathBuf;

use include_dir::{Dir, include_dir};
use ratatui::style::Style;

use crate::config::shelf::{Shelf, ShelfError};
use crate::domain::Safe;

pub use bands::Bands;
pub use depth::Depth;
pub use glyphs::Glyphs;
pub use scope::SCOPES;

static BUILT_IN: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/themes");

/// What a theme is loaded for.
#[derive(Clone, Debug)]
pub struct Looks {
    /// How many colours the terminal has.
    pub depth: Depth,
    /// Whether only ASCII may be written.
    pub ascii: bool,
    /// The person's `themes/` folder.
    pub folder: Option<PathBuf>,
}

/// A checked theme, reduced to what the terminal can show.
#[derive(Clone, Debug)]
pub struct Theme {
    name: Safe,
    styles: HashMap<&'static str, Style>,
    bands: Bands,
    /// The signs of states.
    pub glyphs: &'static Glyphs,
    /// How many colours it was reduced to.
    pub depth: Depth,
}

impl Theme {
    /// Loads a theme by name, from the person's `themes/` folder or from the built-in ones.
    ///
    /// # Errors
    /// An unknown name, scope or colour: file, line and the nearest right name.
    pub fn load(name: &str, looks: &Looks) -> Result<Self, ShelfError> {
        let specs = file::load(&shelf(looks.folder.clone()), name)?;
        let styles = SCOPES
            .iter()
            .map(|row| {
                (
                    row.name,
                    depth::reduce(specs.style(row.name), row, looks.depth),
                )
            })
            .collect();
        Ok(Self {
            name: name.into(),
            styles,
            bands: Bands::default(),
            glyphs: Glyphs::set(looks.ascii),
            depth: looks.depth,
        })
    }

    /// The theme with colours of groups.
    #[must_use]
    pub fn banded(self, bands: Bands) -> Self {
        Self { bands, ..self }
    }

    /// The colours of groups.
    pub fn bands(&self) -> &Bands {
        &self.bands
    }

    /// How the name of a group is written, if somebody gave it a colour and the terminal has any.
    pub fn band(&self, group: &str) -> Option<Style> {
        self.bands.style(group, self.depth)
    }

    /// The names that can be loaded.
    pub fn names(folder: Option<PathBuf>) -> Vec<String> {
        shelf(folder).names()
    }

    /// Its name.
    pub fn name(&self) -> &Safe {
        &self.name
    }

    /// The style of a scope. A scope that is not in the table reads as plain text, and fails the tests.
    pub fn get(&self, scope: &str) -> Style {
        debug_assert!(self.styles.contains_key(scope), "{scope} is no scope");
        self.styles.get(scope).copied().unwrap_or_default()
    }
}

fn shelf(folder: Option<PathBuf>) -> Shelf {
    Shelf {
        kind: "theme",
        built_in: &BUILT_IN,
        folder,
    }
}

/// A built-in theme for tests of what is drawn.
#[cfg(test)]
pub(crate) fn theme_for_tests(name: &str, depth: Depth, ascii: bool) -> Theme {
    let looks = Looks {
        depth,
        ascii,
        folder: None,
    };
    Theme::load(name, &looks).unwrap()
}

#[cfg(test)]
mod tests;

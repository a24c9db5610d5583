//! Where named files are found: the person's folder first, then what is built in.

use std::path::{Path, PathBuf};

use include_dir::Dir;

use super::fault::{Fault, nearest};
use crate::domain::safe::escape;

/// Why a named file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ShelfError {
    /// There is no file of this name.
    #[error("{0}")]
    Unknown(String),
    /// It cannot be read.
    #[error(
        "The {kind} file {path} cannot be read ({source}); correct it or choose another {kind}."
    )]
    Unreadable {
        /// `theme` or `keymap`.
        kind: &'static str,
        /// The file.
        path: String,
        /// The reason.
        #[source]
        source: std::io::Error,
    },
    /// Something in it is wrong.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// One kind of named file.
#[derive(Clone, Debug)]
pub struct Shelf {
    /// `theme` or `keymap`.
    pub kind: &'static str,
    /// The files in the binary.
    pub built_in: &'static Dir<'static>,
    /// The person's folder, when there is one.
    pub folder: Option<PathBuf>,
}

impl Shelf {
    /// Reads a file by name: its name for complaints, and its text.
    ///
    /// # Errors
    /// An unknown name, with the nearest known one; a file that cannot be read.
    pub fn read(&self, name: &str) -> Result<(String, String), ShelfError> {
        let plain = !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
        let file = format!("{name}.toml");
        if let Some(path) = self
            .folder
            .as_ref()
            .filter(|_| plain)
            .map(|f| f.join(&file))
            && path.is_file()
        {
            return self.read_file(&path);
        }
        match self
            .built_in
            .get_file(&file)
            .and_then(|f| f.contents_utf8())
        {
            Some(text) => Ok((format!("{}s/{file}", self.kind), text.to_owned())),
            None => Err(self.unknown(name)),
        }
    }

    /// The names there are, sorted, each once.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self
            .built_in
            .files()
            .filter_map(|f| stem(f.path()))
            .collect();
        if let Some(Ok(entries)) = self.folder.as_ref().map(std::fs::read_dir) {
            names.extend(entries.flatten().filter_map(|e| stem(&e.path())));
        }
        names.sort();
        names.dedup();
        names
    }

    fn read_file(&self, path: &Path) -> Result<(String, String), ShelfError> {
        let shown = escape(&path.display().to_string()).into_owned();
        let text = std::fs::read_to_string(path).map_err(|source| ShelfError::Unreadable {
            kind: self.kind,
            path: shown.clone(),
            source,
        })?;
        Ok((shown, text))
    }

    fn unknown(&self, name: &str) -> ShelfError {
        let names = self.names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("the nearest is `{near}`"),
            None => format!("there are {}", known.join(", ")),
        };
        ShelfError::Unknown(format!("Unknown {} `{}`; {hint}.", self.kind, escape(name)))
    }
}

fn stem(path: &Path) -> Option<String> {
    if path.extension()? != "toml" {
        return None;
    }
    Some(path.file_stem()?.to_str()?.to_owned())
}

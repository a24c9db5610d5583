//! Where files live: configuration, state and cache, by the XDG rules; folders are made 0700.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use etcetera::{BaseStrategy as _, choose_base_strategy};

/// The folders of this person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    /// config.toml, themes/, keymaps/.
    pub config: PathBuf,
    /// journal/, undo/.
    pub state: PathBuf,
    /// Git mirrors.
    pub cache: PathBuf,
}

impl Folders {
    /// The folders by the environment.
    ///
    /// # Errors
    /// A sentence, when there is no home folder.
    pub fn of_environment() -> Result<Self, String> {
        let base = choose_base_strategy()
            .map_err(|e| format!("The home folder is not known ({e}); set HOME."))?;
        let state = base.state_dir().unwrap_or_else(|| base.data_dir());
        Ok(Self {
            config: base.config_dir().join("driftdeck"),
            state: state.join("driftdeck"),
            cache: base.cache_dir().join("driftdeck"),
        })
    }

    /// config.toml.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }
}

/// Makes a folder and its missing parents, readable by this person only; an existing last folder is narrowed.
///
/// # Errors
/// It cannot be made, or something that is no folder stands there.
pub fn make_private(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let mode = fs::metadata(folder)?.permissions().mode();
    if mode & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_folder_is_made_with_its_parents_and_narrowed() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("state/driftdeck/journal");
        make_private(&folder).unwrap();
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        make_private(&folder).unwrap();
        assert_eq!(
            fs::metadata(&folder).unwrap().permissions().mode() & 0o777,
            0o700
        );
    }

    #[test]
    fn a_file_in_the_way_is_an_error() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("x"), "").unwrap();
        assert!(make_private(&base.path().join("x/y")).is_err());
    }
}

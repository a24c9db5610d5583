//! The file of what the console remembers: read once, written whole and at once.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::app::kept::Kept;
use crate::config::folders::make_private;
use crate::domain::Safe;

fn file(state: &Path) -> PathBuf {
    state.join("console.json")
}

/// What was remembered; nothing when there is no such file or it does not read.
pub fn read(state: &Path) -> Kept {
    let text = std::fs::read(file(state)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

/// Writes the file; an older one stays whole until the new one is. Blocking.
///
/// # Errors
/// A sentence that names the file.
pub fn write(state: &Path, kept: &Kept) -> Result<(), Safe> {
    let path = file(state);
    let result = replace(state, &path, kept);
    result.map_err(|e| {
        Safe::from(format!(
            "{} cannot be written: {e}. What was acknowledged or saved lasts until the end of this sitting only.",
            path.display()
        ))
    })
}

fn replace(state: &Path, path: &Path, kept: &Kept) -> std::io::Result<()> {
    make_private(state)?;
    let text = serde_json::to_vec_pretty(kept)?;
    let mut next = tempfile::NamedTempFile::new_in(state)?;
    next.write_all(&text)?;
    next.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_garbage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut kept = Kept::default();
        kept.remember("drift>0");
        write(folder.path(), &kept).unwrap();
        assert_eq!(read(folder.path()), kept);
        std::fs::write(file(folder.path()), "{ half").unwrap();
        assert_eq!(read(folder.path()), Kept::default());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let taken = folder.path().join("state");
        std::fs::write(&taken, "").unwrap();
        let why = write(&taken, &Kept::default()).unwrap_err();
        assert!(why.as_str().contains("cannot be written"), "{why}");
    }
}

//! Files that only their owner may read: folders 0700, files 0600, no symlink followed, whatever the umask.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;

/// Makes a folder of our own, with its parents, or tightens the one that is there.
///
/// # Errors
/// When it cannot be made, is no folder, is a symlink, or belongs to somebody else.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let found = fs::symlink_metadata(path)?;
    if !found.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::NotADirectory,
            "it is not a folder",
        ));
    }
    check_owner(found.uid())?;
    if found.mode() & 0o077 != 0 {
        fs::set_permissions(path, Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Opens a file for reading and appending, made when it is not there.
///
/// # Errors
/// When it cannot be opened, is a symlink or no regular file, or belongs to somebody else.
pub(super) fn append(path: &Path) -> io::Result<File> {
    checked(options().append(true).create(true).open(path)?)
}

/// Opens a file for reading and writing in place, made when it is not there.
///
/// # Errors
/// As [`append`].
pub(super) fn in_place(path: &Path) -> io::Result<File> {
    checked(options().write(true).create(true).open(path)?)
}

/// Makes a file that was not there.
///
/// # Errors
/// As [`append`], and when something has that name already.
pub(super) fn fresh(path: &Path) -> io::Result<File> {
    checked(options().write(true).create_new(true).open(path)?)
}

/// Opens a file for reading only.
///
/// # Errors
/// As [`append`], and when it is not there.
pub(super) fn read(path: &Path) -> io::Result<File> {
    checked(options().open(path)?)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = i32::try_from((OFlags::NOFOLLOW | OFlags::CLOEXEC).bits()).unwrap_or_default();
    options.read(true).mode(0o600).custom_flags(flags);
    options
}

fn checked(file: File) -> io::Result<File> {
    let found = file.metadata()?;
    if !found.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it is not a regular file",
        ));
    }
    check_owner(found.uid())?;
    if found.mode() & 0o777 != 0o600 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    Ok(file)
}

fn check_owner(uid: u32) -> io::Result<()> {
    if uid == rustix::process::geteuid().as_raw() {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to somebody else",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn folders_and_files_are_for_their_owner_only_even_if_they_were_not() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("state/journal");
        folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);
        fs::set_permissions(&inner, Permissions::from_mode(0o755)).unwrap();
        folder(&inner).unwrap();
        assert_eq!(mode(&inner), 0o700);

        let file = inner.join("2026-11.jsonl");
        append(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        append(&file).unwrap();
        assert_eq!(mode(&file), 0o600);
    }

    #[test]
    fn a_symlink_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let elsewhere = dir.path().join("elsewhere");
        fs::write(&elsewhere, "").unwrap();
        let link = dir.path().join("2026-11.jsonl");
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        assert!(append(&link).is_err());
        assert!(read(&link).is_err());
    }

    #[test]
    fn a_folder_that_is_a_file_and_a_device_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("journal");
        fs::write(&file, "").unwrap();
        assert!(folder(&file).is_err());
        assert!(append(Path::new("/dev/full")).is_err());
    }

    #[test]
    fn a_fresh_file_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.json");
        fresh(&path).unwrap();
        assert_eq!(
            fresh(&path).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
    }
}

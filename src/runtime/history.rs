//! The history file: read at the start of a sitting, written when something changed, never in the way.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::folders::make_private;
use crate::fleet::Fleet;
use crate::fleet::history::{self, History};

/// The largest file that is read; a bounded history stays far below.
const LARGEST: u64 = 64 << 20;

/// The history of this operator and the file that keeps it.
#[derive(Debug)]
pub struct Archive {
    file: PathBuf,
    /// What is known.
    pub history: History,
    /// What went wrong with the file, in sentences for the person.
    pub complaints: Vec<String>,
}

impl Archive {
    /// Reads the file in the state folder. One that cannot be understood is put aside under another name, and the history begins anew.
    pub fn open(state: &Path, now: Timestamp) -> Self {
        let mut archive = Self {
            file: state.join("history"),
            history: History::new(),
            complaints: Vec::new(),
        };
        match read(&archive.file) {
            Ok(None) => {}
            Ok(Some(text)) => match history::read(&text) {
                Ok(known) => archive.history = known,
                Err(why) => archive.put_aside(&why, now),
            },
            Err(error) => archive.put_aside(&error.to_string(), now),
        }
        archive
    }

    /// Takes the fleet as it stands and keeps what is new.
    pub fn observe(&mut self, fleet: &Fleet, now: Timestamp) {
        if self.history.observe(fleet, now) {
            self.keep();
        }
    }

    /// Writes the file: a whole new one in place of the old.
    pub fn keep(&mut self) {
        if let Err(error) = write(&self.file, &self.history.written()) {
            let sentence = format!(
                "The history {} cannot be written ({error}); when drift was first seen is not remembered. Correct the folder's permissions.",
                self.file.display()
            );
            if !self.complaints.contains(&sentence) {
                self.complaints.push(sentence);
            }
        }
    }

    fn put_aside(&mut self, why: &str, now: Timestamp) {
        let aside = self
            .file
            .with_file_name(format!("history.broken-{}", now.as_second()));
        let outcome = match fs::rename(&self.file, &aside) {
            Ok(()) => format!(
                "it was renamed to {} and a new one is begun.",
                aside.display()
            ),
            Err(error) => format!("it could not be renamed either ({error}); a new one is begun."),
        };
        self.complaints.push(format!(
            "The history {} cannot be understood ({why}); {outcome}",
            self.file.display()
        ));
    }
}

fn read(file: &Path) -> io::Result<Option<String>> {
    match fs::symlink_metadata(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
        Ok(found) if !found.is_file() || found.len() > LARGEST => {
            return Err(io::Error::other("it is no file, or far too large"));
        }
        Ok(_) => {}
    }
    fs::read_to_string(file).map(Some)
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().unwrap_or(Path::new("."));
    make_private(folder)?;
    // Made 0600, and nobody ever sees half of it.
    let mut fresh = tempfile::NamedTempFile::new_in(folder)?;
    fresh.write_all(text.as_bytes())?;
    fresh.persist(file).map_err(|e| e.error)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::domain::Fingerprint;
    use crate::fleet::testkit::{at, deployment, one_edge, scaled};

    fn drifting() -> Fleet {
        one_edge(scaled("web", deployment("web"), 5, "kubectl-scale"))
    }

    #[test]
    fn what_was_seen_survives_a_restart_in_a_private_file() {
        let state = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(state.path(), at(1));
        archive.observe(&drifting(), at(100));
        assert!(archive.complaints.is_empty(), "{:?}", archive.complaints);
        let mode = fs::metadata(state.path().join("history"))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Archive::open(state.path(), at(200));
        let group = again.history.group(Fingerprint(5)).unwrap();
        assert_eq!((group.seen, group.first_seen), (1, at(-2460)));
    }

    #[test]
    fn a_broken_file_is_put_aside_and_said() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join("history"), "{\"version\":1,\"gro").unwrap();
        let mut archive = Archive::open(state.path(), at(7));
        assert!(
            archive.complaints[0].contains("history.broken-"),
            "{:?}",
            archive.complaints
        );
        archive.observe(&drifting(), at(100));
        let aside = format!("history.broken-{}", at(7).as_second());
        assert!(state.path().join(aside).exists());
        assert!(Archive::open(state.path(), at(200)).complaints.is_empty());
    }
}

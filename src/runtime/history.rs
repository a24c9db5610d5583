//! The history file: read when another sitting wrote it, written when something changed, never in the way.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::config::folders::make_private;
use crate::fleet::Fleet;
use crate::fleet::history::{self, History};

/// The largest file that is read; a bounded history stays far below.
const LARGEST: u64 = 64 << 20;

/// The history of this operator and the file that keeps it, which all of the operator's sittings share.
#[derive(Debug)]
pub struct Archive {
    file: PathBuf,
    /// The file as `history` was read from it or written to it.
    stamp: Option<Stamp>,
    /// What is known.
    pub history: History,
    /// What went wrong with the file, in sentences for the person.
    pub complaints: Vec<String>,
}

/// Which file it is: each writing makes a new one.
type Stamp = (u64, u64, i64, i64);

impl Archive {
    /// Reads the file in the state folder. One that cannot be understood is put aside under another name, and the history begins anew.
    pub fn open(state: &Path, now: Timestamp) -> Self {
        let mut archive = Self {
            file: state.join("history"),
            stamp: None,
            history: History::new(),
            complaints: Vec::new(),
        };
        archive.read_again(now);
        archive
    }

    /// Takes the fleet as it stands and keeps what is new. What other sittings wrote meanwhile is read first, so that nothing is counted
    /// twice and nothing of theirs is lost. While another one writes, nothing is taken: the screen never waits for a file, and there is a
    /// next time.
    pub fn observe(&mut self, fleet: &Fleet, now: Timestamp) {
        let turn = turn(&self.file);
        if matches!(&turn, Err(error) if error.kind() == io::ErrorKind::WouldBlock) {
            return;
        }
        if stamp(&self.file) != self.stamp {
            self.read_again(now);
        }
        if self.history.observe(fleet, now) {
            let written = turn.and_then(|_turn| write(&self.file, &self.history.written()));
            self.written(written);
        }
    }

    /// Takes over what the file says; while there is none, what is known stays.
    fn read_again(&mut self, now: Timestamp) {
        let stamp = stamp(&self.file);
        match read(&self.file) {
            Ok(None) => {}
            Ok(Some(text)) => match history::read(&text) {
                Ok(known) => self.history = known,
                Err(why) => self.put_aside(&why, now),
            },
            Err(error) => self.put_aside(&error.to_string(), now),
        }
        self.stamp = stamp;
    }

    fn written(&mut self, outcome: io::Result<()>) {
        self.stamp = stamp(&self.file);
        let Err(error) = outcome else {
            return;
        };
        let sentence = format!(
            "The history {} cannot be written ({error}); when drift was first seen is not remembered. Correct the folder's permissions.",
            self.file.display()
        );
        if !self.complaints.contains(&sentence) {
            self.complaints.push(sentence);
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

fn stamp(file: &Path) -> Option<Stamp> {
    let found = fs::symlink_metadata(file).ok()?;
    Some((found.ino(), found.len(), found.mtime(), found.mtime_nsec()))
}

/// Holds other sittings off between reading and writing; an error of the kind `WouldBlock` while one of them does so.
fn turn(file: &Path) -> io::Result<File> {
    make_private(file.parent().unwrap_or(Path::new(".")))?;
    let lock = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file.with_extension("lock"))?;
    lock.try_lock()?;
    Ok(lock)
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
    use crate::fleet::testkit::{at, deployment, in_sync, one_edge, scaled};

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
    fn two_sittings_side_by_side_count_what_both_see_once_and_keep_what_one_sees() {
        let state = tempfile::tempdir().unwrap();
        let mut first = Archive::open(state.path(), at(1));
        let mut second = Archive::open(state.path(), at(1));
        first.observe(&drifting(), at(100));
        second.observe(&drifting(), at(110));
        second.observe(&one_edge(in_sync("web", deployment("web"))), at(120));
        first.observe(&Fleet::default(), at(130));
        for archive in [first, second, Archive::open(state.path(), at(200))] {
            let group = archive.history.group(Fingerprint(5)).unwrap();
            assert_eq!((group.seen, group.healed), (1, 1));
        }
    }

    #[test]
    fn while_another_sitting_writes_nothing_is_taken_and_nothing_waits() {
        let state = tempfile::tempdir().unwrap();
        let mut archive = Archive::open(state.path(), at(1));
        let turn = turn(&archive.file).unwrap();
        archive.observe(&drifting(), at(100));
        assert!(archive.history.group(Fingerprint(5)).is_none());
        drop(turn);
        archive.observe(&drifting(), at(130));
        assert!(archive.history.group(Fingerprint(5)).is_some());
        assert!(archive.complaints.is_empty(), "{:?}", archive.complaints);
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

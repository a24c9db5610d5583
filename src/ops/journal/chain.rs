//! Writing the chain: find the newest line, append to it under the lock, bring it to disk, move the head.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use super::{JournalError, LOCK_WAIT, Line, Record};
use crate::ops::content::hex;
use crate::ops::private;

/// What stands before the first line.
pub(super) const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Where and how the journal is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The journal was changed or damaged: {file}, line {line}: {what}.")]
pub struct Tampered {
    /// The file's name.
    pub file: String,
    /// The line in it, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: String,
}

/// The end of the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tip {
    pub(super) seq: u64,
    pub(super) hash: String,
    /// Whether the last bytes are no whole line.
    pub(super) cut: bool,
}

pub(super) fn line_hash(line: &[u8]) -> String {
    hex(&Sha256::digest(line))
}

/// The journal's files in order.
pub(super) fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "jsonl") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The key of the hashes over Secrets, made on first use.
pub(super) fn key(path: &Path, random: impl FnOnce(&mut [u8])) -> io::Result<Vec<u8>> {
    let mut file = private::in_place(path)?;
    let mut key = Vec::new();
    file.read_to_end(&mut key)?;
    if key.is_empty() {
        key = vec![0; 32];
        random(&mut key);
        file.write_all(&key)?;
        file.sync_all()?;
    }
    Ok(key)
}

pub(super) fn append(
    folder: &Path,
    at: Timestamp,
    records: Vec<Record>,
) -> Result<u64, JournalError> {
    let _lock = lock(&folder.join("lock"))?;
    let path = folder.join(
        at.to_zoned(TimeZone::UTC)
            .strftime("%Y-%m.jsonl")
            .to_string(),
    );
    let failed = |source| JournalError::Io {
        path: path.clone(),
        source,
    };
    let tip = tip(folder)?;
    let mut file = private::append(newest(folder, &path, tip.cut).map_err(failed)?.as_path())
        .map_err(failed)?;
    let (text, first, end) = lines(&tip, at, records).map_err(failed)?;
    write_whole(&mut file, &text).map_err(failed)?;
    let _ = File::open(folder).and_then(|f| f.sync_all());
    move_head(&folder.join("head"), &end);
    Ok(first)
}

/// The file to write to: that of the month; or the newest one, when its last line is cut or it is of a later month because the clock went back.
fn newest(folder: &Path, month: &Path, cut: bool) -> io::Result<PathBuf> {
    let last = files(folder)?.pop();
    Ok(last
        .filter(|last| cut || last.as_path() > month)
        .unwrap_or_else(|| month.to_owned()))
}

fn lock(path: &Path) -> Result<File, JournalError> {
    let failed = |source| JournalError::Io {
        path: path.to_owned(),
        source,
    };
    let file = private::in_place(path).map_err(failed)?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if started.elapsed() < LOCK_WAIT => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(TryLockError::WouldBlock) => {
                return Err(JournalError::Locked {
                    path: path.to_owned(),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
    }
}

/// The text of the lines, the number of the first, and the tip after them.
fn lines(tip: &Tip, at: Timestamp, records: Vec<Record>) -> io::Result<(Vec<u8>, u64, Tip)> {
    let mut end = tip.clone();
    let mut text = Vec::new();
    if tip.cut {
        text.push(b'\n');
        push(&mut text, &mut end, at, Record::Cut)?;
    }
    let first = end.seq + 1;
    for record in records {
        push(&mut text, &mut end, at, record)?;
    }
    Ok((text, first, end))
}

fn push(text: &mut Vec<u8>, end: &mut Tip, at: Timestamp, record: Record) -> io::Result<()> {
    let line = Line {
        seq: end.seq + 1,
        prev: end.hash.clone(),
        at,
        record,
    };
    let bytes = serde_json::to_vec(&line)?;
    *end = Tip {
        seq: line.seq,
        hash: line_hash(&bytes),
        cut: false,
    };
    text.extend_from_slice(&bytes);
    text.push(b'\n');
    Ok(())
}

/// Writes and brings to disk, or takes back what was written.
pub(super) fn write_whole(file: &mut File, text: &[u8]) -> io::Result<()> {
    let before = file.metadata()?.len();
    let written = file.write_all(text).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = file.set_len(before);
    }
    written
}

/// Remembers the newest line, so that lines cut off at the end are missed. Its loss in a crash only makes it older.
fn move_head(path: &Path, end: &Tip) {
    let write = || -> io::Result<()> {
        let mut file = private::in_place(path)?;
        file.write_all(format!("{:020} {}\n", end.seq, end.hash).as_bytes())
    };
    if let Err(error) = write() {
        tracing::warn!(%error, "the journal's head could not be moved");
    }
}

/// The end of the chain as it is on disk.
pub(super) fn tip(folder: &Path) -> Result<Tip, JournalError> {
    let failed = |source| JournalError::Io {
        path: folder.to_owned(),
        source,
    };
    let mut tip = Tip {
        seq: 0,
        hash: GENESIS.to_owned(),
        cut: false,
    };
    for path in files(folder).map_err(failed)?.iter().rev() {
        let text = tail(path).map_err(|source| JournalError::Io {
            path: path.clone(),
            source,
        })?;
        if let Some(found) = last(path, &text)? {
            tip.cut |= found.cut;
            if found.cut && found.seq == 0 {
                // Only a cut line in this file: the number comes from the file before.
                tip.hash = found.hash;
                continue;
            }
            let hash = if tip.cut && !found.cut {
                tip.hash
            } else {
                found.hash
            };
            return Ok(Tip {
                seq: found.seq,
                hash,
                cut: tip.cut,
            });
        }
    }
    Ok(tip)
}

/// The last line of a file and, when bytes without a line end follow it, their hash. `None` for an empty file.
fn last(path: &Path, text: &[u8]) -> Result<Option<Tip>, Tampered> {
    let (whole, rest) = match text.iter().rposition(|b| *b == b'\n') {
        Some(end) => text.split_at(end + 1),
        None => (&[][..], text),
    };
    let cut = !rest.is_empty();
    let Some(line) = whole.split(|b| *b == b'\n').rfind(|l| !l.is_empty()) else {
        return Ok(cut.then(|| Tip {
            seq: 0,
            hash: line_hash(rest),
            cut,
        }));
    };
    let damaged = |_| Tampered {
        file: path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
        line: 0,
        what: "the newest line does not read".to_owned(),
    };
    let parsed: Line = serde_json::from_slice(line).map_err(damaged)?;
    let hash = line_hash(if cut { rest } else { line });
    Ok(Some(Tip {
        seq: parsed.seq,
        hash,
        cut,
    }))
}

/// The end of a file, long enough to hold its last two lines.
fn tail(path: &Path) -> io::Result<Vec<u8>> {
    const LONGEST: u64 = 256 * 1024;
    let mut file = private::read(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub(LONGEST);
    file.seek(SeekFrom::Start(from))?;
    let mut text = Vec::new();
    file.read_to_end(&mut text)?;
    if from > 0
        && let Some(end) = text.iter().position(|b| *b == b'\n')
    {
        text.drain(..=end);
    }
    Ok(text)
}

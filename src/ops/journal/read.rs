//! Reading the journal back: its lines, the intents without an outcome, and whether it is what was written.

use std::collections::HashMap;
use std::io::{self, Read as _};
use std::path::Path;

use super::chain::{GENESIS, files, line_hash};
use super::{Line, ReadError, Record, Tampered, folder};
use crate::ops::private;

/// The journal as it was read.
#[derive(Debug, Default)]
pub struct Read {
    /// The lines that read, oldest first.
    pub lines: Vec<Line>,
    /// The first place where it is not what was written.
    pub tampered: Option<Tampered>,
}

/// Reads the whole journal of a state folder and checks its chain on the way. A journal that was never written is empty.
///
/// # Errors
/// When a file is there and cannot be read.
pub fn read(state: &Path) -> Result<Read, ReadError> {
    let folder = folder(state);
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| ReadError::Io { path, source }
    };
    let paths = match files(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Read::default()),
        paths => paths.map_err(failed(&folder))?,
    };
    // The head first: lines that another driftdeck appends in the meantime are newer than it, which is no accusation.
    let head = whole(&folder.join("head")).ok();
    let mut walk = Walk::default();
    for path in paths {
        let text = whole(&path).map_err(failed(&path))?;
        walk.file(&path, &text);
    }
    walk.finish(head.as_deref());
    Ok(walk.read)
}

/// Checks the journal of a state folder; gives the number of its lines.
///
/// # Errors
/// [`ReadError::Tampered`] names the first line that is not what was written.
pub fn verify(state: &Path) -> Result<usize, ReadError> {
    let read = read(state)?;
    match read.tampered {
        Some(tampered) => Err(tampered.into()),
        None => Ok(read.lines.len()),
    }
}

/// Intents without an outcome: the program ended in between, and whether the write was carried out is unknown. Look at the object.
pub fn unfinished(lines: &[Line]) -> Vec<&Line> {
    let mut open: HashMap<u64, &Line> = HashMap::new();
    for line in lines {
        match &line.record {
            Record::Intent(_) => {
                open.insert(line.seq, line);
            }
            Record::Outcome(ended) => {
                if let Some(intent) = ended.intent {
                    open.remove(&intent);
                }
            }
            Record::Cut => {}
        }
    }
    let mut open: Vec<&Line> = open.into_values().collect();
    open.sort_by_key(|line| line.seq);
    open
}

fn whole(path: &Path) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    private::read(path)?.read_to_end(&mut text)?;
    Ok(text)
}

/// One walk along the chain.
struct Walk {
    read: Read,
    prev: String,
    seq: u64,
    /// Hash of every line by its number, for the head.
    hashes: Vec<String>,
    /// Place of a line that does not read; only a `cut` line right after it excuses it.
    unread: Option<(String, usize)>,
    place: (String, usize),
}

impl Default for Walk {
    fn default() -> Self {
        Self {
            read: Read::default(),
            prev: GENESIS.to_owned(),
            seq: 0,
            hashes: Vec::new(),
            unread: None,
            place: (String::new(), 0),
        }
    }
}

impl Walk {
    fn file(&mut self, path: &Path, text: &[u8]) {
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        for (index, line) in text.split_inclusive(|b| *b == b'\n').enumerate() {
            self.place = (name.clone(), index + 1);
            match line.strip_suffix(b"\n") {
                Some(whole) => self.line(whole),
                None => self.unread(line_hash(line)),
            }
        }
    }

    fn line(&mut self, bytes: &[u8]) {
        let hash = line_hash(bytes);
        match serde_json::from_slice::<Line>(bytes) {
            Ok(line) => self.parsed(line, hash),
            Err(_) => self.unread(hash),
        }
    }

    fn unread(&mut self, hash: String) {
        match &self.unread {
            Some(place) => self.accuse_at(&place.clone(), "it does not read"),
            None => self.unread = Some(self.place.clone()),
        }
        self.prev = hash;
    }

    fn parsed(&mut self, line: Line, hash: String) {
        let excuses = matches!(line.record, Record::Cut);
        match self.unread.take() {
            Some(place) if !excuses => self.accuse_at(&place, "it does not read"),
            None if excuses => self.accuse("it tells of a cut line and there is none"),
            _ => {}
        }
        if line.prev != self.prev {
            self.accuse("it does not follow the line before it: one of them was changed, or lines are missing between them");
        } else if line.seq != self.seq + 1 {
            self.accuse("its number does not follow that of the line before it");
        }
        self.seq = line.seq;
        self.prev.clone_from(&hash);
        self.hashes.push(hash);
        self.read.lines.push(line);
    }

    /// Compares the end with the head. A line that was cut off by a crash a moment ago, at the very end, is no accusation.
    fn finish(&mut self, head: Option<&[u8]>) {
        if self.read.lines.is_empty() && head.is_none() {
            return;
        }
        let head = head
            .and_then(|h| std::str::from_utf8(h).ok())
            .and_then(|h| h.trim_end().split_once(' '));
        let known =
            head.and_then(|(seq, hash)| Some((seq.parse::<usize>().ok()?.checked_sub(1)?, hash)));
        match known {
            None => self.accuse("the file `head` is missing or does not read"),
            Some((index, hash)) if self.hashes.get(index).is_none_or(|h| h != hash) => {
                self.accuse("lines are missing after it: the file `head` knows a newer one");
            }
            Some(_) => {}
        }
    }

    fn accuse(&mut self, what: &str) {
        self.accuse_at(&self.place.clone(), what);
    }

    fn accuse_at(&mut self, (file, line): &(String, usize), what: &str) {
        if self.read.tampered.is_none() {
            self.read.tampered = Some(Tampered {
                file: file.clone(),
                line: *line,
                what: what.to_owned(),
            });
        }
    }
}

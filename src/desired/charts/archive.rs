//! An archive into a tree of a bare repository: nothing of it is ever written under a name of its own, so that no path in it can lead anywhere.
//!
//! What a tree cannot hold in safety (links, devices, paths out of the archive) refuses the whole archive.

use std::collections::HashSet;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use git2::{Index, IndexEntry, IndexTime, Oid, Repository};
use tar::{Archive, Entry, EntryType};

use crate::desired::copy::CopyLimits;
use crate::desired::tree::is_proper;

/// The mode of a plain file in a tree.
const FILE: u32 = 0o100_644;

/// What the first names of an archive's paths are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// The chart's name, which is cut off: Helm reads charts so, whatever the name is.
    Chart,
    /// Part of the content.
    Folder,
}

/// Why an archive is not used; each is the end of a sentence.
#[derive(Debug, thiserror::Error)]
pub(super) enum ArchiveError {
    /// It does not read as one.
    #[error("it is no archive that can be read ({0})")]
    Broken(#[from] std::io::Error),
    /// It holds something that is neither file nor folder.
    #[error("it holds a link or a device, `{0}`")]
    NotPlain(String),
    /// A path leads out of it, or no file can be named so.
    #[error("it holds the path `{0}`, which is refused")]
    Path(String),
    /// A limit was passed.
    #[error("it has more than {limit} {what}")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        limit: usize,
    },
    /// There is no chart in it.
    #[error("it holds no Chart.yaml")]
    NoChart,
    /// The repository cannot be written.
    #[error("it cannot be kept ({})", .0.message())]
    Git2(#[from] git2::Error),
}

/// Reads a tar archive, packed with gzip or not, into a tree. Blocking.
///
/// # Errors
/// [`ArchiveError`]: all of it is refused when a part is.
pub(super) fn into_tree(
    repo: &Repository,
    bytes: &[u8],
    layout: Layout,
    limits: &CopyLimits,
) -> Result<Oid, ArchiveError> {
    let mut unpacking = Unpacking {
        repo,
        layout,
        limits,
        index: Index::new()?,
        folders: HashSet::new(),
        bytes: 0,
    };
    // Whatever is skipped is unpacked all the same: padding and long names count too.
    let budget = (limits.bytes as u64).saturating_mul(2);
    if bytes.starts_with(&[0x1f, 0x8b]) {
        unpacking.all(MultiGzDecoder::new(bytes).take(budget))?;
    } else {
        unpacking.all(bytes.take(budget))?;
    }
    if layout == Layout::Chart && unpacking.index.get_path("Chart.yaml".as_ref(), 0).is_none() {
        return Err(ArchiveError::NoChart);
    }
    Ok(unpacking.index.write_tree_to(repo)?)
}

struct Unpacking<'a> {
    repo: &'a Repository,
    layout: Layout,
    limits: &'a CopyLimits,
    index: Index,
    folders: HashSet<String>,
    bytes: usize,
}

impl Unpacking<'_> {
    fn all(&mut self, reader: impl Read) -> Result<(), ArchiveError> {
        for entry in Archive::new(reader).entries()? {
            self.entry(entry?)?;
        }
        Ok(())
    }

    fn entry(&mut self, mut entry: Entry<'_, impl Read>) -> Result<(), ArchiveError> {
        let written = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory => return self.path(&written).map(|_| ()),
            EntryType::XGlobalHeader => return Ok(()),
            _ => return Err(ArchiveError::NotPlain(shown(&written))),
        }
        let Some(path) = self.path(&written)? else {
            return Ok(());
        };
        let content = self.content(&mut entry)?;
        self.add(&path, &content)
    }

    /// The path in the tree; `None` for what is cut off as a whole.
    fn path(&mut self, written: &str) -> Result<Option<String>, ArchiveError> {
        let refused = || ArchiveError::Path(shown(written));
        if written.starts_with('/') || written.contains('\\') || written.contains('\u{fffd}') {
            return Err(refused());
        }
        let names: Vec<&str> = written
            .split('/')
            .filter(|name| !name.is_empty() && *name != ".")
            .collect();
        if !names.iter().all(|name| is_proper(name)) {
            return Err(refused());
        }
        let cut = usize::from(self.layout == Layout::Chart);
        let kept = names.get(cut..).unwrap_or_default();
        self.count(kept)?;
        Ok((!kept.is_empty()).then(|| kept.join("/")))
    }

    /// Counts the entry, and the folders above it that were not seen yet.
    fn count(&mut self, names: &[&str]) -> Result<(), ArchiveError> {
        if names.len() > self.limits.depth {
            return Err(too_much("folders inside each other", self.limits.depth));
        }
        let folder = names.split_last().map(|(_, above)| above.join("/"));
        self.folders.extend(folder);
        if self.index.len() + self.folders.len() > self.limits.entries {
            return Err(too_much("files and folders", self.limits.entries));
        }
        Ok(())
    }

    fn content(&mut self, entry: &mut impl Read) -> Result<Vec<u8>, ArchiveError> {
        let budget = self.limits.bytes.saturating_sub(self.bytes);
        let mut content = Vec::new();
        entry.take(budget as u64 + 1).read_to_end(&mut content)?;
        if content.len() > budget {
            return Err(too_much("bytes", self.limits.bytes));
        }
        self.bytes += content.len();
        Ok(content)
    }

    fn add(&mut self, path: &str, content: &[u8]) -> Result<(), ArchiveError> {
        let zero = IndexTime::new(0, 0);
        self.index.add(&IndexEntry {
            ctime: zero,
            mtime: zero,
            dev: 0,
            ino: 0,
            mode: FILE,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: self.repo.blob(content)?,
            flags: 0,
            flags_extended: 0,
            path: path.as_bytes().to_vec(),
        })?;
        Ok(())
    }
}

fn too_much(what: &'static str, limit: usize) -> ArchiveError {
    ArchiveError::TooMuch { what, limit }
}

fn shown(path: &str) -> String {
    path.chars().take(120).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::charts::testing::{packed, tarred};
    use crate::desired::links::{self, Target};
    use crate::desired::testing::Origin;

    fn unpacked(bytes: &[u8], layout: Layout, limits: &CopyLimits) -> Result<Vec<String>, String> {
        let origin = Origin::new();
        let tree = into_tree(&origin.repo, bytes, layout, limits).map_err(|e| e.to_string())?;
        let mut paths = Vec::new();
        let tree = origin.repo.find_tree(tree).unwrap();
        tree.walk(git2::TreeWalkMode::PreOrder, |above, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                paths.push(format!("{above}{}", entry.name().unwrap()));
            }
            git2::TreeWalkResult::Ok
        })
        .unwrap();
        Ok(paths)
    }

    #[test]
    fn a_chart_loses_its_first_folder_and_keeps_its_content() {
        let bytes = packed(&[
            ("redis/Chart.yaml", "name: redis\n"),
            ("redis/templates/a.yaml", "kind: A\n"),
            ("redis/.helmignore", "*.md\n"),
        ]);
        let paths = unpacked(&bytes, Layout::Chart, &CopyLimits::default()).unwrap();
        assert_eq!(paths, [".helmignore", "Chart.yaml", "templates/a.yaml"]);
        let origin = Origin::new();
        let root = into_tree(&origin.repo, &bytes, Layout::Chart, &CopyLimits::default()).unwrap();
        let Target::File(blob, _) = links::resolve(&origin.repo, root, "Chart.yaml").unwrap()
        else {
            panic!("Chart.yaml is a file");
        };
        assert_eq!(
            origin.repo.find_blob(blob).unwrap().content(),
            b"name: redis\n"
        );
    }

    #[test]
    fn a_folder_keeps_all_of_its_paths_and_need_not_be_packed() {
        let bytes = tarred(&[("./edge/a.yaml", "a: 1\n"), ("b.yaml", "b: 1\n")]);
        let paths = unpacked(&bytes, Layout::Folder, &CopyLimits::default()).unwrap();
        assert_eq!(paths, ["b.yaml", "edge/a.yaml"]);
    }

    #[test]
    fn equal_content_is_one_tree_however_it_was_packed() {
        let origin = Origin::new();
        let files = [("web/Chart.yaml", "name: web\n"), ("web/a.yaml", "a: 1\n")];
        let turned = [
            ("other/a.yaml", "a: 1\n"),
            ("other/Chart.yaml", "name: web\n"),
        ];
        let tree =
            |bytes: Vec<u8>| into_tree(&origin.repo, &bytes, Layout::Chart, &CopyLimits::default());
        assert_eq!(
            tree(packed(&files)).unwrap(),
            tree(tarred(&turned)).unwrap()
        );
    }

    /// A tar archive with one entry of this kind, made by hand: the crate's own writer refuses bad paths.
    fn entry(kind: EntryType, path: &str, link: &str) -> Vec<u8> {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        header.set_cksum();
        let mut bytes = header.as_bytes().to_vec();
        bytes.extend([0; 1024]);
        bytes
    }

    #[test]
    fn links_devices_and_paths_out_of_the_archive_refuse_all_of_it() {
        for (kind, path) in [
            (EntryType::Symlink, "web/passwd"),
            (EntryType::Link, "web/passwd"),
            (EntryType::Char, "web/null"),
            (EntryType::Fifo, "web/pipe"),
            (EntryType::Regular, "/etc/passwd"),
            (EntryType::Regular, "web/../../etc/passwd"),
            (EntryType::Regular, "web/.git/config"),
            (EntryType::Directory, "../web"),
            (EntryType::Regular, "web\\..\\x"),
        ] {
            for layout in [Layout::Chart, Layout::Folder] {
                let why = unpacked(
                    &entry(kind, path, "/etc/passwd"),
                    layout,
                    &CopyLimits::default(),
                );
                let why = why.unwrap_err();
                assert!(why.contains(path), "{kind:?} {path}: {why}");
            }
        }
    }

    #[test]
    fn an_archive_without_a_chart_and_what_is_no_archive_are_refused() {
        let limits = CopyLimits::default();
        let why = unpacked(&packed(&[("web/values.yaml", "")]), Layout::Chart, &limits);
        assert!(why.unwrap_err().contains("Chart.yaml"));
        for bytes in [&b"<html>not found</html>"[..], &[0x1f, 0x8b, 9, 9]] {
            assert!(unpacked(bytes, Layout::Folder, &limits).is_err());
        }
    }

    #[test]
    fn a_bomb_is_stopped_at_each_limit() {
        let big = "0".repeat(4 << 20);
        let bomb = packed(&[("web/Chart.yaml", ""), ("web/a", &big), ("web/b", &big)]);
        assert!(bomb.len() < 100_000);
        let many: Vec<(String, &str)> = (0..300).map(|n| (format!("web/{n}/a"), "")).collect();
        let many: Vec<(&str, &str)> = many.iter().map(|(p, t)| (p.as_str(), *t)).collect();
        let deep = format!("web/{}a", "x/".repeat(40));
        let limits = CopyLimits {
            bytes: 5 << 20,
            entries: 500,
            depth: 32,
        };
        for (bytes, word) in [
            (bomb, "bytes"),
            (packed(&many), "files and folders"),
            (packed(&[(&deep, "")]), "inside each other"),
        ] {
            let why = unpacked(&bytes, Layout::Chart, &limits).unwrap_err();
            assert!(why.contains(word), "{why}");
        }
    }

    #[test]
    fn a_stream_of_headers_without_end_is_stopped() {
        let limits = CopyLimits {
            bytes: 64 << 10,
            ..CopyLimits::default()
        };
        let mut bytes = Vec::new();
        for _ in 0..1000 {
            let folder = entry(EntryType::Directory, "web/", "");
            bytes.extend_from_slice(&folder[..512]);
        }
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut gzip, &bytes).unwrap();
        let packed = gzip.finish().unwrap();
        assert!(unpacked(&packed, Layout::Chart, &limits).is_err());
    }
}

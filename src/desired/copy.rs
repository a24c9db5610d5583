//! Parts of a commit's tree written to a folder for a rendering program: plain files only, links replaced by what they lead to, within limits.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository, TreeEntry};

use crate::domain::{Unjudged, UnjudgedReason};

use super::links::{self, LINK, Target};
use super::tree::{broken, is_proper, join, name_of, too_much};
use super::unjudged;

/// What a copy may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CopyLimits {
    /// Bytes of all files together.
    pub bytes: usize,
    /// Files and folders.
    pub entries: usize,
    /// Folders inside each other.
    pub depth: usize,
}

impl Default for CopyLimits {
    /// 64 MiB, 20,000 files and folders, 32 deep.
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            entries: 20_000,
            depth: 32,
        }
    }
}

/// A copy in the making.
pub(super) struct Copy<'a> {
    repo: &'a Repository,
    root: Oid,
    into: PathBuf,
    /// What is cut from the beginning of paths.
    cut: String,
    limits: CopyLimits,
    bytes: usize,
    entries: usize,
    /// Files that are not copied; with it, links are not either.
    leaves_out: Option<&'a dyn Fn(&str) -> bool>,
}

impl<'a> Copy<'a> {
    /// A copy of parts of the tree `root` to the folder `into`, which exists.
    pub(super) fn new(repo: &'a Repository, root: Oid, into: &Path, limits: CopyLimits) -> Self {
        Self {
            repo,
            root,
            into: into.to_owned(),
            cut: String::new(),
            limits,
            bytes: 0,
            entries: 0,
            leaves_out: None,
        }
    }

    /// The same without some files, and without links: what an artifact of Flux holds.
    pub(super) fn leaving_out(mut self, leaves_out: &'a dyn Fn(&str) -> bool) -> Self {
        self.leaves_out = Some(leaves_out);
        self
    }

    /// Copies a folder with everything below it to the same path of the copy; links are followed inside the repository only.
    ///
    /// # Errors
    /// A limit, a link that leaves the repository, or a name that no honest git writes.
    pub(super) fn folder(&mut self, path: &str, tree: Oid) -> Result<(), Unjudged> {
        self.below(path, tree, 0)
    }

    /// Copies a folder to the root of the copy; where it stands decides what its links mean.
    ///
    /// # Errors
    /// As [`Copy::folder`].
    pub(super) fn folder_to(&mut self, path: &str, tree: Oid) -> Result<(), Unjudged> {
        path.clone_into(&mut self.cut);
        self.below(path, tree, 0)
    }

    /// Where a path of the repository goes.
    fn place(&self, path: &str) -> PathBuf {
        let rest = path.strip_prefix(&self.cut).unwrap_or(path);
        self.into.join(rest.trim_start_matches('/'))
    }

    fn below(&mut self, path: &str, tree: Oid, depth: usize) -> Result<(), Unjudged> {
        if depth > self.limits.depth {
            return Err(too_much("folders inside each other", self.limits.depth));
        }
        make_folder(&self.place(path)).map_err(|e| unwritable(&e))?;
        let tree = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
        self.entries += tree.len();
        if self.entries > self.limits.entries {
            return Err(too_much("files and folders", self.limits.entries));
        }
        tree.iter()
            .try_for_each(|entry| self.entry(&entry, path, depth))
    }

    fn entry(&mut self, entry: &TreeEntry<'_>, within: &str, depth: usize) -> Result<(), Unjudged> {
        let name = name_of(entry);
        let path = join(within, &name);
        if !is_proper(&name) {
            return Err(improper(&path));
        }
        match entry.kind() {
            Some(ObjectType::Tree) => self.below(&path, entry.id(), depth + 1),
            Some(ObjectType::Blob) if self.is_left_out(entry, &path) => Ok(()),
            Some(ObjectType::Blob) if entry.filemode() == LINK => {
                match links::resolve(self.repo, self.root, &path)? {
                    Target::File(blob, _) => self.file(&path, blob),
                    Target::Folder(tree, _) => self.below(&path, tree, depth + 1),
                    Target::Nothing => Ok(()),
                }
            }
            Some(ObjectType::Blob) => self.file(&path, entry.id()),
            // A submodule is an empty folder to whoever does not fetch it.
            _ => Ok(()),
        }
    }

    fn is_left_out(&self, entry: &TreeEntry<'_>, path: &str) -> bool {
        self.leaves_out
            .is_some_and(|leaves_out| entry.filemode() == LINK || leaves_out(path))
    }

    fn file(&mut self, path: &str, blob: Oid) -> Result<(), Unjudged> {
        let size = self
            .repo
            .odb()
            .and_then(|odb| odb.read_header(blob))
            .map_err(|e| broken(&e))?
            .0;
        self.bytes = self.bytes.saturating_add(size);
        if self.bytes > self.limits.bytes {
            return Err(too_much("bytes", self.limits.bytes));
        }
        let blob = self.repo.find_blob(blob).map_err(|e| broken(&e))?;
        write(&self.place(path), blob.content()).map_err(|e| unwritable(&e))
    }
}

/// A name in a tree that git itself refuses to check out.
pub(super) fn improper(path: &str) -> Unjudged {
    unjudged(
        UnjudgedReason::BadManifest,
        format!(
            "The repository holds an entry named `{path}`, which git itself refuses to check out; nothing of it is read."
        ),
    )
}

/// Makes a folder and those above it, for the owner only.
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Writes a file that does not exist yet, for the owner only.
pub(super) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)
}

pub(super) fn unwritable(error: &io::Error) -> Unjudged {
    unjudged(
        UnjudgedReason::RenderFailed,
        format!(
            "The copy for the rendering program could not be written ({error}); free space in the cache folder or name another with `cache` in config.toml."
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin, SUBMODULE, below};

    fn copied(origin: &Origin, root: Oid, limits: CopyLimits) -> Result<Vec<String>, String> {
        let into = tempfile::tempdir().unwrap();
        Copy::new(&origin.repo, root, into.path(), limits)
            .folder("", root)
            .map_err(|why| why.message.to_string())?;
        let mut names = below(into.path());
        names.sort();
        for name in &names {
            let meta = std::fs::symlink_metadata(into.path().join(name)).unwrap();
            assert!(!meta.is_symlink(), "{name}");
        }
        Ok(names)
    }

    #[test]
    fn links_become_what_they_lead_to_and_submodules_stay_out() {
        let origin = Origin::new();
        let file = origin.blob(b"a: 1\n");
        let root = origin.tree(&[
            ("base/a.yaml", FILE, file),
            ("oslo/base", LINK, origin.blob(b"../base")),
            ("oslo/a.yaml", LINK, origin.blob(b"../base/a.yaml")),
            ("oslo/gone", LINK, origin.blob(b"nowhere")),
            ("vendor", SUBMODULE, file),
        ]);
        assert_eq!(
            copied(&origin, root, CopyLimits::default()).unwrap(),
            [
                "base",
                "base/a.yaml",
                "oslo",
                "oslo/a.yaml",
                "oslo/base",
                "oslo/base/a.yaml"
            ]
        );
    }

    #[test]
    fn folders_that_hold_themselves_and_large_trees_end_at_a_limit() {
        let origin = Origin::new();
        let file = origin.blob(&[b'x'; 2000]);
        let ring = origin.tree(&[
            ("a/me", LINK, origin.blob(b".")),
            ("a/too", LINK, origin.blob(b".")),
            ("a/x", FILE, file),
        ]);
        assert!(copied(&origin, ring, CopyLimits::default()).is_err());
        let small = CopyLimits {
            bytes: 1000,
            ..CopyLimits::default()
        };
        let why = copied(&origin, origin.tree(&[("x", FILE, file)]), small).unwrap_err();
        assert!(why.contains("1000 bytes"), "{why}");
    }

    #[test]
    fn a_link_out_of_the_repository_and_a_git_folder_are_refused() {
        let origin = Origin::new();
        let out = origin.tree(&[("passwd", LINK, origin.blob(b"/etc/passwd"))]);
        let why = copied(&origin, out, CopyLimits::default()).unwrap_err();
        assert!(why.contains("leaves the repository"), "{why}");
        let hooks = origin.raw_tree(vec![(".GIT".to_owned(), FILE, origin.blob(b"x"))]);
        let why = copied(&origin, hooks, CopyLimits::default()).unwrap_err();
        assert!(why.contains(".GIT"), "{why}");
    }
}

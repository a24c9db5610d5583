//! The files of an application's path in one commit, read from the tree objects: no checkout, no submodules, no link out of the repository, within limits.

use git2::{ObjectType, Oid, Repository, Tree, TreeEntry};

use crate::domain::{Source, Unjudged, UnjudgedReason};

use super::copy::improper;
use super::glob::PathGlob;
use super::links::{self, LINK, Target};
use super::unjudged;

/// What one path of one commit may cost to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RenderLimits {
    /// Bytes of all manifests together; Argo CD's own default is 10 MB.
    pub bytes: usize,
    /// Manifest files.
    pub files: usize,
    /// Entries looked at, whatever they are.
    pub entries: usize,
    /// Folders below the path.
    pub depth: usize,
    /// Objects.
    pub objects: usize,
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self {
            bytes: 10 << 20,
            files: 5_000,
            entries: 100_000,
            depth: 32,
            objects: 10_000,
        }
    }
}

/// One manifest file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ManifestFile {
    /// Its path in the repository.
    pub(super) path: String,
    /// Its content.
    pub(super) blob: Oid,
}

/// The path in its one spelling: no slash or dot at either end, empty for the root.
///
/// # Errors
/// `NotFound` for an absolute path and for one that leaves the repository: Argo CD refuses both.
pub(super) fn normal_path(path: &str) -> Result<String, Unjudged> {
    let refuse = |why| {
        let message = format!("The application's path `{path}` {why}; correct it in its source.");
        Err(unjudged(UnjudgedReason::NotFound, message))
    };
    if path.starts_with('/') {
        return refuse("is absolute");
    }
    let parts: Vec<&str> = path
        .split('/')
        .filter(|p| !p.is_empty() && *p != ".")
        .collect();
    if parts.contains(&"..") {
        return refuse("leaves the repository");
    }
    Ok(parts.join("/"))
}

/// The tree of a commit.
pub(super) fn root(repo: &Repository, commit: Oid) -> Result<Oid, Unjudged> {
    let commit = repo.find_commit(commit).map_err(|e| broken(&e))?;
    Ok(commit.tree_id())
}

/// Finds the application's folder in a commit's tree; links on the way are followed. Gives its tree.
///
/// # Errors
/// `NotFound` when it is not there or is no folder.
pub(super) fn folder(
    repo: &Repository,
    commit: Oid,
    root: Oid,
    path: &str,
) -> Result<Oid, Unjudged> {
    let missing = |what: &str| {
        Err(unjudged(
            UnjudgedReason::NotFound,
            format!(
                "The path `{path}` {what} at commit {commit:.10}; correct the application's source or push the folder."
            ),
        ))
    };
    match links::resolve(repo, root, path)? {
        Target::Folder(tree, _) => Ok(tree),
        Target::File(..) => missing("is not a folder"),
        Target::Nothing => missing("is not in the repository"),
    }
}

/// Lists the manifest files of a folder in the order in which Argo CD reads them: by name, folder by folder.
pub(super) fn manifest_files(
    repo: &Repository,
    root: Oid,
    folder: &Tree<'_>,
    base: &str,
    source: &Source,
    limits: &RenderLimits,
) -> Result<Vec<ManifestFile>, Unjudged> {
    let mut walk = Walk {
        repo,
        root,
        base,
        recurse: source.recurse,
        include: glob(&source.include, "include")?,
        exclude: glob(&source.exclude, "exclude")?,
        limits,
        entries: 0,
        found: Vec::new(),
    };
    walk.folder(folder, "", 0)?;
    Ok(walk.found)
}

fn glob(pattern: &str, which: &str) -> Result<Option<PathGlob>, Unjudged> {
    if pattern.is_empty() {
        return Ok(None);
    }
    PathGlob::new(pattern).map(Some).map_err(|why| {
        let message = format!(
            "`directory.{which}` of the application's source, `{pattern}`, is no glob: {why}."
        );
        unjudged(UnjudgedReason::BadManifest, message)
    })
}

struct Walk<'a> {
    repo: &'a Repository,
    root: Oid,
    base: &'a str,
    recurse: bool,
    include: Option<PathGlob>,
    exclude: Option<PathGlob>,
    limits: &'a RenderLimits,
    entries: usize,
    found: Vec<ManifestFile>,
}

impl Walk<'_> {
    fn folder(&mut self, tree: &Tree<'_>, within: &str, depth: usize) -> Result<(), Unjudged> {
        if depth > self.limits.depth {
            return Err(too_much("folders inside each other", self.limits.depth));
        }
        self.entries += tree.len();
        if self.entries > self.limits.entries {
            return Err(too_much("files and folders", self.limits.entries));
        }
        let mut entries: Vec<TreeEntry<'_>> = tree.iter().collect();
        entries.sort_by(|a, b| a.name_bytes().cmp(b.name_bytes()));
        entries
            .iter()
            .try_for_each(|entry| self.entry(entry, within, depth))
    }

    fn entry(&mut self, entry: &TreeEntry<'_>, within: &str, depth: usize) -> Result<(), Unjudged> {
        let name = name_of(entry);
        let path = join(within, &name);
        if !is_proper(&name) {
            return Err(improper(&path));
        }
        match entry.kind() {
            Some(ObjectType::Tree) if self.recurse => {
                let tree = self.repo.find_tree(entry.id()).map_err(|e| broken(&e))?;
                self.folder(&tree, &path, depth + 1)
            }
            Some(ObjectType::Blob) if self.is_meant(&name, &path) => self.file(entry, &path),
            _ => Ok(()),
        }
    }

    /// Whether name and globs make it a manifest; the globs see the path relative to the application's.
    fn is_meant(&self, name: &str, path: &str) -> bool {
        has_manifest_name(name)
            && self.exclude.as_ref().is_none_or(|g| !g.matches(path))
            && self.include.as_ref().is_none_or(|g| g.matches(path))
    }

    /// A link counts as the file it leads to, under its own name; one that leads to nothing or to a folder is passed over, as Argo CD does.
    fn file(&mut self, entry: &TreeEntry<'_>, relative: &str) -> Result<(), Unjudged> {
        let path = join(self.base, relative);
        let blob = if entry.filemode() == LINK {
            match links::resolve(self.repo, self.root, &path)? {
                Target::File(blob, _) => blob,
                Target::Folder(..) | Target::Nothing => return Ok(()),
            }
        } else {
            entry.id()
        };
        if self.found.len() >= self.limits.files {
            return Err(too_much("manifest files", self.limits.files));
        }
        self.found.push(ManifestFile { path, blob });
        Ok(())
    }
}

/// Reads one file, unless it would pass the budget; the size is known before the content is read.
///
/// # Errors
/// `BadManifest` when it is too large.
pub(super) fn read(
    repo: &Repository,
    file: &ManifestFile,
    budget: usize,
    limits: &RenderLimits,
) -> Result<Vec<u8>, Unjudged> {
    let size = repo
        .odb()
        .and_then(|odb| odb.read_header(file.blob))
        .map_err(|e| broken(&e))?
        .0;
    if size > budget {
        return Err(unjudged(
            UnjudgedReason::BadManifest,
            format!(
                "With `{}` the manifests are larger than {} MiB together; split the application or exclude files.",
                file.path,
                limits.bytes >> 20
            ),
        ));
    }
    let blob = repo.find_blob(file.blob).map_err(|e| broken(&e))?;
    Ok(blob.content().to_vec())
}

fn has_manifest_name(name: &str) -> bool {
    [".yaml", ".yml", ".json", ".jsonnet"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Names that no honest git writes into a tree.
pub(super) fn is_proper(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.eq_ignore_ascii_case(".git")
        && !name.contains(['/', '\0'])
}

pub(super) fn name_of(entry: &TreeEntry<'_>) -> String {
    String::from_utf8_lossy(entry.name_bytes()).into_owned()
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

pub(super) fn too_much(what: &str, limit: usize) -> Unjudged {
    unjudged(
        UnjudgedReason::BadManifest,
        format!(
            "The path holds more than {limit} {what}; narrow it with `directory.include` or a deeper path."
        ),
    )
}

/// The mirror cannot be read: damaged, or an object is missing.
pub(super) fn broken(error: &git2::Error) -> Unjudged {
    unjudged(
        UnjudgedReason::NoAccess,
        format!(
            "The local mirror could not be read ({}); it is fetched again at the next poll.",
            error.message()
        ),
    )
}

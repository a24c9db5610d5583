//! The demo's Git repository: real, bare, written at the start; read again by the Argo CD stand-in at any commit.

use std::path::{Path, PathBuf};

use git2::build::TreeUpdateBuilder;
use git2::{FileMode, ObjectType, Oid, Repository, RepositoryInitOptions, Signature, Time, Tree};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::Value;

use super::error::WorldError;
use super::history::{Files, PastCommit};

const BRANCH: &str = "refs/heads/main";

/// Who committed what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitFacts {
    /// Short name of the author.
    pub author: String,
    /// The message.
    pub message: String,
    /// When.
    pub at: Timestamp,
}

/// What one commit changes: text in one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextChange<'a> {
    /// The file.
    pub file: &'a str,
    /// Text that is in it.
    pub before: &'a str,
    /// Text that replaces it.
    pub after: &'a str,
}

/// The repository that desired state comes from.
pub struct FleetRepository {
    repository: Repository,
    path: PathBuf,
    /// Its URL, where that is not its path.
    name: Option<String>,
}

impl std::fmt::Debug for FleetRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FleetRepository")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl FleetRepository {
    /// Writes a repository with this past. Ages count back from midnight before `start`.
    ///
    /// # Errors
    /// When Git cannot write there.
    pub(crate) fn create(
        path: &Path,
        past: &[PastCommit],
        start: Timestamp,
    ) -> Result<Self, WorldError> {
        let mut options = RepositoryInitOptions::new();
        options
            .bare(true)
            .no_reinit(true)
            .external_template(false)
            .initial_head("main");
        let this = Self {
            repository: Repository::init_opts(path, &options)?,
            path: path.to_owned(),
            name: None,
        };
        for commit in past {
            let tree = this.write_tree(&commit.files)?;
            let facts = CommitFacts {
                author: commit.author.clone(),
                message: commit.message.clone(),
                at: midnight(start) - commit.age,
            };
            this.commit_tree(tree, &facts)?;
        }
        Ok(this)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it a URL that says nothing of where it is.
    pub(crate) fn call(&mut self, url: &str) {
        self.name = Some(url.to_owned());
    }

    /// As an Application names it.
    pub fn url(&self) -> String {
        let here = || format!("file://{}", self.path.display());
        self.name.clone().unwrap_or_else(here)
    }

    /// The commit a revision means now; empty reads as `HEAD`.
    ///
    /// # Errors
    /// When it means none.
    pub fn resolve(&self, revision: &str) -> Result<String, WorldError> {
        let revision = if revision.is_empty() {
            "HEAD"
        } else {
            revision
        };
        let object = self.repository.revparse_single(revision)?;
        Ok(object.peel_to_commit()?.id().to_string())
    }

    /// The commits of the branch, newest first: id and time.
    ///
    /// # Errors
    /// When the repository cannot be read.
    pub fn log(&self) -> Result<Vec<(String, Timestamp)>, WorldError> {
        let mut walk = self.repository.revwalk()?;
        walk.push_head()?;
        walk.map(|id| {
            let commit = self.repository.find_commit(id?)?;
            let at = Timestamp::from_second(commit.time().seconds()).unwrap_or_default();
            Ok((commit.id().to_string(), at))
        })
        .collect()
    }

    /// Commits a change of text on top of the branch; returns the new commit.
    ///
    /// # Errors
    /// When the file does not hold the text, or Git cannot write.
    pub fn commit(
        &self,
        change: &TextChange<'_>,
        facts: &CommitFacts,
    ) -> Result<String, WorldError> {
        let tree = self.repository.head()?.peel_to_tree()?;
        let blob = tree
            .get_path(Path::new(change.file))?
            .to_object(&self.repository)?
            .peel_to_blob()?;
        let text = String::from_utf8_lossy(blob.content()).into_owned();
        if !text.contains(change.before) {
            let message = format!("{} does not hold `{}`.", change.file, change.before);
            return Err(WorldError::History(message));
        }
        let text = text.replacen(change.before, change.after, 1);
        let blob = self.repository.blob(text.as_bytes())?;
        let tree = TreeUpdateBuilder::new()
            .upsert(change.file, blob, FileMode::Blob)
            .create_updated(&self.repository, &tree)?;
        Ok(self.commit_tree(tree, facts)?.to_string())
    }

    /// Every manifest below a folder at a commit, as written there: files in name order, documents in file order.
    ///
    /// # Errors
    /// When the folder is not there or a file does not parse.
    pub fn manifests(
        &self,
        commit: &str,
        folder: &str,
        recurse: bool,
    ) -> Result<Vec<Value>, WorldError> {
        let root = self.repository.revparse_single(commit)?.peel_to_tree()?;
        let tree = if matches!(folder, "" | ".") {
            root
        } else {
            let entry = root.get_path(Path::new(folder))?;
            entry.to_object(&self.repository)?.peel_to_tree()?
        };
        let mut manifests = Vec::new();
        self.collect(&tree, folder, recurse, &mut manifests)?;
        Ok(manifests)
    }

    fn collect(
        &self,
        tree: &Tree<'_>,
        folder: &str,
        recurse: bool,
        out: &mut Vec<Value>,
    ) -> Result<(), WorldError> {
        for entry in tree {
            let name = entry.name().unwrap_or_default();
            let path = format!("{folder}/{name}");
            match entry.kind() {
                Some(ObjectType::Tree) if recurse => {
                    let tree = self.repository.find_tree(entry.id())?;
                    self.collect(&tree, &path, recurse, out)?;
                }
                Some(ObjectType::Blob) if is_manifest(name) => {
                    let blob = self.repository.find_blob(entry.id())?;
                    documents(&String::from_utf8_lossy(blob.content()), &path, out)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_tree(&self, files: &Files) -> Result<Oid, WorldError> {
        let empty = self.repository.treebuilder(None)?.write()?;
        let empty = self.repository.find_tree(empty)?;
        let mut update = TreeUpdateBuilder::new();
        for (path, text) in files {
            update.upsert(
                path.as_str(),
                self.repository.blob(text.as_bytes())?,
                FileMode::Blob,
            );
        }
        Ok(update.create_updated(&self.repository, &empty)?)
    }

    fn commit_tree(&self, tree: Oid, facts: &CommitFacts) -> Result<Oid, WorldError> {
        let email = format!("{}@example.com", facts.author);
        let who = Signature::new(&facts.author, &email, &Time::new(facts.at.as_second(), 0))?;
        let tree = self.repository.find_tree(tree)?;
        let parent = self.repository.revparse_single(BRANCH).ok();
        let parent = parent.map(|o| o.peel_to_commit()).transpose()?;
        let parents: Vec<_> = parent.iter().collect();
        Ok(self
            .repository
            .commit(Some(BRANCH), &who, &who, &facts.message, &tree, &parents)?)
    }
}

/// The start of the day in UTC, so that commits of the same day have the same ids.
fn midnight(at: Timestamp) -> Timestamp {
    at - SignedDuration::from_secs(at.as_second().rem_euclid(86_400))
        - SignedDuration::from_nanos(at.subsec_nanosecond().into())
}

fn is_manifest(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|e| e.to_str());
    matches!(extension, Some("yaml" | "yml" | "json"))
}

fn documents(text: &str, path: &str, out: &mut Vec<Value>) -> Result<(), WorldError> {
    for document in serde_yaml::Deserializer::from_str(text) {
        let value = Value::deserialize(document)
            .map_err(|e| WorldError::History(format!("{path} does not parse: {e}.")))?;
        if !value.is_null() {
            out.push(value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;

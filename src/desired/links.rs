//! Symbolic links of a tree, followed as a checkout would, but never out of the repository. Nothing of it touches a file system.

use std::collections::VecDeque;

use git2::{ObjectType, Oid, Repository};

use crate::domain::{Unjudged, UnjudgedReason};

use super::tree::{broken, is_proper};
use super::unjudged;

/// Links that may lie on the way to one file; Linux allows as many.
const HOPS: usize = 40;

/// The mode of a symbolic link in a tree.
pub(super) const LINK: i32 = 0o120_000;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// To a file: its content, and its path without links.
    File(Oid, String),
    /// To a folder: its tree, and its path without links.
    Folder(Oid, String),
    /// To nothing, or to something that is neither.
    Nothing,
}

/// Follows a path from the root of a tree.
///
/// # Errors
/// `BadManifest` for a link that leaves the repository or leads in a circle.
pub(super) fn resolve(repo: &Repository, root: Oid, path: &str) -> Result<Target, Unjudged> {
    let mut walk = Walk {
        repo,
        asked: path,
        root,
        above: Vec::new(),
        ahead: path.split('/').map(str::to_owned).collect(),
        hops: 0,
    };
    walk.run()
}

struct Walk<'a> {
    repo: &'a Repository,
    asked: &'a str,
    root: Oid,
    /// The folders from the root to here: name and tree.
    above: Vec<(String, Oid)>,
    ahead: VecDeque<String>,
    hops: usize,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Target, Unjudged> {
        while let Some(name) = self.ahead.pop_front() {
            match name.as_str() {
                "" | "." => {}
                ".." => {
                    if self.above.pop().is_none() {
                        return Err(self.refuse("leaves the repository"));
                    }
                }
                name => {
                    if let Some(end) = self.step(name)? {
                        return Ok(end);
                    }
                }
            }
        }
        Ok(Target::Folder(self.here(), self.path(None)))
    }

    fn here(&self) -> Oid {
        self.above.last().map_or(self.root, |(_, tree)| *tree)
    }

    fn path(&self, last: Option<&str>) -> String {
        let names = self.above.iter().map(|(name, _)| name.as_str());
        names.chain(last).collect::<Vec<_>>().join("/")
    }

    /// One name further; an answer when the path ends here.
    fn step(&mut self, name: &str) -> Result<Option<Target>, Unjudged> {
        let folder = self.repo.find_tree(self.here()).map_err(|e| broken(&e))?;
        let Some(entry) = folder.get_name(name).filter(|_| is_proper(name)) else {
            return Ok(Some(Target::Nothing));
        };
        match entry.kind() {
            Some(ObjectType::Tree) => self.above.push((name.to_owned(), entry.id())),
            Some(ObjectType::Blob) if entry.filemode() == LINK => self.follow(entry.id())?,
            Some(ObjectType::Blob) if self.ahead.iter().all(|n| n.is_empty() || n == ".") => {
                return Ok(Some(Target::File(entry.id(), self.path(Some(name)))));
            }
            _ => return Ok(Some(Target::Nothing)),
        }
        Ok(None)
    }

    fn follow(&mut self, link: Oid) -> Result<(), Unjudged> {
        self.hops += 1;
        if self.hops > HOPS {
            return Err(self.refuse("leads in a circle"));
        }
        let blob = self.repo.find_blob(link).map_err(|e| broken(&e))?;
        let to = String::from_utf8_lossy(blob.content()).into_owned();
        if to.starts_with('/') || to.len() > 4096 {
            return Err(self.refuse("leaves the repository"));
        }
        for name in to.rsplit('/') {
            self.ahead.push_front(name.to_owned());
        }
        Ok(())
    }

    fn refuse(&self, why: &str) -> Unjudged {
        unjudged(
            UnjudgedReason::BadManifest,
            format!(
                "`{}` is or passes a symbolic link that {why}; such links are not followed. Put the file itself there.",
                self.asked
            ),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE, Origin};

    fn origin() -> (Origin, Oid, Oid) {
        let origin = Origin::new();
        let file = origin.blob(b"kind: ConfigMap\n");
        let link = |to: &str| origin.blob(to.as_bytes());
        let root = origin.tree(&[
            ("base/web.yaml", FILE, file),
            ("oslo/web.yaml", LINK, link("../base/web.yaml")),
            ("oslo/again.yaml", LINK, link("./web.yaml")),
            ("oslo/base", LINK, link("../base")),
            ("oslo/passwd", LINK, link("/etc/passwd")),
            ("oslo/out.yaml", LINK, link("../../secret.yaml")),
            ("oslo/gone.yaml", LINK, link("nowhere.yaml")),
            ("oslo/ring", LINK, link("ring")),
        ]);
        (origin, root, file)
    }

    #[test]
    fn links_inside_the_repository_are_followed_to_files_and_folders() {
        let (origin, root, file) = origin();
        let at = |path: &str| resolve(&origin.repo, root, path).unwrap();
        let web = Target::File(file, "base/web.yaml".to_owned());
        for path in [
            "base/web.yaml",
            "oslo/web.yaml",
            "oslo/again.yaml",
            "oslo/base/web.yaml",
            "oslo/base/../base/./web.yaml",
        ] {
            assert_eq!(at(path), web, "{path}");
        }
        assert!(matches!(at("oslo/base"), Target::Folder(_, path) if path == "base"));
        assert!(matches!(at(""), Target::Folder(id, path) if id == root && path.is_empty()));
        assert_eq!(at("oslo/gone.yaml"), Target::Nothing);
        assert_eq!(at("base/web.yaml/deeper"), Target::Nothing);
    }

    #[test]
    fn a_link_out_of_the_repository_or_in_a_circle_is_refused() {
        let (origin, root, _) = origin();
        for path in ["oslo/passwd", "oslo/out.yaml", "oslo/ring", "../oslo"] {
            let why = resolve(&origin.repo, root, path).unwrap_err();
            assert_eq!(why.reason, UnjudgedReason::BadManifest, "{path}");
            assert!(why.message.to_string().contains(path), "{:?}", why.message);
        }
    }
}

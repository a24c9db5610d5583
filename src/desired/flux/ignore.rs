//! What a Git artifact of Flux leaves out of the repository: its own list, `.sourceignore` files, and the source's `spec.ignore`.
//!
//! Source of the rules: fluxcd/pkg `sourceignore` and go-git's `gitignore`: of all patterns that mean a path the last one counts, one that
//! means a folder means everything below it, and a later one may take back what an earlier one left out.

use std::collections::BTreeSet;

use git2::{ObjectType, Oid, Repository};

use super::pattern::matches;
use crate::desired::key::KeyMaker;
use crate::desired::tree::{broken, join, name_of, too_much};
use crate::domain::Unjudged;

/// The file that lists patterns for its folder.
const FILE: &str = ".sourceignore";
/// Folders that are looked into for it.
const FOLDERS: usize = 20_000;

/// What Flux leaves out unless somebody takes it back.
const DEFAULTS: [&str; 25] = [
    ".git/",
    ".gitignore",
    ".gitmodules",
    ".gitattributes",
    "*.jpg",
    "*.jpeg",
    "*.gif",
    "*.png",
    "*.wmv",
    "*.flv",
    "*.tar.gz",
    "*.zip",
    ".github/",
    ".circleci/",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    "**/.goreleaser.yml",
    "**/.goreleaser.brew.yml",
    "**/.sops.yaml",
    "**/.flux.yaml",
];

/// The patterns that hold for one commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::desired) struct Ignores {
    patterns: Vec<Pattern>,
    /// The files that were read.
    files: Vec<Oid>,
    own: String,
}

impl Ignores {
    /// The patterns that decide about these folders of a tree; `own` are the source's.
    ///
    /// # Errors
    /// A damaged mirror, or too many folders.
    pub(in crate::desired) fn load<'p>(
        repo: &Repository,
        root: Oid,
        folders: impl Iterator<Item = &'p str>,
        own: &str,
    ) -> Result<Self, Unjudged> {
        let mut looking = Looking {
            repo,
            found: BTreeSet::new(),
            entered: 0,
        };
        for folder in folders {
            looking.way_to(root, folder)?;
        }
        let mut ignores = Self {
            patterns: patterns("", DEFAULTS.into_iter()),
            files: Vec::new(),
            own: own.to_owned(),
        };
        for (folder, file) in looking.found {
            let blob = repo.find_blob(file).map_err(|e| broken(&e))?;
            let text = String::from_utf8_lossy(blob.content()).into_owned();
            ignores.patterns.extend(patterns(&folder, text.lines()));
            ignores.files.push(file);
        }
        ignores.patterns.extend(patterns("", own.lines()));
        Ok(ignores)
    }

    /// Adds them to a key.
    pub(in crate::desired) fn add_to(&self, key: KeyMaker) -> KeyMaker {
        let files = self.files.iter();
        files.fold(key.text(&self.own), |key, file| key.id(*file))
    }

    /// Whether a file is left out of the artifact.
    pub(in crate::desired) fn leaves_out(&self, file: &str) -> bool {
        let path: Vec<&str> = file.split('/').collect();
        let last = self.patterns.iter().rev().find(|p| p.means(&path));
        last.is_some_and(|p| !p.takes_back)
    }
}

struct Looking<'r> {
    repo: &'r Repository,
    /// Folder and file; folders before those inside them.
    found: BTreeSet<(String, Oid)>,
    entered: usize,
}

impl Looking<'_> {
    /// Looks into the folders on the way to one, and everywhere below it.
    fn way_to(&mut self, root: Oid, folder: &str) -> Result<(), Unjudged> {
        let (mut tree, mut path) = (root, String::new());
        for name in folder.split('/').filter(|n| !n.is_empty()) {
            let here = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
            self.take(&here, &path);
            match here.get_name(name) {
                Some(entry) if entry.kind() == Some(ObjectType::Tree) => {
                    tree = entry.id();
                    path = join(&path, name);
                }
                _ => return Ok(()),
            }
        }
        self.below(tree, path)
    }

    fn below(&mut self, tree: Oid, path: String) -> Result<(), Unjudged> {
        let mut open = vec![(tree, path)];
        while let Some((tree, path)) = open.pop() {
            self.entered += 1;
            if self.entered > FOLDERS {
                return Err(too_much("folders", FOLDERS));
            }
            let here = self.repo.find_tree(tree).map_err(|e| broken(&e))?;
            self.take(&here, &path);
            let inner = here.iter().filter(|e| e.kind() == Some(ObjectType::Tree));
            open.extend(inner.map(|e| (e.id(), join(&path, &name_of(&e)))));
        }
        Ok(())
    }

    fn take(&mut self, tree: &git2::Tree<'_>, path: &str) {
        let file = tree.get_name(FILE);
        if let Some(file) = file.filter(|f| f.kind() == Some(ObjectType::Blob)) {
            self.found.insert((path.to_owned(), file.id()));
        }
    }
}

/// The patterns in a list; lines that begin with `#` and empty ones are none.
fn patterns<'t>(folder: &str, lines: impl Iterator<Item = &'t str>) -> Vec<Pattern> {
    lines
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
        .map(|line| Pattern::parse(folder, line))
        .collect()
}

/// One pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    /// The folder whose file it stands in.
    folder: Vec<String>,
    parts: Vec<String>,
    takes_back: bool,
    folders_only: bool,
    /// Whether it holds a slash, so that its place in the path counts.
    is_path: bool,
}

impl Pattern {
    fn parse(folder: &str, line: &str) -> Self {
        let own = line.strip_prefix('!');
        let mut text = own.unwrap_or(line);
        if !text.ends_with("\\ ") {
            text = text.trim_end_matches(' ');
        }
        let inner = text.strip_suffix('/');
        let text = inner.unwrap_or(text);
        let split = |text: &str| text.split('/').map(str::to_owned).collect();
        Self {
            folder: if folder.is_empty() {
                Vec::new()
            } else {
                split(folder)
            },
            parts: split(text),
            takes_back: own.is_some(),
            folders_only: inner.is_some(),
            is_path: text.contains('/'),
        }
    }

    /// Whether it means a file, or a folder that the file lies in.
    fn means(&self, path: &[&str]) -> bool {
        let Some((above, rest)) = path.split_at_checked(self.folder.len()) else {
            return false;
        };
        if rest.is_empty() || above.iter().zip(&self.folder).any(|(a, b)| a != b) {
            return false;
        }
        if self.is_path {
            self.means_place(rest)
        } else {
            self.means_name(rest)
        }
    }

    fn means_name(&self, path: &[&str]) -> bool {
        let Some(pattern) = self.parts.first() else {
            return false;
        };
        let named = path.iter().position(|name| matches(pattern, name));
        named.is_some_and(|at| !(self.folders_only && at + 1 == path.len()))
    }

    fn means_place(&self, mut path: &[&str]) -> bool {
        let (mut found, mut anywhere) = (false, false);
        for (number, part) in self.parts.iter().enumerate() {
            let is_last = number + 1 == self.parts.len();
            match part.as_str() {
                "" => anywhere = false,
                "**" if is_last => break,
                "**" => anywhere = true,
                part if part.contains("**") => return false,
                part => {
                    let skipped = if std::mem::take(&mut anywhere) {
                        path.iter().position(|name| matches(part, name))
                    } else {
                        path.first().filter(|name| matches(part, name)).map(|_| 0)
                    };
                    let Some(rest) = skipped.and_then(|at| path.get(at + 1..)) else {
                        return false;
                    };
                    // A file in the place of a folder is not meant.
                    found = is_last || !rest.is_empty();
                    path = rest;
                }
            }
        }
        found && !(self.folders_only && path.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desired::testing::{FILE as MODE, Origin};

    fn ignores(own: &str) -> Ignores {
        let mut ignores = Ignores {
            patterns: patterns("", DEFAULTS.into_iter()),
            ..Ignores::default()
        };
        ignores.patterns.extend(patterns("", own.lines()));
        ignores
    }

    #[test]
    fn pictures_archives_and_pipelines_are_left_out_by_default() {
        let ignores = ignores("");
        for out in [
            "docs/logo.png",
            "a/b/c.tar.gz",
            ".github/workflows/ci.yaml",
            "clusters/oslo/.sops.yaml",
            "apps/cloudbuild.yaml",
            ".gitignore",
        ] {
            assert!(ignores.leaves_out(out), "{out}");
        }
        for kept in ["apps/web.yaml", "apps/values.json", "github/ci.yaml"] {
            assert!(!ignores.leaves_out(kept), "{kept}");
        }
    }

    #[test]
    fn a_source_may_leave_out_all_and_take_a_folder_back() {
        let ignores = ignores("# all but one\n/*\n!/deploy\n!/deploy/**\n");
        assert!(ignores.leaves_out("apps/web.yaml"));
        assert!(ignores.leaves_out("web.yaml"));
        assert!(!ignores.leaves_out("deploy/oslo/web.yaml"));
    }

    #[test]
    fn names_places_and_folders_are_told_apart() {
        let ignores = ignores("test/\n/ci\napps/*/draft.yaml\n**/tmp\n!keep.png\nsecret?.yaml\n");
        for (path, out) in [
            ("test/a.yaml", true),
            ("apps/test/a.yaml", true),
            ("apps/test", false),
            ("ci/a.yaml", true),
            ("apps/ci/a.yaml", false),
            ("apps/web/draft.yaml", true),
            ("apps/web/more/draft.yaml", false),
            ("a/b/tmp/c.yaml", true),
            ("keep.png", false),
            ("secret1.yaml", true),
            ("secret12.yaml", false),
        ] {
            assert_eq!(ignores.leaves_out(path), out, "{path}");
        }
    }

    #[test]
    fn files_of_patterns_hold_for_their_folders_and_come_before_the_sources_own() {
        let origin = Origin::new();
        let text = |text: &str| origin.blob(text.as_bytes());
        let root = origin.tree(&[
            (".sourceignore", MODE, text("*.md\n")),
            ("apps/.sourceignore", MODE, text("/draft.yaml\n*.txt\n")),
            ("apps/web/a.yaml", MODE, text("a: 1\n")),
            ("other/.sourceignore", MODE, text("*\n")),
        ]);
        let load = |own| Ignores::load(&origin.repo, root, ["apps/web"].into_iter(), own).unwrap();
        let ignores = load("!/apps/notes.txt\n");
        assert!(ignores.leaves_out("apps/web/readme.md"));
        assert!(ignores.leaves_out("apps/draft.yaml"));
        assert!(!ignores.leaves_out("apps/web/draft.yaml"));
        assert!(ignores.leaves_out("apps/web/b.txt"));
        assert!(!ignores.leaves_out("apps/notes.txt"));
        // What lies elsewhere is not asked.
        assert!(!ignores.leaves_out("other/a.yaml"));
        assert_ne!(load("").own, ignores.own);
    }
}

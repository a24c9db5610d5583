//! Which files `valueFiles` means: paths as they are, and globs expanded in their place as Argo CD does it.
//!
//! The rules are those of Argo CD's documentation (docs/user-guide/helm.md, "Glob Patterns in Value Files"): a directory's own files come before
//! those below it, both in the order of their names; what is listed by itself is left to that place; no file comes twice by globs.

use std::cmp::Ordering;
use std::collections::HashSet;

use git2::{ObjectType, Oid, Repository};
use globset::{GlobBuilder, GlobMatcher};

use super::{Blob, Parts, Tree, missing, with};
use crate::desired::links::{self, LINK, Target};
use crate::desired::tree::{broken, join, name_of, too_much};
use crate::desired::unjudged;
use crate::domain::{Unjudged, UnjudgedReason};

/// Entries of a tree that a glob looks at.
const ENTRIES: usize = 50_000;
/// Folders inside each other that a glob looks into.
const DEPTH: usize = 32;
/// Files that all globs of a source may mean.
const FILES: usize = 1_000;

/// One file of a tree, whatever path led to it.
type Place = (Oid, String);

/// The value files of a source, in the order in which they are laid over each other.
///
/// # Errors
/// `NotFound` for a path that leads to nothing and for a glob that means nothing, unless such are ignored.
pub(super) fn files(
    parts: &Parts<'_>,
    written: &[String],
    ignore_missing: bool,
) -> Result<Vec<Blob>, Unjudged> {
    let mut listed = HashSet::new();
    for path in written.iter().filter(|w| !is_glob(w)) {
        if let Some((place, _)) = parts.find(path)? {
            listed.insert(place);
        }
    }
    let mut files = Vec::new();
    for path in written {
        if is_glob(&parts.vars.expand(path)) && !path.contains("://") {
            let found = expanded(parts, path)?;
            if found.is_empty() && !ignore_missing {
                return Err(missing(path));
            }
            let fresh = found
                .into_iter()
                .filter(|(place, _)| listed.insert(place.clone()));
            files.extend(fresh.map(|(_, blob)| blob));
        } else if let Some((_, blob)) = parts.find(path)? {
            files.push(blob);
        } else if !ignore_missing {
            return Err(missing(path));
        }
        if files.len() > FILES {
            return Err(too_much("value files", FILES));
        }
    }
    Ok(files)
}

/// Whether a path has a character that makes it a glob.
fn is_glob(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// The files that a glob means, in order.
fn expanded(parts: &Parts<'_>, written: &str) -> Result<Vec<(Place, Blob)>, Unjudged> {
    let (tree, path) = parts.place(written)?;
    let (base, pattern) = split(&path);
    let glob = GlobBuilder::new(pattern).literal_separator(true).build();
    let glob = glob.map_err(|_| {
        unjudged(
            UnjudgedReason::BadSource,
            format!("The value file `{written}` is no pattern that can be read; correct `helm.valueFiles`."),
        )
    })?;
    let deepest = if pattern.contains("**") {
        DEPTH
    } else {
        pattern.matches('/').count()
    };
    let found = with(tree.bare, |repo| {
        let Target::Folder(folder, real) = links::resolve(repo, tree.root, base)? else {
            return Ok(Vec::new());
        };
        let mut walk = Walk {
            repo,
            root: tree.root,
            base: real,
            glob: glob.compile_matcher(),
            deepest,
            seen: 0,
            found: Vec::new(),
        };
        walk.folder(folder, "", 0)?;
        Ok(walk.found)
    })?;
    let blobs = found.into_iter().map(|(path, blob)| {
        let place = (tree.root, path);
        (place, Blob::Git(tree.bare.clone(), blob))
    });
    Ok(blobs.collect())
}

/// The folder before the first part that is a glob, and the rest.
fn split(path: &str) -> (&str, &str) {
    let first = path.find(['*', '?', '[']).unwrap_or(path.len());
    match path.get(..first).and_then(|before| before.rfind('/')) {
        Some(slash) => (
            path.get(..slash).unwrap_or_default(),
            path.get(slash + 1..).unwrap_or_default(),
        ),
        None => ("", path),
    }
}

struct Walk<'a> {
    repo: &'a Repository,
    root: Oid,
    /// The folder that the glob begins in, from the root.
    base: String,
    glob: GlobMatcher,
    deepest: usize,
    seen: usize,
    found: Vec<(String, Oid)>,
}

impl Walk<'_> {
    /// A folder's own files, then those of the folders in it. A link counts when it leads to a file of the repository.
    fn folder(&mut self, folder: Oid, within: &str, depth: usize) -> Result<(), Unjudged> {
        let tree = self.repo.find_tree(folder).map_err(|e| broken(&e))?;
        self.seen += tree.len();
        if self.seen > ENTRIES {
            return Err(too_much(
                "files that a pattern of `helm.valueFiles` looks at",
                ENTRIES,
            ));
        }
        let mut entries: Vec<_> = tree.iter().map(|entry| entry.to_owned()).collect();
        entries.sort_by(|a, b| by_name(a.kind(), &name_of(a), b.kind(), &name_of(b)));
        for entry in entries {
            let path = join(within, &name_of(&entry));
            match entry.kind() {
                Some(ObjectType::Tree) if depth < self.deepest => {
                    self.folder(entry.id(), &path, depth + 1)?;
                }
                Some(ObjectType::Blob) if self.glob.is_match(&path) => {
                    self.file(&path, entry.id(), entry.filemode() == LINK)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, blob: Oid, is_link: bool) -> Result<(), Unjudged> {
        let path = join(&self.base, path);
        let found = if is_link {
            match links::resolve(self.repo, self.root, &path)? {
                Target::File(blob, _) => blob,
                _ => return Ok(()),
            }
        } else {
            blob
        };
        self.found.push((path, found));
        Ok(())
    }
}

/// Files before folders, each in the order of their names.
fn by_name(a: Option<ObjectType>, a_name: &str, b: Option<ObjectType>, b_name: &str) -> Ordering {
    let is_folder = |kind| kind == Some(ObjectType::Tree);
    is_folder(a)
        .cmp(&is_folder(b))
        .then_with(|| a_name.cmp(b_name))
}

impl Parts<'_> {
    /// The content that a path in the settings means: `$ref/path`, from the repository's root, or from the chart. `None` when it is not there.
    pub(super) fn find(&self, written: &str) -> Result<Option<(Place, Blob)>, Unjudged> {
        let (tree, path) = self.place(written)?;
        let target = with(tree.bare, |repo| links::resolve(repo, tree.root, &path))?;
        Ok(match target {
            Target::File(blob, real) => {
                Some(((tree.root, real), Blob::Git(tree.bare.clone(), blob)))
            }
            _ => None,
        })
    }

    /// The tree that a path is meant in, and the path from its root.
    fn place(&self, written: &str) -> Result<(Tree<'_>, String), Unjudged> {
        if let Some(rest) = written.strip_prefix('$') {
            let (name, path) = rest.split_once('/').unwrap_or((rest, ""));
            if let Some(found) = self.refs.iter().find(|r| &*r.name == name) {
                let tree = Tree {
                    bare: &found.bare,
                    root: found.root,
                };
                return Ok((tree, self.vars.expand(path)));
            }
        }
        let path = self.vars.expand(written);
        if path.contains("://") {
            return Err(unjudged(
                UnjudgedReason::ForbiddenUrl,
                format!(
                    "The value file `{}` stands behind a URL, and those are not fetched; put it into the repository.",
                    crate::desired::policy::redact(&path)
                ),
            ));
        }
        let tree = Tree {
            bare: &self.chart.bare,
            root: self.chart.root,
        };
        Ok(match path.strip_prefix('/') {
            Some(from_root) => (tree, from_root.to_owned()),
            None => (tree, join(&self.chart.path, &path)),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::desired::ask::Purpose;
    use crate::desired::bare::Bare;
    use crate::desired::helm::{Chart, RefAt, Settings};
    use crate::desired::testing::{FILE, Origin};
    use crate::desired::vars::Vars;
    use crate::domain::Source;

    /// The content of the files that are meant, each file holding its own path.
    fn meant(
        files: &[&str],
        written: &[&str],
        ignore_missing: bool,
    ) -> Result<Vec<String>, String> {
        let origin = Origin::new();
        let entries: Vec<(&str, i32, Oid)> = files
            .iter()
            .map(|path| match path.split_once("->") {
                Some((path, to)) => (path, LINK, origin.blob(to.as_bytes())),
                None => (*path, FILE, origin.blob(path.as_bytes())),
            })
            .collect();
        let root = origin.tree(&entries);
        let bare = Arc::new(Bare::new(origin.repo.path().to_owned()));
        let Target::Folder(folder, _) = links::resolve(&origin.repo, root, "chart").unwrap() else {
            panic!("there is a chart");
        };
        let purpose = Purpose {
            app: "oslo".into(),
            ..Purpose::default()
        };
        let source = Source::default();
        let refs = [RefAt {
            name: "configs".into(),
            bare: bare.clone(),
            root,
        }];
        let parts = Parts {
            chart: Chart {
                bare,
                root,
                path: "chart".to_owned(),
                folder,
            },
            settings: &Settings::default(),
            refs: &refs,
            purpose: &purpose,
            vars: &Vars::of(&purpose, &source, "abc"),
        };
        let written: Vec<String> = written.iter().map(|w| (*w).to_owned()).collect();
        let found =
            super::files(&parts, &written, ignore_missing).map_err(|e| e.message.to_string())?;
        let text = |blob: &Blob| String::from_utf8(blob.read().unwrap()).unwrap();
        Ok(found.iter().map(text).collect())
    }

    const FILES: &[&str] = &[
        "chart/Chart.yaml",
        "chart/envs/a.yaml",
        "chart/envs/z.yaml",
        "chart/envs/notes.md",
        "chart/envs/nested/c.yaml",
        "chart/envs/nested/deep/d.yaml",
        "chart/envs/oslo/e.yaml",
        "shared/base.yaml",
        "shared/oslo/own.yaml",
    ];

    fn paths(written: &[&str]) -> Vec<String> {
        meant(FILES, written, false).unwrap()
    }

    #[test]
    fn a_star_stays_in_its_folder_and_files_come_by_name() {
        assert_eq!(
            paths(&["envs/*.yaml"]),
            ["chart/envs/a.yaml", "chart/envs/z.yaml"]
        );
        assert_eq!(
            paths(&["envs/?.yaml"]),
            ["chart/envs/a.yaml", "chart/envs/z.yaml"]
        );
        assert_eq!(paths(&["envs/[a-b].yaml"]), ["chart/envs/a.yaml"]);
        assert_eq!(
            paths(&["envs/*/?.yaml"]),
            ["chart/envs/nested/c.yaml", "chart/envs/oslo/e.yaml"]
        );
    }

    #[test]
    fn two_stars_take_a_folders_own_files_before_those_below_it() {
        assert_eq!(
            paths(&["envs/**/*.yaml"]),
            [
                "chart/envs/a.yaml",
                "chart/envs/z.yaml",
                "chart/envs/nested/c.yaml",
                "chart/envs/nested/deep/d.yaml",
                "chart/envs/oslo/e.yaml",
            ]
        );
    }

    #[test]
    fn what_is_listed_by_itself_keeps_its_place_and_nothing_comes_twice() {
        assert_eq!(
            paths(&["envs/*.yaml", "envs/a.yaml"]),
            ["chart/envs/z.yaml", "chart/envs/a.yaml"]
        );
        assert_eq!(
            paths(&["envs/z.*", "envs/*.yaml", "/shared/*.yaml"]),
            ["chart/envs/z.yaml", "chart/envs/a.yaml", "shared/base.yaml"]
        );
    }

    #[test]
    fn variables_and_other_sources_are_put_in_before_the_pattern_is_read() {
        assert_eq!(
            paths(&["envs/$ARGOCD_APP_NAME/*.yaml"]),
            ["chart/envs/oslo/e.yaml"]
        );
        assert_eq!(
            paths(&["$configs/shared/*/*.yaml"]),
            ["shared/oslo/own.yaml"]
        );
        assert_eq!(paths(&["../shared/*.yaml"]), ["shared/base.yaml"]);
    }

    #[test]
    fn a_pattern_that_means_nothing_is_an_error_unless_missing_files_are_ignored() {
        let why = meant(FILES, &["gone/*.yaml"], false).unwrap_err();
        assert!(why.contains("`gone/*.yaml`"), "{why}");
        assert!(
            meant(FILES, &["gone/*.yaml", "gone.yaml"], true)
                .unwrap()
                .is_empty()
        );
        assert!(meant(FILES, &["gone.yaml"], false).is_err());
        assert!(meant(FILES, &["envs/[.yaml"], true).is_err());
    }

    #[test]
    fn links_count_when_they_stay_in_the_repository_and_refuse_the_pattern_when_not() {
        let inside = [
            "chart/Chart.yaml",
            "chart/envs/a.yaml->../../shared/base.yaml",
            "shared/base.yaml",
        ];
        assert_eq!(
            meant(&inside, &["envs/*.yaml"], false).unwrap(),
            ["shared/base.yaml"]
        );
        let outside = ["chart/Chart.yaml", "chart/envs/a.yaml->../../../etc/passwd"];
        assert!(
            meant(&outside, &["envs/*.yaml"], false)
                .unwrap_err()
                .contains("leaves the repository")
        );
        assert!(meant(FILES, &["../../*.yaml"], false).is_err());
    }
}

//! What a Kustomization of Flux applies: the folder of its source as Flux would build it, and what Flux does to the objects afterwards.
//!
//! Source of the rules: fluxcd/pkg `kustomize`, kustomize-controller, and Flux's documentation of Kustomizations.

mod envsubst;
mod finish;
mod generate;
mod given;
mod ignore;
mod pattern;
mod settings;
mod substitute;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};

use super::copy::{Copy, CopyLimits, unwritable};
use super::key::KeyMaker;
use super::kustomize::{closure_of_flux, parsed};
use super::program::{Run, Workplace};
use super::render::Reading;
use super::tree::join;
use super::unjudged;
use crate::domain::{Unjudged, UnjudgedReason, Verbatim};
pub(super) use finish::Finish;
pub use given::{Given, GivenText, GivenValues};
use ignore::Ignores;
pub(super) use settings::CommonMetadata;
use settings::Settings;
use substitute::Variables;

/// A build of Flux's, planned.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Flux {
    root: Oid,
    path: String,
    /// Every folder that the build reads, by its path; none lies inside another.
    folders: BTreeMap<String, Oid>,
    ignores: Ignores,
    settings: Settings,
    written: Option<Verbatim>,
    variables: Variables,
    network: bool,
}

/// Takes in what kustomize printed, one document after the other: the text of each is what variables are replaced in.
///
/// # Errors
/// What is no manifest, and what the last steps refuse.
pub(super) fn printed(reading: &mut Reading<'_>, plan: &Flux, text: &[u8]) -> Result<(), Unjudged> {
    let file = plan.file();
    let text = std::str::from_utf8(text).map_err(|_| {
        let message = format!("What `kustomize build` prints for `{file}` is no text.");
        unjudged(UnjudgedReason::BadManifest, message)
    })?;
    let finish = plan.finish();
    // kustomize indents whatever could look like a mark inside a document.
    let documents = text.split("\n---\n").filter(|d| !d.trim().is_empty());
    documents
        .into_iter()
        .try_for_each(|document| reading.finished(&file, document, &finish))
}

/// Takes in manifests as they stand in the copy; `false` when only kustomize can tell what their variables mean.
///
/// # Errors
/// A file that is no manifest, and what the last steps refuse.
pub(super) fn files(
    reading: &mut Reading<'_>,
    plan: &Flux,
    tree: &Path,
    files: &[PathBuf],
) -> Result<bool, Unjudged> {
    let finish = plan.finish();
    for file in files {
        let text = std::fs::read(tree.join(file)).map_err(|e| unwritable(&e))?;
        if finish.needs_printing(&text) {
            return Ok(false);
        }
        let path = file.display().to_string();
        let text = std::str::from_utf8(&text).map_err(|_| {
            let message = format!("`{path}` is no text. Correct the file and push it.");
            unjudged(UnjudgedReason::BadManifest, message)
        })?;
        reading.finished(&path, text, &finish)?;
    }
    Ok(true)
}

/// What was laid out, and how it is read.
pub(super) enum Laid {
    /// Manifests that are taken as they are, relative to the copy's root: there is nothing for kustomize to do.
    Files(Vec<PathBuf>),
    /// A kustomization.
    Kustomization,
}

/// Where a build starts.
pub(super) struct Start<'a> {
    pub(super) repo: &'a Repository,
    pub(super) root: Oid,
    pub(super) path: &'a str,
    /// Beginnings of URLs that a kustomization may refer to.
    pub(super) allowed: &'a [String],
}

impl Flux {
    /// Looks through the folder, and what its kustomizations refer to.
    ///
    /// # Errors
    /// As for any kustomization; `BadSource` for settings that are none, `RenderFailed` for variables that Flux refuses too.
    pub(super) fn plan(
        start: &Start<'_>,
        written: Option<&Verbatim>,
        given: &Given,
    ) -> Result<Self, Unjudged> {
        let settings = Settings::read(written)?;
        let Start {
            repo,
            root,
            path,
            allowed,
        } = *start;
        let (folders, network) = closure_of_flux(repo, root, path, &settings.components, allowed)?;
        let paths = folders.keys().map(String::as_str);
        Ok(Self {
            root: start.root,
            path: start.path.to_owned(),
            ignores: Ignores::load(start.repo, start.root, paths, &settings.source_ignore)?,
            variables: Variables::of(&settings.post_build, given)?,
            folders,
            settings,
            written: written.cloned(),
            network,
        })
    }

    /// What the result depends on.
    pub(super) fn key(&self) -> KeyMaker {
        let written = self.written.as_ref().map(|w| w.value().to_string());
        let key = KeyMaker::new("flux")
            .text(&self.path)
            .text(&written.unwrap_or_default());
        let key = self.variables.iter().fold(key, |key, (name, value)| {
            key.text(name)
                .text(&value.text)
                .text(if value.secret { "secret" } else { "" })
        });
        let key = self.ignores.add_to(key);
        self.folders
            .iter()
            .fold(key, |key, (path, tree)| key.text(path).id(*tree))
    }

    /// Copies what the artifact would hold, and writes the kustomization that Flux would build.
    ///
    /// # Errors
    /// A limit, or a kustomization that does not parse.
    pub(super) fn lay_out(
        &self,
        repo: &Repository,
        into: &Path,
        limits: CopyLimits,
    ) -> Result<Laid, Unjudged> {
        let leaves_out = |path: &str| self.ignores.leaves_out(path);
        let mut copy = Copy::new(repo, self.root, into, limits).leaving_out(&leaves_out);
        for (path, tree) in &self.folders {
            copy.folder(path, *tree)?;
        }
        let folder = into.join(&self.path);
        let (file, kustomization) = match generate::file_of(&folder) {
            Some(file) => {
                let text = std::fs::read(&file).map_err(|e| unwritable(&e))?;
                (file, parsed(&self.file(), &text)?)
            }
            None => {
                let scan = generate::scan(&folder)?;
                if self.settings.only_collects() && scan.kustomizations.is_empty() {
                    let files = scan.files.iter().map(|f| Path::new(&self.path).join(f));
                    return Ok(Laid::Files(files.collect()));
                }
                let made = generate::generated(&scan);
                (folder.join("kustomization.yaml"), made)
            }
        };
        let there = |path: &str| folder.join(path).exists();
        let edited = generate::edited(kustomization, &self.settings, &there);
        std::fs::write(&file, edited.to_string()).map_err(|e| unwritable(&e))?;
        Ok(Laid::Kustomization)
    }

    /// The build of what was laid out in a workplace. Flux lets a kustomization load whatever the artifact holds.
    pub(super) fn run(&self, program: PathBuf, place: &Workplace, by_kubectl: bool) -> Run {
        let word = if by_kubectl { "kustomize" } else { "build" };
        let folder: OsString = place.tree().join(&self.path).into();
        Run {
            program,
            args: vec![
                word.into(),
                "--load-restrictor=LoadRestrictionsNone".into(),
                folder,
            ],
            work: place.path().to_owned(),
            network: self.network,
            env: Vec::new(),
            input: None,
        }
    }

    /// What messages and objects name as the file.
    pub(super) fn file(&self) -> String {
        join(&self.path, "kustomization.yaml")
    }

    /// What is done with the built objects.
    pub(super) fn finish(&self) -> Finish<'_> {
        Finish {
            variables: &self.variables,
            metadata: &self.settings.common_metadata,
        }
    }
}

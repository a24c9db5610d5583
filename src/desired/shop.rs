//! Where work is done: files read, programs run on copies, what they print parsed.

mod release;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::domain::{Unjudged, UnjudgedReason};

use super::bare::Bare;
use super::copy::{Copy, CopyLimits, unwritable};
use super::flux::{self, Flux, Laid};
use super::helm::{self, Helm};
use super::jsonnet;
use super::kustomize::{self, Kustomize};
use super::mirror::blocking;
use super::program::{self, Cell, ProgramError, ProgramLimits, Run, Workplace, find};
use super::render::{Content, Reading, Secrets};
use super::tree::{self, RenderLimits, broken};
use super::unjudged;
use super::work::{Plain, Work};

/// Which programs render: names on the search path, or paths.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Programs {
    /// `helm`.
    pub helm: PathBuf,
    /// `kustomize`.
    pub kustomize: PathBuf,
    /// `kubectl`, whose `kubectl kustomize` stands in where there is no `kustomize`; `None` never asks it.
    pub kubectl: Option<PathBuf>,
    /// `jsonnet`.
    pub jsonnet: PathBuf,
}

impl Default for Programs {
    fn default() -> Self {
        Self {
            helm: "helm".into(),
            kustomize: "kustomize".into(),
            kubectl: Some("kubectl".into()),
            jsonnet: "jsonnet".into(),
        }
    }
}

/// The place and its rules.
#[derive(Debug)]
pub(super) struct Shop {
    /// Where workplaces are made.
    pub(super) folder: PathBuf,
    pub(super) programs: Programs,
    pub(super) limits: RenderLimits,
    pub(super) copy: CopyLimits,
    pub(super) program: ProgramLimits,
    pub(super) cell: Cell,
}

impl Shop {
    /// Does the work.
    ///
    /// # Errors
    /// Why there is no content, in one sentence with the next step.
    pub(super) async fn make(
        self: &Arc<Self>,
        work: &Arc<Work>,
        secrets: &Secrets,
    ) -> Result<Content, Unjudged> {
        match &**work {
            Work::Plain(plain) => self.plain(plain, secrets).await,
            Work::Kustomize(mirror, plan) => self.kustomize(mirror, plan, secrets).await,
            Work::Flux(mirror, plan) => self.flux(mirror, plan, secrets).await,
            Work::Helm(plan) => self.helm(plan, secrets).await,
            Work::Release(plan) => self.release(plan, secrets).await,
        }
    }

    async fn plain(
        self: &Arc<Self>,
        plain: &Plain,
        secrets: &Secrets,
    ) -> Result<Content, Unjudged> {
        let evaluated = self.evaluated(plain).await?;
        let (shop, plain, secrets) = (self.clone(), plain.clone(), secrets.clone());
        off_the_loop(move || {
            let read = plain.mirror.with(|repo| {
                let mut reading = Reading::new(&shop.limits, &secrets);
                let mut evaluated = evaluated.iter();
                for file in &plain.files {
                    if jsonnet::is_meant(&file.path) {
                        let text = evaluated.next().map(Vec::as_slice).unwrap_or_default();
                        reading.printed(&file.path, &jsonnet::listed(text))?;
                    } else {
                        let text = tree::read(repo, file, reading.budget(), &shop.limits)?;
                        reading.file(&file.path, &text)?;
                    }
                }
                Ok(reading.end())
            });
            read.map_err(|e| broken(&e))?
        })
        .await
    }

    /// What each jsonnet file of a directory evaluates to, in order.
    async fn evaluated(self: &Arc<Self>, plain: &Plain) -> Result<Vec<Vec<u8>>, Unjudged> {
        let mut files = plain.files.iter().filter(|f| jsonnet::is_meant(&f.path));
        let Some(first) = files.next() else {
            return Ok(Vec::new());
        };
        let program = find(&self.programs.jsonnet).ok_or_else(|| {
            missing(
                UnjudgedReason::NeedsJsonnet,
                &format!("`{}` needs `jsonnet`", first.path),
                "jsonnet",
            )
        })?;
        let (mirror, root) = (plain.mirror.clone(), plain.root);
        let (place, ()) = self
            .laid_out(move |place, copy| {
                let laid =
                    mirror.with(|repo| Copy::new(repo, root, &place.tree(), copy).folder("", root));
                laid.map_err(|e| broken(&e))?
            })
            .await?;
        let mut printed = Vec::new();
        for file in std::iter::once(first).chain(files) {
            let run = plain.jsonnet.run(program.clone(), &place, &file.path);
            printed.push(self.run(&run, "jsonnet", &file.path).await?);
        }
        Ok(printed)
    }

    async fn kustomize(
        self: &Arc<Self>,
        mirror: &Arc<Bare>,
        plan: &Kustomize,
        secrets: &Secrets,
    ) -> Result<Content, Unjudged> {
        let file = plan.file();
        let program = self.kustomizer().ok_or_else(|| {
            missing(
                UnjudgedReason::NeedsKustomize,
                "The path is a kustomization and needs `kustomize` or `kubectl`",
                "kustomize",
            )
        })?;
        let helm = plan.needs_helm().then(|| self.helm_program()).transpose()?;
        let (mirror, laid) = (mirror.clone(), plan.clone());
        let (place, ()) = self
            .laid_out(move |place, copy| {
                let done = mirror.with(|repo| laid.lay_out(repo, &place.tree(), copy));
                done.map_err(|e| broken(&e))?
            })
            .await?;
        let run = plan.run(program, helm, &place);
        let printed = self.run(&run, "kustomize build", &file).await;
        let printed = printed.map_err(kustomize::named_refusal)?;
        drop(place);
        self.parsed(printed, secrets, move |reading, text| {
            reading.printed(&file, text)
        })
        .await
    }

    async fn flux(
        self: &Arc<Self>,
        mirror: &Arc<Bare>,
        plan: &Flux,
        secrets: &Secrets,
    ) -> Result<Content, Unjudged> {
        let (mirror, laying) = (mirror.clone(), plan.clone());
        let (place, laid) = self
            .laid_out(move |place, copy| {
                let done = mirror.with(|repo| laying.lay_out(repo, &place.tree(), copy));
                done.map_err(|e| broken(&e))?
            })
            .await?;
        if let Laid::Files(files) = laid
            && let Some(content) = self.flux_files(&place, files, plan, secrets).await?
        {
            return Ok(content);
        }
        let file = plan.file();
        let (program, by_kubectl) = self.kustomizer().ok_or_else(|| {
            missing(
                UnjudgedReason::NeedsKustomize,
                "Flux builds the path with kustomize; that needs `kustomize` or `kubectl`",
                "kustomize",
            )
        })?;
        let run = plan.run(program, &place, by_kubectl);
        let printed = self.run(&run, "kustomize build", &file).await?;
        drop(place);
        let plan = plan.clone();
        self.parsed(printed, secrets, move |reading, text| {
            flux::printed(reading, &plan, text)
        })
        .await
    }

    /// The manifests of a folder in which kustomize has nothing to do; `None` when their variables need what kustomize prints.
    async fn flux_files(
        self: &Arc<Self>,
        place: &Workplace,
        files: Vec<PathBuf>,
        plan: &Flux,
        secrets: &Secrets,
    ) -> Result<Option<Content>, Unjudged> {
        let (shop, plan, secrets) = (self.clone(), plan.clone(), secrets.clone());
        let tree = place.tree();
        off_the_loop(move || {
            let mut reading = Reading::new(&shop.limits, &secrets);
            let read = flux::files(&mut reading, &plan, &tree, &files)?;
            Ok(read.then(|| reading.end()))
        })
        .await
    }

    /// The program for kustomizations, and whether it is kubectl.
    fn kustomizer(&self) -> Option<(PathBuf, bool)> {
        let own = find(&self.programs.kustomize).map(|program| (program, false));
        own.or_else(|| {
            let kubectl = find(self.programs.kubectl.as_deref()?)?;
            Some((kubectl, true))
        })
    }

    async fn helm(self: &Arc<Self>, plan: &Helm, secrets: &Secrets) -> Result<Content, Unjudged> {
        let program = self.helm_program()?;
        let laid = plan.clone();
        let (place, ()) = self
            .laid_out(move |place, copy| laid.lay_out(place, copy))
            .await?;
        let folder = plan.folder().to_owned();
        let what = tree::join(&folder, "Chart.yaml");
        let run = plan.run(program, &place);
        let printed = self.run(&run, "helm template", &what).await?;
        drop(place);
        self.parsed(printed, secrets, move |reading, text| {
            let text = std::str::from_utf8(text).map_err(|_| {
                let message = format!("What `helm template` prints for `{what}` is no text.");
                unjudged(UnjudgedReason::BadManifest, message)
            })?;
            helm::parts_of(text, &folder)
                .into_iter()
                .try_for_each(|(file, part)| reading.printed(&file, part.as_bytes()))
        })
        .await
    }

    /// The `helm` program.
    ///
    /// # Errors
    /// `NeedsHelm`.
    pub(super) fn helm_program(&self) -> Result<PathBuf, Unjudged> {
        find(&self.programs.helm).ok_or_else(|| {
            missing(
                UnjudgedReason::NeedsHelm,
                "The source is a Helm chart and needs `helm`",
                "helm",
            )
        })
    }

    /// A workplace that was laid out, and what laying it out has told.
    async fn laid_out<T: Send + 'static>(
        self: &Arc<Self>,
        lay: impl FnOnce(&Workplace, CopyLimits) -> Result<T, Unjudged> + Send + 'static,
    ) -> Result<(Workplace, T), Unjudged> {
        let shop = self.clone();
        off_the_loop(move || {
            let place = Workplace::new(&shop.folder).map_err(|e| unwritable(&e))?;
            let laid = lay(&place, shop.copy)?;
            Ok((place, laid))
        })
        .await
    }

    async fn parsed(
        self: &Arc<Self>,
        printed: Vec<u8>,
        secrets: &Secrets,
        parse: impl FnOnce(&mut Reading<'_>, &[u8]) -> Result<(), Unjudged> + Send + 'static,
    ) -> Result<Content, Unjudged> {
        let (shop, secrets) = (self.clone(), secrets.clone());
        off_the_loop(move || {
            let mut reading = Reading::new(&shop.limits, &secrets);
            parse(&mut reading, &printed)?;
            Ok(reading.end())
        })
        .await
    }

    /// Runs a program; `what` is the command for messages, `file` what it was run on.
    ///
    /// # Errors
    /// `RenderFailed`.
    pub(super) async fn run(&self, run: &Run, what: &str, file: &str) -> Result<Vec<u8>, Unjudged> {
        let printed = program::run(run, &self.program, &self.cell).await;
        printed.map_err(|why| {
            let next = match why {
                ProgramError::Refused(_) => "correct it and push it",
                ProgramError::Run(_) => "check that the program runs on this machine",
                ProgramError::TimedOut(_) | ProgramError::TooMuch(_) => {
                    "make it smaller, or split the application"
                }
            };
            unjudged(
                UnjudgedReason::RenderFailed,
                format!("`{what}` of `{file}` failed: {why}; {next}."),
            )
        })
    }
}

fn missing(reason: UnjudgedReason, what: &str, program: &str) -> Unjudged {
    unjudged(
        reason,
        format!(
            "{what}, which is not installed here; install it or name it with `{program}` under [desired] in config.toml."
        ),
    )
}

/// Removes what runs that were killed have left in the folder of workplaces.
pub(super) fn sweep(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let old = entry
            .metadata()
            .and_then(|m| m.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() > 3600));
        if old && entry.file_name().to_string_lossy().starts_with("work-") {
            // It is tried again at the next start.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// Blocking work, off the loop.
pub(super) async fn off_the_loop<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Unjudged> + Send + 'static,
) -> Result<T, Unjudged> {
    blocking(work).await.map_err(|_| cancelled())?
}

/// The program is ending.
pub(super) fn cancelled() -> Unjudged {
    unjudged(
        UnjudgedReason::Pending,
        "The desired state was not read because the program is ending.",
    )
}

//! What has to be asked of Git for one application, or why nothing can be. Pure.

use crate::desired::{Recipe, render::require_plain_source};
use crate::domain::{
    Application, ClusterId, Engine, HistoryEntry, Name, Source, Tracking, Unjudged, UnjudgedReason,
};

/// Everything the answer of Git depends on, but Git itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The source of the newest full deployment, and its commit.
    pub(super) deployed: (Source, Name),
    /// The source as the spec has it now, with its target revision.
    pub(super) target: Source,
    /// What the application adds to its manifests.
    pub(super) recipe: Recipe,
}

impl Wish {
    /// The wish of an application that deploys to `cluster`.
    ///
    /// # Errors
    /// Why it cannot be judged whatever Git says.
    pub(super) fn of(
        app: &Application,
        cluster: Option<&ClusterId>,
        tracking: &Tracking,
    ) -> Result<Self, Unjudged> {
        if cluster.is_none() {
            return Err(unmatched(app));
        }
        let target = only_source(app)?;
        require_plain_source(target)?;
        let entry = app.deployed_revision().ok_or_else(|| never_deployed(app))?;
        let deployed = entry.source.as_ref().unwrap_or(target);
        require_plain_source(deployed)?;
        Ok(Self {
            deployed: (deployed.clone(), revision_of(entry)?),
            target: target.clone(),
            recipe: Recipe::of(app, tracking),
        })
    }
}

fn only_source(app: &Application) -> Result<&Source, Unjudged> {
    if app.engine != Engine::Argo {
        return Err(because(
            UnjudgedReason::NeedsPlugin,
            "It is carried by Flux, whose sources are not rendered here yet; its verdict is Flux's.".into(),
        ));
    }
    match app.sources.as_slice() {
        [source] => Ok(source),
        [] => Err(because(
            UnjudgedReason::NotFound,
            "The application names no source that is rendered here; its verdict is Argo CD's."
                .into(),
        )),
        several => Err(because(
            UnjudgedReason::BadSource,
            format!(
                "The application has {} sources, and only one is rendered; its verdict is Argo CD's.",
                several.len()
            ),
        )),
    }
}

fn revision_of(entry: &HistoryEntry) -> Result<Name, Unjudged> {
    if entry.revision.is_empty() {
        return Err(because(
            UnjudgedReason::NotFound,
            "The newest deployment records no revision; sync the application once.".into(),
        ));
    }
    Ok(entry.revision.clone())
}

fn unmatched(app: &Application) -> Unjudged {
    let to = &app.destination;
    let destination = if to.server.is_empty() {
        &to.name
    } else {
        &to.server
    };
    because(
        UnjudgedReason::Unmatched,
        format!(
            "The destination `{destination}` is no cluster of the kubeconfig; name its context under [[alias]] in config.toml."
        ),
    )
}

fn never_deployed(app: &Application) -> Unjudged {
    because(
        UnjudgedReason::NeverDeployed,
        format!(
            "{} was never fully synced, so nothing of it is deployed yet; sync it once.",
            app.id.name
        ),
    )
}

fn because(reason: UnjudgedReason, message: String) -> Unjudged {
    Unjudged {
        reason,
        message: message.into(),
    }
}

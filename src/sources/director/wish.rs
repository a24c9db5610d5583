//! What has to be asked of Git for one application, or why nothing can be. Pure.

use crate::desired::{Ask, Recipe, Served};
use crate::domain::{
    Application, ClusterId, Engine, Name, Source, Tracking, Unjudged, UnjudgedReason,
};

/// Everything the answer of Git depends on, but Git itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// The sources of the newest full deployment, each at its commit.
    pub(super) deployed: Vec<Ask>,
    /// The sources as the spec has them now, each at its target revision.
    pub(super) target: Vec<Ask>,
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
        served: Option<Served>,
    ) -> Result<Self, Unjudged> {
        if cluster.is_none() {
            return Err(unmatched(app));
        }
        if let Some(why) = &app.report.hindrance {
            return Err(why.clone());
        }
        if let Some(plugin) = app.sources.iter().find(|s| s.plugin) {
            return Err(needs_plugin(plugin));
        }
        let entry = app.deployed_revision().ok_or_else(|| never_deployed(app))?;
        let targets: Vec<Name> = app
            .sources
            .iter()
            .map(|s| s.target_revision.clone())
            .collect();
        let wish = Self {
            deployed: Ask::deployed(app, entry)?,
            target: Ask::all(&app.sources, &targets),
            recipe: Recipe::of(app, tracking).on(served),
        };
        if wish.deployed.is_empty() || wish.target.is_empty() {
            return Err(because(
                UnjudgedReason::BadSource,
                "The application names no source that has manifests; give one a path or a chart."
                    .into(),
            ));
        }
        Ok(wish)
    }

    /// All sources that the answer depends on, those that are only referred to included.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        let asks = self.deployed.iter().chain(&self.target);
        asks.flat_map(|ask| std::iter::once(&ask.source).chain(ask.refs.iter().map(|r| &r.0)))
    }
}

fn needs_plugin(source: &Source) -> Unjudged {
    because(
        UnjudgedReason::NeedsPlugin,
        format!(
            "The source {} needs a config management plugin or is hydrated elsewhere, and plugins are never run here; the verdict is Argo CD's.",
            crate::desired::policy::redact(&source.repo_url)
        ),
    )
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
    let name = &app.id.name;
    because(
        UnjudgedReason::NeverDeployed,
        match app.engine {
            Engine::Argo => format!(
                "{name} was never fully synced, so nothing of it is deployed yet; sync it once."
            ),
            Engine::Flux => format!(
                "Flux has never applied {name}, so nothing of it is deployed yet; see why it is not ready."
            ),
        },
    )
}

fn because(reason: UnjudgedReason, message: String) -> Unjudged {
    Unjudged {
        reason,
        message: message.into(),
    }
}

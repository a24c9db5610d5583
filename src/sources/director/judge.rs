//! Asks Git for one application: the objects at its deployed commit and at the commit its target revision means now.

use std::sync::Arc;

use super::wish::Wish;
use crate::desired::prepare::at_commit;
use crate::desired::{DesiredHandle, Located, Prepared, Recipe};
use crate::domain::{AppRef, DesiredObject, Source, Unjudged};

/// One application to ask for.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) app: AppRef,
    /// Which asking this is; an answer to an older one is dropped.
    pub(super) turn: u64,
    pub(super) wish: Wish,
    /// The last answer, whose parts are used again where nothing changed.
    pub(super) last: Option<Answer>,
}

/// An answered job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) app: AppRef,
    pub(super) turn: u64,
    pub(super) answer: Result<Answer, Unjudged>,
}

/// What Git says.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Which question it answers.
    wish: Wish,
    pub(super) deployed: Part,
    /// `None` when the target cannot be told: then nothing is known to be behind.
    pub(super) target: Option<Part>,
}

/// One commit's objects.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) located: Located,
    prepared: Arc<Prepared>,
    pub(super) objects: Arc<[Arc<DesiredObject>]>,
}

pub(super) async fn judge(desired: DesiredHandle, job: Job) -> Done {
    Done {
        answer: answer(&desired, job.wish, job.last).await,
        app: job.app,
        turn: job.turn,
    }
}

async fn answer(
    desired: &DesiredHandle,
    wish: Wish,
    last: Option<Answer>,
) -> Result<Answer, Unjudged> {
    let (source, revision) = &wish.deployed;
    // A deployed commit does not change its content: if the question is the same, so is the answer.
    let same = |a: &Answer| a.wish.deployed == wish.deployed && a.wish.recipe == wish.recipe;
    let deployed = match last.as_ref().filter(|a| same(a)) {
        Some(last) => last.deployed.clone(),
        None => part(desired, source, revision, &wish.recipe, &[]).await?,
    };
    let known: Vec<&Part> = std::iter::once(&deployed)
        .chain(
            last.as_ref()
                .filter(|a| a.wish.recipe == wish.recipe)
                .and_then(|a| a.target.as_ref()),
        )
        .collect();
    let revision = &wish.target.target_revision;
    let target = part(desired, &wish.target, revision, &wish.recipe, &known).await;
    if let Err(why) = &target {
        tracing::debug!(repo = %deployed.located.repo, reason = ?why.reason, "the target revision cannot be told");
    }
    Ok(Answer {
        target: target.ok(),
        deployed,
        wish,
    })
}

/// The objects of one source at one revision; what is `known` already is not made again.
async fn part(
    desired: &DesiredHandle,
    source: &Source,
    revision: &str,
    recipe: &Recipe,
    known: &[&Part],
) -> Result<Part, Unjudged> {
    let located = desired.locate(source, revision).await?;
    if let Some(same) = known.iter().find(|p| p.located == located) {
        return Ok((*same).clone());
    }
    let alike = known.iter().find(|p| p.located.key == located.key);
    let prepared = match alike {
        Some(alike) => alike.prepared.clone(),
        None => {
            desired
                .prepared(source, &located, &recipe.placement())
                .await?
        }
    };
    Ok(Part {
        objects: at_commit(&prepared, recipe, &located.repo, &located.revision).into(),
        located,
        prepared,
    })
}

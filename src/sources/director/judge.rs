//! Asks Git for one application: the objects at its deployed commit and at the commit its target revision means now.

use std::collections::HashMap;
use std::sync::Arc;

use super::wish::Wish;
use crate::desired::argo_api::Asked;
use crate::desired::prepare::at_commit;
use crate::desired::{Ask, DesiredHandle, Lease, Located, Prepared, Recipe};
use crate::domain::{AppRef, DesiredObject, Name, Newest, Safe, Unjudged};

/// One application to ask for.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) app: AppRef,
    /// Which asking this is; an answer to an older one is dropped.
    pub(super) turn: u64,
    pub(super) wish: Result<Wish, Unjudged>,
    /// What Argo CD's API is asked where the wish cannot be granted.
    pub(super) asked: Asked,
    /// The last answer, whose parts are used again where nothing changed.
    pub(super) last: Option<Answer>,
}

/// An answered job.
#[derive(Debug)]
pub(super) struct Done {
    pub(super) app: AppRef,
    pub(super) turn: u64,
    pub(super) answer: Result<Answer, Unjudged>,
    /// What keeps its repositories polled, whatever the answer.
    pub(super) leases: Vec<Lease>,
}

/// What Git says.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    /// Which question it answers; none when something else than Git answered.
    wish: Option<Wish>,
    /// Why Git could not be rendered, when Argo CD's API stands in for it.
    pub(super) stand_in: Option<Unjudged>,
    /// The revision that the API told.
    told: Name,
    pub(super) deployed: Whole,
    /// `None` when the target cannot be told: then nothing is known to be behind.
    pub(super) target: Option<Whole>,
    /// What the target revision means now, when that can be told.
    pub(super) newest: Option<Arc<Newest>>,
}

/// The objects of all sources of an application.
#[derive(Clone, Debug)]
pub(super) struct Whole {
    parts: Vec<Part>,
    pub(super) objects: Arc<[Arc<DesiredObject>]>,
}

/// One source's objects at one commit.
#[derive(Clone, Debug)]
struct Part {
    located: Located,
    prepared: Arc<Prepared>,
    objects: Arc<[Arc<DesiredObject>]>,
}

/// What is deployed and what is the target, of the first source of which they differ, else of the first.
fn telling<'a>(deployed: &'a Whole, target: &'a Whole) -> Option<(&'a Located, &'a Located)> {
    let pairs = || deployed.parts.iter().zip(&target.parts);
    let differs = |(d, t): &(&Part, &Part)| d.located.revision != t.located.revision;
    let (d, t) = pairs().find(differs).or_else(|| pairs().next())?;
    Some((&d.located, &t.located))
}

impl Answer {
    /// What is deployed and what is the target, as one revision each.
    pub(super) fn revisions(&self) -> (Name, Name) {
        let target = self.target.as_ref();
        match target.and_then(|target| telling(&self.deployed, target)) {
            Some((d, t)) => (d.revision.clone(), t.revision.clone()),
            None if self.stand_in.is_some() => (self.told.clone(), self.told.clone()),
            None => {
                let first = self.deployed.parts.first();
                let deployed = first.map(|part| part.located.revision.clone());
                (deployed.unwrap_or_default(), Name::default())
            }
        }
    }

    /// Whether a commit is the target of any source.
    pub(super) fn aims_at(&self, commit: &str) -> bool {
        let parts = self.target.iter().flat_map(|t| &t.parts);
        parts
            .map(|p| &p.located.revision)
            .any(|revision| **revision == *commit)
    }
}

pub(super) async fn judge(desired: DesiredHandle, job: Job) -> Done {
    let sources = job.wish.iter().flat_map(Wish::sources);
    let leases = sources.filter_map(|s| desired.lease(s)).collect();
    let answered = match job.wish {
        Ok(wish) => answer(&desired, wish, job.last).await,
        Err(why) => Err(why),
    };
    Done {
        answer: match answered {
            Err(why) if why.reason.may_stand_in() => stand_in(&desired, &job.asked, why).await,
            answered => answered,
        },
        app: job.app,
        turn: job.turn,
        leases,
    }
}

/// What Argo CD's API says in place of Git; where it says nothing either, both reasons.
async fn stand_in(
    desired: &DesiredHandle,
    asked: &Asked,
    why: Unjudged,
) -> Result<Answer, Unjudged> {
    match desired.stand_in(asked).await {
        None => Err(why),
        Some(Ok(objects)) => Ok(Answer {
            wish: None,
            stand_in: Some(why),
            told: asked.compared.clone(),
            deployed: Whole {
                parts: Vec::new(),
                objects: objects.into(),
            },
            target: None,
            newest: None,
        }),
        Some(Err(api)) => Err(Unjudged {
            reason: why.reason,
            message: Safe::from(format!("{} {}", why.message, api.message)),
        }),
    }
}

async fn answer(
    desired: &DesiredHandle,
    wish: Wish,
    last: Option<Answer>,
) -> Result<Answer, Unjudged> {
    // A deployed commit does not change its content: if the question is the same, so is the answer.
    let same = |a: &Answer| {
        let known = a.wish.as_ref();
        known.is_some_and(|w| w.deployed == wish.deployed && w.recipe == wish.recipe)
    };
    let deployed = match last.as_ref().filter(|a| same(a)) {
        Some(last) => last.deployed.clone(),
        None => whole(desired, &wish.deployed, &wish.recipe, &[]).await?,
    };
    let known: Vec<&Whole> = std::iter::once(&deployed)
        .chain(
            last.as_ref()
                .filter(|a| a.wish.as_ref().is_some_and(|w| w.recipe == wish.recipe))
                .and_then(|a| a.target.as_ref()),
        )
        .collect();
    let target = whole(desired, &wish.target, &wish.recipe, &known).await;
    if let Err(why) = &target {
        tracing::debug!(reason = ?why.reason, "the target revision cannot be told");
    }
    let target = target.ok();
    let newest = match &target {
        Some(target) => newest(desired, &deployed, target, last.as_ref()).await,
        None => None,
    };
    Ok(Answer {
        wish: Some(wish),
        stand_in: None,
        told: Name::default(),
        deployed,
        target,
        newest,
    })
}

/// What lies between what is deployed and the target; the last answer's, when both are the same.
async fn newest(
    desired: &DesiredHandle,
    deployed: &Whole,
    target: &Whole,
    last: Option<&Answer>,
) -> Option<Arc<Newest>> {
    let (deployed, target) = telling(deployed, target)?;
    let same = |n: &&Arc<Newest>| {
        n.repo == target.repo && n.deployed == deployed.revision && n.revision == target.revision
    };
    if let Some(known) = last.and_then(|a| a.newest.as_ref()).filter(same) {
        return Some(known.clone());
    }
    let newest = desired.newest(deployed, target).await;
    if let Err(why) = &newest {
        tracing::debug!(reason = ?why.reason, "the commits between two revisions cannot be told");
    }
    newest.ok().map(Arc::new)
}

/// The objects of all sources; what is `known` already is not made again.
async fn whole(
    desired: &DesiredHandle,
    asks: &[Ask],
    recipe: &Recipe,
    known: &[&Whole],
) -> Result<Whole, Unjudged> {
    let parts_known: Vec<&Part> = known.iter().flat_map(|w| &w.parts).collect();
    let mut parts = Vec::with_capacity(asks.len());
    for ask in asks {
        parts.push(part(desired, ask, recipe, &parts_known).await?);
    }
    let same = |w: &&&Whole| {
        w.parts.len() == parts.len()
            && w.parts
                .iter()
                .zip(&parts)
                .all(|(a, b)| Arc::ptr_eq(&a.objects, &b.objects))
    };
    if let Some(same) = known.iter().find(same) {
        return Ok((*same).clone());
    }
    let objects = match parts.as_slice() {
        [one] => one.objects.clone(),
        several => merged(several),
    };
    Ok(Whole { parts, objects })
}

/// All objects in the order of the sources; of two that are one object the later counts, in the place of the earlier, as in Argo CD.
fn merged(parts: &[Part]) -> Arc<[Arc<DesiredObject>]> {
    let mut places: HashMap<(&Name, &Name, &Name, &Name), usize> = HashMap::new();
    let mut merged: Vec<Arc<DesiredObject>> = Vec::new();
    for object in parts.iter().flat_map(|p| p.objects.iter()) {
        let o = &object.object;
        let place = *places
            .entry((&o.gvk.group, &o.gvk.kind, &o.namespace, &o.name))
            .or_insert(merged.len());
        match merged.get_mut(place) {
            Some(earlier) => *earlier = object.clone(),
            None => merged.push(object.clone()),
        }
    }
    merged.into()
}

/// The objects of one source at its revision.
async fn part(
    desired: &DesiredHandle,
    ask: &Ask,
    recipe: &Recipe,
    known: &[&Part],
) -> Result<Part, Unjudged> {
    let located = desired.locate(ask, &recipe.purpose).await?;
    if let Some(same) = known.iter().find(|p| p.located == located) {
        return Ok((*same).clone());
    }
    let alike = known.iter().find(|p| p.located.key == located.key);
    let prepared = match alike {
        Some(alike) => alike.prepared.clone(),
        None => desired.prepared(&located, &recipe.placement()).await?,
    };
    Ok(Part {
        objects: at_commit(&prepared, recipe, &located.repo, &located.revision).into(),
        located,
        prepared,
    })
}

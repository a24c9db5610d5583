//! Assignments and live objects in, verdicts out. Pure; one for each cluster, owned by its actor.
//!
//! Of every watched kind it keeps the objects that an application wants or claims, as compact sealed JSON; the rest of the cluster passes by.
//! A Secret is sealed before anything else looks at it. An object whose bytes did not change is not judged again.

mod claim;
mod expressions;
mod followed;
mod kind;
mod last;
mod lua;
mod schema;
mod settings;
#[cfg(test)]
mod tests;
mod verdict;
mod wanted;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::assignment::{AppAssignment, ClusterAssignments};
use super::health::HubRules;
use crate::domain::{AppRef, Fact, Gvk, Name, ObjectRef, Resource, Safe, Unjudged};
use crate::drift::{self, IgnoreRules, SealKey};
use crate::health::Checks;
use claim::{claims, is_follower};
use expressions::Expressions;
use followed::{follows, is_told};
use kind::{Heard, Kept, Kind, KindState, Place, kind_of, name_kind, place_of};
pub use lua::{Asked, Question};
use settings::HubSettings;
use verdict::{Case, unknown};
use wanted::wanted;

/// The judge of one cluster.
pub struct Judge {
    /// The key of this run, and the same with the annotations that the hubs call sensitive.
    plain_seal: Arc<SealKey>,
    seal: SealKey,
    sensitive: Vec<String>,
    settings: HubSettings,
    expressions: Expressions,
    assigned: Arc<ClusterAssignments>,
    rules: HashMap<AppRef, IgnoreRules>,
    kinds: BTreeMap<Kind, KindState>,
    told: HashMap<AppRef, (Name, Name)>,
    checks: Checks,
    hubs: HubRules,
    /// Counts the versions of objects that were kept.
    turn: u64,
}

/// Which part of a kind a list covers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The namespace, or the whole cluster.
    pub namespace: Option<Name>,
    /// Whether every part has been listed at least once.
    pub complete: bool,
}

impl Part {
    /// The whole cluster.
    pub fn whole() -> Self {
        Self {
            namespace: None,
            complete: true,
        }
    }
}

/// What an assignment asks of the actor.
#[derive(Default)]
pub struct Assigned {
    /// What is to be told at once.
    pub facts: Vec<Fact>,
    /// Kinds to watch from now on; all others may stop.
    pub kinds: Vec<Gvk>,
    /// Kinds that must be listed again, because objects are wanted now that passed by before.
    pub relist: Vec<Gvk>,
}

impl Judge {
    /// A judge that has heard nothing. The key is the process's own and never leaves it.
    pub fn new(seal: Arc<SealKey>) -> Self {
        Self {
            seal: SealKey::clone(&seal),
            plain_seal: seal,
            sensitive: Vec::new(),
            settings: HubSettings::default(),
            expressions: Expressions::default(),
            assigned: Arc::default(),
            rules: HashMap::new(),
            kinds: BTreeMap::new(),
            told: HashMap::new(),
            checks: Checks::default(),
            hubs: HubRules::default(),
            turn: 0,
        }
    }

    /// The same with the person's own health rules.
    pub fn with_checks(self, checks: Checks) -> Self {
        Self { checks, ..self }
    }

    /// Takes what the cluster has to be judged by from now on.
    pub fn assign(&mut self, assigned: Arc<ClusterAssignments>) -> Assigned {
        self.take_settings(&assigned);
        self.expressions.take(&assigned);
        self.rules = assigned
            .apps
            .iter()
            .map(|a| (a.app.clone(), self.settings.rules(a)))
            .collect();
        self.told
            .retain(|app, _| assigned.apps.iter().any(|a| a.app == *app));
        let mut wanted = wanted(&assigned);
        let mut followed = followed::followed(&assigned);
        let hoped = self.hoped(&assigned);
        let mut answer = Assigned {
            kinds: assigned.kinds(),
            ..Assigned::default()
        };
        self.assigned = assigned;
        let named: Vec<Kind> = answer.kinds.iter().map(kind_of).collect();
        for (kind, state) in &self.kinds {
            if !named.contains(kind) {
                answer.facts.push(Fact::Kind {
                    gvk: state.gvk.clone(),
                    resources: Vec::new(),
                });
            }
        }
        self.kinds.retain(|kind, _| named.contains(kind));
        for gvk in &answer.kinds {
            let state = self
                .kinds
                .entry(kind_of(gvk))
                .or_insert_with(|| KindState::new(gvk.clone()));
            // Another version is read anew.
            if state.gvk != *gvk {
                *state = KindState::new(gvk.clone());
            }
            let new = wanted.remove(&kind_of(gvk)).unwrap_or_default();
            let named = followed.remove(&kind_of(gvk)).unwrap_or_default();
            let passed_by = |place: &&Place| !state.kept.contains_key(*place);
            let mut fresh = new
                .keys()
                .chain(named.keys())
                .filter(|place| !state.is_named(place));
            let mut named_by_engine = hoped.get(&kind_of(gvk)).into_iter().flatten();
            if state.heard == Heard::Listed
                && (fresh.any(|place| passed_by(&place))
                    || named_by_engine.any(|place| passed_by(&place)))
            {
                answer.relist.push(gvk.clone());
                // Until then nobody knows whether they are there: told now, they would read as missing.
                state.heard = Heard::Nothing;
            }
            state.wanted = new;
            state.followed = named;
            state.ty.want(gvk, !state.wanted.is_empty());
            for kept in state.kept.values_mut() {
                kept.last = None;
            }
        }
        for gvk in answer.kinds.clone() {
            answer.facts.extend(self.tell_kind(&gvk));
        }
        answer.facts.extend(self.judged_apps());
        answer
    }

    /// Where the engine says that objects are of applications that are judged by what was last applied from now on.
    fn hoped(&self, assigned: &ClusterAssignments) -> HashMap<Kind, Vec<Place>> {
        let was_ours = |app: &AppRef| {
            let known = self.assigned.apps.iter().find(|a| a.app == *app);
            known.is_some_and(|app| is_ours(app))
        };
        let new = assigned.apps.iter();
        let new = new.filter(|a| a.unjudged.is_some() && is_ours(a) && !was_ours(&a.app));
        let mut hoped: HashMap<Kind, Vec<Place>> = HashMap::new();
        for object in new.flat_map(|a| &a.resources).map(|r| &r.object) {
            let place = (object.namespace.clone(), object.name.clone());
            hoped.entry(kind_of(&object.gvk)).or_default().push(place);
        }
        hoped
    }

    /// Takes a whole collection of a kind: of the cluster, or of one namespace where only that may be read.
    ///
    /// `complete` says that every namespace has been listed once; before that nothing is told, so that nothing reads as missing too early.
    pub fn listed(&mut self, gvk: &Gvk, part: &Part, objects: Vec<Value>) -> Vec<Fact> {
        let Some(mut state) = self.kinds.remove(&kind_of(gvk)) else {
            return Vec::new();
        };
        let mut known = std::mem::take(&mut state.kept);
        if let Some(namespace) = &part.namespace {
            state.kept = known.extract_if(|place, _| place.0 != *namespace).collect();
            state.blind.remove(namespace);
        } else {
            state.blind.clear();
        }
        for object in objects {
            let Some((place, bytes)) = self.sealed(gvk, object, &state) else {
                continue;
            };
            let kept = self.keep(known.remove(&place), bytes);
            state.kept.insert(place, kept);
        }
        if part.complete {
            state.heard = Heard::Listed;
        }
        self.kinds.insert(kind_of(gvk), state);
        let mut facts = self.tell_kind(gvk);
        facts.extend(self.judged_apps());
        facts
    }

    /// Takes one object that appeared or changed.
    pub fn changed(&mut self, gvk: &Gvk, object: Value) -> Vec<Fact> {
        let Some(mut state) = self.kinds.remove(&kind_of(gvk)) else {
            return Vec::new();
        };
        let place = place_of(&object);
        let facts = match self.sealed(gvk, object, &state) {
            Some((place, bytes))
                if state
                    .kept
                    .get(&place)
                    .is_some_and(|k| k.bytes == bytes && k.last.is_some()) =>
            {
                Vec::new()
            }
            Some((place, bytes)) => {
                let kept = self.keep(state.kept.remove(&place), bytes);
                state.kept.insert(place.clone(), kept);
                self.tell_one(&mut state, &place)
            }
            None => self.forget(&mut state, place),
        };
        self.kinds.insert(kind_of(gvk), state);
        facts
    }

    /// Takes one object that is gone.
    pub fn gone(&mut self, gvk: &Gvk, object: &Value) -> Vec<Fact> {
        let Some(mut state) = self.kinds.remove(&kind_of(gvk)) else {
            return Vec::new();
        };
        let facts = self.forget(&mut state, place_of(object));
        self.kinds.insert(kind_of(gvk), state);
        facts
    }

    /// Takes that a kind cannot be read; what it holds is unknown from now on, not synced and not missing.
    pub fn unread(&mut self, gvk: &Gvk, message: &Safe) -> Vec<Fact> {
        let Some(state) = self.kinds.get_mut(&kind_of(gvk)) else {
            return Vec::new();
        };
        state.heard = Heard::Unread(message.clone());
        state.kept.clear();
        let mut facts = self.tell_kind(gvk);
        facts.push(Fact::KindUnread {
            gvk: gvk.clone(),
            message: message.clone(),
        });
        facts.extend(self.judged_apps());
        facts
    }

    /// Takes that a kind cannot be read in one namespace: what it holds there is unknown, and the rest is judged.
    pub fn blind(&mut self, gvk: &Gvk, part: &Part, message: &Safe) -> Vec<Fact> {
        let Some(state) = self.kinds.get_mut(&kind_of(gvk)) else {
            return Vec::new();
        };
        if let Some(namespace) = &part.namespace {
            state.kept.retain(|place, _| place.0 != *namespace);
            state.blind.insert(namespace.clone(), message.clone());
        }
        if part.complete {
            state.heard = Heard::Listed;
        }
        let mut facts = self.tell_kind(gvk);
        facts.extend(self.judged_apps());
        facts
    }

    /// Seals a Secret, and keeps the object only if an application wants or claims it.
    fn sealed(
        &self,
        gvk: &Gvk,
        mut object: Value,
        state: &KindState,
    ) -> Option<(Place, Box<[u8]>)> {
        let place = place_of(&object);
        if !state.is_named(&place) && self.claimant(&object, gvk, &place).is_none() {
            return None;
        }
        name_kind(&mut object, gvk);
        drift::seal(&mut object, &self.seal);
        // A Value always serialises: its keys are strings and its numbers are finite.
        let bytes = serde_json::to_vec(&object).unwrap_or_default();
        Some((place, bytes.into()))
    }

    /// The application whose tracking mark a live object carries, if it is one of this cluster's and judges by us.
    fn claimant(&self, object: &Value, gvk: &Gvk, place: &Place) -> Option<usize> {
        if is_follower(object) {
            return None;
        }
        self.assigned
            .apps
            .iter()
            .position(|a| is_ours(a) && claims(a, object, gvk, place))
    }

    fn forget(&self, state: &mut KindState, place: Place) -> Vec<Fact> {
        let kept = state.kept.remove(&place).is_some();
        if state.is_named(&place) {
            return self.tell_one(state, &place);
        }
        let object = ObjectRef {
            gvk: state.gvk.clone(),
            namespace: place.0,
            name: place.1,
        };
        if kept {
            vec![Fact::ResourceGone(object)]
        } else {
            Vec::new()
        }
    }

    fn tell_one(&self, state: &mut KindState, place: &Place) -> Vec<Fact> {
        if state.heard != Heard::Listed || !state.is_ready() {
            return Vec::new();
        }
        let resource = self.judge(state, place);
        resource
            .into_iter()
            .map(|r| Fact::Resource(Box::new(r)))
            .collect()
    }

    /// Every wanted or claimed object of a kind; nothing before the kind was heard of.
    fn tell_kind(&mut self, gvk: &Gvk) -> Vec<Fact> {
        let Some(mut state) = self.kinds.remove(&kind_of(gvk)) else {
            return Vec::new();
        };
        let mut facts = Vec::new();
        if state.is_ready() {
            let mut places: Vec<Place> = state
                .wanted
                .keys()
                .chain(state.followed.keys())
                .chain(state.kept.keys())
                .cloned()
                .collect();
            places.sort();
            places.dedup();
            let resources = places
                .iter()
                .filter_map(|place| self.judge(&mut state, place))
                .collect();
            facts.push(Fact::Kind {
                gvk: state.gvk.clone(),
                resources,
            });
        }
        self.kinds.insert(kind_of(gvk), state);
        facts
    }

    fn judge(&self, state: &mut KindState, place: &Place) -> Option<Resource> {
        if let Some(known) = state.kept.get(place).and_then(|k| k.last.clone()) {
            return Some(known);
        }
        let live: Option<Value> = state
            .kept
            .get(place)
            .and_then(|k| serde_json::from_slice(&k.bytes).ok());
        let wanted = state.wanted.get(place);
        let index = wanted
            .map(|w| w.app)
            .or_else(|| state.follower(place))
            .or_else(|| self.claimant(live.as_ref()?, &state.gvk, place))?;
        let app = self.assigned.apps.get(index)?;
        let object = ObjectRef {
            gvk: state.gvk.clone(),
            namespace: place.0.clone(),
            name: place.1.clone(),
        };
        let unread = match &state.heard {
            Heard::Unread(message) => Some(message),
            _ => state.blind.get(&place.0),
        };
        let has_last = || live.as_ref().and_then(last::applied).is_some();
        if app.unjudged.is_some() && !is_told(app) && (follows(app) || !has_last()) {
            return None;
        }
        let opinion = state.kept.get(place).map(|k| &k.opinion);
        let health = self.health(&object, app, live.as_ref(), opinion);
        let resource = match unread {
            Some(message) => unknown(object, app, wanted, message),
            None if follows(app) => followed::resource(followed::Entry {
                object,
                app,
                live: live.as_ref(),
                health: health.known,
            }),
            None => self.compare(Case {
                object,
                app,
                wanted,
                live,
                health: health.known,
                ty: &state.ty,
            }),
        };
        state.questions.extend(health.question);
        if let Some(kept) = state.kept.get_mut(place) {
            kept.last = Some(resource.clone());
        }
        Some(resource)
    }

    /// Applications all of whose kinds have been heard, and that were not yet said to be judged with these revisions.
    ///
    /// One without a desired state is said to be heard as well: whatever of it can be told was told.
    fn judged_apps(&mut self) -> Vec<Fact> {
        let mut facts = Vec::new();
        for app in &self.assigned.apps {
            let revisions = match &app.unjudged {
                None => (app.deployed_revision.clone(), app.target_revision.clone()),
                // Told anew for each reason.
                Some(why) => (app.deployed_revision.clone(), why.message.as_str().into()),
            };
            if !(is_ours(app) || is_told(app))
                || self.told.get(&app.app) == Some(&revisions)
                || !self.heard_all(app)
            {
                continue;
            }
            self.told.insert(app.app.clone(), revisions);
            facts.push(Fact::AppJudged {
                app: app.app.clone(),
                deployed: app.deployed_revision.clone(),
                target: app.target_revision.clone(),
                hindered: app.unjudged.clone(),
            });
        }
        facts
    }

    fn heard_all(&self, app: &AppAssignment) -> bool {
        let kinds = app
            .deployed
            .iter()
            .chain(&app.target)
            .map(|d| kind_of(&d.object.gvk));
        let named = app.resources.iter().filter(|_| app.unjudged.is_some());
        kinds
            .chain(named.map(|r| kind_of(&r.object.gvk)))
            .all(|kind| self.kinds.get(&kind).is_some_and(KindState::is_ready))
    }
}

/// Whether we judge an application's objects: by Git or what stands in for it, else by what was last applied.
fn is_ours(app: &AppAssignment) -> bool {
    let may_stand_in = |why: &Unjudged| app.app.kind.is_application() && why.reason.may_stand_in();
    app.unjudged.as_ref().is_none_or(may_stand_in)
}

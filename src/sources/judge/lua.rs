//! The judge's questions to the health rules of argocd-cm, and what it does with the answers.
//!
//! Such a rule runs elsewhere and may take its time, so the judge never waits: it keeps what the rule said of the object before, tells that, and
//! hands the question out; the answer brings the resource again.

use std::sync::Arc;

use serde_json::Value;

use super::{Judge, Kept, Kind, KindState, Place, kind_of};
use crate::domain::{Engine, Fact, Gvk, Health, ObjectRef, Safe};
use crate::health::lua::Answer;
use crate::health::{Checks, Overrides, Verdict};
use crate::sources::assignment::AppAssignment;
use crate::sources::health::HubRules;

/// What the rules of argocd-cm have said of one version of an object.
#[derive(Default)]
pub(super) struct Opinion {
    /// Which version of the object is kept.
    version: u64,
    /// The last answer, perhaps about an older version.
    said: Option<Said>,
    /// The version and rule that were asked about last.
    asked: Option<(u64, Arc<str>)>,
}

/// An answer, and what it was an answer to.
pub(super) struct Said {
    version: u64,
    script: Arc<str>,
    answer: Answer,
}

/// A question that someone else has to put to a rule.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked about.
    pub about: Asked,
    /// The object, sealed.
    pub object: Value,
}

/// What a question is about, to hand back with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    gvk: Gvk,
    place: Place,
    version: u64,
    /// The rule.
    pub script: Arc<str>,
}

/// The health of one object: the code, the words that come with it, and the rule that said so where it is none of Argo CD's own.
pub(super) struct HealthWord {
    pub(super) health: Health,
    pub(super) words: Safe,
    pub(super) by: Option<Safe>,
}

/// What is known of an object's health now, and what has to be asked.
pub(super) struct Known {
    pub(super) known: Option<HealthWord>,
    pub(super) question: Option<Question>,
}

impl Judge {
    /// Takes the health rules of the hubs as they are now; what they say anew is told.
    pub fn rules(&mut self, hubs: HubRules) -> Vec<Fact> {
        self.hubs = hubs;
        let kinds: Vec<Gvk> = self.kinds.values().map(|s| s.gvk.clone()).collect();
        for state in self.kinds.values_mut() {
            state.kept.values_mut().for_each(|kept| kept.last = None);
        }
        kinds.iter().flat_map(|gvk| self.tell_kind(gvk)).collect()
    }

    /// What has to be asked; each question is handed out once.
    pub fn questions(&mut self) -> Vec<Question> {
        let mut questions = Vec::new();
        for state in self.kinds.values_mut() {
            for question in std::mem::take(&mut state.questions) {
                let about = &question.about;
                let Some(kept) = state.kept.get_mut(&about.place) else {
                    continue;
                };
                let this = (about.version, Arc::clone(&about.script));
                if kept.opinion.asked.as_ref() != Some(&this) {
                    kept.opinion.asked = Some(this);
                    questions.push(question);
                }
            }
        }
        questions
    }

    /// Takes an answer; one about a version that is no longer there says nothing.
    pub fn answered(&mut self, asked: Asked, answer: Answer) -> Vec<Fact> {
        let kind: Kind = kind_of(&asked.gvk);
        let Some(mut state) = self.kinds.remove(&kind) else {
            return Vec::new();
        };
        let facts = self.take_answer(&mut state, asked, answer);
        self.kinds.insert(kind, state);
        facts
    }

    fn take_answer(&self, state: &mut KindState, asked: Asked, answer: Answer) -> Vec<Fact> {
        let Some(kept) = state.kept.get_mut(&asked.place) else {
            return Vec::new();
        };
        if kept.opinion.version != asked.version {
            return Vec::new();
        }
        kept.opinion.said = Some(Said {
            version: asked.version,
            script: asked.script,
            answer,
        });
        kept.last = None;
        self.tell_one(state, &asked.place)
    }

    /// What is kept of an object: as it was when its bytes did not change, else with the opinion of before.
    pub(super) fn keep(&mut self, before: Option<Kept>, bytes: Box<[u8]>) -> Kept {
        let said = match before {
            Some(kept) if kept.bytes == bytes => return kept,
            Some(kept) => kept.opinion.said,
            None => None,
        };
        self.turn += 1;
        Kept {
            bytes,
            last: None,
            opinion: Opinion {
                version: self.turn,
                said,
                asked: None,
            },
        }
    }

    /// The health of an object as far as it is known.
    pub(super) fn health(
        &self,
        object: &ObjectRef,
        app: &AppAssignment,
        live: Option<&Value>,
        opinion: Option<&Opinion>,
    ) -> Known {
        let Some(live) = live else {
            return Known {
                known: Some(HealthWord {
                    health: Health::Missing,
                    words: Safe::fixed("Not in the cluster."),
                    by: None,
                }),
                question: None,
            };
        };
        let expressions = self.expressions.of(&app.app);
        if let Some(expressions) = expressions.filter(|_| app.app.kind.engine() == Engine::Flux) {
            let verdict = self.checks.judge_for_kustomization(expressions, live);
            return Known {
                known: Some(worded(&verdict)),
                question: None,
            };
        }
        let overrides = self.hubs.get(&app.app.hub);
        match overrides.and_then(|overrides| asks(&self.checks, overrides, live)) {
            None => Known {
                known: said(&self.checks, live, None),
                question: None,
            },
            Some((key, script)) => {
                let last = opinion.and_then(|o| o.said.as_ref());
                let last = last.filter(|said| said.script == script);
                let version = opinion.map_or(0, |o| o.version);
                let place = (object.namespace.clone(), object.name.clone());
                let question = last
                    .is_none_or(|said| said.version != version)
                    .then(|| Question {
                        about: Asked {
                            gvk: object.gvk.clone(),
                            place,
                            version,
                            script,
                        },
                        object: live.clone(),
                    });
                Known {
                    known: last
                        .and_then(|last| said(&self.checks, live, Some((&key, &last.answer)))),
                    question,
                }
            }
        }
    }
}

fn asks(checks: &Checks, overrides: &Overrides, live: &Value) -> Option<(String, Arc<str>)> {
    let rule = checks.asks(overrides, live)?;
    Some((rule.key.clone(), Arc::clone(&rule.script)))
}

fn said(checks: &Checks, live: &Value, lua: Option<(&str, &Answer)>) -> Option<HealthWord> {
    checks.judge(live, lua).as_ref().map(worded)
}

fn worded(verdict: &Verdict) -> HealthWord {
    HealthWord {
        health: verdict.health,
        words: Safe::new(&verdict.message),
        by: verdict.source.named(),
    }
}

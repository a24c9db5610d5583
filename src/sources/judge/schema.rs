//! The types of custom kinds as the judge knows them: it waits a moment for a type before it tells of a kind, and never for long.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Heard, Judge, KindState, kind_of};
use crate::domain::{Fact, Gvk, Safe, Verdict};
use crate::drift::openapi::CustomSchema;
use crate::drift::schema::Shape;
use crate::sources::schemas::Published;

/// What is known of a kind's type.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum KindType {
    /// It is built in, or nothing of the kind is wanted.
    #[default]
    Known,
    /// The cluster was asked.
    Awaited,
    /// The cluster does not answer in time: the kind is judged as its objects show it.
    Late,
    /// The cluster told it.
    Told(Arc<CustomSchema>),
    /// The cluster tells none, for this reason.
    None(Safe),
}

impl KindType {
    /// Takes whether objects of the kind are wanted.
    pub(super) fn want(&mut self, gvk: &Gvk, wanted: bool) {
        if !wanted || Shape::of(gvk).is_known() {
            *self = Self::Known;
        } else if *self == Self::Known {
            *self = Self::Awaited;
        }
    }

    /// The type, to compare by.
    pub(super) fn schema(&self) -> Option<&CustomSchema> {
        match self {
            Self::Told(schema) => Some(schema),
            _ => None,
        }
    }

    /// Says in a verdict that it was made without the type, and why.
    pub(super) fn remark(&self, verdict: &mut Verdict) {
        if let Self::None(why) = self {
            let remark = format!(
                "Compared without the kind's type, by what its objects show: {}.",
                why.as_str().trim_end_matches('.')
            );
            verdict.message.get_or_insert(remark.into());
        }
    }
}

impl KindState {
    /// Whether the kind can be told of.
    pub(super) fn is_ready(&self) -> bool {
        match self.heard {
            Heard::Nothing => false,
            Heard::Unread(_) => true,
            Heard::Listed => self.ty != KindType::Awaited,
        }
    }
}

impl Judge {
    /// The custom kinds of which objects are wanted: those whose types the cluster is asked for.
    pub fn custom_kinds(&self) -> BTreeSet<Gvk> {
        let custom = |state: &&KindState| state.ty != KindType::Known;
        let kinds = self.kinds.values().filter(custom);
        kinds.map(|state| state.gvk.clone()).collect()
    }

    /// Whether a kind waits for its type.
    pub fn awaits_types(&self) -> bool {
        self.kinds.values().any(|s| s.ty == KindType::Awaited)
    }

    /// Takes what the cluster says of a kind's type.
    pub fn published(&mut self, gvk: &Gvk, published: Published) -> Vec<Fact> {
        let told = match published {
            Published::Schema(schema) => KindType::Told(schema),
            Published::Nothing(why) => KindType::None(why),
        };
        match self.kinds.get_mut(&kind_of(gvk)) {
            Some(state) if state.gvk == *gvk && state.ty != KindType::Known => {
                if state.ty == told {
                    return Vec::new();
                }
                state.ty = told;
            }
            _ => return Vec::new(),
        }
        self.judge_again(gvk)
    }

    /// No longer waits for types: what is known by now is told.
    pub fn wait_no_longer(&mut self) -> Vec<Fact> {
        let awaited = |state: &&mut KindState| state.ty == KindType::Awaited;
        let late: Vec<Gvk> = self
            .kinds
            .values_mut()
            .filter(awaited)
            .map(|state| {
                state.ty = KindType::Late;
                state.gvk.clone()
            })
            .collect();
        let again = late.iter().flat_map(|gvk| self.judge_again(gvk));
        again.collect()
    }

    fn judge_again(&mut self, gvk: &Gvk) -> Vec<Fact> {
        if let Some(state) = self.kinds.get_mut(&kind_of(gvk)) {
            state.kept.values_mut().for_each(|kept| kept.last = None);
        }
        let mut facts = self.tell_kind(gvk);
        facts.extend(self.judged_apps());
        facts
    }
}

//! The values of a field of configuration, read where somebody looks: one question at a time, for the cells that are seen.

use std::collections::BTreeMap;

use crate::app::field::Field;
use crate::app::inquiry::{Answer, FieldReading, Question};
use crate::app::msg::{Effect, WishTarget};
use crate::app::screens::Ctx;
use crate::domain::{AppRef, Safe};
use crate::fleet::Placement;

/// Applications of one question.
const AT_ONCE: usize = 64;
/// Objects of one application that are asked for a value.
const OBJECTS: usize = 4;

/// What an application has at the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    /// The value.
    Here(Safe),
    /// It has no such object, or the object no such field.
    Nothing,
    /// Nobody knows, and why.
    Silent(Safe),
}

/// The field, and what was read of it.
#[derive(Debug, Default)]
pub struct Readings {
    field: Option<Field>,
    known: BTreeMap<AppRef, Reading>,
    asking: Option<(u64, Vec<AppRef>)>,
    /// Whether everything that is seen is known or being asked for.
    settled: bool,
}

impl Readings {
    /// The field.
    pub fn field(&self) -> Option<&Field> {
        self.field.as_ref()
    }

    /// Takes another field.
    pub(super) fn choose(&mut self, field: Field) {
        *self = Self {
            field: Some(field),
            ..Self::default()
        };
    }

    /// Forgets what was read.
    pub(super) fn forget(&mut self) {
        self.known.clear();
        self.asking = None;
        self.settled = false;
    }

    /// Something else is seen.
    pub(super) fn look_again(&mut self) {
        self.settled = false;
    }

    /// Whether it wants to ask, as far as is known without looking.
    pub(super) fn wants(&self) -> bool {
        self.field.is_some() && !self.settled && self.asking.is_none()
    }

    /// What an application has; none while it was not asked.
    pub fn of(&self, app: &AppRef) -> Option<&Reading> {
        self.known.get(app)
    }

    /// Orders what is seen and was not asked for yet.
    pub(super) fn owed<'p>(
        &mut self,
        ask: u64,
        seen: impl Iterator<Item = &'p Placement>,
        ctx: &Ctx<'_>,
    ) -> Vec<Effect> {
        let Some(field) = self.field.clone().filter(|_| self.asking.is_none()) else {
            return Vec::new();
        };
        let mut targets = Vec::new();
        let mut apps = Vec::new();
        for placement in seen.filter(|p| p.current) {
            if self.known.contains_key(&placement.app) {
                continue;
            }
            if apps.len() == AT_ONCE {
                break;
            }
            let meant = meant(&field, placement, ctx);
            if meant.is_empty() {
                self.known.insert(placement.app.clone(), Reading::Nothing);
                continue;
            }
            apps.push(placement.app.clone());
            targets.extend(meant);
        }
        self.settled = apps.len() < AT_ONCE;
        if apps.is_empty() {
            return Vec::new();
        }
        self.asking = Some((ask, apps));
        let path = Safe::new(field.path());
        let question = Question::Field { targets, path };
        vec![Effect::Ask { ask, question }]
    }

    /// Takes an answer, when it was waited for.
    pub fn answer(&mut self, ask: u64, result: &Result<Answer, Safe>) {
        let Some((_, apps)) = self.asking.take_if(|(own, _)| *own == ask) else {
            return;
        };
        let read = match result {
            Ok(Answer::Field(read)) => read.as_slice(),
            Ok(_) => &[],
            Err(why) => {
                let silent = apps
                    .into_iter()
                    .map(|app| (app, Reading::Silent(why.clone())));
                self.known.extend(silent);
                return;
            }
        };
        for app in apps {
            let own = read.iter().filter(|(target, _)| target.app == app);
            let reading = summed(own.map(|(_, reading)| reading));
            self.known.insert(app, reading);
        }
    }
}

/// The objects of an application that the field means. Values of Secrets are not asked for, whatever was typed.
fn meant(field: &Field, placement: &Placement, ctx: &Ctx<'_>) -> Vec<WishTarget> {
    let resources = ctx.fleet.resources_of(&placement.app).into_iter();
    let objects = resources.map(|resource| resource.object.clone());
    let meant = objects.filter(|object| field.means(object) && &*object.gvk.kind != "Secret");
    let target = |object| WishTarget {
        cluster: placement.cluster.clone(),
        app: placement.app.clone(),
        object,
    };
    meant.take(OBJECTS).map(target).collect()
}

/// What several objects say together: a value before silence, silence before nothing.
fn summed<'r>(readings: impl Iterator<Item = &'r FieldReading>) -> Reading {
    let mut sum = Reading::Nothing;
    for reading in readings {
        match (reading, &sum) {
            (Ok(Some(value)), Reading::Here(other)) if value != other => {
                sum = Reading::Here(format!("{other} | {value}").into());
            }
            (Ok(Some(value)), _) => sum = Reading::Here(value.clone()),
            (Err(why), Reading::Nothing) => sum = Reading::Silent(why.clone()),
            (Ok(None) | Err(_), _) => {}
        }
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_before_silence_and_silence_before_nothing() {
        let (value, none) = (Ok(Some(Safe::fixed("info"))), Ok(None));
        let silent = Err(Safe::fixed("It does not answer."));
        assert_eq!(
            summed([&none, &silent, &value].into_iter()),
            Reading::Here("info".into())
        );
        assert!(matches!(
            summed([&none, &silent].into_iter()),
            Reading::Silent(_)
        ));
        assert_eq!(summed([&none].into_iter()), Reading::Nothing);
        let other = Ok(Some(Safe::fixed("debug")));
        assert_eq!(
            summed([&value, &other].into_iter()),
            Reading::Here("info | debug".into())
        );
    }
}

//! How far a live object is from what is wanted: the same judge as the fleet's verdicts.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, OnceLock};

use serde_json::Value;

use super::Unsealed;
use crate::domain::{Change, ChangeOp, DriftState};
use crate::drift::openapi::CustomSchema;
use crate::drift::{Comparison, IgnoreRules, SealKey, judge, seal};

/// How an object is compared: what is declared not to be a difference, and the type of a custom kind.
#[derive(Clone, Debug, Default)]
pub struct Measure {
    rules: Arc<IgnoreRules>,
    custom: Option<Arc<CustomSchema>>,
}

impl Measure {
    /// By these rules, and by this type.
    pub(super) fn new(rules: IgnoreRules, custom: Option<Arc<CustomSchema>>) -> Self {
        Self {
            rules: Arc::new(rules),
            custom,
        }
    }

    /// By the type alone: nothing is left out.
    pub(super) fn without_rules(&self) -> Self {
        Self {
            rules: Arc::default(),
            custom: self.custom.clone(),
        }
    }

    /// Whether anything is declared not to be a difference.
    pub(super) fn leaves_out(&self) -> bool {
        !self.rules.is_empty()
    }

    /// The counted differences between what is wanted and what is live, Secret values as marks.
    pub(super) fn changes(&self, wanted: &Value, live: &Value) -> Vec<Change> {
        let (wanted, live) = (sealed(wanted), sealed(live));
        let verdict = judge(&Comparison {
            deployed: Some(&wanted),
            target: Some(&wanted),
            live: Some(&live),
            rules: &self.rules,
            custom: self.custom.as_deref(),
        });
        if verdict.states.contains(&DriftState::Unknown) {
            return vec![incomparable()];
        }
        verdict.changes
    }
}

/// What an object must be like once a change is made.
#[derive(Clone, Debug)]
pub struct Yardstick {
    wanted: Option<Unsealed>,
    measure: Measure,
}

impl Yardstick {
    /// An object that must equal the manifest by this measure.
    pub fn equal_to(wanted: Unsealed, measure: Measure) -> Self {
        Self {
            wanted: Some(wanted),
            measure,
        }
    }

    /// An object that must be gone.
    pub fn gone() -> Self {
        Self {
            wanted: None,
            measure: Measure::default(),
        }
    }

    /// Whether the object must be gone.
    pub fn wants_it_gone(&self) -> bool {
        self.wanted.is_none()
    }

    /// The manifest, `None` when the object must be gone.
    pub(super) fn wanted(&self) -> Option<&Unsealed> {
        self.wanted.as_ref()
    }

    /// Counted differences of a live object, `0` when it is as wanted.
    pub(super) fn differs(&self, live: Option<&Value>) -> usize {
        match (&self.wanted, live) {
            (None, None) => 0,
            (None, Some(_)) | (Some(_), None) => 1,
            (Some(wanted), Some(live)) => self.measure.changes(wanted.expose(), live).len(),
        }
    }

    /// List entries that somebody added and that count: an apply leaves them in place.
    pub(super) fn additions(&self, live: &Value) -> Vec<Change> {
        let wanted = self.wanted.as_ref();
        let wanted = wanted.map(|w| self.measure.changes(w.expose(), live));
        wanted
            .unwrap_or_default()
            .into_iter()
            .filter(|c| c.op == ChangeOp::Added)
            .collect()
    }
}

/// Objects that cannot be compared are never called equal.
fn incomparable() -> Change {
    Change {
        path: "apiVersion".to_owned(),
        op: ChangeOp::Changed,
        desired: None,
        live: None,
        owner: None,
        owner_inferred: false,
    }
}

fn sealed(object: &Value) -> Value {
    let mut object = object.clone();
    seal(&mut object, key());
    object
}

/// A key of this process, for tokens that live as long as one comparison.
fn key() -> &'static SealKey {
    static KEY: OnceLock<SealKey> = OnceLock::new();
    KEY.get_or_init(|| {
        let mut key = [0; 32];
        for (part, number) in key.chunks_mut(8).zip(0_u64..) {
            part.copy_from_slice(&RandomState::new().hash_one(number).to_be_bytes());
        }
        SealKey::new(key)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::fixtures::{desired_deployment, live_deployment};
    use serde_json::json;

    fn deployment() -> Yardstick {
        Yardstick::equal_to(Unsealed::new(desired_deployment()), Measure::default())
    }

    #[test]
    fn a_scaled_deployment_differs_in_one_field_and_defaults_do_not_count() {
        assert_eq!(deployment().differs(Some(&live_deployment())), 1);
        let mut put_back = live_deployment();
        put_back["spec"]["replicas"] = json!(3);
        assert_eq!(deployment().differs(Some(&put_back)), 0);
    }

    #[test]
    fn missing_and_gone_are_judged_by_presence() {
        assert_eq!(
            (deployment().differs(None), Yardstick::gone().differs(None)),
            (1, 0)
        );
        assert_eq!(Yardstick::gone().differs(Some(&live_deployment())), 1);
    }

    #[test]
    fn what_the_application_ignores_does_not_count() {
        let rules =
            json!([{"group": "apps", "kind": "Deployment", "jsonPointers": ["/spec/replicas"]}]);
        let measure = Measure::new(IgnoreRules::from_spec(&rules), None);
        let lenient = Yardstick::equal_to(Unsealed::new(desired_deployment()), measure);
        assert_eq!(lenient.differs(Some(&live_deployment())), 0);
    }

    #[test]
    fn an_added_list_entry_is_an_addition_and_a_changed_field_is_none() {
        let mut wanted = desired_deployment();
        wanted["spec"]["template"]["spec"]["containers"][0]["env"] =
            json!([{"name": "LOG_LEVEL", "value": "info"}]);
        let yardstick = Yardstick::equal_to(Unsealed::new(wanted.clone()), Measure::default());
        let mut live = live_deployment();
        live["spec"]["template"] = wanted["spec"]["template"].clone();
        live["spec"]["template"]["spec"]["containers"][0]["env"] =
            json!([{"name": "LOG_LEVEL", "value": "info"}, {"name": "DEBUG", "value": "1"}]);
        live["metadata"]["managedFields"] = json!([]);
        let paths = |changes: Vec<Change>| changes.into_iter().map(|c| c.path).collect::<Vec<_>>();
        assert_eq!(
            paths(yardstick.additions(&live)),
            ["spec.template.spec.containers[name=app].env[name=DEBUG]"]
        );
    }

    #[test]
    fn secrets_are_compared_by_value_and_shown_as_marks() {
        let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, "data": {"password": value}});
        let measure = Measure::default();
        let found = measure.changes(&secret("aHVudGVyMg=="), &secret("b3RoZXI="));
        assert_eq!(found.len(), 1);
        assert!(!format!("{found:?}").contains("aHVu"));
        let same = measure.changes(&secret("aHVudGVyMg=="), &secret("aHVudGVyMg=="));
        assert!(same.is_empty());
    }
}

//! Who speaks about an object's health, in order.

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use super::cel::HealthChecks;
use super::lua::Answer;
use super::rules::{RuleName, Rules};
use super::{LuaRule, Overrides, built_in, is_being_deleted, kstatus};
use crate::domain::{Health, Safe};

/// A health, its message and who said so. The message is raw text of the cluster or of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The code.
    pub health: Health,
    /// The words that come with it; may be empty.
    pub message: String,
    /// Who said so.
    pub source: Source,
}

/// Which rule spoke.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The object is being deleted, whatever its kind.
    Deletion,
    /// A rule of a file: the person's own, or one that comes with the program.
    Rule(RuleName),
    /// A Lua rule of the hub's argocd-cm, by its group and kind.
    Lua(String),
    /// A check of Argo CD's own.
    BuiltIn,
    /// kstatus, which Flux computes.
    Kstatus,
    /// The expressions of the Kustomization that applied the object.
    Expressions,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Deletion | Self::BuiltIn => f.write_str("argo built-in"),
            Self::Rule(name) if name.user => write!(f, "own rule {} ({})", name.file, name.rule),
            Self::Rule(name) => write!(f, "rule {} ({})", name.file, name.rule),
            Self::Kstatus => f.write_str("kstatus"),
            Self::Expressions => f.write_str("the Kustomization's healthCheckExprs"),
            Self::Lua(key) => write!(f, "argocd-cm lua {key}"),
        }
    }
}

impl Source {
    /// The rule that spoke, in words; none for Argo CD's own checks, which speak about almost everything.
    pub fn named(&self) -> Option<Safe> {
        match self {
            Self::Deletion | Self::BuiltIn => None,
            Self::Rule(_) | Self::Lua(_) | Self::Kstatus | Self::Expressions => {
                Some(Safe::from(self.to_string()))
            }
        }
    }
}

/// The checks of one sitting: what comes with the program, and the person's own rules.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    own: Arc<Rules>,
}

impl Checks {
    /// Checks with the person's own rules.
    pub fn new(own: Arc<Rules>) -> Self {
        Self { own }
    }

    /// The Lua rule that has to be asked about an object before it can be judged.
    pub fn asks<'o>(&self, overrides: &'o Overrides, object: &Value) -> Option<&'o LuaRule> {
        let rule = overrides.rule(object)?;
        let spoken = is_being_deleted(object) || self.own.judge(object).is_some();
        (!spoken).then_some(rule)
    }

    /// The health of an object; `lua` is what the rule of [`Checks::asks`] said. `None` for a kind that has none.
    pub fn judge(&self, object: &Value, lua: Option<(&str, &Answer)>) -> Option<Verdict> {
        if is_being_deleted(object) {
            return Some(Verdict {
                health: Health::Progressing,
                message: "Pending deletion".to_owned(),
                source: Source::Deletion,
            });
        }
        if let Some(verdict) = ruled(&self.own, object) {
            return Some(verdict);
        }
        match lua {
            Some((key, answer)) => by_lua(key, answer),
            None => ruled(Rules::built_in(), object).or_else(|| by_argo(object)),
        }
    }
}

impl Checks {
    /// The health of an object that Flux applied: the person's own rules, then the tables for custom kinds, then kstatus. Every kind has one.
    pub fn judge_for_flux(&self, object: &Value) -> Verdict {
        let ruled = || ruled(&self.own, object).or_else(|| ruled(Rules::built_in(), object));
        let spoken = (!is_being_deleted(object)).then(ruled).flatten();
        spoken.unwrap_or_else(|| by_kstatus(object))
    }

    /// The health of an object that a Kustomization of Flux applied: by its own expressions where they name the kind, else as of everything that
    /// Flux applied. An expression that cannot be evaluated leaves it unknown, as Flux's health check fails then.
    pub fn judge_for_kustomization(&self, checks: &HealthChecks, object: &Value) -> Verdict {
        let Some(told) = checks.status(object) else {
            return self.judge_for_flux(object);
        };
        let (health, message) = match told {
            Ok(status) => (status.health(), String::new()),
            Err(why) => (Health::Unknown, why),
        };
        Verdict {
            health,
            message,
            source: Source::Expressions,
        }
    }
}

/// A Pod that cannot be scheduled has failed at once: nobody looks again after the seconds that kstatus gives it.
fn by_kstatus(object: &Value) -> Verdict {
    let outcome = kstatus::compute(object, Timestamp::MAX);
    Verdict {
        health: outcome.status.health(),
        message: outcome.message,
        source: Source::Kstatus,
    }
}

fn ruled(rules: &Rules, object: &Value) -> Option<Verdict> {
    let ((health, message), name) = rules.judge(object)?;
    Some(Verdict {
        health,
        message,
        source: Source::Rule(name.clone()),
    })
}

fn by_argo(object: &Value) -> Option<Verdict> {
    let (health, message) = built_in(object)?;
    Some(Verdict {
        health,
        message,
        source: Source::BuiltIn,
    })
}

/// A rule that says nothing leaves the object without health; one that fails leaves it unknown, as in Argo CD.
fn by_lua(key: &str, answer: &Answer) -> Option<Verdict> {
    let (health, message) = match answer {
        Ok(report) => report.clone()?,
        Err(fault) => (Health::Unknown, fault.to_string()),
    };
    Some(Verdict {
        health,
        message,
        source: Source::Lua(key.to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::lua::LuaFault;
    use serde_json::json;

    fn own() -> Checks {
        let file = "group: apps\nkinds:\n  Deployment:\n    - {when: '.spec.paused = true', Suspended: 'asleep'}\n    - {Healthy: 'ours'}\n";
        let (rules, errors) = Rules::user([("apps.yaml", file)]);
        assert!(errors.is_empty(), "{errors:?}");
        Checks::new(Arc::new(rules))
    }

    fn lua() -> Overrides {
        let map = json!({"data": {"resource.customizations.health.apps_Deployment": "return {}"}});
        Overrides::of(&map).0
    }

    #[test]
    fn own_rules_come_before_lua_and_lua_before_the_tables_and_argo() {
        let deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"paused": true}});
        assert!(own().asks(&lua(), &deployment).is_none());
        let verdict = own().judge(&deployment, None).unwrap();
        assert_eq!(
            (verdict.health, verdict.message.as_str()),
            (Health::Suspended, "asleep")
        );
        assert_eq!(
            verdict.source.to_string(),
            "own rule apps.yaml (apps/Deployment)"
        );

        let plain = Checks::default();
        let overrides = lua();
        let rule = plain.asks(&overrides, &deployment).unwrap();
        let said = Ok(Some((Health::Degraded, "by lua".to_owned())));
        let verdict = plain.judge(&deployment, Some((&rule.key, &said))).unwrap();
        assert_eq!(verdict.source, Source::Lua("apps/Deployment".to_owned()));
        assert_eq!(plain.judge(&deployment, Some((&rule.key, &Ok(None)))), None);
        let failed = plain
            .judge(&deployment, Some((&rule.key, &Err(LuaFault::Memory))))
            .unwrap();
        assert_eq!(failed.health, Health::Unknown);
        assert_eq!(
            plain.judge(&deployment, None).unwrap().source,
            Source::BuiltIn
        );
    }

    #[test]
    fn what_flux_applied_is_told_by_kstatus_where_no_rule_speaks() {
        let told = |checks: &Checks, object: &Value| {
            let verdict = checks.judge_for_flux(object);
            (verdict.health, verdict.source.to_string())
        };
        let ingress = json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"});
        assert_eq!(
            Checks::default().judge(&ingress, None).unwrap().health,
            Health::Progressing
        );
        assert_eq!(
            told(&Checks::default(), &ingress),
            (Health::Healthy, "kstatus".to_owned())
        );
        let deployment =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "spec": {"paused": true}});
        let own_rule = "own rule apps.yaml (apps/Deployment)".to_owned();
        assert_eq!(told(&own(), &deployment), (Health::Suspended, own_rule));
        let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate"});
        assert!(
            told(&Checks::default(), &certificate)
                .1
                .starts_with("rule cert-manager")
        );
        let gone =
            json!({"kind": "ConfigMap", "metadata": {"deletionTimestamp": "2026-11-20T09:30:00Z"}});
        assert_eq!(told(&own(), &gone).0, Health::Progressing);
    }

    #[test]
    fn an_object_that_is_being_deleted_asks_nobody() {
        let gone = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"deletionTimestamp": "2026-11-20T09:30:00Z"}});
        assert!(Checks::default().asks(&lua(), &gone).is_none());
        assert_eq!(own().judge(&gone, None).unwrap().source, Source::Deletion);
    }

    #[test]
    fn a_rule_of_the_tables_is_named_by_file_and_kind() {
        let certificate = json!({"apiVersion": "cert-manager.io/v1", "kind": "Certificate"});
        let verdict = Checks::default().judge(&certificate, None).unwrap();
        assert_eq!(
            verdict.source.to_string(),
            "rule cert-manager.io.yaml (cert-manager.io/Certificate)"
        );
        let bucket =
            json!({"apiVersion": "storage.cnrm.cloud.google.com/v1beta1", "kind": "StorageBucket"});
        let verdict = Checks::default().judge(&bucket, None).unwrap();
        assert_eq!(
            verdict.source.to_string(),
            "rule cnrm.cloud.google.com.yaml (*.cnrm.cloud.google.com/*)"
        );
    }
}

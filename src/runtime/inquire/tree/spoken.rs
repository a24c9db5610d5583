//! Who tells the health of a branch: the expressions of its Flux Kustomization where they name its kind, else the rules of the fleet.

use serde::Deserialize;
use serde_json::Value;

use super::super::{connection, json};
use crate::app::inquiry::TreeWish;
use crate::domain::{AppKind, Engine, Health, Safe};
use crate::health::cel::{self, Expressions};
use crate::runtime::inquire::text;
use crate::sources::Sources;

/// The rules of one tree.
pub(super) struct Speaker<'a> {
    sources: &'a Sources,
    wish: &'a TreeWish,
    expressions: Vec<HealthCheck>,
    /// Whether the expressions could be read.
    is_told_all: bool,
}

/// The health of one object, the words that come with it, and the rule that said so where it is none of Argo CD's own.
pub(super) struct Told {
    pub(super) health: Health,
    pub(super) words: Safe,
    pub(super) by: Option<Safe>,
}

/// One entry of a Kustomization's `spec.healthCheckExprs`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct HealthCheck {
    api_version: String,
    kind: String,
    #[serde(flatten)]
    expressions: Expressions,
}

impl<'a> Speaker<'a> {
    /// Reads the expressions from the Kustomization's own cluster; other applications have none. What cannot be read is told in a sentence,
    /// and the rules of the fleet speak alone.
    pub(super) async fn of(sources: &'a Sources, wish: &'a TreeWish) -> (Self, Option<Safe>) {
        let read = if wish.app.kind == AppKind::Kustomization {
            expressions(sources, wish).await
        } else {
            Ok(Vec::new())
        };
        let (expressions, unread) = match read {
            Ok(expressions) => (expressions, None),
            Err(why) => {
                let words =
                    format!("Health is told without the Kustomization's healthCheckExprs: {why}");
                (Vec::new(), Some(words.into()))
            }
        };
        let speaker = Self {
            sources,
            wish,
            expressions,
            is_told_all: unread.is_none(),
        };
        (speaker, unread)
    }

    /// The health of an object this deep in the tree.
    pub(super) async fn health(&self, depth: usize, object: &Value) -> Option<Told> {
        // The expressions are about what the Kustomization applies, which stands at the top.
        let named = |check: &&HealthCheck| {
            check.api_version == text(object, "/apiVersion") && check.kind == text(object, "/kind")
        };
        if let Some(check) = self.expressions.iter().filter(|_| depth == 0).find(named) {
            return Some(by_expressions(object, &check.expressions));
        }
        let rules = self.sources.health();
        // Where expressions may say otherwise, kstatus would call what it does not know healthy.
        let by_flux = self.is_told_all && self.wish.app.kind.engine() == Engine::Flux;
        let verdict = if depth == 0 && by_flux {
            rules.checks.judge_for_flux(object)
        } else {
            rules.told(&self.wish.app.hub, object).await?
        };
        Some(Told {
            health: verdict.health,
            words: Safe::new(&verdict.message),
            by: verdict.source.named(),
        })
    }
}

async fn expressions(sources: &Sources, wish: &TreeWish) -> Result<Vec<HealthCheck>, Safe> {
    let connection = connection(sources, &wish.app.hub)?;
    let (namespace, name) = (&wish.app.namespace, &wish.app.name);
    let path = format!(
        "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations/{name}"
    );
    let kustomization = json(&connection, &path).await.map_err(|f| f.sentence)?;
    let checks = kustomization.pointer("/spec/healthCheckExprs");
    let Some(checks) = checks.filter(|c| !c.is_null()) else {
        return Ok(Vec::new());
    };
    Vec::deserialize(checks).map_err(|e| {
        format!("The healthCheckExprs of Kustomization {namespace}/{name} cannot be read: {e}.")
            .into()
    })
}

/// As Flux tells it, in Argo CD's words.
fn by_expressions(object: &Value, expressions: &Expressions) -> Told {
    let (health, words) = match cel::status(object, expressions) {
        Ok(status) => (status.health(), Safe::default()),
        Err(why) => (Health::Unknown, why.into()),
    };
    Told {
        health,
        words,
        by: Some(Safe::fixed("the Kustomization's healthCheckExprs")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn expressions_are_read_and_tell_health() {
        let checks: Vec<HealthCheck> = serde_json::from_value(json!([{
            "apiVersion": "edge.example/v1", "kind": "Site",
            "failed": "status.phase == 'Broken'", "current": "status.phase == 'Up'",
        }]))
        .unwrap();
        let health = |phase: &str| {
            let site = json!({"status": {"phase": phase}});
            by_expressions(&site, &checks[0].expressions).health
        };
        assert_eq!(health("Up"), Health::Healthy);
        assert_eq!(health("Broken"), Health::Degraded);
        assert_eq!(health("Starting"), Health::Progressing);
    }

    #[test]
    fn an_expression_that_cannot_be_evaluated_is_unknown_and_named() {
        let expressions = Expressions {
            current: "status.".to_owned(),
            ..Expressions::default()
        };
        let told = by_expressions(&json!({"status": {}}), &expressions);
        assert_eq!(told.health, Health::Unknown);
        assert!(told.words.as_str().contains("status."), "{}", told.words);
    }
}

//! Who tells the health of a branch: the expressions of its Flux Kustomization where they name its kind, else the rules of the fleet.

use serde_json::Value;

use super::super::{connection, json};
use crate::app::inquiry::TreeWish;
use crate::domain::{AppKind, Engine, Health, Safe};
use crate::health::cel::HealthChecks;
use crate::sources::Sources;

/// The rules of one tree.
pub(super) struct Speaker<'a> {
    sources: &'a Sources,
    wish: &'a TreeWish,
    /// The expressions of the Kustomization, perhaps none at all; nothing where they cannot be read.
    expressions: Option<HealthChecks>,
}

/// The health of one object, the words that come with it, and the rule that said so where it is none of Argo CD's own.
pub(super) struct Told {
    pub(super) health: Health,
    pub(super) words: Safe,
    pub(super) by: Option<Safe>,
}

impl<'a> Speaker<'a> {
    /// Reads the expressions from the Kustomization's own cluster; other applications have none. What cannot be read is told in a sentence,
    /// and the rules of the fleet speak alone.
    pub(super) async fn of(sources: &'a Sources, wish: &'a TreeWish) -> (Self, Option<Safe>) {
        let read = if wish.app.kind == AppKind::Kustomization {
            expressions(sources, wish).await
        } else {
            Ok(HealthChecks::default())
        };
        let (expressions, unread) = match read {
            Ok(expressions) => (Some(expressions), None),
            Err(why) => {
                let words =
                    format!("Health is told without the Kustomization's healthCheckExprs: {why}");
                (None, Some(words.into()))
            }
        };
        let speaker = Self {
            sources,
            wish,
            expressions,
        };
        (speaker, unread)
    }

    /// The health of an object this deep in the tree.
    pub(super) async fn health(&self, depth: usize, object: &Value) -> Option<Told> {
        let rules = self.sources.health();
        // The expressions are about what the Kustomization applies, which stands at the top. Where some cannot be read they may say otherwise,
        // and kstatus would call what it does not know healthy.
        let of_flux = self.wish.app.kind.engine() == Engine::Flux;
        let expressions = self.expressions.as_ref().filter(|_| depth == 0 && of_flux);
        let verdict = match expressions {
            Some(expressions) => rules.checks.judge_for_kustomization(expressions, object),
            None => rules.told(&self.wish.app.hub, object).await?,
        };
        Some(Told {
            health: verdict.health,
            words: Safe::new(&verdict.message),
            by: verdict.source.named(),
        })
    }
}

async fn expressions(sources: &Sources, wish: &TreeWish) -> Result<HealthChecks, Safe> {
    let connection = connection(sources, &wish.app.hub)?;
    let (namespace, name) = (&wish.app.namespace, &wish.app.name);
    let path = format!(
        "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/{namespace}/kustomizations/{name}"
    );
    let kustomization = json(&connection, &path).await.map_err(|f| f.sentence)?;
    let checks = kustomization.pointer("/spec/healthCheckExprs");
    let Some(checks) = checks.filter(|c| !c.is_null()) else {
        return Ok(HealthChecks::default());
    };
    HealthChecks::read(checks).map_err(|e| {
        format!("The healthCheckExprs of Kustomization {namespace}/{name} cannot be read: {e}.")
            .into()
    })
}

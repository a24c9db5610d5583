//! The runs of a HelmRelease: its chart, then each post-renderer, and both again with the counterparts of what Secrets gave.

use std::sync::Arc;

use serde_json::Value;

use super::{Shop, missing};
use crate::desired::program::Workplace;
use crate::desired::release::Release;
use crate::desired::release::finish::{Printed, Runs, take_in};
use crate::desired::render::{Content, Secrets};
use crate::domain::{Unjudged, UnjudgedReason};

impl Shop {
    /// What a HelmRelease installs.
    ///
    /// # Errors
    /// As for a chart; where values of Secrets went in, what the program says is not repeated.
    pub(super) async fn release(
        self: &Arc<Self>,
        plan: &Release,
        secrets: &Secrets,
    ) -> Result<Content, Unjudged> {
        let laid = plan.clone();
        let (place, ()) = self
            .laid_out(move |place, copy| laid.lay_out(place, copy))
            .await?;
        let key = match secrets {
            Secrets::Sealed(key) => Some(key.clone()),
            Secrets::Raw => None,
        };
        let runs = self.release_runs(plan, &place, key.is_some()).await?;
        drop(place);
        let plan = plan.clone();
        self.parsed(Vec::new(), secrets, move |reading, _| {
            take_in(reading, &plan, &runs, key.as_ref())
        })
        .await
    }

    async fn release_runs(
        &self,
        plan: &Release,
        place: &Workplace,
        sealed: bool,
    ) -> Result<Runs, Unjudged> {
        let values = plan.values();
        let clear = self.printed(plan, place, &values.clear).await;
        let clear = clear.map_err(|why| plan.said(why))?;
        let again = async |values: &Option<Value>| match values {
            Some(values) if sealed => Some(self.printed(plan, place, values).await),
            _ => None,
        };
        Ok(Runs {
            clear,
            changed: again(&values.changed).await,
            flipped: again(&values.flipped).await,
        })
    }

    /// The chart with these values, through all post-renderers.
    async fn printed(
        &self,
        plan: &Release,
        place: &Workplace,
        values: &Value,
    ) -> Result<Printed, Unjudged> {
        let file = plan.file();
        let run = plan.run(self.helm_program()?, place, values);
        let text = self.run(&run, "helm template", &file).await?;
        let mut printed = Printed::of(plan, &text)?;
        for number in 0..plan.post_runs() {
            if printed.templates.trim().is_empty() {
                break;
            }
            let program = self.kustomizer().ok_or_else(|| {
                missing(
                    UnjudgedReason::NeedsKustomize,
                    "The HelmRelease has post-renderers, and those need `kustomize` or `kubectl`",
                    "kustomize",
                )
            })?;
            let input = std::mem::take(&mut printed.templates).into_bytes();
            let run = plan.post_run(number, program, place, input);
            let text = self.run(&run, "kustomize build", &file).await?;
            printed.templates = String::from_utf8_lossy(&text).into_owned();
        }
        Ok(printed)
    }
}

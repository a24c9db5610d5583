//! What the hubs declare in argocd-cm about comparing, as the judge uses it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::{Judge, Kept};
use crate::domain::{ClusterId, CompareMode, Engine, Gvk, Handling, Name, Verdict};
use crate::drift::argo::Settings;
use crate::drift::argo::mode::Installation;
use crate::drift::{self, IgnoreRules, SealKey, hooks};
use crate::sources::assignment::{AppAssignment, ClusterAssignments};

/// The settings of each hub, read once for each text.
#[derive(Default)]
pub(super) struct HubSettings(HashMap<ClusterId, (Arc<BTreeMap<Name, Name>>, Settings)>);

impl HubSettings {
    /// Reads what changed, and forgets hubs that nothing is judged for.
    pub(super) fn take(&mut self, assigned: &ClusterAssignments) {
        let is_there = |hub: &ClusterId| assigned.apps.iter().any(|a| a.app.hub == *hub);
        self.0.retain(|hub, _| is_there(hub));
        let of_argo = |app: &&Arc<AppAssignment>| app.app.kind.engine() == Engine::Argo;
        for app in assigned.apps.iter().filter(of_argo) {
            let texts = &app.tracking.comparing;
            let known = self.0.get(&app.app.hub);
            if known.is_none_or(|(read, _)| read != texts) {
                let read = Settings::of_texts(texts.iter().map(|(k, v)| (&**k, &**v)));
                for problem in read.problems() {
                    tracing::warn!(hub = %app.app.hub, problem, "argocd-cm");
                }
                self.0
                    .insert(app.app.hub.clone(), (Arc::clone(texts), read));
            }
        }
    }

    /// What is declared to be no drift of an application.
    pub(super) fn rules(&self, app: &AppAssignment) -> IgnoreRules {
        let own = app.ignore_differences.as_ref();
        let rules = own.map(IgnoreRules::from_spec).unwrap_or_default();
        match self.of(app) {
            Some(settings) => settings.complete(rules),
            None => rules,
        }
    }

    /// Annotations of Secrets that any hub calls sensitive.
    fn sensitive(&self) -> Vec<String> {
        let all = self.0.values().flat_map(|(_, s)| &s.sensitive_annotations);
        let mut all: Vec<String> = all.cloned().collect();
        all.sort();
        all.dedup();
        all
    }

    fn of(&self, app: &AppAssignment) -> Option<&Settings> {
        // What argocd-cm says is nothing to Flux on the same cluster.
        let hub = Some(&app.app.hub).filter(|_| app.app.kind.engine() == Engine::Argo)?;
        self.0.get(hub).map(|(_, settings)| settings)
    }
}

impl Judge {
    /// Takes the settings of the hubs; Secrets that are kept are sealed by them at once.
    pub(super) fn take_settings(&mut self, assigned: &ClusterAssignments) {
        self.settings.take(assigned);
        let sensitive = self.settings.sensitive();
        if sensitive == self.sensitive {
            return;
        }
        self.seal = SealKey::clone(&self.plain_seal).with_annotations(sensitive.clone());
        self.sensitive = sensitive;
        let secrets = self.kinds.values_mut().filter(|s| &*s.gvk.kind == "Secret");
        for kept in secrets.flat_map(|s| s.kept.values_mut()) {
            reseal(kept, &self.seal);
        }
    }

    /// Moves what counts to what does not, where the hub never looks at the object or does not count it.
    pub(super) fn dismiss(
        &self,
        app: &AppAssignment,
        gvk: &Gvk,
        seen: Seen<'_>,
        verdict: &mut Verdict,
    ) {
        let excluded = self.settings.of(app);
        let excluded = excluded.and_then(|s| s.excluded_by(gvk, &app.server));
        let by_argo = app.app.kind.engine() == Engine::Argo;
        let not_extra = || seen.why_not_extra().filter(|_| by_argo);
        if let Some(reason) = excluded.or_else(not_extra) {
            verdict.dismiss(reason);
        }
    }
}

/// An object as it was found.
#[derive(Clone, Copy)]
pub(super) struct Seen<'v> {
    pub(super) wanted: bool,
    pub(super) live: Option<&'v Value>,
}

impl Seen<'_> {
    /// Why an object that Git does not have does not count, when it does not.
    fn why_not_extra(self) -> Option<&'static str> {
        let live = self.live.filter(|_| !self.wanted)?;
        if hooks::has_compare_option(live, "IgnoreExtraneous") {
            Some("not in Git, and its compare-options say IgnoreExtraneous")
        } else if hooks::is_hook(live) {
            Some("not compared: it is a hook, which comes and goes with a sync")
        } else if hooks::is_skipped(live) {
            Some("not compared: its hook annotation says Skip")
        } else {
            None
        }
    }
}

/// How the application's engine treats an object. Flux asks the server, always.
pub(super) fn handling(
    app: &AppAssignment,
    desired: Option<&Value>,
    live: Option<&Value>,
) -> Handling {
    match app.app.kind.engine() {
        Engine::Argo => installation(app).handling(desired, live),
        Engine::Flux => Handling {
            mode: CompareMode::ServerSide,
            ..Handling::default()
        },
    }
}

/// How the application and its hub say that objects are compared.
fn installation(app: &AppAssignment) -> Installation<'_> {
    Installation {
        server_side: app.tracking.server_side_diff,
        compare_options: &app.compare_options,
        server_side_apply: app
            .sync_options
            .iter()
            .any(|o| **o == *"ServerSideApply=true"),
    }
}

fn reseal(kept: &mut Kept, key: &SealKey) {
    if let Ok(mut object) = serde_json::from_slice::<Value>(&kept.bytes) {
        drift::seal(&mut object, key);
        // A Value always serialises: its keys are strings and its numbers are finite.
        kept.bytes = serde_json::to_vec(&object).unwrap_or_default().into();
        kept.last = None;
    }
}

//! How Argo CD treats an object: which comparison it would choose, which hook and wave the object is.
//!
//! The order of choice is Argo CD's (`controller/state.go` and gitops-engine `pkg/diff`): the application's `ServerSideDiff` annotation over the
//! controller's default; then structured merge where the application or the manifest asks for server-side apply; then the three-way merge
//! with what was applied last; without that, the two-way one.

use serde_json::Value;

use super::super::seal::LAST_APPLIED;
use crate::domain::{CompareMode, Handling, Safe};
use crate::drift::hooks;

/// What an application and its installation say about comparing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Installation<'a> {
    /// `controller.diff.server.side` in argocd-cmd-params-cm.
    pub server_side: bool,
    /// The application's annotation `argocd.argoproj.io/compare-options`.
    pub compare_options: &'a str,
    /// The application's `spec.syncPolicy.syncOptions` hold `ServerSideApply=true`.
    pub server_side_apply: bool,
}

impl Installation<'_> {
    /// How Argo CD treats an object of which Git has `desired` and the cluster `live`.
    pub fn handling(&self, desired: Option<&Value>, live: Option<&Value>) -> Handling {
        let own = desired.or(live).unwrap_or(&Value::Null);
        Handling {
            wave: hooks::wave(own),
            hooks: hooks::types(own)
                .into_iter()
                .map(hooks::Hook::word)
                .collect(),
            mode: self.mode(desired, live),
            options: hooks::options(own).map(Safe::new).collect(),
        }
    }

    fn mode(&self, desired: Option<&Value>, live: Option<&Value>) -> CompareMode {
        let asks = |option: &str| self.compare_options.split(',').any(|o| o.trim() == option);
        let by_server =
            (self.server_side || asks("ServerSideDiff=true")) && !asks("ServerSideDiff=false");
        // Nothing is asked of the server about an object that would be made or deleted.
        if by_server && desired.is_some() && live.is_some() {
            return if asks("IncludeMutationWebhook=true") {
                CompareMode::ServerSideWithWebhooks
            } else {
                CompareMode::ServerSide
            };
        }
        let own = desired.is_some_and(|d| hooks::has_sync_option(d, "ServerSideApply=true"));
        if self.server_side_apply || own {
            return CompareMode::StructuredMerge;
        }
        let applied = live.and_then(|l| l.get("metadata")?.get("annotations")?.get(LAST_APPLIED));
        if applied.is_some() {
            CompareMode::ThreeWay
        } else {
            CompareMode::TwoWay
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::json;

    fn object(annotations: Value) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "annotations": annotations}})
    }

    #[rstest]
    #[case(false, "", false, json!({}), json!({}), CompareMode::TwoWay)]
    #[case(false, "", false, json!({}), json!({LAST_APPLIED: "{}"}), CompareMode::ThreeWay)]
    #[case(false, "", true, json!({}), json!({LAST_APPLIED: "{}"}), CompareMode::StructuredMerge)]
    #[case(false, "", false, json!({"argocd.argoproj.io/sync-options": "Prune=false, ServerSideApply=true"}), json!({}), CompareMode::StructuredMerge)]
    #[case(true, "", true, json!({}), json!({}), CompareMode::ServerSide)]
    #[case(true, "ServerSideDiff=false", true, json!({}), json!({}), CompareMode::StructuredMerge)]
    #[case(false, "ServerSideDiff=true, IncludeMutationWebhook=true", false, json!({}), json!({}), CompareMode::ServerSideWithWebhooks)]
    fn the_way_of_comparing_is_chosen_as_argo_cd_chooses(
        #[case] server_side: bool,
        #[case] compare_options: &str,
        #[case] server_side_apply: bool,
        #[case] desired: Value,
        #[case] live: Value,
        #[case] mode: CompareMode,
    ) {
        let installation = Installation {
            server_side,
            compare_options,
            server_side_apply,
        };
        let (desired, live) = (object(desired), object(live));
        assert_eq!(
            installation.handling(Some(&desired), Some(&live)).mode,
            mode
        );
    }

    #[test]
    fn waves_hooks_and_options_are_those_of_the_manifest() {
        let desired = object(
            json!({"argocd.argoproj.io/sync-wave": "-5", "argocd.argoproj.io/hook": "PreSync, Sync",
            "argocd.argoproj.io/sync-options": "Prune=false,Replace=true", "argocd.argoproj.io/compare-options": "IgnoreExtraneous"}),
        );
        let handling = Installation::default().handling(Some(&desired), None);
        assert_eq!(
            (handling.wave, handling.hooks),
            (-5, vec!["PreSync", "Sync"])
        );
        let options: Vec<&str> = handling.options.iter().map(Safe::as_str).collect();
        assert_eq!(options, ["Prune=false", "Replace=true", "IgnoreExtraneous"]);
    }
}

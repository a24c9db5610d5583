//! Health rules that Argo CD's own configuration holds: Lua in argocd-cm, by group and kind, with Argo CD's order of precedence.
//!
//! `resource.customizations.health.<group>_<kind>` wins over the older `resource.customizations` map; an exact kind wins over a pattern.
//! Between several patterns that fit Argo CD's choice is by chance; here the first by text is taken.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::{glob, gvk};

/// The keys that hold one rule each.
const KEY: &str = "resource.customizations.health.";
/// The older key, a map of everything.
const OLD: &str = "resource.customizations";

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LuaRule {
    /// Group and kind as argocd-cm writes them, `apps/Deployment`; `*` stands for any text.
    pub key: String,
    /// The program.
    pub script: Arc<str>,
}

/// The rules of one hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    rules: BTreeMap<String, LuaRule>,
}

impl Overrides {
    /// Reads argocd-cm; what cannot be read there is told in a sentence and the rest holds, as Argo CD does.
    pub fn of(config_map: &Value) -> (Self, Vec<String>) {
        let mut overrides = Self::default();
        let mut problems = Vec::new();
        let data = config_map.get("data").and_then(Value::as_object);
        let text = |key: &str| data.and_then(|d| d.get(key)).and_then(Value::as_str);
        if let Some(old) = text(OLD) {
            match serde_yaml::from_str::<Value>(old) {
                Ok(map) => overrides.add_old(&map),
                Err(e) => problems.push(format!(
                    "argocd-cm's {OLD} cannot be read ({e}); its health rules are not used. Correct it in argocd-cm."
                )),
            }
        }
        for (key, script) in data.into_iter().flatten() {
            if let (Some(kind), Some(script)) = (key.strip_prefix(KEY), script.as_str()) {
                overrides.add(kind.replacen('_', "/", 1), script);
            }
        }
        (overrides, problems)
    }

    /// The rule for an object.
    pub fn rule(&self, object: &Value) -> Option<&LuaRule> {
        let gvk = gvk(object);
        let name = if gvk.group.is_empty() {
            gvk.kind.to_string()
        } else {
            format!("{}/{}", gvk.group, gvk.kind)
        };
        self.rules.get(&name).or_else(|| {
            self.rules
                .iter()
                .filter(|(key, _)| key.contains('*'))
                .find(|(key, _)| glob(key, &name))
                .map(|(_, rule)| rule)
        })
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    fn add_old(&mut self, map: &Value) {
        for (kind, entry) in map.as_object().into_iter().flatten() {
            if let Some(script) = entry.get("health.lua").and_then(Value::as_str) {
                self.add(kind.clone(), script);
            }
        }
    }

    fn add(&mut self, key: String, script: &str) {
        if script.trim().is_empty() {
            return;
        }
        let rule = LuaRule {
            key: key.clone(),
            script: script.into(),
        };
        self.rules.insert(key, rule);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn overrides(data: Value) -> Overrides {
        let (overrides, problems) = Overrides::of(&json!({"data": data}));
        assert_eq!(problems, Vec::<String>::new());
        overrides
    }

    fn script(overrides: &Overrides, api_version: &str, kind: &str) -> Option<String> {
        let object = json!({"apiVersion": api_version, "kind": kind});
        overrides.rule(&object).map(|r| r.script.to_string())
    }

    #[test]
    fn the_key_of_its_own_wins_over_the_old_map_and_the_exact_kind_over_a_pattern() {
        let overrides = overrides(json!({
            "resource.customizations": "apps/Deployment:\n  health.lua: old\nbatch/Job:\n  health.lua: job\n  actions: x\n",
            "resource.customizations.health.apps_Deployment": "new",
            "resource.customizations.health.apps_*": "any",
            "resource.customizations.health.*.edge.example_*": "edge",
            "resource.customizations.health.ConfigMap": "core",
            "resource.customizations.health.edge_Empty": "  ",
            "timeout.reconciliation": "120s",
        }));
        let found = |api, kind| script(&overrides, api, kind);
        assert_eq!(found("apps/v1", "Deployment").as_deref(), Some("new"));
        assert_eq!(found("batch/v1", "Job").as_deref(), Some("job"));
        assert_eq!(found("apps/v1", "DaemonSet").as_deref(), Some("any"));
        assert_eq!(found("a.edge.example/v1", "Node").as_deref(), Some("edge"));
        assert_eq!(found("v1", "ConfigMap").as_deref(), Some("core"));
        assert_eq!(found("edge/v1", "Empty"), None);
        assert_eq!(found("v1", "Service"), None);
    }

    #[test]
    fn a_broken_old_map_is_told_and_the_rest_holds() {
        let map = json!({"data": {"resource.customizations": "a: [", "resource.customizations.health.apps_Deployment": "new"}});
        let (overrides, problems) = Overrides::of(&map);
        assert_eq!(
            script(&overrides, "apps/v1", "Deployment").as_deref(),
            Some("new")
        );
        assert!(
            problems[0].contains("resource.customizations cannot be read"),
            "{problems:?}"
        );
        assert!(Overrides::of(&Value::Null).0.is_empty());
    }
}

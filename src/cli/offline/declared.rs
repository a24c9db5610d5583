//! What an `--ignore` file declares: a list of rules, Applications, argocd-cm, or overrides; several documents add up.

use serde_json::Value;

use crate::drift::argo::Settings;
use crate::drift::hooks::has_compare_option;
use crate::drift::yaml::{Limits, parse_values};
use crate::drift::{IgnoreRules, SealKey};

/// What holds for every pair of an offline comparison.
#[derive(Debug, Default)]
pub(super) struct Declared {
    /// The installation's settings.
    pub(super) settings: Settings,
    own: Vec<Value>,
    /// Whether an application among the documents syncs with server-side apply.
    pub(super) server_side_apply: bool,
    /// Whether what webhooks changed in a dry run counts.
    pub(super) keep_webhooks: bool,
}

impl Declared {
    /// Reads the documents of a file.
    ///
    /// # Errors
    /// The file does not parse, or a document declares nothing that is known: one sentence.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let documents = parse_values(bytes, &Limits::default())
            .map_err(|e| format!("The file with ignore rules cannot be read: {e}."))?;
        let mut declared = Self::default();
        for document in &documents {
            declared.add(document)?;
        }
        Ok(declared)
    }

    /// The rules of all documents.
    ///
    /// # Errors
    /// Rules that cannot be used, named.
    pub(super) fn rules(&self) -> Result<IgnoreRules, String> {
        let rules = self.settings.rules(&Value::Array(self.own.clone()));
        let problems = [self.settings.problems(), rules.problems()].concat();
        if problems.is_empty() {
            return Ok(rules);
        }
        Err(format!(
            "The file with ignore rules cannot be used: {}.",
            problems.join("; ")
        ))
    }

    /// The key, which also seals the annotations that the settings name as secret.
    pub(super) fn key(&self, key: &SealKey) -> SealKey {
        let named = self.settings.sensitive_annotations.iter().cloned();
        key.clone().with_annotations(named)
    }

    fn add(&mut self, document: &Value) -> Result<(), String> {
        match document {
            Value::Array(rules) => self.own.extend(rules.iter().cloned()),
            Value::Null => {}
            Value::Object(map) if map.get("kind").is_some_and(|k| k == "ConfigMap") => {
                let data = map.get("data").and_then(Value::as_object);
                self.settings = data.map(Settings::of_config_map).unwrap_or_default();
            }
            Value::Object(map) => {
                let spec = map.get("spec").unwrap_or(document);
                let rules = spec.get("ignoreDifferences");
                let overrides = map.get("resourceOverrides").and_then(Value::as_object);
                if rules.is_none() && overrides.is_none() && !map.contains_key("spec") {
                    return Err(NOTHING.to_owned());
                }
                match rules {
                    Some(Value::Array(rules)) => self.own.extend(rules.iter().cloned()),
                    None | Some(Value::Null) => {}
                    Some(_) => return Err(NOTHING.to_owned()),
                }
                if let Some(overrides) = overrides {
                    self.settings.add_overrides(overrides);
                }
                self.options(document);
            }
            _ => return Err(NOTHING.to_owned()),
        }
        Ok(())
    }

    /// Sync and compare options of an Application.
    fn options(&mut self, application: &Value) {
        let options = application
            .pointer("/spec/syncPolicy/syncOptions")
            .and_then(Value::as_array);
        let asks = |option: &Value| option == "ServerSideApply=true";
        self.server_side_apply |= options.into_iter().flatten().any(asks);
        self.keep_webhooks |= has_compare_option(application, "IncludeMutationWebhook=true");
    }
}

const NOTHING: &str = "The file with ignore rules is no list and holds no ignoreDifferences. Write a list of rules, an Application, or the ConfigMap argocd-cm.";

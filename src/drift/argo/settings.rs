//! What an installation declares in argocd-cm about comparing: rules for all applications, known types, what it never looks at.
//!
//! Sources of the rules: argo-cd `util/settings` (`resource.customizations*`, `resource.compareoptions`, `resource.exclusions`,
//! `resource.inclusions`, `resource.sensitive.mask.annotations`).

use globset::{Glob, GlobMatcher};
use serde_json::{Map, Value, json};

use super::normalize::{IgnoreStatus, Normalizer};
use crate::domain::Gvk;
use crate::domain::safe::escape;
use crate::drift::ignore::IgnoreRules;
use crate::drift::known::KnownField;
use crate::drift::yaml::{Limits, parse_values};

const CUSTOMIZATIONS: &str = "resource.customizations";

/// Groups and kinds that no Argo CD looks at, whatever its configuration says.
const NEVER: [(&str, &str); 4] = [
    ("events.k8s.io", "*"),
    ("metrics.k8s.io", "*"),
    ("", "Event"),
    ("coordination.k8s.io", "Lease"),
];

/// The settings of one installation.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Rules for every application, in the form of `spec.ignoreDifferences`.
    ignore: Vec<Value>,
    known: Vec<KnownField>,
    /// Rules of roles that aggregate others are not compared.
    pub ignore_aggregated_roles: bool,
    /// Whose `status` is left out.
    pub status: IgnoreStatus,
    /// Annotations whose values are secret.
    pub sensitive_annotations: Vec<String>,
    exclusions: Vec<Selection>,
    inclusions: Vec<Selection>,
    problems: Vec<String>,
}

impl Settings {
    /// Reads argocd-cm's `data`. What cannot be read is left out and named in [`Self::problems`].
    pub fn of_config_map(data: &Map<String, Value>) -> Self {
        let texts = data
            .iter()
            .filter_map(|(key, text)| Some((key.as_str(), text.as_str()?)));
        Self::of_texts(texts)
    }

    /// As [`Self::of_config_map`], from keys and their texts.
    pub fn of_texts<'t>(texts: impl Iterator<Item = (&'t str, &'t str)>) -> Self {
        let mut settings = Self::default();
        for (key, text) in texts {
            settings.read(key, text);
        }
        settings
    }

    /// Reads overrides in the form of `resource.customizations`: `GROUP/KIND` to what holds for it.
    pub fn add_overrides(&mut self, overrides: &Map<String, Value>) {
        for (group_kind, about) in overrides {
            let (group, kind) = group_kind.split_once('/').unwrap_or(("", group_kind));
            if let Some(ignore) = about.get("ignoreDifferences") {
                self.add_ignore(group, kind, ignore);
            }
            if let Some(fields) = about.get("knownTypeFields") {
                self.add_known(group, kind, fields);
            }
        }
    }

    /// What could not be read, one sentence each.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The rules for every application, in the form of `spec.ignoreDifferences`.
    pub fn ignore_differences(&self) -> &[Value] {
        &self.ignore
    }

    /// Whether nothing is declared about differences.
    pub fn is_plain(&self) -> bool {
        self.ignore.is_empty() && self.known.is_empty()
    }

    /// The rules for one application: the installation's and its own (`spec.ignoreDifferences`).
    pub fn rules(&self, own: &Value) -> IgnoreRules {
        let rules = match own {
            Value::Null => IgnoreRules::from_spec(&Value::Array(self.ignore.clone())),
            Value::Array(own) => {
                let all = self.ignore.iter().chain(own).cloned().collect();
                IgnoreRules::from_spec(&Value::Array(all))
            }
            // Not a list: the reader names the problem.
            other => IgnoreRules::from_spec(other),
        };
        self.complete(rules)
    }

    /// The rules with what else the installation declares about comparing.
    pub fn complete(&self, rules: IgnoreRules) -> IgnoreRules {
        let rules = rules.with_known(self.known.iter().cloned());
        rules.with_options(self.ignore_aggregated_roles, self.status)
    }

    /// The normalisation of one application.
    pub fn normalizer(&self, rules: IgnoreRules) -> Normalizer {
        Normalizer {
            rules,
            ignore_aggregated_roles: self.ignore_aggregated_roles,
            status: self.status,
        }
    }

    /// Whether the installation never looks at this kind on this cluster.
    pub fn excludes(&self, gvk: &Gvk, server: &str) -> bool {
        self.excluded_by(gvk, server).is_some()
    }

    /// What keeps the installation from looking at this kind on this cluster, when anything does.
    pub fn excluded_by(&self, gvk: &Gvk, server: &str) -> Option<&'static str> {
        let never = NEVER
            .iter()
            .any(|(group, kind)| *group == &*gvk.group && (*kind == "*" || *kind == &*gvk.kind));
        let among = |all: &[Selection]| all.iter().any(|one| one.holds(gvk, server));
        if never {
            Some("Argo CD never looks at objects of this kind")
        } else if among(&self.exclusions) {
            Some("resource.exclusions in argocd-cm names this kind, so Argo CD never looks at it")
        } else if !self.inclusions.is_empty() && !among(&self.inclusions) {
            Some(
                "resource.inclusions in argocd-cm leaves this kind out, so Argo CD never looks at it",
            )
        } else {
            None
        }
    }

    fn read(&mut self, key: &str, text: &str) {
        let yaml = |settings: &mut Self| settings.yaml(key, text);
        match key {
            CUSTOMIZATIONS => {
                if let Some(Value::Object(overrides)) = yaml(self) {
                    self.add_overrides(&overrides);
                }
            }
            "resource.compareoptions" => {
                if let Some(options) = yaml(self) {
                    self.compare_options(&options);
                }
            }
            "resource.exclusions" => self.exclusions = selections(yaml(self)),
            "resource.inclusions" => self.inclusions = selections(yaml(self)),
            "resource.sensitive.mask.annotations" => {
                let named = text.split(',').map(str::trim).filter(|a| !a.is_empty());
                self.sensitive_annotations = named.map(str::to_owned).collect();
            }
            _ => self.one_kind(key, text),
        }
    }

    /// `resource.customizations.WHAT.GROUP_KIND`; a kind of the core group stands alone, and `all` is every kind.
    fn one_kind(&mut self, key: &str, text: &str) {
        let Some(rest) = key.strip_prefix("resource.customizations.") else {
            return;
        };
        let Some((what, group_kind)) = rest.split_once('.') else {
            return;
        };
        let (group, kind) = match group_kind {
            "all" => ("*", "*"),
            other => other.rsplit_once('_').unwrap_or(("", other)),
        };
        match what {
            "ignoreDifferences" => {
                if let Some(ignore) = self.yaml(key, text) {
                    self.add_ignore(group, kind, &ignore);
                }
            }
            "knownTypeFields" => {
                if let Some(fields) = self.yaml(key, text) {
                    self.add_known(group, kind, &fields);
                }
            }
            _ => {}
        }
    }

    fn compare_options(&mut self, options: &Value) {
        self.ignore_aggregated_roles = options.get("ignoreAggregatedRoles") == Some(&json!(true));
        self.status = match options.get("ignoreResourceStatusField") {
            Some(Value::String(word)) if word == "crd" => IgnoreStatus::Crd,
            Some(Value::String(word)) if matches!(word.as_str(), "none" | "off" | "false") => {
                IgnoreStatus::None
            }
            Some(Value::Bool(false)) => IgnoreStatus::None,
            None => IgnoreStatus::All,
            Some(Value::String(word)) if word == "all" => IgnoreStatus::All,
            // Argo CD reads any other word as `crd`, with a warning in its log.
            Some(_) => IgnoreStatus::Crd,
        };
    }

    /// The old form keeps the rule as YAML inside the YAML.
    fn add_ignore(&mut self, group: &str, kind: &str, ignore: &Value) {
        let read = match ignore {
            Value::String(text) => self.yaml(&format!("{group}/{kind}"), text),
            other => Some(other.clone()),
        };
        if let Some(Value::Object(mut rule)) = read {
            rule.insert("group".to_owned(), json!(group));
            rule.insert("kind".to_owned(), json!(kind));
            self.ignore.push(Value::Object(rule));
        }
    }

    fn add_known(&mut self, group: &str, kind: &str, fields: &Value) {
        for field in fields.as_array().into_iter().flatten() {
            let text = |key: &str| field.get(key).and_then(Value::as_str).unwrap_or_default();
            if text("field").is_empty() {
                self.problems.push(format!(
                    "a known type of {} in argocd-cm names no field",
                    escape(kind)
                ));
                continue;
            }
            self.known.push(KnownField {
                group: group.to_owned(),
                kind: kind.to_owned(),
                path: text("field").split('.').map(str::to_owned).collect(),
                type_name: text("type").to_owned(),
            });
        }
    }

    fn yaml(&mut self, key: &str, text: &str) -> Option<Value> {
        match parse_values(text.as_bytes(), &Limits::default()) {
            Ok(values) => values.into_iter().next(),
            Err(error) => {
                self.problems.push(format!(
                    "{} in argocd-cm cannot be read: {error}",
                    escape(key)
                ));
                None
            }
        }
    }
}

/// One entry of `resource.exclusions` or `resource.inclusions`; what it leaves out means any.
#[derive(Clone, Debug)]
struct Selection {
    groups: Vec<GlobMatcher>,
    kinds: Vec<GlobMatcher>,
    clusters: Vec<GlobMatcher>,
}

impl Selection {
    fn holds(&self, gvk: &Gvk, server: &str) -> bool {
        let any = |globs: &[GlobMatcher], text: &str| {
            globs.is_empty() || globs.iter().any(|glob| glob.is_match(text))
        };
        any(&self.groups, &gvk.group) && any(&self.kinds, &gvk.kind) && any(&self.clusters, server)
    }
}

fn selections(list: Option<Value>) -> Vec<Selection> {
    let list = list.unwrap_or_default();
    let globs = |entry: &Value, key: &str| -> Vec<GlobMatcher> {
        let texts = entry.get(key).and_then(Value::as_array);
        let texts = texts.into_iter().flatten().filter_map(Value::as_str);
        let globs = texts.filter_map(|text| Glob::new(text).ok());
        globs.map(|glob| glob.compile_matcher()).collect()
    };
    let entries = list.as_array().into_iter().flatten();
    entries
        .map(|entry| Selection {
            groups: globs(entry, "apiGroups"),
            kinds: globs(entry, "kinds"),
            clusters: globs(entry, "clusters"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ObjectRef;

    fn settings(data: Value) -> Settings {
        Settings::of_config_map(data.as_object().unwrap())
    }

    #[test]
    fn rules_come_from_both_spellings_and_join_the_applications_own() {
        let settings = settings(json!({
            "resource.customizations.ignoreDifferences.apps_Deployment": "jsonPointers: [/spec/replicas]\n",
            "resource.customizations.ignoreDifferences.all": "managedFieldsManagers: [keda]\n",
            "resource.customizations": "admissionregistration.k8s.io/MutatingWebhookConfiguration:\n  ignoreDifferences: |\n    jsonPointers: [/webhooks/0/clientConfig/caBundle]\n",
        }));
        assert!(settings.problems().is_empty(), "{:?}", settings.problems());
        let rules = settings.rules(&json!([{"kind": "Service", "jsonPointers": ["/spec/type"]}]));
        let count = |group: &str, kind: &str| {
            let object = ObjectRef::new(Gvk::new(group, "v1", kind), "edge", "web");
            let rules = rules.for_object(&object);
            (rules.removals().count(), rules.managers().count())
        };
        assert_eq!(count("apps", "Deployment"), (1, 1));
        assert_eq!(
            count(
                "admissionregistration.k8s.io",
                "MutatingWebhookConfiguration"
            ),
            (1, 1)
        );
        assert_eq!(count("", "Service"), (1, 1));
        assert_eq!(count("", "ConfigMap"), (0, 1));
    }

    #[test]
    fn known_types_status_and_masks_are_read() {
        let settings = settings(json!({
            "resource.customizations.knownTypeFields.cert-manager.io_Certificate": "- field: spec.duration\n  type: meta/v1/Duration\n",
            "resource.compareoptions": "ignoreAggregatedRoles: true\nignoreResourceStatusField: crd\n",
            "resource.sensitive.mask.annotations": "openshift.io/token-secret.value, api-key",
        }));
        let certificate = ObjectRef::new(Gvk::new("cert-manager.io", "v1", "Certificate"), "", "a");
        let rules = settings.rules(&Value::Null);
        assert!(rules.for_object(&certificate).has_known());
        let normalizer = settings.normalizer(rules);
        assert_eq!(normalizer.status, IgnoreStatus::Crd);
        assert!(normalizer.ignore_aggregated_roles);
        assert_eq!(
            settings.sensitive_annotations,
            ["openshift.io/token-secret.value", "api-key"]
        );
    }

    #[test]
    fn exclusions_and_inclusions_select_by_glob() {
        let settings = settings(json!({
            "resource.exclusions": "- apiGroups: [cilium.io]\n  kinds: [CiliumIdentity]\n- apiGroups: ['']\n  kinds: [Endpoints]\n  clusters: ['https://edge-*']\n",
        }));
        let excludes = |group: &str, kind: &str, server: &str| {
            settings.excludes(&Gvk::new(group, "v1", kind), server)
        };
        assert!(excludes("cilium.io", "CiliumIdentity", "https://hub"));
        assert!(!excludes("cilium.io", "CiliumNetworkPolicy", "https://hub"));
        assert!(excludes("", "Endpoints", "https://edge-oslo-003"));
        assert!(!excludes("", "Endpoints", "https://hub"));
        assert!(excludes("coordination.k8s.io", "Lease", ""));
        let only = self::settings(
            json!({"resource.inclusions": "- apiGroups: ['*']\n  kinds: [Deployment]\n"}),
        );
        assert!(!only.excludes(&Gvk::new("apps", "v1", "Deployment"), ""));
        assert!(only.excludes(&Gvk::new("", "v1", "Service"), ""));
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let settings = settings(
            json!({"resource.customizations": "a: [", "resource.customizations.knownTypeFields.X": "- type: core/v1/PodSpec\n"}),
        );
        assert_eq!(settings.problems().len(), 2, "{:?}", settings.problems());
    }
}

//! What kind of tool a field manager is. A tool, not a person: `kubectl-edit` says how a field was set, not by whom.

use std::sync::OnceLock;

use globset::{GlobBuilder, GlobMatcher};

/// The classes of field managers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManagerClass {
    /// A GitOps engine: what it sets comes from Git.
    Engine,
    /// Kubernetes itself: its controllers, its scheduler, its nodes.
    Kubernetes,
    /// Something that scales: an autoscaler, or any writer of the `scale` subresource that is no human tool.
    Autoscaler,
    /// An admission webhook, or an operator or controller that somebody installed.
    Operator,
    /// A tool that a person holds: kubectl, a dashboard, a script.
    Human,
    /// None of the table's.
    Unknown,
}

impl ManagerClass {
    /// The class in a sentence: "added by …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Engine => "the GitOps engine",
            Self::Kubernetes => "a Kubernetes controller",
            Self::Autoscaler => "an autoscaler",
            Self::Operator => "an operator or webhook",
            Self::Human => "a tool in a person's hands",
            Self::Unknown => "an unknown tool",
        }
    }
}

/// Exact names, lower case.
const NAMES: [(&str, ManagerClass); 50] = [
    ("argocd", ManagerClass::Engine),
    ("argocd-application-controller", ManagerClass::Engine),
    ("argocd-controller", ManagerClass::Engine),
    ("flux", ManagerClass::Engine),
    ("flux-operator", ManagerClass::Engine),
    ("helm-controller", ManagerClass::Engine),
    ("kustomize-controller", ManagerClass::Engine),
    ("cloud-controller-manager", ManagerClass::Kubernetes),
    (
        "clusterrole-aggregation-controller",
        ManagerClass::Kubernetes,
    ),
    ("apiserver", ManagerClass::Kubernetes),
    ("k0s", ManagerClass::Kubernetes),
    ("k3s", ManagerClass::Kubernetes),
    ("kube-apiserver", ManagerClass::Kubernetes),
    ("kube-controller-manager", ManagerClass::Kubernetes),
    ("kube-scheduler", ManagerClass::Kubernetes),
    ("kubelet", ManagerClass::Kubernetes),
    ("kubelite", ManagerClass::Kubernetes),
    ("openshift-controller-manager", ManagerClass::Kubernetes),
    ("rke2", ManagerClass::Kubernetes),
    ("service-ca-operator", ManagerClass::Kubernetes),
    ("cluster-proportional-autoscaler", ManagerClass::Autoscaler),
    ("keda", ManagerClass::Autoscaler),
    ("keda-operator", ManagerClass::Autoscaler),
    ("vpa-admission-controller", ManagerClass::Autoscaler),
    ("vpa-recommender", ManagerClass::Autoscaler),
    ("vpa-updater", ManagerClass::Autoscaler),
    ("cainjector", ManagerClass::Operator),
    ("cert-manager", ManagerClass::Operator),
    ("external-secrets", ManagerClass::Operator),
    ("istiod", ManagerClass::Operator),
    ("manager", ManagerClass::Operator),
    ("pilot-discovery", ManagerClass::Operator),
    ("reloader", ManagerClass::Operator),
    ("ansible", ManagerClass::Human),
    ("curl", ManagerClass::Human),
    ("dashboard", ManagerClass::Human),
    ("freelens", ManagerClass::Human),
    ("headlamp", ManagerClass::Human),
    ("helm", ManagerClass::Human),
    ("k9s", ManagerClass::Human),
    ("kubectl", ManagerClass::Human),
    ("lens", ManagerClass::Human),
    ("mozilla", ManagerClass::Human),
    ("node-fetch", ManagerClass::Human),
    ("oc", ManagerClass::Human),
    ("openapi-generator", ManagerClass::Human),
    ("openlens", ManagerClass::Human),
    ("python-requests", ManagerClass::Human),
    ("rancher", ManagerClass::Human),
    ("terraform", ManagerClass::Human),
];

/// Beginnings of names, lower case.
const PREFIXES: [(&str, ManagerClass); 5] = [
    ("kubectl-", ManagerClass::Human),
    ("driftdeck", ManagerClass::Human),
    ("oc-", ManagerClass::Human),
    ("pulumi", ManagerClass::Human),
    ("argocd-", ManagerClass::Engine),
];

/// Parts of names that tell a program nobody types into.
const PARTS: [(&str, ManagerClass); 7] = [
    ("autoscaler", ManagerClass::Autoscaler),
    ("-operator", ManagerClass::Operator),
    ("-controller", ManagerClass::Operator),
    ("webhook", ManagerClass::Operator),
    ("injector", ManagerClass::Operator),
    ("-manager", ManagerClass::Operator),
    ("-agent", ManagerClass::Operator),
];

/// What a person's configuration says of managers, before the table below. Set once, before anything is judged.
static CONFIGURED: OnceLock<Vec<ClassRule>> = OnceLock::new();

/// One line of a person's own table.
#[derive(Clone, Debug)]
pub struct ClassRule {
    name: GlobMatcher,
    class: ManagerClass,
}

impl ClassRule {
    /// Managers whose names match the glob, case ignored, are of the class that the word names:
    /// `engine`, `kubernetes`, `autoscaler`, `operator` or `human`.
    ///
    /// # Errors
    /// What is wrong with the pattern or the word, in a sentence.
    pub fn new(pattern: &str, class: &str) -> Result<Self, String> {
        let glob = GlobBuilder::new(pattern)
            .case_insensitive(true)
            .build()
            .map_err(|e| format!("`{pattern}` is not a glob ({}); use * and ?", e.kind()))?;
        let class = ManagerClass::named(class).ok_or_else(|| {
            format!("`{class}` is no class of managers; write engine, kubernetes, autoscaler, operator or human")
        })?;
        Ok(Self {
            name: glob.compile_matcher(),
            class,
        })
    }
}

impl ManagerClass {
    fn named(word: &str) -> Option<Self> {
        match word {
            "engine" => Some(Self::Engine),
            "kubernetes" => Some(Self::Kubernetes),
            "autoscaler" => Some(Self::Autoscaler),
            "operator" => Some(Self::Operator),
            "human" => Some(Self::Human),
            _ => None,
        }
    }
}

/// Puts a person's own table before ours, for the whole program; the first call counts.
pub fn configure(rules: Vec<ClassRule>) {
    // A second call would change verdicts half way through.
    let _ = CONFIGURED.set(rules);
}

fn configured(rules: &[ClassRule], manager: &str) -> Option<ManagerClass> {
    let found = rules.iter().find(|rule| rule.name.is_match(manager));
    found.map(|rule| rule.class)
}

/// The class of a manager that wrote through a subresource (empty for the object itself).
pub fn class_of(manager: &str, subresource: &str) -> ManagerClass {
    let own = CONFIGURED
        .get()
        .and_then(|rules| configured(rules, manager));
    if let Some(class) = own {
        return class;
    }
    let class = by_name(&manager.to_ascii_lowercase());
    if subresource == "scale" && class != ManagerClass::Human && class != ManagerClass::Engine {
        return ManagerClass::Autoscaler;
    }
    class
}

fn by_name(name: &str) -> ManagerClass {
    let exact = NAMES.iter().find(|(n, _)| *n == name);
    let prefix = || PREFIXES.iter().find(|(p, _)| name.starts_with(p));
    let part = || PARTS.iter().find(|(p, _)| name.contains(p));
    exact
        .or_else(prefix)
        .or_else(part)
        .map_or(ManagerClass::Unknown, |(_, class)| *class)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("argocd-controller", "", ManagerClass::Engine)]
    #[case("kustomize-controller", "", ManagerClass::Engine)]
    #[case("kubectl-edit", "", ManagerClass::Human)]
    #[case("kubectl-client-side-apply", "", ManagerClass::Human)]
    #[case("Mozilla", "", ManagerClass::Human)]
    #[case("k9s", "", ManagerClass::Human)]
    #[case("kubectl", "scale", ManagerClass::Human)]
    #[case("kube-controller-manager", "", ManagerClass::Kubernetes)]
    #[case("kube-controller-manager", "scale", ManagerClass::Autoscaler)]
    #[case("vault-agent-injector", "", ManagerClass::Operator)]
    #[case("strimzi-cluster-operator", "", ManagerClass::Operator)]
    #[case("nightly-fix-script", "", ManagerClass::Unknown)]
    fn managers_are_classed(
        #[case] manager: &str,
        #[case] subresource: &str,
        #[case] class: ManagerClass,
    ) {
        assert_eq!(class_of(manager, subresource), class);
    }

    #[test]
    fn a_persons_own_table_goes_first_and_wrong_lines_are_named() {
        let rules = vec![
            ClassRule::new("Nightly-*", "human").unwrap(),
            ClassRule::new("*", "operator").unwrap(),
        ];
        assert_eq!(
            configured(&rules, "nightly-fix-script"),
            Some(ManagerClass::Human)
        );
        assert_eq!(configured(&rules, "other"), Some(ManagerClass::Operator));
        assert_eq!(configured(&[], "other"), None);
        assert!(ClassRule::new("a", "person").unwrap_err().contains("human"));
        assert!(ClassRule::new("[", "human").unwrap_err().contains("glob"));
    }
}

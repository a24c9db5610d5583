//! What kind of tool a field manager is. A tool, not a person: `kubectl-edit` says how a field was set, not by whom.

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

/// The class of a manager that wrote through a subresource (empty for the object itself).
pub fn class_of(manager: &str, subresource: &str) -> ManagerClass {
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
}

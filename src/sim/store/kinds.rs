//! The table of kinds the simulated servers can serve, and the set one server serves.

use super::Kind;

/// A kind of the table.
pub type KindRef = &'static Kind;

const fn built_in(
    group: &'static str,
    version: &'static str,
    kind: &'static str,
    (plural, singular): (&'static str, &'static str),
    short_names: &'static [&'static str],
) -> Kind {
    Kind {
        group,
        version,
        kind,
        plural,
        singular,
        short_names,
        categories: &[],
        namespaced: true,
        status: false,
        scale: false,
        custom: false,
        review: false,
    }
}

impl Kind {
    const fn cluster_scoped(mut self) -> Self {
        self.namespaced = false;
        self
    }
    const fn with_status(mut self) -> Self {
        self.status = true;
        self
    }
    const fn with_scale(mut self) -> Self {
        self.scale = true;
        self
    }
    const fn custom(mut self) -> Self {
        self.custom = true;
        self
    }
    const fn review(mut self) -> Self {
        self.review = true;
        self.namespaced = false;
        self
    }
    const fn in_all(mut self) -> Self {
        self.categories = &["all"];
        self
    }
}

const APPS: &str = "apps";
const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const ARGO: &str = "argoproj.io";
const MONITORING: &str = "monitoring.coreos.com";
const FLUX_KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";
const FLUX_HELM: &str = "helm.toolkit.fluxcd.io";
const FLUX_SOURCE: &str = "source.toolkit.fluxcd.io";
const AUTHORIZATION: &str = "authorization.k8s.io";

/// Every kind, in discovery order.
#[rustfmt::skip]
pub(crate) static TABLE: &[Kind] = &[
    built_in("", "v1", "ConfigMap", ("configmaps", "configmap"), &["cm"]),
    built_in("", "v1", "Endpoints", ("endpoints", "endpoints"), &["ep"]),
    built_in("", "v1", "Event", ("events", "event"), &["ev"]),
    built_in("", "v1", "Namespace", ("namespaces", "namespace"), &["ns"]).cluster_scoped().with_status(),
    built_in("", "v1", "Node", ("nodes", "node"), &["no"]).cluster_scoped().with_status(),
    built_in("", "v1", "PersistentVolumeClaim", ("persistentvolumeclaims", "persistentvolumeclaim"), &["pvc"]).with_status(),
    built_in("", "v1", "Pod", ("pods", "pod"), &["po"]).with_status().in_all(),
    built_in("", "v1", "Secret", ("secrets", "secret"), &[]),
    built_in("", "v1", "ServiceAccount", ("serviceaccounts", "serviceaccount"), &["sa"]),
    built_in("", "v1", "Service", ("services", "service"), &["svc"]).with_status().in_all(),
    built_in(APPS, "v1", "DaemonSet", ("daemonsets", "daemonset"), &["ds"]).with_status().in_all(),
    built_in(APPS, "v1", "Deployment", ("deployments", "deployment"), &["deploy"]).with_status().with_scale().in_all(),
    built_in(APPS, "v1", "ReplicaSet", ("replicasets", "replicaset"), &["rs"]).with_status().with_scale().in_all(),
    built_in(APPS, "v1", "StatefulSet", ("statefulsets", "statefulset"), &["sts"]).with_status().with_scale().in_all(),
    built_in("batch", "v1", "CronJob", ("cronjobs", "cronjob"), &["cj"]).with_status().in_all(),
    built_in("batch", "v1", "Job", ("jobs", "job"), &[]).with_status().in_all(),
    built_in("autoscaling", "v2", "HorizontalPodAutoscaler", ("horizontalpodautoscalers", "horizontalpodautoscaler"), &["hpa"]).with_status().in_all(),
    built_in(NETWORKING, "v1", "Ingress", ("ingresses", "ingress"), &["ing"]).with_status(),
    built_in(NETWORKING, "v1", "NetworkPolicy", ("networkpolicies", "networkpolicy"), &["netpol"]),
    built_in("policy", "v1", "PodDisruptionBudget", ("poddisruptionbudgets", "poddisruptionbudget"), &["pdb"]).with_status(),
    built_in(RBAC, "v1", "ClusterRoleBinding", ("clusterrolebindings", "clusterrolebinding"), &[]).cluster_scoped(),
    built_in(RBAC, "v1", "ClusterRole", ("clusterroles", "clusterrole"), &[]).cluster_scoped(),
    built_in(RBAC, "v1", "RoleBinding", ("rolebindings", "rolebinding"), &[]),
    built_in(RBAC, "v1", "Role", ("roles", "role"), &[]),
    built_in("coordination.k8s.io", "v1", "Lease", ("leases", "lease"), &[]),
    built_in("apiextensions.k8s.io", "v1", "CustomResourceDefinition", ("customresourcedefinitions", "customresourcedefinition"), &["crd", "crds"]).cluster_scoped().with_status(),
    built_in("authentication.k8s.io", "v1", "SelfSubjectReview", ("selfsubjectreviews", "selfsubjectreview"), &[]).review(),
    built_in(AUTHORIZATION, "v1", "SelfSubjectAccessReview", ("selfsubjectaccessreviews", "selfsubjectaccessreview"), &[]).review(),
    built_in(AUTHORIZATION, "v1", "SelfSubjectRulesReview", ("selfsubjectrulesreviews", "selfsubjectrulesreview"), &[]).review(),
    built_in(ARGO, "v1alpha1", "Application", ("applications", "application"), &["app", "apps"]).custom(),
    built_in(ARGO, "v1alpha1", "ApplicationSet", ("applicationsets", "applicationset"), &["appset", "appsets"]).with_status().custom(),
    built_in(ARGO, "v1alpha1", "AppProject", ("appprojects", "appproject"), &["appproj", "appprojs"]).custom(),
    built_in(MONITORING, "v1", "PodMonitor", ("podmonitors", "podmonitor"), &["pmon"]).custom(),
    built_in(MONITORING, "v1", "PrometheusRule", ("prometheusrules", "prometheusrule"), &["promrule"]).custom(),
    built_in(MONITORING, "v1", "ServiceMonitor", ("servicemonitors", "servicemonitor"), &["smon"]).custom(),
    built_in(FLUX_KUSTOMIZE, "v1", "Kustomization", ("kustomizations", "kustomization"), &["ks"]).with_status().custom(),
    built_in(FLUX_HELM, "v2", "HelmRelease", ("helmreleases", "helmrelease"), &["hr"]).with_status().custom(),
    built_in(FLUX_SOURCE, "v1", "Bucket", ("buckets", "bucket"), &[]).with_status().custom(),
    built_in(FLUX_SOURCE, "v1", "GitRepository", ("gitrepositories", "gitrepository"), &["gitrepo"]).with_status().custom(),
    built_in(FLUX_SOURCE, "v1", "HelmChart", ("helmcharts", "helmchart"), &["hc"]).with_status().custom(),
    built_in(FLUX_SOURCE, "v1", "HelmRepository", ("helmrepositories", "helmrepository"), &["helmrepo"]).with_status().custom(),
    built_in(FLUX_SOURCE, "v1", "OCIRepository", ("ocirepositories", "ocirepository"), &["ocirepo"]).with_status().custom(),
];

/// The kind that `apiVersion` and `kind` name, whether or not a server serves it.
pub(crate) fn lookup(api_version: &str, kind: &str) -> Option<KindRef> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    TABLE
        .iter()
        .find(|k| k.group == group && k.version == version && k.kind == kind)
}

/// The kinds one server serves.
#[derive(Clone, Debug, Default)]
pub struct KindSet(Vec<KindRef>);

impl KindSet {
    /// Everything a bare cluster serves.
    pub fn bare() -> Self {
        Self(TABLE.iter().filter(|k| !k.custom).collect())
    }

    /// Adds Argo CD's kinds.
    #[must_use]
    pub fn with_argo(self) -> Self {
        self.with_groups(&[ARGO])
    }

    /// Adds the Prometheus operator's kinds.
    #[must_use]
    pub fn with_monitoring(self) -> Self {
        self.with_groups(&[MONITORING])
    }

    /// Adds Flux's kinds.
    #[must_use]
    pub fn with_flux(self) -> Self {
        self.with_groups(&[FLUX_KUSTOMIZE, FLUX_HELM, FLUX_SOURCE])
    }

    fn with_groups(mut self, groups: &[&str]) -> Self {
        for kind in TABLE.iter().filter(|k| groups.contains(&k.group)) {
            self.insert(kind);
        }
        self
    }

    pub(crate) fn insert(&mut self, kind: KindRef) {
        if !self.0.contains(&kind) {
            self.0.push(kind);
        }
    }

    pub(crate) fn remove(&mut self, kind: KindRef) {
        self.0.retain(|k| *k != kind);
    }

    /// The kinds, built-in ones first.
    pub fn iter(&self) -> impl Iterator<Item = KindRef> + '_ {
        self.0.iter().copied()
    }

    /// The kind that `apiVersion` and `kind` name, if served.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<KindRef> {
        lookup(api_version, kind).filter(|k| self.0.contains(k))
    }

    /// The kind a URL names, if served.
    pub fn by_plural(&self, group: &str, version: &str, plural: &str) -> Option<KindRef> {
        self.iter()
            .find(|k| k.group == group && k.version == version && k.plural == plural)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn application_has_no_status_subresource_and_application_set_has_one() {
        let status = |kind| lookup("argoproj.io/v1alpha1", kind).unwrap().status;
        assert!(!status("Application"));
        assert!(status("ApplicationSet"));
    }

    #[test]
    fn a_bare_cluster_serves_no_application() {
        let bare = KindSet::bare();
        assert!(
            bare.by_kind("argoproj.io/v1alpha1", "Application")
                .is_none()
        );
        assert!(
            bare.with_argo()
                .by_plural("argoproj.io", "v1alpha1", "applications")
                .is_some()
        );
    }

    #[test]
    fn resources_of_a_group_have_distinct_names() {
        for (i, a) in TABLE.iter().enumerate() {
            assert!(!TABLE.iter().skip(i + 1).any(|b| a == b), "{a} twice");
        }
    }
}

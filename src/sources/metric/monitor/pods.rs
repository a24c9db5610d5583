//! PodMonitors: which Pods they mean, asked for by label, and which of their ports.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::{
    Discovery, Endpoint, IntOrName, LabelSelector, Meta, Monitor, Target, app_of, controls,
    duration, path, query,
};

/// A list of Pods that a PodMonitor asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) struct Lookup {
    /// The namespace, empty for all.
    pub(in super::super) namespace: String,
    /// The label selector as the API takes it, not encoded.
    pub(in super::super) labels: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in super::super) struct Pod {
    metadata: Meta,
    spec: PodSpec,
    status: PodStatus,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodSpec {
    containers: Vec<Container>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PodStatus {
    phase: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Container {
    ports: Vec<ContainerPort>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ContainerPort {
    name: String,
    container_port: u16,
}

impl Monitor {
    /// The lists of Pods that it asks for.
    pub(in super::super) fn lookups(&self) -> Vec<Lookup> {
        let labels = self.spec.selector.to_string();
        let named = &self.spec.namespace_selector;
        let namespaces = if named.any {
            vec![String::new()]
        } else if named.match_names.is_empty() {
            vec![self.metadata.namespace.to_string()]
        } else {
            named.match_names.clone()
        };
        let lookup = |namespace| Lookup {
            namespace,
            labels: labels.clone(),
        };
        namespaces.into_iter().map(lookup).collect()
    }
}

/// The endpoints that the monitors mean among the Pods that were found, each once.
pub(in super::super) fn resolve(
    monitors: &[Monitor],
    found: &BTreeMap<Lookup, Vec<Pod>>,
) -> Discovery {
    let mut targets = BTreeSet::new();
    for monitor in monitors {
        let lookups = monitor.lookups();
        let pods = lookups
            .iter()
            .filter_map(|lookup| found.get(lookup))
            .flatten();
        for pod in pods.filter(|pod| pod.is_to_run()) {
            let endpoints = monitor.spec.endpoints.iter();
            targets.extend(endpoints.filter_map(|endpoint| target(pod, endpoint)));
        }
    }
    let intervals = monitors.iter().flat_map(|m| &m.spec.endpoints);
    Discovery {
        targets: targets.into_iter().collect(),
        interval: intervals.filter_map(|e| duration(&e.interval)).min(),
        message: None,
    }
}

impl Pod {
    /// One that has ended answers nothing, and nobody expects it to.
    fn is_to_run(&self) -> bool {
        !matches!(self.status.phase.as_str(), "Succeeded" | "Failed")
    }
}

fn target(pod: &Pod, endpoint: &Endpoint) -> Option<Target> {
    let mut ports = pod.spec.containers.iter().flat_map(|c| &c.ports);
    let named = ports.find(|port| endpoint.means_of_pod(port));
    let port = named.map(|p| p.container_port).or(endpoint.port_number)?;
    Some(Target {
        namespace: pod.metadata.namespace.clone(),
        service: pod.metadata.name.clone(),
        port: port.to_string().into(),
        tls: endpoint.scheme.eq_ignore_ascii_case("https"),
        path: path(&endpoint.path)?,
        query: query(&endpoint.params).into(),
        app: app_of(&pod.metadata),
        is_pod: true,
        controls: controls(&pod.metadata.labels),
    })
}

impl Endpoint {
    fn means_of_pod(&self, port: &ContainerPort) -> bool {
        if !self.port.is_empty() {
            return port.name == self.port;
        }
        match &self.target_port {
            Some(IntOrName::Int(number)) => port.container_port == *number,
            Some(IntOrName::Name(name)) => port.name == *name,
            None => false,
        }
    }
}

/// As the API takes it: `app=web,tier in (a,b),!canary`.
impl std::fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let equal = self.match_labels.iter().map(|(k, v)| format!("{k}={v}"));
        let more = self.match_expressions.iter().map(|e| {
            let (key, values) = (&e.key, e.values.join(","));
            match e.operator.as_str() {
                "In" => format!("{key} in ({values})"),
                "NotIn" => format!("{key} notin ({values})"),
                "Exists" => key.clone(),
                _ => format!("!{key}"),
            }
        });
        f.write_str(&equal.chain(more).collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::AppKind;

    fn monitor() -> Monitor {
        serde_json::from_value(json!({
            "metadata": {"name": "flux-system", "namespace": "flux-system"},
            "spec": {
                "namespaceSelector": {"matchNames": ["flux-system"]},
                "selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["helm-controller", "kustomize-controller"]}]},
                "podMetricsEndpoints": [{"port": "http-prom", "interval": "30s"}],
            },
        }))
        .unwrap()
    }

    fn pod(name: &str, phase: &str) -> Pod {
        serde_json::from_value(json!({
            "metadata": {"name": format!("{name}-7d9f"), "namespace": "flux-system", "labels": {"app": name}},
            "spec": {"containers": [{"ports": [{"name": "healthz", "containerPort": 9440}, {"name": "http-prom", "containerPort": 8080}]}]},
            "status": {"phase": phase},
        }))
        .unwrap()
    }

    #[test]
    fn flux_controllers_are_found_by_label_and_port_and_known_by_name() {
        let lookup = monitor().lookups().remove(0);
        assert_eq!(lookup.namespace, "flux-system");
        assert_eq!(
            lookup.labels,
            "app in (helm-controller,kustomize-controller)"
        );
        let pods = vec![
            pod("kustomize-controller", "Running"),
            pod("helm-controller", "Failed"),
        ];
        let found = resolve(&[monitor()], &[(lookup, pods)].into());
        assert_eq!(found.targets.len(), 1, "the evicted one answers nobody");
        let target = &found.targets[0];
        assert_eq!(&*target.id(), "flux-system/kustomize-controller-7d9f:8080");
        assert_eq!(
            (target.is_pod, &*target.controls),
            (true, &[AppKind::Kustomization][..])
        );
    }

    #[test]
    fn selectors_are_written_as_the_api_takes_them() {
        let selector: LabelSelector = serde_json::from_value(json!({
            "matchLabels": {"app": "web"},
            "matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a", "b"]}, {"key": "team", "operator": "Exists"}, {"key": "canary", "operator": "DoesNotExist"}],
        }))
        .unwrap();
        assert_eq!(
            selector.to_string(),
            "app=web,tier notin (a,b),team,!canary"
        );
    }
}

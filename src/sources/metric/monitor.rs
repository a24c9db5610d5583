//! What ServiceMonitors and PodMonitors mean: which services or pods, which port, path and scheme. Pure.

pub(super) mod pods;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use crate::desired::tracking::{TRACKING_ID, parse_tracking_id};
use crate::domain::{AppKind, Safe};

/// One endpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// Namespace of the Service.
    pub namespace: Arc<str>,
    /// Name of the Service, or of the Pod.
    pub service: Arc<str>,
    /// Port of the Service, by name if it has one; of a Pod by number.
    pub port: Arc<str>,
    /// Whether the endpoint speaks TLS.
    pub tls: bool,
    /// Path with its leading slash.
    pub path: Arc<str>,
    /// Query without its question mark, encoded.
    pub query: Arc<str>,
    /// The application that the Service carries the mark of.
    pub app: Option<Arc<str>>,
    /// Whether `service` and `port` are those of a Pod, as a PodMonitor finds it.
    pub is_pod: bool,
    /// The kinds of documents whose controller it is; empty for everything that is no controller of an engine.
    pub controls: Vec<AppKind>,
}

impl Target {
    /// Its name, the same in every round: `edge/web:metrics`, with the path where that is not the usual one.
    pub fn id(&self) -> Arc<str> {
        if &*self.path == "/metrics" && self.query.is_empty() {
            return super::label(self);
        }
        format!("{}{}", super::label(self), self.path).into()
    }
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Endpoints, in order, each once.
    pub targets: Vec<Target>,
    /// The shortest scrape interval that a monitor names.
    pub interval: Option<Duration>,
    /// Why there may be no endpoints, in one sentence with the next step.
    pub message: Option<Safe>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    name: Arc<str>,
    namespace: Arc<str>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// A ServiceMonitor or PodMonitor (monitoring.coreos.com/v1), as far as it is used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Monitor {
    metadata: Meta,
    spec: MonitorSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct MonitorSpec {
    #[serde(alias = "podMetricsEndpoints")]
    endpoints: Vec<Endpoint>,
    selector: LabelSelector,
    namespace_selector: NamespaceSelector,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Endpoint {
    port: String,
    target_port: Option<IntOrName>,
    /// Of PodMonitors only.
    port_number: Option<u16>,
    path: String,
    scheme: String,
    interval: String,
    params: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum IntOrName {
    Int(u16),
    Name(String),
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct LabelSelector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Expression>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Expression {
    key: String,
    operator: String,
    values: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct NamespaceSelector {
    any: bool,
    match_names: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Service {
    metadata: Meta,
    spec: ServiceSpec,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ServiceSpec {
    ports: Vec<ServicePort>,
    selector: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ServicePort {
    name: String,
    port: u16,
    target_port: Option<IntOrName>,
}

/// The endpoints that the monitors mean, each once.
pub(super) fn resolve(monitors: &[Monitor], services: &[Service]) -> Discovery {
    let mut targets = BTreeSet::new();
    for monitor in monitors {
        for service in services.iter().filter(|s| monitor.selects(s)) {
            let endpoints = monitor.spec.endpoints.iter();
            targets.extend(endpoints.filter_map(|endpoint| target(service, endpoint)));
        }
    }
    let intervals = monitors.iter().flat_map(|m| &m.spec.endpoints);
    Discovery {
        message: targets.is_empty().then(|| {
            "No service fits a ServiceMonitor here; compare its selector and port name with the service.".into()
        }),
        targets: targets.into_iter().collect(),
        interval: intervals.filter_map(|e| duration(&e.interval)).min(),
    }
}

impl Monitor {
    fn selects(&self, service: &Service) -> bool {
        let spec = &self.spec;
        let namespace = &service.metadata.namespace;
        let reached = spec.namespace_selector.any
            || if spec.namespace_selector.match_names.is_empty() {
                *namespace == self.metadata.namespace
            } else {
                let mut names = spec.namespace_selector.match_names.iter();
                names.any(|n| **n == **namespace)
            };
        reached && spec.selector.matches(&service.metadata.labels)
    }
}

impl LabelSelector {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        self.match_labels
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value))
            && self.match_expressions.iter().all(|e| e.matches(labels))
    }
}

impl Expression {
    fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let value = labels.get(&self.key);
        let among = value.is_some_and(|v| self.values.contains(v));
        match self.operator.as_str() {
            "In" => among,
            "NotIn" => !among,
            "Exists" => value.is_some(),
            "DoesNotExist" => value.is_none(),
            _ => false,
        }
    }
}

fn target(service: &Service, endpoint: &Endpoint) -> Option<Target> {
    let port = service
        .spec
        .ports
        .iter()
        .find(|port| endpoint.means(port))?;
    let name = if port.name.is_empty() {
        port.port.to_string()
    } else {
        port.name.clone()
    };
    Some(Target {
        namespace: service.metadata.namespace.clone(),
        service: service.metadata.name.clone(),
        port: name.into(),
        tls: endpoint.scheme.eq_ignore_ascii_case("https"),
        path: path(&endpoint.path)?,
        query: query(&endpoint.params).into(),
        app: app_of(&service.metadata),
        is_pod: false,
        controls: controls(&service.spec.selector),
    })
}

/// What the controllers of Argo CD and Flux are called in the labels of their Pods.
fn controls(labels: &BTreeMap<String, String>) -> Vec<AppKind> {
    let called = |name: &str| {
        let keys = [
            "app.kubernetes.io/name",
            "app.kubernetes.io/component",
            "app",
        ];
        keys.iter()
            .any(|key| labels.get(*key).is_some_and(|v| v == name))
    };
    let table: [(&str, &[AppKind]); 4] = [
        ("argocd-application-controller", &[AppKind::Application]),
        ("kustomize-controller", &[AppKind::Kustomization]),
        ("helm-controller", &[AppKind::HelmRelease]),
        ("source-controller", &AppKind::FETCHED),
    ];
    let mut found = table.iter().filter(|(name, _)| called(name));
    found
        .next()
        .map_or_else(Vec::new, |(_, kinds)| kinds.to_vec())
}

impl Endpoint {
    fn means(&self, port: &ServicePort) -> bool {
        if !self.port.is_empty() {
            return port.name == self.port;
        }
        match &self.target_port {
            // A port without a target port leads to its own number.
            Some(wanted) => {
                port.target_port
                    .as_ref()
                    .unwrap_or(&IntOrName::Int(port.port))
                    == wanted
            }
            None => false,
        }
    }
}

/// The path, encoded; `None` for one that would leave the proxy's.
fn path(written: &str) -> Option<Arc<str>> {
    let path = if written.is_empty() {
        "/metrics"
    } else {
        written
    };
    let leaves = path.split('/').any(|part| {
        matches!(part, "." | "..") || part.eq_ignore_ascii_case("%2e%2e") || part.contains("%2f")
    });
    if leaves || path.contains(['?', '#']) {
        return None;
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Some(format!("{slash}{}", encode(path, "/%:@")).into())
}

fn query(params: &BTreeMap<String, Vec<String>>) -> String {
    let pairs = params.iter().flat_map(|(key, values)| {
        values
            .iter()
            .map(move |value| format!("{}={}", encode(key, ""), encode(value, "")))
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// Percent-encodes everything but letters, digits, `-._~` and what is kept.
pub(super) fn encode(text: &str, kept: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        let c = char::from(byte);
        if c.is_ascii_alphanumeric() || "-._~".contains(c) || (byte.is_ascii() && kept.contains(c))
        {
            out.push(c);
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The application's name, from Argo CD's mark on the Service. Instances outside its namespace are `<namespace>_<name>`.
fn app_of(service: &Meta) -> Option<Arc<str>> {
    let tracked = service.annotations.get(TRACKING_ID);
    let instance = match tracked.and_then(|id| parse_tracking_id(id)) {
        Some(id) => id.instance,
        None => service
            .labels
            .get("app.kubernetes.io/instance")?
            .as_str()
            .into(),
    };
    Some(match instance.split_once('_') {
        Some((_, name)) => name.into(),
        None => instance,
    })
}

/// A duration as Prometheus writes it: `30s`, `1m30s`, `500ms`.
fn duration(text: &str) -> Option<Duration> {
    let mut total = Duration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at(digits);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return None,
        };
        let number: u64 = number.parse().ok()?;
        total = total.checked_add(Duration::from_millis(number.checked_mul(millis)?))?;
        rest = next;
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests;

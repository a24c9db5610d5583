//! Asks a cluster for its ServiceMonitors and PodMonitors, their Services and Pods; what it forbids or lacks is a message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use http::Request;
use kube::Client;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::monitor::pods::{self, Lookup};
use super::monitor::{Discovery, Monitor, encode, resolve};
use crate::domain::Safe;

/// Objects of one page of a list.
const PAGE: u32 = 500;
/// Pages of one list that are read.
const PAGES: usize = 10;
/// Time for one page.
const PATIENCE: Duration = Duration::from_secs(15);

/// A page of a list; its objects are read one by one, so that a strange one costs only itself.
#[derive(Debug, Deserialize)]
struct Page {
    #[serde(default)]
    metadata: PageMeta,
    #[serde(default)]
    items: Vec<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PageMeta {
    #[serde(rename = "continue")]
    next: Option<String>,
}

/// Lists of Pods that are made for PodMonitors.
const LOOKUPS: usize = 32;

const MONITORING: &str = "/apis/monitoring.coreos.com/v1";

/// Asks the cluster; `scope` confines it to a namespace, empty is the whole cluster.
pub async fn discover(client: &Client, scope: &str) -> Discovery {
    let (mut found, pods) = futures::join!(by_services(client, scope), by_pods(client, scope));
    // Whoever has only PodMonitors misses nothing.
    found.message = found.message.filter(|_| pods.targets.is_empty());
    found.targets.extend(pods.targets);
    found.interval = found.interval.into_iter().chain(pods.interval).min();
    found
}

/// What PodMonitors mean. They are as often not there as not permitted, and what ServiceMonitors lack is said already.
async fn by_pods(client: &Client, scope: &str) -> Discovery {
    let monitors = list::<Monitor>(client, MONITORING, scope, "podmonitors").await;
    let monitors = monitors.unwrap_or_default();
    let lookups: BTreeSet<Lookup> = monitors.iter().flat_map(Monitor::lookups).collect();
    let within = |lookup: &Lookup| scope.is_empty() || lookup.namespace == scope;
    let mut found = BTreeMap::new();
    for lookup in lookups.into_iter().filter(within).take(LOOKUPS) {
        let selector = format!("pods?labelSelector={}", encode(&lookup.labels, ""));
        if let Ok(pods) = list(client, "/api/v1", &lookup.namespace, &selector).await {
            found.insert(lookup, pods);
        }
    }
    pods::resolve(&monitors, &found)
}

async fn by_services(client: &Client, scope: &str) -> Discovery {
    let monitors: Vec<Monitor> = match list(client, MONITORING, scope, "servicemonitors").await {
        Ok(monitors) => monitors,
        Err(message) => return only(message),
    };
    if monitors.is_empty() {
        return only(
            "There are no ServiceMonitors here; add one for a service, or name a metrics-url in config.toml.".into(),
        );
    }
    match list(client, "/api/v1", scope, "services").await {
        Ok(services) => resolve(&monitors, &services),
        Err(message) => only(message),
    }
}

fn only(message: Safe) -> Discovery {
    Discovery {
        message: Some(message),
        ..Discovery::default()
    }
}

/// Reads a list page by page, ten at most.
async fn list<T: DeserializeOwned>(
    client: &Client,
    api: &str,
    scope: &str,
    plural: &str,
) -> Result<Vec<T>, Safe> {
    let within = if scope.is_empty() {
        String::new()
    } else {
        format!("/namespaces/{scope}")
    };
    let mut objects = Vec::new();
    let mut next = String::new();
    for _ in 0..PAGES {
        let from = if next.is_empty() {
            String::new()
        } else {
            format!("&continue={}", encode(&next, ""))
        };
        let and = if plural.contains('?') { '&' } else { '?' };
        let path = format!("{api}{within}/{plural}{and}limit={PAGE}{from}");
        let page = page(client, &path, plural).await?;
        let readable = page.items.iter();
        objects.extend(readable.filter_map(|raw| serde_json::from_str::<T>(raw.get()).ok()));
        match page.metadata.next.filter(|token| !token.is_empty()) {
            Some(token) => next = token,
            None => break,
        }
    }
    Ok(objects)
}

async fn page(client: &Client, path: &str, plural: &str) -> Result<Page, Safe> {
    let request = Request::get(path).body(Vec::new()).map_err(|_| {
        Safe::fixed("The row's namespace makes no request path; correct the context.")
    })?;
    match tokio::time::timeout(PATIENCE, client.request::<Page>(request)).await {
        Ok(Ok(page)) => Ok(page),
        Ok(Err(error)) => Err(explain(&error, plural)),
        Err(_) => {
            Err(format!("The list of {plural} did not come in time; it is tried again.").into())
        }
    }
}

fn explain(error: &kube::Error, plural: &str) -> Safe {
    match error {
        kube::Error::Api(status) if status.code == 404 => {
            "ServiceMonitors are not served here; install their CRDs, or name a metrics-url in config.toml.".into()
        }
        kube::Error::Api(status) if status.code == 403 => {
            format!("Not permitted: list {plural}; ask for that right to see metrics.").into()
        }
        kube::Error::Api(status) => {
            format!("The list of {plural} failed with status {}; it is tried again.", status.code).into()
        }
        _ => format!("The list of {plural} failed because the link did; it is tried again.").into(),
    }
}

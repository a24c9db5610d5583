//! From scrapes to the few figures that are shown, with their recent courses. Knows the common names of exporters.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use jiff::Timestamp;

use super::parse::{Labels, Parsed, Sample};
use super::rate::{increase, quantile};
use crate::domain::{MetricFigure, Safe};

/// Beginnings of the names that figures are made of; everything else need not be parsed.
pub const WANTED: [&str; 12] = [
    "http_request",
    "http_server_request",
    "nginx_ingress_controller_request",
    "traefik_service_request",
    "istio_request",
    "grpc_server_handled_total",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_start_time_seconds",
    "node_cpu_seconds_total",
    "node_memory_Mem",
    "argocd_app_",
];

/// Counters of answered requests, the most telling first; of each target one is used, or requests would count twice.
const REQUESTS: [&str; 9] = [
    "http_requests_total",
    "nginx_ingress_controller_requests",
    "traefik_service_requests_total",
    "istio_requests_total",
    "http_server_requests_seconds_count",
    "http_server_request_duration_seconds_count",
    "http_request_duration_seconds_count",
    "grpc_server_handled_total",
    "http_server_requests_total",
];

/// Histograms of how long requests took, in seconds; of each target one is used.
const LATENCIES: [&str; 6] = [
    "http_request_duration_seconds_bucket",
    "http_server_request_duration_seconds_bucket",
    "http_server_requests_seconds_bucket",
    "nginx_ingress_controller_request_duration_seconds_bucket",
    "traefik_service_request_duration_seconds_bucket",
    "http_requests_duration_seconds_bucket",
];

/// Labels under which exporters keep the status code.
const STATUS: [&str; 5] = [
    "code",
    "status",
    "status_code",
    "http_response_status_code",
    "response_code",
];

/// Values that a course keeps.
const COURSE: usize = 60;

/// One target's answer in one round.
#[derive(Clone, Debug)]
pub struct Scrape {
    /// Which target, the same text in every round.
    pub target: Arc<str>,
    /// The application that the target belongs to, when one is known.
    pub app: Option<Arc<str>>,
    /// What it answered.
    pub parsed: Parsed,
}

/// Last readings and courses; one for each cluster.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    readings: HashMap<Process, Reading>,
    courses: HashMap<(Scope, &'static str), Vec<f64>>,
}

/// A target and when its process started: a service proxy answers from one replica or another, and their counters must not be mixed.
type Process = (Arc<str>, u64);

/// `None` is the cluster as a whole.
type Scope = Option<Arc<str>>;

#[derive(Clone, Debug)]
struct Reading {
    at: Timestamp,
    round: u64,
    counters: HashMap<SeriesKey, f64>,
}

type SeriesKey = (Arc<str>, Labels);

/// What one scope adds up to in one round. `None` is "not measured", which is not zero.
#[derive(Clone, Debug, Default)]
struct Sums {
    requests: Option<f64>,
    errors: Option<f64>,
    latency: BTreeMap<OrderedBound, f64>,
    cores: Option<f64>,
    memory: Option<f64>,
    node_cpu: Option<(f64, f64)>,
    node_memory: Option<(f64, f64)>,
    apps: Option<[f64; 3]>,
    reconcile: BTreeMap<OrderedBound, f64>,
}

/// A bucket's bound by its bits; positive floats are ordered like them, and order does not matter to the quantile.
type OrderedBound = u64;

/// The figures of a cluster, and those of each application.
pub type Board = (Vec<MetricFigure>, Vec<(Safe, Vec<MetricFigure>)>);

impl Figures {
    /// Takes one round of answers, read at about the same time, and tells the figures.
    ///
    /// Rates need two readings of a target: the first round shows none. A target that is silent in one round loses nothing for ten.
    pub fn observe(&mut self, at: Timestamp, round: u64, scrapes: &[Scrape]) -> Board {
        let mut sums: BTreeMap<Scope, Sums> = BTreeMap::new();
        for scrape in scrapes {
            let rates = self.rates(at, round, scrape);
            for scope in scopes(scrape) {
                sums.entry(scope).or_default().add(scrape, &rates);
            }
        }
        self.readings
            .retain(|_, reading| reading.round + 10 > round);
        let measured: HashSet<&Scope> = sums.keys().collect();
        self.courses
            .retain(|(scope, _), _| measured.contains(scope));
        let mut cluster = Vec::new();
        let mut apps = Vec::new();
        for (scope, sums) in &sums {
            let figures = self.tell(scope, sums);
            match scope {
                None => cluster = figures,
                Some(app) if !figures.is_empty() => apps.push((Safe::new(app), figures)),
                Some(_) => {}
            }
        }
        (cluster, apps)
    }

    /// The growth a second of each counter of the scrape that was read before in the same process.
    fn rates(&mut self, at: Timestamp, round: u64, scrape: &Scrape) -> HashMap<SeriesKey, f64> {
        let process = (scrape.target.clone(), started(&scrape.parsed.samples));
        let counters: HashMap<SeriesKey, f64> = scrape
            .parsed
            .samples
            .iter()
            .filter(|s| is_counter(&s.name))
            .map(|s| ((s.name.clone(), s.labels.clone()), s.value))
            .collect();
        let mut rates = HashMap::new();
        if let Some(last) = self.readings.get(&process) {
            let seconds = at.duration_since(last.at).as_secs_f64();
            if seconds > 0.0 {
                rates = counters
                    .iter()
                    .filter_map(|(series, value)| {
                        let before = last.counters.get(series)?;
                        Some((series.clone(), increase(*before, *value) / seconds))
                    })
                    .collect();
            }
        }
        let reading = Reading {
            at,
            round,
            counters,
        };
        self.readings.insert(process, reading);
        rates
    }

    fn tell(&mut self, scope: &Scope, sums: &Sums) -> Vec<MetricFigure> {
        sums.figures()
            .into_iter()
            .filter(|(_, value, _)| value.is_finite())
            .map(|(name, value, unit)| {
                let course = self.courses.entry((scope.clone(), name)).or_default();
                course.push(value);
                if course.len() > COURSE {
                    course.remove(0);
                }
                MetricFigure {
                    name: Safe::fixed(name),
                    value,
                    unit,
                    course: course.clone(),
                }
            })
            .collect()
    }
}

/// A target counts for the cluster and for its application.
fn scopes(scrape: &Scrape) -> impl Iterator<Item = Scope> {
    std::iter::once(None).chain(scrape.app.clone().map(Some))
}

/// The bits of the process' start time, 0 when it is not told.
fn started(samples: &[Sample]) -> u64 {
    let start = samples
        .iter()
        .find(|s| &*s.name == "process_start_time_seconds");
    start.map_or(0, |s| s.value.to_bits())
}

fn is_counter(name: &str) -> bool {
    REQUESTS.contains(&name)
        || LATENCIES.contains(&name)
        || matches!(
            name,
            "process_cpu_seconds_total" | "node_cpu_seconds_total" | "argocd_app_reconcile_bucket"
        )
}

impl Sums {
    fn add(&mut self, scrape: &Scrape, rates: &HashMap<SeriesKey, f64>) {
        let samples = &scrape.parsed.samples;
        self.add_requests(rates);
        self.add_latencies(rates);
        for ((name, labels), rate) in rates {
            match &**name {
                "process_cpu_seconds_total" => *self.cores.get_or_insert(0.0) += rate,
                "node_cpu_seconds_total" => {
                    let (busy, all) = self.node_cpu.get_or_insert((0.0, 0.0));
                    let idle = labels
                        .iter()
                        .any(|(k, v)| k == "mode" && (v == "idle" || v == "iowait"));
                    *all += rate;
                    *busy += if idle { 0.0 } else { *rate };
                }
                "argocd_app_reconcile_bucket" => add_bucket(&mut self.reconcile, labels, *rate),
                _ => {}
            }
        }
        for sample in samples {
            self.add_gauge(sample);
        }
    }

    fn add_requests(&mut self, rates: &HashMap<SeriesKey, f64>) {
        let Some(chosen) = first_present(&REQUESTS, rates) else {
            return;
        };
        for ((name, labels), rate) in rates {
            if &**name == chosen {
                *self.requests.get_or_insert(0.0) += rate;
                if let Some(code) = status(labels) {
                    let failed = code.starts_with('5') && code.len() == 3;
                    *self.errors.get_or_insert(0.0) += if failed { *rate } else { 0.0 };
                }
            }
        }
    }

    fn add_latencies(&mut self, rates: &HashMap<SeriesKey, f64>) {
        let Some(chosen) = first_present(&LATENCIES, rates) else {
            return;
        };
        for ((name, labels), rate) in rates {
            if &**name == chosen {
                add_bucket(&mut self.latency, labels, *rate);
            }
        }
    }

    fn add_gauge(&mut self, sample: &Sample) {
        match &*sample.name {
            "process_resident_memory_bytes" => *self.memory.get_or_insert(0.0) += sample.value,
            "node_memory_MemTotal_bytes" => {
                self.node_memory.get_or_insert((0.0, 0.0)).1 += sample.value;
            }
            "node_memory_MemAvailable_bytes" => {
                self.node_memory.get_or_insert((0.0, 0.0)).0 += sample.value;
            }
            "argocd_app_info" => {
                let [apps, out_of_sync, degraded] = self.apps.get_or_insert([0.0; 3]);
                *apps += 1.0;
                *out_of_sync += count(sample.label("sync_status") == "OutOfSync");
                *degraded += count(sample.label("health_status") == "Degraded");
            }
            _ => {}
        }
    }

    /// Name, value and unit, in the order in which they are shown.
    fn figures(&self) -> Vec<(&'static str, f64, &'static str)> {
        let mut figures = Vec::new();
        let mut push = |name, value: Option<f64>, unit| {
            figures.extend(value.map(|value| (name, value, unit)));
        };
        push("req/s", self.requests, "/s");
        push("5xx", self.error_share(), "%");
        push("p95", p95(&self.latency), "s");
        match self.node_cpu.filter(|(_, all)| *all > 0.0) {
            Some((busy, all)) => push("cpu", Some(100.0 * busy / all), "%"),
            None => push("cpu", self.cores, ""),
        }
        match self.node_memory.filter(|(_, total)| *total > 0.0) {
            Some((free, total)) => push("mem", Some(100.0 * (1.0 - free / total)), "%"),
            None => push("mem", self.memory, "B"),
        }
        let app = |at: usize| self.apps.and_then(|apps| apps.get(at).copied());
        push("apps", app(0), "");
        push("out of sync", app(1), "");
        push("degraded", app(2), "");
        push("reconcile p95", p95(&self.reconcile), "s");
        figures
    }

    /// Failed requests of all whose status is told, in percent.
    fn error_share(&self) -> Option<f64> {
        let (errors, requests) = (self.errors?, self.requests?);
        Some(if requests > 0.0 {
            100.0 * errors / requests
        } else {
            0.0
        })
    }
}

fn first_present(names: &[&'static str], rates: &HashMap<SeriesKey, f64>) -> Option<&'static str> {
    names
        .iter()
        .copied()
        .find(|name| rates.keys().any(|(have, _)| &**have == *name))
}

fn status(labels: &[(String, String)]) -> Option<&str> {
    let found = labels
        .iter()
        .find(|(key, _)| STATUS.contains(&key.as_str()));
    found.map(|(_, value)| value.as_str())
}

fn add_bucket(buckets: &mut BTreeMap<OrderedBound, f64>, labels: &[(String, String)], rate: f64) {
    let bound = labels.iter().find(|(key, _)| key == "le");
    if let Some(bound) = bound.and_then(|(_, value)| value.parse::<f64>().ok()) {
        *buckets.entry(bound.to_bits()).or_default() += rate;
    }
}

fn p95(buckets: &BTreeMap<OrderedBound, f64>) -> Option<f64> {
    let pairs: Vec<(f64, f64)> = buckets
        .iter()
        .map(|(bound, count)| (f64::from_bits(*bound), *count))
        .collect();
    quantile(0.95, &pairs)
}

fn count(counts: bool) -> f64 {
    if counts { 1.0 } else { 0.0 }
}

#[cfg(test)]
mod tests;

//! From scrapes to how the controllers of Argo CD and Flux are: silent, with a queue that never empties, cut off from a cluster. Pure.
//!
//! Argo CD's application controller keeps client-go's `workqueue_depth` of the queue `app_reconciliation_queue` and its own
//! `argocd_cluster_connection_status`; Flux's controllers keep controller-runtime's gauges, whose queues are called by the kind.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::parse::Sample;
use crate::domain::{AppKind, ControllerReading, Safe};

/// Beginnings of the names that this is made of.
pub const WANTED: [&str; 5] = [
    "workqueue_depth",
    "controller_runtime_active_workers",
    "controller_runtime_max_concurrent_reconciles",
    "gotk_reconcile_duration_seconds_count",
    "argocd_cluster_connection_status",
];

/// What one endpoint of a controller answered.
#[derive(Clone, Copy, Debug)]
pub enum Told<'a> {
    /// Its samples.
    Samples(&'a [Sample]),
    /// It is not ready; why, in words. For the kinds that whoever names the endpoint knows.
    Unready(&'a [AppKind], &'a str),
}

/// What is remembered between rounds; one for each cluster.
#[derive(Clone, Debug, Default)]
pub struct Controllers {
    silent: BTreeMap<AppKind, Timestamp>,
    waiting: BTreeMap<AppKind, Timestamp>,
}

impl Controllers {
    /// Takes one round of answers; tells every controller that was met, in the order of kinds.
    pub fn observe(&mut self, at: Timestamp, told: &[Told<'_>]) -> Vec<ControllerReading> {
        let mut met: BTreeMap<AppKind, ControllerReading> = BTreeMap::new();
        for one in told {
            if let Told::Samples(samples) = one {
                add(&mut met, samples);
            }
        }
        for one in told {
            if let Told::Unready(kinds, why) = one {
                for kind in *kinds {
                    // Another endpoint of the same controller may answer.
                    met.entry(*kind).or_insert_with(|| ControllerReading {
                        trouble: Safe::new(why),
                        silent_since: Some(at),
                        ..reading(*kind)
                    });
                }
            }
        }
        let is_silent = |r: &ControllerReading| r.silent_since.is_some();
        remember(&mut self.silent, &met, at, is_silent);
        remember(&mut self.waiting, &met, at, |r| r.waiting > 0);
        for (kind, reading) in &mut met {
            reading.silent_since = self.silent.get(kind).copied();
            reading.waiting_since = self.waiting.get(kind).copied();
        }
        met.into_values().collect()
    }
}

/// Keeps since when something holds, and forgets where it does not.
fn remember(
    since: &mut BTreeMap<AppKind, Timestamp>,
    met: &BTreeMap<AppKind, ControllerReading>,
    at: Timestamp,
    holds: impl Fn(&ControllerReading) -> bool,
) {
    since.retain(|kind, _| met.get(kind).is_some_and(&holds));
    for (kind, _) in met.iter().filter(|(_, reading)| holds(reading)) {
        since.entry(*kind).or_insert(at);
    }
}

fn reading(kind: AppKind) -> ControllerReading {
    ControllerReading {
        kind,
        silent_since: None,
        trouble: Safe::default(),
        waiting: 0,
        waiting_since: None,
        workers: None,
        lost: Vec::new(),
    }
}

/// Adds what one endpoint tells: of several replicas each tells its own share.
fn add(met: &mut BTreeMap<AppKind, ControllerReading>, samples: &[Sample]) {
    // Other operators have kinds of the same name.
    let is_flux = samples.iter().any(|s| s.name.starts_with("gotk_"));
    for sample in samples {
        let label = match &*sample.name {
            "workqueue_depth" => sample.label("name"),
            "controller_runtime_active_workers"
            | "controller_runtime_max_concurrent_reconciles" => sample.label("controller"),
            _ => continue,
        };
        let Some(kind) = kind_of(label, is_flux) else {
            continue;
        };
        let reading = met.entry(kind).or_insert_with(|| reading(kind));
        let value = whole(sample.value);
        match &*sample.name {
            "workqueue_depth" => reading.waiting += value,
            "controller_runtime_active_workers" => {
                reading.workers.get_or_insert((0, 0)).0 += value;
            }
            _ => reading.workers.get_or_insert((0, 0)).1 += value,
        }
    }
    let lost = samples
        .iter()
        .filter(|s| &*s.name == "argocd_cluster_connection_status" && s.value < 1.0);
    if let Some(reading) = met.get_mut(&AppKind::Application) {
        reading
            .lost
            .extend(lost.map(|s| Safe::new(s.label("server"))));
    }
}

fn kind_of(queue: &str, is_flux: bool) -> Option<AppKind> {
    if queue == "app_reconciliation_queue" {
        return Some(AppKind::Application);
    }
    let named = |kind: &AppKind| kind.word().eq_ignore_ascii_case(queue);
    AppKind::FLUX.into_iter().find(named).filter(|_| is_flux)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of documents or workers; what is no count reads as none"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::{Filter, parse};

    const ARGO: &str = "workqueue_depth{name=\"app_reconciliation_queue\"} 17\nworkqueue_depth{name=\"app_operation_processing_queue\"} 2\nargocd_cluster_connection_status{server=\"https://ber:6443\",k8s_version=\"1.34\"} 0\nargocd_cluster_connection_status{server=\"https://oslo:6443\",k8s_version=\"1.34\"} 1\n";
    const FLUX: &str = "# TYPE gotk_reconcile_duration_seconds histogram\ngotk_reconcile_duration_seconds_bucket{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\",le=\"+Inf\"} 4\ngotk_reconcile_duration_seconds_sum{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\"} 4\ngotk_reconcile_duration_seconds_count{kind=\"Kustomization\",name=\"infra\",namespace=\"flux-system\"} 4\nworkqueue_depth{controller=\"kustomization\",name=\"kustomization\"} 3\ncontroller_runtime_active_workers{controller=\"kustomization\"} 4\ncontroller_runtime_max_concurrent_reconciles{controller=\"kustomization\"} 4\n";

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(1_795_227_240 + seconds).unwrap()
    }

    fn samples(text: &str) -> Vec<Sample> {
        let prefixes = WANTED.iter().map(|p| (*p).to_owned()).collect();
        let filter = Filter {
            prefixes,
            ..Filter::default()
        };
        parse(text, &filter).samples
    }

    #[test]
    fn a_queue_is_told_with_since_when_it_has_not_been_empty() {
        let mut controllers = Controllers::default();
        let busy = samples(ARGO);
        controllers.observe(at(0), &[Told::Samples(&busy)]);
        let found = controllers.observe(at(15), &[Told::Samples(&busy), Told::Samples(&busy)]);
        assert_eq!(found.len(), 1);
        let argo = &found[0];
        assert_eq!(
            (argo.kind, argo.waiting),
            (AppKind::Application, 34),
            "two shards"
        );
        assert_eq!(argo.waiting_since, Some(at(0)));
        assert_eq!(argo.lost[0].as_str(), "https://ber:6443");
        let idle = samples(&ARGO.replace(" 17", " 0"));
        let found = controllers.observe(at(30), &[Told::Samples(&idle)]);
        assert_eq!(found[0].waiting_since, None);
        let found = controllers.observe(at(45), &[Told::Samples(&busy)]);
        assert_eq!(
            found[0].waiting_since,
            Some(at(45)),
            "it was empty in between"
        );
    }

    #[test]
    fn flux_controllers_are_told_by_kind_and_another_operators_queue_is_not() {
        let mut controllers = Controllers::default();
        let flux = samples(FLUX);
        let found = controllers.observe(at(0), &[Told::Samples(&flux)]);
        assert_eq!(
            (found[0].kind, found[0].waiting),
            (AppKind::Kustomization, 3)
        );
        assert_eq!(found[0].workers, Some((4, 4)));
        let other = samples("workqueue_depth{controller=\"bucket\",name=\"bucket\"} 3\n");
        assert!(
            controllers
                .observe(at(15), &[Told::Samples(&other)])
                .is_empty()
        );
    }

    #[test]
    fn a_controller_without_a_ready_endpoint_is_silent_until_one_answers() {
        let mut controllers = Controllers::default();
        let unready = Told::Unready(
            &[AppKind::Kustomization],
            "no endpoint of it is ready (503)",
        );
        controllers.observe(at(0), &[unready]);
        let found = controllers.observe(at(15), &[unready]);
        assert_eq!(found[0].silent_since, Some(at(0)));
        assert!(found[0].trouble.as_str().contains("503"));
        let flux = samples(FLUX);
        let found = controllers.observe(at(30), &[unready, Told::Samples(&flux)]);
        assert_eq!((found.len(), found[0].silent_since), (1, None));
    }
}

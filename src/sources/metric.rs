//! Metrics of one cluster, for ever: find the endpoints of ServiceMonitors and PodMonitors, scrape them through the API server, tell the figures.
//!
//! What a cluster forbids or lacks is a message, never an error. A round's endpoints are asked side by side, each within a time and size limit.

pub mod direct;
pub mod discover;
pub mod monitor;
pub mod scrape;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{self, StreamExt as _};
use jiff::Timestamp;
use kube::Client;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::connect::WallClock;
use crate::connect::turns::compute;

use crate::domain::{AppKind, ClusterMetrics, ControllerReading, Name, Safe};
use crate::metrics::{
    Controllers, Figures, Filter, Parsed, Scrape, Told, WANTED, controllers, parse,
};
pub use direct::Direct;
use discover::discover;
use monitor::{Discovery, Target};
use scrape::{Limits, Trouble};

/// Time between discoveries.
const DISCOVER_EVERY: Duration = Duration::from_secs(60);
/// Time between rounds when no monitor names an interval, and its bounds when one does.
const PERIOD: Duration = Duration::from_secs(15);
const SHORTEST: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_secs(60);
/// The second round comes early: rates need two.
const SECOND_ROUND: Duration = Duration::from_secs(3);
/// Endpoints asked at a time.
const AT_A_TIME: usize = 4;
/// Endpoints of one cluster that are asked; more are counted and left alone.
const TARGETS: usize = 64;

/// What the metrics of a cluster are made of; survives reconnections, so that courses do.
#[derive(Debug)]
pub struct MetricSource {
    /// The namespace the row is confined to, empty for the whole cluster.
    scope: Name,
    /// A URL of the configuration.
    direct: Option<Direct>,
    limits: Limits,
    figures: Figures,
    controllers: Controllers,
    round: u64,
    found: Discovery,
    found_at: Option<Instant>,
}

/// How one endpoint answered.
struct Answer {
    target: Arc<str>,
    app: Option<Arc<str>>,
    /// The kinds of documents whose controller it is, by its labels.
    controls: Vec<AppKind>,
    parsed: Result<Parsed, Trouble>,
}

impl MetricSource {
    /// A source for one row.
    pub fn new(scope: Name, direct: Option<Direct>) -> Self {
        Self {
            scope,
            direct,
            limits: Limits::default(),
            figures: Figures::default(),
            controllers: Controllers::default(),
            round: 0,
            found: Discovery::default(),
            found_at: None,
        }
    }

    /// Makes rounds for ever, and one at once for each kick; drop the future to end it, and call it again with the next client. On a clock
    /// that goes by hand only kicks count.
    pub async fn run(
        &mut self,
        client: &Client,
        time: &WallClock,
        mut kicks: watch::Receiver<u64>,
        mut tell: impl FnMut(ClusterMetrics),
    ) {
        loop {
            tell(self.round(client, time.now()).await);
            let pause = pause(self.round, self.found.interval, fastrand::f64());
            tokio::select! {
                () = tokio::time::sleep(pause), if !time.is_by_hand() => {}
                kicked = kicks.changed() => if kicked.is_err() { return },
            }
        }
    }

    /// Makes one round: discovery when it is due, every endpoint once, the figures.
    pub async fn round(&mut self, client: &Client, now: Timestamp) -> ClusterMetrics {
        self.round += 1;
        if self
            .found_at
            .is_none_or(|at| at.elapsed() >= DISCOVER_EVERY)
        {
            self.found = discover(client, &self.scope).await;
            self.found_at = Some(Instant::now());
        }
        let answers = self.ask(client).await;
        self.add_up(answers, now)
    }

    async fn ask(&self, client: &Client) -> Vec<Answer> {
        let limits = self.limits;
        let proxied = stream::iter(self.found.targets.iter().take(TARGETS).cloned())
            .map(|target| async move {
                let text = scrape::through_proxy(client, &target, limits).await;
                Answer {
                    target: target.id(),
                    parsed: read(text).await,
                    app: target.app,
                    controls: target.controls,
                }
            })
            .buffer_unordered(AT_A_TIME)
            .collect::<Vec<Answer>>();
        let direct = async {
            let direct = self.direct.as_ref()?;
            let text = direct.scrape(limits).await;
            Some(Answer {
                target: direct.id(),
                app: None,
                controls: Vec::new(),
                parsed: read(text).await,
            })
        };
        let (mut answers, direct) = futures::join!(proxied, direct);
        answers.extend(direct);
        answers.sort_by(|a, b| a.target.cmp(&b.target));
        answers
    }

    fn add_up(&mut self, answers: Vec<Answer>, now: Timestamp) -> ClusterMetrics {
        let mut told = ClusterMetrics {
            targets: self.found.targets.len() + usize::from(self.direct.is_some()),
            scraped_at: Some(now),
            controllers: self.observe_controllers(&answers, now),
            ..ClusterMetrics::default()
        };
        let mut scrapes = Vec::new();
        let mut troubles = BTreeMap::new();
        let mut dropped = None;
        for answer in answers {
            match answer.parsed {
                Ok(parsed) => {
                    told.targets_up += 1;
                    told.samples += parsed.samples.len();
                    told.dropped_families += parsed.dropped_families.len();
                    let first = parsed.dropped_families.first();
                    dropped = dropped.or_else(|| first.map(|d| (answer.target.clone(), d.clone())));
                    scrapes.push(Scrape {
                        target: answer.target,
                        app: answer.app,
                        parsed,
                    });
                }
                Err(trouble) => {
                    troubles.entry(answer.target).or_insert(trouble);
                }
            }
        }
        (told.figures, told.by_app) = self.figures.observe(now, self.round, &scrapes);
        told.message = self.message(&told, troubles.first_key_value()).or_else(|| {
            let (target, family) = dropped?;
            Some(
                format!(
                    "{} metric families were dropped, first `{}` of {target}: {}.",
                    told.dropped_families, family.family, family.reason
                )
                .into(),
            )
        });
        told
    }

    /// An endpoint that is not ready says something of its controller; one that may not be asked says nothing.
    fn observe_controllers(
        &mut self,
        answers: &[Answer],
        now: Timestamp,
    ) -> Vec<ControllerReading> {
        let troubles: Vec<String> = answers
            .iter()
            .map(|a| {
                a.parsed
                    .as_ref()
                    .err()
                    .map_or_else(String::new, Trouble::to_string)
            })
            .collect();
        let told = answers.iter().zip(&troubles);
        let told = told.filter_map(|(answer, trouble)| match &answer.parsed {
            Ok(parsed) => Some(Told::Samples(&parsed.samples)),
            Err(Trouble::Unready(_)) => Some(Told::Unready(&answer.controls, trouble)),
            Err(_) => None,
        });
        self.controllers.observe(now, &told.collect::<Vec<_>>())
    }

    /// What hinders: discovery when nothing else answers, else the first endpoint that did not.
    fn message(&self, told: &ClusterMetrics, first: Option<(&Arc<str>, &Trouble)>) -> Option<Safe> {
        if let Some((target, trouble)) = first {
            let down = told.targets.min(TARGETS) - told.targets_up.min(told.targets);
            return Some(
                format!(
                    "{down} of {} endpoints did not answer; {target}: {trouble}.",
                    told.targets
                )
                .into(),
            );
        }
        if told.targets > TARGETS {
            return Some(format!("Only {TARGETS} of {} endpoints are asked.", told.targets).into());
        }
        self.found.message.clone().filter(|_| told.targets_up == 0)
    }
}

/// Parses off the loop: an answer may have megabytes.
async fn read(text: Result<String, Trouble>) -> Result<Parsed, Trouble> {
    let text = text?;
    let read = compute(move || parse(&text, &wanted())).await;
    read.map_err(|_| Trouble::Unreadable)
}

fn wanted() -> Filter {
    let prefixes = WANTED.iter().chain(&controllers::WANTED);
    Filter {
        prefixes: prefixes.map(|prefix| (*prefix).to_owned()).collect(),
        ..Filter::default()
    }
}

/// The time to the next round: the shortest interval that a monitor names, spread by a tenth; `jitter` is in 0..1.
fn pause(round: u64, interval: Option<Duration>, jitter: f64) -> Duration {
    let period = interval.map_or(PERIOD, |i| i.clamp(SHORTEST, LONGEST));
    let base = if round <= 1 {
        SECOND_ROUND.min(period)
    } else {
        period
    };
    base.mul_f64(0.9 + 0.2 * jitter.clamp(0.0, 1.0))
}

/// Names a target for people: `edge/web:metrics`.
fn label(target: &Target) -> Arc<str> {
    format!("{}/{}:{}", target.namespace, target.service, target.port).into()
}

#[cfg(test)]
mod tests;

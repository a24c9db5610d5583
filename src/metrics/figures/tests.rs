//! Rounds of scrapes in, figures out.

use super::*;
use crate::metrics::parse::{Filter, parse};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + seconds).unwrap()
}

fn scrape(target: &str, app: Option<&str>, text: &str) -> Scrape {
    let filter = Filter {
        prefixes: WANTED.iter().map(|p| (*p).to_owned()).collect(),
        ..Filter::default()
    };
    let parsed = parse(text, &filter);
    assert_eq!(parsed.dropped_families, []);
    Scrape {
        target: target.into(),
        app: app.map(Into::into),
        parsed,
    }
}

fn value(figures: &[MetricFigure], name: &str) -> Option<f64> {
    let found = figures.iter().find(|f| f.name.as_str() == name);
    found.map(|f| (f.value * 1000.0).round() / 1000.0)
}

fn web(ok: u32, failed: u32) -> String {
    format!(
        "http_requests_total{{code=\"200\"}} {ok}\nhttp_requests_total{{code=\"503\"}} {failed}\n"
    )
}

#[test]
fn rates_need_two_rounds_and_then_tell_requests_and_failures() {
    let mut figures = Figures::default();
    let (cluster, _) = figures.observe(at(0), 1, &[scrape("web", None, &web(100, 0))]);
    assert_eq!(value(&cluster, "req/s"), None);
    let (cluster, _) = figures.observe(at(10), 2, &[scrape("web", None, &web(190, 10))]);
    assert_eq!(value(&cluster, "req/s"), Some(10.0));
    assert_eq!(value(&cluster, "5xx"), Some(10.0));
}

#[test]
fn a_restart_is_no_negative_rate() {
    let mut figures = Figures::default();
    figures.observe(at(0), 1, &[scrape("web", None, &web(1000, 0))]);
    let (cluster, _) = figures.observe(at(10), 2, &[scrape("web", None, &web(20, 0))]);
    assert_eq!(value(&cluster, "req/s"), Some(2.0));
}

#[test]
fn replicas_behind_one_service_are_not_mixed() {
    let pod = |start: u32, count: u32| {
        let text = format!("process_start_time_seconds {start}\n{}", web(count, 0));
        [scrape("web", None, &text)]
    };
    let mut figures = Figures::default();
    figures.observe(at(0), 1, &pod(7, 1000));
    let (cluster, _) = figures.observe(at(10), 2, &pod(8, 50));
    assert_eq!(
        value(&cluster, "req/s"),
        None,
        "another process: nothing to compare with"
    );
    let (cluster, _) = figures.observe(at(20), 3, &pod(7, 1100));
    assert_eq!(value(&cluster, "req/s"), Some(5.0));
}

#[test]
fn requests_counted_twice_by_an_exporter_count_once() {
    let text = |n: u32| {
        format!(
            "http_requests_total{{code=\"200\"}} {n}\nhttp_request_duration_seconds_count {n}\n"
        )
    };
    let mut figures = Figures::default();
    figures.observe(at(0), 1, &[scrape("web", None, &text(0))]);
    let (cluster, _) = figures.observe(at(10), 2, &[scrape("web", None, &text(50))]);
    assert_eq!(value(&cluster, "req/s"), Some(5.0));
}

#[test]
fn the_p95_is_that_of_the_last_round_over_all_targets() {
    let text = |fast: u32, all: u32| {
        format!(
            "http_request_duration_seconds_bucket{{le=\"0.1\"}} {fast}\nhttp_request_duration_seconds_bucket{{le=\"0.5\"}} {all}\nhttp_request_duration_seconds_bucket{{le=\"+Inf\"}} {all}\n"
        )
    };
    let mut figures = Figures::default();
    figures.observe(
        at(0),
        1,
        &[
            scrape("a", None, &text(5000, 5000)),
            scrape("b", None, &text(0, 0)),
        ],
    );
    let (cluster, _) = figures.observe(
        at(10),
        2,
        &[
            scrape("a", None, &text(5090, 5090)),
            scrape("b", None, &text(0, 10)),
        ],
    );
    // 90 of 100 below 0.1 s, 10 up to 0.5 s: the 95th is in the middle of the second bucket.
    assert_eq!(value(&cluster, "p95"), Some(0.3));
}

#[test]
fn processes_are_told_in_cores_and_bytes_and_nodes_in_shares() {
    let process =
        |cpu: f64| format!("process_cpu_seconds_total {cpu}\nprocess_resident_memory_bytes 1e6\n");
    let mut figures = Figures::default();
    figures.observe(
        at(0),
        1,
        &[
            scrape("a", None, &process(1.0)),
            scrape("b", None, &process(4.0)),
        ],
    );
    let (cluster, _) = figures.observe(
        at(10),
        2,
        &[
            scrape("a", None, &process(3.0)),
            scrape("b", None, &process(7.0)),
        ],
    );
    assert_eq!(value(&cluster, "cpu"), Some(0.5));
    assert_eq!(value(&cluster, "mem"), Some(2e6));
    let node = |idle: f64, user: f64| {
        format!(
            "node_cpu_seconds_total{{cpu=\"0\",mode=\"idle\"}} {idle}\nnode_cpu_seconds_total{{cpu=\"0\",mode=\"user\"}} {user}\nnode_memory_MemTotal_bytes 4e9\nnode_memory_MemAvailable_bytes 1e9\n"
        )
    };
    let mut figures = Figures::default();
    figures.observe(at(0), 1, &[scrape("n", None, &node(0.0, 0.0))]);
    let (cluster, _) = figures.observe(
        at(10),
        2,
        &[
            scrape("n", None, &node(6.0, 4.0)),
            scrape("a", None, &process(1.0)),
        ],
    );
    assert_eq!(value(&cluster, "cpu"), Some(40.0));
    assert_eq!(value(&cluster, "mem"), Some(75.0));
    assert_eq!(
        cluster
            .iter()
            .find(|f| f.name.as_str() == "mem")
            .unwrap()
            .unit,
        "%"
    );
}

#[test]
fn applications_have_figures_of_their_own_and_the_cluster_the_sum() {
    let round = |n: u32| {
        [
            scrape("web", Some("edge-microservice"), &web(10 * n, 0)),
            scrape("api", Some("edge-api"), &web(30 * n, 0)),
            scrape("other", None, "go_info 1\n"),
        ]
    };
    let mut figures = Figures::default();
    figures.observe(at(0), 1, &round(0));
    let (cluster, apps) = figures.observe(at(10), 2, &round(1));
    assert_eq!(value(&cluster, "req/s"), Some(4.0));
    let named: Vec<(&str, Option<f64>)> = apps
        .iter()
        .map(|(app, figures)| (app.as_str(), value(figures, "req/s")))
        .collect();
    assert_eq!(
        named,
        [("edge-api", Some(3.0)), ("edge-microservice", Some(1.0))]
    );
}

#[test]
fn argo_cds_own_metrics_count_applications() {
    let text = "argocd_app_info{name=\"a\",sync_status=\"Synced\",health_status=\"Healthy\"} 1\nargocd_app_info{name=\"b\",sync_status=\"OutOfSync\",health_status=\"Degraded\"} 1\nargocd_app_info{name=\"c\",sync_status=\"OutOfSync\",health_status=\"Healthy\"} 1\n";
    let (cluster, _) = Figures::default().observe(at(0), 1, &[scrape("argocd", None, text)]);
    assert_eq!(value(&cluster, "apps"), Some(3.0));
    assert_eq!(value(&cluster, "out of sync"), Some(2.0));
    assert_eq!(value(&cluster, "degraded"), Some(1.0));
}

#[test]
fn courses_grow_to_sixty_values_oldest_first() {
    let mut figures = Figures::default();
    let mut last = Vec::new();
    for round in 0..70_u32 {
        let text = format!("process_resident_memory_bytes {round}\n");
        let (cluster, _) = figures.observe(
            at(i64::from(round)),
            u64::from(round),
            &[scrape("a", None, &text)],
        );
        last = cluster[0].course.clone();
    }
    assert_eq!(last.len(), 60);
    assert_eq!((last[0], last[59]), (10.0, 69.0));
}

#[test]
fn values_that_are_no_numbers_are_not_shown() {
    let (cluster, _) = Figures::default().observe(
        at(0),
        1,
        &[scrape("a", None, "process_resident_memory_bytes NaN\n")],
    );
    assert_eq!(cluster, []);
}

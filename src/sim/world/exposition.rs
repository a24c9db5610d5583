//! What the services of the demo answer on `/metrics`: Prometheus text that looks like that of working programs.

use std::fmt::Write as _;

use jiff::SignedDuration;

use super::dice::{dice, hash};

/// Whose metrics are asked for, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exposed<'a> {
    /// Name of the Service.
    pub(crate) service: &'a str,
    /// Name of the cluster; makes one site's numbers differ from another's.
    pub(crate) cluster: &'a str,
    pub(crate) seed: u64,
    /// How long the world has been running; zero for ever where the metrics are constant.
    pub(crate) elapsed: SignedDuration,
    /// How long the program has been failing, if it does.
    pub(crate) failing: Option<SignedDuration>,
}

/// Upper bounds of the request histogram in seconds.
const BUCKETS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0];

/// The whole text, format 0.0.4.
pub(crate) fn text(of: Exposed<'_>) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = match of.service {
        "node-exporter" => node(&mut out, of),
        "telemetry" => process(&mut out, of).and_then(|()| collector(&mut out, of)),
        _ => process(&mut out, of)
            .and_then(|()| requests(&mut out, of))
            .and_then(|()| latencies(&mut out, of))
            .and_then(|()| recorded(&mut out, of)),
    };
    out
}

impl Exposed<'_> {
    /// A number between the bounds that belongs to this service of this cluster for ever.
    fn fixed(&self, what: &str, from: f64, to: f64) -> f64 {
        let purpose = format!("{}/{}/{what}", self.cluster, self.service);
        from + dice(self.seed, &purpose).f64() * (to - from)
    }

    /// A counter: what it had at the start and what it gained since.
    fn counter(&self, what: &str, base: f64, rate: f64) -> f64 {
        let start = self.fixed(what, base * 0.5, base * 1.5);
        let rate = self.fixed(&format!("{what} rate"), rate * 0.5, rate * 1.5);
        (start + rate * self.elapsed.as_secs_f64()).floor()
    }

    /// A gauge that wanders slowly around its own level, by a tenth of it.
    fn gauge(&self, what: &str, from: f64, to: f64) -> f64 {
        let level = self.fixed(what, from, to);
        let phase = self.fixed(&format!("{what} phase"), 0.0, std::f64::consts::TAU);
        let turns = self.elapsed.as_secs_f64() / 90.0 * std::f64::consts::TAU;
        level * (1.0 + 0.1 * ((turns + phase).sin() - phase.sin()))
    }

    /// Errors since the program began to fail: about eight a second.
    fn errors(&self) -> f64 {
        self.failing
            .map_or(0.0, |d| (d.as_secs_f64() * 8.0).floor())
    }
}

fn family(out: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

fn process(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    family(
        out,
        "process_cpu_seconds_total",
        "counter",
        "Total user and system CPU time spent in seconds.",
    )?;
    let cpu = of.fixed("cpu", 900.0, 4_000.0)
        + of.fixed("cpu rate", 0.02, 0.3) * of.elapsed.as_secs_f64();
    writeln!(out, "process_cpu_seconds_total {cpu:.2}")?;
    family(
        out,
        "process_resident_memory_bytes",
        "gauge",
        "Resident memory size in bytes.",
    )?;
    let memory = of.gauge("memory", 3.0e7, 9.0e7).floor();
    writeln!(out, "process_resident_memory_bytes {memory:e}")?;
    family(
        out,
        "process_open_fds",
        "gauge",
        "Number of open file descriptors.",
    )?;
    writeln!(out, "process_open_fds {:.0}", of.gauge("fds", 20.0, 90.0))?;
    family(
        out,
        "build_info",
        "gauge",
        "What this program was built from.",
    )?;
    let revision = hash(of.service) & 0xfff_ffff;
    writeln!(
        out,
        "build_info{{service=\"{}\",revision=\"{revision:07x}\",flags=\"opt={{2}},lto=\\\"thin\\\"\"}} 1",
        of.service
    )
}

fn requests(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    family(
        out,
        "http_requests_total",
        "counter",
        "Requests answered, by method, path and status code.",
    )?;
    // The third path holds every character that a label value has to escape, and some that it has not.
    let series = [
        ("GET", "/readings", "200", 90_000.0, 12.0),
        ("POST", "/readings", "201", 30_000.0, 4.0),
        (
            "GET",
            "/export?from=a,b&q={\\\"x\\\"}\\\\n",
            "200",
            400.0,
            0.05,
        ),
        ("GET", "/readings", "404", 120.0, 0.02),
    ];
    for (method, path, code, base, rate) in series {
        let value = of.counter(&format!("{method}{path}{code}"), base, rate);
        writeln!(
            out,
            "http_requests_total{{method=\"{method}\",path=\"{path}\",code=\"{code}\"}} {value}"
        )?;
    }
    let errors = of.counter("500", 40.0, 0.005) + of.errors();
    writeln!(
        out,
        "http_requests_total{{method=\"GET\",path=\"/readings\",code=\"500\"}} {errors}"
    )
}

fn latencies(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    let name = "http_request_duration_seconds";
    family(out, name, "histogram", "How long requests took.")?;
    let count = of.counter("durations", 120_000.0, 16.0);
    let typical = of.fixed("typical", 0.01, 0.06);
    for bound in BUCKETS {
        // The share of an exponential distribution below the bound.
        let below = (count * (1.0 - (-bound / typical).exp())).floor();
        writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {below}")?;
    }
    writeln!(out, "{name}_bucket{{le=\"+Inf\"}} {count}")?;
    writeln!(out, "{name}_sum {:.3}", count * typical)?;
    writeln!(out, "{name}_count {count}")
}

/// A series that a recording rule made, as `/federate` shows them: colons in its name.
fn recorded(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    writeln!(out, "# TYPE job:http_requests:rate5m untyped")?;
    let rate = of.gauge("rate5m", 10.0, 22.0) + if of.failing.is_some() { 8.0 } else { 0.0 };
    writeln!(
        out,
        "job:http_requests:rate5m{{job=\"{}\"}} {rate:.3}",
        of.service
    )
}

fn collector(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    family(
        out,
        "collector_samples_sent_total",
        "counter",
        "Samples sent to the remote end.",
    )?;
    let sent = of.counter("sent", 4.0e6, 300.0);
    writeln!(out, "collector_samples_sent_total {sent}")?;
    family(
        out,
        "collector_queue_length",
        "gauge",
        "Samples that wait to be sent.",
    )?;
    writeln!(
        out,
        "collector_queue_length {:.0}",
        of.gauge("queue", 5.0, 60.0)
    )?;
    family(
        out,
        "collector_send_duration_seconds",
        "summary",
        "How long sending took.",
    )?;
    let count = of.counter("sends", 60_000.0, 2.0);
    let middle = of.fixed("send", 0.05, 0.2);
    for (quantile, factor) in [("0.5", 1.0), ("0.9", 2.2), ("0.99", 4.0)] {
        writeln!(
            out,
            "collector_send_duration_seconds{{quantile=\"{quantile}\"}} {:.4}",
            middle * factor
        )?;
    }
    writeln!(
        out,
        "collector_send_duration_seconds_sum {:.3}",
        count * middle
    )?;
    writeln!(out, "collector_send_duration_seconds_count {count}")
}

fn node(out: &mut String, of: Exposed<'_>) -> std::fmt::Result {
    family(
        out,
        "node_cpu_seconds_total",
        "counter",
        "Seconds the CPUs spent in each mode.",
    )?;
    for cpu in 0..2 {
        let busy = of.fixed(&format!("busy {cpu}"), 0.1, 0.7);
        for (mode, share) in [
            ("idle", 1.0 - busy),
            ("user", busy * 0.7),
            ("system", busy * 0.3),
        ] {
            let seconds = (700_000.0 + of.elapsed.as_secs_f64()) * share;
            writeln!(
                out,
                "node_cpu_seconds_total{{cpu=\"{cpu}\",mode=\"{mode}\"}} {seconds:.2}"
            )?;
        }
    }
    let total = 4_294_967_296.0_f64;
    let free = (total * (1.0 - of.gauge("used", 0.3, 0.8))).floor();
    for (name, value) in [
        ("node_memory_MemTotal_bytes", total),
        ("node_memory_MemAvailable_bytes", free),
    ] {
        family(out, name, "gauge", "Memory of the machine.")?;
        writeln!(out, "{name} {value:e}")?;
    }
    family(out, "node_load1", "gauge", "1m load average.")?;
    writeln!(out, "node_load1 {:.2}", of.gauge("load", 0.1, 1.8))?;
    family(
        out,
        "node_filesystem_avail_bytes",
        "gauge",
        "Filesystem space available to non-root users in bytes.",
    )?;
    let disk = of.fixed("disk", 2.0e9, 2.0e10).floor();
    writeln!(
        out,
        "node_filesystem_avail_bytes{{device=\"/dev/mmcblk0p2\",fstype=\"ext4\",mountpoint=\"/\"}} {disk:e}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exposed(service: &'static str, seconds: i64) -> Exposed<'static> {
        Exposed {
            service,
            cluster: "edge-oslo-001",
            seed: 1,
            elapsed: SignedDuration::from_secs(seconds),
            failing: None,
        }
    }

    fn value(text: &str, series: &str) -> f64 {
        let line = text.lines().find(|l| l.starts_with(series)).unwrap();
        line.rsplit(' ').next().unwrap().parse().unwrap()
    }

    #[test]
    fn every_line_is_a_comment_or_a_sample() {
        for service in ["edge-microservice", "ingress", "telemetry", "node-exporter"] {
            for line in text(exposed(service, 7)).lines() {
                if line.starts_with('#') {
                    continue;
                }
                let (name, number) = line.rsplit_once(' ').unwrap();
                assert!(number.parse::<f64>().is_ok(), "{line}");
                assert!(name.starts_with(|c: char| c.is_ascii_alphabetic()));
            }
        }
    }

    #[test]
    fn counters_only_grow_and_stand_still_with_the_clock() {
        let (early, later) = (text(exposed("ingress", 10)), text(exposed("ingress", 70)));
        let series = "http_requests_total{method=\"GET\",path=\"/readings\",code=\"200\"}";
        assert!(value(&later, series) > value(&early, series));
        assert_eq!(early, text(exposed("ingress", 10)));
    }

    #[test]
    fn sites_have_numbers_of_their_own() {
        let other = Exposed {
            cluster: "edge-paris-002",
            ..exposed("ingress", 10)
        };
        assert_ne!(text(exposed("ingress", 10)), text(other));
    }

    #[test]
    fn a_failing_program_shows_its_errors() {
        let failing = Exposed {
            failing: Some(SignedDuration::from_secs(30)),
            ..exposed("edge-microservice", 60)
        };
        let series = "http_requests_total{method=\"GET\",path=\"/readings\",code=\"500\"}";
        let sound = value(&text(exposed("edge-microservice", 60)), series);
        assert!(value(&text(failing), series) >= sound + 240.0);
    }

    #[test]
    fn buckets_are_cumulative() {
        let text = text(exposed("ingress", 5));
        let counts: Vec<f64> = text
            .lines()
            .filter(|l| l.starts_with("http_request_duration_seconds_bucket"))
            .map(|l| l.rsplit(' ').next().unwrap().parse().unwrap())
            .collect();
        assert_eq!(counts.len(), BUCKETS.len() + 1);
        assert!(counts.windows(2).all(|w| w[0] <= w[1]));
    }

    #[test]
    fn a_recording_rule_and_awkward_labels_are_there() {
        let text = text(exposed("edge-microservice", 5));
        assert!(text.contains("job:http_requests:rate5m{job=\"edge-microservice\"}"));
        assert!(text.contains(r#"path="/export?from=a,b&q={\"x\"}\\n""#));
    }
}

//! Awkward documents, and the peer that loses data on them.

use super::*;

fn read(text: &str) -> Parsed {
    parse(text, &Filter::default())
}

fn one(text: &str) -> Sample {
    let parsed = read(text);
    assert_eq!(parsed.dropped_families, [], "{text}");
    assert_eq!(parsed.samples.len(), 1, "{text}");
    parsed.samples.into_iter().next().unwrap()
}

const PLAIN: &str = "\
# HELP http_requests_total Requests answered.
# TYPE http_requests_total counter
http_requests_total{method=\"GET\",code=\"200\"} 1027
http_requests_total{method=\"POST\",code=\"400\"} 3
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 5.4e7
";

#[test]
fn plain_documents_come_out_whole() {
    let parsed = read(PLAIN);
    let found: Vec<(&str, &str, f64)> = parsed
        .samples
        .iter()
        .map(|s| (&*s.name, s.label("code"), s.value))
        .collect();
    assert_eq!(
        found,
        [
            ("http_requests_total", "200", 1027.0),
            ("http_requests_total", "400", 3.0),
            ("process_resident_memory_bytes", "", 5.4e7)
        ]
    );
}

#[test]
fn labels_keep_braces_commas_equals_escapes_and_letters_of_any_script() {
    let sample = one(
        "a{path=\"/x?a=1,b={y}\",quote=\"say \\\"hi\\\"\",slash=\"c:\\\\d\",line=\"1\\n2\",city=\"Köln 東京\"} 1\n",
    );
    assert_eq!(sample.label("path"), "/x?a=1,b={y}");
    assert_eq!(sample.label("quote"), "say \"hi\"");
    assert_eq!(sample.label("slash"), "c:\\d");
    assert_eq!(sample.label("line"), "1\n2");
    assert_eq!(sample.label("city"), "Köln 東京");
}

#[test]
fn every_spelling_of_a_number_that_prometheus_takes_is_taken() {
    for (text, expected) in [
        ("1", 1.0),
        ("-1", -1.0),
        ("+2.5", 2.5),
        (".5", 0.5),
        ("1e-3", 0.001),
        ("Inf", f64::INFINITY),
        ("+Inf", f64::INFINITY),
        ("-Inf", f64::NEG_INFINITY),
        ("12345678901234567890", 12_345_678_901_234_567_890.0),
    ] {
        let found = one(&format!("a {text}\n")).value;
        assert!(found.total_cmp(&expected).is_eq(), "{text}: {found}");
    }
    assert!(one("a NaN\n").value.is_nan());
}

#[test]
fn blanks_tabs_timestamps_exemplars_and_line_ends_do_not_matter() {
    for text in [
        "a{x=\"1\"} 5",
        "  a{x=\"1\"}   5  \n",
        "a {x=\"1\"} 5\n",
        "a{ x = \"1\" , }\t5\n",
        "a{x=\"1\"} 5 1712345678000\n",
        "a{x=\"1\"} 5 1712345678.123\n",
        "a{x=\"1\"} 5 # {trace_id=\"abc\"} 0.67 1520879607.789\n",
        "a{x=\"1\"} 5\r\n",
    ] {
        let sample = one(text);
        assert_eq!(
            (&*sample.name, sample.label("x"), sample.value),
            ("a", "1", 5.0),
            "{text:?}"
        );
    }
}

#[test]
fn names_with_colons_and_names_in_quotes_are_read() {
    assert_eq!(&*one("ns:rule:sum 1\n").name, "ns:rule:sum");
    let sample = one("{\"http.requests\",code=\"200\"} 5\n");
    assert_eq!(
        (&*sample.name, sample.label("code")),
        ("http.requests", "200")
    );
    assert_eq!(&*one("x{} 1\n").name, "x");
}

#[test]
fn label_sets_may_differ_within_a_family() {
    let parsed = read("# TYPE a counter\na{x=\"1\"} 1\na{y=\"1\"} 2\na 3\n");
    assert_eq!(parsed.dropped_families, []);
    assert_eq!(parsed.samples.len(), 3);
}

#[test]
fn histograms_and_summaries_come_out_as_their_series() {
    let text = "# TYPE h histogram\nh_bucket{le=\"0.1\"} 5\nh_bucket{le=\"+Inf\"} 8\nh_sum 1.5\nh_count 8\n# TYPE s summary\ns{quantile=\"0.5\"} 0.2\ns_sum 3\ns_count 9\n";
    let parsed = read(text);
    assert_eq!(parsed.dropped_families, []);
    let names: Vec<&str> = parsed.samples.iter().map(|s| &*s.name).collect();
    assert_eq!(
        names,
        [
            "h_bucket", "h_bucket", "h_sum", "h_count", "s", "s_sum", "s_count"
        ]
    );
}

#[test]
fn openmetrics_documents_are_read_too() {
    let text = "# TYPE foo counter\n# UNIT foo seconds\nfoo_total 17.0 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67\nfoo_created 1520430000.123\n# EOF\n";
    let parsed = read(text);
    assert_eq!(parsed.dropped_families, []);
    assert_eq!(parsed.samples.len(), 2);
    assert!((parsed.samples[0].value - 17.0).abs() < f64::EPSILON);
}

#[test]
fn a_bad_family_is_dropped_whole_named_and_the_others_stay() {
    let text = format!(
        "{PLAIN}# TYPE broken histogram\nbroken_bucket{{le=\"1\"}} 1\nbroken_bucket{{le=\"+Inf\" 2\nbroken_count 2\nlast 1\n"
    );
    let parsed = read(&text);
    assert_eq!(parsed.samples.len(), 4);
    assert_eq!(parsed.dropped_families.len(), 1);
    assert_eq!(parsed.dropped_families[0].family.as_str(), "broken");
    for bad in [
        "a one\n",
        "a{x=1} 1\n",
        "a{x=\"1\"\n",
        "a{x=\"\\t\"} 1\n",
        "9a 1\n",
        "a{x=\"1\",x=\"2\"} 1\n",
        "a 0x10\n",
        "a\n",
    ] {
        let parsed = read(bad);
        assert_eq!(
            (parsed.samples.len(), parsed.dropped_families.len()),
            (0, 1),
            "{bad:?}"
        );
    }
}

#[test]
fn the_reason_repeats_nothing_of_a_label() {
    let parsed = read("a{token=\"hunter2} 1\n");
    let reason = &parsed.dropped_families[0].reason;
    assert!(!reason.as_str().contains("hunter2"), "{reason}");
}

#[test]
fn of_a_repeated_series_the_first_counts() {
    let parsed = read("a{x=\"1\",y=\"2\"} 1\na{y=\"2\",x=\"1\"} 2\n");
    assert_eq!(parsed.samples.len(), 1);
    assert!((parsed.samples[0].value - 1.0).abs() < f64::EPSILON);
}

#[test]
fn only_wanted_names_are_parsed() {
    let filter = Filter {
        prefixes: vec!["http_".into()],
        ..Filter::default()
    };
    let parsed = parse(&format!("{PLAIN}go_broken{{ 1\n"), &filter);
    assert_eq!((parsed.samples.len(), parsed.passed_over), (2, 2));
    assert_eq!(
        parsed.dropped_families,
        [],
        "what nobody wants is not even looked at"
    );
}

#[test]
fn limits_hold_on_bytes_samples_lines_labels_and_values() {
    let many = (0..100).fold(String::new(), |text, n| {
        format!("{text}a{{n=\"{n}\"}} {n}\n")
    });
    let limited = |change: fn(&mut Filter)| {
        let mut filter = Filter::default();
        change(&mut filter);
        filter
    };
    let two = format!("z 1\n{many}");
    let cut = parse(&two, &limited(|f| f.bytes = 100));
    assert!(cut.cut);
    assert_eq!(
        (cut.samples.len(), cut.dropped_families.len()),
        (1, 1),
        "no half families"
    );
    let capped = parse(&two, &limited(|f| f.samples = 7));
    assert_eq!(
        (
            capped.samples.len(),
            capped.dropped_families.len(),
            capped.over_limit
        ),
        (1, 1, 94)
    );
    let long = format!("a{{x=\"{}\"}} 1\nb 1\n", "v".repeat(5000));
    for filter in [limited(|f| f.line = 1000), limited(|f| f.label_value = 100)] {
        let parsed = parse(&long, &filter);
        assert_eq!(
            (parsed.samples.len(), parsed.dropped_families.len()),
            (1, 1)
        );
    }
    let wide = "a{a=\"1\",b=\"2\",c=\"3\"} 1\n";
    assert_eq!(
        parse(wide, &limited(|f| f.labels = 2))
            .dropped_families
            .len(),
        1
    );
}

#[test]
fn nothing_makes_it_panic() {
    for text in [
        "",
        "\n",
        "{",
        "}",
        "{}",
        "{\"",
        "\"",
        "a{",
        "a{\"x",
        "#",
        "# TYPE",
        "# TYPE a",
        "# TYPE a gauge",
        "\u{0}",
        "a{x=\"\u{202e}\"} 1",
        "= 1",
        "a{}{} 1",
        "💥 1",
        "{\"\"} 1",
    ] {
        let _ = read(text);
    }
}

/// Name, labels in order, value.
type Plain = (String, Labels, f64);

/// What `prometheus-parse` makes of a document.
fn peer(text: &str) -> Vec<Plain> {
    let lines = text.lines().map(|line| Ok(line.to_owned()));
    let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
    let value = |value: &prometheus_parse::Value| match value {
        prometheus_parse::Value::Counter(v)
        | prometheus_parse::Value::Gauge(v)
        | prometheus_parse::Value::Untyped(v) => *v,
        _ => f64::NAN,
    };
    scrape
        .samples
        .iter()
        .map(|s| {
            let mut labels: Labels = s
                .labels
                .iter()
                .map(|(k, v)| (k.clone(), v.clone()))
                .collect();
            labels.sort();
            (s.metric.clone(), labels, value(&s.value))
        })
        .collect()
}

fn ours(text: &str) -> Vec<Plain> {
    let samples = read(text).samples.into_iter();
    samples
        .map(|s| (s.name.to_string(), s.labels, s.value))
        .collect()
}

#[test]
fn on_simple_documents_the_peer_agrees() {
    assert_eq!(ours(PLAIN), peer(PLAIN));
    let gauges = "# TYPE node_load1 gauge\nnode_load1 0.27\nnode_cpu_seconds_total{cpu=\"0\",mode=\"idle\"} 12.5\n";
    assert_eq!(ours(gauges), peer(gauges));
}

#[test]
fn where_the_peer_loses_data_ours_does_not() {
    for text in [
        "ns:rule:sum{job=\"edge\"} 5\n",
        "a{path=\"/x/{id}\"} 5\n",
        "x{} 5\n",
        "{\"http.requests\",code=\"200\"} 5\n",
    ] {
        assert_eq!(peer(text).len(), 0, "the peer has learned: {text}");
        assert_eq!(ours(text).len(), 1, "{text}");
    }
    let comma = "a{path=\"x,c=d\"} 5\n";
    assert_eq!(ours(comma)[0].1, [("path".to_owned(), "x,c=d".to_owned())]);
    assert_ne!(peer(comma), ours(comma), "the peer has learned: {comma}");
    let escaped = "a{path=\"c:\\\\d\"} 5\n";
    assert_eq!(ours(escaped)[0].1[0].1, "c:\\d");
    assert_ne!(
        peer(escaped),
        ours(escaped),
        "the peer has learned: {escaped}"
    );
}

proptest::proptest! {
    #[test]
    fn any_label_value_survives(value in "[^\u{0}-\u{1f}]{0,40}") {
        let written = value.replace('\\', "\\\\").replace('"', "\\\"");
        let sample = one(&format!("a{{x=\"{written}\"}} 1\n"));
        proptest::prop_assert_eq!(sample.label("x"), value);
    }

    #[test]
    fn any_text_is_read_or_dropped_without_panic(text in "[ -~\n\"{}=,#]{0,200}") {
        let _ = read(&text);
    }
}

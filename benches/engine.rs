//! The drift engine's speed: objects a second and allocations an object for reading, sealing, comparing and fingerprinting.

#![allow(
    missing_docs,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measuring program: criterion makes its functions, and it prints what it counted"
)]

use std::alloc::System;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use driftdeck::domain::ObjectRef;
use driftdeck::drift::yaml::{Limits, parse_documents};
use driftdeck::drift::{Comparison, IgnoreRules, SealKey, fingerprint, judge, seal};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Objects of one round.
const OBJECTS: u64 = 100;

/// A Deployment as an edge site has it, with one field changed in every tenth.
fn pairs() -> Vec<(Value, Value)> {
    (0..OBJECTS)
        .map(|n| {
            let desired = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": format!("edge-microservice-{n}"), "namespace": "edge", "labels": {"app": "edge"}},
                "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "edge"}}, "template": {"metadata": {"labels": {"app": "edge"}}, "spec": {"containers": [
                    {"name": "app", "image": "registry.edge.example/app:v1.8.1", "resources": {"limits": {"cpu": "1000m", "memory": "512Mi"}}, "env": [{"name": "SITE", "value": "oslo"}], "ports": [{"containerPort": 8080}]}]}}}});
            let mut live = desired.clone();
            live["spec"]["progressDeadlineSeconds"] = json!(600);
            live["metadata"]["uid"] = json!("2f0e1c7a");
            if n % 10 == 0 {
                live["spec"]["replicas"] = json!(1);
            }
            (desired, live)
        })
        .collect()
}

/// Measures one step over all objects, and says what it allocates for each.
fn measure(criterion: &mut Criterion, name: &str, mut step: impl FnMut()) {
    let region = Region::new(ALLOCATOR);
    step();
    let used = region.change();
    println!(
        "{name}: {} allocations and {} bytes an object",
        used.allocations as u64 / OBJECTS,
        used.bytes_allocated as u64 / OBJECTS
    );
    let mut group = criterion.benchmark_group("engine");
    group.throughput(Throughput::Elements(OBJECTS));
    group.bench_function(name, |bencher| bencher.iter(&mut step));
    group.finish();
}

fn engine(criterion: &mut Criterion) {
    let pairs = pairs();
    let texts: Vec<String> = pairs
        .iter()
        .map(|(desired, _)| desired.to_string())
        .collect();
    let stream = texts.join("\n---\n");
    measure(criterion, "parse", || {
        black_box(parse_documents(stream.as_bytes(), &Limits::default()).unwrap());
    });
    measure(criterion, "hash", || {
        for text in &texts {
            black_box(Sha256::digest(text.as_bytes()));
        }
    });
    let key = SealKey::new([7; 32]);
    measure(criterion, "seal", || {
        for (desired, _) in &pairs {
            let mut object = desired.clone();
            seal(&mut object, &key);
            black_box(object);
        }
    });
    let rules = IgnoreRules::none();
    let judged = |(desired, live): &(Value, Value)| {
        judge(&Comparison {
            deployed: Some(desired),
            target: Some(desired),
            live: Some(live),
            rules: &rules,
            custom: None,
        })
    };
    measure(criterion, "compare", || {
        for pair in &pairs {
            black_box(judged(pair));
        }
    });
    let verdicts: Vec<_> = pairs
        .iter()
        .map(|pair| (ObjectRef::of(&pair.0).unwrap(), judged(pair)))
        .collect();
    measure(criterion, "fingerprint", || {
        for (object, verdict) in &verdicts {
            black_box(fingerprint::of(object, verdict));
        }
    });
}

criterion_group!(benches, engine);
criterion_main!(benches);

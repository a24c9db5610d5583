//! How fast the engine judges, beside `kubectl diff` on the same objects in the same run. Printed, never asserted.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::argo::MANAGER;
use crate::catalogue::{self, Manifest, verdict};
use crate::kubectl::Kubectl;
use crate::objects::namespace;
use crate::workshop::{Body, workshop};

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_engine_beside_kubectl_diff() {
    let workshop = workshop().await;
    let desk = workshop.desk().await;
    namespace(&desk.client, "raced").await;
    let manifests = catalogue::manifests("raced", 30_003);
    let mut lives: Vec<Value> = Vec::new();
    for manifest in &manifests {
        let path = desk.path(&manifest.object()).await;
        let body = Body::Apply(manifest.text.clone());
        let title = manifest.title();
        let held = desk.write(&path, MANAGER, &body, false).await;
        lives.push(held.unwrap_or_else(|e| panic!("{title}: {e}")));
    }
    let file = workshop.bed.dir.join("raced.yaml");
    let texts: Vec<&str> = manifests.iter().map(|m| m.text.as_str()).collect();
    std::fs::write(&file, texts.join("---\n")).unwrap();
    let lives: Vec<String> = lives.iter().map(ToString::to_string).collect();

    let engine = engine(&manifests, &lives);
    let kubectl = Kubectl::with(workshop.bed, &workshop.kubeconfig);
    let file = file.display().to_string();
    let begun = Instant::now();
    kubectl.run(&["diff", "--server-side", "--force-conflicts", "-f", &file]);
    let asked = begun.elapsed();

    let rate =
        |time: Duration| f64::from(u32::try_from(manifests.len()).unwrap()) / time.as_secs_f64();
    eprintln!(
        "racing: {} objects; engine {:.0} objects/s ({}, YAML and JSON read, sealed and judged, one thread), \
         kubectl diff {:.1} objects/s ({asked:.1?}), {:.0} times as many",
        manifests.len(),
        rate(engine),
        if cfg!(debug_assertions) {
            "unoptimised build"
        } else {
            "optimised build"
        },
        rate(asked),
        rate(engine) / rate(asked),
    );
}

/// The time for all objects once, of the best of five: manifest and live object read from text, sealed, judged; all are in sync.
fn engine(manifests: &[Manifest], lives: &[String]) -> Duration {
    let once = || {
        let begun = Instant::now();
        for (manifest, live) in manifests.iter().zip(lives) {
            let live: Value = serde_json::from_str(live).unwrap();
            let verdict = verdict(&manifest.object(), &live);
            assert!(verdict.states.is_empty(), "{}", manifest.title());
        }
        begun.elapsed()
    };
    (0..5).map(|_| once()).min().unwrap()
}

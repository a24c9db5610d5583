//! What the server makes of a manifest is not drift, whoever applied it and however.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::argo::MANAGER;
use crate::catalogue::{self, Manifest, title, verdict};
use crate::kubectl::Kubectl;
use crate::objects::namespace;
use crate::program::Driftdeck;
use crate::servers::User;
use crate::workshop::{Body, Desk, Workshop, workshop};

/// Live objects beside what Git says of them.
async fn pairs(desk: &Desk, manifests: &[Manifest]) -> Vec<(Value, Value)> {
    let mut pairs = Vec::new();
    for manifest in manifests {
        let desired = manifest.object();
        let live = desk.get(&desk.path(&desired).await).await;
        let live = live.unwrap_or_else(|e| panic!("{}: {e}", title(&desired)));
        pairs.push((desired, live));
    }
    pairs
}

/// Applies the texts as they are: what the YAML means is the server's business.
async fn apply_as_argo(desk: &Desk, manifests: &[Manifest]) {
    let mut refused = Vec::new();
    for manifest in manifests {
        let path = desk.path(&manifest.object()).await;
        let body = Body::Apply(manifest.text.clone());
        if let Err(reason) = desk.write(&path, MANAGER, &body, false).await {
            refused.push(format!("{}: {reason}", manifest.title()));
        }
    }
    assert!(refused.is_empty(), "not applied:\n{}", refused.join("\n"));
}

fn apply_with_kubectl(workshop: &Workshop, manifests: &[Manifest]) {
    let texts: Vec<&str> = manifests.iter().map(|m| m.text.as_str()).collect();
    Kubectl::with(workshop.bed, &workshop.kubeconfig)
        .try_run(&["apply", "-f", "-"], &texts.join("---\n"))
        .unwrap_or_else(|e| panic!("kubectl apply failed: {e}"));
}

/// What is reported although nobody changed anything, each on a line.
fn false_alarms(pairs: &[(Value, Value)]) -> Vec<String> {
    let mut alarms = Vec::new();
    for (desired, live) in pairs {
        let verdict = verdict(desired, live);
        if !verdict.states.is_empty() {
            alarms.push(format!(
                "{}: {} {:#?}",
                title(desired),
                verdict.summary,
                verdict.changes
            ));
        }
    }
    alarms
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn no_kind_of_the_catalogue_drifts_by_being_applied() {
    let workshop = workshop().await;
    let desk = workshop.desk().await;
    let mut alarms = Vec::new();
    let mut kinds = BTreeSet::new();
    let mut objects = 0;
    for (name, port, server_side) in [
        ("respelt-ssa", 30_001, true),
        ("respelt-csa", 30_002, false),
    ] {
        namespace(&desk.client, name).await;
        let mut manifests = catalogue::manifests(name, port);
        if server_side {
            manifests = manifests
                .into_iter()
                .map(Manifest::without_line_break)
                .collect();
            apply_as_argo(&desk, &manifests).await;
        } else {
            apply_with_kubectl(workshop, &manifests);
        }
        let pairs = pairs(&desk, &manifests).await;
        kinds.extend(pairs.iter().map(|(d, _)| d["kind"].to_string()));
        objects += pairs.len();
        alarms.extend(
            false_alarms(&pairs)
                .into_iter()
                .map(|a| format!("{name}: {a}")),
        );
        alarms.extend(offline_alarms(workshop, name, &pairs).await);
    }
    alarms.extend(false_alarms(&pairs(&desk, &catalogue::definitions()).await));
    eprintln!(
        "respelling: {objects} objects of {} kinds applied both ways, {} reported",
        kinds.len(),
        alarms.len()
    );
    assert!(kinds.len() >= 20, "{kinds:?}");
    assert!(alarms.is_empty(), "{}", alarms.join("\n"));
}

/// The same question put to the command line: two streams of documents, one answer for each object.
async fn offline_alarms(workshop: &Workshop, name: &str, pairs: &[(Value, Value)]) -> Vec<String> {
    let file = |side: &str, objects: Vec<&Value>| {
        let path = workshop.bed.dir.join(format!("{name}-{side}.json"));
        let texts: Vec<String> = objects.iter().map(ToString::to_string).collect();
        std::fs::write(&path, texts.join("\n---\n")).unwrap();
        path
    };
    let git = file("desired", pairs.iter().map(|(d, _)| d).collect());
    let live = file("live", pairs.iter().map(|(_, l)| l).collect());
    let command = |a: &Path, b: &Path| {
        format!(
            "diff --desired {} --live {} -o json",
            a.display(),
            b.display()
        )
    };
    let answer = Driftdeck::of(workshop.bed, User::Viewer)
        .run(&command(&git, &live))
        .await;
    let items = answer.items();
    assert_eq!(items.len(), pairs.len(), "one item for each object");
    let counted = items
        .iter()
        .filter(|i| i["changes"] != serde_json::json!([]));
    let mut alarms: Vec<String> = counted
        .map(|i| {
            format!(
                "command line, {name}: {} {}: {:#}",
                i["kind"], i["name"], i["changes"]
            )
        })
        .collect();
    if answer.status != 0 && alarms.is_empty() {
        alarms.push(format!(
            "command line, {name}: exit status {}: {}",
            answer.status, answer.err
        ));
    }
    alarms
}

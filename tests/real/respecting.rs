//! `RespectIgnoreDifferences=true`: a revert leaves alone what the application ignores.

use kube::api::{Patch, PatchParams};
use serde_json::json;

use crate::answers::on_edge;
use crate::bed::EDGES;
use crate::kubectl::Kubectl;
use crate::program::Driftdeck;
use crate::servers::User;
use crate::story::{Policy, Team};

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_direct_revert_leaves_ignored_fields_as_they_are_where_the_application_asks_for_it() {
    let team = Team::deploy("respected-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    let spec = json!({ "spec": {
        "ignoreDifferences": [{ "group": "apps", "kind": "Deployment", "jqPathExpressions": [".spec.replicas"] }],
        "syncPolicy": { "syncOptions": ["CreateNamespace=true", "ServerSideApply=true", "RespectIgnoreDifferences=true"] },
    } });
    let applications = app.applications().await;
    let merge = Patch::Merge(&spec);
    applications
        .patch(&app.app, &PatchParams::default(), &merge)
        .await
        .unwrap();
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    let (namespace, name) = (team.namespace.as_str(), team.name.as_str());
    kubectl.run(&[
        "scale",
        "-n",
        namespace,
        &format!("deployment/{name}"),
        "--replicas=4",
    ]);
    kubectl.run(&[
        "label",
        "-n",
        namespace,
        &format!("deployment/{name}"),
        "--overwrite",
        "tier=edited",
    ]);

    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let place = format!("{}/Deployment/{namespace}/{name}", app.edge.name);
    let diff = driftdeck
        .run(&format!("diff {place} --wait 40s -o json"))
        .await;
    let item = &diff.items()[0];
    let ignored = item["ignored"].as_array().unwrap();
    let replicas = ignored
        .iter()
        .find(|i| i["path"] == "spec.replicas")
        .unwrap();
    assert_eq!(replicas["reason"], "ignoreDifferences names .spec.replicas");
    assert_eq!(item["handling"]["mode"], "structured-merge", "{item:#}");

    let revert = format!("revert {} --via direct --write --yes", on_edge(&team, app));
    let run = driftdeck.run(&revert).await;
    assert_eq!(run.status, 0, "{run:#?}");
    let live = team.live(app, "Deployment", name).await.unwrap();
    assert_eq!(live["metadata"]["labels"]["tier"], "sensor");
    assert_eq!(live["spec"]["replicas"], 4, "the ignored field stays");

    // Nothing differs any more, and the named object still tells what does not count.
    let diff = driftdeck
        .run(&format!("diff {place} --wait 40s -o json"))
        .await;
    assert_eq!(
        (diff.status, &diff.items()[0]["state"]),
        (0, &json!("synced"))
    );
    assert!(
        diff.out.contains("ignoreDifferences names .spec.replicas"),
        "{}",
        diff.out
    );
}

//! Put it back: the plan, both routes, and who may not.

use serde_json::{Value, json};

use crate::answers::{assert_clean, assert_no_secret, changes, item, on_edge, select};
use crate::argo::Controller;
use crate::bed::EDGES;
use crate::kubectl::Kubectl;
use crate::program::Driftdeck;
use crate::servers::User;
use crate::story::{self, PASSWORD, Policy, Team};

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_direct_revert_puts_everything_back_as_the_engine() {
    let team = Team::deploy("direct-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    team.disturb(app);
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let revert = format!("revert {} --via direct", on_edge(&team, app));

    let plan = driftdeck.run(&revert).await;
    assert_eq!(plan.status, 2, "a plan alone sends nothing: {plan:#?}");
    assert_eq!(plan.json()["targets"].as_array().unwrap().len(), 4);
    assert_no_secret("the plan", &plan.out);
    let refused = driftdeck.run(&format!("{revert} --yes")).await;
    assert_eq!(
        refused.status, 2,
        "without --write nothing is sent: {refused:#?}"
    );
    assert!(team.live(app, "Service", "direct-reader").await.is_none());

    let run = driftdeck
        .run(&format!("{revert} --write --yes --note INC-417"))
        .await;
    assert_eq!(run.status, 0, "{run:#?}");
    let outcomes = run.json()["outcomes"].as_array().unwrap().clone();
    assert_eq!(outcomes.len(), 4);
    assert!(
        outcomes.iter().all(|o| o["outcome"] == "reverted"),
        "{outcomes:#?}"
    );
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);

    assert_as_deployed(&team, app).await;
    let journal = driftdeck.run("journal -o json").await;
    assert_eq!(journal.status, 0, "{journal:#?}");
    assert!(journal.out.contains("INC-417"), "{}", journal.out);
    assert!(
        journal.out.contains("direct-reader-config"),
        "{}",
        journal.out
    );
    assert_eq!(driftdeck.run("journal --verify").await.status, 0);
    assert_no_secret("the run", &run.out);
    assert_no_secret("the journal", &journal.out);
}

/// What `disturb` changed stands again as Git has it, owned by the engine.
async fn assert_as_deployed(team: &Team, app: &Controller) {
    let deployment = team.live(app, "Deployment", &team.name).await.unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
    assert_eq!(deployment["metadata"]["labels"]["tier"], "sensor");
    let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.example/edge/microservice:1.4.2");
    let owners = deployment["metadata"]["managedFields"].as_array().unwrap();
    let replicas = owners
        .iter()
        .filter(|o| !o["fieldsV1"]["f:spec"]["f:replicas"].is_null());
    let replicas: Vec<&Value> = replicas.map(|o| &o["manager"]).collect();
    assert_eq!(replicas, ["argocd-controller"]);
    let map = team
        .live(app, "ConfigMap", &format!("{}-config", team.name))
        .await
        .unwrap();
    assert_eq!(map["data"]["SAMPLE_RATE"], "10");
    let secret = team
        .live(app, "Secret", &format!("vault-secret-{}", team.name))
        .await
        .unwrap();
    assert_eq!(secret["data"]["db_password"], PASSWORD[0]);
    let service = team.live(app, "Service", &team.name).await.unwrap();
    let mark = &service["metadata"]["annotations"]["argocd.argoproj.io/tracking-id"];
    assert_eq!(
        *mark,
        json!(format!(
            "{}:/Service:{}/{}",
            app.app, team.namespace, team.name
        ))
    );
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_revert_by_argo_cd_is_one_correct_operation_on_the_hub() {
    let team = Team::deploy("argo-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[2]);
    team.disturb(app);
    app.report(&[
        ("Deployment", "argo-reader"),
        ("ConfigMap", "argo-reader-config"),
        ("Service", "argo-reader"),
    ])
    .await;
    let before = app.application().await;
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let revert = format!("revert {} --via argo", on_edge(&team, app));
    let plan = driftdeck.run(&revert).await;
    assert!(
        plan.out.contains(&format!(
            "leaves what others added (--via direct takes it out): {ENTRY}"
        )),
        "{plan:#?}"
    );

    let line = format!("{revert} --write --yes --note INC-418");
    let (run, asked) = tokio::join!(driftdeck.run(&line), app.play());
    assert_no_secret("the run", &run.out);
    assert_operation(&asked, &before, &team.repository.resolve("HEAD"));
    let after = app.application().await;
    assert_eq!(
        after["status"]["history"], before["status"]["history"],
        "a selective sync is no deployment"
    );

    // All is back but the entry that Argo CD's apply cannot take out: no green outcome for that Deployment.
    assert_eq!(run.status, 3, "{run:#?}");
    let outcomes = run.json()["outcomes"].as_array().unwrap().clone();
    let unfinished: Vec<&Value> = outcomes
        .iter()
        .filter(|o| o["outcome"] != "reverted")
        .collect();
    assert_eq!(unfinished.len(), 1, "{outcomes:#?}");
    assert_eq!(unfinished[0]["target"]["kind"], "Deployment");
    let left = driftdeck
        .run(&format!("drift {}", select(&team)))
        .await
        .items();
    assert_eq!(left.len(), 1, "{left:#?}");
    let paths: Vec<String> = changes(&left[0])
        .into_iter()
        .map(|change| change.0)
        .collect();
    assert_eq!(paths, [ENTRY]);
    let direct = driftdeck
        .run(&format!(
            "revert {} --via direct --write --yes",
            on_edge(&team, app)
        ))
        .await;
    assert_eq!(direct.status, 0, "{direct:#?}");
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);
    assert_as_deployed(&team, app).await;
}

/// The entry that somebody added to a list of Git's.
const ENTRY: &str = "spec.template.spec.containers[name=app].env[name=DEBUG_SENSORS]";

/// The operation that was asked for: of the commit shown, of the four objects, with the spec's options, in a cleared state.
fn assert_operation(asked: &Value, before: &Value, commit: &str) {
    let operation = &asked["operation"];
    let sync = &operation["sync"];
    assert_eq!(sync["revision"], *commit, "the commit the plan showed");
    assert_ne!(sync["prune"], true);
    assert_eq!(
        sync["syncOptions"], before["spec"]["syncPolicy"]["syncOptions"],
        "as the spec has them"
    );
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut named: Vec<_> = sync["resources"]
        .as_array()
        .unwrap_or_else(|| panic!("not selective: {operation:#}"))
        .iter()
        .map(|r| {
            (
                text(&r["group"]),
                text(&r["kind"]),
                text(&r["namespace"]),
                text(&r["name"]),
            )
        })
        .collect();
    named.sort();
    let own = |group: &str, kind: &str, name: &str| {
        (
            group.to_owned(),
            kind.to_owned(),
            "argo-reader-namespace".to_owned(),
            name.to_owned(),
        )
    };
    assert_eq!(
        named,
        [
            own("", "ConfigMap", "argo-reader-config"),
            own("", "Secret", "vault-secret-argo-reader"),
            own("", "Service", "argo-reader"),
            own("apps", "Deployment", "argo-reader"),
        ]
    );
    assert!(
        !text(&operation["initiatedBy"]["username"]).is_empty(),
        "{operation:#}"
    );
    assert!(operation.to_string().contains("INC-418"), "{operation:#}");
    assert!(before["status"]["operationState"].is_object());
    assert!(
        asked["status"]["operationState"].is_null(),
        "the state of the operation before must be cleared: {asked:#}"
    );
    for untouched in ["history", "sync", "resources", "health"] {
        assert_eq!(asked["status"][untouched], before["status"][untouched]);
    }
    assert_eq!(asked["spec"], before["spec"]);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn the_same_edit_on_three_edges_is_one_group_and_is_put_back_as_one() {
    let team = Team::deploy("group-reader", Policy::MANUAL).await;
    for app in &team.apps {
        let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
        kubectl.edit(
            &team.namespace,
            "deployment/group-reader",
            "s/^  replicas: 2$/  replicas: 4/",
        );
    }
    let odd_one = Kubectl::on(team.bed, team.apps[0].edge, User::Operator);
    odd_one.edit(
        &team.namespace,
        "configmap/group-reader-config",
        "s/SAMPLE_RATE: \"10\"/SAMPLE_RATE: \"11\"/",
    );
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let groups = driftdeck
        .run(&format!("drift --group {}", select(&team)))
        .await
        .items();
    assert_eq!(groups.len(), 2, "{groups:#?}");
    let group = groups
        .iter()
        .find(|g| g["count"] == 3)
        .unwrap_or_else(|| panic!("{groups:#?}"));
    let mut clusters: Vec<&str> = group["clusters"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    clusters.sort_unstable();
    assert_eq!(clusters, ["edge-ber-017", "edge-oslo-001", "edge-par-031"]);
    assert_eq!(group["managers"], json!(["kubectl-edit"]));

    let print = group["fingerprint"].as_str().unwrap();
    let line = format!(
        "revert --fingerprint {print} --via direct --write --yes {}",
        select(&team)
    );
    let run = driftdeck.run(&line).await;
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(run.json()["outcomes"].as_array().unwrap().len(), 3);
    for app in &team.apps {
        let deployment = team.live(app, "Deployment", "group-reader").await.unwrap();
        assert_eq!(deployment["spec"]["replicas"], 2, "{}", app.app);
    }
    let left = driftdeck
        .run(&format!("drift {}", select(&team)))
        .await
        .items();
    assert_eq!(left.len(), 1, "what was not of the group stays: {left:#?}");
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn a_client_side_applied_application_is_put_back_by_both_routes() {
    let team = Team::deploy("classic-revert", Policy::CLASSIC).await;
    let app = team.on(EDGES[0]);
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    team.disturb(app);
    let direct = driftdeck
        .run(&format!(
            "revert {} --via direct --write --yes",
            on_edge(&team, app)
        ))
        .await;
    assert_eq!(direct.status, 0, "{direct:#?}");
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);

    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    kubectl.edit(
        &team.namespace,
        "deployment/classic-revert",
        "s/^  replicas: 2$/  replicas: 7/",
    );
    let line = format!("revert {} --via argo --write --yes", on_edge(&team, app));
    let (run, asked) = tokio::join!(driftdeck.run(&line), app.play());
    assert_eq!(run.status, 0, "{run:#?}");
    assert_eq!(
        asked["operation"]["sync"]["syncOptions"],
        json!(["CreateNamespace=true"])
    );
    assert_clean(&driftdeck.run(&format!("drift {}", select(&team))).await);
    let deployment = team
        .live(app, "Deployment", "classic-revert")
        .await
        .unwrap();
    assert_eq!(deployment["spec"]["replicas"], 2);
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn an_application_that_syncs_itself_is_not_rolled_to_another_commit() {
    let team = Team::deploy("auto-reader", Policy::AUTOMATED).await;
    let app = team.on(EDGES[0]);
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    kubectl.edit(
        &team.namespace,
        "configmap/auto-reader-config",
        "s/SAMPLE_RATE: \"10\"/SAMPLE_RATE: \"99\"/",
    );
    let newer = story::manifests("auto-reader")
        .into_iter()
        .map(|(path, text)| (path, text.replace("buffer = 64", "buffer = 128")));
    team.repository
        .commit("Widen the buffer", &newer.collect::<Vec<_>>());
    let driftdeck = Driftdeck::of(team.bed, User::Operator);
    let items = driftdeck
        .run(&format!("drift {}", on_edge(&team, app)))
        .await
        .items();
    let map = item(&items, "ConfigMap", "auto-reader-config");
    assert_eq!(
        map["state"], "edited",
        "the edit, against what is deployed: {map:#}"
    );
    assert_eq!(changes(map)[0].0, "data.SAMPLE_RATE");
    let run = driftdeck
        .run(&format!(
            "revert {} --via argo --write --yes",
            on_edge(&team, app)
        ))
        .await;
    assert_eq!(run.status, 2, "nothing may be sent: {run:#?}");
    assert!(app.application().await["operation"].is_null());
}

#[tokio::test]
#[ignore = "needs real servers: run .ci/run"]
async fn who_may_not_write_sees_the_drift_and_is_told_so_in_the_plan() {
    let team = Team::deploy("viewed-reader", Policy::MANUAL).await;
    let app = team.on(EDGES[1]);
    let kubectl = Kubectl::on(team.bed, app.edge, User::Operator);
    kubectl.edit(
        &team.namespace,
        "deployment/viewed-reader",
        "s/^  replicas: 2$/  replicas: 0/",
    );
    let viewer = Driftdeck::of(team.bed, User::Viewer);
    let drift = viewer.run(&format!("drift {}", on_edge(&team, app))).await;
    assert_eq!(
        changes(item(&drift.items(), "Deployment", "viewed-reader"))[0].3,
        json!(0)
    );
    let line = format!(
        "revert {} --kind Deployment --via direct",
        on_edge(&team, app)
    );
    let plan = viewer.run(&line).await;
    assert!(plan.out.contains("not permitted"), "{plan:#?}");
    let run = viewer.run(&format!("{line} --write --yes")).await;
    assert!(run.status == 2 || run.status == 3, "{run:#?}");
    let deployment = team.live(app, "Deployment", "viewed-reader").await.unwrap();
    assert_eq!(deployment["spec"]["replicas"], 0, "nothing was changed");
}
